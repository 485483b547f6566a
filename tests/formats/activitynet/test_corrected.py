"""Corrected annotations: what is not corrected stays as the file had it."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actionformer.core.errors import InputError
from actionformer.formats.activitynet.corrected import CorrectedFile

RUN = {"segment": [1, 2.5], "label": "run", "label_id": 4, "by": "kept"}
CONTENT = {"taxonomy": "kept", "database": {"v": {"subset": "test", "url": "kept", "annotations": [RUN]}}}
NEW = {"subset": "training", "duration": 9.0}


def test_a_row_that_is_as_it_was_keeps_all_that_it_holds() -> None:
    file = CorrectedFile(CONTENT).with_actions("v", [(3.0, 4.0, "run"), (1.0, 2.5, "run"), (0.0, 1.0, "swim")], {})
    swim, run = {"segment": [0.0, 1.0], "label": "swim"}, {"segment": [3.0, 4.0], "label": "run", "label_id": 4}
    entry = {"subset": "test", "url": "kept", "annotations": [swim, RUN, run], "revision": 1}
    assert json.loads(file.text()) == {"taxonomy": "kept", "database": {"v": entry}}
    assert (file.corrected(), file.revision("v")) == ({"v"}, 1)
    assert CONTENT["database"]["v"]["annotations"] == [RUN]  # type: ignore[index]


def test_a_video_that_the_file_does_not_have() -> None:
    file = CorrectedFile()
    assert "w" not in file
    assert len(file.annotations("w", ("run",), "here")) == 0
    file = file.with_actions("w", [(0.0, 1.0, "run")], NEW)
    assert file.annotations("w", ("jump", "run"), "here").videos["w"].labels.tolist() == [1]
    assert file.annotations("w", ("jump", "run"), "here").videos["w"].subset == "training"


@pytest.mark.parametrize("ends", [(-1.0, 1.0), (2.0, 2.0), (1.0, float("inf"))])
def test_actions_that_cannot_be(ends: tuple[float, float]) -> None:
    with pytest.raises(InputError, match=r"run at .* s: expected a start at 0 or later, before an end"):
        CorrectedFile(CONTENT).with_actions("v", [(*ends, "run")], {})


@given(st.lists(st.tuples(st.floats(0, 1e3), st.floats(1e-3, 1e3), st.sampled_from("ab")), max_size=5))
def test_what_is_written_is_read_again(tmp_path_factory: pytest.TempPathFactory, rows: list[Any]) -> None:
    path = tmp_path_factory.mktemp("corrected") / "a.json"
    actions = [(start, start + length, label) for start, length, label in rows]
    path.write_text(CorrectedFile().with_actions("v", actions, NEW).text(), "utf-8")
    again = CorrectedFile.read(path)
    assert [(*row["segment"], row["label"]) for row in again.rows("v")] == sorted(actions, key=lambda row: row[:2])
    assert again.with_actions("v", actions, NEW).rows("v") == again.rows("v")
