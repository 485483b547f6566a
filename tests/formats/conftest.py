"""Detections that formats are tried on."""

import numpy as np
import pytest

from actionformer import Detections


@pytest.fixture
def found() -> Detections:
    return Detections(
        segments=np.array([[3661.5, 3662.0], [1.0, 2.25], [2.0, 3.0]]),
        scores=np.array([0.9, 0.5, 0.25]),
        labels=np.array([1, 0, 0]),
        class_names=("jump & run", "dive"),
    )


@pytest.fixture
def hostile() -> Detections:
    """One class after another, whose names try to be more than text."""
    return one_after_another(*HOSTILE)


def one_after_another(*labels: str) -> Detections:
    n = len(labels)
    times = 2.0 * np.arange(n)
    return Detections(np.stack((times, times + 1.0), axis=1), np.full(n, 0.5), np.arange(n), labels)


HOSTILE = (
    "a\n\nb",
    "a\r1\r\n00:00:01,000 --> 00:00:02,000",
    "\x1b[31m\x00\x0b",
    "\u2028\x85",
    "\ufffe",
    "<i>x</i>",
    "{\\an8}y",
)
