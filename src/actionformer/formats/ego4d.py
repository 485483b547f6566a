"""Moments of Ego4D: `moments_train.json` and the like, or `clip_annotations.json`; only those that are primary.

Times are in the clip, which the video is named after. Several annotators have labelled a clip, and all of them count.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from actionformer.formats.document import Document
from actionformer.formats.labels import LabelFile, LabelledSegment, LabelledVideo, Remark
from actionformer.formats.numbers import number


def holds_labels(document: Document) -> bool:
    """Whether videos have clips, or clips are named after themselves."""
    return bool(_moments(document)) or bool(_clips(document))


def read_labels(document: Document) -> LabelFile:
    """The primary moments of every clip."""
    remarks: list[Remark] = []
    videos = [_video_of_moments(document, subset, clip, remarks) for subset, clip in _moments(document)]
    videos += [_video_of_clip(document, name, clip, remarks) for name, clip in _clips(document).items()]
    return LabelFile(videos, remarks)


def _moments(document: Document) -> list[tuple[str, Mapping[str, Any]]]:
    """Subset and clip."""
    videos = document.json.get("videos") if isinstance(document.json, dict) else None
    if not isinstance(videos, list) or not all(isinstance(one, dict) and "clips" in one for one in videos):
        return []
    return [(str(video.get("split", "")), clip) for video in videos for clip in video["clips"] if "clip_uid" in clip]


def _clips(document: Document) -> Mapping[str, Mapping[str, Any]]:
    content = document.json
    if not isinstance(content, dict):
        return {}
    return content if all(isinstance(one, dict) and "parent_start_sec" in one for one in content.values()) else {}


def _video_of_moments(document: Document, subset: str, clip: Mapping[str, Any], remarks: list[Remark]) -> LabelledVideo:
    name = str(clip["clip_uid"])
    start, end = (number(clip.get(f"video_{end}_sec")) for end in ("start", "end"))
    zero = max(start or 0.0, 0.0)  # slightly negative in some clips
    segments = []
    for annotator in clip.get("annotations") or []:
        layer = str(annotator.get("annotator_uid", ""))
        segments += list(_segments(document, name, annotator.get("labels") or [], zero, layer, remarks))
    return LabelledVideo(name, segments, duration=end - zero if end is not None else None, subset=subset or None)


def _video_of_clip(document: Document, name: str, clip: Mapping[str, Any], remarks: list[Remark]) -> LabelledVideo:
    start, end = number(clip["parent_start_sec"]), number(clip.get("parent_end_sec"))
    zero = max(start or 0.0, 0.0)
    segments = list(_segments(document, name, clip.get("annotations") or [], zero, "", remarks))
    duration = end - zero if end is not None else None
    return LabelledVideo(name, segments, duration=duration, subset=str(clip.get("subset") or "") or None)


def _segments(
    document: Document, name: str, labels: list[Any], zero: float, layer: str, remarks: list[Remark]
) -> Iterator[LabelledSegment]:
    for place, one in enumerate(labels):
        where = document.where(item=f"clip {name}, label {place}")
        times = _times(one, zero)
        if not one.get("primary"):
            remarks.append(Remark("a moment that is not primary is left out", where))
        elif times is None or not one.get("label"):
            remarks.append(Remark("a moment without times or without a label is left out", where))
        else:
            yield LabelledSegment(*times, str(one["label"]), where, layer)


def _times(one: Mapping[str, Any], zero: float) -> tuple[float, float] | None:
    """In the clip: as the file says, else from the times in the video."""
    start, end = number(one.get("start_time")), number(one.get("end_time"))
    if start is not None and end is not None:
        return start, end
    start, end = number(one.get("video_start_time")), number(one.get("video_end_time"))
    return (start - zero, end - zero) if start is not None and end is not None else None
