from pathlib import Path

import pytest

from actionformer.core.errors import InputError
from actionformer.extraction.inputs import (
    FEATURES,
    check_names,
    files_of,
    holds_features,
    is_played,
    named_files,
    shows_pictures,
    video_files,
)
from actionformer.sensors.medium import SENSORS
from actionformer.video.pictures import PICTURES


def touch(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(exist_ok=True, parents=True)
        (folder / name).touch()


def test_files_folders_and_patterns(tmp_path: Path) -> None:
    touch(tmp_path, "b.mp4", "a.MKV", "notes.txt", "sub/c.avi", "sub/d.webm", "odd.xyz")
    assert [path.name for path in video_files([tmp_path])] == ["a.MKV", "b.mp4", "c.avi", "d.webm"]
    assert [path.name for path in video_files([tmp_path / "odd.xyz", tmp_path / "b.mp4"])] == ["odd.xyz", "b.mp4"]
    assert [path.name for path in video_files([tmp_path / "sub" / "*"])] == ["c.avi", "d.webm"]
    several = video_files([tmp_path / "**" / "*.avi", tmp_path, tmp_path / "b.mp4"])
    assert [path.name for path in several] == ["c.avi", "a.MKV", "b.mp4", "d.webm"]
    assert list(several.values()) == ["sub/c", "a", "b", "sub/d"]


def test_a_name_with_brackets_is_a_name(tmp_path: Path) -> None:
    touch(tmp_path, "take[1].mp4")
    assert video_files([tmp_path / "take[1].mp4"]) == {tmp_path / "take[1].mp4": "take[1]"}


def test_a_pattern_in_a_folder_with_brackets(tmp_path: Path) -> None:
    touch(tmp_path / "clips [2024]", "a[1].mp4", "b.mp4")
    assert list(video_files([tmp_path / "clips [2024]" / "*.mp4"]).values()) == ["a[1]", "b"]
    assert list(video_files([tmp_path / "clips [[]2024]" / "*.mp4"]).values()) == [
        "clips [2024]/a[1]",
        "clips [2024]/b",
    ]


def test_ids_tell_files_of_one_name_apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    touch(tmp_path / "clips", "a/one.mp4", "b/one.mp4", "b/.hidden.mp4", ".trash/one.mp4")
    ids = ["a/one", "b/one"]
    assert list(video_files([tmp_path / "clips"]).values()) == ids  # it holds none itself
    assert list(video_files([tmp_path / "clips" / "**" / "*.mp4"]).values()) == ids
    assert list(video_files([tmp_path / "clips" / "*" / "*.mp4"]).values()) == ids
    assert list(video_files([tmp_path / "clips" / "a" / "*.mp4"]).values()) == ["one"]
    assert list(video_files([tmp_path / "clips" / "a" / "one.mp4"]).values()) == ["one"]
    monkeypatch.chdir(tmp_path)
    assert list(video_files(["*/**/*.mp4"]).values()) == ["clips/a/one", "clips/b/one"]
    with pytest.raises(InputError, match=r"are both called 'one': .* give a folder above both"):
        video_files([tmp_path / "clips" / "a", tmp_path / "clips" / "b" / "one.mp4"])


def test_features_in_a_folder_win_and_in_subfolders_too(tmp_path: Path) -> None:
    touch(tmp_path, "v/a.mp4", "v/a.npy", "w/b/c.mp4", "w/b/c.npy", "x/a.mp4", "x/features/a.npy", "x/b/c.mp4")
    both = {**FEATURES, **files_of(PICTURES)}
    assert list(named_files([tmp_path / "v"], both)) == [tmp_path / "v" / "a.npy"]
    assert list(named_files([tmp_path / "x"], both).values()) == ["a", "b/c"]
    assert named_files([tmp_path / "w"], both) == {tmp_path / "w" / "b" / "c.npy": "b/c"}


def test_a_name_that_is_no_text(tmp_path: Path) -> None:
    (tmp_path / "caf\udce9.mp4").touch()
    with pytest.raises(InputError, match=r"its name 'caf\\udce9' is not Unicode text .*: rename it"):
        video_files([tmp_path])


@pytest.mark.parametrize(("name", "how"), [("a.pkl", "pickle.load"), ("a.pt", "torch.load"), ("a.csv", "loadtxt")])
def test_a_folder_of_features_in_another_format(tmp_path: Path, name: str, how: str) -> None:
    touch(tmp_path, name)
    with pytest.raises(InputError, match=rf"it holds 1 \{name[1:]} files: save each as .npy, .*{how}"):
        named_files([tmp_path], {**FEATURES, **files_of(PICTURES)})


@pytest.mark.parametrize(("name", "how"), [("a.pkl", "pickle.load"), ("a.pt", "torch.load"), ("a.csv", "loadtxt")])
def test_a_file_of_features_in_another_format(tmp_path: Path, name: str, how: str) -> None:
    touch(tmp_path, name)
    with pytest.raises(InputError, match=rf"{name}: no .*; save its features as \.npy, .*{how}"):
        named_files([tmp_path / name], {**FEATURES, **files_of(PICTURES)})
    assert named_files([tmp_path / name], files_of(PICTURES)) == {tmp_path / name: "a"}


def test_refusals(tmp_path: Path) -> None:
    touch(tmp_path, "a.mp4", "sub/a.avi", "empty/notes.txt")
    with pytest.raises(InputError, match=r"a\.mp4 and .*a\.avi are both called 'a'"):
        video_files([tmp_path, tmp_path / "a.avi"])
    with pytest.raises(InputError, match=r"empty: no videos here"):
        video_files([tmp_path / "empty"])
    with pytest.raises(InputError, match=r"\*\.mov: no videos here"):
        video_files([tmp_path / "*.mov"])


def test_names_that_a_prefix_makes_equal(tmp_path: Path) -> None:
    files = {tmp_path / "v_a.mp4": "v_a", tmp_path / "a.mp4": "a"}
    check_names(files)
    with pytest.raises(InputError, match="are both called 'a'"):
        check_names(files, "v_")


@pytest.mark.parametrize(
    ("name", "features", "pictures", "played"),
    [
        ("a.npy", True, False, False),
        ("a.MP4", False, True, True),
        ("a.wav", False, False, True),
        ("a.csv", False, False, False),
        ("a.odd", False, True, True),  # a file that is named itself may end in anything
    ],
)
def test_what_a_file_is_by_its_ending(tmp_path: Path, name: str, features: bool, pictures: bool, played: bool) -> None:
    file = tmp_path / name
    assert (holds_features(file), shows_pictures(file), is_played(file)) == (features, pictures, played)


def test_arrays_are_features_where_readings_are_looked_for_if_they_have_a_sidecar(tmp_path: Path) -> None:
    assert not holds_features(tmp_path / "a.npy", SENSORS)
    touch(tmp_path, "a.json")
    assert holds_features(tmp_path / "a.npy", SENSORS)
