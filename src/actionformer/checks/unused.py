"""Settings that were changed, and have no effect with the chosen detector."""

from __future__ import annotations

from actionformer.checks.findings import Finding
from actionformer.core.errors import listed
from actionformer.settings.config import Config


def check_unused(config: Config) -> list[Finding]:
    """Those that differ from their defaults."""
    names = unused_changes(config, Config())
    if not names:
        return []
    verb = "has" if len(names) == 1 else "have"
    what = f"{listed(names)} {verb} no effect with {config.model.detector}"
    return [Finding("unused", "warning", 0, 0, what, "", "leave out what is not meant for it")]


def unused_changes(config: Config, other: Config) -> list[str]:
    """Names of the settings that differ from others and have no effect with the chosen detector."""
    return [name for name in type(config.model).UNUSED if _value(config, name) != _value(other, name)]


def _value(config: Config, name: str) -> object:
    section, setting = name.split(".")
    return getattr(getattr(config, section), setting)
