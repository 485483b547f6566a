"""BMN's checkpoints, which have no configuration to read: a preset and names of weights tell what they are."""

from pathlib import Path
from typing import Any

import pytest
import torch

from actionformer import load
from actionformer.core.errors import InputError
from actionformer.interop import convert
from actionformer.interop.bmn import JJBOY, OPENTAD
from actionformer.interop.index import repository_with

SMALL = """preset = "bmn_activitynet_tsp"
[data]
resize = 16
[model]
input_dim = 20
width = 16
reduced_width = 12
sampled_width = 24
map_width = 12
bins = 8
max_length = 16
max_duration = 10
"""


@pytest.fixture
def settings(tmp_path: Path) -> Path:
    path = tmp_path / "small.toml"
    path.write_text(SMALL, "utf-8")
    return path


def changed(small: Path, path: Path, **weights: Any) -> Path:
    """OpenTAD's checkpoint with other weights; None takes one away."""
    checkpoint = torch.load(small / "bmn" / "opentad.pth", weights_only=True)
    checkpoint["state_dict"] |= {f"module.{name.replace('__', '.')}": tensor for name, tensor in weights.items()}
    kept = {name: tensor for name, tensor in checkpoint["state_dict"].items() if tensor is not None}
    torch.save(checkpoint | {"state_dict": kept}, path)
    return path


def test_a_converted_model_is_a_directory_like_any_other(settings: Path, small: Path, tmp_path: Path) -> None:
    convert(settings, small / "bmn" / "opentad.pth", tmp_path / "model")
    detector = load(tmp_path / "model")
    assert detector.class_names == ("class_0",)
    assert detector.config.model.model_dump()["convention"] == "opentad"
    found = detector.detect(torch.rand(40, 20), fps=25.0, stride=16, num_frames=16)
    assert len(found)
    assert found.segments.max() <= 40 * 16 / 25


@pytest.mark.parametrize(
    ("ours", "jjboy", "opentad"),
    [
        ("base.0.weight", "x_1d_b.0.weight", "projection.convs.0.conv.weight"),
        ("base.1.bias", "x_1d_b.2.bias", "projection.convs.1.conv.bias"),
        ("start.hidden.weight", "x_1d_s.0.weight", "rpn_head.tem.0.0.conv.weight"),
        ("end.output.bias", "x_1d_e.2.bias", "rpn_head.tem.1.1.conv.bias"),
        ("reduce.weight", "x_1d_p.0.weight", "roi_head.proposal_roi_extractor.reduce_dim.0.weight"),
        ("matching.bias", "x_3d_p.0.bias", "roi_head.proposal_roi_extractor.conv3d.0.bias"),
        ("map.narrow.weight", "x_2d_p.0.weight", "roi_head.proposal_roi_extractor.conv2d.0.weight"),
        ("map.convs.1.weight", "x_2d_p.4.weight", "roi_head.proposal_head.head.1.0.weight"),
        ("map.overlap.bias", "x_2d_p.6.overlap.bias", "roi_head.proposal_head.head.2.overlap.bias"),
    ],
)
def test_names(ours: str, jjboy: str, opentad: str) -> None:
    assert JJBOY.published_name(ours) == jjboy
    assert OPENTAD.published_name(ours) == opentad


def test_the_last_convolution_is_two_of_ours() -> None:
    """JJBOY's first output is the overlap, OpenTAD's second."""
    both = torch.tensor([[1.0], [2.0]])
    prepared = JJBOY.prepare({"x_2d_p.6.weight": both, "sample_mask": torch.zeros(2, 2)})
    assert {name: tensor.item() for name, tensor in prepared.items()} == {
        "x_2d_p.6.overlap.weight": 1,
        "x_2d_p.6.classes.weight": 2,
    }
    prepared = OPENTAD.prepare({"roi_head.proposal_head.head.2.bias": both[:, 0]})
    assert prepared["roi_head.proposal_head.head.2.classes.bias"].item() == 1


def test_what_is_not_known_or_missing_is_named(settings: Path, small: Path, tmp_path: Path) -> None:
    assert repository_with({"backbone.conv.weight": torch.zeros(1)}) is None
    other = tmp_path / "other.pth"
    torch.save({"state_dict": {"backbone.weight": torch.zeros(1)}}, other)
    with pytest.raises(InputError, match="names of weights are of no known repository without YAML files"):
        convert(settings, other, tmp_path / "model")
    with pytest.raises(
        InputError, match=r"lacks 1 weight that the settings call for, first rpn_head.tem.0.1.conv.bias"
    ):
        convert(settings, changed(small, tmp_path / "a.pth", rpn_head__tem__0__1__conv__bias=None), tmp_path / "model")
    with pytest.raises(InputError, match="first extra"):
        convert(settings, changed(small, tmp_path / "b.pth", extra=torch.zeros(1)), tmp_path / "model")
    with pytest.raises(InputError, match="the settings call for"):
        convert("bmn_activitynet_tsp", small / "bmn" / "opentad.pth", tmp_path / "model")


def test_a_mask_of_another_length_is_refused(tmp_path: Path) -> None:
    settings = tmp_path / "all_lengths.toml"
    settings.write_text(SMALL.replace("max_duration = 10\n", ""), "utf-8")
    for size, message in [
        (128, r"its sample_mask is of 128 moments, model.max_length is 16: give a TOML file of settings with 128"),
        (16, "lacks"),
    ]:
        path = tmp_path / f"{size}.pth"
        torch.save({"state_dict": {"sample_mask": torch.zeros(size, 4), "x_3d_p.0.weight": torch.zeros(1)}}, path)
        with pytest.raises(InputError, match=message):
            convert(settings, path, tmp_path / "model")
