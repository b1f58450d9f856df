"""The report in a real Chromium, as the weekly review uses it: mouse, keyboard, phone, dark, no network."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from lacuna.pipelines.report.render import render_report
from lacuna.pipelines.report.view import ReportData
from tests.support import sample_run

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed (the test group has it)")

pytestmark = pytest.mark.slow
Open = Callable[..., Any]
TITLES = "#gaps tbody .c-title a"


@pytest.fixture
def opened(browser: Any, tmp_path: Path) -> Iterator[Open]:
    """Open a run's report; afterwards, no request has left the page and nothing was written to the console."""
    contexts, messages, requested = [], [], []

    def open_report(data: ReportData, anchor: str = "", width: int = 1280, height: int = 900, **options: Any) -> Any:
        file = tmp_path / "report.html"
        file.write_text(render_report(data), encoding="utf-8")
        context = browser.new_context(viewport={"width": width, "height": height}, reduced_motion="reduce", **options)
        contexts.append(context)
        context.route(
            "**/*", lambda route: route.continue_() if route.request.url.startswith("file:") else route.abort()
        )
        page = context.new_page()
        page.set_default_timeout(20_000)
        page.on("console", lambda message: messages.append(message.text))
        page.on("pageerror", lambda error: messages.append(str(error)))
        page.on("request", lambda request: requested.append(request.url))
        page.on("dialog", lambda dialog: messages.append(f"dialog: {dialog.message}"))
        page.goto(file.as_uri() + anchor)
        return page

    yield open_report
    for context in contexts:
        context.close()
    assert messages == []
    assert [url for url in requested if not url.startswith(("file:", "data:image/svg+xml"))] == []


@pytest.fixture(scope="module")
def sample() -> ReportData:
    """The hand-written run."""
    return sample_run.sample_run()


def fits(page: Any) -> bool:
    """Whether the page is no wider than the screen."""
    return bool(page.evaluate("document.documentElement.scrollWidth <= innerWidth"))


@pytest.mark.parametrize("width", [390, 1280])
def test_what_is_too_small_opens_from_its_fold_and_is_found_by_a_search(opened: Open, width: int) -> None:
    """It is counted and out of the table; a click in the fold shows its page, and a search brings up its row."""
    page = opened(sample_run.run_with_small_gaps(), width=width)
    assert page.inner_text("#count") == "22 gaps, and 3 too small to act on"
    assert page.locator(TITLES).count() == 22
    page.click("#small summary")
    assert page.locator("#small li").count() == 3
    assert fits(page)
    page.click("#small li >> nth=1 >> a")
    assert page.inner_text("#where") == "Too small to act on"
    assert "Too small to act on: it would avoid less" in page.inner_text("#body")
    page.keyboard.press("Escape")
    page.fill("#q", "insurance for rented")
    page.locator("#count", has_text="1 of 25 gaps").wait_for()
    assert page.locator(TITLES).count() == 1


def test_sorting_by_a_column_orders_the_rows(opened: Open, sample: ReportData) -> None:
    """A click on a heading sorts, a second one turns it round, the address keeps it."""
    page = opened(sample)
    page.click("button[data-sort=conversations]")
    numbers = [int(cell) for cell in page.locator("#gaps tbody .c-conv").all_inner_texts()]
    assert numbers == sorted(numbers, reverse=True)
    assert page.get_attribute("th[data-sort=conversations]", "aria-sort") == "descending"
    page.click("button[data-sort=conversations]")
    assert [int(cell) for cell in page.locator("#gaps tbody .c-conv").all_inner_texts()] == numbers[::-1]
    assert "sort=conversations" in page.url
    page.reload()
    assert page.locator("#gaps tbody .c-conv").first.inner_text() == str(numbers[-1])


def test_filters_narrow_the_list_and_live_in_the_address(opened: Open, sample: ReportData) -> None:
    """Kind, owner, language and words combine; the count says how many are left; a reload keeps them."""
    page = opened(sample)
    page.click("[data-kind=missing]")
    assert page.inner_text("#count") == "10 of 25 gaps"
    page.select_option("#f-owner", "o-bjorn")
    assert set(page.locator("#gaps tbody .c-owner").all_inner_texts()) == {"Björn Lindqvist"}
    page.fill("#q", "KLARNA")
    playwright.expect(page.locator("#count")).to_have_text("1 of 25 gaps")
    page.reload()
    assert page.inner_text("#count") == "1 of 25 gaps"
    assert page.input_value("#q") == "KLARNA"
    page.fill("#q", "nothing like it")
    playwright.expect(page.locator("#none")).to_be_visible()
    page.click("#clear")
    assert page.inner_text("#count") == "25 gaps"


def test_a_gap_opens_by_click_and_tells_why(opened: Open, sample: ReportData) -> None:
    """The panel shows the reasons, the equation, quotes, the chart with its change point, owner and draft."""
    page = opened(sample)
    page.click(f"{TITLES} >> text=Return window is 60 days")
    panel = page.locator("#panel")
    shown = panel.inner_text()
    for expected in (
        "Stale",
        "91\u202f% sure",
        "right 86 %",
        "47",
        "68\u202f%",
        "70\u202f%",
        "[16–29]",
        "is it 30 or 60 days",
        "of the answers from the article, in all weeks read, 14\u202f% failed before",
        "Owns kb-012",
        "Passages to change",
        "You can send an item back",
        "0.86",
        "Open for 3 weeks",
    ):
        assert expected in shown, expected
    assert panel.locator("svg.time .turn").count() == 1
    assert panel.locator("a.open").get_attribute("href") == "drafts/o-ana/g-002-draft.md"
    assert "gap=g-002" in page.url


def test_ids_in_the_panel_lead_to_the_conversations(opened: Open, sample: ReportData) -> None:
    """Where the help desk's address is set, every id of a quote, a step and the list is a link; else none is."""
    page = opened(sample, "#gap=g-001")
    panel = page.locator("#panel")
    bare, ids = panel.text_content(), page.evaluate("page(gapById.get('g-001')).ids")
    assert panel.locator("a[target]").count() == 0
    address = {"conversation_url": "https://desk.example/{id}?a=$&"}
    settings = sample.run["settings"] | {"report": sample.run["settings"]["report"] | address}
    page = opened(replace(sample, run=sample.run | {"settings": settings}), "#gap=g-001")
    panel = page.locator("#panel")
    assert panel.text_content() == bare
    listed = panel.locator(".ids a").evaluate_all("links => links.map((a) => [a.textContent, a.href, a.target, a.rel])")
    assert listed == [[i, f"https://desk.example/{i}?a=$&", "_blank", "noopener noreferrer"] for i in ids]
    assert panel.locator(".said-list small a").count() == panel.locator(".said-list small").count() > 0
    assert panel.locator("section:has-text('What agents answered') li > small a").count() > 0
    assert page.evaluate("conversation('a/b ü?#$&').href") == "https://desk.example/a%2Fb%20%C3%BC%3F%23%24%26?a=$&"


def test_answers_stand_apart_and_are_numbered_only_where_they_are_a_sequence(opened: Open, sample: ReportData) -> None:
    """As in the draft: one list an answer, with numbers where its steps have an order, and how many ended well."""
    page = opened(sample, "#gap=g-001")
    lists = "steps => answersApart(steps).filter(Boolean).map((e) => [e.tagName, [...e.querySelectorAll('li')].length])"

    def step(way: int, ordered: bool) -> dict[str, Any]:
        return {"text": "Press it.", "count": 3, "worked": 2, "ids": ["c1"], "way": way, "ordered": ordered}

    assert page.evaluate(lists, [step(1, True), step(1, True)]) == [["OL", 2]]
    several = [step(1, True), step(1, True), step(2, True), step(3, False), step(3, False)]
    assert page.evaluate(lists, several) == [["P", 0], ["OL", 2], ["P", 0], ["OL", 1], ["P", 0], ["UL", 2]]
    answers = page.locator("#panel section:has-text('What agents answered')").text_content()
    assert "31 conversations, 28 ended well: c-1001" in answers


def test_the_backlog_is_worked_through_by_keyboard(opened: Open, sample: ReportData) -> None:
    """J and k walk the rows, Enter opens, arrows go on, Escape closes and gives the focus back."""
    page = opened(sample)
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    title = page.locator("#panel-title")
    assert title.inner_text() == "Return window is 60 days, not 30"
    assert page.evaluate("document.activeElement.id") == "panel-title"
    page.keyboard.press("j")
    assert page.inner_text("#where") == "3 of 25"
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("k")
    assert page.inner_text("#where") == "1 of 25"
    assert page.is_disabled("#prev")
    page.keyboard.press("Escape")
    assert page.is_hidden("#panel")
    assert "gap=" not in page.url
    assert page.evaluate("document.activeElement.closest('tr').dataset.id") == "g-001"
    page.keyboard.press("/")
    page.keyboard.type("jk")
    assert page.input_value("#q") == "jk"
    assert page.is_hidden("#panel")


def test_a_gap_has_an_address_of_its_own(opened: Open, sample: ReportData) -> None:
    """A deep link opens the gap, Back closes it, an unknown id says so."""
    page = opened(sample, "#gap=g-004")
    assert page.inner_text("#panel-title") == "Klarna instalment shown twice in the app"
    page.keyboard.press("Escape")
    page.click(f"{TITLES} >> nth=0")
    assert page.is_visible("#panel")
    page.go_back()
    playwright.expect(page.locator("#panel")).to_be_hidden()
    page.evaluate("location.hash = '#gap=g-999'")
    playwright.expect(page.locator("#toast")).to_contain_text("no gap g-999")


def test_the_map_leads_to_a_topics_gaps(opened: Open, sample: ReportData) -> None:
    """A circle tells its topic on focus, arrows move between circles, Enter filters the backlog to it."""
    page = opened(sample)
    mark = page.locator(".map.wide a[data-topic=t-001]")
    mark.focus()
    assert "Return in two parcels" in page.inner_text("#tip")
    page.keyboard.press("Enter")
    playwright.expect(page.locator("#count")).to_have_text("1 of 25 gaps")
    assert "Return in two parcels" in page.inner_text("#topic-chip")
    page.locator(".map.wide a").first.focus()
    page.keyboard.press("ArrowRight")
    assert page.evaluate("document.activeElement.dataset.topic") == page.locator(".map.wide a").nth(1).get_attribute(
        "data-topic"
    )


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_texts_stand_out_from_their_ground(opened: Open, sample: ReportData, scheme: str) -> None:
    """Every piece of text reaches the contrast that WCAG AA asks for, in light and in dark, panel included."""
    page = opened(sample, "#gap=g-002", color_scheme=scheme)
    page.evaluate("document.querySelectorAll('details').forEach((fold) => { fold.open = true; })")
    weak = page.evaluate(
        """() => {
        const parse = (colour) => (colour.match(/[\\d.]+/g) || []).map(Number);
        const light = (c) => c.slice(0, 3).map((v) => v / 255).map((v) => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4).reduce((s, v, i) => s + v * [0.2126, 0.7152, 0.0722][i], 0);
        const ground = (node) => { for (let at = node; at; at = at.parentElement) { const c = parse(getComputedStyle(at).backgroundColor); if (c.length && (c[3] ?? 1) === 1 && !getComputedStyle(at).backgroundColor.startsWith('color(')) return c; } return [255, 255, 255]; };
        const weak = [];
        for (const node of document.querySelectorAll('body *')) {
          const own = [...node.childNodes].some((child) => child.nodeType === 3 && child.textContent.trim());
          if (!own || !node.checkVisibility() || node.closest('svg, .said, .skip, option, [disabled]')) continue;
          const style = getComputedStyle(node), a = light(parse(style.color)), b = light(ground(node));
          const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
          const large = parseFloat(style.fontSize) >= 24 || (parseFloat(style.fontSize) >= 18.66 && style.fontWeight >= 700);
          if (ratio < (large ? 3 : 4.5)) weak.push(`${node.tagName}.${node.className} ${ratio.toFixed(2)} ${node.textContent.slice(0, 30)}`);
        }
        return weak; }"""  # noqa: E501 - one script, read as one
    )
    assert weak == []
    ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (sum(map(int, re.findall(r"\d+", ground)[:3])) < 200) == (scheme == "dark")


def test_a_phone_shows_cards_and_a_gap_on_the_whole_screen(opened: Open, sample: ReportData) -> None:
    """At 390 pixels nothing scrolls sideways, rows are cards, filters unfold, and a gap covers the page."""
    page = opened(sample, width=390, height=844, has_touch=True, is_mobile=True)
    assert fits(page)
    assert page.is_hidden("#gaps thead")
    assert page.is_hidden("#choices")
    page.tap("#more-tools")
    assert page.is_visible("#f-owner")
    assert fits(page)
    page.tap(f"{TITLES} >> nth=1")
    box = page.locator("#panel").bounding_box()
    assert (box["x"], box["width"]) == (0, 390)
    assert fits(page)
    assert page.evaluate("document.getElementById('page').inert")
    assert page.get_attribute("#panel", "aria-modal") == "true"
    page.tap("#close")
    assert page.is_hidden("#panel")
    assert not page.evaluate("document.getElementById('page').inert")


@pytest.mark.parametrize("width", [320, 700, 768, 1000, 1280, 1920])
def test_no_width_scrolls_sideways(opened: Open, sample: ReportData, width: int) -> None:
    """From a small phone to a large screen the page fits, with and without a gap open."""
    page = opened(sample, width=width)
    assert fits(page)
    page.evaluate("location.hash = '#gap=g-014'")
    playwright.expect(page.locator("#panel")).to_be_visible()
    assert fits(page)


BROKEN_WORDS = """() => {
  for (const fold of document.querySelectorAll("details")) fold.open = true;
  const broken = [];
  for (const cell of document.querySelectorAll(".plain thead th, .plain tbody th a")) {
    const walk = document.createTreeWalker(cell, NodeFilter.SHOW_TEXT);
    for (let node = walk.nextNode(); node; node = walk.nextNode()) {
      for (const word of node.data.matchAll(/[^\\s\\-\u2011]{2,20}/g)) {
        const range = document.createRange();
        range.setStart(node, word.index);
        range.setEnd(node, word.index + word[0].length);
        if (new Set([...range.getClientRects()].map((rect) => rect.top)).size > 1) broken.push(word[0]);
      }
    }
  }
  return broken;
}"""


@pytest.mark.parametrize("width", [390, 1280])
def test_no_table_breaks_words_apart(opened: Open, sample: ReportData, width: int) -> None:
    """A table that is wider than the screen scrolls in its own frame; its columns stay as wide as their words."""
    page = opened(sample, width=width)
    assert page.evaluate(BROKEN_WORDS) == []
    assert fits(page)


@pytest.mark.parametrize(
    "attack", ["<img src=x onerror=alert(1)>", "</script><script>alert(1)</script>", "‮<svg onload=alert(1)>\u2028"]
)
def test_no_text_runs(opened: Open, attack: str) -> None:
    """With markup in every text field, each gap opens, shows it as text and runs nothing."""
    page = opened(sample_run.nasty_run(attack))
    page.locator(TITLES).first.click()
    for _ in range(24):
        page.keyboard.press("j")
    assert page.inner_text("#where") == "25 of 25"
    assert page.locator("#panel :is(img, script, iframe), #panel svg[onload]").count() == 0
    assert page.locator("script:not([type])").count() == 1


def test_without_scripts_the_figures_and_the_table_are_there(opened: Open, sample: ReportData) -> None:
    """KPIs, the summary and the backlog's rows need no script; controls that would do nothing stay away."""
    page = opened(sample, java_script_enabled=False)
    assert page.locator("#gaps tbody tr").count() == 25
    assert page.locator(".kpi .value").count() == 6
    assert page.is_hidden("#tools")
    assert page.is_hidden("#panel")


def test_the_empty_report_opens_cleanly(opened: Open) -> None:
    """A run without anything still shows a page, and its script finds nothing to stumble over."""
    page = opened(sample_run.empty_run())
    assert "No gap was found in this window" in page.inner_text("main")


def test_thousands_of_gaps_stay_usable(opened: Open) -> None:
    """Of 2,000 gaps a screenful is laid out; search, sort, deep links and moving on work on all of them."""
    page = opened(sample_run.many_gaps(2000))
    assert page.locator("#gaps tbody tr").count() < 200
    page.fill("#q", "(1999)")
    playwright.expect(page.locator("#count")).to_have_text("1 of 2,000 gaps")
    page.click("#clear")
    page.click("button[data-sort=rank]")
    assert page.locator("#gaps tbody .c-rank b").first.inner_text() == "2,000"
    page.evaluate("location.hash = '#gap=g-01500'")
    playwright.expect(page.locator("#where")).to_have_text("1,500 of 2,000")
    page.keyboard.press("j")
    assert page.inner_text("#where") == "1,501 of 2,000"
    assert page.locator("#gaps tr.on").get_attribute("data-id") == "g-01501"


def test_paper_gets_the_list_without_its_controls(opened: Open, sample: ReportData) -> None:
    """In print the controls and the open gap are gone, and the rows stay."""
    page = opened(sample, "#gap=g-002")
    page.emulate_media(media="print")
    assert page.is_hidden("#tools")
    assert page.is_hidden("#panel")
    assert page.is_hidden(".top nav")
    assert page.locator(TITLES).first.is_visible()
    assert len(page.pdf()) > 10_000
