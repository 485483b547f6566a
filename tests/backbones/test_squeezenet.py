import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from actionformer.backbones import Frame
from actionformer.backbones.squeezenet import Fire, Network, SqueezeNet, torchvision_names
from actionformer.core.errors import InputError

# Table 1 of the paper (fire module: channels in, squeeze, expand) and its place in torchvision/models/squeezenet.py
FIRES = {
    "fire2": (3, 96, 16, 64),
    "fire3": (4, 128, 16, 64),
    "fire4": (5, 128, 32, 128),
    "fire5": (7, 256, 32, 128),
    "fire6": (8, 256, 48, 192),
    "fire7": (9, 384, 48, 192),
    "fire8": (10, 384, 64, 256),
    "fire9": (12, 512, 64, 256),
}
PARAMETERS = 1_248_424  # torchvision's `num_params`; the paper's table says 1,248,424 too


def layer(name: str, shape: tuple[int, ...]) -> dict[str, tuple[int, ...]]:
    return {f"{name}.weight": shape, f"{name}.bias": shape[:1]}


def torchvision_layout() -> dict[str, tuple[int, ...]]:
    """Every name and shape of squeezenet1_0-b66bff10.pth."""
    layout = layer("features.0", (96, 3, 7, 7)) | layer("classifier.1", (1000, 512, 1, 1))
    for place, channels, narrow, wide in FIRES.values():
        layout |= layer(f"features.{place}.squeeze", (narrow, channels, 1, 1))
        layout |= layer(f"features.{place}.expand1x1", (wide, narrow, 1, 1))
        layout |= layer(f"features.{place}.expand3x3", (wide, narrow, 3, 3))
    return layout


def caffe_layout() -> dict[str, tuple[int, ...]]:
    """Every name and shape of the decoded Caffe model."""
    layout = layer("conv1", (96, 3, 7, 7)) | layer("conv_final", (1000, 512, 1, 1))
    for fire, (_, channels, narrow, wide) in FIRES.items():
        layout |= layer(f"{fire}__conv1x1_1", (narrow, channels, 1, 1))
        layout |= layer(f"{fire}__conv1x1_2", (wide, narrow, 1, 1))
        layout |= layer(f"{fire}__conv3x3_2", (wide, narrow, 3, 3))
    return layout


def random_weights(layout: dict[str, tuple[int, ...]]) -> dict[str, Tensor]:
    generator = torch.Generator().manual_seed(0)
    return {name: torch.randn(shape, generator=generator) * 0.05 for name, shape in layout.items()}


@pytest.fixture(scope="module")
def torchvision_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("weights") / "squeezenet1_0-b66bff10.pth"
    torch.save(random_weights(torchvision_layout()), path)
    return path


@pytest.fixture(scope="module")
def caffe_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("weights") / "caffe.npz"
    arrays: dict[str, Any] = {name: tensor.numpy() for name, tensor in random_weights(caffe_layout()).items()}
    np.savez(path, **arrays)
    return path


def load(path: Path, precision: str = "float32") -> SqueezeNet:
    return SqueezeNet(weights=[path], device="cpu", precision=precision)


def test_the_layout_is_the_published_one() -> None:
    with torch.device("meta"):
        own = {name: tuple(tensor.shape) for name, tensor in Network(border=0).state_dict().items()}
    assert own == torchvision_layout()
    assert sum(np.prod(shape) for shape in own.values()) == PARAMETERS


@pytest.mark.parametrize(("side", "sizes"), [(224, [109, 54, 27, 13]), (227, [111, 55, 27, 13])])
def test_pooling_rounds_up(side: int, sizes: list[int]) -> None:
    x, found = torch.zeros(1, 3, side, side), []  # rounding down, 224 would give 109, 54, 26, 12
    with torch.inference_mode():
        for place in Network(border=0).features:
            x = place(x)
            if isinstance(place, nn.Conv2d | nn.MaxPool2d):
                found.append(x.shape[3])
    assert found == sizes
    assert x.shape == (1, 512, 13, 13)


def test_published_weights_load_by_path_folder_and_default(
    torchvision_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    weights = random_weights(torchvision_layout())
    monkeypatch.setenv("ACTIONFORMER_WEIGHTS", str(torchvision_file.parent))
    for given in ([torchvision_file], [torchvision_file.parent], []):
        backbone = SqueezeNet(weights=given, device="cpu", precision="float32")
        assert backbone.weights_hash == hashlib.sha256(torchvision_file.read_bytes()).hexdigest()
        for name, tensor in backbone.network.state_dict().items():
            assert torch.equal(tensor, weights[name]), name


def test_weights_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    weights = random_weights(torchvision_layout())
    torch.save({name: tensor for name, tensor in weights.items() if name != "features.7.squeeze.bias"}, tmp_path / "a")
    torch.save(weights | {"features.3.squeeze.weight": torch.zeros(16, 64, 1, 1)}, tmp_path / "b")
    with pytest.raises(InputError, match=r"1 missing weight, first features\.7\.squeeze\.bias"):
        load(tmp_path / "a")
    with pytest.raises(InputError, match=r"features\.3\.squeeze\.weight is \(16, 64, 1, 1\), the network has \(16, 96"):
        load(tmp_path / "b")
    with pytest.raises(InputError, match=r"squeezenet1_0-b66bff10\.pth .*torchvision.*BSD-3-Clause"):
        load(tmp_path / "c")


def test_caffe_names_stand_for_torchvision_names() -> None:
    caffe = random_weights(caffe_layout())
    renamed = torchvision_names(caffe)
    assert {name: tuple(tensor.shape) for name, tensor in renamed.items()} == torchvision_layout()
    assert torch.equal(renamed["features.12.expand3x3.weight"], caffe["fire9__conv3x3_2.weight"])
    assert torch.equal(renamed["features.7.squeeze.bias"], caffe["fire5__conv1x1_1.bias"])
    assert torch.equal(renamed["features.3.expand1x1.weight"], caffe["fire2__conv1x1_2.weight"])
    assert torch.equal(renamed["classifier.1.weight"], caffe["conv_final.weight"])
    assert torch.equal(renamed["features.0.weight"][:, 0], caffe["conv1.weight"][:, 2])  # red is Caffe's last


class Means(nn.Module):
    """In place of the network: the mean of each colour as it would enter it."""

    def forward(self, images: Tensor) -> Tensor:
        return images.mean((2, 3))


def test_preprocessing_of_torchvision_by_hand(torchvision_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    backbone = load(torchvision_file)
    rng = np.random.default_rng(0)
    frame = rng.integers(0, 256, (256, 512, 3)).astype(np.uint8)  # the short side needs no resize
    (prepared,) = backbone.preprocessing([frame])
    np.testing.assert_array_equal(prepared, frame[16:240, 144:368])
    assert str(backbone.preprocessing) == "rgb, bilinear antialiased to short side 256, centre 224"
    monkeypatch.setattr(backbone, "network", Means())
    grey = torch.full((1, 224, 224, 3), 124, dtype=torch.uint8)
    # (124 - 255 mean) / (255 std) with means 123.675, 116.28, 103.53 and stds 58.395, 57.12, 57.375
    torch.testing.assert_close(
        backbone.logits(grey), torch.tensor([[0.0055655, 0.1351541, 0.3567756]]), atol=1e-5, rtol=0
    )


def test_preprocessing_of_caffe_by_hand(caffe_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    backbone = load(caffe_file)
    rng = np.random.default_rng(0)
    frame = rng.integers(0, 256, (256, 256, 3)).astype(np.uint8)
    (prepared,) = backbone.preprocessing([frame])
    np.testing.assert_array_equal(prepared, frame[14:241, 14:241])
    halved = np.repeat(np.arange(256, dtype=np.uint8)[None, :, None], 256, 0).repeat(2, 1).repeat(3, 2)
    (prepared,) = backbone.preprocessing([halved])  # 512 wide: squeezed to 256, then cut, not cut from the middle
    np.testing.assert_array_equal(prepared[0, :, 0], np.arange(14, 241))
    monkeypatch.setattr(backbone, "network", Means())
    grey = torch.full((1, 227, 227, 3), 124, dtype=torch.uint8)
    torch.testing.assert_close(backbone.logits(grey), torch.tensor([[1.0, 7.0, 20.0]]))  # minus 123, 117, 104


def test_a_fire_module_by_hand() -> None:
    fire = Fire(2, 1, 1)
    weights = {"squeeze": [[[[1.0]], [[-1.0]]]], "expand1x1": [[[[-2.0]]]], "expand3x3": [[[[1.0] * 3] * 3]]}
    for name, weight in weights.items():
        getattr(fire, name).weight.data = torch.tensor(weight)
        getattr(fire, name).bias.data = torch.tensor([3.0 if name == "expand1x1" else 0.0])
    x = torch.tensor([[[[5.0, 1.0]], [[4.0, 9.0]]]])  # squeezed: 5 - 4 = 1, 1 - 9 = -8, which ReLU makes 0
    torch.testing.assert_close(fire(x), torch.tensor([[[[1.0, 3.0]], [[1.0, 1.0]]]]))


def test_encode_averages_the_frames_of_a_clip(torchvision_file: Path) -> None:
    backbone = load(torchvision_file)
    clips = torch.randint(256, (2, 3, 64, 64, 3), generator=torch.Generator().manual_seed(1)).byte()
    found = backbone.encode(clips)
    assert (found.shape, found.dtype) == ((2, 512), torch.float32)
    frames = backbone.encode(clips.reshape(6, 1, 64, 64, 3))  # the passes of at most 4 frames fall otherwise
    torch.testing.assert_close(found, frames.reshape(2, 3, 512).mean(1), atol=1e-5, rtol=1e-4)
    x = (clips[1, 2].float() / 255 - torch.tensor([0.485, 0.456, 0.406])) / torch.tensor([0.229, 0.224, 0.225])
    with torch.inference_mode():
        alone = backbone.network.features(x.permute(2, 0, 1)[None].contiguous()).mean((2, 3))
    torch.testing.assert_close(frames[5:], alone, atol=1e-5, rtol=1e-4)
    half = load(torchvision_file, "bfloat16").encode(clips)
    assert half.dtype == torch.float32
    torch.testing.assert_close(half, found, atol=0.05 * float(found.max()), rtol=0)


def test_raw_clips_become_features(torchvision_file: Path) -> None:
    backbone = load(torchvision_file)
    clip = np.random.default_rng(0).integers(0, 256, (1, backbone.num_frames, 60, 80, 3)).astype(np.uint8)
    assert backbone(clip).shape == (1, backbone.dim)


# With the real weights


@pytest.fixture(scope="module")
def real(shared: Path) -> SqueezeNet:
    return load(shared / "data" / "squeezenet" / "squeezenet_v1.0_decoded.npz")


def frames_of(path: Path) -> list[Frame]:
    av = pytest.importorskip("av")
    with av.open(str(path)) as container:
        return [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]


def plain_caffe_scores(arrays: dict[str, Tensor], frame: Frame) -> Tensor:
    """The published prototxt written out: frame (227, 227, 3) RGB -> (1000,)."""

    def convolve(x: Tensor, name: str, stride: int = 1, padding: int = 0) -> Tensor:
        return F.conv2d(x, arrays[f"{name}.weight"], arrays[f"{name}.bias"], stride, padding).relu()

    blue_green_red = torch.from_numpy(frame[..., ::-1].copy()).float() - torch.tensor([104.0, 117.0, 123.0])
    x = convolve(blue_green_red.permute(2, 0, 1)[None], "conv1", stride=2)
    for fire in FIRES:
        if fire in ("fire2", "fire5", "fire9"):  # 111, 55 and 27 wide: nothing is left to round
            x = F.max_pool2d(x, 3, 2)
        narrow = convolve(x, f"{fire}__conv1x1_1")
        wide = convolve(narrow, f"{fire}__conv1x1_2"), convolve(narrow, f"{fire}__conv3x3_2", padding=1)
        x = torch.cat(wide, 1)
    return convolve(x, "conv_final", padding=1).mean((2, 3))[0]


def test_the_network_is_the_prototxt(real: SqueezeNet, shared: Path) -> None:
    with np.load(shared / "data" / "squeezenet" / "squeezenet_v1.0_decoded.npz") as file:
        arrays = {name: torch.from_numpy(file[name]) for name in file.files}
    assert {name: tuple(tensor.shape) for name, tensor in arrays.items()} == caffe_layout()
    frame = np.random.default_rng(0).integers(0, 256, (227, 227, 3)).astype(np.uint8)
    expected = plain_caffe_scores(arrays, frame)
    torch.testing.assert_close(real.logits(torch.from_numpy(frame)[None])[0], expected, atol=1e-3, rtol=1e-4)
    assert expected.std() > 1


PANS = {567: "frying pan", 909: "wok", 926: "hot pot"}


def test_a_frying_pan_is_seen_as_one(real: SqueezeNet, shared: Path) -> None:
    """Whole frames show a woman in stripes in front of a kitchen; cut to the pan, the network knows it."""
    frame = frames_of(shared / "data" / "videos" / "flipping_a_pancake.mkv")[266]
    pan = torch.from_numpy(np.stack(list(real.preprocessing([frame[100:240, :150]]))))
    best = real.logits(pan)[0].topk(3).indices.tolist()
    print([(index, PANS.get(index, "something else")) for index in best])
    assert set(best) == PANS.keys()


GYM = {422: "barbell", 543: "dumbbell"}  # what holds clenched fists and bare arms in ImageNet
COSMETICS = {585: "hair spray", 629: "lipstick", 631: "lotion", 711: "perfume", 838: "sunscreen"}


def test_clips_look_most_like_their_own_subject(real: SqueezeNet, shared: Path) -> None:
    """Of the three clips, gym classes are likeliest where arms are wrestled, cosmetics where eyes are made up."""
    means = {}
    for video in ("flipping_a_pancake.mkv", "demo.mp4", "test.avi"):
        frames = frames_of(shared / "data" / "videos" / video)
        chosen = frames[: len(frames) * 9 // 10 : len(frames) // 5]
        means[video] = real.logits(torch.from_numpy(np.stack(list(real.preprocessing(chosen))))).softmax(-1).mean(0)
    for expected, classes in (("demo.mp4", GYM), ("test.avi", COSMETICS)):
        shares = {video: float(mean[list(classes)].sum()) for video, mean in means.items()}
        best = int(means[expected].argmax())
        print(expected, best, classes.get(best), shares)
        assert max(shares, key=lambda video: shares[video]) == expected
        assert best in classes
