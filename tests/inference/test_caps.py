"""Caps: a day has room for a day's actions, and whatever is cut that would be missed is said, with numbers."""

import re
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from detecting import ROUNDED, assert_same
from variants import lively_detector as lively

from actionformer.core.detections import Detections
from actionformer.core.errors import InputError
from actionformer.core.segments import TimeGrid
from actionformer.inference.caps import Cut, Shares, most_detections, worth_telling
from actionformer.inference.detector import Detector
from actionformer.inference.loading import load
from actionformer.inference.settings import DecodingSettings, SuppressionSettings
from actionformer.inference.suppression import suppress, suppress_and_count
from actionformer.interop import convert
from actionformer.nn.decoding import Decoder
from actionformer.nn.outputs import LevelOutputs
from actionformer.settings.config import Config
from actionformer.settings.loading import load_config

GRID = TimeGrid(fps=10, stride=5, num_frames=10)  # two features a second
SMALL = Path(__file__).resolve().parents[1] / "data" / "parity"
SAID = "ignore:.*detections that score"


def array(length: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((length, 6)).astype(np.float32)


def capped(tiny: Config, **suppression: Any) -> Config:
    return tiny.replace(suppression={"max_detections": 10} | suppression)


# --- how many


def test_the_cap_grows_with_the_length_beyond_the_longest_training_sequence(tiny: Config) -> None:
    """max_length is 64."""
    config = capped(tiny)
    assert [most_detections(config, length, GRID) for length in (1, 64, 65, 96, 640)] == [10, 10, 11, 15, 100]
    published = capped(tiny, cap_per="video")
    assert [most_detections(published, length, GRID) for length in (1, 64, 65, 640)] == [10, 10, 10, 10]


def test_so_many_an_hour_need_no_blocks(tiny: Config) -> None:
    config = capped(tiny).replace(live={"max_per_hour": 60})
    assert most_detections(config, 2 * 3600, GRID) == 60
    assert most_detections(config, 2 * 90, GRID) == 2  # 90 s
    assert most_detections(config, 1, GRID) == 1


def test_blocks_share_what_a_finished_video_may_have(tiny: Config) -> None:
    """Blocks of 16 features: a quarter of 10 each, and what is left is for later ones."""
    shares = Shares(capped(tiny), GRID, 16)
    assert [shares.of_block(block, kept) for block, kept in ((0, 0), (1, 3), (2, 3), (3, 8), (39, 0))] == [
        3, 2, 5, 2, 100
    ]  # fmt: skip
    assert shares.of_rest(20, 0) == 10
    assert shares.of_rest(640, 90) == 10
    assert Shares(capped(tiny, cap_per="video"), GRID, 16).of_rest(640, 90) == 10  # a stream has no other length


def test_blocks_share_so_many_an_hour(tiny: Config) -> None:
    """Blocks of 30 s and one in 40 s: one of four has none, and nobody gets what others leave."""
    shares = Shares(capped(tiny).replace(live={"max_per_hour": 90}), GRID, 60)
    assert [shares.of_block(block, 0) for block in range(8)] == [1, 1, 1, 0, 1, 1, 1, 0]


def test_a_level_keeps_its_best_of_every_span_however_pieces_are_cut() -> None:
    torch.manual_seed(0)
    logits, offsets = torch.randn(1, 40, 2), torch.rand(1, 40, 2)
    settings = DecodingSettings(top_k=3)

    def found(*cuts: int, stride: int, span: int | None) -> set[tuple[int, int]]:
        decoder = Decoder((stride,), settings, span)
        for first, stop in zip((0, *cuts), (*cuts, 40), strict=True):
            part = slice(first, stop)
            valid = torch.ones(1, stop - first, dtype=torch.bool)
            decoder.add(LevelOutputs(0, first, logits[:, part], offsets[:, part], valid))
        (candidates,) = decoder.candidates()
        return set(zip(candidates.moments.tolist(), candidates.labels.tolist(), strict=True))

    whole = found(stride=1, span=None)
    assert len(whole) == 3
    assert found(stride=1, span=40) == whole
    pairs = logits[0].reshape(4, 20)  # ten moments of stride 2 are 20 features
    expected = {
        (10 * row + place // 2, place % 2) for row, best in enumerate(pairs.topk(3).indices.tolist()) for place in best
    }
    for cuts in ((), (10, 20, 30), (1,), (7, 19, 33)):
        assert found(*cuts, stride=2, span=20) == expected
        assert found(*cuts, stride=1, span=None) == whole


def test_what_decoding_leaves_out_is_known() -> None:
    logits = torch.tensor([[0.9], [0.8], [0.6], [0.7]]).logit()
    for span, left in ((None, 0.6), (2, 0.0)):
        decoder = Decoder((1,), DecodingSettings(top_k=3), span)
        for first in (0, 2):
            part = logits[None, first : first + 2]
            decoder.add(LevelOutputs(0, first, part, torch.ones(1, 2, 2), torch.ones(1, 2, dtype=torch.bool)))
        assert decoder.left_out() == [(pytest.approx(left), 0)]


def test_what_lies_within_the_training_length_is_as_ever(tiny: Config) -> None:
    grown, published = (
        lively(tiny, suppression={"cap_per": kind}, decoding={"cap_per": kind, "top_k": 100})
        for kind in ("length", "video")
    )
    for one in (grown, published):
        one.shown_from = 1.0
    for length in (5, 64):
        found, expected = grown.detect(array(length)), published.detect(array(length))
        for name in ("segments", "scores", "labels", "levels"):
            np.testing.assert_array_equal(getattr(found, name), getattr(expected, name))
    assert len(published.detect(array(640))) == 200
    assert len(grown.detect(array(640))) > 1000


# --- a day of actions

CLASSES = 4


def day(detector: Detector, monkeypatch: pytest.MonkeyPatch, length: int) -> tuple[np.ndarray, np.ndarray]:
    """Lets the network of a detector say that there is an action of 6 features every 8, of each class in turn.

    Those of the first class score 0.9 and the others less. Returns (N,) centres in features and classes.
    """
    centres = np.arange(4, length - 4, 8)
    labels = np.arange(len(centres)) % CLASSES
    logits = torch.full((1, length, CLASSES), -5.0)
    logits[0, centres, labels] = torch.tensor([0.9, 0.8, 0.6, 0.5])[labels].logit()
    offsets, valid = torch.full((1, length, 2), 3.0), torch.ones(1, length, dtype=torch.bool)
    monkeypatch.setattr(detector.runner, "outputs", lambda _: iter([LevelOutputs(0, 0, logits, offsets, valid)]))
    return centres, labels


def test_a_day_has_all_its_actions_in_every_class(tiny: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    """172,800 features, 21,599 actions; 64 features hold 8 of them."""
    detector = lively(tiny, model={"num_classes": CLASSES}, suppression={"max_detections": 10})
    length = 24 * 3600 * 2
    centres, labels = day(detector, monkeypatch, length)
    found = detector.detect(np.zeros((length, 6), np.float32)).above(0.4)
    order = found.segments[:, 0].argsort()
    np.testing.assert_array_equal(found.labels[order], labels)
    np.testing.assert_allclose(GRID.to_grid(found.segments[order]).mean(axis=1), centres, atol=0.01)


def test_a_cap_per_video_says_what_it_cut(tiny: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    published = {"decoding": {"cap_per": "video"}, "suppression": {"cap_per": "video"}}
    detector = lively(tiny, model={"num_classes": CLASSES}, **published)
    day(detector, monkeypatch, 6404)
    with pytest.warns(UserWarning, match="video 'night'") as said:
        found = detector.detect_many({"night": array(6404)})["night"]
    assert len(found) == 200
    assert [str(one.message) for one in said] == [
        "video 'night': kept 200 of 800 detections that score 0.3 or more, as suppression.max_detections is 200 per "
        "video: raise it, or set suppression.cap_per to length"
    ]
    few = detector.with_settings(decoding={"top_k": 100}, suppression={"max_detections": 1000})
    day(few, monkeypatch, 6404)
    with pytest.warns(UserWarning, match="features: decoding.top_k is 100 per level and video: raise it") as said:
        assert (few.detect(array(6404)).scores > 0.4).sum() == 100
    assert "others of level 0 score 0.9" in str(said[0].message)


def test_many_videos_are_told_in_one_line(tiny: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    published = {"decoding": {"cap_per": "video"}, "suppression": {"cap_per": "video"}}
    detector = lively(tiny, model={"num_classes": CLASSES}, **published)
    day(detector, monkeypatch, 6404)
    with pytest.warns(UserWarning, match="detections that score") as said:
        detector.detect_many({name: array(6404) for name in "abc"})
    (line,) = said
    assert str(line.message).startswith("video 'a' (and likewise 2 more videos): kept 200 of 800 detections that")
    assert line.filename == __file__
    told: list[str] = []
    detector.tell = lambda message, _: told.append(message)
    detector.detect_many({"a": array(6404)})
    assert [message[:12] for message in told] == ["video 'a': k"]


def test_what_is_faint_is_cut_in_silence_unless_it_was_asked_for(tiny: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    detector = lively(tiny, model={"num_classes": CLASSES}, suppression={"max_detections": 50})
    day(detector, monkeypatch, 2 * 64)  # 100 may be kept: 15 actions, and of many more those that score 0.007
    assert len(detector.detect(array(2 * 64))) == 100
    detector.shown_from = 0.001
    with pytest.warns(UserWarning, match="kept 100 of 264 detections that score 0.001 or more"):
        detector.detect(array(2 * 64))
    detector.shown_from = 0.95
    few = detector.with_settings(suppression={"max_detections": 1})
    day(few, monkeypatch, 2 * 64)
    assert len(few.detect(array(2 * 64))) == 2  # better ones than 0.95 there are none


def test_published_detections_would_have_been_cut_in_silence(shared: Path) -> None:
    """Each of 212 videos has 200 detections, the most there may be: what is missing scores less than the last."""
    with np.load(shared / "data" / "thumos14" / "published_detections.npz") as stored:
        videos, scores = stored["video"], stored["score"]
    for video in np.unique(videos):
        own = scores[videos == video]
        assert len(own) == 200
        assert own.min() < worth_telling(float(own.max()))


def test_what_is_cut_is_counted_by_hand() -> None:
    """Three apart, two at one place: of these the second falls to 0.8 * exp(-1 / 0.5)."""
    segments = [[0, 1], [2, 3], [4, 5], [6, 7], [6, 7]]
    scores, labels = [0.9, 0.5, 0.3, 0.8, 0.8], [0, 0, 1, 1, 1]
    for settings in (SuppressionSettings(), SuppressionSettings(method="none")):
        kept, more = suppress_and_count(segments, scores, labels, settings, most=2, worth=0.3)
        assert (
            kept.scores.tolist()
            == suppress(segments, scores, labels, settings.model_copy(update={"max_detections": 2})).scores.tolist()
        )
        assert more == (3 if settings.method == "none" else 2)
        assert suppress_and_count(segments, scores, labels, settings, most=10**30, worth=0.1)[1] == 0


def test_what_caps_cut_in_one_line(tiny: Config) -> None:
    cut = Cut()
    cut.add(3, 0, 0.3)
    assert cut.message("a", tiny) is None
    cut.leave(0.29, 2)
    assert cut.message("a", tiny) is None
    cut.leave(0.5, 1)
    cut.add(2, 1234, 0.3)
    assert cut.message("a", tiny) == (
        "a: kept 5 of 1,239 detections that score 0.3 or more, as suppression.max_detections is 200 per 64 features: "
        "raise it; decoding.top_k is 2,000 per level and 64 features: raise it, as others of level 1 score 0.5"
    )
    hourly = tiny.replace(live={"max_per_hour": 60})
    assert "as live.max_per_hour is 60;" in str(cut.message("a", hourly))


@pytest.mark.parametrize(
    ("preset", "words"),
    [
        ("bmn_small", "decoding.top_k is 10,000 per window: raise it, as others score 0.5"),
        ("bmn_activitynet_tsp", "decoding.top_k is 10,000 per video: raise it, as others score 0.5"),
        ("muses_small", "decoding.top_k is 2,000 per 2,304 features: raise it, as others score 0.5"),
    ],
)
def test_what_decoding_leaves_out_without_levels(preset: str, words: str) -> None:
    cut = Cut()
    cut.add(3, 0, 0.3)
    cut.leave(0.5, 0)
    assert cut.message("a", load_config(preset)) == f"a: {words}"


# --- streams


def streamed(detector: Detector, features: np.ndarray, size: int, **live: Any) -> Detections:
    from actionformer.inference.stream import joined

    stream = detector.stream(**live)
    found = [stream.push(features[start : start + size]) for start in range(0, len(features), size)]
    return joined([*found, stream.finish()], detector.class_names)


@pytest.mark.filterwarnings(SAID)
@pytest.mark.parametrize("length", [20, 400])
def test_the_longest_action_alone_keeps_a_cap(tiny: Config, length: int) -> None:
    detector = lively(tiny, suppression={"max_detections": 20}, live={"max_action_seconds": 12.0})
    found = detector.detect(array(length))
    assert len(found) == most_detections(detector.config, length, GRID)
    for size in (7, 64):
        assert_same(streamed(detector, array(length), size), found, ROUNDED)


def test_a_stream_says_what_is_cut_whenever_it_has_doubled(tiny: Config) -> None:
    detector = lively(tiny, suppression={"max_detections": 5})
    with pytest.warns(UserWarning, match="gate 4: kept") as said:
        streamed(detector, array(900), 50, max_action_seconds=12.0, name="gate 4")
    cut = [
        int(number[1]) - int(number[0])
        for one in said
        if (number := re.findall(r"[\d]+", str(one.message)[7:].replace(",", "")))
    ]
    assert 3 < len(cut) < 12
    assert all(later >= 2 * earlier for earlier, later in pairwise(cut[:-1]))


# --- settings


def test_settings_of_a_finished_model(run: Path) -> None:
    detector = load(run, settings={"suppression": {"max_detections": 3}})
    assert detector.config.suppression.max_detections == 3
    other = detector.with_settings(suppression={"max_detections": 4}, decoding={"min_probability": 0.0})
    assert (detector.config.suppression.max_detections, other.config.suppression.max_detections) == (3, 4)
    assert other.model is detector.model
    other.shown_from = detector.shown_from = 1.0
    assert len(detector.detect(array(20), **_timing())) == 3
    assert len(other.detect(array(20), **_timing())) == 4
    for settings, message in (
        ({"suppression": {"max_detection": 3}}, "did you mean 'max_detections'"),
        ({"suppression": {"max_detections": 0}}, "suppression.max_detections"),
        (
            {"model": {"width": 3}},
            "model: cannot be changed after training; only decoding, suppression, fusion, live can",
        ),
        ({"suppresion": {}}, "did you mean 'suppression'"),
    ):
        with pytest.raises(InputError, match=message):
            load(run, settings=settings)


def _timing() -> dict[str, Any]:
    return {"fps": 10, "stride": 5, "num_frames": 10}


def test_a_converted_model_keeps_the_published_caps(tmp_path: Path, run: Path) -> None:
    """Also one that was converted before there were others."""
    convert(SMALL / "official_config.yaml", SMALL / "epoch_007.pth.tar", tmp_path / "model")
    for directory, kind in ((tmp_path / "model", "video"), (run, "length")):
        assert f'cap_per = "{kind}"' in (directory / "config.toml").read_text("utf-8")
        config = load_config(directory)
        assert (config.decoding.cap_per, config.suppression.cap_per) == (kind, kind)
        lines = (directory / "config.toml").read_text("utf-8").splitlines(keepends=True)
        (directory / "config.toml").write_text(
            "".join(line for line in lines if not line.startswith("cap_per")), "utf-8"
        )
        assert load_config(directory) == config
        assert load(directory).config == config
    assert load_config("thumos14_i3d").suppression.cap_per == "length"
    own = load_config("thumos14_i3d", {"model": {"mask_padding": "published"}, "suppression": {"cap_per": "length"}})
    assert (own.decoding.cap_per, own.suppression.cap_per) == ("video", "length")


def test_nothing_left_out_is_not_told_where_all_scores_are_asked_for() -> None:
    cut = Cut()
    cut.add(kept=3, more=0, score=0.0)
    assert cut.message("video", Config()) is None
    cut.leave(0.1, 2)
    assert "others of level 2 score 0.1" in str(cut.message("video", Config()))
