"""Documents of the annotation tool ELAN: tiers of annotations, which share one order of times."""

from actionformer.formats.elan.reading import holds_labels as holds_labels
from actionformer.formats.elan.reading import read_labels as read_labels
from actionformer.formats.elan.writing import video_text as video_text
