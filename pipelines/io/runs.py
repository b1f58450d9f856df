"""Gaps in the terminal: the top of a backlog as a table, and one gap with why it is one."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Group, RenderableType
from rich.markup import escape
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from lacuna.data_contracts.errors import LacunaError, StoreUnusable
from lacuna.models.backlog.gap_kinds import kind_meaning
from lacuna.pipelines.presentation.format import NONE
from lacuna.pipelines.presentation.suggestions import similar, with_such_words
from lacuna.pipelines.report.gap_figures import SETS, GapFigures, figures_of, movement, nearest_articles

__all__ = ["backlog_table", "explain", "find_gap", "find_run", "published_runs", "read_backlog", "read_run"]

Row = Mapping[str, Any]

_COLUMNS = "in gap: conversations in the gap; failed: estimated share of all conversations about it"


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
    titles = {str(row["title"]): str(row["gap_id"]) for row in rows}
    near = similar(wanted, ids, most=3, cutoff=0.4) + [titles[title] for title in with_such_words(wanted, titles)]
    remedy = f"did you mean {' or '.join(dict.fromkeys(near))}?" if near else f"ranks work too: 1 to {len(rows)}"
    raise LacunaError(f"there is no gap '{wanted}' in this run", remedy)


def backlog_table(rows: Sequence[Row], top: int = 10) -> Table:
    """The first ``top`` gaps as a table."""
    table = Table(
        box=None, pad_edge=False, padding=(0, 1, 0, 0), header_style="bold", caption_justify="left", caption=_COLUMNS
    )
    table.add_column("#", justify="right", no_wrap=True)
    table.add_column("kind", no_wrap=True)
    table.add_column("gap")  # the one that gives way on a narrow terminal
    table.add_column("owner")
    table.add_column("in gap\na week", justify="right", no_wrap=True)
    table.add_column("failed", justify="right", no_wrap=True)
    table.add_column("score\n(band)", justify="right", no_wrap=True)
    for row in rows[:top]:
        figures = figures_of(row)
        table.add_row(
            str(row["rank"]),
            escape(str(row["kind"])),
            escape(str(row["title"])),
            escape(_owner(row)),
            figures.weekly or NONE,
            figures.failed or NONE,
            f"{figures.score or NONE} {figures.score_range}".rstrip(),
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
    figures = figures_of(row, currency or "EUR")
    sure = f", {figures.sure} sure" if figures.sure else ""
    meaning = _in_a_sentence(kind_meaning(kind)) or kind
    parts: list[RenderableType] = [
        Text(f"{row['rank']}. {row['title']}", style="bold"),
        Text(f"{row['gap_id']} · {kind} ({meaning}{sure}) · {standing}", style="dim"),
    ]
    if row.get("article_id"):
        title = f" “{row['article_title']}”" if row.get("article_title") else ""
        parts.append(Text(f"Article: {row['article_id']}{title}"))
    parts += _section(f"Why {kind}", _bullets(row.get("reasons")))
    parts += _section(f"Why rank {row['rank']}", [Text(line) for line in _rank(row, figures)])
    owner = f"{_owner(row)}: {row.get('owner_reason') or 'no reason recorded'}"
    parts += _section("Who", [Text(owner)])
    nearest = [f"{a['shown']}  {a['id']}  {a['title']}" for a in nearest_articles(row.get("nearest_articles"))]
    parts += _section("Nearest articles", [Text(line) for line in nearest])
    quotes = [f"“{e['quote']}”  ({e['conversation_id']})" for e in row.get("examples") or []]
    parts += _section("What customers wrote", _bullets(quotes))
    answers = [f"“{a['quote']}”  ({a['conversation_id']})" for a in row.get("agent_answers") or []]
    parts += _section("What agents answered", _bullets(answers))
    if row.get("draft"):
        parts += _section("Draft", [Text(str(row["draft"]))])
    return Group(*parts)


def _rank(row: Row, figures: GapFigures) -> list[str]:
    lines = [f"{figures.score or NONE} {figures.score_range} human-handled conversations a week would be avoided"]
    if factors := figures.factors():
        lines.append("= " + " × ".join(f"{value} {words}" for value, words in factors))
    told = "; ".join(part for part in (figures.size(), figures.failing(), figures.tags()) if part)
    lines += [f"in this window: {told}"] if told else []
    if figures.demand:
        moving, chance = movement(row), (row.get("trend") or {}).get("p_value")
        sure = "" if chance is None or moving.since else f" (p = {chance:.2g})"
        lines.append(f"demand is {figures.demand}{sure}")
    if figures.rank_low and figures.rank_high:
        lines.append(f"its rank lies between {figures.rank_low} and {figures.rank_high}")
    if figures.cost:
        lines.append(f"{figures.cost} a week could be saved")
    return [*lines, *(f"{name}: {means[:1].lower()}{means[1:]}" for name, means in SETS)]


def _section(title: str, lines: Sequence[RenderableType]) -> list[RenderableType]:
    if not lines:
        return []
    return [Text(), Text(title, style="bold"), *(Padding(line, (0, 0, 0, 2), expand=False) for line in lines)]


def _bullets(texts: Sequence[str] | None) -> list[RenderableType]:
    return [Text(f"• {text}") for text in texts or []]


def _owner(row: Row) -> str:
    return str(row.get("owner_name") or row.get("owner_id") or "unowned")


def _in_a_sentence(text: str) -> str:
    return text[:1].lower() + text[1:].removesuffix(".")
