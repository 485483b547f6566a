"""What limits a model, in sentences that its held-out detections bear out, each with what to try."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from actionformer.core.annotations import Annotations
from actionformer.core.detections import Detections
from actionformer.core.errors import listed
from actionformer.core.words import plural
from actionformer.evaluation.diagnosis import KINDS, Diagnosis, diagnose
from actionformer.evaluation.thresholds import LEAST_ACTIONS

MOST = 4
"""Sentences: more are not read."""
GAIN = 0.03
"""mAP that doing without a kind of error must gain for it to be named."""
OFTEN = 0.05
"""How many of a kind people must see for it to be named where none costs much, as a share of the actions."""
APART = 0.2
"""By how much the shares of short and of long actions that are found must differ."""
GROUP = 10
"""Actions of which a share says something."""
MORE = "label more of these"
"""What to do where no setting helps."""
COURSE = 0.02
"""mAP by which evaluations of one run must differ."""


@dataclass(frozen=True)
class Limit:
    """One thing that keeps figures down."""

    what: str
    advice: str


@dataclass(frozen=True, eq=False)
class Evidence:
    """What is known of a model after its training."""

    truth: Annotations
    """The held-out videos."""
    detections: Mapping[str, Detections]
    """All that the model finds in them."""
    shown: Mapping[str, Detections]
    """What people are shown of that."""
    ap: Mapping[str, float]
    """Class -> average precision, mean over tIoU."""
    learned: Mapping[str, int]
    """Class -> actions to learn from."""
    course: Sequence[tuple[int, float]]
    """Epochs, counted from 1, that were evaluated, with the mAP of each."""
    epochs: int
    """What `training.epochs` was; the warm-up is not among them."""
    stride: float | None
    """Frames from one feature to the next, if all have one."""
    repeat_rare: float
    """The `training.repeat_rare` that is worth trying; 0 if there is none."""
    feature_dropout: float
    """The `data.feature_dropout` that is worth trying; 0 if there is none."""
    tiou: float
    """From which on a detection is right."""
    for_long: str = MORE
    """What lets the detector find long actions."""


def limits(known: Evidence) -> list[Limit]:
    """What stands out, the most important first; nothing that does not."""
    every = diagnose(known.truth, known.detections, known.tiou)
    shown = diagnose(known.truth, known.shown, known.tiou)
    return [*_course(known), *_kind(known, every, shown), *_rare(known), *_lengths(known, shown)][:MOST]


def _course(known: Evidence) -> list[Limit]:
    """Whether training ended too late or too early."""
    if len(known.course) < 2:
        return []
    (epoch, best), (last_epoch, last) = max(known.course, key=lambda one: one[1]), known.course[-1]
    if best - last >= COURSE:
        what = f"The model was better before: mAP {_percent(best)} at epoch {epoch}, {_percent(last)} at the end."
        fewer = max(known.epochs - (last_epoch - epoch), 1)
        advice = [f"train for less long, --training.epochs {fewer}"] if fewer < known.epochs else []
        advice += [f"add --data.feature-dropout {known.feature_dropout:g}"] if known.feature_dropout else []
        return [Limit(what, ", or ".join(advice or ["label more videos"]))]
    before_epoch, before = known.course[-2]
    if last - before >= COURSE:
        what = f"mAP still rose at the end, from {_percent(before)} at epoch {before_epoch} to {_percent(last)}."
        return [Limit(what, f"train longer: --training.epochs {2 * known.epochs}")]
    return []


def _kind(known: Evidence, every: Diagnosis, shown: Diagnosis) -> list[Limit]:
    """The kind of error that costs most mAP, or else the one that people see most often."""
    counts, total = shown.counts, len(shown.kinds)
    if not total and len(shown.found):
        return [
            Limit(
                "Nothing that the model finds reaches the score from which on people are shown it: "
                f"{plural(len(shown.found), 'action')} would be missed.",
                "show more, `detect --min-score` with less; label more, or train longer, for higher scores",
            )
        ]
    gains = {kind: gain for kind, gain in every.gains().items() if counts[kind]}
    kind = max(gains, key=lambda one: gains[one], default="")
    seen = max(gains, key=lambda one: counts[one], default="")
    if kind and gains[kind] >= GAIN:
        cost = f"; without them mAP at tIoU {known.tiou:g} would be {_percent(gains[kind])} points higher"
    elif seen and counts[seen] >= OFTEN * len(shown.found):
        kind, cost = seen, ""
    else:
        return []
    never = every.counts["missed"]
    of_all = cost if never == counts["missed"] else cost.replace("them", f"the {never} that are found at no score")
    most = "cost most" if cost else "are the most frequent error"
    found = {
        "missed": (
            f"Misses {most}: {counts['missed']} of {plural(len(shown.found), 'action')} are not found{of_all}.",
            "label more of what is missed (`view RUN` lists it), or show more: `detect --min-score` with less",
        ),
        "background": (
            f"False alarms {most}: {counts['background']} of {plural(total, 'shown detection')} lie where nothing "
            f"is annotated{cost}.",
            "look whether labels are lacking there (`view RUN`), and add videos in which nothing happens",
        ),
        "localization": (
            f"Inexact starts and ends {most}: {counts['localization']} of {plural(total, 'shown detection')} "
            f"overlap their action by less than {known.tiou:g}{cost}.",
            ", and ".join(filter(None, ["label starts and ends by one rule", _closer(known.stride)])),
        ),
        "duplicate": (
            f"Repeats {most}: {counts['duplicate']} of {plural(total, 'shown detection')} are of an action that "
            f"another one has found{cost}.",
            "`detect --overlap class` lets one action of a class go on at a time",
        ),
    }
    confused = (
        f"Wrong classes {most}: {_pairs(shown)}{cost}.",
        "look at some in `view RUN`; if they are one to people too, join them: `import --rename OLD=NEW`",
    )
    return [Limit(*found.get(kind, confused))]


def _closer(stride: float | None) -> str:
    """What to do for features that come too rarely; nothing where they come with every frame."""
    if not stride:
        return "take features closer together"
    if stride < 2:
        return ""
    half = int(stride // 2)  # strides are whole numbers of frames
    return f"take features closer together: `extract --stride {half}`, or `--data.stride {half}` with `train --videos`"


def _pairs(shown: Diagnosis) -> str:
    """Which class is most often taken for which."""
    every = np.isin(shown.kinds, [KINDS.index("wrong label"), KINDS.index("confusion")])
    wrong = every & (shown.candidates.labels >= 0)
    taken = zip(
        shown.truths.labels[shown.matches[wrong]].tolist(), shown.candidates.labels[wrong].tolist(), strict=True
    )
    most = Counter(taken).most_common(2)
    names, verb = shown.class_names, "has" if every.sum() == 1 else "have"
    return (
        " and ".join(f"{names[truth]} is taken for {names[label]} {plural(n, 'time')}" for (truth, label), n in most)
        or f"{plural(int(every.sum()), 'shown detection')} of an action {verb} a class that no held-out video has"
    )


def _rare(known: Evidence) -> list[Limit]:
    """Classes with few examples that do worse than those with many."""
    few = {name: ap for name, ap in known.ap.items() if known.learned.get(name, 0) < LEAST_ACTIONS}
    many = [ap for name, ap in known.ap.items() if name not in few]
    if not few or not many or np.mean(list(few.values())) > np.mean(many) / 2:
        return []
    names = listed([f"{name} ({known.learned.get(name, 0)})" for name in sorted(few, key=lambda one: few[one])], 4)
    what = (
        f"Classes with fewer than {LEAST_ACTIONS} examples to learn from have an AP of "
        f"{_percent(float(np.mean(list(few.values()))))} on average, the others of {_percent(float(np.mean(many)))}: "
        f"{names}."
    )
    repeat = f", or repeat their videos: --training.repeat-rare {known.repeat_rare:g}" if known.repeat_rare else ""
    return [Limit(what, f"label more of these{repeat}")]


def _lengths(known: Evidence, shown: Diagnosis) -> list[Limit]:
    """Whether the third of the shortest, or of the longest, actions is found less often than the others."""
    lengths = shown.truths.segments[:, 1] - shown.truths.segments[:, 0]
    if len(lengths) < 3 * GROUP:
        return []
    short, long = np.quantile(lengths, 1 / 3, method="lower"), np.quantile(lengths, 2 / 3, method="higher")
    for own, what, advice in (
        (
            lengths <= short,
            f"Actions of up to {short:.3g} s",
            _closer(known.stride) or MORE,
        ),
        (
            lengths >= long,
            f"Actions of {long:.3g} s and more",
            known.for_long,
        ),
    ):
        if not GROUP <= own.sum() <= len(own) - GROUP:
            continue
        found, others = shown.found[own].mean(), shown.found[~own].mean()
        if others - found >= APART:
            return [Limit(f"{what} are found in {found:.0%} of cases, others in {others:.0%}.", advice)]
    return []


def _percent(share: float) -> str:
    return f"{100 * share:.1f}"
