"""Charades: people at home act out scripts, 157 classes that overlap; 7,985 videos for training, 1,863 for test.

Papers give the mAP of frames, some mAP at tIoU. For research, without commercial use. Annotations, videos and features:
https://prior.allenai.org/projects/charades; read are `Charades_v1_train.csv`, `Charades_v1_test.csv` and, for the names
of classes, `Charades_v1_classes.txt`.
"""

from __future__ import annotations

from pathlib import Path

from actionformer.datasets.base import TEST, TRAINING, Counts, Dataset
from actionformer.datasets.labelled import find_file, labelled_dataset, labels_of

FILES = ("Charades_v1_train.csv", "Charades_v1_test.csv")
PUBLISHED = Counts(157, {TRAINING: 7985, TEST: 1863})


def read(source: Path) -> Dataset:
    """The annotations in their folder.

    Raises:
        InputError: a file is missing, or laid out in another way.
    """
    paths = [find_file(source, name, expected="a video and its actions per row") for name in FILES]
    files = [labels_of(path, "charades") for path in paths]
    names = dict.fromkeys(name for file in files for name in file.class_names)
    return labelled_dataset([video for file in files for video in file.videos], [*names], published=PUBLISHED)
