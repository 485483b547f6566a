"""Sequences seen in windows: what is found is what each window gives alone, at its place."""

from typing import Any

import numpy as np
import pytest
import torch
from variants import TIMING, lively_detector

from actionformer.core.errors import InputError
from actionformer.core.segments import TimeGrid
from actionformer.detectors.actionformer.architecture import ActionFormer
from actionformer.detectors.base import architecture_of
from actionformer.features import Features
from actionformer.inference.explain import attention_of, explain
from actionformer.inference.sequences import FeatureSequence, place
from actionformer.inference.settings import SuppressionSettings
from actionformer.inference.suppression import suppress
from actionformer.inference.windows import Joiner, Window, suppressed, thinned
from actionformer.nn.decoding import Candidates
from actionformer.settings.config import Config

WINDOW = {"window": 32, "test_overlap": 0.25}
"""Of 90 features windows begin at 0, 24, 48 and 58."""
GRID = TimeGrid(fps=1, stride=1, num_frames=1)


def features(length: int) -> Any:
    return np.random.default_rng(0).standard_normal((length, 6)).astype(np.float32)


@pytest.mark.parametrize(("length", "starts"), [(90, [0, 24, 48, 58]), (32, [0]), (11, [0])])
def test_candidates_are_those_of_each_window_at_its_place(tiny: Config, length: int, starts: list[int]) -> None:
    whole, windowed = lively_detector(tiny), lively_detector(tiny, data=WINDOW)
    array = features(length)

    def candidates(detector: Any, part: Any) -> Any:
        sequence = place(part, TIMING | {"duration": None}, None, detector.config, detector.card.features)
        return explain(detector.runner, sequence)

    found = candidates(windowed, array)
    parts = [candidates(whole, array[start : start + 32]).candidates for start in starts]
    expected = torch.cat([part.segments + start for part, start in zip(parts, starts, strict=True)])
    np.testing.assert_allclose(found.candidates.segments, expected, atol=1e-4)
    np.testing.assert_allclose(found.candidates.scores, torch.cat([part.scores for part in parts]), atol=1e-5)
    strides = torch.tensor([level.stride for level in whole.runner.levels])
    moments = [part.moments * strides[part.levels] + start for part, start in zip(parts, starts, strict=True)]
    assert found.candidates.moments.tolist() == torch.cat(moments).tolist()
    assert set(found.candidates.levels.tolist()) == {0}
    assert found.levels == []


def found_in(*rows: tuple[float, float, float, int]) -> Candidates:
    """Candidates of start, end, score and class."""
    numbers = torch.tensor(rows, dtype=torch.float64).view(-1, 4)
    nothing = torch.zeros(len(numbers), dtype=torch.int64)
    return Candidates(numbers[:, :2], numbers[:, 2].float(), numbers[:, 3].long(), nothing, nothing)


def test_what_two_windows_found_twice_is_found_once() -> None:
    """Windows of 0 to 9, 6 to 15 and 12 to 21: 5.5 to 9.5 and 11.5 to 15.5 are seen twice.

    The two at 7 to 9 share 2 of 2.5: tIoU 0.8. Those of another class, before the overlap, or of one window only stay.
    The action from 5 to 14 reaches into both overlaps: it stays, once.
    """
    windows = range(10), range(6, 16), range(12, 22)
    first = found_in((7, 9, 0.8, 0), (7, 9, 0.3, 1), (1, 4, 0.5, 0), (1, 4, 0.4, 0))
    second = found_in((6.5, 9, 0.6, 0), (5, 14, 0.7, 2), (10, 11, 0.2, 0))
    third = found_in((5, 14, 0.1, 2), (17, 20, 0.9, 0))
    everything = thinned(windows, (first, second, third), SuppressionSettings())
    assert len(everything.scores) == 9
    kept = thinned(windows, (first, second, third), SuppressionSettings(window_tiou=0.4))
    expected = {(7, 9, 0), (7, 9, 1), (1, 4, 0), (5, 14, 2), (10, 11, 0), (17, 20, 0)}
    assert {(*segment, label) for segment, label in zip(kept.segments.tolist(), kept.labels.tolist(), strict=True)} == (
        expected
    )
    assert sorted(kept.scores.tolist()) == pytest.approx([0.2, 0.3, 0.4, 0.5, 0.7, 0.8, 0.9])
    loose = thinned(windows, (first, second, third), SuppressionSettings(window_tiou=0.9))
    assert len(loose.scores) == 8  # only the action that two windows found alike is suppressed


def test_what_no_window_finds_is_nothing() -> None:
    kept = thinned((range(10), range(6, 16)), (found_in(), found_in()), SuppressionSettings(window_tiou=0.4))
    assert len(kept.scores) == 0


def test_a_window_is_suppressed_by_itself_and_then_all_together() -> None:
    """[0, 10] and [5, 15] share 5 of 15. The second window's [15, 25] overlaps neither of its own, but the first's."""
    settings = SuppressionSettings(per_window=True, sigma=0.5, max_detections=2)
    kept = suppressed(found_in((5, 15, 0.8, 1), (0, 10, 0.9, 1), (20, 30, 0.1, 1)), settings)
    assert kept.segments.tolist() == [[0, 10], [5, 15]]
    assert kept.scores.tolist() == pytest.approx([0.9, 0.8 * np.exp(-(1 / 9) / 0.5)])
    assert kept.labels.tolist() == [1, 1]
    rows = [FeatureSequence(Features((), (20, 1)), GRID, 30.0, name="a") for _ in range(2)]
    windows = [Window(0, start, sequence) for start, sequence in zip((0, 10), rows, strict=True)]
    joiner = Joiner(windows, [], settings)
    assert joiner.add(windows[1], found_in((5, 15, 0.5, 1)), (0.0, 0)) is None
    together, _ = joiner.add(windows[0], found_in((5, 15, 0.8, 1), (0, 10, 0.9, 1)), (0.2, 0)) or (None, None)
    assert together is not None
    assert together.segments.tolist() == [[0, 10], [5, 15], [15, 25]]
    assert together.scores.tolist() == pytest.approx([*kept.scores.tolist(), 0.5])


@pytest.mark.parametrize("batch_size", [1, 3, None])
def test_detection_suppresses_what_all_windows_found_together(tiny: Config, batch_size: int | None) -> None:
    detector = lively_detector(tiny, data=WINDOW, suppression={"max_detections": 1000})
    arrays = {"a": features(90), "b": features(40)[::-1].copy()}
    items = {video: {"features": array, **TIMING} for video, array in arrays.items()}
    found = detector.detect_many(items, batch_size=batch_size)
    for video, array in arrays.items():
        sequence = place(array, TIMING | {"duration": None}, None, detector.config, detector.card.features)
        candidates = explain(detector.runner, sequence).candidates
        kept = suppress(candidates.segments, candidates.scores, candidates.labels, detector.config.suppression)
        assert len(kept.scores) > 10
        np.testing.assert_allclose(found[video].scores, kept.scores, atol=1e-5)


def test_a_stream_and_attention_are_refused(tiny: Config) -> None:
    detector = lively_detector(tiny, data=WINDOW)
    with pytest.raises(InputError, match="features resized or cut to one length"):
        detector.stream(max_action_seconds=3.0, fps=10, stride=5, num_frames=10)
    with pytest.raises(InputError, match="looks at windows one by one"):
        attention_of(detector.runner)


def test_a_detector_may_ask_for_one_length(tiny: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ActionFormer, "one_length", True)
    with pytest.raises(InputError, match=r"actionformer takes sequences of one length: set data.window or data.resize"):
        architecture_of(tiny)
    assert architecture_of(tiny.replace(data={"window": 32})).training_length() == 32
    assert architecture_of(tiny.replace(data={"resize": 32})).one_length


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"window": 16, "resize": 16}, "set one of them"),
        ({"window": 100_000}, "data.window 100000 is longer than the sequences of model.max_length"),
        ({"window": 16, "test_overlap": 1.0}, "test_overlap"),
    ],
)
def test_settings_that_do_not_go_together(tiny: Config, data: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        tiny.replace(data=data)
