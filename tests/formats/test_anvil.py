"""Files of Anvil, worked by hand."""

import pytest

from actionformer.formats.anvil import holds_labels, read_labels
from actionformer.formats.document import Document

TEXT = """<?xml version="1.0" encoding="{encoding}"?>
<annotation><head><specification src="spec.xml"/><video src="C:\\films\\v.avi" master="true"/></head><body>
<track name="gesture" type="primary">
<el index="0" start="1.5" end="2.5"><attribute name="type">größer</attribute></el>
<el index="1" start="3" end="4"><attribute name="type">b</attribute><attribute name="hand">left</attribute></el></track>
<track name="phrase" type="span" ref="gesture">
<el index="0" start="0" end="1"><attribute name="t">c</attribute></el></track>
<track name="note" type="singleton" ref="gesture"><el index="0" ref="1"/><el index="1" ref="9"/></track>
<track name="beat" type="point"><el index="0" time="5.25"><attribute name="t">d</attribute></el></track>
</body></annotation>"""


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "iso-8859-1"])
def test_elements_and_those_that_refer_to_them(encoding: str) -> None:
    document = Document("a.anvil", TEXT.format(encoding=encoding).encode(encoding))
    assert holds_labels(document)
    found = read_labels(document)
    assert found.videos[0].name == "C:\\films\\v.avi"
    assert [(one.start, one.end, one.label, one.layer) for one in found.videos[0].segments] == [
        (1.5, 2.5, "größer", "gesture"),
        (3, 4, "b", "gesture"),
        (1.5, 4, "c", "phrase"),
        (3, 4, "note", "note"),
        (5.25, 5.25, "d", "beat"),
    ]
    assert [one.what.partition(":")[0] for one in found.remarks] == [
        "an element with several attributes",
        "an element without an attribute",
        "an element whose times are not in the file is left out",
    ]
