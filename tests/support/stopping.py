"""Trainings that stop before their end, as one that is killed does."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from actionformer.training.loop import Metrics
from actionformer.training.progress import TrainingProgress


class StoppedError(Exception):
    pass


@contextmanager
def stopped_in_epoch(number: int) -> Iterator[None]:
    """A training in here does not survive this epoch, the first one is 1; it is an error if it does."""
    epochs, plain = [], TrainingProgress.epoch

    def stop(self: TrainingProgress, epoch: int, metrics: Metrics) -> None:
        epochs.append(epoch)
        if len(epochs) == number:
            raise StoppedError
        plain(self, epoch, metrics)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TrainingProgress, "epoch", stop)
        with pytest.raises(StoppedError):
            yield
