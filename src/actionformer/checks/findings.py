"""A finding: something about data that costs training its success, or a part of it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from actionformer.core.errors import InputError, warn
from actionformer.core.words import part

Severity = Literal["error", "warning"]


@dataclass(frozen=True)
class Finding:
    """What was found, in how many of how many. As text it is one line."""

    kind: str
    """One word for programs, the same for every finding of a check."""
    severity: Severity
    """An error: nothing right can come of these data. A warning: a part of them is lost."""
    count: int
    """How many are concerned."""
    total: int
    """Of how many; 0 where nothing is counted."""
    what: str
    """Of what, and what is the matter: follows "3 of 12 "."""
    example: str = ""
    """The first of them, with what it is compared to; or all names."""
    advice: str = ""
    """The likely cause, or what to do."""
    where: str = ""
    """The subset, folder or settings that it was found in, where one report is about several."""

    @property
    def fact(self) -> str:
        """What is the matter, without the advice."""
        what = part(self.count, self.total, self.what) if self.total else self.what
        return f"{what}{self.example}"

    def __str__(self) -> str:
        return self.fact + (f"; {self.advice}" if self.advice else "")


def found_in(where: str, findings: Iterable[Finding]) -> list[Finding]:
    """Findings that say where they were found."""
    return [replace(finding, where=where) for finding in findings]


def tell(findings: Sequence[Finding], source: str) -> None:
    """Warns of findings, after what they were found in.

    Raises:
        InputError: one is an error; the first is told, and nothing else.
    """
    for finding in findings:
        if finding.severity == "error":
            raise InputError(f"{source}: {finding}")
    for finding in findings:
        warn(f"{source}: {finding}", stacklevel=3)
