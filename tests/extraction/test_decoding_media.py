"""Extraction of anything that is not pictures: a medium made up here."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from torch import Tensor

from actionformer import extract
from actionformer.backbones import Backbone
from actionformer.core.errors import InputError
from actionformer.extraction.decoding import FrameBatch, decoded
from actionformer.extraction.events import Begun, Failed, Finished
from actionformer.features import read_sidecar
from actionformer.medium import Medium, ReadSummary, Row
from actionformer.video.clips import ClipLayout


class Letters(Medium):
    """Text, a row per letter: its code and its case."""

    files = "texts"
    endings = frozenset((".txt",))

    @contextmanager
    def open(self, path: Path, fps: float | None) -> Iterator[Read]:
        text = path.read_text("ascii")
        if not text:
            raise InputError(f"{path}: is empty")
        yield Read(text, fps or 10.0)


@dataclass
class Read:
    text: str
    fps: float
    start, doubt = 0.5, None

    @property
    def declared(self) -> float | None:
        return self.start + len(self.text) / self.fps

    def rows(self) -> Iterator[Row]:
        for letter in self.text:
            yield np.array([ord(letter), letter.isupper()], np.float32)

    def summary(self, rows: int) -> ReadSummary:
        return ReadSummary(self.fps, 10.0, rows, self.start, self.start + rows / self.fps, warning="is short")


@dataclass(frozen=True)
class AsTheyAre:
    def __call__(self, frames: Iterable[Row]) -> Iterator[Row]:
        return iter(frames)

    def __str__(self) -> str:
        return "letters"


class Mean(Backbone):
    name, dim, fps, num_frames, stride = "mean_letter", 2, None, 4, 2
    preprocessing, medium = AsTheyAre(), Letters()

    def encode(self, clips: Tensor) -> Tensor:
        return clips.mean(1)


@pytest.mark.parametrize("workers", [0, 1])
def test_rows_of_any_medium_become_features(tmp_path: Path, workers: int) -> None:
    (tmp_path / "texts").mkdir()
    (tmp_path / "texts" / "one.txt").write_text("abCDef")
    (tmp_path / "texts" / "none.txt").write_text("")
    (tmp_path / "texts" / "film.mp4").write_text("of another medium")
    done = extract(tmp_path / "texts", Mean(), tmp_path / "out", workers=workers)
    assert {path.name: reason for path, reason in done.failed.items()} == {"none.txt": "is empty"}
    assert list(done.warnings.values()) == ["is short"]
    codes = [np.frombuffer(text, np.uint8).mean() for text in (b"abCD", b"CDef")]
    assert np.load(tmp_path / "out" / "one.npy").tolist() == [[codes[0], 0.5], [codes[1], 0.5]]
    spec = read_sidecar(tmp_path / "out" / "one.npy")
    assert (spec.fps, spec.start, spec.duration, spec.preprocessing) == (10.0, 0.5, 1.1, "letters")
    assert len(extract(tmp_path / "texts" / "one.txt", Mean(), tmp_path / "out").kept) == 1


def test_the_rate_asked_for_and_the_end_stated_say_how_many_clips(tmp_path: Path) -> None:
    path = tmp_path / "one.txt"
    path.write_text("x" * 100)
    layout = ClipLayout(fps=20.0, num_frames=4, stride=2)
    events = list(decoded([path, tmp_path / "absent.txt"], Letters(), AsTheyAre(), layout, workers=0))
    assert events[0] == Begun(path, 49)
    assert sum(len(event.frames) for event in events if isinstance(event, FrameBatch)) == 100
    assert isinstance(events[-2], Finished)
    assert events[-2].summary.fps == 20.0
    assert isinstance(events[-1], Failed)


def test_a_folder_without_files_of_the_medium_is_named_after_it(tmp_path: Path) -> None:
    (tmp_path / "film.mp4").touch()
    with pytest.raises(InputError, match=r"no texts here, expected files that end in \.txt"):
        extract(tmp_path, Mean(), tmp_path / "out")
