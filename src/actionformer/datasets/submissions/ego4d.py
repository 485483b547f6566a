"""Ego4D Moment Queries: `{"version", "challenge", "detect_results", "retrieve_results"}`, each {clip: [detections]}.

Layout: `MQ/Merge_detection_retrieval.py` of https://github.com/EGO4D/episodic-memory. Detections are scored by mAP, and
retrieval by the recall of the best of each class that a clip has; one list serves both. The evaluation looks every
clip up, so clips without detections have empty lists.
"""

from __future__ import annotations

from typing import Any

from actionformer.core.detections import Detections, Rows
from actionformer.core.names import known_name
from actionformer.datasets.ego4d import ClipTime, clip_times
from actionformer.datasets.submissions.material import Material

HOLDS = "moments_val.json, moments_test_unannotated.json or the like: they say where clips begin"


def content(material: Material) -> dict[str, Any]:
    """The file's content, times in seconds from the beginning of the clip.

    Raises:
        InputError: no folder with the moments, or a clip that they do not have.
    """
    material.check_no_external_data("Ego4D")
    source = material.folder(HOLDS)
    clips = clip_times(source)
    found = {known_name(clip, clips, f"{source}: no clip"): one for clip, one in material.detections().items()}
    splits = {clips[clip].split for clip in found}
    rows = {clip: _rows(found[clip], time) if clip in found else []
            for clip, time in clips.items() if time.split in splits}  # fmt: skip
    return {
        "version": "1.0",
        "challenge": "ego4d_moment_queries",
        "detect_results": rows,
        "retrieve_results": rows,
    }


def _rows(found: Detections, clip: ClipTime) -> Rows:
    """Detections in the clip's own time; what lies outside of it is cut off."""
    inside = [(row, [min(max(time - clip.lead, 0.0), clip.duration) for time in row["segment"]])
              for row in found.to_dict()]  # fmt: skip
    return [row | {"segment": [start, end]} for row, (start, end) in inside if end > start]
