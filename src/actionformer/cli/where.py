"""Whether a verb does its work here or on a cluster."""

from __future__ import annotations

from actionformer.cli.verb import Recipe
from actionformer.core.errors import InputError


def chosen(on_cluster: Recipe, here: Recipe) -> Recipe:
    """The recipe that a call means: that of a cluster where one is given.

    Raises:
        InputError: an option that the other one alone has.
    """
    given = "cluster" in on_cluster.given
    one, other = (on_cluster, here) if given else (here, on_cluster)
    for name in other.given.keys() - one.given.keys():
        option = f"--{name.replace('_', '-')}"
        raise InputError(f"{option} cannot be given with --cluster" if given else f"{option} needs --cluster")
    return one
