"""Gaps in the terminal: the top of a backlog as a table, and one gap with why it is one."""

from __future__ import annotations

import difflib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Group, RenderableType
from rich.markup import escape
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from data_contracts.errors import LacunaError, StoreUnusable

__all__ = ["backlog_table", "explain", "find_gap", "find_run", "published_runs", "read_backlog", "read_run"]

Row = Mapping[str, Any]

MEANING = {
    "missing": "no article answers it",
    "stale": "an article did answer it, and no longer does",
    "incomplete": "an article answers only a part of it",
    "contradictory": "articles, or articles and agents, disagree",
    "unfindable": "an article answers it, and neither bot nor search reaches it",
}


def published_runs(store: Path) -> list[str]:
    """The ids of the runs that lie in the store, oldest first."""
    return sorted(path.parent.name for path in (store / "runs").glob("[0-9]*/run.json"))


def find_run(store: Path, run_id: str | None = None) -> Path:
    """The folder of a run: the one named, else the latest.

    Raises
    ------
    StoreUnusable
        There is no such store or no run in it.
    LacunaError
        There are runs, but not this one.
    """
    known = published_runs(store)
    if not known:
        problem = f"no run in {store}" if store.is_dir() else f"there is no store {store}"
        raise StoreUnusable(problem, f"make one with `lacuna run BUNDLE --store {store}`, or check the path")
    if run_id is not None and run_id not in known:
        raise LacunaError(f"there is no run '{run_id}' in {store}", f"there are: {', '.join(known)}")
    return store / "runs" / (run_id or known[-1])


def read_backlog(folder: Path) -> list[dict[str, Any]]:
    """The backlog of a run folder, by rank."""
    lines = (folder / "backlog.jsonl").read_text(encoding="utf-8").split("\n")
    return [json.loads(line) for line in lines if line]


def read_run(folder: Path) -> dict[str, Any]:
    """What a run says about itself, from its ``run.json``."""
    return json.loads((folder / "run.json").read_text(encoding="utf-8"))


def find_gap(rows: Sequence[Row], wanted: str) -> Row:
    """The row with this gap_id, or with this rank where a number is given.

    Raises
    ------
    LacunaError
        There is no such gap; the message names the nearest.
    """
    for row in rows:
        if wanted in (row["gap_id"], str(row["rank"])):
            return row
    if not rows:
        raise LacunaError(f"there is no gap '{wanted}': the backlog is empty", "choose another run with --run")
    if wanted.isdigit():
        raise LacunaError(f"there is no rank {wanted}", f"ranks go from 1 to {len(rows)}")
    ids = [str(row["gap_id"]) for row in rows]
    titles = {str(row["title"]).lower(): str(row["gap_id"]) for row in rows}
    near = difflib.get_close_matches(wanted, ids, n=3, cutoff=0.4)
    near += [titles[t] for t in difflib.get_close_matches(wanted.lower(), titles, n=2, cutoff=0.4)]
    remedy = f"did you mean {' or '.join(dict.fromkeys(near))}?" if near else f"ranks work too: 1 to {len(rows)}"
    raise LacunaError(f"there is no gap '{wanted}' in this run", remedy)


def backlog_table(rows: Sequence[Row], top: int = 10) -> Table:
    """The first ``top`` gaps as a table."""
    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0), header_style="bold")
    table.add_column("#", justify="right", no_wrap=True)
    table.add_column("kind", no_wrap=True)
    table.add_column("gap")  # the one that gives way on a narrow terminal
    table.add_column("owner")
    table.add_column("conv./\nweek", justify="right", no_wrap=True)
    table.add_column("failed", justify="right", no_wrap=True)
    table.add_column("score\n(95 % band)", justify="right", no_wrap=True)
    for row in rows[:top]:
        table.add_row(
            str(row["rank"]),
            escape(str(row["kind"])),
            escape(str(row["title"])),
            escape(_owner(row)),
            _number(row.get("weekly_rate")),
            _share(row.get("failure_rate")),
            f"{_number(row.get('score'))} ({_number(row.get('score_low'))}–{_number(row.get('score_high'))})",
        )
    return table


def explain(row: Row, currency: str = "") -> RenderableType:
    """One gap: why it is of this kind, why it stands at this rank, who should act, what people wrote.

    Parameters
    ----------
    row
        A row of the backlog; the fields that go beyond the contract may be missing.
    currency
        Unit of its cost.
    """
    kind = str(row["kind"])
    standing = f"{row['status']}: {row['status_note']}" if row.get("status_note") else row["status"]
    sure = f", {_share(row['probability'])} likely" if row.get("probability") is not None else ""
    parts: list[RenderableType] = [
        Text(f"{row['rank']}. {row['title']}", style="bold"),
        Text(f"{row['gap_id']} · {kind} ({MEANING.get(kind, kind)}{sure}) · {standing}", style="dim"),
    ]
    if row.get("article_id"):
        title = f" “{row['article_title']}”" if row.get("article_title") else ""
        parts.append(Text(f"Article: {row['article_id']}{title}"))
    parts += _section(f"Why {kind}", _bullets(row.get("reasons")))
    parts += _section(f"Why rank {row['rank']}", [Text(line) for line in _rank(row, currency)])
    owner = f"{_owner(row)}: {row.get('owner_reason') or 'no reason recorded'}"
    parts += _section("Who", [Text(owner)])
    nearest = [f"{a['similarity']:.2f}  {a['article_id']}  {a['title']}" for a in row.get("nearest_articles") or []]
    parts += _section("Nearest articles", [Text(line) for line in nearest])
    quotes = [f"“{e['quote']}”  ({e['conversation_id']})" for e in row.get("examples") or []]
    parts += _section("What customers wrote", _bullets(quotes))
    answers = [f"“{a['quote']}”  ({a['conversation_id']})" for a in row.get("agent_answers") or []]
    parts += _section("What agents answered", _bullets(answers))
    if row.get("draft"):
        parts += _section("Draft", [Text(str(row["draft"]))])
    return Group(*parts)


def _rank(row: Row, currency: str) -> list[str]:
    band = f"{_number(row.get('score_low'))} to {_number(row.get('score_high'))}"
    lines = [f"{_number(row.get('score'))} avoidable human-handled conversations a week ({band})"]
    factors = [row.get("demand"), row.get("p_fail"), row.get("p_fixable")]
    if all(factor is not None for factor in factors):
        lines.append(
            f"= {_number(factors[0])} conversations a week × {_share(factors[1])} answers that fail"
            f" × {_share(factors[2])} that an article would fix"
        )
    failed = f"{_share(row.get('failure_low'))} to {_share(row.get('failure_high'))}, {row.get('labels', 0)} tags"
    lines.append(f"{_share(row.get('failure_rate'))} of answers failed ({failed})")
    trend = row.get("trend") or {}
    if trend.get("direction"):
        p_value = trend.get("p_value")
        sure = "" if p_value is None else f", p = {p_value:.2g}"
        lines.append(f"demand is {trend['direction']} (×{_number(trend.get('ratio'))}{sure})")
    if row.get("rank_low") is not None:
        lines.append(f"its rank lies between {row['rank_low']} and {row['rank_high']}")
    if row.get("cost_avoidable") is not None:
        lines.append(f"{_number(row['cost_avoidable'])} {currency} a week could be saved".replace("  ", " "))
    return lines


def _section(title: str, lines: Sequence[RenderableType]) -> list[RenderableType]:
    if not lines:
        return []
    return [Text(), Text(title, style="bold"), *(Padding(line, (0, 0, 0, 2), expand=False) for line in lines)]


def _bullets(texts: Sequence[str] | None) -> list[RenderableType]:
    return [Text(f"• {text}") for text in texts or []]


def _owner(row: Row) -> str:
    return str(row.get("owner_name") or row.get("owner_id") or "unowned")


def _number(value: Any) -> str:
    if value is None:
        return "–"
    return f"{value:,.1f}" if abs(value) < 100 else f"{value:,.0f}"


def _share(value: Any) -> str:
    return "–" if value is None else f"{value:.0%}"
