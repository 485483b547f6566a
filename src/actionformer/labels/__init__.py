"""Annotations made of label files: what they name is matched with videos, and what they hold with what a video can."""

from actionformer.labels.choices import Choices
from actionformer.labels.importing import Imported, annotations_of
from actionformer.labels.recordings import Recording, read_recordings

__all__ = ["Choices", "Imported", "Recording", "annotations_of", "read_recordings"]
