"""Models that join several sources of features, each with a timing of its own."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from commands import Command, Refused

from actionformer import InputError, evaluate, extract, load, train
from actionformer.core.run_files import CARD, DETECTIONS
from actionformer.formats.detections import read_results
from actionformer.recipes.live import watch
from actionformer.recipes.search import Search
from actionformer.recipes.suggest import suggest
from actionformer.settings.config import Config
from actionformer.viewer.network import Network
from actionformer.viewer.opening import open_project
from actionformer.viewer.options import ViewerOptions

STEP = 0.2
"""Seconds between the rows of the second source."""


@pytest.fixture(scope="module")
def joined(tmp_path_factory: pytest.TempPathFactory, tiny: Config, annotations: Path, features: Path) -> Path:
    """A run on the features of others, and on three channels every 0.2 s; the latter are beside it, in `others`."""
    folder, drawn = tmp_path_factory.mktemp("joined"), np.random.default_rng(2)
    (folder / "others").mkdir()
    for name, video in json.loads(annotations.read_text("utf-8"))["database"].items():
        rows = drawn.standard_normal((round(video["duration"] / STEP), 3)).astype(np.float32)
        np.save(folder / f"others/{name}.npy", rows)
        (folder / f"others/{name}.json").write_text('{"fps": 50, "stride": 10, "num_frames": 10}', "utf-8")
    train(tiny, annotations, [features, folder / "others"], folder / "run")
    return folder


def test_a_model_remembers_its_sources_and_evaluates_on_them(joined: Path) -> None:
    known = json.loads((joined / "run" / CARD).read_text("utf-8"))["features"]
    assert known["dim"] == 9
    assert known["sources"] == [
        {"fps": 10, "stride": 5, "num_frames": 10, "dim": 6},
        {"fps": 50, "stride": 10, "num_frames": 10, "dim": 3},
    ]
    before = (joined / "run" / DETECTIONS).read_text("utf-8")
    evaluate(joined / "run")
    assert (joined / "run" / DETECTIONS).read_text("utf-8") == before


def test_what_a_model_is_names_its_sources(joined: Path, call: Command) -> None:
    said = call("info", joined / "run").out
    assert "source 1" in said
    assert "fps 50, stride 10, num_frames 10, dim 3" in said


def test_detection_joins_files_of_all_sources(joined: Path, features: Path, call: Command, tmp_path: Path) -> None:
    evaluated = read_results(joined / "run" / DETECTIONS)
    detector = load(joined / "run")
    for name, expected in evaluated.items():
        files = [features / f"{name}.npy", joined / f"others/{name}.npy"]
        found = detector.detect(files, duration=json.loads(files[0].with_suffix(".json").read_text()).get("duration"))
        assert len(found) == len(expected) > 0
    out = tmp_path / "found.json"
    assert call("detect", joined / "run", features, "--other-sources", joined / "others", "--out", out).code == 0
    found_at_once = read_results(out)
    assert found_at_once.keys() == {path.stem for path in features.glob("*.npy")}
    np.testing.assert_allclose(found_at_once[name].scores, found.scores, atol=1e-6)


def test_what_lacks_a_source_is_answered(joined: Path, features: Path, refused: Refused, tmp_path: Path) -> None:
    said = refused("detect", joined / "run", features / "video0.npy")
    assert "6 channels, but the model joins 2 sources of 6 and 3 channels: give the features of all of them" in said
    said = refused("detect", joined / "run", features, "--other-sources", joined / "others", joined / "others")
    assert "the model joins 2 sources: --other-sources takes 1 folder, found 2" in said
    shutil.copytree(joined / "others", tmp_path / "others")
    (tmp_path / "others/video1.npy").unlink()
    found = Search(load(joined / "run"), [features], other_sources=tmp_path / "others").found()
    assert list(found.failed) == [str(features / "video1.npy")]
    assert "no file of source 2 is called 'video1' in its folder of --other-sources" in next(
        iter(found.failed.values())
    )
    assert len(found.detections) == 5


def test_what_to_label_next_is_told_of_all_sources(joined: Path, features: Path, call: Command) -> None:
    with pytest.warns(UserWarning, match="is not calibrated"):
        said = suggest(joined / "run", [features], other_sources=joined / "others")
    assert (len(said.videos), said.failed) == (6, {})


def test_another_source_is_called_as_its_medium_calls_recordings(joined: Path, features: Path, tmp_path: Path) -> None:
    """DeepLabCut puts the name of its network behind that of the video."""
    run = shutil.copytree(joined / "run", tmp_path / "run")
    card = json.loads((run / CARD).read_text("utf-8"))
    card["features"]["sources"][1]["backbone"] = "keypoints:a/b"
    (run / CARD).write_text(json.dumps(card), "utf-8")
    (tmp_path / "others").mkdir()
    for file in (joined / "others").iterdir():
        shutil.copy(file, tmp_path / f"others/{file.stem}DLC_resnet50_mouseJun1shuffle1_1000{file.suffix}")
    found = Search(load(run), [features], other_sources=tmp_path / "others").found()
    assert (len(found.detections), found.failed) == (6, {})


def test_other_timing_of_a_source_is_refused(joined: Path, features: Path, tmp_path: Path) -> None:
    shutil.copytree(joined / "others", tmp_path / "others")
    for sidecar in (tmp_path / "others").glob("*.json"):
        np.save(sidecar.with_suffix(".npy"), np.load(sidecar.with_suffix(".npy"))[::2])
        sidecar.write_text('{"fps": 50, "stride": 20, "num_frames": 20}', "utf-8")
    with pytest.raises(
        InputError, match=r"source 2: features of fps 50, stride 20, num_frames 20, the model was trained"
    ):
        evaluate(joined / "run", features=[features, tmp_path / "others"])


def test_a_stream_joins_rows_as_they_come(joined: Path, features: Path) -> None:
    detector = load(joined / "run")
    files = [features / "video1.npy", joined / "others/video1.npy"]
    whole = detector.detect(files)
    joiner, stream = detector.joiner(), detector.stream(max_action_seconds=20, max_per_hour=100_000)
    first, second = (np.load(file) for file in files)
    parts = [stream.push(rows) for rows in (joiner.push(first[:50], second[:90]), joiner.push(first[50:], second[90:]))]
    if len(rest := joiner.finish()):
        parts.append(stream.push(rest))
    parts.append(stream.finish())
    assert stream.length == len(first)
    times = np.concatenate([part.segments for part in parts])
    assert min(abs(times - whole.segments[0]).sum(axis=1)) < 1e-3  # the best of all


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, seen: Path, videos: Path) -> Path:
    """A run on pictures and readings; beside it the `readings`, and `windows`, the features of them."""
    folder = tmp_path_factory.mktemp("recordings")
    (folder / "readings").mkdir()
    for number, video in enumerate(sorted(videos.glob("*.mp4"))):
        rows = np.random.default_rng(number).standard_normal((125, 2))
        times = np.arange(125) / 20
        table = "\n".join(f"{time:.2f},{one:.5f},{two:.5f}" for time, (one, two) in zip(times, rows, strict=True))
        (folder / f"readings/{video.stem}.csv").write_text(f"time,left,right\n{table}\n", "utf-8")
    extract(folder / "readings", "windows:left,right", folder / "windows", fps=20, num_frames=10, stride=5, workers=0)
    config = Config().replace(
        model={"width": 16, "num_heads": 2, "branch_blocks": 1, "regression_ranges": [[0, 4], [4, 1000]]},
        data={"test_subset": ["training"]},
        training={"epochs": 1, "warmup_epochs": 1, "evaluate_every": 0},
    )
    train(config, seen / "annotations.json", [seen / "features", folder / "windows"], folder / "run")
    return folder


class TestRecordings:
    """A model of pictures and of readings, whose features it makes itself."""

    def test_features_of_each_source_are_made_of_its_own_file(
        self, made: Path, seen: Path, videos: Path, call: Command, tmp_path: Path
    ) -> None:
        arguments = ("--other-sources", made / "readings", "--features-out", tmp_path / "made")
        assert call("detect", made / "run", videos, *arguments, "--out", tmp_path / "raw.json").code == 0
        assert (
            call(
                "detect",
                made / "run",
                seen / "features",
                "--other-sources",
                made / "windows",
                "--out",
                tmp_path / "made.json",
            ).code
            == 0
        )
        raw, found = (read_results(tmp_path / f"{name}.json") for name in ("raw", "made"))
        assert raw.keys() == found.keys()
        for name, one in raw.items():
            np.testing.assert_array_equal(one.scores, found[name].scores)
        assert sorted(path.name for path in (tmp_path / "made").iterdir()) == ["source_1", "source_2"]

    def test_a_file_without_the_other_source_is_answered(self, made: Path, videos: Path) -> None:
        with pytest.raises(InputError, match=r"clip0\.mp4"):
            load(made / "run").detect_video(videos / "clip0.mp4")

    def test_readings_are_not_looked_for_in_a_video(self, made: Path, videos: Path, refused: Refused) -> None:
        said = refused("detect", made / "run", videos / "clip0.mp4")
        assert "clip0.mp4: source 2 of the model (windows:left,right) is not in such a file" in said
        assert "give the folder of its tables of readings, or of their features, with --other-sources" in said

    def test_what_is_wrong_is_said_of_the_file_that_has_it(self, made: Path, videos: Path, tmp_path: Path) -> None:
        table = tmp_path / "clip0.csv"
        lines = (made / "readings/clip0.csv").read_text("utf-8").splitlines()
        table.write_text("\n".join(lines[:26]), "utf-8")
        with pytest.raises(InputError, match=r"clip0\.mp4 covers .* and \S+clip0\.csv 0\.00 to 1\.\d+ s") as raised:
            Search(load(made / "run"), [videos / "clip0.mp4"], other_sources=table).found()
        assert "source_2" not in str(raised.value)
        table.write_text("\n".join([*lines[:9], "0.4,x,1", *lines[10:]]), "utf-8")
        with pytest.raises(InputError, match=r"clip0\.mp4: \S+clip0\.csv: "):
            Search(load(made / "run"), [videos / "clip0.mp4"], other_sources=table).found()

    def test_no_live_source_gives_both(self, made: Path, videos: Path) -> None:
        with pytest.raises(InputError, match="joins 2 sources, which cannot be followed live"):
            watch(made / "run", videos / "clip0.mp4")


def test_the_page_looks_at_all_sources(joined: Path) -> None:
    network = Network(open_project(ViewerOptions(joined / "run")))
    assert network.sequence("video4").features.shape[1] == 9
    assert len(network.levels("video4")["levels"]) == len(read_results(joined / "run" / DETECTIONS)["video4"])
