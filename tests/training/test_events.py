"""Events for TensorBoard: what it reads of them, and what becomes of a run where they cannot be written."""

from pathlib import Path

import pytest

from actionformer.training.events import Events

pytest.importorskip("tensorboard")


def read(folder: Path) -> dict[str, list[tuple[int, float]]]:
    """Tag -> (step, value), as TensorBoard itself reads them."""
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = EventAccumulator(str(folder))
    events.Reload()
    return {tag: [(one.step, one.value) for one in events.Scalars(tag)] for tag in events.Tags()["scalars"]}


def test_tensorboard_reads_what_is_written(tmp_path: Path) -> None:
    events = Events(tmp_path / "events", purge_step=0)
    for step in range(3):
        events.scalars(step, {"loss": step / 2, "rate": 1.0})
    assert read(tmp_path / "events") == {"loss": [(0, 0.0), (1, 0.5), (2, 1.0)], "rate": [(0, 1.0), (1, 1.0), (2, 1.0)]}
    events.close()


def test_steps_that_are_trained_again_count_once(tmp_path: Path) -> None:
    first = Events(tmp_path, purge_step=0)
    for step in range(4):
        first.scalars(step, {"loss": 1.0})
    first.close()
    again = Events(tmp_path, purge_step=2)
    for step in (2, 3):
        again.scalars(step, {"loss": 2.0})
    again.close()
    assert read(tmp_path)["loss"] == [(0, 1.0), (1, 1.0), (2, 2.0), (3, 2.0)]


def test_where_they_cannot_be_written_is_said_once(tmp_path: Path) -> None:
    (tmp_path / "events").write_text("a file in the way")
    with pytest.warns(UserWarning, match=r"events.out.tfevents.*: cannot write \(.*\): training goes on") as told:
        events = Events(tmp_path / "events", purge_step=3)
    assert len(told) == 1
    events.scalars(1, {"loss": 1.0})
    events.close()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full to write to")
def test_a_disk_that_is_full_is_said_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    events = Events(tmp_path, purge_step=0)
    assert events._file is not None
    events._file.close()
    events._file = open("/dev/full", "wb", buffering=0)  # noqa: SIM115
    with pytest.warns(UserWarning, match="No space left on device") as told:
        events.scalars(0, {"loss": 1.0})
    assert len(told) == 1
    events.scalars(1, {"loss": 1.0})  # a second warning would be an error here
    events.close()
