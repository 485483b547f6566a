"""Annotations of ChronoViz, worked by hand."""

import pytest

from actionformer.formats.chronoviz import holds_labels, read_labels
from actionformer.formats.document import Document

TABLE = """StartTime,EndTime,Title,Annotation,MainCategory,Category2,Category3
"0:00:01.5","0:01:02.25","first","he said ""go"", then left",Talk,,
0:00:03,0:00:03,second,,,,
"""
XML = """<annotations><event startTimeInterval="1.5" endTimeInterval="62.25" isDuration="true" title="first">
<category name="Talk"/></event><event startTimeInterval="3" title="second"/></annotations>"""


@pytest.mark.parametrize("text", [TABLE, XML])
def test_the_category_is_the_label_else_the_title(text: str) -> None:
    document = Document("film.csv", text.encode())
    assert holds_labels(document)
    (video,) = read_labels(document).videos
    assert [(one.start, one.end, one.label) for one in video.segments] == [(1.5, 62.25, "Talk"), (3, 3, "second")]
