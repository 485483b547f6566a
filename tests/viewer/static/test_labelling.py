"""Labelling in a real headless Chromium: from videos without annotations to a file that can be trained on."""

import json
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from browsing import NEEDS_CHROMIUM, Open, labelling, serving, state, until
from playwright.sync_api import Page, expect

from actionformer.formats.annotations import read_annotations
from actionformer.viewer.label import project_to_label

pytestmark = NEEDS_CHROMIUM

CLASSES = ("wave", "jump")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, videos: Path) -> Path:
    """Two videos of 6 s with 10 frames a second, and one that cannot be opened."""
    folder = tmp_path_factory.mktemp("to_label")
    for name in ("clip0.mp4", "clip1.mp4"):
        shutil.copy(videos / name, folder)
    (folder / "broken.mp4").write_bytes(b"no video")
    return folder


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "labels.json"


@pytest.fixture
def address(folder: Path, out: Path) -> Iterator[str]:
    with serving(project_to_label(folder, out, CLASSES)) as url:
        yield url


@pytest.fixture
def page(address: str, open_page: Open) -> Page:
    return labelling(open_page(f"{address}#video=clip0"))


def seek(page: Page, seconds: float) -> None:
    page.evaluate("async (time) => (await import('/static/player.js')).seek(time)", seconds)


def marked(page: Page, key: str, start: float, end: float) -> None:
    seek(page, start)
    page.keyboard.press(key)
    seek(page, end)
    page.keyboard.press(key)


def saved(page: Page) -> None:
    expect(page.locator("#saved")).to_have_text("Saved in labels.json")


def kept(out: Path, video: str = "clip0") -> list[tuple[str, float, float]]:
    """Class, start and end of the actions in the file, in the order of time."""
    annotations = read_annotations(out)
    one = annotations.videos[video]
    rows = zip(one.labels.tolist(), one.segments.tolist(), strict=True)
    return [(annotations.class_names[label], start, end) for label, (start, end) in rows]


def test_a_key_begins_and_ends_an_action_while_the_video_plays(page: Page, out: Path) -> None:
    page.keyboard.press(" ")
    until(page, "async () => (await import('/static/state.js')).state.time > 0.2")
    page.keyboard.press("1")
    expect(page.locator("#class-0")).to_have_attribute("aria-pressed", "true")
    page.keyboard.press("2")  # two classes can go on at once
    began = state(page, "s.running.map(({ start }) => start)")
    until(page, "async (time) => (await import('/static/state.js')).state.time > time", began[1] + 0.3)
    page.keyboard.press("1")
    page.keyboard.press("2")
    page.keyboard.press(" ")
    saved(page)
    (first, start, end), (second, later, last) = kept(out)
    assert (first, second) == CLASSES
    assert [start, later] == pytest.approx(began, abs=1e-4)
    assert end - start > 0.3
    assert last >= end
    expect(page.locator("#video-list [data-id=clip0] .facts")).to_have_text("0:06 · 2 actions · begun")
    assert not read_annotations(out).videos.keys() - {"clip0"}


def test_what_began_is_let_go_or_ended_before_it_began(page: Page, out: Path) -> None:
    page.keyboard.press("1")
    page.keyboard.press("Escape")
    assert state(page, "s.running") == []
    marked(page, "2", 4.0, 3.0)
    saved(page)
    assert kept(out) == [("jump", 3, 4)]
    page.keyboard.press("5")
    expect(page.locator("#hint")).to_contain_text("There is no class 5")
    expect(page.locator("#spoken")).to_contain_text("There is no class 5")


def test_ends_are_moved_by_frames_and_the_chosen_one_is_looped(page: Page, out: Path) -> None:
    marked(page, "1", 1.0, 2.0)
    for key in "qqwrre":  # the start goes one frame back in sum, the end one on
        page.keyboard.press(key)
    saved(page)
    ((_, start, end),) = kept(out)
    assert (start, end) == pytest.approx((0.9, 2.1))
    page.keyboard.press("v")
    page.keyboard.press(" ")
    page.evaluate(
        "async () => { const { state, on } = await import('/static/state.js'); window.times = [];"
        " on(['time'], () => window.times.push(state.time)); }"
    )
    until(page, "times.some((time, i) => i && time < times[i - 1] - 0.5)")  # from its end back to its start
    page.keyboard.press(" ")
    assert page.evaluate("Math.max(...times.slice(1))") < 2.1 + 0.6


def test_a_video_is_done_and_the_next_one_opens(page: Page, out: Path) -> None:
    page.keyboard.press("f")
    saved(page)
    assert kept(out) == []  # nothing happens in it, which is written
    page.click("#done")
    saved(page)
    assert json.loads(out.read_text("utf-8"))["database"] == {}
    page.click("#done")
    page.click("#next-video")
    until(page, "async () => (await import('/static/state.js')).state.video.id === 'clip1'")
    labelling(page)
    expect(page.locator("#video-count")).to_have_text("3 videos · 1 done")
    expect(page.locator("#video-list [data-id=clip0] .facts")).to_contain_text("nothing happens · ✓ done")
    marked(page, "1", 1.0, 2.0)
    page.keyboard.press("Shift+ArrowUp")  # what is not saved yet is saved when it is left
    until(page, "async () => (await import('/static/state.js')).state.video.id === 'clip0'")
    expect(page.locator("#done")).to_have_text("✓ This video is done")
    last = time.monotonic() + 20
    while "clip1" not in read_annotations(out).videos and time.monotonic() < last:
        page.wait_for_timeout(20)  # the next video opens at once, also while the one before is being saved
    assert kept(out, "clip1") == [("wave", 1, 2)]


def test_a_video_that_cannot_be_opened_is_said_in_the_list(address: str, open_page: Open) -> None:
    page = labelling(open_page(address, expected="404"))
    assert state(page, "s.video.id") == "clip0"  # the first that can be
    expect(page.locator("#video-list [data-id=broken]")).to_contain_text("Cannot be opened: broken.mp4: not a readable")
    page.click("#video-list [data-id=broken]")
    expect(page.locator("#notice")).to_contain_text("cannot be labelled")
    expect(page.locator("#labelling")).to_be_hidden()


def test_classes_are_added_renamed_and_picked_by_typing(address: str, open_page: Open, out: Path) -> None:
    page = labelling(open_page(f"{address}#video=clip0", expected="400"))
    marked(page, "1", 1.0, 2.0)
    page.keyboard.press("g")
    page.keyboard.type("<i>跳ぶ</i> 👋")
    page.keyboard.press("Enter")
    expect(page.locator("#ask .names input")).to_have_count(3)
    page.keyboard.type("wave")
    page.keyboard.press("Enter")
    expect(page.locator("#ask [role=alert]")).to_contain_text("there is a class 'wave' already")
    page.locator("#ask .names input").first.fill("wink")
    page.keyboard.press("Tab")
    expect(page.locator("#class-0")).to_contain_text("wink")
    expect(page.locator("#inspector h2")).to_have_text("wink")
    page.keyboard.press("Escape")
    page.keyboard.press("c")
    page.keyboard.type("跳")
    expect(page.locator("#picked [aria-selected=true]")).to_have_text("<i>跳ぶ</i> 👋")
    page.keyboard.press("Enter")
    saved(page)
    assert kept(out) == [("<i>跳ぶ</i> 👋", 1, 2)]
    page.keyboard.press("c")
    page.evaluate(
        "() => { const input = document.activeElement; input.closest('dialog').close();"
        " input.dispatchEvent(new KeyboardEvent('keydown', { key: '2', bubbles: true })); }"
    )
    assert state(page, "s.running.map(({ label }) => label)") == [1]  # a key is not lost that is pressed at once
    page.keyboard.press("Escape")
    for after in (0.0, 1.0):
        seek(page, 3.0 + after)
        page.keyboard.press("t")
        page.keyboard.type("Sit")
        if after == 0:
            page.keyboard.press("ArrowUp")  # the last that is offered: the new one
        page.keyboard.press("Enter")
        expect(page.locator("#ask")).to_have_count(0)
    expect(page.locator("#hint")).to_be_hidden()  # the dialog's Enter goes to no draft
    saved(page)
    assert kept(out)[1:] == [("Sit", 3, 4)]
    assert json.loads(out.read_text("utf-8"))["labelling"]["classes"] == ["wink", "jump", "<i>跳ぶ</i> 👋", "Sit"]


def test_a_reload_keeps_all(page: Page, out: Path) -> None:
    marked(page, "2", 1.0, 2.0)
    page.keyboard.press("g")
    page.keyboard.type("sit")
    page.keyboard.press("Enter")
    expect(page.locator("#class-2")).to_be_attached()
    page.keyboard.press("Escape")
    saved(page)
    page.reload()
    labelling(page)
    assert state(page, "[s.video.id, s.actions]") == ["clip0", [{"segment": [1, 2], "label": 1}]]
    expect(page.locator("#class-2")).to_contain_text("sit")


def test_two_pages_do_not_overwrite_one_another(address: str, open_page: Open, out: Path) -> None:
    one, other = (labelling(open_page(f"{address}#video=clip0", expected="409")) for _ in range(2))
    one.keyboard.press("g")
    one.keyboard.type("sit")
    one.keyboard.press("Enter")
    expect(one.locator("#class-2")).to_be_attached()
    one.keyboard.press("Escape")
    marked(one, "3", 1.0, 2.0)
    saved(one)
    marked(other, "1", 3.0, 4.0)
    expect(other.locator("#saved")).to_contain_text("someone else changed this video")
    other.click("#theirs")
    until(other, "document.getElementById('theirs') === null && document.getElementById('undo')?.disabled")
    expect(other.locator("#class-2")).to_contain_text("sit")  # their classes, too
    marked(other, "1", 3.0, 4.0)
    saved(other)
    assert kept(out) == [("sit", 1, 2), ("wave", 3, 4)]
    one.evaluate("dispatchEvent(new Event('focus'))")  # who comes back to a page
    expect(one.locator("#saved")).to_have_text("Changed elsewhere: this is what is saved now.")
    assert state(one, "s.actions.length") == 2


def test_a_page_knows_what_is_done_on_others(folder: Path, out: Path, address: str, open_page: Open) -> None:
    page = labelling(open_page(f"{address}#video=clip0"))
    with serving(project_to_label(folder, out, CLASSES)) as url:
        other = labelling(open_page(f"{url}#video=clip1"))
        marked(other, "1", 1.0, 2.0)
        other.keyboard.press("f")
        saved(other)
        other.keyboard.press("g")
        other.locator("#ask .names input").first.fill("wink")
        other.keyboard.press("Enter")
        expect(other.locator("#class-0")).to_contain_text("wink")
        page.keyboard.press("Shift+Enter")
        expect(page.locator("#notice")).to_contain_text("All videos of this list are done, but for 1 that cannot")
        expect(page.locator("#video-list [data-id=clip1] .facts")).to_have_text("0:06 · 1 action · ✓ done")
        expect(page.locator("#class-0")).to_contain_text("wink")
        other.close()


def test_all_works_by_keyboard_and_is_named(page: Page) -> None:
    page.keyboard.press("?")
    expect(page.locator("#keys")).to_contain_text("An action of this class begins here")
    expect(page.locator("#keys")).not_to_contain_text("Next error")
    page.keyboard.press("?")
    page.focus("#class-0")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")  # a button that was reached by keyboard is pressed by it
    assert state(page, "s.running.map(({ label }) => label)") == [1]
    nameless = page.evaluate(
        "[...document.querySelectorAll('button, select, input')].filter((one) => !one.closest('[hidden]') &&"
        " !(one.textContent.trim() || one.getAttribute('aria-label') || one.labels?.length))"
    )
    assert nameless == []
    expect(page.locator("[role=tablist]")).to_be_hidden()


def test_of_many_classes_nine_have_a_key_and_the_others_are_typed(open_page: Open, folder: Path, out: Path) -> None:
    names = [f"class {i}" for i in range(1, 31)]
    with serving(project_to_label(folder, out, names)) as url:
        page = labelling(open_page(f"{url}#video=clip0"))
        expect(page.locator("#labelling .chip.class")).to_have_count(9)
        expect(page.locator("#more-classes")).to_contain_text("21 more")
        page.keyboard.press("t")
        page.keyboard.type("class 30")
        page.keyboard.press("Enter")
        expect(page.locator("#class-29")).to_have_attribute("aria-pressed", "true")  # shown while it goes on
        seek(page, 2.0)
        page.keyboard.press("m")
        saved(page)
        assert kept(out) == [("class 30", 0, 2)]
        page.close()


def test_hundreds_of_videos_are_listed(open_page: Open, folder: Path, out: Path, tmp_path: Path) -> None:
    many = tmp_path / "many"
    many.mkdir()
    shutil.copy(folder / "clip0.mp4", many / "video0.mp4")
    for i in range(1, 300):
        (many / f"video{i}.mp4").symlink_to(many / "video0.mp4")
    with serving(project_to_label(many, out, CLASSES)) as url:
        page = labelling(open_page(url))
        expect(page.locator("#video-count")).to_have_text("300 videos · 0 done")
        page.keyboard.press("Shift+Enter")
        expect(page.locator("#video-count")).to_have_text("300 videos · 1 done")
        until(page, "async () => (await import('/static/state.js')).state.video.id === 'video1'")
        page.close()
