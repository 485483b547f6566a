"""What losses have in common that remember nothing from step to step."""

from __future__ import annotations

from typing import Any


class Memoryless:
    """Of a `Criterion` (see `detectors/base.py`) all but its losses: no step depends on the one before."""

    def figures(self) -> dict[str, float]:
        """None."""
        return {}

    def state_dict(self) -> dict[str, Any]:
        """Nothing."""
        return {}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Continues from `state_dict`."""
