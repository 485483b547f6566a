"""Annotations of videos from label files of any kind."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from actionformer.core.annotations import Annotations, NamedVideo, with_class_numbers
from actionformer.core.errors import InputError, listed
from actionformer.core.names import explained, known_name
from actionformer.core.words import part, plural
from actionformer.formats.labels import LabelFile, LabelledVideo, Remark
from actionformer.labels.actions import Actions, unit_of
from actionformer.labels.choices import Choices
from actionformer.labels.likeness import near_repeats
from actionformer.labels.matching import VideoNames, id_of
from actionformer.labels.recordings import Recording
from actionformer.labels.remarks import told

HOPELESS = 0.5
"""Share of labels after the end of their videos from which on times must be meant otherwise."""
CLOCK = "00:03:12 is 3 minutes and 12 seconds: if it is meant as 3 seconds and 12 frames, write it as seconds"
SUBSETS = {"train": "training", "trainval": "training", "val": "validation", "valid": "validation", "dev": "validation"}
"""What subsets are often called -> what they are called in settings."""


@dataclass(frozen=True)
class Imported:
    """What was made of label files."""

    annotations: Annotations
    remarks: Sequence[Remark]
    """What was left out, mended or guessed, by the readers and here."""


def annotations_of(
    files: Sequence[LabelFile], recordings: Mapping[str, Recording] | None = None, choices: Choices | None = None
) -> Imported:
    """The annotations that label files hold together.

    Args:
        files: as they were read.
        recordings: the videos that there are, by id; without them videos are called and last as the files say.
        choices: what the files leave open.

    Raises:
        InputError: nothing is left, frames of an unknown rate, times that must be meant in another unit, or a layer or
            annotator that is nowhere.
    """
    choices = choices or Choices()
    remarks = [remark for file in files for remark in file.remarks]
    entries = _chosen_layers([video for file in files for video in file.videos], choices.layers)
    by_id = _by_id(entries, recordings, remarks)
    trusted = _trusted(entries, choices.annotator)
    found: list[Actions] = []
    videos: list[NamedVideo] = []
    for id_, named in by_id.items():
        counting = _counting(id_, named, trusted, remarks)
        actions = Actions(id_, recordings[id_] if recordings else None, choices, remarks)
        for entry in counting:
            actions.add(entry)
        found.append(actions)
        if actions.found or (actions.complete and not actions.segments):
            subset = choices.subset or _subset(counting, remarks) or "training"
            group = next((one.group for one in counting if one.group), None)
            videos.append(NamedVideo(id_, subset, actions.duration, actions.fps, actions.in_time(), group))
        else:
            remarks.append(Remark("no label of the video is left, it is left out", id_))
    _check_units(found)
    videos += _unlabelled([one for one in recordings or () if one not in by_id], recordings or {}, choices, remarks)
    if not (names := _class_names(files, videos, choices)):
        raise InputError(f"no action is left of the labels: {next(told(remarks), 'there are none')}")
    remarks += near_repeats(Counter(action.label for video in videos for action in video.actions))
    return Imported(with_class_numbers(videos, names, "labels"), remarks)


def _chosen_layers(entries: Sequence[LabelledVideo], layers: Sequence[str]) -> list[LabelledVideo]:
    """Without what other layers hold; what belongs to none stays."""
    if not layers:
        return list(entries)
    there = dict.fromkeys(one.layer for entry in entries for one in entry.segments if one.layer)
    wanted = {known_name(name, list(there), f"there are {listed(list(there))}; none is") for name in layers} | {""}
    return [
        replace(entry, segments=[one for one in entry.segments if one.layer in wanted])
        for entry in entries
        if any(one.layer in wanted for one in entry.segments)
    ]


def _by_id(
    entries: Sequence[LabelledVideo], recordings: Mapping[str, Recording] | None, remarks: list[Remark]
) -> dict[str, list[LabelledVideo]]:
    known = VideoNames(recordings) if recordings is not None else None
    found: dict[str, list[LabelledVideo]] = {}
    unknown: dict[str, str] = {}
    for entry in entries:
        where = entry.segments[0].where if entry.segments else ""
        meant = known.meant_by(entry) if known else [id_of(entry.name)]
        if len(meant) == 1:
            found.setdefault(meant[0], []).append(entry)
        elif meant:
            remarks.append(
                Remark(f"video {entry.name!r} may be {' or '.join(meant)}: left out, name its folder", where)
            )
        else:
            unknown.setdefault(entry.name, where)
    if known and unknown and not found:
        raise InputError(f"{_missing(unknown, known.ids)}: none of the labels is of a video that is here")
    if known and unknown:
        remarks.append(Remark(f"{_missing(unknown, known.ids)}: left out", ""))
    return found


def _missing(unknown: Mapping[str, str], ids: Sequence[str]) -> str:
    count = f"{len(unknown)} labelled videos are" if len(unknown) > 1 else "a labelled video is"
    names = listed([repr(name) for name in unknown], 3)
    return f"{count} not among the {plural(len(ids), 'video')}: {names}{explained(list(unknown), ids)}"


def _trusted(entries: Iterable[LabelledVideo], annotator: str | None) -> list[str]:
    """Annotators, those that count before others first: the one asked for, else who labelled most videos."""
    counts = Counter(entry.annotator for entry in entries if entry.annotator)
    if annotator is not None:
        return [known_name(annotator, list(counts), f"there are {listed(list(counts)) or 'none'}; no annotator")]
    return [name for name, _ in counts.most_common()]


def _counting(
    id_: str, entries: Sequence[LabelledVideo], trusted: Sequence[str], remarks: list[Remark]
) -> list[LabelledVideo]:
    """What counts of a video: of annotators with labels in common the first that is trusted, and what names none."""
    labels: dict[str, set[str]] = {}
    for entry in entries:
        if entry.annotator:
            labels.setdefault(entry.annotator, set()).update(one.label for one in entry.segments)
    there = set(labels)
    if sum(map(len, labels.values())) == len(set().union(*labels.values())):  # none labelled what another did
        return list(entries)
    chosen = next((one for one in trusted if one in there), sorted(there)[0])
    what = (
        f"video labelled by {len(there)} annotators ({listed(sorted(there), 5)}): {chosen} counts; "
        "--annotator NAME chooses another"
    )
    remarks.append(Remark(what, id_))
    return [entry for entry in entries if entry.annotator in ("", chosen)]


def _subset(entries: Iterable[LabelledVideo], remarks: list[Remark]) -> str | None:
    stated = next((entry.subset for entry in entries if entry.subset), None)
    usual = SUBSETS.get((stated or "").casefold(), stated)
    if usual != stated:
        remarks.append(Remark(f"subset {stated!r} is called {usual!r}, as settings expect it", ""))
    return usual


def _check_units(found: Sequence[Actions]) -> None:
    """Checks that labels do not lie after the ends of their videos as if they were counted in another unit.

    Raises:
        InputError: they do; the unit is named if one explains it.
    """
    beyond, total = sum(len(one.beyond) for one in found), sum(one.segments for one in found)
    if total and beyond > HOPELESS * total:
        unit, sure = unit_of(found), any(segment.sure for one in found for segment in one.beyond)
        advice = f"counted in {unit} they would not: give --unit {unit}" if unit else "are they of these videos?"
        advice += f" {CLOCK}" if sure else ""
        raise InputError(f"{part(beyond, total, 'labels lie after the end of their videos')}; {advice}")


def _unlabelled(
    ids: Sequence[str], recordings: Mapping[str, Recording], choices: Choices, remarks: list[Remark]
) -> list[NamedVideo]:
    """Videos that no label names: background if that is asked for."""
    if not ids:
        return []
    what = "taken for background" if choices.background else "left out (--background: nothing happens in them)"
    remarks.append(Remark(f"videos without labels are {what}: {listed(ids, 5)}", ""))
    subset = choices.subset or "training"
    return [
        NamedVideo(id_, subset, recordings[id_].duration, recordings[id_].fps, ())
        for id_ in (ids if choices.background else ())
    ]


def _class_names(files: Sequence[LabelFile], videos: Sequence[NamedVideo], choices: Choices) -> list[str]:
    """As the files list them, then the others by name."""
    used = {action.label for video in videos for action in video.actions}
    listed_names = [choices.rename.get(name, name) for file in files for name in file.class_names]
    return list(dict.fromkeys([*listed_names, *sorted(used)])) if used else []
