"""Files of numbers that are damaged at random, or made to deceive: a line, never a traceback or a full memory."""

import io
import json
import os
import random
import resource
import struct
import threading
import time
import zipfile
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hostile import damaged, in_a_line
from safetensors.torch import load_file, save, save_file

from actionformer.core.errors import InputError
from actionformer.features import open_features
from actionformer.interop.published_weights import read_published_weights
from actionformer.model_directory import load_model
from actionformer.recipes.train import train
from actionformer.sensors.columns import Columns
from actionformer.sensors.medium import Sensors
from actionformer.settings.config import Config
from actionformer.training.checkpoints import read_state, state_path
from actionformer.weights import read_weights

SHORT, LONG = pytest.param(0, 60, id="short"), pytest.param(1, 5000, id="long", marks=pytest.mark.slow)
ARRAY = np.random.default_rng(0).standard_normal((40, 6)).astype(np.float32)
GIGABYTE = 1 << 20


@pytest.fixture(autouse=True)
def _little_memory() -> Iterator[None]:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    yield
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss < before + GIGABYTE


def stored(kind: str, array: Any = ARRAY) -> bytes:
    file = io.BytesIO()
    if kind == ".npy":
        np.save(file, array)
    elif kind == ".npz":
        np.savez_compressed(file, feats=array)
    elif kind == ".h5":
        h5py = pytest.importorskip("h5py")
        with h5py.File(file, "w") as held:
            held.create_dataset("feats", data=array, compression="gzip")
    else:
        return save({"feats": torch.from_numpy(array.copy())})
    return file.getvalue()


@pytest.mark.parametrize(("seed", "count"), [SHORT, LONG])
@pytest.mark.parametrize("kind", [".npy", ".npz", ".h5", ".safetensors"])
@pytest.mark.filterwarnings("ignore:Reading `.npy` or `.npz` file required additional header parsing")
def test_features(tmp_path: Path, kind: str, seed: int, count: int) -> None:
    rng, path, whole = random.Random(seed), tmp_path / f"a{kind}", stored(kind)
    path.write_bytes(whole)
    np.testing.assert_array_equal(open_features(path)[:], ARRAY)
    refused = 0
    for _ in range(count):
        path.write_bytes(damaged(whole, rng))
        refused += in_a_line(lambda: open_features(path)[:]) is not None
    assert refused > count / 4


@pytest.mark.parametrize(("seed", "count"), [SHORT, LONG])
@pytest.mark.parametrize("ending", [".csv", ".npy", ".npz", ".parquet"])
@pytest.mark.filterwarnings("ignore:Reading `.npy` or `.npz` file required additional header parsing")
def test_tables(tmp_path: Path, ending: str, seed: int, count: int) -> None:
    rng, path = random.Random(seed), tmp_path / f"a{ending}"
    if ending == ".csv":
        np.savetxt(
            path, np.column_stack([np.arange(40) / 50, ARRAY[:, 1:]]), "%.4f", ",", header="t,a,b,c,d,e", comments=""
        )
    elif ending == ".parquet":
        pyarrow = pytest.importorskip("pyarrow")
        from pyarrow.parquet import write_table

        write_table(pyarrow.table(dict(zip("abcdef", ARRAY.T, strict=True))), path)
    else:
        path.write_bytes(stored(ending))
    whole = path.read_bytes()
    read(path)
    for _ in range(count):
        path.write_bytes(damaged(whole, rng))
        in_a_line(lambda: read(path))


def read(path: Path) -> None:
    with Sensors(Columns(time="t" if path.suffix == ".csv" else None)).open(path, 50.0) as recording:
        for _ in islice(recording.rows(), 10_000):
            pass


@pytest.mark.parametrize(("seed", "count"), [SHORT, LONG])
def test_weights_and_states(run: Path, tmp_path: Path, seed: int, count: int) -> None:
    rng = random.Random(seed)
    for path, read in (
        (run / "model.safetensors", lambda _: load_model(run)),
        (state_path(run), lambda _: read_state(run)),
        (tmp_path / "a.npz", read_weights),
        (tmp_path / "a.pth.tar", read_published_weights),
    ):
        if path.suffix == ".npz":
            np.savez(path, a=ARRAY)
        elif path.suffix == ".tar":
            torch.save({"state_dict_ema": {"a": torch.from_numpy(ARRAY)}}, path)
        whole = path.read_bytes()
        for _ in range(count // 3):
            path.write_bytes(damaged(whole, rng))
            in_a_line(lambda path=path, read=read: read(path))  # type: ignore[misc]
        path.write_bytes(whole)


# --- made to deceive


def header_of_npy(shape: tuple[int, ...], descr: Any = "<f4", **more: Any) -> bytes:
    text = repr({"descr": descr, "fortran_order": False, "shape": shape} | more).encode()
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text


def header_of_safetensors(**entry: Any) -> bytes:
    text = json.dumps({"feats": entry}).encode()
    return struct.pack("<Q", len(text)) + text


def zipped(content: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        archive.writestr("feats.npy", content)
    return file.getvalue()


@pytest.mark.parametrize(
    ("kind", "content"),
    [
        (".npy", header_of_npy((2**60, 2**60))),
        (".npy", header_of_npy((2**40, 8)) + bytes(1000)),
        (".npy", header_of_npy((-1, 8)) + bytes(1000)),
        (".npy", header_of_npy((10, 8), "<c8") + bytes(1000)),
        (".npy", header_of_npy((10, 8), "|O") + bytes(1000)),
        (".npy", header_of_npy((10, 8), "<U8") + bytes(10_000)),
        (".npy", header_of_npy((10, 8), [("a", "<f4")]) + bytes(1000)),
        (".npy", header_of_npy((10, 8), "<i8") + bytes(1000)),
        (".npy", b"\x93NUMPY\x02\x00" + struct.pack("<I", 2**32 - 1) + b"{"),
        (".npy", b"\x93NUMPY\x09\x00"),
        (".npz", zipped(header_of_npy((2**40, 8)))),
        (".npz", zipped(header_of_npy((2**60, 2**60)))),
        (".safetensors", struct.pack("<Q", 2**60) + b"{}"),
        (".safetensors", struct.pack("<Q", 2**33) + b"{}"),
        (".safetensors", header_of_safetensors(dtype="F32", shape=[2**60, 8], data_offsets=[0, 2**62])),
        (".safetensors", header_of_safetensors(dtype="F32", shape=[2, 2], data_offsets=[0, 8]) + bytes(8)),
        (".safetensors", header_of_safetensors(dtype="C64", shape=[2, 2], data_offsets=[0, 32]) + bytes(32)),
        (".safetensors", header_of_safetensors(dtype="I64", shape=[2, 2], data_offsets=[0, 32]) + bytes(32)),
    ],
)
def test_what_claims_more_than_it_is(tmp_path: Path, kind: str, content: bytes) -> None:
    (tmp_path / f"a{kind}").write_bytes(content)
    assert in_a_line(lambda: open_features(tmp_path / f"a{kind}")[:]) is not None


def test_few_bytes_of_many_zeros(tmp_path: Path) -> None:
    (tmp_path / "a.npz").write_bytes(zipped(header_of_npy((1 << 27, 1)) + bytes(1 << 29)))
    refused = in_a_line(lambda: open_features(tmp_path / "a.npz")[:])
    assert refused is not None
    assert refused.endswith("it is not read")


def test_hdf5_reads_no_other_file(tmp_path: Path) -> None:
    h5py = pytest.importorskip("h5py")
    secret = tmp_path / "secret.h5"
    with h5py.File(secret, "w") as file:
        file["feats"] = ARRAY
    (tmp_path / "raw").write_bytes(ARRAY.tobytes())
    path = tmp_path / "a.h5"

    def external(file: Any) -> None:
        file.create_dataset("feats", ARRAY.shape, "f4", external=[(str(tmp_path / "raw"), 0, ARRAY.nbytes)])

    def virtual(file: Any) -> None:
        layout = h5py.VirtualLayout(ARRAY.shape, "f4")
        layout[:] = h5py.VirtualSource(str(secret), "feats", ARRAY.shape)
        file.create_virtual_dataset("feats", layout)

    def link(file: Any) -> None:
        file["feats"] = h5py.ExternalLink(str(secret), "/feats")

    def soft(file: Any) -> None:
        file["away"] = h5py.ExternalLink(str(secret), "/")
        file["feats"] = h5py.SoftLink("/away/feats")

    def empty(file: Any) -> None:
        file.create_dataset("feats", (2**40, 8), "f4", chunks=(8, 8))  # not a number of it is stored

    for make, message in (
        (external, "lie in other files"),
        (virtual, "lie in other files"),
        (link, "'feats' is a link"),
        (soft, "is a link"),
        (empty, "says that it holds"),
    ):
        with h5py.File(path, "w") as file:
            make(file)
        refused = in_a_line(lambda: open_features(path)[:])
        assert refused is not None
        assert message in refused


def test_arrays_in_columns_and_in_the_other_order_of_bytes(tmp_path: Path) -> None:
    for name, array in (
        ("a", np.asfortranarray(ARRAY)),
        ("b", ARRAY.astype(">f8")),
        ("c", np.zeros((3, 1), np.float16)),
    ):
        np.save(tmp_path / f"{name}.npy", array)
        found = open_features(tmp_path / f"{name}.npy")
        np.testing.assert_array_equal(found[:], array.astype(np.float32))
        np.testing.assert_array_equal(found[1:3], array[1:3].astype(np.float32))
        assert found[2:2].shape == (0, array.shape[1])


@pytest.mark.parametrize("kind", [".npy", ".npz", ".h5", ".safetensors"])
def test_a_file_of_another_shape_than_before(tmp_path: Path, kind: str) -> None:
    path = tmp_path / f"a{kind}"
    path.write_bytes(stored(kind))
    found = open_features(path)
    for other in (ARRAY[:, :5], ARRAY[:30], np.vstack([ARRAY, ARRAY])):
        path.write_bytes(stored(kind, other))
        with pytest.raises(InputError, match=r"had shape \(40, 6\) when it was first read, now \(.*\): start again"):
            found[2:4]


def test_a_file_that_is_cut_while_it_is_read(tmp_path: Path) -> None:
    """Memory that is mapped to it would end the process with a signal."""
    path = tmp_path / "a.npy"
    large = np.zeros((50_000, 64), np.float32)
    np.save(path, large)
    whole, ended = path.read_bytes(), threading.Event()

    def cut() -> None:
        while not ended.is_set():
            os.truncate(path, 200)
            time.sleep(0.001)
            path.write_bytes(whole)

    cutting = threading.Thread(target=cut)
    found = open_features(path)
    cutting.start()
    for _ in range(50):
        in_a_line(lambda: found[:])
    ended.set()
    cutting.join()
    with pytest.raises(InputError, match="was written again after it was first read"):
        found[:]
    np.testing.assert_array_equal(open_features(path)[:], large)


# --- weights and states of something else


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda tensor: tensor.to(torch.complex64), "expected plain numbers"),
        (lambda tensor: tensor * float("nan"), "not a finite number"),
        (lambda tensor: tensor[:1], "the network has"),
    ],
)
def test_weights_that_are_no_weights(run: Path, change: Any, message: str) -> None:
    weights = load_file(run / "model.safetensors")
    name = next(name for name, tensor in weights.items() if tensor.dim() > 1)
    save_file(weights | {name: change(weights[name]).contiguous()}, run / "model.safetensors")
    refused = in_a_line(lambda: load_model(run))
    assert refused is not None
    assert message in refused
    assert name in refused


def test_deviations_that_nothing_can_be_divided_by(run: Path) -> None:
    weights = load_file(run / "model.safetensors")
    for value in (0.0, -1.0):
        weights["normalizer.deviation"][2] = value
        save_file(weights, run / "model.safetensors")
        refused = in_a_line(lambda: load_model(run))
        assert refused is not None
        assert "normalizer.deviation has a value that is not positive" in refused


STATES: dict[str, Any] = {
    "a key less": lambda state: state["trainer"].pop("optimizer"),
    "a weight less": lambda state: state["trainer"]["model"].popitem(),
    "a weight more": lambda state: state["trainer"]["model"].update(more=torch.zeros(2)),
    "a weight of another shape": lambda state: state["trainer"]["model"].update(
        {"classifier.output.bias": torch.zeros(7)}
    ),
    "a moment of another shape": lambda state: state["trainer"]["optimizer"]["state"][0].update(exp_avg=torch.zeros(7)),
    "a moment that is a text": lambda state: state["trainer"]["optimizer"]["state"][0].update(exp_avg="x"),
    "no groups": lambda state: state["trainer"]["optimizer"].update(param_groups=[]),
    "values that are not finite": lambda state: state["trainer"]["model"]["classifier.output.bias"].fill_(float("nan")),
    "another number of steps": lambda state: state["trainer"].update(steps=10**9),
    "steps that are a text": lambda state: state["trainer"].update(steps="many"),
    "an epoch that is none": lambda state: state.update(epoch=-5),
    "an epoch that is a text": lambda state: state.update(epoch="x"),
    "a best that is a text": lambda state: state.update(best="x"),
    "a trainer that is a list": lambda state: state.update(trainer=[1]),
    "an average of another kind": lambda state: state["trainer"].update(average=3),
    "a criterion of another kind": lambda state: state["trainer"].update(criterion=None),
}


@pytest.mark.parametrize("change", STATES)
def test_states_of_something_else(run: Path, tiny: Config, annotations: Path, features: Path, change: str) -> None:
    state = torch.load(state_path(run), weights_only=True)
    STATES[change](state)
    torch.save(state, state_path(run))
    before = (run / "model.safetensors").read_bytes()
    refused = in_a_line(lambda: train(tiny, annotations, features, run, resume=True))
    assert refused is not None
    assert "state.pt: " in refused
    assert refused.endswith("--overwrite starts again")
    assert (run / "model.safetensors").read_bytes() == before
