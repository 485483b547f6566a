"""Label Studio: exports of tasks as JSON, JSON_MIN and CSV; tasks with predictions are written."""

from actionformer.formats.label_studio.reading import holds_labels as holds_labels
from actionformer.formats.label_studio.reading import read_labels as read_labels
from actionformer.formats.label_studio.writing import results_text as results_text
