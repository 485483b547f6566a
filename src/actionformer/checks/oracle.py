"""What a network could reach that said of every moment exactly what training asks of it.

Its outputs go through the decoding, the suppression and the evaluation of every other network: what is lacking to 1 is
lost to the grid, the levels, their ranges and the suppression, and no training brings it back.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from actionformer.core.annotations import Annotations
from actionformer.core.detections import Detections
from actionformer.data.collection import FeaturedVideo
from actionformer.data.dataset import TrainingVideo, place_on_grid
from actionformer.data.windows import windows_of_video
from actionformer.detectors.base import architecture_of
from actionformer.evaluation.report import Report, score
from actionformer.features import Features
from actionformer.inference.finishing import finished
from actionformer.inference.sequences import FeatureSequence
from actionformer.nn.assignment import GroundTruth
from actionformer.nn.decoding import Candidates
from actionformer.settings.config import Config

MOST_VIDEOS = 200
"""Videos that are looked at, spread evenly over all: more say the same."""


def oracle_report(annotations: Annotations, videos: Sequence[FeaturedVideo], config: Config) -> Report | None:
    """The report of perfect outputs on some videos; None without actions, or of a detector that does not tell them.

    Args:
        annotations: that the videos are of.
        videos: with their features, of which none is read.
        config: complete settings.
    """
    rows = np.unique(np.linspace(0, len(videos) - 1, min(len(videos), MOST_VIDEOS)).astype(int))
    chosen = [videos[i] for i in rows.tolist()]
    if not any(len(video.video.segments) for video in chosen):
        return None
    placed = place_on_grid(chosen, config.data.resize)
    found: dict[str, Detections] = {}
    for video, one in zip(chosen, placed, strict=True):
        detections = perfect_detections(video, one, config, annotations.class_names)
        if detections is None:
            return None
        found[video.video.id] = detections
    truth = Annotations({video.video.id: video.video for video in chosen}, annotations.class_names, annotations.source)
    return score(truth, found, tiou=config.evaluation.tiou, recall_at=config.evaluation.recall_at)


def perfect_detections(
    video: FeaturedVideo, placed: TrainingVideo, config: Config, class_names: Sequence[str]
) -> Detections | None:
    """Detections of one video from outputs that are as training asks for, in windows where there are some."""
    data, length = config.data, config.data.resize or placed.features.shape[0]
    seen = [placed] if data.window is None else list(windows_of_video(placed, data, data.test_overlap))
    found = [_perfect(one, data.resize or one.features.shape[0], config) for one in seen]
    decoded = [one for one in found if one is not None]
    if len(decoded) < len(seen):
        return None
    sequence = FeatureSequence(
        Features((), (length, placed.features.shape[1])), placed.grid, video.end, name=video.video.id
    )
    candidates = Candidates.joined([one.moved(part.first) for part, (one, _) in zip(seen, decoded, strict=True)])
    left = max(left for _, left in decoded)
    detections, _ = finished(candidates, left, sequence, config, tuple(class_names), None, shown_from=None)
    return detections


def _perfect(seen: TrainingVideo, length: int, config: Config) -> tuple[Candidates, tuple[float, int]] | None:
    """What is decoded of a sequence or a window, and the highest score that decoding has left out."""
    architecture = architecture_of(config)
    truth = GroundTruth([torch.from_numpy(seen.segments)], [torch.from_numpy(seen.labels)], [length], length)
    outputs = architecture.perfect(truth)
    if outputs is None:
        return None
    decoder = architecture.decoder()
    for part in architecture.parts(outputs):
        decoder.add(part)
    (candidates,), (left,) = decoder.candidates(), decoder.left_out()
    return candidates, left
