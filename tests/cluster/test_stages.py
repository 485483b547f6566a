"""Stages, called one after another in this process: what they make is what `extract` and `detect` make."""

import json
import pickle
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from dying import AsItIs, Dying
from moving import FPS
from torch import Tensor

from actionformer.backbones import Backbone, load_backbone
from actionformer.cluster import stages
from actionformer.cluster.extract import making_of, new_row
from actionformer.cluster.stages import (
    DECODED,
    FAILED,
    GIVEN,
    LONG,
    READY,
    STOPPED,
    Decode,
    Described,
    Detect,
    Encode,
    Making,
    Row,
)
from actionformer.core.errors import InputError
from actionformer.features import UNKNOWN
from actionformer.inference.loading import load
from actionformer.recipes.extract import extract
from actionformer.video.clips import ClipLayout

LAYOUT = ClipLayout(fps=FPS, num_frames=4, stride=2)


@pytest.fixture(autouse=True)
def threads() -> Iterator[None]:
    """Stages take one thread each."""
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def making() -> Making:
    return making_of(load_backbone("motion"), LAYOUT, [])


@pytest.fixture(scope="module")
def extracted(tmp_path_factory: pytest.TempPathFactory, videos: Path) -> Path:
    out = tmp_path_factory.mktemp("extracted")
    extract(videos, "motion", out, fps=FPS, num_frames=4, stride=2, workers=0)
    return out


def through(making: Making, row: Row) -> tuple[Row, Row]:
    """A row after each of the two stages, pickled on the way as between processes."""
    decoded = Decode(making)(row)
    return decoded, Encode(making)(pickle.loads(pickle.dumps(decoded)))


def content(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.parametrize("ahead", [stages.AHEAD, 0])
def test_features_are_those_of_extract_whoever_decodes(
    making: Making, videos: Path, extracted: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ahead: int
) -> None:
    monkeypatch.setattr(stages, "AHEAD", ahead)
    for name in ("clip0", "clip1", "clip2"):
        decoded, encoded = through(making, new_row(name, str(videos / f"{name}.mp4"), tmp_path / f"{name}.npy"))
        assert decoded["state"] == (DECODED if ahead else LONG)
        assert encoded["state"] == READY
        assert (encoded["kept"], encoded["frames"], encoded["error"]) == (False, b"", "")
    assert content(tmp_path) == content(extracted)


def test_features_that_are_there_are_kept_and_others_are_refused(
    making: Making, videos: Path, extracted: Path, tmp_path: Path
) -> None:
    row = new_row("clip0", str(videos / "clip0.mp4"), extracted / "clip0.npy")
    decoded, encoded = through(making, row)
    assert (decoded["state"], decoded["kept"], decoded["frames"]) == (READY, True, b"")
    assert encoded == decoded
    other = making_of(load_backbone("motion"), ClipLayout(fps=FPS, num_frames=4, stride=3), [])
    assert "holds features with stride 2, not 3" in Decode(other)(row)["error"]
    row["source"] = str(videos / "clip1.mp4")
    assert "holds features of another video" in Decode(making)(row)["error"]


def test_an_address_is_fetched_and_its_features_are_the_same(
    making: Making, videos: Path, extracted: Path, tmp_path: Path
) -> None:
    pytest.importorskip("fsspec")
    _, encoded = through(making, new_row("clip0", f"file://{videos}/clip0.mp4", tmp_path / "clip0.npy"))
    assert encoded["state"] == READY
    assert content(tmp_path) == {name: kept for name, kept in content(extracted).items() if "clip0" in name}


def test_features_of_an_address_are_known_for_those_of_another_of_its_name(
    making: Making, videos: Path, extracted: Path
) -> None:
    pytest.importorskip("fsspec")
    decoded = Decode(making)(new_row("clip0", f"file://{videos}/clip0.mp4", extracted / "clip0.npy"))
    assert (decoded["state"], decoded["kept"]) == (READY, True)
    decoded = Decode(making)(new_row("clip0", f"file://{videos}/clip1.mp4", extracted / "clip0.npy"))
    assert decoded["state"] == FAILED
    assert f"holds features of another video than file://{videos}/clip1.mp4" in decoded["error"]


def test_a_broken_video_is_tried_again_and_says_why(making: Making, tmp_path: Path) -> None:
    (tmp_path / "bad.mp4").write_bytes(b"no video at all")
    decoded, encoded = through(making, new_row("bad", str(tmp_path / "bad.mp4"), tmp_path / "bad.npy"))
    assert (encoded["state"], encoded["attempts"]) == (FAILED, 2)
    assert encoded["error"]
    assert str(tmp_path) not in encoded["error"]
    assert not (tmp_path / "bad.npy").exists()
    assert encoded == decoded


def test_an_output_that_cannot_be_written_is_no_fault_of_the_video(
    making: Making, videos: Path, tmp_path: Path
) -> None:
    (tmp_path / "a").write_text("a file where the folder should be")
    _, encoded = through(making, new_row("a/clip0", str(videos / "clip0.mp4"), tmp_path / "a" / "clip0.npy"))
    assert encoded["state"] == STOPPED
    assert f"{tmp_path}/a/clip0.npy: cannot" in encoded["error"]


class OfDying(Backbone):
    """A backbone of recordings that do harm."""

    name, dim, fps, num_frames, stride = "dying", 2, None, 2, 1
    preprocessing, medium = AsItIs(), Dying()

    def encode(self, clips: Tensor) -> Tensor:
        return clips.sum(dim=1)


@pytest.mark.parametrize(
    ("word", "state", "attempts"),
    [("once", DECODED, 2), ("kill", FAILED, 2), ("broken", FAILED, 2), ("rows 3", DECODED, 1)],
)
def test_a_video_that_kills_its_reader_is_set_aside_after_some_attempts(
    tmp_path: Path, word: str, state: str, attempts: int
) -> None:
    (tmp_path / "a.dying").write_text(word)
    making = Making(Described(OfDying()), ClipLayout(fps=None, num_frames=2, stride=1))
    row = Decode(making)(new_row("a", str(tmp_path / "a.dying"), tmp_path / "a.npy"))
    assert (row["state"], row["attempts"]) == (state, attempts)


def test_detections_are_those_of_the_detector_and_what_it_warns_of_stands_in_the_row(
    trained: Path, features: Path
) -> None:
    detector = load(trained, settings={"suppression": {"max_detections": 1}})
    detector.shown_from = 0.01
    row = new_row("video0", "video0.mp4", features / "video0.npy", GIVEN)
    found = Detect(lambda: detector, UNKNOWN, attempts=1)(row)
    with pytest.warns(UserWarning, match="kept 1 of"):
        expected = detector.detect(features / "video0.npy", name="video0.mp4")
    assert pickle.loads(found["found"]).to_dict() == expected.to_dict()
    assert "kept 1 of" in found["warning"]


def test_weights_of_another_machine_are_refused(making: Making) -> None:
    stranger: Any = Described(load_backbone("motion"))
    stranger.weights_hash = "abc"
    with pytest.raises(InputError, match="SHA-256 None on this machine, abc where the job was started"):
        Encode(Making(stranger, LAYOUT))


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"attempts": 0}, "attempts must be at least 1"),
        ({"batch_size": 0}, "batch_size must be at least 1"),
        ({"gpus": 1.5}, "a share of a GPU such as 0.25, or whole ones, found 1.5"),
        ({"dtype": "int8"}, "dtype must be one of"),
    ],
)
def test_numbers_that_cannot_be(more: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        making_of(load_backbone("motion"), LAYOUT, [], **more)


def test_a_making_pickles(making: Making) -> None:
    again = pickle.loads(pickle.dumps(making))
    assert json.dumps(vars(again.layout)) == json.dumps(vars(making.layout))
    assert again.backbone.name == "motion"
