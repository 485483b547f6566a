"""From what a training is called with to complete settings, annotations, and features or videos."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from rich.console import Console

from actionformer.backbones import load_backbone
from actionformer.core import ranks
from actionformer.core.annotations import Annotations
from actionformer.core.devices import find_device
from actionformer.core.errors import InputError, untold
from actionformer.core.terminal import say
from actionformer.core.words import plural
from actionformer.data.collection import Paths, with_classes
from actionformer.data.split import HELD_OUT, with_held_out
from actionformer.detectors.base import takes_proposals
from actionformer.features import FeatureFolders, FeatureSpec
from actionformer.formats.annotations import read_annotations
from actionformer.recipes.advise import (
    advise,
    advise_footage,
    before_rules,
    check_source,
    check_subset_names,
    footage_of,
)
from actionformer.recipes.footage import Footage, sampling_advice
from actionformer.recipes.proposals import ProposalSource, check_taken
from actionformer.recipes.start import check_start
from actionformer.settings.config import Changes, Config
from actionformer.settings.loading import AUTO, load_config


@dataclass(frozen=True, eq=False, kw_only=True)
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
    proposals: ProposalSource | None = None
    """Of what a second stage judges."""

    @property
    def features(self) -> Paths:
        """Folders of features, once they are made."""
        assert not isinstance(self.source, Footage)
        return self.source

    @property
    def truth(self) -> Annotations:
        """The annotations with the classes that detections will have."""
        if self.config.training.classifier:
            return self.annotations
        return with_classes(self.annotations, self.config.model.num_classes)

    @cached_property
    def there(self) -> Annotations:
        """The annotations less the training videos that are skipped: without features, or a file that can be read."""
        if not self.skip_missing:
            return self.annotations
        trained = self.annotations.subset(self.config.data.train_subset)
        if isinstance(self.source, Footage):
            found = set(self.source.recordings(trained, self.config.data))
        else:
            source = FeatureFolders.at(self.source, self.config.data.prefix)
            found = trained.videos.keys() - set(source.missing(trained.videos))
        skipped = trained.videos.keys() - found if found else set()  # of none at all `collect` says more
        videos = {id_: video for id_, video in self.annotations.videos.items() if id_ not in skipped}
        return replace(self.annotations, videos=videos)

    def evaluated_on(self, held_out: Sequence[str]) -> Given:
        """The same with these videos in a subset of their own, and settings that evaluate on it."""
        config = self.config.replace(data={"test_subset": (HELD_OUT,)})
        return replace(self, annotations=with_held_out(self.annotations, held_out), config=config)

    def completed(self, console: Console) -> Given:
        """The same with complete settings; what is derived for them is shown, and no held-out video is looked at.

        Raises:
            InputError: a setting that cannot be, or data that nothing can be derived from.
        """
        if self.derived:
            config = self._derived(console).replace(data={"test_subset": self.config.data.test_subset})
        elif isinstance(self.source, Footage):
            config = _with_sampling(self.config, self.annotations, self.source, console)
        else:
            config = self.config
        return replace(self, config=config)

    def _derived(self, console: Console) -> Config:
        """Settings that fit the data, which are shown with their reasons."""
        if isinstance(self.source, Footage):
            said = advise_footage(self.source, self.annotations, self.changes)
        else:
            with untold():  # training looks at the same features and says what is odd
                said = advise(
                    self.annotations,
                    features=self.source,
                    settings=self.changes,
                    skip_missing=self.skip_missing,
                    other_timing=self.other_timing,
                )
        console.print(said.table())
        return said.config

    def with_features(self, out: Path, *, overwrite: bool, console: Console, init: str | Path | None = None) -> Given:
        """The same with features of its videos, in a folder of a run directory, which are made where there are none.

        Raises:
            InputError: they would lie in time otherwise than those of the model to start from.
        """
        footage = self.source
        if not isinstance(footage, Footage):
            return self
        if init is not None and not self.other_timing:
            layout = footage.layout(self.config.data)
            check_start(init, FeatureSpec(fps=layout.fps, stride=layout.stride, num_frames=layout.num_frames))
        made = ranks.from_first(lambda: footage.extract(self.config, out, overwrite=overwrite, console=console))
        return replace(self, source=made)


def _with_sampling(config: Config, annotations: Annotations, footage: Footage, console: Console) -> Config:
    """Settings with the stride and the clip of features that are yet to be made, where they do not say them."""
    trained = annotations.subset(config.data.train_subset)
    timing = sampling_advice(footage.sampling(trained, footage.recordings(trained, config.data), config.data))
    for one in timing:
        if getattr(config.data, one.setting) is None:
            say(console, f"{one.name} {one.value:g}: {one.reason}")
    return config.replace(data={one.setting: one.value for one in timing})


@dataclass(frozen=True, eq=False, kw_only=True)
class TrainingData:
    """What the user says of the data of a training; see `train`."""

    annotations: str | Path | Annotations
    features: Paths | None = None
    videos: Paths | None = None
    backbone: str = "motion"
    weights: str | Path | Sequence[str | Path] = ()
    skip_missing: bool = False
    other_timing: bool = False
    device: str = "cpu"
    proposals: ProposalSource | None = None
    """Of what a second stage judges."""

    def given(self, config: str | Path | Config, settings: Changes | None, *, shared: bool = False) -> Given:
        """Reads what a training needs, which is yet to be completed; arguments and errors are those of `train`.

        Where several detectors share the data, one that takes no proposals leaves them to others, and subsets are
        checked for all of them together.
        """
        chosen, changes = None if config == AUTO else load_config(config, settings), settings or {}
        find_device(self.device)
        check_source(self.features, self.videos)
        annotations = self.read_annotations()
        known = chosen or before_rules(annotations, changes)[1]
        if not shared:
            check_subset_names(annotations, known, changes)
        proposals = None if shared and not takes_proposals(known) else self.proposals
        check_taken(known, proposals)
        if known.training.classifier:
            check_to_classify(known, annotations)
        source: Paths | Footage
        if self.videos is not None:
            made_by = load_backbone(self.backbone, self.weights, device=self.device)
            source = footage_of(known, annotations, self.videos, made_by, self.skip_missing)
        else:
            assert self.features is not None
            source = self.features
        return Given(
            config=known,
            annotations=annotations,
            source=source,
            derived=chosen is None,
            changes=changes,
            skip_missing=self.skip_missing,
            other_timing=self.other_timing,
            proposals=proposals,
        )

    def read_annotations(self) -> Annotations:
        """The annotations, of their file unless they are read already."""
        return self.annotations if isinstance(self.annotations, Annotations) else read_annotations(self.annotations)


def check_to_classify(config: Config, annotations: Annotations) -> None:
    """Checks that a classifier of whole videos has something to say of what a model finds.

    Raises:
        InputError: the model has classes of its own, or the annotations have one class.
    """
    if config.model.num_classes != 1:
        raise InputError(
            "training.classifier gives classes to a model that has none of its own: set model.num_classes to 1 with "
            f"it, found {config.model.num_classes or 'those of the annotations'}"
        )
    if len(annotations.class_names) < 2:
        raise InputError(
            f"{annotations.source}: {plural(len(annotations.class_names), 'class')}, "
            "a classifier of whole videos has nothing to tell apart"
        )
