"""Where the detectors are: name -> import path. Nothing is imported before somebody asks for it."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from actionformer.core.errors import InputError
from actionformer.core.names import nearest
from actionformer.settings.model import ModelSettings

SETTINGS = {
    "actionformer": "actionformer.detectors.actionformer.settings.ActionFormerSettings",
    "tridet": "actionformer.detectors.tridet.settings.TriDetSettings",
    "temporalmaxer": "actionformer.detectors.temporalmaxer.settings.TemporalMaxerSettings",
    "bmn": "actionformer.detectors.bmn.settings.BMNSettings",
    "gtad": "actionformer.detectors.gtad.settings.GTADSettings",
    "tadtr": "actionformer.detectors.tadtr.settings.TadTRSettings",
    "afsd": "actionformer.detectors.afsd.settings.AFSDSettings",
    "muses": "actionformer.detectors.muses.settings.MUSESSettings",
}
"""The settings of each detector's network, a `ModelSettings`. These modules import no torch."""

ARCHITECTURES = {
    "actionformer": "actionformer.detectors.actionformer.architecture.ActionFormer",
    "tridet": "actionformer.detectors.tridet.architecture.TriDet",
    "temporalmaxer": "actionformer.detectors.temporalmaxer.architecture.TemporalMaxer",
    "bmn": "actionformer.detectors.bmn.architecture.BMN",
    "gtad": "actionformer.detectors.gtad.architecture.GTAD",
    "tadtr": "actionformer.detectors.tadtr.architecture.TadTR",
    "afsd": "actionformer.detectors.afsd.architecture.AFSD",
    "muses": "actionformer.detectors.muses.architecture.MUSES",
}
"""What each detector brings, an `Architecture`."""


def settings_of(detector: Any) -> type[ModelSettings]:
    """The class of a detector's settings.

    Raises:
        InputError: there is no such detector.
    """
    if not isinstance(detector, str) or detector not in SETTINGS:
        near = nearest(str(detector), list(SETTINGS)) or "."
        raise InputError(f"model.detector: no detector {detector!r}{near} The detectors are {', '.join(SETTINGS)}")
    found: type[ModelSettings] = imported(SETTINGS[detector])
    return found


def imported(path: str) -> Any:
    """What an import path of a name in a module leads to."""
    module, _, name = path.rpartition(".")
    return getattr(import_module(module), name)
