"""Tests stand where their subject stands: a test's path says which module, which folder or which purpose it has."""

from pathlib import Path, PurePosixPath

import pytest

import actionformer

SOURCE = Path(actionformer.__file__).parent
TESTS = Path(__file__).parent
ACROSS = {
    "end_to_end": "ways through several rooms",
    "fuzz": "files that are damaged or made to deceive, for all readers",
    "parity": "numbers of the published implementations",
}
"""Folders of tests that no one room of the source has; what is about the project stands beside this file."""
ROOMS = {path.name for path in SOURCE.iterdir() if path.is_dir()}
FILES = sorted(path.relative_to(TESTS).with_suffix("").as_posix() for path in TESTS.rglob("test_*.py"))


def has_place(test: str) -> bool:
    """Whether a test, `folder/test_subject`, stands where its subject does.

    The subject is a file or a folder of the same folder of the source, or that folder itself; words that follow say
    which side of it is tested.
    """
    path = PurePosixPath(test)
    words = path.name.split("_")[1:]
    subjects = {"_".join(words[:count]) for count in range(1, len(words) + 1)}
    if path.parent == PurePosixPath("."):
        return not subjects & ROOMS
    return path.parts[0] in ACROSS or bool(subjects & names_in(path.parent))


def names_in(folder: PurePosixPath) -> set[str]:
    """Names of a folder of the source and of what lies in it, without suffixes; none where there is no such folder."""
    place = SOURCE / folder
    return {folder.name, *(path.stem for path in place.iterdir())} if place.is_dir() else set()


def test_tests_stand_where_their_subject_stands() -> None:
    assert [test for test in FILES if not has_place(test)] == [], "see CONTRIBUTING.md: Where tests belong"


@pytest.mark.parametrize(
    ("test", "right"),
    [
        ("nn/test_heads", True),
        ("nn/test_heads_on_short_inputs", True),
        ("nn/test_nn", True),
        ("interop/test_tridet", True),
        ("viewer/static/test_timeline", True),
        ("parity/test_anything", True),
        ("test_wheel", True),
        ("nn/test_head", False),
        ("nn/test_on_short_inputs", False),
        ("interop/test_heads", False),
        ("features/readers/test_numpy", False),
        ("nowhere/test_nowhere", False),
        ("test_features", False),
        ("test_features_of_old", False),
    ],
)
def test_a_place_is_told_from_another(test: str, right: bool) -> None:
    assert has_place(test) == right


@pytest.mark.parametrize("folder", ACROSS)
def test_folders_across_rooms_are_there_and_no_rooms(folder: str) -> None:
    assert any(TESTS.joinpath(folder).glob("test_*.py"))
    assert folder not in ROOMS
