"""What a file says of itself, for those who have nothing but the file."""

from __future__ import annotations

from typing import Any

from actionformer.engines.graph import Graph
from actionformer.features import FeatureSpec
from actionformer.features.timing import GRID
from actionformer.inference.detector import Detector

KEY = "actionformer"
"""Where a file has its description, as JSON."""


def description(detector: Detector, graph: Graph, timing: FeatureSpec, outputs: str) -> dict[str, Any]:
    """The description, of plain values: docs/export.md says what each means.

    Args:
        detector: which is exported.
        graph: what it has become.
        timing: how the features lie in time that the graph is made for.
        outputs: of the graph, by their name in `export`.
    """
    config, card, data = detector.config, detector.card, detector.config.data
    known = {name: value for name, value in card.features.to_dict().items() if name != "duration"}
    placed = {name: value for name in GRID if (value := getattr(timing, name)) is not None}
    return {
        "version": 1,
        "detector": config.model.detector,
        "outputs": outputs,
        "names": graph.names,
        "class_names": list(card.class_names),
        "features": known | placed | {"dim": config.model.input_width},
        "padding": padding(detector, graph),
        "longest": graph.lengths.longest,
        "batch": "any" if graph.many else 1,
        "window": data.window,
        "resize": data.resize,
        "center_videos": data.center_videos,
        "segments": "shares" if data.resize else "seconds",
        "strides": graph.strides,
        "decoding": config.decoding.model_dump(mode="json"),
        "suppression": config.suppression.model_dump(mode="json"),
    }


def padding(detector: Detector, graph: Graph) -> dict[str, int]:
    """What a sequence is padded to: `least`, or if it is longer the next multiple of `multiple`.

    That of the graph, and of published padding what results depend on.
    """
    architecture = detector.runner.architecture
    if not (least := architecture.padded_length(1)):
        return {"least": graph.lengths.least, "multiple": graph.lengths.multiple}
    return {"least": least, "multiple": architecture.divisor()}
