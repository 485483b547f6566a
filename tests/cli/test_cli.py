"""The command line from the outside: exit codes, what is printed where, and what bad input leaves behind."""

import json
import os
import re
import runpy
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from commands import Command, Refused

import actionformer
from actionformer.cli import VERBS
from actionformer.settings.loading import preset_names

SMALL = Path(__file__).resolve().parents[1] / "data" / "parity"
TINY = [
    *("--model.width", "16", "--model.num-heads", "2", "--model.window", "5", "--model.max-length", "64"),
    *("--model.branch-blocks", "2", "--model.regression-ranges", "0", "4", "4", "8", "8", "1000"),
    *("--training.epochs", "1", "--training.warmup-epochs", "0"),
]
TIMING = ["--data.fps", "10", "--data.stride", "5", "--data.num-frames", "10"]


def content(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


# --- help


def test_detect_loads_no_recipe_of_verbs_that_it_does_not_need() -> None:
    script = (
        "import json, sys, actionformer.recipes.detect\n"
        "print(json.dumps([name for name in sys.modules if name.startswith('actionformer.recipes.')]))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    found = {name.rpartition(".")[2] for name in json.loads(done.stdout)}
    assert "detect" in found
    assert found.isdisjoint({"train", "compare", "ablate", "advise", "doctor", "evaluate"})


def test_help_has_an_example_and_imports_no_torch() -> None:
    script = (
        "import json, sys, io, contextlib\n"
        "from actionformer.cli import main\n"
        "texts = {}\n"
        f"for verb in {(*VERBS, '')!r}:\n"
        "    text = io.StringIO()\n"
        "    with contextlib.redirect_stdout(text), contextlib.suppress(SystemExit):\n"
        "        main([*verb.split(), '--help'])\n"
        "    texts[verb] = text.getvalue()\n"
        "print(json.dumps([texts, 'torch' in sys.modules, 'scipy' in sys.modules]))\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    texts, torch_imported, _ = json.loads(done.stdout)
    assert not torch_imported
    for verb in VERBS:
        assert f"Example: actionformer {verb}" in texts[verb]
        assert verb in texts[""]
    assert "--training.warmup-epochs" in texts["train"]
    assert texts["detect"].startswith("Usage: actionformer detect [OPTIONS] RUN INPUTS...")


@pytest.mark.parametrize(("verb", "needed"), [("", False), ("score", False), ("train", True)])
def test_help_reads_settings_only_where_they_are_options(verb: str, needed: bool) -> None:
    script = (
        "import atexit, sys\n"
        "from actionformer.cli import main\n"
        "atexit.register(lambda: print('pydantic' in sys.modules, file=sys.stderr))\n"
        "main([*sys.argv[1:], '--help'])\n"
    )
    command = [sys.executable, "-c", script, *verb.split()]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stderr == f"{needed}\n"
    assert "Usage: actionformer" in done.stdout


def test_detect_in_features_starts_with_what_it_needs_alone(trained: Path, features: Path) -> None:
    script = (
        "import atexit, gc, json, sys\n"
        "from actionformer.cli import main\n"
        "heavy = ('cv2', 'transformers', 'tensorboard', 'matplotlib', 'h5py', 'scipy')\n"
        "atexit.register(lambda: print(json.dumps([[name for name in heavy if name in sys.modules],"
        " gc.isenabled(), gc.get_freeze_count()]), file=sys.stderr))\n"
        "main(sys.argv[1:])\n"
    )
    command = [sys.executable, "-c", script, "detect", str(trained), str(features / "video4.npy"), "--format", "csv"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    imported, collecting, frozen = json.loads(done.stderr)
    assert done.stdout.startswith("video,label,start,end,score\nvideo4,")
    assert (imported, collecting) == ([], True)
    assert frozen > 100_000  # torch's objects, which the interpreter does not search for cycles when it ends


def test_the_command_is_installed() -> None:
    command = Path(sys.executable).with_name("actionformer")
    done = subprocess.run([command, "frobnicate"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith('error: Unknown command "frobnicate"')
    assert done.stderr.count("\n") == 1


def test_python_runs_it_as_a_module(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("sys.argv", ["actionformer", "--version"])
    with pytest.raises(SystemExit, match="0"):
        runpy.run_module("actionformer", run_name="__main__")
    assert capsys.readouterr().out.strip() == actionformer.__version__


def test_presets_are_shown(call: Command) -> None:
    for name in preset_names()[::8]:
        result = call("info", name)
        assert result.code == 0
        assert "[model]" in result.out


# --- the way from features to figures


def test_train_evaluate_detect_score_info(call: Command, tmp_path: Path, annotations: Path, features: Path) -> None:
    run = tmp_path / "run"
    result = call("train", "hapt", "--annotations", annotations, "--features", features, "--out", run, *TINY,
                  "--data.test-subset", "validation", *TIMING,
                  "--training.batch-size", 2, "--training.seed", 7)  # fmt: skip
    assert (result.code, result.out) == (0, f"model: {run}\n")
    text = (run / "config.toml").read_text("utf-8")
    for line in ("width = 16", "window = 5", "epochs = 1", "warmup_epochs = 0", "batch_size = 2", "seed = 7"):
        assert re.search(f"^{re.escape(line)}\\b", text, re.MULTILINE), line

    result = call("evaluate", run, "--tiou", "0.5,0.75")
    assert result.code == 0
    assert "mAP" in result.out
    assert json.loads((run / "evaluation.json").read_text("utf-8"))["tiou"] == [0.5, 0.75]

    result = call("detect", run, features, "--out", tmp_path / "found.json")
    assert result.code == 0
    assert re.fullmatch(rf"6 videos, [\d,]+ detections -> {re.escape(str(tmp_path))}/found\.json\n", result.err)
    found = json.loads((tmp_path / "found.json").read_text("utf-8"))
    assert found.keys() == {"version", "results", "external_data"}
    assert sorted(found["results"]) == [f"video{i}" for i in range(6)]

    figures = tmp_path / "figures.json"
    result = call("score", "--annotations", annotations, "--detections", run / "detections.json", "--subset",
                  "VALIDATION", "--tiou", "0.3:0.7:0.1", "--json", figures)  # fmt: skip
    assert result.code == 0
    written = json.loads(figures.read_text("utf-8"))
    assert written["tiou"] == [0.3, 0.4, 0.5, 0.6, 0.7]
    assert len(written["map"]) == 5
    assert written["average"] == pytest.approx(np.mean(written["map"]))
    assert written["per_class"].keys() == {"jump", "run"}
    assert written["recall_at_kx"].keys() == {"1", "5"}
    assert {len(values) for values in [*written["per_class"].values(), *written["recall_at_kx"].values()]} == {5}
    trained = json.loads((run / "model.json").read_text("utf-8"))["metrics"]
    assert written["average"] == pytest.approx(trained["map"], abs=1e-12)

    result = call("info", run)
    assert result.code == 0
    assert "2: jump, run" in result.out


def test_formats_of_detections(call: Command, tmp_path: Path, trained: Path, features: Path) -> None:
    path = features / "video4.npy"
    for name, start in [("a.json", "{"), ("a.csv", "video,label,start,end,score\nvideo4,"), ("a.txt", "┏")]:
        assert call("detect", trained, path, "--out", tmp_path / name).code == 0
        assert (tmp_path / name).read_text("utf-8").startswith(start)
    assert call("detect", trained, path, "--format", "csv").out == (tmp_path / "a.csv").read_text("utf-8")
    assert call("detect", trained, path, "--format", "json").out == (tmp_path / "a.json").read_text("utf-8")
    assert "video4" in call("detect", trained, path, "--min-score", 0).out


def test_a_table_shows_what_subtitles_show(call: Command, trained: Path, features: Path) -> None:
    path = features / "video4.npy"
    scores = [
        float(row["score"])
        for row in json.loads(call("detect", trained, path, "--format", "json").out)["results"]["video4"]
    ]
    bar = sorted(scores)[len(scores) // 2]
    shown = sum(score >= bar for score in scores)
    for format_ in ("table", "srt"):
        result = call("detect", trained, path, "--format", format_, "--min-score", bar)
        assert result.out.count("jump") + result.out.count("run") == shown
        assert result.err == ""


def test_choice_of_detections(call: Command, trained: Path, features: Path) -> None:
    def rows(*options: Any) -> list[list[str]]:
        text = call("detect", trained, features / "video4.npy", "--format", "csv", *options).out
        return [line.split(",") for line in text.splitlines()[1:]]

    every = rows()
    low, high = sorted(float(row[4]) for row in every)[len(every) // 2 - 1 :][:2]
    bar = (low + high) / 2
    assert rows("--min-score", bar) == [row for row in every if float(row[4]) >= bar]
    assert rows("--classes", "jump") == [row for row in every if row[1] == "jump"]
    assert rows("--classes", "jump", "run") == every
    halved = rows("--fps", 20, "--other-timing")
    assert float(halved[0][3]) == pytest.approx(float(every[0][3]) / 2)


def test_a_backbone_that_is_missing_is_said_before_anything_is_searched(
    refused: Refused, tmp_path: Path, trained: Path, features: Path
) -> None:
    (tmp_path / "a.mp4").touch()
    told = refused("detect", trained, features / "video4.npy", tmp_path / "a.mp4", "--out", tmp_path / "o.json")
    assert "give --backbone" in told
    assert [path.name for path in tmp_path.iterdir()] == ["a.mp4"]


def test_one_bad_file_among_many(call: Command, tmp_path: Path, trained: Path, features: Path) -> None:
    folder = shutil.copytree(features, tmp_path / "features")
    np.save(folder / "video2.npy", np.zeros((5, 7), dtype=np.float32))
    result = call("detect", trained, folder, "--out", tmp_path / "a.json")
    assert result.code == 1
    assert result.err.split()[:2] == ["failed", "why"]  # a closing table
    assert result.err.count("\n") == 3  # and what was written
    assert "5 videos, " in result.err
    assert result.err.count("video2.npy") == 1
    assert "7 channels" in result.err
    found = json.loads((tmp_path / "a.json").read_text("utf-8"))["results"]
    assert sorted(found) == [f"video{i}" for i in (0, 1, 3, 4, 5)]


def test_missing_features_can_be_skipped(
    call: Command, refused: Refused, tmp_path: Path, annotations: Path, features: Path
) -> None:
    fewer = shutil.copytree(features, tmp_path / "fewer")
    (fewer / "video5.npy").unlink()
    train = ("train", "hapt", "--annotations", annotations, "--features", fewer, "--out", tmp_path / "run", *TINY,
             *TIMING, "--data.test-subset", "validation")  # fmt: skip
    assert "1 of 2 videos has no features" in refused(*train)
    assert not (tmp_path / "run").exists()
    assert call(*train, "--skip-missing").code == 0
    assert "video5" in refused("evaluate", tmp_path / "run")
    result = call("evaluate", tmp_path / "run", "--skip-missing")
    assert result.code == 0
    assert "with 4 ground truths: skipped, and counted as missed" in result.err


def test_several_folders_a_prefix_and_no_sidecar(
    call: Command, tmp_path: Path, annotations: Path, features: Path
) -> None:
    folder = tmp_path / "features"
    folder.mkdir()
    for path in features.glob("*.npy"):
        shutil.copy(path, folder / f"v_{path.name}")
    options = ("--annotations", annotations, "--features", folder, folder, "--data.prefix", "v_", *TINY)
    assert call("train", "activitynet_i3d", *options, "--out", tmp_path / "run", *TIMING, "--data.resize", 64,
                "--training.evaluate-every", 0).code == 0  # fmt: skip
    assert "input_dim = 12" in (tmp_path / "run" / "config.toml").read_text("utf-8")


def test_absent_evaluation_subset(call: Command, tmp_path: Path, annotations: Path, features: Path) -> None:
    result = call("train", "thumos14_i3d", "--annotations", annotations, "--features", features, "--out",
                  tmp_path / "run", *TINY, "--data.stride", 5, "--data.num-frames", 10,
                  "--data.train-subset", "training")  # fmt: skip
    assert result.code == 0
    assert "warning: no video in subset test: training runs without evaluation" in result.err


def test_resume_and_overwrite(call: Command, refused: Refused, run: Path, annotations: Path, features: Path) -> None:
    train = ("train", run / "config.toml", "--annotations", annotations, "--features", features, "--out", run)
    before = content(run)
    assert "--resume continues that run" in refused(*train)
    assert "training.epochs 2, now 5" in refused(*train, "--resume", "--training.epochs", 5)
    assert content(run) == before
    assert call(*train, "--resume").code == 0
    assert call(*train, "--overwrite", "--training.epochs", 1).code == 0


def test_convert(call: Command, refused: Refused, tmp_path: Path) -> None:
    out = tmp_path / "model"
    result = call("convert", SMALL / "official_config.yaml", SMALL / "epoch_007.pth.tar", out)
    assert (result.code, result.out) == (0, f"model: {out}\n")
    assert {path.name for path in out.iterdir()} == {"config.toml", "model.safetensors", "model.json"}
    assert call("info", out).code == 0
    text = (SMALL / "official_config.yaml").read_text("utf-8")
    for changed, message in [
        (re.sub(r"input_dim: \d+", "input_dim: 64", text), "the settings call for"),
        (text + "\nsurprise: 1\n", "surprise"),
        ("model: [", ""),
        ("", ""),
    ]:
        (tmp_path / "other.yaml").write_text(changed, "utf-8")
        line = refused("convert", tmp_path / "other.yaml", SMALL / "epoch_007.pth.tar", tmp_path / "none")
        assert message in line
    torch.save({"state_dict": print}, tmp_path / "evil.pth.tar")
    for checkpoint in (tmp_path / "evil.pth.tar", tmp_path / "absent.pth.tar", SMALL / "official_config.yaml"):
        refused("convert", SMALL / "official_config.yaml", checkpoint, tmp_path / "none")
    assert not (tmp_path / "none").exists()


def test_convert_leaves_a_trained_model_alone(call: Command, refused: Refused, run: Path, tmp_path: Path) -> None:
    published = ("convert", SMALL / "official_config.yaml", SMALL / "epoch_007.pth.tar")
    before = content(run)
    assert "holds a trained model" in refused(*published, run)
    assert content(run) == before
    for _ in range(2):  # what was converted can be converted again
        assert call(*published, tmp_path / "model").code == 0


def test_demo_leaves_an_earlier_demo_alone(refused: Refused, tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "model.json").write_text("{}", "utf-8")
    assert "--overwrite starts again" in refused("demo", tmp_path)
    assert "training.seed" in refused("demo", tmp_path, "--overwrite", "--seed", -1)
    assert [path.name for path in tmp_path.iterdir()] == ["run"]


# --- bad calls


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("train", "--preset requires an argument"),
        ("train hapt", "--annotations requires an argument"),
        ("train haptt --annotations a --features f --out o", "did you mean 'hapt'"),
        ("train hapt --annotations a --features f --out o --model.windw 9", "Did you mean --model.window?"),
        ("train hapt --annotations a --features f --out o --model.window 8", "window must be odd, found 8"),
        ("train hapt --annotations a --features f --out o --model.window x", "--model.window: "),
        ("train hapt --annotations a --features f --out o --training.epochs many", "--training.epochs: "),
        ("train hapt --annotations a --features f --out o --training.epochs 0", "training.epochs: "),
        ("train hapt --annotations a --features f --out o --data.crop-ratio 2 3", "crop_ratio must be two shares"),
        ("train absent.toml --annotations a --features f --out o", "absent.toml: cannot read"),
        ("train hapt --annotations a --features f --out o --device quantum", "quantum"),
        ("evaluate absent", "absent: no model directory"),
        (
            f"evaluate {__file__}",
            "is a file, but evaluate takes a model directory; to evaluate a file of detections, use score",
        ),
        ("detect absent a.npy", "absent: no model directory"),
        ("info absent", "absent: neither a model directory nor a preset"),
        ("info thumos_i3d", "did you mean 'thumos14_i3d'?"),
        ("score --annotations a", "--detections requires an argument"),
        ("score --annotations absent.json --detections d", "absent.json: cannot read"),
        ("score --annotations a --detections d --tiou 0.3:0.1:0.7", "start:stop:step, e.g. 0.3:0.7:0.1"),
        ("score --annotations a --detections d --tiou 0.5:0.95:0.5", "step 0.5 is larger than the range 0.5 to 0.95"),
        ("score --annotations a --detections d --tiou high", "not a number"),
        ("convert absent.yaml absent.pth.tar out", "absent.yaml"),
    ],
)
def test_bad_calls(
    refused: Refused, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: str, message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    assert message in refused(*arguments.split())
    assert content(tmp_path) == {}


# --- bad annotations


def entry(**changes: Any) -> dict[str, Any]:
    action = {"segment": [1.0, 3.0], "label": "jump"} | changes
    return {"subset": "training", "annotations": [action]}


def database(**videos: Any) -> str:
    return json.dumps({"database": {"video0": entry(), **videos}})


BAD_ANNOTATIONS = {
    "missing": (None, "annotations.json: cannot read"),
    "empty": ("", "annotations.json: the file is empty"),
    "broken": ('{"database": {\n "video0": }}', "not valid JSON: Expecting value (line 2, column 12)"),
    "no videos": ('{"database": {}}', "no videos"),
    "another layout": ("[1, 2]", "no videos"),
    "a video twice": ('{"database": {"video0": {}, "video0": {}}}', "key 'video0' occurs twice"),
    "no subset": (database(video1={"annotations": []}), "'video1': expected 'subset'"),
    "another subset": (database().replace("training", "exam"), "no video in subset 'training'; there are 'exam'"),
    "backwards": (database(video1=entry(segment=[3, 1])), "'video1', annotation 0: segment [3.0, 1.0] ends before"),
    "no number": (database(video1=entry(segment=[1, "3"])), "'video1', annotation 0: expected 'segment'"),
    "nan": (database(video1=entry(segment=[1, float("nan")])), "'video1', annotation 0: expected 'segment'"),
    "infinite": (database(video1=entry(segment=[1, float("inf")])), "'video1', annotation 0: expected 'segment'"),
    "no label": (database(video1=entry(label="")), "'video1', annotation 0: expected 'label'"),
    "one id, two labels": (
        database(video0=entry(label_id=0), video1=entry(label="run", label_id=0)), "label_id 0 belongs to 'run'",
    ),
    "one label, two ids": (
        database(video0=entry(label_id=0), video1=entry(label_id=1)), "label 'jump' has label_id 1, elsewhere 0",
    ),
    "negative id": (database(video1=entry(label_id=-1)), "label_id must be a whole number"),
    "duration": (database(video1={**entry(), "duration": -1}), "'video1': duration must be a positive number"),
    "no features": (database(nowhere=entry()), "1 of 2 videos has no features in"),
    "too long": (database(video1={**entry(), "duration": 400}), "cover 40.50 s, the video lasts 400.00 s"),
}  # fmt: skip


@pytest.mark.parametrize("kind", BAD_ANNOTATIONS)
def test_bad_annotations(refused: Refused, tmp_path: Path, features: Path, kind: str) -> None:
    text, message = BAD_ANNOTATIONS[kind]
    path = tmp_path / "annotations.json"
    if text is not None:
        path.write_text(text, "utf-8")
    line = refused("train", "salads", "--annotations", path, "--features", features, "--out", tmp_path / "run", *TINY,
                   *TIMING)  # fmt: skip
    assert message in line
    assert set(content(tmp_path)) <= {"annotations.json"}
    assert not (tmp_path / "run").exists()


def test_label_that_the_model_does_not_know(refused: Refused, run: Path, tmp_path: Path, annotations: Path) -> None:
    before = (run / "detections.json").read_bytes()
    other = tmp_path / "other.json"
    other.write_text(annotations.read_text("utf-8").replace('"jump"', '"jmp"'), "utf-8")
    line = refused("evaluate", run, "--annotations", other)
    assert "the model has no class 'jmp', did you mean 'jump'?" in line
    assert "no video in subset 'exam'; there are Validation, training" in refused("evaluate", run, "--subset", "exam")
    assert "start must not exceed stop" in refused("evaluate", run, "--tiou", "0.7:0.3:0.1")
    assert (run / "detections.json").read_bytes() == before


# --- bad features


def with_row(value: float) -> np.ndarray:
    array = np.zeros((40, 6), dtype=np.float32)
    array[5, 2] = value
    return array


BAD_FEATURES: dict[str, tuple[Any, str]] = {
    "width": (np.zeros((40, 5), np.float32), "5 channels, expected 6"),
    "rank 1": (np.zeros(40, np.float32), "array of shape (40,), expected (T, D)"),
    "rank 3": (np.zeros((1, 40, 6), np.float32), "array of shape (1, 40, 6), expected (T, D)"),
    "nan": (with_row(np.nan), "row 5 has a value that is not a finite number"),
    "inf": (with_row(-np.inf), "row 5 has a value that is not a finite number"),
    "length 0": (np.zeros((0, 6), np.float32), "array of shape (0, 6) is empty"),
    "pickled": (np.array([{"a": 1}], dtype=object), "holds pickled objects, which are never loaded"),
    "integers": (np.zeros((40, 6), np.int64), "array of int64"),
    "too long": (np.zeros((80, 6), np.float32), "80 features"),
    "broken": (b"\x93NUMPY nonsense", "not a readable .npy file"),
    "empty": (b"", "not a readable .npy file"),
}


def spoil(folder: Path, video: str, value: Any) -> Path:
    path = folder / f"{video}.npy"
    if isinstance(value, bytes):
        path.write_bytes(value)
    else:
        np.save(path, value, allow_pickle=True)
    return path


@pytest.mark.parametrize("kind", BAD_FEATURES)
def test_bad_features(
    refused: Refused, tmp_path: Path, run: Path, annotations: Path, features: Path, kind: str
) -> None:
    value, message = BAD_FEATURES[kind]
    folder = shutil.copytree(features, tmp_path / "features")
    spoil(folder, "video0", value)
    (folder / "video0.json").write_text('{"fps": 10, "stride": 5, "num_frames": 10, "duration": 20.5}', "utf-8")
    before = content(run)
    train = ("train", run / "config.toml", "--annotations", annotations, "--features", folder, "--out")
    for arguments in [
        (*train, tmp_path / "new"),
        (*train, run, "--overwrite"),
        ("detect", run, folder / "video0.npy", "--out", tmp_path / "a.json"),
        ("evaluate", run, "--features", folder, "--subset", "training"),
    ]:
        line = refused(*arguments)
        assert "video0" in line
        assert message in line or (kind == "width" and "5 channels" in line)
    assert content(run) == before
    assert not (tmp_path / "new").exists()
    assert not (tmp_path / "a.json").exists()


@pytest.mark.parametrize(
    ("sidecar", "message"),
    [
        ('{"fps": "fast"}', "fps must be a positive number, found 'fast'"),
        ('{"fps": ', "not valid JSON"),
        ("[]", "expected an object with fps"),
    ],
)
def test_bad_sidecars(
    refused: Refused, tmp_path: Path, annotations: Path, features: Path, sidecar: str, message: str
) -> None:
    folder = shutil.copytree(features, tmp_path / "features")
    (folder / "video0.json").write_text(sidecar, "utf-8")
    line = refused("train", "hapt", "--annotations", annotations, "--features", folder, "--out", tmp_path / "run",
                   *TINY, *TIMING)  # fmt: skip
    assert message in line
    assert "video0" in line
    assert not (tmp_path / "run").exists()


# --- bad models and full disks


def test_checkpoint_of_another_shape(
    refused: Refused, tmp_path: Path, run: Path, annotations: Path, features: Path
) -> None:
    config = (run / "config.toml").read_text("utf-8")
    (run / "config.toml").write_text(config.replace("width = 16", "width = 32", 1), "utf-8")
    for arguments in [
        ("detect", run, features),
        ("evaluate", run),
        ("info", run),
        ("train", run / "config.toml", "--annotations", annotations, "--features", features, "--out",
         tmp_path / "new", "--init", run),
    ]:  # fmt: skip
        assert "embedding.convs.0.weight is (16, 3, 6), the " in refused(*arguments)
    assert not (tmp_path / "new").exists()


def test_full_disk(refused: Refused, tmp_path: Path, trained: Path, annotations: Path, features: Path) -> None:
    device = Path("/dev/full")
    if not device.exists():
        pytest.skip("there is no /dev/full here")
    line = refused("detect", trained, features, "--out", device, "--format", "json")
    assert "/dev/full: cannot write (No space left on device)" in line


def test_folder_that_cannot_be_written(
    refused: Refused, tmp_path: Path, trained: Path, annotations: Path, features: Path
) -> None:
    (tmp_path / "file").write_text("", "utf-8")
    below = tmp_path / "file" / "run"
    train = ("train", trained / "config.toml", "--annotations", annotations, "--features", features)
    assert "cannot be made" in refused(*train, "--out", below)
    assert "cannot make its folder" in refused("detect", trained, features, "--out", below / "a.json")


def test_streams_that_are_closed_lead_nowhere(trained: Path, features: Path, tmp_path: Path) -> None:
    """As some services start programs; a table and a warning go to them, a file is written as ever."""
    for name, options in (("1", ()), ("2", ("--out", str(tmp_path / "found.json")))):
        words = [sys.executable, "-m", "actionformer", "detect", str(trained), str(features), *options]
        done = subprocess.run(["sh", "-c", 'exec "$@" <&- >&- 2>&-', "sh", *words], check=False)
        assert done.returncode == 0, name
    assert json.loads((tmp_path / "found.json").read_text("utf-8"))["results"]


@pytest.mark.parametrize("format_", ["table", "csv"])
def test_a_reader_that_has_enough_is_no_failure(trained: Path, features: Path, format_: str) -> None:
    words = [sys.executable, "-m", "actionformer", "detect", str(trained), str(features), "--format", format_]
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run(words, stdout=write, stderr=subprocess.PIPE, text=True, check=False)
    os.close(write)
    assert (done.returncode, done.stderr) == (0, "")
