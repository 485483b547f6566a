import io
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from hosting import npy, rows

from actionformer.core.errors import InputError, warn
from actionformer.features import open_features, read_sidecar
from actionformer.serving.limits import RefusedError
from actionformer.serving.reading import Reader, Settings, ending_of

SETTINGS = Settings(
    features={"fps": 10, "stride": 5, "num_frames": 10},
    width=6,
    max_bytes=1 << 20,
    max_seconds=100,
    max_pixels=1 << 20,
    max_copied=1 << 16,
    patience=5,
)
PLAYLIST = b"#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\nfile:///etc/passwd\n#EXT-X-ENDLIST\n"


def read(
    content: bytes, folder: Path, name: str = "it.npy", settings: Settings = SETTINGS, **more: Any
) -> dict[str, Any]:
    (folder / "sent").write_bytes(content)
    task = {"name": name, "out": str(folder), "sent": str(folder / "sent"), "timing": {}, "recordings": True, **more}
    return Reader(settings).read(task, lambda _: None)


def zipped(content: bytes, more: bytes = b"", times: int = 0) -> bytes:
    file = io.BytesIO()
    archive = zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=1)
    with archive, archive.open("feats.npy", "w") as member:
        member.write(content)
        for _ in range(times):
            member.write(more)
    return file.getvalue()


def header(*shape: int) -> bytes:
    content = io.BytesIO()
    np.lib.format.write_array_header_1_0(content, {"descr": "<f4", "fortran_order": False, "shape": shape})
    return content.getvalue()


@pytest.mark.parametrize("name", ["it.npy", "video", "what.ever/strange name"])
def test_features_are_copied_as_they_are(tmp_path: Path, name: str) -> None:
    found = read(npy(rows(30).astype(np.float16)), tmp_path, name, holds="features" if "strange" in name else None)
    assert (found["made"], found["warnings"]) == (False, [])
    assert np.array_equal(np.load(found["files"][0]), rows(30).astype(np.float16).astype(np.float32))
    assert [one.name for one in tmp_path.iterdir()] == ["read.npy"]  # what was sent is gone


def test_features_of_another_format_are_no_recording(tmp_path: Path) -> None:
    with pytest.raises(
        InputError, match=r"^it\.pt: is no kind of feature file that the server reads; save .*torch\.load"
    ):
        read(b"PK", tmp_path, "it.pt")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (header(1 << 40, 6), "does not fit into it"),
        (npy(np.zeros((3, 6), np.int64)), "expected float16, float32 or float64"),
        (npy(np.zeros((6, 30), np.float32)), "Transpose them"),
        (npy(np.full((3, 6), np.nan, np.float32)), "not a finite number"),
        (b"", "not a readable .npy file"),
        (np.lib.format.magic(1, 0) + b"\xff\xff{'descr': ", "not a readable .npy file"),
        (b"\x80\x04\x95", "not a readable .npy file"),
    ],
)
def test_features_that_are_none(tmp_path: Path, content: bytes, words: str) -> None:
    with pytest.raises(InputError, match=words) as error:
        read(content, tmp_path)
    assert str(error.value).startswith("it.npy: ")
    assert str(tmp_path) not in str(error.value)


@pytest.mark.parametrize("shape", [(1 << 26, 6), (1 << 45, 6)])
def test_an_archive_that_claims_more_than_it_can_hold(tmp_path: Path, shape: tuple[int, int]) -> None:
    with pytest.raises(InputError, match="says that it holds"):
        read(zipped(header(*shape)), tmp_path, "it.npz")


def test_a_bomb_is_not_unpacked(tmp_path: Path) -> None:
    length = 3 << 21
    bomb = zipped(header(length, 12), bytes(length * 48 // 9), times=9)
    assert len(bomb) < 2 << 20
    with pytest.raises(InputError, match="says that it holds"):
        read(bomb, tmp_path, "it.npz")


def test_features_that_last_too_long(tmp_path: Path) -> None:
    read(npy(rows(199)), tmp_path)
    with pytest.raises(RefusedError, match="lasts longer than the 100 s") as refused:
        read(npy(rows(201)), tmp_path)
    assert refused.value.status == 413


def test_no_timing_that_is_stated_makes_room_for_more_features(tmp_path: Path) -> None:
    many = npy(rows(3000))
    with pytest.raises(InputError, match=r"^it\.npy: features of fps 1e\+06"):
        read(many, tmp_path, timing={"fps": 1e6})
    for settings in (replace(SETTINGS, any_timing=True), replace(SETTINGS, features={})):
        with pytest.raises(RefusedError, match="its features fill more than the 0 MiB") as refused:
            read(many, tmp_path, settings=settings, timing={"fps": 1e6, "stride": 5, "num_frames": 10})
        assert refused.value.status == 413
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("name", "beginning", "ending"),
    [
        ("a/b.NPZ", b"", ".npz"),
        ("video", b"\x93NUMPY\x01", ".npy"),
        ("video", b"PK\x03\x04", ".npz"),
        ("video", b"\x89HDF\r\n\x1a\n", ".h5"),
        ("video", b"\x40\0\0\0\0\0\0\0{", ".safetensors"),
        ("video", b"\0\0\0\x20ftypisom", ""),
        ("it./../../etc", b"", ""),
        ("it.a b", b"", ""),
        ("it." + 20 * "a", b"", ""),
    ],
)
def test_what_tells_the_kind_of_a_file(tmp_path: Path, name: str, beginning: bytes, ending: str) -> None:
    (tmp_path / "it").write_bytes(beginning)
    assert ending_of(name, tmp_path / "it") == ending


# --- recordings


@pytest.fixture
def of_videos(seen: Path) -> Settings:
    from actionformer.model_directory import load_settings

    config, card = load_settings(seen / "run")
    return replace(SETTINGS, features=card.features.to_dict(), width=config.model.input_width)


def test_a_video_becomes_features(of_videos: Settings, videos: Path, seen: Path, tmp_path: Path) -> None:
    (tmp_path / "sent").write_bytes((videos / "clip0.mp4").read_bytes())
    told: list[float] = []
    task = {"name": "clip0.mp4", "out": str(tmp_path), "sent": str(tmp_path / "sent"), "timing": {}, "recordings": True}
    found = Reader(of_videos).read(task, told.append)
    (file,) = map(Path, found["files"])
    assert found["made"]
    assert np.array_equal(open_features(file)[:], open_features(seen / "features" / "clip0.npy")[:])
    assert read_sidecar(file).duration is not None
    assert told == sorted(told)
    assert told[-1] == 1.0


@pytest.mark.parametrize(
    ("changes", "words"),
    [({"max_pixels": 100}, "pixels, of which the server takes 100"), ({"max_seconds": 1}, "longer than the 1 s")],
)
def test_videos_beyond_a_limit(of_videos: Settings, videos: Path, tmp_path: Path, changes: Any, words: str) -> None:
    with pytest.raises(RefusedError, match=words) as refused:
        read((videos / "clip0.mp4").read_bytes(), tmp_path, "clip.mp4", replace(of_videos, **changes))
    assert refused.value.status == 413


def test_a_video_that_says_too_little_of_its_length_is_cut_off(
    of_videos: Settings, videos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from actionformer.video.reader import VideoReader

    monkeypatch.setattr(VideoReader, "declared", property(lambda _: 0.5))
    with pytest.raises(RefusedError, match="longer than the 1 s"):
        read((videos / "clip0.mp4").read_bytes(), tmp_path, "clip.mp4", replace(of_videos, max_seconds=1))


@pytest.mark.parametrize("name", ["list.m3u8", "list.mp4", "list"])
def test_a_list_of_other_files_is_no_video(of_videos: Settings, tmp_path: Path, name: str) -> None:
    with pytest.raises(InputError):
        read(PLAYLIST, tmp_path, name, of_videos)
    assert not [one for one in tmp_path.iterdir() if one.suffix == ".npy"]


def test_files_that_a_list_names_are_not_opened(of_videos: Settings, videos: Path, tmp_path: Path) -> None:
    segment = tmp_path / "segment.ts"
    with av.open(str(segment), "w") as target, av.open(str(videos / "clip0.mp4")) as source:
        stream = target.add_stream_from_template(source.streams.video[0])
        for packet in source.demux(video=0):
            if packet.dts is not None:
                packet.stream = stream
                target.mux(packet)
    said = set()
    for named in (segment, tmp_path / "none.ts"):
        (folder := tmp_path / named.stem).mkdir()
        with pytest.raises(InputError) as error:
            read(PLAYLIST.replace(b"file:///etc/passwd", bytes(named)), folder, "list.m3u8", of_videos)
        said.add(str(error.value))
    assert len(said) == 1  # what is there is not told from what is not


@pytest.mark.parametrize("content", [b"", b"no video", b"\0" * 1000, b"ffconcat version 1.0\nfile /etc/passwd\n"])
def test_what_is_no_video(of_videos: Settings, tmp_path: Path, content: bytes) -> None:
    with pytest.raises(InputError, match=r"^clip\.mp4: "):
        read(content, tmp_path, "clip.mp4", of_videos)


def test_a_warning_names_the_file_as_it_was_sent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def doubtful(_: Reader, file: Path, *__: object) -> list[Path]:
        warn(f"{file}: 25 or 30 frames a second")
        return []

    monkeypatch.setattr(Reader, "_made", doubtful)
    found = read(b"a video", tmp_path, "clip0.mp4")
    assert found["warnings"] == ["clip0.mp4: 25 or 30 frames a second"]


@pytest.fixture
def unprepared() -> Callable[[], None]:
    return Reader(SETTINGS).prepare


def test_a_model_that_does_not_say_its_backbone_takes_no_recordings(unprepared: Callable[[], None]) -> None:
    with pytest.raises(InputError, match="does not say which backbone"):
        unprepared()
