"""FineAction: fine-grained actions, 106 classes; training and validation, the labels of testing are not published.

Papers give mAP at tIoU 0.5 to 0.95 and the mean. Annotations and features: https://github.com/Richard-61/FineAction,
for research. Read is `annotations_gt.json`.
"""

from __future__ import annotations

from pathlib import Path

from actionformer.datasets.base import Counts, Dataset
from actionformer.datasets.labelled import find_file, labelled_dataset, labels_of

JSON = "annotations_gt.json"
PUBLISHED = Counts(classes=106)


def read(source: Path) -> Dataset:
    """The annotations in their folder.

    Raises:
        InputError: they are missing, or laid out in another way.
    """
    path = find_file(source, JSON, expected="the annotations of FineAction")
    return labelled_dataset(labels_of(path, "json").videos, published=PUBLISHED)
