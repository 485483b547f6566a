"""What is looked at whenever a training starts, without reading a feature; the doctor looks at more."""

from __future__ import annotations

from collections.abc import Sequence

from actionformer.checks.classes import check_balance, check_evaluated_classes, check_trained_classes
from actionformer.checks.findings import Finding
from actionformer.checks.labels import check_typos
from actionformer.checks.moments import check_moments
from actionformer.checks.proposals import check_proposals
from actionformer.checks.repeats import check_twins
from actionformer.checks.times import check_actions
from actionformer.checks.unused import check_unused
from actionformer.checks.windows import check_crowded, check_windows
from actionformer.data.collection import Collection
from actionformer.data.dataset import TrainingSet
from actionformer.settings.config import Config


def check_training(
    collection: Collection, training: TrainingSet, config: Config, class_names: Sequence[str]
) -> list[Finding]:
    """What training would suffer from.

    Args:
        collection: the training subset.
        training: the same videos as training sees them.
        config: complete settings.
        class_names: of all labels.
    """
    videos = [one.video for one in collection.videos]
    return [
        *check_unused(config),
        *check_actions(collection.videos),
        *check_windows(collection, config),
        *check_crowded(training, config),
        *check_moments(training, config, class_names),
        *check_proposals(collection.videos),
        *check_trained_classes(videos, class_names),
        *check_balance(videos, class_names),
        *check_typos(videos, class_names),
        *check_twins(videos),
    ]


def check_evaluation(collection: Collection, trained: Collection, class_names: Sequence[str]) -> list[Finding]:
    """What evaluation would suffer from; with an error among it, it cannot be evaluated on these videos.

    Args:
        collection: the evaluation subset.
        trained: the training subset.
        class_names: of all labels.
    """
    asked, learned = ([one.video for one in subset.videos] for subset in (collection, trained))
    shared = [one for one in check_twins([*learned, *asked]) if one.kind == "leak"]
    known = check_typos(learned, class_names)
    return [
        *check_actions(collection.videos),
        *check_proposals(collection.videos),
        *check_evaluated_classes(asked, learned, class_names),
        *([] if known else check_typos([*learned, *asked], class_names)),
        *shared,
    ]
