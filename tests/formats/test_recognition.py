"""Formats of labels are told by content."""

import gzip
import json
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from actionformer.core.errors import InputError
from actionformer.formats.document import Document
from actionformer.formats.index import FORMATS, names
from actionformer.formats.recognition import read_labels, recognised


def test_a_file_is_recognised_by_its_content(tmp_path: Path) -> None:
    (tmp_path / "a.xyz").write_text("1.0\t2.0\tjump\n", encoding="utf-8")
    assert [one.name for one in read_labels(tmp_path / "a.xyz").videos] == ["a"]


@pytest.mark.parametrize(
    ("content", "seen"),
    [
        (b"<html/>", "XML whose root is <html>"),
        (b'{"a": 1, "b": 2}', "JSON with the keys a, b"),
        (b"\x00\x01\x02", "binary data"),
        (b"Dear all\n", "text that begins with 'Dear all'"),
    ],
)
def test_what_is_not_recognised_is_said_with_what_is_known(tmp_path: Path, content: bytes, seen: str) -> None:
    (tmp_path / "a.txt").write_bytes(content)
    with pytest.raises(InputError) as refused:
        read_labels(tmp_path / "a.txt")
    assert f"a.txt: {seen}: no format of labels that is known; there are " in str(refused.value)
    assert "audacity" in str(refused.value)


SAMPLES = {
    "activitynet/mmaction2_action_test_anno.json": "json",
    "audacity/*.txt": "audacity",
    "ava/*ava_default*.csv": "ava",
    "ava/mmaction2_ava_sample.csv": "ava",
    "ava/mmaction2_eval_gt.csv": "ava",
    "bento/*.annot": "bento",
    "charades/*.json": "class_actions",
    "coin/*.json": "json",
    "dcase/sed_eval_[mo]*.txt": "audacity",
    "dcase/sed_eval_street*.txt": "dcase",
    "deepethogram/*.csv": "one_hot",
    "desed/generated_from_jams.tsv": "dcase",
    "desed/psds_eval_baseline_0.5.csv": "dcase",
    "desed/validation.tsv": "dcase",
    "epic_kitchens/EPIC_100_validation.csv": "epic",
    "multithumos/piergiaj_multithumos.json": "class_actions",
    "multithumos/tiny_multithumos_anno.json": "json",
    "nab/*.json": "nab",
    "segmentation_50salads/*.txt": "salads",
    "spot_e2e/*.json": "spot",
    "thumos14/*.json": "json",
}
"""Samples of data sets -> the format that they are."""
OTHERS = ("LICENSES/*", "*.md", "expected.json", "activitynet/sample_*", "ava/*excluded*", "ava/*action_list*",
          "desed/weak.tsv", "desed/*_meta.csv", "epic_kitchens/*classes.csv", "epic_kitchens/*info.csv")  # fmt: skip
"""Files beside them that hold no labels."""


@pytest.mark.parametrize("pattern", SAMPLES)
def test_a_real_sample_is_of_one_format(shared: Path, pattern: str) -> None:
    paths = sorted((shared / "data/formats").glob(pattern))
    assert paths
    for path in paths:
        assert recognised(Document(path)) == SAMPLES[pattern]
        assert read_labels(path).videos


@pytest.mark.parametrize("pattern", OTHERS)
def test_real_files_without_labels_are_of_none(shared: Path, pattern: str) -> None:
    for path in sorted((shared / "data/formats").glob(pattern)):
        with pytest.raises(InputError, match="no format of labels that is known"):
            read_labels(path)


def test_no_real_sample_could_be_of_two_formats(shared: Path) -> None:
    paths = [path for path in sorted((shared / "data/formats").rglob("*")) if path.is_file()]
    assert paths
    for path in paths:
        fitting = [name for name in names(imports=True) if FORMATS[name].function("holds_labels")(Document(path))]
        assert sum(not FORMATS[name].general for name in fitting) <= 1, (path, fitting)


def test_a_general_format_is_meant_only_where_no_other_fits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.txt").write_text("1.0\t2.0\tjump\n", encoding="utf-8")
    monkeypatch.setitem(FORMATS, "any", replace(FORMATS["audacity"], name="any"))
    with pytest.raises(InputError, match=r"a\.txt: could be audacity or any: say which with --format"):
        read_labels(tmp_path / "a.txt")
    monkeypatch.setitem(FORMATS, "any", replace(FORMATS["any"], general=True))
    assert recognised(Document(tmp_path / "a.txt")) == "audacity"


@pytest.mark.parametrize(
    "content",
    [
        '<annotations><track label="a"><box frame="x" outside="0"/></track></annotations>',
        '{"metadata": {"1": 5}, "attribute": {}, "file": {}, "view": {}}',
        '{"behaviors_conf": {}, "observations": {"one": 3}}',
        '{"behaviors_conf": [], "observations": {"one": {"events": []}}}',
        '[{"data": {"video": "v"}, "annotations": [{"result": [{"type": "labels", "value": {"labels": 3}}]}]}, 5]',
    ],
)
def test_what_is_laid_out_otherwise_is_no_traceback(tmp_path: Path, content: str) -> None:
    path = tmp_path / "a.txt"
    path.write_text(content, "utf-8")
    segments = 0
    with suppress(InputError):  # any other error ends the test
        segments = sum(len(video.segments) for video in read_labels(path).videos)
    assert segments == 0


@pytest.mark.parametrize(
    ("content", "columns", "said"),
    [
        ("Video;Alku;Loppu;Laji\na.mp4;1,5;2;juosta\n", {}, "--columns video=Video start=Alku end=Loppu label=Laji"),
        ("Datei;Anfang [s];Dauer [s];Laji\na.mp4;1,5;3,2;juosta\n", {}, "--columns label=Laji"),  # no end of a duration
        ("clip1,1.5,2,run\nclip2,1,1.5,run\n", {}, "by numbers from 1, as in --columns video=1 start=2 end=3 label=4"),
        ("who;what\n1;2\n", {}, "a table with the columns who, what: no format of labels that is known"),
        ("who;what\n1;2\n", {"start": "wo"}, "no column 'wo', did you mean 'who'?; there are who, what"),
        ("who;what\n1;2\n", {"start": "who"}, "--columns says nothing of label; there are who, what"),
        ("who;what\n1;2\n", {"stat": "who"}, "columns: nothing is called 'stat', did you mean 'start'?; there are"),
    ],
)
def test_how_to_say_what_columns_are(tmp_path: Path, content: str, columns: dict[str, str], said: str) -> None:
    (tmp_path / "a.csv").write_text(content, "utf-8")
    with pytest.raises(InputError) as refused:
        read_labels(tmp_path / "a.csv", columns=columns)
    assert said in str(refused.value)


def test_a_format_that_is_asked_for_has_to_fit(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("1.0\t2.0\tjump\n", encoding="utf-8")
    assert len(read_labels(tmp_path / "a.txt", "audacity").videos) == 1
    with pytest.raises(InputError, match=r"a\.txt: a table with the columns .*: holds no labels in format eaf"):
        read_labels(tmp_path / "a.txt", "eaf")


def test_a_gzipped_file_is_what_is_in_it(tmp_path: Path) -> None:
    (tmp_path / "a.txt.gz").write_bytes(gzip.compress(b"1.0\t2.0\tjump\n"))
    assert recognised(Document(tmp_path / "a.txt.gz")) == "audacity"
    (tmp_path / "b.gz").write_bytes(gzip.compress(b"1.0\t2.0\tjump\n")[:15])
    with pytest.raises(InputError, match=r"b\.gz: a damaged gzip file"):
        read_labels(tmp_path / "b.gz")


ANVIL = '<annotation><body><track name="t" type="primary"><el index="0" start="x" end="2"/></track></body></annotation>'
EAF = '<ANNOTATION_DOCUMENT><TIER TIER_ID="t"><ANNOTATION><ALIGNABLE_ANNOTATION ANNOTATION_ID="a"/></ANNOTATION></TIER>'
BORIS = {"behaviors_conf": {"0": {"code": "dig", "type": "State event"}}}
CASES: list[tuple[str, object]] = [
    ("audacity", "1.0\t2.0\t\n"),
    ("srt", "1\n00:00:01,000 --> 00:00:02,000\n\n"),
    ("anvil", ANVIL),
    ("eaf", f"{EAF}</ANNOTATION_DOCUMENT>"),
    ("chronoviz", "StartTime,EndTime,Title,Annotation,MainCategory\nx,2,a,,b\n"),
    ("noldus", "Time_Relative_sf;Duration_sf;Observation;Behavior;Event_Type\n1;;one;dig;State start\n"),
    ("datavyu", "file,column,ordinal,onset,offset,code\none,look,1,,,left\n"),
    ("fiftyone", {"classes": ["a"], "labels": {"one": [{"label": "a", "support": [1, "x"]}]}}),
    ("json", {"database": {"one": {"annotations": [{"segment": [1, None], "label": "a"}]}}}),
    ("boris", BORIS | {"observations": {"one": {"file": {"1": ["one.mp4"]}, "events": [[1.0, "", "dig", "", "", 1]]}}}),
    ("label-studio", [{"data": {"video": "one.mp4"}, "annotations": [{"result": [{"value": {"ranges": [{}]}}]}]}]),
]


@pytest.mark.parametrize(("format_", "content"), CASES, ids=[name for name, _ in CASES])
def test_a_video_whose_labels_are_left_out_is_not_one_in_which_nothing_happens(
    tmp_path: Path, format_: str, content: object
) -> None:
    path = tmp_path / "one.txt"
    path.write_text(content if isinstance(content, str) else json.dumps(content), "utf-8")
    (video,) = read_labels(path, format_).videos
    assert (list(video.segments), video.complete, video.source) == ([], False, str(path))
