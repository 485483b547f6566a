"""HDF5 files are opened in one place, which refuses those that a driver puts together of several."""

from pathlib import Path

import numpy as np
import pytest

from actionformer.core.errors import InputError
from actionformer.core.hdf5 import opened_hdf5

h5py = pytest.importorskip("h5py", reason="pip install 'actionformer-tal[hdf5]'")
DRIVER = 48
"""Where the head of a file of the oldest version, with addresses of 8 bytes, holds that of the driver."""


def written(path: Path, **options: object) -> Path:
    with h5py.File(path, "w", **options) as file:
        file["a"] = np.arange(4)
    return path


@pytest.mark.parametrize("options", [{}, {"libver": "latest"}, {"userblock_size": 1024}])
def test_a_file_is_opened(tmp_path: Path, options: dict[str, object]) -> None:
    with opened_hdf5(written(tmp_path / "a.h5", **options)) as file:
        assert file["a"][2] == 2


@pytest.mark.parametrize("before", [0, 1024])
def test_a_file_that_names_a_driver_is_refused(tmp_path: Path, before: int) -> None:
    path = written(tmp_path / "a.h5", userblock_size=before)
    content = bytearray(path.read_bytes())
    assert content[before + DRIVER : before + DRIVER + 8] == b"\xff" * 8
    content[before + DRIVER : before + DRIVER + 8] = (255).to_bytes(8, "little")
    path.write_bytes(content)
    with pytest.raises(InputError, match="is one of several files"), opened_hdf5(path):
        pass
