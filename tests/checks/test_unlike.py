"""Videos whose features are unlike those of the others."""

import numpy as np
import pytest

from actionformer.checks.unlike import _displaced


@pytest.mark.parametrize("move", [0, 5])
def test_channels_that_were_moved_are_told(move: int) -> None:
    usual = np.random.default_rng(0).normal(size=64)
    means = np.stack([usual, np.roll(usual, move)])
    assert _displaced(means, usual).tolist() == [0, move]


def test_two_channels_that_tell_classes_are_no_order() -> None:
    """A class more in one channel and less in the next looks like a move by one, and is what the video shows."""
    usual, other = np.zeros(16), np.zeros(16)
    usual[:2] = 0.2, 0.9
    other[:2] = 0.9, 0.1
    assert _displaced(np.stack([usual, other]), usual).tolist() == [0, 0]
