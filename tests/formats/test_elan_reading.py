"""What ELAN documents say of times and labels, worked by hand."""

import pytest

from actionformer.core.errors import InputError
from actionformer.formats.document import Document
from actionformer.formats.elan import holds_labels, read_labels
from actionformer.formats.labels import LabelFile

HEAD = '<HEADER TIME_UNITS="milliseconds">{media}</HEADER>'
SLOTS = "".join(
    f'<TIME_SLOT TIME_SLOT_ID="t{i}"{stated}/>'
    for i, stated in enumerate(
        [' TIME_VALUE="1000"', "", "", ' TIME_VALUE="4000"', ' TIME_VALUE="5000"', ' TIME_VALUE="9000"']
    )
)
TYPES = """<LINGUISTIC_TYPE LINGUISTIC_TYPE_ID="free"/><LINGUISTIC_TYPE LINGUISTIC_TYPE_ID="words"
CONSTRAINTS="Symbolic_Subdivision"/><LINGUISTIC_TYPE LINGUISTIC_TYPE_ID="listed" CONTROLLED_VOCABULARY_REF="acts"/>
<CONTROLLED_VOCABULARY CV_ID="acts"><CV_ENTRY_ML CVE_ID="e1"><CVE_VALUE LANG_REF="eng">jump</CVE_VALUE><CVE_VALUE
LANG_REF="deu">Sprung</CVE_VALUE></CV_ENTRY_ML></CONTROLLED_VOCABULARY>"""


def aligned(id_: str, first: int, last: int, text: str = "", more: str = "") -> str:
    return (
        f'<ANNOTATION><ALIGNABLE_ANNOTATION ANNOTATION_ID="{id_}" TIME_SLOT_REF1="t{first}" TIME_SLOT_REF2="t{last}" '
        f"{more}><ANNOTATION_VALUE>{text}</ANNOTATION_VALUE></ALIGNABLE_ANNOTATION></ANNOTATION>"
    )


def referring(id_: str, parent: str, text: str, previous: str = "") -> str:
    before = f' PREVIOUS_ANNOTATION="{previous}"' if previous else ""
    return (
        f'<ANNOTATION><REF_ANNOTATION ANNOTATION_ID="{id_}" ANNOTATION_REF="{parent}"{before}>'
        f"<ANNOTATION_VALUE>{text}</ANNOTATION_VALUE></REF_ANNOTATION></ANNOTATION>"
    )


def read(*tiers: tuple[str, str, str], media: str = "") -> LabelFile:
    body = "".join(f'<TIER TIER_ID="{name}" LINGUISTIC_TYPE_REF="{kind}">{rows}</TIER>' for name, kind, rows in tiers)
    text = f"<ANNOTATION_DOCUMENT>{HEAD.format(media=media)}<TIME_ORDER>{SLOTS}</TIME_ORDER>{body}{TYPES}"
    document = Document("film.eaf", f"{text}</ANNOTATION_DOCUMENT>".encode())
    assert holds_labels(document)
    return read_labels(document)


def rows(file: LabelFile) -> list[tuple[float, float, str, str]]:
    return [(one.start, one.end, one.label, one.layer) for one in file.videos[0].segments]


def test_times_that_were_never_set_lie_between_their_neighbours() -> None:
    found = read(("a", "free", aligned("a1", 0, 1, "x") + aligned("a2", 1, 2, "y") + aligned("a3", 2, 3, "z")))
    assert rows(found) == [(1, 2, "x", "a"), (2, 3, "y", "a"), (3, 4, "z", "a")]


def test_annotations_of_others_share_their_time_in_the_order_of_the_chain() -> None:
    parts = referring("b2", "a1", "second", previous="b1") + referring("b1", "a1", "first")
    child = referring("c1", "b2", "of the second")
    found = read(("a", "free", aligned("a1", 4, 5, "whole")), ("b", "words", parts), ("c", "free", child))
    assert rows(found) == [
        (5, 9, "whole", "a"),
        (7, 9, "second", "b"),
        (5, 7, "first", "b"),
        (7, 9, "of the second", "c"),
    ]


def test_an_entry_of_a_vocabulary_is_a_label() -> None:
    entries = aligned("a1", 0, 3, "Sprung", 'CVE_REF="e1"') + aligned("a2", 4, 5, "", 'CVE_REF="e1"')
    assert [row[2] for row in rows(read(("a", "listed", entries)))] == ["Sprung", "jump"]


def test_annotations_without_text() -> None:
    found = read(
        ("dig", "free", aligned("a1", 0, 3)), ("b", "free", aligned("b1", 0, 3) + aligned("b2", 4, 5, "x\n y"))
    )
    assert rows(found) == [(1, 4, "dig", "dig"), (5, 9, "x y", "b")]
    assert [one.where for one in found.remarks] == ["film.eaf: tier 'dig'", "film.eaf: tier 'b', annotation b1"]


def test_recordings_and_where_their_time_begins() -> None:
    media = (
        '<MEDIA_DESCRIPTOR MEDIA_URL="file:///C:/a/v.wav" MIME_TYPE="audio/x-wav" EXTRACTED_FROM="file:///C:/a/v.mpg"/>'
        '<MEDIA_DESCRIPTOR MEDIA_URL="file:///C:/a/v.mpg" MIME_TYPE="video/mpeg" TIME_ORIGIN="1500"/>'
    )
    found = read(("a", "free", aligned("a1", 4, 5, "x")), media=media)
    assert (found.videos[0].name, list(found.videos[0].other_names)) == (
        "file:///C:/a/v.mpg",
        ["file:///C:/a/v.wav", "film"],
    )
    assert rows(found) == [(6.5, 10.5, "x", "a")]


def test_an_annotation_of_nothing_is_said() -> None:
    found = read(("a", "free", aligned("a1", 4, 9, "x") + referring("a2", "a2", "y")))
    assert rows(found) == []
    assert len(found.remarks) == 2


def test_another_unit_is_refused() -> None:
    document = Document("a.eaf", b'<ANNOTATION_DOCUMENT><HEADER TIME_UNITS="PAL-frames"/></ANNOTATION_DOCUMENT>')
    with pytest.raises(InputError, match=r"a\.eaf: counts time in PAL-frames: expected milliseconds"):
        read_labels(document)
