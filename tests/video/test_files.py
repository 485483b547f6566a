from pathlib import Path

import pytest

from actionformer.errors import InputError
from actionformer.video.files import check_names, video_files


def touch(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).touch()


def test_files_folders_and_patterns(tmp_path: Path) -> None:
    touch(tmp_path, "b.mp4", "a.MKV", "notes.txt", "sub/c.avi", "sub/d.webm", "odd.xyz")
    assert [path.name for path in video_files([tmp_path])] == ["a.MKV", "b.mp4"]
    assert [path.name for path in video_files([tmp_path / "odd.xyz", tmp_path / "b.mp4"])] == ["odd.xyz", "b.mp4"]
    assert [path.name for path in video_files([tmp_path / "sub" / "*"])] == ["c.avi", "d.webm"]
    assert [path.name for path in video_files([tmp_path / "**" / "*.avi", tmp_path, tmp_path / "b.mp4"])] == [
        "c.avi",
        "a.MKV",
        "b.mp4",
    ]


def test_a_name_with_brackets_is_a_name(tmp_path: Path) -> None:
    touch(tmp_path, "take[1].mp4")
    assert video_files([tmp_path / "take[1].mp4"]) == [tmp_path / "take[1].mp4"]


def test_refusals(tmp_path: Path) -> None:
    touch(tmp_path, "a.mp4", "sub/a.avi", "empty/notes.txt")
    with pytest.raises(InputError, match=r"a\.mp4 and .*a\.avi are both called 'a'"):
        video_files([tmp_path, tmp_path / "sub"])
    with pytest.raises(InputError, match=r"empty: no videos here"):
        video_files([tmp_path / "empty"])
    with pytest.raises(InputError, match=r"\*\.mov: no videos here"):
        video_files([tmp_path / "*.mov"])


def test_names_that_a_prefix_makes_equal(tmp_path: Path) -> None:
    files = [tmp_path / "v_a.mp4", tmp_path / "a.mp4"]
    check_names(files)
    with pytest.raises(InputError, match="are both called 'a'"):
        check_names(files, "v_")
