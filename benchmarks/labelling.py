"""How long a draft takes by keyboard on the page of `actionformer label`, in Chromium; and the page's picture.

    python benchmarks/labelling.py                       -> results/labelling.json
    python benchmarks/labelling.py --pictures runs/demo  after `make demo`: docs/viewer/labelling.jpg

Needs the system's `chromium`. All drafts of a made video of three hours are accepted one by one. From the press of a
key it is measured until the page is ready for the next (what follows is chosen, and a frame of it is drawn), and until
the action is in the file.
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import av
import numpy as np
from common import write_result
from playwright.sync_api import Browser, Page
from viewer import DOCS, READY, browsing, started, until

HOURS, DRAFTS, ALONE, CLASSES, FPS = 3, 500, 50, 8, 10
TARGET_SECONDS = 1.0
STATE = "(await import('/static/state.js')).state"
EDITING = f"async () => {STATE}.editing"
TIMED = """() => {
  window.times = [];
  const drawn = ({ timeStamp }) => requestAnimationFrame(() =>
    setTimeout(() => window.times.push((performance.now() - timeStamp) / 1000)));
  document.addEventListener("keydown", drawn, { capture: true });
}"""


def made(folder: Path) -> tuple[Path, Path]:
    """A folder with a video, and a file of drafts that follow one another in it."""
    (folder / "videos").mkdir()
    with av.open(str(folder / "videos" / "long.mp4"), "w") as container:
        stream: Any = container.add_stream("libx264", rate=FPS, options={"preset": "ultrafast", "g": "50"})
        stream.height, stream.width, stream.pix_fmt = 96, 128, "yuv420p"
        for i in range(HOURS * 3600 * FPS):
            shade = np.full((96, 128, 3), i // 50 % 256, np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(shade, format="rgb24")))
        container.mux(stream.encode())
    rng = np.random.default_rng(0)
    starts = np.sort(rng.uniform(0, HOURS * 3600 - 20, DRAFTS))
    rows = [
        {"label": f"class {i % CLASSES}", "score": float(score), "segment": [float(start), float(start + length)]}
        for i, (start, length, score) in enumerate(
            zip(starts, rng.uniform(1, 9, DRAFTS), rng.uniform(0.3, 1, DRAFTS), strict=True)
        )
    ]
    (folder / "drafts.json").write_text(json.dumps({"results": {"long": rows}}), "utf-8")
    return folder / "videos", folder / "drafts.json"


def on_disk(file: Path, actions: int) -> float:
    """The moment from which on the file holds so many actions."""
    last = time.monotonic() + 60
    while time.monotonic() < last:
        if file.exists():
            content = json.loads(file.read_text("utf-8"))  # which is whole at any time
            if len(content["database"].get("long", {}).get("annotations", ())) >= actions:
                return time.monotonic()
        time.sleep(0.005)
    sys.exit(f"{actions} actions are not on disk within a minute")


def in_a_row(page: Page, presses: int) -> list[float]:
    """Seconds of each press until what follows is chosen and drawn, one press straight after the other."""
    page.evaluate(TIMED)
    for i in range(presses):
        page.keyboard.press("Enter")
        until(page, f"times.length > {i}")
    return [float(one) for one in page.evaluate("times")]


def alone(page: Page, file: Path, presses: int) -> list[float]:
    """Seconds of each press until its action is on disk, each awaited; the file has none before."""
    times = []
    for i in range(presses):
        begin = time.monotonic()
        page.keyboard.press("Enter")
        times.append(on_disk(file, i + 1) - begin)
    return times


def spread(times: list[float]) -> dict[str, float]:
    return {
        "median": round(statistics.median(times), 3),
        "p95": round(float(np.quantile(times, 0.95)), 3),
        "longest": round(max(times), 3),
    }


def figures(browser: Browser) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        videos, drafts = made(folder)
        file = folder / "labels.json"
        with started("label", videos, "--drafts", drafts, "--out", file) as (address, _):
            page = browser.new_page(viewport={"width": 1280, "height": 860})
            page.goto(address)
            until(page, READY)
            until(page, EDITING)
            page.keyboard.press("]")
            page.wait_for_timeout(1000)
            disk = alone(page, file, ALONE)
            begin = time.monotonic()
            ready = in_a_row(page, DRAFTS - ALONE)
            whole = on_disk(file, DRAFTS) - begin
            page.close()
    return {
        "video_hours": HOURS,
        "drafts": DRAFTS,
        "target_seconds": TARGET_SECONDS,
        "ready_for_the_next_seconds": spread(ready),
        "on_disk_seconds": spread(disk),
        "in_a_row_and_on_disk_seconds_per_draft": round(whole / (DRAFTS - ALONE), 3),
    }


def take_picture(browser: Browser, demo: Path) -> None:
    """The page with drafts of the demo's model, one of them accepted and one chosen."""
    with tempfile.TemporaryDirectory() as temporary:
        out, drafts = Path(temporary) / "annotations.json", demo / "unseen.json"
        with started("label", demo / "data" / "videos", "--drafts", drafts, "--out", out) as (address, _):
            page = browser.new_page(viewport={"width": 1280, "height": 860}, color_scheme="light")
            page.goto(f"{address}#video=unseen")
            until(page, READY)
            until(page, EDITING)
            for key in ("]", "Enter", "Enter"):
                page.keyboard.press(key)
                page.wait_for_timeout(700)
            page.keyboard.press("0")
            page.wait_for_timeout(1000)
            page.screenshot(path=DOCS / "labelling.jpg", type="jpeg", quality=80)
            page.close()
    print(DOCS / "labelling.jpg")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pictures", type=Path, metavar="DEMO", help="a finished demo, of which a picture is taken")
    arguments = parser.parse_args()
    if shutil.which("chromium") is None:
        sys.exit("this benchmark needs chromium (Debian: apt-get install chromium)")
    with browsing() as browser:
        if arguments.pictures:
            take_picture(browser, arguments.pictures)
            return
        result = figures(browser)
    print(json.dumps(result, indent=2))
    print(write_result("labelling", result))


if __name__ == "__main__":
    main()
