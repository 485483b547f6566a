"""What becomes of a video on its way through a cluster: stages that take a row, and give it back further on.

A stage is called in a process of its own, an actor of Ray, which knows nothing of Ray. It never raises: what goes wrong
with a video stands in its row, so that no video stops the others. A row that a stage has nothing to do for passes.
"""

from __future__ import annotations

import errno
import pickle
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, ClassVar, TypeAlias

import torch
from torch import Tensor

from actionformer.backbones import Backbone, load_backbone
from actionformer.cluster.decoder import Decoder, Message, frames_of
from actionformer.cluster.fetching import hash_in_store, local_file, remove_left
from actionformer.cluster.manifest import in_store
from actionformer.core.errors import InputError, kind_and_reason, noted, warn
from actionformer.extraction.encode import encode_frames
from actionformer.extraction.events import Failed, Finished
from actionformer.extraction.store import is_done, video_hash, write_features
from actionformer.features import UNKNOWN, FeatureSpec
from actionformer.inference.detector import Detector
from actionformer.video.clips import ClipLayout

Row: TypeAlias = dict[str, Any]
"""A video: `video` (its id), `source` (path or address), `features` (its feature file), `state`, `error`, `warning`,
`attempts`, `kept` (its features were there), `hash` (of its file), and pickled `frames` (prepared ones on their way to
the backbone) and `found` (detections)."""
NEW, DECODED, LONG, READY, GIVEN = "new", "decoded", "long", "ready", "given"
FOUND, FAILED, STOPPED = "found", "failed", "stopped"
"""States: its frames are there; they are too many to wait together; its features have been made; they are the source;
its detections are there; something is wrong with it; with the output, which is no fault of the video."""
AHEAD = 64 << 20
"""Bytes of prepared frames of a video that wait for the backbone; of more the backbone's own process decodes."""


UNTOUCHED: Row = {
    "attempts": 0, "error": "", "warning": "", "kept": False, "hash": "", "frames": b"", "found": b"",
}  # fmt: skip
"""What a row has besides `video`, `source`, `features` and `state` before anything was done about it."""


class Described(Backbone):
    """What a backbone says of itself, without its network: enough to decode for it and to know its features."""

    def __init__(self, backbone: Backbone) -> None:
        for name in ("name", "dim", "fps", "num_frames", "stride", "preprocessing", "weights_hash", "medium"):
            setattr(self, name, getattr(backbone, name))

    def encode(self, clips: Tensor) -> Tensor:
        """Nobody asks it."""
        raise NotImplementedError


@dataclass(frozen=True)
class Making:
    """How features are made: all that the processes of a cluster have to agree on. It pickles."""

    backbone: Described
    layout: ClipLayout
    weights: tuple[str, ...] = ()
    dtype: str = "float32"
    batch_size: int | None = None
    overwrite: bool = False
    device: str = "cpu"
    precision: str = "float32"
    attempts: int = 2

    def loaded(self) -> Backbone:
        """The backbone itself.

        Raises:
            InputError: its weights are not on this machine, or they are others.
        """
        known = self.backbone
        found = load_backbone(known.name, self.weights, device=self.device, precision=self.precision)
        if found.weights_hash != known.weights_hash:
            raise InputError(
                f"{known.name}: weights with SHA-256 {found.weights_hash} on this machine, {known.weights_hash} where "
                "the job was started: give all machines the same file"
            )
        return found.fitted((), self.layout.num_frames)

    def decoder(self) -> Decoder:
        """What reads recordings for it."""
        return Decoder(self.backbone.medium, self.backbone.preprocessing, self.layout)


class Stage(ABC):
    """One step of all videos, tried several times of each."""

    takes: ClassVar[frozenset[str]]
    """The states of rows that it does something about."""

    def __init__(self, attempts: int) -> None:
        self.attempts = attempts
        torch.set_num_threads(1)

    def __call__(self, row: Row) -> Row:
        """The row, further on."""
        row = UNTOUCHED | row
        if row["state"] not in self.takes:
            return row
        for attempt in range(1, self.attempts + 1):
            said: list[str] = []
            with noted(said):
                try:
                    done = self.step(row)
                except Exception as error:  # every library has its own ways of failing
                    done = _failed(_reason(error, row["source"]))
            told = [row["warning"], *(one.removeprefix(f"{row['source']}: ") for one in said)]
            done |= {"attempts": attempt, "warning": "; ".join(filter(None, told))}
            if done["state"] != FAILED:
                break
        return row | {"frames": b""} | done

    @abstractmethod
    def step(self, row: Row) -> Row:
        """What changes in a row."""


class Decode(Stage):
    """Recordings -> prepared frames, where the features of them are not there yet."""

    takes = frozenset({NEW})

    def __init__(self, making: Making) -> None:
        super().__init__(making.attempts)
        self.making, self._decoder = making, making.decoder()
        remove_left()

    def step(self, row: Row) -> Row:
        """Looks whether the features are there, else decodes."""
        making, source = self.making, row["source"]
        there = is_done(
            Path(row["features"]),
            source,
            making.backbone,
            making.layout,
            making.dtype,
            replaceable=making.overwrite,
            hash_of=partial(hash_in_store, source) if in_store(source) else None,
        )
        if there:
            return {"state": READY, "kept": True}
        with local_file(source) as file:
            messages: list[Message] = []
            size = 0
            for message in self._decoder.read(file):
                if isinstance(message, Failed):
                    return _failed(message.reason)
                messages.append(message)
                size += message[1].nbytes if isinstance(message, tuple) else 0
                if size > AHEAD:
                    return {"state": LONG}
            return {"state": DECODED, "frames": pickle.dumps(messages), "hash": video_hash(file)}


class Encode(Stage):
    """Prepared frames -> features, in a file that is whole or absent; what is long is decoded meanwhile."""

    takes = frozenset({DECODED, LONG})

    def __init__(self, making: Making) -> None:
        super().__init__(making.attempts)
        self.making, self._backbone, self._decoder = making, making.loaded(), making.decoder()

    def step(self, row: Row) -> Row:
        """Writes the feature file."""
        if row["state"] == DECODED:
            return self._written(pickle.loads(row["frames"]), row, lambda _: str(row["hash"]))
        with local_file(row["source"]) as file:
            return self._written(self._decoder.read(file), row, video_hash)

    def _written(self, messages: Iterable[Message], row: Row, hash_of: Callable[[Path], str]) -> Row:
        making, target = self.making, Path(row["features"])
        frames = encode_frames(frames_of(messages), self._backbone, making.layout, batch_size=making.batch_size)
        events = write_features(frames, _Always(target), self._backbone, making.layout, making.dtype, hash_of=hash_of)
        try:
            for event in events:
                if isinstance(event, Failed):
                    raise InputError(event.reason)
                if isinstance(event, Finished) and event.summary.warning:
                    warn(event.summary.warning, stacklevel=1)
        except InputError as error:
            of_output = str(error).startswith(str(target.with_suffix("")))  # not the video, but where its features go
            return {"state": STOPPED if of_output else FAILED, "error": str(error)}
        except OSError as error:
            if error.errno not in (errno.ENOSPC, errno.EDQUOT):
                raise
            return {"state": STOPPED, "error": f"{target}: cannot write ({error.strerror})"}
        return {"state": READY}


class Detect(Stage):
    """Features -> detections."""

    takes = frozenset({READY, GIVEN})

    def __init__(self, detector: Callable[[], Detector], timing: FeatureSpec, attempts: int) -> None:
        super().__init__(attempts)
        self._detector, self._timing = detector(), timing

    def step(self, row: Row) -> Row:
        """Looks for actions in the feature file."""
        timing = self._timing if row["state"] == GIVEN else UNKNOWN  # what is made here has a sidecar
        found = self._detector.detect(
            row["features"], fps=timing.fps, stride=timing.stride, num_frames=timing.num_frames, name=row["source"]
        )
        return {"state": FOUND, "found": pickle.dumps(found)}


class _Always(dict[Path, Path]):
    """The one target of whatever recording comes."""

    def __init__(self, target: Path) -> None:
        self.target = target

    def __missing__(self, _: Path) -> Path:
        return self.target


def _failed(reason: str) -> Row:
    return {"state": FAILED, "error": reason}


def _reason(error: Exception, source: str) -> str:
    if isinstance(error, InputError):
        return str(error).removeprefix(f"{source}: ")
    return kind_and_reason(error)
