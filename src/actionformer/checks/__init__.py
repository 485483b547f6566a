"""What is wrong with data, found before it costs a training run, and told as data."""

from actionformer.checks.findings import Finding, tell
from actionformer.checks.rate import check_rate
from actionformer.checks.subsets import check_chosen_subsets
from actionformer.checks.times import check_actions
from actionformer.checks.training import check_evaluation, check_training
from actionformer.checks.unlike import check_unlike
from actionformer.checks.values import check_values
from actionformer.checks.video_classes import check_video_classes

__all__ = [
    "Finding",
    "check_actions",
    "check_chosen_subsets",
    "check_evaluation",
    "check_rate",
    "check_training",
    "check_unlike",
    "check_values",
    "check_video_classes",
    "tell",
]
