"""From labels of sound files to what is found in others and in a film, through the command line."""

import json
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from commands import Command, Refused
from sounding import Track, write_file
from standing_in import beeping_at

from actionformer.core.segments import tiou
from actionformer.settings.config import Config

SECONDS = 12.0
LEARNED = {"one.wav": (2.0, 6.0, 9.0), "two.flac": (1.0, 4.0, 8.5), "three.m4a": (3.0, 5.0, 10.0)}
UNSEEN = (1.5, 5.5, 8.0)


def write(path: Path, beeps: tuple[float, ...], codec: str, pictures: float = 0.0) -> None:
    rng = np.random.default_rng(len(path.name))
    sound = beeping_at(list(beeps), SECONDS) + rng.normal(scale=0.01, size=round(SECONDS * 16_000))
    write_file(path, Track(sound.astype(np.float32), 16_000, codec), pictures=pictures)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Recordings with labels of Audacity, and others."""
    folder = tmp_path_factory.mktemp("sound")
    (folder / "recordings").mkdir()
    for name, beeps in LEARNED.items():
        path = folder / "recordings" / name
        write(path, beeps, {".wav": "pcm_s16le", ".flac": "flac", ".m4a": "aac"}[path.suffix])
        lines = [f"{beep:.6f}\t{beep + 1:.6f}\tbeep\n" for beep in beeps]
        (folder / f"{path.stem}.txt").write_text("".join(lines), "utf-8")
    write(folder / "talk.m4a", UNSEEN, "aac")
    write(folder / "film.mp4", UNSEEN, "aac", pictures=SECONDS)
    return folder


@pytest.fixture(scope="module")
def config(folder: Path, tiny: Config) -> Path:
    path = folder / "small.toml"
    path.write_text(
        tiny.replace(
            data={"stride": 10, "num_frames": 20, "test_subset": ["training"]},
            model={"max_length": 128},
            training={"epochs": 25, "learning_rate": 3e-3, "evaluate_every": 0},
        ).to_toml(),
        "utf-8",
    )
    return path


@pytest.mark.slow
def test_from_labels_of_audacity_to_what_is_found(
    folder: Path, config: Path, call: Command, refused: Refused, tmp_path: Path
) -> None:
    annotations, run = tmp_path / "annotations.json", tmp_path / "run"
    labels = sorted(folder.glob("*.txt"))
    told = call("import", *labels, "--videos", folder / "recordings", "--out", annotations)
    assert told.code == 0, told
    known = json.loads(annotations.read_text("utf-8"))["database"]
    assert {name: entry["duration"] for name, entry in known.items()} == {"one": 12, "two": 12, "three": 12}

    done = call(
        "train", config, "--annotations", annotations, "--videos", folder / "recordings", "--backbone", "logmel",
        "--out", run,
    )  # fmt: skip
    assert done.code == 0, done
    spec = json.loads((run / "features" / "three.json").read_text("utf-8"))
    assert (spec["backbone"], spec["fps"], spec["start"], spec["duration"]) == ("logmel", 100, 0, 12)

    inputs = [folder / "talk.m4a", folder / "film.mp4"]
    out = tmp_path / "found.json"
    assert call("detect", run, *inputs, "--out", out).code == 0
    truth = np.array([[beep, beep + 1.0] for beep in UNSEEN])
    for name in ("talk", "film"):
        found = json.loads(out.read_text("utf-8"))["results"][name]
        best = sorted(found, key=lambda one: -one["score"])[: len(UNSEEN)]
        assert tiou(np.array([one["segment"] for one in best]), truth).max(0).min() > 0.7, best

    overlay = tmp_path / "seen.mp4"
    assert call("detect", run, folder / "film.mp4", "--overlay", overlay, "--out", tmp_path / "film.csv").code == 0
    assert overlay.is_file()
    said = refused("detect", run, folder / "talk.m4a", "--overlay", tmp_path / "talk.mp4")
    assert said.endswith("talk.m4a: holds no pictures, an overlay is drawn into videos\n")

    header = ElementTree.fromstring(call("detect", run, folder / "talk.m4a", "--format", "eaf").out).find("HEADER")
    assert header is not None
    (medium,) = header
    assert medium.get("MEDIA_URL") == (folder / "talk.m4a").resolve().as_uri()

    assert "logmel looks at sound files, and a live source gives pictures alone" in refused(
        "watch", run, folder / "film.mp4"
    )


def test_a_container_of_videos_that_holds_sound_alone_is_taken_too(folder: Path, call: Command, tmp_path: Path) -> None:
    write(folder / "voice.mp4", UNSEEN, "aac")
    out = tmp_path / "features"
    assert call("extract", folder / "voice.mp4", "--backbone", "logmel", "--out", out).code == 0
    assert json.loads((out / "voice.json").read_text("utf-8"))["duration"] == SECONDS


def test_a_video_without_sound_fails_alone(folder: Path, call: Command, tmp_path: Path) -> None:
    mute = write_file(tmp_path / "mute.mp4", pictures=1.0)
    told = call("extract", mute, folder / "talk.m4a", "--backbone", "logmel", "--out", tmp_path / "features")
    assert told.code == 1
    assert "has no sound track, it holds video" in " ".join((told.out + told.err).split())
    assert (tmp_path / "features" / "talk.npy").is_file()
