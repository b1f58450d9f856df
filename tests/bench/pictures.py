"""The pictures in docs/, of the demo as it is now: the report, and the board five weeks after gaps were fixed."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

from lacuna.models.backlog.gap import Gap
from lacuna.pipelines.demo import write_demo
from lacuna.pipelines.demo.fixes import Fix
from lacuna.pipelines.gaps.decisions import decide
from lacuna.pipelines.io.runs import read_backlog
from lacuna.pipelines.run import run as run_pipeline
from lacuna.pipelines.settings import load_settings
from lacuna.pipelines.state.repository import open_state
from tests.bench.common import demo_runs
from tests.support.board_store import running
from tests.support.browsers import found_browser
from tests.support.paths import REPO

DOCS = REPO / "docs"
FIRST, FIXED, LAST = date(2024, 6, 30), date(2024, 7, 9), date(2024, 8, 4)
FIXES = (
    Fix("delivery-times", FIXED, works=False), Fix("ebike-pairing", FIXED), Fix("customs-charge", FIXED),
    Fix("tent-pole", FIXED),
)  # fmt: skip
DESKTOP, PHONE = {"width": 1280, "height": 740}, {"width": 390, "height": 760}


def pictures(folder: Path) -> int:
    """Run the demo, and five weeks more with fixes, and take the pictures in docs/ anew."""
    demo = demo_runs(folder)
    _fixed(folder)
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=found_browser(), args=["--no-sandbox", "--disable-gpu"])
        report = (demo / "report.html").as_uri()
        _shot(browser, report, "report", {"width": 1280, "height": 1180})
        _shot(browser, report, "report-phone", {"width": 390, "height": 844}, click="#gaps tbody tr a, #gaps tbody tr")
        with running(folder / "store", who="Mara Jensen") as board:
            gap = _backlog(folder / "store", LAST)[0].gap_id
            _shot(browser, f"{board}/gaps/{gap}", "board", DESKTOP)
            _shot(browser, f"{board}/", "board-phone", PHONE)
            _shot(browser, f"{board}/impact", "board-impact", DESKTOP)
            _meeting(browser, board)
        browser.close()
    return 0


def _fixed(folder: Path) -> None:
    """A store in which four gaps of the demo were published, and the run five weeks later."""
    for until in (FIRST, LAST):
        truth = write_demo(folder / "world", later=5, fixes=FIXES, until=until)
        run_pipeline(str(folder / "world" / "bundle"), folder / "store", end=until.isoformat())
        if until == LAST:
            return
        state = open_state(load_settings(), folder / "store")
        for fix in FIXES:
            own = set(truth.topics[fix.topic].conversation_ids)
            gap = max(_backlog(folder / "store", until), key=lambda gap: len(own & set(gap.conversation_ids)))
            decide(state, gap.gap_id, "publish", "Mara Jensen", payload={"on": FIXED.isoformat()})
        state.close()


def _backlog(store: Path, run_id: date) -> list[Gap]:
    return read_backlog(store / "runs" / run_id.isoformat())


def _meeting(browser: Any, board: str) -> None:
    """The review meeting at its first gap, on a wide screen and on a phone."""
    page = browser.new_page(viewport={"width": 1280, "height": 900}, reduced_motion="reduce")
    page.goto(f"{board}/meeting")
    page.keyboard.press("Enter")
    page.wait_for_url("**/meeting/*")
    page.wait_for_load_state("networkidle")
    for name, size in (("meeting", {"width": 1280, "height": 900}), ("meeting-phone", {"width": 390, "height": 844})):
        page.set_viewport_size(size)
        page.wait_for_timeout(300)
        page.screenshot(path=DOCS / f"{name}.png")
        print(DOCS / f"{name}.png")
    page.close()


def _shot(browser: Any, address: str, name: str, size: dict[str, int], click: str = "") -> None:
    sharp = 2 if click else 1
    page = browser.new_page(viewport=size, device_scale_factor=sharp, reduced_motion="reduce")
    page.goto(address)
    if click:
        page.locator(click).first.click()
        page.wait_for_timeout(300)
    page.screenshot(path=DOCS / f"{name}.png")
    print(DOCS / f"{name}.png")
    page.close()
