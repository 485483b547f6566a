"""Small files that stand in for those that the pages of the documentation speak of, under the same names."""

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
from moving import ACTIONS, SECONDS, write_moving
from scurrying import scurrying, write_deeplabcut
from sounding import Track, write_file

from actionformer.core.detections import Detections
from actionformer.recipes.evaluate import evaluate
from actionformer.recipes.extract import extract
from actionformer.recipes.train import train
from actionformer.settings.config import Config

LABELS = {"left": "jump", "right": "run"}
SUBSETS = {"video_1": "training", "video_2": "training", "video_3": "validation", "video_4": "validation"}
SHOWN = {"training": 2, "validation": 5}
"""Times that a video shows its two actions: 20 actions to evaluate on are the least that scores are calibrated on."""


def write_files(folder: Path, tiny: Config) -> None:
    """Videos, labels of several tools, annotations, features, a trained run, what it found, samples, a benchmark."""
    _write_videos(folder)
    _write_labels(folder)
    _write_sounds(folder)
    _write_tracks(folder)
    _write_run(folder, tiny)
    _write_samples(folder)
    write_thumos(folder)


def _write_videos(folder: Path) -> None:
    for place in ("videos", "archive/2026/cam1"):
        (folder / place).mkdir(parents=True)
    for seed, (name, subset) in enumerate(SUBSETS.items()):
        write_moving(folder / f"videos/{name}.mp4", seed, SHOWN[subset] * SECONDS)
    write_moving(folder / "new.mp4", len(SUBSETS))
    for copy in (
        "video.mp4",
        "any.mp4",
        "night.mp4",
        "archive/2026/cam1/0001.mp4",
        "archive/2026/cam1/0002.mp4",
    ):
        shutil.copy(folder / "new.mp4", folder / copy)


def _write_labels(folder: Path) -> None:
    """Two videos in a table, one in ELAN's file, one in ActivityNet's JSON; all in annotations.json, most in few."""
    database: dict[str, Any] = {
        name: {
            "subset": subset,
            "duration": SHOWN[subset] * SECONDS,
            "fps": 10,
            "annotations": labelled_actions(SHOWN[subset]),
        }
        for name, subset in SUBSETS.items()
    }
    (folder / "annotations.json").write_text(json.dumps({"database": database}), "utf-8")
    few = {name: video for name, video in database.items() if name != "video_2"}
    (folder / "few.json").write_text(json.dumps({"database": few}), "utf-8")
    (folder / "export.json").write_text(json.dumps({"database": {"video_4": database["video_4"]}}), "utf-8")
    rows = [
        f"{name}.mp4;{one['label']};{one['segment'][0]:.1f};{one['segment'][1]:.1f}"
        for name in ("video_1", "video_2")
        for one in database[name]["annotations"]
    ]
    (folder / "labels.csv").write_text("\n".join(["file name;label;start (s);end (s)", *rows, ""]), "utf-8")
    (folder / "taulukko.csv").write_text("Video;Alku;Loppu;Toiminta\nvideo_1.mp4;1,5;2,25;juosta\n", "utf-8")
    (folder / "list.csv").write_text("video_1,1.5,2.25,jump\n", "utf-8")
    segments = np.array([one["segment"] for one in labelled_actions(SHOWN["validation"])])
    found = Detections(segments, np.ones(len(segments)), np.arange(len(segments)) % 2, tuple(LABELS.values()))
    found.to_eaf(folder / "video_3.eaf")


def labelled_actions(times: int) -> list[dict[str, Any]]:
    """The actions of a video that shows them so many times."""
    return [
        {"segment": [SECONDS * time + one for one in action["segment"]], "label": LABELS[action["label"]]}
        for time in range(times)
        for action in ACTIONS
    ]


def _write_sounds(folder: Path) -> None:
    """Recordings of a beep now and then, where, a talk and a film."""
    (folder / "recordings").mkdir()
    beeps = [2.0, 6.0, 9.0]
    database = {}
    for number, ending in enumerate(("wav", "flac", "wav", "flac")):
        codec = {"wav": "pcm_s16le", "flac": "flac"}[ending]
        beeping = beeping_at(beeps, 12.0)
        write_file(folder / f"recordings/rec_{number}.{ending}", Track(beeping, 16_000, codec))
        database[f"rec_{number}"] = {
            "subset": "training" if number < 2 else "validation",
            "duration": 12.0,
            "annotations": [{"segment": [beep, beep + 1.0], "label": "beep"} for beep in beeps],
        }
    (folder / "sounds.json").write_text(json.dumps({"database": database}), "utf-8")
    write_file(folder / "talk.wav", Track(beeping_at(beeps, 12.0), 16_000, "pcm_s16le"))
    write_file(folder / "film.mp4", Track(beeping_at(beeps, 12.0), 16_000), pictures=12.0)


def beeping_at(times: list[float], seconds: float) -> np.ndarray:
    """Silence, with a tone of a second from each time on; 16,000 samples a second."""
    at = np.arange(round(seconds * 16_000)) / 16_000
    on = sum((at >= time) & (at < time + 1) for time in times)
    return (0.5 * on * np.sin(2 * np.pi * 880 * at)).astype(np.float32)


def _write_tracks(folder: Path) -> None:
    """Key points of a mouse in each of the videos, which rears where the label is jump."""
    (folder / "tracks").mkdir()
    for seed, (name, subset) in enumerate(SUBSETS.items()):
        rears = [one["segment"] for one in labelled_actions(SHOWN[subset]) if one["label"] == "jump"]
        bodies = scurrying(SHOWN[subset] * SECONDS, rears, seed)
        write_deeplabcut(folder / f"tracks/{name}DLC_resnet50_shuffle1.csv", bodies)
    write_deeplabcut(folder / "new_mouse.csv", scurrying(SECONDS, [], len(SUBSETS)))


def _write_run(folder: Path, tiny: Config) -> None:
    extract(folder / "videos", "motion", folder / "features", workers=0)
    config = tiny.replace(training={"epochs": 15, "learning_rate": 3e-3, "evaluate_every": 0})
    train(config, folder / "annotations.json", folder / "features", folder / "runs/mine")
    evaluate(folder / "runs/mine")
    for copy in ("detections.json", "found.json", "other.json"):
        shutil.copy(folder / "runs/mine/detections.json", folder / copy)
    (folder / "readings").mkdir()
    for features in sorted((folder / "features").glob("*.npy")):
        rows, sidecar = np.load(features), json.loads(features.with_suffix(".json").read_text("utf-8"))
        np.save(folder / "readings" / features.name, rows[::2, :3])
        lying = {"fps": sidecar["fps"], "stride": 2 * sidecar["stride"], "num_frames": sidecar["num_frames"]}
        (folder / f"readings/{features.stem}.json").write_text(json.dumps(lying), "utf-8")
    for ending in ("npy", "json"):
        shutil.copy(folder / f"features/video_4.{ending}", folder / f"night.{ending}")
    (folder / "small.toml").write_text(config.to_toml(), "utf-8")


def _write_samples(folder: Path) -> None:
    """Of four people six channels at 50 Hz, and a label for each sample."""
    rng = np.random.default_rng(0)
    (folder / "samples").mkdir()
    (folder / "labels").mkdir()
    for person in range(1, 5):
        labels = np.repeat(["none", "walk", "none", "fall", "none"], (150, 250, 100, 200, 150))
        samples = rng.standard_normal((len(labels), 6)) + 3 * (labels[:, None] == ["walk", "fall"] * 3)
        header = "ax,ay,az,gx,gy,gz"
        np.savetxt(folder / f"samples/person_{person}.csv", samples, "%.4f", ",", header=header, comments="")
        (folder / f"labels/person_{person}.txt").write_text("\n".join(labels) + "\n", "utf-8")


def write_thumos(folder: Path) -> None:
    """The folder `thumos` as it is unpacked, two videos for each part, and ambiguous spans of the challenge."""
    rng = np.random.default_rng(0)
    (folder / "thumos/annotations").mkdir(parents=True)
    (folder / "thumos/i3d_features").mkdir()
    database = {}
    for number, (part, subset) in enumerate([("validation", "Validation"), ("test", "Test")] * 2):
        name = f"video_{part}_{number:07d}"
        actions = [
            {"segment": [start, start + 2.5], "label": label, "label_id": label_id, "segment(frames)": [0, 0]}
            for start, (label_id, label) in zip((2.0, 9.0), enumerate(("BaseballPitch", "Diving")), strict=True)
        ]
        database[name] = {"subset": subset, "duration": 20.0, "fps": 30.0, "annotations": actions}
        np.save(folder / f"thumos/i3d_features/{name}.npy", rng.standard_normal((147, 2048)).astype(np.float32))
    (folder / "thumos/annotations/thumos14.json").write_text(json.dumps({"version": "1", "database": database}))
    (folder / "Ambiguous_test.txt").write_text("video_test_0000001  14.0 16.5\n", "utf-8")
