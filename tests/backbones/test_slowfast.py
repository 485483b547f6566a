"""SlowFast 8 x 8 R50 against the layout, the numbers and the arithmetic that its authors publish."""

from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from actionformer.backbones.published import FOLDER_VARIABLE
from actionformer.backbones.slowfast import PUBLISHED, SlowFast, SlowFastR50, slow_frames, window_mean
from actionformer.core.errors import InputError

# Stage, blocks, channels in, within and out, frames of its kernel, stride of height and width; table 1 of Feichtenhofer
# et al. (ICCV 2019). A quarter of a slow stage's channels come from the fast pathway: twice its eighth.
SLOW = [(1, 3, 64 + 16, 64, 256, 1, 1), (2, 4, 256 + 64, 128, 512, 1, 2)]
SLOW += [(3, 6, 512 + 128, 256, 1024, 3, 2), (4, 3, 1024 + 256, 512, 2048, 3, 2)]
FAST = [(1, 3, 8, 8, 32, 3, 1), (2, 4, 32, 16, 64, 3, 2), (3, 6, 64, 32, 128, 3, 2), (4, 3, 128, 64, 256, 3, 2)]
LATERAL = [(0, 8), (1, 32), (2, 64), (3, 128)]

# Names of github.com/facebookresearch/pytorchvideo: models/slowfast.py, stem.py, resnet.py, net.py, head.py.
HEAD = {"blocks.6.proj.weight": (400, 2304), "blocks.6.proj.bias": (400,)}


def conv(name: str, out: int, into: int, *kernel: int) -> dict[str, tuple[int, ...]]:
    return {f"{name}.weight": (out, into, *kernel)}


def norm(name: str, channels: int) -> dict[str, tuple[int, ...]]:
    parts = ("weight", "bias", "running_mean", "running_var")
    return {f"{name}.{part}": (channels,) for part in parts} | {f"{name}.num_batches_tracked": ()}


def residual(name: str, into: int, within: int, out: int, frames: int) -> dict[str, tuple[int, ...]]:
    layout = conv(f"{name}.branch1_conv", out, into, 1, 1, 1) | norm(f"{name}.branch1_norm", out) if into != out else {}
    layout |= conv(f"{name}.branch2.conv_a", within, into, frames, 1, 1) | norm(f"{name}.branch2.norm_a", within)
    layout |= conv(f"{name}.branch2.conv_b", within, within, 1, 3, 3) | norm(f"{name}.branch2.norm_b", within)
    return layout | conv(f"{name}.branch2.conv_c", out, within, 1, 1, 1) | norm(f"{name}.branch2.norm_c", out)


def published() -> dict[str, tuple[int, ...]]:
    stem = "blocks.0.multipathway_blocks"
    layout = conv(f"{stem}.0.conv", 64, 3, 1, 7, 7) | norm(f"{stem}.0.norm", 64)
    layout |= conv(f"{stem}.1.conv", 8, 3, 5, 7, 7) | norm(f"{stem}.1.norm", 8)
    for pathway, stages in enumerate((SLOW, FAST)):
        for stage, blocks, into, within, out, frames, _ in stages:
            for block in range(blocks):
                name = f"blocks.{stage}.multipathway_blocks.{pathway}.res_blocks.{block}"
                layout |= residual(name, into if block == 0 else out, within, out, frames)
    for stage, channels in LATERAL:
        name = f"blocks.{stage}.multipathway_fusion"
        layout |= conv(f"{name}.conv_fast_to_slow", 2 * channels, channels, 7, 1, 1) | norm(
            f"{name}.norm", 2 * channels
        )
    return layout


def distinct(layout: dict[str, tuple[int, ...]]) -> dict[str, Tensor]:
    """One value a name: a small file, of which every tensor can be told from all others."""
    return {name: torch.tensor(float(i + 1)).expand(shape) for i, (name, shape) in enumerate(layout.items())}


def saved(path: Path, weights: dict[str, Tensor]) -> Path:
    torch.save({"model_state": weights}, path)
    return path


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return saved(tmp_path_factory.mktemp("slowfast") / PUBLISHED.files[0], distinct(published() | HEAD))


@pytest.fixture(scope="module")
def backbone(file: Path) -> SlowFast:
    return SlowFast(weights=[file], device="cpu", precision="float32")


def test_names_shapes_and_count_are_the_published_ones() -> None:
    with torch.device("meta"):
        own = SlowFastR50()
    assert {name: tuple(tensor.shape) for name, tensor in own.state_dict().items()} == published()
    head = 400 * 2304 + 400
    # 34.57 million: "Params (M)" of SlowFast R50 8x8 in pytorchvideo's docs/source/model_zoo.md
    assert sum(parameter.numel() for parameter in own.parameters()) + head == 34_566_488


def test_every_weight_of_a_file_reaches_its_place(backbone: SlowFast) -> None:
    own = backbone.network.state_dict()
    assert len(own) == len(published())
    for name, expected in distinct(published()).items():
        assert (own[name] == expected).all(), name


def test_what_is_known_of_it(backbone: SlowFast) -> None:
    assert (backbone.name, backbone.dim, backbone.fps) == ("slowfast_r50", 2304, 30)
    assert (backbone.num_frames, backbone.stride) == (32, 16)
    assert backbone.weights_hash is not None
    assert len(backbone.weights_hash) == 64
    assert not backbone.network.training


def test_counters_of_training_steps_may_be_missing(tmp_path: Path) -> None:
    layout = {name: shape for name, shape in published().items() if not name.endswith("num_batches_tracked")}
    path = saved(tmp_path / "counterless.pyth", distinct(layout))
    weight = SlowFast(weights=[path], device="cpu", precision="float32").network.state_dict()
    assert weight["blocks.0.multipathway_blocks.0.norm.num_batches_tracked"] == 0
    assert (weight["blocks.0.multipathway_blocks.0.norm.weight"] == 2).all()


@pytest.mark.parametrize(
    ("layout", "message"),
    [
        ({**published(), "blocks.6.proj.scale": (400,)}, "1 unknown weight, first blocks.6.proj.scale"),
        ({k: v for k, v in published().items() if not k.endswith("fast_to_slow.weight")}, "4 missing weights"),
        (
            published() | conv("blocks.0.multipathway_fusion.conv_fast_to_slow", 16, 8, 5, 1, 1),
            "fast_to_slow.weight is",
        ),
    ],
)
def test_a_file_of_another_network_is_an_error(
    tmp_path: Path, layout: dict[str, tuple[int, ...]], message: str
) -> None:
    path = saved(tmp_path / "other.pyth", distinct(layout))
    with pytest.raises(InputError, match=message):
        SlowFast(weights=[path], device="cpu", precision="float32")


def test_without_weights_the_error_says_where_they_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path))
    with pytest.raises(InputError, match=r"slowfast_r50: no weights at .*R50.pyth.*pytorchvideo.*licence: Apache"):
        SlowFast(weights=[], device="cpu", precision="float32")


def test_a_frame_prepared_by_hand(backbone: SlowFast) -> None:
    """512 x 910 is twice 256 x 455: without antialiasing, every pixel is the mean of 2 x 2.

    Of the 455 columns the crop begins with round(99.5) = 100, as torchvision's CenterCropVideo does.
    """
    rows, columns = np.mgrid[:512, :910] // 2
    frame = np.stack([columns - 100, rows, 200 * (columns % 2)], axis=-1).astype(np.uint8)
    (prepared,) = backbone.preprocessing([frame])
    assert prepared.shape == (256, 256, 3)
    assert (prepared[..., 0] == np.arange(256)).all()
    assert (prepared[..., 1] == np.arange(256)[:, None]).all()
    assert (prepared[..., 2] == 200 * (np.arange(256) % 2)).all()


def test_colours_normalised_by_hand(backbone: SlowFast, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Tensor] = []

    def network(x: Tensor) -> Tensor:
        seen.append(x)
        return x.mean(dim=(2, 3, 4))

    monkeypatch.setattr(backbone, "network", network)
    backbone.encode(torch.tensor([0, 51, 255], dtype=torch.uint8).expand(2, 4, 8, 8, 3))
    assert seen[0].shape == (2, 3, 4, 8, 8)
    # (0 - 0.45) / 0.225, (0.2 - 0.45) / 0.225, (1 - 0.45) / 0.225
    torch.testing.assert_close(seen[0][1, :, 3, 5, 7], torch.tensor([-2.0, -1.1111111, 2.4444444]))


def test_the_slow_pathway_sees_the_frames_of_pytorchvideo() -> None:
    assert slow_frames(32).tolist() == [0, 4, 8, 13, 17, 22, 26, 31]  # 31 / 7 = 4.43 apart, rounded down


def test_windows_weigh_the_border_less() -> None:
    """Of 8 positions, 2 windows of 7: the first and last are in one of them, the others in both, 14 places in all."""
    x = torch.zeros(1, 2, 4, 8, 8)
    x[0, 0, :, 0, 3] = 1.0
    x[0, 1, 2, 3, 3] = 1.0
    torch.testing.assert_close(window_mean(x), torch.tensor([[1 / 14 * 2 / 14, 2 / 14 * 2 / 14 / 4]]))
    x = torch.rand(1, 2, 4, 7, 7)
    torch.testing.assert_close(window_mean(x), x.mean(dim=(2, 3, 4)))


def stirred(network: SlowFastR50) -> SlowFastR50:
    """Statistics and scales that are not 0 and 1, so that their place and the epsilon matter."""
    torch.manual_seed(0)
    for module in network.modules():
        if isinstance(module, nn.BatchNorm3d):
            for tensor in (module.weight.data, module.running_var):
                tensor.uniform_(0.05, 0.15)
            for tensor in (module.bias.data, module.running_mean):
                tensor.normal_(std=0.1)
    return network.eval()


def plain(weights: dict[str, Tensor], x: Tensor) -> Tensor:
    """The network as its authors' code says it, from weights by name."""

    def convolved(x: Tensor, name: str, stride: tuple[int, int, int]) -> Tensor:
        weight = weights[f"{name}.weight"]
        return F.conv3d(x, weight, stride=stride, padding=tuple(size // 2 for size in weight.shape[2:]))

    def normed(x: Tensor, name: str) -> Tensor:
        mean, var, scale, shift = (
            weights[f"{name}.{part}"].view(-1, 1, 1, 1) for part in ("running_mean", "running_var", "weight", "bias")
        )
        return (x - mean) / (var + 1e-5).sqrt() * scale + shift

    def block(x: Tensor, name: str, stride: int) -> Tensor:
        inner = normed(convolved(x, f"{name}.branch2.conv_a", (1, 1, 1)), f"{name}.branch2.norm_a").relu()
        inner = normed(convolved(inner, f"{name}.branch2.conv_b", (1, stride, stride)), f"{name}.branch2.norm_b").relu()
        inner = normed(convolved(inner, f"{name}.branch2.conv_c", (1, 1, 1)), f"{name}.branch2.norm_c")
        if f"{name}.branch1_conv.weight" in weights:
            x = normed(convolved(x, f"{name}.branch1_conv", (1, stride, stride)), f"{name}.branch1_norm")
        return (x + inner).relu()

    def joined(slow: Tensor, fast: Tensor, stage: int) -> Tensor:
        name = f"blocks.{stage}.multipathway_fusion"
        return torch.cat(
            [slow, normed(convolved(fast, f"{name}.conv_fast_to_slow", (4, 1, 1)), f"{name}.norm").relu()], 1
        )

    pathways = [x[:, :, [0, x.shape[2] - 1]], x]  # of 8 frames the slow pathway sees the first and the last
    for i, name in enumerate(("blocks.0.multipathway_blocks.0", "blocks.0.multipathway_blocks.1")):
        stem = normed(convolved(pathways[i], f"{name}.conv", (1, 2, 2)), f"{name}.norm").relu()
        pathways[i] = F.max_pool3d(stem, (1, 3, 3), stride=(1, 2, 2), padding=(0, 1, 1))
    pathways[0] = joined(pathways[0], pathways[1], 0)
    for slow, fast in zip(SLOW, FAST, strict=True):
        for i, (stage, blocks, *_, stride) in enumerate((slow, fast)):
            for j in range(blocks):
                name = f"blocks.{stage}.multipathway_blocks.{i}.res_blocks.{j}"
                pathways[i] = block(pathways[i], name, stride if j == 0 else 1)
        if slow is not SLOW[-1]:
            pathways[0] = joined(pathways[0], pathways[1], slow[0])
    return torch.cat([pathway.flatten(2).mean(2) for pathway in pathways], 1)


def test_the_forward_pass_agrees_with_a_plain_one_and_holds_in_half_precision(
    backbone: SlowFast, monkeypatch: pytest.MonkeyPatch
) -> None:
    network = stirred(SlowFastR50())
    monkeypatch.setattr(backbone, "network", network)
    monkeypatch.setattr("actionformer.backbones.slowfast.WINDOW", 2)  # 64 pixels leave 2 x 2 positions
    clips = torch.randint(256, (2, 8, 64, 64, 3), dtype=torch.uint8)
    features = backbone.encode(clips)
    assert (features.shape, features.dtype) == ((2, 2304), torch.float32)
    expected = plain(network.state_dict(), ((clips / 255 - 0.45) / 0.225).permute(0, 4, 1, 2, 3))
    assert expected[:, :2048].std() > 1e-3  # not all swallowed by the ReLUs
    assert expected[:, 2048:].std() > 1e-3
    torch.testing.assert_close(features, expected, rtol=1e-3, atol=1e-5)

    monkeypatch.setattr(backbone, "network", network.to(torch.bfloat16))
    monkeypatch.setattr(backbone, "dtype", torch.bfloat16)
    rounded = backbone.encode(clips)
    assert rounded.dtype == torch.float32
    assert F.cosine_similarity(rounded, expected).min() > 0.99
