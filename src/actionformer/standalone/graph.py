"""The graph of a whole detector: network, decoding and suppression, with segments in seconds."""

from __future__ import annotations

import torch
from torch import Tensor

from actionformer.core.errors import InputError
from actionformer.core.segments import TimeGrid
from actionformer.engines.graph import Graph
from actionformer.inference.detector import Detector
from actionformer.settings.config import Config
from actionformer.standalone.ranking import ranked
from actionformer.standalone.suppression import suppressed

NAMES = ["segments", "scores", "labels"]


class DetectionGraph(Graph):
    """Features (B, T, D) and their mask (B, T) -> segments (B, N, 2), scores (B, N) and labels (B, N) int64.

    Scores of 0 stand for nothing. Segments are in seconds from the first frame, or of a model of resized sequences in
    shares of what the features cover. Once suppressed they are cut to that; candidates may reach beyond it, as they do
    in the detector until then.

    Args:
        detector: whose settings of decoding and suppression become part of the graph.
        grid: where the features lie in time; one of resized sequences is not asked for.
        suppress: whether candidates are suppressed; else they are given as decoding leaves them.

    Raises:
        InputError: the network cannot be a graph, or the settings ask for a suppression that no graph can do.
    """

    def __init__(self, detector: Detector, grid: TimeGrid | None, *, suppress: bool) -> None:
        super().__init__(detector.model, detector.runner.architecture)
        self.config, self.grid, self.suppress = detector.config, grid, suppress
        if suppress and (reason := why_not_suppressed(self.config)):
            raise InputError(f"{reason}: export with --outputs candidates")
        self.names = NAMES

    def forward(self, features: Tensor, valid: Tensor) -> tuple[Tensor, ...]:
        """See the class."""
        lengths = valid.sum(1)
        found = ranked(list(self.parts(features, valid)), self.architecture, self.strides)
        if self.suppress:
            most, slots = self._most(lengths), self._slots(features.shape[1])
            found = suppressed(found, lengths, most, slots, self.config.suppression)
        return self._placed(found.segments, lengths), found.scores.clamp(min=0), found.labels

    def _most(self, lengths: Tensor) -> Tensor:
        """(B,) the caps of sequences of some lengths; see `most_detections`."""
        settings, span = self.config.suppression, self.config.model.max_length
        if settings.cap_per == "video":
            return torch.full_like(lengths, settings.max_detections)
        return ((settings.max_detections * lengths + span - 1) // span).clamp(min=settings.max_detections)

    def _slots(self, length: int) -> int:
        """The cap of a sequence of this length, which no shorter one exceeds."""
        settings, span = self.config.suppression, self.config.model.max_length
        if settings.cap_per == "video":
            return settings.max_detections
        slots: int = torch.sym_max((settings.max_detections * length + span - 1) // span, settings.max_detections)
        return slots

    def _placed(self, segments: Tensor, lengths: Tensor) -> Tensor:
        """Segments (B, N, 2) in grid steps -> in seconds, or in shares."""
        if self.grid is None:
            placed, end = (segments + 0.5) / (self.config.data.resize or 1), torch.ones_like(lengths).float()
        else:
            step, first = self.grid.step, self.grid.num_frames / self.grid.fps
            placed, end = segments * step + first / 2, (lengths - 1) * step + first
        if not self.suppress:  # suppression outside judges them by all that they cover
            return placed
        return torch.minimum(placed.clamp(min=0), end[:, None, None])


def why_not_suppressed(config: Config) -> str | None:
    """Why suppression cannot be part of a graph under these settings, None where it can."""
    if config.live.max_action_seconds is not None or config.live.max_per_hour is not None:
        return "live.max_action_seconds and live.max_per_hour cut a recording into blocks, and a graph sees it whole"
    if config.data.window is not None:
        return "this model sees windows of a recording, and suppression comes after all of them are joined"
    if config.suppression.voting_threshold > 0 and not config.suppression.per_class:
        return "suppression.voting_threshold is set, and no graph votes"
    return None
