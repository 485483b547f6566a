"""EPIC-Kitchens-100 action detection: the detections of a verb model and of a noun model, paired into actions.

`{"version", "challenge", "sls_pt", "sls_tl", "sls_td", "results": {video: [{"verb", "noun", "action", "score",
"segment"}]}}`, classes by their numbers. Layout and checks: `EvaluationCode/evaluate_detection_json_ek100.py` of
https://github.com/epic-kitchens/C2-Action-Detection.

The code of ActionFormer scores verbs and nouns apart and makes no actions. Of published rules the baseline's (above)
takes both classes of the same proposal, with the product of their scores; TIM (Chalk et al., CVPR 2024) of the same
query, with a weighted geometric mean of the scores and a mean of the segments that is weighted by the scores. Here two
models have segments of their own, so a verb is paired with every noun that overlaps it at `LEAST_TIOU`. Score: the
geometric mean, which orders as the product does. Segment: as TIM's.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from actionformer.core.detections import Detections
from actionformer.core.errors import InputError
from actionformer.core.segments import tiou
from actionformer.datasets.epic100 import class_names
from actionformer.datasets.submissions.material import Material
from actionformer.formats.detections import read_results

HOLDS = "EPIC_100_verb_classes.csv and EPIC_100_noun_classes_v2.csv"
LEAST_TIOU = 0.5
"""From which on a verb and a noun are one action: of 0.1 to 0.8 the best on 50 Salads (`benchmarks/pairing.py`)."""
MOST = 2000
"""Actions of a video, as many as the published settings keep of its verbs."""
SUPERVISION = {"sls_pt": 2, "sls_tl": 3, "sls_td": 3}
"""Supervision Levels Scale (Damen and Wray, 2020): public pre-training, start and end of every action, training set."""


def content(material: Material) -> dict[str, Any]:
    """The file's content.

    Raises:
        InputError: not one file of verbs and one of nouns, a class that is none, or no list of classes.
    """
    material.check_no_external_data("EPIC-Kitchens")
    if len(material.results) != 2:
        raise InputError(
            f"EPIC-Kitchens takes the detections of two models, first of verbs, then of nouns: "
            f"expected 2 files, found {len(material.results)}"
        )
    source = material.folder(HOLDS)
    verbs, nouns = (_read(path, source, layer) for path, layer in zip(material.results, ("verb", "noun"), strict=True))
    if alone := sorted(verbs.keys() ^ nouns.keys()):
        raise InputError(
            f"{len(alone)} videos are in one of the two files alone, such as {alone[0]!r}: "
            "search the same videos with both models"
        )
    results = {video: action_rows(found, nouns[video]) for video, found in verbs.items()}
    return {"version": "0.2", "challenge": "action_detection", **SUPERVISION, "results": results}


def _read(path: Path, source: Path, layer: str) -> dict[str, Detections]:
    try:
        return read_results(path, class_names(source, layer))
    except InputError as error:
        raise InputError(
            f"{error} (as the file of {layer}s: the first file is of verbs, the second of nouns)"
        ) from error


def action_rows(verbs: Detections, nouns: Detections, least: float = LEAST_TIOU) -> list[dict[str, Any]]:
    """The actions of a video, best first: at most `MOST` pairs of a verb and a noun, labels are EPIC's numbers.

    Args:
        verbs: what the verb model found.
        nouns: what the noun model found in the same video.
        least: tIoU from which on the two are a pair.
    """
    verb, noun = np.nonzero(tiou(verbs.segments, nouns.segments) >= least)
    first, second = verbs.scores[verb], nouns.scores[noun]
    scores = np.sqrt(first * second)
    best = np.argsort(-scores, kind="stable")[:MOST]
    verb, noun, scores = verb[best], noun[best], scores[best]
    total = first[best] + second[best]
    share = np.divide(first[best], total, out=np.full_like(total, 0.5), where=total > 0)[:, None]
    segments = share * verbs.segments[verb] + (1 - share) * nouns.segments[noun]
    labels = zip(verbs.labels[verb].tolist(), nouns.labels[noun].tolist(), strict=True)
    return [
        {"verb": v, "noun": n, "action": f"{v},{n}", "score": score, "segment": segment}
        for (v, n), score, segment in zip(labels, scores.tolist(), segments.tolist(), strict=True)
    ]
