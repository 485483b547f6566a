"""BORIS: projects, and the tables that it exports (events in rows, aggregated events)."""

from actionformer.formats.boris import aggregated, project, tabular
from actionformer.formats.boris.writing import results_text as results_text
from actionformer.formats.document import Document
from actionformer.formats.labels import LabelFile


def holds_labels(document: Document) -> bool:
    """Whether it is a project, or a table that BORIS has exported."""
    return any(kind.holds_labels(document) for kind in (project, tabular, aggregated))


def read_labels(document: Document) -> LabelFile:
    """The events of all observations."""
    if project.holds_labels(document):
        return project.read_labels(document)
    if tabular.holds_labels(document):
        return tabular.read_labels(document)
    return aggregated.read_labels(document)
