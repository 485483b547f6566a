"""Which formats there are, and what each can do. A format's own file is imported when it is used."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, Literal

from actionformer.core.errors import InputError
from actionformer.core.names import nearest

FormatName = str
"""The name of a format that detections are written in."""
LabelFormatName = str
"""The name of one that labels are read of."""
LiveFormatName = str
"""The name of one that the actions of a live source are written in."""
Ability = Literal[
    "read_annotations",
    "annotations_text",
    "read_results",
    "results_text",
    "results_bytes",
    "video_text",
    "video_line",
    "stream_header",
    "action_line",
    "provisional_line",
    "holds_labels",
    "read_labels",
]
"""A function that a format's file may define, see `formats`."""


@dataclass(frozen=True)
class Format:
    """What a format is called and what it can do."""

    name: str
    home: str
    """The module in this folder that defines its functions."""
    endings: tuple[str, ...]
    """Of its files, the usual one first."""
    can: tuple[Ability, ...]
    """The functions that its module defines."""
    for_people: bool = False
    """Whether people look at it moment by moment, so that what is hardly believed is left out."""
    counts_frames: bool = False
    """Whether what is written has numbers of frames, for which the rate of the video is needed."""
    counts_pictures: bool = False
    """Whether these are numbers of pictures, as tools count them that decode one after another, and not of time."""
    general: bool = False
    """Whether much could be read as it, so that labels are taken for it only where no other format fits."""

    @property
    def reads(self) -> bool:
        """Whether detections can be read."""
        return "read_results" in self.can

    @property
    def imports(self) -> bool:
        """Whether labels of an annotation tool or a data set can be read."""
        return "read_labels" in self.can

    @property
    def writes(self) -> bool:
        """Whether detections can be written."""
        return "results_text" in self.can or self.is_binary or self.one_video

    @property
    def is_binary(self) -> bool:
        """Whether what is written is no text."""
        return "results_bytes" in self.can

    @property
    def one_video(self) -> bool:
        """Whether a file holds one video."""
        return "video_text" in self.can

    @property
    def streams(self) -> bool:
        """Whether the actions of a live source can be written, a line each."""
        return "action_line" in self.can

    def function(self, name: Ability) -> Callable[..., Any]:
        """One of its functions.

        Raises:
            InputError: it has none of that name.
        """
        if name not in self.can:
            able = [other for other, one in FORMATS.items() if name in one.can]
            raise InputError(f"format {self.name!r} has no {name}; those that have: {', '.join(able)}")
        function: Callable[..., Any] = getattr(import_module(f"actionformer.formats.{self.home}"), name)
        return function


_ANNOTATIONS: tuple[Ability, ...] = ("read_annotations", "annotations_text")
_RESULTS: tuple[Ability, ...] = ("read_results", "results_text")
_STREAM: tuple[Ability, ...] = ("stream_header", "action_line")
_LABELS: tuple[Ability, ...] = ("holds_labels", "read_labels")
FORMATS: dict[str, Format] = {
    one.name: one
    for one in (
        Format("json", "activitynet", (".json",), (*_ANNOTATIONS, *_RESULTS, *_STREAM, "provisional_line", *_LABELS)),
        Format("jsonl", "jsonl", (".jsonl",), (*_RESULTS, "video_line")),
        Format("csv", "csv_table", (".csv",), (*_RESULTS, *_STREAM, *_LABELS), general=True),
        Format("parquet", "parquet", (".parquet",), ("read_results", "results_bytes")),
        Format("table", "table", (".txt",), ("results_text", *_STREAM), for_people=True),
        Format("srt", "srt", (".srt",), ("video_text", *_LABELS), for_people=True),
        Format("vtt", "vtt", (".vtt",), ("video_text", *_LABELS), for_people=True),
        Format("eaf", "elan", (".eaf",), ("video_text", *_LABELS), for_people=True),
        Format("boris", "boris", (".boris",), ("results_text", *_LABELS), for_people=True, counts_frames=True),
        Format(
            "label-studio", "label_studio", (".json",), ("results_text", *_LABELS), for_people=True, counts_frames=True
        ),
        Format(
            "cvat",
            "cvat",
            (".xml",),
            ("video_text", *_LABELS),
            for_people=True,
            counts_frames=True,
            counts_pictures=True,
        ),
        Format("via3", "via3", (".json",), ("results_text", *_LABELS), for_people=True),
        Format("textgrid", "textgrid", (".TextGrid",), ("video_text", *_LABELS), for_people=True),
        Format("noldus", "noldus", (".csv",), _LABELS),
        Format("datavyu", "datavyu", (".opf",), _LABELS),
        Format("anvil", "anvil", (".anvil",), _LABELS),
        Format("jwatcher", "jwatcher", (".dat",), _LABELS),
        Format("chronoviz", "chronoviz", (".csv",), _LABELS),
        Format("audacity", "audacity", (".txt",), ("video_text", *_LABELS), for_people=True),
        Format("frame_labels", "frame_labels", (".txt",), _LABELS),
        Format("frame_ranges", "frame_ranges", (".txt",), _LABELS),
        Format("frame_table", "frame_table", (".csv",), _LABELS),
        Format("one_hot", "one_hot", (".csv",), _LABELS),
        Format("ava", "ava", (".csv",), _LABELS),
        Format("bento", "bento", (".annot",), _LABELS),
        Format("calms21", "calms21", (".json",), _LABELS),
        Format("charades", "charades", (".csv",), _LABELS),
        Format("class_actions", "class_actions", (".json",), _LABELS),
        Format("crosstask", "crosstask", (".csv",), _LABELS),
        Format("dcase", "dcase", (".tsv",), _LABELS),
        Format("ego4d", "ego4d", (".json",), _LABELS),
        Format("epic", "epic", (".csv",), _LABELS),
        Format("fiftyone", "fiftyone", (".json",), _LABELS),
        Format("nab", "nab", (".json",), _LABELS),
        Format("pku_mmd", "pku_mmd", (".label",), _LABELS),
        Format("salads", "salads", (".txt",), _LABELS),
        Format("sleep_states", "sleep_states", (".csv",), _LABELS),
        Format("soccernet", "soccernet", (".json",), _LABELS),
        Format("spot", "spot", (".json",), _LABELS),
        Format("thumos", "thumos", (".txt",), _LABELS),
    )
}
"""Name -> format, in the order in which choices are listed."""
DEFAULT = "json"
"""The format of a file whose ending tells none."""


def names(
    *, reads: bool = False, writes: bool = False, streams: bool = False, imports: bool = False
) -> tuple[str, ...]:
    """The names of the formats that can do all of what is asked for."""
    return tuple(
        name
        for name, one in FORMATS.items()
        if (one.reads or not reads)
        and (one.writes or not writes)
        and (one.streams or not streams)
        and (one.imports or not imports)
    )


def find(name: str | None = None, path: str | Path | None = None, *, can: Ability | None = None) -> Format:
    """The format of a name, else the one that a file's ending tells, else `DEFAULT`.

    Args:
        name: as a user gives it.
        path: the file; its ending counts for the formats that can do what is needed.
        can: what is needed.

    Raises:
        InputError: no format of that name; those that exist are listed.
    """
    if name is not None:
        if name not in FORMATS:
            raise InputError(f"no format {name!r}{nearest(name, list(FORMATS))}; there are {', '.join(FORMATS)}")
        return FORMATS[name]
    ending = Path(path).suffix.lower() if path is not None else ""
    able = (one for one in FORMATS.values() if can is None or can in one.can)
    return next((one for one in able if ending in map(str.lower, one.endings)), FORMATS[DEFAULT])
