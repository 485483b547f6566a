"""EPIC-Kitchens-100: verbs and nouns."""

from pathlib import Path

import pytest

from actionformer import InputError
from actionformer.datasets.epic100 import class_names, read_nouns, read_verbs

HEADER = "narration_id,video_id,start_timestamp,stop_timestamp,verb,verb_class,noun,noun_class\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "EPIC_100_train.csv").write_text(f"{HEADER}a,P01_01,00:00:01.00,00:01:02.50,put-down,1,plate,0\n")
    (tmp_path / "EPIC_100_validation.csv").write_text(f"{HEADER}b,P01_11,00:00:00.00,00:00:01.89,take,0,plate,0\n")
    (tmp_path / "EPIC_100_verb_classes.csv").write_text("id,key\n0,take\n1,put\n")
    (tmp_path / "EPIC_100_noun_classes_v2.csv").write_text("id,key\n0,plate\n")
    (tmp_path / "EPIC_100_video_info.csv").write_text("video_id,duration,fps\nP01_01,99.5,59.94\nP01_11,50,50\n")
    return tmp_path


def test_verbs_by_the_names_of_their_classes(folder: Path) -> None:
    dataset = read_verbs(folder)
    assert dataset.class_names == ("take", "put")
    (action,) = dataset.recordings["P01_01"].actions
    assert (action.start, action.end, action.label) == (1, 62.5, "put")
    assert dataset.splits["annotations.json"] == {"P01_01": "training", "P01_11": "validation"}
    assert (dataset.recordings["P01_01"].duration, dataset.recordings["P01_01"].fps) == (99.5, None)
    assert "67,217 training actions (here 1)" in dataset.differences()


def test_nouns(folder: Path) -> None:
    assert read_nouns(folder).class_names == ("plate",)


@pytest.mark.parametrize("file", ["EPIC_100_validation.csv", "EPIC_100_verb_classes.csv", "EPIC_100_video_info.csv"])
def test_a_missing_file_is_named(folder: Path, file: str) -> None:
    (folder / file).unlink()
    with pytest.raises(InputError, match=rf"{file}: missing"):
        read_verbs(folder)


def test_validation_is_whole(shared: Path, folder: Path) -> None:
    published = shared / "data/annotations/epic100"
    for name in ("EPIC_100_validation.csv", "EPIC_100_verb_classes.csv", "EPIC_100_video_info.csv"):
        (folder / name).write_bytes((published / name).read_bytes())
    told = read_verbs(folder).differences()
    assert told == ["495 training videos (here 1)", "67,217 training actions (here 1)"]


def test_the_second_list_has_nouns_that_no_action_has(shared: Path, folder: Path) -> None:
    published = shared / "data/annotations/epic100"
    (folder / "EPIC_100_noun_classes_v2.csv").write_bytes((published / "EPIC_100_noun_classes_v2.csv").read_bytes())
    names = class_names(folder, "noun")
    assert (len(names), names[0], names[-1]) == (300, "tap", "extract:vanilla")


def test_rows_without_times_and_lists_without_columns_are_told(folder: Path) -> None:
    train = folder / "EPIC_100_train.csv"
    train.write_text(train.read_text() + "c,P01_01,later,00:01:02.50,take,0,plate,0\n")
    with pytest.warns(UserWarning, match=r"EPIC_100_train\.csv: line 3: a row without times is left out"):
        read_verbs(folder)
    (folder / "EPIC_100_video_info.csv").write_text("video,duration\n")
    with pytest.raises(InputError, match=r"video_info\.csv: expected the columns video_id and duration, found video"):
        read_verbs(folder)
