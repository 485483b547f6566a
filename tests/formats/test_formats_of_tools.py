"""Real files of annotation tools, against what was read of them by hand."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from actionformer.core.errors import InputError
from actionformer.formats.document import Document
from actionformer.formats.labels import LabelledVideo
from actionformer.formats.recognition import read_labels, recognised

EXPECTED = [
    ("boris/test_export_events_tabular.tsv", 4),
    ("boris/test.boris", 18),
    ("boris/test.boris", 8),
    ("elan/speach_test.eaf", 11),
    ("praat/Mary_John_bell-1.TextGrid", 7),
    ("label_studio/test_timeline_labels_1.json", 2),
    ("label_studio/lsf_audio_regions_annotation.json", 2),
    ("cvat/datumaro_for_video.xml", 3),
    ("datavyu/datavyur_dyad1.opf", 4),
]
RATES = {"label_studio/derived_tl_export.csv": 25.0, "cvat/datumaro_for_video.xml": 25.0}
"""Where the file names none."""
ALIKE = [
    ("boris/test_export_events_tabular.tsv", "boris/test_export_events_tabular.csv"),
    ("praat/Mary_John_bell-1.TextGrid", "praat/Mary_John_bell-1-short.TextGrid"),
    ("praat/text-UTF8-LONG-CRLF.TextGrid", "praat/text-ISO_Latin_1-LONG.TextGrid"),
    ("praat/text-UTF8-LONG-CRLF.TextGrid", "praat/text-UTF16LE-LONG-LF.TextGrid"),
    ("praat/text-UTF8-LONG-CRLF.TextGrid", "praat/text-UTF16BE-LONG-CRLF.TextGrid"),
    ("praat/text-UTF8-LONG-CRLF.TextGrid", "praat/text-UTF16BE-SHORT-CR.TextGrid"),
    ("praat/text-UTF8-LONG-CRLF.TextGrid", "praat/text-UTF8-SHORT-LF.TextGrid"),
    ("label_studio/derived_tl_task_export.json", "label_studio/derived_tl_json_min.json"),
    ("label_studio/derived_tl_task_export.json", "label_studio/derived_tl_export.csv"),
    ("label_studio/derived_tl_task_export.json", "label_studio/test_timeline_labels_1.json"),
    ("label_studio/derived_au_json_min.json", "label_studio/derived_au_export.csv"),
    ("label_studio/derived_au_json_min.json", "label_studio/lsf_audio_regions_annotation.json"),
    ("label_studio/derived_ts_task_export.json", "label_studio/derived_ts_json_min.json"),
    ("label_studio/derived_ts_task_export.json", "label_studio/derived_ts_export.csv"),
]
OF_TOOLS = {
    "boris": ("boris/test*.boris", "boris/*.csv", "boris/test_export_*.tsv"),
    "eaf": ("elan/*.eaf",),
    "label-studio": ("label_studio/*.json", "label_studio/*.csv"),
    "cvat": ("cvat/*",),
    "via3": ("via3/*",),
    "srt": ("srt/*",),
    "vtt": ("webvtt/*",),
    "textgrid": ("praat/*",),
    "audacity": ("audacity/*",),
    "datavyu": ("datavyu/*",),
    "jwatcher": ("jwatcher/*",),
}


@pytest.fixture(scope="session")
def samples(shared: Path) -> Path:
    return shared / "data" / "formats"


def rows(video: LabelledVideo, rate: float | None = None) -> Counter[tuple[str, float, float, str]]:
    per_second = (rate or video.fps or 1.0) if video.unit == "frames" else 1.0
    name = video.name.rpartition("/")[2]
    return Counter(
        (name, round(one.start / per_second, 3), round(one.end / per_second, 3), one.label) for one in video.segments
    )


@pytest.mark.parametrize("place", range(len(EXPECTED)))
def test_a_file_says_what_was_read_of_it_by_hand(samples: Path, place: int) -> None:
    file, count = EXPECTED[place]
    before = sum(one[0] == file for one in EXPECTED[:place])
    entry: Any = [one for one in json.loads((samples / "expected.json").read_text("utf-8")) if one["file"] == file][
        before
    ]
    assert len(entry["segments"]) == count
    wanted = Counter(
        (one["video"].rpartition("/")[2], round(one["start"], 3), round(one["end"], 3), one["label"])
        for one in entry["segments"]
    )
    found = sum((rows(video, RATES.get(file)) for video in read_labels(samples / file).videos), Counter())
    assert wanted <= found


@pytest.mark.parametrize(("one", "other"), ALIKE)
def test_files_of_the_same_labels_say_the_same(samples: Path, one: str, other: str) -> None:
    found = [
        [list(rows(video, 25.0 if video.unit == "frames" else None)) for video in read_labels(samples / file).videos]
        for file in (one, other)
    ]
    (first,), (second,) = found
    assert [row[1:] for row in first] == [row[1:] for row in second] != []


def test_an_observation_is_an_annotator_and_what_is_not_paired_is_said(samples: Path) -> None:
    found = read_labels(samples / "boris/test.boris")
    own = [video for video in found.videos if video.annotator == "observation #2"]
    assert [(video.name, video.fps, video.duration, len(video.segments)) for video in own] == [
        ("video_test_25fps_180s.mp4", 25.0, 179.96, 6),
        ("video_test_25fps_360s.mp4", 25.0, 359.96, 12),
    ]
    unpaired = [one.where for one in found.remarks if one.what.startswith("a START without a STOP is left out")]
    assert [where.rpartition(": ")[2] for where in unpaired] == ["observation 'live not paired', 26.862 s"]


@pytest.mark.parametrize("format_", OF_TOOLS)
def test_a_sample_of_a_tool_is_told_by_its_content(samples: Path, tmp_path: Path, format_: str) -> None:
    paths = [path for pattern in OF_TOOLS[format_] for path in sorted(samples.glob(pattern))]
    assert paths
    for path in paths:
        if not path.name.endswith("config.xml"):
            assert recognised(Document(tmp_path / "nameless", path.read_bytes())) == format_, path


@pytest.mark.parametrize(
    "file",
    [
        "boris/export_observations_list_test1.tsv",
        "noldus_observer/otx_parser_test.otx",
        "label_studio/lsf_audio_regions_config.xml",
        "anvil/keraalSpec.xml",
    ],
)
def test_files_of_tools_that_hold_no_labels_are_named(samples: Path, file: str) -> None:
    with pytest.raises(InputError, match="no format of labels that is known"):
        read_labels(samples / file)
