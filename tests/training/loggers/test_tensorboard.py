"""Events for TensorBoard: what it reads of them, and what becomes of a run where they cannot be written."""

from pathlib import Path

import pytest

from actionformer.training.loggers.tensorboard import TensorBoard

pytest.importorskip("tensorboard")


def started(run: Path, *, first_epoch: int = 0) -> TensorBoard:
    logger = TensorBoard()
    logger.start(run, {}, first_epoch=first_epoch, steps_per_epoch=2)
    return logger


def read(run: Path) -> dict[str, list[tuple[int, float]]]:
    """Tag -> (step, value), as TensorBoard itself reads them."""
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = EventAccumulator(str(run / "events"))
    events.Reload()
    return {tag: [(one.step, one.value) for one in events.Scalars(tag)] for tag in events.Tags()["scalars"]}


def test_tensorboard_reads_what_is_written(tmp_path: Path) -> None:
    logger = started(tmp_path)
    for step in range(3):
        logger.step(step, {"loss": step / 2, "rate": 1.0})
    logger.epoch(0, {"loss": 0.5, "map": 0.25, "map@0.5": 0.5})
    assert read(tmp_path) == {
        "step/loss": [(0, 0.0), (1, 0.5), (2, 1.0)],
        "step/rate": [(0, 1.0), (1, 1.0), (2, 1.0)],
        "epoch/loss": [(0, 0.5)],
        "epoch/map_percent": [(0, 25.0)],
        "epoch/map_percent@0.5": [(0, 50.0)],
    }
    logger.finish(failed=False)


def test_steps_that_are_trained_again_count_once(tmp_path: Path) -> None:
    first = started(tmp_path)
    for step in (1, 2, 3):
        first.step(step, {"loss": 1.0})
    first.finish(failed=True)
    again = started(tmp_path, first_epoch=1)
    for step in (3, 4):
        again.step(step, {"loss": 2.0})
    again.finish(failed=False)
    assert read(tmp_path)["step/loss"] == [(1, 1.0), (2, 1.0), (3, 2.0), (4, 2.0)]


def test_where_they_cannot_be_written_is_said_once(tmp_path: Path) -> None:
    (tmp_path / "events").write_text("a file in the way")
    with pytest.warns(UserWarning, match=r"events.out.tfevents.*: cannot write \(.*\): training goes on") as told:
        logger = started(tmp_path, first_epoch=1)
    assert len(told) == 1
    logger.step(1, {"loss": 1.0})
    logger.finish(failed=False)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full to write to")
def test_a_disk_that_is_full_is_said_once(tmp_path: Path) -> None:
    logger = started(tmp_path)
    assert logger._file is not None
    logger._file.close()
    logger._file = open("/dev/full", "wb", buffering=0)  # noqa: SIM115
    with pytest.warns(UserWarning, match="No space left on device") as told:
        logger.step(0, {"loss": 1.0})
    assert len(told) == 1
    logger.step(1, {"loss": 1.0})  # a second warning would be an error here
    logger.finish(failed=False)
