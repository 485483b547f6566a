"""The published repositories whose configurations and checkpoints are read."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor

from actionformer.interop import bmn, gtad
from actionformer.interop.actionformer import ACTIONFORMER
from actionformer.interop.afsd import AFSD
from actionformer.interop.muses import MUSES
from actionformer.interop.repository import Repository, Tables
from actionformer.interop.tadtr import TADTR
from actionformer.interop.temporalmaxer import TEMPORALMAXER
from actionformer.interop.tridet import TRIDET

REPOSITORIES = (
    bmn.JJBOY,
    bmn.OPENTAD,
    gtad.THUMOS14,
    gtad.ACTIVITYNET,
    gtad.OPENTAD,
    TRIDET,
    TEMPORALMAXER,
    TADTR,
    AFSD,
    MUSES,
    ACTIONFORMER,
)
"""In the order in which they are asked; the last takes what no other recognises."""


def repository_of(tables: Tables) -> Repository:
    """The repository that a configuration is of, told by what stands in it."""
    return next((one for one in REPOSITORIES if one.recognises(tables)), REPOSITORIES[-1])


def repository_with(weights: Mapping[str, Tensor]) -> Repository | None:
    """The repository whose checkpoints have such weights, told by names and sizes; None where none has."""
    return next((one for one in REPOSITORIES if one.has(weights)), None)
