"""Exported files say what the detector says, without this package."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
import torch
from commands import Command, Refused
from pages import blocks

from actionformer import Detections, InputError, build, export, load, load_config, train
from actionformer.features import resize
from actionformer.model_directory import save_model
from actionformer.nn.video_classifier import VideoClassifier
from actionformer.standalone.files import ENDINGS

ALONE = "import sys; sys.modules.update(dict.fromkeys(['torch', 'actionformer'])); exec(open('script.py').read())"
"""Runs a script where neither can be imported."""


def needs(*packages: str) -> None:
    for package in ("onnx", "onnxscript", *packages):
        pytest.importorskip(package, reason=f"{package} is not installed: pip install 'actionformer-tal[export]'")


def batch(*arrays: np.ndarray) -> dict[str, np.ndarray]:
    """Sequences with zeros behind them: two moments of the coarsest level, which has every fourth, are the least."""
    longest = max(8, -(-max(map(len, arrays)) // 4) * 4)
    features = np.stack([np.pad(one, ((0, longest - len(one)), (0, 0))) for one in arrays])
    return {"features": features, "valid": np.arange(longest) < np.array([[len(one)] for one in arrays])}


def alike(found: list[np.ndarray], row: int, expected: Detections) -> None:
    """The same detections; rounding may put nearly equal scores into another order."""
    count = len(expected)
    assert not found[1][row][count:].any()
    segments, scores, labels = (one[row][:count, None] for one in found)
    near = (labels == expected.labels) & (np.abs(scores - expected.scores) < 1e-5)
    near &= np.abs(segments - expected.segments).max(-1) < 1e-4
    assert near.any(0).all()
    assert near.any(1).all()


@pytest.fixture(scope="module")
def arrays(features: Path) -> list[np.ndarray]:
    return [np.load(features / f"video{number}.npy") for number in (4, 5, 2)]


@pytest.fixture(scope="module")
def onnx_file(trained: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    needs("onnxruntime")
    return export(trained, out=tmp_path_factory.mktemp("onnx") / "mine.onnx")


@pytest.mark.slow
def test_an_onnx_file_detects_in_any_batch_and_length(onnx_file: Path, trained: Path, arrays: list[np.ndarray]) -> None:
    session = pytest.importorskip("onnxruntime").InferenceSession(onnx_file)
    detector, long = load(trained), np.concatenate(arrays * 2)  # of more than max_length features
    for several in (arrays[:1], [arrays[0][:1]], [long], arrays):
        found = session.run(None, batch(*several))
        for row, one in enumerate(several):
            alike(found, row, detector.detect(one))


@pytest.mark.slow
def test_one_export_leaves_nothing_for_the_next(trained: Path, arrays: list[np.ndarray], tmp_path: Path) -> None:
    needs("onnxruntime")
    detector = load(trained)
    bounded = build(detector.config.replace(model={"position": "learned"}))  # which sees no more than max_length
    save_model(tmp_path / "run", bounded.model, bounded.config, detector.card)
    export(tmp_path / "run")
    session = pytest.importorskip("onnxruntime").InferenceSession(export(trained, out=tmp_path / "mine.onnx"))
    long = np.concatenate(arrays * 2)
    alike(session.run(None, batch(long)), 0, detector.detect(long))


@pytest.mark.slow
def test_the_script_of_the_docs_runs_without_this_package(
    onnx_file: Path, trained: Path, features: Path, tmp_path: Path
) -> None:
    script = next(one.text for one in blocks("docs/export.md") if "import onnxruntime" in one.text)
    assert len(script.splitlines()) <= 20
    (tmp_path / "script.py").write_text(script.replace("video_4", "video4"), "utf-8")
    (tmp_path / "features").symlink_to(features)
    (tmp_path / "mine.onnx").symlink_to(onnx_file)
    done = subprocess.run([sys.executable, "-c", ALONE], cwd=tmp_path, check=True, capture_output=True, text=True)
    expected = [
        f"{row['segment'][0]:.2f} {row['segment'][1]:.2f} {row['label']} {row['score']:.3f}"
        for row in load(trained).detect(features / "video4.npy").to_dict()
    ]
    assert len(expected) > 10
    assert done.stdout.splitlines() == expected


@pytest.mark.slow
def test_a_detector_that_gives_all_segments_at_once(
    annotations: Path, features: Path, arrays: list[np.ndarray], tmp_path: Path
) -> None:
    """Of these the candidates are put in order inside the graph."""
    needs("onnxruntime")
    thin = {"width": 32, "mlp_width": 48, "num_heads": 2, "num_queries": 8, "encoder_layers": 1, "decoder_layers": 1}
    training = {"epochs": 1, "drop_epochs": [], "evaluate_every": 0}
    settings: dict[str, dict[str, Any]] = {"model": thin | {"roi_bins": 4}, "training": training}
    settings["data"] = {"window": None, "resize": 32}
    train(load_config("tadtr_small", settings), annotations, features, tmp_path / "run")
    file = export(tmp_path / "run", out=tmp_path / "mine.onnx")
    session = pytest.importorskip("onnxruntime").InferenceSession(file)
    valid = np.ones((1, 32), bool)
    found = session.run(None, {"features": resize(arrays[0], 32)[None], "valid": valid})
    expected = load(tmp_path / "run").detect(arrays[0])
    seconds = (len(arrays[0]) - 1) * 0.5 + 1.0  # what the features cover
    assert len(expected) > 10
    alike([found[0] * seconds, *found[1:]], 0, expected)


@pytest.mark.slow
def test_openvino_detects_too(trained: Path, arrays: list[np.ndarray], tmp_path: Path) -> None:
    needs("openvino")
    openvino = pytest.importorskip("openvino")
    path = export(trained, to="openvino", out=tmp_path / "mine.xml")
    core = openvino.Core()
    model = core.read_model(path)
    assert json.loads(model.get_rt_info(["actionformer"]).astype(str))["class_names"] == ["jump", "run"]
    compiled = core.compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    found = [np.array(one) for one in compiled(batch(*arrays)).values()]
    for row, one in enumerate(arrays):
        alike(found, row, load(trained).detect(one))


@pytest.mark.slow
def test_a_program_of_torch_detects_too(trained: Path, arrays: list[np.ndarray], tmp_path: Path) -> None:
    path = export(trained, to="torch", out=tmp_path / "mine.pt2")
    said = {"actionformer.json": ""}
    program = torch.export.load(path, extra_files=said).module(check_guards=False)
    assert json.loads(said["actionformer.json"])["features"]["fps"] == 10
    for several in (arrays[:1], arrays):
        with torch.no_grad():
            found = [one.numpy() for one in program(*map(torch.from_numpy, batch(*several).values()))]
        for row, one in enumerate(several):
            alike(found, row, load(trained).detect(one))


@pytest.mark.slow
def test_the_network_alone(trained: Path, arrays: list[np.ndarray], tmp_path: Path) -> None:
    path = export(trained, to="torch", out=tmp_path / "mine.pt2", outputs="network")
    said = {"actionformer.json": ""}
    program = torch.export.load(path, extra_files=said).module(check_guards=False)
    names = json.loads(said["actionformer.json"])["names"]
    given = [torch.from_numpy(one) for one in batch(*arrays).values()]
    with torch.no_grad():
        found = dict(zip(names, program(*given), strict=True))
        expected = load(trained).model(*given)
    for level, logits in enumerate(expected.logits):
        torch.testing.assert_close(found[f"logits_{level}"], logits, atol=1e-5, rtol=1e-4)
        torch.testing.assert_close(found[f"offsets_{level}"], expected.offsets[level], atol=1e-5, rtol=1e-4)


@pytest.mark.slow
def test_an_export_is_called(trained: Path, call: Command, tmp_path: Path) -> None:
    out = tmp_path / "mine.pt2"
    done = call("export", trained, "--to", "torch", "--outputs", "candidates", "--out", out)
    assert (done.code, done.out) == (0, f"written: {out}\n")


def test_what_no_graph_can_do_is_refused(trained: Path, refused: Refused, tmp_path: Path) -> None:
    out = tmp_path / "mine.pt2"
    out.touch()
    arguments = ("export", trained, "--to", "torch", "--out", out)
    assert "exists" in refused(*arguments)
    with pytest.raises(InputError, match="into blocks, and a graph sees it whole: export with --outputs candidates"):
        export(trained, to="torch", out=out, overwrite=True, settings={"live": {"max_action_seconds": 9.0}})
    voting = ("--suppression.voting-threshold", "0.7", "--suppression.no-per-class")
    assert "no graph votes" in refused(*arguments, "--overwrite", *voting)
    assert not out.read_bytes()
    with pytest.raises(InputError, match="no runtime 'tflite': expected onnx, openvino, torch"):
        export(trained, to=cast(Any, "tflite"))
    assert "an export for onnx ends in .onnx" in refused("export", trained, "--to", "onnx", "--out", out, "--overwrite")


@pytest.mark.parametrize("resize", [None, 32])
def test_a_file_says_what_timing_it_was_made_for(
    resize: int | None, trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From that users compute the seconds of a model that resizes: its own graph gives shares."""
    before = load(trained)
    detector = build(before.config.replace(data={"resize": resize}))
    save_model(tmp_path / "run", detector.model, detector.config, before.card)
    told: list[Any] = []
    monkeypatch.setattr("actionformer.recipes.export_model.write", lambda graph, about, *_: told.append(about))
    export(tmp_path / "run", fps=20, stride=4)
    features = told[0]["features"]
    assert (features["fps"], features["stride"], features["num_frames"]) == (20, 4, 10)


def test_a_classifier_of_videos_that_is_left_out_is_told(
    trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`detect` names what it finds by it, and the file would say another class without a word."""
    before = load(trained)
    detector = build(before.config.replace(model={"num_classes": 1}))
    card = replace(before.card, class_names=("action",), video_classes=("jump", "run"), calibration=None)
    classifier = VideoClassifier(width=6, classes=2)
    save_model(tmp_path / "run", detector.model, detector.config, card, classifier)
    monkeypatch.setattr("actionformer.recipes.export_model.write", lambda *_: None)
    with pytest.warns(UserWarning, match="run: its classifier of videos does not go into the file, .* 'action': give"):
        export(tmp_path / "run")


@pytest.mark.parametrize("to", ["onnx", "openvino"])
def test_what_is_not_installed_is_told(to: Any, trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "onnx", None)
    monkeypatch.setitem(sys.modules, "openvino", None)
    with pytest.raises(InputError, match=r"pip install 'actionformer-tal\[export\]'"):
        export(trained, to=to, out=tmp_path / f"mine{ENDINGS[to]}")
    assert not list(tmp_path.iterdir())


def test_what_has_no_operation_of_onnx_is_told(trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    needs()

    def refuse(*_: Any, **__: Any) -> None:
        raise torch.onnx.OnnxExporterError("step 3/3")

    monkeypatch.setattr("actionformer.engines.conversion.program_of", lambda graph: None)
    monkeypatch.setattr(torch.onnx, "export", refuse)
    with pytest.raises(InputError, match=r"^actionformer: has a part that ONNX has no operation for: take torch$"):
        export(trained, out=tmp_path / "mine.onnx")


def test_an_address_has_no_folder_to_write_into() -> None:
    with pytest.raises(InputError, match=r"hf://ann/jumps: has no folder to write into: give --out FILE\.onnx"):
        export("hf://ann/jumps")
