"""From annotations and detections to one report."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from rich.box import SIMPLE_HEAD

from actionformer.core.annotations import Annotations
from actionformer.core.detections import Detections
from actionformer.core.errors import InputError
from actionformer.core.files import write_whole
from actionformer.core.names import explained, matched
from actionformer.core.terminal import WIDEST, TextTable, rendered
from actionformer.core.words import plural
from actionformer.evaluation.mean_average_precision import average_precision
from actionformer.evaluation.pairs import (
    FlatDetections,
    Floats,
    Pairs,
    Truths,
    flatten_detections,
    flatten_truths,
    overlapping_pairs,
)
from actionformer.evaluation.recall import (
    PROPOSAL_TIOU,
    area_under_average_recall,
    average_recall,
    recall_at_kx,
)
from actionformer.evaluation.thumos14 import challenge_precision, read_ambiguous
from actionformer.formats.annotations import read_annotations
from actionformer.formats.detections import read_results

MOST_COLUMNS, WIDE_COLUMNS = 10, 7  # thresholds that a table shows, and with two decimals
MOST_FIGURES = 5  # thresholds in a `repr`
AVERAGE_NUMBERS = (1, 5, 10, 50, 100)
LEAVE_OUT = ": leave them out, or evaluate their subset too"
TIOU_EXAMPLE = "start:stop:step, e.g. 0.3:0.7:0.1, or a list such as 0.5,0.75,0.95"


@dataclass(frozen=True)
class Counts:
    """What went into an evaluation, and what is odd about it."""

    videos: int
    """Evaluated videos."""
    ground_truths: int
    """Ground truths that count."""
    detections: int
    """All detections given."""
    removed_ground_truths: int
    """Ground truths left out: repeats, and shorter than 1 ms."""
    outside_subset: int
    """Detections in videos that are not evaluated: false positives."""
    unknown_class: int
    """Detections of a class that no ground truth has: ignored in all but average recall."""
    videos_without_detections: int
    """Evaluated videos with actions but no detection: all missed."""
    beyond_end: int = 0
    """Detections that begin after the end that the annotations state of their video: false positives."""
    skipped_videos: int = 0
    """Evaluated videos without features, where these were skipped on request."""
    skipped_ground_truths: int = 0
    """Their ground truths, which count as missed."""


@dataclass(frozen=True, repr=False)
class Report:
    """Every figure is a share from 0 to 1."""

    tiou: tuple[float, ...]
    """Thresholds."""
    map: tuple[float, ...]
    """Mean average precision at each threshold: the mean over the classes that occur."""
    average: float
    """Mean of `map`."""
    per_class: dict[str, list[float]]
    """Class name -> average precision at each threshold."""
    recall_at_kx: dict[str, list[float]]
    """k -> Recall@kx at each threshold."""
    average_recall: dict[str, float]
    """Average number of proposals -> class-agnostic recall, mean over tIoU 0.5:0.95:0.05; `auc`: area."""
    counts: Counts
    nearest: dict[str, str] = field(default_factory=dict)
    """"videos", "classes" -> which names may be meant by those of detections that the annotations do not know."""
    settings: dict[str, Any] = field(default_factory=dict)
    """`section.setting` -> value, where `evaluate` was given another than the model has."""

    @property
    def warnings(self) -> list[str]:
        """One sentence for each thing that is probably not meant."""
        counts = self.counts
        sentences = {
            f"{plural(counts.outside_subset, 'detection lies', 'detections lie')} in videos outside the evaluated "
            f"subset (false positives){self.nearest.get('videos', LEAVE_OUT)}": counts.outside_subset,
            f"{plural(counts.unknown_class, 'detection is', 'detections are')} of classes that no ground truth has "
            f"(ignored in mAP and Recall@kx){self.nearest.get('classes', '')}": counts.unknown_class,
            f"{plural(counts.beyond_end, 'detection begins', 'detections begin')} after the end of the video "
            "(false positives): are times in another unit? They are in seconds": counts.beyond_end,
            f"{plural(counts.removed_ground_truths, 'ground truth is', 'ground truths are')} left out, as repeats or "
            "shorter than 1 ms": counts.removed_ground_truths,
            f"{plural(counts.videos_without_detections, 'evaluated video has', 'evaluated videos have')} no "
            "detections: all actions there are missed": counts.videos_without_detections,
            f"{plural(counts.skipped_videos, 'video')} without features, with "
            f"{plural(counts.skipped_ground_truths, 'ground truth')}: skipped, and counted as "
            "missed": counts.skipped_videos,
        }
        return [sentence for sentence, number in sentences.items() if number]

    def to_dict(self) -> dict[str, Any]:
        """All figures, counts and warnings as plain values."""
        return {**asdict(self), "warnings": self.warnings}

    def to_json(self, path: str | Path) -> None:
        """Write `to_dict` as JSON, whole or not at all."""
        write_whole(path, json.dumps(self.to_dict(), indent=2) + "\n")

    def table(self, per_class: bool = False) -> TextTable:
        """The figures in percent, one column a threshold; with a row for every class on request.

        It fits 80 columns: many thresholds have one decimal, and of more than ten, ten are shown.
        """
        shown = _spread(len(self.tiou), MOST_COLUMNS)
        decimals = 2 if len(shown) <= WIDE_COLUMNS else 1
        headers = [f"{self.tiou[column]:g}" for column in shown]
        table = TextTable("", *headers, "average", title="tIoU, in percent", cut=("",), box=SIMPLE_HEAD, padding=0)
        for column in table.columns[1:]:
            column.justify = "right"
        rows = {"mAP": list(self.map)}
        rows |= {f"Recall@{k}x": values for k, values in self.recall_at_kx.items()}
        rows |= {f"AP {name}": values for name, values in self.per_class.items()} if per_class else {}
        for name, values in rows.items():
            figures = [*(values[column] for column in shown), float(np.mean(values))]
            table.add_row(name, *(f"{100 * value:.{decimals}f}" for value in figures))
        parts = [f"AR@{n} {100 * value:.2f}" for n, value in self.average_recall.items() if n != "auc"]
        caption = ", ".join([*parts, f"AUC {100 * self.average_recall['auc']:.2f}"])
        if len(shown) < len(self.tiou):
            caption += f"\n{len(shown)} of {len(self.tiou)} thresholds; averages are of all"
        table.caption, table.min_width = caption, max(map(len, caption.splitlines()))
        return table

    def __str__(self) -> str:
        """All figures as a table with a row a class, in percent."""
        return rendered(self.table(per_class=True), WIDEST).rstrip("\n")

    def __repr__(self) -> str:
        """The mean average precision and what it was measured on, in a few lines."""
        shown = _spread(len(self.tiou), MOST_FIGURES)
        figures = ", ".join(f"{100 * self.map[column]:.2f} at {self.tiou[column]:g}" for column in shown)
        counts = self.counts
        lines = [
            f"mAP {100 * self.average:.2f} %, the average over tIoU: {figures}",
            f"{plural(len(self.per_class), 'class')}, {plural(counts.videos, 'video')}, "
            f"{plural(counts.ground_truths, 'action')}, {plural(counts.detections, 'detection')}; "
            "print() shows all figures",
        ]
        return "\n".join([*lines, *(f"warning: {warning}" for warning in self.warnings)])


def _spread(count: int, most: int) -> list[int]:
    """All of so many columns, or some that are spread evenly, with the first and the last."""
    return list(range(count)) if count <= most else np.linspace(0, count - 1, most).round().astype(int).tolist()


def score(
    annotations: Annotations | str | Path,
    detections: Mapping[str, Detections] | str | Path | Sequence[str | Path],
    subset: str | Sequence[str] | None = None,
    tiou: str | Sequence[float] = "0.3:0.7:0.1",
    recall_at: Sequence[int] = (1, 5),
    ambiguous: str | Path | Sequence[str | Path] | None = None,
) -> Report:
    """Scores detections of any origin against annotations: mAP, Recall@kx, AR@AN.

    Args:
        annotations: ground truth, ActivityNet JSON.
        detections: results JSON, JSON Lines, or CSV with the columns video, label, start, end, score; several files are
            joined. Classes are compared by name.
        subset: subsets to evaluate on, in any case; by default all videos.
        tiou: tIoU thresholds, start:stop:step or a list a,b,c.
        recall_at: the k of Recall@kx.
        ambiguous: Ambiguous_test.txt of THUMOS14: average precision is taken as the challenge's own evaluator takes it,
            which leaves out detections in these spans.

    Raises:
        InputError: a broken file, an unknown subset, thresholds outside (0, 1], or no ground truth.
    """
    thresholds = parse_tiou(tiou)
    for k in recall_at:
        if k != int(k) or k < 1:
            raise InputError(f"recall_at: expected whole numbers from 1 on, found {k}")
    if not isinstance(annotations, Annotations):
        annotations = read_annotations(annotations)
    if not isinstance(detections, Mapping):
        detections = read_results(detections)
    every = annotations
    if subset is not None:
        annotations = annotations.subset(subset)
    truths, removed = flatten_truths(annotations)
    if not len(truths):
        raise InputError(f"{annotations.source}: no action in the {plural(len(annotations), 'video')} to evaluate on")
    candidates = flatten_detections(detections, annotations, truths)
    pairs = overlapping_pairs(candidates, truths, at_least=min(*thresholds, PROPOSAL_TIOU[0]))
    return _report(
        np.array(thresholds),
        candidates,
        truths,
        pairs,
        precision=_precision(candidates, truths, pairs, np.array(thresholds), annotations, ambiguous),
        class_names=annotations.class_names,
        recall_at=recall_at,
        counts=_count(annotations, truths, candidates, removed),
        nearest=_nearest(every, detections),
    )


def _precision(
    candidates: FlatDetections,
    truths: Truths,
    pairs: Pairs,
    thresholds: Floats,
    annotations: Annotations,
    ambiguous: str | Path | Sequence[str | Path] | None,
) -> Floats:
    """(L, K) average precision, by the evaluator of ActivityNet, or with ambiguous spans by that of THUMOS14."""
    if ambiguous is None:
        return average_precision(candidates, truths, pairs, thresholds)
    return challenge_precision(candidates, truths, pairs, thresholds, read_ambiguous(ambiguous, annotations))


def _report(
    thresholds: Floats,
    candidates: FlatDetections,
    truths: Truths,
    pairs: Pairs,
    *,
    precision: Floats,
    class_names: Sequence[str],
    recall_at: Sequence[int],
    counts: Counts,
    nearest: dict[str, str],
) -> Report:
    occurring = np.unique(truths.labels)
    mean_precision = precision[:, occurring].mean(axis=1)
    recall = recall_at_kx(candidates, truths, pairs, thresholds, recall_at)
    proposals = average_recall(candidates, truths, pairs)
    return Report(
        tiou=tuple(thresholds.tolist()),
        map=tuple(mean_precision.tolist()),
        average=float(mean_precision.mean()),
        per_class={class_names[label]: precision[:, label].tolist() for label in occurring},
        recall_at_kx={str(k): recall[:, i].tolist() for i, k in enumerate(recall_at)},
        average_recall={
            **{str(n): float(proposals[n - 1]) for n in AVERAGE_NUMBERS},
            "auc": area_under_average_recall(proposals),
        },
        counts=counts,
        nearest=nearest,
    )


def _nearest(annotations: Annotations, detections: Mapping[str, Detections]) -> dict[str, str]:
    """What may be meant by videos and classes of detections that the annotations do not have at all."""
    classes = {found.class_names[label] for found in detections.values() for label in np.unique(found.labels)}
    both = {
        "videos": (sorted(detections), list(annotations.videos)),
        "classes": (sorted(classes), list(annotations.class_names)),
    }
    hints = {
        kind: explained(sorted(set(names) - matched(names, known).keys()), known)
        for kind, (names, known) in both.items()
    }
    return {kind: hint for kind, hint in hints.items() if hint}


def _count(annotations: Annotations, truths: Truths, candidates: FlatDetections, removed: int) -> Counts:
    return Counts(
        videos=len(annotations),
        ground_truths=len(truths),
        detections=len(candidates),
        removed_ground_truths=removed,
        outside_subset=int((candidates.videos < 0).sum()),
        unknown_class=int((candidates.labels < 0).sum()),
        videos_without_detections=len(np.setdiff1d(truths.videos, candidates.videos)),
        beyond_end=_beyond_end(annotations, candidates),
    )


def _beyond_end(annotations: Annotations, candidates: FlatDetections) -> int:
    """Detections that begin after the end of their video, as far as the annotations state it."""
    ends = np.array([video.duration or np.inf for video in annotations.videos.values()])
    known = candidates.videos >= 0
    return int((candidates.segments[known, 0] > ends[candidates.videos[known]]).sum())


def parse_tiou(tiou: str | Sequence[float]) -> tuple[float, ...]:
    """Thresholds in (0, 1], ascending, from `start:stop:step` (stop included), `a,b,c` or a sequence.

    Raises:
        InputError: not numbers, outside (0, 1], or start, stop and step in another order.
    """
    if isinstance(tiou, str):
        values = _range(tiou) if ":" in tiou else _numbers(tiou.split(","), tiou)
    else:
        values = _numbers(tiou, tiou)
    wrong = [value for value in values if not 0 < value <= 1]
    if wrong or not values:
        found = f"found {wrong[0]:g}" if wrong else "found none"
        raise InputError(f"tiou {tiou!r}: thresholds lie above 0 and up to 1, {found}; expected {TIOU_EXAMPLE}")
    return tuple(sorted(set(values)))


def _numbers(values: Sequence[Any], tiou: object) -> list[float]:
    try:
        return [float(value) for value in values]
    except (TypeError, ValueError) as error:
        raise InputError(f"tiou {tiou!r}: not a number; expected {TIOU_EXAMPLE}") from error


def _range(text: str) -> list[float]:
    numbers = _numbers(text.split(":"), text)
    if len(numbers) != 3:
        raise InputError(f"tiou {text!r}: found {plural(len(numbers), 'number')}; expected {TIOU_EXAMPLE}")
    start, stop, step = numbers
    if not step > 0:
        raise InputError(f"tiou {text!r}: the step must be above 0; expected {TIOU_EXAMPLE}")
    if not start <= stop < np.inf:
        raise InputError(f"tiou {text!r}: start must not exceed stop; expected {TIOU_EXAMPLE}")
    if step > stop - start + 1e-9 and stop > start:
        raise InputError(
            f"tiou {text!r}: step {step:g} is larger than the range {start:g} to {stop:g}; expected {TIOU_EXAMPLE}"
        )
    if (stop - start) / step > 1000:
        raise InputError(f"tiou {text!r}: more than 1000 thresholds; expected {TIOU_EXAMPLE}")
    return [round(start + i * step, 10) for i in range(int((stop - start) / step + 1e-9) + 1)]
