"""Labels of the annotation tool CVAT: tracks and tags are read, tracks written."""

from actionformer.formats.cvat.reading import holds_labels as holds_labels
from actionformer.formats.cvat.reading import read_labels as read_labels
from actionformer.formats.cvat.writing import video_text as video_text
