"""Tables with a row per detection or label: ours (video, label, start, end, score), and those of others."""

from actionformer.formats.csv_table.columns import check_roles as check_roles
from actionformer.formats.csv_table.labels import holds_labels as holds_labels
from actionformer.formats.csv_table.labels import read_labels as read_labels
from actionformer.formats.csv_table.layout import why_none as why_none
from actionformer.formats.csv_table.results import action_line as action_line
from actionformer.formats.csv_table.results import read_results as read_results
from actionformer.formats.csv_table.results import results_text as results_text
from actionformer.formats.csv_table.results import stream_header as stream_header
