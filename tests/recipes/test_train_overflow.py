"""A value that overflows the network in training is named with video and row."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from actionformer.core.errors import InputError
from actionformer.recipes.train import train
from actionformer.settings.config import Config


@pytest.fixture
def broken(features: Path, tmp_path: Path) -> Path:
    folder = shutil.copytree(features, tmp_path / "broken")
    array = np.load(folder / "video1.npy")
    array[40, 2] = 1e30
    np.save(folder / "video1.npy", array)
    return folder


def test_at_the_step(tiny: Config, annotations: Path, broken: Path, tmp_path: Path) -> None:
    raw = tiny.replace(data={"normalize": False, "crop_ratio": [1, 1]}, model={"max_length": 128})
    message = r"step \d is nan; row 40 of video 'video1' has the value 1e\+30: "
    with pytest.warns(UserWarning, match="1e\\+30 in row 40"), pytest.raises(InputError, match=message):
        train(raw, annotations, broken, tmp_path / "run")
