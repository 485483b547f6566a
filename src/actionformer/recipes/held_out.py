"""Training videos that are held out for evaluation, and how a run remembers which."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console

from actionformer.core.annotations import Annotations
from actionformer.core.errors import listed, warn
from actionformer.core.run_files import CARD
from actionformer.core.terminal import say
from actionformer.data.groups import groups_of
from actionformer.data.split import HELD_OUT, Split, split, with_held_out
from actionformer.model_directory import load_settings
from actionformer.settings.config import Config

USUAL_SHARE = 0.25
"""Of the videos."""
LEAST_GROUPS = 4
"""Videos, or groups of them, of which one can be spared."""


def hold_out(
    annotations: Annotations, config: Config, share: float | None, console: Console, *, resumed: Path | None = None
) -> tuple[Annotations, Config]:
    """The annotations and settings of a training that holds a share of its videos out; as they are if none is given.

    Args:
        annotations: all videos.
        config: whose training subset is split.
        share: to hold out; None holds nothing out.
        console: is told which videos they are.
        resumed: the run that is continued: it holds out what it held out before.

    Raises:
        InputError: see `data.split.split`.
    """
    if share is not None:
        found = split(annotations.subset(config.data.train_subset), share, seed=config.training.seed)
        tell_split(found, console)
        return evaluated_on(annotations, config, found.held_out)
    if resumed is not None and (resumed / CARD).is_file() and (before := load_settings(resumed)[1].held_out):
        say(console, f"held out for evaluation as before: {listed(before, 5)}")
        return evaluated_on(annotations, config, before)
    return annotations, config


def usual_share(annotations: Annotations, config: Config) -> float | None:
    """What to hold out where nobody says it: nothing, if there is an evaluation subset or too little to split."""
    trained = annotations.subset(config.data.train_subset)
    enough = len(set(groups_of(trained).of.values())) >= LEAST_GROUPS
    return USUAL_SHARE if enough and not annotations.has_subset(config.data.test_subset) else None


def evaluated_on(annotations: Annotations, config: Config, held_out: tuple[str, ...]) -> tuple[Annotations, Config]:
    """The annotations with these videos in a subset of their own, and settings that evaluate on it."""
    return with_held_out(annotations, held_out), config.replace(data={"test_subset": (HELD_OUT,)})


def tell_split(found: Split, console: Console) -> None:
    """Says what is held out; what was guessed is a warning."""
    say(console, f"held out for evaluation: {found}: {listed(found.held_out, 5)}")
    if found.groups.guessed:
        warn(f"{found.groups}; if that is wrong, give videos a field `group` in the annotations", stacklevel=4)
    elif found.groups.by is not None:
        say(console, str(found.groups))
    if found.one_sided:
        warn(
            f"{len(found.one_sided)} classes are only among the held-out videos or only among the others, as too few "
            f"videos or groups have them: {listed(found.one_sided, 5)}",
            stacklevel=4,
        )
