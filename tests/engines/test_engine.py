"""Other engines find what the network finds."""

import pickle
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from commands import Command, Refused

import actionformer
from actionformer import Detections, InputError, load
from actionformer.engines.engine import ENGINES
from actionformer.formats.detections import read_results


def installed(engine: str) -> None:
    for package in () if engine == "compile" else ("onnx", "onnxscript", engine):
        pytest.importorskip(package, reason=f"{package} is not installed: pip install 'actionformer-tal[export]'")


def alike(found: Detections, expected: Detections) -> None:
    np.testing.assert_array_equal(found.labels, expected.labels)
    np.testing.assert_allclose(found.scores, expected.scores, atol=1e-5)
    np.testing.assert_allclose(found.segments, expected.segments, atol=1e-4)


@pytest.mark.slow
@pytest.mark.parametrize("engine", ENGINES)
def test_an_engine_finds_what_the_network_finds(engine: Any, trained: Path, features: Path) -> None:
    installed(engine)
    files = {path.stem: path for path in sorted(features.glob("*.npy"))}
    detector, other = load(trained), load(trained, engine=engine)
    expected = detector.detect_many(files)
    assert min(map(len, expected.values())) > 10
    found = other.detect_many(files, batch_size=4)  # of unlike lengths: padded, with masks
    for video, one in expected.items():
        alike(found[video], one)
    alike(other.with_settings(suppression={"max_detections": 3}).detect(files["video4"]), expected["video4"][:3])
    other.runner.chunk = 10
    alike(other.detect(files["video4"]), expected["video4"])  # the network itself, in chunks
    assert other.runner.engine is not None
    assert pickle.loads(pickle.dumps(other.runner.engine)).name == engine


@pytest.mark.slow
@pytest.mark.parametrize("engine", ["onnxruntime", "openvino"])
def test_threads_share_an_engine(engine: Any, trained: Path, features: Path) -> None:
    """From the first call on, which makes it."""
    installed(engine)
    files = sorted(features.glob("*.npy")) * 3
    detector = load(trained, engine=engine)
    with ThreadPoolExecutor(3) as threads:
        found = list(threads.map(detector.detect, files))
    plain = load(trained)
    for file, one in zip(files, found, strict=True):
        alike(one, plain.detect(file))


@pytest.mark.slow
def test_detect_has_engines(trained: Path, features: Path, call: Command, refused: Refused, tmp_path: Path) -> None:
    installed("onnxruntime")
    out = tmp_path / "found.json"
    done = call("detect", trained, features / "video4.npy", "--engine", "onnxruntime", "--out", out)
    assert done.code == 0, done.err
    alike(read_results(out)["video4"], load(trained).detect(features / "video4.npy"))
    assert "engine" in refused("detect", trained, features / "video4.npy", "--engine", "caffe")


def test_what_an_engine_cannot_do_is_refused(trained: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InputError, match="no engine 'caffe': expected onnxruntime, openvino, compile"):
        load(trained, engine="caffe")  # type: ignore[arg-type]
    monkeypatch.setenv("CXX", "no-such-compiler")
    with pytest.raises(InputError, match="needs a C\\+\\+ compiler"):
        load(trained, engine="compile")
    monkeypatch.setitem(__import__("sys").modules, "onnx", None)
    with pytest.raises(InputError, match=r"the engine openvino needs onnx: pip install 'actionformer-tal\[export\]'"):
        load(trained, engine="openvino")


def test_an_engine_computes_in_float32(trained: Path) -> None:
    installed("onnxruntime")
    with pytest.raises(InputError, match="computes in float32 on the CPU"):
        load(trained, engine="onnxruntime", precision="bfloat16")


def test_the_names_of_engines_are_those_of_the_option() -> None:
    assert ENGINES == ("onnxruntime", "openvino", "compile")
    assert actionformer.load.__annotations__["engine"] == "EngineName | None"
