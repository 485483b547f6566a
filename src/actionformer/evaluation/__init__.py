"""How good detections are: mean average precision, recall, and a report of both."""

from actionformer.evaluation.mean_average_precision import average_precision, match
from actionformer.evaluation.recall import average_recall, recall_at_kx
from actionformer.evaluation.report import Report, parse_tiou, score

__all__ = ["Report", "average_precision", "average_recall", "match", "parse_tiou", "recall_at_kx", "score"]
