"""THUMOS14: sports in untrimmed videos, 20 classes; 200 videos of `validation` to train on, 212 of `test`.

Papers give mAP at tIoU 0.3 to 0.7 and its mean. Annotations: for research. Where to get it, in one of two layouts:

thumos14.json      as the code of ActionFormer links to (https://github.com/happyharrycn/actionformer_release), with
                   `i3d_features`, a file a video: 2,048 channels, 16 frames every 4
*_val.txt, *_test.txt   the annotations of the challenge, a file a class (https://www.crcv.ucf.edu/THUMOS14/). They say
                   neither lengths nor rates: train with `--data.fps 30`. `Ambiguous_*.txt` are of no class

In both layouts `video_test_0000270` and others are in dispute; what the files have is taken.
"""

from __future__ import annotations

from pathlib import Path

from actionformer.datasets.base import Counts, Dataset, missing
from actionformer.datasets.labelled import find_files, labelled_dataset, labels_of
from actionformer.formats.thumos import AMBIGUOUS

JSON = "thumos14.json"
PUBLISHED = Counts(20, {"validation": 200, "test": 212}, {"validation": 3007, "test": 3358})
"""Of the JSON file, in which an action of CliffDiving is one of Diving too."""


def read(source: Path) -> Dataset:
    """The annotations in their folder.

    Raises:
        InputError: neither layout is there.
    """
    if found := find_files(source, JSON):
        file = labels_of(found[0], "json")
        return labelled_dataset(file.videos, file.class_names, published=PUBLISHED)
    found = [path for part in ("val", "test") for path in find_files(source, f"*_{part}.txt")]
    texts = [path for path in found if not path.name.startswith(AMBIGUOUS)]
    if not texts:
        raise missing(source / JSON, "here and in the folders below; so are *_val.txt and *_test.txt")
    videos = [video for path in texts for video in labels_of(path, "thumos").videos]
    return labelled_dataset(videos, published=Counts(PUBLISHED.classes, {"validation": 200}))
