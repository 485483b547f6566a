"""Published checkpoints: read without running code, and their weights in the place and shape of ours."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from torch import Tensor

from actionformer.core.errors import InputError
from actionformer.core.words import plural
from actionformer.interop.repository import Repository
from actionformer.nn.network import Network
from actionformer.settings.config import Config
from actionformer.weights import check_archive, load_torch, unreadable

AVERAGED = "state_dict_ema"
"""The key of a checkpoint that its averaged weights are under."""
KEYS = 8
"""The most keys of a file that an error lists."""


def from_published_shape(tensor: Tensor, like: Tensor) -> Tensor:
    """A published tensor in the layout of ours.

    (O, I, k) convolutions become (O, k, I), also where further axes have size 1; k = 1 ones become (O, I) where ours is
    linear; (1, C, 1) norms and scales become (C,); a (1, 1, H, W) relative bias becomes (H, W).
    """
    while tensor.dim() > max(like.dim(), 3) and tensor.shape[-1] == 1:
        tensor = tensor.squeeze(-1)
    if tensor.dim() == 3 and like.dim() == 3:
        return tensor.transpose(1, 2)
    if tensor.dim() == 3 and like.dim() == 2 and tensor.shape[-1] == 1:
        return tensor.squeeze(-1)
    if tensor.dim() == 3 and like.dim() == 1 and tensor.shape[0] == tensor.shape[-1] == 1:
        return tensor.flatten()
    if tensor.dim() == 4 and like.dim() == 2 and tensor.shape[:2] == (1, 1):
        return tensor[0, 0]
    return tensor


def read_published_weights(
    path: str | Path, keys: Sequence[str] = (AVERAGED,), beside: Sequence[str] = ()
) -> dict[str, Tensor]:
    """The weights of a published `.pth.tar` under the first of some keys that it has, names without `module.`.

    What it has under the keys `beside` is among them.

    Raises:
        InputError: the file cannot be read as weights only, or has none of the keys.
    """
    if not Path(path).is_file():
        raise InputError(f"{path}: no such checkpoint")
    try:
        check_archive(Path(path))
        checkpoint = load_torch(Path(path))
    except InputError:
        raise
    except Exception as error:  # every library has its own ways of refusing a broken file
        raise InputError(f"{path}: expected a checkpoint of weights only, {unreadable(error)}") from error
    content = checkpoint if isinstance(checkpoint, Mapping) else {}
    held = next((content[key] for key in keys if isinstance(content.get(key), Mapping)), None)
    if held is None:
        found = ", ".join([*map(str, content)][:KEYS]) or type(checkpoint).__name__
        found += f" and {len(content) - KEYS:,} more" if len(content) > KEYS else ""
        raise InputError(f"{path}: expected a checkpoint with {' or '.join(keys)}, found {found}")
    weights = {str(name).removeprefix("module."): tensor for name, tensor in held.items()}
    weights |= {key: content[key] for key in beside if key in content}
    for name, tensor in weights.items():
        if not isinstance(tensor, Tensor):
            raise InputError(f"{path}: expected a tensor as {name}, found {type(tensor).__name__}")
        if not (tensor.layout == torch.strided and tensor.is_floating_point() and tensor.isfinite().all()):
            raise InputError(f"{path}: expected finite numbers as {name}, found others, of {tensor.dtype}")
    return weights


def with_classes_of(settings: Config, weights: Mapping[str, Tensor], repository: Repository) -> Config:
    """The settings with as many classes as the weights have, where the configuration does not say how many."""
    if settings.model.num_classes is not None or repository.class_rows not in weights:
        return settings
    return settings.replace(model={"num_classes": len(weights[repository.class_rows])})


def load_published_weights(model: Network, weights: Mapping[str, Tensor], source: str, repository: Repository) -> None:
    """Copies published weights into a model of the same shape, all of them or, where one does not fit, none.

    Raises:
        InputError: names the first weight that is missing, unknown or of another shape.
    """
    weights = _each_once(weights, source, repository)
    own = {name: tensor for name, tensor in model.state_dict().items() if not name.startswith("normalizer.")}
    theirs = {repository.published_name(name): name for name in own}
    if missing := [name for name in theirs if name not in weights]:
        raise InputError(
            f"{source}: lacks {plural(len(missing), 'weight')} that the settings call for, first {missing[0]}"
        )
    if unknown := [name for name in weights if name not in theirs]:
        raise InputError(
            f"{source}: has {plural(len(unknown), 'weight')} without a place under the settings, first {unknown[0]}"
        )
    fitting = {name: from_published_shape(weights[published], own[name]) for published, name in theirs.items()}
    for published, name in theirs.items():
        found, expected = tuple(fitting[name].shape), tuple(own[name].shape)
        if found != expected:
            raise InputError(f"{source}: the settings call for {expected} numbers in {name}, {published} gives {found}")
    for name, tensor in own.items():
        tensor.copy_(fitting[name])


def _each_once(weights: Mapping[str, Tensor], source: str, repository: Repository) -> dict[str, Tensor]:
    """The weights without those that are others again, which must equal them."""
    for name, tensor in weights.items():
        first = repository.first_name(name)
        if first in weights and not torch.equal(tensor, weights[first]):
            raise InputError(f"{source}: expected equal numbers as {first} and {name}, which are one weight")
    return {name: tensor for name, tensor in weights.items() if repository.first_name(name) == name}
