"""From recordings, such as videos, to features: processes decode while the backbone runs, in constant memory."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from actionformer.backbones import Backbone
from actionformer.core.errors import InputError
from actionformer.extraction.decoding import Decoded, FrameBatch, decoded
from actionformer.extraction.events import Begun, Event, Failed, FeaturesReady, Finished
from actionformer.medium import Row
from actionformer.video.clips import ClipCutter, ClipLayout, LastClip, whole_frames

BATCH_CLIPS = 8


def layout_for(
    backbone: Backbone,
    *,
    fps: float | None = None,
    stride: float | None = None,
    num_frames: float | None = None,
    last_clip: LastClip | None = None,
) -> ClipLayout:
    """Where the clips of a backbone lie; what is None is as the backbone has it.

    Raises:
        InputError: numbers that cannot be meant, or frames a clip that the backbone cannot take.
    """
    return ClipLayout(
        fps=backbone.fps if fps is None else fps,
        stride=backbone.stride if stride is None else whole_frames("stride", stride),
        num_frames=backbone.num_frames if num_frames is None else whole_frames("num_frames", num_frames),
        last_clip=last_clip or "pad",
    )


def encode_videos(
    videos: Sequence[Path],
    backbone: Backbone,
    layout: ClipLayout,
    *,
    batch_size: int | None = None,
    workers: int | None = None,
) -> Generator[Event]:
    """The features of videos, as they come: for each `Begun`, some `FeaturesReady`, then `Finished` or `Failed`.

    Events of several videos mix, those of one are in order. A file that cannot be opened has `Failed` alone.

    Args:
        videos: files, each once.
        backbone: what looks at the clips.
        layout: where the clips lie.
        batch_size: clips encoded together, of one video or several; by default 8.
        workers: processes that decode, at most one a video; 0 decodes in this one. By default half the cores.
    """
    size, processes = _whole("batch_size", batch_size, 1), _processes(workers, len(videos))
    try:
        frames = decoded(videos, backbone.medium, backbone.preprocessing, layout, processes)
        yield from encode_frames(frames, backbone, layout, batch_size=size)
    except (OSError, RuntimeError) as error:
        if (reason := _of_processes(error)) is None:
            raise
        raise InputError(reason) from error


def _of_processes(error: Exception) -> str | None:
    """What is said of an error that decoding processes made; None of any other."""
    if str(error).startswith("DataLoader worker"):  # torch raises it wherever the death of a process finds this one
        return "a decoding process was killed, perhaps because memory ran out: use fewer --workers"
    if "Too many open files" in str(error):
        return "too many open files: use fewer --workers, or allow more with `ulimit -n 4096`"
    return None


def encode_frames(
    frames: Iterable[Decoded], backbone: Backbone, layout: ClipLayout, *, batch_size: int | None = None
) -> Iterator[Event]:
    """The features of videos whose frames somebody decodes: events as of `encode_videos`.

    Args:
        frames: what `decoded` tells of them.
        backbone, layout, batch_size: as of `encode_videos`.
    """
    size = batch_size or BATCH_CLIPS
    cutters: dict[Path, ClipCutter] = {}
    queue: deque[_Clip | Finished | Failed] = deque()  # an end of a video follows its last clip
    clips = 0
    for item in frames:
        if isinstance(item, Begun):
            cutters[item.video] = ClipCutter(layout)
            yield item
            continue
        cut: list[Row] = []
        if isinstance(item, FrameBatch):
            cut = list(cutters[item.video].add(item.frames.numpy()))
        elif isinstance(item, Finished):
            cut = list(cutters[item.video].finish())
        queue.extend(_Clip(item.video, clip) for clip in cut)
        clips += len(cut)
        if isinstance(item, Finished | Failed):
            cutters.pop(item.video, None)
            queue.append(item)
        while clips >= size:
            yield from _served(queue, size, backbone)
            clips -= size
    yield from _served(queue, clips, backbone)


def _served(queue: deque[_Clip | Finished | Failed], size: int, backbone: Backbone) -> Iterator[Event]:
    """Takes `size` clips from the queue, encodes them together, yields their rows and the ends among and after them."""
    taken: list[_Clip | Finished | Failed] = []
    while queue and (size > 0 or not isinstance(queue[0], _Clip)):
        taken.append(queue.popleft())
        size -= isinstance(taken[-1], _Clip)
    clips = [item.frames for item in taken if isinstance(item, _Clip)]
    rows = iter(backbone.encode(torch.from_numpy(np.stack(clips))).numpy()[:, None] if clips else ())
    for item in taken:
        yield FeaturesReady(item.video, next(rows)) if isinstance(item, _Clip) else item


@dataclass(frozen=True)
class _Clip:
    video: Path
    frames: Row
    """(T, ...), of pictures (T, h, w, c)"""


def _whole(name: str, value: int | None, least: int) -> int | None:
    if value is not None and (value != int(value) or value < least):
        raise InputError(f"{name} must be a whole number from {least} on, found {value}")
    return value


def _processes(workers: int | None, videos: int) -> int:
    _whole("workers", workers, 0)
    spare = max((os.cpu_count() or 1) // 2, 1)
    return min(spare if workers is None else workers, videos)
