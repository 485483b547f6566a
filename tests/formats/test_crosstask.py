"""CrossTask's steps."""

from pathlib import Path

import pytest
from labelled import only, read_as

from actionformer.formats.crosstask import holds_labels
from actionformer.formats.document import Document


def test_steps_count_from_1_in_the_list_of_their_task(tmp_path: Path) -> None:
    (tmp_path / "annotations").mkdir()
    lists = "10\nMake tea\nhttp://x\n2\nboil,pour\n\n1605\nMake jam\nhttp://y\n2\nadd sugar,stir\n\n"
    (tmp_path / "tasks_primary.txt").write_text(lists, encoding="utf-8")
    path = tmp_path / "annotations/1605_abc_d.csv"
    path.write_text("2,1.5,3.25\n1,0.5,1.5\n", encoding="utf-8")
    found = read_as("crosstask", path)
    assert found.videos[0].name == "abc_d"
    assert only(found) == [(1.5, 3.25, "stir"), (0.5, 1.5, "add sugar")]


def test_without_the_list_steps_are_numbers() -> None:
    found = read_as("crosstask", "1605_abc.csv", "2,1.5,3.25\n")
    assert only(found) == [(1.5, 3.25, "1605 2")]
    assert [one.where for one in found.remarks] == ["1605_abc.csv: task 1605"]


@pytest.mark.parametrize(("file", "text"), [("a.csv", "2,1.5,3.25\n"), ("1_a.csv", "x,1,2\n"), ("1_a.csv", "1,2\n")])
def test_other_tables_are_none(file: str, text: str) -> None:
    assert not holds_labels(Document(file, text.encode()))
