"""The card of a model that is shared: what its page on the hub says, as figures, YAML and Markdown."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from actionformer.backbones import medium_of
from actionformer.core.errors import DISTRIBUTION, InputError, listed, warn
from actionformer.core.run_files import BEST, OVERVIEW
from actionformer.core.words import plural
from actionformer.data.groups import LEAST_GROUPS
from actionformer.evaluation.bootstrap import Interval, confidence
from actionformer.evaluation.conclusions import FEW
from actionformer.evaluation.overview import Operating, Overview, read_overview
from actionformer.features import FeatureSpec
from actionformer.hub import library
from actionformer.inference.detector import Detector
from actionformer.model_directory import load_settings
from actionformer.recipes.evaluated import read_evaluated

TAGS = ("temporal-action-localization", "temporal-action-detection")
"""No task of the hub is this one, so that a card states none; these words find it."""
MOST_NAMES = 20
"""Names of videos in a sentence."""
SAME = 1e-6
"""Largest difference of two mAP that are one figure."""
EXAMPLES = {
    "videos": "new.mp4",
    "sound files": "new.wav",
    "tables of readings": "new.csv",
    "files of key points": "new.csv",
}


@dataclass(frozen=True)
class Figures:
    """What is known of how good a model is; shares from 0 to 1."""

    current: bool = True
    """Whether the model's figures are of it as it is now: no setting was changed since."""
    overview: Overview | None = None
    """The report at the end of its training."""
    interval: Interval | None = None
    """mAP, mean over tIoU, where it lies with a confidence of 95%."""
    drawn: str = ""
    """What the interval comes from, such as `12 videos`."""
    chosen: bool = False
    """Whether the model is the epoch with the best figures on these very videos."""


def figures_of(detector: Detector) -> Figures:
    """The figures of a detector, as far as its model directory has them and the annotations can still be read."""
    directory, metrics = detector.directory, detector.card.metrics
    if directory is None or "map" not in metrics:
        return Figures()
    if load_settings(directory)[0] != detector.config:
        return Figures(current=False)
    overview = read_overview(directory / OVERVIEW) if (directory / OVERVIEW).is_file() else None
    if overview is not None and abs(overview.map - metrics["map"]) > SAME:  # of another evaluation
        overview = None
    chosen = directory.name == BEST and (directory.parent / OVERVIEW).is_file()
    try:
        run = read_evaluated(directory)
    except InputError as error:
        warn(f"the card has mAP without an interval: {error}", stacklevel=4)
        return Figures(overview=overview, chosen=chosen)
    groups = run.groups.numbers(run.truth.videos, LEAST_GROUPS)
    by_groups = run.groups.among(run.truth.videos) >= LEAST_GROUPS
    drawn = plural(int(groups.max()) + 1, "group of videos" if by_groups else "video", "groups of videos" * by_groups)
    return Figures(overview=overview, interval=confidence(run.result.found, groups), drawn=drawn, chosen=chosen)


def front_matter(
    detector: Detector, repository: str, license: str | None, dataset: str | None, figures: Figures
) -> str:
    """The YAML at the head of a card, which the hub reads."""
    hub = library("sharing a model")
    metrics = detector.card.metrics if figures.current else {}
    results = [
        hub.EvalResult(
            task_type=TAGS[0],
            dataset_type="other",
            dataset_name=dataset or "videos of its author",
            metric_type="map",
            metric_name=f"{name.replace('map', 'mAP', 1)} (%)",
            metric_value=round(100 * value, 2),
        )
        for name, value in metrics.items()
    ]
    tags = [*TAGS, DISTRIBUTION, detector.config.model.detector]
    data: dict[str, object] = {"library_name": DISTRIBUTION, "license": license, "tags": tags}
    if results:
        data |= {"model_name": repository.rpartition("/")[2], "eval_results": results}
    return str(hub.ModelCardData(**data).to_yaml())


def page(detector: Detector, repository: str, license: str | None, dataset: str | None, figures: Figures) -> str:
    """The card in Markdown, below its YAML."""
    sections = {
        "Use": _use(detector, repository),
        "Classes": _classes(detector),
        "Features": _features(detector),
        "Data": _data(detector, dataset),
        "Figures": _figures(detector, figures),
        "Limits": _limits(detector, figures),
        "Licence": [license or "None is stated: ask the author before you use the model for anything."],
    }
    kinds = plural(len(detector.class_names), "class")
    head = [
        f"# {repository.rpartition('/')[2]}",
        f"Finds actions of {kinds} in {_medium(detector)}: when each begins and ends, in seconds, what it is, and how "
        f"certain that is. The detector is {detector.config.model.detector}, of the package `{DISTRIBUTION}`.",
    ]
    parts = [*head, *(f"## {title}\n\n" + "\n".join(lines) for title, lines in sections.items())]
    return "\n\n".join(parts) + "\n"


def _medium(detector: Detector) -> str:
    features = detector.card.features.parts[0]
    return medium_of(features.backbone).files if features.backbone else "features of videos"


def _use(detector: Detector, repository: str) -> Iterator[str]:
    file = EXAMPLES.get(_medium(detector), "new.npy")
    yield f"""```sh
pip install '{DISTRIBUTION}[features,hub]'
actionformer detect hf://{repository} {file}
```

```python
import actionformer

find = actionformer.pipeline("hf://{repository}")
for action in find("{file}"):
    print(action.start, action.end, action.label, action.score)
```"""
    if detector.second_stage and detector.proposer is None:
        yield "\nIt judges proposals of segments and has none of its own: give `--proposals` those of another model."


def _classes(detector: Detector) -> Iterator[str]:
    yield ", ".join(_text(name) for name in detector.class_names)


def _features(detector: Detector) -> Iterator[str]:
    sources = detector.card.features.parts
    if len(sources) > 1:
        yield f"It looks at {len(sources)} sources, which are joined by time:\n"
    yield "| | " + " | ".join("" for _ in sources) + " |"
    yield "|---|" + "---|" * len(sources)
    for name, values in _rows(sources):
        yield f"| {name} | " + " | ".join(values) + " |"
    yield f"\nThe network takes {plural(detector.config.model.input_width, 'channel')}. Other features are refused."


def _rows(sources: tuple[FeatureSpec, ...]) -> Iterator[tuple[str, list[str]]]:
    for name, title in {
        "backbone": "backbone",
        "weights_hash": "SHA-256 of its weights",
        "preprocessing": "preprocessing",
        "fps": "frames a second",
        "stride": "frames from one feature to the next",
        "num_frames": "frames that a feature covers",
    }.items():
        values = [getattr(one, name) for one in sources]
        if any(value is not None for value in values):
            yield title, ["not known" if one is None else _text(f"{one:g}" if isinstance(one, float) else str(one))
                          for one in values]  # fmt: skip


def _data(detector: Detector, dataset: str | None) -> Iterator[str]:
    training = detector.card.training
    if dataset:
        yield f"{_text(dataset)}."
    if "converted_from" in training:
        yield f"Converted from a published checkpoint: {listed(list(map(_text, training['converted_from'])))}."
    if "videos" in training:
        learned = f"{plural(training['videos'], 'video')} with {plural(training.get('actions', 0), 'action')}"
        epochs = f", for {plural(training['epochs'], 'epoch')}" if "epochs" in training else ""
        yield f"Trained on {learned}{epochs}."
    if held_out := detector.card.held_out:
        yield f"Held out from training: {listed(list(map(_text, held_out)), MOST_NAMES)}."
    if not dataset and not training:
        yield "Not known."


def _figures(detector: Detector, figures: Figures) -> Iterator[str]:
    metrics = detector.card.metrics
    if not figures.current:
        yield "None: settings were changed after the evaluation."
        return
    if "map" not in metrics:
        yield "None: the model was not evaluated."
        return
    found = figures.overview
    if found is not None:
        groups = f" of {plural(found.groups, 'group')}" if found.groups else ""
        whose = "not learned from" if found.fresh else "**learned from, so that figures are too good**"
        yield f"{plural(found.videos, 'video')}{groups} with {plural(found.actions, 'action')}, {whose}.\n"
    if figures.chosen:
        yield "The epoch was chosen on these very videos, so that figures are a little too good.\n"
    yield "| | % | 95% |"
    yield "|---|---|---|"
    for name, value in metrics.items():
        whole = figures.interval if name == "map" else None
        between = f"{_percent(whole.low)} to {_percent(whole.high)}" if whole is not None else ""
        title = "mAP, mean over tIoU" if name == "map" else name.replace("map", "mAP", 1)
        yield f"| {title} | {_percent(value)} | {between} |"
    if found is not None and found.operating is not None:
        yield from _operating(found.operating)
    if figures.drawn:
        yield f"\nThe interval of mAP is of draws of {figures.drawn}."
    if found is not None:
        yield "\n| class | actions learned | actions evaluated | AP, % |\n|---|---|---|---|"
        yield from (
            f"| {_text(one.name)} | {one.learned} | {one.actions} | {_percent(one.ap)} |" for one in found.classes
        )


def _operating(one: Operating) -> Iterator[str]:
    for name in ("precision", "recall"):
        share = getattr(one, name)
        low, high = max(share - one.uncertainty, 0.0), min(share + one.uncertainty, 1.0)
        yield f"| {name} of what is shown | {_percent(share)} | {_percent(low)} to {_percent(high)} |"


def _limits(detector: Detector, figures: Figures) -> Iterator[str]:
    found = figures.overview
    where = f"the {plural(found.videos, 'video')} above" if found is not None else "what is stated above"
    yield f"- Nothing is known of it beyond {where}: other people, cameras and places were not tried."
    if found is not None and (found.groups or found.videos) < FEW:
        kind = "groups" if found.groups else "videos"
        yield f"- These are fewer than {FEW} {kind}: intervals of so few are too narrow."
    if detector.card.calibration is None:
        yield "- Scores are the network's own: they put detections in order and are no probabilities."
    else:
        yield "- Scores are calibrated to probabilities on the evaluated videos; elsewhere they may be off."
    if found is not None:
        yield from (f"- {one.what}" for one in found.limits)


def _percent(share: float) -> str:
    return f"{100 * share:.1f}"


def _text(name: str) -> str:
    """A name as text: nothing in it is Markdown, a cell or HTML."""
    return "".join(f"\\{one}" if one in "\\`*_{}[]<>()#+!|~$" else one for one in " ".join(name.split()))
