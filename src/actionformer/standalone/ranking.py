"""Candidates of a batch inside a graph: what decoders find, in tensors whose shapes only the inputs' shapes decide."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor

from actionformer.detectors.base import Architecture
from actionformer.inference.settings import DecodingSettings
from actionformer.nn.outputs import LevelOutputs

NONE = -1.0
"""The score of what is no candidate."""


class Ranked(NamedTuple):
    """Of each of B sequences N scored segments, of which some are none."""

    segments: Tensor
    """(B, N, 2) float32 starts and ends, in grid steps."""
    scores: Tensor
    """(B, N) float32, `NONE` of those that are no candidates."""
    labels: Tensor
    """(B, N) int64"""


def ranked(parts: Sequence[Any], architecture: Architecture, strides: Sequence[int]) -> Ranked:
    """The candidates in outputs, in the order in which the detector's own decoder gives them.

    Args:
        parts: the outputs of one pass, as a decoder takes them.
        architecture: the detector.
        strides: of the levels.
    """
    config = architecture.config
    if isinstance(parts[0], LevelOutputs):
        span = architecture.candidate_span
        levels = [_of_level(part, strides[part.level], span, config.decoding) for part in parts]
        found = Ranked(*(torch.cat(tensors, dim=1) for tensors in zip(*levels, strict=True)))
    else:
        decoder: Any = architecture.decoder()
        decoder.add(*parts)
        found = Ranked(*decoder.ranked())
    start, end = found.segments.unbind(-1)
    counts = (found.scores > config.decoding.min_probability) & (end - start > config.decoding.min_length)
    return found._replace(scores=torch.where(counts, found.scores, NONE))


def _of_level(part: LevelOutputs, stride: int, span: int | None, settings: DecodingSettings) -> Ranked:
    """The best `top_k` of each span of a level; see `actionformer.nn.decoding.decode`."""
    probability = part.logits.float().sigmoid() * part.valid[..., None]  # (B, T, K)
    batch, length, classes = probability.shape
    if span is None:
        best = F.pad(probability.flatten(1), (0, settings.top_k)).topk(settings.top_k)
        scores, pairs = best.values, best.indices.clamp(max=length * classes - 1)
        moments, labels = pairs // classes, pairs % classes
    else:
        spans = torch.arange((length * stride + span - 1) // span, device=probability.device)
        first, stop = ((one * span + stride - 1) // stride for one in (spans, spans + 1))
        own = first[:, None] + torch.arange(-(-span // stride), device=probability.device)  # (S, t), moments of each
        inside = (own < stop[:, None]) & (own < length)
        own = own.clamp(max=length - 1)
        by_span = probability[:, own.flatten()].unflatten(1, own.shape) * inside[..., None]  # (B, S, t, K)
        best = by_span.flatten(2).topk(min(settings.top_k, own.shape[1] * classes))
        scores, labels = best.values.flatten(1), (best.indices % classes).flatten(1)
        moments = own.expand(batch, -1, -1).gather(2, best.indices // classes).flatten(1)
    distances = part.offsets.float() * stride
    rows = moments if distances.ndim == 3 else moments * classes + labels
    starts, ends = (side.gather(1, rows) for side in distances.flatten(1, -2).unbind(2))
    at = (moments * stride).float()
    return Ranked(torch.stack((at - starts, at + ends), dim=-1), scores, labels)
