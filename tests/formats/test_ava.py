"""AVA's seconds with boxes."""

from pathlib import Path

import pytest
from labelled import in_seconds, only, read_as

from actionformer.formats.ava import holds_labels
from actionformer.formats.document import Document

BOX = "0.1,0.2,0.3,0.4"
ROWS = f"v,0902,{BOX},12,0\nv,0903,{BOX},12,0\nv,0905,{BOX},12,0\nv,0903,{BOX},12,1\nv,0903,{BOX},,2\n"


def test_seconds_of_a_person_that_follow_one_another() -> None:
    found = read_as("ava", "ava.csv", ROWS)
    assert only(found) == [(901.5, 903.5, "12"), (904.5, 905.5, "12"), (902.5, 903.5, "12")]
    assert [one.layer for one in found.videos[0].segments] == ["0", "0", "1"]
    assert found.videos[0].segments[1].where == "ava.csv: line 3"
    assert [one.where for one in found.remarks] == ["ava.csv: action 12"]


def test_a_list_beside_it_names_actions(tmp_path: Path) -> None:
    (tmp_path / "action_list.pbtxt").write_text('item {\n  name: "stand"\n  id: 12\n}\n', encoding="utf-8")
    (tmp_path / "ava.csv").write_text(ROWS, encoding="utf-8")
    assert {label for *_, label in only(read_as("ava", tmp_path / "ava.csv"))} == {"stand"}


@pytest.mark.parametrize("text", ["v,0902\n", f"v,x,{BOX},1,1\n", f"v,1,{BOX},walk,1\n", "1,2,3,4,5,6,7,8\n"])
def test_other_tables_are_none(text: str) -> None:
    assert not holds_labels(Document("a.csv", text.encode()))


def test_samples(shared: Path) -> None:
    ava = shared / "data/formats/ava"
    videos = {video.name: in_seconds(video) for video in read_as("ava", ava / "mmaction2_ava_sample.csv").videos}
    assert videos["0f39OWEqJ24"] == [(901.5, 903.5, "12"), (901.5, 903.5, "17"), (901.5, 902.5, "79")]
    first = read_as("ava", ava / "datumaro_ava_default_v2.2.csv").videos[0]
    assert in_seconds(first) == [(0, 1.5, "0"), (0, 1.5, "1")]
    assert len(read_as("ava", ava / "mmaction2_eval_gt.csv").videos) == 3
