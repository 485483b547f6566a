"""What is wrong with data, all of it, before an hour is spent on a training."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from actionformer.advice.advised import Advised, advised
from actionformer.advice.facts import Facts
from actionformer.advice.subsets import usual_subsets
from actionformer.backbones import load_backbone
from actionformer.checks.examination import Patient, examined, subset_of
from actionformer.checks.files import open_subset
from actionformer.checks.reading import read_usable
from actionformer.checks.recordings import look_at, with_lengths
from actionformer.checks.report import DoctorReport
from actionformer.core.annotations import Annotations
from actionformer.core.errors import InputError
from actionformer.data.collection import Paths, as_list
from actionformer.extraction.inputs import videos_there
from actionformer.features import FeatureFolders
from actionformer.recipes.advise import advise_footage, before_rules, footage_of
from actionformer.settings.config import Changes, Config
from actionformer.settings.loading import AUTO, load_config

PLAIN = "small"
"""The preset where no settings are given, and none can be derived."""
BACKBONE = "motion"
"""What would make features of videos."""


def doctor(
    annotations: str | Path,
    *,
    features: Paths | None = None,
    videos: Paths | None = None,
    config: str | Path | Config | None = None,
    settings: Changes | None = None,
) -> DoctorReport:
    """Examines annotations with their features or videos before a training, and says what is wrong and what to do.

    Nothing is trained, and of many features a part is read. Exit code 1 says that training would be pointless or
    refused; warnings cost a part of the data.

    Args:
        annotations: ActivityNet JSON.
        features: folders of feature files, several are joined by channel.
        videos: files or folders; their lengths are compared, and without features those that they would have.
        config: a preset's name or a TOML file, which training will use; by default auto: the settings that `train auto`
            derives, or the preset small where none can be derived.
        settings: section -> setting -> value, of what is not to be as `config` has it.

    Raises:
        InputError: no annotations, no such folder, neither features nor videos, or unknown settings.
    """
    if features is None and videos is None:
        raise InputError("nothing to compare the annotations with: give --features or --videos")
    every, findings = read_usable(annotations)
    recordings = None if videos is None else look_at(videos_there(as_list(videos)))
    if recordings is not None:
        every = with_lengths(every, recordings)
    if config is None or config == AUTO:
        chosen, whose = _derived(every, features, videos, settings or {})
    else:
        chosen, whose = load_config(config, settings), "given"
    source = None if features is None else FeatureFolders.at(features, chosen.data.prefix)
    report = examined(Patient.of(every, chosen, source, recordings), findings)
    return replace(report, facts={"settings": whose, **report.facts})


def _derived(every: Annotations, features: Paths | None, videos: Paths | None, settings: Changes) -> tuple[Config, str]:
    """The settings that `train auto` derives, else a preset's, and in words which of the two."""
    try:
        return _advised(every, features, videos, settings).config, "as `train auto` derives them"
    except InputError as error:
        plain = load_config(PLAIN, settings).replace(data=usual_subsets(every, settings))
        return plain, f"preset {PLAIN}, as there are none of `train auto`: {error}"


def _advised(every: Annotations, features: Paths | None, videos: Paths | None, settings: Changes) -> Advised:
    """The settings for features that are there, or that would be made of videos."""
    known, before = before_rules(every, settings)
    if features is None:
        assert videos is not None
        footage = footage_of(before, every, videos, load_backbone(BACKBONE), skip_missing=True)
        return advise_footage(footage, every, settings)
    source = FeatureFolders.at(features, before.data.prefix)
    subset = subset_of(every, before.data.train_subset)
    trained = open_subset(subset, source, before.data, None)
    if len(subset) and not trained.videos:
        raise InputError("no features of the training subset can be used")
    return advised(Facts.of(trained.videos, before.data), settings, known)
