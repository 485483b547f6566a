"""50 Salads and GTEA from the layout that MS-TCN publishes."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from actionformer import InputError, read_annotations
from actionformer.datasets import gtea, salads
from actionformer.datasets.framewise import segments


def test_neighbours_of_one_class_are_one_action() -> None:
    found = segments(["a", "a", "b", "-", "b", "b"], 2.0, {"-"})
    assert [(one.start, one.end, one.label) for one in found] == [(0, 1, "a"), (1, 1.5, "b"), (2, 3, "b")]


@given(st.lists(st.sampled_from("ab-"), max_size=30))
def test_segments_give_their_frames_back(labels: list[str]) -> None:
    again = ["-"] * len(labels)
    for one in segments(labels, 1.0, {"-"}):
        again[int(one.start) : int(one.end)] = one.label * int(one.end - one.start)
    assert again == labels


def test_salads_are_at_three_features_a_second(framewise_folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    written = salads.read(framewise_folder).write(out)
    assert [path.name for path in written] == ["annotations_split1.json", "annotations_split2.json"]
    first, second = map(read_annotations, written)
    assert first.class_names == ("cut", "add", "background")  # background is a class like others here
    assert [first.videos["a"].subset, first.videos["b"].subset] == ["training", "test"]
    assert [second.videos["a"].subset, second.videos["b"].subset] == ["test", "training"]
    np.testing.assert_allclose(first.videos["a"].segments, [[2 / 30, 6 / 30], [6 / 30, 20 / 30]])
    assert first.videos["b"].duration == pytest.approx(25 / 30)
    assert first.videos["a"].fps == 3
    assert np.load(out / "features" / "a.npy").tolist() == [[5, 105, 205], [15, 115, 215]]
    assert len(np.load(out / "features" / "b.npy")) == 2  # a 26th column has no label
    assert json.loads((out / "features" / "a.json").read_text()) == {"fps": 3, "stride": 1, "num_frames": 1}


def test_gtea_keeps_every_frame_and_leaves_background_out(framewise_folder: Path, tmp_path: Path) -> None:
    written = gtea.read(framewise_folder).write(tmp_path / "out")
    video = read_annotations(written[0]).videos["b"]
    np.testing.assert_allclose(video.segments, [[0, 10 / 15], [1, 20 / 15], [20 / 15, 25 / 15]])
    found = np.load(tmp_path / "out" / "features" / "b.npy")
    np.testing.assert_array_equal(found, np.load(framewise_folder / "features" / "b.npy").T[:25])


@pytest.mark.parametrize(
    ("file", "expected"),
    [
        ("mapping.txt", "one number and one class per line, such as '0 take'"),
        ("groundTruth/b.txt", "the class of one frame per line"),
        ("features/b.npy", "an array (D, T) with one column per frame"),
        ("splits/test.split2.bundle", "one file name of groundTruth per line"),
    ],
)
def test_a_missing_file_is_named(framewise_folder: Path, file: str, expected: str) -> None:
    (framewise_folder / file).unlink()
    with pytest.raises(InputError) as error:
        gtea.read(framewise_folder)
    assert str(error.value).startswith(f"{framewise_folder / file}: missing, expected {expected}")


def test_a_folder_without_splits(framewise_folder: Path) -> None:
    for path in (framewise_folder / "splits").iterdir():
        path.unlink()
    with pytest.raises(InputError, match=r"splits.train\.split1\.bundle: missing, expected"):
        gtea.read(framewise_folder)


def test_a_class_that_the_mapping_lacks(framewise_folder: Path) -> None:
    with (framewise_folder / "groundTruth" / "a.txt").open("a") as file:
        file.write("stir\n")
    with pytest.raises(InputError, match=r"a\.txt: expected one class of mapping\.txt per line, found 'stir'"):
        gtea.read(framewise_folder)


def test_a_video_in_both_parts_of_a_split(framewise_folder: Path) -> None:
    (framewise_folder / "splits" / "test.split1.bundle").write_text("a.txt\nb.txt\n")
    with pytest.raises(InputError, match=r"test\.split1\.bundle: a is a training video of this split as well"):
        gtea.read(framewise_folder)


def test_features_stored_the_other_way_round(framewise_folder: Path) -> None:
    path = framewise_folder / "features" / "a.npy"
    np.save(path, np.load(path).T)
    with pytest.raises(InputError, match=r"one column for each of the 20 frames of groundTruth, found \(20, 3\)"):
        gtea.read(framewise_folder)


def test_a_video_too_short_for_a_feature(framewise_folder: Path) -> None:
    (framewise_folder / "groundTruth" / "a.txt").write_text("cut\n" * 5)
    np.save(framewise_folder / "features" / "a.npy", np.zeros((3, 5), np.float32))
    with pytest.raises(InputError, match=r"a\.npy: expected an array"):
        salads.read(framewise_folder)


def test_the_folder_may_lie_below(framewise_folder: Path, tmp_path: Path) -> None:
    assert salads.read(tmp_path).recordings.keys() == salads.read(framewise_folder).recordings.keys()
    (tmp_path / "gtea").mkdir()
    (tmp_path / "gtea" / "mapping.txt").write_text("0 take\n")
    with pytest.raises(InputError, match=r"50salads, .*gtea have a mapping\.txt each: give the folder that is meant"):
        salads.read(tmp_path)
