"""ActivityNet JSON: annotations `{"database": {...}}` and results `{"results": {...}}`."""

from actionformer.formats.activitynet.action_lines import action_line as action_line
from actionformer.formats.activitynet.action_lines import provisional_line as provisional_line
from actionformer.formats.activitynet.action_lines import stream_header as stream_header
from actionformer.formats.activitynet.annotations import annotations_text as annotations_text
from actionformer.formats.activitynet.annotations import read_annotations as read_annotations
from actionformer.formats.activitynet.labels import holds_labels as holds_labels
from actionformer.formats.activitynet.labels import read_labels as read_labels
from actionformer.formats.activitynet.results import read_results as read_results
from actionformer.formats.activitynet.results import results_text as results_text
