"""The published repositories whose configurations and checkpoints are read."""

from __future__ import annotations

from collections.abc import Iterable

from actionformer.interop.actionformer import ACTIONFORMER
from actionformer.interop.afsd import AFSD
from actionformer.interop.bmn import JJBOY, OPENTAD
from actionformer.interop.repository import Repository, Tables
from actionformer.interop.tadtr import TADTR
from actionformer.interop.temporalmaxer import TEMPORALMAXER
from actionformer.interop.tridet import TRIDET

REPOSITORIES = (JJBOY, OPENTAD, TRIDET, TEMPORALMAXER, TADTR, AFSD, ACTIONFORMER)
"""In the order in which they are asked; the last takes what no other recognises."""


def repository_of(tables: Tables) -> Repository:
    """The repository that a configuration is of, told by what stands in it."""
    return next((one for one in REPOSITORIES if one.recognises(tables)), REPOSITORIES[-1])


def repository_with(weights: Iterable[str]) -> Repository | None:
    """The repository whose checkpoints have such weights, told by their names; None where none is known by them."""
    names = set(weights)
    return next((one for one in REPOSITORIES if one.own_weights and names.issuperset(one.own_weights)), None)
