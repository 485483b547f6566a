"""Every number among the settings has a least and a largest value, and what lies within is built quickly."""

import random
import time
from collections.abc import Iterator
from contextlib import nullcontext
from functools import cache
from typing import Any

import pytest
import torch
from variants import VARIANTS, actionformer_settings, small_settings

from actionformer.core.errors import InputError
from actionformer.detectors.actionformer.network import build_network
from actionformer.detectors.base import architecture_of
from actionformer.nn.segment_map.settings import SegmentMapSettings
from actionformer.nn.settings import PyramidSettings
from actionformer.settings.config import Config
from actionformer.settings.loading import load_config, preset_names, published_shape

IN_WORDS: dict[str, tuple[Any, ...]] = {
    "data.crop_ratio": ([0.5, 1.5], [-1, 1], [0.9, float("nan")], [0.9]),
    "model.input_dim": (0, 10**9, [4, -1], [1] * 101, 10**5000),
    "model.projection": ([0], [10**9]),
    "model.window": (10**9 + 1, -2, [10**9 + 1] * 6, [19] * 99, 2 * 10**4000 + 1),
    "model.regression_ranges": (
        [[-1, 4]] * 6,
        [[0, 10**10]] * 6,
        [[0, float("nan")]] * 6,
        [[0, float("inf")]] * 6,
        [[4, 4]] * 6,
        [[4, 8], [0, 8], [8, 16], [16, 32], [32, 64], [64, 99]],
        [[0, 8], [0, 4], [8, 16], [16, 32], [32, 64], [64, 99]],
        [[0, 4]] * 10_000,
    ),
    "training.drop_epochs": ([0], [-1], [2, 2], [10**9], [1] * 101, [0.5], [10**5000]),
    "evaluation.tiou": ([0], [1.5], [float("nan")], [0.5] * 101, []),
    "evaluation.recall_at": ([0], [10**9], [1] * 101, []),
}
"""Lists, whose bounds a validator of their own tells better than the schema: values that are refused."""


def numbers(schema: dict[str, Any], name: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Every number that a schema of JSON has a place for, with its name."""
    if schema.get("type") in ("integer", "number"):
        yield name, schema
    items = [schema["items"]] if "items" in schema else []
    for one in (*schema.get("anyOf", ()), *schema.get("prefixItems", ()), *items):
        yield from numbers(one, name)
    for key, one in schema.get("properties", {}).items():
        yield from numbers(one, f"{name}.{key}".removeprefix("."))


@cache
def settings() -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = {}
    for section, values in Config():
        for name, schema in numbers(type(values).model_json_schema(), section):
            found.setdefault(name, []).append(schema)
    return found


def test_every_number_has_both_bounds() -> None:
    every = settings()
    assert len(every) > 50
    for name, schemas in every.items():
        for schema in schemas if name not in IN_WORDS else []:
            assert {"minimum", "exclusiveMinimum"} & schema.keys(), name
            assert {"maximum", "exclusiveMaximum"} & schema.keys(), name
    assert every.keys() >= IN_WORDS.keys()


@pytest.mark.parametrize("name", settings())
def test_what_lies_outside_is_refused_in_a_line(name: str) -> None:
    section, _, key = name.partition(".")
    huge: tuple[Any, ...] = (2**40, -(2**40), 10**400, -(10**5000), float("nan"), float("inf"), 1e308)
    huge += ("text", None, [], {}, [[]])
    unset = getattr(getattr(Config(), section), key) is None
    for value in IN_WORDS.get(name, [one for one in huge if not (unset and one is None)]):
        with pytest.raises(InputError) as error:
            Config().replace(**{section: {key: value}})
        assert key in str(error.value)
        assert "\n" not in str(error.value)
        assert len(str(error.value)) < 500


@pytest.mark.parametrize("preset", preset_names())
def test_presets_lie_within_and_their_size_is_nearly_known(preset: str) -> None:
    config = load_config(preset)
    shape = {"input_dim": 2048, "num_classes": 20} | published_shape(preset)
    missing = {name: value for name, value in shape.items() if getattr(config.model, name) is None}
    config = config.replace(model=missing)
    assert number_of_weights(config) == pytest.approx(config.model.rough_size, rel=0.1)


def number_of_weights(config: Config) -> int:
    """Of a network as it is built for short videos; the weights of a feature pyramid have shapes and no values."""
    if isinstance(config.model, SegmentMapSettings):
        config = config.replace(data={"resize" if config.data.resize else "window": 32})
    with torch.device("meta") if isinstance(config.model, PyramidSettings) else nullcontext():
        return sum(weight.numel() for weight in architecture_of(config).network().parameters())


@pytest.mark.parametrize("name", VARIANTS)
def test_parts_that_presets_lack_count_too(name: str) -> None:
    settings = small_settings(**{"width": 320} | fitting(VARIANTS[name]))
    assert number_of_weights(Config(model=settings)) == pytest.approx(settings.rough_size, rel=0.2)


def fitting(variant: dict[str, Any]) -> dict[str, Any]:
    """A variant whose widths are those of a network twenty times as wide."""
    widths = {"projection": tuple(20 * width for width in variant["projection"])} if "projection" in variant else {}
    return variant | widths | {name: 320 for name in ("neck_width", "head_width") if name in variant}


def drawn(rng: random.Random) -> dict[str, Any]:
    """Settings of a network, each at a bound, within or beyond it."""
    changes: dict[str, Any] = {"width": 32, "num_heads": 2, "input_dim": rng.choice([1, 2048]), "num_classes": 20}
    for name, schemas in settings().items():
        section, _, key = name.partition(".")
        if section != "model" or name in IN_WORDS or rng.random() < 0.85:
            continue
        least = schemas[0].get("minimum", schemas[0].get("exclusiveMinimum", 0))
        largest = schemas[0].get("maximum", schemas[0].get("exclusiveMaximum", 1))
        value = rng.choice([least, largest, largest + 1, (least + largest) / 2, least + (largest - least) * 0.01])
        changes[key] = round(value) if schemas[0]["type"] == "integer" else value
    for key, values in (
        ("neck", ["identity", "fpn"]),
        ("block", ["transformer", "convolution", "maxpool"]),
        ("position", ["none", "sinusoidal", "learned"]),
        ("mask_padding", ["exact", "published"]),
        ("relative_position", [False, True]),
        ("stem_levels", [False, True]),
        ("window", [-1, 0, 3, 19, 8191, 8193]),
    ):
        if rng.random() < 0.5:
            changes[key] = rng.choice(values)
    levels = 1 + int(changes.get("branch_blocks", 5))
    if changes.get("stem_levels"):
        levels += int(changes.get("stem_blocks", 2)) - 1
    changes["regression_ranges"] = [[0, 4]] * max(min(levels, 200), 1)
    return changes


@pytest.mark.parametrize(("seed", "count"), [(0, 150), pytest.param(1, 5000, marks=pytest.mark.slow, id="long")])
def test_settings_are_built_quickly_or_refused(seed: int, count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("actionformer.settings.model.MOST_WEIGHTS", 3_000_000)  # what this machine builds at once
    rng = random.Random(seed)
    built = [size for _ in range(count) if (size := _size(drawn(rng))) is not None]
    assert len(built) > count / 50
    assert max(built) < 6_000_000


def _size(changes: dict[str, Any]) -> int | None:
    """Weights of a network, None if it is refused, in a line; either takes no time."""
    begun = time.process_time()
    try:
        model = build_network(actionformer_settings(Config().replace(model=changes)))
        return sum(weight.numel() for weight in model.parameters())
    except InputError as refused:
        message = str(refused)
    finally:
        taken = time.process_time() - begun
        assert taken < 20, changes
    assert "\n" not in message
    return None


def test_networks_that_no_machine_holds_are_refused() -> None:
    whole = {"width": 16_384, "stem_blocks": 64, "num_classes": 20, "input_dim": 2048}
    with pytest.raises(InputError, match=r"the network would have .*e\+11 weights, at most 5.0e\+08 are built"):
        Config().replace(model=whole)
    with pytest.raises(InputError, match=r"model.branch_blocks: .*less than or equal to 16, found 99999"):
        Config().replace(model={"branch_blocks": 99999})
