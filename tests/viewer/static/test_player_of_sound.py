"""A sound file in a real headless Chromium: it is played, and the playhead goes with it."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from browsing import NEEDS_CHROMIUM, Open, labelling, serving, state, until
from playwright.sync_api import Page, expect
from sounding import Track, clicks, write_file

from actionformer.viewer.label import project_to_label

pytestmark = NEEDS_CHROMIUM


@pytest.fixture
def page(tmp_path: Path, open_page: Open) -> Iterator[Page]:
    folder = tmp_path / "recordings"
    folder.mkdir()
    write_file(folder / "talk.wav", Track(clicks([1.0], 3.0, 16_000), 16_000, "pcm_s16le"))
    with serving(project_to_label(folder, tmp_path / "labels.json", ["cough"])) as url:
        yield labelling(open_page(url))


def test_a_sound_file_is_played_and_stepped_through_by_10_ms(page: Page) -> None:
    until(page, "document.querySelector('video')?.readyState >= 2")
    expect(page.locator("#player")).to_contain_text("/ 0:03.00")
    page.keyboard.press(" ")
    until(page, "document.querySelector('video').currentTime > 0.2")
    page.keyboard.press(" ")
    page.keyboard.press("Home")
    page.keyboard.press(".")
    assert state(page, "s.time") == pytest.approx(0.01)
