"""What a stream costs in accuracy, and when it speaks; writes benchmarks/results/live.json.

    python benchmarks/live.py

Trains HAPT's preset once (about 3 minutes on two cores), then scores its `test` people with the whole of a recording
suppressed at once, and as a stream with several longest actions. For each it reports the delay that the stream states,
and the time between the end of an action and its being final, in the time of the stream: all recordings in a row,
feature by feature. And how many times as long `detect` takes in blocks, of two hours of features.
"""

from __future__ import annotations

import tempfile
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from accuracy import hapt_features
from common import fastest_seconds, shared_folder, write_result

from actionformer import Detector, load_config, read_annotations, score, train
from actionformer.core.detections import Detections
from actionformer.features import open_features

SECONDS = (300.0, 120.0, 60.0, 30.0)
STEP = 0.5  # seconds between features


def with_live(detector: Detector, seconds: float | None) -> Detector:
    """The same model under other settings."""
    config = detector.config.replace(live={"max_action_seconds": seconds})
    return Detector(detector.model, config, detector.card)


def waits(detector: Detector, paths: list[Path], score: float = 0.5) -> list[float]:
    """Seconds from the end of each likely action to the feature with which it was final."""
    features = np.concatenate([open_features(path)[:] for path in paths])
    stream, found = detector.stream(), list[float]()
    for count in range(1, len(features) + 1):
        final: Detections = stream.push(features[count - 1 : count]).above(score)
        found += (count * STEP - final.segments[:, 1]).tolist()
    return found


def share_of_whole(detector: Detector, paths: list[Path]) -> dict[float, float]:
    """How many times as long as at once `detect` takes in blocks, of two hours of features; the fastest of each."""
    rows = np.concatenate([np.asarray(open_features(path)[:]) for path in paths])
    features = np.resize(rows, (round(2 * 3600 / STEP), rows.shape[1]))
    detectors = {seconds: with_live(detector, seconds) for seconds in (None, *SECONDS)}
    taken = fastest_seconds({seconds: partial(one.detect, features) for seconds, one in detectors.items()}, 3)
    return {seconds: taken[seconds] / taken[None] for seconds in SECONDS}


def main() -> None:
    source = shared_folder("data/hapt") / "data" / "hapt"
    truth = read_annotations(source / "annotations.json")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "features").mkdir()
        hapt_features(source, folder / "features")
        detector = train(
            load_config("hapt", {"training": {"evaluate_every": 0}}),
            source / "annotations.json",
            folder / "features",
            folder / "run",
        )
        test = truth.subset(detector.config.data.test_subset)
        files = {video: folder / "features" / f"{video}.npy" for video in test.videos}
        shares = share_of_whole(detector, list(files.values()))
        print({seconds: round(share, 2) for seconds, share in shares.items()}, flush=True)
        rows: list[dict[str, Any]] = []
        for seconds in (None, *SECONDS):
            stream = with_live(detector, seconds)
            report = score(test, stream.detect_many(files), tiou=(0.3, 0.4, 0.5, 0.6, 0.7))
            row: dict[str, Any] = {"max_action_seconds": seconds, "map": 100 * report.average}
            if seconds is not None:
                taken = waits(stream, list(files.values()))
                row["delay_seconds"] = stream.stream().delay_seconds
                row["detect, times as long as at once"] = shares[seconds]
                row |= {"median_wait": float(np.median(taken)), "longest_wait": max(taken)}
            rows.append(row)
            print({key: round(value, 1) if value else value for key, value in row.items()}, flush=True)
    longest = max(float(np.diff(video.segments).max(initial=0)) for video in test.videos.values())
    write_result("live", {"data": "hapt, test", "longest_action_seconds": longest, "rows": rows})


if __name__ == "__main__":
    main()
