"""A made data set of sound events in noise: tones, clapping and speech-like sound, which overlap one another."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray
from scipy.signal import butter, lfilter, sosfilt

from actionformer.core.files import replacing, write_whole

RATE = 16_000
"""Samples a second."""
SECONDS = (20.0, 30.0)
"""Length of a recording, drawn evenly."""
GAP = (1.0, 6.0)
"""Seconds from an event to the next one of its class, drawn evenly."""
LENGTHS = (0.5, 4.0)
"""Seconds of an event, drawn evenly on a logarithmic scale."""
LOUDNESS = (0.0, 12.0)
"""Decibels of an event above the noise, both as the mean of their squares; drawn evenly."""
NOISE = 0.03
"""Of full scale, the root of the mean square."""
KNOCKS = 0.3
"""A second, short sounds that are none of the classes."""

Sound = NDArray[np.float64]
Random = np.random.Generator


@dataclass(frozen=True)
class SoundData:
    """Where `make` put things."""

    annotations: Path
    """Subsets training and test."""
    recordings: Path
    """A folder of .flac files."""


def make(folder: str | Path, *, seed: int = 0, training: int = 20, test: int = 8) -> SoundData:
    """Writes the data set: `annotations.json`, and `recordings/<id>.flac`.

    Args:
        folder: made if missing; files in it are replaced.
        seed: of everything drawn.
        training, test: recordings of these subsets.
    """
    data = SoundData(Path(folder) / "annotations.json", Path(folder) / "recordings")
    data.recordings.mkdir(parents=True, exist_ok=True)
    database = {}
    for number, subset in enumerate(["training"] * training + ["test"] * test):
        sound, actions = recording(np.random.default_rng([seed, number]))
        name = f"{subset}_{number:03d}"
        write_flac(data.recordings / f"{name}.flac", sound)
        database[name] = {"subset": subset, "duration": len(sound) / RATE, "annotations": actions}
    write_whole(data.annotations, json.dumps({"version": "sounds", "database": database}, indent=1) + "\n")
    return data


def recording(rng: Random) -> tuple[Sound, list[dict[str, Any]]]:
    """A recording of random length, and its events as an annotation file has them, in the order of time."""
    seconds = round(rng.uniform(*SECONDS), 1)
    sound = NOISE * pink(rng, round(seconds * RATE))
    for at in np.flatnonzero(rng.random(len(sound)) < KNOCKS / RATE).tolist():
        lay(sound, at, 5 * NOISE * clap(rng))
    actions = []
    for label, made in CLASSES.items():
        start = rng.uniform(*GAP)
        while start + (length := in_proportion(rng, LENGTHS)) < seconds:
            event = made(rng, length)
            loudness = NOISE * 10 ** (rng.uniform(*LOUDNESS) / 20)
            lay(sound, round(start * RATE), loudness * event / np.sqrt(np.mean(event**2)))
            actions.append({"segment": [start, start + len(event) / RATE], "label": label})
            start += length + rng.uniform(*GAP)
    return np.clip(sound, -1, 1), sorted(actions, key=lambda action: action["segment"])


def in_proportion(rng: Random, between: tuple[float, float]) -> float:
    """A number between two, drawn evenly on a logarithmic scale."""
    least, most = np.log(between)
    return float(np.exp(rng.uniform(least, most)))


def lay(sound: Sound, at: int, event: Sound) -> None:
    """Adds an event to a sound, as far as that goes on."""
    sound[at : at + len(event)] += event[: len(sound) - at]


def pink(rng: Random, samples: int) -> Sound:
    """Noise that is stronger where it is low, as that of rooms and streets; its mean square is 1."""
    noise: Sound = lfilter([1], [1, -0.9], rng.normal(size=samples))
    noise /= np.sqrt(np.mean(noise**2))
    return noise


def tone(rng: Random, seconds: float) -> Sound:
    """A steady tone of 300 to 2000 Hz with three harmonics."""
    at = np.arange(round(seconds * RATE)) / RATE
    hertz = in_proportion(rng, (300, 2000))
    return sum((np.sin(2 * np.pi * k * hertz * at + rng.uniform(0, 6)) / k for k in range(1, 4)), np.zeros(len(at)))


def clapping(rng: Random, seconds: float) -> Sound:
    """Hands that clap three to six times a second, from the first clap to the last, 0.1 s of which are heard."""
    rate = rng.uniform(3, 6)
    count = max(round(seconds * rate), 2)
    sound = np.zeros(round(((count - 1) / rate + 0.1) * RATE))
    for number in range(count):
        lay(sound, round(number / rate * RATE), clap(rng))
    return sound


def clap(rng: Random) -> Sound:
    """0.1 s of noise around 1 to 3 kHz that fades."""
    at = np.arange(round(0.1 * RATE)) / RATE
    return band(rng.normal(size=len(at)), 1000, 3000) * np.exp(-at / 0.02)


def speech(rng: Random, seconds: float) -> Sound:
    """A buzz of 90 to 220 pulses a second through two formants that wander, in three to five syllables a second."""
    count = round(seconds * RATE)
    at = np.arange(count) / RATE
    pulses = np.diff(np.floor(np.cumsum(np.full(count, rng.uniform(90, 220) / RATE))), prepend=0.0)
    voice = np.zeros(count)
    for low, high in ((300, 800), (900, 2500)):
        for middle in [in_proportion(rng, (low, high)) for _ in range(3)]:
            wander = np.clip(np.sin(2 * np.pi * (rng.uniform(1, 3) * at + rng.random())), 0, None)
            voice += wander * band(pulses + 0.05 * rng.normal(size=count), middle / 1.15, middle * 1.15)
    syllables = 0.3 + np.abs(np.sin(np.pi * rng.uniform(3, 5) * at))
    return voice * syllables


def band(sound: Sound, low: float, high: float) -> Sound:
    """What of a sound lies between two frequencies, Hertz."""
    filtered: Sound = sosfilt(butter(2, (low, high), "bandpass", fs=RATE, output="sos"), sound)
    return filtered


CLASSES: dict[str, Callable[[Random, float], Sound]] = {"clapping": clapping, "speech": speech, "tone": tone}


def write_flac(path: Path, sound: Sound) -> None:
    """One channel of 16 bits."""
    with replacing(path) as temporary, av.open(str(temporary), "w", format="flac") as file:
        stream: Any = file.add_stream("flac", rate=RATE, layout="mono")
        samples = np.rint(sound * (2**15 - 1)).astype(np.int16)
        for first in range(0, len(samples), RATE):
            frame = av.AudioFrame.from_ndarray(samples[None, first : first + RATE], format="s16", layout="mono")
            frame.sample_rate, frame.pts = RATE, first
            file.mux(stream.encode(frame))
        file.mux(stream.encode(None))
