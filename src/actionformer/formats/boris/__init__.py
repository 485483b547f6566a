"""BORIS: projects, and the tables that it exports (events in rows, aggregated events)."""

from actionformer.formats.boris import aggregated, project, tabular
from actionformer.formats.boris.writing import results_text as results_text
from actionformer.formats.document import Document
from actionformer.formats.labels import LabelFile

KINDS = (project, tabular, aggregated)
"""Files of BORIS, each told by its content."""


def holds_labels(document: Document) -> bool:
    """Whether it is a project, or a table that BORIS has exported."""
    return any(kind.holds_labels(document) for kind in KINDS)


def read_labels(document: Document) -> LabelFile:
    """The events of all observations."""
    found: LabelFile = next(kind for kind in KINDS if kind.holds_labels(document)).read_labels(document)
    return found
