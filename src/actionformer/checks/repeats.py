"""The same thing twice: an action that is annotated twice, a video under two names."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from actionformer.checks.findings import Finding
from actionformer.core.annotations import AnnotatedVideo
from actionformer.core.errors import listed
from actionformer.core.segments import tiou
from actionformer.data.statistics import FeatureStatistics
from actionformer.labels.matching import without_ending

ONE_ACTION = 0.95
"""tIoU from which on two actions of a class are one that was annotated twice."""

LEAKED = "remove one of each: such videos are remembered, not recognised, and figures come out too good"

NEAR = 0.2
"""Share of the least distance between two videos that a video and its copy in another encoding may have."""

SKETCH = 16
"""Random numbers of a video that candidates are found by."""

MANY = 3
"""Actions that no two videos have in common by chance, to the millisecond."""


def check_repeats(videos: Sequence[AnnotatedVideo], names: Sequence[str]) -> list[Finding]:
    """Actions that are there twice, or nearly."""
    repeated = [(video, row) for video in videos for row in _repeated(video)]
    if not repeated:
        return []
    video, row = repeated[0]
    start, end = video.segments[row]
    total = sum(len(one.labels) for one in videos)
    example = f", the first is {names[video.labels[row]]} from {start:.10g} to {end:.10g} s in {video.id!r}"
    what, advice = "actions are annotated twice, or nearly", "keep one of each: the other can only be missed"
    return [Finding("repeated", "warning", len(repeated), total, what, example, advice)]


def _repeated(video: AnnotatedVideo) -> Iterator[int]:
    """Rows of the actions that repeat the one before in order of start."""
    order = np.lexsort((video.segments[:, 0], video.labels))
    lasting = order[np.diff(video.segments[order], axis=1)[:, 0] > 0]
    for before, row in zip(lasting[:-1].tolist(), lasting[1:].tolist(), strict=True):
        same_class = video.labels[before] == video.labels[row]
        if same_class and tiou(video.segments[[before]], video.segments[[row]])[0, 0] >= ONE_ACTION:
            yield row


def check_twins(videos: Sequence[AnnotatedVideo]) -> list[Finding]:
    """Videos with the same actions, to the millisecond; those of different subsets are a leak."""
    seen: dict[bytes, AnnotatedVideo] = {}
    pairs: list[tuple[AnnotatedVideo, AnnotatedVideo]] = []
    for video in videos:
        if len(video.labels) < MANY:
            continue
        order = np.lexsort((video.labels, video.segments[:, 0]))
        content = np.rint(1e3 * video.segments[order]).tobytes() + video.labels[order].tobytes()
        first = seen.setdefault(content, video)
        if first is not video:
            pairs.append((video, first))
    return told("same actions", pairs, len(videos))


def check_names(videos: Sequence[AnnotatedVideo]) -> list[Finding]:
    """Videos whose ids differ by case, a recording's ending or blanks alone."""
    seen: dict[str, AnnotatedVideo] = {}
    pairs = []
    for video in videos:
        first = seen.setdefault(_bare(video.id), video)
        if first is not video:
            pairs.append((video, first))
    return told("same name", pairs, len(videos))


def _bare(id_: str) -> str:
    return "".join(without_ending(id_).split()).casefold()


def told(what: str, pairs: Sequence[tuple[AnnotatedVideo, AnnotatedVideo]], total: int) -> list[Finding]:
    """Findings about pairs of videos that are one: an error of the split if their subsets differ, else a repetition."""
    groups: Mapping[bool, list[str]] = {True: [], False: []}
    for video, first in pairs:
        leak = video.subset.casefold() != first.subset.casefold()
        subsets = f" ({video.subset} and {first.subset})" if leak else ""
        groups[leak].append(f"{video.id} and {first.id}{subsets}")
    return [
        *_pairs("leak", groups[True], total, f"videos have the {what} as a video of another subset: ", LEAKED),
        *_pairs("twins", groups[False], total, f"videos have the {what} as another video: ", "keep one of each"),
    ]


def _pairs(kind: str, pairs: Sequence[str], total: int, what: str, advice: str) -> list[Finding]:
    return [Finding(kind, "warning", len(pairs), total, what, listed(pairs), advice)] if pairs else []


def check_leaks(statistics: FeatureStatistics, videos: Sequence[AnnotatedVideo]) -> list[Finding]:
    """Videos with the features of a video of another subset."""
    by_id = {video.id: video for video in videos}
    pairs = [(by_id[copy], by_id[first]) for copy, first in statistics.copies]
    exact = [one for one in told("same features", pairs, len(statistics.videos)) if one.kind == "leak"]
    near = [(by_id[copy], by_id[first]) for copy, first in _near_copies(statistics)]
    return [*exact, *told("nearly same features", near, len(statistics.videos))]


def _near_copies(statistics: FeatureStatistics) -> list[tuple[str, str]]:
    """Videos whose channels have the mean and the deviation of another's, far nearer than chance brings them.

    Means and deviations of two parts of the same noise differ by about sqrt(2 / T) deviations; those of two videos by
    more. Candidates are found by some random numbers for each video, and looked at in full.
    """
    each = statistics.each.astype(np.float64)
    usual = np.median(each[:, 1], 0)
    marks = (each / np.where(usual > 0, usual, np.inf)).reshape(len(each), -1)
    ids, lengths = [id_ for id_, _ in statistics.videos], np.array(statistics.lengths)
    near = NEAR * np.sqrt(2 * marks.shape[1] / lengths)  # of the distance between two videos
    sketch = marks @ np.random.default_rng(0).standard_normal((marks.shape[1], SKETCH)) / np.sqrt(SKETCH)
    known = {*statistics.constant, *(copy for copy, _ in statistics.copies)}
    pairs = []
    for row in range(1, len(ids)):
        candidates = np.flatnonzero(np.square(sketch[:row] - sketch[row]).sum(1) < np.square(2 * near[row]))
        close = [i for i in candidates.tolist() if np.linalg.norm(marks[i] - marks[row]) < near[row]]
        if close and not known & {ids[row], ids[close[0]]}:
            pairs.append((ids[row], ids[close[0]]))
    return pairs
