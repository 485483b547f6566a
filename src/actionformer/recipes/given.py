"""From what a training is called with to complete settings, annotations, and features or videos."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from rich.console import Console

from actionformer.backbones import load_backbone
from actionformer.core.annotations import Annotations
from actionformer.core.devices import find_device
from actionformer.data.collection import Paths
from actionformer.formats.annotations import read_annotations
from actionformer.recipes.advise import check_source
from actionformer.recipes.configuration import completed_config, footage_of
from actionformer.recipes.footage import Footage
from actionformer.settings.config import Changes, Config
from actionformer.settings.loading import AUTO, load_config


@dataclass(frozen=True, eq=False)
class Given:
    """What a training is given."""

    config: Config
    annotations: Annotations
    source: Paths | Footage
    """Folders of features, or videos that they will be made of."""
    derived: bool
    """Whether the settings were derived from the data."""
    skip_missing: bool
    other_timing: bool

    @property
    def features(self) -> Paths:
        """Folders of features, once they are made."""
        assert not isinstance(self.source, Footage)
        return self.source

    def with_features(self, out: Path, *, overwrite: bool, console: Console) -> Given:
        """The same with features of its videos, in a folder of a run directory, which are made where there are none."""
        if not isinstance(self.source, Footage):
            return self
        return replace(self, source=self.source.extract(self.config, out, overwrite=overwrite, console=console))


def given_of(
    config: str | Path | Config,
    annotations: str | Path | Annotations,
    features: Paths | None,
    *,
    videos: Paths | None,
    backbone: str,
    weights: str | Path | Sequence[str | Path],
    skip_missing: bool,
    other_timing: bool,
    device: str,
    settings: Changes | None,
    console: Console,
) -> Given:
    """Reads and derives what `train` needs; arguments and errors are those of `train`."""
    chosen, changes = None if config == AUTO else load_config(config, settings), settings or {}
    find_device(device)
    check_source(features, videos)
    if not isinstance(annotations, Annotations):
        annotations = read_annotations(annotations)
    source: Paths | Footage
    if videos is not None:
        made_by = load_backbone(backbone, weights, device=device)
        source = footage_of(chosen, annotations, videos, made_by, changes, skip_missing)
    else:
        assert features is not None
        source = features
    complete = completed_config(
        chosen, annotations, source, changes, console, skip_missing=skip_missing, other_timing=other_timing
    )
    return Given(complete, annotations, source, chosen is None, skip_missing, other_timing)
