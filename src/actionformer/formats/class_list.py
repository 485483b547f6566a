"""Lists of classes that lie beside labels: a line each, the number or code of a class and then its name."""

from __future__ import annotations

import re

from actionformer.formats.document import Document

_LINE = re.compile(r"(\S+?)[\s,:]+(\S.*)")


def class_list(document: Document, *names: str) -> dict[str, str]:
    """Number or code -> name of a class, in the order of the file.

    Args:
        document: the labels.
        names: what the list may be called, beside the labels or in the folder above.

    Returns:
        None of them if there is no such file, or it is laid out in another way.
    """
    found = document.beside(*names)
    return {match[1]: match[2] for _, match in found.lines_like(_LINE)} if found is not None else {}
