"""Ego4D Moment Queries: what people do, filmed from their heads, in clips of eight minutes; 110 classes.

Papers give mAP at tIoU 0.1 to 0.5, and Recall@1x at 0.5. Licence: that of Ego4D, which is signed for
(https://ego4d-data.org). Read are `moments_train.json` and `moments_val.json`; only primary labels count, and none
shorter than 0.25 s, as published.

The published features are of whole videos, 32 frames every 16 at 30 a second. Those of a clip are cut out of them from
the last multiple of 16 frames on (`tools/convert_ego4d_trainval.py` of the code of ActionFormer writes such files), so
times count from there, up to half a second before the clip begins.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from actionformer.core.annotations import NamedAction
from actionformer.core.errors import InputError
from actionformer.core.files import read_json
from actionformer.datasets.base import TRAINING, Counts, Dataset, Recording
from actionformer.datasets.labelled import ANNOTATIONS, find_file

FILES = {"moments_train.json": TRAINING, "moments_val.json": "validation"}
STRIDE, CLIP = 16, 32
"""Frames between features, and of one."""
SHORTEST = 0.25
"""Seconds."""
RATES = (10, 100)
"""Frames a second between which a clip counts as whole."""
PUBLISHED = Counts(classes=110)


def read(source: Path) -> Dataset:
    """The annotations in their folder.

    Raises:
        InputError: a file is missing, or laid out in another way.
    """
    recordings: dict[str, Recording] = {}
    subset_of: dict[str, str] = {}
    for name, subset in FILES.items():
        path = find_file(source, name, expected="the moments of every clip")
        for id_, recording in _recordings(path):
            recordings[id_], subset_of[id_] = recording, subset
    names = sorted({one.label for recording in recordings.values() for one in recording.actions})
    return Dataset(recordings, tuple(names), {ANNOTATIONS: subset_of}, published=PUBLISHED)


def _recordings(path: Path) -> Iterator[tuple[str, Recording]]:
    try:
        for video in read_json(path)["videos"]:
            for clip in video["clips"]:
                if (recording := _recording(clip, str(path))) is not None:
                    yield clip["clip_uid"], recording
    except (KeyError, TypeError) as error:
        raise InputError(
            f"{path}: expected videos with clips as Ego4D writes them, {error!r:.60} is missing"
        ) from error


def _recording(clip: Mapping[str, Any], source: str) -> Recording | None:
    """The moments of a clip from the last whole feature before it on; None if its length in frames makes no sense."""
    start, end = max(float(clip["video_start_sec"]), 0.0), float(clip["video_end_sec"])
    first, last = max(int(clip["video_start_frame"]), 0), int(clip["video_end_frame"])
    fps = (last - first) / (end - start) if end > start else 0.0
    if not RATES[0] <= fps <= RATES[1]:
        return None
    before = first % STRIDE
    after = -(last - first + before - CLIP) % STRIDE
    zero = start - before / fps
    actions = [
        NamedAction(one["video_start_time"] - zero, one["video_end_time"] - zero, one["label"], None, source)
        for annotator in clip["annotations"]
        for one in annotator["labels"]
        if one["primary"] and one["video_end_time"] - one["video_start_time"] >= SHORTEST
    ]
    return Recording(end - zero + after / fps, actions, fps=fps)
