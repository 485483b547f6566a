"""The settings of a training: a preset's, a file's, or those that are derived from the data."""

from __future__ import annotations

from rich.console import Console

from actionformer.backbones import Backbone
from actionformer.core.annotations import Annotations
from actionformer.core.errors import untold
from actionformer.core.terminal import say
from actionformer.data.collection import Paths
from actionformer.recipes.advise import advise, advise_footage, used_subsets
from actionformer.recipes.footage import Footage, sampling_advice
from actionformer.settings.config import Changes, Config


def footage_of(
    config: Config, annotations: Annotations, videos: Paths, backbone: Backbone, skip_missing: bool
) -> Footage:
    """The videos that a training sees, before there are features of them.

    Raises:
        InputError: no training subset, or annotated videos that are missing.
    """
    return Footage.of(used_subsets(annotations, config.data), videos, backbone, config.data.prefix, skip_missing)


def completed_config(
    config: Config | None,
    annotations: Annotations,
    source: Paths | Footage,
    settings: Changes,
    console: Console,
    *,
    skip_missing: bool = False,
    other_timing: bool = False,
) -> Config:
    """Settings with what is to be derived from the data, which is shown with its reasons.

    Args:
        config: all settings but for the sampling of videos, or None where all are to be derived.
        annotations: of all subsets.
        source: features, or videos that they will be made of.
        settings: what the user gave; the rest is derived to fit it.
        console: where it is shown.
        skip_missing, other_timing: see `train`.

    Raises:
        InputError: a setting that cannot be, or data that nothing can be derived from.
    """
    if config is not None:
        return _with_sampling(config, annotations, source, console) if isinstance(source, Footage) else config
    if isinstance(source, Footage):
        said = advise_footage(source, annotations, settings)
    else:
        with untold():  # training looks at the same features and says what is odd
            said = advise(
                annotations, features=source, settings=settings, skip_missing=skip_missing, other_timing=other_timing
            )
    console.print(said.table())
    return said.config


def _with_sampling(config: Config, annotations: Annotations, footage: Footage, console: Console) -> Config:
    """Settings with the stride and the clip of features that are yet to be made, where they do not say them."""
    trained = annotations.subset(config.data.train_subset)
    timing = sampling_advice(footage.sampling(trained, footage.recordings(trained), config.data))
    for one in timing:
        if getattr(config.data, one.setting) is None:
            say(console, f"{one.name} {one.value:g}: {one.reason}")
    return config.replace(data={one.setting: one.value for one in timing})
