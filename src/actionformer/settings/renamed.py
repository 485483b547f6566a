"""Settings that were called otherwise: files written before are read as before."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

RENAMED = {
    ("model", "backbone"): ("model", "block"),
    ("model", "padding"): ("model", "mask_padding"),
    ("model", "prior"): ("model", "class_prior"),
    ("model", "feature_shift"): ("data", "feature_shift"),
    ("model", "feature_noise"): ("data", "feature_noise"),
    ("model", "feature_dropout"): ("data", "feature_dropout"),
    ("model", "sensor_axes"): ("data", "sensor_axes"),
    ("model", "sensor_rotation"): ("data", "sensor_rotation"),
}
VALUES = {("model", "padding", "clean"): "exact"}


def with_present_names(tables: Mapping[str, Any]) -> dict[str, Any]:
    """Tables of settings with present names in the place of earlier ones."""
    found = {section: dict(table) if isinstance(table, Mapping) else table for section, table in tables.items()}
    for (section, name), (new_section, new_name) in RENAMED.items():
        table = found.get(section)
        if isinstance(table, dict) and name in table and isinstance(found.setdefault(new_section, {}), dict):
            value = table.pop(name)
            known = VALUES.get((section, name, value), value) if isinstance(value, str) else value
            found[new_section].setdefault(new_name, known)
    return found
