"""Three lines from a model to the actions in a file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Literal, Protocol, TypeAlias, overload

from numpy.typing import NDArray
from torch import Tensor

from actionformer.core.detections import Detections
from actionformer.core.devices import Precision
from actionformer.core.errors import InputError, warn
from actionformer.core.words import plural
from actionformer.extraction.inputs import holds_features
from actionformer.inference.selection import shown
from actionformer.recipes.prepare import prepared_detector
from actionformer.recipes.search import looked_at

OneInput: TypeAlias = str | Path | NDArray[Any] | Tensor | tuple[str | Path, ...]
"""A video, a feature file, or features (T, D); the feature files of several sources are one tuple."""


class Find(Protocol):
    """What `pipeline` gives."""

    @overload
    def __call__(self, given: list[OneInput] | Iterator[OneInput]) -> list[Detections]: ...

    @overload
    def __call__(self, given: OneInput) -> Detections: ...


def pipeline(
    run: str | Path,
    *,
    threshold: float | None = None,
    weights: str | Path | Sequence[str | Path] = (),
    device: str = "cpu",
    precision: Precision = "float32",
    engine: Literal["onnxruntime", "openvino", "compile"] | None = None,
) -> Find:
    """A function that finds the actions in a video: for those who want nothing else.

        find = actionformer.pipeline("runs/mine")
        for action in find("new.mp4"):
            print(action.start, action.end, action.label, action.score)

    It takes a video (or a recording of another kind that the model looks at), a feature file or an array of features
    (T, D), and gives the `Detections` that people are shown, best first. Of a list or an iterator of these it gives a
    list, one after the other. The feature files of a model of several sources are one tuple. Everything else, such as
    other timing, streams and batches, is in `load` and `Detector`.

    Args:
        run: a model directory, or a model of huggingface.co: hf://USER/MODEL.
        threshold: the least score of what is given, calibrated where the model has a calibration; by default that of
            each class, which `calibrate` measures, or 0.3 where it has not.
        weights: files of the backbone, or their folder; by default they are looked for where `extract` does.
        device: where to compute: cpu, cuda, cuda:1, ...
        precision: number format of the arithmetic, also the backbone's.
        engine: another program that computes the network, with the same results; see `load`.

    Raises:
        InputError: no such model, or a threshold that is no score; the function raises it for what cannot be read.
    """
    detector = prepared_detector(run, min_score=threshold, device=device, precision=precision, engine=engine)
    medium = looked_at(detector)

    def found_in(one: OneInput) -> Detections:
        if isinstance(one, str | Path) and not holds_features(Path(one), medium):
            if not Path(one).is_file():
                raise InputError(f"{one}: no such file: give a video, a file of features, or an array of them (T, D)")
            return detector.detect_video(one, weights=weights)
        return detector.detect(one)

    def find(given: Any) -> Any:
        if isinstance(given, list | Iterator):
            return [find(one) for one in given]
        found = found_in(given)
        wanted = shown(found, detector.card.calibration, threshold)
        if len(found) and not len(wanted):
            best = shown(found, detector.card.calibration, 0.0).scores[0]
            warn(f"none of {plural(len(found), 'detection')} reaches the threshold, the best has {best:.2g}: lower it")
        return wanted

    return find
