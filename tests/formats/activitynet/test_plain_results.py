"""Results files that are read video by video say what the reader says that looks at every detection."""

import gc
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from actionformer.core.detections import Detections
from actionformer.core.errors import InputError
from actionformer.formats.activitynet.plain_results import read_plain
from actionformer.formats.activitynet.results import read_carefully
from actionformer.formats.detections import read_results, write_results

FIXED = settings(max_examples=150, deadline=None, derandomize=True)
finite = st.floats(allow_nan=False, allow_infinity=False, width=64)
times = st.floats(-1e9, 1e9) | st.integers(-(10**9), 10**9)
letters = st.characters(categories=("L", "M", "N", "P", "S", "Z", "Cc", "Cf", "Co", "Cn"))
names = st.text(letters, min_size=1, max_size=6) | st.sampled_from(["a], ", "}]", 'b": [', "\\", '"', "ü", "a]}, "])
rows = st.builds(
    lambda label, ends, score: {"label": label, "score": score, "segment": sorted(ends)},
    names, st.tuples(times, times), finite | st.integers(-5, 5),
)  # fmt: skip
results = st.dictionaries(names, st.lists(rows, max_size=4), max_size=4)


def plain_twin(path: Path) -> Any:
    try:
        return read_carefully(path)
    except InputError:
        return None


def same(first: Any, second: Any) -> bool:
    return list(first) == list(second) and all(
        one.names == other.names and all(map(np.array_equal, one[1:], other[1:]))
        for one, other in zip(first.values(), second.values(), strict=True)
    )


@FIXED
@given(results, st.sampled_from([None, 1, 3]), st.booleans())
def test_what_is_written_is_read_alike(
    tmp_path_factory: pytest.TempPathFactory, content: dict[str, Any], indent: int | None, ascii_only: bool
) -> None:
    path = tmp_path_factory.mktemp("results") / "found.json"
    around = {"version": "1.0", "results": content, "external_data": {}}
    path.write_text(json.dumps(around, indent=indent, ensure_ascii=ascii_only), encoding="utf-8")
    quick = read_plain(path)
    plain = not any("\\" in json.dumps(text, ensure_ascii=ascii_only) or '"' in text for text in _texts(content))
    if plain and content and not any(mark in text for text in _texts(content) for mark in "[]{}"):
        assert quick is not None
    if quick is not None:
        assert same(quick, plain_twin(path))


def _texts(content: dict[str, Any]) -> list[str]:
    return [*content, *(row["label"] for found in content.values() for row in found)]


WHOLE = (
    '{"version": "1", "results": {"v": [{"label": "a", "score": 0.5, "segment": [1, 2.5]}, {"label": "b", "score": 1, \
"segment": [2, 3]}], "w": []}, "external_data": {}}'
)
PIECES = ['"', "[", "]", "{", "}", ",", ":", " ", "1e400", "NaN", "-", "0", "null", "true", '"label"', '"score": 1,',
          '"v": [],', '"version": "2",', "\\u0061", "1e10", '"x": 1,', "\ufeff"]  # fmt: skip


@FIXED
@given(st.integers(0, len(WHOLE)), st.integers(0, 12), st.sampled_from(["", *PIECES]))
def test_a_broken_file_is_never_read_otherwise(
    tmp_path_factory: pytest.TempPathFactory, at: int, removed: int, put: str
) -> None:
    path = tmp_path_factory.mktemp("results") / "found.json"
    path.write_text(WHOLE[:at] + put + WHOLE[at + removed :], encoding="utf-8")
    quick, twin = read_plain(path), plain_twin(path)
    assert quick is None or (twin is not None and same(quick, twin))


def test_what_detect_writes_is_plain_and_numbers_keep_every_bit(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    starts, scores = rng.uniform(-1e3, 1e8, 3000), rng.uniform(0, 1, 3000) ** 20
    segments = np.stack([starts, starts + rng.uniform(0, 1e-3, 3000)], axis=1)
    found = Detections(segments, scores, rng.integers(0, 2, 3000), ("left", "right [ü]"))
    write_results(tmp_path / "found.json", {"v": found, "none": found[:0]})
    text = (tmp_path / "found.json").read_text().replace("\\u00fc", "u")  # an escape is read with care
    (tmp_path / "found.json").write_text(text)
    assert read_plain(tmp_path / "found.json") is not None
    read = read_results(tmp_path / "found.json", ("left", "right [u]"))
    for name in ("segments", "scores", "labels"):
        assert np.array_equal(getattr(read["v"], name), getattr(found, name))
    assert len(read["none"]) == 0


def test_other_formats_are_never_taken_for_json(tmp_path: Path) -> None:
    (tmp_path / "found.csv").write_text(WHOLE)
    with pytest.raises(InputError, match="expected the header"):
        read_results(tmp_path / "found.csv")
    assert read_plain(tmp_path / "none.json") is None


@pytest.mark.parametrize("text", [WHOLE, WHOLE[:-3]])
def test_cycles_of_objects_are_looked_for_again_after_reading(tmp_path: Path, text: str) -> None:
    (tmp_path / "found.json").write_text(text)
    assert gc.isenabled()
    assert (read_plain(tmp_path / "found.json") is None) == (text != WHOLE)
    assert gc.isenabled()


@pytest.mark.parametrize("name", ["a\nb", "\t", "\x00"])
def test_names_that_json_does_not_allow_are_left_to_the_reader_that_says_so(tmp_path: Path, name: str) -> None:
    path = tmp_path / "found.json"
    for place in ('"v"', '"a"'):
        path.write_text(WHOLE.replace(place, f'"{name}"'))
        assert read_plain(path) is None
        with pytest.raises(InputError):
            read_results(path)
