"""THUMOS14 in the layout of ActionFormer's authors and in the challenge's own."""

from pathlib import Path

import numpy as np
import pytest

from actionformer import InputError, read_annotations
from actionformer.datasets.thumos14 import read


def test_the_json_file_is_whole_and_stays_as_it_is(shared: Path, tmp_path: Path) -> None:
    dataset = read(shared / "data/thumos14")
    assert dataset.differences() == []
    (path,) = dataset.write(tmp_path)
    found, published = read_annotations(path), read_annotations(shared / "data/thumos14/thumos14.json")
    assert found.class_names == published.class_names
    assert found.videos.keys() == published.videos.keys()
    for name, video in published.videos.items():
        np.testing.assert_array_equal(found.videos[name].segments, video.segments)
        np.testing.assert_array_equal(found.videos[name].labels, video.labels)
        assert (found.videos[name].fps, found.videos[name].duration) == (video.fps, video.duration)


def test_text_files_of_two_parts(tmp_path: Path) -> None:
    for part, name in (("val", "validation"), ("test", "test")):
        folder = tmp_path / part / "annotation"
        folder.mkdir(parents=True)
        (folder / f"Billiards_{part}.txt").write_text(f"video_{name}_0000001  0.5 1.5\n")
        (folder / f"Ambiguous_{part}.txt").write_text(f"video_{name}_0000001  3.0 4.0\n")
        (folder / f"Diving_{part}.txt").write_text(
            f"video_{name}_0000001  2.0 2.5\r\nvideo_{name}_0000002  0.0 1.0\r\n"
        )
    dataset = read(tmp_path)
    assert dataset.class_names == ("Billiards", "Diving")
    assert set(dataset.splits["annotations.json"].values()) == {"validation", "test"}
    actions = dataset.recordings["video_test_0000001"].actions
    assert [(one.start, one.end, one.label) for one in actions] == [(0.5, 1.5, "Billiards"), (2, 2.5, "Diving")]


def test_neither_is_there(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"thumos14\.json: missing, here and in the folders below; so are \*_val\.txt"):
        read(tmp_path)
