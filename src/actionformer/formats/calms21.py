"""CalMS21 as JSON: `{group: {sequence: {"annotations": [a number a frame], "metadata": {"vocab": {name: number}}}}}`.

Mice at 30 frames a second; the behaviour `other` is what is left over. The file's name tells the subset.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from actionformer.formats.document import Document
from actionformer.formats.frame_runs import runs
from actionformer.formats.labels import LabelFile, LabelledSegment, LabelledVideo

RATE = 30.0
REST = "other"
VOCABULARY = {"attack": 0, "investigation": 1, "mount": 2, REST: 3}
SUBSETS = {"train": "training", "test": "test"}


def holds_labels(document: Document) -> bool:
    """Whether groups have sequences that have a number a frame."""
    sequences = list(_sequences(document))
    return bool(sequences) and all(_is_sequence(one) for _, one in sequences)


def read_labels(document: Document) -> LabelFile:
    """The behaviours of every sequence."""
    subset = next((subset for part, subset in SUBSETS.items() if part in document.stem), None)
    videos, names = [], dict[str, int]()
    for name, sequence in _sequences(document):
        vocabulary = _vocabulary(sequence)
        names |= vocabulary
        segments = list(_segments(sequence["annotations"], vocabulary, document.where(item=f"sequence {name!r}")))
        videos.append(LabelledVideo(name, segments, "frames", RATE, subset=subset))
    classes = sorted((name for name in names if name != REST), key=lambda name: names[name])
    return LabelFile(videos, class_names=classes)


def _sequences(document: Document) -> Iterator[tuple[str, Any]]:
    content = document.json
    if isinstance(content, dict):
        for group in content.values():
            yield from group.items() if isinstance(group, dict) else [("", None)]


def _is_sequence(one: Any) -> bool:
    if not isinstance(one, dict) or not isinstance(one.get("annotations"), list):
        return False
    return bool(one.keys() & {"keypoints", "metadata"}) and all(type(label) is int for label in one["annotations"])


def _vocabulary(sequence: Mapping[str, Any]) -> dict[str, int]:
    found = sequence.get("metadata", {}).get("vocab")
    return found if isinstance(found, dict) else VOCABULARY


def _segments(labels: list[int], vocabulary: Mapping[str, int], where: str) -> Iterator[LabelledSegment]:
    names = {number: name for name, number in vocabulary.items()}
    for start, end, label in runs(names.get(label, str(label)) for label in labels):
        if label != REST:
            yield LabelledSegment(start, end, label, f"{where}, frame {start}")
