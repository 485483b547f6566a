"""What a model directory holds, as a table for people."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from rich.console import Group

from actionformer.core.errors import listed
from actionformer.core.run_files import PROPOSER
from actionformer.core.segments import TimeGrid
from actionformer.core.terminal import TextTable
from actionformer.detectors.base import Level, architecture_of, takes_proposals
from actionformer.features import FeatureSpec
from actionformer.hub import model_folder
from actionformer.model_directory import load_classifier, load_model, load_settings


def describe(directory: str | Path) -> Group:
    """Says what a model is: classes, features, levels, size, training.

    Args:
        directory: a model directory, a model of huggingface.co (hf://USER/MODEL), a preset's name or a TOML file.
    """
    directory = model_folder(directory)
    model, config, card = load_model(directory)
    facts = TextTable("fact", "value", show_header=False, box=None)
    facts.add_row("detector", config.model.detector)
    facts.add_row("parameters", f"{sum(p.numel() for p in model.parameters()) / 1e6:.2f} M")
    facts.add_row("classes", _counted(card.class_names))
    if load_classifier(directory, config, card) is not None:
        facts.add_row("classes of videos", f"{_counted(card.video_classes)} (its own classifier gives them)")
    if (directory / PROPOSER).is_dir():
        facts.add_row("proposals", f"of {load_settings(directory / PROPOSER)[0].model.detector}, in {PROPOSER}/")
    elif takes_proposals(config):
        facts.add_row("proposals", "not its own: --proposals gives them")
    facts.add_row("features", _known(card.features))
    for number, source in enumerate(card.features.sources, start=1):
        facts.add_row(f"source {number}", _known(source))
    for name, value in card.training.items():
        facts.add_row(f"training: {name.replace('_', ' ')}", _in_words(value))
    for name, share in card.metrics.items():
        facts.add_row(name.replace("map", "mAP", 1), f"{100 * share:.2f}%")
    levels = architecture_of(config).levels(model)
    return Group(facts, *([_levels(levels, card.features.grid)] if levels else []))


def _known(features: FeatureSpec) -> str:
    known = replace(features, sources=()).to_dict()
    return ", ".join(f"{name} {value}" for name, value in known.items())


def _counted(names: tuple[str, ...]) -> str:
    return f"{len(names)}: {', '.join(names[:8])}" + (", ..." if len(names) > 8 else "")


def _in_words(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.4f}"
    return listed(list(map(str, value))) if isinstance(value, list) else str(value)


def _levels(levels: list[Level], grid: TimeGrid | None) -> TextTable:
    table = TextTable("level", "stride", "window", "actions, features", title="pyramid")
    if grid is not None:
        table.add_column("actions, s")
    for index, level in enumerate(levels):
        least, largest = level.action_range
        window = str(level.window) if level.window > 1 else "global"
        row = [str(index), str(level.stride), window, f"{least:g} - {largest:g}"]
        if grid is not None:
            step = grid.step
            row.append(f"{least * step:.2f} - {largest * step:.2f}")
        table.add_row(*row)
    return table
