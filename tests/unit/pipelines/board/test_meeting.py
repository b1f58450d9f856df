"""The review meeting by HTTP: who may lead one, where it goes on, and minutes that only the log of decisions makes."""

from __future__ import annotations

from dataclasses import replace
from html import unescape
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from starlette.testclient import TestClient

from lacuna.pipelines.board import make_app
from lacuna.pipelines.board.roles import hashed
from lacuna.pipelines.gaps.decisions import decide, undo
from lacuna.pipelines.settings import load_settings
from lacuna.pipelines.state.repository import State
from tests.support import sample_run
from tests.support.board_store import publish
from tests.support.standins import Lacuna

BOARD = "http://127.0.0.1:8765"
FROM_BOARD = {"Origin": BOARD, "Sec-Fetch-Site": "same-origin"}
ROLES = ("viewer", "writer", "manager")
PEOPLE = "".join(
    f'[[people]]\nname = "{role.title()}"\nrole = "{role}"\nowner = "o-ana"\ntoken_sha256 = "{hashed(role)}"\n'
    for role in ROLES
)


@pytest.fixture
def board(store: Path, state: State, tmp_path: Path) -> TestClient:
    """A board where people sign in."""
    (tmp_path / "people.toml").write_text(PEOPLE, encoding="utf-8")
    settings = load_settings()
    people = settings.board.model_copy(update={"people": str(tmp_path / "people.toml")})
    app = make_app(store, settings.model_copy(update={"board": people}), state, "Rita")
    return TestClient(app, base_url=BOARD, follow_redirects=False, client=("127.0.0.1", 50000))


def bearer(role: str = "manager") -> dict[str, str]:
    return {"Authorization": f"Bearer {role}"}


def begin(board: TestClient, role: str = "manager", **form: Any) -> Any:
    return board.post("/meeting", data=form, headers={**bearer(role), **FROM_BOARD})


def page(board: TestClient, path: str, role: str = "manager") -> str:
    return unescape(board.get(path, headers=bearer(role)).text)


def test_only_a_manager_leads_a_meeting(board: TestClient) -> None:
    """Others look at it, and decide in it what they may decide on the board; nobody begins one from another site."""
    for role in ROLES[:2]:
        assert begin(board, role).status_code == 403
    board.post("/sign-in", data={"token": "manager"}, headers=FROM_BOARD)
    elsewhere = {"Origin": "https://elsewhere.example", "Sec-Fetch-Site": "cross-site"}
    assert board.post("/meeting", data={}, headers=elsewhere).status_code == 403
    board.cookies.clear()
    answer = begin(board, gaps="3")
    assert (answer.status_code, answer.headers["location"]) == (303, "/meeting/1")
    assert board.post("/meeting/1/end", headers={**bearer("writer"), **FROM_BOARD}).status_code == 403
    of_viewer, of_writer = page(board, "/meeting/1", "viewer"), page(board, "/meeting/1", "writer")
    assert 'data-key="a"' not in of_viewer
    assert 'data-key="a"' in of_writer
    assert 'data-key="d"' not in of_writer


def test_a_meeting_goes_on_where_it_stands(board: TestClient, state: State) -> None:
    """Without a gap in the address it shows the first that nobody decided on since it began; then the minutes."""
    decide(state, "g-001", "note", "Ana", why="before the meeting")
    begin(board, gaps="2")
    assert "Gap 1 of 2" in page(board, "/meeting/1")
    decide(state, "g-001", "accept", "Mia")
    assert "Gap 2 of 2" in page(board, "/meeting/1")
    assert "Accepted in this meeting by Mia" in " ".join(
        page(board, "/meeting/1?gap=g-001").replace('<b dir="auto">', "").split()
    )
    undo(state, "g-001", "Mia")
    assert "Gap 1 of 2" in page(board, "/meeting/1")
    for gap in ("g-001", "g-002"):
        decide(state, gap, "accept", "Mia")
    done = board.get("/meeting/1", headers=bearer())
    assert (done.status_code, done.headers["location"]) == (303, "/meeting/1/minutes")
    assert board.get("/meeting/7", headers=bearer()).status_code == 404


def test_minutes_say_what_was_decided_by_whom_and_what_is_next(
    board: TestClient, state: State, store: Path, lacuna: Lacuna
) -> None:
    """They leave out what was decided before, what was taken back and what came after the end; text stays text."""
    decide(state, "g-005", "accept", "Ana")
    begin(board, gaps="4")
    decide(state, "g-001", "accept", "Mia", why="# not a <b>heading</b>")
    decide(state, "g-001", "assign", "Mia", payload={"owner_id": "o-bjorn", "due": "2027-01-15"})
    decide(state, "g-002", "snooze", "Ben", payload={"until": "2027-02-01"})
    decide(state, "g-004", "dismiss", "Ben", payload={"reason": "wont_fix"})
    undo(state, "g-004", "Ben")
    decide(state, "g-007", "accept", "Mia")
    board.post("/meeting/1/end", headers={**bearer(), **FROM_BOARD})
    decide(state, "g-006", "accept", "Mia")
    assert board.get("/meeting/1", headers=bearer()).headers["location"] == "/meeting/1/minutes"
    assert "This meeting has ended" in page(board, "/meeting/1?gap=g-004")
    sheet = board.get("/meeting/1/minutes.md", headers=bearer())
    assert sheet.headers["content-type"].startswith("text/markdown")
    text = sheet.text
    assert "2 of 4 gaps decided, and 1 beside the list: 2 accepted, 1 snoozed. 2 left open." in text
    assert "- **How to split a return between two parcels (missing, rank 1)**\n  - Mia accepted it\n" in text
    assert "\n    > \\# not a &lt;b>heading&lt;/b>\n" in text
    assert "Mia assigned it to Björn Lindqvist and set it due on 15 Jan 2027" in text
    assert "- Find an owner for Gift card balance after a partial refund (missing, rank 7)" in text
    assert "- Björn Lindqvist: How to split a return between two parcels (missing, rank 1), due 15 Jan 2027" in text
    assert "- Return window is 60 days, not 30 (stale, rank 2) comes back on 1 Feb 2027" in text
    left = "- Where to find the invoice after a guest order (unfindable, rank 3)\n- Klarna instalment shown"
    assert f"## Left open\n\n{left}" in text
    assert "Changing the delivery address" not in text
    assert "Repairing a tent pole" not in text
    assert "<h2>Decided</h2>" in page(board, "/meeting/1/minutes", "viewer")
    assert lacuna("review", "--store", store, "--minutes", "last")[:2] == (0, text)
    since = lacuna("review", "--store", store, "--minutes", "2020-01-01")[1]
    assert "gaps decided: 4 accepted, 1 snoozed." in since
    assert lacuna("review", "--store", store, "--minutes", "yesterday")[0] == 2


def test_a_transcript_opens_for_whoever_sees_the_gap(board: TestClient, made_store: Path) -> None:
    """It shows what each said, how it ended, and text as text; what the run did not publish is not there."""
    assert board.get("/conversations/c-010000").headers["location"].startswith("/sign-in")
    of_gap = page(board, "/gaps/g-001", "viewer")
    assert 'href="/conversations/c-010000?gap=g-001"' in of_gap
    raw = board.get("/conversations/c-010000?gap=g-001", headers=bearer("viewer")).text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in raw
    shown = unescape(raw)
    for words in ("Hi, i have 2 boxes", "I can't find an answer.", "Hello <NAME>", "Went to a person", "Not resolved",
                  "Rated 2.0 of 5", "Bot's answer tagged: wrong", "from kb-012", "And 2 messages more"):  # fmt: skip
        assert words in shown, words
    assert board.get("/conversations/c-nope?gap=g-001", headers=bearer("viewer")).status_code == 404


def decide_by_form(board: TestClient, role: str = "manager", **form: Any) -> Any:
    return board.post("/decide", data=form, headers={**bearer(role), **FROM_BOARD})


def test_a_title_and_a_kind_show_at_once_and_are_undone_by_a_click(
    board: TestClient, state: State, store: Path, lacuna: Lacuna
) -> None:
    """On the backlog, the gap, in the meeting, in lists and on the command line, each with what was found."""
    found, name = "How to split a return between two parcels", "Send a <second> label"
    assert decide_by_form(board, "writer", verb="rename", gap="g-001:0", title=name, back="/").status_code == 303
    assert decide_by_form(board, "writer", verb="reclassify", gap="g-001:1", kind="stale", back="/").status_code == 403
    answer = decide_by_form(board, verb="reclassify", gap="g-001:1", kind="stale", article_id="kb-012", back="/")
    assert answer.status_code == 303
    begin(board, gaps="2")
    for path in ("/", "/gaps/g-001", "/meeting/1?gap=g-001", "/meeting/1/minutes", "/week", "/drafts"):
        raw = board.get(path, headers=bearer()).text
        assert "Send a &lt;second&gt; label" in raw, path
        assert name not in raw, path
    for path in ("/gaps/g-001", "/meeting/1?gap=g-001"):
        shown = page(board, path)
        assert f"Found as “{found}”, missing; changed by Manager." in shown, path
        assert "Manager says that it is stale; it was found as missing" in shown
    row = board.get("/api/gaps/g-001", headers=bearer()).json()
    assert (row["title"], row["kind"], row["article_id"]) == (name, "stale", "kb-012")
    assert row["found_as"]["title"] == found
    lacuna("backlog", "--store", store, "--csv", store / "now.csv")
    assert "Send a <second> label" in (store / "now.csv").read_text(encoding="utf-8-sig")
    cells = pd.read_csv(store / "now.csv", encoding="utf-8-sig", dtype=str, keep_default_na=False)
    row = cells[cells["gap_id"] == "g-004"].assign(decision="rename", title="Explain the second instalment")
    row.to_csv(store / "filled.csv", index=False)
    assert lacuna("decide", "--from", store / "filled.csv", "--store", store)[0] == 0
    assert board.get("/api/gaps/g-004", headers=bearer()).json()["title"] == "Explain the second instalment"
    undone = decide_by_form(board, verb="undo", of="1", gap="g-001:2", back="/gaps/g-001")
    assert undone.status_code == 303
    row = board.get("/api/gaps/g-001", headers=bearer()).json()
    assert (row["title"], row["kind"]) == (found, "stale")
    assert decide_by_form(board, verb="rename", gap="g-001:3", title="x" * 161, back="/").status_code == 400
    assert decide_by_form(board, verb="reclassify", gap="g-006:0", kind="stale", back="/").status_code == 400


def test_a_conversation_is_taken_out_where_it_is_read(board: TestClient) -> None:
    """It holds from the next run on, and says so; only what is in the gap is taken out, only what is not is added."""
    talk = "/conversations/c-010000?gap=g-001"
    assert "Not of this gap" in page(board, talk)
    assert "Not of this gap" not in page(board, talk, "writer")
    form = {"verb": "exclude", "gap": "g-001:0", "back": "/gaps/g-001"}
    assert decide_by_form(board, **form, conversation="c-nope").status_code == 400
    assert decide_by_form(board, **form, conversation="c-010000").status_code == 303
    assert "Taken out of the gap, from the next run on." in page(board, talk)
    assert "From the next run on: 1 conversation taken out." in page(board, "/gaps/g-001")
    again = {"verb": "include", "gap": "g-001:1", "back": "/", "conversation": "c-010002"}
    assert decide_by_form(board, **again).status_code == 400


def test_what_the_run_proposes_to_merge_stands_beside_the_gap(board: TestClient, store: Path) -> None:
    """On the row, on the gap's page with one click to the form, and first in the meeting, until it is put away."""
    data = sample_run.sample_run()
    proposal = [{"gap_id": "g-020", "title": "Insurance for rented skis", "likeness": 0.8, "why": "same_answers"}]
    similar = [proposal if gap == "g-001" else [] for gap in data.backlog["gap_id"]]
    publish(store, "2024-06-30", replace(data, backlog=data.backlog.assign(similar=similar)))
    assert "May be the same work as “Insurance for rented skis”" in page(board, "/")
    of_gap = page(board, "/gaps/g-001")
    assert "agents give the same answers" in of_gap
    assert "/decide/merge?gap=g-001&into=g-020" in of_gap
    assert 'value="g-020" required checked' in page(board, "/decide/merge?gap=g-001&into=g-020")
    begin(board, gaps="2")
    shown = " ".join(page(board, "/meeting/1").split())
    assert "Insurance for rented skis</a>" in shown
    assert "rank 20; agents give the same answers" in shown
    decide_by_form(board, verb="dismiss", gap="g-020:0", reason="wont_fix", back="/")
    assert "Insurance for rented skis</a>" not in page(board, "/meeting/1?gap=g-001")
