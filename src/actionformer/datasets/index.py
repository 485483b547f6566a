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
}
"""The function that reads a data set from the folder that was downloaded, and gives a `Dataset`."""
PRESETS = {"hapt": "hapt", "salads": "salads", "gtea": "salads --data.fps 15"}
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
