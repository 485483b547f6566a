"""The features of a live source, as its frames come."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import groupby, repeat

import numpy as np
import torch
from numpy.typing import NDArray

from actionformer.backbones import Backbone, Preprocessing
from actionformer.backbones.base import at_rate
from actionformer.extraction.encode import BATCH_CLIPS
from actionformer.medium import Row
from actionformer.video.clips import ClipCutter, ClipLayout
from actionformer.video.live import LiveFrames, Sample
from actionformer.video.reader import Image
from actionformer.video.sampling import images


def prepared(samples: Iterable[Sample], preprocessing: Preprocessing) -> Iterator[Row]:
    """Prepared frames (h, w, c), one for every number: where numbers are missing the last picture stands still."""
    last: list[Image] = []

    def looked_at(stretch: Iterable[Image]) -> Iterator[Image]:
        for image in stretch:
            last[:] = [image]
            yield image

    filled = 0
    for missing, stretch in groupby(enumerate(samples), lambda counted: counted[1].index - counted[0]):
        if missing > filled:
            yield from repeat(next(iter(preprocessing(2 * last))), missing - filled)
            filled = missing
        yield from preprocessing(looked_at(images(sample.frame for _, sample in stretch)))


class LiveFeatures:
    """The features of a live source, as they come."""

    def __init__(self, reader: LiveFrames, backbone: Backbone, layout: ClipLayout) -> None:
        self.reader, self._backbone, self._layout = reader, backbone, layout

    def __iter__(self) -> Iterator[NDArray[np.float32]]:
        """Features (n, D), each time those that could be had at once, at most `BATCH_CLIPS`."""
        cutter, encoder = ClipCutter(self._layout), _Encoder(self._backbone)
        batch: list[Row] = []
        preprocessing = at_rate(self._backbone.preprocessing, self.reader.fps)
        for clip in cutter.add(prepared(self.reader, preprocessing)):
            batch.append(clip)
            if len(batch) == BATCH_CLIPS or not self.reader.waiting:
                yield encoder(batch)
                batch = []
        batch.extend(cutter.finish())
        if batch:
            yield encoder(batch)

    @property
    def began(self) -> datetime | None:
        """As of `LiveFrames`, and so are the next two."""
        return self.reader.began

    @property
    def duration(self) -> float:
        """Seconds."""
        return self.reader.duration

    @property
    def broken(self) -> str | None:
        """Why the source broke off."""
        return self.reader.broken

    def stop(self) -> None:
        """Ends the source."""
        self.reader.stop()


class _Encoder:
    """Clips -> features; a clip like the one before, of a picture that stands still, costs nothing."""

    def __init__(self, backbone: Backbone) -> None:
        self._backbone = backbone
        self._clip: Row | None = None
        self._row = np.empty((0, backbone.dim), np.float32)

    def __call__(self, clips: list[Row]) -> NDArray[np.float32]:
        new, which = [], []
        for clip in clips:
            if self._clip is None or not np.array_equal(clip, self._clip):
                new.append(clip)
                self._clip = clip
            which.append(len(self._row) + len(new) - 1)
        rows = self._row
        if new:
            rows = np.concatenate([rows, self._backbone.encode(torch.from_numpy(np.stack(new))).numpy()])
        self._row = rows[-1:]
        return rows[which]
