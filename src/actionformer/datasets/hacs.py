"""HACS Segments: human actions in videos of YouTube, 200 classes, those of ActivityNet; training and validation.

Papers give mAP at tIoU 0.5 to 0.95 and the mean. Annotations and videos: https://github.com/hangzhaomit/HACS-dataset,
for research. Read is `HACS_segments_v1.1.1.json` or another version; the labels of testing are not published. Features
(SlowFast, 2,304 channels, 32 frames every 8 at 15 a second) are those of TCANet,
https://github.com/qingzhiwu/Temporal-Context-Aggregation-Network-Pytorch.
"""

from __future__ import annotations

from pathlib import Path

from actionformer.datasets.base import Counts, Dataset
from actionformer.datasets.labelled import find_file, labelled_dataset, labels_of
from actionformer.datasets.youtube import youtube_id

JSON = "HACS_segments*.json"
PUBLISHED = Counts(classes=200)


def read(source: Path) -> Dataset:
    """The annotations in their folder.

    Raises:
        InputError: they are missing, or laid out in another way.
    """
    path = find_file(source, JSON, expected="the annotations of HACS Segments")
    return labelled_dataset(labels_of(path, "json").videos, id_of=youtube_id, published=PUBLISHED)
