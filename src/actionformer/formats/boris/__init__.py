"""BORIS: projects, and the tables that it exports (events in rows, aggregated events)."""

from actionformer.formats.boris import aggregated, project, tabular
from actionformer.formats.document import Document
from actionformer.formats.labels import LabelFile

KINDS = (project, tabular, aggregated)


def holds_labels(document: Document) -> bool:
    """Whether it is a project, or a table that BORIS has exported."""
    return any(kind.holds_labels(document) for kind in KINDS)


def read_labels(document: Document) -> LabelFile:
    """The events of all observations."""
    return next(kind for kind in KINDS if kind.holds_labels(document)).read_labels(document)
