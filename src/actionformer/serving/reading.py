"""From what a stranger sent to features: read, or made of a recording, within limits. This runs in a worker."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from actionformer.core.errors import InputError, noted, warn
from actionformer.core.hdf5 import SIGNATURE
from actionformer.features import READERS, FeatureSpec, check_timing, open_features, other_features, timing_of
from actionformer.medium import Medium
from actionformer.serving.allowed import Allowed
from actionformer.serving.fetching import fetch
from actionformer.serving.limits import MIB, NO_RECORDINGS, RefusedError
from actionformer.sound.medium import SOUND
from actionformer.video.opening import opened, streams_of
from actionformer.video.pictures import PICTURES

if TYPE_CHECKING:
    from actionformer.extraction.matching import FeatureMaker, FeatureMakers

Tell = Callable[[float], None]
"""Takes how far it has come, from 0 to 1."""
BLOCK = 32 << 20
"""Bytes of features that are read together."""
CONTAINERS = frozenset(
    (
        *("3g2", "3gp", "aac", "aiff", "asf", "avi", "dv", "flac", "flv", "gif", "h264", "hevc", "ivf", "m4a", "m4v"),
        *("matroska", "mj2", "mjpeg", "mov", "mp3", "mp4", "mpeg", "mpegts", "mpegvideo", "mxf", "nut", "ogg", "vc1"),
        *("w64", "wav", "webm", "yuv4mpegpipe"),
    )
)
"""What FFmpeg may take a file for. Others are lists of further files and addresses, which it opens at once."""
MAGIC = ((b"\x93NUMPY", ".npy"), (b"PK\x03\x04", ".npz"), (SIGNATURE, ".h5"))
"""What feature files begin with, for those that come without a name."""


@dataclass(frozen=True)
class Settings:
    """What a worker knows of the model and of the limits; plain values, as it is told them in JSON."""

    features: Mapping[str, Any]
    """The features of the model, as `FeatureSpec.to_dict` has them."""
    width: int
    """Channels that the network takes."""
    max_bytes: int
    max_seconds: float
    max_pixels: int
    max_copied: int
    """Bytes of features as plain numbers."""
    patience: float
    recordings: tuple[str, ...] = ()
    """What files of recordings end in that the model looks at."""
    allow: tuple[str, ...] = ()
    backbone: str | None = None
    weights: tuple[str, ...] = ()
    device: str = "cpu"
    precision: str = "float32"
    other_timing: bool = False
    any_timing: bool = False
    """Whether the model looks at features of any timing."""


class Reader:
    """Reads files for one model; backbones are loaded once."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.spec = FeatureSpec.read(settings.features)
        self.allowed = Allowed(settings.allow)

    @cached_property
    def makers(self) -> FeatureMakers:
        """How recordings become features."""
        from actionformer.extraction.matching import FeatureMakers  # with torch, which feature files do not need

        settings = self.settings
        return FeatureMakers(self.spec, settings.width, device=settings.device, precision=settings.precision)

    def maker(self, source: int, timing: FeatureSpec) -> FeatureMaker:
        """How one source of the features is made."""
        settings = self.settings
        return self.makers.maker(
            source, settings.backbone, settings.weights, timing, other_timing=settings.other_timing
        )

    def prepare(self) -> None:
        """Loads the backbones.

        Raises:
            InputError: one that is not known or whose weights are missing.
        """
        for source in range(len(self.spec.parts)):
            self.maker(source, FeatureSpec())

    def read(self, task: Mapping[str, Any], tell: Tell) -> dict[str, Any]:
        """Features of what was sent, as plain files.

        Args:
            task: `name` of what was sent; the file that it lies in (`sent`) or its `address`; what it `holds`, if that
                was said; its `timing`; the folder that takes the features (`out`); whether it may be a recording
                (`recordings`).
            tell: takes how far it has come.

        Returns:
            `files`, one for each source or one of all; whether they were `made`, of a recording; and `warnings`.

        Raises:
            InputError: a file that cannot be used.
            RefusedError: one that is beyond a limit.
        """
        out, name = Path(task["out"]), str(task["name"])
        if task.get("address") is None:
            sent = Path(task["sent"])
        else:
            sent = out / "fetched"
            fetch(
                task["address"],
                sent,
                self.allowed,
                most=self.settings.max_bytes,
                patience=self.settings.patience,
            )
        file = sent.rename(out / f"sent{ending_of(name, sent)}")
        timing, said = FeatureSpec(**task["timing"]), list[str]()
        try:
            with noted(said):
                made = not self._holds_features(file, task.get("holds"))
                if made and not task["recordings"]:
                    raise InputError(f"{file}: {NO_RECORDINGS}")
                files = self._made(file, out, timing, tell) if made else [self._copied(file, out / "read.npy", timing)]
        except InputError as error:
            raise InputError(_named(str(error), file, name)) from error
        finally:
            file.unlink()  # it may be large, and is not needed any more
        told = [_named(message, file, name) for message in said]
        return {"files": [str(one) for one in files], "made": made, "warnings": list(dict.fromkeys(told))}

    def _holds_features(self, file: Path, said: str | None) -> bool:
        ending = file.suffix
        if (others := other_features(file)) and ending not in self.settings.recordings:
            raise InputError(f"{file}: is no kind of feature file that the server reads{others}")
        if said is None:
            return ending in READERS and ending not in self.settings.recordings
        return said == "features"

    def _copied(self, file: Path, target: Path, timing: FeatureSpec) -> Path:
        """Features as a plain file: whatever a reader does with a broken one, it does here."""
        features = open_features(file, width=self.settings.width, made_for=self.spec)
        length, width = features.shape
        grid = timing_of(call=timing, model=self.spec).grid
        if grid is not None:
            if not self.settings.any_timing:
                check_timing(FeatureSpec.on(grid), self.spec, str(file))
            self._check_seconds(grid.seconds_covered(length))
        if 4 * length * width > self.settings.max_copied:
            most = self.settings.max_copied // MIB
            raise RefusedError(413, f"its features fill more than the {most} MiB that the server takes: send less")
        step = max(BLOCK // (4 * width), 1)
        with target.open("wb") as copy:
            header = {"descr": "<f4", "fortran_order": False, "shape": (length, width)}
            np.lib.format.write_array_header_1_0(copy, header)
            for start in range(0, length, step):
                copy.write(features[start : start + step].astype("<f4").tobytes())
        return target

    def _made(self, file: Path, out: Path, timing: FeatureSpec, tell: Tell) -> list[Path]:
        count = len(self.spec.parts)
        return [
            self._extracted(file, out / f"{source}.npy", self.maker(source, timing), source, count, tell)
            for source in range(count)
        ]

    def _extracted(self, file: Path, target: Path, made: FeatureMaker, source: int, count: int, tell: Tell) -> Path:
        """The features that one source is made of; those of a limited length alone, whatever the file says of it."""
        from actionformer.extraction.encode import encode_videos
        from actionformer.extraction.events import Begun, Failed, FeaturesReady, Finished
        from actionformer.extraction.store import write_features

        medium, layout = made.backbone.medium, made.layout
        self._check_container(file, medium)
        with medium.open(file, layout.fps) as recording:
            self._check_seconds(recording.declared or 0.0)
            step = layout.stride / recording.fps
        backbone = made.backbone.fitted([file], layout.num_frames)
        events = write_features(encode_videos([file], backbone, layout, workers=0), {file: target}, backbone, layout)
        rows, expected = 0, 1
        with closing(events):  # what is cut off leaves nothing behind
            for event in events:
                if isinstance(event, Failed):
                    raise InputError(f"{file}: {event.reason}")
                if isinstance(event, Begun):
                    expected = max(event.clips or 1, 1)
                if isinstance(event, FeaturesReady):
                    rows += len(event.rows)
                    self._check_seconds((rows - 1) * step)
                    tell((source + min(rows / expected, 1.0)) / count)
                if isinstance(event, Finished) and event.summary.warning:
                    warn(f"{file}: {event.summary.warning}", stacklevel=2)
        return target

    def _check_container(self, file: Path, medium: Medium) -> None:
        """Checks what FFmpeg takes a file for, and the size of its pictures as stated, before anything is decoded."""
        if medium not in (PICTURES, SOUND):
            return
        known = {"format_whitelist": ",".join(sorted(CONTAINERS)), "protocol_whitelist": "file"}
        with opened(str(file), str(file), "is the file whole, and of a kind such as .mp4?", options=known) as container:
            if medium is not PICTURES:
                return
            picture = streams_of(container, str(file)).video.codec_context
            if picture.width * picture.height > self.settings.max_pixels:
                raise RefusedError(
                    413,
                    f"its pictures have {picture.width} x {picture.height} pixels, of which the server takes "
                    f"{self.settings.max_pixels:,}: send smaller ones",
                )

    def _check_seconds(self, seconds: float) -> None:
        if seconds > self.settings.max_seconds:
            raise RefusedError(
                413, f"it lasts longer than the {self.settings.max_seconds:g} s that the server takes: send it in parts"
            )


def ending_of(name: str, file: Path) -> str:
    """The ending that tells what a file is: that of its name, else by what it begins with; of no kind of file none."""
    ending = Path(name).suffix.lower()
    if ending and ending.isascii() and ending[1:].isalnum() and len(ending) < 16:
        return ending
    with file.open("rb") as content:
        beginning = content.read(16)
    if beginning[8:9] == b"{" and beginning[:8].endswith(b"\0\0\0\0"):
        return ".safetensors"
    return next((kind for magic, kind in MAGIC if beginning.startswith(magic)), "")


def _named(words: str, file: Path, name: str) -> str:
    """A message about a file under the name that its sender knows."""
    return words.replace(str(file), name).replace(str(file.parent), "the server")
