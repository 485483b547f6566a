"""Sequences seen in windows: what is found is what each window gives alone, at its place."""

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from variants import TIMING, lively_detector

from actionformer.core.errors import InputError
from actionformer.core.segments import TimeGrid
from actionformer.detectors import index
from actionformer.detectors.actionformer.architecture import ActionFormer
from actionformer.detectors.base import architecture_of
from actionformer.features import Features
from actionformer.inference.explain import attention_of, explain
from actionformer.inference.runner import Runner
from actionformer.inference.sequences import ArrayRows, FeatureSequence, place
from actionformer.inference.settings import SuppressionSettings
from actionformer.inference.suppression import suppress
from actionformer.inference.windows import Joiner, Window, suppressed, thinned, windows_of
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


@pytest.fixture
def judging(monkeypatch: pytest.MonkeyPatch) -> None:
    """The index of detectors with a second stage."""
    monkeypatch.setitem(index.SETTINGS, "judging", "judging.JudgingSettings")
    monkeypatch.setitem(index.ARCHITECTURES, "judging", "judging.Judging")


def with_proposals(proposals: Any, length: int = 90, start: int = 0) -> FeatureSequence:
    return FeatureSequence(ArrayRows(features(length + start)[start:]), GRID, float(length), proposals=proposals)


def segments(*rows: tuple[float, float]) -> Any:
    return np.array(rows, np.float32).reshape(-1, 2)


def judged(sequence: FeatureSequence) -> list[tuple[int, Any]]:
    """Of each window its first feature, and the proposals that it judges, where they are in the sequence."""
    windows = windows_of([sequence], Config().replace(data=WINDOW).data)
    return [(one.start, one.sequence.proposals + one.start) for one in windows if one.sequence.proposals is not None]


def test_a_proposal_is_judged_in_the_first_window_that_its_centre_lies_in() -> None:
    """Of 90 features windows of 32 begin at 0, 24, 48 and 58; the first ends at 31.5."""
    given = segments((26, 30), (30, 33), (29, 35), (-3, 1), (80, 99), (0, 89))
    assert [(start, rows.tolist()) for start, rows in judged(with_proposals(given))] == [
        (0, [[26, 30], [-3, 1]]),
        (24, [[30, 33], [29, 35], [0, 89]]),
        (48, []),
        (58, [[80, 99]]),
    ]


@given(st.integers(1, 90), st.lists(st.tuples(st.floats(-5, 95, width=32), st.floats(0.5, 40, width=32)), max_size=6))
def test_every_proposal_is_judged_once(length: int, rows: list[tuple[float, float]]) -> None:
    given = segments(*[(start, start + long) for start, long in rows])
    found = np.concatenate([rows for _, rows in judged(with_proposals(given, length))])
    np.testing.assert_allclose(found[np.lexsort(found.T)], given[np.lexsort(given.T)], atol=1e-4)


def test_a_second_stage_in_windows_reports_what_each_window_does_alone(judging: None, tiny: Config) -> None:
    """Of 56 features there are two windows, at 0 and 24, and each has a proposal."""
    config = tiny.replace(model={"detector": "judging", "input_dim": 6, "num_classes": 2}, data=WINDOW)
    torch.manual_seed(0)
    network = architecture_of(config).network().eval()
    windowed, whole = (
        Runner(network, one, torch.device("cpu")) for one in (config, config.replace(data={"window": None}))
    )
    found = explain(windowed, with_proposals(segments((2, 9), (60, 75)), 56)).candidates
    first = explain(whole, with_proposals(segments((2, 9)), 32)).candidates
    second = explain(whole, with_proposals(segments((36, 51)), 32, start=24)).candidates
    expected = Candidates.joined([first, second.moved(24.0)])
    assert found.refined is not None
    assert (found.refined != found.segments).any()
    torch.testing.assert_close(found.refined, expected.reported)
    torch.testing.assert_close(found.segments, expected.segments)
    torch.testing.assert_close(found.scores, expected.scores)


def test_windows_suppressed_alone_keep_what_they_report() -> None:
    found = found_in((0, 9, 0.9, 0), (1, 10, 0.8, 0), (20, 30, 0.7, 0))
    found = found._replace(refined=found.segments + 2)
    kept = suppressed(found, SuppressionSettings(method="hard", tiou_threshold=0.5))
    assert (kept.segments.tolist(), kept.reported.tolist()) == ([[0, 9], [20, 30]], [[2, 11], [22, 32]])
    settings = SuppressionSettings(window_tiou=0.5)
    thin = thinned([range(0, 20), range(10, 40)], [found, found_in()._replace(refined=None)], settings)
    assert thin.reported.tolist() == [[2, 11], [3, 12], [22, 32]]


def test_detection_windows_overlap_as_detection_says() -> None:
    data = Config().replace(data={"window": 40, "train_overlap": 0.75, "test_overlap": 0.25}).data
    sequence = FeatureSequence(ArrayRows(features(100)), GRID, 100.0)
    assert [window.start for window in windows_of([sequence], data)] == [0, 30, 60]


def test_more_is_kept_of_overlaps_than_a_video_may_have() -> None:
    starts = np.arange(8.0)
    many = found_in(*[(12 + start / 2, 12.4 + start / 2, 0.5, 0) for start in starts])
    settings = SuppressionSettings(window_tiou=0.4, max_detections=3)
    kept = thinned((range(20), range(10, 30)), (many, found_in()), settings)
    assert len(kept.scores) == 8


def test_what_decoding_left_out_is_the_highest_of_all_windows() -> None:
    rows = [FeatureSequence(Features((), (20, 1)), GRID, 30.0, name="a") for _ in range(3)]
    windows = [Window(0, start, sequence) for start, sequence in zip((0, 10, 20), rows, strict=True)]
    joiner = Joiner(windows, [], SuppressionSettings())
    assert joiner.add(windows[0], found_in((5, 15, 0.5, 1)), (0.1, 0)) is None
    assert joiner.add(windows[1], found_in((5, 15, 0.5, 1)), (0.4, 0)) is None
    _, left = joiner.add(windows[2], found_in(), (0.2, 0)) or (None, None)
    assert left == (0.4, 0)
