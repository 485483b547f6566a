"""Names on the page: any text is shown as it is, and any id is opened, in a real headless Chromium."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from browsing import NEEDS_CHROMIUM, Open, ready, serving, state, until
from playwright.sync_api import Page

from actionformer.core.detections import Detections
from actionformer.formats.detections import write_results
from actionformer.viewer.options import ViewerOptions

pytestmark = NEEDS_CHROMIUM

IDS = [
    "a/media",
    "a",
    "..",
    ".x",
    "a\nb",
    "a#b?c%2Fd&e=f",
    "%2e%2e~2F",
    "<b>x</b>",
    "__proto__",
    " blank ",
    "\x1b[31m",
    "é\u202e",
]
CLASSES = ["%{x} <b>walk</b> & [left]", "%{y} <script>alert(1)</script>"]


@pytest.fixture(scope="module")
def of_names(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("names")
    found = {id_: Detections([[float(i), i + 1.0]], [0.5], [i % 2], CLASSES) for i, id_ in enumerate(IDS)}
    write_results(folder / "found.json", found)
    with serving(ViewerOptions(folder / "found.json")) as url:
        yield url


def test_every_id_is_opened_and_found_again_by_its_address(open_page: Open, of_names: str) -> None:
    page = ready(open_page(of_names))
    for id_ in IDS:
        place = page.evaluate("(id) => `#${new URLSearchParams({ video: id })}`", id_)
        page.evaluate("(place) => { location.hash = place }", place)
        until(page, "(id) => new URLSearchParams(location.hash.slice(1)).get('video') === id", id_)
        until(page, "async (id) => (await import('/static/state.js')).state.video.id === id", id_)
        assert state(page, "s.video.detections[0].segment[0]") == IDS.index(id_)
    assert sorted(page.locator("#video-list .name").all_text_contents()) == sorted(IDS)


def scores_of(page: Page) -> str:
    """What the plot of scores says beneath the pointer, at the first curve."""
    page.click("#tab-scores")
    plot = "[...document.querySelectorAll('.js-plotly-plot')].find((one) => one.data?.[0].type === 'scatter')"
    until(page, f"{plot}?.offsetParent")
    page.evaluate(f"() => Plotly.Fx.hover({plot}, [{{ curveNumber: 0, pointNumber: 3 }}])")
    until(page, f"{plot}.querySelector('.hoverlayer').textContent !== ''")
    return str(page.evaluate(f"() => {plot}.querySelector('.hoverlayer').textContent"))


def test_plots_take_names_for_text(open_page: Open, evaluated: Path, tmp_path: Path) -> None:
    run = shutil.copytree(evaluated, tmp_path / "run")
    card = json.loads((run / "model.json").read_text("utf-8"))
    card["class_names"] = CLASSES
    (run / "model.json").write_text(json.dumps(card), "utf-8")
    (run / "detections.json").unlink()
    annotations = json.loads(Path(card["training"]["annotations"]).read_text("utf-8"))
    names = dict(zip(sorted({"left", "right"}), CLASSES, strict=True))
    for video in annotations["database"].values():
        video["annotations"] = [one | {"label": names.get(one["label"], CLASSES[0])} for one in video["annotations"]]
    (tmp_path / "annotations.json").write_text(json.dumps(annotations), "utf-8")
    with serving(ViewerOptions(run, annotations=tmp_path / "annotations.json")) as url:
        page = ready(open_page(url))
        said = scores_of(page)
        assert any(f"{name} at " in said for name in CLASSES), said
