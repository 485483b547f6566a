"""Detections as the evaluation server of a benchmark takes them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from actionformer.core.files import check_absent, write_whole
from actionformer.datasets.submissions.index import BenchmarkName, submission_content
from actionformer.datasets.submissions.material import Material


def submission(
    name: BenchmarkName,
    results: Sequence[str | Path],
    *,
    out: str | Path,
    source: str | Path | None = None,
    external_data: str | None = None,
    overwrite: bool = False,
) -> Path:
    """Writes detections as the evaluation server of a benchmark takes them.

    Args:
        name: which benchmark: activitynet13, epic100 (actions: pairs of a verb and a noun) or ego4d (moment queries).
        results: files that detect or evaluate has written; of epic100 two, first of the verb model, then of the noun
            model.
        out: the file to write.
        source: the folder of the data set as its authors publish it. epic100: the lists of classes. ego4d: the moments,
            which say where clips begin.
        external_data: what the model has seen besides the data set, in words, for ActivityNet's file.
        overwrite: replace a file that exists.

    Returns:
        The file.

    Raises:
        InputError: detections that the file cannot hold, a folder that lacks something, or a file that is there.
    """
    out = Path(out)
    check_absent([out], overwrite=overwrite)
    material = Material([Path(one) for one in results], None if source is None else Path(source), external_data)
    write_whole(out, json.dumps(submission_content(name, material)) + "\n")
    return out
