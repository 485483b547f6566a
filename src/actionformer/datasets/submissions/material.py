"""What a file for an evaluation server is made of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from actionformer.core.detections import Detections
from actionformer.core.errors import InputError, listed
from actionformer.formats.detections import read_results


@dataclass(frozen=True)
class Material:
    """Files of detections, and what a benchmark needs besides.

    Attributes:
        results: the files of detections.
        source: the folder of the data set as its authors publish it.
        external_data: what the model has seen besides the data set, in words.
    """

    results: Sequence[Path]
    source: Path | None = None
    external_data: str | None = None

    def detections(self) -> dict[str, Detections]:
        """The detections of all files, by video.

        Raises:
            InputError: a file that holds none, or no video in any.
        """
        if not (found := read_results(self.results)):
            raise InputError(
                f"{listed(list(map(str, self.results)))}: no video: give what detect or evaluate has written"
            )
        return found

    def folder(self, holds: str) -> Path:
        """The folder of the data set.

        Raises:
            InputError: it was not given, or is none; says what is read of it.
        """
        if self.source is None or not self.source.is_dir():
            found = "" if self.source is None else f"{self.source}: no such folder: "
            raise InputError(f"{found}give --source, the folder that holds {holds}")
        return self.source

    def check_no_external_data(self, name: str) -> None:
        """Checks that nobody said something that the file has no place for."""
        if self.external_data is not None:
            raise InputError(f"the file of {name} has no place for --external-data: leave it out")
