"""Networks with weights that authors publish and users fetch: which files, from where, under which licence."""

from __future__ import annotations

import os
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from actionformer.backbones.base import Backbone
from actionformer.core.errors import InputError
from actionformer.core.hashes import hash_of
from actionformer.weights import load_weights, read_weights

FOLDER_VARIABLE = "ACTIONFORMER_WEIGHTS"


@dataclass(frozen=True)
class Published:
    """The weights of one backbone."""

    files: tuple[str, ...]
    """Names, in the order in which `--weights` takes them."""
    source: str
    """Where their authors publish them."""
    licence: str
    """Under which terms."""


def weights_folder() -> Path:
    """Where weights are looked for: $ACTIONFORMER_WEIGHTS, else ~/.cache/actionformer/weights."""
    return Path(os.environ.get(FOLDER_VARIABLE) or Path.home() / ".cache" / "actionformer" / "weights")


def find_weights(backbone: str, published: Published, given: Sequence[str | Path] = ()) -> list[Path]:
    """The files of a backbone: those given (a folder stands for the files in it), else those in `weights_folder()`.

    Raises:
        InputError: a file is not there; says which one, who publishes it, its licence and where to put it.
    """
    names = published.files
    paths = [Path(path) for path in given] or [weights_folder()]
    if len(paths) == 1 and (paths[0].is_dir() or not given):
        paths = [paths[0] / name for name in names]
    if len(paths) != len(names):
        raise InputError(f"{backbone}: its weights are {len(names)} files, {', '.join(names)}; found {len(paths)}")
    if absent := [path for path in paths if not path.is_file()]:
        raise InputError(
            f"{backbone}: no weights at {absent[0]}: get {', '.join(names)} from {published.source} "
            f"(licence: {published.licence}), then put it into {weights_folder()} or give --weights PATH"
        )
    return paths


def load_published(network: nn.Module, path: Path, unused: Collection[str] = ()) -> None:
    """Copies the weights of a published file into a network of its names, but for those that are not used.

    Files may lack batch normalisation's counters of training steps (as before torch 0.4.1), which no inference reads.

    Raises:
        InputError: not a file of weights, or those of another network.
    """
    counters = {name: tensor for name, tensor in network.state_dict().items() if name.endswith(".num_batches_tracked")}
    weights = {name: tensor for name, tensor in read_weights(path).items() if name not in unused}
    load_weights(network, counters | weights, str(path))


class ClipNetwork(Backbone):
    """A backbone that is one network: normalised clips (B, 3, T, H, W) -> (B, dim).

    Args:
        network: with its weights.
        paths: the files that these come from.
        device: "cpu", "cuda", ...
        precision: of the arithmetic: "float32", "bfloat16" or "float16".
    """

    mean: float | tuple[float, float, float]
    """Of all colours, or of red, green and blue, where white is 1."""
    std: float | tuple[float, float, float]
    """The standard deviation."""

    def __init__(self, network: nn.Module, paths: Sequence[Path], *, device: str, precision: str) -> None:
        self.weights_hash = hash_of(paths)
        self.device = torch.device(device)
        self.dtype: torch.dtype = getattr(torch, precision)
        self.network = network.to(self.device, self.dtype).eval()

    def encode(self, clips: Tensor) -> Tensor:
        """uint8 (B, T, h, w, 3) -> (B, dim) float32 on the CPU."""
        mean, std = self._grey_levels(self.mean), self._grey_levels(self.std)
        with torch.inference_mode():
            x = (clips.to(self.device).to(self.dtype) - mean) / std
            features: Tensor = self.network(x.permute(0, 4, 1, 2, 3))
            return features.float().cpu()

    def _grey_levels(self, share: float | tuple[float, float, float]) -> float | Tensor:
        """Of 0 to 255, where white is 255."""
        return 255 * (share if isinstance(share, float) else torch.tensor(share, device=self.device, dtype=self.dtype))
