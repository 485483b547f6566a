import json
import os
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from actionformer.core.errors import InputError
from actionformer.keypoints.hdf5 import LEAST_OF_SLEAP, read_hdf5

h5py = pytest.importorskip("h5py")

NAMES = [("net", "m1", "nose", "x"), ("net", "m1", "nose", "y"), ("net", "m1", "nose", "likelihood"),
         ("net", "m1", "tail", "x"), ("net", "m1", "tail", "y"), ("net", "m1", "tail", "likelihood")]  # fmt: skip
VALUES = np.arange(12.0).reshape(2, 6)


def write_table(path: Path, names: bytes, frames: tuple[int, int] = (0, 1)) -> Path:
    """As pandas writes `to_hdf(..., format="table")`."""
    with h5py.File(path, "w") as file:
        rows = np.zeros(2, [("index", "<i8"), ("values_block_0", "<f8", (6,))])
        rows["index"], rows["values_block_0"] = frames, VALUES
        table = file.create_dataset("df_with_missing/table", data=rows)
        table.attrs["values_block_0_kind"] = np.bytes_(names)
    return path


@pytest.mark.parametrize("several", [True, False])
def test_deeplabcut_as_a_table(tmp_path: Path, several: bool) -> None:
    names = NAMES if several else [(scorer, point, part) for scorer, _, point, part in NAMES]
    tracks = read_hdf5(write_table(tmp_path / "a.h5", pickle.dumps(names, protocol=0)))
    assert (tracks.animals, tracks.points) == (("m1" if several else "",), ("nose", "tail"))
    np.testing.assert_allclose(tracks.places[:, 0], VALUES.reshape(2, 2, 3))


def test_frames_of_deeplabcut_that_are_left_out_are_not_seen(tmp_path: Path) -> None:
    tracks = read_hdf5(write_table(tmp_path / "a.h5", pickle.dumps(NAMES, protocol=0), (1, 3)))
    assert np.isnan(tracks.places[[0, 2]]).all()
    np.testing.assert_allclose(tracks.places[[1, 3], 0], VALUES.reshape(2, 2, 3))


def test_deeplabcut_as_blocks(tmp_path: Path) -> None:
    """As pandas writes `to_hdf(...)`: levels of names, and which each column has."""
    levels = [["net"], ["nose", "tail"], ["likelihood", "x", "y"]]
    with h5py.File(tmp_path / "a.h5", "w") as file:
        group = file.create_group("df_with_missing")
        group.attrs["block0_items_nlevels"] = 3
        group["block0_values"], group["axis1"] = VALUES, [1, 2]
        for number, (names, codes) in enumerate(zip(levels, [[0] * 6, [0, 0, 0, 1, 1, 1], [1, 2, 0] * 2], strict=True)):
            group[f"block0_items_level{number}"] = np.array(names, "S")
            group[f"block0_items_label{number}"] = np.array(codes, np.int8)
    tracks = read_hdf5(tmp_path / "a.h5")
    np.testing.assert_allclose(tracks.places[1:, 0], VALUES.reshape(2, 2, 3))


class Evil:
    def __reduce__(self) -> Any:
        return os.system, ("touch it_ran",)


def test_code_is_never_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match=r"a\.h5: its names of columns cannot be read \(.*system is code\): write it"):
        read_hdf5(write_table(tmp_path / "a.h5", pickle.dumps([Evil()], protocol=0)))
    assert not (tmp_path / "it_ran").exists()


def write_sleap(path: Path, order: tuple[str, ...] | None, scores: bool = True) -> np.ndarray:
    """Two tracks of three nodes in four frames; `order` is stated where it is not SLEAP's own."""
    places = np.random.default_rng(0).uniform(1, 100, (4, 2, 3, 3)).astype(np.float32)
    places[2, 1] = np.nan
    own = ("frame", "track", "node", "xy")
    with h5py.File(path, "w") as file:
        for name, array, dims in (("tracks", places[..., :2], own), ("point_scores", places[..., 2], own[:3])):
            stored = [one for one in order or ("track", "xy", "node", "frame") if one in dims]
            file[name] = array.transpose([dims.index(one) for one in stored]) * (scores or name == "tracks")
            if order:
                file[name].attrs["dims"] = json.dumps(stored)
        file["node_names"], file["track_names"] = np.array(["a", "b", "c"], "S"), np.array(["t1", "t2"], "S")
    return places


@pytest.mark.parametrize("order", [None, ("frame", "track", "node", "xy"), ("xy", "frame", "node", "track")])
def test_sleap_in_any_order(tmp_path: Path, order: tuple[str, ...] | None) -> None:
    places = write_sleap(tmp_path / "a.analysis.h5", order)
    tracks = read_hdf5(tmp_path / "a.analysis.h5")
    assert (tracks.animals, tracks.points, tracks.least) == (("t1", "t2"), ("a", "b", "c"), LEAST_OF_SLEAP)
    np.testing.assert_array_equal(tracks.places, places)


def test_scores_of_what_people_labelled_are_none(tmp_path: Path) -> None:
    write_sleap(tmp_path / "a.h5", None, scores=False)
    assert np.isnan(read_hdf5(tmp_path / "a.h5").places[..., 2]).all()


def test_other_files_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.h5"
    path.write_bytes(b"nothing")
    with pytest.raises(InputError, match=r"a\.h5: not a readable file of key points"):
        read_hdf5(path)
    with h5py.File(path, "w") as file:
        file["features"] = np.zeros((3, 2))
    with pytest.raises(InputError, match=r"holds features, expected `tracks` and `node_names` .* or `df_with_missing`"):
        read_hdf5(path)
    with h5py.File(path, "w") as file:
        file["tracks"] = h5py.ExternalLink("other.h5", "tracks")
        file["node_names"] = np.array(["a"], "S")
    with pytest.raises(InputError, match=r"not a readable|is a link"):
        read_hdf5(path)
    with h5py.File(path, "w") as file:
        file["tracks"], file["node_names"] = np.zeros((1, 2, 3, 4)), np.array(["a"], "S")
    with pytest.raises(InputError, match=r"tracks are \(1, 2, 3, 4\) for 1 nodes"):
        read_hdf5(path)
    for names in (b"", pickle.dumps({}), pickle.dumps([("a", "b", "x")]), pickle.dumps([("a",) * 5] * 6)):
        with pytest.raises(InputError, match=r"a\.h5: "):
            read_hdf5(write_table(path, names))
