"""How much memory this process holds."""

from __future__ import annotations

import threading
from pathlib import Path
from types import TracebackType


class AnonymousPeak:
    """Peak anonymous memory of this process while it is entered: what it holds of its own, without files mapped.

    Linux alone tells; elsewhere `mib` is None.
    """

    STATUS = Path("/proc/self/status")
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
        if not self.STATUS.exists():
            return None
        line = next(line for line in self.STATUS.read_text().splitlines() if line.startswith("RssAnon"))
        return int(line.split()[1]) / 1024
