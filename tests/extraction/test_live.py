"""Features of live sources are those of files, and a picture that stands still costs nothing."""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from moving import played, write_moving
from numbered import FrameOf
from numpy.typing import NDArray

from actionformer.backbones import Backbone, Frame
from actionformer.backbones.motion import Motion
from actionformer.extraction.encode import encode_videos
from actionformer.extraction.events import FeaturesReady
from actionformer.extraction.live import LiveFeatures, prepared
from actionformer.video.clips import ClipLayout
from actionformer.video.live import LiveFrames, Sample
from actionformer.video.sources import source_of

Write = Callable[..., Path]
LAYOUT = ClipLayout(fps=10, num_frames=4, stride=2)


@pytest.fixture(scope="module")
def stream(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_moving(tmp_path_factory.mktemp("stream") / "moving.ts", 0, seconds=12.0)


class Doubled:
    """Says what it saw: each frame with the following one, the last one of a stretch with itself."""

    def __call__(self, frames: Iterable[Frame]) -> Iterator[Frame]:
        last = None
        for frame in frames:
            if last is not None:
                yield np.stack([last, frame])
            last = frame
        if last is not None:
            yield np.stack([last, last])


class Numbered:
    """A decoded frame that is its own number."""

    def __init__(self, number: int) -> None:
        self.number = number

    def image(self) -> NDArray[np.uint8]:
        return np.array(self.number, np.uint8)


def test_a_still_picture_stands_for_what_is_missing() -> None:
    samples = [Sample(i, Numbered(i)) for i in (0, 1, 2, 5, 6, 9)]  # type: ignore[arg-type]
    pairs = [tuple(pair.tolist()) for pair in prepared(samples, Doubled())]
    assert pairs == [(0, 1), (1, 2), (2, 2), (2, 2), (2, 2), (5, 6), (6, 6), (6, 6), (6, 6), (9, 9)]


class Counting(Backbone):
    """The mean of every clip; remembers how many it was given."""

    name, dim, fps, num_frames, stride = "counting", 1, 10.0, 4, 2

    def __init__(self) -> None:
        self.preprocessing = Doubled()
        self.given = 0

    def encode(self, clips: torch.Tensor) -> torch.Tensor:
        self.given += len(clips)
        return clips.float().flatten(1).mean(1, keepdim=True)


def test_clips_of_a_still_picture_cost_nothing(tmp_path: Path, write_video: Write, frame_of: FrameOf) -> None:
    numbers = [0, 1, 2, 3] + 30 * [4] + [5, 6, 7, 8]
    path = write_video(tmp_path / "still.mkv", [frame_of(i) for i in numbers], fps=10, codec="ffv1", pixels="bgr0")
    reader, backbone = LiveFrames(source_of(str(path)), patience=0.1), Counting()
    rows = np.concatenate(list(LiveFeatures(reader, backbone, LAYOUT)))
    whole = Counting()
    events = encode_videos([path], whole, LAYOUT, workers=0)
    expected = np.concatenate([event.rows for event in events if isinstance(event, FeaturesReady)])
    assert np.array_equal(rows, expected)
    assert whole.given == len(rows) == 18
    assert backbone.given < 9


def test_features_of_a_pipe_are_those_of_the_file(tmp_path: Path, stream: Path) -> None:
    with played(stream.read_bytes(), tmp_path / "pipe", seconds=0.5) as pipe:
        features = LiveFeatures(LiveFrames(source_of(str(pipe)), fps=LAYOUT.fps), Motion(), LAYOUT)
        pieces = list(features)
    events = encode_videos([stream], Motion(), LAYOUT, workers=0)
    expected = np.concatenate([event.rows for event in events if isinstance(event, FeaturesReady)])
    assert len(pieces) > 5
    assert np.array_equal(np.concatenate(pieces), expected)
