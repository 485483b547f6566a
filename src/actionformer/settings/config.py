"""All settings together: what `config.toml` of a model directory holds.

Each section stands beside what it configures, in the `settings.py` of its room; a default is written there and nowhere
else. `loading` reads them from presets, files and Python.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Literal

import tomlkit
from pydantic import SerializeAsAny, ValidationError, model_validator

from actionformer.core.errors import InputError
from actionformer.core.names import nearest
from actionformer.data.settings import DataSettings
from actionformer.detectors.index import SETTINGS, settings_of
from actionformer.evaluation.settings import EvaluationSettings
from actionformer.inference.settings import DecodingSettings, FusionSettings, LiveSettings, SuppressionSettings
from actionformer.settings.base import Settings, descriptions, short
from actionformer.settings.model import ModelSettings
from actionformer.settings.renamed import with_present_names
from actionformer.training.settings import TrainingSettings

Changes = Mapping[str, Mapping[str, Any]]
"""Section -> setting -> value."""


DETECTOR = ModelSettings().detector
"""Whose network it is where nothing is said."""


class Config(Settings):
    """All settings of a model."""

    data: DataSettings = DataSettings()
    model: SerializeAsAny[ModelSettings] = settings_of(DETECTOR)()
    training: TrainingSettings = TrainingSettings()
    decoding: DecodingSettings = DecodingSettings()
    suppression: SuppressionSettings = SuppressionSettings()
    fusion: FusionSettings = FusionSettings()
    live: LiveSettings = LiveSettings()
    evaluation: EvaluationSettings = EvaluationSettings()

    @model_validator(mode="before")
    @classmethod
    def _of_the_detector(cls, tables: Any) -> Any:
        """The section `model` is that of the detector which it names."""
        model = tables.get("model") if isinstance(tables, Mapping) else None
        if not isinstance(model, Mapping):
            return tables
        section = settings_of(model.get("detector", DETECTOR))
        try:
            return {**tables, "model": section.model_validate(model)}
        except ValidationError as error:
            raise InputError(_explain(error, "model", section)) from error

    @model_validator(mode="before")
    @classmethod
    def _published_caps(cls, tables: Any) -> Any:
        """Published padding comes with published caps, also where a file was written before there were others."""
        model = tables.get("model") if isinstance(tables, Mapping) else None
        padding = model.get("mask_padding") if isinstance(model, Mapping) else getattr(model, "mask_padding", None)
        if padding != "published":
            return tables
        unsaid = [name for name in ("decoding", "suppression") if isinstance(tables.get(name, {}), Mapping)]
        return {**tables, **{name: {"cap_per": "video", **tables.get(name, {})} for name in unsaid}}

    @model_validator(mode="after")
    def _sensors_fit(self) -> Config:
        axes, model = self.data.sensor_axes, self.model
        if axes is not None and model.input_dim is not None and model.input_width % axes:
            raise ValueError(f"{model.input_width} channels do not divide into {axes} sensor axes (data.sensor_axes)")
        return self

    @model_validator(mode="after")
    def _windows_fit(self) -> Config:
        window, longest = self.data.window, self.model.max_length
        if window is not None and window > longest:
            raise ValueError(f"data.window {window} is longer than the sequences of model.max_length {longest}")
        return self

    def replace(self, **sections: Mapping[str, Any]) -> Config:
        """A copy with some settings changed: `config.replace(training={"epochs": 3})`.

        Another detector begins with its own defaults; of the present one's network stays what every network has.

        Raises:
            InputError: an unknown setting (the nearest known one is named) or a value out of range.
        """
        tables, changes = self.model_dump(), with_present_names(sections)
        return validated(merged(tables, changes), source="settings")

    def to_toml(self) -> str:
        """The settings as TOML, each with its description as a comment."""
        document = tomlkit.document()
        for section, settings in self:
            kind: type[Settings] = type(settings)
            table = tomlkit.table()
            table.comment((kind.__doc__ or "").strip())
            for key, value in settings.model_dump(mode="json").items():
                text = descriptions(kind)[key]
                if value is None:
                    table.add(tomlkit.comment(f"{key} is not set: {text}"))
                else:
                    item = tomlkit.item(value)
                    item.comment(text)
                    table.add(key, item)
            document.add(section, table)
        return tomlkit.dumps(document)


def differences(one: Config, other: Config) -> Iterator[tuple[str, str, Any, Any]]:
    """Section, setting and the two values of what differs; None for a setting that a detector has not."""
    for section in type(one).model_fields:
        first, second = (getattr(config, section).model_dump() for config in (one, other))
        for name in {**first, **second}:
            if first.get(name) != second.get(name):
                yield section, name, first.get(name), second.get(name)


def flat(config: Config) -> dict[str, Any]:
    """`section.setting` -> value, as plain values."""
    sections = config.model_dump(mode="json")
    return {f"{section}.{name}": value for section, values in sections.items() for name, value in values.items()}


def sections() -> dict[str, dict[str, tuple[Any, str]]]:
    """Section -> setting -> its type and its text, of the network those of all detectors."""
    found = {name: _documented(type(default)) for name, default in Config()}
    found["model"] = _of_all_detectors()
    return found


def _documented(kind: type[Settings]) -> dict[str, tuple[Any, str]]:
    return {name: (field.annotation, descriptions(kind)[name]) for name, field in kind.model_fields.items()}


def _of_all_detectors() -> dict[str, tuple[Any, str]]:
    """The settings of every network: any of its types, and whose a text is where it is not that of all."""
    types: dict[str, Any] = {}
    texts: dict[str, dict[str, list[str]]] = {}
    for detector in SETTINGS:
        for name, (annotation, text) in _documented(settings_of(detector)).items():
            types[name] = types.get(name, annotation) | annotation
            texts.setdefault(name, {}).setdefault(text, []).append(detector)
    types["detector"] = Literal[tuple(SETTINGS)]
    return {name: (types[name], _attributed(texts[name])) for name in types}


def _attributed(texts: Mapping[str, list[str]]) -> str:
    """Texts, each with the detectors that it is of."""
    return " ".join(
        text if len(detectors) == len(SETTINGS) else f"{', '.join(detectors)}: {text}"
        for text, detectors in texts.items()
    )


def merged(tables: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """Tables of settings with changes on top.

    Another detector begins with its own defaults; of the present one's network stays what every network has.
    """
    before, after = (one if isinstance(one := tables.get("model"), Mapping) else {} for tables in (tables, changes))
    detector = before.get("detector", DETECTOR)
    if after.get("detector", detector) != detector:
        common = {name: value for name, value in before.items() if name in ModelSettings.model_fields}
        tables = {**tables, "model": common}
    return _overlaid(tables, changes)


def _overlaid(tables: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """Table by table."""
    result = dict(tables)
    for key, value in changes.items():
        both_tables = isinstance(value, Mapping) and isinstance(result.get(key), Mapping)
        result[key] = _overlaid(result[key], value) if both_tables else value
    return result


def validated(tables: Mapping[str, Any], source: str) -> Config:
    """Tables as settings.

    Raises:
        InputError: an unknown setting (the nearest known one is named) or a value out of range.
    """
    try:
        return Config.model_validate(tables)
    except ValidationError as error:
        raise InputError(f"{source}: {_explain(error)}") from error


def _explain(error: ValidationError, section: str = "", kind: type[Settings] | None = None) -> str:
    """What is wrong, in one line; the error is of a section of some kind, or of all settings."""
    first = error.errors()[0]
    where = [*([section] if section else []), *(str(part) for part in first["loc"])]
    message = first["msg"].removeprefix("Value error, ")
    if not where:
        return message
    name = ".".join(where[:2])
    if first["type"] == "extra_forbidden":
        if kind is None:
            kind = Config if len(where) == 1 else type(getattr(Config(), where[0]))
        return f"unknown setting {name}{_of_others(kind, where[-1]) or nearest(where[-1], list(kind.model_fields))}"
    found = "" if isinstance(first["input"], Mapping) else f", found {short(first['input'])}"
    if first["type"] == "tuple_type" and found:
        message = f"expected a list, such as {short([first['input']])}"
    return f"{name}: {message}{found}"


def _of_others(kind: type[Settings], setting: str) -> str:
    """Whose setting it is, where `kind` is one detector's and others have it."""
    if not issubclass(kind, ModelSettings):
        return ""
    owners = [name for name in SETTINGS if setting in settings_of(name).model_fields]
    own = kind.model_fields["detector"].default
    have = "has" if len(owners) == 1 else "have"
    return f": {', '.join(owners)} {have} it, model.detector is {own}" if owners else ""
