"""The review meeting in a real Chromium: fifteen gaps by keyboard, on a wide screen and a phone, light and dark."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.support.board_windows import Window, fits, serious

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed (the test group has it)")

pytestmark = pytest.mark.slow


def at(page: Any, number: int) -> None:
    """Wait until the meeting is at its gap of this number, and the keyboard at its title."""
    playwright.expect(page.locator("#gap-title")).to_contain_text(f"Gap {number} of 15")
    playwright.expect(page.locator("#gap-title")).to_be_focused()


def press(page: Any, *keys: str) -> None:
    """Press keys one after the other; those after the first go to the dialog that it opens."""
    page.keyboard.press(keys[0])
    if len(keys) > 1:
        playwright.expect(page.locator("#dialog")).to_be_visible()
    for key in keys[1:]:
        page.keyboard.press(key)


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_fifteen_gaps_are_decided_by_keyboard(board: str, window: Window, width: int, scheme: str) -> None:
    """From the backlog to the minutes without a mouse: all that a meeting does, and axe."""
    page = window(board, width=width, color_scheme=scheme)
    press(page, "m")
    playwright.expect(page.get_by_role("button", name="Begin the meeting")).to_be_focused()
    page.keyboard.press("Enter")
    at(page, 1)
    assert fits(page)
    assert serious(page) == []
    page.emulate_media(color_scheme=scheme)
    press(page, "o")
    page.keyboard.press("Tab")
    page.locator("#dialog [name=owner_id]").select_option(label="Björn Lindqvist")
    page.locator("#dialog [name=due]").fill("2027-01-15")
    page.keyboard.press("Enter")
    at(page, 1)
    press(page, "c", *"ask legal first")
    page.keyboard.press("Control+Enter")
    at(page, 1)
    press(page, "e")
    playwright.expect(page.locator("#dialog [name=title]")).to_be_focused()
    page.keyboard.press("Control+a")
    page.keyboard.type("Give every parcel a label of its own")
    page.keyboard.press("Enter")
    playwright.expect(page.locator("#gap-title")).to_contain_text("Give every parcel a label of its own")
    playwright.expect(page.locator(".found-as")).to_contain_text("How to split a return between two parcels")
    press(page, "t")
    playwright.expect(page.locator("#dialog .talk li")).to_have_count(5)
    first = page.locator("#dialog h2").inner_text()
    page.keyboard.press("n")
    playwright.expect(page.locator("#dialog h2")).not_to_have_text(first)
    assert serious(page) == []
    page.keyboard.press("Escape")
    playwright.expect(page.locator(".chapters")).to_have_text("What to write")
    press(page, "v")
    playwright.expect(page.locator("#dialog .draft")).to_contain_text("two parcels")  # the draft is the run's
    page.keyboard.press("Escape")
    press(page, "a")
    at(page, 2)
    press(page, "d", "2", "Enter")
    at(page, 3)
    press(page, "s", "3", "Enter")
    at(page, 4)
    press(page, "g")
    playwright.expect(page.locator("#dialog [name=q]")).to_be_focused()
    page.keyboard.type("every parcel", delay=30)
    playwright.expect(page.locator("#merge-choices label")).to_have_count(1)
    for key in ("Tab", "Space", "Enter"):
        page.keyboard.press(key)
    at(page, 5)
    press(page, "u")
    at(page, 4)
    press(page, "n")
    at(page, 5)
    press(page, "p")
    at(page, 4)
    for number in range(4, 15):
        press(page, "a")
        at(page, number + 1)
    press(page, "a")
    playwright.expect(page.locator("#minutes h1")).to_contain_text("Knowledge gaps: minutes of")
    told = page.locator("#minutes").inner_text()
    assert "15 of 15 gaps decided: 13 accepted, 1 dismissed, 1 snoozed." in told
    assert "ask legal first" in told
    assert "Björn Lindqvist: Give every parcel a label of its own (missing, rank 1), due 15 Jan 2027" in told
    assert fits(page)
    assert serious(page) == []
    with page.expect_download() as saved:
        page.keyboard.press("s")
    assert saved.value.suggested_filename.startswith("minutes-")
    assert Path(saved.value.path()).read_text(encoding="utf-8") == page.locator("#markdown").input_value()
    page.keyboard.press("e")
    playwright.expect(page.get_by_role("button", name="Go on with it")).to_be_visible()


def test_the_decision_is_in_sight_without_scrolling(board: str, window: Window) -> None:
    """At 1280 by 720 every gap shows title, evidence, owner and the three keys; on a phone the keys stay at hand."""
    page = window(board, "/meeting")
    page.set_viewport_size({"width": 1280, "height": 720})
    page.get_by_role("button", name="Begin the meeting").click()
    for number in range(1, 16):
        at(page, number)
        for part in ("#gap-title", "[data-key=a]", "[data-key=d]", "[data-key=s]", "[data-key=o]", ".true", ".said-by"):
            playwright.expect(page.locator(part)).to_be_in_viewport(ratio=0.5)
        assert "gap_id" not in page.locator(".whose").inner_text()  # of the draft its chapters, not its head
        page.keyboard.press("n")
    page.wait_for_url("**/minutes")  # behind the last gap
    page.goto(f"{board}/meeting/1?gap=g-001")
    page.set_viewport_size({"width": 390, "height": 844})
    for letter in "ads":
        playwright.expect(page.locator(f"[data-key={letter}]")).to_be_in_viewport(ratio=1)
    playwright.expect(page.locator("#gap-title")).to_be_in_viewport()


def test_the_clock_goes_on_and_survives_a_reload(board: str, window: Window) -> None:
    """It counts from the beginning of the meeting, not of the page; a gap's own time goes on where it was left."""
    page = window(board, "/meeting")
    page.clock.install()
    page.get_by_role("button", name="Begin the meeting").click()
    at(page, 1)
    page.clock.run_for(65_000)
    playwright.expect(page.locator("#clock b")).to_have_text("1:05")
    playwright.expect(page.locator("#gap-clock")).to_have_text("1:05 of about 1:00")
    page.keyboard.press("n")
    at(page, 2)
    playwright.expect(page.locator("#gap-clock")).to_contain_text("0:0")
    page.keyboard.press("p")
    at(page, 1)
    playwright.expect(page.locator("#gap-clock")).to_contain_text("1:0")


def test_of_two_meetings_windows_the_second_is_told(board: str, window: Window) -> None:
    """Who decides on a gap that was decided in another window meanwhile hears of it, and goes on from there."""
    first = window(board, "/meeting")
    first.get_by_role("button", name="Begin the meeting").click()
    at(first, 1)
    second = window(board, first.url.removeprefix(board))
    at(second, 1)
    press(first, "d", "1", "Enter")
    at(first, 2)
    press(second, "a")
    playwright.expect(second.locator("h1")).to_have_text("Somebody decided meanwhile")
    second.get_by_role("link", name="Leave it so").click()
    at(second, 2)
    assert second.locator(".steps-done .done-dismiss").count() == 1


def test_a_meeting_needs_no_script(board: str, window: Window) -> None:
    """By links and forms alone it begins, decides, walks and ends in minutes."""
    page = window(board, "/meeting", java_script_enabled=False)
    page.get_by_role("button", name="Begin the meeting").click()
    page.get_by_role("button", name="Accept").click()
    playwright.expect(page.locator("#gap-title")).to_contain_text("Gap 2 of 15")
    page.get_by_role("link", name="Dismiss").click()
    page.check("[value=wont_fix]")
    page.get_by_role("button", name="Dismiss").click()
    playwright.expect(page.locator("#gap-title")).to_contain_text("Gap 3 of 15")
    page.get_by_role("link", name="Minutes").click()
    playwright.expect(page.locator("#minutes")).to_contain_text("2 of 15 gaps decided: 1 accepted, 1 dismissed.")
