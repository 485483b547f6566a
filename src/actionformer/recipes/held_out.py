"""Training videos that are held out for evaluation, and how a run remembers which."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console

from actionformer.core import ranks
from actionformer.core.annotations import Annotations
from actionformer.core.errors import listed, warn
from actionformer.core.run_files import CARD
from actionformer.core.terminal import say
from actionformer.core.words import plural
from actionformer.data.split import Split, can_be_split, split
from actionformer.model_directory import load_settings
from actionformer.recipes.given import Given
from actionformer.settings.config import Config

USUAL_SHARE = 0.25
"""Of the videos, where settings are derived and nobody says how much."""
LEFT = 3
"""Videos that are left to learn from, below which what is held out is missed in training."""


def hold_out(given: Given, share: float | None, console: Console, *, resumed: Path | None = None) -> Given:
    """What is given, with a share of the training videos held out; as it is if that is not asked for.

    Derived settings come with a split where the annotations have no evaluation subset.

    Args:
        given: whose training subset is split.
        share: to hold out; 0 holds none out, also of derived settings.
        console: is told which videos they are.
        resumed: the run that is continued: it holds out what it held out before.

    Raises:
        InputError: see `data.split.split`.
    """
    if share is None and resumed is not None:
        before = ranks.from_first(lambda: _before(resumed))
        if before:
            say(console, f"held out for evaluation as before: {listed(before, 5)}")
            return given.evaluated_on(before)
    if share is None and given.derived:
        share = usual_share(given.there, given.config)
    if not share:
        return given
    found = split(given.there.subset(given.config.data.train_subset), share, seed=given.config.training.seed)
    tell_split(found, console)
    return given.evaluated_on(found.held_out)


def usual_share(annotations: Annotations, config: Config) -> float | None:
    """What to hold out where nobody says it: nothing, if there is an evaluation subset or nothing can be spared."""
    can = can_be_split(annotations.subset(config.data.train_subset))
    return USUAL_SHARE if can and not annotations.has_subset(config.data.test_subset) else None


def _before(run: Path) -> tuple[str, ...]:
    return load_settings(run)[1].held_out if (run / CARD).is_file() else ()


def tell_split(found: Split, console: Console) -> None:
    """Says what is held out; what was guessed is a warning."""
    say(console, f"held out for evaluation: {found}: {listed(found.held_out, 5)}")
    tell_groups(found, console)
    if len(found.trained) < LEFT:
        warn(
            f"{plural(len(found.trained), 'video')} left to learn from: label more videos, or cut long ones up; "
            "--validation 0 learns from all, without figures of how good the model is",
            stacklevel=4,
        )
    if found.one_sided:
        warn(
            f"{plural(len(found.one_sided), 'class is', 'classes are')} only among the held-out videos or only among "
            f"the others, as too few videos or groups have them: {listed(found.one_sided, 5)}",
            stacklevel=4,
        )


def tell_groups(found: Split, console: Console) -> None:
    """Says which videos stay together."""
    if found.groups.one:
        warn(
            "all videos are of one group, which is divided: the figures hold for this group, others may differ by more",
            stacklevel=5,
        )
    if found.groups.guessed:
        warn(f"{found.groups}; if that is wrong, give videos a field `group` in the annotations", stacklevel=5)
    elif found.groups.by is not None:
        say(console, str(found.groups))
