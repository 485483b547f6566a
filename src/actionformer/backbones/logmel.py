"""`logmel`: how loud a sound is in 64 bands, and how much that changes; no weights."""

from __future__ import annotations

import torch
from torch import Tensor

from actionformer.backbones.base import Backbone
from actionformer.backbones.mel import BANDS, LogMel
from actionformer.sound.medium import FPS, SOUND


class LogMelStatistics(Backbone):
    """Mean and deviation of each band of the log-mel spectrogram over a clip: 64 + 64 = 128 numbers.

    The first 64 are means, from low bands to high ones, the others standard deviations. Takes clips of any length.

    A clip of 40 frames (0.4 s) every 20 (0.2 s) holds a syllable, a knock or a bark; shorter sounds are told from the
    deviation. `train --videos` takes shorter clips where the actions are short.
    """

    name = "logmel"
    medium = SOUND
    dim = 2 * BANDS
    fps = FPS
    num_frames = 40
    stride = 20
    preprocessing = LogMel()

    def encode(self, clips: Tensor) -> Tensor:
        """Frames (B, T, 64) -> (B, 128) float32 on the CPU."""
        deviations, means = torch.std_mean(clips.cpu().float(), dim=1, correction=0)
        return torch.cat([means, deviations], dim=1)
