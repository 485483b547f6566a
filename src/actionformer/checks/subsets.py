"""Subsets that are not there, hold nothing, or have a name that was most likely mistyped."""

from __future__ import annotations

import re
from collections.abc import Sequence
from difflib import get_close_matches

from actionformer.checks.findings import Finding, Severity
from actionformer.core.annotations import Annotations
from actionformer.core.names import nearest
from actionformer.core.words import plural
from actionformer.data.settings import DataSettings

ALIKE = 0.7
"""How alike (difflib) two names are of which one is a slip of the pen; `testing` and `training` are not."""


ENDINGS = ("", "s", "ing", "id", "idation", "elopment")
"""What the same name may have besides: `train` and `training`, `val` and `validation`, `dev` and `development`."""


def check_subsets(annotations: Annotations, data: DataSettings) -> list[Finding]:
    """What is wrong with the names of subsets, those to train on and those to evaluate on."""
    named = [*data.train_subset, *data.test_subset]
    return [
        *_absent(annotations, data.train_subset, "train_subset"),
        *_absent(annotations, data.test_subset, "test_subset"),
        *_mistyped(annotations, [name for name in named if annotations.has_subset(name)]),
        *_shared(data),
    ]


def check_chosen_subsets(annotations: Annotations, data: DataSettings, *, asked: bool) -> list[Finding]:
    """What a training says of the names of subsets before anything is held out.

    Where there is nothing to evaluate on, videos may yet be held out, so that is no finding.

    Args:
        annotations: of all subsets.
        data: which subsets are trained and evaluated on.
        asked: whether the user gave the evaluation subset: one that is not there is then an error, as is one of
            several.
    """
    absent = _absent(annotations, data.train_subset, "train_subset")
    if asked or annotations.has_subset(data.test_subset):
        gone = [name for name in data.test_subset if not annotations.has_subset(name)]
        all_gone = len(gone) == len(data.test_subset)
        absent += [_no_video(annotations, name, "test_subset", "error", unevaluated=all_gone) for name in gone]
    return [*absent, *_mistyped(annotations, [*data.train_subset, *data.test_subset])]


def _absent(annotations: Annotations, names: Sequence[str], setting: str) -> list[Finding]:
    """No video, or no action, in a subset: nothing can be learned, or nothing evaluated."""
    training = setting == "train_subset"
    severity: Severity = "error" if training else "warning"
    subset = ", ".join(names)
    missing = [name for name in names if not annotations.has_subset(name)]
    if missing and (training or len(missing) == len(names)):
        return [_no_video(annotations, missing[0], setting, severity, unevaluated=not training)]
    present = annotations.subset([name for name in names if name not in missing])
    if any(len(video.segments) for video in present.videos.values()):
        return []
    what = f"no action in the {plural(len(present), 'video')} of subset {subset}"
    what += " to learn" if training else ": nothing is evaluated"
    if any(len(video.segments) for video in annotations.videos.values()):
        advice = f"annotate some of them, or give --data.{setting.replace('_', '-')} with another subset"
    else:
        advice = "the whole file has none: label some videos (`actionformer label VIDEOS`), or import labels again"
    return [Finding("no_action", severity, 0, 0, what, "", advice)]


def _no_video(annotations: Annotations, name: str, setting: str, severity: Severity, *, unevaluated: bool) -> Finding:
    """No video in a subset, so that nothing is evaluated where it is the only one."""
    there = ", ".join(map(repr, annotations.subset_names))
    what = f"no video in subset {name!r}{nearest(name, annotations.subset_names)}"
    what += ", nothing is evaluated" if unevaluated else ""
    advice = f"there are {there}: give --data.{setting.replace('_', '-')} with one of them"
    if setting == "test_subset":
        advice += ", or hold videos out: `train auto` does, other settings with --validation 0.25"
    return Finding("no_subset", severity, 0, 0, what, "", advice)


def _mistyped(annotations: Annotations, used: Sequence[str]) -> list[Finding]:
    """Subsets that nobody asks for, and whose name is nearly that of one that is."""
    known = [name for name in used if annotations.has_subset(name)]
    wanted = annotations.subset(known).videos if known else {}
    others = sorted({video.subset for id_, video in annotations.videos.items() if id_ not in wanted})
    slips = {name: hint for name in others if (hint := _near(name, used))}
    if not slips:
        return []
    count = sum(video.subset in slips for video in annotations.videos.values())
    what = "videos are in a subset that is not used: "
    advice = "correct its name, or name both in --data.train-subset or --data.test-subset"
    example = ", ".join(f"{name!r}{hint}" for name, hint in slips.items())
    return [Finding("mistyped_subset", "warning", count, len(annotations), what, example, advice)]


def _near(name: str, known: Sequence[str]) -> str:
    likely = [one for one in known if not _meant_otherwise(name.casefold(), one.casefold())]
    close = get_close_matches(name.casefold(), [one.casefold() for one in likely], n=1, cutoff=ALIKE)
    short = next((one for one in likely if _besides(name.casefold(), one.casefold()) is not None), None)
    return nearest(name, likely) if close else f", did you mean {short!r}?" if short else ""


def _meant_otherwise(name: str, other: str) -> bool:
    """Whether names differ by numbers, as `fold1` and `fold2`, or one is the other and more, as `trainval`."""
    if re.sub(r"\d+", "", name) == re.sub(r"\d+", "", other):
        return name != other
    more = _besides(name, other)
    return more is not None and more.strip() not in ENDINGS


def _besides(name: str, other: str) -> str | None:
    """What the longer of two names has after the shorter; None if it does not begin with it."""
    short, long = sorted((name, other), key=len)
    return long.removeprefix(short) if long.startswith(short) else None


def _shared(data: DataSettings) -> list[Finding]:
    """A subset that is trained and evaluated on."""
    both = {name.casefold() for name in data.train_subset} & {name.casefold() for name in data.test_subset}
    if not both:
        return []
    what = f"subset {', '.join(sorted(both))} is trained on and evaluated on: figures come out too good"
    return [Finding("same_subset", "warning", 0, 0, what, "", "give --data.test-subset another one")]
