"""What a service is made of: the detector, and what its workers are told."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from actionformer.core.errors import InputError
from actionformer.data.collection import as_list
from actionformer.engines.engine import EngineName
from actionformer.features import READERS
from actionformer.inference.detector import Detector
from actionformer.recipes.prepare import prepared_detector
from actionformer.recipes.search import looked_at
from actionformer.serving.limits import MIB, Limits
from actionformer.serving.reading import Settings
from actionformer.settings.config import Changes


@dataclass(frozen=True)
class Setup:
    """What a service is made of."""

    run: str
    """Where the model lies on this machine."""
    detector: Detector
    limits: Limits
    reader: Settings
    """What a worker knows."""
    watch: Mapping[str, Any]
    """How live sources are followed, see `recipes.live.watch`."""
    folder: Path
    """Takes what is sent until it is answered."""
    workers: int
    batch_size: int

    @property
    def told(self) -> dict[str, Any]:
        """What a worker is told first, plain values."""
        threads = max((os.cpu_count() or 1) // self.workers, 1)
        return {"reader": asdict(self.reader), "memory": self.limits.max_memory, "threads": threads}


def setup_of(
    run: str | Path,
    limits: Limits,
    folder: Path,
    *,
    allow: Sequence[str],
    workers: int,
    batch_size: int,
    backbone: str | None,
    weights: str | Path | Sequence[str | Path],
    other_timing: bool,
    device: str,
    precision: Any,
    engine: EngineName | None,
    settings: Changes | None,
) -> Setup:
    """Loads a model, and says what all else is to know; arguments as of `serve`.

    Raises:
        InputError: no model directory, or a model that judges proposals and has nothing that finds them.
    """
    detector = prepared_detector(
        run, device=device, precision=precision, settings=settings, other_timing=other_timing, engine=engine
    )
    if detector.second_stage and detector.proposer is None:
        raise InputError(f"{run}: judges proposals, and none finds them: serve a model that has its proposer")
    if detector.runner.engine is not None:
        detector.runner.engine.prepare()  # so that no request waits for it
    files = tuple(map(str, as_list(weights)))
    reader = Settings(
        features=detector.card.features.to_dict(),
        width=detector.config.model.input_width,
        max_bytes=limits.max_bytes,
        max_seconds=limits.max_seconds,
        max_pixels=limits.max_pixels,
        max_copied=int(limits.max_memory * MIB),
        patience=limits.patience,
        recordings=tuple(sorted(looked_at(detector, backbone).endings & READERS.keys())),
        allow=tuple(allow),
        backbone=backbone,
        weights=files,
        device=device,
        precision=precision,
        other_timing=other_timing,
        any_timing=other_timing or detector.config.data.resize is not None,
    )
    watch = {
        "backbone": backbone,
        "weights": files,
        "device": device,
        "precision": precision,
        "other_timing": other_timing,
        "patience": limits.patience,
        "settings": None if settings is None else {section: dict(values) for section, values in settings.items()},
    }
    return Setup(str(detector.directory), detector, limits, reader, watch, folder, workers, batch_size)
