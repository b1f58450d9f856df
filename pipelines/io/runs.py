"""Gaps in the terminal: the top of a backlog as a table, and one gap with the reasons for it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from rich.console import Group, RenderableType
from rich.markup import escape
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from lacuna.data_contracts.errors import LacunaError
from lacuna.models.backlog.gap import Gap
from lacuna.models.backlog.gap_kinds import kind_meaning
from lacuna.pipelines.io.run_files import read_run, run_file
from lacuna.pipelines.io.run_folders import find_run, published_runs, run_folder, run_place, whole_run
from lacuna.pipelines.presentation.format import NONE
from lacuna.pipelines.presentation.suggestions import similar, with_such_words
from lacuna.pipelines.report.gap_figures import SETS, GapFigures, figures_of, movement, nearest_articles
from lacuna.pipelines.report.story import similar_sentences, story

__all__ = [
    "backlog_table",
    "explain",
    "find_gap",
    "find_run",
    "published_runs",
    "read_backlog",
    "read_run",
    "run_folder",
    "run_place",
    "whole_run",
]

_COLUMNS = "in gap: conversations in the gap; failed: estimated share of all conversations about it"


def read_backlog(folder: Path) -> list[Gap]:
    """The backlog of a run folder, by rank.

    Raises
    ------
    RunUnreadable
        The file is missing or damaged.
    """
    path = folder / "backlog.jsonl"
    with run_file(path):
        return [Gap.from_row(json.loads(line)) for line in path.read_text(encoding="utf-8").split("\n") if line]


def find_gap(gaps: Sequence[Gap], wanted: str) -> Gap:
    """The gap with this gap_id, or with this rank where a number is given.

    Raises
    ------
    LacunaError
        There is no such gap; the message names the nearest.
    """
    for gap in gaps:
        if wanted in (gap.gap_id, str(gap.rank)):
            return gap
    if not gaps:
        raise LacunaError(f"there is no gap '{wanted}': the backlog is empty", "choose another run with --run")
    if wanted.isdigit():
        raise LacunaError(f"there is no rank {wanted}", f"ranks go from 1 to {len(gaps)}")
    ids = [str(gap.gap_id) for gap in gaps]
    titles = {str(gap.title): str(gap.gap_id) for gap in gaps}
    near = similar(wanted, ids, most=3, cutoff=0.4) + [titles[title] for title in with_such_words(wanted, titles)]
    remedy = f"did you mean {' or '.join(dict.fromkeys(near))}?" if near else f"ranks work too: 1 to {len(gaps)}"
    raise LacunaError(f"there is no gap '{wanted}' in this run", remedy)


def backlog_table(gaps: Sequence[Gap], top: int = 10) -> Table:
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
    for gap in gaps[:top]:
        figures = figures_of(gap)
        table.add_row(
            str(gap.rank),
            escape(str(gap.kind)),
            escape(str(gap.title)),
            escape(_owner(gap)),
            figures.weekly or NONE,
            figures.failed or NONE,
            f"{figures.score or NONE} {figures.score_range}".rstrip(),
        )
    return table


def explain(gap: Gap, currency: str = "") -> RenderableType:
    """One gap: why it is of this kind, why it stands at this rank, who should act, what people wrote.

    Parameters
    ----------
    gap
        One gap; what a run of an earlier version lacks is left out.
    currency
        Unit of its cost.
    """
    kind = str(gap.kind)
    standing = f"{gap.status}: {gap.status_note}" if gap.status_note else gap.status
    figures = figures_of(gap, currency or "EUR")
    sure = f", {figures.sure} sure" if figures.sure else ""
    meaning = _in_a_sentence(kind_meaning(kind)) or kind
    parts: list[RenderableType] = [
        Text(f"{gap.rank}. {gap.title}", style="bold"),
        Text(f"{gap.gap_id} · {kind} ({meaning}{sure}) · {standing}", style="dim"),
        Text(),
        Text(story(gap)),
    ]
    if gap.edited:
        parts.append(Text(gap.edited))
    parts += _section(
        "May be the same work", _bullets([f"{o['id']} “{o['title']}”: {o['why']}" for o in similar_sentences(gap)])
    )
    if gap.article_id:
        title = f" “{gap.article_title}”" if gap.article_title else ""
        parts.append(Text(f"Article: {gap.article_id}{title}"))
    parts += _section(f"Why {kind}", _bullets(gap.reasons))
    parts += _section(f"Why rank {gap.rank}", [Text(line) for line in _rank(gap, figures)])
    owner = f"{_owner(gap)}: {gap.owner_reason or 'no reason recorded'}"
    parts += _section("Who", [Text(owner)])
    nearest = [f"{a['shown']}  {a['id']}  {a['title']}" for a in nearest_articles(gap.nearest_articles)]
    parts += _section("Nearest articles", [Text(line) for line in nearest])
    quotes = [f"“{e['quote']}”  ({e['conversation_id']})" for e in gap.examples]
    parts += _section("What customers wrote", _bullets(quotes))
    answers = [f"“{a['quote']}”  ({a['conversation_id']})" for a in gap.agent_answers]
    parts += _section("What agents answered", _bullets(answers))
    if gap.draft:
        parts += _section("Draft", [Text(str(gap.draft))])
    return Group(*parts)


def _rank(gap: Gap, figures: GapFigures) -> list[str]:
    lines = [f"{figures.score or NONE} {figures.score_range} human-handled conversations a week would be avoided"]
    if factors := figures.factors():
        lines.append("= " + " × ".join(f"{value} {words}" for value, words in factors))
    evidence = "; ".join(part for part in (figures.size(), figures.failing(), figures.tags()) if part)
    lines += [f"in this window: {evidence}"] if evidence else []
    if figures.demand:
        moving, chance = movement(gap), gap.trend["p_value"]
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


def _owner(gap: Gap) -> str:
    return gap.owner or "unowned"


def _in_a_sentence(text: str) -> str:
    return text[:1].lower() + text[1:].removesuffix(".")
