"""Which sequences are computed together, and with what."""

from itertools import pairwise

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st
from variants import make, published_length

from actionformer.core.segments import TimeGrid
from actionformer.inference.runner import Runner
from actionformer.inference.sequences import ArrayRows, FeatureSequence
from actionformer.settings.config import Config

GRID = TimeGrid(fps=10, stride=5, num_frames=10)


def runner(padding: str = "exact") -> Runner:
    config = Config().replace(model={"max_length": 64, "mask_padding": padding})
    return Runner(make(mask_padding=padding), config, torch.device("cpu"))


def sequences(lengths: list[int]) -> list[FeatureSequence]:
    rows = np.lib.stride_tricks.as_strided(np.zeros(6, np.float32), (10**6, 6), (0, 4))
    return [FeatureSequence(ArrayRows(rows[:length]), GRID, 1.0) for length in lengths]


@given(lengths=st.lists(st.integers(1, 6000), min_size=1, max_size=40), size=st.sampled_from([None, 1, 3, 64]))
def test_every_sequence_is_in_one_batch_with_those_of_like_length(lengths: list[int], size: int | None) -> None:
    fast = runner()
    batches = fast.batches(sequences(lengths), size)
    assert sorted(row for batch in batches for row in batch) == list(range(len(lengths)))
    assert max(map(len, batches)) <= (size or 1)
    several = [[lengths[row] for row in batch] for batch in batches if len(batch) > 1]
    assert all(len(batch) * max(batch) <= fast.chunk for batch in several)  # what the caches of a CPU like
    ends = [(min(batch), max(batch)) for batch in several]
    assert all(first[1] <= second[0] for first, second in pairwise(sorted(ends)))


@given(lengths=st.lists(st.integers(1, 1500), min_size=1, max_size=60))
def test_a_gpu_gets_as_many_as_fill_a_piece(lengths: list[int]) -> None:
    fast = runner()
    fast.on_cpu, fast.chunk = False, 1000
    batches = [[lengths[row] for row in batch] for batch in fast.batches(sequences(lengths))]
    assert all(len(batch) * max(batch) <= 1000 or len(batch) == 1 for batch in batches)
    fuller = [a + b for a, b in pairwise(batches) if len(a + b) * max(a + b) <= 1000]
    assert not fuller  # no two neighbours would fit into one


@given(lengths=st.lists(st.integers(1, 2000), min_size=1, max_size=30))
def test_with_published_padding_only_what_is_padded_alike_shares_a_batch(lengths: list[int]) -> None:
    fast = runner("published")
    for batch in fast.batches(sequences(lengths), 8):
        assert len({published_length(lengths[row], fast.config.model) for row in batch}) == 1


def test_changed_weights_are_packed_anew() -> None:
    fast = runner()
    first = fast.network
    assert fast.network is first
    features = torch.randn(1, 20, 6)
    with torch.inference_mode():
        before = first(features).logits[0]
    with torch.no_grad():
        fast.model.get_parameter("pyramid.stem.0.expand.weight").mul_(2)
    with torch.inference_mode():
        torch.testing.assert_close(fast.network(features).logits[0], fast.model(features).logits[0])
        assert not torch.allclose(fast.network(features).logits[0], before)
