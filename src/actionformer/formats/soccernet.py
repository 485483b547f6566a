"""SoccerNet's `Labels-v2.json`: moments of a match, in milliseconds of the half that they are in.

A match is two videos, `1_720p` and `2_720p`, in a folder that `UrlLocal` names.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from actionformer.formats.document import Document
from actionformer.formats.labels import LabelFile, LabelledSegment, LabelledVideo, Remark
from actionformer.formats.numbers import number

_TIME = re.compile(r"([12]) - (\d+):(\d+)")


def holds_labels(document: Document) -> bool:
    """Whether annotations have a time of a game."""
    content = document.json
    if not isinstance(content, dict) or not isinstance(content.get("annotations"), list):
        return False
    return "UrlLocal" in content and all(isinstance(one, dict) and "gameTime" in one for one in content["annotations"])


def read_labels(document: Document) -> LabelFile:
    """The moments of both halves."""
    halves: dict[str, list[LabelledSegment]] = {"1": [], "2": []}
    remarks = []
    for place, one in enumerate(document.json["annotations"]):
        where = document.where(item=f"annotation {place}")
        time, label = _TIME.fullmatch(str(one["gameTime"]).strip()), one.get("label")
        if time is None or not isinstance(label, str):
            remarks.append(Remark("an annotation without a half or without a label is left out", where))
        else:
            at = _seconds(one, time)
            halves[time[1]].append(LabelledSegment(at, at, label, where, str(one.get("team", ""))))
    folder = str(document.json["UrlLocal"]).strip("/")
    videos = [LabelledVideo(f"{folder}/{half}_720p.mkv".lstrip("/"), found) for half, found in halves.items()]
    return LabelFile(videos, remarks)


def _seconds(one: Mapping[str, Any], time: re.Match[str]) -> float:
    """`position`, in milliseconds and written as text, else the time of the game, which is whole seconds."""
    position = number(one.get("position"))
    return position / 1000 if position is not None else 60.0 * int(time[2]) + int(time[3])
