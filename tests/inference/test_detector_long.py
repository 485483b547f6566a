"""Any length: what is computed chunk by chunk equals one pass."""

import copy
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from detecting import array, assert_same
from variants import lively_detector as lively

from actionformer.core.errors import InputError
from actionformer.features import Features
from actionformer.inference.sequences import ArrayRows
from actionformer.settings.config import Config

pytestmark = pytest.mark.filterwarnings("ignore:.*detections that score")  # weights drawn at random believe a lot

TEMPORALMAXER = {"detector": "temporalmaxer"}
TRIDET = {"detector": "tridet", "width": 16, "branch_blocks": 2, "regression_ranges": [[0, 4], [4, 8], [8, 1000]]}
TRIDENT = {"boundary": "trident", "boundary_bins": 6, "iou_power": 0.2}


@pytest.mark.parametrize("padding", ["exact", "published"])
@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"neck": "fpn"},
        {"block": "convolution"},
        TRIDENT,
        TRIDENT | {"block": "maxpool", "neck": "fpn"},
        TEMPORALMAXER,
        TEMPORALMAXER | {"level_norm": "groupnorm"},
    ],
)
def test_pieces_equal_one_pass(
    tiny: Config, padding: str, changes: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    detector = lively(tiny, model=changes | {"mask_padding": padding}, suppression={"cap_per": "video"})
    expected = {length: detector.detect(array(length)) for length in (300, 417, 1000)}
    passes: list[Any] = []
    detector.runner.chunk = 96
    monkeypatch.setattr(detector.runner, "_in_chunks", _counted(detector.runner._in_chunks, passes))
    for length, one_pass in expected.items():
        assert_same(detector.detect(array(length)), one_pass, tolerance=1e-5)
    assert len(passes) == (6 if "level_norm" in changes else 3)  # first for statistics of the whole


def _counted(function: Any, calls: list[Any]) -> Any:
    def counting(*arguments: Any) -> Any:
        calls.append(arguments)
        return function(*arguments)

    return counting


def test_long_and_short_sequences_in_one_batch(tiny: Config) -> None:
    detector = lively(tiny)
    items = {str(length): array(length, seed=length) for length in (500, 30, 41, 700)}
    expected = {name: detector.detect(one) for name, one in items.items()}
    detector.runner.chunk = 96
    for name, found in detector.detect_many(items, batch_size=4).items():
        assert_same(found, expected[name], tolerance=1e-5)


def test_a_mapped_file_is_read_in_slices(tiny: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    detector = lively(tiny)
    np.save(tmp_path / "a.npy", array(900).astype(np.float16))
    expected = detector.detect(np.load(tmp_path / "a.npy"))
    detector.runner.chunk = 96
    read: list[Any] = []
    for kind in (Features, ArrayRows):
        monkeypatch.setattr(kind, "__getitem__", _counted(kind.__getitem__, read))
    for features in (tmp_path / "a.npy", np.load(tmp_path / "a.npy", mmap_mode="r")):
        assert_same(detector.detect(features), expected, tolerance=1e-5)
    slices = [part for _, part in read]
    assert len(slices) == 2 * 10
    assert max(part.stop - part.start for part in slices) == 96


def test_a_value_that_is_no_number_is_found_in_any_piece(tiny: Config) -> None:
    detector, broken = lively(tiny), array(500)
    broken[431, 2] = np.nan
    detector.runner.chunk = 96
    with pytest.raises(InputError, match="row 431"):
        detector.detect(broken)


@pytest.mark.parametrize("changes", [{"window": (5, 5, 0)}, {"position": "sinusoidal"}, TRIDET])
def test_a_model_that_sees_the_whole_runs_in_one_pass_and_says_so(tiny: Config, changes: dict[str, Any]) -> None:
    detector = lively(tiny, model=changes)
    expected = detector.detect(array(300))
    detector.runner.chunk = 96
    with pytest.warns(UserWarning, match="300 features run in one pass"):
        assert_same(detector.detect(array(300)), expected)
    with pytest.raises(InputError, match="cannot follow a stream"):
        detector.stream(max_action_seconds=10)


def test_a_detector_that_has_worked_is_copied_and_pickled(tiny: Config) -> None:
    with torch.inference_mode():
        detector = lively(tiny)
    expected = detector.detect(array(50))
    assert_same(pickle.loads(pickle.dumps(detector)).detect(array(50)), expected)
    assert_same(copy.deepcopy(detector).detect(array(50)), expected)
