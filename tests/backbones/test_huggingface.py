import hashlib
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from actionformer.backbones.huggingface import KINDS, HuggingFace, normalisation
from actionformer.core.errors import InputError

transformers: Any = pytest.importorskip("transformers", reason="backbones of huggingface.co need transformers")

SIZES: dict[str, Any] = {"num_hidden_layers": 2, "num_attention_heads": 2, "hidden_size": 12}
IMAGES: dict[str, Any] = {"image_size": 32, "patch_size": 16, "num_frames": 4, "intermediate_size": 16}
CROPPED: dict[str, Any] = {
    "do_resize": True,
    "resample": 2,
    "do_center_crop": True,
    "crop_size": {"height": 32, "width": 32},
}
CROPPED |= {"do_rescale": True, "rescale_factor": 1 / 255, "do_normalize": True}
SETTINGS: dict[str, dict[str, Any]] = {  # of preprocessor_config.json as published, but for the size
    "videomae": CROPPED | {"size": {"shortest_edge": 36}, "image_mean": [0.485, 0.456, 0.406]},
    "timesformer": CROPPED | {"size": {"shortest_edge": 36}, "image_mean": [0.45] * 3},
    "vivit": CROPPED | {"size": {"shortest_edge": 36}, "image_mean": [0.5] * 3},
    "vjepa2": CROPPED | {"size": {"shortest_edge": 36}, "image_mean": [0.485, 0.456, 0.406]},
}
SETTINGS["videomae"]["image_std"] = SETTINGS["vjepa2"]["image_std"] = [0.229, 0.224, 0.225]
SETTINGS["timesformer"]["image_std"] = [0.225] * 3
SETTINGS["vivit"] |= {"image_std": [0.5] * 3, "rescale_factor": 1 / 127.5, "offset": True}


def tiny(kind: str) -> Any:
    """A model of the kind, 4 frames of 32 x 32, 12 channels, at random."""
    torch.manual_seed(0)
    if kind == "videomae":
        return transformers.VideoMAEModel(transformers.VideoMAEConfig(**SIZES, **IMAGES)).eval()
    if kind == "timesformer":
        return transformers.TimesformerModel(transformers.TimesformerConfig(**SIZES, **IMAGES)).eval()
    if kind == "vivit":
        return transformers.VivitModel(transformers.VivitConfig(**SIZES, **IMAGES, tubelet_size=[2, 16, 16])).eval()
    predictor: dict[str, Any] = {"pred_hidden_size": 12, "pred_num_attention_heads": 2, "pred_num_hidden_layers": 1}
    return transformers.VJEPA2Model(
        transformers.VJEPA2Config(**SIZES, **predictor, crop_size=32, frames_per_clip=4)
    ).eval()


def save(model: Any, folder: Path, settings: dict[str, Any], file: str = "preprocessor_config.json") -> Path:
    from transformers.utils import logging

    logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    model.save_pretrained(folder)
    logging.enable_progress_bar()  # type: ignore[no-untyped-call]
    (folder / file).write_text(json.dumps(settings), "utf-8")
    return folder


def load(kind: str, folder: Path, precision: str = "float32") -> HuggingFace:
    return HuggingFace(name=f"{kind}:{folder}", weights=(), device="cpu", precision=precision)


@pytest.fixture
def videomae(tmp_path: Path) -> Path:
    return save(tiny("videomae"), tmp_path / "model", SETTINGS["videomae"])


def frames() -> np.ndarray:
    """Two clips of 4 frames, smooth enough for two ways of resizing to agree."""
    rows, columns = np.indices((40, 60))
    waves = [np.sin(rows / 7 + i) + np.cos(columns / (8 + i)) for i in range(24)]
    return (63.5 * (np.stack(waves) + 2)).astype(np.uint8).reshape(2, 4, 3, 40, 60).transpose(0, 1, 3, 4, 2)


def by_hand(kind: str, prepared: Tensor) -> Tensor:
    """Prepared frames uint8 (B, T, h, w, 3) -> what the model takes (B, T, 3, h, w), in the order of the settings."""
    settings = SETTINGS[kind]
    x = prepared.float() * settings["rescale_factor"] - (1 if settings.get("offset") else 0)
    x = (x - torch.tensor(settings["image_mean"])) / torch.tensor(settings["image_std"])
    taken: Tensor = x.permute(0, 1, 4, 2, 3)
    return taken


@pytest.mark.parametrize("kind", ["videomae", "timesformer", "vivit", "vjepa2"])
def test_features_are_the_mean_of_the_last_hidden_state(kind: str, tmp_path: Path) -> None:
    model = tiny(kind)
    file = "video_preprocessor_config.json" if kind == "vjepa2" else "preprocessor_config.json"
    backbone = load(kind, save(model, tmp_path, SETTINGS[kind], file))
    assert (backbone.dim, backbone.num_frames, backbone.fps) == (12, 4, KINDS[kind].fps)
    assert str(backbone.preprocessing) == "rgb, bilinear antialiased to short side 36, centre 32"
    prepared = torch.from_numpy(np.stack([np.stack(list(backbone.preprocessing(clip))) for clip in frames()]))
    with torch.inference_mode():
        expected = model(by_hand(kind, prepared)).last_hidden_state
    # 2 tubelets of 2 x 2 patches; TimeSformer's tokens are of one frame, so 4 x 4; it and ViViT have a class token
    assert expected.shape == (2, {"timesformer": 17, "vivit": 9}.get(kind, 8), 12)
    found = backbone.encode(prepared)
    assert (found.shape, found.dtype) == ((2, 12), torch.float32)
    torch.testing.assert_close(found, expected.mean(1), atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(backbone(frames()), found)
    half = load(kind, tmp_path, "bfloat16").encode(prepared)
    assert half.dtype == torch.float32
    torch.testing.assert_close(half, found, atol=0.05, rtol=0)
    assert (half != found).any()


@pytest.mark.parametrize("kind", ["videomae", "timesformer", "vivit"])
def test_images_are_what_the_library_makes_of_them(kind: str, tmp_path: Path) -> None:
    # V-JEPA 2 is left out: its processor needs torchvision
    from transformers.models.videomae.image_processing_pil_videomae import VideoMAEImageProcessorPil
    from transformers.models.vivit.image_processing_vivit import VivitImageProcessor

    processor: Any = VivitImageProcessor if kind == "vivit" else VideoMAEImageProcessorPil  # TimeSformer's too
    backbone = load(kind, save(tiny(kind), tmp_path, SETTINGS[kind]))
    clip = frames()[0]
    expected = processor.from_pretrained(tmp_path)(list(clip), return_tensors="pt")["pixel_values"]
    seen: list[Tensor] = []
    backbone.model.register_forward_pre_hook(
        lambda _module, _args, inputs: seen.append(inputs["pixel_values"]), with_kwargs=True
    )
    backbone(clip[None])
    # Pillow and torch round a resized value each in its own way: one grey level at most
    level = SETTINGS[kind]["rescale_factor"] / min(SETTINGS[kind]["image_std"])
    torch.testing.assert_close(seen[0], expected.float(), atol=1.01 * level, rtol=0)
    assert (seen[0] - expected).abs().mean() < 0.3 * level
    assert expected.std() > 20 * level


def test_settings_by_hand() -> None:
    scale, shift = normalisation(SETTINGS["vivit"], vivit=True)
    # 255 / 127.5 - 1 = 1, then (1 - 0.5) / 0.5 = 1; 0 becomes -1, then -3
    assert scale[0] * 255 + shift[0] == pytest.approx(1)
    assert shift[0] == pytest.approx(-3)
    assert normalisation({"do_normalize": False}, vivit=False) == ([1 / 255] * 3, [0.0] * 3)
    assert normalisation({"do_normalize": False, "do_rescale": False}, vivit=True) == ([1.0] * 3, [0.0] * 3)
    absent = {"image_mean": [0.5] * 3, "image_std": [0.5] * 3}  # newer files leave out what ViViT's class implies
    assert normalisation(absent, vivit=True) == (scale, shift)


@pytest.mark.parametrize("kind", ["videomae", "vivit"])
def test_a_classifier_gives_its_trunk(kind: str, tmp_path: Path) -> None:
    config = tiny(kind).config
    classes = {
        "videomae": transformers.VideoMAEForVideoClassification,
        "vivit": transformers.VivitForVideoClassification,
    }
    model = classes[kind](config).eval()  # ViViT's has no pooler, which the bare model has
    backbone = load(kind, save(model, tmp_path, SETTINGS[kind]))
    prepared = torch.randint(256, (1, 4, 32, 32, 3), generator=torch.Generator().manual_seed(0)).byte()
    with torch.inference_mode():
        expected = getattr(model, kind)(by_hand(kind, prepared)).last_hidden_state.mean(1)
    torch.testing.assert_close(backbone.encode(prepared), expected, atol=1e-5, rtol=1e-5)


def test_name_folder_and_hash(videomae: Path) -> None:
    expected = load("videomae", videomae)
    assert expected.weights_hash == hashlib.sha256((videomae / "model.safetensors").read_bytes()).hexdigest()
    assert expected.stride == 4  # about half a second at 7.5 frames a second
    given = HuggingFace(name="videomae", weights=[videomae], device="cpu", precision="float32")
    other = load("huggingface", videomae)
    assert (given.name, other.fps, other.stride) == ("videomae", None, 1)
    torch.testing.assert_close(given(frames()), expected(frames()))
    torch.testing.assert_close(other(frames()), expected(frames()))


def test_torch_files_are_read_without_running_code(videomae: Path) -> None:
    expected = load("videomae", videomae)(frames())
    torch.save(load_file(videomae / "model.safetensors"), videomae / "pytorch_model.bin")
    (videomae / "model.safetensors").unlink()
    torch.testing.assert_close(load("videomae", videomae)(frames()), expected)
    torch.save({"weight": Trap()}, videomae / "pytorch_model.bin")
    with pytest.raises(InputError, match="no readable model"):
        load("videomae", videomae)
    assert not Trap.sprung


def test_no_code_of_a_model_is_run(videomae: Path) -> None:
    config = {"model_type": "own", "auto_map": {"AutoConfig": "own.OwnConfig", "AutoModel": "own.OwnModel"}}
    (videomae / "config.json").write_text(json.dumps(config), "utf-8")
    (videomae / "own.py").write_text(f"open({str(videomae / 'sprung')!r}, 'w').close()", "utf-8")
    with pytest.raises(InputError, match="no readable model"):
        load("huggingface", videomae)
    assert not (videomae / "sprung").exists()


class Trap:
    """Unpickling it shows."""

    sprung = False

    def __reduce__(self) -> tuple[Any, ...]:
        return setattr, (Trap, "sprung", True)


def test_other_numbers_of_frames_are_refused(videomae: Path) -> None:
    backbone = load("videomae", videomae)
    with pytest.raises(InputError, match=r"videomae:.*takes clips of 4 frames, found 3"):
        backbone.encode(torch.zeros(1, 3, 32, 32, 3, dtype=torch.uint8))


def test_what_does_not_fit_is_refused(videomae: Path) -> None:
    with pytest.raises(InputError, match=r"^timesformer: \S+ holds a model of kind videomae$"):
        load("timesformer", videomae)
    with pytest.raises(InputError, match=r"huggingface: which model\? Write huggingface:ID"):
        HuggingFace(name="huggingface", weights=(), device="cpu", precision="float32")
    with pytest.raises(InputError, match=r"takes one folder of weights, found .*config\.json"):
        HuggingFace(name="videomae", weights=[videomae / "config.json"], device="cpu", precision="float32")
    weights = load_file(videomae / "model.safetensors")
    name = min(name for name in weights if "layer.1." in name)
    del weights[name]
    save_file(weights, videomae / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(InputError, match=f"1 weight is missing, first {name}"):
        load("videomae", videomae)
    (videomae / "model.safetensors").unlink()
    with pytest.raises(InputError, match=r"no weights in .*expected model\.safetensors"):
        load("videomae", videomae)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"resample": 3}, r"resample 3 \(bilinear is 2\)"),
        ({"do_resize": False}, "do_resize False"),
        ({"crop_size": 16}, "prepares images of 16 pixels, the network takes 32 x 32"),
        ({"crop_size": {"height": 32, "width": 16}}, "crop_size"),
        ({"size": {"shortest_edge": 24}}, "crop_size"),
        ({"do_center_crop": False}, "prepares images of 36 pixels"),
        ({"size": {"longest_edge": 36}}, "height"),
    ],
)
def test_settings_that_are_not_known_are_refused(videomae: Path, change: dict[str, Any], message: str) -> None:
    (videomae / "preprocessor_config.json").write_text(json.dumps(SETTINGS["videomae"] | change), "utf-8")
    with pytest.raises(InputError, match=rf"preprocessor_config\.json: .*{message}"):
        load("videomae", videomae)


def test_settings_without_a_crop(videomae: Path) -> None:
    change = {"do_center_crop": False, "size": {"height": 32, "width": 32}}
    (videomae / "preprocessor_config.json").write_text(json.dumps(SETTINGS["videomae"] | change), "utf-8")
    assert str(load("videomae", videomae).preprocessing) == "rgb, bilinear antialiased to 32x32"
    (videomae / "preprocessor_config.json").unlink()
    with pytest.raises(InputError, match=r"neither video_preprocessor_config\.json nor preprocessor_config\.json"):
        load("videomae", videomae)


def test_ids_are_fetched(videomae: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str, list[str]]] = []

    def snapshot_download(repository: str, allow_patterns: list[str]) -> str:
        asked.append((repository, allow_patterns))
        return str(videomae)

    monkeypatch.setattr("huggingface_hub.snapshot_download", snapshot_download)
    backbone = HuggingFace(name="videomae", weights=(), device="cpu", precision="float32")
    ((repository, patterns),) = asked  # once: where there are safetensors, torch's own files are not fetched
    assert repository == "MCG-NJU/videomae-base-finetuned-kinetics"
    assert "model*.safetensors*" in patterns
    assert not any(".bin" in pattern for pattern in patterns)
    assert backbone.weights_hash == load("videomae", videomae).weights_hash


def test_ids_that_cannot_be_had_say_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    def snapshot_download(repository: str, allow_patterns: list[str]) -> str:
        raise ConnectionError("no\nnetwork")

    monkeypatch.setattr("huggingface_hub.snapshot_download", snapshot_download)
    message = (
        r"^vivit: no folder google/vivit-b-16x2-kinetics400, and no model of that id from huggingface\.co "
        r"\(no network\): run `hf download google/vivit-b-16x2-kinetics400 --local-dir FOLDER` \(licence: MIT\) "
        r"where there is a network, then use vivit:FOLDER$"
    )
    with pytest.raises(InputError, match=message):
        HuggingFace(name="vivit", weights=(), device="cpu", precision="float32")
    with pytest.raises(InputError, match=r"vjepa2: no folder somebody/else, and .*--local-dir FOLDER` where"):
        HuggingFace(name="vjepa2:somebody/else", weights=(), device="cpu", precision="float32")


def test_the_library_is_quiet_only_meanwhile(videomae: Path, capfd: pytest.CaptureFixture[str]) -> None:
    from transformers.utils import logging

    verbosity = logging.get_verbosity()
    load("videomae", videomae)
    assert capfd.readouterr().err == ""
    assert logging.get_verbosity() == verbosity
    assert logging.is_progress_bar_enabled()


def test_transformers_missing_is_said(videomae: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "transformers", None)
    with pytest.raises(InputError, match=r"needs transformers: pip install 'actionformer-tal\[features\]'"):
        load("videomae", videomae)
