"""Settings that fit data, each with its reason."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from actionformer.advice.advised import Advised, advised
from actionformer.advice.draft import Advice
from actionformer.advice.facts import Facts
from actionformer.advice.subsets import usual_subsets
from actionformer.backbones import Backbone, load_backbone
from actionformer.checks import check_chosen_subsets, tell
from actionformer.core.annotations import Annotations
from actionformer.core.errors import InputError
from actionformer.data.collection import Paths, collect
from actionformer.data.split import HELD_OUT
from actionformer.formats.annotations import read_annotations
from actionformer.recipes.footage import Footage, sampling_advice
from actionformer.settings.config import Changes, Config
from actionformer.settings.loading import load_config

BEFORE = {
    "data": (
        "train_subset", "test_subset", "prefix", "fps", "stride", "num_frames", "resize",
        "window", "train_overlap", "min_overlap",
    ),
    "model": ("detector",),
    "training": ("seed",),
}  # fmt: skip
"""Section -> settings that are needed before the rules begin, so no rule changes them."""


def advise(
    annotations: str | Path | Annotations,
    *,
    features: Paths | None = None,
    videos: Paths | None = None,
    backbone: str | Backbone = "motion",
    weights: str | Path | Sequence[str | Path] = (),
    skip_missing: bool = False,
    other_timing: bool = False,
    settings: Changes | None = None,
) -> Advised:
    """Derives settings that fit your data, each with its reason: those that `train auto` uses.

    Nothing is trained or extracted. What is given here as a setting stays, and the others are derived to fit it.

    Args:
        annotations: ActivityNet JSON.
        features: a folder of feature files; several are joined by channel.
        videos: files or folders, instead of features that are not there yet.
        backbone: what will turn the videos into features, see `extract`.
        weights: files of the backbone, or their folder.
        skip_missing: go on without videos that have no features, or no file.
        other_timing: take features of several strides or windows.
        settings: section -> setting -> value, of what is not to be derived.

    Raises:
        InputError: neither features nor videos or both, no action to learn, data that cannot be read, or settings that
            cannot be.
    """
    check_source(features, videos)
    if not isinstance(annotations, Annotations):
        annotations = read_annotations(annotations)
    given = settings or {}
    known, before = before_rules(annotations, given)
    check_subset_names(annotations, before, given)
    data = before.data
    if features is None:
        assert videos is not None
        made_by = load_backbone(backbone, weights) if isinstance(backbone, str) else backbone
        return advise_footage(footage_of(before, annotations, videos, made_by, skip_missing), annotations, given)
    trained = annotations.subset(data.train_subset)
    collection = collect(trained, features, data, skip_missing=skip_missing, other_timing=other_timing)
    return advised(Facts.of(collection.videos, data), given, known)


def advise_footage(footage: Footage, annotations: Annotations, given: Changes) -> Advised:
    """Settings for videos whose features are yet to be made."""
    known, before = before_rules(annotations, given)
    data, trained = before.data, annotations.subset(before.data.train_subset)
    recordings = footage.recordings(trained, data)
    timing = sampling_advice(footage.sampling(trained, recordings, data))
    data = data.model_copy(update={one.setting: one.value for one in timing})
    return advised(Facts.of(footage.featured(trained, recordings, data), data), given, [*known, *timing])


def check_source(features: Paths | None, videos: Paths | None) -> None:
    """Raises an InputError unless there are features or videos, and not both."""
    if (features is None) == (videos is None):
        raise InputError("give --features, or --videos to make them from" + (", not both" if videos else ""))


def check_subset_names(annotations: Annotations, config: Config, changes: Changes) -> None:
    """Tells which names of subsets look mistyped.

    Raises:
        InputError: nothing to learn from in the training subset, or no video in the evaluation subset that was given.
    """
    asked = "test_subset" in changes.get("data", {})
    tell(check_chosen_subsets(annotations, config.data, asked=asked), annotations.source)


def footage_of(
    config: Config, annotations: Annotations, videos: Paths, backbone: Backbone, skip_missing: bool
) -> Footage:
    """The videos that are trained and evaluated on, before there are features of them.

    Raises:
        InputError: no training subset, or annotated videos that are missing.
    """
    data = config.data
    evaluated = [name for name in data.test_subset if annotations.has_subset(name)]
    used = annotations.subset([*data.train_subset, *evaluated])
    return Footage.of(used, videos, backbone, data.prefix, skip_missing)


def before_rules(annotations: Annotations, given: Changes) -> tuple[list[Advice], Config]:
    """The subsets that are trained and evaluated, and with them the settings as far as the rules do not say them."""
    subsets = usual_subsets(annotations, given)
    known = [Advice("data", setting, names, _why(names)) for setting, names in subsets.items()]
    own = {section: _of_these(given.get(section, {}), names) for section, names in BEFORE.items()}
    return known, load_config(Config().replace(data=subsets), own)


def _why(subset: Sequence[str]) -> str:
    held_out = "a part of the training videos is held out"
    return held_out if subset == [HELD_OUT] else "the annotations have this subset"


def _of_these(table: Any, names: Sequence[str]) -> Any:
    """The settings of a section that have these names; what is no section stays, and is refused when it is loaded."""
    return {name: table[name] for name in names if name in table} if isinstance(table, Mapping) else table
