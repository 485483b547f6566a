"""The benchmark of speed: its arithmetic by hand, and that every part of it runs."""

import importlib
import json
import shutil
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from actionformer.core.annotations import AnnotatedVideo, Annotations
from actionformer.core.detections import Detections
from actionformer.core.run_files import CARD, WEIGHTS
from actionformer.detectors.actionformer.network import build_network
from actionformer.detectors.actionformer.settings import ActionFormerSettings
from actionformer.recipes.evaluated import read_evaluated
from actionformer.settings.config import Config

FOLDER = Path(__file__).resolve().parents[1] / "benchmarks"

pytestmark = pytest.mark.skipif(not FOLDER.is_dir(), reason="benchmarks/ is part of the checkout alone")


@pytest.fixture
def script(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Imports a module of the benchmarks, which find each other as scripts in one folder do."""
    monkeypatch.syspath_prepend(FOLDER)
    return importlib.import_module


def speed(*options: str | Path) -> str:
    command = [sys.executable, FOLDER / "speed.py", *options]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def test_multiplications_of_a_small_network(script: Any) -> None:
    settings = ActionFormerSettings(
        input_dim=3, num_classes=2, block="convolution", width=4, embedding_layers=1, head_layers=1,
        stem_blocks=1, branch_blocks=1, regression_ranges=((0, 4), (4, 99)),
    )  # fmt: skip
    embedding = 8 * 3 * 3 * 4
    stem = 8 * (3 * 4 * 8 + 3 * 8 * 4)
    branch = 4 * (3 * 4 * 8 + 3 * 8 * 4 + 4 * 4)
    heads = (8 + 4) * (3 * 4 * 2 + 3 * 4 * 2)
    assert script("floor").multiplications(Config(model=settings), 8) == embedding + stem + branch + heads


def test_products_are_timed_in_turns(script: Any) -> None:
    floor = script("floor")
    order: list[str] = []
    products = {
        kind: floor.Product(run=lambda kind=kind: order.append(kind), gflop=1.0, shape=(1, 1, 1))
        for kind in ("linear", "packed")
    }
    taken, rates = floor.in_turns(lambda: order.append("forward"), products, 2, "cpu")
    assert order == ["linear", "linear", "packed", "packed", "forward"] * 2
    assert taken > 0
    assert min(rates.values()) > 0


def test_time_per_step_compares_single_sequences_of_one_kind(script: Any) -> None:
    row = {"part": "forward", "device": "cpu", "precision": "float32", "batch": 1}
    rows = [
        {**row, "length": 13_824, "ms": 13_824.0},
        {**row, "length": 108_000, "ms": 118_800.0},
        {**row, "length": 108_000, "batch": 4, "ms": 1.0},
        {**row, "length": 108_000, "device": "cuda", "ms": 1.0},
        {**row, "length": 108_000, "part": "detect", "not_measured": "no memory"},
    ]
    assert script("speed").ratios(rows) == {"forward, cpu, float32": pytest.approx(1.1)}


def test_one_part_alone_writes_nothing_into_the_results() -> None:
    before = {path: path.stat().st_mtime_ns for path in (FOLDER / "results").iterdir()}
    text = speed("--quick", "--only", "suppress")
    assert "| suppress | one class | 12,000 | 1 | float32 | cpu |" in text
    assert {path: path.stat().st_mtime_ns for path in (FOLDER / "results").iterdir()} == before


@pytest.mark.slow
def test_every_part_runs(tmp_path: Path, script: Any) -> None:
    speed("--quick", "--out", tmp_path)
    rows = json.loads((tmp_path / "speed.json").read_text("utf-8"))["rows"]
    assert {row["part"] for row in rows} == script("parts").PARTS.keys()
    missing = [row["not_measured"] for row in rows if "not_measured" in row]
    assert all(reason == "no CUDA device" or "../shared" in reason for reason in missing)
    measured = [row for row in rows if "floor_ms" in row]
    assert {row["part"] for row in measured} == {"forward", "plain", "detect", "train", "folder"}
    for row in measured:
        assert row["times_floor"] == pytest.approx(row["ms"] / row["floor_ms"])
        assert row["floor_ms"] == pytest.approx(1000 * row["gflop"] / max(row["gflops"].values()))
    assert (tmp_path / "speed.md").read_text("utf-8").count("\n| ") == len([r for r in rows if r["part"] != "product"])


def test_derived_settings_are_compared_over_the_seeds_that_both_have(script: Any) -> None:
    auto = {"hapt": [{"seed": 0, "average": 96.0}, {"seed": 1, "average": 98.0}], "gtea": [{"seed": 5, "average": 1.0}]}
    hand = {
        "hapt": [{"seed": seed, "average": 95.0 + seed} for seed in range(3)],
        "gtea": [{"seed": 0, "average": 2.0}],
    }
    *_, row = script("auto").table(auto, hand).splitlines()
    assert row == "| hapt | 0, 1 | 95.5 ± 0.7 | 97.0 ± 1.4 | +1.5 |"


def test_the_analysts_detections_find_an_action_each_whatever_the_order_of_classes(script: Any) -> None:
    analyst = script("analyst")
    first, second = analyst.CLASS_NAMES[:2]
    video = AnnotatedVideo("v", "test", 9.0, 15.0, np.array([[0.0, 2.0], [4.0, 6.0]]), np.array([0, 1]))
    segments = np.array([[0.0, 2.0], [0.0, 1.9], [4.0, 6.0], [4.0, 6.0]])
    found = Detections(segments, np.array([0.9, 0.8, 0.7, 0.6]), np.array([1, 1, 1, 0]), (second, first))
    assert analyst.hits(found, video) == 2  # the second one's action is taken, the third is of another class


def test_actions_are_named_by_verb_and_noun(script: Any) -> None:
    verbs = Detections([[0, 4]], [0.9], [0], ["cut"])
    nouns = Detections([[0, 4], [3, 9]], [0.4, 0.5], [0, 1], ["tomato", "cheese"])
    assert script("pairing").actions(verbs, nouns, 0.5).class_names == ("cut,tomato",)
    assert script("pairing").actions(verbs, nouns, 0.1).class_names == ("cut,cheese", "cut,tomato")


@pytest.mark.parametrize("preset", ["tadtr_hapt", "bmn_hapt", "gtad_hapt", "afsd_hapt"])
def test_a_step_is_timed_beside_its_products(script: Any, preset: str) -> None:
    found = script("steps").measure(preset, 1, quick=True)
    assert found["times_products"] > 0
    assert found["gmac_forward"] > 2 * 32 * 300 * 32 / 4e9  # the first map, which some have in four groups


def test_products_of_a_map_of_segments_by_hand(script: Any) -> None:
    """2 windows of 32 features, 32 channels: G-TAD's samples of 16 bins of both sources, 64 channels a segment."""
    module = script("steps")
    config = module.settings("gtad_hapt", quick=True)
    network = module.architecture_of(config).network()
    found = module.products_of(network, module.batch(config).features)
    assert (2 * 32, 32, 32 * 64) in found
    assert (2 * 32 * 32, 9 * 16, 16) in found  # a convolution of the map


def test_two_revisions_take_turns_and_are_compared_pair_by_pair(script: Any) -> None:
    against = script("against")
    order: list[str] = []

    def asked(side: str) -> str:
        order.append(side)
        return side

    sides = [partial(asked, side) for side in ("now", "before")]
    assert [against.in_turn(turn, *sides) for turn in (0, 1)] == [("now", "before")] * 2
    assert order == ["now", "before", "before", "now"]
    row = against.summary([(2.0, 1.0), (3.0, 3.0), (5.0, 10.0)])
    assert (row["now_ms"], row["before_ms"], row["ratio"]) == (3000, 3000, 1.0)
    assert (row["ratio_lower_quartile"], row["ratio_upper_quartile"]) == (0.5, 2.0)


def test_figures_of_people_are_means_and_bands_are_of_lengths(script: Any) -> None:
    people = script("people")
    videos = {
        name: AnnotatedVideo(name, "", 60.0, None, np.array(segments), np.zeros(len(segments), dtype=np.int64))
        for name, segments in {"exp01_user01": [[0.0, 2.0], [10.0, 20.0]], "exp02_user02": [[0.0, 2.0]]}.items()
    }
    every = Annotations(videos, ("walk",), "made")
    right = Detections(videos["exp01_user01"].segments, np.array([0.9, 0.8]), np.zeros(2, dtype=np.int64), ("walk",))
    wrong = Detections(np.array([[30.0, 40.0]]), np.array([0.7]), np.zeros(1, dtype=np.int64), ("walk",))
    found = people.figures(every, {1: {"exp01_user01": right}, 2: {"exp02_user02": wrong}})
    assert found["people"][1]["average"] == pytest.approx(100)
    assert found["people"][2]["average"] == 0
    assert found["mean"]["average"] == pytest.approx(50)
    assert found["actions_by_length"] == [2, 0, 1, 0, 0]
    assert found["normalised_by_length"][2] > found["normalised_by_length"][0]
    row = people.table({"tridet": found}).splitlines()[2]
    assert row.startswith("| tridet | ours | 50.0 |")


SMALL = ActionFormerSettings(
    input_dim=3, num_classes=2, width=16, embedding_layers=1, head_layers=1, window=5,
    stem_blocks=1, branch_blocks=1, regression_ranges=((0, 4), (4, 99)),
)  # fmt: skip


@pytest.mark.filterwarnings("ignore")  # of the exporter
@pytest.mark.parametrize(
    "engine", ["plain", *(pytest.param(one, marks=pytest.mark.slow) for one in ("onnxruntime", "openvino"))]
)
def test_an_engine_gives_the_same_outputs_as_ours(script: Any, tmp_path: Path, engine: str) -> None:
    engines, calls = script("engines"), script("engine_calls")
    torch.manual_seed(0)
    config, file = Config(model=SMALL), tmp_path / "small.onnx"
    task = calls.Task(build_network(SMALL).eval(), config, torch.randn(1, 37, 3), "float32", 1, file)
    with torch.inference_mode():
        try:
            call = calls.ENGINES[engine](task)
        except calls.LeftOutError as reason:
            pytest.skip(str(reason))
        expected = calls.ours(task)()
        assert [one.shape for one in expected] == [(1, 37, 2), (1, 19, 2)] * 2
        assert engines.difference(call(), expected) < engines.MOST_DIFFERENCE


def test_an_engine_that_gives_no_numbers_differs(script: Any) -> None:
    expected = [torch.zeros(1, 4, 2), torch.zeros(1, 2, 2)]
    found = [expected[0], torch.full((1, 2, 2), torch.nan)]
    assert not script("engines").difference(found, expected) <= 1e-4


def test_engines_are_told_beside_ours_in_the_same_numbers_and_int8_beside_float32(script: Any) -> None:
    taken = {
        ("ours", "float32"): [4.0, 2.0, 3.0],
        ("plain", "float32"): [3.0, 3.0, 9.0],
        ("ours", "bfloat16"): [1.0, 1.0, 1.0],
        ("plain", "bfloat16"): [5.0, 5.0, 5.0],
        ("openvino", "int8"): [1.0, 1.5, 2.0],
    }
    rows = script("engines").rows_of(taken, dict.fromkeys(taken, 0.0), 300)
    assert [row["ratio"] for row in rows] == [1, 1.5, 1, 5, 0.5]
    assert [row["spread"] for row in rows] == [1.5, 1, 1, 1, 1.5]
    assert rows[1] == {
        "features": 300, "engine": "plain", "dtype": "float32", "ratio": 1.5, "ms": 3000, "spread": 1,
        "largest_difference": 0,
    }  # fmt: skip


def test_a_sequence_goes_padded_through_an_engine_of_one_length(script: Any) -> None:
    accuracy = script("engine_accuracy")
    torch.manual_seed(0)
    network, features = build_network(SMALL).eval(), torch.randn(1, 37, 3)
    with torch.inference_mode():
        engine = accuracy.Padded(script("engine_calls").Flat(network), 64, (1, 2))
        found, expected = engine(features), network(features)
    for one, other in zip(found[:3], expected[:3], strict=True):
        torch.testing.assert_close(one, other)


def test_costs_are_added_up_and_rounded_to_two_digits(script: Any) -> None:
    large = {"backbone": "motion", "size": "1280x720", "decoding": 4.24, "preprocessing": 0.056, "network": 1234.0}
    small = large | {"size": "320x240", "decoding": 0.5}
    *_, line = script("extraction_costs").table([large, small]).splitlines()
    assert line == "| `motion` | 4.2, 0.50 | 0.06 | 1,200 | 1,200 |"


def test_what_is_measured_is_the_fastest_turn_per_thing_done(script: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    module, clock, lasting = script("extraction_costs"), [0.0], iter([9.0, 0.4, 0.2, 0.2, 0.8])
    monkeypatch.setattr(module.time, "process_time", lambda: clock[0])

    def work() -> int:
        clock[0] += next(lasting)
        return 4

    # The first does not count, and two calls of 0.2 s make a turn of at least 0.3 s
    assert module.seconds_each(work) == pytest.approx(0.05)
    lasting = iter([11.0])
    assert module.seconds_each(work) == pytest.approx(2.75)  # so long that it is the only one


def test_an_hour_of_a_backbone_without_weights(script: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    module = script("extraction_costs")
    monkeypatch.setattr(module, "AT_LEAST", 0.0)
    path = script("recordings").write_key_points(tmp_path / "points.csv", 1)
    found = module.minutes_of_an_hour(script("drawn_weights").loaded("keypoints", tmp_path), path, None)
    assert 0 < found["network"] < found["preprocessing"]
    assert found["decoding"] > 0
    assert module.minutes_of_an_hour(module.load_backbone("keypoints"), path, 7.0)["network"] == 7.0


def test_kept_runs_are_read_again_without_weights_and_folders(
    tmp_path: Path, run: Path, script: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = script("kept_runs")
    monkeypatch.setattr(kept, "RUNS", tmp_path / "kept")
    card = json.loads((run / CARD).read_text("utf-8"))
    annotations = Path(card["training"]["annotations"])
    placed = tmp_path / "made" / "tiny" / "seed0"
    shutil.copytree(run, placed)
    packed = kept.pack(placed, "made")
    assert packed.name == "tiny_seed0.tar.xz"
    assert kept.unpack("made", tmp_path / "again", annotations, there=[placed]) == []
    (again,) = kept.unpack("made", tmp_path / "again", annotations)
    assert (again / WEIGHTS).stat().st_size == 0
    assert json.loads((again / CARD).read_text("utf-8"))["training"]["annotations"] == annotations.name
    here, there = (read_evaluated(one, annotations) for one in (placed, again))
    assert there.result.maps == pytest.approx(here.result.maps, abs=0.01)
    assert there.card.training["features_hash"] == here.card.training["features_hash"]


def test_the_page_has_the_costs_of_a_million_hours_that_the_script_computes(script: Any) -> None:
    scale = script("scale")
    rows = scale.costs(script("common").read_result("extract")["parts"]["costs"]["rows"], read_speed(script))
    assert scale.table(rows) in (FOLDER.parent / "docs" / "scale.md").read_text("utf-8")
    motion = next(row for row in rows if (row.backbone, row.size) == ("motion", "320x240"))
    assert motion.terabytes == pytest.approx(1e6 * 3600 * 15 / 4 * 204 * 4 / 1e12)
    assert motion.days == pytest.approx(sum(motion.core_hours) / 24_000)


def read_speed(script: Any) -> Any:
    return script("common").read_result("speed")


@pytest.mark.slow
def test_a_job_on_a_cluster_survives_whatever_is_killed(script: Any, tmp_path: Path) -> None:
    pytest.importorskip("ray", reason="pip install 'actionformer-tal[cluster]'")
    found = script("cluster").survival(tmp_path, 300)
    assert found["processes_killed"] > 1
    assert (found["exit_code"], found["good_once"], found["broken_named"]) == (1, 291, 9)
    assert (found["good_lost"], found["good_twice"], found["good_named_broken"]) == (0, 0, 0)
    assert found["equal_to_detect_without_cluster"]
