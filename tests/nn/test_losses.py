import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from actionformer.core.errors import InputError
from actionformer.nn.assignment import Targets
from actionformer.nn.losses import (
    Criterion,
    Losses,
    LossNormalizer,
    diou_loss,
    focal_loss,
    smooth_labels,
)

LEVELS = (8, 4)
distances = st.floats(0.0, 100.0, width=32)
lengths = st.floats(0.125, 100.0, width=32)


def random_batch(size: int, *, positives: bool = True) -> tuple[list[Tensor], list[Tensor], Targets]:
    """Outputs of two levels and 3 classes, with gradients, and targets for them."""
    torch.manual_seed(0)
    total = sum(LEVELS)
    logits = [torch.randn(size, length, 3, requires_grad=True) for length in LEVELS]
    offsets = [torch.rand(size, length, 2, requires_grad=True) for length in LEVELS]
    classes = (torch.rand(size, total, 3) < 0.2).float() * positives
    valid = torch.arange(total).expand(size, total) % 5 != 4
    return logits, offsets, Targets(classes, torch.rand(size, total, 2) + 0.1, valid)


def part(batch: tuple[list[Tensor], list[Tensor], Targets], rows: slice) -> tuple[list[Tensor], list[Tensor], Targets]:
    logits, offsets, targets = batch
    kept = Targets(targets.classes[rows], targets.offsets[rows], targets.valid[rows])
    return [level[rows] for level in logits], [level[rows] for level in offsets], kept


def test_focal_loss_by_hand() -> None:
    """Logit 0 is p = 1/2. Target 1: 0.25 (1/2)^2 ln 2; target 0: 0.75 (1/2)^2 ln 2; together ln 2 / 4."""
    loss = focal_loss(torch.zeros(2), torch.tensor([1.0, 0.0]))
    assert loss.item() == pytest.approx(math.log(2) / 4)


@settings(deadline=None)
@given(logit=st.floats(-15, 15), target=st.sampled_from([0.0, 1.0]), alpha=st.floats(0, 1), gamma=st.floats(0, 4))
def test_focal_loss_is_its_definition(logit: float, target: float, alpha: float, gamma: float) -> None:
    p = 1 / (1 + math.exp(-logit))
    p_t, alpha_t = (p, alpha) if target else (1 - p, 1 - alpha)
    expected = -alpha_t * (1 - p_t) ** gamma * math.log(p_t)
    values = torch.tensor([[logit], [target]], dtype=torch.float64)
    assert focal_loss(values[0], values[1], alpha, gamma).item() == pytest.approx(expected, rel=1e-6, abs=1e-12)


def test_focal_loss_is_finite_for_any_logit() -> None:
    logits = torch.tensor([-1e4, -100.0, 100.0, 1e4] * 2, requires_grad=True)
    loss = focal_loss(logits, torch.tensor([0.0] * 4 + [1.0] * 4))
    loss.backward()
    assert loss.isfinite()
    assert logits.grad is not None
    assert logits.grad.isfinite().all()


def test_diou_loss_by_hand() -> None:
    """About t = 0, predicted [-2, 2] and true [-1, 4].

    Intersection [-1, 2] is 3, hull [-2, 4] is 6 and so is the union; the centres 0 and 1.5 are 1.5 apart.
    1 - 3/6 + (1.5/6)^2 = 0.5625.
    """
    assert diou_loss(torch.tensor([[2.0, 2.0]]), torch.tensor([[1.0, 4.0]])).item() == 0.5625


@settings(deadline=None)
@given(left=distances, right=distances, start=lengths, end=lengths)
def test_diou_loss_is_bounded_and_zero_for_equals(left: float, right: float, start: float, end: float) -> None:
    predicted = torch.tensor([[left, right]], dtype=torch.float64)
    target = torch.tensor([[start, end]], dtype=torch.float64)
    loss = diou_loss(predicted, target).item()
    assert 0 <= loss <= 1.25 + 1e-9
    assert diou_loss(target, target).item() == 0
    assert torch.equal(predicted, target) or loss > 0


def test_gradients_are_those_of_the_formulas() -> None:
    torch.manual_seed(1)
    logits = torch.randn(5, 3, dtype=torch.float64, requires_grad=True)
    classes = torch.rand(5, 3, dtype=torch.float64)
    predicted = torch.rand(5, 2, dtype=torch.float64, requires_grad=True)
    target = torch.rand(5, 2, dtype=torch.float64) + 0.1
    assert torch.autograd.gradcheck(lambda x: focal_loss(x, classes), logits)
    assert torch.autograd.gradcheck(lambda x: diou_loss(x, target), predicted)


def test_label_smoothing_by_hand() -> None:
    """e = 0.2 over 3 classes: 1 becomes 0.8 + 0.2/4 = 0.85, 0 becomes 0.05."""
    smoothed = smooth_labels(torch.tensor([1.0, 0.0, 0.0]), 0.2)
    torch.testing.assert_close(smoothed, torch.tensor([0.85, 0.05, 0.05]))


def test_criterion_sums_levels_and_leaves_out_padding() -> None:
    logits, offsets, targets = random_batch(2)
    losses = Criterion(regression_weight=2.0)(logits, offsets, targets, normalizer=10.0)
    classification = regression = 0.0
    for b in range(2):
        for m in range(sum(LEVELS)):
            if targets.valid[b, m]:
                level, i = (0, m) if m < LEVELS[0] else (1, m - LEVELS[0])
                classification += focal_loss(logits[level][b, i], targets.classes[b, m]).item()
                if targets.classes[b, m].any():
                    regression += diou_loss(offsets[level][b, i, None], targets.offsets[b, m, None]).item()
    assert losses.classification.item() == pytest.approx(classification / 10, rel=1e-5)
    assert losses.regression.item() == pytest.approx(regression / 10, rel=1e-5)
    assert losses.total.item() == pytest.approx((classification + 2 * regression) / 10, rel=1e-5)


class Waits(TorchDispatchMode):
    """Notes operations whose result has a size that depends on values: a graphics card would be waited for."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.found: list[str] = []

    def __torch_dispatch__(self, function: Any, types: Any, arguments: Any = (), keywords: Any = None) -> Any:
        name = function.overloadpacket.__name__
        masks = [one for part in arguments if isinstance(part, list) for one in part if one is not None]
        by_mask = name.startswith("index") and any(mask.dtype == torch.bool for mask in masks)
        if by_mask or name in ("nonzero", "masked_select", "_local_scalar_dense"):
            self.found.append(name)
        return function(*arguments, **(keywords or {}))


def test_losses_wait_for_nothing() -> None:
    logits, offsets, targets = random_batch(2)
    with Waits() as watched:
        moved = targets.to("cpu")
    assert watched.found == ["nonzero", "nonzero"]  # before anything is on its way
    with Waits() as watched:
        Criterion(label_smoothing=0.1)(logits, offsets, moved, normalizer=10.0).total.backward()
    assert watched.found == []


@pytest.mark.parametrize("pieces", [1, 2, 4])
def test_accumulated_batches_equal_one(pieces: int) -> None:
    """k batches of b, normalised by all their positives, give the gradients of one batch of k * b."""
    whole, split = random_batch(4), random_batch(4)
    criterion = Criterion(regression_weight=1.5, label_smoothing=0.1, accumulate=pieces)
    normalizer = LossNormalizer(100.0)
    criterion(*whole, normalizer.update(whole[2].num_positives)).total.backward()
    parts = [part(split, slice(i, i + 4 // pieces)) for i in range(0, 4, 4 // pieces)]
    other = LossNormalizer(100.0)
    divisor = other.update(sum(targets.num_positives for _, _, targets in parts))
    for logits, offsets, targets in parts:
        criterion(logits, offsets, targets, divisor).total.backward()
    assert other.value == normalizer.value
    for one, many in zip(whole[0] + whole[1], split[0] + split[1], strict=True):
        torch.testing.assert_close(many.grad, one.grad)


def test_no_positive_gives_zero_with_a_gradient() -> None:
    logits, offsets, targets = random_batch(2, positives=False)
    for weight in (1.0, -1.0):
        losses = Criterion(regression_weight=weight)(logits, offsets, targets, normalizer=1.0)
        losses.total.backward()
        assert losses.regression.item() == 0
        assert losses.total == losses.classification
        assert all(level.grad is not None and level.grad.count_nonzero() == 0 for level in offsets)


def test_weight_below_zero_makes_both_losses_one_size() -> None:
    logits, offsets, targets = random_batch(2)
    losses = Criterion(regression_weight=-1.0)(logits, offsets, targets, normalizer=1.0)
    assert losses.total.item() == pytest.approx(2 * losses.classification.item())
    losses.total.backward()
    weighted = [level.grad for level in offsets]
    weight = losses.classification.item() / losses.regression.item()
    fresh_logits, fresh, _ = random_batch(2)
    Criterion(regression_weight=weight)(fresh_logits, fresh, targets, normalizer=1.0).total.backward()
    for found, expected in zip(weighted, fresh, strict=True):
        torch.testing.assert_close(found, expected.grad)


def test_weight_below_zero_refuses_accumulation() -> None:
    with pytest.raises(InputError, match=r"regression_weight is -1.0 and training\.accumulate 2"):
        Criterion(regression_weight=-1.0, accumulate=2)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_losses_are_float32_whatever_the_outputs_are(dtype: torch.dtype) -> None:
    logits, offsets, targets = random_batch(2)
    halves = [[level.to(dtype) for level in part] for part in (logits, offsets)]
    with torch.autocast("cpu", dtype=dtype):
        found = Criterion()(halves[0], halves[1], targets, normalizer=10.0)
    wide = [[level.float() for level in part] for part in halves]
    expected: Losses = Criterion()(wide[0], wide[1], targets, normalizer=10.0)
    for value, reference in zip(found, expected, strict=True):
        assert value.dtype == torch.float32
        assert value.item() == reference.item()


def test_normalizer_by_hand() -> None:
    """0.9 * 100 + 0.1 * 50 = 95, then a batch without a positive counts 1: 0.9 * 95 + 0.1 = 85.6."""
    normalizer = LossNormalizer(100.0)
    assert normalizer.update(50) == pytest.approx(95.0)
    assert normalizer.update(0) == pytest.approx(85.6)
    resumed = LossNormalizer(1.0)
    resumed.load_state_dict(normalizer.state_dict())
    assert resumed.update(7) == normalizer.update(7)


@pytest.mark.parametrize(("name", "initial"), [("thumos", 100), ("anet", 200), ("ablation_conv_fpn", 100)])
def test_normalizer_equals_the_published_one(shared: Path, name: str, initial: float) -> None:
    with np.load(shared / "parity" / name / "training.npz") as arrays:
        positives = sum(int(arrays[f"{video}.target_classes"].any(axis=1).sum()) for video in range(2))
        expected = arrays["loss_normalizers"]
    normalizer = LossNormalizer(initial)
    found = [normalizer.update(positives) for _ in expected]
    np.testing.assert_allclose(found, expected, rtol=1e-12)


@pytest.mark.parametrize(("power", "smoothing", "weight"), [(0.0, 0.0, 1.0), (0.2, 0.0, 2.0), (1.0, 0.1, 2.0)])
def test_distances_of_each_class_moment_by_moment(power: float, smoothing: float, weight: float) -> None:
    """Every class of a positive moment is an entry: its distances are learned, and its focal loss counts tIoU ** p."""
    torch.manual_seed(1)
    logits, distances = torch.randn(2, 12, 3), torch.rand(2, 12, 3, 2) + 0.1
    _, _, targets = random_batch(2)
    focal, diou = 0.0, 0.0
    classes = smooth_labels(targets.classes, smoothing)
    for video, moment in targets.valid.nonzero().tolist():
        for label in range(3):
            count = 1.0
            if targets.classes[video, moment, label]:
                pair = distances[video, moment, label], targets.offsets[video, moment]
                shared = torch.minimum(*pair).sum()
                tiou = shared / (pair[0].sum() + pair[1].sum() - shared)
                count = tiou.item() ** power
                diou += diou_loss(pair[0][None], pair[1][None]).item()
            one = video, moment, label
            focal += count * focal_loss(logits[one], classes[one]).item()
    criterion = Criterion(regression_weight=weight, label_smoothing=smoothing, iou_power=power)
    split = [[one[:, :8], one[:, 8:]] for one in (logits, distances)]
    found = criterion(split[0], split[1], targets, 10.0)
    assert found.classification.item() == pytest.approx(focal / 10, rel=1e-5)
    assert found.regression.item() == pytest.approx(diou / 10, rel=1e-5)
    assert found.total.item() == pytest.approx((focal + weight * diou) / 10, rel=1e-5)


def test_the_weight_of_a_hopeless_moment_has_a_gradient() -> None:
    """A tIoU of 0, whose root has none."""
    distances = torch.zeros(1, 12, 3, 2, requires_grad=True)
    targets = Targets(torch.ones(1, 12, 3), torch.ones(1, 12, 2), torch.ones(1, 12, dtype=torch.bool))
    Criterion(iou_power=0.2)([torch.zeros(1, 12, 3)], [distances], targets, 1.0).total.backward()
    assert distances.grad is not None
    assert distances.grad.isfinite().all()
