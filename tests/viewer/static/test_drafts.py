"""Drafts in a real headless Chromium: detections are accepted, mended and rejected, one key each."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from browsing import NEEDS_CHROMIUM, Open, labelling, serving, state
from playwright.sync_api import Page, expect

from actionformer.core.detections import Detections
from actionformer.formats.annotations import read_annotations
from actionformer.formats.detections import write_results
from actionformer.viewer.label import project_to_label
from actionformer.viewer.project import Project

pytestmark = NEEDS_CHROMIUM


@pytest.fixture
def project(tmp_path: Path, videos: Path) -> Project:
    """A video of 6 s with five drafts, of which one is not shown at first."""
    (tmp_path / "videos").mkdir()
    shutil.copy(videos / "clip0.mp4", tmp_path / "videos")
    segments = [[1.0, 2.0], [0.2, 0.8], [3.0, 3.5], [4.0, 5.0], [5.0, 5.5]]
    found = Detections(segments, [0.9, 0.55, 0.8, 0.35, 0.1], [0, 1, 0, 1, 0], ("jump", "wave"))
    write_results(tmp_path / "found.json", {"clip0": found})
    return project_to_label(tmp_path / "videos", tmp_path / "labels.json", drafts=tmp_path / "found.json")


@pytest.fixture
def address(project: Project) -> Iterator[str]:
    with serving(project) as url:
        yield url


@pytest.fixture
def page(address: str, open_page: Open) -> Page:
    return labelling(open_page(f"{address}#video=clip0"))


def kept(project: Project) -> list[tuple[str, float, float]]:
    assert project.labelling is not None
    annotations = read_annotations(project.labelling.file)
    one = annotations.videos["clip0"]
    rows = zip(one.labels.tolist(), one.segments.tolist(), strict=True)
    return [(annotations.class_names[label], start, end) for label, (start, end) in rows]


def saved(page: Page) -> None:
    expect(page.locator("#saved")).to_have_text("Saved in labels.json")


def chosen(page: Page) -> object:
    """The segment of the chosen draft or action."""
    return state(
        page, "s.chosen && (s.chosen.type === 'action' ? s.actions : s.video.detections)[s.chosen.index].segment"
    )


def test_drafts_are_decided_by_a_key_each_and_only_accepted_ones_are_written(page: Page, project: Project) -> None:
    assert project.labelling is not None
    assert state(page, "s.actions.length") == 0
    page.keyboard.press("Enter")  # goes to the first
    assert chosen(page) == [0.2, 0.8]
    assert state(page, "s.looping && s.playing")
    assert not project.labelling.file.exists()
    page.keyboard.press("Enter")
    assert chosen(page) == [1, 2]
    page.keyboard.press("x")
    assert chosen(page) == [3, 3.5]
    page.keyboard.press("]")
    page.keyboard.press("Enter")
    assert chosen(page) == [3, 3.5]  # which was passed over
    saved(page)
    assert kept(project) == [("wave", 0.2, 0.8), ("wave", 4, 5)]
    page.keyboard.press("Control+z")
    page.keyboard.press("Control+z")
    assert state(page, "s.decided") == [state(page, "s.video.detections.findIndex((one) => one.score === 0.55)")]
    page.keyboard.press("Control+y")
    saved(page)
    expect(page.locator("#video-list [data-id=clip0] .facts")).to_have_text("0:06 · 1 action · 2 drafts · begun")
    page.reload()
    labelling(page)
    assert state(page, "[s.actions.length, s.decided.length]") == [1, 2]  # what was rejected is not offered again


def test_a_draft_is_mended_by_what_is_done_to_an_action(page: Page, project: Project) -> None:
    page.keyboard.press("]")
    page.keyboard.press(" ")
    page.keyboard.press("r")
    assert chosen(page) == pytest.approx([0.2, 0.9])
    assert state(page, "s.chosen.type") == "action"
    page.keyboard.press("Enter")  # on to the next
    page.keyboard.press(" ")
    lane = page.evaluate(
        "async () => { const { layOut } = await import('/static/lanes.js');"
        " const { state } = await import('/static/state.js');"
        " const lane = layOut(state).find((one) => one.label === 0);"
        " const { scale } = (await import('/static/surface.js')).geometry();"
        " return [scale.x(2) - 1, 24 + lane.top + 10, scale.x(2.5) - scale.x(2)]; }"
    )
    box = page.locator("#lanes").bounding_box()
    assert box is not None
    x, y = box["x"] + lane[0], box["y"] + lane[1]
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + lane[2], y, steps=4)
    page.mouse.up()
    page.select_option("#label", label="wave")
    saved(page)
    (_, start, end), (label, later, last) = kept(project)
    assert (start, end, label, later) == (0.2, pytest.approx(0.9), "wave", 1)
    assert last == pytest.approx(2.5, abs=0.05)


def test_all_that_are_shown_are_accepted_at_once_and_undone_at_once(page: Page, project: Project) -> None:
    page.keyboard.press("Shift+A")
    saved(page)
    assert len(kept(project)) == 4
    page.keyboard.press("Enter")
    expect(page.locator("#spoken")).to_contain_text("No draft is left")
    page.keyboard.press("Control+z")
    assert state(page, "[s.actions.length, s.decided.length]") == [0, 0]
    page.keyboard.press("Shift+S")
    for _ in range(5):
        page.keyboard.press("Shift+S")
    expect(page.locator("#shown")).to_have_text("5 of 5 drafts")


def test_the_least_sure_come_first_where_that_is_asked_for(page: Page) -> None:
    page.select_option("#draft-order", "unsure")
    page.click("#next-draft")
    scores = []
    for _ in range(4):
        scores.append(state(page, "s.video.detections[s.chosen.index].score"))
        page.click("#accept")
    assert scores == [0.55, 0.35, 0.8, 0.9]
    assert state(page, "s.playing") is False  # none is left
