"""MultiTHUMOS: the videos of THUMOS14 with 65 classes that overlap; 200 for training, 213 for testing.

Papers give mAP at tIoU 0.1 to 0.9, or the mAP of frames. Annotations: for research. Where to get it, in one of two
layouts; features are those of THUMOS14:

multithumos.json   https://github.com/piergiaj/super-events-cvpr18, folder `data`; classes are numbers from 1
annotations/*.txt  http://ai.stanford.edu/~syyeung/everymoment.html, a file a class

`class_list.txt` of the second names the numbers of the first, if it lies beside it.
"""

from __future__ import annotations

from pathlib import Path

from actionformer.datasets.base import Counts, Dataset
from actionformer.datasets.labelled import find_file, find_files, labelled_dataset, labels_of

JSON = "multithumos.json"
SUBSETS = {"validation": "training", "test": "testing"}
"""Of THUMOS14 -> what the papers on this one, and the presets, call them."""
PUBLISHED = Counts(65, {"training": 200, "testing": 213}, {"training": 18482, "testing": 20208})


def read(source: Path) -> Dataset:
    """The annotations in their folder.

    Raises:
        InputError: neither layout is there.
    """
    if found := find_files(source, JSON):
        file = labels_of(found[0], "class_actions")
        return labelled_dataset(file.videos, file.class_names, published=PUBLISHED)
    find_file(source, JSON, "annotations/*.txt", expected="classes and times of every video")
    videos = [video for path in find_files(source, "annotations/*.txt") for video in labels_of(path, "thumos").videos]
    return labelled_dataset(videos, subsets=SUBSETS, published=Counts(65, {"training": 200, "testing": 213}))
