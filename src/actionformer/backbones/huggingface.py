"""Video transformers of the `transformers` library (extra `features`): `KIND:ID`, the tokens of a clip averaged.

`videomae:MCG-NJU/videomae-base-finetuned-kinetics` is a model of huggingface.co, `videomae:/some/folder` one on disk.
Sizes come from the model's config.json, what its images are made into from its processor's settings.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import torch
from torch import Tensor

from actionformer.backbones.base import Backbone
from actionformer.backbones.preprocessing import ResizeAndCrop
from actionformer.core.errors import InputError, missing_extra, reason_of
from actionformer.core.files import read_json
from actionformer.core.hashes import hash_of
from actionformer.core.words import plural


@dataclass(frozen=True)
class Kind:
    """A family of models."""

    default: str | None
    """Id on huggingface.co that stands behind the kind's bare name."""
    fps: float | None
    """Frames a second that the default was trained on, None for the video's own."""
    licence: str
    """Of the default's weights, as their authors give it."""


KINDS = {
    # Tong et al. 2022: 16 frames, every 4th of 30 a second (MCG-NJU/VideoMAE, scripts/kinetics: sampling_rate 4)
    "videomae": Kind("MCG-NJU/videomae-base-finetuned-kinetics", 30 / 4, "CC-BY-NC-4.0"),
    # Bertasius et al. 2021: 8 frames, every 32nd of 30 a second (facebookresearch/TimeSformer, divST_8x32_224)
    "timesformer": Kind("facebook/timesformer-base-finetuned-k400", 30 / 32, "CC-BY-NC-4.0"),
    # Arnab et al. 2021, section 4.1: 32 frames, every 2nd of 25 a second
    "vivit": Kind("google/vivit-b-16x2-kinetics400", 25 / 2, "MIT"),
    # Assran et al. 2025: 64 frames at 4 a second (facebookresearch/vjepa2, configs/train/vitl16: fps 4)
    "vjepa2": Kind("facebook/vjepa2-vitl-fpc64-256", 4.0, "MIT"),
    "huggingface": Kind(None, None, "its authors'"),
}
"""Kind -> what stands behind it. `huggingface` is any other model whose one input is clips (B, T, 3, h, w)."""
SETTINGS = ("video_preprocessor_config.json", "preprocessor_config.json")
"""Files of a processor's settings; the first that is there counts."""
UNUSED = ("pooler.", "predictor.")
"""Parts of models that the last hidden state does not pass through; checkpoints may lack them."""


class HuggingFace(Backbone):
    """The mean over all tokens of the last hidden state, the class token's included where there is one.

    Clips start about twice a second, whatever a model's frame rate, as most are long: 2 to 16 s.

    Args:
        name: `KIND`, or `KIND:` and an id on huggingface.co or a folder.
        weights: at most one folder, which then counts instead of the one in `name`.
        device: "cpu", "cuda", ...
        precision: "float32", "bfloat16" or "float16".

    Raises:
        InputError: transformers is not installed, the model cannot be had, is of another kind, lacks weights, or
            prepares its images in a way that is not known here.
    """

    def __init__(self, *, name: str, weights: Sequence[str | Path], device: str, precision: str) -> None:
        kind, folder = place_of(name, weights)
        self.model, config = load_model(folder, kind)
        self.name = name
        self.dim = config.hidden_size
        self.num_frames = first_of(config, ("num_frames", "frames_per_clip"), folder)
        self.fps = KINDS[kind].fps
        self.stride = max(1, round(self.fps / 2) if self.fps else self.num_frames // 4)
        self.dtype: torch.dtype = getattr(torch, precision)
        self.model.to(device, self.dtype)
        prepared = read_settings(folder, config)
        self.preprocessing = prepared.preprocessing
        self.scale, self.shift = (torch.tensor(x).to(device, self.dtype) for x in (prepared.scale, prepared.shift))
        self.weights_hash = hash_of(weight_files(folder))

    @torch.inference_mode()
    def encode(self, clips: Tensor) -> Tensor:
        """Prepared clips uint8 (B, num_frames, h, w, 3) -> (B, dim) float32 on the CPU.

        Raises:
            InputError: clips of another number of frames.
        """
        if clips.shape[1] != self.num_frames:
            raise InputError(f"{self.name}: takes clips of {self.num_frames} frames, found {clips.shape[1]}")
        images = (clips.to(self.scale.device, self.dtype) * self.scale + self.shift).permute(0, 1, 4, 2, 3)
        if self.model.config.model_type == "vjepa2":
            tokens = self.model.get_vision_features(images)  # the same without its predictor
        else:
            tokens = self.model(**{self.model.main_input_name: images}).last_hidden_state
        mean: Tensor = tokens.float().mean(1).cpu()
        return mean


@dataclass(frozen=True)
class Prepared:
    """How images are made into what a model takes: after `preprocessing`, x * scale + shift, a number a colour."""

    preprocessing: ResizeAndCrop
    scale: list[float]
    shift: list[float]


def place_of(name: str, weights: Sequence[str | Path]) -> tuple[str, Path]:
    """The kind and the folder that a backbone's name and the user's `weights` stand for; downloads it if it must."""
    kind, _, given = name.partition(":")
    if len(weights) > 1 or any(not Path(path).is_dir() for path in weights):
        raise InputError(f"{name}: takes one folder of weights, found {', '.join(map(str, weights))}")
    place = str(weights[0]) if weights else given or KINDS[kind].default
    if place is None:
        raise InputError(f"{name}: which model? Write {kind}:ID with an id on huggingface.co, or {kind}:FOLDER")
    folder = Path(place).expanduser()
    return kind, folder if folder.is_dir() else download(place, kind)


def download(repository: str, kind: str) -> Path:
    """The folder of a model of huggingface.co in the library's cache, where it is put unless it is there.

    Raises:
        InputError: it cannot be reached and is not in the cache; says how to fetch it by hand.
    """
    library()
    from huggingface_hub import snapshot_download

    try:
        folder = Path(snapshot_download(repository, allow_patterns=["config.json", *SETTINGS, "model*.safetensors*"]))
        if not weight_files(folder):
            snapshot_download(repository, allow_patterns=["pytorch_model*.bin*"])
    except Exception as error:  # of the library, of its network library, of the system
        licence = f" (licence: {KINDS[kind].licence})" if repository == KINDS[kind].default else ""
        raise InputError(
            f"{kind}: no folder {repository}, and no model of that id from huggingface.co ({reason_of(error)}): run "
            f"`hf download {repository} --local-dir FOLDER`{licence} where there is a network, then use {kind}:FOLDER"
        ) from error
    return folder


def weight_files(folder: Path) -> list[Path]:
    """The files of weights in a model's folder: safetensors, else torch's own format."""
    return sorted(folder.glob("model*.safetensors")) or sorted(folder.glob("pytorch_model*.bin"))


def load_model(folder: Path, kind: str) -> tuple[Any, Any]:
    """The network in a folder, ready for inference, and its config. No code from the folder is run.

    Raises:
        InputError: it is no model, one of another kind, or lacks weights.
    """
    transformers = library()
    files = weight_files(folder)
    if not files:
        raise InputError(f"{kind}: no weights in {folder}: expected model.safetensors (or pytorch_model.bin)")
    try:
        with quiet(transformers):
            config = transformers.AutoConfig.from_pretrained(folder, trust_remote_code=False)
            if kind not in ("huggingface", config.model_type):
                raise InputError(f"{kind}: {folder} holds a model of kind {config.model_type}")
            model, report = transformers.AutoModel.from_pretrained(
                folder,
                config=config,
                trust_remote_code=False,
                weights_only=True,
                use_safetensors=files[0].suffix == ".safetensors",
                output_loading_info=True,
            )
    except InputError:
        raise
    except Exception as error:  # every part of the library has its own ways of refusing a broken file
        raise InputError(f"{kind}: {folder}: no readable model ({reason_of(error)})") from error
    missing = sorted(name for name in report["missing_keys"] if not name.startswith(UNUSED))
    if missing:
        raise InputError(
            f"{kind}: {folder}: {plural(len(missing), 'weight is', 'weights are')} missing, first {missing[0]}"
        )
    return model.eval(), config


@contextmanager
def quiet(transformers: ModuleType) -> Iterator[None]:
    """Without the library's progress bars and its list of weights that are left over, as a classifier's are here."""
    logging = transformers.utils.logging
    verbosity, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(verbosity)
        if bars:
            logging.enable_progress_bar()


def library() -> ModuleType:
    """The transformers library, or the error that says how to install it."""
    try:
        import transformers
    except ImportError as error:
        raise missing_extra("transformers", "features", "a backbone of huggingface.co") from error
    return transformers


def first_of(config: Any, names: Sequence[str], folder: Path) -> int:
    """The first of these numbers that a model's config has."""
    for name in names:
        value = getattr(config, name, None)
        if isinstance(value, list | tuple) and len(set(value)) == 1:
            value = value[0]
        if isinstance(value, int):
            return value
    raise InputError(f"{folder / 'config.json'}: has none of {', '.join(names)}: is it a video model?")


def read_settings(folder: Path, config: Any) -> Prepared:
    """What a processor's settings in a folder do to images; the size that comes out must be the network's.

    Raises:
        InputError: no settings, or some that are not known here.
    """
    path = next((folder / name for name in SETTINGS if (folder / name).is_file()), None)
    if path is None:
        raise InputError(f"{folder}: has neither {' nor '.join(SETTINGS)}, which say how images are prepared")
    try:
        settings = read_json(path)
        scale, shift = normalisation(settings, vivit=config.model_type == "vivit")
        preprocessing = ResizeAndCrop(resize=resize_of(settings), crop=crop_of(settings))
    except (OSError, ValueError, KeyError, TypeError, AttributeError, ArithmeticError) as error:
        raise InputError(f"{path}: {error!s:.160}: these image settings are not supported") from error
    size = preprocessing.crop or preprocessing.resize
    expected = first_of(config, ("image_size", "crop_size"), folder)
    if size not in (expected, (expected, expected)):
        raise InputError(f"{path}: prepares images of {size} pixels, the network takes {expected} x {expected}")
    return Prepared(preprocessing, scale, shift)


def normalisation(settings: dict[str, Any], *, vivit: bool) -> tuple[list[float], list[float]]:
    """Scale and shift of red, green, blue that stand for (x * rescale_factor - offset - mean) / std.

    `offset` is 1 for ViViT, whose processor brings x to -1 to 1 before it subtracts the mean, else 0.
    """
    rescaled = settings.get("do_rescale", True)
    factor = settings.get("rescale_factor", 1 / 127.5 if vivit else 1 / 255) if rescaled else 1.0
    offset = 1.0 if rescaled and settings.get("offset", vivit) else 0.0
    normalised = settings.get("do_normalize", True)
    mean, std = (settings["image_mean"], settings["image_std"]) if normalised else ([0.0] * 3, [1.0] * 3)
    return [factor / s for s in std], [-(offset + m) / s for m, s in zip(mean, std, strict=True)]


def resize_of(settings: dict[str, Any]) -> int | tuple[int, int]:
    """The size that `ResizeAndCrop` brings images to: their short side, or height and width."""
    if not settings.get("do_resize", True) or settings.get("resample", 2) != 2:  # Pillow's number for bilinear
        raise ValueError(f"do_resize {settings.get('do_resize')}, resample {settings.get('resample')} (bilinear is 2)")
    size = settings["size"]
    if isinstance(size, int):
        return size
    return int(size["shortest_edge"]) if "shortest_edge" in size else (int(size["height"]), int(size["width"]))


def crop_of(settings: dict[str, Any]) -> int | None:
    """The side of the square that is cut from the centre, None where nothing is."""
    if not settings.get("do_center_crop", "crop_size" in settings):
        return None
    crop = settings["crop_size"]
    sides = {crop} if isinstance(crop, int) else {crop["height"], crop["width"]}
    smallest = resize_of(settings)
    if len(sides) > 1 or max(sides) > (smallest if isinstance(smallest, int) else min(smallest)):
        raise ValueError(f"crop_size {crop} from size {settings['size']}")
    return int(sides.pop())
