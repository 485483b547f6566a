import datetime
from pathlib import Path
from typing import Any

import pytest
import torch
from published import published_weights
from torch import Tensor
from variants import actionformer_settings

from actionformer.core.errors import InputError
from actionformer.detectors.actionformer.network import build_network
from actionformer.detectors.actionformer.settings import ActionFormerSettings
from actionformer.interop.actionformer import ACTIONFORMER
from actionformer.interop.published_settings import read_published_settings
from actionformer.interop.published_weights import (
    from_published_shape,
    load_published_weights,
    read_published_weights,
)
from actionformer.nn.pyramid_network import PyramidNetwork


@pytest.fixture
def model(small: Path) -> PyramidNetwork:
    return build_network(actionformer_settings(read_published_settings(small / "official_config.yaml")))


@pytest.fixture
def weights(small: Path) -> dict[str, Tensor]:
    return read_published_weights(small / "epoch_007.pth.tar")


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ("embedding.projections.1.bias", "backbone.proj.1.conv.bias"),
        ("embedding.convs.0.weight", "backbone.embd.0.conv.weight"),
        ("embedding.norms.0.weight", "backbone.embd_norm.0.weight"),
        ("pyramid.stem.0.attention_norm.weight", "backbone.stem.0.ln1.weight"),
        ("pyramid.branch.4.mlp_norm.bias", "backbone.branch.4.ln2.bias"),
        ("pyramid.branch.4.attention.key_conv.weight", "backbone.branch.4.attn.key_conv.conv.weight"),
        ("pyramid.branch.4.attention.key_norm.bias", "backbone.branch.4.attn.key_norm.bias"),
        ("pyramid.stem.1.attention.proj.weight", "backbone.stem.1.attn.proj.weight"),
        ("pyramid.stem.1.attention.relative_bias", "backbone.stem.1.attn.rel_pe"),
        ("pyramid.stem.1.expand.weight", "backbone.stem.1.mlp.0.weight"),
        ("pyramid.stem.1.contract.bias", "backbone.stem.1.mlp.3.bias"),
        ("pyramid.stem.1.drop_attention.scale", "backbone.stem.1.drop_path_attn.scale"),
        ("pyramid.stem.1.drop_mlp.scale", "backbone.stem.1.drop_path_mlp.scale"),
        ("pyramid.branch.2.downsample.bias", "backbone.branch.2.downsample.conv.bias"),
        ("neck.norms.5.weight", "neck.fpn_norms.5.weight"),
        ("neck.laterals.5.weight", "neck.lateral_convs.5.conv.weight"),
        ("neck.convs.5.weight", "neck.fpn_convs.5.conv.weight"),
        ("classifier.convs.1.weight", "cls_head.head.1.conv.weight"),
        ("classifier.norms.1.weight", "cls_head.norm.1.weight"),
        ("classifier.output.bias", "cls_head.cls_head.conv.bias"),
        ("regressor.convs.1.weight", "reg_head.head.1.conv.weight"),
        ("regressor.output.bias", "reg_head.offset_head.conv.bias"),
        ("offset_activation.scales.3", "reg_head.scale.3.scale"),
    ],
)
def test_names(ours: str, theirs: str) -> None:
    assert ACTIONFORMER.published_name(ours) == theirs


def test_shapes() -> None:
    convolution = torch.arange(24.0).view(2, 4, 3)
    assert torch.equal(from_published_shape(convolution, torch.empty(2, 3, 4)), convolution.mT)
    assert from_published_shape(torch.ones(4, 2, 1), torch.empty(4, 2)).shape == (4, 2)
    assert from_published_shape(torch.ones(1, 4, 1), torch.empty(4)).shape == (4,)
    assert from_published_shape(torch.ones(1, 1, 2, 9), torch.empty(2, 9)).shape == (2, 9)
    assert from_published_shape(torch.ones(()), torch.empty(())).shape == ()


def test_projections_and_relative_bias_find_their_place() -> None:
    """The parts that no stored case holds: a model's weights in the published layout come back."""
    settings = ActionFormerSettings(
        input_dim=(3, 4), projection=(6, 10), width=16, num_classes=2, window=5, relative_position=True
    )
    torch.manual_seed(0)
    source, target = build_network(settings), build_network(settings)
    load_published_weights(target, published_weights(source, ACTIONFORMER), "file", ACTIONFORMER)
    pairs = zip(source.parameters(), target.parameters(), strict=True)
    assert all(torch.equal(one, other) for one, other in pairs)


def test_every_weight_is_loaded(model: PyramidNetwork, weights: dict[str, Tensor]) -> None:
    load_published_weights(model, weights, "file", ACTIONFORMER)
    ours = sum(parameter.double().abs().sum() for parameter in model.parameters()).item()
    assert ours == pytest.approx(sum(tensor.double().abs().sum() for tensor in weights.values()).item())


def test_a_missing_weight_is_named(model: PyramidNetwork, weights: dict[str, Tensor]) -> None:
    del weights["backbone.stem.0.attn.query.weight"]
    with pytest.raises(InputError, match=r"file: lacks 1 weight .* first backbone\.stem\.0\.attn\.query"):
        load_published_weights(model, weights, "file", ACTIONFORMER)


def test_an_unknown_weight_is_named(model: PyramidNetwork, weights: dict[str, Tensor]) -> None:
    weights["backbone.branch.5.ln1.weight"] = torch.ones(1)
    with pytest.raises(InputError, match=r"file: has 1 weight .* first backbone\.branch\.5\.ln1\.weight"):
        load_published_weights(model, weights, "file", ACTIONFORMER)


def test_a_weight_of_another_shape_is_named_and_nothing_is_loaded(
    model: PyramidNetwork, weights: dict[str, Tensor]
) -> None:
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    weights["cls_head.cls_head.conv.weight"] = torch.ones(6, 32, 3)
    with pytest.raises(InputError, match=r"\(5, 3, 32\).*cls_head\.cls_head\.conv\.weight gives \(6, 3, 32\)"):
        load_published_weights(model, weights, "file", ACTIONFORMER)
    assert all(torch.equal(tensor, before[name]) for name, tensor in model.state_dict().items())


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"epoch": 1, "state_dict": {}}, "expected a checkpoint with state_dict_ema, found epoch, state_dict"),
        ([1, 2], "expected a checkpoint with state_dict_ema, found list"),
        ({f"w{i}": torch.ones(1) for i in range(1000)}, "found w0, w1, w2, w3, w4, w5, w6, w7 and 992 more$"),
        ({"state_dict_ema": {"module.a": 3}}, "expected a tensor as a, found int"),
        (
            {"state_dict_ema": {}, "when": datetime.timedelta(1)},
            "weights only, it holds datetime.timedelta, which is code",
        ),
    ],
)
def test_what_is_no_checkpoint_is_refused(tmp_path: Path, content: Any, message: str) -> None:
    path = tmp_path / "checkpoint.pth.tar"
    torch.save(content, path)
    with pytest.raises(InputError, match=message) as caught:
        read_published_weights(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


class Trap:
    """A pickled call, which loading must not make."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, tuple[Any, ...]]:
        return Path.touch, (self.path,)


def test_pickled_code_never_runs(tmp_path: Path) -> None:
    path, touched = tmp_path / "checkpoint.pth.tar", tmp_path / "touched"
    torch.save({"state_dict_ema": {}, "trap": Trap(touched)}, path)
    with pytest.raises(InputError, match="code and is never run"):
        read_published_weights(path)
    assert not touched.exists()


def test_an_absent_or_broken_file(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such checkpoint"):
        read_published_weights(tmp_path / "absent.pth.tar")
    broken = tmp_path / "broken.pth.tar"
    broken.write_bytes(b"not a checkpoint")
    with pytest.raises(InputError, match=r"broken\.pth\.tar: expected a checkpoint .* or damaged"):
        read_published_weights(broken)
