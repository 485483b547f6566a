"""The viewer's page in Chromium: how soon it can be used and how fast it follows, and the pictures of docs/viewer.

    python benchmarks/viewer.py                        figures of a made two-hour video -> results/viewer.json
    python benchmarks/viewer.py --many                 time and memory of many videos -> results/viewer_many.json
    python benchmarks/viewer.py --pictures runs/demo   after `make demo`: docs/viewer/*.jpg

Needs the system's `chromium`; `--many` needs Linux instead. A figure in milliseconds is set beside its target, or
beside what an empty page takes; `--many` counts what is computed, so that what else the machine does weighs little.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import av
import numpy as np
from common import median_seconds, write_result
from playwright.sync_api import Browser, Page, sync_playwright

from actionformer.viewer.media.segments import SEGMENT_SECONDS, encode_segment

DOCS = Path(__file__).resolve().parents[1] / "docs" / "viewer"
HOURS, DETECTIONS, ACTIONS, CLASSES = 2, 2000, 300, 20
FILM_SECONDS = 60
VIDEOS, DETECTIONS_EACH, ACTIONS_EACH, SECONDS_EACH = 2000, 2000, 15, 600
TIOUS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8)
REPEATS = 7
INTERACTIVE_MS, FILTER_MS = 1500, 100
READY_SECONDS, MOST_MIB = 10, 1536
"""Targets."""

# name, tab, width, height, colours, what is done before the picture is taken
PICTURES: list[tuple[str, str, int, int, Any, list[str]]] = [
    ("timeline", "timeline", 1280, 860, "dark", ["ArrowDown"]),
    ("scores", "scores", 1280, 1240, "light", []),
    ("candidates", "suppression", 1280, 1180, "dark", ["p"] * 6),
    ("moment", "moment", 1280, 1240, "light", []),
    ("run", "run", 1280, 1300, "light", []),
    ("phone", "timeline", 390, 844, "light", []),
    ("corrections", "timeline", 1280, 860, "dark", ["e", "ArrowDown", "ArrowDown", "n"]),
]


@contextmanager
def started(verb: str, *arguments: str | Path) -> Iterator[tuple[str, int]]:
    """The address at which `actionformer view` or `label` answers, in a process of its own, and the number of that."""
    command = [sys.executable, "-c", "from actionformer.cli import main; main()", verb, "--no-browser"]
    process = subprocess.Popen([*command, *map(str, arguments)], stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    try:
        yield process.stderr.readline().removeprefix("viewer: ").strip(), process.pid
    finally:
        process.terminate()
        process.wait()


@contextmanager
def viewing(*arguments: str | Path) -> Iterator[str]:
    """The address alone."""
    with started("view", *arguments) as (address, _):
        yield address


@contextmanager
def browsing() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        yield browser
        browser.close()


def until(page: Page, expression: str) -> None:
    last = time.monotonic() + 60
    while not page.evaluate(expression):
        if time.monotonic() > last:
            sys.exit(f"not within a minute: {expression}")
        page.wait_for_timeout(20)


READY = "performance.getEntriesByName('interactive').length > 0"


def ready_after(page: Page, address: str) -> float:
    """Milliseconds from the beginning of loading an address until the page can be used."""
    page.goto("about:blank")
    page.goto(address)
    until(page, READY)
    return float(page.evaluate("performance.getEntriesByName('interactive')[0].startTime"))


def rows(rng: np.random.Generator, n: int, seconds: float) -> list[dict[str, Any]]:
    """Made detections of one video."""
    starts, lengths = rng.uniform(0, seconds - 10, n).tolist(), rng.uniform(1, 9, n).tolist()
    return [
        {"segment": [start, start + length], "label": f"class {i % CLASSES}", "score": score}
        for i, (start, length, score) in enumerate(zip(starts, lengths, rng.uniform(0, 1, n).tolist(), strict=True))
    ]


def annotated(rng: np.random.Generator, n: int, seconds: float) -> dict[str, Any]:
    actions = [{key: row[key] for key in ("segment", "label")} for row in rows(rng, n, seconds)]
    return {"subset": "test", "duration": seconds, "annotations": actions}


def made(folder: Path) -> tuple[Path, Path]:
    """Files of detections and of annotations of one long video."""
    rng = np.random.default_rng(0)
    seconds = 3600 * HOURS
    found, truth = folder / "found.json", folder / "annotations.json"
    found.write_text(json.dumps({"results": {"long": rows(rng, DETECTIONS, seconds)}}), "utf-8")
    truth.write_text(json.dumps({"database": {"long": annotated(rng, ACTIONS, seconds)}}), "utf-8")
    return found, truth


def made_many(folder: Path) -> tuple[Path, Path]:
    """Files of detections and of annotations of many videos."""
    rng = np.random.default_rng(0)
    names = [f"video {number:04d}" for number in range(VIDEOS)]
    found, truth = folder / "found.json", folder / "annotations.json"
    with found.open("w", encoding="utf-8") as file:
        file.write('{"results": {')
        for number, name in enumerate(names):
            file.write(f'{", " if number else ""}"{name}": {json.dumps(rows(rng, DETECTIONS_EACH, SECONDS_EACH))}')
        file.write("}}")
    database = {name: annotated(rng, ACTIONS_EACH, SECONDS_EACH) for name in names}
    truth.write_text(json.dumps({"database": database}), "utf-8")
    return found, truth


def cpu_seconds(process: int) -> float:
    """What a process has computed so far, on all cores."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def peak_mib(process: int) -> float:
    """The most memory that a process has had."""
    status = Path(f"/proc/{process}/status").read_text()
    return int(next(line for line in status.splitlines() if line.startswith("VmHWM")).split()[1]) / 1024


def asked(address: str) -> None:
    with urllib.request.urlopen(address, timeout=600) as answer:
        answer.read()


def many() -> dict[str, Any]:
    """What it takes until many videos are listed, until each has its precision, and the memory after all errors."""

    def taken() -> dict[str, float]:
        computed, passed = cpu_seconds(process), time.monotonic() - begin
        return {"cpu_s": round(computed, 1), "s": round(passed, 1), "share": round(computed / READY_SECONDS, 2)}

    with tempfile.TemporaryDirectory() as temporary:
        found, truth = made_many(Path(temporary))
        begin = time.monotonic()
        with started("view", found, "--annotations", truth) as (address, process):
            figures: dict[str, Any] = {
                "videos": {"number": VIDEOS, "detections_each": DETECTIONS_EACH, "actions_each": ACTIONS_EACH},
                "file_mb": round(found.stat().st_size / 1e6),
                "load_of_the_machine": [round(load, 1) for load in os.getloadavg()],
                "target_cpu_s": READY_SECONDS,
                "address": taken(),
            }
            asked(f"{address}api/project")
            figures["list_of_videos"] = taken()
            asked(f"{address}api/precision")
            figures["precision_by_video"] = taken()
            for tiou in TIOUS:
                asked(f"{address}api/run?tiou={tiou}")
            peak = peak_mib(process)
    memory = {"mib": round(peak), "target_mib": MOST_MIB, "share": round(peak / MOST_MIB, 2)}
    return {**figures, "peak_after_eight_tious": memory}


CHANGE = """async ([id, values]) => {
  const input = document.getElementById(id) ?? document.querySelector(id);
  const kinds = document.getElementById("kinds");
  const times = [];
  for (const value of values) {
    const before = kinds.textContent;
    const start = performance.now();
    if (value === null) input.click();
    else {
      input.value = value;
      input.dispatchEvent(new Event(input.tagName === "SELECT" ? "change" : "input"));
    }
    while (kinds.textContent === before) await new Promise(requestAnimationFrame);
    await new Promise((drawn) => requestAnimationFrame(() => setTimeout(drawn)));
    times.push(performance.now() - start);
  }
  return times;
}"""


def changed(page: Page, control: str, values: list[str | None]) -> list[float]:
    """Milliseconds from each change of a control, or click on it, until the page has drawn what follows from it."""
    return [float(one) for one in page.evaluate(CHANGE, [control, values])]


def row(times: list[float], target: int) -> dict[str, Any]:
    median = statistics.median(times)
    return {"ms": round(median), "worst_ms": round(max(times)), "target_ms": target, "share": round(median / target, 2)}


def figures(browser: Browser) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        found, truth = made(folder)
        given = (found, "--annotations", truth)
        page = browser.new_page()
        (folder / "empty.html").write_text("<!doctype html><title>empty</title>", "utf-8")
        page.goto((folder / "empty.html").as_uri())
        empty = float(page.evaluate("performance.timing.domContentLoadedEventEnd - performance.timing.navigationStart"))
        with viewing(*given) as address:
            loads = [ready_after(page, address) for _ in range(REPEATS)]
            scores = changed(page, "min-score", [f"{0.05 * i:.2f}" for i in range(1, 15)])
            tious = changed(page, "tiou", ["0.3", "0.7", "0.4", "0.6", "0.5"])
            classes = changed(page, "[data-label='3']", [None] * 6)
        report = folder / "report.html"
        subprocess.run(
            [
                sys.executable,
                "-c",
                "from actionformer.cli import main; main()",
                "view",
                *map(str, given),
                "--save",
                report,
            ],
            check=True,
            capture_output=True,
        )
        reports = [ready_after(page, report.as_uri()) for _ in range(REPEATS)]
        page.close()
    return {
        "video": {"hours": HOURS, "detections": DETECTIONS, "actions": ACTIONS, "classes": CLASSES},
        "empty_page_ms": round(empty),
        "interactive": row(loads, INTERACTIVE_MS),
        "saved_report_interactive": row(reports, INTERACTIVE_MS),
        "score_threshold_drawn": row(scores, FILTER_MS),
        "classes_drawn": row(classes, FILTER_MS),
        "tiou_drawn": row(tious, FILTER_MS),
    }


def write_avi(path: Path) -> None:
    """A video that no browser plays: 720p, MPEG-4 part 2 and MP3 in AVI, with much that moves."""
    rng = np.random.default_rng(0)
    ground = np.kron(rng.integers(0, 256, (45, 80, 3), np.uint8), np.ones((16, 16, 1), np.uint8))
    with av.open(str(path), "w") as file:
        stream: Any = file.add_stream("mpeg4", rate=25)
        stream.width, stream.height, stream.pix_fmt, stream.bit_rate = 1280, 720, "yuv420p", 4_000_000
        voice: Any = file.add_stream("mp3", rate=48000, layout="stereo")
        for i in range(25 * FILM_SECONDS):
            file.mux(stream.encode(av.VideoFrame.from_ndarray(np.roll(ground, 3 * i, axis=1), format="rgb24")))
        file.mux(stream.encode())
        tone = 0.3 * np.sin(np.arange(48000 * FILM_SECONDS) * 2 * np.pi * 440 / 48000)
        sound = av.AudioFrame.from_ndarray(np.array([tone, tone], np.float32), format="fltp", layout="stereo")
        sound.sample_rate = 48000
        file.mux([*voice.encode(sound), *voice.encode()])


SOUGHT = """async (time) => {
  const { seek } = await import("/static/player.js");
  const film = document.querySelector("video");
  const start = performance.now();
  seek(time);
  while (film.seeking || film.readyState < 2) await new Promise((later) => setTimeout(later, 5));
  return performance.now() - start;
}"""


def encoded(browser: Browser) -> dict[str, Any]:
    """What a video costs that has to be encoded while it is watched."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        write_avi(folder / "film.avi")
        one = {"segment": [0.0, FILM_SECONDS], "label": "a", "score": 0.9}
        (folder / "found.json").write_text(json.dumps({"results": {"film": [one]}}), "utf-8")
        segment = median_seconds(lambda: encode_segment(folder / "film.avi", 10, True), 5)
        with viewing(folder / "found.json", "--videos", folder) as address:
            page = browser.new_page()
            page.goto(address)
            until(page, "document.querySelector('video')?.readyState >= 2")
            first = float(page.evaluate("performance.now()"))
            seeks = [float(page.evaluate(SOUGHT, time)) for time in (0.9 * FILM_SECONDS, 0.3 * FILM_SECONDS)]
            page.close()
    return {
        "video": f"1280 x 720, 25 fps, {FILM_SECONDS} s, MPEG-4 part 2 and MP3 in AVI",
        "times_real_time": round(SEGMENT_SECONDS / segment, 1),
        "first_picture_shares_of_a_segment": round(first / 1000 / SEGMENT_SECONDS, 2),
        "far_seek_shares_of_a_segment": [round(seek / 1000 / SEGMENT_SECONDS, 2) for seek in seeks],
    }


def take_pictures(browser: Browser, demo: Path) -> None:
    """The pictures of the documentation, of the demo's run."""
    with tempfile.TemporaryDirectory() as temporary:
        corrected = Path(temporary) / "corrected.json"
        with viewing(demo / "run", "--videos", demo / "data" / "videos", "--corrections", corrected) as address:
            for name, tab, width, height, colours, keys in PICTURES:
                phone = width < 640
                page = browser.new_page(
                    viewport={"width": width, "height": height}, color_scheme=colours, has_touch=phone, is_mobile=phone
                )
                page.goto(f"{address}#tab={tab}&at=12.3")
                until(page, READY)
                page.wait_for_timeout(3000)  # the network, plots, the video's first picture
                for key in keys:
                    page.keyboard.press(key)
                    page.wait_for_timeout(300)
                page.wait_for_timeout(700)
                page.screenshot(path=DOCS / f"{name}.jpg", type="jpeg", quality=80)
                page.close()
                print(DOCS / f"{name}.jpg")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pictures", type=Path, metavar="DEMO", help="a finished demo, of which pictures are taken")
    parser.add_argument("--many", action="store_true", help="time and memory of many videos, without a browser")
    arguments = parser.parse_args()
    if arguments.many:
        result = many()
        print(json.dumps(result, indent=2))
        print(write_result("viewer_many", result))
        return
    if shutil.which("chromium") is None:
        sys.exit("this benchmark needs chromium (Debian: apt-get install chromium)")
    with browsing() as browser:
        if arguments.pictures:
            take_pictures(browser, arguments.pictures)
            return
        result = {**figures(browser), "encoded": encoded(browser)}
    print(json.dumps(result, indent=2))
    print(write_result("viewer", result))


if __name__ == "__main__":
    main()
