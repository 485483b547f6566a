"""Pages of HTML."""

from actionformer.core.html import document, table, text


def test_what_people_wrote_is_text_and_never_markup() -> None:
    assert text("<b>&\u202e") == "&lt;b&gt;&amp;" + text("\u202e")
    assert text("\u202e") != "\u202e"
    assert table(["<i>"], [["a<b", "2"]]) == (
        "<table><tr><th>&lt;i&gt;</th></tr>\n<tr><td>a&lt;b</td><td>2</td></tr></table>"
    )


def test_a_page_needs_nothing_else() -> None:
    page = document("a & b", "p { margin: 0; }", "<p>c</p>")
    assert page.startswith("<!doctype html>\n<html lang")
    assert page.count("a &amp; b") == 2
    assert "<style>p { margin: 0; }</style>" in page
    assert not any(word in page for word in ("<script", "src=", "http"))
