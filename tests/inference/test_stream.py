"""A stream finds what `detect` finds in the whole video, and when."""

from typing import Any

import numpy as np
import pytest
import torch
from detecting import ROUNDED, array, assert_same
from hypothesis import given, settings
from hypothesis import strategies as st
from variants import lively_detector as lively

from actionformer.core.detections import Detections
from actionformer.core.errors import InputError
from actionformer.inference.detector import Detector
from actionformer.inference.stream import joined
from actionformer.nn.decoding import Candidates
from actionformer.settings.config import Config

pytestmark = pytest.mark.filterwarnings("ignore:.*detections that score")  # weights drawn at random believe a lot

TEMPORALMAXER = {"detector": "temporalmaxer"}
TRIDENT = {"boundary": "trident", "boundary_bins": 6, "iou_power": 0.2}


def test_a_model_with_statistics_of_the_whole_follows_no_stream(tiny: Config) -> None:
    detector = lively(tiny, model=TEMPORALMAXER | {"level_norm": "groupnorm"})
    with pytest.raises(
        InputError,
        match=r"cannot follow a stream: .*statistics of all moments.*: detect in finished files, without live",
    ):
        detector.stream(max_action_seconds=10)


def streamed(detector: Detector, features: np.ndarray, sizes: list[int], **live: Any) -> tuple[Detections, list[Any]]:
    """All that a stream gives, and for each push how much was known and what became final."""
    stream, start = detector.stream(**live), 0
    given: list[tuple[int, Detections]] = []
    while start < len(features):
        size = sizes[len(given) % len(sizes)]
        given.append((min(start + size, len(features)), stream.push(features[start : start + size])))
        start += size
    given.append((len(features), stream.finish()))
    return joined([found for _, found in given], detector.class_names), given


@pytest.mark.parametrize("padding", ["exact", "published"])
@pytest.mark.parametrize("changes", [{}, TRIDENT, TEMPORALMAXER, {"neck": "fpn"}, {"members": 2}])
@settings(max_examples=4)
@given(
    length=st.integers(1, 400),
    sizes=st.lists(st.integers(1, 90), min_size=1, max_size=5),
    top_k=st.sampled_from([4, 30, 100, 2000]),  # in a piece: it cuts, it may cut, it never does
    chunk=st.sampled_from([64, 2048]),
    seed=st.integers(0, 9),
)
def test_a_stream_finds_what_detect_finds(
    tiny: Config,
    changes: dict[str, Any],
    padding: str,
    length: int,
    sizes: list[int],
    top_k: int,
    chunk: int,
    seed: int,
) -> None:
    live: dict[str, Any] = {"max_action_seconds": 12.0, "max_per_hour": 4000.0}
    detector = lively(tiny, model=changes | {"mask_padding": padding}, live=live, decoding={"top_k": top_k})
    detector.runner.chunk = chunk
    detector.shown_from = 1.0  # or all that is cut would be counted
    expected = detector.detect(array(length, seed))
    found, _ = streamed(detector, array(length, seed), sizes)
    assert_same(found, expected, ROUNDED)
    assert (found.segments[:, 1] - found.segments[:, 0]).max() <= 12.0
    assert found.segments.max() <= (5 * (length - 1) + 10) / 10


def test_final_within_the_stated_delay_and_never_before_it_can_be(tiny: Config) -> None:
    detector, features = lively(tiny), array(800)
    live: dict[str, Any] = {"max_action_seconds": 15.0}
    delay = detector.stream(**live).delay_seconds
    assert 3 * 15 < delay < 3 * 15 + 40
    _, given = streamed(detector, features, [7], **live)
    assert sum(len(found) > 0 for _, found in given) > 20
    for known, found in given[:-1]:
        age = known * 0.5 - found.segments[:, 0]
        assert (age <= delay + 3.5).all()  # a push of 7 features brings 3.5 s at once
        assert (found.segments[:, 1] <= known * 0.5 + 0.75).all()  # ends were seen


def test_what_is_final_does_not_depend_on_what_comes_later(tiny: Config) -> None:
    detector = lively(tiny)
    one = array(900)
    other = np.concatenate([one[:600], 5 * array(300, seed=1)])
    live: dict[str, Any] = {"max_action_seconds": 15.0}
    results = []
    for features in (one, other):
        stream = detector.stream(**live)
        early = [stream.push(features[start : start + 50]) for start in range(0, 600, 50)]
        results.append(joined(early, detector.class_names))
    assert_same(results[0], results[1])


def test_provisional_actions_become_final_unless_something_better_comes(tiny: Config) -> None:
    detector = lively(tiny, suppression={"max_detections": 2000})
    stream = detector.stream(max_action_seconds=15)
    stream.push(array(600))  # 300 s, of which all is decoded but what the lookahead of 18 s needs
    waiting = stream.provisional()
    assert_same(stream.provisional(), waiting)  # asking changes nothing
    final = starts(stream.finish())
    settled = waiting[waiting.segments[:, 1] < 300 - 18 - 15]
    assert len(settled) > 5
    assert len(starts(settled) & final) > 0.9 * len(settled)


def starts(found: Detections) -> set[tuple[int, float]]:
    return {(label, round(start, 2)) for label, (start, _) in zip(found.labels, found.segments, strict=True)}


def test_blocks_change_little_of_what_is_found(tiny: Config) -> None:
    """Against one suppression over the whole video: only chains longer than three blocks are cut."""
    free = lively(tiny, suppression={"max_detections": 100_000})
    blocks = lively(tiny, live={"max_action_seconds": 60.0})
    whole, cut = free.detect(array(1000)), blocks.detect(array(1000))
    whole = whole[whole.segments[:, 1] - whole.segments[:, 0] <= 60]
    best = whole.above(0.2)
    assert len(best) > 50
    assert len(starts(best) & starts(cut)) > 0.99 * len(best)


def test_most_actions_an_hour(tiny: Config) -> None:
    few = lively(tiny, live={"max_action_seconds": 20.0, "max_per_hour": 360.0})  # two in a block of 20 s
    found = few.detect(array(400))
    blocks = np.clip((found.segments[:, 0] - 0.5) // 20, 0, None)
    assert np.unique(blocks, return_counts=True)[1].max() == 2
    every = lively(tiny, live={"max_action_seconds": 20.0}).detect(array(400))
    for block in np.unique(blocks):
        rivals = every[np.clip((every.segments[:, 0] - 0.5) // 20, 0, None) == block]
        np.testing.assert_allclose(np.sort(found.scores[blocks == block]), np.sort(rivals.scores[:2]), atol=1e-6)


def test_a_stream_that_cannot_be(tiny: Config) -> None:
    detector, whole = lively(tiny), lively(tiny, model=TEMPORALMAXER | {"level_norm": "groupnorm"})
    with pytest.raises(InputError, match="needs max_action_seconds"):
        detector.stream()
    by_width = detector.with_settings(suppression={"soft_from_width": 0.4})
    with pytest.raises(InputError, match="soft_from_width needs the length of a video, which a stream has not"):
        by_width.stream(max_action_seconds=5)
    with pytest.raises(InputError, match="cannot follow a stream"):  # which setting it to 0 would not change
        whole.with_settings(suppression={"soft_from_width": 0.4}).stream(max_action_seconds=5)
    for live, message in (
        ({"max_action_seconds": -1}, "max_action_seconds"),
        ({"max_per_hour": 5}, "max_action_seconds"),
        ({"max_action_seconds": 5, "fps": 0}, "fps"),
        ({"max_action_seconds": 0.4}, "at least the 0.5 s between two features"),
    ):
        with pytest.raises(InputError, match=message):
            detector.stream(**live)
    stream = detector.stream(max_action_seconds=5)
    with pytest.raises(InputError, match="5 channels, the model expects 6"):
        stream.push(np.zeros((3, 5)))
    with pytest.raises(InputError, match="row 1"):
        stream.push(np.array([[0.0] * 6, [np.nan] * 6]))
    with pytest.raises(InputError, match="duration"):
        stream.finish(-5)
    assert len(stream.finish()) == 0
    with pytest.raises(InputError, match="has ended"):
        stream.push(array(3))
    with pytest.raises(InputError, match="has ended"):
        stream.finish()
    whole = lively(tiny, live={"max_action_seconds": 5.0})
    with pytest.raises(InputError, match="those of a whole video"):
        whole.detect(array(9), class_scores=[0.5], class_names=["a"])


def test_levels_made_for_longer_actions_are_not_waited_for(tiny: Config) -> None:
    """The levels are made for 0 to 4, 4 to 8 and more than 8 features, of half a second each."""
    detector, features = lively(tiny), array(200)
    short, long = (detector.stream(max_action_seconds=seconds) for seconds in (3.9, 4.1))
    assert short.delay_seconds < long.delay_seconds - 3 * 0.2 - 2  # by more than the blocks are shorter
    found, _ = streamed(detector, features, [31], max_action_seconds=3.9)
    assert set(found.levels) == {0, 1}
    assert_same(found, lively(tiny, live={"max_action_seconds": 3.9}).detect(features), ROUNDED)


def test_actions_compete_across_the_border_of_blocks(tiny: Config) -> None:
    """Blocks of 20 features; the weaker of two that overlap is gone, wherever the border lies."""
    detector = lively(tiny, suppression={"method": "hard", "tiou_threshold": 0.3})
    for shift in (-10.0, -1.0, 0.0, 5.0):
        stream = detector.stream(max_action_seconds=10)
        segments = torch.tensor([[18.0, 28.0], [21.0, 30.0]], dtype=torch.float64) + shift
        nothing = torch.tensor([0, 0])
        stream._candidates = Candidates(segments, torch.tensor([0.4, 0.9]), torch.tensor([1, 1]), nothing, nothing)
        np.testing.assert_allclose(stream.provisional().scores, [0.9], rtol=1e-6)


def test_a_block_is_final_once_all_that_starts_in_the_next_is_known(tiny: Config) -> None:
    """An action may start 20 features before its moment: 3 blocks of 20 must be known for the first."""
    stream = lively(tiny).stream(max_action_seconds=10)
    for known, final in ((0, 0), (59, 0), (60, 1), (79, 1), (80, 2)):
        stream._known = dict.fromkeys(stream.levels, known)
        stream.strides = [1] * len(stream.strides)
        stream._final()
        assert stream._next == final


def test_few_actions_an_hour_are_shared_out(tiny: Config) -> None:
    """Blocks of 20 s in 400 s, and one action in every third of them."""
    found = lively(tiny, live={"max_action_seconds": 20.0, "max_per_hour": 60.0}).detect(array(800))
    assert 4 <= len(found) <= 400 / 60 + 1


def test_a_model_that_centres_videos(tiny: Config) -> None:
    """What is the same in all of a video makes no difference; a stream can only subtract what it knows."""
    live: dict[str, Any] = {"max_action_seconds": 12.0, "max_per_hour": 4000.0}
    detector = lively(tiny, data={"center_videos": True}, live=live)
    detector.shown_from = 1.0
    features = array(150, 3)
    elsewhere = features + np.float32(8) * np.arange(features.shape[1], dtype=np.float32)
    expected = detector.detect(features)
    assert_same(detector.detect(elsewhere), expected, 1e-3)
    assert_same(lively(tiny, live=live).detect(features - features.mean(axis=0)), expected, 1e-3)

    said = "less its mean, and of a stream it knows that of what has come so far"
    with pytest.warns(UserWarning, match=said):
        one, _ = streamed(detector, features, [7])
    with pytest.warns(UserWarning, match=said):
        other, _ = streamed(detector, elsewhere, [60, 1])
    assert_same(other, one, 1e-3)
    whole, _ = streamed(detector, features - features.mean(axis=0), [13], centred=True)
    assert_same(whole, expected, 1e-3)
