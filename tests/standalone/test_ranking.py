"""Candidates inside a graph are those of the detector's own decoder."""

from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from variants import TIMING

from actionformer.detectors.base import architecture_of
from actionformer.engines.graph import Graph
from actionformer.nn.decoding import Candidates
from actionformer.nn.outputs import LevelOutputs
from actionformer.settings.config import Config
from actionformer.standalone.ranking import Ranked, ranked

STRIDES = (1, 2, 4)


def config(**decoding: Any) -> Config:
    model = {"input_dim": 6, "num_classes": 3, "branch_blocks": 2, "regression_ranges": [[0, 4], [4, 8], [8, 99]]}
    return Config().replace(model=model | {"max_length": 22, "window": 5}, decoding=decoding)


def outputs(length: int, valid: list[int], *, by_class: bool, seed: int) -> list[LevelOutputs]:
    """Of each level logits and offsets, of sequences with so many valid features."""
    drawn = torch.Generator().manual_seed(seed)
    parts = []
    for level, stride in enumerate(STRIDES):
        moments = -(-length // stride)
        mask = torch.arange(moments) * stride < torch.tensor(valid)[:, None]
        shape = (len(valid), moments, *((3,) if by_class else ()), 2)
        logits = 3 * torch.randn(len(valid), moments, 3, generator=drawn) - 3
        parts.append(LevelOutputs(level, 0, logits, torch.rand(shape, generator=drawn) * 3, mask))
    return parts


def same(found: Ranked, expected: list[Candidates]) -> None:
    for row, one in enumerate(expected):
        there = found.scores[row] > 0
        torch.testing.assert_close(found.scores[row][there], one.scores, rtol=1e-6, atol=1e-7)
        torch.testing.assert_close(found.labels[row][there], one.labels)
        torch.testing.assert_close(found.segments[row][there], one.segments.float(), rtol=0, atol=0)


@given(
    length=st.integers(1, 70),
    top_k=st.sampled_from([1, 5, 40, 2000]),
    cap_per=st.sampled_from(["length", "video"]),
    by_class=st.booleans(),
    seed=st.integers(0, 99),
)
def test_a_level_keeps_the_best_of_each_span(length: int, top_k: int, cap_per: str, by_class: bool, seed: int) -> None:
    settings = config(top_k=top_k, cap_per=cap_per, min_probability=0.02, min_length=0.5)
    architecture = architecture_of(settings)
    parts = outputs(length, [length, (length + 1) // 2], by_class=by_class, seed=seed)
    decoder = architecture.decoder()
    for part in parts:
        decoder.add(part)
    same(ranked(parts, architecture, STRIDES), decoder.candidates())


@pytest.mark.parametrize("detector", ["tadtr", "bmn", "gtad"])
@torch.no_grad()
def test_other_detectors_give_what_their_decoder_finds(detector: str) -> None:
    data = TIMING | {"window": 16}
    settings = (
        Config()
        .replace(model={"detector": detector})
        .replace(
            model={"input_dim": 6, "num_classes": 3, "width": 32, "max_length": 16}, data=data, decoding={"top_k": 300}
        )
    )
    architecture = architecture_of(settings)
    torch.manual_seed(0)
    graph = Graph(architecture.network(), architecture)
    features, valid = torch.randn(1, 16, 6), torch.arange(16)[None] < 11
    parts = list(graph.parts(features, valid))
    decoder = architecture.decoder()
    decoder.add(*parts)
    (expected,) = decoder.candidates()
    assert len(expected.scores) > 20
    same(ranked(parts, architecture, graph.strides), [expected])
