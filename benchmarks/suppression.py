"""Speed of Gaussian suppression; writes benchmarks/results/suppression.json.

    python benchmarks/suppression.py

12,000 candidates, 200 kept, drawn so that about as many overlap as in a video of half an hour. For comparison the same
work by the plain loop over picks, in the same run.
"""

from __future__ import annotations

import numpy as np
from common import median_seconds, write_result
from numpy.typing import NDArray

from actionformer import SuppressionSettings, suppress

CANDIDATES = 12_000
SETTINGS = SuppressionSettings(method="soft", sigma=0.5, min_score=0.001, max_detections=200)
Floats = NDArray[np.float32]


def draw(classes: int) -> tuple[Floats, Floats, NDArray[np.int64]]:
    """Candidates in grid steps, their scores and labels."""
    rng = np.random.default_rng(0)
    start = rng.uniform(0, 13_824, CANDIDATES)
    length = np.exp(rng.uniform(np.log(4), np.log(400), CANDIDATES))
    segments = np.stack([start, start + length], axis=1).astype(np.float32)
    scores = rng.beta(0.5, 5, CANDIDATES).clip(0.001, 1).astype(np.float32)
    return segments, scores, rng.integers(0, classes, CANDIDATES)


def plain(segments: Floats, scores: Floats, labels: NDArray[np.int64]) -> int:
    """One pick after another, decaying all that is left of its class; returns how many were kept."""
    left = scores.copy()
    kept = 0
    while kept < SETTINGS.max_detections and left.max() >= SETTINGS.min_score:
        best = int(left.argmax())
        start = np.maximum(segments[:, 0], segments[best, 0])
        end = np.minimum(segments[:, 1], segments[best, 1])
        shared = np.maximum(end - start, 0)
        length = segments[:, 1] - segments[:, 0]
        tiou = shared / (length + length[best] - shared)
        left *= np.where(labels == labels[best], np.exp(-(tiou**2) / SETTINGS.sigma), 1)
        left[best] = 0
        kept += 1
    return kept


def main() -> None:
    rows = []
    for classes in (20, 1):
        candidates = draw(classes)
        fast = median_seconds(lambda: suppress(*candidates, SETTINGS))  # noqa: B023
        slow = median_seconds(lambda: plain(*candidates))  # noqa: B023
        rows.append({"classes": classes, "ms": 1000 * fast, "plain_ms": 1000 * slow, "speedup": slow / fast})
        print({name: round(value, 2) for name, value in rows[-1].items()})
    write_result("suppression", {"candidates": CANDIDATES, "kept": SETTINGS.max_detections, "rows": rows})


if __name__ == "__main__":
    main()
