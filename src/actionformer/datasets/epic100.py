"""EPIC-Kitchens-100: long recordings from the head in kitchens; 97 verbs and 300 nouns, a model for each.

Papers give mAP at tIoU 0.1 to 0.5 and the mean. Licence: CC BY-NC 4.0. Annotations:
https://github.com/epic-kitchens/epic-kitchens-100-annotations; read are

EPIC_100_train.csv, EPIC_100_validation.csv                   an action a row
EPIC_100_verb_classes.csv, EPIC_100_noun_classes_v2.csv       names of the classes
EPIC_100_video_info.csv                                       lengths

Features (SlowFast, 2,304 channels, 32 frames every 16 at 30 a second): what the code of ActionFormer links to, or
https://github.com/epic-kitchens/C2-Action-Detection. They count 30 frames a second whatever the video has, so no rates
are written: the preset knows theirs.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from actionformer.core.errors import InputError
from actionformer.datasets.base import TRAINING, Counts, Dataset
from actionformer.datasets.labelled import find_file, labelled_dataset, labels_of
from actionformer.formats.document import Document
from actionformer.formats.epic import LISTS, VIDEOS

FILES = ("EPIC_100_train.csv", "EPIC_100_validation.csv")
CLASSES = {"verb": 97, "noun": 300}
"""Of the actions; the second list of nouns has five more (hands, a foot, gloves), which are those of VISOR alone."""


def read_verbs(source: Path) -> Dataset:
    """The verbs in their folder; see `read_nouns`."""
    return _read(source, "verb")


def read_nouns(source: Path) -> Dataset:
    """The nouns in their folder.

    Raises:
        InputError: a file is missing, or laid out in another way.
    """
    return _read(source, "noun")


def _read(source: Path, layer: str) -> Dataset:
    paths = [find_file(source, name, expected="an action per row") for name in FILES]
    find_file(source, VIDEOS, expected="the length of every video")
    names = class_names(source, layer)
    videos = [replace(video, fps=None) for path in paths for video in labels_of(path, "epic").videos]
    published = Counts(CLASSES[layer], {TRAINING: 495, "validation": 138}, {TRAINING: 67217, "validation": 9668})
    return labelled_dataset(videos, names, layer=layer, published=published)


def class_names(source: Path, layer: str) -> list[str]:
    """The names of the classes, by number.

    Args:
        source: the folder of the annotations.
        layer: "verb" or "noun".

    Raises:
        InputError: there is no list, or it is laid out in another way.
    """
    path = find_file(source, *LISTS[layer], expected="the number and the name of a class per row")
    table = Document(path)
    if not {"id", "key"} <= set(table.header):
        raise InputError(f"{path}: expected the columns id and key, found {', '.join(table.header):.80}")
    id_, key = table.header.index("id"), table.header.index("key")
    names = {row.cells[id_]: row.cells[key] for row in table.table[1:]}
    return [names[str(number)] for number in range(CLASSES[layer]) if str(number) in names]
