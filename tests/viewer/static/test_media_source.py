"""Videos that no browser plays, in a real headless Chromium: encoded in segments, the right frame at every time."""

import random
import time
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from browsing import NEEDS_CHROMIUM, Open, ready, serving, state, until
from playwright.sync_api import Page, Request, expect

from actionformer.core.detections import Detections
from actionformer.formats.detections import write_results
from actionformer.video.reader import VideoReader
from actionformer.viewer.media.segments import SEGMENT_SECONDS
from actionformer.viewer.options import ViewerOptions

pytestmark = NEEDS_CHROMIUM

FPS, BITS, SIDE = 25, 12, 32
LENGTH = 12.5  # seconds: four segments, the last of them short


def write_numbered(
    path: Path,
    codec: str,
    seconds: float = LENGTH,
    *,
    sound: bool = False,
    pix: str = "yuv420p",
    late: float = 0.0,
    **options: str,
) -> Path:
    """Frames that show their own number as black and white squares, the lowest bit first, above noise.

    The first is shown at `late` seconds of the file's clock, at which sound begins at 0.
    """
    noise = np.random.default_rng(0).integers(0, 256, (SIDE, BITS * SIDE, 3), np.uint8)  # frames as large as real ones
    with av.open(str(path), "w") as file:
        stream: Any = file.add_stream(codec, rate=FPS, options={"bf": "0", "g": "100", **options})
        stream.width, stream.height, stream.pix_fmt = BITS * SIDE, 2 * SIDE, pix
        stream.bit_rate = 2_000_000
        voice: Any = file.add_stream("aac", rate=48000, layout="mono") if sound else None
        for i in range(round(seconds * FPS)):
            bits = np.array([(i >> bit) & 1 for bit in range(BITS)], np.uint8)
            squares = np.broadcast_to(np.repeat(235 * bits + 10, SIDE)[None, :, None], noise.shape)
            image = np.concatenate([squares, np.roll(noise, 7 * i, axis=1)])
            frame = av.VideoFrame.from_ndarray(image, format="rgb24")
            frame.pts, frame.time_base = i + round(late * FPS), Fraction(1, FPS)
            file.mux(stream.encode(frame))
        file.mux(stream.encode())
        if voice:
            times = np.arange(round((late + seconds) * 48000)) / 48000
            tone = av.AudioFrame.from_ndarray(
                (0.5 * np.sin(2 * np.pi * 440 * times))[None].astype(np.float32), format="fltp", layout="mono"
            )
            tone.sample_rate, tone.pts = 48000, 0
            file.mux([*voice.encode(tone), *voice.encode()])
    return path


def project(folder: Path, seconds: float = LENGTH) -> ViewerOptions:
    """Detections of a video `v`, which lies in the folder, until its end."""
    found = {"v": Detections([[0.0, seconds]], [0.5], [0], ("left",))}
    write_results(folder / "found.json", found)
    return ViewerOptions(folder / "found.json", videos=folder)


NUMBER = f"""async () => {{
  const film = document.querySelector("video");
  while (film.seeking || film.readyState < 2) await new Promise((next) => setTimeout(next, 20));
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [film.videoWidth, film.videoHeight];
  const drawing = canvas.getContext("2d");
  drawing.drawImage(film, 0, 0);
  const {{ data }} = drawing.getImageData(0, {SIDE // 2}, canvas.width, 1);
  let number = 0;
  for (let bit = 0; bit < {BITS}; bit += 1) {{
    if (data[4 * ({SIDE} * bit + {SIDE // 2})] > 128) number += 1 << bit;
  }}
  return number;
}}"""


def go(page: Page, seconds: float) -> None:
    page.evaluate("async (time) => (await import('/static/player.js')).seek(time)", seconds)


def shows(page: Page, frame: int) -> None:
    """Waits for a frame: a busy browser shows the one before for a while after it has sought."""
    last = time.monotonic() + 20
    while (number := page.evaluate(NUMBER)) != frame:
        assert time.monotonic() < last, f"{number} is shown, not {frame}"
        page.wait_for_timeout(20)


FILES = [
    ("v.avi", "mpeg4", {}),
    ("v.avi", "libx264", {"bf": "2"}),
    ("v.mkv", "libx265", {"preset": "ultrafast", "x265-params": "log-level=error"}),
    ("v.mpg", "mpeg2video", {}),
]


@pytest.mark.parametrize(("name", "codec", "options"), FILES, ids=[f"{name}-{codec}" for name, codec, _ in FILES])
def test_the_frame_of_a_time_is_shown(
    open_page: Open, tmp_path: Path, name: str, codec: str, options: dict[str, Any]
) -> None:
    if codec not in av.codecs_available:
        pytest.skip(f"FFmpeg has no {codec} here")
    write_numbered(tmp_path / name, codec, **options)
    with serving(project(tmp_path)) as url:
        page = ready(open_page(url))
        shows(page, 0)
        frames = random.Random(0).sample(range(round(LENGTH * FPS)), 10)
        assert len({int(frame / FPS / SEGMENT_SECONDS) for frame in frames}) == 4
        for frame in frames:
            go(page, frame / FPS)
            shows(page, frame)
        go(page, SEGMENT_SECONDS - 2 / FPS)
        before = round(SEGMENT_SECONDS * FPS) - 2
        shows(page, before)
        for step in range(1, 5):  # over where two segments join
            page.keyboard.press("ArrowRight")
            shows(page, before + step)


WAYS = [
    ("v.mp4", "libx264", "file"),
    ("v.mkv", "libx264", "remux"),
    ("v.ts", "libx264", "remux"),
    ("v.mkv", "mpeg4", "transcode"),
]


@pytest.mark.parametrize(("name", "codec", "way"), WAYS, ids=[f"{name}-{codec}" for name, codec, _ in WAYS])
def test_a_clock_that_does_not_begin_at_0_is_that_of_detections(
    open_page: Open, tmp_path: Path, name: str, codec: str, way: str
) -> None:
    """Without sound the container begins with its first picture, at 1.6 s of its clock: that is time 0."""
    path = write_numbered(tmp_path / name, codec, 5.0, late=1.6)
    with VideoReader(path) as video:
        assert next(video.frames()).time == 0.0
    with serving(project(tmp_path, 5.0)) as url:
        page = ready(open_page(url))
        assert state(page, "s.video.conversion") == ("remux" if way == "file" else way)  # browsers would begin later
        shows(page, 0)
        for frame in (1, 40, 100, 124):
            go(page, frame / FPS)
            shows(page, frame)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "codec", "way"), WAYS, ids=[f"{name}-{codec}" for name, codec, _ in WAYS])
def test_pictures_that_begin_after_the_sound_are_shown_at_the_times_of_detections(
    open_page: Open, tmp_path: Path, name: str, codec: str, way: str
) -> None:
    late = 4.0  # more than a segment
    path = write_numbered(tmp_path / name, codec, 5.0, sound=True, late=late)
    with VideoReader(path) as video:
        start = next(video.frames()).time
    assert start == pytest.approx(late, abs=0.05)  # a transport stream begins with what the encoder of sound adds
    with serving(project(tmp_path, late + 5.0)) as url:
        page = ready(open_page(url))
        assert state(page, "s.video.conversion") == way
        assert state(page, "s.video.start") == pytest.approx(start, abs=1e-4)
        shows(page, 0)  # it stands there until it begins
        for frame in (0, 1, 60, 124, 30):
            go(page, start + frame / FPS)
            shows(page, frame)
        page.keyboard.press("ArrowRight")
        shows(page, 31)
        page.keyboard.press("ArrowLeft")
        page.keyboard.press("ArrowLeft")
        shows(page, 29)


def test_it_plays_on_over_joins_and_ends(open_page: Open, tmp_path: Path) -> None:
    write_numbered(tmp_path / "v.mkv", "mpeg4", sound=True)
    with serving(project(tmp_path)) as url:
        page = ready(open_page(url))
        until(page, "document.querySelector('video').readyState >= 3")
        assert "mp4a" in state(page, "s.video.media_segments.type")
        page.select_option("#speed", "4")
        page.click("#play")
        until(page, "document.querySelector('video').ended")
        expect(page.locator("#play")).to_have_attribute("aria-label", "Play")
        assert state(page, "s.time") == pytest.approx(LENGTH, abs=0.05)
        ranges = page.evaluate(
            "() => { const { buffered } = document.querySelector('video');"
            " return Array.from({ length: buffered.length }, (_, i) => [buffered.start(i), buffered.end(i)]) }"
        )
        assert ranges == [[0, pytest.approx(LENGTH, abs=0.05)]]
        page.keyboard.press("Home")
        shows(page, 0)


@pytest.mark.slow
def test_far_seeks_fetch_what_is_there_and_let_go_of_the_rest(open_page: Open, tmp_path: Path) -> None:
    seconds = 40 * SEGMENT_SECONDS
    write_numbered(tmp_path / "v.avi", "mpeg4", seconds)
    with serving(project(tmp_path, seconds)) as url:
        page = ready(open_page(f"{url}#video=v&at=64.10"))
        shows(page, 1602)
        asked: list[int] = []

        def note(request: Request) -> None:
            if "/media/" in request.url:
                asked.append(int(request.url.split("/")[-1]))

        page.on("request", note)
        until(page, "document.querySelector('video').buffered.length === 1 && !document.querySelector('video').seeking")
        page.wait_for_timeout(300)
        asked.clear()
        go(page, 20.0)
        go(page, 110.0)
        shows(page, 2750)
        assert 34 in asked
        until(page, "document.querySelector('video').buffered.start(0) > 100")
        assert not set(asked) & {8, 9}  # what the first seek wanted next
        page.close()  # it would ask on


@pytest.mark.slow
def test_where_it_is_broken_words_stand_in_place_of_the_picture(open_page: Open, tmp_path: Path) -> None:
    write_numbered(tmp_path / "v.avi", "mjpeg", pix="yuvj420p")
    content = (tmp_path / "v.avi").read_bytes()
    (tmp_path / "v.avi").write_bytes(content[: len(content) // 2])
    with serving(project(tmp_path)) as url:
        page = ready(open_page(url, expected="404"))
        shows(page, 0)
        go(page, 10.0)
        expect(page.locator("#screen .words")).to_contain_text("No picture from 9.6 s on: v.avi")
        expect(page.locator("video")).to_be_hidden()
        go(page, 5.0)
        expect(page.locator("video")).to_be_visible()
        shows(page, 125)
        page.click("#play")
        expect(page.locator("#screen .words")).to_contain_text("The timeline plays without it")
        until(page, "document.getElementById('clock').textContent > '0:11'")  # at the end it stops


@pytest.mark.slow
@pytest.mark.parametrize("without", ["MediaSource", "the codec"])
def test_a_browser_that_cannot_says_so(open_page: Open, tmp_path: Path, without: str) -> None:
    write_numbered(tmp_path / "v.avi", "mpeg4", 1.0)
    with serving(project(tmp_path, 1.0)) as url:
        page = open_page(url)
        taken = "delete window.MediaSource; delete window.ManagedMediaSource;"
        page.add_init_script(taken if without == "MediaSource" else "MediaSource.isTypeSupported = () => false")
        page.reload()
        ready(page)
        told = "it has no MediaSource" if without == "MediaSource" else 'it does not play video/mp4; codecs="avc1'
        expect(page.locator("#screen .words")).to_contain_text(told)
        page.click("#play")
        until(page, "document.getElementById('clock').textContent > '0:00.5'")
