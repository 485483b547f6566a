import pickle
from pathlib import Path

import numpy as np
import pytest
from sounding import Track, clicks, write_file

from actionformer.core.errors import InputError
from actionformer.medium import ReadSummary
from actionformer.sound.medium import FPS, HOP, SOUND


def read(path: Path) -> tuple[np.ndarray, ReadSummary]:
    with SOUND.open(path, None) as recording:
        rows = np.stack(list(recording.rows()))
        return rows, recording.summary(len(rows))


def test_rows_are_10_ms_each_and_the_last_one_is_filled_up(tmp_path: Path) -> None:
    sound = np.full(16_000 + 40, 0.5, np.float32)
    rows, summary = read(write_file(tmp_path / "a.wav", Track(sound, 16_000, "pcm_f32le")))
    assert rows.shape == (101, HOP)
    assert rows.dtype == np.float32
    np.testing.assert_array_equal(rows.ravel(), np.pad(sound, (0, 120)))
    assert summary == ReadSummary(
        fps=FPS, native_fps=FPS, frames=101, start=0.0, duration=16_040 / 16_000, skipped_packets=0, warning=None
    )


def test_it_pickles_as_files_are_read_in_other_processes() -> None:
    assert pickle.loads(pickle.dumps(SOUND)).endings >= {".mp4", ".wav", ".mp3", ".flac", ".ogg", ".m4a"}


def test_another_rate_is_refused_with_what_to_choose_instead(tmp_path: Path) -> None:
    with (
        pytest.raises(InputError, match="fps is 100 for sound, found 50: stride and num_frames say"),
        SOUND.open(tmp_path / "a.wav", 50),
    ):
        pass


def test_silence_from_beginning_to_end_is_said(tmp_path: Path) -> None:
    _, summary = read(write_file(tmp_path / "a.m4a", Track(np.zeros(44_100, np.float32))))
    assert summary.warning is not None
    assert summary.warning.startswith("its sound is silent from beginning to end")


def test_several_tracks_and_damage_are_said_together(tmp_path: Path) -> None:
    track = Track(clicks([0.5], 3.0, 44_100), 44_100, "pcm_s16le")
    whole = write_file(tmp_path / "a.mka", track, track)
    half = tmp_path / "half.mka"
    half.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    _, summary = read(half)
    assert summary.warning is not None
    assert "holds 2 sound tracks, of which number 1 (1 channel) is taken" in summary.warning
    assert "is cut short: 1.4" in summary.warning
    assert "the file says 3.00 s" in summary.warning


def test_a_clock_that_jumps_is_said_and_times_go_on(tmp_path: Path) -> None:
    """Two recordings joined byte by byte, as .ts may be."""
    parts = [
        write_file(tmp_path / f"{begins}.ts", Track(clicks([0.5], 2.0, 44_100), begins=begins)).read_bytes()
        for begins in (100.0, 0.0)
    ]
    joined = tmp_path / "joined.ts"
    joined.write_bytes(b"".join(parts))
    rows, summary = read(joined)
    assert summary.warning == "jumps of its clock, as in joined recordings: 1; times go on from the sound before"
    assert len(rows) == pytest.approx(2 * 204, abs=8)
    loud = np.flatnonzero(np.abs(rows).max(1) > 0.3)
    assert loud[-1] - loud[0] == pytest.approx(204, abs=8)
