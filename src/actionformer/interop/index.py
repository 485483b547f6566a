"""The published repositories whose configurations and checkpoints are read."""

from __future__ import annotations

from actionformer.interop.actionformer import ACTIONFORMER
from actionformer.interop.repository import Repository, Tables
from actionformer.interop.temporalmaxer import TEMPORALMAXER
from actionformer.interop.tridet import TRIDET

REPOSITORIES = (TRIDET, TEMPORALMAXER, ACTIONFORMER)
"""In the order in which they are asked; the last takes what no other recognises."""


def repository_of(tables: Tables) -> Repository:
    """The repository that a configuration is of, told by what stands in it."""
    return next((one for one in REPOSITORIES if one.recognises(tables)), REPOSITORIES[-1])
