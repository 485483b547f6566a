"""ActivityNet 1.3, official and cleaned."""

import json
from pathlib import Path

import pytest

from actionformer import InputError
from actionformer.datasets.activitynet13 import read


def test_the_cleaned_files_are_whole(shared: Path) -> None:
    dataset = read(shared / "data/annotations/activitynet13")
    assert dataset.differences() == []
    assert "---9CpRcKoU" in dataset.recordings  # features are called v_---9CpRcKoU, see data.prefix
    assert set(dataset.splits["annotations.json"].values()) == {"training", "validation"}


def test_the_official_file_without_the_labels_of_testing(tmp_path: Path) -> None:
    action = {"segment": [1.0, 2.5], "label": "Ballet"}
    database = {
        "a": {"subset": "training", "duration": 9.0, "annotations": [action]},
        "b": {"subset": "testing", "duration": 9.0, "annotations": []},
    }
    (tmp_path / "activity_net.v1-3.min.json").write_text(json.dumps({"database": database}))
    dataset = read(tmp_path)
    assert dataset.splits["annotations.json"] == {"a": "training"}
    assert "200 classes (here 1)" in dataset.differences()


def test_the_table_of_subsets_is_needed(tmp_path: Path) -> None:
    (tmp_path / "anet_anno_action.json").write_text('{"v_a": {"duration_second": 1, "annotations": []}}')
    with pytest.raises(InputError, match=r"video_info_new\.csv: missing"):
        read(tmp_path)
    (tmp_path / "video_info_new.csv").write_text("video,part\nv_a,training\n")
    with pytest.raises(InputError, match="expected the columns video and subset"):
        read(tmp_path)


def test_an_id_that_begins_as_names_of_files_do_stays(tmp_path: Path) -> None:
    entry = {"subset": "training", "duration": 9.0, "annotations": [{"segment": [1.0, 2.5], "label": "Ballet"}]}
    database = {"v_UmAH95xls": entry, "v_v_Vg4a8igc0": entry, "v_---9CpRcKoU": entry}
    (tmp_path / "activity_net.v1-3.min.json").write_text(json.dumps({"database": database}))
    assert [*read(tmp_path).recordings] == ["v_UmAH95xls", "v_Vg4a8igc0", "---9CpRcKoU"]


def test_a_table_of_subsets_that_is_cut_is_refused(tmp_path: Path) -> None:
    (tmp_path / "anet_anno_action.json").write_text('{"v_a": {"duration_second": 1, "annotations": []}}')
    (tmp_path / "video_info_new.csv").write_text("video,subset\nv_b,training\n")
    with pytest.raises(InputError, match=r"video_info_new\.csv: no row of video v_a of anet_anno_action\.json"):
        read(tmp_path)
