"""Which videos were set aside, on disk as they come: a line each, which a later call can be given as its list."""

from __future__ import annotations

import json
from pathlib import Path

from actionformer.cluster.manifest import everywhere
from actionformer.core.files import make_folder, naming


class Failures:
    """The file of the videos that failed; that of an earlier call, which are tried again, is replaced.

    Attributes:
        path: where it is, if any have failed.
        reasons: source -> what was wrong with it.

    Raises:
        InputError: it cannot be written.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.reasons: dict[str, str] = {}
        with naming(path):
            path.unlink(missing_ok=True)

    def add(self, video: str, source: str, reason: str, attempts: int) -> None:
        """Sets a video aside."""
        self.reasons[source] = reason
        make_folder(self.path.parent, self.path)
        place = everywhere(source)  # paths in a list count from its folder
        line = json.dumps({"video": video, "source": place, "error": reason, "attempts": attempts})
        with naming(self.path), self.path.open("a", encoding="utf-8") as file:
            file.write(f"{line}\n")
