"""Windows of a real Chromium on the board, and what is looked for in each: width, faults that axe finds, console."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

__all__ = ["Window", "fits", "serious", "window"]

Window = Callable[..., Any]


@pytest.fixture
def window(browser: Any) -> Iterator[Window]:
    """Open a page in a window of its own; afterwards nothing was written to the console and nothing left the board."""
    contexts, console, requested, base = [], [], [], []

    def open_window(address: str, path: str = "/", width: int = 1280, **options: Any) -> Any:
        context = browser.new_context(
            viewport={"width": width, "height": 844 if width < 500 else 860}, reduced_motion="reduce", **options
        )
        contexts.append(context)
        base.append(address)
        page = context.new_page()
        page.set_default_timeout(20_000)
        page.on("console", lambda message: console.append(f"{page.url}: {message.text}"))
        page.on("pageerror", lambda error: console.append(str(error)))
        page.on("request", lambda request: requested.append(request.url))
        page.goto(address + path)
        return page

    yield open_window
    for context in contexts:
        context.close()
    # The browser itself notes an answer of 4xx; that one is meant.
    assert [words for words in console if "status of 4" not in words] == []
    assert [url for url in requested if not url.startswith((*base, "data:image/svg+xml"))] == []


def fits(page: Any) -> bool:
    """Whether the page is no wider than the screen."""
    return bool(page.evaluate("document.documentElement.scrollWidth <= innerWidth"))


def serious(page: Any) -> list[tuple[str, list[Any]]]:
    """The serious and critical faults of a page; in the dark its colours alone are others, so that these are looked at.

    What is folded up is unfolded first.
    """
    page.emulate_media(color_scheme="light")
    page.evaluate("document.querySelectorAll('details').forEach((fold) => { fold.open = true; })")
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe is not installed (the test group)")
    violations = axe.Axe().run(page).response["violations"]
    page.emulate_media(color_scheme="dark")
    options = {"runOnly": ["color-contrast"], "resultTypes": ["violations"]}
    violations += page.evaluate("async (options) => (await axe.run(document, options)).violations", options)
    page.emulate_media(color_scheme="light")
    return [
        (fault["id"], [node["target"] for node in fault["nodes"]][:3])
        for fault in violations
        if fault["impact"] in ("serious", "critical")
    ]
