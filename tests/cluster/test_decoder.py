"""A process of its own for reading: what kills it, or keeps it, is set aside, and the next file is read."""

import time
from collections.abc import Iterator
from multiprocessing.process import BaseProcess
from pathlib import Path
from unittest.mock import Mock

import numpy as np
import pytest
from dying import AsItIs, Dying, Wide

from actionformer.cluster.decoder import Decoder, frames_of
from actionformer.extraction.decoding import FrameBatch, decoded
from actionformer.extraction.events import Begun, Failed, Finished
from actionformer.video.clips import ClipLayout

LAYOUT = ClipLayout(fps=None, num_frames=2, stride=1)


@pytest.fixture(scope="module")
def decoder() -> Iterator[Decoder]:
    decoder = Decoder(Dying(), AsItIs(), LAYOUT, silence=20.0)
    yield decoder
    decoder.close()


def write(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


def test_it_tells_what_reading_in_this_process_tells(decoder: Decoder, tmp_path: Path) -> None:
    path = write(tmp_path / "a.dying", "rows 5")
    told, plain = list(decoder.read(path)), list(decoded([path], Dying(), AsItIs(), LAYOUT, 0))
    assert [type(one) for one in plain] == [Begun, FrameBatch, Finished]
    assert [told[0], told[2]] == [plain[0], plain[2]]
    batch = list(frames_of(told))[1]
    assert isinstance(batch, FrameBatch)
    assert isinstance(plain[1], FrameBatch)
    assert batch.video == path
    np.testing.assert_array_equal(batch.frames.numpy(), plain[1].frames.numpy())


def test_a_file_that_kills_its_reader_fails_alone(decoder: Decoder, tmp_path: Path) -> None:
    *_, last = decoder.read(write(tmp_path / "a.dying", "kill"))
    assert isinstance(last, Failed)
    assert "the process that read it died (SIGSEGV)" in last.reason
    *_, last = decoder.read(write(tmp_path / "b.dying", "rows 2"))
    assert isinstance(last, Finished)


def test_a_reader_that_dies_in_the_middle_of_a_word_fails_alone(tmp_path: Path) -> None:
    decoder = Decoder(Dying(), Wide(), LAYOUT, silence=20.0)
    try:
        reading = decoder.read(write(tmp_path / "a.dying", "rows 9"))
        assert isinstance(next(reading), Begun)
        process = decoder._process
        assert process is not None
        time.sleep(1)  # by now it waits for somebody to take the rest of its frames
        process.kill()
        *_, last = reading
        assert isinstance(last, Failed)
        assert "the process that read it died (SIGKILL)" in last.reason
        *_, last = decoder.read(write(tmp_path / "b.dying", "rows 2"))
        assert isinstance(last, Finished)
    finally:
        decoder.close()


def test_a_reader_that_cannot_be_started_is_started_for_the_next_file(tmp_path: Path) -> None:
    decoder, path = Decoder(Dying(), AsItIs(), LAYOUT, silence=20.0), write(tmp_path / "a.dying", "rows 2")
    with pytest.MonkeyPatch.context() as crowded:
        crowded.setattr(BaseProcess, "start", Mock(side_effect=BlockingIOError("no more processes")))
        with pytest.raises(BlockingIOError, match="no more processes"):
            next(decoder.read(path))
    *_, last = decoder.read(path)
    assert isinstance(last, Finished)
    decoder.close()


def test_a_reader_that_dies_before_it_is_asked_fails_alone(decoder: Decoder, tmp_path: Path) -> None:
    list(decoder.read(write(tmp_path / "a.dying", "rows 2")))
    process = decoder._process
    assert process is not None
    with pytest.MonkeyPatch.context() as unseen:
        unseen.setattr(process, "is_alive", lambda: True)  # just
        process.kill()
        process.join()
        assert [type(one) for one in decoder.read(tmp_path / "a.dying")] == [Failed]
    *_, last = decoder.read(tmp_path / "a.dying")
    assert isinstance(last, Finished)


def test_a_broken_file_is_no_reason_to_die(decoder: Decoder, tmp_path: Path) -> None:
    *_, last = decoder.read(write(tmp_path / "a.dying", "broken"))
    assert last == Failed(tmp_path / "a.dying", "is broken")


def test_a_file_that_wants_most_of_the_memory_is_an_error(decoder: Decoder, tmp_path: Path) -> None:
    *_, last = decoder.read(write(tmp_path / "a.dying", "greedy"))
    assert isinstance(last, Failed)
    assert "MemoryError" in last.reason


def test_a_file_that_is_not_read_to_its_end_leaves_nothing_for_the_next(decoder: Decoder, tmp_path: Path) -> None:
    assert isinstance(next(decoder.read(write(tmp_path / "a.dying", "rows 9"))), Begun)
    first, *_, last = frames_of(decoder.read(write(tmp_path / "b.dying", "rows 2")))
    assert first.video == last.video == tmp_path / "b.dying"


def test_a_file_that_keeps_its_reader_is_given_up(tmp_path: Path) -> None:
    decoder = Decoder(Dying(), AsItIs(), LAYOUT, silence=0.5)
    try:
        list(decoder.read(write(tmp_path / "warm.dying", "broken")))
        *_, last = decoder.read(write(tmp_path / "a.dying", "hang"))
    finally:
        decoder.close()
    assert isinstance(last, Failed)
    assert "nothing came of it for 0.5 s" in last.reason
