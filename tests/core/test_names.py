from pathlib import Path
from unicodedata import normalize

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actionformer.core.errors import InputError
from actionformer.core.names import alike, check_name, explained, file_of, known_name, matched, nearest

COMPOSED, DECOMPOSED = "\u00fcben", "u\u0308ben"


def test_a_name_in_another_form_of_unicode_is_that_name() -> None:
    assert matched([DECOMPOSED, "a", "b"], [COMPOSED, "a"]) == {DECOMPOSED: COMPOSED, "a": "a"}
    assert matched([COMPOSED], [DECOMPOSED]) == {COMPOSED: DECOMPOSED}
    assert known_name(DECOMPOSED, [COMPOSED], "no class") == COMPOSED


def test_only_what_is_unique_is_matched() -> None:
    assert matched([DECOMPOSED, COMPOSED], [COMPOSED]) == {COMPOSED: COMPOSED}  # they are two videos
    assert matched(["\u212b"], ["\u00c5", "A\u030a"]) == {}  # either of two
    assert matched([DECOMPOSED, COMPOSED], [COMPOSED, DECOMPOSED]) == {DECOMPOSED: DECOMPOSED, COMPOSED: COMPOSED}


@given(
    st.lists(st.text(alphabet="aAu\u0308\u00fc\u212b\u030a\u00c5")),
    st.lists(st.text(alphabet="Au\u0308\u00fc\u030a\u00c5")),
)
def test_names_are_matched_one_to_one(names: list[str], known: list[str]) -> None:
    found = matched(names, known)
    assert len(set(found.values())) == len(found)
    assert set(found.values()) <= set(known)
    assert all(normalize("NFC", name) == normalize("NFC", one) for name, one in found.items())
    assert all(found[name] == name for name in set(names) & set(known))


@pytest.mark.parametrize(
    ("name", "known"),
    [
        ("video_1.mp4", "video_1"),
        ("video_1", "Video_1"),
        ("video-1", "video_1"),
        ("video_1 ", "video_1"),
        ("clips/video_1.mp4", "video_1"),
        ("vidoe_1", "video_1"),
    ],
)
def test_the_nearest_name(name: str, known: str) -> None:
    assert nearest(name, ["another", "audio_2", known]) == f", did you mean {known!r}?"


def test_what_all_names_differ_by_is_said() -> None:
    known = [f"v{i}" for i in range(9)]
    assert explained([f"v{i}.mp4" for i in range(4)], known) == (
        "; 'v0.mp4' may be 'v0'; 'v1.mp4' may be 'v1'; 'v2.mp4' may be 'v2'"
        "; all 4 differ by a file's ending alone: rename one side"
    )
    assert explained(["V1"], known) == "; 'V1' may be 'v1'; it differs by upper and lower case alone: rename one side"
    assert explained(["v1 ", "v2\t"], known).endswith("all 2 differ by blanks alone: rename one side")
    assert "differ" not in explained(["v1.mp4", "V2"], known)
    assert explained(["something else"], known) == ""


def test_the_nearest_of_one_name_in_two_folders_is_that_of_the_same_folder() -> None:
    known = ["cam a/clip", "cam b/clip"]
    assert nearest("cam b/clip.mp4", known) == ", did you mean 'cam b/clip'?"
    assert nearest("Cam B/Clip", known) == ", did you mean 'cam b/clip'?"
    assert nearest("cam-b/clip", known[::-1]) == ", did you mean 'cam b/clip'?"


def test_names_that_may_be_one() -> None:
    assert alike(["Jump", "run", "jump ", "jump", "long jump", COMPOSED, DECOMPOSED]) == [
        ["Jump", "jump ", "jump"],
        [COMPOSED, DECOMPOSED],
    ]


@pytest.mark.parametrize("name", ["", "\ud800", "caf\udce9"])
def test_what_is_no_name(name: str) -> None:
    with pytest.raises(InputError, match=r"class .*is (empty|not Unicode text)"):
        check_name(name, "class")
    check_name("👩‍🚒\n\0", "class")


@pytest.mark.parametrize("name", ["..", ".", "a/..b", ".hidden", "a b\n", "[x]", "a\\b", "#?%2F", "x" * 251])
def test_the_file_of_a_name(tmp_path: Path, name: str) -> None:
    file = file_of(tmp_path, name, ".npy")
    assert file.relative_to(tmp_path).as_posix() == f"{name}.npy"
    assert file_of(tmp_path, f"a/{name[:9]}", ".npy", "v_").name == f"v_{name[:9].split('/')[-1]}.npy"


@pytest.mark.parametrize("name", ["", "a/", "/a", "../a", "a/../b", "a//b", "./a", "a\0b", "x" * 252, f"{'ü' * 128}/a"])
def test_names_that_no_file_has(tmp_path: Path, name: str) -> None:
    with pytest.raises(InputError, match=r"cannot be the name of a file|bytes, expected at most 255"):
        file_of(tmp_path, name, ".npy")
