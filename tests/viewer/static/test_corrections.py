"""Corrections in a real headless Chromium: what is changed is saved, whatever happens meanwhile."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from browsing import NEEDS_CHROMIUM, Open, ready, serving, state, until
from playwright.sync_api import Page, Route, expect

from actionformer.formats.annotations import read_annotations
from actionformer.viewer.options import ViewerOptions

pytestmark = NEEDS_CHROMIUM

PUTS = "**/api/corrections/**"
LEFT, RIGHT, RULER = 150, 8, 24  # pixels of the timeline that show no time
SLOW_SAVES = """() => {
  const send = window.fetch;
  window.fetch = async (address, options) => {
    if (options?.method === "PUT") await new Promise((done) => setTimeout(done, 1000));
    return send(address, options);
  };
}"""


def row(label: str, start: float, end: float) -> dict[str, Any]:
    return {"label": label, "segment": [start, end]}


@pytest.fixture
def given(tmp_path: Path) -> ViewerOptions:
    """Two videos of 20 s; the actions of the first do not stand in the order of time."""
    actions = [row("jump", 9.0, 9.1), row("run", 2.0, 4.0)]
    found = [row("run", 2.0, 3.9) | {"score": 0.9}, row("jump", 14.0, 15.0) | {"score": 0.8}]
    (tmp_path / "found.json").write_text(json.dumps({"results": {"first": found, "second": found[:1]}}), "utf-8")
    database = {
        "first": {"subset": "test", "duration": 20.0, "annotations": actions},
        "second": {"subset": "test", "duration": 20.0, "annotations": actions[:1]},
    }
    (tmp_path / "annotations.json").write_text(json.dumps({"database": database}), "utf-8")
    corrections = tmp_path / "corrected.json"
    return ViewerOptions(tmp_path / "found.json", annotations=tmp_path / "annotations.json", corrections=corrections)


@pytest.fixture
def address(given: ViewerOptions) -> Iterator[str]:
    with serving(given) as url:
        yield url


@pytest.fixture
def page(open_page: Open, address: str) -> Page:
    """The first video, being corrected."""
    return correcting(ready(open_page(f"{address}#video=first")))


def correcting(page: Page) -> Page:
    page.keyboard.press("e")
    expect(page.locator("#saved")).to_be_visible()
    return page


def saved(page: Page) -> None:
    expect(page.locator("#saved")).to_have_text("Saved in corrected.json")


def kept(given: ViewerOptions, video: str = "first") -> list[tuple[str, float, float]]:
    """Class, start and end of the actions in the file, in the order of time."""
    assert given.corrections is not None
    annotations = read_annotations(given.corrections)
    actions = annotations.videos[video]
    rows = zip(actions.labels.tolist(), actions.segments.tolist(), strict=True)
    return [(annotations.class_names[label], round(start, 3), round(end, 3)) for label, (start, end) in rows]


def at(page: Page, action: int, seconds: float) -> tuple[float, float]:
    """Where on the screen a time of an action lies."""
    label, down = page.evaluate(
        "async (index) => { const { layOut } = await import('/static/lanes.js');"
        " const { state } = await import('/static/state.js'); const { label } = state.actions[index];"
        " return [label, layOut(state).find((lane) => lane.label === label).actionTop + 6]; }",
        action,
    )
    assert label >= 0
    lanes = page.locator("#lanes").bounding_box()
    assert lanes is not None
    start, end = state(page, "s.view")
    across = (lanes["width"] - LEFT - RIGHT) * (seconds - start) / (end - start)
    return lanes["x"] + LEFT + across, lanes["y"] + RULER + down


def seek(page: Page, seconds: int) -> None:
    page.keyboard.press("Home")
    for _ in range(seconds):
        page.keyboard.press("Shift+ArrowRight")


def test_what_is_corrected_is_saved_as_annotations_and_the_original_stays(page: Page, given: ViewerOptions) -> None:
    assert given.annotations is not None
    original = given.annotations.read_text("utf-8")
    expect(page.locator("#saved")).to_have_text("Changes go to corrected.json")
    page.keyboard.press("n")
    page.keyboard.press("Shift+ArrowRight")
    page.keyboard.press("o")  # it ends at one second
    page.select_option("#label", label="run")
    saved(page)
    assert kept(given) == [("run", 0, 1), ("run", 2, 4), ("jump", 9, 9.1)]
    for _ in range(3):
        page.keyboard.press("Control+z")
    expect(page.locator("#undo")).to_be_disabled()
    x, y = at(page, 1, 4.0)
    page.mouse.move(x - 1, y)
    page.mouse.down()
    page.mouse.move(at(page, 1, 4.5)[0], y, steps=4)
    page.mouse.up()
    saved(page)
    assert kept(given)[0][2] == pytest.approx(4.5, abs=0.1)
    page.click("#delete")
    page.click("#edit")
    expect(page.locator("#saved")).to_be_hidden()
    assert kept(given) == [("jump", 9, 9.1)]
    until(page, "document.getElementById('truth')?.value === 'corrected'")  # what was corrected is what is shown
    assert state(page, "s.actions.map(one => one.found)") == [False]
    page.select_option("#truth", "annotated")
    until(page, "async () => (await import('/static/state.js')).state.actions.length === 2")
    assert given.annotations.read_text("utf-8") == original


def test_after_a_restart_the_page_says_what_was_corrected(page: Page, given: ViewerOptions, open_page: Open) -> None:
    page.keyboard.press("n")
    saved(page)
    with serving(given) as url:
        again = ready(open_page(f"{url}#video=first"))
        expect(again.locator("#corrections")).to_contain_text("This video has been corrected")
        expect(again.locator("#truth")).to_have_value("annotated")
        correcting(again)
        assert state(again, "s.actions.length") == 3


def test_what_is_changed_during_a_save_is_saved_after_it(page: Page, given: ViewerOptions) -> None:
    page.evaluate(SLOW_SAVES)
    for _ in range(3):  # the second waits for the first save, and so does the third
        page.keyboard.press("n")
        page.wait_for_timeout(500)
    saved(page)
    assert [label for label, start, _ in kept(given) if start == 0] == [kept(given)[0][0]] * 3


def test_what_is_deleted_while_it_is_dragged_is_gone_and_nothing_else_changes(page: Page, given: ViewerOptions) -> None:
    x, y = at(page, 1, 3.0)
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 20, y, steps=3)
    page.keyboard.press("Delete")
    page.mouse.move(x + 60, y, steps=3)
    page.mouse.up()
    saved(page)
    assert kept(given) == [("jump", 9, 9.1)]


def test_what_is_undone_before_it_is_saved_stops_no_later_save(page: Page, given: ViewerOptions) -> None:
    page.keyboard.press("n")
    page.keyboard.press("Control+z")
    page.wait_for_timeout(600)
    expect(page.locator("#saved")).to_contain_text("Saved in")
    page.keyboard.press("n")
    expect(page.locator("#saved")).to_have_text("Not saved yet.")
    saved(page)
    assert len(kept(given)) == 3


def test_of_two_who_correct_one_video_the_second_chooses(open_page: Open, address: str, given: ViewerOptions) -> None:
    one, other = (correcting(ready(open_page(f"{address}#video=first", expected="409"))) for _ in range(2))
    one.keyboard.press("n")
    saved(one)
    other.keyboard.press("n")
    expect(other.locator("#saved")).to_contain_text("someone else changed this video")
    expect(other.locator("#notice")).to_be_hidden()  # which would say it twice
    other.click("#theirs")
    until(other, "document.getElementById('theirs') === null && document.getElementById('undo')?.disabled")
    assert state(other, "s.actions.length") == 3
    other.keyboard.press("n")
    saved(other)
    assert len(kept(given)) == 4
    one.keyboard.press("Control+z")
    expect(one.locator("#mine")).to_be_visible()
    one.keyboard.press("n")  # what follows a conflict is kept as well
    one.click("#edit")
    one.keyboard.press("Control+z")
    one.wait_for_timeout(500)
    one.click("#mine")
    saved(one)
    expect(one.locator("#mine")).to_be_hidden()
    assert len(kept(given)) == 2


def warns(page: Page) -> bool:
    """Whether leaving the page asks first."""
    leaves = "dispatchEvent(new Event('beforeunload', { cancelable: true }))"
    return not page.evaluate(leaves)


def test_what_cannot_be_saved_is_kept_until_it_can(open_page: Open, address: str, given: ViewerOptions) -> None:
    page = correcting(ready(open_page(f"{address}#video=first", expected="Failed to load resource")))

    def fail(route: Route) -> None:
        if route.request.method == "PUT":
            route.abort()
        else:
            route.continue_()

    page.route(PUTS, fail)
    assert not warns(page)
    page.keyboard.press("n")
    expect(page.locator("#saved")).to_contain_text("Not saved: The server does not answer")
    page.click("#edit")
    expect(page.locator("#saved")).to_be_visible()  # Done throws nothing away
    page.click("#video-list [data-id=first]")  # nor does opening the same video
    page.wait_for_timeout(200)
    assert state(page, "s.editing && s.actions.length") == 3
    page.click("#video-list [data-id=second]")
    expect(page.locator("#notice")).to_contain_text("The corrections of first are kept on this page only")
    expect(page.locator("#edit")).to_have_text("Correct the annotations")
    assert warns(page)
    page.unroute(PUTS)
    page.click("#video-list [data-id=first]")
    expect(page.locator("#edit")).to_contain_text("Go on correcting")
    page.click("#edit")
    saved(page)
    assert state(page, "s.actions.length") == 3 == len(kept(given))
    assert not warns(page)
    page.keyboard.press("Control+z")  # what was done before can still be undone
    saved(page)
    assert len(kept(given)) == 2


def test_a_short_action_keeps_its_length_and_its_tools_while_it_is_dragged(page: Page, given: ViewerOptions) -> None:
    for _ in range(4):
        page.evaluate("async () => (await import('/static/navigation.js')).zoom(0.5, 9)")
    x, y = at(page, 0, 9.05)
    page.mouse.click(x, y)
    page.evaluate("document.getElementById('label').dragged = true")
    page.mouse.down()
    page.mouse.move(at(page, 0, 8.55)[0], y, steps=5)
    assert page.evaluate("document.getElementById('label').dragged")  # not made anew at every move
    page.mouse.up()
    saved(page)
    assert state(page, "s.actions[0].segment") == pytest.approx([8.5, 8.6], abs=0.01)
    start, end = state(page, "s.actions[0].segment")
    assert end - start == pytest.approx(0.1)


def test_all_tools_work_by_touch_and_by_keyboard(page: Page, given: ViewerOptions) -> None:
    page.keyboard.press("Delete")
    expect(page.locator("#hint")).to_contain_text("No action is chosen")
    assert state(page, "s.actions.length") == 2
    seek(page, 10)
    page.click("#add")  # of the class of the last action before, which is not the last in the list
    assert state(page, "s.project.classes[s.actions[2].label]") == "jump"
    seek(page, 11)
    page.click("#starts")
    page.keyboard.press("Shift+ArrowRight")
    page.click("#ends")
    assert state(page, "s.actions[2].segment") == [11, 12]
    page.focus("#ends")
    while page.evaluate("document.activeElement.id") != "label":
        page.keyboard.press("Tab")
    page.keyboard.press("ArrowDown")
    assert state(page, "s.project.classes[s.actions[2].label]") == "run"
    assert page.evaluate("document.activeElement.id") == "label"
    page.mouse.click(*at(page, 0, 9.05))
    seek(page, 13)
    page.keyboard.press("n")  # what is chosen gives the class
    assert state(page, "s.project.classes[s.actions[3].label]") == "jump"
    saved(page)
    assert kept(given)[-2:] == [("run", 11, 12), ("jump", 13, 15)]
