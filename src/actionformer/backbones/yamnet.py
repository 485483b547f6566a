"""`yamnet`: MobileNet v1 on log-mel patches, trained on the 521 classes of AudioSet.

Plakal and Ellis, YAMNet (tensorflow/models, research/audioset/yamnet); the network is a file that takes patches, of
which Google's Coral publishes a quantised one.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from actionformer.backbones.base import Backbone
from actionformer.backbones.litert import interpreter, value
from actionformer.backbones.mel import BANDS, LogMel
from actionformer.backbones.published import Published, find_weights
from actionformer.core.errors import InputError
from actionformer.core.hashes import hash_of
from actionformer.sound.medium import FPS, SOUND

EMBEDDING, CLASSES = 1024, 521
PUBLISHED = Published(
    ("yamnet_spectra_in.tflite",), "https://github.com/google-coral/coralmicro (its folder models)", "Apache-2.0"
)


class YAMNet(Backbone):
    """The embedding of a patch, and beside it how surely each class of AudioSet is heard: 1024 + 521 = 1545 numbers.

    A patch is 96 frames of the log-mel spectrogram (0.96 s), one every 48. The embedding is what the last layer sees,
    the mean of 3 x 2 places; scores are probabilities, in steps of 1/256. Files have scores as their only output: the
    embedding is read from inside. The arithmetic is that of the file, on the CPU.

    Args:
        weights: the .tflite file, or its folder.

    Raises:
        InputError: LiteRT is not installed, no weights, or a file of another network.
    """

    name = "yamnet"
    medium = SOUND
    dim = EMBEDDING + CLASSES
    fps = FPS
    num_frames = 96
    stride = 48
    preprocessing = LogMel()

    def __init__(self, *, weights: Sequence[str | Path] = ()) -> None:
        (path,) = find_weights(self.name, PUBLISHED, weights)
        self._network = interpreter(path, self.name, inner=True)
        self._input, self._embedding, self._scores = _tensors(self._network, path)
        self.weights_hash = hash_of([path])

    def encode(self, clips: Tensor) -> Tensor:
        """Frames (B, 96, 64) -> (B, 1545) float32 on the CPU.

        Raises:
            InputError: another number of frames.
        """
        if clips.shape[1] != self.num_frames:
            raise InputError(f"{self.name}: takes clips of {self.num_frames} frames, found {clips.shape[1]}")
        return torch.from_numpy(np.stack([self._vector(patch) for patch in clips.cpu().float().numpy()]))

    def _vector(self, patch: Any) -> Any:
        self._network.set_tensor(self._input["index"], patch.reshape(self._input["shape"]))
        self._network.invoke()
        return np.concatenate([value(self._network, one).ravel() for one in (self._embedding, self._scores)])


def _tensors(network: Any, path: Path) -> tuple[Any, Any, Any]:
    """Patch, embedding and scores among the tensors of a network.

    Raises:
        InputError: it has none of these sizes.
    """
    ins, outs = network.get_input_details(), network.get_output_details()
    found = [(one["shape"].tolist(), one["dtype"]) for one in (*ins, *outs)]
    if found != [([1, YAMNet.num_frames, BANDS], np.float32), ([1, CLASSES], np.float32)]:
        shapes = " and ".join("x".join(map(str, shape)) for shape, _ in found)
        raise InputError(
            f"{path}: not YAMNet on log-mel patches: expected tensors of 1x{YAMNet.num_frames}x{BANDS} and 1x{CLASSES} "
            f"numbers, found {shapes}"
        )
    # weights of one layer are 1024 numbers too, without a place for the patch
    inner = [one for one in network.get_tensor_details() if one["shape"].tolist() == [1, 1, 1, EMBEDDING]]
    if len(inner) != 1:
        raise InputError(f"{path}: expected one inner tensor of {EMBEDDING} numbers, found {len(inner)}")
    return ins[0], inner[0], outs[0]
