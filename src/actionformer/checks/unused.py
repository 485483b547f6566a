"""Settings that were changed, and have no effect with the chosen detector."""

from __future__ import annotations

from actionformer.checks.findings import Finding
from actionformer.core.errors import listed
from actionformer.settings.config import Config


def check_unused(config: Config) -> list[Finding]:
    """Those that differ from their defaults."""
    usual = Config()
    names = []
    for name in type(config.model).UNUSED:
        section, setting = name.split(".")
        if getattr(getattr(config, section), setting) != getattr(getattr(usual, section), setting):
            names.append(name)
    if not names:
        return []
    verb = "has" if len(names) == 1 else "have"
    what = f"{listed(names)} {verb} no effect with {config.model.detector}"
    return [Finding("unused", "warning", 0, 0, what, "", "leave out what is not meant for it")]
