"""Trainings that stop before their end, as one that is killed does."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from actionformer.training.loop import Metrics
from actionformer.training.metrics_log import MetricsLog


class StoppedError(Exception):
    pass


@contextmanager
def stopped_in_epoch(number: int) -> Iterator[None]:
    """A training in here does not survive this epoch, which is not saved; the first is 1. It is an error if it does."""
    epochs, plain = [], MetricsLog.epoch

    def stop(self: MetricsLog, epoch: int, metrics: Metrics) -> None:
        plain(self, epoch, metrics)
        epochs.append(epoch)
        if len(epochs) == number:
            raise StoppedError

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(MetricsLog, "epoch", stop)
        with pytest.raises(StoppedError):
            yield
