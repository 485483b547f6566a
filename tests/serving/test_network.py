import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hosting import rows, waited_for

from actionformer.core.detections import Detections
from actionformer.core.errors import InputError, warn
from actionformer.inference.detector import Detector
from actionformer.inference.loading import load
from actionformer.serving.network import Answer, Asked, Network, Stoppable, StoppedError

TIMING: dict[str, Any] = {"fps": 10.0, "stride": 5.0, "num_frames": 10.0}


@pytest.fixture(scope="module")
def detector(trained: Path) -> Detector:
    return load(trained)


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Features of many lengths, one of them with values that the network cannot take."""
    folder = tmp_path_factory.mktemp("files")
    for number in range(12):
        np.save(folder / f"{number}.npy", rows(20 + 7 * number, seed=number))
    np.save(folder / "broken.npy", np.full((40, 6), np.inf, np.float32))
    return [*(folder / f"{number}.npy" for number in range(12)), folder / "broken.npy"]


def asked_together(
    detector: Detector, files: Sequence[Path], size: int
) -> tuple[list[Answer | BaseException], list[int]]:
    """What is found in files that all wait when the network begins, and how many were taken together."""
    taken: list[int] = []

    async def ask() -> list[Answer | BaseException]:
        network = Network(detector, size, taken.append)
        waiting = [asyncio.create_task(network.detect([str(file)], TIMING, file.name)) for file in files]
        await asyncio.sleep(0)
        network.start()
        found = await asyncio.gather(*waiting, return_exceptions=True)
        network.stop()
        return found

    return waited_for(ask()), taken


def close(one: Detections, other: Detections) -> bool:
    return np.allclose(one.segments, other.segments, atol=1e-4) and np.allclose(one.scores, other.scores, atol=1e-5)


@pytest.mark.parametrize("size", [1, 4])
def test_what_is_found_does_not_depend_on_what_is_computed_with_it(
    detector: Detector, files: list[Path], size: int
) -> None:
    found, taken = asked_together(detector, files[:-1], size)
    assert max(taken) == size
    assert sum(taken) == 12
    for file, answer in zip(files, found, strict=False):
        assert isinstance(answer, Answer)
        assert close(answer.found, detector.detect(file, **TIMING))
        assert np.array_equal(answer.found.labels, detector.detect(file, **TIMING).labels)


def test_one_that_cannot_be_used_spoils_no_other(detector: Detector, files: list[Path]) -> None:
    found, _ = asked_together(detector, [files[3], files[-1], files[2]], 4)
    assert isinstance(found[1], InputError)
    assert "broken.npy" in str(found[1])
    assert isinstance(found[0], Answer)
    assert isinstance(found[2], Answer)


def test_what_may_be_wrong_is_said_of_the_name_that_was_sent(
    detector: Detector, files: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = detector.detect_placed

    def doubtful(*given: Any, **more: Any) -> Any:
        warn("it may be guessed")
        return plain(*given, **more)

    monkeypatch.setattr(detector, "detect_placed", doubtful)

    async def ask() -> list[Answer]:
        network = Network(detector, 4, lambda _: None)
        network.start()
        timing = [{**TIMING, "duration": 51.5}, TIMING]
        found = [await network.detect([str(files[11])], one, "night.npy") for one in timing]
        network.stop()
        return found

    first, second = waited_for(ask())
    assert second.warnings == ("it may be guessed",)
    assert first.warnings[0].startswith("night.npy: ")
    assert first.warnings[1:] == second.warnings


def test_an_error_of_the_detector_is_that_of_each_and_ends_nothing(
    detector: Detector, files: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> list[int]:
        raise RuntimeError("out of order")

    monkeypatch.setattr(Detector, "together", broken)
    found, taken = asked_together(detector, files[:3], 4)
    assert all(isinstance(one, Answer) for one in found)
    assert taken == [1, 1, 1]
    monkeypatch.setattr(Detector, "detect_placed", broken)
    failed, _ = asked_together(detector, files[:3], 4)
    assert [str(one) for one in failed] == 3 * ["out of order"]


def test_who_has_left_is_not_looked_at(detector: Detector, files: list[Path]) -> None:
    taken: list[int] = []

    async def ask() -> None:
        network = Network(detector, 1, taken.append)
        left, stays = (asyncio.create_task(network.detect([str(file)], TIMING, file.name)) for file in files[:2])
        await asyncio.sleep(0)
        left.cancel()
        await asyncio.sleep(0)
        network.start()
        assert isinstance(await stays, Answer)
        network.stop()

    waited_for(ask())
    assert taken == [1]


def test_long_features_are_read_no_further_once_nobody_waits() -> None:
    asked = Asked([], {}, "it")
    seen = Stoppable(rows(9), asked)
    assert seen.shape == (9, 6)
    assert np.array_equal(seen[2:4], rows(9)[2:4])
    asked.stopped = True
    with pytest.raises(StoppedError):
        seen[4:6]
