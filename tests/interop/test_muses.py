"""MUSES' checkpoints: one is a stream of a model, two are the model."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from actionformer import convert, load
from actionformer.core.errors import InputError
from actionformer.detectors.base import architecture_of
from actionformer.detectors.muses.network import MUSESNetwork, Stream
from actionformer.detectors.muses.settings import MUSESSettings
from actionformer.interop.convert import read_published
from actionformer.interop.muses import MUSES
from actionformer.interop.published_weights import load_published_weights

MODEL = "[model]\ninput_dim = [16, 16]\nnum_classes = 4\nfirst_width = 12\nwidth = 16\nhead_width = 24\n"


@pytest.fixture
def settings(tmp_path: Path) -> Path:
    path = tmp_path / "settings.toml"
    path.write_text(f'preset = "muses_thumos14_i3d"\n{MODEL}', "utf-8")
    return path


@pytest.fixture
def rgb(small: Path) -> Path:
    return small / "muses" / "checkpoint.pth.tar"


@pytest.fixture
def flow(rgb: Path, tmp_path: Path) -> Path:
    """Another stream: all weights are half as large, shifts are measured otherwise."""
    checkpoint = torch.load(rgb, weights_only=True)
    checkpoint["state_dict"] = {name: tensor / 2 for name, tensor in checkpoint["state_dict"].items()}
    checkpoint["reg_stats"] = checkpoint["reg_stats"] * 3
    torch.save(checkpoint, tmp_path / "flow.pth.tar")
    return tmp_path / "flow.pth.tar"


def changed(rgb: Path, path: Path, change: Callable[[dict[str, Any]], object]) -> Path:
    checkpoint = torch.load(rgb, weights_only=True)
    change(checkpoint)
    torch.save(checkpoint, path)
    return path


def network(settings: Path, *checkpoints: Path) -> MUSESNetwork:
    repository, config, weights = read_published(settings, *checkpoints)
    assert repository is MUSES
    made = architecture_of(config).network()
    assert isinstance(made, MUSESNetwork)
    load_published_weights(made, weights, "checkpoint", repository)
    return made.eval()


def test_one_checkpoint_is_a_model_of_one_stream(settings: Path, rgb: Path, tmp_path: Path) -> None:
    detector = convert(settings, rgb, tmp_path / "model")
    model, decoding, suppression = detector.config.model, detector.config.decoding, detector.config.suppression
    assert isinstance(model, MUSESSettings)
    assert (model.stream_weights, model.input_dim, model.whole_frames) == ((1.0,), 16, 8)
    assert (detector.config.data.normalize, detector.config.data.crop_ratio) == (False, (1.0, 1.0))
    assert (decoding.top_k, decoding.min_probability, decoding.min_length) == (2000, 0, 0)
    assert (suppression.method, suppression.tiou_threshold, suppression.min_score) == ("hard", 0.4, 0)
    assert load(tmp_path / "model").class_names == tuple(f"class_{i}" for i in range(4))


def test_two_checkpoints_are_a_model_of_two_streams(settings: Path, rgb: Path, flow: Path, tmp_path: Path) -> None:
    """The first half of the channels is of RGB, the second of flow, which weighs 1.2."""
    detector = convert(settings, rgb, tmp_path / "model", flow=flow)
    model = detector.config.model
    assert isinstance(model, MUSESSettings)
    assert (model.stream_weights, model.sources) == ((1.0, 1.2), (16, 16))
    converted_from = detector.card.training["converted_from"]
    assert converted_from == ["settings.toml", "checkpoint.pth.tar", "flow.pth.tar"]


@torch.no_grad()
def test_streams_say_what_their_checkpoints_say_and_their_mean_is_decoded(
    settings: Path, rgb: Path, flow: Path
) -> None:
    rng = torch.Generator().manual_seed(0)
    features, proposals = torch.randn(1, 20, 32, generator=rng), [torch.tensor([[2.0, 9.0], [5.0, 6.5]])]
    both = network(settings, rgb, flow)
    outputs = both(features, None, proposals)
    single = [
        network(settings, checkpoint)(part, None, proposals)
        for checkpoint, part in ((rgb, features[..., :16]), (flow, features[..., 16:]))
    ]
    for stream, own in enumerate(single):
        for found, expected in zip(outputs.judged, own.judged, strict=True):
            torch.testing.assert_close(found[stream], expected[0])
        torch.testing.assert_close(outputs.deviation[stream], own.deviation[0])
    decoder = architecture_of(read_published(settings, rgb, flow)[1]).decoder()
    decoder.add(outputs)
    (found,) = decoder.candidates()
    activity, completeness = (
        (one + 1.2 * other) / 2.2
        for one, other in zip(*(own.judged[:2] for own in single), strict=True)
    )  # fmt: skip
    scores = (activity[0, 0].softmax(-1)[:, 1:] * completeness[0, 0].exp()).flatten().sort(descending=True)
    torch.testing.assert_close(found.scores, scores.values)
    shifts = [(own.judged.shifts * own.deviation + own.mean)[0, 0].flatten(0, 1) for own in single]
    dx, dl = ((shifts[0] + 1.2 * shifts[1]) / 2.2)[scores.indices].unbind(-1)
    start, end = proposals[0].repeat_interleave(4, dim=0)[scores.indices].unbind(-1)
    centre, half = (start + end) / 2 + (end - start) * dx, (end - start) * dl.exp() / 2
    assert found.refined is not None
    torch.testing.assert_close(found.refined.float(), torch.stack((centre - half, centre + half), dim=1))


def test_rows_taps_and_statistics_are_cut_as_ours_are(settings: Path, rgb: Path) -> None:
    (stream,) = network(settings, rgb).streams
    assert isinstance(stream, Stream)
    stored = torch.load(rgb, weights_only=True)
    weights = {name.removeprefix("module."): tensor for name, tensor in stored["state_dict"].items()}
    rows = weights["roi_head.regressor_fc.weight"]
    assert torch.equal(stream.centre.weight[1], rows[2])
    assert torch.equal(stream.length.weight[1], rows[3])
    assert torch.equal(stream.activity.background.weight, weights["roi_head.activity_fc.weight"][:1])
    taps = weights["backbone.layers.2.branches.1.weight"]
    assert torch.equal(stream.layers[1].get_parameter("branches.1.weight")[2, 4], taps[2, :, 0, 4])
    np.testing.assert_allclose(torch.stack((stream.mean, stream.deviation)), stored["reg_stats"], rtol=1e-6)


def test_what_is_missing_or_does_not_belong_is_named(settings: Path, small: Path, rgb: Path, tmp_path: Path) -> None:
    without = changed(rgb, tmp_path / "a.pth.tar", lambda held: held.pop("reg_stats"))
    with pytest.raises(InputError, match=r"lacks 2 weights .* first streams\.0\.reg_stats\.mean"):
        convert(settings, without, tmp_path / "model")
    with pytest.raises(InputError, match=r"afsd.checkpoint\.pth: is of another repository than .*checkpoint\.pth\.tar"):
        convert(settings, rgb, tmp_path / "model", flow=small / "afsd" / "checkpoint.pth")
    with pytest.raises(InputError, match=r"checkpoint\.pth\.tar: a model of .*checkpoint\.pth has one network"):
        convert("afsd_thumos14_i3d", small / "afsd" / "checkpoint.pth", tmp_path / "model", flow=rgb)
    with pytest.raises(InputError, match=r"checkpoint\.pth\.tar: is of muses, afsd_thumos14_i3d is of afsd"):
        convert("afsd_thumos14_i3d", rgb, tmp_path / "model")
    settings.write_text(settings.read_text("utf-8").replace("num_classes = 4", "num_classes = 5"), "utf-8")
    with pytest.raises(InputError, match=r"call for \(5, 24\) numbers in streams\.0\.activity\.classes\.weight"):
        convert(settings, rgb, tmp_path / "model")


def test_the_command_line_takes_both(call: Callable[..., Any], settings: Path, rgb: Path, flow: Path, tmp_path: Path) -> None:  # fmt: skip # noqa: E501
    assert call("convert", settings, rgb, tmp_path / "model", "--flow", flow).code == 0
    assert load(tmp_path / "model").config.model.input_width == 32
