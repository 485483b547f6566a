"""Every reader of files that others have made, with valid files of its kind: what a fuzzer begins with."""

import ast
import io
import json
import tempfile
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import torch
from moving import write_moving
from safetensors.torch import save
from scurrying import scurrying, write_deeplabcut
from sounding import Track, write_file

from actionformer.core.detections import Detections
from actionformer.core.errors import InputError, untold
from actionformer.features import open_features, read_sidecar
from actionformer.formats.annotations import read_annotations
from actionformer.formats.detections import read_results, results_text, video_text
from actionformer.formats.index import FORMATS
from actionformer.formats.recognition import read_labels
from actionformer.formats.rows import VideoRows
from actionformer.inference.loading import build
from actionformer.interop.published_settings import read_published_settings
from actionformer.interop.published_weights import read_published_weights
from actionformer.keypoints.medium import read_tracks
from actionformer.medium import Medium
from actionformer.model_directory import load_settings, save_model
from actionformer.sensors.columns import Columns
from actionformer.sensors.medium import Sensors
from actionformer.settings.config import Config
from actionformer.settings.loading import load_config
from actionformer.sound.medium import SOUND
from actionformer.video.pictures import PICTURES
from actionformer.weights import read_weights

TESTS = Path(__file__).resolve().parents[1]
MOST_ROWS = 2_000
"""Rows of a recording that are read."""
ARRAY = np.random.default_rng(0).standard_normal((40, 6)).astype(np.float32)
LABELLED = Detections([[1.0, 2.5], [3.0, 4.0]], [0.5, 0.25], [0, 1], ("run", "hop"))
ANNOTATIONS: dict[str, Any] = {
    "database": {
        "a": {"subset": "training", "duration": 9.5, "fps": 30, "annotations": [{"segment": [1, 2.5], "label": "run"}]},
        "b": {"subset": "test", "annotations": [{"segment": [0, 2], "label": "hop", "label_id": 1}]},
    }
}
SIDECAR = {"fps": 30, "stride": 4, "num_frames": 16, "backbone": "i3d", "duration": 9.0, "dim": 6}
Seeds = Callable[[], Iterator[bytes]]


@dataclass(frozen=True)
class Reader:
    """What reads a kind of files."""

    file: str
    """What a file of the kind is called."""
    read: Callable[[Path], object]
    seeds: Seeds
    """Files that are whole."""

    def refuses(self, path: Path) -> str | None:
        """Why a file cannot be used, in a line; None where it can.

        Anything but an InputError or an OSError is a mistake of the reader.
        """
        with warnings.catch_warnings(action="ignore"), untold():
            try:
                self.read(path)
            except (InputError, OSError) as refused:
                return str(refused)
        return None


def rows_of(medium: Medium, fps: float | None) -> Callable[[Path], object]:
    """Opens a recording and reads its first rows."""

    def read(path: Path) -> None:
        with medium.open(path, fps) as recording:
            recording.summary(sum(1 for _ in islice(recording.rows(), MOST_ROWS)))

    return read


def beside_a_model(name: str) -> Callable[[Path], object]:
    """Reads one of the files of a model directory, whose others are whole."""
    folder = Path(tempfile.mkdtemp())
    detector = build(Config().replace(model={"input_dim": 6, "num_classes": 2, "width": 16, "num_heads": 2}))
    save_model(folder, detector.model, detector.config, detector.card)

    def read(path: Path) -> None:
        (folder / name).write_bytes(path.read_bytes())
        load_settings(folder)

    return read


# --- valid files


def texts(*values: object) -> Seeds:
    return lambda: (value.encode() if isinstance(value, str) else json.dumps(value).encode() for value in values)


def made(write: Callable[[Path], object], name: str) -> Seeds:
    """One file, as something writes it."""

    def seeds() -> Iterator[bytes]:
        with tempfile.TemporaryDirectory() as folder:
            write(Path(folder) / name)
            yield (Path(folder) / name).read_bytes()

    return seeds


def results(format_: str) -> str:
    rows = [VideoRows("clip", LABELLED.to_dict(), fps=25.0, duration=60.0)]
    return "".join(results_text(rows, format_))


def of_tools() -> Iterator[bytes]:
    """Labels of every tool that can be written, and the files that the tests of formats have in them."""
    for name, one in FORMATS.items():
        if one.imports and one.writes:
            text = video_text(LABELLED, name, "file:///clip.mp4", fps=25.0) if one.one_video else results(name)
            yield text.encode()
    for test in sorted((TESTS / "formats").rglob("test_*.py")):
        for node in ast.walk(ast.parse(test.read_text("utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str | bytes) and len(node.value) > 30:
                yield node.value.encode() if isinstance(node.value, str) else node.value


def stored(kind: str) -> Seeds:
    def seeds() -> Iterator[bytes]:
        file = io.BytesIO()
        if kind == ".npy":
            np.save(file, ARRAY)
        elif kind == ".npz":
            np.savez_compressed(file, feats=ARRAY)
        elif kind == ".safetensors":
            file.write(save({"feats": torch.from_numpy(ARRAY)}))
        elif kind == ".pth.tar":
            torch.save({"state_dict_ema": {"a": torch.from_numpy(ARRAY)}}, file)
        elif kind == ".h5":
            import h5py

            with h5py.File(file, "w") as held:
                held.create_dataset("feats", data=ARRAY, compression="gzip")
        else:
            import pyarrow
            from pyarrow.parquet import write_table

            write_table(pyarrow.table(dict(zip("abcdef", ARRAY.T, strict=True))), file)
        yield file.getvalue()

    return seeds


def readings() -> str:
    return "t,a,b\n" + "".join(f"{row / 50:.2f},{first:.4f},{second:.4f}\n" for row, (first, second) in
                              enumerate(ARRAY[:, :2].tolist()))  # fmt: skip


def tracks(path: Path) -> None:
    write_deeplabcut(path, scurrying(1.0, [(0.2, 0.5)], 0))


def sleap(path: Path) -> None:
    import h5py

    places = np.stack([ARRAY[:, :3], ARRAY[:, 3:]])[None]  # (tracks, xy, frames, nodes)
    with h5py.File(path, "w") as file:
        file["tracks"] = places.transpose(0, 1, 3, 2)
        file["point_scores"] = np.full((1, 3, len(ARRAY)), 0.5)
        file["node_names"], file["track_names"] = np.array(["a", "b", "c"], "S"), np.array(["t1"], "S")


def beeps(path: Path) -> None:
    write_file(path, Track(np.sin(np.arange(8000) / 5, dtype=np.float32), 16_000, codec="pcm_s16le"))


READERS = {
    "annotations": Reader("a.json", read_annotations, texts(ANNOTATIONS)),
    "results": Reader("a.json", read_results, texts(results("json"))),
    "results_jsonl": Reader("a.jsonl", read_results, texts({"video": "a", "detections": LABELLED.to_dict()})),
    "results_csv": Reader("a.csv", read_results, texts(results("csv"))),
    "labels": Reader("a.txt", read_labels, of_tools),
    "sidecar": Reader("a.json", read_sidecar, texts(SIDECAR)),
    "config": Reader("a.toml", load_config, texts(Config().to_toml())),
    "model_json": Reader("a.json", beside_a_model("model.json"), texts({"class_names": ["a", "b"]})),
    "published_yaml": Reader(
        "a.yaml",
        read_published_settings,
        lambda: iter([(TESTS / "data" / "parity" / "official_config.yaml").read_bytes()]),
    ),
    "features_npy": Reader("a.npy", lambda path: open_features(path)[:], stored(".npy")),
    "features_npz": Reader("a.npz", lambda path: open_features(path)[:], stored(".npz")),
    "features_hdf5": Reader("a.h5", lambda path: open_features(path)[:], stored(".h5")),
    "features_safetensors": Reader("a.safetensors", lambda path: open_features(path)[:], stored(".safetensors")),
    "weights": Reader("a.safetensors", read_weights, stored(".safetensors")),
    "published_weights": Reader("a.pth.tar", read_published_weights, stored(".pth.tar")),
    "readings_csv": Reader("a.csv", rows_of(Sensors(Columns()), 50.0), texts(readings())),
    "readings_npy": Reader("a.npy", rows_of(Sensors(Columns()), 50.0), stored(".npy")),
    "readings_npz": Reader("a.npz", rows_of(Sensors(Columns()), 50.0), stored(".npz")),
    "readings_parquet": Reader("a.parquet", rows_of(Sensors(Columns()), 50.0), stored(".parquet")),
    "key_points_csv": Reader("a.csv", read_tracks, made(tracks, "a.csv")),
    "key_points_hdf5": Reader("a.h5", read_tracks, made(sleap, "a.h5")),
    "video_mp4": Reader("a.mp4", rows_of(PICTURES, None), made(lambda path: write_moving(path, 0, 1.0), "a.mp4")),
    "video_mkv": Reader("a.mkv", rows_of(PICTURES, None), made(lambda path: write_moving(path, 0, 1.0), "a.mkv")),
    "sound_wav": Reader("a.wav", rows_of(SOUND, None), made(beeps, "a.wav")),
}
"""Name -> reader."""
