"""ActivityNet's results: `{"version", "results": {video: [{"label", "score", "segment"}]}, "external_data"}`.

Layout: http://activity-net.org/challenges/2021/tasks/anet_localization.html. Videos are called as
on YouTube, without `v_`.
"""

from __future__ import annotations

from typing import Any

from actionformer.core.errors import InputError
from actionformer.datasets.submissions.material import Material
from actionformer.datasets.youtube import youtube_id


def content(material: Material) -> dict[str, Any]:
    """The file's content.

    Raises:
        InputError: the detections are proposals of one class.
    """
    found = material.detections()
    labels = {name for one in found.values() for name in one.class_names}
    if len(labels) == 1:
        raise InputError(
            f"all detections are of one class, {labels.pop()!r}, and ActivityNet has 200: "
            "give evaluate or detect --video-scores, which give proposals their classes"
        )
    used = material.external_data is not None
    return {
        "version": "VERSION 1.3",
        "results": {youtube_id(video): one.to_dict() for video, one in found.items()},
        "external_data": {"used": used, "details": material.external_data or ""},
    }
