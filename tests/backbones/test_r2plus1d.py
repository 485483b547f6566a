"""R(2+1)D-34 against the layout, the numbers and the arithmetic that its authors publish."""

from argparse import Namespace
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from actionformer.backbones.published import FOLDER_VARIABLE
from actionformer.backbones.r2plus1d import PUBLISHED, R2Plus1D, R2Plus1D34
from actionformer.core.errors import InputError

# Stage, blocks, channels in and out, channels between space and time in its first convolution and in all others.
# Stages and blocks: table 1 of Tran et al. (CVPR 2018). Channels between: github.com/moabitcoin/ig65m-pytorch writes
# 288, 576 and 1152 out; 144, 230, 460 and 921 follow from the formula of section 3.5, 27 i o // (9 i + 3 o).
STAGES = [
    ("layer1", 3, 64, 64, 144, 144),
    ("layer2", 4, 64, 128, 230, 288),
    ("layer3", 6, 128, 256, 460, 576),
    ("layer4", 3, 256, 512, 921, 1152),
]

# Names of github.com/HumamAlwassel/TSP: torchvision's VideoResNet is kept as `features`, its heads beside it
# (models/backbone.py, models/model.py); ActivityNet has 200 classes, region or not is 2, of 512 features and 512 GVF.
TSP_HEADS = {"fc1.weight": (200, 512), "fc1.bias": (200,), "fc2.weight": (2, 1024), "fc2.bias": (2,)}
TAC_HEADS = {"fc.weight": (200, 512), "fc.bias": (200,)}


def conv(name: str, out: int, into: int, *kernel: int) -> dict[str, tuple[int, ...]]:
    return {f"{name}.weight": (out, into, *kernel)}


def norm(name: str, channels: int) -> dict[str, tuple[int, ...]]:
    parts = ("weight", "bias", "running_mean", "running_var")
    return {f"{name}.{part}": (channels,) for part in parts} | {f"{name}.num_batches_tracked": ()}


def factored(name: str, into: int, middle: int, out: int) -> dict[str, tuple[int, ...]]:
    space, time = conv(f"{name}.0.0", middle, into, 1, 3, 3), conv(f"{name}.0.3", out, middle, 3, 1, 1)
    return space | norm(f"{name}.0.1", middle) | time | norm(f"{name}.1", out)


def published() -> dict[str, tuple[int, ...]]:
    layout = conv("stem.0", 45, 3, 1, 7, 7) | norm("stem.1", 45) | conv("stem.3", 64, 45, 3, 1, 1) | norm("stem.4", 64)
    for stage, blocks, into, out, first, middle in STAGES:
        for block in range(blocks):
            name = f"{stage}.{block}"
            layout |= factored(f"{name}.conv1", into if block == 0 else out, first if block == 0 else middle, out)
            layout |= factored(f"{name}.conv2", out, middle, out)
        if into != out:
            layout |= conv(f"{stage}.0.downsample.0", out, into, 1, 1, 1) | norm(f"{stage}.0.downsample.1", out)
    return {f"features.{name}": shape for name, shape in layout.items()}


def distinct(layout: dict[str, tuple[int, ...]]) -> dict[str, Tensor]:
    """One value a name: a small file, of which every tensor can be told from all others."""
    return {name: torch.tensor(float(i + 1)).expand(shape) for i, (name, shape) in enumerate(layout.items())}


def saved(path: Path, weights: dict[str, Tensor]) -> Path:
    """As TSP's train/train.py saves its checkpoints."""
    torch.save({"model": weights, "epoch": 5, "args": Namespace(backbone="r2plus1d_34")}, path)
    return path


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return saved(tmp_path_factory.mktemp("tsp") / PUBLISHED.files[0], distinct(published() | TSP_HEADS))


@pytest.fixture(scope="module")
def backbone(file: Path) -> R2Plus1D:
    return R2Plus1D(weights=[file], device="cpu", precision="float32")


def test_names_shapes_and_count_are_the_published_ones() -> None:
    with torch.device("meta"):
        own = nn.ModuleDict({"features": R2Plus1D34()})
    assert {name: tuple(tensor.shape) for name, tensor in own.state_dict().items()} == published()
    assert len(published()) == 2 * 6 + 16 * 24 + 3 * 6
    assert sum(parameter.numel() for parameter in own.parameters()) == 63_491_975


def test_every_weight_of_a_file_reaches_its_place(backbone: R2Plus1D) -> None:
    own = backbone.network.state_dict()
    assert len(own) == len(published())
    for name, expected in distinct(published()).items():
        assert (own[name.removeprefix("features.")] == expected).all(), name


def test_what_is_known_of_it(backbone: R2Plus1D) -> None:
    assert (backbone.name, backbone.dim, backbone.fps) == ("r2plus1d_tsp", 512, 15)
    assert (backbone.num_frames, backbone.stride) == (16, 16)
    assert backbone.weights_hash is not None
    assert len(backbone.weights_hash) == 64
    assert not backbone.network.training


def test_files_with_the_head_of_tac_load(tmp_path: Path) -> None:
    path = saved(tmp_path / "tac.pth", distinct(published() | TAC_HEADS))
    assert R2Plus1D(weights=[path], device="cpu", precision="float32").dim == 512


@pytest.mark.parametrize(
    ("layout", "message"),
    [
        ({**published(), "fc3.weight": (2, 512)}, "1 unknown weight, first fc3.weight"),
        (
            {k: v for k, v in published().items() if k != "features.stem.3.weight"},
            "1 missing weight, first features.stem.3",
        ),
        (published() | conv("features.layer2.0.conv2.0.0", 230, 128, 1, 3, 3), "layer2.0.conv2.0.0.weight is"),
    ],
)
def test_a_file_of_another_network_is_an_error(
    tmp_path: Path, layout: dict[str, tuple[int, ...]], message: str
) -> None:
    path = saved(tmp_path / "other.pth", distinct(layout))
    with pytest.raises(InputError, match=message):
        R2Plus1D(weights=[path], device="cpu", precision="float32")


def test_without_weights_the_error_says_where_they_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path))
    with pytest.raises(InputError, match=r"r2plus1d_tsp: no weights at .*0d2cf854.pth.*HumamAlwassel/TSP.*licence"):
        R2Plus1D(weights=[], device="cpu", precision="float32")


def test_a_frame_prepared_by_hand(backbone: R2Plus1D) -> None:
    """512 x 684 is four times 128 x 171: without antialiasing, row r is the mean of rows 4 r + 1 and 4 r + 2.

    Of the 128 rows the crop begins with round((128 - 112) / 2) = 8, of the 171 columns with round(29.5) = 30
    (center_crop in TSP's common/transforms.py).
    """
    rows, columns = np.mgrid[:512, :684]
    blue = np.where(np.isin(rows % 4, (1, 2)), 200, 0)
    frame = np.stack([columns // 4, rows // 4, blue], axis=-1).astype(np.uint8)
    (prepared,) = backbone.preprocessing([frame])
    assert prepared.shape == (112, 112, 3)
    assert (prepared[..., 0] == np.arange(30, 142)).all()
    assert (prepared[..., 1] == np.arange(8, 120)[:, None]).all()
    assert (prepared[..., 2] == 200).all()


def test_colours_normalised_by_hand(backbone: R2Plus1D, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Tensor] = []

    def network(x: Tensor) -> Tensor:
        seen.append(x)
        return x.mean(dim=(2, 3, 4))

    monkeypatch.setattr(backbone, "network", network)
    clips = torch.tensor([30, 8, 200], dtype=torch.uint8).expand(2, 16, 112, 112, 3)
    backbone.encode(clips)
    assert seen[0].shape == (2, 3, 16, 112, 112)
    # (30 / 255 - 0.43216) / 0.22803, (8 / 255 - 0.394666) / 0.22145, (200 / 255 - 0.37645) / 0.216989
    torch.testing.assert_close(seen[0][1, :, 3, 5, 7], torch.tensor([-1.379265, -1.640523, 1.879653]))


def stirred(network: R2Plus1D34) -> R2Plus1D34:
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

    def convolved(x: Tensor, name: str, stride: tuple[int, ...], padding: tuple[int, ...]) -> Tensor:
        return F.conv3d(x, weights[f"{name}.weight"], stride=stride, padding=padding)

    def normed(x: Tensor, name: str) -> Tensor:
        mean, var, scale, shift = (
            weights[f"{name}.{part}"].view(-1, 1, 1, 1) for part in ("running_mean", "running_var", "weight", "bias")
        )
        return (x - mean) / (var + 1e-3).sqrt() * scale + shift

    def factored(x: Tensor, name: str, stride: int) -> Tensor:
        x = normed(convolved(x, f"{name}.0.0", (1, stride, stride), (0, 1, 1)), f"{name}.0.1").relu()
        return normed(convolved(x, f"{name}.0.3", (stride, 1, 1), (1, 0, 0)), f"{name}.1")

    x = normed(convolved(x, "stem.0", (1, 2, 2), (0, 3, 3)), "stem.1").relu()
    x = normed(convolved(x, "stem.3", (1, 1, 1), (1, 0, 0)), "stem.4").relu()
    for stage, blocks, *_ in STAGES:
        for block in range(blocks):
            name, stride = f"{stage}.{block}", 2 if block == 0 and stage != "layer1" else 1
            residual = factored(factored(x, f"{name}.conv1", stride).relu(), f"{name}.conv2", 1)
            if stride == 2:
                x = normed(convolved(x, f"{name}.downsample.0", (2, 2, 2), (0, 0, 0)), f"{name}.downsample.1")
            x = (x + residual).relu()
    return x.flatten(2).mean(2)


def test_the_forward_pass_agrees_with_a_plain_one_and_holds_in_half_precision(
    backbone: R2Plus1D, monkeypatch: pytest.MonkeyPatch
) -> None:
    network = stirred(R2Plus1D34())
    monkeypatch.setattr(backbone, "network", network)
    clips = torch.randint(256, (2, 8, 32, 32, 3), dtype=torch.uint8)
    features = backbone.encode(clips)
    assert (features.shape, features.dtype) == ((2, 512), torch.float32)
    mean, std = torch.tensor([0.43216, 0.394666, 0.37645]), torch.tensor([0.22803, 0.22145, 0.216989])
    expected = plain(network.state_dict(), ((clips / 255 - mean) / std).permute(0, 4, 1, 2, 3))
    assert expected.std() > 1e-3  # not all swallowed by the ReLUs
    torch.testing.assert_close(features, expected, rtol=1e-3, atol=1e-5)

    small = clips[:, :, 8:24, 8:24]  # on a CPU bfloat16 takes 50 times as long
    exact = backbone.encode(small)
    monkeypatch.setattr(backbone, "network", network.to(torch.bfloat16))
    monkeypatch.setattr(backbone, "dtype", torch.bfloat16)
    rounded = backbone.encode(small)
    assert (rounded.shape, rounded.dtype) == ((2, 512), torch.float32)
    assert F.cosine_similarity(rounded, exact).min() > 0.99
