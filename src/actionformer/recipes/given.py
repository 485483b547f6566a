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
from actionformer.data.split import HELD_OUT, with_held_out
from actionformer.formats.annotations import read_annotations
from actionformer.recipes.advise import before_rules, check_source
from actionformer.recipes.configuration import completed_config, footage_of
from actionformer.recipes.footage import Footage
from actionformer.settings.config import Changes, Config
from actionformer.settings.loading import AUTO, load_config


@dataclass(frozen=True, eq=False)
class Given:
    """What a training is given."""

    config: Config
    """All settings, or what is known of them until they are `completed`."""
    annotations: Annotations
    source: Paths | Footage
    """Folders of features, or videos that they will be made of."""
    derived: bool
    """Whether the settings are derived from the data."""
    changes: Changes
    """What the user gave besides, section -> setting -> value."""
    skip_missing: bool
    other_timing: bool

    @property
    def features(self) -> Paths:
        """Folders of features, once they are made."""
        assert not isinstance(self.source, Footage)
        return self.source

    def evaluated_on(self, held_out: Sequence[str]) -> Given:
        """The same with these videos in a subset of their own, and settings that evaluate on it."""
        config = self.config.replace(data={"test_subset": (HELD_OUT,)})
        return replace(self, annotations=with_held_out(self.annotations, held_out), config=config)

    def completed(self, console: Console) -> Given:
        """The same with complete settings; what is derived for them is shown, and no held-out video is looked at."""
        config = completed_config(
            None if self.derived else self.config,
            self.annotations,
            self.source,
            self.changes,
            console,
            skip_missing=self.skip_missing,
            other_timing=self.other_timing,
        )
        return replace(self, config=config.replace(data={"test_subset": self.config.data.test_subset}))

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
) -> Given:
    """Reads what `train` needs, which is yet to be completed; arguments and errors are those of `train`."""
    chosen, changes = None if config == AUTO else load_config(config, settings), settings or {}
    find_device(device)
    check_source(features, videos)
    if not isinstance(annotations, Annotations):
        annotations = read_annotations(annotations)
    known = chosen or before_rules(annotations, changes)[1]
    source: Paths | Footage
    if videos is not None:
        made_by = load_backbone(backbone, weights, device=device)
        source = footage_of(known, annotations, videos, made_by, skip_missing)
    else:
        assert features is not None
        source = features
    return Given(known, annotations, source, chosen is None, changes, skip_missing, other_timing)
