import pytest
import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from actionformer.core.errors import InputError
from actionformer.detectors.base import architecture_of
from actionformer.detectors.temporalmaxer.network import build_network
from actionformer.detectors.temporalmaxer.settings import TemporalMaxerSettings
from actionformer.nn.layers import GroupNorm
from actionformer.nn.pyramid_network import PyramidNetwork
from actionformer.settings.config import Config
from actionformer.settings.model import listed

TINY = {"input_dim": 6, "num_classes": 3, "width": 16}


def tiny(**changes: object) -> TemporalMaxerSettings:
    return TemporalMaxerSettings(**(TINY | changes))


class PlainNetwork:
    """x (B, C, T) and mask (B, 1, T) as numbers 0 and 1; masks and norms spelled out as published."""

    def __init__(self, model: PyramidNetwork, settings: TemporalMaxerSettings) -> None:
        self.weights, self.settings = model.state_dict(), settings

    def __call__(self, x: Tensor, mask: Tensor) -> tuple[list[Tensor], list[Tensor], list[Tensor]]:
        x = self.embedding(x, mask)
        levels, masks = [x], [mask]
        for _ in range(5):
            mask = mask[:, :, ::2]
            x = F.max_pool1d(x, 3, 2, 1) * mask
            levels, masks = [*levels, x], [*masks, mask]
        pairs = [(self.neck(x), mask) for x, mask in zip(levels, masks, strict=True)]
        logits = [self.head(x, mask, "classifier") for x, mask in pairs]
        scales = [self.weights[f"offset_activation.scales.{level}"] for level in range(6)]
        distances = [self.head(x, mask, "regressor") for x, mask in pairs]
        return logits, [F.relu(x * scale) for x, scale in zip(distances, scales, strict=True)], levels

    def embedding(self, x: Tensor, mask: Tensor) -> Tensor:
        if self.settings.projection is not None:
            sources = torch.split(x, list(listed(self.settings.input_dim)), 1)
            x = torch.cat([self.map(part, f"embedding.projections.{i}") for i, part in enumerate(sources)], 1) * mask
        for layer in range(self.settings.embedding_layers):
            x = F.relu(self.norm(self.conv(x, f"embedding.convs.{layer}") * mask, f"embedding.norms.{layer}"))
        return x

    def neck(self, x: Tensor) -> Tensor:
        if self.settings.level_norm == "layernorm":
            return self.norm(x, "neck.norms.0")
        groups = x.reshape(len(x), 4, -1)
        centred = groups - groups.mean(-1, keepdim=True)
        return (centred / (centred.square().mean(-1, keepdim=True) + 1e-5).sqrt()).view_as(x)

    def head(self, x: Tensor, mask: Tensor, name: str) -> Tensor:
        for layer in range(2):
            x = F.relu(self.norm(self.conv(x, f"{name}.convs.{layer}") * mask, f"{name}.norms.{layer}"))
        return self.conv(x, f"{name}.output") * mask

    def map(self, x: Tensor, name: str) -> Tensor:
        return F.conv1d(x, self.weights[f"{name}.weight"][..., None], self.weights[f"{name}.bias"])

    def conv(self, x: Tensor, name: str) -> Tensor:
        return F.conv1d(x, self.weights[f"{name}.weight"].mT, self.weights.get(f"{name}.bias"), padding=1)

    def norm(self, x: Tensor, name: str) -> Tensor:
        centred = x - x.mean(1, keepdim=True)
        standard = centred / (centred.square().mean(1, keepdim=True) + 1e-5).sqrt()
        scaled: Tensor = standard * self.weights[f"{name}.weight"][:, None] + self.weights[f"{name}.bias"][:, None]
        return scaled


@pytest.mark.parametrize("level_norm", ["layernorm", "groupnorm"])
@pytest.mark.parametrize(
    "changes",
    [{}, {"input_dim": (4, 2), "projection": (10, 6), "embedding_layers": 3}, {"input_dim": (4, 2)}],
    ids=["plain", "two sources projected, three convolutions", "two sources"],
)
@pytest.mark.parametrize("times", [1, 2])
@torch.no_grad()
def test_against_a_plain_network(level_norm: str, changes: dict[str, object], times: int) -> None:
    """Published padding: sequences of two lengths in one batch, at max_length and beyond."""
    settings = tiny(**changes, level_norm=level_norm, mask_padding="published", offsets="relu", max_length=64)
    torch.manual_seed(0)
    model = build_network(settings).eval()
    for parameter in model.parameters():
        if parameter.dim() < 2:
            parameter.add_(0.3 * torch.randn_like(parameter))
    length = 64 * times
    valid = torch.arange(length) < torch.tensor([[length - 27], [length // 3]])
    features = torch.randn(2, length, 6) * valid[..., None]
    found = model(features, valid)
    expected = PlainNetwork(model, settings)(features.mT, valid[:, None].float())
    for one, plain in zip((found.logits, found.offsets, found.pyramid), expected, strict=True):
        for level, other in zip(one, plain, strict=True):
            torch.testing.assert_close(level, other.mT, atol=1e-5, rtol=1e-5)


def test_the_maximum_of_three_moments_at_every_second_one() -> None:
    """By hand, without embedding norm: channel 0 of the embedding is that of the features."""
    settings = tiny(width=1, embedding_layers=1, embedding_norm=False, input_dim=1, neck_norm=False, branch_blocks=2,
                    regression_ranges=((0, 4), (4, 8), (8, 99)))  # fmt: skip
    model = build_network(settings).eval()
    with torch.no_grad():
        next(model.embedding.convs.parameters()).copy_(torch.tensor([[[0.0], [1.0], [0.0]]]))
        pyramid = model(torch.tensor([[[1.0], [5.0], [2.0], [0.0], [7.0], [3.0]]])).pyramid
    assert [level[0, :, 0].tolist() for level in pyramid] == [[1, 5, 2, 0, 7, 3], [5, 5, 7], [5, 7]]


@pytest.mark.parametrize(("level_norm", "modules"), [("layernorm", nn.LayerNorm), ("groupnorm", GroupNorm)])
def test_all_levels_share_one_norm(level_norm: str, modules: type[nn.Module]) -> None:
    model = build_network(tiny(level_norm=level_norm))
    names = [name for name in model.state_dict() if name.startswith("neck.")]
    assert names == (["neck.norms.0.weight", "neck.norms.0.bias"] if level_norm == "layernorm" else [])
    assert [type(norm) for norm in model.neck.norms] == [type(model.neck.norm(5))]
    assert isinstance(model.neck.norm(5), modules)


def test_there_are_no_weights_between_embedding_and_neck() -> None:
    model = build_network(tiny())
    assert {name.partition(".")[0] for name in model.state_dict()} == {
        "normalizer", "embedding", "neck", "classifier", "regressor", "offset_activation",
    }  # fmt: skip
    bias = model.classifier.output.bias
    assert bias is not None
    torch.testing.assert_close(bias.sigmoid(), torch.full((3,), 0.01))


def test_the_thumos14_shape_has_7_million_parameters() -> None:
    """Of ActionFormer's 29.25 million."""
    config = Config().replace(model={"detector": "temporalmaxer", "input_dim": 2048, "num_classes": 20})
    with torch.device("meta"):
        model = architecture_of(config).network()
    assert round(sum(parameter.numel() for parameter in model.parameters()) / 1e6, 2) == 7.12


@pytest.mark.parametrize(("length", "padded"), [(50, 96), (96, 96), (97, 128), (130, 160), (160, 160)])
def test_published_padding_is_to_max_length_or_a_multiple_of_32(length: int, padded: int) -> None:
    for level_norm in ("layernorm", "groupnorm"):
        settings = tiny(mask_padding="published", max_length=96, level_norm=level_norm)
        architecture = architecture_of(Config(model=settings))
        assert architecture.padded_length(length) == padded
        assert architecture.computed_length(length) == padded or level_norm == "layernorm"
    assert architecture_of(Config(model=tiny(max_length=96))).computed_length(length) == length


def test_settings_that_cannot_be() -> None:
    for changes, message in (
        ({"width": 18, "level_norm": "groupnorm"}, "width must be a multiple of 4 for groupnorm, found 18"),
        ({"offset_target": "cheapest", "boundary": "trident"}, "boundary is trident"),
        ({"level_norm": "batchnorm"}, "model.level_norm: .*found 'batchnorm'"),
        ({"window": 19}, "unknown setting model.window"),
    ):
        with pytest.raises(InputError, match=message):
            Config().replace(model={"detector": "temporalmaxer"} | changes)


@pytest.mark.parametrize("missing", ["input_dim", "num_classes"])
def test_what_must_come_from_the_data_is_asked_for(missing: str) -> None:
    with pytest.raises(InputError, match=f"model.{missing} is not set"):
        build_network(tiny(**{missing: None}))
