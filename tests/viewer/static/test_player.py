"""Playing, in a real headless Chromium: the video and the clock that stands in for it."""

import pytest
from browsing import NEEDS_CHROMIUM, state, until
from playwright.sync_api import Page, expect

pytestmark = NEEDS_CHROMIUM


@pytest.fixture
def page(page: Page) -> Page:
    """The page when its video can be played."""
    until(page, "document.querySelector('video')?.readyState >= 2")
    return page


def test_the_chosen_speed_comes_back_after_j_and_l(page: Page) -> None:
    rate = page.locator("#rate")
    page.keyboard.press("End")
    for _ in range(2):
        page.keyboard.press("j")
    expect(rate).to_have_text("\N{MINUS SIGN}2\N{MULTIPLICATION SIGN}")
    page.keyboard.press("k")
    assert state(page, "[s.playing, s.rate]") == [False, 1]
    expect(rate).to_have_text("")
    page.keyboard.press("Home")
    page.keyboard.press("j")
    until(page, "document.getElementById('play').getAttribute('aria-label') === 'Play'")  # it is at the beginning
    page.select_option("#speed", "2")
    page.locator("#speed").blur()
    page.keyboard.press(" ")
    until(page, "document.querySelector('video').currentTime > 0.3")
    assert page.evaluate("document.querySelector('video').playbackRate") == 2


def test_a_late_ended_event_does_not_stop_playing_backwards(page: Page) -> None:
    page.keyboard.press("End")
    page.keyboard.press("j")
    page.evaluate("document.querySelector('video').dispatchEvent(new Event('ended'))")
    assert state(page, "[s.playing, s.rate]") == [True, -1]


def test_sound_stays_on_from_video_to_video(page: Page) -> None:
    sound = page.get_by_label("Sound on or off")
    expect(sound).to_have_text("Sound")
    sound.click()
    expect(sound).to_have_text("Mute")
    page.click("#video-list li:last-child button")
    until(page, "document.querySelector('video')?.readyState >= 2")
    assert page.evaluate("document.querySelector('video').muted") is False
    expect(page.locator("#player")).to_contain_text("/ 0:06.00")
