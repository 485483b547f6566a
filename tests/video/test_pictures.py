import pickle
from pathlib import Path

import numpy as np
import pytest
from moving import write_moving

from actionformer.video import read_frames
from actionformer.video.pictures import PICTURES
from actionformer.video.reader import VideoReader
from actionformer.video.summary import summary_of


@pytest.mark.parametrize("fps", [None, 4.0])
def test_pictures_are_the_frames_of_a_video(tmp_path: Path, fps: float | None) -> None:
    path = write_moving(tmp_path / "film.mp4", 0)  # at 10 frames a second
    with PICTURES.open(path, fps) as recording:
        assert recording.fps == (fps or 10.0)
        rows = list(recording.rows())
        summary = recording.summary(len(rows))
    assert np.array_equal(np.stack(rows), read_frames(path, fps=fps))
    with VideoReader(path) as video:
        list(video.frames())
        assert summary == summary_of(video, len(rows), fps)


def test_a_medium_travels_to_other_processes() -> None:
    assert pickle.loads(pickle.dumps(PICTURES)).endings == PICTURES.endings
