"""From video files to rows of features: processes decode while the backbone runs, in constant memory."""

from __future__ import annotations

import os
import signal
import sys
import warnings
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import DataLoader, IterableDataset, get_worker_info

from actionformer.backbones import Backbone, Frame, Preprocessing
from actionformer.core.errors import InputError
from actionformer.video.clips import ClipCutter, ClipLayout, LastClip, whole_frames
from actionformer.video.reader import Video
from actionformer.video.sampling import images, sampled

BATCH_CLIPS = 8
PIECE_FRAMES, PIECE_BYTES = 64, 8 << 20  # most prepared frames that travel together from a decoding process


@dataclass(frozen=True)
class Course:
    """How the reading of one video went."""

    fps: float
    """Frames a second that its features lie on."""
    native_fps: float
    """Frames a second of its own."""
    frames: int
    """Frames sampled."""
    start: float
    """Seconds of the first picture."""
    duration: float
    """Seconds at which what could be read ends."""
    skipped_packets: int
    """Damaged packets left out."""
    warning: str | None = None
    """What the user should know of it."""


@dataclass(frozen=True)
class Begun:
    """The first event of a video: what it promises."""

    video: Path
    clips: int | None
    """Clips to come, as far as the file says."""


@dataclass(frozen=True)
class Rows:
    """Features of a video that follow those before."""

    video: Path
    rows: NDArray[np.float32]
    """(n, dim)"""


@dataclass(frozen=True)
class Finished:
    """The last event of a video that was read."""

    video: Path
    course: Course


@dataclass(frozen=True)
class Failed:
    """The last event of a video that could not be read."""

    video: Path
    reason: str


Event: TypeAlias = Begun | Rows | Finished | Failed


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
) -> Iterator[Event]:
    """The features of videos, as they come: for each `Begun`, some `Rows`, then `Finished` or `Failed`.

    Events of several videos mix, those of one are in order. A file that cannot be opened has `Failed` alone.

    Args:
        videos: files, each once.
        backbone: what looks at the clips.
        layout: where the clips lie.
        batch_size: clips encoded together, of one video or several; by default 8.
        workers: processes that decode, at most one a video; 0 decodes in this one. By default half the cores.
    """
    try:
        yield from _encoded(videos, backbone, layout, _whole("batch_size", batch_size, 1) or BATCH_CLIPS, workers)
    except RuntimeError as error:  # torch raises it wherever the death of a process finds this one
        if not str(error).startswith("DataLoader worker"):
            raise
        raise InputError("a decoding process was killed, perhaps as memory ran out: take fewer --workers") from error


def _encoded(
    videos: Sequence[Path], backbone: Backbone, layout: ClipLayout, size: int, workers: int | None
) -> Iterator[Event]:
    cutters: dict[Path, ClipCutter] = {}
    queue: deque[_Clip | Finished | Failed] = deque()  # an end of a video follows its last clip
    clips = 0
    for item in _decoded(videos, backbone.preprocessing, layout, _processes(workers, len(videos))):
        if isinstance(item, Begun):
            cutters[item.video] = ClipCutter(layout)
            yield item
            continue
        cut: list[NDArray[np.uint8]] = []
        if isinstance(item, _Piece):
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
        yield Rows(item.video, next(rows)) if isinstance(item, _Clip) else item


@dataclass(frozen=True)
class _Clip:
    video: Path
    frames: NDArray[np.uint8]
    """(T, h, w, c)"""


@dataclass(frozen=True)
class _Piece:
    """Prepared frames of a video that follow those before; a tensor travels between processes in shared memory."""

    video: Path
    frames: Tensor
    """(n, h, w, c) uint8"""


Item: TypeAlias = Begun | _Piece | Finished | Failed


def _whole(name: str, value: int | None, least: int) -> int | None:
    if value is not None and (value != int(value) or value < least):
        raise InputError(f"{name} must be a whole number from {least} on, found {value}")
    return value


def _processes(workers: int | None, videos: int) -> int:
    _whole("workers", workers, 0)
    spare = max((os.cpu_count() or 1) // 2, 1)
    return min(spare if workers is None else workers, videos)


def _decoded(videos: Sequence[Path], preprocessing: Preprocessing, layout: ClipLayout, workers: int) -> Iterator[Item]:
    dataset = _Decoding(videos, preprocessing, layout)
    if workers == 0:
        yield from dataset
        return
    with warnings.catch_warnings():
        # More processes than cores: as asked.
        warnings.filterwarnings("ignore", "This DataLoader will create", UserWarning)
        loader = DataLoader(
            dataset,
            batch_size=None,
            num_workers=workers,
            collate_fn=_as_it_is,  # type: ignore[arg-type]
            worker_init_fn=_begin_worker,
            in_order=False,  # pieces say whose they are
        )
        items = iter(loader)
    yield from items


def _as_it_is(item: Item) -> Item:
    return item


def _begin_worker(_: int) -> None:
    """A decoding process is one thread of arithmetic, and leaves Ctrl-C to its parent."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.environ["OPENCV_FOR_THREADS_NUM"] = "1"
    if "cv2" in sys.modules:
        sys.modules["cv2"].setNumThreads(0)  # the threads of the parent's pool did not come along


class _Decoding(IterableDataset[Item]):
    """The prepared frames of videos; with several processes each reads its share of the videos."""

    def __init__(self, videos: Sequence[Path], preprocessing: Preprocessing, layout: ClipLayout) -> None:
        self.videos, self.preprocessing, self.layout = videos, preprocessing, layout

    def __iter__(self) -> Iterator[Item]:
        process = get_worker_info()
        first, step = (process.id, process.num_workers) if process else (0, 1)
        for path in self.videos[first::step]:
            yield from _read(path, self.preprocessing, self.layout)


def _read(path: Path, preprocessing: Preprocessing, layout: ClipLayout) -> Iterator[Item]:
    try:
        with Video(path) as video:
            fps = layout.fps or video.fps
            yield Begun(path, _clips(video, layout, fps))
            frames = 0
            for piece in _pieces(preprocessing(images(sampled(video.frames(), fps)))):
                frames += len(piece)
                yield _Piece(path, torch.from_numpy(piece))
            yield Finished(
                path,
                Course(fps, video.fps, frames, video.start, video.end, video.skipped, warning_of(video, layout.fps)),
            )
    except InputError as error:
        yield Failed(path, str(error).removeprefix(f"{path}: "))
    except Exception as error:  # every codec and library has its own ways of failing on a broken file
        yield Failed(path, f"cannot be read ({type(error).__name__}: {error})")


def _clips(video: Video, layout: ClipLayout, fps: float) -> int | None:
    """How many clips there will be, as far as the file says."""
    return None if video.declared is None else layout.count(round((video.declared - video.start) * fps))


def _pieces(frames: Iterator[Frame]) -> Iterator[NDArray[np.uint8]]:
    """Frames (h, w, c) stacked to pieces (n, h, w, c) of at most `PIECE_FRAMES`, fewer where they are large."""
    for first in frames:
        yield np.stack([first, *islice(frames, min(PIECE_FRAMES - 1, PIECE_BYTES // first.nbytes))])


def warning_of(video: Video, fps: float | None) -> str | None:
    """What the user of a video that was read to its end should know.

    Args:
        video: the video.
        fps: frames a second that were asked for; None where the video's own rate was taken.
    """
    doubt = f"{video.rate.doubt}: --fps samples at another rate" if video.rate.doubt and fps is None else None
    return "; ".join(filter(None, (doubt, _untimed(video), _loss(video)))) or None


def _untimed(video: Video) -> str | None:
    several = video.end > 1.5 / video.fps
    return (
        None
        if video.stated.timed or not several
        else (
            f"holds no times, its pictures are taken to come {video.fps:g} a second: "
            "if that is wrong, ffmpeg -framerate RATE -i IN -c copy OUT.mkv gives it times"
        )
    )


def _loss(video: Video) -> str | None:
    if video.jumps:
        return f"jumps of its clock, as in joined recordings: {video.jumps}; times go on from the frame before"
    if video.cut_short:
        return f"is cut short: {video.end:.2f} s can be read and are kept, the file says {video.declared:.2f} s"
    return f"damaged packets skipped: {video.skipped}" if video.skipped else None
