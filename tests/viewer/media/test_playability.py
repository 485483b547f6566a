"""Files of sound alone; how videos are played is tested where they are converted."""

from pathlib import Path

import pytest
from sounding import Track, clicks, write_file

from actionformer.core.errors import InputError
from actionformer.viewer.folders import VideoFolder
from actionformer.viewer.media.playability import Playability, playability_of


@pytest.mark.parametrize(
    ("name", "codec", "rate", "kind"),
    [
        ("a.wav", "pcm_s16le", 44_100, "audio/wav"),
        ("a.mp3", "libmp3lame", 44_100, "audio/mpeg"),
        ("a.flac", "flac", 44_100, "audio/flac"),
        ("a.m4a", "aac", 44_100, "audio/mp4"),
        ("a.ogg", "libopus", 48_000, "audio/ogg"),
    ],
)
def test_sound_that_browsers_play_is_given_as_it_is(
    tmp_path: Path, name: str, codec: str, rate: int, kind: str
) -> None:
    found = playability_of(write_file(tmp_path / name, Track(clicks([0.5], 2.0, rate), rate, codec)))
    assert found.duration == pytest.approx(2.0, abs=0.05)
    assert found == Playability("file", kind, 100.0, 0.0, found.duration, sound=True)


def test_sound_that_no_browser_plays_is_named_with_what_to_do(tmp_path: Path) -> None:
    path = write_file(tmp_path / "a.m4a", Track(clicks([0.5], 1.0, 44_100), codec="alac"))
    with pytest.raises(
        InputError, match=r"a\.m4a: no browser plays sound of this kind \(alac\): ffmpeg -i IN OUT\.flac"
    ):
        playability_of(path)


def test_a_sound_file_beside_a_video_of_its_name_does_not_count(tmp_path: Path) -> None:
    for name in ("film.mp4", "film.wav", "below/talk.wav", "below/film.flac"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    found = VideoFolder(tmp_path, [".mp4"], [".wav", ".flac"])
    assert found.files.keys() == {"film", "below/talk"}
    assert found.find("film") == tmp_path / "film.mp4"
    assert found.find("talk") == tmp_path / "below" / "talk.wav"
