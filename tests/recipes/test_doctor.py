"""Faults that people plant are each named by the doctor, and sane data are not."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from commands import Command, Refused
from moving import ACTIONS, SECONDS
from planting import CLASSES, Planted, sane

from actionformer.checks.report import DoctorReport
from actionformer.core.errors import InputError
from actionformer.recipes.advise import advise
from actionformer.recipes.doctor import doctor

PAGE = Path(__file__).resolve().parents[2] / "docs" / "doctor.md"
Plant = Callable[[Planted], Any]


@pytest.fixture
def data(tmp_path: Path) -> Planted:
    return sane(tmp_path / "data")


def examine(data: Planted, **settings: Any) -> DoctorReport:
    return doctor(data.annotations, features=data.features, settings=settings)


def kinds(report: DoctorReport) -> set[str]:
    return {finding.kind for finding in report.findings}


def relabel(data: Planted, name: str, other: str, count: int | None = None) -> None:
    named = [action for action in data.actions() if action["label"] == name]
    for action in named[:count]:
        action["label"] = other


def subset(data: Planted, name: str, *ids: str) -> None:
    for id_ in ids:
        data.database[id_]["subset"] = name


def lasting(data: Planted, seconds: float, every: int = 1) -> None:
    for action in data.actions()[::every]:
        action["segment"] = [action["segment"][0], action["segment"][0] + seconds]


def swapped_in_one(data: Planted) -> None:
    for action in data.database["video_03"]["annotations"]:
        action["segment"].reverse()


def frames(data: Planted) -> None:
    data.each_time(lambda time: round(30 * time))


def under_another_id(data: Planted, id_: str, other: str, subset: str) -> None:
    data.save(other, data.array(id_))
    data.database[other] = {**data.database[id_], "subset": subset}


def dead(array: Any) -> Any:
    array[:, 3:6] = 0
    return array


def not_a_number(array: Any) -> Any:
    array[11, 2] = np.nan
    return array


def rate_off(data: Planted) -> None:
    """Features of 30 frames a second that say 25; labels are right."""
    data.sidecars(fps=25)
    data.each_time(lambda time: time, durations=False)


def half_labelled(data: Planted) -> None:
    video = data.database["video_04"]
    video["annotations"] = [one for one in video["annotations"] if one["segment"][1] < 0.4 * video["duration"]]


def noisy_copy(data: Planted) -> None:
    array = data.array("video_01")
    under_another_id(data, "video_01", "other", "validation")
    data.save(
        "other", array + np.float32(0.05) * np.random.default_rng(1).standard_normal(array.shape).astype(np.float32)
    )
    data.database["other"]["annotations"] = data.database["other"]["annotations"][1:]


def numbered_typo(data: Planted) -> None:
    for action in data.actions():
        action["label_id"] = CLASSES.index(action["label"])
    relabel(data, "jump", "jmup", 2)


def typo_in_test(data: Planted) -> None:
    tested = [action for id_ in data.test for action in data.database[id_]["annotations"]]
    next(action for action in tested if action["label"] == "jump")["label"] = "jmup"


def no_sidecars(data: Planted) -> None:
    for path in data.features.glob("*.json"):
        path.unlink()


def other_backbone(data: Planted) -> None:
    data.sidecars(backbone="motion")
    data.save("video_05", data.array("video_05"), backbone="slowfast")


def everywhere(change: Callable[[Any], Any]) -> Plant:
    def plant(data: Planted) -> None:
        for id_ in data.database:
            data.change(id_, change)

    return plant


def renamed(data: Planted, old: str, new: str) -> None:
    for ending in (".npy", ".json"):
        (data.features / f"{old}{ending}").rename(data.features / f"{new}{ending}")


FAULTS: dict[str, tuple[Plant, str, str]] = {
    "rate off by a factor": (lambda d: d.sidecars(fps=15), "duration", "stride 2 or fps 30 would fit"),
    "another stride": (lambda d: d.sidecars(stride=8), "duration", "stride 4 or fps 60 would fit"),
    "another stride in one file": (lambda d: d.save("video_02", d.array("video_02")[::2]), "duration", "'video_02'"),
    "starts and ends swapped": (
        lambda d: [action["segment"].reverse() for action in d.actions()],
        "swapped",
        "are the columns of start and end swapped?",
    ),
    "swapped in one video": (swapped_in_one, "swapped", "in 'video_03'"),
    "times from another start": (lambda d: d.each_time(lambda t: t + 100), "outside", "counted from another start"),
    "times a little late": (lambda d: d.each_time(lambda t: t + 4), "alignment", "about 4 s too late"),
    "times early": (lambda d: d.each_time(lambda t: max(t - 2, 0)), "alignment", "about 2 s too early"),
    "rate off without durations": (rate_off, "alignment", "about 0.833 times"),
    "half of a video without labels": (half_labelled, "unlabelled", "video_04 ("),
    "a video without labels": (lambda d: d.database["video_04"].update(annotations=[]), "unlabelled", "video_04 (0.0"),
    "columns shifted": (lambda d: d.change("video_05", lambda x: np.roll(x, 5, 1)), "reordered", "(moved by 5)"),
    "ms": (lambda d: d.each_time(lambda t: 1000 * t), "outside", "in ms"),
    "ms without durations": (lambda d: d.each_time(lambda t: 1000 * t, durations=False), "outside", "in ms"),
    "frames": (frames, "outside", "in frames"),
    "minutes": (lambda d: d.each_time(lambda t: t / 60), "early", "in minutes"),
    "typo in a subset": (lambda d: subset(d, "trainign", "video_03"), "mistyped_subset", "did you mean 'training'?"),
    "two words for a subset": (lambda d: subset(d, "train", "video_03"), "mistyped_subset", "'train', did you mean"),
    "short for a subset": (lambda d: subset(d, "val", *d.test[1:]), "mistyped_subset", "did you mean 'validation'?"),
    "case of a label": (lambda d: relabel(d, "jump", "Jump", 2), "spelling", "'Jump'"),
    "typo in a label": (lambda d: relabel(d, "jump", "jmup", 2), "typo", "'jmup' (2) of 'jump'"),
    "typo in a label of the test subset": (typo_in_test, "typo", "'jmup' (1) of 'jump'"),
    "typo in a numbered label": (numbered_typo, "label_id", "elsewhere to"),
    "typo beside a number": (numbered_typo, "typo", "'jmup' (2) of 'jump'"),
    "blank in a label": (lambda d: relabel(d, "throw ball", "throw_ball", 2), "spelling", "'throw_ball'"),
    "leak of a video": (lambda d: under_another_id(d, "video_01", "other", "validation"), "leak", "other and video_01"),
    "leak of a video with some noise": (noisy_copy, "leak", "nearly same features"),
    "one video twice": (lambda d: under_another_id(d, "video_01", "other", "training"), "twins", "other and video_01"),
    "same id, another case": (
        lambda d: under_another_id(d, "video_01", "Video_01", "validation"),
        "leak",
        "same name",
    ),
    "empty class": (
        lambda d: [action.update(label_id=2 * CLASSES.index(action["label"])) for action in d.actions()],
        "empty_class",
        "class_1",
    ),
    "all transposed": (everywhere(lambda x: x.T), "width", "(D, T)"),
    "one transposed": (lambda d: d.change("video_04", lambda x: x.T), "width", "video_04"),
    "dead channels": (everywhere(dead), "dead", "3, 4, 5"),
    "dead channels in one file": (lambda d: d.change("video_06", dead), "dead_in", "video_06 (3 channels)"),
    "constant file": (lambda d: d.change("video_06", lambda x: 0 * x + 1), "constant", "video_06"),
    "NaN": (lambda d: d.change("video_07", not_a_number), "not_finite", "video_07.npy: row 11"),
    "another width": (lambda d: d.change("video_08", lambda x: x[:, :20]), "width", "video_08"),
    "truncated": (lambda d: d.change("video_09", lambda x: x[: len(x) // 2]), "duration", "'video_09'"),
    "rescaled": (lambda d: d.change("video_02", lambda x: x * 10), "rescaled", "video_02 (9.35 times"),
    "a huge channel": (everywhere(lambda x: x * np.where(np.arange(24) == 5, 1e6, 1)), "huge", "5 ("),
    "one huge value": (
        lambda d: d.change("video_02", lambda x: np.where(np.arange(x.size).reshape(x.shape) == 77, 1e20, x)),
        "lone",
        "in row 3 of 'video_02', channel 5",
    ),
    "beyond the end": (
        lambda d: d.database["video_02"]["annotations"].append({"segment": [35, 99], "label": "run"}),
        "outside",
        "35 to 99 s in 'video_02'",
    ),
    "without length": (lambda d: lasting(d, 0, 5), "empty", "shorter than 1 ms"),
    "repeated actions": (
        lambda d: d.database["video_03"]["annotations"].append(d.database["video_03"]["annotations"][1]),
        "repeated",
        "in 'video_03'",
    ),
    "no features": (lambda d: d.remove("video_04"), "missing", "--skip-missing"),
    "no annotations": (lambda d: d.database.pop("video_04"), "unannotated", "video_04"),
    "name in another case": (lambda d: renamed(d, "video_04", "Video_04"), "missing", "'video_04' may be 'Video_04'"),
    "name with an ending": (lambda d: renamed(d, "video_04", "video_04.mp4"), "missing", "may be 'video_04.mp4'"),
    "class only in the test subset": (
        lambda d: d.database["video_13"]["annotations"][0].update(label="swim"),
        "untrained",
        "swim (1)",
    ),
    "few actions of a class": (
        lambda d: d.database["video_00"]["annotations"][0].update(label="swim"),
        "few_actions",
        "swim (1)",
    ),
    "no test subset": (lambda d: subset(d, "training", *d.test), "no_subset", "`train auto` does"),
    "no action in the test subset": (
        lambda d: [d.database[id_].update(annotations=[]) for id_ in d.test],
        "no_action",
        "nothing is evaluated",
    ),
    "no training subset": (lambda d: subset(d, "learn", *d.training), "no_subset", "--data.train-subset"),
    "other backbone": (other_backbone, "sidecar", "video_05 (slowfast)"),
    "sidecar of another width": (lambda d: d.save("video_04", d.array("video_04"), dim=99), "broken", "video_04"),
    "sidecar of another duration": (
        lambda d: d.save("video_04", d.array("video_04"), duration=9),
        "sidecar",
        "video_04",
    ),
    "mixed fps": (lambda d: d.save("video_04", d.array("video_04")[:200], fps=25), "mixed_fps", "--fps 30"),
    "mixed strides": (lambda d: d.save("video_04", d.array("video_04")[::2], stride=8), "timing", "--other-timing"),
    "shorter than a step": (lambda d: lasting(d, 0.02, 2), "no_moment", "smaller stride"),
    "unreadable file": (lambda d: (d.features / "video_04.npy").write_bytes(b"nothing"), "broken", "video_04"),
    "whole numbers": (lambda d: d.change("video_04", lambda x: x.astype(np.int64)), "broken", "int64"),
    "no sidecars": (no_sidecars, "untimed", "--data.stride"),
}  # fmt: skip
"""Fault -> how it is planted, the kind of finding that names it, and what that says."""


@pytest.mark.parametrize("fault", FAULTS)
def test_planted_faults_are_named(data: Planted, fault: str) -> None:
    plant, kind, words = FAULTS[fault]
    plant(data)
    report = examine(data)
    assert words in " ".join(str(finding) for finding in report.findings if finding.kind == kind), report.findings


@pytest.mark.parametrize("seed", range(5))
def test_sane_data_are_healthy(tmp_path: Path, seed: int) -> None:
    report = examine(sane(tmp_path / "data", seed=seed, videos=14 + seed))
    assert report.findings == []
    assert report.perfect["average"] > 0.97
    assert report.verdict == "nothing is wrong with these data"


def test_where_videos_are_centred_it_makes_no_difference_where_they_lie(data: Planted) -> None:
    data.change("video_02", lambda x: x + 10)
    for centred in (False, True):
        settings = {"data": {"center_videos": centred}}
        report = doctor(data.annotations, features=data.features, settings=settings)
        assert ("rescaled" in kinds(report)) != centred
    assert examine(data).findings == []  # as `train auto` derives it


def test_without_config_it_takes_the_settings_of_train_auto(data: Planted, videos: Path) -> None:
    report = examine(data)
    assert report.facts["settings"] == "as `train auto` derives them"
    derived = advise(data.annotations, features=data.features).config
    same = doctor(data.annotations, features=data.features, config=derived)
    assert (report.perfect, report.lengths) == (same.perfect, same.lengths)
    other = doctor(data.annotations, features=data.features, config="small")
    assert other.facts["settings"] == "given"
    assert report.facts["longest action in reach"] != other.facts["longest action in reach"]
    assert doctor(data.annotations, videos=videos).facts["settings"].startswith("preset small, as there are none of")


def test_features_that_cannot_be_used_are_no_lack_of_actions(tmp_path: Path) -> None:
    np.save(tmp_path / "one.npy", np.ones((20, 4), np.float32))  # nobody says its timing
    video = {"subset": "training", "duration": 10, "annotations": [{"label": "run", "segment": [1, 3]}]}
    (tmp_path / "labels.json").write_text(json.dumps({"database": {"one": video}}), "utf-8")
    said = doctor(tmp_path / "labels.json", features=tmp_path).facts["settings"]
    assert said.endswith("no features of the training subset can be used")


def test_actions_beyond_the_last_level(data: Planted) -> None:
    ranges = [[0, 4], [4, 8], [8, 9], [8, 9], [8, 9], [8, 9]]
    report = examine(data, model={"regression_ranges": ranges})
    assert "--model.regression-ranges 0 4 4 8 8 9 8 9 8 9 8 10000" in " ".join(
        one.advice for one in report.findings if one.kind == "too_long"
    )
    assert report.perfect["average"] < 0.8
    assert report.lengths[-1]["learned"] == 0


def test_videos_of_many_classes_are_told_where_videos_are_classified(data: Planted) -> None:
    settings: dict[str, Any] = {"model": {"num_classes": 1}}
    assert "video_classes" not in kinds(examine(data, **settings))
    assert "video_classes" in kinds(examine(data, **settings, training={"classifier": True}))


def test_perfect_scores_lose_what_no_moment_learns(data: Planted) -> None:
    lasting(data, 0.02, 2)
    assert 0.1 < examine(data).perfect["average"] < 0.9


def test_the_command_says_what_to_do_and_writes_a_page(data: Planted, call: Command, tmp_path: Path) -> None:
    relabel(data, "jump", "<b>jump</b> of mine", 2)
    page, numbers = tmp_path / "doctor.html", tmp_path / "doctor.json"
    arguments = ("doctor", "--annotations", data.annotations, "--features", data.features)
    result = call(*arguments, "--out", page, "--json", numbers)
    assert (result.code, result.err) == (0, "")
    assert "warning: subset training: 1 of 7 classes has fewer than 3 actions" in result.out
    assert result.out.endswith("1 warning\n")
    content = json.loads(numbers.read_text("utf-8"))
    assert [one["kind"] for one in content["findings"]] == ["few_actions"]
    assert {row["class"] for row in content["classes"]} == {*CLASSES, "<b>jump</b> of mine"}
    text = page.read_text("utf-8")
    assert "&lt;b&gt;jump&lt;/b&gt; of mine" in text
    assert "<b>jump" not in text
    assert "<script" not in text
    assert "http" not in text


def test_without_any_action_nothing_is_said_of_classes(data: Planted, call: Command) -> None:
    for video in data.database.values():
        video["annotations"] = []
    result = call("doctor", "--annotations", data.annotations, "--features", data.features)
    assert result.code == 1
    assert "to learn; the whole file has none: label some videos (`actionformer label VIDEOS`)" in result.out
    assert "classes" not in result.out


def test_files_of_an_earlier_report_are_kept(data: Planted, refused: Refused, call: Command, tmp_path: Path) -> None:
    page = tmp_path / "doctor.html"
    page.write_text("mine", "utf-8")
    arguments = ("doctor", "--annotations", data.annotations, "--features", data.features, "--out", page)
    assert "doctor.html" in refused(*arguments)
    assert page.read_text("utf-8") == "mine"
    assert call(*arguments, "--overwrite").code == 0
    assert page.read_text("utf-8").startswith("<!doctype html>")


def test_data_that_training_would_be_pointless_on_end_with_1(data: Planted, call: Command) -> None:
    data.each_time(lambda time: 1000 * time)
    result = call("doctor", "--annotations", data.annotations, "--features", data.features)
    assert result.code == 1
    assert "error: subset training: " in result.out


def test_what_the_call_lacks_is_refused(data: Planted, refused: Refused, tmp_path: Path) -> None:
    assert "--features or --videos" in refused("doctor", "--annotations", data.annotations)
    assert "no such folder" in refused("doctor", "--annotations", data.annotations, "--features", tmp_path / "none")
    assert "none.json" in refused("doctor", "--annotations", tmp_path / "none.json", "--features", data.features)


def test_the_training_starts_with_the_same_checks(data: Planted, call: Command, tmp_path: Path) -> None:
    under_another_id(data, "video_01", "other", "validation")
    relabel(data, "jump", "jmup", 2)
    short = ("--training.epochs", 1, "--training.warmup-epochs", 0, "--model.width", 16, "--model.num-heads", 2)
    files = ("--annotations", data.annotations, "--features", data.features)
    said = call("train", "small", *files, "--out", tmp_path / "run", *short).err
    assert "'jmup' (2) of 'jump'" in said
    assert "other and video_01 (validation and training)" in said


@pytest.fixture
def filmed(videos: Path, tmp_path: Path) -> Callable[..., Any]:
    def database(**changes: Any) -> Path:
        entry = {"subset": "training", "duration": SECONDS, "annotations": ACTIONS, **changes}
        path = tmp_path / "filmed.json"
        subsets = ("training", "training", "validation")
        path.write_text(json.dumps({"database": {f"clip{i}": {**entry, "subset": subsets[i]} for i in range(3)}}))
        return path

    return database


def test_videos_in_place_of_features(filmed: Callable[..., Path], videos: Path, tmp_path: Path) -> None:
    report = doctor(filmed(), videos=videos)
    assert {one.kind for one in report.findings} <= {"twins", "leak", "few_actions"}  # all have the same actions
    assert report.facts["features"].startswith("as they would be made, every ")
    assert report.facts["settings"] == "as `train auto` derives them"
    derived = advise(filmed(), videos=videos).config
    assert (
        report.facts["longest action in reach"]
        == doctor(filmed(), videos=videos, config=derived).facts["longest action in reach"]
    )
    with pytest.raises(InputError, match="nope: no such file or folder of videos"):
        doctor(filmed(), videos=tmp_path / "nope")
    other = doctor(filmed(duration=2 * SECONDS), videos=videos)
    assert "video_length" in kinds(other)
    shifted = [{**action, "segment": [1000, 1001]} for action in ACTIONS]
    assert "outside" in kinds(doctor(filmed(annotations=shifted, duration=None), videos=videos))


def test_the_commands_of_its_page(data: Planted, videos: Path, call: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copytree(videos, data.folder / "videos")
    assert data.annotations.name == "annotations.json"
    monkeypatch.chdir(data.folder)
    commands = [line.split()[1:] for line in PAGE.read_text("utf-8").splitlines() if line.startswith("actionformer ")]
    assert len(commands) == 2
    results = [call(*command) for command in commands]
    assert [result.code for result in results] == [0, 1]  # the videos are not those that are annotated
    assert (data.folder / "doctor.html").is_file()
    assert "video_00" in results[1].out
