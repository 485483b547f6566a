"""What annotations hold: classes, counts, lengths."""

from __future__ import annotations

from collections import Counter

import numpy as np

from actionformer.core.annotations import Annotations
from actionformer.core.terminal import TextTable
from actionformer.core.words import plural


def class_table(annotations: Annotations) -> TextTable:
    """A row per class: its actions, the videos that have some, and how long they last."""
    table = TextTable("class", "actions", "videos", "shortest", "median", "longest", cut=("class",), box=None)
    for column in table.columns[1:]:
        column.justify = "right"
    for label, name in enumerate(annotations.class_names):
        own = [np.diff(video.segments[video.labels == label])[:, 0] for video in annotations.videos.values()]
        lengths = np.concatenate(own)
        times = [f"{time:.2f} s" for time in np.quantile(lengths, (0, 0.5, 1))] if len(lengths) else ["", "", ""]
        table.add_row(name, len(lengths), sum(map(bool, map(len, own))), *times)
    return table


def in_a_line(annotations: Annotations) -> str:
    """How many videos of which subsets there are, how many actions and classes, and how long all videos last."""
    videos = annotations.videos.values()
    subsets = ", ".join(f"{count} {name}" for name, count in Counter(video.subset for video in videos).items())
    background = sum(not len(video.labels) for video in videos)
    minutes = sum(video.duration or 0.0 for video in videos) / 60
    parts = [
        f"{plural(len(videos), 'video')} ({subsets})",
        f"{plural(sum(len(video.labels) for video in videos), 'action')} of "
        f"{plural(len(annotations.class_names), 'class')}",
        *([f"{plural(background, 'video')} without action"] if background else []),
        *([f"{minutes:,.1f} minutes"] if minutes and all(video.duration for video in videos) else []),
    ]
    return "; ".join(parts)
