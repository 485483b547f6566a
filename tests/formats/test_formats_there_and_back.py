"""What is written for a tool is read back as it was, to the millisecond."""

import json
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actionformer import Detections
from actionformer.core.detections import Rows
from actionformer.formats.detections import results_pieces, video_text
from actionformer.formats.document import Document
from actionformer.formats.index import FORMATS, names
from actionformer.formats.labels import LabelFile
from actionformer.formats.recognition import recognised
from actionformer.formats.rows import VideoRows

BOTH_WAYS = [
    name for name in names(imports=True) if FORMATS[name].writes and name not in ("json", "label-studio", "cvat")
]
"""JSON results are no annotations, and Label Studio and CVAT keep frames."""
LABEL = st.text(st.characters(categories=["L", "N", "P", "S"]), min_size=1, max_size=8)
LABELS = st.lists(LABEL, min_size=1, max_size=3).map(" ".join)
START, LENGTH = st.integers(0, 5_000_000), st.integers(1, 100_000)
FOUND = st.lists(st.tuples(START, LENGTH, LABELS, st.floats(0.0, 1.0)), min_size=1, max_size=8)


def rows_of(found: list[tuple[int, int, str, float]]) -> Rows:
    return [
        {"label": label, "score": score, "segment": [start / 1000, (start + length) / 1000]}
        for start, length, label, score in found
    ]


def written(rows: Rows, format_: str) -> Document:
    if not FORMATS[format_].one_video:
        text = "".join(map(str, results_pieces([VideoRows("clip", rows, fps=25.0, duration=6000.0)], format_)))
        return Document("clip", text.encode())
    labels = sorted({row["label"] for row in rows})
    detections = Detections(
        segments=[row["segment"] for row in rows],
        scores=[row["score"] for row in rows],
        labels=[labels.index(row["label"]) for row in rows],
        class_names=tuple(labels),
    )
    return Document("clip", video_text(detections, format_, "file:///videos/clip.mp4").encode())


def labels_of(file: LabelFile) -> Counter[tuple[int, int, str]]:
    (video,) = file.videos
    assert video.name.rpartition("/")[2].removesuffix(".mp4") == "clip"
    return Counter((round(1000 * one.start), round(1000 * one.end), one.label) for one in video.segments)


@pytest.mark.parametrize("format_", BOTH_WAYS)
@given(found=FOUND)
def test_labels_come_back(format_: str, found: list[tuple[int, int, str, float]]) -> None:
    document = written(rows_of(found), format_)
    assert recognised(document) == format_
    back = FORMATS[format_].function("read_labels")(document)
    assert labels_of(back) == Counter((start, start + length, label) for start, length, label, _ in found)
    assert back.remarks == []


@pytest.mark.parametrize("accepted", [True, False])
@given(
    found=FOUND.filter(lambda found: len({one[0] for one in found}) == len(found)),
    fps=st.sampled_from([24.0, 25.0, 29.97, 50.0]),
)
def test_predictions_of_label_studio_come_back_to_the_frame(
    accepted: bool, found: list[tuple[int, int, str, float]], fps: float
) -> None:
    rows = rows_of(found)
    tasks = json.loads("".join(map(str, results_pieces([VideoRows("clip.mp4", rows, fps=fps)], "label-studio"))))
    for task in tasks if accepted else ():
        task["annotations"] = task.pop("predictions")
    document = Document(Path("export"), json.dumps(tasks).encode())
    (video,) = FORMATS[recognised(document)].function("read_labels")(document).videos
    assert (video.name, video.unit, video.fps) == ("clip.mp4", "frames", fps)
    wanted = sorted((row["segment"][0], row["segment"][1], row["label"]) for row in rows)
    for (start, end, label), one in zip(wanted, video.segments, strict=True):
        assert one.label == label
        assert abs(one.start / fps - start) <= 0.5 / fps + 1e-9
        assert abs(one.end / fps - end) <= 1.5 / fps + 1e-9  # what is shorter than a frame lasts one
        assert one.end > one.start


@given(found=FOUND, fps=st.sampled_from([24.0, 25.0, 29.97, 50.0]))
def test_tracks_of_cvat_come_back_to_the_frame(found: list[tuple[int, int, str, float]], fps: float) -> None:
    rows = rows_of(found)
    labels = sorted({row["label"] for row in rows})
    detections = Detections(
        [row["segment"] for row in rows],
        [row["score"] for row in rows],
        [labels.index(row["label"]) for row in rows],
        labels,
    )
    document = Document("export", video_text(detections, "cvat", "file:///videos/a%20clip.mp4", fps=fps).encode())
    assert recognised(document) == "cvat"
    back = FORMATS["cvat"].function("read_labels")(document)
    (video,) = back.videos
    assert (video.name, video.unit, back.remarks) == ("a clip.mp4", "frames", [])
    frames = [(round(row["segment"][0] * fps), round(row["segment"][1] * fps), row["label"]) for row in rows]
    wanted = Counter((start, max(end, start + 1), label) for start, end, label in frames)
    assert Counter((one.start, one.end, one.label) for one in video.segments) == wanted
