"""Which data sets are read: name -> import path. Nothing is imported before somebody asks for it."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from actionformer.core.errors import InputError
from actionformer.core.names import nearest

if TYPE_CHECKING:
    from actionformer.datasets.base import Dataset

DatasetName = str
"""The name of a data set."""
DATASETS = {
    "hapt": "actionformer.datasets.hapt.read",
    "salads": "actionformer.datasets.salads.read",
    "gtea": "actionformer.datasets.gtea.read",
    "breakfast": "actionformer.datasets.breakfast.read",
    "thumos14": "actionformer.datasets.thumos14.read",
    "multithumos": "actionformer.datasets.multithumos.read",
    "activitynet13": "actionformer.datasets.activitynet13.read",
    "hacs": "actionformer.datasets.hacs.read",
    "fineaction": "actionformer.datasets.fineaction.read",
    "charades": "actionformer.datasets.charades.read",
    "epic100_verb": "actionformer.datasets.epic100.read_verbs",
    "epic100_noun": "actionformer.datasets.epic100.read_nouns",
    "ego4d": "actionformer.datasets.ego4d.read",
    "calms21": "actionformer.datasets.calms21.read",
}
"""The function that reads a data set from the folder that was downloaded, and gives a `Dataset`."""
PRESETS = {
    "hapt": "hapt",
    "salads": "salads",
    "gtea": "salads --data.fps 15",
    "breakfast": "salads",
    "thumos14": "thumos14_i3d",
    "multithumos": "temporalmaxer_multithumos_i3d",
    "activitynet13": "activitynet_tsp",
    "hacs": "tridet_hacs_slowfast",
    "fineaction": "small",
    "charades": "small --data.test-subset test",
    "epic100_verb": "epic100_verb",
    "epic100_noun": "epic100_noun",
    "ego4d": "ego4d_slowfast",
    "calms21": "small --data.test-subset test",
}
"""What `train` is given for it."""


def read_dataset(name: str, source: Path) -> Dataset:
    """A data set as it was published.

    Raises:
        InputError: there is no data set of that name, or the folder is laid out in another way.
    """
    if name not in DATASETS:
        raise InputError(f"no data set {name!r}{nearest(name, list(DATASETS))}; there are {', '.join(DATASETS)}")
    module, _, function = DATASETS[name].rpartition(".")
    found: Dataset = getattr(import_module(module), function)(source)
    return found
