from dataclasses import replace
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from sounding import Track, centre, clicks, write_file

from actionformer.core.errors import InputError
from actionformer.sound import SoundReader
from actionformer.video import VideoReader

TIMES = (0.5, 1.25, 2.625)
SECONDS = 3.0


def heard(path: Path) -> np.ndarray:
    with SoundReader(path) as sound:
        return np.concatenate(list(sound.samples()))


def errors_ms(sound: np.ndarray, shift: float = 0.0) -> np.ndarray:
    return 1e3 * np.array([centre(sound, time + shift) - time - shift for time in TIMES])


@pytest.mark.parametrize(
    ("name", "codec", "rate"),
    [
        ("a.wav", "pcm_s16le", 44_100),
        ("a.wav", "pcm_f32le", 8_000),
        ("a.aiff", "pcm_s24be", 48_000),
        ("a.flac", "flac", 96_000),
        ("a.mp3", "libmp3lame", 44_100),
        ("a.mp3", "libmp3lame", 16_000),
        ("a.m4a", "aac", 44_100),
        ("a.m4a", "alac", 22_050),
        ("a.mka", "aac", 48_000),
        ("a.ogg", "libopus", 48_000),
        ("a.webm", "libopus", 48_000),
    ],
)
def test_clicks_are_where_they_were_put_in_sound_files(tmp_path: Path, name: str, codec: str, rate: int) -> None:
    path = write_file(tmp_path / name, Track(clicks(TIMES, SECONDS, rate), rate, codec))
    sound = heard(path)
    assert np.abs(errors_ms(sound)).max() < 0.2
    assert len(sound) == pytest.approx(SECONDS * 16_000, abs=0.05 * 16_000)


def test_vorbis_whose_times_falter_where_blocks_change_is_exact(tmp_path: Path) -> None:
    samples = np.tile(clicks(TIMES, SECONDS, 44_100), (2, 1))
    path = write_file(tmp_path / "a.ogg", Track(samples, 44_100, "vorbis", "stereo"))
    assert np.abs(errors_ms(heard(path))).max() < 1


@pytest.mark.parametrize(
    ("name", "codec", "rate"),
    [
        ("v.mp4", "aac", 44_100),
        ("v.mp4", "libmp3lame", 48_000),
        ("v.mov", "pcm_s16le", 48_000),
        ("v.mkv", "aac", 44_100),
        ("v.mkv", "ac3", 48_000),
        ("v.mkv", "flac", 32_000),
        ("v.mkv", "libopus", 48_000),
        ("v.ts", "aac", 44_100),
        ("v.mpg", "mp2", 48_000),
        ("v.avi", "pcm_s16le", 44_100),
    ],
)
@pytest.mark.parametrize("begins", [0.0, 1.5])
def test_sound_and_pictures_of_a_file_have_one_clock(
    tmp_path: Path, name: str, codec: str, rate: int, begins: float
) -> None:
    if begins and name in ("v.avi", "v.mpg"):
        pytest.skip("these containers have no place for a late beginning")
    track = Track(clicks(TIMES, SECONDS, rate), rate, codec, begins=begins)
    path = write_file(tmp_path / name, track, pictures=SECONDS)
    sound = heard(path)
    with VideoReader(path) as video:
        next(video.frames())
        assert np.abs(errors_ms(sound, video.start + begins)).max() < 1.5  # some containers round to milliseconds
    assert begins == 0 or not sound[: round((begins - 0.05) * 16_000)].any()


def test_lost_packets_are_silence_and_move_nothing(tmp_path: Path) -> None:
    track = Track(clicks(TIMES, SECONDS, 44_100), lost=(1.0, 2.0))
    for name in ("a.m4a", "a.mka"):
        sound = heard(write_file(tmp_path / name, track))
        assert centre(sound, TIMES[0]) == pytest.approx(TIMES[0], abs=1e-3)
        assert not sound[18_000:30_000].any()
        assert centre(sound, TIMES[2]) == pytest.approx(TIMES[2], abs=1e-3)


def test_what_an_encoder_filled_up_is_taken_away_where_the_file_says_it(tmp_path: Path) -> None:
    for name, codec in [("a.m4a", "aac"), ("a.mp3", "libmp3lame"), ("a.ogg", "libopus")]:
        rate = 48_000
        path = write_file(tmp_path / name, Track(clicks(TIMES, SECONDS, rate), rate, codec))
        assert len(heard(path)) == SECONDS * 16_000


def test_silence_lasts_until_the_pictures_end(tmp_path: Path) -> None:
    path = write_file(tmp_path / "v.mp4", Track(clicks([0.5], 1.0, 44_100)), pictures=4.0)
    with SoundReader(path) as sound:
        assert sound.declared == pytest.approx(4.0)
        samples = np.concatenate(list(sound.samples()))
        assert sound.end == pytest.approx(4.0)
    assert len(samples) == 4 * 16_000
    assert not samples[17_000:].any()


def test_surround_is_mixed_with_the_centre_strongest(tmp_path: Path) -> None:
    """A click a second in each channel of 5.1."""
    rate, order = 48_000, ("FL", "FR", "FC", "LFE", "BL", "BR")
    samples = np.stack([clicks([0.5 + number], 6.5, rate) for number in range(len(order))])
    path = write_file(tmp_path / "a.flac", Track(samples, rate, "flac", "5.1"))
    sound = heard(path)
    peaks = {name: np.abs(sound[16_000 * number : 16_000 * (number + 1)]).max() for number, name in enumerate(order)}
    root = 2**0.5
    total = 1 + 1 + root + 0 + 2 / root
    for name, weight in zip(order, (1, 1, root, 0, 1 / root, 1 / root), strict=True):
        assert peaks[name] == pytest.approx(0.8 * weight / total, abs=0.01)


def test_a_rate_that_changes_goes_on_in_time(tmp_path: Path) -> None:
    """Two recordings of raw AAC one after the other, of 44,100 and 48,000 samples a second."""
    parts = [
        write_file(tmp_path / f"{rate}.aac", Track(clicks([0.5], 1.0, rate), rate)).read_bytes()
        for rate in (44_100, 48_000)
    ]
    joined = tmp_path / "joined.aac"
    joined.write_bytes(b"".join(parts))
    sound = heard(joined)
    whole = -(-44_100 // 1024) * 1024 / 44_100 + 1024 / 44_100  # frames of 1024, and one that primes
    assert centre(sound, 0.5 + 1024 / 44_100) == pytest.approx(0.5 + 1024 / 44_100, abs=1e-3)
    second = whole + 0.5 + 1024 / 48_000
    assert centre(sound, second) == pytest.approx(second, abs=1e-3)


def test_of_several_tracks_the_one_taken_is_said(tmp_path: Path) -> None:
    tracks = (
        Track(clicks([0.5], 1.0, 44_100), tags={"language": "deu"}),
        Track(clicks([0.5], 1.0, 44_100), tags={"language": "eng"}),
    )
    path = write_file(tmp_path / "v.mkv", *tracks, pictures=1.0)
    with SoundReader(path) as sound:
        said = sound.track.remark
    assert said == (
        "holds 2 sound tracks, of which number 1 (deu, 1 channel) is taken: "
        "ffmpeg -i IN -map 0:v -map 0:a:1 -c copy OUT makes a file with number 2"
    )


def test_a_cover_is_no_picture_and_moves_nothing(tmp_path: Path) -> None:
    plain = write_file(tmp_path / "plain.m4a", Track(clicks(TIMES, SECONDS, 44_100)))
    path = tmp_path / "cover.m4a"
    with av.open(str(plain)) as source, av.open(str(path), "w", format="mp4") as out:
        sound = out.add_stream_from_template(source.streams.audio[0])
        cover: Any = out.add_stream("mjpeg", rate=1, width=32, height=32)
        cover.pix_fmt = "yuvj420p"
        cover.disposition = av.stream.Disposition.attached_pic
        frame = av.VideoFrame.from_ndarray(np.zeros((32, 32, 3), np.uint8), format="rgb24")
        pictures = [*cover.encode(frame), *cover.encode(None)]
        for packet in source.demux():
            if packet.size:
                packet.stream = sound
                out.mux(packet)
        out.mux(pictures)
    np.testing.assert_array_equal(heard(path), heard(plain))


def test_a_file_that_ends_early_keeps_what_can_be_read(tmp_path: Path) -> None:
    whole = write_file(tmp_path / "a.mka", Track(clicks(TIMES, SECONDS, 44_100), codec="pcm_s16le"))
    path = tmp_path / "half.mka"
    path.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    with SoundReader(path) as sound:
        samples = np.concatenate(list(sound.samples()))
        assert sound.cut_short
        assert 1.3 < sound.end < 1.6
    assert centre(samples, TIMES[1]) == pytest.approx(TIMES[1], abs=1e-3)


def test_what_comes_at_once_does_not_grow_with_a_pause(tmp_path: Path) -> None:
    rate = 44_100
    path = write_file(tmp_path / "a.mka", Track(clicks([0.5], 1.0, rate), rate, "flac", begins=600.0))
    with SoundReader(path) as sound:
        sound.track = replace(sound.track, zero=0.0)
        lengths = [len(samples) for samples in sound.samples()]
    assert sum(lengths) == pytest.approx(601 * 16_000, abs=1600)
    assert max(lengths) <= 1 << 16


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "no such file"),
        (b"", "the file is empty"),
        (b"no sound at all" * 9, "not a readable video or audio file"),
    ],
)
def test_what_cannot_be_opened_is_named(tmp_path: Path, content: bytes | None, message: str) -> None:
    path = tmp_path / "a.wav"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InputError, match=message):
        SoundReader(path)


def test_a_video_without_sound_is_refused_with_what_it_holds(tmp_path: Path) -> None:
    path = write_file(tmp_path / "v.mp4", pictures=1.0)
    with pytest.raises(InputError, match=r"v\.mp4: has no sound track, it holds video"):
        SoundReader(path)
