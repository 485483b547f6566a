"""From the command line: tables of readings become features, a model is trained on them and detects in others."""

import csv
import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from commands import Command, Refused

from actionformer import extract
from actionformer.backbones import load_backbone
from actionformer.core.errors import InputError
from actionformer.core.locks import sole_writer
from actionformer.features import read_sidecar
from actionformer.inference.loading import load
from actionformer.recipes.train import train
from actionformer.settings.config import Config
from actionformer.video.clips import ClipLayout

RATE, SECONDS = 25, 24
BEGINS = {"sit": 4, "run": 14}


@pytest.fixture(scope="module")
def readings(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four recordings with a sensor of three axes; the clock of the last begins at 100 s."""
    folder = tmp_path_factory.mktemp("readings")
    database: dict[str, Any] = {}
    for number in range(4):
        rng, start = np.random.default_rng(number), 100 * (number == 3)
        times = np.arange(SECONDS * RATE) / RATE
        values = 0.3 * rng.standard_normal((len(times), 3))
        actions = []
        for label, second in BEGINS.items():
            begin = second + rng.uniform(-2, 2)
            within = (times >= begin) & (times < begin + 4)
            values[within] += [2, 0, -2] if label == "sit" else [-2, 3, 0]
            actions.append({"segment": [start + begin, start + begin + 4], "label": label})
        rows = np.column_stack([1000 * (times + start), values])
        np.savetxt(folder / f"r{number}.csv", rows, "%.3f", ",", header="time_ms,ax,ay,az", comments="")
        subset = "training" if number < 3 else "validation"
        database[f"r{number}"] = {"subset": subset, "duration": start + SECONDS, "annotations": actions}
    (folder / "annotations.json").write_text(json.dumps({"database": database}), "utf-8")
    return folder


@pytest.fixture(scope="module")
def trained(readings: Path, tmp_path_factory: pytest.TempPathFactory, tiny: Config) -> Path:
    config = tiny.replace(training={"epochs": 20, "learning_rate": 5e-3, "evaluate_every": 0})
    timing = {"data": {"stride": 10, "num_frames": 20}}
    run = tmp_path_factory.mktemp("of_tables") / "run"
    torch.manual_seed(0)
    annotations = readings / "annotations.json"
    train(config, annotations, videos=readings, backbone="windows", out=run, settings=timing)
    return run


def test_features_of_tables_are_made_with_the_timing_of_the_settings(trained: Path) -> None:
    spec = read_sidecar(trained / "features" / "r3.npy")
    assert (spec.backbone, spec.fps, spec.stride, spec.num_frames) == ("windows:ax,ay,az", 25.0, 10, 20)
    assert (spec.start, spec.duration, spec.dim) == (100.0, 124.0, 60)


def test_a_model_of_tables_detects_in_a_table_on_its_own_clock(
    trained: Path, readings: Path, tmp_path: Path, call: Command
) -> None:
    table = readings / "r3.csv"
    assert (
        call("detect", trained, table, "--out", tmp_path / "a.csv", "--overlap", "none", "--min-score", "0.2").code == 0
    )
    with (tmp_path / "a.csv").open(newline="") as file:
        found = {row["label"]: (float(row["start"]), float(row["end"])) for row in csv.DictReader(file)}
    truth = json.loads((readings / "annotations.json").read_text("utf-8"))["database"]["r3"]["annotations"]
    assert found.keys() == BEGINS.keys()
    for action in truth:
        assert found[action["label"]] == pytest.approx(action["segment"], abs=1.0)
    assert load(trained).detect_video(table, workers=0).segments[0].min() > 100


def test_other_tables_are_read_by_their_names(trained: Path, readings: Path, tmp_path: Path, call: Command) -> None:
    """Another order of columns, more of them, dates, semicolons: the same readings give the same detections."""
    rows = np.loadtxt(readings / "r3.csv", delimiter=",", skiprows=1)
    lines = ["id;az;ay;when;ax"]
    for time, ax, ay, az in rows.tolist():
        lines.append(f"7;{az};{ay};2026-01-01T00:{int(time // 60000):02}:{time % 60000 / 1000:06.3f};{ax}")
    (tmp_path / "other.csv").write_text("\n".join(lines).replace(".", ","), "utf-8")
    np.save(tmp_path / "bare.npy", rows[:, 1:])
    (tmp_path / "named.csv").write_text((readings / "r3.csv").read_text())
    for file in ("named.csv", "other.csv", "bare.npy"):
        result = call("detect", trained, tmp_path / file, "--out", tmp_path / f"{file}.json")
        assert result.code == 0, result.err
        assert ("has no names of columns" in result.err) == (file == "bare.npy")
    named, other, bare = (
        next(iter(json.loads((tmp_path / f"{file}.json").read_text("utf-8"))["results"].values()))
        for file in ("named.csv", "other.csv", "bare.npy")
    )
    for found in (other, bare):
        assert [one["label"] for one in found] == [one["label"] for one in named]
        shifted = np.array([one["segment"] for one in found]) + 100
        assert shifted == pytest.approx(np.array([one["segment"] for one in named]), abs=1e-3)


def test_features_and_readings_of_one_ending_are_told_apart(
    trained: Path, readings: Path, tmp_path: Path, call: Command
) -> None:
    results = []
    for source in (trained / "features" / "r3.npy", readings / "r3.csv"):
        out = tmp_path / f"{source.suffix[1:]}.json"
        assert call("detect", trained, source, "--out", out).code == 0
        results.append(json.loads(out.read_text("utf-8"))["results"])
    assert results[0] == results[1]


def test_what_cannot_be_done_with_tables_is_said(
    trained: Path, readings: Path, tmp_path: Path, refused: Refused
) -> None:
    table = readings / "r3.csv"
    said = refused("detect", trained, table, "--overlay", tmp_path / "a.mp4")
    assert "r3.csv: holds no pictures, an overlay is drawn into videos" in said
    assert "looks at tables of readings, and a live source gives pictures alone" in refused("watch", trained, table)
    (tmp_path / "one.csv").write_text("time_ms,ax,ay\n0,1,2\n40,1,2\n")
    assert "one.csv: no column 'az', did you mean 'ay'?" in refused("detect", trained, tmp_path / "one.csv")
    assert "no tables of readings or feature files here" in refused("detect", trained, tmp_path / "none*")


def test_what_was_mended_is_told_once(tmp_path: Path, call: Command) -> None:
    times = [number for number in range(200) if number not in (50, 51) and not 100 <= number < 180]
    rows = [f"{20 * number},{number % 7},{'' if number == 9 else 1},3" for number in times]
    (tmp_path / "a.csv").write_text("\n".join(["time_ms,x,y,label", *rows]))
    result = call("extract", tmp_path / "a.csv", "--backbone", "statistics", "--out", tmp_path / "out")
    assert result.code == 0
    assert result.err.count("label left out") == 1
    assert result.err.count("1 gap, 0.04 s in all, bridged by straight lines") == 1
    assert result.err.count("1 long gap, 1.6 s in all, filled with the mean of the readings before") == 1
    assert result.err.count("1 empty cell filled as gaps are") == 1
    assert np.load(tmp_path / "out" / "a.npy").shape == (7, 16)


def test_columns_by_name_from_the_command_line(tmp_path: Path, call: Command, refused: Refused) -> None:
    (tmp_path / "a.csv").write_text("clock,x,y,z\n" + "".join(f"{n / 10},{n},{-n},0\n" for n in range(20)))
    options = ("--backbone", "windows", "--num-frames", "10", "--stride", "10", "--out", tmp_path / "out")
    assert call("extract", tmp_path / "a.csv", *options, "--columns", "y", "x", "--time-column", "clock").code == 0
    assert np.load(tmp_path / "out" / "a.npy")[0].tolist() == [*range(0, -10, -1), *range(10)]
    assert read_sidecar(tmp_path / "out" / "a.npy").backbone == "windows:y,x@clock"
    again = refused("extract", tmp_path / "a.csv", *options, "--columns", "x")
    assert "holds features with backbone windows:y,x@clock, not windows:x: choose another --out, or --over" in again


@contextmanager
def peak() -> Iterator[list[int]]:
    """The most that Python and NumPy hold within it, bytes, once it has ended."""
    import tracemalloc

    held: list[int] = []
    tracemalloc.start()
    try:
        yield held
        held.append(tracemalloc.get_traced_memory()[1])
    finally:
        tracemalloc.stop()


@pytest.mark.slow
def test_memory_does_not_grow_with_a_recording(tmp_path: Path) -> None:
    from actionformer.sensors.medium import SENSORS

    peaks = []
    for rows in (50_000, 400_000):
        values = np.column_stack([np.arange(rows) / 50, np.random.default_rng(0).standard_normal((rows, 6))])
        np.savetxt(tmp_path / "a.csv", values, "%.3f", ",", header="time_s,a,b,c,d,e,f", comments="")
        with peak() as held, SENSORS.open(tmp_path / "a.csv", None) as recording:
            assert sum(1 for _ in recording.rows()) == rows
        peaks += held
    assert peaks[1] < 1.1 * peaks[0]


def test_a_single_broken_table_is_an_error(tmp_path: Path) -> None:
    from actionformer import extract

    (tmp_path / "a.csv").write_text("time_s,x\n0,1\n0.1,2\n0.05,3\n")
    with pytest.raises(InputError, match=r"a\.csv: row 3 goes back from 0\.100 to 0\.050 s"):
        extract(tmp_path / "a.csv", "windows", tmp_path / "out")


def test_features_that_other_programs_made_of_tables_fit_a_backbone_that_is_named(
    trained: Path, readings: Path, tmp_path: Path, call: Command, refused: Refused
) -> None:
    """A model whose features say no backbone takes one from the call, with the columns of the file."""
    other = tmp_path / "run"
    shutil.copytree(trained, other)
    card = json.loads((other / "model.json").read_text("utf-8"))
    assert card["features"].pop("backbone") == "windows:ax,ay,az"
    (other / "model.json").write_text(json.dumps(card), "utf-8")
    results = []
    for run in (trained, other):
        out = tmp_path / f"{run.parent.name}.json"
        result = call("detect", run, readings / "r3.csv", "--backbone", "windows", "--out", out)
        assert result.code == 0, result.err
        results.append(json.loads(out.read_text("utf-8"))["results"])
    assert results[0] == results[1]
    assert "channels" in refused("detect", other, readings / "r3.csv", "--backbone", "windows:ax,ay")


def test_features_of_another_kind_wait_until_a_folder_is_free(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.ones((4, 2)))
    windows, held = load_backbone("windows:1,2"), tmp_path / "out"
    windows = windows.fitted([tmp_path / "a.npy"], 2)
    layout = ClipLayout(1, 2, 2)
    with sole_writer(held, f"{windows.name} None {windows.preprocessing} {layout} float32"):
        with pytest.raises(InputError, match=r"out: is in use by process .*: wait until it ends or choose another"):
            extract(tmp_path / "a.npy", "statistics", held, fps=1, num_frames=2, stride=2)
        assert len(extract(tmp_path / "a.npy", "windows", held, fps=1, num_frames=2, stride=2).written) == 1
    done = extract(tmp_path / "a.npy", "windows", held, fps=1, num_frames=2, stride=2)
    assert (len(done.written), done.kept) == (0, [held / "a.npy"])
