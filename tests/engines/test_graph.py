"""A network as a graph says what the network says, at its own moments."""

from typing import Any

import pytest
import torch
from variants import BASE, VARIANTS, make, small_settings

from actionformer.core.errors import InputError
from actionformer.detectors.base import architecture_of
from actionformer.detectors.index import settings_of
from actionformer.engines.graph import Graph, Lengths, lengths_of, put_together
from actionformer.settings.config import Config


def graph_of(**changes: Any) -> Graph:
    return Graph(make(**changes), architecture_of(Config(model=small_settings(**changes))))


@pytest.mark.parametrize("name", VARIANTS)
@torch.no_grad()
def test_a_graph_says_what_the_network_says(name: str) -> None:
    graph = graph_of(**VARIANTS[name])
    features, valid = torch.randn(2, 40, 6), torch.arange(40) < torch.tensor([[37], [20]])
    found = list(put_together(graph.forms, graph(features, valid)))
    expected = list(graph.network(features, valid).parts())
    assert len(graph.names) == 3 * len(expected)
    for one, other in zip(found, expected, strict=True):
        assert one.level == other.level
        for tensor, its in zip(one[2:], other[2:], strict=True):
            torch.testing.assert_close(tensor, its)


def test_outputs_are_called_by_field_and_level() -> None:
    assert graph_of(branch_blocks=1, regression_ranges=((0, 4), (4, 99))).names == [
        "logits_0", "offsets_0", "valid_0", "logits_1", "offsets_1", "valid_1",
    ]  # fmt: skip


def test_lengths_that_a_graph_takes() -> None:
    def lengths(**changes: Any) -> Lengths:
        model = make(**changes)
        return lengths_of(architecture_of(Config(model=small_settings(**changes))), model)

    assert lengths() == Lengths(16, 8, None)  # four levels, the coarsest has every eighth moment
    assert [lengths().padded(length) for length in (1, 16, 17, 24)] == [16, 16, 24, 24]
    assert lengths(position="sinusoidal") == Lengths(16, 8, 64)
    assert lengths(position="learned", max_length=70) == Lengths(16, 8, 64)


def test_what_no_graph_can_do_is_refused_in_plain_words() -> None:
    small = {name: BASE[name] for name in ("input_dim", "num_classes")}
    for detector, why in {"muses": "judges proposals", "afsd": "looks again at stretches"}.items():
        config = Config(model=settings_of(detector)(**small)).replace(data={"window": 256})
        architecture = architecture_of(config)
        with pytest.raises(InputError, match=f"^{detector} {why}"):
            Graph(architecture.network(), architecture)
