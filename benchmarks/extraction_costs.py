"""What every backbone costs, part by part, and what decoding at a reduced size would spare; `extract.py` runs it.

Time is that of the processor, of this one process on one thread, the decoder's too, so that other work on the machine
disturbs it little.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from functools import cache, partial
from itertools import cycle, groupby, islice
from pathlib import Path
from typing import Any

import av
import numpy as np
import torch
from drawn_weights import loaded
from recordings import write_key_points, write_noise, write_test_video
from sensors import write_csv
from torch import Tensor

from actionformer.backbones import BACKBONES, Backbone, Frame, load_backbone, medium_of
from actionformer.backbones.base import at_rate
from actionformer.core.errors import InputError
from actionformer.extraction.encode import BATCH_CLIPS, layout_for
from actionformer.keypoints.medium import KEY_POINTS, KeyPointFiles
from actionformer.medium import Medium, Recording, Row
from actionformer.sound.medium import SOUND
from actionformer.video.pictures import PICTURES, Shown

MEASURED = tuple(name for name in BACKBONES if name != "huggingface")  # which stands for models of any size
SIZES = ("1280x720", "320x240")
RATE, SECONDS, MINUTES = 30, 10, 2
"""Pictures a second and length of videos, and length of sound and key points."""
MANY, FEW = 33, 5
"""Frames that are prepared, and those where each takes about a second: TV-L1 flow."""
REPEATS, AT_LEAST, SLOW = 3, 0.3, 10.0
"""Turns of which the fastest counts, seconds that each lasts at least, and seconds from which on one turn is enough."""


def costs(names: Sequence[str], folder: Path) -> Iterator[dict[str, Any]]:
    """Minutes of one core for an hour of recording: a row per backbone and size of pictures; says what is left out."""
    one_thread()
    for name in names:
        try:
            backbone = loaded(name, folder)
        except (InputError, SystemExit) as error:
            print(f"{name}: not measured: {error}")
            continue
        network: float | None = None
        for size, path in recordings_of(medium_of(name), folder).items():
            minutes = minutes_of_an_hour(backbone, path, network)
            network = minutes["network"]
            yield {"backbone": name, "size": size, **minutes}


def one_thread() -> None:
    """As in a process that decodes."""
    torch.set_num_threads(1)
    with suppress(ImportError):
        import cv2

        cv2.setNumThreads(1)


@cache
def recordings_of(medium: Medium, folder: Path) -> dict[str, Path]:
    """What is measured on, by the size of its pictures; "" where it has none."""
    if medium == PICTURES:
        return {size: write_test_video(folder / f"{size}.mp4", SECONDS, size, RATE, noise=2) for size in SIZES}
    if medium == SOUND:
        return {"": write_noise(folder / "noise.m4a", MINUTES)}
    if medium == KEY_POINTS:
        return {"": write_key_points(folder / "points.csv", MINUTES, RATE)}
    write_csv(folder / "readings.csv", hours=1)
    return {"": folder / "readings.csv"}


def minutes_of_an_hour(backbone: Backbone, path: Path, network: float | None) -> dict[str, float]:
    """Decoding, preparing and encoding an hour as the backbone has it by default, in minutes of one core each.

    Args:
        backbone: of default settings.
        path: a recording.
        network: what encoding takes, where that is known from pictures of another size.
    """
    backbone = backbone.fitted([path], backbone.num_frames)
    layout = layout_for(backbone, fps=RATE if isinstance(backbone.medium, KeyPointFiles) else None)
    fps, frames = beginning(backbone, path, layout.fps)
    preprocessing = at_rate(backbone.preprocessing, fps)
    prepared = cycle(list(preprocessing(frames)))
    clip = torch.from_numpy(np.stack(list(islice(prepared, layout.num_frames))))

    def decode() -> int:
        with backbone.medium.open(path, layout.fps) as recording:
            return sum(1 for _ in rows_of(recording))

    def prepare() -> int:  # all but the last, as flow needs the frame that follows
        return sum(1 for _ in islice(preprocessing(frames), len(frames) - 1))

    rows = 3600 * fps
    if network is None:
        network = seconds_of_a_clip(backbone, clip) * layout.count(round(rows)) / 60
    return {
        "decoding": seconds_each(decode) * rows / 60,
        "preprocessing": seconds_each(prepare) * rows / 60,
        "network": network,
    }


def beginning(backbone: Backbone, path: Path, fps: float | None) -> tuple[float, list[Row]]:
    """How many rows of a recording come a second, and the first of them."""
    with backbone.medium.open(path, fps) as recording:
        return recording.fps, list(islice(rows_of(recording), FEW if backbone.name == "i3d" else MANY))


def rows_of(recording: Recording) -> Iterator[Row]:
    """All rows, decoded by one thread."""
    if isinstance(recording, Shown):
        recording.video.stream.thread_type = "NONE"
    return recording.rows()


def seconds_of_a_clip(backbone: Backbone, clip: Tensor) -> float:
    """Seconds that encoding takes per clip, in batches as extraction makes them where that is not too long."""
    alone = seconds_each(lambda: len(backbone.encode(clip[None])), repeats=1)
    batch = clip[None].repeat(BATCH_CLIPS, *[1] * clip.ndim)
    return alone if alone * BATCH_CLIPS > SLOW else seconds_each(lambda: len(backbone.encode(batch)))


def seconds_each(work: Callable[[], int], repeats: int = REPEATS) -> float:
    """Seconds of the processor for one of the things that `work` does and counts, in the fastest of some turns.

    The first call does not count, unless it takes so long that it is the only one.
    """
    first = turn(work, 0.0)
    return first[0] if first[1] > SLOW else min(turn(work, AT_LEAST)[0] for _ in range(repeats))


def turn(work: Callable[[], int], least: float) -> tuple[float, float]:
    """Seconds per thing that was done, and in all: `work` is called until `least` have passed, once at least."""
    begun, done = time.process_time(), work()
    while time.process_time() - begun < least:
        done += work()
    spent = time.process_time() - begun
    return spent / done, spent


def table(rows: Iterable[dict[str, Any]]) -> str:
    """The rows of `costs` in Markdown, one per backbone; minutes for both sizes of pictures where they differ."""
    parts = ("decoding", "preprocessing", "network")
    lines = [f"| backbone | {' | '.join(parts)} | together |", "|---" * 5 + "|"]
    for name, sizes in groupby(rows, key=lambda row: str(row["backbone"])):
        minutes = [[*(row[part] for part in parts), sum(row[part] for part in parts)] for row in sizes]
        cells = [", ".join(dict.fromkeys(map(rounded, of_part))) for of_part in zip(*minutes, strict=True)]
        lines.append(f"| `{name}` | {' | '.join(cells)} |")
    return "\n".join(lines)


def rounded(minutes: float) -> str:
    """To two digits, and no more than two behind the point."""
    return f"{minutes:.2f}" if minutes < 1 else f"{minutes:.1f}" if minutes < 10 else f"{float(f'{minutes:.2g}'):,.0f}"


def reduced(folder: Path) -> list[dict[str, Any]]:
    """What it gains to decode at a half or a quarter of the size (`lowres`), and how far features then are away.

    FFmpeg has no such decoder for H.264, HEVC, VP9 and AV1; this is Motion JPEG. Minutes of one core for an hour; of
    features, the distance relative to that between them and their mean over the video.
    """
    one_thread()
    path = write_test_video(folder / "reduced.avi", SECONDS, SIZES[0], RATE, noise=2, codec="mjpeg")
    backbones = [load_backbone(name) for name in ("motion", "efficientnet_lite0")]
    whole = [features(backbone, path, 0) for backbone in backbones]
    rows = []
    for halvings in (0, 1, 2):
        seconds = seconds_each(partial(count, path, halvings))
        row: dict[str, Any] = {"halvings": halvings, "decoding": seconds * 60 * RATE}
        for backbone, expected in zip(backbones, whole, strict=True):
            away = (features(backbone, path, halvings) - expected).norm()
            row[backbone.name] = float(away / (expected - expected.mean(0)).norm())
        rows.append(row)
    return rows


def count(path: Path, halvings: int) -> int:
    """Decodes a video; how many frames it has."""
    return sum(1 for _ in halved(path, halvings))


def halved(path: Path, halvings: int) -> Iterator[Frame]:
    """The frames of a video, (H, W, 3), whose sides the decoder halves so many times."""
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        stream.thread_type = "NONE"
        stream.codec_context.options = {"lowres": str(halvings)}
        for frame in container.decode(stream):
            yield np.asarray(frame.to_ndarray(format="rgb24", threads=1), np.uint8)


def features(backbone: Backbone, path: Path, halvings: int) -> Tensor:
    """Features (T, D) of a video at 15 frames a second, in clips that do not overlap."""
    frames = islice(halved(path, halvings), 0, None, 2)
    prepared = torch.from_numpy(np.stack(list(backbone.preprocessing(frames))))
    return torch.cat([backbone.encode(clip[None]) for clip in prepared.split(backbone.num_frames)])
