"""Breakfast: 52 people make ten breakfasts, filmed by several cameras; 1,712 videos at 15 frames a second, four splits.

47 actions and silence. Papers give segmental F1@10, 25 and 50, the edit score and the accuracy of frames, averaged over
the splits, not mean average precision. Licence: CC BY 4.0 (videos). Where to get it: the data that the code of MS-TCN
links to, https://github.com/yabufarha/ms-tcn, folder `breakfast` (I3D features of 2,048 channels). The layout is that
of `framewise.py`.

The preset `salads` was made for features three times a second: of five frames the middle one is kept.
"""

from __future__ import annotations

from pathlib import Path

from actionformer.datasets.base import Counts, Dataset
from actionformer.datasets.framewise import read_framewise
from actionformer.features.spec import FeatureSpec

SPEC = FeatureSpec(fps=3, stride=1, num_frames=1)
BACKGROUND = ("SIL",)
PUBLISHED = Counts(classes=47)


def read(source: Path) -> Dataset:
    """The data set in its folder `breakfast`; see `read_framewise`."""
    return read_framewise(source, SPEC, every=5, background=BACKGROUND, published=PUBLISHED)
