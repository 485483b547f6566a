from __future__ import annotations

import io
import json
import os
import pickle
import sys
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from actionformer.core.errors import InputError
from actionformer.core.segments import TimeGrid
from actionformer.features import (
    FeatureFolders,
    FeatureSpec,
    FeatureWriter,
    check_backbone,
    check_duration,
    open_features,
    read_sidecar,
    resize,
    sidecar_path,
    write_sidecar,
)
from actionformer.features.readers import _npy_header

ARRAY = np.arange(12.0).reshape(6, 2).astype(np.float32)


def save(path: Path, array: Any, name: str = "feats") -> Path:
    if path.suffix == ".npy":
        np.save(path, array)
    elif path.suffix == ".npz":
        np.savez_compressed(path, **{name: array})
    elif path.suffix in (".h5", ".hdf5"):
        h5py = pytest.importorskip("h5py")
        with h5py.File(path, "w") as file:
            file[name] = array
    else:
        from safetensors.numpy import save_file

        save_file({name: array}, path)
    return path


EXTENSIONS = pytest.mark.parametrize("extension", [".npy", ".npz", ".h5", ".hdf5", ".safetensors"])


@EXTENSIONS
@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_reads_slices_of_every_kind(tmp_path: Path, extension: str, dtype: str) -> None:
    features = open_features(save(tmp_path / f"video{extension}", ARRAY.astype(dtype), name="anything"))
    assert features.shape == (6, 2)
    assert len(features) == 6
    part = features[2:4]
    assert part.dtype == np.float32
    assert_array_equal(part, ARRAY[2:4])
    assert_array_equal(features[:], ARRAY)
    assert features[4:2].shape == (0, 2)
    assert_array_equal(pickle.loads(pickle.dumps(features))[-1:], ARRAY[-1:])


def test_reads_bfloat16(tmp_path: Path) -> None:
    import torch
    from safetensors.torch import save_file

    save_file({"x": torch.from_numpy(ARRAY).bfloat16()}, tmp_path / "video.safetensors")
    assert_array_equal(open_features(tmp_path / "video.safetensors")[:], ARRAY)


def test_a_slice_reads_only_its_part(tmp_path: Path) -> None:
    broken = ARRAY.copy()
    broken[5] = np.nan
    features = open_features(save(tmp_path / "video.npy", broken))
    assert_array_equal(features[:5], ARRAY[:5])
    with pytest.raises(InputError, match=r"video\.npy: row 5 has a value"):
        features[3:]


@given(
    shape=st.lists(st.integers(0, 30), min_size=1, max_size=3).map(tuple),
    dtype=st.sampled_from(["<f2", "<f4", "<f8", ">f4", "<i4"]),
    order=st.sampled_from("CF"),
    version=st.sampled_from([(1, 0), (2, 0)]),
)
def test_headers_of_npy_files_say_what_numpy_reads(
    shape: tuple[int, ...], dtype: str, order: Any, version: tuple[int, int]
) -> None:
    file = io.BytesIO()
    array = np.empty(shape, dtype, order)
    np.lib.format.write_array(file, array, version)
    file.seek(0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # version 2 is not needed
        found, by_column, kind = _npy_header(file)
    assert (found, kind) == (shape, np.dtype(dtype))
    assert by_column == (array.flags.f_contiguous and not array.flags.c_contiguous)
    rest = np.frombuffer(file.read(), kind)
    assert_array_equal(rest.reshape(found, order="F" if by_column else "C"), array)


def test_blocks_are_slices_one_after_the_other(tmp_path: Path) -> None:
    array = np.random.default_rng(0).standard_normal((50, 3)).astype(np.float32)
    for part, name in ((array[:, :2], "a.npy"), (array[:, 2:], "b.npy")):
        np.save(tmp_path / name, part)
    features = open_features(tmp_path / "a.npy", tmp_path / "b.npy")
    found = features.blocks([slice(4, 10), slice(30, 31)])
    assert_array_equal(found, np.concatenate([array[4:10], array[30:31]]))
    array[30, 0] = np.inf
    np.save(tmp_path / "a.npy", array[:, :2])
    with pytest.raises(InputError, match=r"a\.npy: row 30 has a value that is not a finite number"):
        open_features(tmp_path / "a.npy", tmp_path / "b.npy").blocks([slice(4, 10), slice(29, 31)])


@EXTENSIONS
def test_picks_the_array_by_name_among_several(tmp_path: Path, extension: str) -> None:
    path = tmp_path / f"video{extension}"
    arrays = {"features": ARRAY, "other": ARRAY[:1]}
    _save_several(path, arrays) if extension != ".npy" else save(path, ARRAY)
    assert open_features(path).shape == (6, 2)
    if extension == ".npy":
        return
    _save_several(path, {"one": ARRAY, "other": ARRAY})
    with pytest.raises(InputError, match="holds one, other, expected one array, or one named feats or features"):
        open_features(path)


def _save_several(path: Path, arrays: dict[str, Any]) -> None:
    if path.suffix == ".npz":
        np.savez(path, **arrays)
    elif path.suffix == ".safetensors":
        from safetensors.numpy import save_file

        save_file(arrays, path)
    else:
        h5py = pytest.importorskip("h5py")
        with h5py.File(path, "w") as file:
            for name, array in arrays.items():
                file[name] = array


@EXTENSIONS
@pytest.mark.parametrize(
    ("array", "message"),
    [
        (np.zeros(4, np.float32), r"shape \(4,\), expected \(T, D\)"),
        (np.zeros((2, 3, 4), np.float32), r"shape \(2, 3, 4\), expected"),
        (np.zeros((0, 4), np.float32), r"\(0, 4\) is empty"),
        (np.zeros((4, 2), np.int64), "expected float16, float32 or float64"),
    ],
)
def test_refuses_other_arrays(tmp_path: Path, extension: str, array: np.ndarray, message: str) -> None:
    path = save(tmp_path / f"video{extension}", array)
    with pytest.raises(InputError, match=message) as caught:
        open_features(path)
    assert str(path) in str(caught.value)


@EXTENSIONS
def test_refuses_broken_files(tmp_path: Path, extension: str) -> None:
    path = save(tmp_path / f"video{extension}", np.random.default_rng(0).normal(size=(300, 20)))
    whole = path.read_bytes()
    for content in (whole[: len(whole) // 2], b"", b"not an array"):
        path.write_bytes(content)
        with pytest.raises(InputError, match=rf"video\{extension}: not a readable"):
            open_features(path)[:]


@pytest.mark.parametrize("extension", [".npy", ".npz"])
def test_refuses_pickled_objects(tmp_path: Path, extension: str) -> None:
    path = save(tmp_path / f"video{extension}", np.array([[{}, 1]], dtype=object))
    with pytest.raises(InputError, match="pickled objects"):
        open_features(path)[:]


def test_reads_the_other_byte_order(tmp_path: Path) -> None:
    assert_array_equal(open_features(save(tmp_path / "video.npy", ARRAY.astype(">f4")))[:], ARRAY)


def test_refuses_what_is_missing_or_unknown(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such feature file"):
        open_features(tmp_path / "video.npy")
    (tmp_path / "video.mat").write_bytes(b"")
    with pytest.raises(InputError, match=r"unknown kind of feature file, expected \.npy"):
        open_features(tmp_path / "video.mat")


def test_names_the_extra_for_hdf5(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "video.h5").write_bytes(b"")
    monkeypatch.setitem(sys.modules, "h5py", None)
    with pytest.raises(InputError, match=r"pip install 'actionformer-tal\[hdf5\]'"):
        open_features(tmp_path / "video.h5")


def test_refuses_another_width(tmp_path: Path) -> None:
    path = save(tmp_path / "video.npy", ARRAY)
    assert open_features(path, width=2).shape == (6, 2)
    with pytest.raises(InputError, match=r"2 channels, expected 5: give the features"):
        open_features(path, width=5)


@pytest.mark.parametrize("extension", [".npy", ".npz", ".safetensors"])
def test_refuses_what_was_written_again_since_it_was_opened(tmp_path: Path, extension: str) -> None:
    path = save(tmp_path / f"a{extension}", ARRAY)
    opened = open_features(path)
    assert_array_equal(opened[:2], ARRAY[:2])
    save(path, ARRAY + 1)  # as large as before
    os.utime(path, ns=(0, path.stat().st_mtime_ns + 1))
    with pytest.raises(InputError, match=r"was written again after it was first read: start again when it is complete"):
        opened[:2]
    assert_array_equal(open_features(path)[:2], ARRAY[:2] + 1)
    os.utime(path, (0, 0))
    with pytest.raises(InputError, match="written again"):  # an older one, copied over it
        opened[:2]


def test_a_number_too_large_for_float32_is_not_finite(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="row 0"):
        open_features(save(tmp_path / "video.npy", np.array([[1e300]])))[:]


def test_folders_join_channels_and_cut_to_the_shortest(tmp_path: Path) -> None:
    for name, rows in (("rgb", 6), ("flow", 5)):
        (tmp_path / name).mkdir()
        save(tmp_path / name / "v_a.b.npz", ARRAY[:rows])
    folders = FeatureFolders.at([tmp_path / "rgb", tmp_path / "flow"], prefix="v_")
    assert_array_equal(folders.open("a.b", width=4)[:], np.hstack((ARRAY[:5], ARRAY[:5])))
    assert folders.missing(["a.b", "c"]) == ["c"]
    save(tmp_path / "flow" / "v_a.b.npz", ARRAY[:1])
    with pytest.raises(InputError, match=r"video 'a\.b': .*lengths 6, 1, expected a difference of at most 4"):
        folders.open("a.b")


def test_a_folder_names_what_it_lacks(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"video 'a': no features in .*: expected a with one of \.npy, \.npz"):
        FeatureFolders.at(tmp_path).open("a")
    with pytest.raises(InputError, match="no such folder"):
        FeatureFolders.at(tmp_path / "nowhere")
    assert FeatureFolders.at(tmp_path).spec("a") == FeatureSpec()


def test_sidecar_round_trip(tmp_path: Path) -> None:
    spec = FeatureSpec(fps=29.97, stride=4, num_frames=16, backbone="i3d", duration=12.5, dim=2)
    path = save(tmp_path / "a.b.npy", ARRAY)
    assert read_sidecar(path) == FeatureSpec()
    write_sidecar(path, spec)
    assert sidecar_path(path).name == "a.b.json"
    assert FeatureFolders.at(tmp_path).spec("a.b") == spec
    assert spec.grid == TimeGrid(29.97, 4, 16)
    assert FeatureSpec(fps=30).grid is None
    assert "weights_hash" not in json.loads(sidecar_path(path).read_text())


def test_a_sidecar_that_says_another_width_is_refused(tmp_path: Path) -> None:
    path = save(tmp_path / "a.npy", ARRAY)
    write_sidecar(path, FeatureSpec(dim=ARRAY.shape[1]))
    assert open_features(path).shape == ARRAY.shape
    write_sidecar(path, FeatureSpec(dim=42))
    message = rf"a\.npy: {ARRAY.shape[1]} channels, its sidecar says dim 42: .* extract these again or correct it"
    with pytest.raises(InputError, match=message):
        open_features(path)
    with pytest.raises(InputError, match=message):
        FeatureFolders.at(tmp_path).open("a")
    write_sidecar(path, FeatureSpec(dim=len(ARRAY)))
    with pytest.raises(InputError, match=r"are they stored as \(D, T\)\? Transpose them"):
        open_features(path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("[]", "expected an object"),
        ("{", "not valid JSON"),
        ('{"fps": "30"}', "fps must be a positive number, found '30'"),
        ('{"stride": 0}', "stride must be a positive number, found 0"),
        ('{"backbone": 3}', "backbone must be text"),
        ('{"start": 1e30}', "start must be a number of seconds from 0 to 1e"),
    ],
)
def test_refuses_a_broken_sidecar(tmp_path: Path, content: str, message: str) -> None:
    (tmp_path / "a.json").write_text(content)
    with pytest.raises(InputError, match=message) as caught:
        read_sidecar(tmp_path / "a.npy")
    assert str(tmp_path / "a.json") in str(caught.value)


def test_a_sidecar_that_is_there_and_no_file_is_not_taken_for_none(tmp_path: Path) -> None:
    (tmp_path / "a.json").mkdir()
    (tmp_path / "b.json").symlink_to(tmp_path / "moved.json")
    for name, reason in (("a", "Is a directory"), ("b", "No such file")):
        with pytest.raises(InputError, match=rf"{name}\.json: cannot read \({reason}"):
            read_sidecar(tmp_path / f"{name}.npy")


def test_normal_features_never_warn() -> None:
    grid, frames = TimeGrid(fps=30, stride=4, num_frames=16), 1234
    whole_windows = (frames - 16) // 4 + 1
    padded_end = -(-frames // 4)
    for length in (whole_windows, whole_windows + 1, padded_end):
        check_duration("a", length, frames / 30, grid)


def test_duration_is_compared() -> None:
    grid = TimeGrid(fps=30, stride=4, num_frames=16)
    with pytest.warns(UserWarning, match=r"a: 750 features .* cover 100\.40 s, the video lasts 105\.00 s"):
        check_duration("a", 750, 105.0, grid)
    with pytest.raises(InputError, match=r"a: 750 features .* correct fps, stride or num_frames"):
        check_duration("a", 750, 120.0, grid)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check_duration("short", 1, 0.1, grid)  # a large share, but less than a window


def test_resize_by_hand() -> None:
    halves = resize(np.array([[0.0], [4.0]], np.float32), 4)
    assert_allclose(halves[:, 0], [0, 1, 3, 4])


@pytest.mark.parametrize(("before", "after"), [(1, 5), (2, 3), (7, 7), (48, 30), (1210, 192), (5001, 192)])
def test_resize_equals_torch(before: int, after: int) -> None:
    """The published code calls `interpolate`, which transposes and copies all of a sequence for a few rows of it."""
    array = np.random.default_rng(before).standard_normal((before, 6)).astype(np.float32)
    channels = torch.from_numpy(array.T.copy())[None]
    expected = torch.nn.functional.interpolate(channels, size=after, mode="linear", align_corners=False)[0].T
    resized = resize(array, after)
    assert resized.dtype == np.float32
    assert_allclose(resized, expected.numpy(), atol=1e-6)


def test_resize_equals_the_published_one(shared: Path) -> None:
    with np.load(shared / "parity" / "anet" / "resize.npz") as stored:
        for i in range(4):
            expected = stored[f"{i}.resized"]
            resized = resize(stored[f"{i}.features"], len(expected))
            assert resized.dtype == np.float32
            assert_allclose(resized, expected, atol=1e-6)
            grid = TimeGrid(15, 16, 16).resized(len(stored[f"{i}.features"]), len(expected))
            assert grid.stride == pytest.approx(float(stored[f"{i}.stride"]))


def test_rows_written_one_after_the_other(tmp_path: Path) -> None:
    rows = np.random.default_rng(0).standard_normal((1000, 7)).astype(np.float32)
    for dtype in ("float32", "float16"):
        writer = FeatureWriter(tmp_path / "a.npy", dim=7, dtype=dtype)
        for part in np.split(rows, [0, 1, 400]):
            writer.append(part)
        assert list(tmp_path.glob("*.npy")) == []  # whole or absent
        writer.finish()
        assert np.array_equal(np.load(tmp_path / "a.npy"), rows.astype(dtype))
        assert [path.name for path in tmp_path.iterdir()] == ["a.npy"]
        (tmp_path / "a.npy").unlink()


def test_rows_that_are_discarded_leave_nothing(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.zeros((2, 3)))
    writer = FeatureWriter(tmp_path / "a.npy", dim=3)
    writer.append(np.ones((5, 3), dtype=np.float32))
    writer.discard()
    assert [path.name for path in tmp_path.iterdir()] == ["a.npy"]
    assert not np.load(tmp_path / "a.npy").any()  # what was there before


def test_what_a_killed_writer_left_is_removed(tmp_path: Path) -> None:
    (tmp_path / ".a.npy.0123.part").touch()
    (tmp_path / ".b.npy.0123.part").touch()  # perhaps of a process that goes on
    FeatureWriter(tmp_path / "a.npy", dim=3).finish()
    assert sorted(path.name for path in tmp_path.iterdir()) == [".b.npy.0123.part", "a.npy"]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full to write to")
def test_a_full_disk_is_an_input_error() -> None:
    writer = FeatureWriter("/dev/full", dim=1000)
    with pytest.raises(InputError, match=r"/dev/full: cannot write \(No space left on device\)"):
        writer.append(np.ones((1000, 1000), dtype=np.float32))


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (("motion", None), ("motion", None)),
        ((None, None), ("motion", None)),
        (("i3d", "1"), ("i3d", None)),
        (("videomae:/one/place", "1"), ("videomae:/another", "1")),  # the weights tell
    ],
)
def test_features_of_the_same_backbone(
    found: tuple[str | None, str | None], expected: tuple[str | None, str | None]
) -> None:
    check_backbone(*(FeatureSpec(backbone=name, weights_hash=hash_) for name, hash_ in (found, expected)))


@pytest.mark.parametrize(
    ("found", "expected", "message"),
    [
        (("i3d", "1"), ("motion", None), "features of backbone 'i3d', the model was trained on 'motion'"),
        (("i3d", "1"), ("i3d_dis", "1"), "features of backbone 'i3d', the model was trained on 'i3d_dis'"),
        (
            ("i3d", "1"),
            ("i3d", "2"),
            "features of 'i3d' with weights of SHA-256 1, the model was trained on those of 2",
        ),
        (("videomae:a", None), ("videomae:b", "1"), "features of backbone 'videomae:a'"),
    ],
)
def test_features_of_another_backbone(
    found: tuple[str, str | None], expected: tuple[str, str | None], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        check_backbone(*(FeatureSpec(backbone=name, weights_hash=hash_) for name, hash_ in (found, expected)))
