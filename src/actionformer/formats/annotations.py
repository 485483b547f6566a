"""Annotations in files of any format that can be read or written."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from actionformer.core.annotations import Annotations
from actionformer.core.errors import warn
from actionformer.core.files import write_whole
from actionformer.core.names import alike
from actionformer.formats.index import find


def read_annotations(path: str | Path, class_names: Sequence[str] | None = None) -> Annotations:
    """Read an annotation file in ActivityNet JSON layout.

    Args:
        path: `{"database": {id: {"subset", "duration"?, "fps"?, "annotations"?: [{"segment": [start, end],
            "label", "label_id"?}]}}}`, times in seconds.
        class_names: a trained model's classes; labels become indices into them, by name.

    Raises:
        InputError: a broken file or entry (file, video and annotation are named), an inconsistent `label_id`,
            or a label that is not in `class_names`.
    """
    read = find(path=path, can="read_annotations").function("read_annotations")
    found: Annotations = read(path, class_names)
    if class_names is None:
        for group in alike(found.class_names):
            warn(f"{path}: classes {' and '.join(map(repr, group))} are taken for different ones: is that meant?")
    return found


def write_annotations(path: str | Path, annotations: Annotations, format: str = "json") -> None:
    """Write annotations, by default in ActivityNet JSON layout with label ids, whole or not at all."""
    write_whole(path, find(format).function("annotations_text")(annotations))
