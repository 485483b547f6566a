"""Graph alignment: where segments are sampled, and the layer against samples that are mapped together."""

import pytest
import torch

from actionformer.detectors.gtad.alignment import GraphAlign, extended
from actionformer.detectors.gtad.rules import RULES
from actionformer.nn.roi_align import roi_align
from actionformer.nn.segment_map.cells import cells_of


@pytest.mark.parametrize(
    ("convention", "expected"), [("exact", [0.5, 4.5]), ("opentad", [1.0, 5.0]), ("thumos14", [1.0, 4.0])]
)
def test_a_segment_and_half_of_its_length_on_either_side(convention: str, expected: list[float]) -> None:
    """Steps 2 and 3 are centred at 2 and 3: from 1.5 to 3.5. Published code begins at 2, the authors' ends at 3."""
    rules = RULES[convention]
    cells = cells_of(8, 4, rules)
    found = extended(cells, rules)
    assert found[:-1][(cells.first == 2) & (cells.last == 3)][0].tolist() == expected
    assert found[-1].tolist() == [0, 0]


@pytest.mark.parametrize("bins", [(4, 2), (3, 3)])
@pytest.mark.parametrize("convention", RULES)
def test_the_layer_equals_samples_mapped_together(convention: str, bins: tuple[int, int]) -> None:
    rules = RULES[convention]
    cells = cells_of(9, 5, rules)
    torch.manual_seed(0)
    layer = GraphAlign(3, 6, cells, rules, bins=bins)
    torch.nn.init.normal_(layer.bias)
    sources = [torch.randn(2, 9, 3, requires_grad=True) for _ in bins]
    segments = extended(cells, rules)
    samples = torch.cat(
        [roi_align(one, segments, bins=count, longest=10.0) for one, count in zip(sources, bins, strict=True)], dim=2
    )
    if not rules.published:
        samples = samples * (torch.arange(len(segments)) < len(segments) - 1)[:, None, None]
    expected = torch.relu(torch.einsum("bvrc,orc->bvo", samples, layer.weight) + layer.bias)
    found = torch.stack(list(layer(*sources)))
    torch.testing.assert_close(found, expected)

    weighing = torch.randn(found.shape)
    inputs = [*sources, layer.weight, layer.bias]
    pairs = (torch.autograd.grad((one * weighing).sum(), inputs) for one in (found, expected))
    for one, other in zip(*pairs, strict=True):
        torch.testing.assert_close(one, other)
