"""Detections as a project of VIA 3: a temporal segment per action, with its class and its score."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import PurePath, PurePosixPath
from typing import Any

from actionformer.core.detections import in_time
from actionformer.formats.rows import VideoRows

CLASS, SCORE = "1", "2"
"""Ids of the attributes."""
TEXT, SELECT = 1, 4
"""Types of attributes."""
LOCAL, VIDEO = 1, 4
"""Where a file lies, and its type."""


def results_text(results: Iterable[VideoRows]) -> Iterator[str]:
    """A project with all videos; VIA asks for the files when it is opened."""
    found = list(results)
    options = {
        label: str(i) for i, label in enumerate(dict.fromkeys(row["label"] for one in found for row in one.rows))
    }
    videos = [(str(i), one) for i, one in enumerate(found, 1)]
    content = {
        "project": {
            "pid": "__VIA_PROJECT_ID__",
            "rev": "__VIA_PROJECT_REV_ID__",
            "rev_timestamp": "__VIA_PROJECT_REV_TIMESTAMP__",
            "pname": "actionformer",
            "creator": "VGG Image Annotator (http://www.robots.ox.ac.uk/~vgg/software/via)",
            "created": 0,
            "vid_list": [id_ for id_, _ in videos],
        },
        "config": {
            "file": {"loc_prefix": {"1": "", "2": "", "3": "", "4": ""}},
            "ui": {
                "file_content_align": "center",
                "file_metadata_editor_visible": True,
                "spatial_metadata_editor_visible": False,
                "temporal_segment_metadata_editor_visible": True,
                "spatial_region_label_attribute_id": "",
                "gtimeline_visible_row_count": "4",
            },
        },
        "attribute": {
            CLASS: _attribute("action", SELECT, {id_: label for label, id_ in options.items()}),
            SCORE: _attribute("score", TEXT, {}),
        },
        "file": {id_: _file(id_, name) for (id_, _), name in zip(videos, _names(found), strict=True)},
        "metadata": {
            f"{id_}_{i}": _segment(id_, row, options)
            for id_, one in videos
            for i, row in enumerate(in_time(one.rows), 1)
        },
        "view": {id_: {"fid_list": [id_]} for id_, _ in videos},
    }
    yield json.dumps(content) + "\n"


def _attribute(name: str, kind: int, options: dict[str, str]) -> dict[str, Any]:
    return {
        "aname": name,
        "anchor_id": "FILE1_Z2_XY0",
        "type": kind,
        "desc": "",
        "options": options,
        "default_option_id": "",
    }


def _names(found: Sequence[VideoRows]) -> list[str]:
    """What the files are called; those of one name with the folders of their ids."""
    names = [PurePath(one.source).name if one.source else one.video for one in found]
    counts = Counter(names)
    return [
        name if counts[name] == 1 else str(PurePosixPath(one.video).parent / name)
        for name, one in zip(names, found, strict=True)
    ]


def _file(id_: str, name: str) -> dict[str, Any]:
    return {"fid": id_, "fname": name, "type": VIDEO, "loc": LOCAL, "src": ""}


def _segment(id_: str, row: dict[str, Any], options: dict[str, str]) -> dict[str, Any]:
    times = [round(time, 3) for time in row["segment"]]
    values = {CLASS: options[row["label"]], SCORE: f"{row['score']:.3f}"}
    return {"vid": id_, "flg": 0, "z": times, "xy": [], "av": values}
