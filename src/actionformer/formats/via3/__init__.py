"""VGG Image Annotator 3: projects, and its two CSV exports."""

from actionformer.formats.via3.reading import holds_labels as holds_labels
from actionformer.formats.via3.reading import read_labels as read_labels
from actionformer.formats.via3.writing import results_text as results_text
