"""Detection in files: many inputs, one bad file does not stop the rest."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from actionformer.detections import Detections
from actionformer.errors import InputError
from actionformer.features import READERS, FeatureSpec
from actionformer.inference.detector import load


def detect_files(
    run: str | Path,
    inputs: Sequence[str | Path],
    *,
    timing: FeatureSpec,
    device: str = "cpu",
    precision: str = "float32",
) -> tuple[dict[str, Detections], dict[str, str]]:
    """The actions in feature files.

    Args:
        run: a model directory.
        inputs: feature files, or folders whose feature files are all read.
        timing: fps, stride, num_frames and duration, None where sidecar or model tell.

    Returns:
        Video (the file's name without the prefix of the model's features and its ending) -> detections, and
        file -> what was wrong with it.

    Raises:
        InputError: no model directory, nothing to read, a single input that cannot be used, or two of one name.
    """
    detector = load(run, device=device, precision=precision)
    files = [file for path in inputs for file in _files(Path(path))]
    if not files:
        raise InputError("nothing to detect in: give feature files or folders of them")
    names = [file.stem.removeprefix(detector.config.data.prefix) for file in files]
    if twice := [name for name, count in Counter(names).items() if count > 1]:
        raise InputError(f"several inputs are called {twice[0]!r}: detect them one call after another")
    found: dict[str, Detections] = {}
    failed: dict[str, str] = {}
    for name, file in zip(names, files, strict=True):
        try:
            found[name] = detector.detect(
                file,
                fps=timing.fps,
                stride=timing.stride,
                num_frames=timing.num_frames,
                duration=timing.duration,
            )
        except InputError as error:
            if len(files) == 1:
                raise
            failed[str(file)] = str(error).removeprefix(f"{file}: ")
    return found, failed


def _files(path: Path) -> list[Path]:
    if not path.is_dir():
        return [path]
    files = sorted(file for file in path.iterdir() if file.suffix.lower() in READERS)
    if not files:
        raise InputError(f"{path}: no feature files in this folder, expected {', '.join(READERS)}")
    return files
