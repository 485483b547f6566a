"""Features of videos in a folder: written as they come, recognised when they are there, apart from other files."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from actionformer.backbones import Backbone
from actionformer.core.errors import DISTRIBUTION, InputError, warn
from actionformer.core.files import read_json
from actionformer.core.hashes import sampled_hash
from actionformer.extraction.encode import encode_videos
from actionformer.extraction.events import Begun, Event, Failed, FeaturesReady, Finished
from actionformer.features import FeatureSpec, FeatureWriter, open_features, sidecar_path, write_sidecar
from actionformer.medium import ReadSummary
from actionformer.video.clips import ClipLayout
from actionformer.video.reader import VideoReader

DTYPES = ("float32", "float16")
VERSION = version(DISTRIBUTION)
MEGABYTE = 1 << 20


def write_features(
    events: Iterable[Event],
    targets: Mapping[Path, Path],
    backbone: Backbone,
    layout: ClipLayout,
    dtype: str = "float32",
    *,
    hash_of: Callable[[Path], str] | None = None,
) -> Generator[Event]:
    """Writes the rows of every video to its feature file, with its sidecar before it, and passes the events on.

    Args:
        events: of `encode_videos`.
        targets: video -> its feature file.
        backbone, layout: how features are made.
        dtype: number format of the files.
        hash_of: gives what tells a video from others of its name; by default `video_hash`, which needs its file.
    """
    writers: dict[Path, FeatureWriter] = {}
    try:
        for event in events:
            if isinstance(event, Begun):
                try:
                    writers[event.video] = FeatureWriter(targets[event.video], dim=backbone.dim, dtype=dtype)
                except InputError as error:
                    event = Failed(event.video, str(error))
            elif event.video not in writers:
                if not isinstance(event, Failed):
                    continue  # of a video whose file could not be opened
            elif isinstance(event, FeaturesReady):
                writers[event.video].append(event.rows)
            elif isinstance(event, Finished):
                spec, hash_ = spec_of(backbone, layout, event.summary), (hash_of or video_hash)(event.video)
                _finish(writers.pop(event.video), event, spec, hash_)
            else:
                writers.pop(event.video).discard()
            yield event
    finally:
        for writer in writers.values():
            writer.discard()


def extract_video(
    video: Path,
    target: Path,
    backbone: Backbone,
    layout: ClipLayout,
    *,
    batch_size: int | None,
    workers: int,
) -> None:
    """Turns one video into a feature file with its sidecar; what is odd about the video is a warning.

    Raises:
        InputError: a video that cannot be read.
    """
    backbone = backbone.fitted([video], layout.num_frames)
    events = encode_videos([video], backbone, layout, batch_size=batch_size, workers=workers)
    for event in write_features(events, {video: target}, backbone, layout):
        if isinstance(event, Failed):
            raise InputError(f"{video}: {event.reason}")
        if isinstance(event, Finished) and event.summary.warning:
            warn(f"{video}: {event.summary.warning}", 3)


def _finish(writer: FeatureWriter, event: Finished, spec: FeatureSpec, hash_: str) -> None:
    """Puts the sidecar and then the features into their places: where there are features, there is a sidecar."""
    summary = event.summary
    made = {
        "frames": summary.frames,
        "skipped_packets": summary.skipped_packets,
        "native_fps": summary.native_fps,
        "video_hash": hash_,
        "version": VERSION,
    }
    writer.complete()
    write_sidecar(writer.path, spec, made)
    writer.finish()


def video_hash(path: Path) -> str:
    """SHA-256 of a file's size, its first and its last megabyte: enough to tell videos of one name apart."""
    return sampled_hash(path, 2, MEGABYTE)


def spec_of(backbone: Backbone, layout: ClipLayout, summary: ReadSummary) -> FeatureSpec:
    """What the sidecar of a video says."""
    return FeatureSpec(
        fps=summary.fps,
        stride=layout.stride,
        num_frames=layout.num_frames,
        backbone=backbone.name,
        weights_hash=backbone.weights_hash,
        start=summary.start,
        duration=summary.duration,
        dim=backbone.dim,
        preprocessing=str(backbone.preprocessing),
        last_clip=layout.last_clip,
    )


def is_done(
    path: Path,
    video: Path | str,
    backbone: Backbone,
    layout: ClipLayout,
    dtype: str = "float32",
    *,
    replaceable: bool = False,
    hash_of: Callable[[], str] | None = None,
) -> bool:
    """Whether a file holds the features that would be made of a video.

    Args:
        path: the feature file.
        video: what it would be made of: a file, or an address.
        backbone, layout, dtype: how.
        replaceable: whether it is to be made anew whatever it holds.
        hash_of: gives the `video_hash` of an address; that of a file is taken here, if the file is there.

    Raises:
        InputError: it holds others, or its sidecar would replace a file that is none.
    """
    sidecar = _sidecar_of_ours(path)
    if replaceable or not path.is_file():
        return False
    found = {"dim": open_features(path).shape[1], **sidecar, "dtype": np.load(path, mmap_mode="r").dtype.name}
    expected: dict[str, Any] = {
        "backbone": backbone.name,
        "weights_hash": backbone.weights_hash,
        "preprocessing": str(backbone.preprocessing),
        "fps": found.get("native_fps") if layout.fps is None else layout.fps,
        "stride": layout.stride,
        "num_frames": layout.num_frames,
        "last_clip": layout.last_clip,
        "dim": backbone.dim,
        "dtype": dtype,
    }
    for name, value in expected.items():
        if found.get(name) != value:
            raise InputError(f"{path}: holds features with {name} {found.get(name)}, not {value}")
    file = Path(video)
    hash_ = hash_of() if hash_of is not None else video_hash(file) if file.is_file() else None
    if hash_ not in (None, found.get("video_hash")):
        raise InputError(f"{path}: holds features of another video than {video}")
    if "start" not in found and file.is_file():
        _check_times(path, found, file, layout)
    return True


def _check_times(path: Path, found: Mapping[str, Any], video: Path, layout: ClipLayout) -> None:
    """Sidecars that say no start were written when time 0 was the first picture, and any stated rate was believed.

    Raises:
        InputError: this video's first picture comes later, or its rate is another one.
    """
    with VideoReader(video) as now:
        next(now.frames())
    fps = found.get("fps") or now.fps
    if round(now.start * fps):
        raise InputError(
            f"{path}: holds features whose time 0 is the first picture, which {video} shows at {now.start:.2f} s"
        )
    if layout.fps is None and fps != now.fps:
        raise InputError(f"{path}: holds features with fps {fps}, not {now.fps}")


def _sidecar_of_ours(path: Path) -> dict[str, Any]:
    """What the sidecar of a feature file says, nothing where there is none.

    Raises:
        InputError: a file of its name that extraction has not written, and would replace.
    """
    sidecar = sidecar_path(path)
    content = read_json(sidecar) if sidecar.is_file() else {}
    if not isinstance(content, dict) or (content and not {"backbone", "version"} <= content.keys()):
        raise InputError(f"{sidecar}: is not a sidecar of extracted features, and is not replaced")
    return content
