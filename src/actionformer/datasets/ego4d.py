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
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from actionformer.core.annotations import NamedAction
from actionformer.core.errors import InputError
from actionformer.core.files import read_json
from actionformer.datasets.base import TRAINING, Counts, Dataset, Recording
from actionformer.datasets.labelled import ANNOTATIONS, find_file, find_files

FILES = {"moments_train.json": TRAINING, "moments_val.json": "validation"}
MOMENTS = "moments_*.json"
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
        for clip, time in _clips(path):
            recordings[clip["clip_uid"]], subset_of[clip["clip_uid"]] = _recording(clip, time, path), subset
    names = sorted({one.label for recording in recordings.values() for one in recording.actions})
    return Dataset(recordings, tuple(names), {ANNOTATIONS: subset_of}, published=PUBLISHED)


@dataclass(frozen=True)
class ClipTime:
    """How a clip lies in the time that its features and annotations count."""

    split: str
    """Of the video that it is cut out of: train, val or test."""
    lead: float
    """Seconds from where times count to the beginning of the clip."""
    duration: float
    """Seconds of the clip itself."""
    fps: float
    """Frames per second of the video."""
    padded: float
    """Seconds that its features cover."""


def clip_times(source: Path) -> dict[str, ClipTime]:
    """The clips of all files of moments in a folder and the folders below.

    Raises:
        InputError: there is none, or one is laid out in another way.
    """
    find_file(source, MOMENTS, expected="the clips of Ego4D's moments")
    return {clip["clip_uid"]: time for path in find_files(source, MOMENTS) for clip, time in _clips(path)}


@contextmanager
def _as_published(path: Path) -> Iterator[None]:
    try:
        yield
    except InputError:
        raise
    except KeyError as error:
        raise InputError(f"{path}: expected videos with clips as Ego4D writes them, {error} is missing") from error
    except (TypeError, ValueError, OverflowError) as error:
        raise InputError(f"{path}: expected videos with clips as Ego4D writes them ({error!s:.60})") from error


def _clips(path: Path) -> list[tuple[Mapping[str, Any], ClipTime]]:
    """The clips of a file whose length in frames makes sense."""
    with _as_published(path):
        timed = [(clip, _clip_time(clip, video["split"])) for video in read_json(path)["videos"]
                 for clip in video["clips"]]  # fmt: skip
    return [(clip, time) for clip, time in timed if time is not None]


def _recording(clip: Mapping[str, Any], time: ClipTime, path: Path) -> Recording:
    """The primary moments of a clip, none shorter than `SHORTEST`."""
    with _as_published(path):
        zero = max(float(clip["video_start_sec"]), 0.0) - time.lead
        actions = [
            NamedAction(
                one["video_start_time"] - zero, one["video_end_time"] - zero, str(one["label"]), None, str(path)
            )
            for annotator in clip["annotations"]
            for one in annotator["labels"]
            if one["primary"] and one["video_end_time"] - one["video_start_time"] >= SHORTEST
        ]
    return Recording(time.padded, actions, fps=time.fps)


def _clip_time(clip: Mapping[str, Any], split: str) -> ClipTime | None:
    """From the last whole feature before the clip on; None if its length in frames makes no sense."""
    start, end = max(float(clip["video_start_sec"]), 0.0), float(clip["video_end_sec"])
    first, last = max(int(clip["video_start_frame"]), 0), int(clip["video_end_frame"])
    fps = (last - first) / (end - start) if end > start else 0.0
    if not RATES[0] <= fps <= RATES[1]:
        return None
    before = first % STRIDE
    after = -(last - first + before - CLIP) % STRIDE
    return ClipTime(split, before / fps, end - start, fps, end - start + (before + after) / fps)
