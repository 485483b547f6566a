"""GTEA: four people make seven dishes and drinks, filmed from their heads; 28 videos, 15 frames a second, 4 splits.

Ten verbs, such as take and pour. Papers give segmental F1@10, 25 and 50, the edit score and the accuracy of frames,
averaged over the splits, not mean average precision. Licence: for research. Where to get it: the data that the
code of MS-TCN links to, https://github.com/yabufarha/ms-tcn, folder `gtea` (I3D features of 2,048 channels); the videos
are at https://cbs.ic.gatech.edu/fpv/. The layout is that of `framewise.py`.

It has no preset of its own: `train salads --data.fps 15` fits.
"""

from __future__ import annotations

from pathlib import Path

from actionformer.datasets.base import TEST, TRAINING, Counts, Dataset
from actionformer.datasets.framewise import read_framewise
from actionformer.features.spec import FeatureSpec

SPEC = FeatureSpec(fps=15, stride=1, num_frames=1)
BACKGROUND = ("background",)
PUBLISHED = Counts(classes=10, videos={TRAINING: 21, TEST: 7})


def read(source: Path) -> Dataset:
    """The data set in its folder `gtea`; see `read_framewise`."""
    return read_framewise(source, SPEC, background=BACKGROUND, published=PUBLISHED)
