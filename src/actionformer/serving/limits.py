"""What one request may take, how many are held, and how a request is refused."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import NamedTuple

from actionformer.core.errors import InputError

MIB = 1 << 20


@dataclass(frozen=True)
class Limits:
    """All limits of a server."""

    queue: int
    """Requests that are held at once, from the end of their upload to their answer."""
    jobs: int
    """Jobs that are remembered, with their results."""
    live: int
    """Live sources that are followed at once."""
    max_mib: float
    """Of what is sent, or fetched from an address."""
    max_seconds: float
    """Of a recording, or of what features cover."""
    max_pixels: int
    """Of a picture of a video."""
    max_memory: float
    """MiB that a process may take for reading one file, beyond what it holds before, and that its features may fill."""
    max_time: float
    """Seconds from the end of the upload to the answer, and for the upload."""
    patience: float
    """Seconds without anything new after which a client or an address is given up."""
    keep: float
    """Seconds for which the result of a job is kept."""
    grace: float
    """Seconds in which a server that is told to end finishes what runs."""

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            least = 0 if field.name in ("live", "grace") else 1
            if not least <= value < float("inf"):
                raise InputError(f"{field.name} must be {least} or more, found {value}")

    @property
    def max_bytes(self) -> int:
        """Of what is sent or fetched."""
        return int(self.max_mib * MIB)


class Advice(NamedTuple):
    """What whoever is told of a failed task can do about it."""

    smaller: str
    """Where it took too much memory."""
    other: str
    """Where it failed otherwise."""


ADVICE = {
    "read": Advice("send a smaller one", "send it in another format"),
    "follow": Advice("let its source send smaller pictures", "let its source send another format"),
    "prepare": Advice("start again with fewer --workers", "start again with other --weights or another --device"),
}
"""By the kind of task: of `prepare` the operator is told, of the others the client."""
BROKEN = "the server failed, its log shows where: ask its operator"
NO_RECORDINGS = "the server lacks the backbone that recordings need: send features, or ask its operator"


class RefusedError(Exception):
    """A request that is not answered, and why.

    Args:
        status: of HTTP.
        words: a sentence that says what to do.
        retry_after: seconds after which to ask again, where that helps.
    """

    def __init__(self, status: int, words: str, retry_after: int | None = None) -> None:
        super().__init__(words)
        self.status, self.words, self.retry_after = status, words, retry_after
