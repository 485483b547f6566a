"""What to label next: the videos, and the spans in them, of which models are least sure."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console

from actionformer.core.detections import Detections
from actionformer.core.errors import InputError, warn
from actionformer.core.files import check_absent, write_whole
from actionformer.core.names import matched, without_prefix
from actionformer.core.terminal import TextTable, plain_console
from actionformer.core.words import plural
from actionformer.data.collection import Paths
from actionformer.formats.annotations import read_annotations
from actionformer.formats.cues import clock_time
from actionformer.inference.detector import Detector
from actionformer.inference.unsure import UnsureSpan, joined, probable, unsure_spans
from actionformer.recipes.prepare import prepared_detector
from actionformer.recipes.proposals import Proposals, ProposalSource, source_of
from actionformer.recipes.search import Search, VideoSettings, input_files, looked_at

SHOWN_VIDEOS, SHOWN_SPANS = 10, 3
"""Videos of a table, and spans of each."""


@dataclass(frozen=True)
class Suggestion:
    """A video, and what models make of it."""

    video: str
    spans: Sequence[UnsureSpan]
    """Those that are worth an answer, those worth most first."""
    drafts: Sequence[UnsureSpan]
    """All that is found, the most probable first."""

    @property
    def answers(self) -> float:
        """What it is worth to label the video, in answers of yes or no."""
        return sum(span.answers for span in self.spans)


@dataclass(frozen=True)
class Suggestions:
    """Videos in the order in which to label them, and those of which nothing can be said."""

    videos: Sequence[Suggestion]
    labelled: int
    """How many were left out, as they are labelled."""
    failed: Mapping[str, str]
    """File -> what was wrong with it."""

    def table(self) -> TextTable:
        """The first videos, a row for each of their first spans."""
        table = TextTable("", "video", "worth", "start", "end", "class", "why", cut=("video", "class"), box=None)
        table.columns[2].justify = "right"
        for rank, one in enumerate(self.videos[:SHOWN_VIDEOS], 1):
            first = (rank, one.video, f"{one.answers:.1f}")
            for i, span in enumerate(one.spans[:SHOWN_SPANS]):
                times = (clock_time(time, ".") for time in span.segment)
                table.add_row(*(first if i == 0 else ("", "", "")), *times, span.label, span.reason)
            if not one.spans:
                table.add_row(*first, "", "", "", "sure of all it finds")
        return table

    def lines(self) -> list[str]:
        """What the table does not say."""
        more = len(self.videos) - SHOWN_VIDEOS
        return [
            "worth: how many answers of yes or no labelling the video gives, see docs/labelling.md",
            *([f"{plural(more, 'more video')} in the JSON file, --out writes it"] if more > 0 else []),
            *([f"{plural(self.labelled, 'labelled video')} left out"] if self.labelled else []),
        ]

    def content(self) -> dict[str, Any]:
        """As a file holds it: detections in ActivityNet's layout, which `label --drafts` offers, and suggestions."""
        drafts = {
            one.video: [
                {"label": span.label, "score": span.probability, "segment": list(span.segment)} for span in one.drafts
            ]
            for one in self.videos
        }
        suggestions = [
            {"video": one.video, "worth": one.answers, "spans": [_span(span) for span in one.spans]}
            for one in self.videos
        ]
        return {"version": "1.0", "results": drafts, "external_data": {}, "suggestions": suggestions}


def _span(span: UnsureSpan) -> dict[str, Any]:
    return {
        "segment": list(span.segment),
        "label": span.label,
        "probabilities": list(span.probabilities),
        "worth": span.answers,
        "disagreement": span.disagreement,
        "why": span.reason,
    }


def suggest(
    run: str | Path,
    videos: Sequence[str | Path],
    *,
    also: Sequence[str | Path] = (),
    annotations: str | Path | None = None,
    out: str | Path | None = None,
    overwrite: bool = False,
    proposals: Proposals | None = None,
    other_sources: Paths | None = None,
    device: str = "cpu",
    console: Console | None = None,
) -> Suggestions:
    """Lists what to label next: the videos, and the spans in them, of which a model is least sure.

    Args:
        run: a model directory. Where it is calibrated, its probabilities count; else they are guessed from its scores.
        videos: videos or feature files, folders with their subfolders, or patterns in quotes.
        also: more model directories, such as other seeds: spans in which they disagree count most.
        annotations: what is labelled already; the videos in it are left out.
        out: a JSON file to write all of it to, which `label --drafts` offers on its page.
        overwrite: replace that file if it exists.
        proposals: segments for those of the models that judge them and keep nothing that finds them: a file of
            detections, or a model directory.
        other_sources: of models that join several sources, a folder of features or recordings for each one but the
            first, as of `detect`.
        device: where to compute: cpu, cuda, cuda:1, ...
        console: where progress is shown; by default nowhere.

    Raises:
        InputError: no model directory, nothing to look at, or everything is labelled.
    """
    target = None if out is None else Path(out)
    check_absent([] if target is None else [target], overwrite=overwrite)
    detectors = {str(path): prepared_detector(path, device=device) for path in (run, *also)}
    first = next(iter(detectors.values()))
    prefix = first.config.data.prefix
    every = {file: without_prefix(id_, prefix) for file, id_ in input_files(videos, looked_at(first)).items()}
    labelled = matched(every.values(), read_annotations(annotations).videos) if annotations is not None else {}
    files = {file: video for file, video in every.items() if video not in labelled}
    if not files:
        raise InputError(f"{annotations}: has labels of all {plural(len(every), 'video')}: nothing is left to suggest")
    judged = source_of(proposals, device=device)
    found, failed = _found(detectors, files, judged, other_sources, console or plain_console(quiet=True))
    suggestions = [Suggestion(video, unsure_spans(each), joined(each)) for video, each in found.items()]
    suggestions.sort(key=lambda one: (-one.answers, one.video))
    result = Suggestions(suggestions, len(every) - len(files), failed)
    if target is not None:
        write_whole(target, json.dumps(result.content(), indent=1) + "\n")
    return result


def _found(
    detectors: Mapping[str, Detector],
    files: Mapping[Path, str],
    proposals: ProposalSource | None,
    other_sources: Paths | None,
    console: Console,
) -> tuple[dict[str, list[Detections]], dict[str, str]]:
    """Per video what each model finds, with probabilities for scores; and the files that any could not look at."""
    found: dict[str, list[Detections]] = {}
    failed: dict[str, str] = {}
    kinds = list({detector.card.features: None for detector in detectors.values()})
    with tempfile.TemporaryDirectory() as folder:  # of models on the same features, the first extracts them
        for run, detector in detectors.items():
            kept = VideoSettings(features_out=Path(folder) / str(kinds.index(detector.card.features)))
            judged = proposals if detector.second_stage and detector.proposer is None else None
            others = other_sources if detector.card.features.sources else None
            search = Search(detector, files, videos=kept, proposals=judged, other_sources=others, console=console)
            one = search.found()
            if detector.card.calibration is None:
                warn(f"{run}: is not calibrated, its probabilities are guessed: `actionformer calibrate` measures them")
            failed |= one.failed
            for video, detections in one.detections.items():
                found.setdefault(video, []).append(probable(detections, detector.card.calibration))
    return {video: each for video, each in found.items() if len(each) == len(detectors)}, failed
