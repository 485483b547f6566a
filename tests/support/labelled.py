"""Label files that are read in tests, and what they say in short."""

import json
from pathlib import Path
from typing import Any

import pytest

from actionformer.formats.document import Document
from actionformer.formats.index import FORMATS
from actionformer.formats.labels import LabelFile, LabelledVideo
from actionformer.formats.recognition import recognised

Short = tuple[float, float, str]
"""Start and end in seconds, label."""


def read_as(name: str, path: str | Path, content: str | bytes | None = None) -> LabelFile:
    """The labels of a file that must be recognised as of a format, and of no other."""
    data = content.encode() if isinstance(content, str) else content
    document = Document(path, data)
    assert recognised(document) == name
    found: LabelFile = FORMATS[name].function("read_labels")(document)
    return found


def in_seconds(video: LabelledVideo, fps: float = 1.0) -> list[Short]:
    """The segments of a video; frames take the rate of the file, or this one."""
    rate = 1.0 if video.unit == "seconds" else video.fps or fps
    return [(one.start / rate, one.end / rate, one.label) for one in video.segments]


def only(found: LabelFile, fps: float = 1.0) -> list[Short]:
    """The segments of the only video of a file."""
    (video,) = found.videos
    return in_seconds(video, fps)


def expected(shared: Path, file: str) -> list[dict[str, Any]]:
    """The segments of a sample that were read by hand."""
    every = json.loads((shared / "data/formats/expected.json").read_text("utf-8"))
    (one,) = [entry for entry in every if entry["file"] == file]
    return list(one["segments"])


def assert_as_expected(shared: Path, found: list[Short], file: str, left_out: frozenset[str] = frozenset()) -> None:
    """Compares, to the millisecond, with what was read by hand, but for labels that a reader leaves out on purpose."""
    wanted = [(one["label"], one["start"], one["end"]) for one in expected(shared, file)]
    wanted = sorted(one for one in wanted if one[0] not in left_out)
    assert [label for label, _, _ in wanted] == [label for _, _, label in sorted(found, key=_by_label)]
    for (_, start, end), one in zip(wanted, sorted(found, key=_by_label), strict=True):
        assert one[:2] == pytest.approx((start, end), abs=0.001)


def _by_label(one: Short) -> tuple[str, float, float]:
    return one[2], one[0], one[1]
