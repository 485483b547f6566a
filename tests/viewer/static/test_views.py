"""Scores, candidates, moment and run in a real headless Chromium."""

import re
from collections.abc import Iterator
from pathlib import Path
from shutil import copytree
from typing import Any

import pytest
from browsing import NEEDS_CHROMIUM, Open, ready, serving, state, until
from playwright.sync_api import Page, Route, expect

from actionformer.core.run_files import DETECTIONS, REPORT
from actionformer.viewer.options import ViewerOptions

pytestmark = NEEDS_CHROMIUM

HEAT = "document.querySelector('#scores .js-plotly-plot')"
STEP = f"{HEAT}.data[0].dx"
MINUS, TIMES = "\u2212", "\u00d7"
ABOUT = "\N{ALMOST EQUAL TO}"


@pytest.fixture(scope="module")
def address(evaluated: Path) -> Iterator[str]:
    """A server about a run with features and annotations, compared with itself."""
    with serving(ViewerOptions(evaluated, compare=evaluated)) as url:
        yield url


@pytest.fixture
def page(open_page: Open, address: str) -> Page:
    return ready(open_page(f"{address}#video=clip0"))


def answer(page: Page, path: str) -> Any:
    """What the server says, asked by the page itself."""
    return page.evaluate("async (path) => (await fetch(path)).json()", path)


def asked(page: Page, **settings: Any) -> Any:
    """Suppression of the span that is shown."""
    start, stop = state(page, "s.view")
    content = {"start": start, "stop": stop, "limit": 2000} | settings
    return page.evaluate(
        "async ([id, content]) => (await fetch(`api/videos/${id}/suppression`, { method: 'POST',"
        " headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(content) })).json()",
        [state(page, "s.video.id"), content],
    )


def test_scores_are_a_heat_map_of_every_level_on_the_timelines_axis(page: Page) -> None:
    levels = answer(page, "api/videos/clip0/scores?points=2000")["levels"]
    page.keyboard.press("2")
    page.wait_for_selector("#scores .heatmaplayer image")
    heat = page.evaluate(f"{HEAT}.data.map(t => [t.x0, t.z[0].length])")
    assert heat == [[level["time"][0], len(level["maximum"][0])] for level in levels]
    peaks = [max(max(one) for one in level["maximum"]) for level in levels]
    best = peaks.index(max(peaks))
    expect(page.locator("#score-level option:checked")).to_have_text(f"Strongest ({best})")
    curves = "[...document.querySelectorAll('#scores .js-plotly-plot')][1].data"
    assert page.evaluate(f"{curves}[0].dx") == levels[best]["time"][1]
    page.keyboard.press("+")
    view = state(page, "s.view")
    until(page, f"v => Math.abs({HEAT}._fullLayout.xaxis.range[1] - v) < 0.01", arg=view[1])
    page.select_option("#score-class", "1")
    expect(page.locator("#scores .scatterlayer .trace")).to_have_count(1)
    page.select_option("#score-level", "0")
    until(page, f"dx => {curves}[0].dx === dx", arg=levels[0]["time"][1])


def press_at_once(page: Page, *keys: str) -> None:
    """Faster than anything that the page waits for."""
    page.evaluate(
        "keys => keys.map(key => new KeyboardEvent('keydown', { key, bubbles: true }))"
        ".forEach(event => document.body.dispatchEvent(event))",
        keys,
    )


def test_a_view_shows_what_was_asked_for_though_one_left_it_meanwhile(open_page: Open, address: str) -> None:
    page = open_page(f"{address}#video=clip0")
    coarser = re.compile(r"scores\?points=2000$")
    page.route(coarser, lambda route: route.continue_(url=route.request.url.replace("2000", "8")))
    ready(page).keyboard.press("2")
    page.wait_for_selector("#scores .heatmaplayer image")
    coarse = page.evaluate(STEP)
    press_at_once(page, "+", "+", "+", "1")
    page.wait_for_timeout(500)
    assert page.evaluate(STEP) == coarse  # nothing is computed for what nobody looks at
    page.keyboard.press("2")
    until(page, f"before => {STEP} < before / 2", coarse)  # zoomed in, finer ones are asked for
    assert page.evaluate(f"{HEAT}._fullLayout.xaxis.range[0]") == pytest.approx(state(page, "s.view[0]"))
    counts = page.locator("#suppression .faint", has_text=" from 0:")
    page.keyboard.press("3")
    expect(counts).to_contain_text(f"to {clock(state(page, 's.view[1]'))}")
    press_at_once(page, "0", "1")
    page.wait_for_timeout(300)
    page.keyboard.press("3")
    expect(counts).to_contain_text(f"to {clock(state(page, 's.video.duration'))}")
    page.keyboard.press("p")
    expect(page.locator("#step-says")).to_contain_text("Pick 1")
    page.click("#video-list [data-id=clip2]")
    page.keyboard.press("1")
    until(page, "document.querySelector('[data-id=clip2]').ariaCurrent === 'true'")
    page.wait_for_timeout(300)
    page.keyboard.press("3")
    expect(page.locator("#step-says")).to_contain_text("Before the first pick")
    page.keyboard.press("p")
    expect(page.locator("#step-says")).to_contain_text(f"score {asked(page)['steps'][0]['score']:.3f}")
    page.keyboard.press("4")
    expect(page.locator("#moment-says")).to_contain_text("At 0:00.00")
    page.evaluate("async () => (await import('/static/player.js')).seek(1)")
    page.keyboard.press("1")
    page.wait_for_timeout(300)
    page.keyboard.press("4")
    expect(page.locator("#moment-says")).to_contain_text("At 0:01.00")


def clock(seconds: float) -> str:
    return f"0:{seconds:04.1f}"


def test_plots_say_that_they_cannot_be_drawn_and_are_drawn_the_next_time(open_page: Open, address: str) -> None:
    page = open_page(f"{address}#video=clip0", expected="Failed to load resource")
    page.route("**/plotly.min.js", lambda route: route.abort())
    ready(page).keyboard.press("2")
    expect(page.locator("#scores .plot .words")).to_have_count(2)
    page.unroute("**/plotly.min.js")
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    page.route("**/plotly.min.js", hold)
    page.keyboard.press("1")
    page.keyboard.press("2")
    until(page, "document.querySelector('script[src*=plotly]') !== null")
    page.wait_for_timeout(100)
    for _ in range(4):  # drawn anew while the library is waited for
        page.keyboard.press("d")
    for route in held:
        route.continue_()
    page.wait_for_selector("#scores .heatmaplayer image")
    expect(page.locator("#scores .plot .words")).to_have_count(0)
    page.wait_for_timeout(200)
    assert page.evaluate(f"{HEAT}._ev.listenerCount('plotly_click')") == 1
    page.keyboard.press("5")
    page.wait_for_selector("#run .scatterlayer", state="attached")
    before = resize_listeners(page)
    for _ in range(4):
        page.keyboard.press("d")
        page.wait_for_timeout(50)
    assert resize_listeners(page) == before > 0


def resize_listeners(page: Page) -> int:
    session = page.context.new_cdp_session(page)
    window = session.send("Runtime.evaluate", {"expression": "window"})["result"]["objectId"]
    listeners = session.send("DOMDebugger.getEventListeners", {"objectId": window})["listeners"]
    return sum(one["type"] == "resize" for one in listeners)


def test_suppression_goes_pick_by_pick_with_other_settings_too(page: Page) -> None:
    page.keyboard.press("3")
    says = page.locator("#step-says")
    expect(says).to_contain_text("Before the first pick")
    box = page.locator("#suppression canvas").bounding_box()
    assert box is not None
    assert box["y"] + 300 < 800  # seen without scrolling
    page.click("#step-on")
    page.keyboard.press("p")
    expect(says).to_contain_text("Pick 2 of")
    soft = says.inner_text()
    page.keyboard.press("Shift+P")
    expect(says).to_contain_text("Pick 1 of")
    expect(says).to_contain_text("it lowers")
    page.click("#step-end")
    expect(page.locator("#step-on")).to_be_disabled()
    picks = int(page.locator("#step").get_attribute("max") or 0)
    assert f"of {picks}:" in soft
    page.select_option("#method", "hard")
    expect(page.locator("#threshold")).to_be_visible()
    until(page, "n => Number(document.getElementById('step').max) !== n", arg=picks)
    page.locator("#step").fill("1")
    expect(says).to_contain_text("it removes")
    assert page.locator("#suppression td", has_text="removed").count() > 0
    page.locator("#threshold").fill("1")
    expect(says).to_contain_text("it removes nothing")
    page.select_option("#method", "none")
    expect(says).to_contain_text("it lowers nothing")
    expect(page.locator("#suppression .field", has_text="Least score")).to_have_count(0)
    page.select_option("#method", "soft")
    expect(page.locator("#sigma")).to_be_visible()


def test_what_is_refused_is_said_and_can_be_set_otherwise(open_page: Open, address: str) -> None:
    page = ready(open_page(f"{address}#video=clip0", expected="Failed to load resource"))
    refusing = True

    def respond(route: Route) -> None:
        if refusing:
            route.fulfill(status=404, json={"error": "these features are gone"})
            return
        given = route.fetch().json()
        given["steps"][0]["changed"][0][1] = 0.0  # a score that decayed to less than what is told
        route.fulfill(json=given)

    page.route("**/suppression", respond)
    page.reload()  # of a page that is there already a busy browser lets a request pass
    ready(page).wait_for_timeout(300)  # nothing else is about to be asked
    page.keyboard.press("3")
    expect(page.locator("#suppression .words")).to_have_text("These features are gone")
    page.keyboard.press("p")
    refusing = False
    page.keyboard.press("1")
    page.keyboard.press("3")
    expect(page.locator("#step-says")).to_contain_text("Before the first pick")
    page.keyboard.press("p")
    expect(page.locator("#step-says")).to_contain_text("Pick 1")
    expect(page.locator("#suppression td", has_text="0.000").first).to_be_visible()
    expect(page.locator("#suppression td", has_text="removed")).to_have_count(0)
    refusing = True
    page.locator("#sigma").fill("1")
    expect(page.locator("#suppression .words")).to_be_visible()
    page.keyboard.press("p")
    refusing = False
    page.locator("#sigma").fill("0.9")  # what was refused can be changed
    expect(page.locator("#step-says")).to_contain_text("Before the first pick")


# The numbers of picks that are drawn, [number, x, y, width].
NUMBERS = """async () => {
  const drawn = [];
  const draw = CanvasRenderingContext2D.prototype.fillText;
  CanvasRenderingContext2D.prototype.fillText = function (text, x, y) {
    if (this.canvas.classList.contains("tall") && /^[0-9]+$/.test(text))
      drawn.push([Number(text), x, y, this.measureText(text).width]);
    draw.apply(this, arguments);
  };
  document.getElementById("step-end").click();
  await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
  CanvasRenderingContext2D.prototype.fillText = draw;
  return drawn.filter(([, x]) => x > 140);
}"""


def test_a_candidate_tells_how_it_was_decoded(page: Page) -> None:
    page.keyboard.press("3")
    page.click("#step-on")
    trace = asked(page)
    one = trace["candidates"][trace["steps"][0]["pick"]]
    card = page.locator("#decoded")
    name = state(page, "s.project.classes")[one["label"]]
    expect(card).to_contain_text(f"Pick 1: {name}")
    step = trace["seconds_per_step"][one["level"]]
    start, end = (one["moment"] + side * away * step for side, away in zip((-1, 1), one["offsets"], strict=True))
    expect(card).to_contain_text(f"Level {one['level']}, moment {one['moment']:.3f} s, one step {step:.4f} s")
    parts = zip(("Start", "End"), (MINUS, "+"), one["offsets"], (start, end), one["segment"], strict=True)
    for edge, sign, offset, second, clipped in parts:
        result = f"{second:.2f}".replace("-", MINUS)
        cut = f", cut to {clipped:.2f} s" if abs(second - clipped) > 0.005 else ""
        expect(card).to_contain_text(
            f"{edge} = {one['moment']:.3f} {sign} {offset:.3f} {TIMES} {step:.4f} {ABOUT} {result} s{cut}"
        )
    expect(card).to_contain_text(f"Probability {one['score']:.3f}")
    canvas = page.locator("#suppression canvas")
    box = canvas.bounding_box()
    assert box is not None
    left, right = ((box["width"] - 158) * second / state(page, "s.view[1]") for second in one["segment"])
    x, y = box["x"] + 150 + (left + right) / 2, box["y"] + 12 + (330 - 24) * (1 - trace["steps"][0]["score"] ** 0.5)
    page.mouse.move(x, y)
    expect(page.locator("#tooltip")).to_contain_text(f"Decoded at level {one['level']}")
    expect(page.locator("#tooltip")).to_contain_text(f"{name}, ")
    before = canvas.screenshot()
    page.mouse.click(x, y)
    expect(card).to_contain_text(f"Chosen: {name}")
    page.wait_for_timeout(50)
    assert canvas.screenshot() != before
    chosen = card.inner_text()
    canvas.focus()
    page.keyboard.press("ArrowDown")
    expect(card).not_to_have_text(chosen)
    page.keyboard.press("ArrowUp")
    assert card.inner_text() == chosen
    by_score = canvas.screenshot()
    page.select_option("#arrangement", "level")
    page.wait_for_timeout(50)
    assert canvas.screenshot() != by_score
    canvas.focus()
    page.keyboard.press("Escape")
    expect(card).to_contain_text("Pick 1")
    page.select_option("#arrangement", "score")
    numbers = page.evaluate(NUMBERS)
    assert len(trace["steps"]) in [number for number, *_ in numbers]
    assert 1 < len(numbers) < len(trace["steps"])
    for i, (_, x, y, width) in enumerate(numbers):
        for _, other, below, wide in numbers[:i]:
            assert abs(y - below) >= 12 or x >= other + wide or other >= x + width


def test_a_moment_shows_windows_and_attention_local_beside_global(page: Page) -> None:
    page.keyboard.press("4")
    expect(page.locator("#moment-cost")).to_contain_text("times as many")
    until(page, "document.querySelectorAll('#moment .js-plotly-plot').length === 3")
    levels = page.evaluate("document.querySelector('#moment .js-plotly-plot').data.length")
    expect(page.locator("#moment tbody tr")).to_have_count(levels)
    expect(page.locator("#moment th").last).to_have_text("Further end of an action at")
    before = page.locator("#moment-says").inner_text()
    page.keyboard.press("Shift+ArrowRight")
    expect(page.locator("#moment-says")).not_to_have_text(before)
    page.keyboard.press("+")
    for plot in range(3):  # windows, local and global attention: one span
        until(
            page,
            "([plot, view]) => [...document.querySelectorAll('#moment .js-plotly-plot')][plot]._fullLayout.xaxis.range"
            ".every((end, i) => Math.abs(end - view[i]) < 0.01)",
            arg=[plot, state(page, "s.view")],
        )


def test_the_run_shows_training_precision_errors_and_its_videos(page: Page) -> None:
    page.keyboard.press("5")
    run = answer(page, "api/run?tiou=0.5&min_score=0.1")
    expect(page.locator("#run")).to_contain_text("Mean average precision")
    expect(page.locator("#run")).to_contain_text(f"{100 * run['map']['0.5']:.1f}%")
    page.wait_for_selector("#run .scatterlayer", state="attached")
    curve = "document.querySelector('#run [aria-label=\"mAP by epoch\"]')"
    until(page, f"{curve}?.data?.length")
    assert page.evaluate(f"{curve}.data[0].y") == pytest.approx([100 * share for _, share in run["curves"]["map"]])
    assert page.evaluate(f"{curve}._fullLayout.yaxis.title.text") == "mAP, %"
    errors = page.locator("#run .card", has_text="What detections are")
    gain = run["errors"]["gains"]["background"]
    expect(errors).to_contain_text(f"{run['errors']['kinds']['background']} · +{100 * gain:.1f}")
    by_length = page.locator("#run .card", has_text="By length").locator("tbody tr")
    expect(by_length).to_have_count(len(run["errors"]["by_length"]))
    rows = page.locator("#run .card", has=page.locator("#run-search")).locator("tbody tr")
    expect(rows).to_have_count(3)
    page.fill("#run-search", "clip1")
    expect(rows).to_have_count(1)
    # another threshold, another tIoU: what was searched and the slider that has the focus stay
    page.locator("#run-score").fill("0.6")
    page.evaluate("document.getElementById('run-score').mine = true")
    strict = answer(page, "api/run?tiou=0.5&min_score=0.6")["errors"]["kinds"]
    expect(errors).to_contain_text(f"{strict['missed']} of {strict['found'] + strict['missed']}")
    expect(errors).to_contain_text("from score 0.60 on")
    shares = errors.locator(".bars").last.locator(".part")
    widths = shares.evaluate_all("parts => parts.map(({ style }) => parseFloat(style.width))")
    all_ = strict["found"] + strict["missed"]
    assert widths == pytest.approx([100 * strict["found"] / all_, 100 * strict["missed"] / all_], abs=0.01)
    lengths = page.locator("#run .card", has_text="Actions found, by their length").locator(".whole")
    for whole in lengths.all():  # a full bar is all actions of that length
        parts = whole.locator(".part").evaluate_all("parts => parts.map(({ style }) => parseFloat(style.width))")
        assert sum(parts) == pytest.approx(100, abs=0.01)
    page.select_option("#run-tiou", "0.7")
    compared = page.locator("#run .card", has_text="Compared with a second run")
    expect(compared).to_contain_text("mAP at 0.7")
    expect(compared.locator("tbody tr")).to_have_count(2)
    expect(compared.locator("tbody tr td:last-child").first).to_have_text("±0.0")
    assert page.evaluate("document.getElementById('run-score').mine")
    expect(rows).to_have_count(1)
    rows.locator("button").click()
    expect(page.locator("#video-list button[aria-current=true] .name")).to_have_text("clip1")
    expect(page.locator("#tab-timeline")).to_have_attribute("aria-selected", "true")
    expect(page.locator("#min-score")).to_have_value("0.6")


def test_a_run_that_was_not_evaluated_says_how_that_is_done(open_page: Open, seen: Path, tmp_path: Path) -> None:
    run = copytree(seen / "run", tmp_path / "run")
    for name in (DETECTIONS, REPORT):
        (run / name).unlink()
    with serving(ViewerOptions(run)) as url:
        page = ready(open_page(f"{url}#tab=run"))
        expect(page.locator("#run")).to_contain_text("actionformer evaluate RUN")


def test_a_calibrated_run_shows_what_reaches_the_threshold_of_its_class(open_page: Open, calibrated: Path) -> None:
    with serving(ViewerOptions(calibrated)) as url:
        page = ready(open_page(f"{url}#video=clip0"))
        least = answer(page, "api/project")["min_scores"]
        found = answer(page, "api/videos/clip0?tiou=0.5")["detections"]
        shown = sum(one["score"] >= least[one["label"]] for one in found)
        assert shown == 4  # two of each class
        expect(page.locator("#shown")).to_have_text(f"{shown} of {len(found)} detections")
        button, slider = page.locator("#filters .per-class"), page.locator("#filters .score-slider")
        expect(button).to_have_attribute("aria-pressed", "true")
        expect(slider.locator("output")).to_have_text("\N{EN DASH}")
        until(page, "() => location.hash.includes('score=class')")
        page.keyboard.press("5")
        expect(page.locator("#run")).to_contain_text("from the threshold of their class on")
        page.keyboard.press("1")

        page.locator("#min-score").fill("0")  # one score for all
        expect(page.locator("#shown")).to_have_text(f"{len(found)} of {len(found)} detections")
        expect(button).to_have_attribute("aria-pressed", "false")
        expect(slider.locator("output")).to_have_text("0.00")
        button.click()
        expect(page.locator("#shown")).to_have_text(f"{shown} of {len(found)} detections")
        page.keyboard.press("s")
        assert isinstance(state(page, "s.minScore"), float)
        until(page, "() => /score=0[.]/.test(location.hash)")
