"""50 Salads, mid granularity: 25 people make two salads each, 17 actions; 50 videos at 30 frames a second, five splits.

Papers give segmental F1@10, 25 and 50, the edit score and the accuracy of frames, averaged over the splits, not mean
average precision. Licence: CC BY-NC-SA 4.0. Where to get it: the data that the code of MS-TCN links to,
https://github.com/yabufarha/ms-tcn, folder `50salads` (I3D features of 2,048 channels); the videos are at
https://cvip.computing.dundee.ac.uk/datasets/foodpreparation/50salads/. The layout is that of `framewise.py`.

The preset `salads` was made for features three times a second: of ten frames the middle one is kept.
"""

from __future__ import annotations

from pathlib import Path

from actionformer.datasets.base import TEST, TRAINING, Counts, Dataset
from actionformer.datasets.framewise import read_framewise
from actionformer.features.spec import FeatureSpec

SPEC = FeatureSpec(fps=3, stride=1, num_frames=1)
BACKGROUND = ("action_start", "action_end")
PUBLISHED = Counts(classes=17, videos={TRAINING: 40, TEST: 10})


def read(source: Path) -> Dataset:
    """The data set in its folder `50salads`; see `read_framewise`."""
    return read_framewise(source, SPEC, every=10, background=BACKGROUND, published=PUBLISHED)
