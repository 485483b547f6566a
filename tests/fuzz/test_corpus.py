"""Files of every kind that a fuzzer begins with, and those that it found: read, or refused."""

from pathlib import Path

import pytest
from readers import READERS

CORPUS = Path(__file__).parent / "corpus"
"""READER/FILE: what `benchmarks/fuzz.py` found, of which each was a traceback, a hang or a full memory once."""


@pytest.mark.parametrize("name", READERS)
def test_whole_files_are_read(name: str, tmp_path: Path) -> None:
    reader = READERS[name]
    refused = []
    for content in reader.seeds():
        (tmp_path / reader.file).write_bytes(content)
        refused.append(reader.refuses(tmp_path / reader.file))
    assert None in refused, refused


@pytest.mark.parametrize("file", sorted(CORPUS.glob("*/*")), ids=lambda file: f"{file.parent.name}-{file.name}")
def test_what_was_found_is_read_or_refused(file: Path, tmp_path: Path) -> None:
    reader = READERS[file.parent.name]
    (tmp_path / reader.file).write_bytes(file.read_bytes())
    assert reader.refuses(tmp_path / reader.file) != ""


def test_every_folder_of_findings_is_of_a_reader() -> None:
    assert {folder.name for folder in CORPUS.glob("*")} <= READERS.keys()
