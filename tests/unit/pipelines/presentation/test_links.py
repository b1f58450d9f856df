"""Ids of conversations are links where the help desk's address is set: in drafts, in the report, on the board."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from dataclasses import replace
from html import unescape
from pathlib import Path
from urllib.parse import unquote

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from starlette.testclient import TestClient

from lacuna.pipelines.board import make_app
from lacuna.pipelines.board import pages as pages_of_board
from lacuna.pipelines.board.middleware import HEADERS
from lacuna.pipelines.drafts import draft
from lacuna.pipelines.gaps.read import gaps_of
from lacuna.pipelines.presentation.links import conversation_link, conversation_url, is_address
from lacuna.pipelines.presentation.markdown import inline, link
from lacuna.pipelines.presentation.spreadsheet import records
from lacuna.pipelines.report.render import render_report
from lacuna.pipelines.report.view import ReportData
from lacuna.pipelines.settings import load_settings
from lacuna.pipelines.state.repository import open_state
from tests.support import sample_run
from tests.support.board_store import TAG_NEXT, make_store, publish
from tests.unit.pipelines.report.test_report import Document

BEFORE, AFTER = "https://desk.example/tickets/", "?from=lacuna&copy;=1"
URL = f"{BEFORE}{{id}}{AFTER}"
TRICKY = [
    "a b", "x)(y", "[c](d)", '"><img src=x onerror=alert(1)>', "`e", "f\\", "../g/h", "#i?j=k", "ü&lt;", "*l*_m_~n~",
]  # fmt: skip


def with_ids(url: str = "") -> ReportData:
    """The sample run with tricky ids on every gap and in every list, made with this address."""
    data = sample_run.sample_run()
    said = [{"conversation_id": key, "quote": f"Where is parcel {n}?"} for n, key in enumerate(TRICKY)]
    steps = [{"text": "Send it back.", "count": 12, "way": 1, "order": 1, "conversation_ids": TRICKY[:3]}]
    lists = {"examples": said, "agent_answers": said, "steps": steps, "conversation_ids": TRICKY}
    backlog = data.backlog.assign(**{name: [value] * len(data.backlog) for name, value in lists.items()})
    suspect = {"conversation_id": TRICKY[4], "question": "where?", "label": "pay", "confidence": 0.01}
    suspect |= {"likelier": "ship", "likelier_confidence": 0.97, "given_by": "bot"}
    settings = data.run["settings"] | {"report": data.run["settings"]["report"] | {"conversation_url": url}}
    return replace(
        data, backlog=backlog, tag_next=TAG_NEXT.assign(conversation_id=TRICKY[3], topic_id="t-001"),
        suspects=pd.DataFrame([suspect]), run=data.run | {"settings": settings},
    )  # fmt: skip


def led_to(href: str) -> str:
    """The id in an address of the help desk, which holds nothing else."""
    assert (href.startswith(BEFORE), href.endswith(AFTER)) == (True, True), href
    return unquote(href[len(BEFORE) : -len(AFTER)])


@given(st.text(min_size=1) | st.sampled_from(TRICKY))
def test_no_id_breaks_out_of_its_link(key: str) -> None:
    """In Markdown an id is one link that shows the id and leads to it alone, whatever it holds."""
    html = MarkdownIt().renderInline(f"such as {link(key, conversation_link(URL, key))}, and more")
    if not inline(key):
        assert html == "such as , and more"
        return
    found = re.fullmatch(r'such as <a href="([^"<>]*)">([^<>]*)</a>, and more', html, flags=re.DOTALL)
    assert found, html
    assert led_to(unescape(found[1])) == key.encode("utf-8", "replace").decode()
    assert html.replace(f'<a href="{found[1]}">', "").replace("</a>", "") == MarkdownIt().renderInline(
        f"such as {inline(key)}, and more"
    )


@pytest.mark.parametrize(
    "url", ["https://desk.example/a(b)/{id}", "https://desk.example/?a=*_{id}_*&b=[", "https://d/<>"]
)
def test_no_address_breaks_out_of_its_link(url: str) -> None:
    """Nor does an address end its link, where it was never checked."""
    html = MarkdownIt().renderInline(f"({link('c-1', conversation_link(url, 'c-1'))})")
    assert re.fullmatch(r'\(<a href="[^"<>]*">c-1</a>\)', html), html


def test_an_address_that_was_never_checked_links_to_nothing() -> None:
    """A run.json of an earlier version, or one that somebody has changed, makes no link."""
    for settings in ({}, {"report": {}}, {"report": {"conversation_url": "javascript:alert('{id}')"}}):
        assert conversation_url({"settings": settings}) == ""
    assert conversation_url({}) == conversation_link("", "c-1") == ""
    assert is_address(URL)


def html_of(data: ReportData) -> list[str]:
    """A draft of each kind, with steps and without, as a reader sees it."""
    known = {row["article_id"]: row for row in records(sample_run.articles())}
    gaps = gaps_of(data.backlog.drop_duplicates("kind"))
    assert len(gaps) == 5
    texts = [draft(each, known, data.run) for gap in gaps for each in (gap, replace(gap, steps=[]))]
    return [MarkdownIt().render(text.split("\n---\n", 1)[1]) for text in texts]


def test_drafts_lead_to_the_conversations() -> None:
    """Every id in a draft is a link to its conversation; the rest of the draft is what it is without an address."""
    seen = set()
    for linked, bare in zip(html_of(with_ids(URL)), html_of(with_ids()), strict=True):
        found = re.findall(r'<a href="(https://desk[^"]*)">(.*?)</a>', linked)
        assert [led_to(unescape(href)) for href, _ in found] == [unescape(shown) for _, shown in found]
        seen |= {unescape(shown) for _, shown in found}
        assert re.sub(r'<a href="https://desk[^"]*">(.*?)</a>', r"\1", linked) == bare
    assert seen >= set(TRICKY[:5])


def desk_links(page: Document) -> list[str]:
    """The conversations that a page leads to, each in a tab of its own that learns nothing of the page."""
    found = [attrs for tag, attrs in page.elements if tag == "a" and str(attrs.get("href")).startswith("https://desk")]
    assert all((a["rel"], a["target"]) == ("noopener noreferrer", "_blank") for a in found)
    return [led_to(str(attrs["href"])) for attrs in found]


def test_the_report_leads_to_the_conversations() -> None:
    """What to tag and doubtful labels are links in the page, the panel's ids by its script; the policy is the same."""
    linked, bare = Document(render_report(with_ids(URL))), Document(render_report(with_ids()))
    assert desk_links(linked) == [TRICKY[4], *[TRICKY[3]] * len(TAG_NEXT)]
    assert '"conversation_url":"https://desk' in linked.json("rows-data")
    policy = [
        [a["content"] for tag, a in page.elements if tag == "meta" and "http-equiv" in a] for page in (linked, bare)
    ]
    assert policy[0] == policy[1]
    assert desk_links(bare) == []
    assert "conversation_url" not in bare.json("rows-data")
    assert bare.shape() == [one for one in linked.shape() if one != ("a", ("href", "rel", "target"))]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_store(tmp_path_factory.mktemp("made") / "store", with_ids())


@pytest.fixture
def board(made: Path, tmp_path: Path) -> Iterator[TestClient]:
    """A board over a store of its own."""
    store = Path(shutil.copytree(made, tmp_path / "store"))
    state = open_state(load_settings(), store)
    yield TestClient(make_app(store, load_settings(), state, "Rita"), base_url="http://127.0.0.1:8765")
    state.close()


def test_the_board_leads_to_the_conversations(
    board: TestClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A gap's quotes, steps and ids and what to tag are links; without an address nothing but the links is gone.

    What can be read on the board leads there; here nothing can.
    """
    monkeypatch.setattr(pages_of_board, "readable", lambda _: {})
    pages = "/gaps/g-001", "/tags"
    publish(tmp_path / "store", "2024-06-30", with_ids())
    bare = [Document(board.get(path).text) for path in pages]
    assert [desk_links(page) for page in bare] == [[], []]
    publish(tmp_path / "store", "2024-06-30", with_ids(URL))
    linked = [Document(board.get(path).text) for path in pages]
    assert desk_links(linked[0]) == [*TRICKY, *TRICKY[:3], *TRICKY, *TRICKY]
    assert desk_links(linked[1]) == TAG_NEXT["conversation_id"].tolist()
    for before, after in zip(bare, linked, strict=True):
        assert before.shape() == [one for one in after.shape() if one != ("a", ("href", "rel", "target"))]
        assert "".join(before.texts) == "".join(after.texts)
    assert board.get("/tags").headers["content-security-policy"] == HEADERS["Content-Security-Policy"]
