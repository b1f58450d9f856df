"""What companies have on the first day: whatever is absent, a run ends with a backlog that can be read."""

from __future__ import annotations

import json
import re
from io import StringIO
from pathlib import Path
from typing import Any

import openpyxl
import pandas as pd
import pytest
import yaml
from rich.console import Console
from starlette.testclient import TestClient

from lacuna.models.backlog.gap import Gap
from lacuna.pipelines.board import make_app
from lacuna.pipelines.io.runs import explain
from lacuna.pipelines.presentation.spreadsheet import records
from lacuna.pipelines.run import RunResult, run
from lacuna.pipelines.settings import load_settings
from lacuna.pipelines.state.repository import open_state
from lacuna.pipelines.steps.load.step import check_bundle
from tests.support.standins import write_table
from tests.worlds.first_day_shop import ABSENT, SYSTEMS, write

pytestmark = pytest.mark.slow

HERE = "http://127.0.0.1:8765"
LEXICAL = '[embedder]\nname = "lexical"\n'


def mine(bundle: str, folder: Path, more: str = "") -> RunResult:
    """Run over four weeks with the embedder that needs no model."""
    (folder / "lexical.toml").write_text(LEXICAL + more)
    return run(bundle, folder / "store", "2024-06-03", "2024-06-30", str(folder / "lexical.toml"))


def kinds(result: RunResult) -> dict[str, str | None]:
    """The kinds of gaps by what customers ask in them: the problem's word in the first example."""
    words = ("password", "contacts", "invoice", "brakes", "jacket", "return")
    kind_of = {}
    for row in records(result.backlog):
        quotes = " ".join(str(e["quote"]).lower() for e in row["examples"])
        kind_of[max(words, key=quotes.count)] = row["kind"]
    return kind_of


def assert_readable(folder: Path) -> None:
    """Every file of a run can be opened by what it is for, and they agree on the number of gaps."""
    run_json = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    lines = [json.loads(line) for line in (folder / "backlog.jsonl").read_text(encoding="utf-8").splitlines()]
    sizes = {
        len(lines), run_json["backlog"]["gaps"], len(pd.read_parquet(folder / "backlog.parquet")),
        len(pd.read_csv(folder / "backlog.csv")),
    }  # fmt: skip
    book = openpyxl.load_workbook(folder / "backlog.xlsx")
    sizes.add(sum(str(cell.value).startswith("g-") for row in book["Backlog"].iter_rows(min_row=2) for cell in row))
    assert len(sizes) == 1, sizes
    page = (folder / "report.html").read_text(encoding="utf-8")
    assert page.rstrip().endswith("</html>")
    for bad in (">nan<", ">NaN<", ">None<", "nan %", "nan%", ">inf<", "NaT"):
        assert bad not in page, bad
    for name in ("topics", "assignments", "accuracy", "kpis"):
        pd.read_parquet(folder / f"{name}.parquet")
    for line in (folder / "not_content.jsonl").read_text(encoding="utf-8").splitlines():
        json.loads(line)
    for table in (folder / "quarantine").glob("*.parquet"):
        pd.read_parquet(table)
    drafts = list((folder / "drafts").rglob("*.md"))
    assert {row["draft"] for row in lines if row["draft"]} == {str(d.relative_to(folder)) for d in drafts}
    for draft in drafts:
        text = draft.read_text(encoding="utf-8")
        assert yaml.safe_load(text.split("---")[1])["gap_id"]
        assert "nan" not in text.lower().split()
    for row in lines:
        assert all("nan" not in reason.lower().split() for reason in row["reasons"]), row["reasons"]


def assert_board_opens(store: Path, rows: list[dict[str, Any]]) -> None:
    """Every page of the board shows the run, and `lacuna explain` its first gap."""
    settings = load_settings()
    state = open_state(settings, store)
    client = TestClient(make_app(store, settings, state, "Rita"), base_url=HERE, client=("127.0.0.1", 50000))
    pages = ["/", "/week", "/drafts", "/owners", "/impact", "/kpis", "/topics", "/tags", "/api/gaps"]
    for page in pages + [f"/gaps/{row['gap_id']}" for row in rows[:2]]:
        answer = client.get(page)
        assert answer.status_code == 200, page
        assert not re.search(r">\s*(?:nan|NaN|None|NaT|inf)\s*<|nan\s?%", answer.text), page
    state.close()
    for row in rows[:1]:
        Console(file=StringIO()).print(explain(Gap.from_row(row)))


@pytest.mark.parametrize("absent", [*ABSENT, *SYSTEMS])
def test_whatever_is_absent_a_run_ends_with_outputs_that_can_be_read(tmp_path: Path, absent: str) -> None:
    """No run fails for a column, a table or a role that an export does not have."""
    bundle = write(tmp_path / "bundle", {**ABSENT, **SYSTEMS}[absent], each=12)
    assert check_bundle(bundle).ok
    result = mine(bundle, tmp_path)
    assert_readable(result.folder)
    assert_board_opens(tmp_path / "store", records(result.backlog))


TICKETS = {
    "password": (
        ("Password reset email doesn't arrive", 11),
        ("I can't reset my password, the mail never comes", 5),
        ("reset link expired again", 6),
        "The mail is sent from a new address since May. Please look in spam and allow it.",
    ),
    "export": (
        ("How do I export my contacts to CSV?", 16),
        ("Export of contacts fails at 500 rows", 13),
        ("can't export contacts", 8),
        "Exports above 500 rows are sent by mail. It takes ten minutes.",
    ),
    "invoice": (
        ("invoice for March please", 18),
        ("I need an invoice with VAT number", 7),
        ("Where do I download my invoice?", 6),
        "Invoices are under Settings > Billing > History.",
    ),
}


def tickets(folder: Path) -> str:
    """Ninety tickets with customer and agent alone, and two articles, of which one says what agents say."""
    threads = [
        (text, reply) for *questions, reply in TICKETS.values() for text, times in questions for _ in range(times)
    ]
    conversations, messages = [], []
    for i, place in enumerate(sorted(range(len(threads)), key=lambda place: place * 37 % len(threads))):
        talk = {"conversation_id": f"t-{i:03}", "escalated": True, "customer_id": f"u-{i}", "language": "en"}
        day = pd.Timestamp("2024-01-01T10:00:00Z") + pd.Timedelta(days=i % 59)
        conversations.append({**talk, "started_at": day.isoformat()})
        for position, role in enumerate(("customer", "agent")):
            row = {"conversation_id": f"t-{i:03}", "position": position, "role": role}
            messages.append({**row, "text": threads[place][position]})
    articles = [
        {"article_id": "kb-1", "title": "Download an invoice", "body": TICKETS["invoice"][-1]},
        {"article_id": "kb-2", "title": "Change your plan", "body": "Plans are under Settings > Billing."},
    ]
    for name, rows in (("conversations", conversations), ("messages", messages), ("articles", articles)):
        write_table(folder, name, rows)
    return str(folder)


@pytest.mark.parametrize("start", [None, "2024-01-01"])
@pytest.mark.parametrize("embedder", ["lexical", "minilm"])
def test_tickets_alone_give_missing_articles_ahead_of_one_that_is_not_found(
    tmp_path: Path, embedder: str, start: str | None
) -> None:
    """Without a bot, a problem that no article answers comes before one that an article answers."""
    config = tmp_path / "ours.toml"
    config.write_text(f'[embedder]\nname = "{embedder}"\n')
    result = run(tickets(tmp_path / "bundle"), tmp_path / "store", start, config=str(config))
    rows = records(result.backlog)
    assert [(row["kind"], row["article_id"]) for row in rows] == [
        ("missing", None), ("missing", None), ("unfindable", "kb-1")
    ]  # fmt: skip
    named = [" ".join(str(e["quote"]).lower() for e in row["examples"]) for row in rows]
    assert "export" in named[0]
    assert "reset" in named[1]
    assert all(f"people handled all {row['conversations']} conversations" in row["reasons"][0] for row in rows)
    assert "people ask all the same" in " ".join(rows[2]["reasons"])
    assert_readable(result.folder)


RETURNS = ("how long can I return an order", "return period of my order", "until when may I return things")
REFUND = ("where is my refund", "I still wait for the refund", "refund has not arrived")


def test_replies_that_contradict_the_article_make_it_stale(tmp_path: Path) -> None:
    """Agents all say 14 days where the article says 30: the article is out of date, and the reason quotes both."""
    more = {"returns": (RETURNS, ("You can return an order within 14 days.",), "kb-returns", False)}
    result = mine(write(tmp_path / "bundle", SYSTEMS["ticket desk"], more=more), tmp_path)
    assert kinds(result) == {"password": "missing", "contacts": "missing", "invoice": "unfindable", "return": "stale"}
    reasons = " ".join(next(row for row in records(result.backlog) if row["kind"] == "stale")["reasons"])
    assert "within 30 days" in reasons
    assert "within 14 days" in reasons


def test_replies_of_which_half_contradict_the_article_are_a_contradiction(tmp_path: Path) -> None:
    """Where agents say now 14 days, now 30 as the article does, somebody has to settle it."""
    replies = ("You can return an order within 14 days.", "You can return an order within 30 days.")
    more = {"returns": (RETURNS, replies, "kb-returns", False)}
    result = mine(write(tmp_path / "bundle", SYSTEMS["ticket desk"], more=more), tmp_path)
    assert kinds(result)["return"] == "contradictory"


def test_what_only_a_person_can_settle_is_no_gap_without_a_bot_either(tmp_path: Path) -> None:
    """Where an agent had to act in the customer's account, no article is asked for."""
    more = {"refund": (REFUND, ("I have refunded your order, it is on your account now.",), None, False)}
    result = mine(write(tmp_path / "bundle", SYSTEMS["ticket desk"], more=more), tmp_path)
    assert set(kinds(result)) == {"password", "contacts", "invoice"}
    lines = (result.folder / "not_content.jsonl").read_text(encoding="utf-8").splitlines()
    assert {json.loads(line)["reason"] for line in lines} == {"account action needed"}


@pytest.mark.parametrize("system", ["forum", "a healthy rest"])
def test_a_forum_and_escalations_alone_give_the_same_gaps(tmp_path: Path, system: str) -> None:
    """What people answered in a forum was handled by people, and a bot that failed them all changes little."""
    result = mine(write(tmp_path / "bundle", {**ABSENT, **SYSTEMS}[system]), tmp_path)
    kind_of = kinds(result)
    assert {kind_of["password"], kind_of["contacts"]} == {"missing"}
    assert kind_of["invoice"] == "unfindable"
