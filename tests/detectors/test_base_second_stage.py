"""The contract is enough for a second stage: proposals come with every sequence, from a file or from a model."""

import json
import shutil
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose
from safetensors.torch import load_file
from stopping import stopped_in_epoch

from actionformer import Detections, load
from actionformer.core.errors import InputError
from actionformer.detectors import index
from actionformer.formats.detections import read_results, write_results
from actionformer.recipes import costs
from actionformer.recipes.compare import compare
from actionformer.recipes.proposals import Proposer, source_of
from actionformer.recipes.train import train
from actionformer.settings.config import Config
from actionformer.viewer.opening import open_project
from actionformer.viewer.options import ViewerOptions
from actionformer.viewer.project import UnavailableError
from actionformer.viewer.start import services_for


@pytest.fixture(scope="module", autouse=True)
def known() -> Iterator[None]:
    """The index of detectors with a second stage."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(index.SETTINGS, "judging", "judging.JudgingSettings")
        patch.setitem(index.ARCHITECTURES, "judging", "judging.Judging")
        yield


@pytest.fixture(scope="module")
def config(known: None, tiny: Config) -> Config:
    return tiny.replace(
        model={"detector": "judging"}, training={"epochs": 2, "warmup_epochs": 1}, suppression={"method": "hard"}
    )


@pytest.fixture(scope="module")
def proposals(tmp_path_factory: pytest.TempPathFactory, annotations: Path) -> Path:
    """Of each video its actions, a little beside where they are, and some other spans."""
    rng, found = np.random.default_rng(3), {}
    for name, video in json.loads(annotations.read_text("utf-8"))["database"].items():
        actions = np.array([one["segment"] for one in video["annotations"]]).reshape(-1, 2)
        starts = rng.uniform(0, video["duration"] - 4, 5)
        spans = np.concatenate([actions + rng.normal(0, 0.2, actions.shape), np.stack((starts, starts + 3), 1)])
        spans = np.sort(spans.clip(0, video["duration"]), axis=1)
        found[name] = Detections(spans, np.ones(len(spans)), np.zeros(len(spans), np.int64), ["action"])
    path = tmp_path_factory.mktemp("proposals") / "proposals.json"
    write_results(path, found)
    return path


def trained_on(config: Config, annotations: Path, features: Path, out: Path, proposals: Any, **options: Any) -> Path:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # two epochs teach little
        train(config, annotations, features, out, proposals=proposals, **options)
    return out


@pytest.fixture(scope="module")
def of_file(
    tmp_path_factory: pytest.TempPathFactory, config: Config, annotations: Path, features: Path, proposals: Path
) -> Path:
    """A run that learned from a file of proposals."""
    return trained_on(config, annotations, features, tmp_path_factory.mktemp("file") / "run", proposals)


@pytest.fixture(scope="module")
def of_model(
    tmp_path_factory: pytest.TempPathFactory, config: Config, annotations: Path, features: Path, trained: Path
) -> Path:
    """A run that learned from what another run proposes."""
    return trained_on(config, annotations, features, tmp_path_factory.mktemp("model") / "run", trained)


def same(one: Detections, other: Detections) -> None:
    assert len(one) == len(other) > 0
    assert_allclose(one.segments, other.segments, atol=1e-4)
    assert_allclose(one.scores, other.scores, atol=1e-5)


def weights(run: Path) -> Mapping[str, Any]:
    return load_file(run / "model.safetensors")


def test_a_run_remembers_its_proposals(of_file: Path, of_model: Path, proposals: Path, trained: Path) -> None:
    cards = [json.loads((run / "model.json").read_text("utf-8"))["training"] for run in (of_file, of_model)]
    assert cards[0]["proposals"] == str(proposals)
    assert "proposals" not in cards[1]
    assert not (of_file / "proposer").exists()
    for folder in (of_model, of_model / "best"):
        for name in ("config.toml", "model.safetensors"):
            assert (folder / "proposer" / name).read_bytes() == (trained / name).read_bytes()


def test_it_judges_what_it_is_given(of_file: Path, features: Path, proposals: Path) -> None:
    """Detections lie around proposals, of a file as of an array; order, classes and scores do not count."""
    detector, given = load(of_file), read_results(proposals)["video4"]
    found = detector.detect(features / "video4.npy", proposals=given)
    same(found, detector.detect(features / "video4.npy", proposals=given.segments[::-1]))
    around = np.abs(found.segments[:, None] - given.segments).max(2).min(1)
    assert around.max() <= 0.1 * np.diff(given.segments).max() + 1e-3  # its ends move by a tenth of the length
    assert around.max() > 0
    assert len(detector.detect(features / "video4.npy", proposals=np.empty((0, 2)))) == 0


def test_videos_alone_and_beside_others(of_file: Path, features: Path, proposals: Path) -> None:
    detector, given = load(of_file), read_results(proposals)
    items = {name: {"features": features / f"{name}.npy", "proposals": one} for name, one in given.items()}
    together = detector.detect_many(items, batch_size=3)
    for name in given:
        same(together[name], detector.detect(features / f"{name}.npy", proposals=given[name].segments))


def test_its_own_proposer_is_asked_where_nothing_is_given(of_model: Path, features: Path, trained: Path) -> None:
    detector, proposer = load(of_model), load(trained)
    given = proposer.detect(features / "video4.npy")
    same(detector.detect(features / "video4.npy"), detector.detect(features / "video4.npy", proposals=given))
    same(detector.detect_many({"a": np.load(features / "video4.npy")})["a"], detector.detect(features / "video4.npy"))


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ([[1.0, 2.0, 3.0]], r"\(N, 2\) starts and ends in seconds, found shape \(1, 3\)"),
        ([[1.0, 2.0], [np.nan, 3.0]], "proposal 1 is .*finite numbers"),
        ([[1.0, np.inf]], "proposal 0 is .*finite numbers"),
        ([[3.0, 2.0]], "proposal 0: segment .* ends before it starts"),
        ([[1.0, 2e9]], "proposal 0: .*count in seconds"),
        ([["one", "two"]], "in seconds"),
    ],
)
def test_proposals_that_cannot_be(of_file: Path, features: Path, given: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        load(of_file).detect(features / "video4.npy", proposals=given)


def test_proposals_outside_of_the_video_or_without_length_are_left_out_and_told(of_file: Path, features: Path) -> None:
    """The video ends at 25.5 s."""
    detector = load(of_file)
    with pytest.warns(UserWarning, match="2 of 4 proposals cover nothing of the video"):
        found = detector.detect(features / "video4.npy", proposals=np.array([[2, 5], [20, 40], [30, 40], [7, 7]]))
    same(found, detector.detect(features / "video4.npy", proposals=np.array([[2, 5], [20, 25.5]])))


def test_who_takes_none_says_so(
    refused: Callable[..., Any],
    tmp_path: Path,
    trained: Path,
    features: Path,
    tiny: Config,
    annotations: Path,
    proposals: Path,
) -> None:
    with pytest.raises(InputError, match=r"actionformer: finds segments by itself .*leave --proposals out"):
        load(trained).detect(features / "video4.npy", proposals=np.array([[1.0, 2.0]]))
    with pytest.raises(InputError, match="actionformer: finds segments by itself"):
        train(tiny, annotations, features, tmp_path / "run", proposals=proposals)
    given = ("--annotations", annotations, "--features", features, "--out", tmp_path / "runs", "--proposals", proposals)
    assert "actionformer: finds segments by itself" in refused("compare", "actionformer,tridet", *given)


def test_who_needs_some_says_so(
    tmp_path: Path, of_file: Path, config: Config, annotations: Path, features: Path
) -> None:
    with pytest.raises(InputError, match="judges proposals of segments, and nobody gives any: give --proposals"):
        load(of_file).detect(features / "video4.npy")
    with pytest.raises(InputError, match="nobody gives any"):
        train(config, annotations, features, tmp_path / "run")
    assert not (tmp_path / "run" / "model.json").exists()


def test_a_run_goes_on_where_it_was_stopped(
    tmp_path: Path, of_file: Path, config: Config, annotations: Path, features: Path, proposals: Path
) -> None:
    with stopped_in_epoch(2):
        trained_on(config, annotations, features, tmp_path / "run", proposals)
    trained_on(config, annotations, features, tmp_path / "run", proposals, resume=True)
    assert all((weights(tmp_path / "run")[name] == one).all() for name, one in weights(of_file).items())


@pytest.mark.parametrize("data", [{"window": 24}, {"resize": 32, "crop_ratio": [1.0, 1.0]}])
def test_windows_and_resized_sequences_take_proposals_in_seconds(
    tmp_path: Path, config: Config, annotations: Path, features: Path, proposals: Path, data: dict[str, Any]
) -> None:
    detector = load(trained_on(config.replace(data=data), annotations, features, tmp_path / "run", proposals))
    given = read_results(proposals)["video4"].segments
    found = detector.with_settings(suppression={"max_detections": 1000}).detect(
        features / "video4.npy", proposals=given
    )
    apart = np.abs(found.segments[:, None] - given).max(2)
    assert (apart.min(1) <= 0.1 * np.diff(given)[apart.argmin(1), 0] + 1e-3).all()
    judged = detector.with_settings(suppression={"method": "none"}, decoding={"min_probability": 0.0})
    assert len(judged.detect(features / "video4.npy", proposals=given)) == 2 * len(given)  # each by both classes


@pytest.mark.parametrize("other", ["file", "model"])
def test_a_run_goes_on_with_its_own_proposals_alone(
    tmp_path: Path,
    of_file: Path,
    config: Config,
    annotations: Path,
    features: Path,
    proposals: Path,
    trained: Path,
    other: str,
) -> None:
    content = json.loads(proposals.read_text("utf-8"))
    content["results"]["video0"][0]["segment"][1] += 0.25
    (tmp_path / "other.json").write_text(json.dumps(content), "utf-8")
    run = shutil.copytree(of_file, tmp_path / "run")
    given = tmp_path / "other.json" if other == "file" else trained
    with pytest.raises(InputError, match="was trained on other proposals: a run can only resume unchanged"):
        trained_on(config, annotations, features, run, given, resume=True)
    trained_on(config, annotations, features, run, shutil.copy(proposals, tmp_path / "moved.json"), resume=True)


def test_a_run_is_made_again_without_losing_what_proposes(
    tmp_path: Path, of_model: Path, config: Config, annotations: Path, features: Path
) -> None:
    run = shutil.copytree(of_model, tmp_path / "run")
    with pytest.raises(InputError, match=r"lies in .*run, which is written anew: copy it elsewhere"):
        trained_on(config, annotations, features, run, run / "proposer", overwrite=True)
    assert (run / "proposer" / "model.json").is_file()
    trained_on(config, annotations, features, run, run / "proposer", resume=True)


def test_proposals_that_do_not_fit_the_videos(
    tmp_path: Path, config: Config, annotations: Path, features: Path, proposals: Path
) -> None:
    every = read_results(proposals)

    def refusal(given: Any) -> str:
        with pytest.raises(InputError) as error:
            trained_on(config, annotations, features, tmp_path / "run", given)
        return str(error.value)

    few = {name: one for name, one in every.items() if name != "video1"}
    assert "1 of 4 videos has no proposals: video1" in refusal(few)
    named = refusal({name.upper(): one for name, one in every.items()})
    assert "4 of 4 videos have no proposals" in named
    assert "upper and lower case" in named
    late = {name: one.segments + 1000 for name, one in every.items()}
    assert "no proposal lies in its video: times count in seconds" in refusal(late)
    assert "nothing is left to judge" in refusal({name: np.empty((0, 2)) for name in every})
    assert "video 'video0': proposal 0 is" in refusal({**every, "video0": [[np.nan, 1]]})
    assert "is not there" in refusal(tmp_path / "none.json")


def test_videos_in_which_nothing_is_proposed_are_told_once(
    tmp_path: Path, config: Config, annotations: Path, features: Path, proposals: Path
) -> None:
    given: dict[str, Any] = dict(read_results(proposals))
    given |= {"video2": np.empty((0, 2)), "video3": [[1.0, 2.0], [900.0, 901.0]]}
    with pytest.warns(UserWarning, match="proposals") as told:
        train(config, annotations, features, tmp_path / "run", proposals=given)
    said = [str(one.message) for one in told if str(one.message).startswith("proposals: ")]
    assert len(said) == 2
    assert "1 of" in said[0]
    assert "proposals covers nothing of the video, and nothing is judged there; videos video3" in said[0]
    assert "1 of 4 videos has no proposals, and nothing will be found there: video2" in said[1]


def other_features(folder: Path, features: Path, **changes: Any) -> Path:
    """The same features with another sidecar, or without the last channels."""
    width = changes.pop("width", None)
    folder.mkdir()
    for path in features.glob("*.npy"):
        np.save(folder / path.name, np.load(path)[:, :width])
        sidecar = json.loads(path.with_suffix(".json").read_text("utf-8"))
        (folder / f"{path.stem}.json").write_text(json.dumps(sidecar | changes), "utf-8")
    return folder


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"width": 4}, "looks at 6 channels, the features to propose in have 4: propose with a model of the same"),
        ({"num_frames": 5}, "to propose in: features of .*--other-timing"),
    ],
)
def test_what_proposes_looks_at_the_same_features(
    tmp_path: Path,
    config: Config,
    annotations: Path,
    features: Path,
    trained: Path,
    changes: dict[str, Any],
    message: str,
) -> None:
    others = other_features(tmp_path / "features", features, **changes)
    with pytest.raises(InputError, match=message):
        trained_on(config, annotations, others, tmp_path / "run", trained)


def test_verbs_take_a_run_that_has_its_proposer(
    call: Callable[..., Any], refused: Callable[..., Any], of_model: Path, features: Path, tmp_path: Path
) -> None:
    run = shutil.copytree(of_model, tmp_path / "run")
    assert call("evaluate", run).code == 0
    described = call("info", run).out
    assert "of actionformer, in proposer/" in described
    out = tmp_path / "found.json"
    assert call("detect", run, features / "video4.npy", "--out", out).code == 0
    same(read_results(out)["video4"], load(run).detect(features / "video4.npy"))
    assert "proposals, which are found in whole videos" in refused("watch", run, features / "video4.npy")
    live = refused("detect", run, features / "video4.npy", "--max-action-seconds", 10)
    assert "proposals, which are found in whole videos" in live
    assert call("suggest", run, video := features / "video4.npy").code == 0
    assert "8 actions in 2 videos: too few to calibrate on" in refused("calibrate", run)
    assert len(load(run / "best").detect(video))


def test_verbs_take_a_run_of_a_file(
    call: Callable[..., Any],
    refused: Callable[..., Any],
    of_file: Path,
    trained: Path,
    proposals: Path,
    features: Path,
    tmp_path: Path,
) -> None:
    run, video, out = shutil.copytree(of_file, tmp_path / "run"), features / "video4.npy", tmp_path / "found.json"
    assert call("evaluate", run).code == 0  # with the file that it was trained with
    assert call("evaluate", run, "--proposals", trained).code == 0
    assert "not its own: --proposals gives them" in call("info", run).out
    assert "nobody gives any: give --proposals" in refused("detect", run, video)
    assert call("detect", run, video, "--proposals", proposals, "--out", out).code == 0
    same(read_results(out)["video4"], load(run).detect(video, proposals=read_results(proposals)["video4"]))
    assert call("detect", run, video, "--proposals", trained, "--out", out, "--overwrite").code == 0
    same(read_results(out)["video4"], load(run).detect(video, proposals=load(trained).detect(video)))
    assert "nobody gives any" in refused("suggest", run, video)
    assert call("suggest", run, video, "--proposals", proposals).code == 0
    write_results(tmp_path / "few.json", {"video1": read_results(proposals)["video1"]})
    named = refused("detect", run, video, "--proposals", tmp_path / "few.json")
    assert "video4.npy" in named
    assert "1 of 1 video" in named
    assert "finds segments by itself" in refused("detect", trained, video, "--proposals", proposals)
    assert "finds segments by itself" in refused("evaluate", trained, "--proposals", proposals)


def test_a_job_goes_on_with_the_same_proposals_alone(
    call: Callable[..., Any],
    refused: Callable[..., Any],
    of_file: Path,
    trained: Path,
    proposals: Path,
    features: Path,
    tmp_path: Path,
) -> None:
    job = ("detect", of_file, features / "video4.npy", features / "video5.npy", "--out", tmp_path / "found.jsonl")
    assert call(*job, "--proposals", proposals).code == 0
    lines = (tmp_path / "found.jsonl").read_text("utf-8").splitlines(keepends=True)
    (tmp_path / "found.jsonl").write_text(lines[0], "utf-8")
    assert "proposals" in refused(*job, "--proposals", trained, "--resume")
    assert call(*job, "--proposals", proposals, "--resume").code == 0
    assert set(read_results(tmp_path / "found.jsonl")) == {"video4", "video5"}


def run_without(run: Path, copy: Path, proposals: Path | None) -> Path:
    """A copy of a run whose description names other proposals, or none."""
    shutil.copytree(run, copy)
    card = json.loads((copy / "model.json").read_text("utf-8"))
    card["training"]["proposals"] = None if proposals is None else str(proposals)
    (copy / "model.json").write_text(json.dumps(card), "utf-8")
    return copy


def test_the_page_shows_what_it_judges(of_file: Path, of_model: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.json"
    write_results(other, {"video1": Detections(np.ones((1, 2)), np.ones(1), np.zeros(1, np.int64), ["action"])})
    without = {
        run_without(of_file, tmp_path / "unknown", None): "judges proposals of a file, and does not say which",
        run_without(of_file, tmp_path / "lost", tmp_path / "gone.json"): r"gone\.json, which is not there: put it back",
        run_without(of_file, tmp_path / "other", other): "videos has no proposals: video4",
    }
    for run in (of_file, of_model, *without):
        with closing(services_for(open_project(ViewerOptions(run, (), None, None, None, None)))) as services:
            network = services.network()
            if run in without:
                with pytest.raises(UnavailableError, match=without[run]):
                    network.candidates("video4", 0.0, 10.0, 3)
                continue
            assert network.candidates("video4", 0.0, 25.0, 3)["candidates"]
            assert network.suppression("video4", 0.0, 25.0, 3, {})["steps"]
            assert len(network.levels("video4")["levels"])
            with pytest.raises(UnavailableError, match=r"levels of a pyramid .* which \w+ does not have"):
                network.scores("video4", 5, None, None)


def test_it_is_compared_with_detectors_that_take_no_proposals(
    monkeypatch: pytest.MonkeyPatch,
    annotations: Path,
    features: Path,
    tmp_path: Path,
    tiny: Config,
    config: Config,
    trained: Path,
    of_model: Path,
) -> None:
    monkeypatch.setattr(costs, "_peak_mib", lambda *_: None)  # its process does not know this detector
    for name, one in (("judging", config), ("plain", tiny)):
        (tmp_path / f"{name}.toml").write_text(one.to_toml(), "utf-8")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        report = compare(
            [str(tmp_path / "judging.toml"), str(tmp_path / "plain.toml")],
            annotations=annotations,
            features=features,
            out=tmp_path / "runs",
            proposals=trained,
            seeds=1,
            draws=10,
        )
    costs_of = {one.name: one.costs for one in report.entries}
    judging, plain = costs_of["judging"], costs_of["plain"]
    assert judging is not None
    assert plain is not None
    assert judging.parameters == plain.parameters + sum(one.numel() for one in load(of_model).model.parameters())
    assert judging.multiply_adds is not None
    assert plain.multiply_adds is not None
    assert judging.multiply_adds > plain.multiply_adds  # of what proposes, too


def test_folds_judge_what_is_proposed(
    call: Callable[..., Any], config: Config, all_training: Path, features: Path, trained: Path, tmp_path: Path
) -> None:
    (tmp_path / "judging.toml").write_text(config.to_toml(), "utf-8")
    given = ("--annotations", all_training, "--features", features, "--out", tmp_path / "folds", "--folds", 2)
    done = call("train", tmp_path / "judging.toml", *given, "--proposals", trained)
    assert done.code == 0
    assert f"{trained}: has learned from" in done.err  # some of what each fold is evaluated on
    assert (tmp_path / "folds" / "fold_2" / "proposer" / "model.json").is_file()
    found = tmp_path / "folds" / "detections.json"  # of models that have not learned from the video: proposals, too
    assert len(read_results(found)) == 6
    run = trained_on(config, all_training, features, tmp_path / "run", found, validation=0.34)
    assert json.loads((run / "model.json").read_text("utf-8"))["training"]["proposals"] == str(found)


def test_figures_of_videos_that_the_proposer_learned_from_are_told(
    tmp_path: Path, config: Config, annotations: Path, features: Path, trained: Path
) -> None:
    """Once the videos that it learned from can no longer be read, nothing is known."""
    proposer, on_training = shutil.copytree(trained, tmp_path / "proposer"), {"test_subset": ["training"]}
    with pytest.warns(UserWarning, match=r"proposer: has learned from 4 of 4 videos that figures are of"):
        train(config.replace(data=on_training), annotations, features, tmp_path / "run", proposals=proposer)
    source = source_of(proposer)
    assert isinstance(source, Proposer)
    assert "video4" not in source.learned()  # it was held out
    card = source.detector.card
    source.detector.card = replace(card, training={**card.training, "annotations": str(tmp_path / "gone.json")})
    assert not source.learned()


def test_a_proposer_without_its_card_is_refused(refused: Callable[..., Any], of_model: Path, tmp_path: Path) -> None:
    run = shutil.copytree(of_model, tmp_path / "run")
    (run / "proposer" / "model.json").unlink()
    with pytest.raises(InputError, match=r"proposer: no model directory, model\.json is not there"):
        load(run)
    assert "model.json is not there" in refused("info", run)


def test_new_videos_need_nothing_but_the_run(
    tmp_path: Path, config: Config, seen: Path, videos: Path, call: Callable[..., Any]
) -> None:
    settings = config.replace(data={"test_subset": ["training"]})
    run = trained_on(settings, seen / "annotations.json", seen / "features", tmp_path / "run", seen / "run")
    clip = videos / "clip2.mp4"
    found = load(run).detect_video(clip)
    proposed = load(seen / "run").detect_video(clip)
    same(found, load(run).detect_video(clip, proposals=proposed))
    assert call("detect", run, clip, "--out", tmp_path / "found.json").code == 0
    same(read_results(tmp_path / "found.json")["clip2"], found)
