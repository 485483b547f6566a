"""Observations of several files, of which a table does not say how long each is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from actionformer.formats.labels import Remark

Row = TypeVar("Row")
SEVERAL = (
    "an observation of several files, whose times run over all of them: what is not in the first file is left out, as "
    "the table does not say how long the files are: import the project instead"
)


def of_first_file(rows: Sequence[Row], media: Sequence[str], where: str, remarks: list[Remark]) -> list[Row]:
    """The rows of the first of an observation's files, each of which has a file in `media`."""
    if len(set(media)) > 1:
        remarks.append(Remark(SEVERAL, where))
    return [row for row, name in zip(rows, media, strict=True) if name == media[0]]
