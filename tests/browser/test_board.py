"""The review board in a real Chromium: triage by keyboard, two windows at once, phone, dark, axe on every page."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from lacuna.pipelines.board.roles import hashed
from tests.support.board_store import running
from tests.support.board_windows import Window, fits, serious

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed (the test group has it)")

pytestmark = pytest.mark.slow
PAGES = ("/", "/gaps/g-001", "/drafts", "/week", "/owners", "/impact", "/kpis", "/topics", "/topics/t-001", "/tags",
         *(f"/decide/{verb}?gap=g-001" for verb in ("dismiss", "merge", "snooze", "assign", "publish", "note")),
         *(f"/decide/{verb}?gap=g-001" for verb in ("rename", "reclassify", "include")), "/meeting",
         "/conversations/c-010000?gap=g-001",
         "/gaps/g-gone", "/nope")  # fmt: skip
FIRST, SECOND = "How to split a return between two parcels", "Return window is 60 days, not 30"


def titles(page: Any) -> list[str]:
    """The titles in the backlog, in order."""
    return page.locator("#gaps .c-title a").all_inner_texts()


def toast(page: Any, words: str) -> None:
    """Wait for what has been done to be told."""
    playwright.expect(page.locator("#toast-done")).to_contain_text(words)


def test_a_backlog_is_triaged_by_keyboard(board: str, window: Window) -> None:
    """Accept, dismiss with a reason, snooze, undo: each key acts on the current row and goes on to the next."""
    page = window(board)
    page.keyboard.press("j")
    page.keyboard.press("a")
    toast(page, f"Accepted “{FIRST}”.")
    assert FIRST not in titles(page)
    assert page.evaluate("document.activeElement.innerText") == SECOND
    page.keyboard.press("d")
    playwright.expect(page.locator("#dialog h2")).to_have_text("Dismiss")
    page.keyboard.press("2")
    assert page.is_checked("#dialog [value=not_content]")
    page.keyboard.press("Enter")
    toast(page, f"Dismissed “{SECOND}”.")
    page.keyboard.press("s")
    playwright.expect(page.locator("#dialog h2")).to_have_text("Snooze")
    page.keyboard.press("Enter")
    toast(page, "Snoozed")
    assert page.locator(".tabs [aria-current]").inner_text().startswith("To decide")
    page.keyboard.press("u")
    toast(page, "Took back a decision on")
    page.goto(f"{board}/?status=dismissed")
    assert SECOND in titles(page)
    page.locator("#gaps .c-title a", has_text=SECOND).click()
    assert "dismissed it: no article would help" in page.locator(".history").inner_text()


def test_a_key_pressed_twice_decides_once(board: str, window: Window) -> None:
    """Who presses a key again before the page has changed, or holds it down, gets no conflict with themselves."""
    page = window(board)
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.url) if request.method == "POST" else None)
    page.keyboard.press("j")
    page.evaluate("""for (let times = 0; times < 3; times++)
        document.dispatchEvent(new KeyboardEvent("keydown", { key: "a", bubbles: true }))""")
    toast(page, f"Accepted “{FIRST}”.")
    page.keyboard.down("a")
    page.keyboard.down("a")  # the browser marks this one as a repetition
    toast(page, f"Accepted “{SECOND}”.")
    page.keyboard.down("a")
    page.wait_for_timeout(300)
    assert len(sent) == 2
    toast(page, f"Accepted “{SECOND}”.")


def test_the_gap_page_goes_on_to_the_next_one(board: str, window: Window) -> None:
    """J and k walk the filtered list, a decision moves on within it, u takes it back and comes back to the gap."""
    page = window(board, "/?kind=missing")
    listed_titles = titles(page)
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    assert page.locator("h1").inner_text() == listed_titles[0]
    page.keyboard.press("j")
    playwright.expect(page.locator("h1")).to_have_text(listed_titles[1])
    page.keyboard.press("a")
    toast(page, "Accepted")
    playwright.expect(page.locator("h1")).to_have_text(listed_titles[2])
    assert "kind=missing" in page.url
    assert "done=" not in page.url
    page.keyboard.press("u")
    playwright.expect(page.locator("h1")).to_have_text(listed_titles[1])
    page.keyboard.press("o")
    page.select_option("#dialog [name=owner_id]", "o-emil")
    page.fill("#dialog [name=due]", "2099-01-31")
    page.click("#dialog .main")
    toast(page, "Assigned")
    assert "Emil Novak" in page.locator(".decision-panel").inner_text()
    assert "Due on 31 Jan 2099" in page.locator(".decision-panel").inner_text()
    page.keyboard.press("Escape")
    playwright.expect(page.locator("h1")).to_have_text("Backlog")
    assert "kind=missing" in page.url


def test_several_are_picked_and_merged(board: str, window: Window) -> None:
    """X picks, g merges what is picked into a gap that the search finds; the merged gap says of what it is part."""
    page = window(board)
    third = titles(page)[2]
    for key in ("j", "j", "x", "j", "x", "g"):
        page.keyboard.press(key)
    playwright.expect(page.locator("#dialog h2")).to_have_text("Merge into another gap")
    page.fill("#dialog [name=q]", "two parcels")
    playwright.expect(page.locator("#merge-choices label")).to_have_count(1)
    page.check("#merge-choices input")
    page.click("#dialog .main")
    toast(page, "Merged 2 gaps.")
    page.goto(f"{board}/?status=dismissed&sort=title")
    page.locator("#gaps .c-title a", has_text=third).click()
    playwright.expect(page.locator(".decision-panel")).to_contain_text(f"Part of {FIRST}")


@pytest.mark.parametrize("words", ["two parcels", "no gap has these words"])
def test_a_list_that_arrives_late_keeps_what_was_picked(board: str, window: Window, words: str) -> None:
    """What was picked while the search was under way stays picked, whether or not the list that arrives has it."""
    page, under_way = window(board), []
    page.route("**/merge-choices?*", lambda route: under_way.append(route))
    for key in ("j", "j", "g"):
        page.keyboard.press(key)
    playwright.expect(page.locator("#dialog h2")).to_have_text("Merge into another gap")
    page.evaluate("document.getElementById('merge-choices').append(document.createElement('hr'))")  # gone once it came
    with page.expect_request("**/merge-choices?*"):
        page.fill("#dialog [name=q]", words)
    choice = page.locator("#merge-choices label", has_text=FIRST)
    choice.locator("input").check()
    under_way[0].continue_()
    playwright.expect(page.locator("#merge-choices hr")).to_have_count(0)
    playwright.expect(choice.locator("input")).to_be_checked()
    page.click("#dialog .main")
    toast(page, f"Merged “{SECOND}”.")


def test_of_two_windows_the_second_is_told(board: str, window: Window) -> None:
    """Who accepts in the second window what was dismissed in the first hears of it, and nothing is overwritten."""
    first, second = window(board, "/gaps/g-001"), window(board, "/gaps/g-001")
    first.keyboard.press("d")
    first.check("#dialog [value=wont_fix]")
    first.fill("#dialog textarea", "we leave the shop in May")
    first.click("#dialog .main")
    toast(first, "Dismissed")
    second.keyboard.press("a")
    playwright.expect(second.locator("h1")).to_have_text("Somebody decided meanwhile")
    conflict = second.locator(".conflict").inner_text()
    assert "we leave the shop in May" in conflict
    assert "has not been saved" in conflict
    assert serious(second) == []
    second.click("text=Leave it so")
    second.goto(f"{board}/gaps/g-001")
    assert "Status: dismissed" in second.locator(".decision-panel").inner_text()


def test_filters_search_and_tabs_need_no_reload(board: str, window: Window) -> None:
    """Words and choices narrow the list in place and stand in the address; Back and a reload keep them."""
    page = window(board)
    page.evaluate("window.stayed = true")
    page.fill("#q", "klarna")
    playwright.expect(page.locator("#list .count")).to_contain_text("1 gap")
    assert "q=klarna" in page.url
    page.fill("#q", "")
    playwright.expect(page.locator("#list .count")).not_to_contain_text("1 gap ")
    page.select_option("[name=owner]", "o-bjorn")
    playwright.expect(page.locator("#gaps tbody .c-owner").first).to_contain_text("Björn")
    assert page.evaluate("window.stayed")
    count = len(titles(page))
    page.reload()
    assert len(titles(page)) == count
    assert page.input_value("[name=owner]") == "o-bjorn"


def test_a_tag_is_entered_in_place(board: str, window: Window) -> None:
    """Question and answer are read, one click tags; the count goes up and the choice is shown, also after a reload."""
    page = window(board, "/tags")
    assert page.locator("#tag-1 .botsaid p").inner_text() == "You have 30 days.\nAnything else?"
    assert page.locator("#tag-2 .botsaid").inner_text().split() == ["The", "bot", "said", "nothing."]
    page.locator("#tag-1 button", has_text="Part of it").click()
    playwright.expect(page.locator("#tagged")).to_have_text("1 of 2 tagged")
    page.reload()
    assert page.locator("#tag-1 [aria-pressed=true]").inner_text() == "Part of it"


def test_a_writer_signs_in_and_sees_own_drafts(made_store: Path, tmp_path: Path, window: Window) -> None:
    """With a token a writer comes to the page asked for, finds their drafts, and no way to put gaps away."""
    people = tmp_path / "people.toml"
    entry = f'[[people]]\nname = "Ana"\nrole = "writer"\nowner = "o-ana"\ntoken_sha256 = "{hashed("let me in")}"\n'
    people.write_text(entry, encoding="utf-8")
    shutil.copytree(made_store, tmp_path / "store")
    with running(tmp_path / "store", people=str(people)) as board:
        page = window(board, "/drafts")
        page.fill("[name=token]", "wrong")
        page.keyboard.press("Enter")
        playwright.expect(page.get_by_role("alert")).to_contain_text("Nobody has this token")
        assert serious(page) == []
        page.fill("[name=token]", "let me in")
        page.keyboard.press("Enter")
        playwright.expect(page.locator("h1")).to_have_text("My drafts")
        page.click(f"text={FIRST}")
        page.click("text=Read the draft")
        assert FIRST in page.locator(".draft h3").inner_text()
        assert page.locator(".decision-panel [data-key=d]").count() == 0
        page.click("text=Start drafting")
        toast(page, "Started drafting")
        page.click("text=Sign out")
        playwright.expect(page.locator("h1")).to_have_text("Sign in")


def test_axe_finds_no_serious_fault(board: str, window: Window) -> None:
    """Every page is without serious and critical faults, in light and in the dark."""
    page = window(board)
    faults = {}
    for path in PAGES:
        page.goto(board + path)
        faults[path] = serious(page)
    assert {path: page_faults for path, page_faults in faults.items() if page_faults} == {}


def test_a_phone_shows_every_page_without_scrolling_sideways(board: str, window: Window) -> None:
    """At 390 pixels nothing is wider than the screen, filters unfold, and a gap is decided on by touch."""
    page = window(board, width=390, has_touch=True, is_mobile=True)
    for path in PAGES:
        page.goto(board + path)
        assert fits(page), path
    page.goto(board)
    assert page.is_hidden("[name=owner]")
    page.tap("#more-filters")
    assert page.is_visible("[name=owner]")
    assert fits(page)
    page.locator("#gaps .c-title a").first.tap()
    page.locator(".decision-panel button", has_text="Accept").tap()
    toast(page, f"Accepted “{FIRST}”.")
    assert fits(page)


@pytest.mark.parametrize("width", [390, 1280])
def test_fewer_or_more_topics_by_keyboard(board: str, window: Window, width: int) -> None:
    """The slider goes from themes to parts of topics, says where it stands, and shows as many groups as it says."""
    page = window(board, "/topics", width)
    slider, groups = page.get_by_label("Fewer or more topics"), page.locator(".groups li")
    topics = page.locator("[data-topic-of-tree]").count()
    assert groups.count() == int(slider.input_value()) == topics
    assert slider.get_attribute("aria-valuetext") == f"{topics} topics"
    slider.focus()
    page.keyboard.press("ArrowLeft")
    assert groups.count() == topics - 1
    page.keyboard.press("Home")
    assert groups.count() == page.locator(".branch").count()
    assert slider.get_attribute("aria-valuetext").endswith(" themes")
    page.keyboard.press("End")
    assert groups.count() == 2 * topics
    page.get_by_role("button", name="Topics", exact=True).click()
    assert groups.count() == topics
    assert fits(page)


def test_without_scripts_a_topic_is_renamed_and_split(board: str, window: Window) -> None:
    """Forms and links alone do it, and the tree is there as it is."""
    page = window(board, "/topics", java_script_enabled=False)
    assert page.locator(".slide").is_hidden()
    page.locator("[data-topic-of-tree] > a").first.click()
    page.locator("summary", has_text="Rename").click()
    page.fill("[name=label]", "Two parcels")
    page.get_by_role("button", name="Rename").click()
    assert page.locator("h1").inner_text() == "Two parcels"
    page.locator("summary", has_text="Split").click()
    page.locator("[name=first]").first.check()
    page.locator("[name=second]").last.check()
    page.get_by_role("button", name="Split").click()
    assert page.locator(".done").inner_text().startswith("Split, from the next run on.")
    page.locator(".done button").click()
    assert "Taken back" in page.locator(".done").inner_text()


def test_without_scripts_a_gap_is_dismissed_all_the_same(board: str, window: Window) -> None:
    """Links and forms alone lead from the backlog to a decision and back."""
    page = window(board, java_script_enabled=False)
    page.click(f"text={FIRST}")
    page.click(".decision-panel >> text=Dismiss")
    page.check("[value=duplicate]")
    page.click("form.decide button.main")
    toast(page, "Dismissed")
