"""From recordings, such as videos, to prepared frames, in processes of their own.

A decoding process is a worker of torch's `DataLoader`, which brings shared memory, a bounded queue and a clean end.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import threading
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TypeAlias

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, IterableDataset, get_worker_info

from actionformer.backbones import Preprocessing
from actionformer.backbones.base import at_rate
from actionformer.core.errors import InputError, kind_and_reason
from actionformer.extraction.events import Begun, Failed, Finished
from actionformer.medium import Medium, Recording, Row
from actionformer.video.clips import ClipLayout

BATCH_FRAMES, LEAST_BYTES, BATCH_BYTES = 64, 32 << 10, 8 << 20
"""Prepared frames that travel together from a decoding process: so many, more if they are small, fewer if large."""


@dataclass(frozen=True)
class FrameBatch:
    """Prepared frames of a video that follow those before; a tensor travels between processes in shared memory."""

    video: Path
    frames: Tensor
    """(n, ...), of pictures (n, h, w, c) uint8"""


Decoded: TypeAlias = Begun | FrameBatch | Finished | Failed


def decoded(
    videos: Sequence[Path], medium: Medium, preprocessing: Preprocessing, layout: ClipLayout, workers: int
) -> Iterator[Decoded]:
    """The prepared frames of videos: `Begun`, batches of frames, then `Finished` or `Failed`; or `Failed` alone.

    Events of several videos mix, those of one are in order.

    Args:
        videos: files, each once.
        medium: what they are files of.
        preprocessing: frames -> what the backbone looks at.
        layout: where clips lie.
        workers: processes; 0 decodes in this one.
    """
    dataset = _Decoding(videos, medium, preprocessing, layout)
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
            worker_init_fn=begin_worker,
            in_order=False,  # batches say whose they are
        )
        items = iter(loader)
    yield from items


def _as_it_is(item: Decoded) -> Decoded:
    return item


def begin_worker(_: int) -> None:
    """A decoding process is one thread of arithmetic, leaves Ctrl-C to its parent, and ends with it."""
    threading.Thread(target=_end_with_parent, daemon=True).start()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.environ["OPENCV_FOR_THREADS_NUM"] = "1"
    if "cv2" in sys.modules:
        sys.modules["cv2"].setNumThreads(0)  # the threads of the parent's pool did not come along


def _end_with_parent() -> None:
    """A process whose parent was killed reads no further, and holds none of the locks that were handed down to it.

    `DataLoader` looks for its parent between two batches alone, and not for one that was killed before it first looked.
    """
    if (parent := multiprocessing.parent_process()) is not None:
        parent.join()
        os._exit(1)


class _Decoding(IterableDataset[Decoded]):
    """The prepared frames of videos; with several processes each reads its share of the videos."""

    def __init__(
        self, videos: Sequence[Path], medium: Medium, preprocessing: Preprocessing, layout: ClipLayout
    ) -> None:
        self.videos, self.medium, self.preprocessing, self.layout = videos, medium, preprocessing, layout

    def __iter__(self) -> Iterator[Decoded]:
        process = get_worker_info()
        first, step = (process.id, process.num_workers) if process else (0, 1)
        for path in self.videos[first::step]:
            yield from _read(path, self.medium, self.preprocessing, self.layout)


def _read(path: Path, medium: Medium, preprocessing: Preprocessing, layout: ClipLayout) -> Iterator[Decoded]:
    try:
        with medium.open(path, layout.fps) as recording:
            yield Begun(path, _clips(recording, layout))
            frames = 0
            for batch in _batches(at_rate(preprocessing, recording.fps)(recording.rows())):
                frames += len(batch)
                yield FrameBatch(path, torch.from_numpy(batch))
            yield Finished(path, recording.summary(frames))
    except InputError as error:
        yield Failed(path, str(error).removeprefix(f"{path}: "))
    except Exception as error:  # every codec and library has its own ways of failing on a broken file
        yield Failed(path, f"cannot be read ({kind_and_reason(error)})")


def _clips(recording: Recording, layout: ClipLayout) -> int | None:
    """How many clips there will be, as far as the file says."""
    end = recording.declared
    return None if end is None else layout.count(round((end - recording.start) * recording.fps))


def _batches(frames: Iterator[Row]) -> Iterator[Row]:
    """Frames stacked to batches (n, ...) of `BATCH_FRAMES`, or of the next number that fits the bounds in bytes."""
    for first in frames:
        more = min(max(BATCH_FRAMES - 1, LEAST_BYTES // first.nbytes), BATCH_BYTES // first.nbytes)
        yield np.stack([first, *islice(frames, more)])
