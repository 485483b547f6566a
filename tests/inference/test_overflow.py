"""Finite features that overflow the network are named as NaN is: file and row, not an empty result."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from commands import Command, Refused
from variants import lively_detector as lively

from actionformer.core.errors import InputError
from actionformer.inference.detector import Detector
from actionformer.inference.explain import explain
from actionformer.inference.loading import load
from actionformer.inference.sequences import place
from actionformer.nn.extremes import largest_of
from actionformer.nn.pyramid_network import PyramidNetwork
from actionformer.settings.config import Config

pytestmark = pytest.mark.filterwarnings("ignore:.*detections that score")


def broken(length: int, row: int, value: float = 1e30, dtype: Any = np.float32) -> np.ndarray:
    array = np.random.default_rng(0).standard_normal((length, 6)).astype(dtype)
    array[row, 3] = value
    return array


@pytest.fixture(scope="module")
def detector(tiny: Config) -> Detector:
    return lively(tiny)


@pytest.mark.parametrize("value", [1e25, -1e30, 3e38])
@pytest.mark.parametrize("padding", ["exact", "published"])
def test_the_row_is_named(tiny: Config, padding: str, value: float, tmp_path: Path) -> None:
    detector = lively(tiny, model={"mask_padding": padding})
    message = rf"row 17 has the value {np.float32(value):g}, with which the network overflows in float32".replace(
        "+", r"\+"
    )
    with pytest.raises(InputError, match=f"^features: {message}"):
        detector.detect(broken(60, 17, value))
    np.save(tmp_path / "a.npy", broken(60, 17, value))
    with pytest.raises(InputError, match=rf"a\.npy: {message}: extract the features again$"):
        detector.detect(tmp_path / "a.npy")
    items = {"good": broken(60, 17, 0.0), "bad": broken(60, 17, value)}
    with pytest.raises(InputError, match=f"^video 'bad': {message}"):
        detector.detect_many(items, batch_size=2)


def test_in_any_piece_of_a_long_file(detector: Detector, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(detector.runner, "chunk", 96)
    with pytest.raises(InputError, match=r"features: row 431 has the value 1e\+30"):
        detector.detect(broken(900, 431))


def test_in_streams(tiny: Config, detector: Detector) -> None:
    stream = detector.stream(max_action_seconds=10, name="gate 4")
    features = broken(900, 431)
    stream.push(features[:400])
    with pytest.raises(InputError, match=r"gate 4: row 431 has the value 1e\+30"):
        stream.push(features[400:])
    blocks = lively(tiny, live={"max_action_seconds": 10.0})
    with pytest.raises(InputError, match=r"features: row 899 has the value 1e\+30"):
        blocks.detect(broken(900, 899))


def test_resized_features_are_named_by_their_own_rows(tiny: Config) -> None:
    detector = lively(tiny, data={"resize": 32})
    with pytest.raises(InputError, match="row 435 has"):
        detector.detect(broken(900, 435))


def test_what_is_told_of_scores(detector: Detector) -> None:
    timing = {"fps": 10, "stride": 5, "num_frames": 10, "duration": None}
    sequence = place(broken(60, 17), timing, None, detector.config, detector.card.features)
    with pytest.raises(InputError, match="features: row 17 has"):
        explain(detector.runner, sequence)


def test_numbers_beyond_float32(detector: Detector, tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", broken(60, 17, 1e39, np.float64))
    with pytest.raises(InputError, match="row 17 has a value that is not a finite number in float32"):
        detector.detect(tmp_path / "a.npy")
    with pytest.raises(InputError, match="no finite number in float32, first in row 17"):
        detector.detect(broken(60, 17, 1e39, np.float64))
    for wrong in ([[10**400] * 6], [["a"] * 6]):
        with pytest.raises(InputError, match=r"must be a \(T, D\) array of numbers"):
            detector.detect(wrong)
    with pytest.raises(InputError, match=r"row 1 has the value 1e\+30"):
        detector.detect([[0] * 6, [10**30] * 6])


def test_float16_ends_early(tiny: Config) -> None:
    half = Detector(lively(tiny).model, lively(tiny).config, lively(tiny).card, precision="float16")
    with pytest.raises(InputError, match=r"row 17 has the value 1e\+06, .* in float16: .*, or take precision float32"):
        half.detect(broken(60, 17, 1e6))
    assert len(half.detect(broken(60, 17, 10.0))) > 0


def test_what_features_are_not_to_blame_for(tiny: Config) -> None:
    detector = lively(tiny)
    assert isinstance(detector.model, PyramidNetwork)
    detector.model.classifier.output.bias.data[1] = np.nan
    with pytest.raises(InputError, match=r"no finite numbers in float32, though no feature is extreme .* weights"):
        detector.detect(broken(60, 17, 1.0))


@pytest.mark.parametrize("value", [1e4, 1e12, 1e18])
def test_short_of_overflow_the_harm_is_that_of_any_outlier(detector: Detector, value: float) -> None:
    """Every layer has a norm: what a value changes does not grow with it, and there is nothing to warn of."""
    expected, found = (detector.detect(broken(400, 200, one)) for one in (1e3, value))
    near = np.abs(expected.segments - 100.5).min(axis=1) > 20  # 40 features
    assert near.sum() > 100
    assert abs(len(found) - len(expected)) <= 5
    scores = {tuple(row) for row in found.segments.round(2).tolist()}
    assert sum(tuple(row) in scores for row in expected.segments[near].round(2).tolist()) > 0.98 * near.sum()


def test_the_largest_is_counted_in_deviations(detector: Detector) -> None:
    model = lively(Config().replace(model={"width": 16, "num_heads": 2, "window": 5, "max_length": 64})).model
    model.normalizer.mean.fill_(1e6)
    model.normalizer.deviation.fill_(10.0)
    found = largest_of(
        np.full((4, 6), 1e6, np.float32) + np.eye(4, 6, dtype=np.float32) * np.array([[1], [0], [50], [2]], np.float32),
        model,
        7,
    )
    assert (found.row, found.deviations, found.value) == (9, 5.0, 1000050.0)


def test_one_bad_file_among_many(
    call: Command, refused: Refused, trained: Path, tmp_path: Path, features: Path
) -> None:
    sidecar = (features / "video4.json").read_text("utf-8")
    for name, row in (("good", None), ("bad", 17)):
        np.save(tmp_path / f"{name}.npy", broken(60, row or 0, 1e30 if row else 0.0))
        (tmp_path / f"{name}.json").write_text(sidecar, "utf-8")
    line = refused("detect", trained, tmp_path / "bad.npy")
    assert line.count("bad.npy") == 1
    assert "row 17 has the value 1e+30" in line
    result = call("detect", trained, tmp_path, "--format", "csv")
    assert result.code == 1
    assert "row 17 has the value 1e+30" in result.err
    assert "\ngood," in result.out
    assert len(load(trained).detect(tmp_path / "good.npy")) > 0
