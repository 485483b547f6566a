"""ActivityNet 1.3: everyday activities, 200 classes; training and validation.

The labels of testing are not published. Papers give mAP at tIoU 0.5, 0.75, 0.95 and the mean over
0.5 to 0.95. Annotations: MIT; videos are on YouTube. Where to get it, in one of two layouts:

activity_net.v1-3*.json    http://activity-net.org/download.html
anet_anno_action.json, video_info_new.csv
                           https://github.com/JJBOY/BMN-Boundary-Matching-Network: without videos that have gone

Features (TSP, 512 channels, 16 frames every 16 at 15 a second): what the code of ActionFormer links to. The preset
finds proposals alone; their classes come from scores of whole videos, `detect --video-scores`.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from actionformer.core.errors import InputError, listed
from actionformer.datasets.base import Counts, Dataset
from actionformer.datasets.labelled import find_file, find_files, labelled_dataset, labels_of
from actionformer.datasets.youtube import youtube_id
from actionformer.formats.document import Document
from actionformer.formats.labels import LabelFile, LabelledVideo

OFFICIAL = "activity_net.v1-3*.json"
CLEANED, SUBSETS = "anet_anno_action.json", "video_info_new.csv"
PUBLISHED = Counts(200, {"training": 10024, "validation": 4926}, {"training": 15410, "validation": 7654})
PUBLISHED_CLEANED = Counts(200, {"training": 9649, "validation": 4728}, {"training": 14859, "validation": 7293})


def read(source: Path) -> Dataset:
    """The annotations in their folder.

    Raises:
        InputError: neither layout is there.
    """
    if found := find_files(source, OFFICIAL):
        return labelled_dataset(labels_of(found[0], "json").videos, id_of=youtube_id, published=PUBLISHED)
    cleaned = find_file(source, CLEANED, expected=f"annotations; {OFFICIAL} is not here either")
    table = find_file(source, SUBSETS, expected=f"the subset of every video of {CLEANED}")
    videos = _with_subsets(labels_of(cleaned, "json"), table)
    return labelled_dataset(videos, id_of=youtube_id, published=PUBLISHED_CLEANED)


def _subsets(path: Path) -> dict[str, str]:
    table = Document(path)
    if not {"video", "subset"} <= set(table.header):
        raise InputError(f"{path}: expected the columns video and subset, found {', '.join(table.header):.80}")
    video, subset = table.header.index("video"), table.header.index("subset")
    return {row.cells[video]: row.cells[subset] for row in table.table[1:]}


def _with_subsets(file: LabelFile, table: Path) -> list[LabelledVideo]:
    """The videos of the subsets that have labels."""
    subsets = _subsets(table)
    if lacking := [video.name for video in file.videos if video.name not in subsets]:
        raise InputError(f"{table}: no row of video {listed(lacking, 3)} of {CLEANED}: is it whole?")
    videos = [replace(video, subset=subsets[video.name]) for video in file.videos]
    labelled = {video.subset for video in videos if video.segments}
    return [video for video in videos if video.subset in labelled]
