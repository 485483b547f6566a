"""Timeline, inspector, filters, keys, address and list of videos in a real headless Chromium."""

import itertools
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from browsing import NEEDS_CHROMIUM, Open, main_thread, ready, serving, state, until
from numpy.typing import NDArray
from playwright.sync_api import CDPSession, Locator, Page, Route, expect

from actionformer.viewer.options import ViewerOptions
from actionformer.viewer.page_files import STATIC

pytestmark = NEEDS_CHROMIUM

LEFT, RIGHT, RULER = 150, 8, 24  # pixels of the timeline that show no time
PHONE_LEFT = 84


def row(label: str, start: float, end: float, score: float | None = None) -> dict[str, Any]:
    return {"label": label, "segment": [start, end]} | ({} if score is None else {"score": score})


@pytest.fixture(scope="module")
def marked(tmp_path_factory: pytest.TempPathFactory) -> ViewerOptions:
    """Three videos of 100 s, the first with every kind of detection, the last without annotated actions."""
    folder = tmp_path_factory.mktemp("marked")
    found = [
        row("walk the little brown dog slowly", 10, 20, 0.9),
        row("walk the little brown dog slowly", 10, 19, 0.7),  # duplicate
        row("walk the little brown dog slowly", 40, 50, 0.3),  # finds an action, with a low score
        row("run", 10, 20, 0.6),  # wrong label
        row("run", 80, 90, 0.5),  # background
        *(row("jump", 60 + 0.1 * i, 70, 0.8 - 0.01 * i) for i in range(12)),
        row("walk the little brown dog quickly", 30, 34, 0.2),
    ]
    actions = [
        row("walk the little brown dog slowly", 10, 20),
        row("walk the little brown dog slowly", 40, 50),
        row("walk the little brown dog slowly", 44, 54),
        row("jump", 60, 70),
    ]
    (folder / "found.json").write_text(
        json.dumps({"results": {"first": found, "second": found[:1], "third": [row("run", 1, 2, 0.4)]}}), "utf-8"
    )
    database = {
        "first": {"subset": "test", "duration": 100.0, "annotations": actions},
        "second": {"subset": "test", "duration": 50.0, "annotations": [row("walk the little brown dog slowly", 5, 9)]},
        "third": {"subset": "test", "duration": 60.0, "annotations": []},
    }
    (folder / "annotations.json").write_text(json.dumps({"database": database}), "utf-8")
    return ViewerOptions(
        folder / "found.json",
        annotations=folder / "annotations.json",
        corrections=folder / "annotations.corrected.json",
    )


@pytest.fixture(scope="module")
def address(marked: ViewerOptions) -> Iterator[str]:
    with serving(marked) as url:
        yield url


@pytest.fixture
def page(open_page: Open, address: str) -> Page:
    return ready(open_page(f"{address}#video=first"))


def at_rest(page: Page) -> None:
    """Waits until what was changed is drawn."""
    page.evaluate("new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)))")


def module(page: Page, file: str, what: str, arg: Any = None) -> Any:
    """An expression about a module `m` of the page and its `state`."""
    return page.evaluate(
        f"async (arg) => {{ const m = await import('/static/{file}');"
        f" const {{ state }} = await import('/static/state.js'); return {what}; }}",
        arg,
    )


def place(
    page: Page, label: str, seconds: float, *, action: int | None = None, left: int = LEFT
) -> tuple[float, float]:
    """Where on the screen a time lies in the first row of a lane's detections, or in a row of its actions."""
    lanes = page.locator("#lanes").bounding_box()
    assert lanes is not None
    lane = module(page, "lanes.js", "m.layOut(state).find((one) => state.project.classes[one.label] === arg)", label)
    down = lane["top"] + 12 if action is None else lane["actionTop"] + 15 * action + 6
    scrolled = page.evaluate("document.getElementById('lanes-scroll').scrollTop")
    start, end = state(page, "s.view")
    across = left + (lanes["width"] - left - RIGHT) * (seconds - start) / (end - start)
    return lanes["x"] + across, lanes["y"] + RULER + down - scrolled


class Fingers:
    """Touches as a touch screen makes them."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.session: CDPSession = page.context.new_cdp_session(page)

    def __call__(self, kind: str, *points: tuple[float, float], first: int = 0) -> None:
        """All fingers that are down, numbered from `first`; at the end those that are lifted, or nothing for all."""
        touches = [{"x": x, "y": y, "id": number} for number, (x, y) in enumerate(points, first)]
        self.session.send("Input.dispatchTouchEvent", {"type": f"touch{kind}", "touchPoints": touches})
        self.page.wait_for_timeout(10)


LOOK = "[s.time, s.view, s.chosen, s.actions.map((one) => one.segment)]"


def test_fingers_pinch_drag_and_tap_and_what_the_browser_takes_back_has_changed_nothing(
    open_page: Open, address: str
) -> None:
    page = ready(open_page(f"{address}#video=first", width=390, height=844, has_touch=True, is_mobile=True))
    page.locator("#lanes").scroll_into_view_if_needed()
    touch = Fingers(page)
    x, y = place(page, "jump", 45, left=PHONE_LEFT)
    before = state(page, LOOK)
    touch("Start", (x, y))
    for up in range(0, 120, 10):
        touch("Move", (x, y - up))
    touch("End")
    at_rest(page)
    assert state(page, LOOK) == before  # the page was scrolled, and that is all
    page.locator("#lanes").scroll_into_view_if_needed()

    x, y = place(page, "jump", 45, left=PHONE_LEFT)
    touch("Start", (x, y))
    touch("Start", (x, y), (x + 40, y))
    for apart in range(10, 100, 10):
        touch("Move", (x - apart / 2, y), (x + 40 + apart / 2, y))
    at_rest(page)
    zoomed = state(page, "s.view")
    assert zoomed[1] - zoomed[0] < 50
    touch("End", (x + 85, y), first=1)
    touch("Move", (x - 39, y))
    touch("End")
    at_rest(page)
    moved = state(page, "s.view")
    assert moved[1] - moved[0] == pytest.approx(zoomed[1] - zoomed[0])
    assert abs(moved[0] - zoomed[0]) < 2  # 6 pixels on, not back to where the pinch began
    assert state(page, "s.chosen") is None

    page.evaluate("async () => (await import('/static/navigation.js')).showAll()")
    at_rest(page)
    page.touchscreen.tap(*place(page, "run", 15, left=PHONE_LEFT))
    assert state(page, "s.video.detections[s.chosen.index].score") == 0.6
    expect(page.locator("#tooltip")).to_contain_text("run 0.600")
    _, y = place(page, "walk the little brown dog slowly", 15, left=PHONE_LEFT)
    page.touchscreen.tap(40, y)
    expect(page.locator("#tooltip")).to_contain_text(
        "walk the little brown dog slowly: 3 detections; 3 annotated actions"
    )
    assert state(page, "s.time") == pytest.approx(15, abs=1)  # a name is no time
    shown = page.locator("body").inner_text()
    assert "press" not in shown
    expect(page.locator("#help")).to_be_hidden()

    page.tap("#edit")
    expect(page.locator("#saved")).to_be_visible()
    x, y = place(page, "walk the little brown dog slowly", 50, action=0, left=PHONE_LEFT)
    before = state(page, LOOK)
    touch("Start", (x + 8, y))  # a finger is no needle: this is the edge
    for on in range(0, 30, 5):
        touch("Move", (x + 8 + on, y))
    at_rest(page)
    assert state(page, "s.actions[1].segment")[1] > 54
    touch("Cancel")
    assert state(page, LOOK) == before
    touch("Start", (x - 7, y))  # and so is this
    for on in range(0, 30, 5):
        touch("Move", (x - 7 + on, y))
    touch("End")
    at_rest(page)
    start, end = state(page, "s.actions[1].segment")
    assert start == 40
    assert end > 54
    page.tap("#undo")  # the browser makes a click of it in its own time
    until(page, "async () => (await import('/static/state.js')).state.actions[1].segment[1] === 50")
    assert state(page, "s.actions[1].segment") == [40, 50]


def focused(page: Page) -> str:
    return str(page.evaluate("document.activeElement.id || document.activeElement.textContent.trim()"))


def test_facts_stay_in_view_and_the_list_is_one_stop_of_the_keyboard(page: Page) -> None:
    inspector = page.locator("#inspector").bounding_box()
    assert inspector is not None
    page.locator("#list tr").last.locator("button").click()  # which scrolls the list
    page.keyboard.press("]")
    at_rest(page)
    for part in (page.locator("#inspector h2"), page.locator("#list tr.chosen")):
        box = part.bounding_box()
        assert box is not None
        assert inspector["y"] <= box["y"]
        assert box["y"] + box["height"] <= inspector["y"] + inspector["height"] + 1
    assert page.locator("#list [aria-selected]").count() == 0
    expect(page.locator("#list [aria-current=true]")).to_have_count(1)

    page.locator("#play").focus()
    stops: list[str] = []
    while not stops or stops[-1] != "min-score":
        page.keyboard.press("Tab")
        stops.append(focused(page))
        assert len(stops) < 15, stops
    assert any("Next" in stop for stop in stops)

    page.get_by_role("button", name="Previous", exact=True).focus()
    for name in ("Previous", "Previous", "Next", "Zoom to it"):
        page.get_by_role("button", name=name, exact=True).focus()
        before = state(page, "[s.chosen, s.view]")
        page.keyboard.press("Enter")
        at_rest(page)
        assert state(page, "[s.chosen, s.view]") != before
        assert name in focused(page)

    page.keyboard.press("0")
    page.locator("#list button[tabindex='0']").focus()
    before = state(page, "s.chosen")
    page.keyboard.press("ArrowDown")
    at_rest(page)
    assert state(page, "s.chosen") != before
    assert page.evaluate("document.activeElement.closest('tr').classList.contains('chosen')")


def test_space_plays_after_a_click_and_presses_what_the_keyboard_has_reached(page: Page) -> None:
    for click in ("#tab-timeline", "[data-id=first]", ".steps button >> text=All", "[data-kind='true positive']"):
        state(page, "(window.before = s.video, 0)")
        page.click(click)
        if click == "[data-id=first]":  # the video is opened again, which stops it
            until(page, "async () => (await import('/static/state.js')).state.video !== window.before")
        hidden = state(page, "[...s.hiddenKinds]")
        page.keyboard.press("z")
        page.keyboard.press(" ")
        assert state(page, "s.playing"), click
        page.keyboard.press("k")
        assert state(page, "[...s.hiddenKinds]") == hidden
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.dataset.kind") == "duplicate"
    page.keyboard.press(" ")
    assert state(page, "s.hiddenKinds.has('duplicate')")
    page.keyboard.press(" ")
    assert not state(page, "s.playing")
    page.click("[data-kind='true positive']")

    page.evaluate("document.activeElement.blur()")
    press = "(given) => document.body.dispatchEvent(new KeyboardEvent('keydown', { bubbles: true, ...given }))"
    before = state(page, "s.minScore")
    page.evaluate(press, {"key": "S"})  # caps lock
    assert state(page, "s.minScore") == pytest.approx(before + 0.05)
    page.evaluate(press, {"key": "s", "shiftKey": True})  # caps lock and shift
    assert state(page, "s.minScore") == pytest.approx(before)
    page.keyboard.press("Home")
    page.evaluate(press, {"key": "]", "ctrlKey": True, "altKey": True, "modifierAltGraph": True})
    first = state(page, "s.chosen")
    assert module(page, "lanes.js", "m.isError(state, state.chosen)")
    page.keyboard.press("x")
    assert state(page, "s.chosen") != first
    page.keyboard.press("Shift+X")
    assert state(page, "s.chosen") == first
    page.click("#errors [aria-label='Next error']")
    assert state(page, "s.chosen") != first
    page.click("#errors [aria-label='Previous error']")
    assert state(page, "s.chosen") == first

    page.keyboard.press("/")
    page.keyboard.type("seco")
    page.keyboard.press("Enter")
    until(page, "document.querySelector('#video-list [aria-current=true]')?.dataset.id === 'second'")
    page.keyboard.press("2")
    expect(page.locator("#tab-scores")).to_have_attribute("aria-selected", "true")


def count_of(page: Page, kind: str) -> int:
    return int(page.locator(f"[data-kind='{kind}'] .count").inner_text())


def test_an_action_is_found_by_what_passes_the_threshold(page: Page) -> None:
    weak = 1  # the action that only a detection of 0.3 finds
    assert (count_of(page, "true positive"), count_of(page, "missed")) == (3, 1)
    expect(page.locator("[data-kind=missed]")).to_have_attribute(
        "title", re.compile("found by no detection that reaches the score")
    )
    page.locator("#min-score").fill("0.31")
    assert (count_of(page, "true positive"), count_of(page, "missed")) == (2, 2)
    assert module(page, "lanes.js", "m.isFound(state, arg)", weak) is False
    at_rest(page)
    x, y = place(page, "walk the little brown dog slowly", 42, action=0)
    page.mouse.move(x, y)
    expect(page.locator("#tooltip")).to_contain_text("! missed at tIoU 0.5")
    page.mouse.click(x, y)
    expect(page.locator("#inspector dl")).to_contain_text("! missed")
    expect(page.locator("#spoken")).to_contain_text("missed")
    page.locator("#min-score").fill("0.3")
    expect(page.locator("#inspector dl")).to_contain_text("found")
    assert page.evaluate("document.querySelector('#list tr.chosen').textContent").endswith("annotated")

    page.evaluate(
        "async () => { const { scoreSlider, tiouChoice } = await import('/static/filters.js');"
        " const more = document.createElement('div'); more.id = 'more'; more.append(scoreSlider(), tiouChoice());"
        " document.body.append(more); }"
    )
    page.locator("#more input").fill("0.4")
    expect(page.locator("#min-score")).to_have_value("0.4")
    page.select_option("#more select", "0.7")
    expect(page.locator("#tiou")).to_have_value("0.7")
    page.select_option("#tiou", "0.3")
    page.keyboard.press("Escape")
    expect(page.locator("#more select")).to_have_value("0.3")
    page.locator("#min-score").fill("0.2")
    expect(page.locator("#more output")).to_have_text("0.20")
    chip = page.locator("[data-kind='true positive']").element_handle()
    page.locator("#min-score").fill("0.25")
    assert chip is not None
    assert chip.evaluate("one => one.isConnected")


TEXTS = """() => {
  globalThis.texts = [];
  globalThis.cleared = [];
  const { fillText, clearRect } = CanvasRenderingContext2D.prototype;
  CanvasRenderingContext2D.prototype.fillText = function (text, ...rest) {
    globalThis.texts.push(text);
    return fillText.call(this, text, ...rest);
  };
  CanvasRenderingContext2D.prototype.clearRect = function (...rest) {
    globalThis.cleared.push(this.canvas.id);
    return clearRect.call(this, ...rest);
  };
}"""

ROWS = """m.layOut({
  ...state,
  video: { detections: arg.map((segment, i) => ({ segment, label: 0, score: 1 - 0.01 * i })) },
  actions: arg.map((segment) => ({ segment, label: 0 })),
  minScore: 0, hiddenClasses: new Set(), hiddenKinds: new Set(),
})[0]"""


def test_a_lane_grows_until_what_finds_no_row_is_counted(open_page: Open, address: str) -> None:
    page = ready(open_page(f"{address}#video=first", height=1300))
    lane = module(page, "lanes.js", ROWS, [[5, 8], [3, 6], [0, 2], [8, 9], [1, 4]])
    assert [one["row"] for one in lane["detections"]] == [0, 1, 0, 0, 2]  # worked by hand: the first free row
    assert [one["row"] for one in lane["actions"]] == [0, 1, 0, 0, 2]

    page.evaluate(TEXTS)
    page.locator("#min-score").fill("0.05")
    at_rest(page)
    jump = module(page, "lanes.js", "m.layOut(state).find((one) => one.crowded.length)")
    assert (len(jump["detections"]), len(jump["crowded"])) == (8, 4)
    texts = page.evaluate("globalThis.texts")
    assert "+4" in texts
    names = [text for text in texts if re.fullmatch("walk.*….*ly", text)]
    assert len(set(names)) == 2, texts  # two that begin alike are told apart
    x, y = place(page, "jump", 65)
    page.mouse.click(x, y - 12 + jump["crowdedTop"] - jump["top"] + 3)
    assert state(page, "s.chosen.index") in jump["crowded"]
    x, y = place(page, "walk the little brown dog slowly", 52, action=1)  # the second of two that overlap
    page.mouse.click(x, y)
    assert state(page, "s.actions[s.chosen.index].segment") == [44, 54]
    x, y = place(page, "walk the little brown dog quickly", 0)
    page.mouse.move(x - 80, y)
    expect(page.locator("#tooltip")).to_contain_text(
        "walk the little brown dog quickly: 1 detection; 0 annotated actions"
    )

    page.evaluate("globalThis.cleared.length = 0")
    page.keyboard.press("+")
    at_rest(page)
    assert set(page.evaluate("globalThis.cleared")) == {"lanes"}  # the strip of the whole video has not changed
    around, shown = (page.locator(one).bounding_box() for one in ("#overview-around", "#overview-shown"))
    assert around is not None
    assert shown is not None
    assert shown["width"] == pytest.approx(around["width"] / 2, abs=2)

    page.keyboard.press("0")
    x, y = place(page, "run", 80)
    page.mouse.move(x, y)
    page.keyboard.down("Control")
    page.mouse.wheel(0, -200)
    page.keyboard.up("Control")
    until(page, "async () => (await import('/static/state.js')).state.view[0] > 0")
    at_rest(page)
    assert place(page, "run", 80)[0] == pytest.approx(x, abs=1)  # what is under the pointer stays there


def test_edges_are_dragged_where_the_pointer_says_so(marked: ViewerOptions, open_page: Open, tmp_path: Path) -> None:
    # A correction is saved as soon as it is a moment old, undone or not: here in a file that no other test reads.
    with serving(replace(marked, corrections=tmp_path / "corrected.json")) as own:
        edges_are_dragged(ready(open_page(f"{own}#video=first")))


def edges_are_dragged(page: Page) -> None:
    page.keyboard.press("e")
    expect(page.locator("#saved")).to_be_visible()
    cursors = []
    for seconds in (40.2, 42, 49.8):
        page.mouse.move(*place(page, "walk the little brown dog slowly", seconds, action=0))
        cursors.append(page.locator("#lanes").evaluate("one => one.style.cursor"))
    assert cursors == ["ew-resize", "grab", "ew-resize"]
    grips = module(page, "lanes.js", "arg.map((time) => m.gripAt([0, 3], time, 5))", [-1, 0.5, 1.5, 2.5, 4])
    assert grips == ["start", "start", "whole", "end", "end"]  # a short one has a middle too
    x, y = place(page, "walk the little brown dog slowly", 15, action=0)
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 50, y, steps=3)
    page.mouse.up()
    start, end = state(page, "s.actions[0].segment")
    assert start > 14
    assert end - start == pytest.approx(10)
    page.click("#undo")
    page.click("#edit")
    expect(page.locator("#saved")).to_be_hidden()


def test_the_address_is_a_link_and_back_goes_back(open_page: Open, address: str) -> None:
    page = ready(open_page(f"{address}#video=first&at=99999&view=20-40&tab=nonsense"))
    assert state(page, "[s.time, s.view, s.tab]") == [100, [20, 40], "timeline"]
    page.keyboard.press("Home")
    page.keyboard.press("Shift+ArrowRight")
    until(page, "location.hash.includes('at=1.00')")
    assert "view=20.00-40.00" in page.url
    page.click("[data-id=second]")
    until(page, "location.hash.includes('video=second')")
    page.click("#tab-run")
    page.go_back()
    until(page, "document.body.dataset.tab === 'timeline'")
    assert state(page, "s.video.id") == "second"
    page.go_back()
    until(page, "document.querySelector('#video-list [aria-current=true]').dataset.id === 'first'")
    until(page, "location.hash.includes('video=first')")
    assert state(page, "[s.time, s.view]") == [1, [20, 40]]
    page.evaluate(  # what is written just then does not hide where one goes
        "async () => { const { set } = await import('/static/state.js');"
        " addEventListener('popstate', () => set({ tab: 'scores' }), { once: true }); }"
    )
    page.go_forward()
    until(page, "document.querySelector('#video-list [aria-current=true]').dataset.id === 'second'")

    page.evaluate("location.hash = '#video=first&tab=timeline&at=30&score=0.4&tiou=0.7'")
    until(page, "async () => (await import('/static/state.js')).state.time === 30")
    assert state(page, "[s.video.id, s.minScore, s.tiou]") == ["first", 0.4, 0.7]
    page.evaluate("location.hash = '#tiou=0.3&score=7&view=50-60&at=-1'")
    until(page, "location.hash.includes('tiou=0.3')")
    assert state(page, "[s.video.id, s.minScore, s.tiou, s.view, s.time]") == ["first", 0.4, 0.3, [50, 60], 30]
    page.evaluate("location.hash = '#video=gone'")
    expect(page.locator("#notice")).to_contain_text("There is no video “gone” here.")
    until(page, "location.hash.includes('video=first')")
    page.reload()
    ready(page)
    expect(page.locator("#notice")).to_be_hidden()
    other = ready(open_page(f"{address}#video=gone"))
    expect(other.locator("#notice")).to_contain_text("There is no video “gone” here.")


def held(page: Page, pattern: str) -> list[Route]:
    """Requests that wait until they are let go."""
    routes: list[Route] = []

    def hold(route: Route) -> None:
        routes.append(route)

    page.route(re.compile(pattern), hold)
    return routes


def waiting(page: Page, routes: list[Route], count: int) -> None:
    for _ in range(2000):
        if len(routes) >= count:
            return
        page.wait_for_timeout(10)
    raise AssertionError(f"{len(routes)} requests, not {count}")


OPEN = "document.querySelector('#video-list [aria-current=true]')?.dataset.id"


def test_of_videos_asked_for_the_last_is_opened_whatever_else_is_asked(open_page: Open, address: str) -> None:
    page = ready(open_page(f"{address}#video=first", expected="Failed to load resource"))
    projects = held(page, "api/project$")
    slow = held(page, "api/videos/(first|third)")
    page.reload()
    expect(page.locator(".loading")).to_have_text(re.compile("is being read"))
    waiting(page, projects, 1)
    projects[0].continue_()
    expect(page.locator("#panel > .loading")).to_have_text(re.compile("first is being opened"))
    assert page.locator("#panel > .loading").count() == 1
    slow[0].continue_()
    ready(page)

    page.click("[data-id=third]")
    waiting(page, slow, 2)
    page.select_option("#tiou", "0.7")  # while it is waited for
    waiting(page, slow, 3)
    assert slow[2].request.url.endswith("third?tiou=0.7")
    slow[2].continue_()
    until(page, f"{OPEN} === 'third'")
    expect(page.locator("#panel > .loading")).to_have_count(0)
    assert state(page, "[s.video.id, s.tiou]") == ["third", 0.7]

    page.click("[data-id=first]")
    waiting(page, slow, 4)
    page.click("[data-id=second]")  # which is not slow
    until(page, f"{OPEN} === 'second'")
    slow[3].abort()
    page.wait_for_timeout(50)
    assert state(page, "s.video.id") == "second"
    expect(page.locator("#notice")).to_be_hidden()
    expect(page.locator("#panel > .loading")).to_have_count(0)

    page.route(re.compile("tiou=0.6"), lambda route: route.abort())
    page.select_option("#tiou", "0.6")
    expect(page.locator("#notice")).to_be_visible()
    expect(page.locator("#tiou")).to_have_value("0.7")  # what is shown is what is judged


def test_the_list_learns_what_opening_a_video_tells(open_page: Open, address: str) -> None:
    def unknown(route: Route) -> None:
        answer = route.fetch().json()
        for video in answer["videos"]:
            video |= {"detections": None, "corrected": video["id"] == "third"}
        route.fulfill(json=answer)

    page = ready(open_page(f"{address}#video=second"))
    page.route("**/api/project", unknown)
    page.reload()
    ready(page)
    facts = {name: page.locator(f"[data-id={name}] .facts") for name in ("first", "second", "third")}
    expect(facts["second"]).to_have_text("0:50 · 1 detection · 1 action")
    expect(facts["first"]).to_have_text("1:40 · 4 actions")
    expect(facts["third"]).to_have_text("1:00 · 0 actions · corrected")
    page.click("[data-id=first]")
    expect(facts["first"]).to_have_text("1:40 · 18 detections · 4 actions")
    assert focused(page).startswith("first")


def lines(one: Locator) -> int:
    return int(one.evaluate("one => one.getClientRects().length"))


SORTED = """async () => {
  const { sortable } = await import('/static/sortable.js');
  const rows = [['a', 2], ['b', null], ['c', 1], ['d', null], ['e', 3]];
  const made = sortable([['Name', (row) => row[0]], ['Value', (row) => row[1], String]], rows, 'values', 1);
  const names = () => [...made.querySelectorAll('tbody tr')].map((one) => one.cells[0].textContent).join('');
  const up = names();
  made.querySelectorAll('th button')[1].click();
  return [up, names()];
}"""


def test_what_is_written_can_be_read(page: Page) -> None:
    assert page.evaluate(SORTED) == ["caebd", "eacbd"]  # what has no value comes last either way
    option = page.locator("#screen code")
    expect(option).to_have_text("--videos")
    for _ in range(2):
        page.keyboard.press("d")
        page.click("[data-kind=duplicate]")
        chip = page.locator("[data-kind=duplicate]")
        expect(chip).to_have_attribute("aria-pressed", "false")
        page.mouse.move(5, 790)
        style = chip.evaluate(
            "one => [getComputedStyle(one).color, getComputedStyle(one).opacity,"
            " getComputedStyle(document.body).backgroundColor]"
        )
        text, back = (luminance(np.array(re.findall(r"\d+", colour)[:3], float) / 255) for colour in style[::2])
        assert style[1] == "1"
        assert (max(text, back) + 0.05) / (min(text, back) + 0.05) >= 4.5
        page.click("[data-kind=duplicate]")
    for width in range(300, 420, 10):
        page.set_viewport_size({"width": width, "height": 800})
        assert lines(option) == 1, width


Colours = NDArray[np.float64]

# what people without one kind of cone see of linear RGB: Machado, Oliveira and Fernandes, 2009, severity 1
VISIONS = {
    "all cones": np.eye(3),
    "protanopia": [[0.152, 1.053, -0.205], [0.115, 0.786, 0.099], [-0.004, -0.048, 1.052]],
    "deuteranopia": [[0.367, 0.861, -0.228], [0.280, 0.673, 0.047], [-0.012, 0.043, 0.969]],
    "tritanopia": [[1.256, -0.077, -0.179], [-0.078, 0.931, 0.148], [0.005, 0.691, 0.304]],
}
TO_CONES = np.array([[0.4122, 0.5363, 0.0514], [0.2119, 0.6807, 0.1074], [0.0883, 0.2817, 0.6300]])
TO_OKLAB = np.array([[0.2105, 0.7936, -0.0041], [1.9780, -2.4286, 0.4506], [0.0259, 0.7828, -0.8087]])


def linear(colours: Colours) -> Colours:
    return np.where(colours <= 0.04045, colours / 12.92, ((colours + 0.055) / 1.055) ** 2.4)


def luminance(colour: Colours) -> float:
    return float(np.array([0.2126, 0.7152, 0.0722]) @ linear(colour))


def oklab(light: Colours) -> Colours:
    """(..., 3) lightness and two axes of colour, in which distances are about as they are seen."""
    seen: Colours = np.cbrt(light.clip(0, 1) @ TO_CONES.T) @ TO_OKLAB.T
    return seen


def palette(theme: str) -> Colours:
    """(7, 3) sRGB of the classes."""
    found = re.search(rf"{theme}: \[(.*)\]", (STATIC / "colours.js").read_text("utf-8"))
    assert found
    codes = re.findall("#(......)", found[1])
    return np.array([[int(code[at : at + 2], 16) / 255 for at in (0, 2, 4)] for code in codes])


def test_colours_are_told_apart_by_any_vision_and_keep_their_hue_in_both_themes() -> None:
    for theme in ("light", "dark"):
        for vision, matrix in VISIONS.items():
            seen = oklab(linear(palette(theme)) @ np.array(matrix).T)
            closest = min(float(np.linalg.norm(a - b)) for a, b in itertools.combinations(seen, 2))
            assert closest > 0.07, (theme, vision)
    hues = [np.angle(lab[:, 1] + 1j * lab[:, 2]) for lab in (oklab(linear(palette(one))) for one in ("light", "dark"))]
    apart = np.abs(np.angle(np.exp(1j * (hues[0] - hues[1]))))
    assert np.degrees(apart).max() < 30


@pytest.fixture
def dense(tmp_path: Path) -> ViewerOptions:
    """Two hours with 5,000 long detections of 20 classes."""
    rng = np.random.default_rng(0)
    starts, lengths, scores = rng.uniform(0, 7000, 5000), rng.uniform(20, 190, 5000), rng.uniform(0.001, 1, 5000)
    found = [
        row(f"class {i % 20}", float(start), float(start + length), float(score))
        for i, (start, length, score) in enumerate(zip(starts, lengths, scores, strict=True))
    ]
    (tmp_path / "found.json").write_text(json.dumps({"results": {"long": found}}), "utf-8")
    return ViewerOptions(tmp_path / "found.json")


ZOOM = """async () => {
  const { set } = await import('/static/state.js');
  for (let i = 0; i < 20; i += 1) {
    set({ view: [10 * i, 3600 + 10 * i] });
    await new Promise((drawn) => requestAnimationFrame(() => setTimeout(drawn)));
  }
}"""


def test_5000_detections_stay_fluid(
    open_page: Open, dense: ViewerOptions, record_property: Callable[[str, str], None]
) -> None:
    with serving(dense) as url:
        page = ready(open_page(f"{url}#score=0"))
        used = main_thread(page)
        page.reload()
        ready(page)
        loading = used()
        page.evaluate(ZOOM)
        before = used()
        page.evaluate(ZOOM)
        work = (used() - before) / 20
    record_property(
        "5,000 long detections",
        f"{1000 * work:.0f} ms of work for a frame of a zoom, {1000 * loading:.0f} ms for loading",
    )
    assert 0 < work < loading / 10
