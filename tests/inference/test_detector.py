"""The detector from the outside: what goes in, what comes out, and that the way of asking never matters."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.lib.npyio import NpzFile
from published import FOLDERS, cases, configuration
from variants import lively_detector, published_length

from actionformer.core.detections import Detections
from actionformer.core.errors import InputError
from actionformer.inference.detector import Detector
from actionformer.inference.loading import build, load
from actionformer.interop import convert
from actionformer.settings.config import Config
from actionformer.settings.loading import load_config

TIMING = {"fps": 10, "stride": 5, "num_frames": 10}
SMALL = Path(__file__).resolve().parents[1] / "data" / "parity"


def array(length: int, channels: int = 6, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((length, channels)).astype(np.float32)


def enliven(detector: Detector) -> Detector:
    """Weights with which every part of the network matters: fresh drop-path scales of 1e-4 hide most of it."""
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for name, parameter in detector.model.named_parameters():
            if parameter.ndim > 1:
                parameter.copy_(torch.randn(parameter.shape, generator=generator) / parameter[0].numel() ** 0.5)
            elif "scale" in name:
                parameter.fill_(1.0)
            elif name == "classifier.output.bias":
                parameter.fill_(-1.0)
    return detector


@pytest.fixture(scope="module")
def detector(tiny: Config) -> Detector:
    return enliven(build(tiny.replace(model={"input_dim": 6, "num_classes": 3}, data=TIMING)))


def assert_same(found: Detections, expected: Detections, tolerance: float = 0.0) -> None:
    """Equal, or as sets paired by label and segment: rounding may change the order of equals."""
    assert len(found) == len(expected) > 0
    if tolerance == 0:
        np.testing.assert_array_equal(found.segments, expected.segments)
        np.testing.assert_array_equal(found.scores, expected.scores)
    else:
        assert unpaired(found, expected.segments, expected.scores, expected.labels, tolerance) == 0


def unpaired(found: Detections, segments: Any, scores: Any, labels: Any, tolerance: float) -> int:
    """How many of the expected detections have no counterpart; each found one is used once."""
    free = np.ones(len(found), dtype=bool)
    missing = 0
    for segment, score, label in zip(segments, scores, labels, strict=True):
        distance = np.abs(found.segments - segment).max(axis=1) + np.abs(found.scores - score)
        distance[~free | (found.labels != label)] = np.inf
        best = int(distance.argmin())
        near = np.abs(found.segments[best] - segment).max() <= 10 * tolerance  # 1e-3 s beside a score of 1e-4
        if np.isfinite(distance[best]) and near and abs(found.scores[best] - score) <= tolerance:
            free[best] = False
        else:
            missing += 1
    return missing


def test_array_and_file_are_the_same(detector: Detector, tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", array(40))
    of_array = detector.detect(array(40))
    for other in (tmp_path / "a.npy", str(tmp_path / "a.npy"), torch.from_numpy(array(40)), array(40).tolist()):
        assert_same(detector.detect(other), of_array)
    assert of_array.class_names == ("class_0", "class_1", "class_2")
    assert (of_array.segments >= 0).all()
    assert of_array.segments.max() <= 20.5  # 39 strides of 5 frames and a window of 10, at 10 fps
    assert set(of_array.levels) <= {0, 1, 2}


def test_any_layout_of_memory(detector: Detector) -> None:
    """Also what torch cannot wrap: read-only, reversed, transposed."""
    expected = detector.detect(array(40))
    frozen = array(40)
    frozen.flags.writeable = False
    for other in (frozen, np.ascontiguousarray(array(40)[::-1])[::-1], np.asfortranarray(array(40))):
        assert_same(detector.detect(other), expected)


def test_bfloat16_tensor_as_features(detector: Detector) -> None:
    rough = torch.from_numpy(array(40)).bfloat16()
    assert_same(detector.detect(rough), detector.detect(rough.float().numpy()))


def test_timing_argument_before_sidecar_before_model(
    detector: Detector, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(detector, "other_timing", True)
    path = tmp_path / "a.npy"
    np.save(path, array(40))
    of_model = detector.detect(path)
    path.with_suffix(".json").write_text('{"fps": 20, "duration": 10.2}', "utf-8")
    of_sidecar = detector.detect(path)
    np.testing.assert_allclose(of_sidecar.segments, of_model.segments.clip(0, 20.4) / 2)
    of_argument = detector.detect(path, fps=np.float64(5.0), duration=41)
    np.testing.assert_allclose(of_argument.segments, (2 * of_model.segments).clip(0, 41))


def test_timing_not_known(tiny: Config) -> None:
    detector = build(tiny.replace(model={"input_dim": 6, "num_classes": 2}, data={"fps": 10, "stride": 5}))
    with pytest.raises(InputError, match=r"num_frames of the features is not known"):
        detector.detect(array(20))
    detector.detect(array(20), num_frames=10)


def test_detections_end_with_the_video(detector: Detector) -> None:
    found = detector.detect(array(40), duration=19.6)
    assert found.segments.max() == 19.6


@pytest.mark.parametrize("length", [1, 2, 3, 5, 64, 65, 300])
def test_any_length(detector: Detector, length: int) -> None:
    found = detector.detect(array(length))
    assert len(found) > 0
    assert np.isfinite(found.segments).all()
    assert found.segments.max() <= (5 * (length - 1) + 10) / 10


@pytest.mark.parametrize("batch_size", [2, 3, 10])
def test_batch_size_never_matters_with_clean_padding(detector: Detector, batch_size: int) -> None:
    items = {f"v{length}": array(length, seed=length) for length in (40, 7, 100, 1, 64)}
    alone = {video: detector.detect(features) for video, features in items.items()}
    together = detector.detect_many(items, batch_size=batch_size)
    assert list(together) == list(items)
    for video, found in together.items():
        assert_same(found, alone[video], tolerance=1e-5)


def test_batch_size_never_matters_with_published_padding(tmp_path: Path) -> None:
    """Sequences are padded to 576, 1152 and 576: how far is part of the result, so only like ones share a batch."""
    detector = convert(SMALL / "official_config.yaml", SMALL / "epoch_007.pth.tar", tmp_path / "model")
    width = detector.config.model.input_width
    timing = {"fps": 30.0, "stride": 4, "num_frames": 16}
    items: list[tuple[str, dict[str, Any]]] = [
        (name, {"features": array(length, width, seed=length), **timing})
        for name, length in [("a", 30), ("b", 600), ("c", 200)]
    ]
    alone = {video: detector.detect(**arguments) for video, arguments in items}
    together = detector.detect_many(items, batch_size=3)
    assert list(together) == ["a", "b", "c"]
    for video, found in together.items():
        assert_same(found, alone[video], tolerance=1e-5)


def test_detect_many_takes_mappings_pairs_and_arguments(detector: Detector) -> None:
    items = {"b": array(30), "a": array(20, seed=1)}
    plain = detector.detect_many(items)
    assert list(plain) == ["b", "a"]
    pairs = detector.detect_many((video, {"features": one, "fps": 10.0}) for video, one in items.items())
    assert list(pairs) == ["b", "a"]
    for video in items:
        assert_same(pairs[video], plain[video])
        assert_same(plain[video], detector.detect(items[video]))
    assert detector.detect_many({}) == {}


def test_detect_many_names_the_video(detector: Detector) -> None:
    with pytest.raises(InputError, match=r"video 'bad'.*channels"):
        detector.detect_many({"good": array(9), "bad": array(9, 5)})
    with pytest.raises(InputError, match=r"^video 'bad': features hold .* row 0"):
        detector.detect_many({"good": array(9), "bad": np.full((9, 6), np.nan)})
    centring = lively_detector(detector.config, data={"center_videos": True})
    with pytest.raises(InputError, match=r"^video 'bad': features hold .* row 0"):
        centring.detect_many({"good": array(9), "bad": np.full((9, 6), np.nan)})
    with pytest.raises(InputError, match=r"video 'bad'.*fpss"):
        detector.detect_many({"bad": {"features": array(9), "fpss": 25}})
    with pytest.raises(InputError, match=r"expected \{name: features\} or pairs .* found a list of other things"):
        detector.detect_many([array(9), array(9)])  # type: ignore[list-item]
    with pytest.raises(InputError, match=r"batch_size"):
        detector.detect_many({"a": array(9)}, batch_size=0)


def test_precision(tiny: Config) -> None:
    config = tiny.replace(model={"input_dim": 6, "num_classes": 3}, data=TIMING)
    exact, rough = enliven(build(config)), enliven(build(config, precision="bfloat16"))
    assert len(rough.detect(array(40))) > 0
    x, valid = torch.from_numpy(array(40)).unsqueeze(0), torch.ones(1, 40, dtype=torch.bool)
    expected = exact.model(x, valid)
    assert not exact.model.training
    assert [tuple(level.shape) for level in expected.logits] == [(1, 40, 3), (1, 20, 3), (1, 10, 3)]
    assert [tuple(level.shape) for level in expected.offsets] == [(1, 40, 2), (1, 20, 2), (1, 10, 2)]
    for features in (x, x.bfloat16()):
        outputs = rough.model(features, valid)
        for found, level in zip(outputs.logits, expected.logits, strict=True):
            assert found.dtype == torch.bfloat16
            assert (found.float() - level).abs().max() < 0.2
    with pytest.raises(InputError, match=r"precision must be one of"):
        build(config, precision="int8")


def test_unknown_device(tiny: Config) -> None:
    config = tiny.replace(model={"input_dim": 6, "num_classes": 3})
    for device in ("gpu", "cuda:99"):
        with pytest.raises(InputError, match=device):
            build(config, device=device)


@pytest.mark.parametrize(
    ("features", "message"),
    [
        (array(9, 5), "5 channels, the model expects 6"),
        (array(6, 9), r"shape \(6, 9\) .* the model expects 6: are they stored as \(D, T\)\? Transpose them"),
        (array(9)[0], r"shape \(6,\)"),
        (array(9)[None], r"shape \(1, 9, 6\)"),
        (array(0), "T >= 1"),
        (np.where(np.arange(9)[:, None] == 4, np.nan, array(9)), "row 4"),
        (np.where(np.arange(9)[:, None] == 7, np.inf, array(9)), "row 7"),
        (np.full((9, 6), 1e300), "row 0"),
        ([["a"] * 6], "array of numbers"),
        ([[1, 2], [3]], "array of numbers"),
    ],
)
def test_features_that_cannot_be_used(detector: Detector, features: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        detector.detect(features)


@pytest.mark.parametrize("name", ["fps", "stride", "num_frames", "duration"])
@pytest.mark.parametrize("value", [0, -1.0, np.nan, np.inf, "25", True])
def test_timing_that_cannot_be_meant(detector: Detector, name: str, value: Any) -> None:
    with pytest.raises(InputError, match=f"{name} must be a positive number"):
        detector.detect(array(9), **{name: value})


def test_duration_that_contradicts_the_features(detector: Detector, tmp_path: Path) -> None:
    """40 features cover 20.5 s."""
    with pytest.raises(InputError, match=r"40 features .* cover 20.50 s, the video lasts 40.00 s"):
        detector.detect(array(40), duration=40.0)
    with pytest.warns(UserWarning, match=r"the video lasts 22.10 s"):
        detector.detect(array(40), duration=22.1)
    np.save(tmp_path / "a.npy", array(40))
    (tmp_path / "a.json").write_text('{"duration": 40}', "utf-8")
    with pytest.raises(InputError, match=r"a.npy: 40 features"):
        detector.detect(tmp_path / "a.npy")


def test_features_of_another_backbone(tmp_path: Path, run: Path, features: Path) -> None:
    card = json.loads((run / "model.json").read_text("utf-8"))
    card["features"]["backbone"] = "i3d"
    (run / "model.json").write_text(json.dumps(card), "utf-8")
    detector = load(run)
    path = features / "video0.npy"
    detector.detect(path)  # it does not say what made it
    other = tmp_path / "other.npy"
    other.write_bytes(path.read_bytes())
    other.with_suffix(".json").write_text('{"backbone": "tsp"}', "utf-8")
    with pytest.raises(InputError, match=r"backbone 'tsp', the model was trained on 'i3d'"):
        detector.detect(other)


def test_fusion_with_class_scores(tiny: Config) -> None:
    """Every proposal for the two best classes, with sqrt(class score * proposal score)."""
    detector = enliven(build(tiny.replace(model={"input_dim": 6, "num_classes": 1}, data=TIMING)))
    proposals = detector.detect(array(40))
    assert len(proposals) <= 200
    names = ("dance", "jump", "run")
    found = detector.detect(array(40), class_scores=[0.25, 0.0, 0.64], class_names=names)
    assert found.class_names == names
    assert len(found) == 2 * len(proposals)
    for name, score in (("dance", 0.25), ("run", 0.64)):
        np.testing.assert_allclose(found.of(name).scores, np.sqrt(proposals.scores * score), rtol=1e-6)
        np.testing.assert_array_equal(found.of(name).levels, proposals.levels)
        np.testing.assert_allclose(found.of(name).segments, proposals.segments, atol=1e-5)
    many = detector.detect_many(
        {"v": {"features": array(40), "class_scores": np.array([0.25, 0.0, 0.64])}}, class_names=names
    )
    assert_same(many["v"], found)


def test_fusion_that_cannot_be(detector: Detector, tiny: Config) -> None:
    proposer = build(tiny.replace(model={"input_dim": 6, "num_classes": 1}, data=TIMING))
    with pytest.raises(InputError, match=r"this model has 3"):
        detector.detect(array(9), class_scores=[0.5, 0.5], class_names=["a", "b"])
    with pytest.raises(InputError, match=r"class_names must name the 2 classes"):
        proposer.detect(array(9), class_scores=[0.5, 0.5])
    with pytest.raises(InputError, match=r"class scores"):
        proposer.detect(array(9), class_scores=[0.5, np.nan], class_names=["a", "b"])
    with pytest.raises(InputError, match=r"class_scores, which are not given"):
        proposer.detect(array(9), class_names=["a", "b"])


def test_published_length_by_hand() -> None:
    """THUMOS14: the largest of stride * 2 * (19 // 2) is 32 * 18. ActivityNet: 16 * 2 * 3, the last level 32 * 1."""
    thumos = load_config("thumos14_i3d").model
    assert [published_length(length, thumos) for length in (1, 2304, 2305, 2880, 2881)] == [
        2304, 2304, 2880, 2880, 3456,
    ]  # fmt: skip
    activitynet = load_config("activitynet_tsp").model
    assert [published_length(length, activitynet) for length in (10, 192, 193, 289)] == [192, 192, 288, 384]


def _compare(detector: Detector, arrays: NpzFile, case: int, timing: dict[str, Any]) -> None:
    found = detector.detect(arrays[f"{case}.features"], **timing)
    expected = [arrays[f"{case}.{name}"] for name in ("segments", "scores", "labels")]
    assert len(found) == len(expected[1])
    assert unpaired(found, expected[0], expected[1], expected[2], tolerance=1e-4) <= 0.01 * len(found)


@pytest.mark.filterwarnings("ignore:.*detections that score")  # weights drawn at random believe a lot
@pytest.mark.parametrize("fixture", FOLDERS)
def test_published_detections(shared: Path, tmp_path: Path, fixture: str) -> None:
    folder = shared / "parity" / fixture
    convert(configuration(folder), folder / "epoch_007.pth.tar", tmp_path / "model")
    detector = load(tmp_path / "model", other_timing=True)
    with np.load(folder / "inference.npz") as arrays:
        for case in cases(folder):
            _compare(detector, arrays, case.number, case.timing)


def test_published_detections_of_resized_sequences(shared: Path, tmp_path: Path) -> None:
    folder = shared / "parity" / "anet"
    detector = convert(folder / "official_config.yaml", folder / "epoch_007.pth.tar", tmp_path / "model")
    with np.load(folder / "resize.npz") as arrays:
        for case in range(4):
            duration = float(arrays[f"{case}.duration"])
            _compare(detector, arrays, case, {"fps": 15, "stride": 16, "num_frames": 16, "duration": duration})


def test_settings_can_be_replaced(detector: Detector) -> None:
    before = detector.config
    everything = detector.detect(array(40))
    detector.config = before.replace(decoding={"min_probability": 0.3}, suppression={"method": "none"})
    try:
        found = detector.detect(array(40))
        assert 0 < len(found) < len(everything)
        assert found.scores.min() > 0.3
    finally:
        detector.config = before
    assert_same(detector.detect(array(40)), everything)
