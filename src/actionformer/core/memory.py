"""How much memory this process holds, and may hold."""

from __future__ import annotations

import os
import threading
from pathlib import Path
from types import TracebackType

STATUS = Path("/proc/self/status")
"""Where Linux says what this process holds."""


class AnonymousPeak:
    """Peak anonymous memory of this process while it is entered: what it holds of its own, without files mapped.

    Linux alone tells; elsewhere `mib` is None.
    """

    PAUSE = 0.002  # seconds between two looks

    def __enter__(self) -> AnonymousPeak:
        self.mib = self._now()
        self.stop = threading.Event()
        self.thread = threading.Thread(target=self._watch, daemon=True)
        self.thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop.set()
        self.thread.join()

    def _watch(self) -> None:
        while self.mib is not None and not self.stop.wait(self.PAUSE):
            self.mib = max(self.mib, self._now() or 0.0)

    def _now(self) -> float | None:
        held = _held("RssAnon")
        return None if held is None else held / 2**20


def limit_memory(most: int | None = None) -> None:
    """Lets this process take no more memory than so much beyond what it holds now, where the system tells that (Linux).

    What counts are all pages that it may write to, whether or not it has. No limit goes beyond one of the system's.

    Args:
        most: bytes; by default half of what the machine has.
    """
    held = _held("VmData")
    if held is None:
        return
    import resource

    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    most = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2 if most is None else most
    limit = held + most if hard == resource.RLIM_INFINITY else min(held + most, hard)
    resource.setrlimit(resource.RLIMIT_DATA, (limit, hard))


def _held(name: str) -> int | None:
    """Bytes of one entry of what Linux says; None of another system."""
    if not STATUS.exists():
        return None
    line = next(line for line in STATUS.read_text().splitlines() if line.startswith(name))
    return int(line.split()[1]) * 1024
