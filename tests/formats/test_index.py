"""Formats: what the index says of them is what their files do."""

import subprocess
import sys
from importlib import import_module
from pathlib import Path
from typing import Any, get_args

import pytest

from actionformer.core.errors import InputError
from actionformer.formats import detections
from actionformer.formats.index import FORMATS, Ability, find, names

FOLDER = Path(detections.__file__).parent
SHARED = {
    "__init__",
    "index",
    "annotations",
    "detections",
    "clock",
    "row_times",
    "units",
    "rows",
    "cues",
    "document",
    "cue_text",
    "dates",
    "labels",
    "recognition",
    "numbers",
    "words",
    "class_list",
    "frame_runs",
    "workbook",
}


@pytest.mark.parametrize("name", FORMATS)
def test_a_format_defines_what_the_index_says_and_no_more(name: str) -> None:
    module = import_module(f"actionformer.formats.{FORMATS[name].home}")
    assert {ability for ability in get_args(Ability) if hasattr(module, ability)} == set(FORMATS[name].can)
    assert FORMATS[name].name == name


def test_every_file_is_in_the_index() -> None:
    homes = {path.stem for path in FOLDER.iterdir() if path.stem != "__pycache__"} - SHARED
    assert homes == {one.home for one in FORMATS.values()}


def test_choices() -> None:
    assert names(writes=True) == (
        "json",
        "jsonl",
        "csv",
        "parquet",
        "table",
        "srt",
        "vtt",
        "eaf",
        "boris",
        "label-studio",
        "cvat",
        "via3",
        "textgrid",
        "audacity",
    )
    assert names(streams=True) == ("json", "csv", "table")
    assert names(reads=True) == ("json", "jsonl", "csv", "parquet")
    assert names(reads=True, streams=True) == ("json", "csv")


@pytest.mark.parametrize(
    ("path", "can", "name"),
    [
        ("a.CSV", None, "csv"),
        ("a.eaf", "video_text", "eaf"),
        ("a.txt", "results_text", "table"),
        ("a.txt", "read_results", "json"),  # a table is not read
        ("a.srt", "action_line", "json"),  # nor are cues written line by line
        ("a.results", None, "json"),
        ("a", None, "json"),
        (None, None, "json"),
    ],
)
def test_endings_count_for_formats_that_can_do_it(path: str | None, can: Any, name: str) -> None:
    assert find(path=path, can=can).name == name


def test_a_name_counts_before_the_ending() -> None:
    assert find("csv", "a.srt").name == "csv"
    with pytest.raises(InputError, match=r"no format 'cvs', did you mean 'csv'.; there are json, jsonl, csv"):
        find("cvs")


def test_what_a_format_lacks_names_those_that_have_it(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="format 'srt' has no results_text; those that have: json, jsonl, csv, table"):
        detections.write_results(tmp_path / "a.srt", {}, "srt")
    assert not (tmp_path / "a.srt").exists()


def test_choices_are_known_without_numpy() -> None:
    code = "import sys, actionformer.formats.index as index; index.names(writes=True); print('numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "False\n"
