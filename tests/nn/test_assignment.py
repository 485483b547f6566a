from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from actionformer.nn.assignment import LENGTH_TOLERANCE, assign_batch
from actionformer.nn.points import level_lengths, moments
from actionformer.nn.settings import DEFAULT_RANGES

STRIDES = (1, 2, 4, 8, 16, 32)
RANGES = ((0, 4), (4, 8), (8, 10000))

# Lengths and starts that meet edges of ranges and of centre sampling, and tie within and just beyond 1e-3.
starts = st.integers(-8, 160).map(lambda eighths: eighths / 8)
lengths = st.sampled_from([0.0, 0.5, 2.0, 4.0, 4.0005, 4.0015, 7.999, 8.0, 11.3, 19.0])
actions = st.lists(st.tuples(starts, lengths, st.integers(0, 2)), max_size=6)


def tensors(found: list[tuple[float, float, int]]) -> tuple[Tensor, Tensor]:
    segments = torch.tensor([(start, start + length) for start, length, _ in found], dtype=torch.float32)
    return segments.reshape(-1, 2), torch.tensor([label for _, _, label in found], dtype=torch.int64)


def assign(counts: list[int], *, segments: Tensor, labels: Tensor, **arguments: Any) -> tuple[Tensor, Tensor]:
    """Classes (M, K) and offsets (M, 2) of one video."""
    batch = assign_batch([segments], [labels], counts[:1], padded_length=counts[0], **arguments)
    assert batch.classes.shape[1] == sum(counts)
    return batch.classes[0], batch.offsets[0]


def dense_assign(length: int, segments: Tensor, labels: Tensor, radius: float | None) -> tuple[Tensor, Tensor]:
    """The rule on all pairs of the moments of all levels and N >= 1 actions at once, as (M, N) matrices."""
    counts = torch.tensor(level_lengths(length, STRIDES))
    stride, least, largest = (
        torch.tensor(one).repeat_interleave(counts)[:, None] for one in (STRIDES, *zip(*DEFAULT_RANGES, strict=True))
    )
    position = torch.cat(moments(counts.tolist(), STRIDES))[:, None]
    start, end = segments.unbind(1)
    reach = torch.maximum(position - start, end - position)
    left, right = start, end
    if radius is not None:
        center = 0.5 * (start + end)
        left, right = torch.maximum(start, center - radius * stride), torch.minimum(end, center + radius * stride)
    responsible = (position > left) & (position < right) & (reach >= least) & (reach <= largest)
    size = torch.where(responsible, end - start, torch.inf)
    shortest, action = size.min(dim=1, keepdim=True)
    positive = shortest.isfinite()
    shared = (size <= shortest + LENGTH_TOLERANCE) & positive
    classes = (shared.float() @ torch.nn.functional.one_hot(labels, 3).float()).clamp(max=1)
    offsets = torch.cat((position - start[action], end[action] - position), dim=1) / stride
    return classes, torch.where(positive, offsets, 0.0)


def plain_assign(counts: list[int], segments: Tensor, labels: Tensor, radius: float | None) -> tuple[Tensor, Tensor]:
    """The rule as three loops over levels, moments and actions, in float32 numbers."""
    classes, offsets = [], []
    pairs = list(zip(segments.numpy(), labels.tolist(), strict=True))
    for count, stride, (low, high) in zip(counts, STRIDES, RANGES, strict=False):
        for i in range(count):
            t = np.float32(i * stride)
            found = []
            for (start, end), label in pairs:
                left, right = start, end
                if radius is not None:
                    center = np.float32(0.5) * (start + end)
                    left, right = max(start, center - radius * stride), min(end, center + radius * stride)
                if left < t < right and low <= max(t - start, end - t) <= high:
                    found.append((end - start, start, end, label))
            row, offset = np.zeros(3, np.float32), np.zeros(2, np.float32)
            if found:
                shortest, start, end, _ = min(found, key=lambda action: action[0])
                offset[:] = (t - start) / stride, (end - t) / stride
                for length, _, _, label in found:
                    row[label] = max(row[label], length <= shortest + np.float32(1e-3))
            classes.append(row)
            offsets.append(offset)
    return torch.tensor(np.stack(classes)), torch.tensor(np.stack(offsets))


def test_moments_lie_at_multiples_of_the_stride() -> None:
    assert level_lengths(5, (1, 2, 4)) == [5, 3, 2]
    found = moments([5, 3, 2], (1, 2, 4))
    assert [level.tolist() for level in found] == [[0, 1, 2, 3, 4], [0, 2, 4], [0, 4]]
    assert all(level.dtype == torch.float32 for level in found)


def test_worked_case() -> None:
    """One action (1, 6) of class 1 on 8 moments of stride 1 and 4 of stride 2.

    Its centre is 3.5. Level 0, range [0, 4]: centre sampling leaves 2 < t < 5, so t = 3 (distances 2, 3) and
    t = 4 (3, 2). Level 1, range [4, 8]: 0.5 < t < 6.5 cut to 1 < t < 6 leaves t = 2 (1, 4) and t = 4 (3, 2);
    the larger distance of t = 2 is 4, inside; that of t = 4 is 3, outside. In strides of 2: (0.5, 2).
    """
    classes, offsets = assign(
        [8, 4],
        strides=(1, 2),
        ranges=((0, 4), (4, 8)),
        segments=torch.tensor([[1.0, 6.0]]),
        labels=torch.tensor([1]),
        num_classes=2,
        center_radius=1.5,
    )
    assert classes.nonzero().tolist() == [[3, 1], [4, 1], [9, 1]]
    assert offsets[[3, 4, 9]].tolist() == [[2, 3], [3, 2], [0.5, 2]]
    assert offsets.count_nonzero() == 6


def test_without_center_sampling_all_moments_inside_count() -> None:
    """Action (1, 6) at stride 1 in range [0, 4]: t = 2, 3, 4, 5, whose larger distances are 4, 3, 3, 4."""
    classes, _ = assign(
        [8],
        strides=(1,),
        ranges=((0, 4),),
        segments=torch.tensor([[1.0, 6.0]]),
        labels=torch.tensor([0]),
        num_classes=1,
        center_radius=None,
    )
    assert classes[:, 0].tolist() == [0, 0, 1, 1, 1, 1, 0, 0]


def test_shortest_action_wins_and_equal_lengths_share() -> None:
    """At t = 4: lengths 4, 4.0005 and 5. The first gives the offsets, the first two their classes."""
    classes, offsets = assign(
        [8],
        strides=(1,),
        ranges=((0, 4),),
        segments=torch.tensor([[2.0, 7.0], [3.0, 7.0], [2.0, 6.0005]]),
        labels=torch.tensor([0, 1, 2]),
        num_classes=3,
        center_radius=None,
    )
    assert classes[4].tolist() == [0, 1, 1]
    assert offsets[4].tolist() == [1, 3]


@settings(deadline=None, max_examples=150)
@given(found=actions, radius=st.sampled_from([None, 1.5, 1.0]))
def test_equals_plain_loops(found: list[tuple[float, float, int]], radius: float | None) -> None:
    segments, labels = tensors(found)
    counts = [20, 10, 5]
    expected = plain_assign(counts, segments, labels, radius)
    arguments: dict[str, Any] = {"strides": STRIDES[:3], "ranges": RANGES, "num_classes": 3, "center_radius": radius}
    result = assign(counts, segments=segments, labels=labels, **arguments)
    assert torch.equal(result[0], expected[0])
    assert torch.equal(result[1], expected[1])


@settings(deadline=None, max_examples=50)
@given(found=actions, steps=st.integers(1, 3))
def test_shift_by_the_largest_stride_shifts_every_level(found: list[tuple[float, float, int]], steps: int) -> None:
    """Eighths of a step are exact in float32, so the shifted targets are the same numbers."""
    segments, labels = tensors([(start, round(length * 8) / 8, label) for start, length, label in found])

    def levels(length: int, segments: Tensor) -> list[tuple[Tensor, Tensor]]:
        counts = level_lengths(length, STRIDES)
        arguments: dict[str, Any] = {
            "strides": STRIDES,
            "ranges": DEFAULT_RANGES,
            "num_classes": 3,
            "center_radius": 1.5,
        }
        classes, offsets = assign(counts, segments=segments, labels=labels, **arguments)
        return list(zip(classes.split(counts), offsets.split(counts), strict=True))

    shift = steps * STRIDES[-1]
    before, after = levels(96, segments), levels(96 + shift, segments + shift)
    for stride, (classes, offsets), (shifted_classes, shifted_offsets) in zip(STRIDES, before, after, strict=True):
        # A negative start may bring positives to negative moments, which exist only after the shift.
        assert torch.equal(classes, shifted_classes[shift // stride :])
        assert torch.equal(offsets, shifted_offsets[shift // stride :])


def test_no_action_is_all_zero() -> None:
    arguments: dict[str, Any] = {"strides": (1, 2), "ranges": ((0, 4), (4, 8)), "num_classes": 3, "center_radius": 1.5}
    classes, offsets = assign([4, 2], segments=torch.zeros(0, 2), labels=torch.zeros(0), **arguments)
    assert classes.shape == (6, 3)
    assert offsets.shape == (6, 2)
    assert not classes.any()
    assert not offsets.any()


@pytest.mark.parametrize("radius", [None, 1.5])
@settings(max_examples=25)
@given(seed=st.integers(0, 2**32 - 1), number=st.integers(1, 400))
def test_equals_all_pairs(radius: float | None, seed: int, number: int) -> None:
    """Crowded sequences, of actions as long as the whole and of many equal lengths, anywhere on the real line."""
    rng = np.random.default_rng(seed)
    start = rng.uniform(-50, 1000, number)
    sizes = np.where(
        rng.random(number) < 0.5, rng.choice([4.0, 4.0005, 31.5], number), 10 ** rng.uniform(-1, 3, number)
    )
    segments = torch.from_numpy(np.stack((start, start + sizes), axis=1)).float()
    labels = torch.from_numpy(rng.integers(0, 3, number))
    arguments: dict[str, Any] = {
        "strides": STRIDES,
        "ranges": DEFAULT_RANGES,
        "num_classes": 3,
        "center_radius": radius,
    }
    found = assign(level_lengths(900, STRIDES), segments=segments, labels=labels, **arguments)
    expected = dense_assign(900, segments, labels, radius)
    assert torch.equal(found[0], expected[0])
    assert torch.equal(found[1], expected[1])


def test_a_range_without_end_and_one_far_from_zero() -> None:
    """Bounds that are infinite, and positions where float32 counts in halves: the action (4194304.5, 4194308)."""
    far = 2**22
    arguments: dict[str, Any] = {
        "strides": (1,),
        "ranges": ((0, float("inf")),),
        "num_classes": 1,
        "center_radius": None,
    }
    segments = torch.tensor([[far + 0.5, far + 4.0]])
    classes, offsets = assign([far + 8], segments=segments, labels=torch.tensor([0]), **arguments)
    assert classes[:, 0].nonzero()[:, 0].tolist() == [far + 1, far + 2, far + 3]
    assert offsets[far + 2].tolist() == [1.5, 2.0]


def test_many_actions_of_a_long_video() -> None:
    """50,000 moments and 20,000 actions: a matrix of all pairs would have 2e9 entries; this is done at once."""
    rng = np.random.default_rng(0)
    start = torch.from_numpy(rng.uniform(0, 50_000, 20_000)).float()
    segments = torch.stack((start, start + 3.5), dim=1)
    labels = torch.zeros(20_000, dtype=torch.int64)
    arguments: dict[str, Any] = {"strides": STRIDES, "ranges": DEFAULT_RANGES, "num_classes": 3, "center_radius": 1.5}
    classes, offsets = assign(level_lengths(50_000, STRIDES), segments=segments, labels=labels, **arguments)
    some = slice(20_000, 20_400)  # of level 0
    near = (start > 19_900) & (start < 20_500)
    expected, distances = dense_assign(20_500, segments[near], labels[near], 1.5)
    assert expected[some].any()
    assert torch.equal(classes[some], expected[some])
    assert torch.equal(offsets[some], distances[some])


def test_a_batch_is_its_videos() -> None:
    rng = np.random.default_rng(3)
    segments = [torch.from_numpy(rng.uniform(0, 30, (n, 1)) + np.array([0.0, 6.5])).float() for n in (5, 0, 9)]
    labels = [torch.from_numpy(rng.integers(0, 3, len(one))) for one in segments]
    arguments: dict[str, Any] = {"strides": STRIDES[:3], "ranges": RANGES, "num_classes": 3, "center_radius": 1.5}
    batch = assign_batch(segments, labels, [40, 12, 33], padded_length=40, **arguments)
    for row in range(3):
        classes, offsets = assign([40, 20, 10], segments=segments[row], labels=labels[row], **arguments)
        assert torch.equal(batch.classes[row], classes)
        assert torch.equal(batch.offsets[row], offsets)
    assert batch.positive_moments.tolist() == batch.positive.flatten().nonzero()[:, 0].tolist()
    assert batch.classes.flatten(0, 1)[batch.positive_moments].any(dim=1).all()


def test_positives_of_a_batch_are_valid_moments() -> None:
    """The action (1, 6) of the worked case has 3 positives; a video of 4 features ends before t = 4."""
    segment = torch.tensor([[1.0, 6.0]])
    batch = assign_batch(
        [segment, segment, torch.zeros(0, 2)],
        [torch.tensor([1]), torch.tensor([1]), torch.zeros(0, dtype=torch.int64)],
        [8, 4, 7],
        padded_length=8,
        strides=(1, 2),
        ranges=((0, 4), (4, 8)),
        num_classes=2,
        center_radius=1.5,
    )
    assert batch.valid.sum(dim=1).tolist() == [8 + 4, 4 + 2, 7 + 4]
    assert batch.positive.sum(dim=1).tolist() == [3, 2, 0]
    assert batch.num_positives == 5
    assert batch.to("cpu").classes.shape == (3, 12, 2)


@pytest.mark.parametrize("name", ["thumos", "anet", "ablation_conv_fpn"])
def test_equals_the_published_targets(shared: Path, name: str) -> None:
    folder = shared / "parity" / name
    published = yaml.safe_load((folder / "official_config.yaml").read_text("utf-8"))
    sampling = published["train_cfg"]["center_sample"] == "radius"
    with np.load(folder / "training.npz") as arrays:
        for video in range(2):
            classes, offsets = assign(
                level_lengths(published["dataset"]["max_seq_len"], STRIDES),
                strides=STRIDES,
                ranges=DEFAULT_RANGES,
                segments=torch.from_numpy(arrays[f"{video}.segments_grid"]),
                labels=torch.from_numpy(arrays[f"{video}.labels"]),
                num_classes=published["dataset"]["num_classes"],
                center_radius=published["train_cfg"]["center_sample_radius"] if sampling else None,
            )
            positive = classes.any(dim=-1).numpy()
            assert positive.any()
            np.testing.assert_array_equal(classes.numpy(), arrays[f"{video}.target_classes"])
            np.testing.assert_array_equal(offsets.numpy()[positive], arrays[f"{video}.target_offsets"][positive])
