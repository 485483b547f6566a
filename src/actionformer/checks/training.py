"""All that can be found out about the data of a training without reading a feature."""

from __future__ import annotations

from collections.abc import Sequence

from actionformer.checks.classes import check_evaluated_classes, check_trained_classes
from actionformer.checks.findings import Finding
from actionformer.checks.moments import check_moments
from actionformer.checks.times import check_actions
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
    return [
        *check_actions(collection.videos),
        *check_moments(training, config, class_names),
        *check_trained_classes([one.video for one in collection.videos], class_names),
    ]


def check_evaluation(collection: Collection, trained: Collection, class_names: Sequence[str]) -> list[Finding]:
    """What evaluation would suffer from; with an error among it, it cannot be evaluated on these videos.

    Args:
        collection: the evaluation subset.
        trained: the training subset.
        class_names: of all labels.
    """
    asked, learned = ([one.video for one in subset.videos] for subset in (collection, trained))
    return [*check_actions(collection.videos), *check_evaluated_classes(asked, learned, class_names)]
