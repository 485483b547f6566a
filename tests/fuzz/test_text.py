"""Files of text that are changed at random: a line that says why they cannot be used, or they are read."""

import json
import os
import random
import re
import resource
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import tomlkit
import yaml
from hostile import MOMENTS, VALUES, changed, damaged, in_a_line, literal

from actionformer.core.files import read_json, read_json_lines
from actionformer.features import read_sidecar
from actionformer.formats.annotations import read_annotations
from actionformer.formats.detections import read_results
from actionformer.interop.published_settings import read_published_settings
from actionformer.model_directory import load_settings
from actionformer.settings.config import Config
from actionformer.settings.loading import load_config

SHORT, LONG = pytest.param(0, 60, id="short"), pytest.param(1, 4000, id="long", marks=pytest.mark.slow)
GIGABYTE = 1 << 20
"""In the units of `ru_maxrss`."""

ANNOTATIONS = {
    "version": "1",
    "database": {
        "a": {"subset": "training", "duration": 9.5, "fps": 30, "annotations": [{"segment": [1, 2.5], "label": "run"}]},
        "b": {"subset": "test", "annotations": [{"segment": [0, 2], "label": "hop", "label_id": 1}]},
        "c": {"subset": "test"},
    },
}
RESULTS = {"version": "1", "results": {"a": [{"label": "run", "score": 0.5, "segment": [1, 2.5]}], "b": []}}
SIDECAR = {"fps": 30, "stride": 4, "num_frames": 16, "backbone": "i3d", "weights_hash": "1", "duration": 9.0, "dim": 6}


@pytest.fixture(autouse=True)
def _little_memory() -> Iterator[None]:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    yield
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss < before + GIGABYTE


def as_json(value: Any) -> bytes:
    return literal(json.dumps(value)).encode()


def as_toml(value: Any) -> bytes:
    return literal(tomlkit.dumps(value)).encode()


def as_yaml(value: Any) -> bytes:
    return literal(yaml.safe_dump(value)).encode()


def both(write: Callable[[Any], bytes], value: Any, rng: random.Random, values: list[Any] = VALUES) -> bytes:
    """A value changed, and then written, or written and then damaged."""
    try:
        return write(changed(value, rng, values)) if rng.random() < 0.7 else damaged(write(value), rng)
    except (ValueError, TypeError, OverflowError, yaml.YAMLError):  # what this kind of text cannot say
        return damaged(write(value), rng)


@pytest.mark.parametrize(("seed", "count"), [SHORT, LONG])
@pytest.mark.parametrize(
    ("value", "read"),
    [
        (ANNOTATIONS, read_annotations),
        (RESULTS, read_results),
        (SIDECAR, read_sidecar),
        ({"epoch": 1}, read_json_lines),
    ],
    ids=["annotations", "results", "sidecar", "metrics"],
)
def test_json(tmp_path: Path, value: Any, read: Callable[[Path], Any], seed: int, count: int) -> None:
    rng, path = random.Random(seed), tmp_path / "a.json"
    refused = 0
    for _ in range(count):
        path.write_bytes(both(as_json, value, rng))
        refused += in_a_line(lambda: read(path)) is not None
    assert refused > 0


@pytest.mark.parametrize(("seed", "count"), [SHORT, LONG])
def test_model_directory(run: Path, seed: int, count: int) -> None:
    rng = random.Random(seed)
    for name, read, write in (
        ("model.json", lambda path: json.loads(path.read_text("utf-8")), as_json),
        ("config.toml", lambda path: tomlkit.parse(path.read_text("utf-8")).unwrap(), as_toml),
    ):
        value, whole = read(run / name), (run / name).read_bytes()
        for _ in range(count):
            (run / name).write_bytes(both(write, value, rng, VALUES + MOMENTS * (write is as_toml)))
            in_a_line(lambda: load_settings(run))
        (run / name).write_bytes(whole)


@pytest.mark.parametrize(("seed", "count"), [SHORT, LONG])
def test_published_settings(tmp_path: Path, seed: int, count: int) -> None:
    rng, path = random.Random(seed), tmp_path / "a.yaml"
    official = Path(__file__).parents[1] / "data" / "parity" / "official_config.yaml"
    value = yaml.safe_load(official.read_text("utf-8"))
    for _ in range(count):
        path.write_bytes(both(as_yaml, value, rng, VALUES + MOMENTS))
        in_a_line(lambda: read_published_settings(path))


@pytest.mark.parametrize(("seed", "count"), [SHORT, LONG])
def test_csv(tmp_path: Path, seed: int, count: int) -> None:
    rng, path = random.Random(seed), tmp_path / "a.csv"
    rows = ["video,label,start,end,score", "a,run,1.0,2.5,0.5", '"b,c","h""op",0,2,1e-3']
    for _ in range(count):
        value = rng.choice(["9" * 5000, "1e400", "nan", "x" * 200_000, '"', "\x00", "\r", "-1", "", "1_0", "٣"])
        text = "\n".join(rows).replace(rng.choice(["1.0", "2.5", "0.5", "run", "a"]), value)
        path.write_bytes(damaged(text.encode(), rng) if rng.random() < 0.5 else text.encode())
        in_a_line(lambda: read_results(path))


# --- those that people found


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b'{"database": {"a": {"fps": ' + b"9" * 5000 + b"}}}", "not valid JSON: a number has too many digits"),
        (b'{"database": {"a": {"subset": "x", "fps": 1e400}}}', "fps must be a positive number, found inf"),
        (b'{"database": {"a": {"subset": "x", "fps": NaN}}}', "fps must be a positive number, found nan"),
        (b"[" * 100_000, "JSON nested too deeply"),
        ('{"a": 1}'.encode("utf-16"), "not UTF-8 text"),
        (b'{"' + b"k" * 10**6 + b'": 1, "' + b"k" * 10**6 + b'": 2}', "occurs twice"),
    ],
)
def test_annotations_that_people_found(tmp_path: Path, text: bytes, message: str) -> None:
    (tmp_path / "a.json").write_bytes(text)
    refused = in_a_line(lambda: read_annotations(tmp_path / "a.json"))
    assert refused is not None
    assert message in refused


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[model]\nwidth = " + "9" * 5000, "a number has too many digits"),
        ("[model]\nwidth = 0x" + "f" * 5000, "model.width"),
        ("[training]\nlearning_rate = 1e400", "training.learning_rate"),
        ("[training]\nlearning_rate = nan", "training.learning_rate"),
        ("[model]\nwidth = " + "[" * 50_000, "nested too deeply"),
        ("a." * 50_000 + "b = 1", "nested too deeply"),
        ("[model]\nwidth = 2026-11-28", "model.width"),
        ("[model]\nwidth = 2026-99-99", "not valid TOML"),
        ("x = '" + "x" * 200_000 + "'", "is larger than 131,072 bytes"),
        ("[model]\nbranch_blocks = 99999", "model.branch_blocks: .*less than or equal to 16"),
    ],
)
def test_settings_that_people_found(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "a.toml").write_text(text, "utf-8")
    refused = in_a_line(lambda: load_config(tmp_path / "a.toml"))
    assert refused is not None
    assert re.search(message, refused), refused


def test_settings_with_a_mark_of_their_order_of_bytes(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_bytes(b"\xef\xbb\xbf[training]\r\nseed = 3\r\n")
    assert load_config(tmp_path / "a.toml").training.seed == 3
    (tmp_path / "b.toml").write_bytes(b"")
    assert load_config(tmp_path / "b.toml") == Config()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: &a [x, x]\nb: &b [*a, *a]\nmodel: [*b, *b]", "it uses an alias"),
        ("model: {n_head: 4}\nmodel: {n_head: 8}", "a key occurs twice in line 1"),
        ("model: {n_head: 4, n_head: 8}", "a key occurs twice"),
        ("model: {n_head: " + "9" * 5000 + "}", "a number has too many digits"),
        ("train_cfg: {dropout: .inf}", "dropout"),
        ("model: {n_head: 2026-99-99}", "not valid YAML"),
        ("[" * 20_000, "nested too deeply"),
        ("? [a, b]\n: 1", "not valid YAML"),
        ("model: !!python/object/apply:os.system [ls]", "not valid YAML"),
    ],
)
def test_published_settings_that_people_found(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "a.yaml").write_text(text, "utf-8")
    refused = in_a_line(lambda: read_published_settings(tmp_path / "a.yaml"))
    assert refused is not None
    assert message in refused


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"class_names": ["a", "a"]}, "two classes are called 'a'"),
        ({"class_names": ["a", 3]}, "class_names.1: .*valid string, found 3"),
        ({"class_names": []}, "class_names: "),
        ({"class_names": "ab"}, "class_names: .*found 'ab'"),
        ({"features": {"fps": -1}}, "fps must be a positive number"),
        ({"features": {"fps": 1e300}}, "fps must lie between 1e-06 and 1e"),
        ({"features": {"colour": 1}}, "colour"),
        ({"features": []}, "features: "),
        ({"training": []}, "training: "),
        ({"training": {"videos": "many"}}, "training.videos: "),
        ({"training": {"annotations": 3}}, "training.annotations: "),
        ({"metrics": {"map": "high"}}, "metrics.map: "),
    ],
)
def test_cards_that_are_none(run: Path, change: dict[str, Any], message: str) -> None:
    card = json.loads((run / "model.json").read_text("utf-8"))
    (run / "model.json").write_text(json.dumps(card | change), "utf-8")
    refused = in_a_line(lambda: load_settings(run))
    assert refused is not None
    assert re.search(f"model.json: not a model's description: .*{message}", refused), refused


def test_what_is_no_file_is_refused_at_once(tmp_path: Path) -> None:

    os.mkfifo(tmp_path / "pipe.json")
    (tmp_path / "folder.json").mkdir()
    (tmp_path / "link.json").symlink_to(tmp_path / "nowhere")
    for path, message in (
        (tmp_path / "pipe.json", "the file is empty"),
        (tmp_path / "folder.json", "cannot read"),
        (tmp_path / "link.json", "cannot read"),
        (Path("/dev/zero"), "is a device, expected a file"),
        (tmp_path / ("x" * 300), "cannot read"),
    ):
        for read in (read_json, read_annotations, read_results):
            refused = in_a_line(lambda read=read, path=path: read(path))  # type: ignore[misc]
            assert refused is not None
            assert message in refused
