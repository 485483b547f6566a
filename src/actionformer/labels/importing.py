"""Annotations of videos from label files of any kind."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from actionformer.core.annotations import Annotations, NamedVideo, with_class_numbers
from actionformer.core.errors import InputError, listed
from actionformer.core.names import explained, known_name, spelled
from actionformer.core.words import part, plural
from actionformer.formats.labels import LabelFile, LabelledSegment, LabelledVideo, Remark
from actionformer.labels.actions import Actions, unit_of
from actionformer.labels.choices import Choices
from actionformer.labels.likeness import near_repeats, nothings
from actionformer.labels.matching import VideoNames, id_of, named_as_its_file, places_of
from actionformer.labels.recordings import Recording, said_of_uneven
from actionformer.labels.remarks import told

HOPELESS = 0.5
"""Share of labels after the end of their videos from which on times must be meant otherwise."""
TIMES = "import seconds instead, or labels of a copy"
"""What to do where labels count pictures that do not come steadily."""
CLOCK = "00:03:12 is 3 minutes and 12 seconds: if it is meant as 3 seconds and 12 frames, write it as seconds"
"""What to say of clock times that lie after the ends of their videos."""
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
    remarks = [one for file in files for one in file.remarks if not (one.settled_by == "fps" and choices.fps)]
    files = _named_alike(files, choices.rename)
    entries = _chosen_layers([video for file in files for video in file.videos], choices.layers)
    by_id, unsure = _by_id(entries, recordings, remarks)
    trusted = _trusted(entries, choices.annotator)
    found: list[Actions] = []
    videos: list[NamedVideo] = []
    for id_, named in by_id.items():
        counting = _counting(id_, named, trusted, remarks)
        recording = _labelled(id_, recordings)
        if recording and recording.stated:
            remarks.append(Remark(_cut(recording), id_))
        actions = Actions(id_, recording, choices, remarks)
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
    if uneven := said_of_uneven([one.recording for one in found if one.recording and one.counts_pictures], TIMES):
        remarks.append(Remark(uneven, ""))
    without = [one for one in recordings or () if one not in by_id and one not in unsure]
    videos += _unlabelled(without, recordings or {}, choices, remarks)
    if not (names := _class_names(files, videos)):
        raise InputError(f"no action is left of the labels: {next(told(remarks), 'there are none')}")
    counts = Counter(action.label for video in videos for action in video.actions)
    remarks += [*nothings(counts), *near_repeats(counts)]
    return Imported(with_class_numbers(videos, names, "labels"), remarks)


def _named_alike(files: Sequence[LabelFile], rename: Mapping[str, str]) -> list[LabelFile]:
    """With labels as they are to be called; names that are one are spelled as the first of them."""
    renamed = {spelled(old): new for old, new in rename.items()}
    known: dict[str, str] = {}

    def first(name: str) -> str:
        return known.setdefault(spelled(name), name)

    def called(label: str) -> str:
        return first(renamed.get(spelled(label), label))

    def of_segment(one: LabelledSegment) -> LabelledSegment:
        label, layer = called(one.label), first(one.layer)
        return one if (label, layer) == (one.label, one.layer) else replace(one, label=label, layer=layer)

    def of_video(video: LabelledVideo) -> LabelledVideo:
        return replace(
            video,
            segments=list(map(of_segment, video.segments)),
            subset=None if video.subset is None else first(video.subset),
            annotator=first(video.annotator),
            group=first(video.group),
        )

    return [
        replace(file, class_names=list(map(called, file.class_names)), videos=list(map(of_video, file.videos)))
        for file in files
    ]


def _chosen_layers(entries: Sequence[LabelledVideo], layers: Sequence[str]) -> list[LabelledVideo]:
    """Without what other layers hold; what belongs to none stays."""
    if not layers:
        return list(entries)
    there = dict.fromkeys(one.layer for entry in entries for one in entry.segments if one.layer)
    wanted = {known_name(name, list(there), "no layer") for name in layers} | {""}
    return [
        replace(entry, segments=[one for one in entry.segments if one.layer in wanted])
        for entry in entries
        if not entry.segments or any(one.layer in wanted for one in entry.segments)
    ]


def _by_id(
    entries: Sequence[LabelledVideo], recordings: Mapping[str, Recording] | None, remarks: list[Remark]
) -> tuple[dict[str, list[LabelledVideo]], set[str]]:
    """The entries of every video, and videos of which nothing says whether entries mean them."""
    known = VideoNames(recordings) if recordings is not None else None
    found: dict[str, list[LabelledVideo]] = {}
    unknown: dict[str, str] = {}
    unsure: set[str] = set()
    first: dict[str, str] = {}
    for entry in entries:
        where = entry.segments[0].where if entry.segments else entry.source
        meant = known.meant_by(entry) if known else [id_of(entry.name)]
        if len(meant) == 1:
            id_ = first.setdefault(spelled(meant[0]), meant[0])
            found.setdefault(id_, []).append(entry)
        elif meant:
            unsure.update(meant)
            remarks.append(
                Remark(f"video {entry.name!r} may be {' or '.join(meant)}: left out, name its folder", where)
            )
        else:
            unknown.setdefault(entry.name, where)
    if known and unknown and not found:
        raise InputError(f"{_missing(unknown, known.ids)}: none of the labels is of a video that is here")
    if known and unknown:
        remarks.append(Remark(f"{_missing(unknown, known.ids)}: left out", ""))
    remarks += _several_paths(found)
    return found, unsure


def _several_paths(found: Mapping[str, Sequence[LabelledVideo]]) -> Iterator[Remark]:
    """A remark where files of one name in several folders are taken for one video."""
    several: dict[str, list[str]] = {}
    for id_, entries in found.items():
        for by_stem in (False, True):
            own = [one for one in entries if named_as_its_file(one) == by_stem]
            paths = {places_of(one, id_): one.source if by_stem else one.name for one in reversed(own)}
            paths.pop((), None)
            if len(paths) > 1:
                several.setdefault(id_, sorted(paths.values()))
    if several:
        id_, named = next(iter(several.items()))
        what = f"{listed(list(map(repr, named)), 3)} are taken for one video, {id_!r}"
        more = f", and so are paths of {plural(len(several) - 1, 'other video')}" if len(several) > 1 else ""
        yield Remark(f"{what}{more}: if they are several videos, give --videos a folder above all of them", "")


def _missing(unknown: Mapping[str, str], ids: Sequence[str]) -> str:
    count = f"{len(unknown)} labelled videos are" if len(unknown) > 1 else "a labelled video is"
    names = listed([repr(name) for name in unknown], 3)
    return f"{count} not among the {plural(len(ids), 'video')}: {names}{explained(list(unknown), ids)}"


def _trusted(entries: Iterable[LabelledVideo], annotator: str | None) -> list[str]:
    """Annotators, those that count before others first: the one asked for, else who labelled most videos."""
    counts = Counter(entry.annotator for entry in entries if entry.annotator)
    if annotator is not None:
        return [known_name(annotator, list(counts), "no annotator")]
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
        raise InputError(f"{part(beyond, total, 'labels lie after the end of their video')}; {advice}")


def _labelled(id_: str, recordings: Mapping[str, Recording] | None) -> Recording | None:
    """The recording that labels are of; None where none are given.

    Raises:
        InputError: it cannot be read.
    """
    try:
        return recordings[id_] if recordings is not None else None
    except InputError as error:
        raise InputError(f"{error}; there are labels of it: replace it, or take it out of --videos") from error


def _cut(recording: Recording) -> str:
    return (
        f"is cut short: {recording.duration:.2f} s can be read, the file says {recording.stated:.2f} s: copy it again, "
        "or go on with the part that is there"
    )


def _unlabelled(
    ids: Sequence[str], recordings: Mapping[str, Recording], choices: Choices, remarks: list[Remark]
) -> Iterator[NamedVideo]:
    """Videos that no label names: background if that is asked for."""
    if not ids:
        return
    what = "taken for background" if choices.background else "left out (--background: nothing happens in them)"
    remarks.append(Remark(f"videos without labels are {what}: {listed(ids, 5)}", ""))
    for id_ in ids if choices.background else ():
        try:
            one = recordings[id_]
        except InputError as error:
            remarks.append(Remark(f"{error}: left out", ""))
        else:
            yield NamedVideo(id_, choices.subset or "training", one.duration, one.fps, ())


def _class_names(files: Sequence[LabelFile], videos: Sequence[NamedVideo]) -> list[str]:
    """As the files list them, then the others by name."""
    used = {action.label for video in videos for action in video.actions}
    listed_names = [name for file in files for name in file.class_names]
    return list(dict.fromkeys([*listed_names, *sorted(used)])) if used else []
