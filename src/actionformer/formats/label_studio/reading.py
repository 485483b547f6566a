"""Labels of Label Studio: JSON with tasks, JSON_MIN, CSV, and the bodies that are sent to other programs.

Of several annotations of a task each is an annotator's; those that were cancelled are left out. What a program has
predicted is read of tasks that hold nothing else, such as those that we write. Timelines count frames
at the rate that the project's `<Video framerate=...>` states, which exports do not hold.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import parse_qs, urlsplit
from xml.etree import ElementTree

from actionformer.core.endings import SOUND_ALONE, VIDEOS
from actionformer.core.errors import InputError
from actionformer.core.files import parse_json
from actionformer.formats.document import Document
from actionformer.formats.label_studio.regions import LABELS, NoTimeError, Region, regions_of
from actionformer.formats.labels import LabelFile, LabelledSegment, LabelledVideo, Remark, Unit

OWN = {"id", "annotator", "annotation_id", "created_at", "updated_at", "lead_time", "agreement"}
"""Keys of a record that are neither data nor labels."""
_ENDINGS = "|".join(map(re.escape, sorted({*VIDEOS, *SOUND_ALONE, ".csv", ".tsv", ".json"})))
MEDIA = re.compile(rf"({_ENDINGS})(\?|$)", re.I)
"""What looks like the file, or the address, of a recording."""
PEOPLES = ("annotations", "completions")
"""Keys of what people have labelled in a task."""
PREDICTED = "a task with predictions alone: they are taken as labels, though nobody may have looked at them"
NO_RATE = (
    "the export does not say how many frames a second are counted, so the video's own rate is taken; Label Studio "
    "counts 24 where the project's <Video> states no framerate: if so, give --fps 24"
)
NO_TIME = (
    "a region whose times are no seconds of a recording, but of a clock, is left out: write them from its start on"
)


def holds_labels(document: Document) -> bool:
    """Whether it is a task with annotations, a list of tasks, records with regions, or such records as a table."""
    return any(True for _ in _tasks(document)) or bool(_records(document))


def read_labels(document: Document) -> LabelFile:
    """The labels of all tasks."""
    remarks: list[Remark] = []
    tasks = list(_tasks(document))
    if tasks:
        found = [video for task, where in tasks for video in _of_task(task, document, where, remarks)]
    else:
        records = _records(document)
        found = [_of_record(record, document, i, remarks) for i, record in enumerate(records)]
    return LabelFile(found, remarks)


def _tasks(document: Document) -> Iterator[tuple[Mapping[str, Any], str]]:
    content = document.json
    if isinstance(content, dict) and isinstance(content.get("annotation"), dict):  # what is sent to other programs
        project = content.get("project") or {}
        task = content.get("task") if isinstance(content.get("task"), dict) else {}
        yield (
            {**(task or {}), "annotations": [content["annotation"]], "label_config": project.get("label_config")},
            (document.where()),
        )
        return
    for number, task in enumerate(content if isinstance(content, list) else [content]):
        done = [task.get(key) for key in _keys(task)] if isinstance(task, dict) else []
        if any(isinstance(one, list) and all(map(_is_annotation, one)) and (one or "data" in task) for one in done):
            yield task, document.where(item=f"task {task.get('id', number)}")


def _keys(task: Mapping[str, Any]) -> tuple[str, ...]:
    """Where the annotations of a task are; where it has no place for them, its predictions are all there is."""
    return PEOPLES if any(key in task for key in PEOPLES) else ("predictions",)


def _is_annotation(one: Any) -> bool:
    return isinstance(one, dict) and isinstance(one.get("result"), list)


def _of_task(task: Mapping[str, Any], document: Document, where: str, remarks: list[Remark]) -> Iterator[LabelledVideo]:
    keys = _keys(task)
    annotations: Sequence[Any] = next((task[key] for key in keys if task.get(key)), [])
    if keys != PEOPLES and annotations:
        remarks.append(Remark(PREDICTED, where))
    data = task.get("data") if isinstance(task.get("data"), dict) else {}
    key, fps = _video_tag(task.get("label_config"))
    name, rate = _name(data or {}, key), fps or _rate(data or {})
    done = [one for one in annotations if not one.get("was_cancelled")]
    done = [one for one in done if one.get("ground_truth")] or done
    for annotation in done:
        values = [_with_kind(one) for one in annotation["result"] if isinstance(one, dict)]
        annotator = _annotator(annotation.get("completed_by", annotation.get("model_version"))) if len(done) > 1 else ""
        yield _video(name or document.stem, values, where, remarks, rate, annotator)


def _with_kind(result: Mapping[str, Any]) -> Any:
    return result.get("value") if result.get("type") in (None, *LABELS, "rectanglelabels", "videolabels") else None


def _annotator(by: Any) -> str:
    """An id, or an object with a name."""
    return str((by.get("email") or by.get("id")) if isinstance(by, dict) else by)


def _video(
    name: str,
    values: Sequence[Any],
    where: str,
    remarks: list[Remark],
    fps: float | None = None,
    annotator: str = "",
) -> LabelledVideo:
    regions, complete = list[Region](), True
    for value in values:
        try:
            regions += regions_of(value)
        except (NoTimeError, KeyError, TypeError):
            remarks.append(Remark(NO_TIME, where))
            complete = False
    frames = any(region.frames for region in regions)
    rate = fps or next((region.fps for region in regions if region.fps), None)
    if frames and rate is None:
        remarks.append(Remark(NO_RATE, where, settled_by="fps"))
    segments = [LabelledSegment(one.start, one.end, one.label, where) for one in regions if one.frames == frames]
    if len(segments) < len(regions):
        remarks.append(Remark("a task with labels in seconds and in frames: those in seconds are left out", where))
    unit: Unit = "frames" if frames else "seconds"
    return LabelledVideo(name, segments, unit, rate, annotator=annotator, counts_time=True, complete=complete)


def _video_tag(config: Any) -> tuple[str | None, float | None]:
    """The key of the data that names the recording, and the rate of frames, of a labelling interface."""
    try:
        root = ElementTree.fromstring(config)
    except (TypeError, ElementTree.ParseError):
        return None, None
    media = next((one for kind in ("Video", "Audio", "TimeSeries") for one in root.iter(kind)), None)
    if media is None:
        return None, None
    rate = media.get("framerate") or media.get("frameRate")
    return media.get("value", "").removeprefix("$") or None, _positive(rate) or (24.0 if media.tag == "Video" else None)


def _positive(value: Any) -> float | None:
    try:
        return number if (number := float(value)) > 0 else None
    except (TypeError, ValueError):
        return None


def _name(data: Mapping[str, Any], key: str | None = None) -> str:
    """What the data call the recording: under its key, else the first that looks like a file of one."""
    texts = {one: value for one, value in data.items() if isinstance(value, str) and value}
    name = texts.get(key or "") or next((one for one in texts.values() if MEDIA.search(one)), "")
    name = name or next(iter(texts.values()), "")
    local = parse_qs(urlsplit(name).query).get("d") if "local-files" in name else None
    return local[0] if local else name


def _rate(data: Mapping[str, Any]) -> float | None:
    """Frames a second, where the data of a task say them for `framerate="$fps"`."""
    return next((rate for key in ("fps", "framerate", "frame_rate") if (rate := _positive(data.get(key)))), None)


def _records(document: Document) -> list[dict[str, Any]]:
    """The records of JSON_MIN or of a CSV export."""
    content = document.json
    if content is None and "annotation_id" in document.header:
        header = document.table[0].cells
        content = [dict(zip(header, map(_cell, row.cells), strict=False)) for row in document.table[1:]]
    records = [one for one in content if isinstance(one, dict)] if isinstance(content, list) else []
    return [one for one in records if "annotation_id" in one and ("annotator" in one or "lead_time" in one)]


def _cell(text: str) -> Any:
    if not text.startswith(("[", "{")):
        return text
    try:
        return parse_json(text, "")
    except InputError:
        return text


def _of_record(record: Mapping[str, Any], document: Document, number: int, remarks: list[Remark]) -> LabelledVideo:
    where = document.where(item=f"record {number}")
    data = {key: value for key, value in record.items() if key not in OWN}
    values = [one for value in data.values() if isinstance(value, list) for one in value]
    return _video(_name(data) or document.stem, values, where, remarks, _rate(data), str(record.get("annotator", "")))
