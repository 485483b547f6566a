"""Any text, as class and as id, through every writer and reader, and on the command line."""

import io
import json
import re
import shutil
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from commands import Command
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from actionformer.core.annotations import AnnotatedVideo, Annotations
from actionformer.core.detections import Detections
from actionformer.core.errors import InputError
from actionformer.core.names import file_of
from actionformer.core.terminal import plain_console
from actionformer.formats import index
from actionformer.formats.annotations import read_annotations, write_annotations
from actionformer.formats.detections import named_rows, read_results, video_text, write_results
from actionformer.formats.table import results_table
from actionformer.settings.config import Config

PIECES = [
    "[",
    "]",
    "[/x]",
    ":smile:",
    "\x1b[2J",
    "\n\n",
    "\r",
    "-->",
    "<b>",
    "&",
    "%{x}",
    "\ud800",
    "\udce9",
    "\u202e",
    "..",
    "/",
]
TEXT = st.text(st.characters(), max_size=8) | st.lists(st.sampled_from([*PIECES, "a", " ", "\0"]), max_size=5).map(
    "".join
)


def is_name(text: str) -> bool:
    return bool(text) and not re.search("[\ud800-\udfff]", text)


def joined(text: str) -> str:
    """Two halves of a character side by side are the character, in JSON too."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass")


def found_of(names: list[str]) -> Detections:
    n = len(names)
    times = 2.0 * np.arange(n)
    return Detections(
        np.stack((times, times + 1.0), axis=1), np.linspace(0.875, 0.5, 4)[:n], np.arange(n), tuple(names)
    )


@pytest.mark.parametrize("ending", index.names(reads=True, writes=True))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=100)
@given(
    names=st.lists(TEXT, min_size=1, max_size=4, unique=True), ids=st.lists(TEXT, min_size=1, max_size=3, unique=True)
)
@example(names=["a"], ids=["\ud800\udc00"])
@example(names=["a"], ids=["\ud800\udc00", "\U00010000"])
@example(names=["\ud800\udc00"], ids=["a"])
def test_results_come_back_or_are_refused(tmp_path: Path, ending: str, names: list[str], ids: list[str]) -> None:
    path, one = tmp_path / f"a.{ending}", found_of(names)
    try:
        write_results(path, dict.fromkeys(ids, one), ending)
        found = read_results(path, names)
    except InputError:
        assert not all(map(is_name, [*names, *ids]))
        return
    assert list(found) == [joined(id_) for id_ in ids]
    assert all(video.to_dict() == one.to_dict() for video in found.values())


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=100)
@given(names=st.lists(TEXT, min_size=1, max_size=4, unique=True), id_=TEXT, subset=TEXT)
@example(names=["a", "\ud800\udc00"], id_="\ud800\udc00", subset="\ud800\udc00")
@example(names=["\U00010000", "\ud800\udc00"], id_="a", subset="b")
@pytest.mark.filterwarnings("ignore:.*taken for different ones")
def test_annotations_come_back_or_are_refused(tmp_path: Path, names: list[str], id_: str, subset: str) -> None:
    n = len(names)
    video = AnnotatedVideo(id_, subset, 9.0, 25.0, np.tile([1.0, 2.0], (n, 1)), np.arange(n))
    write_annotations(tmp_path / "a.json", Annotations({id_: video}, tuple(names)))
    try:
        found = read_annotations(tmp_path / "a.json")
    except InputError:
        assert not all(map(is_name, [*names, id_, subset]))
        return
    assert found.class_names == tuple(dict.fromkeys(map(joined, names)))
    assert list(found.subset(joined(subset)).videos) == [joined(id_)]


@given(names=st.lists(TEXT, min_size=1, max_size=4, unique=True), id_=TEXT)
def test_what_people_read_is_one_line_a_name(names: list[str], id_: str) -> None:
    found = found_of(names)
    n = len(names)
    for format_, lines in (("srt", 3), ("vtt", 2)):
        text = video_text(found, format_)
        cues = text.removeprefix("WEBVTT\n\n").split("\n\n")
        assert [len(cue.rstrip("\n").splitlines()) for cue in cues] == [lines] * n
        assert text.count("-->") == n
        assert text.encode("utf-8")
    root = ElementTree.fromstring(video_text(found, "eaf"))
    tiers = [tier.get("TIER_ID") for tier in root.iter("TIER")]
    assert len(set(tiers)) == len(tiers) == n  # one of each name
    file = io.StringIO()
    plain_console(file, width=1000).print(results_table(named_rows({id_: found})))
    assert len(file.getvalue().splitlines()) == n + 4
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\ud800-\udfff]", file.getvalue())


@given(id_=TEXT)
def test_a_file_of_an_id_lies_in_its_folder(id_: str) -> None:
    try:
        file = file_of("folder", id_, ".srt")
    except InputError:
        return
    assert ".." not in file.parts
    assert file.parts[0] == "folder"
    assert file.as_posix() == f"folder/{id_}.srt"


HOSTILE = ["walk [left]", "[/x]\x1b[31m:smile:", "a\n\nb --> c", "</script>%{x}", "\u202ebidi", "mu\u0308de [red]"]


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory, tiny: Config, annotations: Path, features: Path) -> Path:
    """Annotations and features of six videos and two classes with such names, and settings to train on them."""
    folder = tmp_path_factory.mktemp("hostile [1]")
    (folder / "features").mkdir()
    database = json.loads(annotations.read_text("utf-8"))["database"]
    named = dict(zip(database, HOSTILE, strict=True))
    labels = dict(zip(("jump", "run"), HOSTILE[:2], strict=True))
    for video in database.values():
        video["annotations"] = [one | {"label": labels[one["label"]]} for one in video["annotations"]]
    content = {"database": {named[video]: entry for video, entry in database.items()}}
    (folder / "annotations.json").write_text(json.dumps(content), "utf-8")
    for video, name in named.items():
        place = folder / "features" / name.replace("/", "_")
        if "/" in name:
            place = file_of(folder / "features", name, "")
            place.parent.mkdir(exist_ok=True)
        for ending in (".npy", ".json"):
            shutil.copy(features / f"{video}{ending}", f"{place}{ending}")
    (folder / "tiny.toml").write_text(tiny.to_toml(), "utf-8")
    return folder


def plain(text: str) -> str:
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\ud800-\udfff]", text), text
    return text


def test_from_training_to_detections(call: Command, hostile: Path, tmp_path: Path) -> None:
    run = tmp_path / "run [x]"
    given_ = ("--annotations", hostile / "annotations.json", "--features", hostile / "features")
    result = call("train", hostile / "tiny.toml", *given_, "--out", run)
    assert result.code == 0, result.err
    assert plain(result.out) == f"model: {run}\n"
    assert call("evaluate", run).code == 0
    assert r"2: [/x]\x1b[31m:smile:, walk [left]" in plain(call("info", run).out)
    found = read_results(run / "detections.json")
    assert set(found) == set(HOSTILE[4:])
    assert {name for one in found.values() for name in one.class_names} == set(HOSTILE[:2])
    scored = call(
        "score",
        "--annotations",
        hostile / "annotations.json",
        "--detections",
        run / "detections.json",
        "--subset",
        "VALIDATION",
    )
    assert scored.code == 0
    assert "outside" not in plain(scored.err)
    for kind in ("json", "jsonl", "csv", "srt", "vtt", "eaf", "table"):
        out = tmp_path / (kind if kind in ("srt", "vtt", "eaf") else f"all.{kind}")
        result = call("detect", run, hostile / "features", "--format", kind, "--out", out, "--min-score", 0)
        assert result.code == 0, result.err
        if out.is_dir():
            assert {
                file.relative_to(out).as_posix().removesuffix(f".{kind}") for file in out.rglob(f"*.{kind}")
            } == set(HOSTILE)
        elif kind != "table":
            assert set(read_results(out)) == set(HOSTILE)
        else:
            assert "walk [left]" in plain(out.read_text("utf-8"))
    table = call("detect", run, hostile / "features", "--classes", "[/x]\x1b[31m:smile:", "--min-score", 0)
    assert r"[/x]\x1b[31m:smile:" in plain(table.out)
    assert call("view", run, "--save", tmp_path / "report.html").code == 0
    assert "did you mean 'walk [left]'?" in plain(
        call("detect", run, hostile / "features", "--classes", "Walk [left]").err
    )
    missing = call("detect", run, tmp_path / "no\x1b[2J [b]\n.npy")
    assert missing.code == 2
    assert r"no\x1b[2J [b]\n.npy" in plain(missing.err)
