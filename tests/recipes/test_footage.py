"""Which video files belong to annotated videos, and what their features will be like."""

from pathlib import Path

import numpy as np
import pytest
from moving import write_moving
from torch import Tensor

from actionformer.backbones import Backbone
from actionformer.core.annotations import AnnotatedVideo, Annotations
from actionformer.core.errors import InputError
from actionformer.data.settings import DataSettings
from actionformer.labels.recordings import Recording
from actionformer.medium import Medium
from actionformer.recipes.footage import Footage


class Some(Backbone):
    name, dim, fps, num_frames, stride = "some", 5, None, 16, 4

    def encode(self, clips: Tensor) -> Tensor:
        raise AssertionError("nothing is encoded here")


BACKBONE = Some()


def annotated(*ids: str, segments: tuple[tuple[float, float], ...] = ((1.0, 2.2),)) -> Annotations:
    own = np.array(segments, dtype=float).reshape(-1, 2), np.zeros(len(segments), np.int64)
    return Annotations({id_: AnnotatedVideo(id_, "training", None, None, *own) for id_ in ids}, ("jump",))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A video of 6 s at 10 frames a second, and a file that is none."""
    folder = tmp_path_factory.mktemp("footage")
    write_moving(folder / "v_one.mp4", 0)
    (folder / "broken.mp4").write_bytes(b"no video")
    return folder


def test_only_annotated_videos_count_and_a_prefix_is_not_of_the_id(folder: Path) -> None:
    footage = Footage.of(annotated("one"), folder, BACKBONE, prefix="v_")
    assert footage.files == {"one": folder / "v_one.mp4"}
    assert footage.names == {"one": "v_one"}


def test_videos_that_are_missing_are_named_before_anything_is_made(folder: Path) -> None:
    with pytest.raises(InputError, match=r"1 of 2 annotated videos has no file in .*: three; --skip-missing leaves"):
        Footage.of(annotated("v_one", "three"), folder, BACKBONE)
    assert Footage.of(annotated("v_one", "three"), folder, BACKBONE, skip_missing=True).files.keys() == {"v_one"}
    with pytest.raises(InputError, match=r"1 of 1 annotated videos has no file .*; the files there are of .*v_one"):
        Footage.of(annotated("three"), folder, BACKBONE, skip_missing=True)


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="nope: no such file or folder of videos"):
        Footage.of(annotated("one"), tmp_path / "nope", BACKBONE)


def test_an_option_that_finds_all_missing_videos_is_said(tmp_path: Path) -> None:
    (tmp_path / "cam1").mkdir()
    for name in ("v_a.mp4", "v_b.mp4"):
        (tmp_path / "cam1" / name).touch()
    with pytest.raises(InputError) as refused:
        Footage.of(annotated("a", "b"), tmp_path, BACKBONE)
    assert str(refused.value).endswith(f": a, b; give --videos {tmp_path / 'cam1'} --data.prefix v_")


def test_features_are_planned_at_the_rate_of_the_videos(folder: Path) -> None:
    videos = annotated("v_one", "broken")
    footage = Footage.of(videos, folder, BACKBONE)
    recordings = footage.recordings(videos, DataSettings())
    assert recordings.keys() == {"v_one"}, "one that cannot be read is left to extraction"
    chosen = footage.sampling(videos, recordings, DataSettings())
    assert (chosen.stride, chosen.num_frames) == (2, 4)  # 1.2 s are 12 frames
    (planned,) = footage.featured(videos, recordings, DataSettings(stride=2, num_frames=4))
    assert planned.features.shape == (29, 5)  # of 60 frames
    assert (planned.grid.fps, planned.grid.stride, planned.end) == (10.0, 2, 6.0)


def test_what_nothing_can_be_planned_of(folder: Path) -> None:
    footage = Footage.of(annotated("broken"), folder, BACKBONE)
    with pytest.raises(InputError, match=r"no video of the training subset can be read: .*broken\.mp4"):
        footage.recordings(annotated("broken"), DataSettings())
    footage = Footage.of(annotated("v_one"), folder, BACKBONE)
    nothing = annotated("v_one", segments=())
    with pytest.raises(InputError, match=r"stride must be a whole number of frames from 1 on, found 2\.5"):
        footage.sampling(annotated("v_one"), footage.recordings(nothing, DataSettings()), DataSettings(stride=2.5))
    with pytest.raises(InputError, match="no action in the training subset"):
        footage.sampling(nothing, footage.recordings(nothing, DataSettings()), DataSettings())


def test_a_file_is_asked_once_for_each_rate(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str, float | None]] = []

    def read(path: Path, id_: str, medium: Medium, fps: float | None) -> Recording:
        asked.append((id_, fps))
        return Recording(id_, fps or 25.0, 4.0)

    monkeypatch.setattr("actionformer.labels.recordings.read_recording", read)
    footage = Footage.of(annotated("v_one"), folder, BACKBONE)
    for fps in (None, None, 10.0, None, 10.0):
        assert footage.recordings(annotated("v_one"), DataSettings(fps=fps))["v_one"].duration == 4
    assert asked == [("v_one", None), ("v_one", 10.0)]
