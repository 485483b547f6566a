"""Detections as a project of BORIS: an observation per video, two events per action, whose comment is the score.

Where actions of one class overlap, which a subject of BORIS cannot, the later one is of a subject of its own.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

from actionformer.core.detections import in_time
from actionformer.formats.rows import VideoRows

VERSION = "7.0"
"""Of projects, since 2018."""
DATE = "%Y-%m-%dT%H:%M:%S"


def results_text(results: Iterable[VideoRows]) -> Iterator[str]:
    """A project, whose observations are the videos."""
    found = list(results)
    observations, subjects = {one.video: _observation(one) for one in found}, dict[str, None]()
    for observation in observations.values():
        subjects |= dict.fromkeys(event[1] for event in observation["events"] if event[1])
    labels = dict.fromkeys(row["label"] for one in found for row in one.rows)
    content = {
        "time_format": "hh:mm:ss",
        "project_date": datetime.now().strftime(DATE),
        "project_name": "actionformer",
        "project_description": "",
        "project_format_version": VERSION,
        "subjects_conf": {str(i): {"key": "", "name": name, "description": ""} for i, name in enumerate(subjects)},
        "behaviors_conf": {str(i): _behavior(label) for i, label in enumerate(labels)},
        "observations": observations,
        "behavioral_categories": [],
        "independent_variables": {},
        "coding_map": {},
        "behaviors_coding_map": [],
        "converters": {},
    }
    yield json.dumps(content, indent=1) + "\n"


def _behavior(label: str) -> dict[str, Any]:
    return {
        "type": "State event",
        "key": "",
        "code": label,
        "description": "",
        "category": "",
        "modifiers": {},
        "excluded": "",
        "coding map": "",
    }


def _observation(found: VideoRows) -> dict[str, Any]:
    path = found.source or found.video
    return {
        "file": {str(player): [path] if player == 1 else [] for player in range(1, 9)},
        "type": "MEDIA",
        "date": datetime.now().strftime(DATE),
        "description": "",
        "time offset": 0.0,
        "events": _events(found),
        "independent_variables": {},
        "visualize_spectrogram": False,
        "close_behaviors_between_videos": False,
        "media_info": {
            "length": {path: found.duration} if found.duration else {},
            "fps": {path: found.fps} if found.fps else {},
            "hasVideo": {path: True},
            "hasAudio": {path: False},
            "offset": {"1": 0.0},
        },
    }


def _events(found: VideoRows) -> list[list[Any]]:
    """[time, subject, code, modifier, comment, frame], by time; the end of an action before the start of the next."""
    events: list[tuple[float, int, list[Any]]] = []
    ends: dict[str, list[float]] = {}
    for row in in_time(found.rows):
        start, end = (round(time, 3) for time in row["segment"])
        lanes = ends.setdefault(row["label"], [])
        lane = next((i for i, last in enumerate(lanes) if last <= start), len(lanes))
        lanes[lane : lane + 1] = [end]
        subject = f"overlap {lane + 1}" if lane else ""
        for time, is_start, comment in ((start, 1, f"{row['score']:.3f}"), (end, 0, "")):
            frame = int(time * found.fps + 1e-6) if found.fps else "NA"
            order = 2 if start == end and not is_start else is_start  # of an action without length the start is first
            events.append((time, order, [time, subject, row["label"], "", comment, frame]))
    return [event for _, _, event in sorted(events, key=lambda one: one[:2])]
