import json
from pathlib import Path

import numpy as np
import pytest

from actionformer.demo.sounds import CLASSES, NOISE, RATE, make, pink, recording
from actionformer.recipes.train import train
from actionformer.settings.config import Changes
from actionformer.sound import SoundReader


@pytest.mark.parametrize("label", CLASSES)
def test_events_are_heard_for_as_long_as_they_last(label: str) -> None:
    for seed in range(5):
        sound = CLASSES[label](np.random.default_rng(seed), 1.5)
        assert 1.2 < len(sound) / RATE < 1.7
        energy = sound**2
        for part in (energy[: RATE // 5], energy[-RATE // 5 :]):
            assert part.mean() > 0.02 * energy.mean()


def test_noise_has_the_strength_that_it_is_given() -> None:
    assert np.mean(pink(np.random.default_rng(0), RATE) ** 2) == pytest.approx(1)


def test_events_of_a_class_do_not_overlap_and_are_louder_than_what_is_around() -> None:
    louder = []
    for seed in range(4):
        sound, actions = recording(np.random.default_rng(seed))
        assert np.abs(sound).max() <= 1
        for label in CLASSES:
            times = np.array([action["segment"] for action in actions if action["label"] == label]).reshape(-1, 2)
            assert (times[1:, 0] > times[:-1, 1]).all()
            assert (times[:, 1] <= len(sound) / RATE).all()
        segments = np.array([action["segment"] for action in actions])
        louder += [np.mean(sound[int(a * RATE) : int(b * RATE)] ** 2) / NOISE**2 for a, b in segments]
    assert min(louder) > 1.3  # at least as strong as the noise that they are added to, which varies
    assert np.median(louder) < 20


def test_the_files_are_as_long_as_the_annotations_say_and_alike_for_a_seed(tmp_path: Path) -> None:
    data = make(tmp_path / "one", seed=3, training=1, test=1)
    again = make(tmp_path / "two", seed=3, training=1, test=1)
    assert data.annotations.read_bytes() == again.annotations.read_bytes()
    for name, entry in json.loads(data.annotations.read_text("utf-8"))["database"].items():
        with (
            SoundReader(data.recordings / f"{name}.flac") as sound,
            SoundReader(again.recordings / f"{name}.flac") as other,
        ):
            samples, same = (np.concatenate(list(one.samples())) for one in (sound, other))
        np.testing.assert_array_equal(samples, same)
        assert len(samples) == pytest.approx(entry["duration"] * RATE, abs=1)


@pytest.mark.slow
def test_sound_events_in_noise_are_found_in_recordings_that_were_not_learned_from(tmp_path: Path) -> None:
    """With the settings of `train auto`, and features without weights: what benchmarks/sounds.py measures."""
    data = make(tmp_path)
    subsets: Changes = {"data": {"test_subset": ["test"]}, "training": {"evaluate_every": 0}}
    run = tmp_path / "run"
    train("auto", data.annotations, videos=data.recordings, backbone="logmel", out=run, settings=subsets)
    found = json.loads((run / "evaluation.json").read_text("utf-8"))
    assert found["map"][found["tiou"].index(0.5)] > 0.9
