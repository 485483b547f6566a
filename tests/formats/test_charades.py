"""Charades' actions in a cell."""

from pathlib import Path

import pytest
from labelled import in_seconds, read_as

from actionformer.formats.charades import holds_labels
from actionformer.formats.document import Document

CSV = 'id,subject,script,actions,length\n46GP8,HR43,"a, b",c092 11.90 21.20;c147 0.00 12.60,30.5\nN11GT,X,c,,20\n'


def test_actions_of_a_cell() -> None:
    found = read_as("charades", "Charades_v1_train.csv", CSV)
    first, second = found.videos
    assert (first.name, first.duration, first.subset) == ("46GP8", 30.5, "training")
    assert in_seconds(first) == [(11.9, 21.2, "c092"), (0, 12.6, "c147")]
    assert (second.name, second.segments) == ("N11GT", [])
    assert [one.where for one in found.remarks] == ["Charades_v1_train.csv: c092", "Charades_v1_train.csv: c147"]


def test_a_list_beside_it_names_classes(tmp_path: Path) -> None:
    (tmp_path / "Charades_v1_classes.txt").write_text("c092 Watching\nc147 Standing up\n", encoding="utf-8")
    (tmp_path / "Charades_v1_test.csv").write_text(CSV, encoding="utf-8")
    found = read_as("charades", tmp_path / "Charades_v1_test.csv")
    assert [one.label for one in found.videos[0].segments] == ["Watching", "Standing up"]
    assert (found.class_names, found.videos[0].subset) == (["Watching", "Standing up"], "test")


@pytest.mark.parametrize("text", ["id,actions\na,\n", "id,actions,length\na,jump,3\n"])
def test_other_tables_are_none(text: str) -> None:
    assert not holds_labels(Document("a.csv", text.encode()))
