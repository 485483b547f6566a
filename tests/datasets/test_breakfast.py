"""Breakfast from the layout that MS-TCN publishes."""

from pathlib import Path

import numpy as np

from actionformer import read_annotations
from actionformer.datasets.breakfast import read


def test_five_frames_are_a_feature(framewise_folder: Path, tmp_path: Path) -> None:
    dataset = read(framewise_folder)
    written = dataset.write(tmp_path / "out")
    np.testing.assert_allclose(read_annotations(written[0]).videos["b"].segments[0], [0, 10 / 15])
    assert np.load(tmp_path / "out/features/a.npy")[:, 0].tolist() == [2, 7, 12, 17]
    assert dataset.differences() == ["47 classes (here 5)"]
