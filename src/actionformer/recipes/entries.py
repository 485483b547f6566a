"""Models that are trained and tested side by side: same videos, features, split, evaluator and seeds.

OUT/NAME/seedN is a run directory like any other. What is finished there is kept.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from rich.console import Console

from actionformer.advice.subsets import NAMES, usual_subsets
from actionformer.core.annotations import Annotations
from actionformer.core.errors import InputError, untold
from actionformer.core.names import nearest
from actionformer.core.run_files import CARD, FEATURES, METRICS, OVERVIEW, SEED
from actionformer.core.terminal import plain_console, say
from actionformer.data.split import HELD_OUT
from actionformer.detectors.index import SETTINGS
from actionformer.evaluation.comparison import ComparisonReport
from actionformer.model_directory import load_settings
from actionformer.recipes.advise import check_subset_names
from actionformer.recipes.costs import Measuring, with_costs
from actionformer.recipes.evaluated import EvaluatedRun, read_evaluated, report_of
from actionformer.recipes.given import Given, TrainingData
from actionformer.recipes.held_out import hold_out
from actionformer.recipes.proposals import check_taken
from actionformer.recipes.run_directory import check_same, check_start_of, check_unoccupied, is_run, own_run
from actionformer.recipes.task import gather
from actionformer.recipes.train import train_on
from actionformer.settings.config import Changes, Config, merged
from actionformer.settings.loading import AUTO, is_preset, load_config, preset_names


@dataclass(frozen=True, eq=False)
class Entry:
    """One of the models that are compared."""

    name: str
    """Of its folder, and in tables."""
    given: Given
    """Complete settings and the data."""

    def with_seed(self, seed: int) -> Given:
        """What a run of one seed is given."""
        return replace(self.given, config=self.given.config.replace(training={"seed": seed}))


def entries_of(
    names: Sequence[str],
    data: TrainingData,
    out: Path,
    settings: Changes,
    *,
    validation: float | None,
    overwrite: bool,
    console: Console,
) -> list[Entry]:
    """Entries of detectors (settings as `train auto` derives them), presets and TOML files, all on the same data.

    Args:
        names: of detectors, presets, TOML files, or `auto`.
        data: of all entries; of videos features are made once, in OUT/features.
        out: the folder of all runs.
        settings: section -> setting -> value, of all entries.
        validation: see `train`.
        overwrite: see `train`.
        console: is told which videos are held out.

    Raises:
        InputError: an unknown name, one that comes twice, data that cannot be used, or entries that would be trained or
            evaluated on other subsets or by other thresholds.
    """
    for name in names:
        _check_known(name)
    _check_detector(names, settings)
    folders = {_folder(name): name for name in names}
    if len(folders) < len(names):
        raise InputError(f"each entry needs a name of its own, found {', '.join(names)}")
    if is_run(out):
        raise InputError(f"{out}: is a run, and what is compared are runs in a folder: choose another")
    annotations = data.read_annotations()
    data = replace(data, annotations=annotations)
    stated = [load_config(name, settings) for name in names if not _is_derived(name)]
    settings = merged({"data": _subsets(annotations, stated, settings)}, settings)
    base, held_out = _prepared(data, annotations, settings, validation, console)
    data = replace(data, features=base.with_features(out, overwrite=overwrite, console=console).features, videos=None)
    quiet = plain_console(quiet=True)
    entries = []
    for folder, name in folders.items():
        own = {**settings, "model": {**settings.get("model", {}), "detector": name}} if name in SETTINGS else settings
        given = data.given(AUTO if _is_derived(name) else name, own, shared=True)
        given = given.evaluated_on(held_out) if held_out else given
        entries.append(Entry(folder, given.completed(quiet)))
    check_evaluators(entries)
    if not any(entry.given.proposals for entry in entries):
        check_taken(entries[0].given.config, data.proposals)
    return entries


def _check_known(name: str) -> None:
    """Raises an InputError unless a name is a detector's, a preset's, or that of a file or a model directory."""
    if not (_is_derived(name) or is_preset(name) or name.endswith(".toml") or Path(name).is_dir()):
        near = nearest(name, [*SETTINGS, *preset_names()]) or "."
        raise InputError(
            f"no detector, preset or file {name!r}{near} The detectors are {', '.join(SETTINGS)}; presets are those of "
            "`train`; files end in .toml"
        )


def _check_detector(names: Sequence[str], settings: Changes) -> None:
    """Raises an InputError if a setting names another detector than an entry."""
    detector = settings.get("model", {}).get("detector")
    if detector and (others := [name for name in names if name in SETTINGS and name != detector]):
        raise InputError(f"model.detector is {detector}, but {others[0]} is to be trained: leave out --model.detector")


def _is_derived(name: str) -> bool:
    return name == AUTO or name in SETTINGS


def _folder(name: str) -> str:
    """What an entry is called: a detector or a preset by its name, a file without its ending."""
    folder = Path(name).stem if name.endswith(".toml") else name
    if folder in (FEATURES, "", ".", "..") or Path(folder).name != folder:
        raise InputError(f"{name!r}: cannot be the name of a folder of runs: give a detector, a preset or a .toml file")
    return folder


def _subsets(annotations: Annotations, stated: Sequence[Config], settings: Changes) -> dict[str, Sequence[str]]:
    """The subsets that all entries are trained and evaluated on, but for those that the user gives.

    They are those that presets and files name, as far as the annotations have them, else the usual ones.

    Raises:
        InputError: presets and files name several.
    """
    chosen: dict[str, Sequence[str]] = dict(usual_subsets(annotations, settings))
    for setting in NAMES.keys() - settings.get("data", {}).keys():
        named = {getattr(config.data, setting) for config in stated}
        there = [names for names in named if annotations.has_subset(names)]
        if len(there) > 1:
            option = f"--data.{setting.replace('_', '-')}"
            every = " and ".join(sorted(", ".join(names) for names in there))
            raise InputError(f"data.{setting}: the settings to compare name {every}: give {option} for all")
        if there:
            chosen[setting] = there[0]
    return chosen


def _prepared(
    data: TrainingData, annotations: Annotations, settings: Changes, validation: float | None, console: Console
) -> tuple[Given, tuple[str, ...]]:
    """What features are made for, and the videos held out for all entries where there are none to evaluate on."""
    known = {name: settings[name] for name in ("data", "training") if name in settings}
    given = data.given(AUTO, known, shared=True)
    check_subset_names(annotations, given.config, settings)
    base = hold_out(given, validation, console)
    if not base.annotations.has_subset(base.config.data.test_subset):
        raise InputError(
            f"{annotations.source}: no video to evaluate on in subset {', '.join(base.config.data.test_subset)}: "
            "label more videos, or give --validation 0.25"
        )
    held_out = tuple(base.annotations.subset(HELD_OUT).videos) if base.annotations is not annotations else ()
    if data.videos is not None:
        base = base.completed(plain_console(quiet=True))
    return base, held_out


def check_evaluators(entries: Sequence[Entry]) -> None:
    """Checks that all entries are evaluated alike.

    Raises:
        InputError: they have other thresholds, or some have classes and others not.
    """
    first = entries[0]
    for other in entries[1:]:
        for section, setting in (("evaluation", "tiou"), ("model", "num_classes")):
            one, two = (getattr(getattr(entry.given.config, section), setting) for entry in (first, other))
            if one != two and (setting == "tiou" or 1 in (one, two)):
                raise InputError(
                    f"{first.name} and {other.name} would be evaluated in other ways: {section}.{setting} is {one} "
                    f"and {two}: give --{section}.{setting.replace('_', '-')} for all"
                )


def check_counts(**counts: int) -> None:
    """Raises an InputError unless there is at least one of each, of seeds and of draws."""
    for name, count in counts.items():
        if count < 1:
            raise InputError(f"{name} must be at least 1, found {count}")


def trained(
    entries: Sequence[Entry], seeds: Sequence[int], out: Path, *, overwrite: bool, device: str, console: Console
) -> dict[str, list[EvaluatedRun]]:
    """Trains what is not finished yet: all entries with the first seed, then with the next.

    Args:
        entries: with names that differ.
        seeds: of each.
        out: the folder of all runs.
        overwrite: make runs again whose settings or data have changed since; others are kept.
        device: where to compute.
        console: where progress is shown.

    Returns:
        Entry -> its runs, one per seed, with what they have found.

    Raises:
        InputError: a run there was begun with other settings or data, before anything is trained; what `train` refuses.
    """
    runs = {entry.name: [out / entry.name / f"{SEED}{seed}" for seed in seeds] for entry in entries}
    changed = {run for entry in entries for run in _changed(entry, dict(zip(seeds, runs[entry.name], strict=True)))}
    if changed and not overwrite:
        raise InputError(next(iter(sorted(changed))).reason)
    again = {one.run for one in changed}
    done = 0
    for place, seed in enumerate(seeds):
        for entry in entries:
            run, given, done = runs[entry.name][place], entry.with_seed(seed), done + 1
            which = f"{entry.name}, seed {seed} ({done} of {len(entries) * len(seeds)})"
            if run not in again and is_finished(run, given.config):
                say(console, f"{which}: is there")
                continue
            say(console, f"{which}: {run}")
            resume = run not in again
            with own_run(run, resume=resume, overwrite=not resume):
                try:
                    train_on(given, run, init=None, resume=resume, device=device, console=console)
                except InputError as error:
                    raise InputError(f"{entry.name}, seed {seed}: {error}") from error
    return {entry.name: [read_evaluated(run, entry.given.annotations) for run in runs[entry.name]] for entry in entries}


def compared(
    entries: Sequence[Entry],
    data: TrainingData,
    seeds: int,
    out: Path,
    *,
    reference: str | None = None,
    draws: int,
    overwrite: bool,
    console: Console,
) -> ComparisonReport:
    """Trains what is not finished yet, and says how good each entry is and what it costs.

    Args:
        entries: with names that differ.
        data: that they were made of.
        seeds: runs of each entry, from `training.seed` on.
        out: the folder of all runs.
        reference: the entry to compare with; by default the best.
        draws: of videos, for intervals and tests.
        overwrite: make runs again whose settings or data have changed since; others are kept.
        console: where progress is shown.

    Raises:
        InputError: see `trained`.
    """
    first = entries[0].given.config.training.seed
    seeds_of_all = range(first, first + seeds)
    runs = trained(entries, seeds_of_all, out, overwrite=overwrite, device=data.device, console=console)
    how = replace(Measuring.of(entries[0].given, data.device), proposals=data.proposals)
    return with_costs(report_of(runs, reference=reference, draws=draws), runs, how)


@dataclass(frozen=True, order=True)
class Changed:
    """A run that is not what it would be now."""

    run: Path
    reason: str


def _changed(entry: Entry, runs: Mapping[int, Path]) -> list[Changed]:
    """Which runs of an entry have other settings or data than now; that the entry can be trained at all is checked."""
    with untold():  # training tells it
        task = gather(entry.given)
    if task.test is None:
        subset = ", ".join(task.config.data.test_subset)
        raise InputError(f"{task.annotations.source}: subset {subset} has no action that can be evaluated on")
    found = []
    for seed, run in runs.items():
        check_unoccupied(run, resume=True, overwrite=False)
        if not (run / CARD).is_file():
            continue
        try:
            check_same(run, task.config.replace(training={"seed": seed}), task.card)
            check_start_of(run, None)
        except InputError as error:
            found.append(Changed(run, f"{error}; --overwrite makes what has changed again, and keeps the rest"))
    return found


def is_finished(run: Path, config: Config) -> bool:
    """Whether a run has come to its end: the overview is what it writes last of its model."""
    if not all((run / name).is_file() for name in (CARD, OVERVIEW, METRICS)):
        return False
    return load_settings(run)[1].training.get("epochs") == config.training.all_epochs
