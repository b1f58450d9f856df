"""The topic registry in the terminal: all topics, and the life of one."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from rich.console import Group, RenderableType
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from data_contracts.errors import LacunaError
from pipelines.state import State

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["all_topics", "life"]


def all_topics(state: State) -> RenderableType:
    """Every topic ever seen with its latest label and size, when it was seen, and whether it is still there.

    The topics of the last run come first, the largest at the top; then those that are gone, the latest first.
    """
    rows, events, last = state.topics(), state.topic_events(), state.last_run()
    table = _table("topic", "label", "first seen", "last seen", runs=True, questions=True)
    table.add_column("state")
    seen = rows.groupby("topic_id")["run_id"].agg(["min", "max", "count"])
    latest = rows.drop_duplicates("topic_id", keep="last")
    order = latest.sort_values(["run_id", "size", "topic_id"], ascending=[False, False, True])
    ends = _ends(events)
    for row in order.to_dict("records"):
        topic = str(row["topic_id"])
        first, until, count = seen.loc[topic]
        standing = "there" if until == last else ends.get((topic, _next(events, topic, str(until))), "absent")
        table.add_row(
            topic, escape(str(row["label"])), str(first), str(until), f"{count:,}", f"{row['size']:,}", standing
        )
    there = int((latest["run_id"] == last).sum())
    return Group(table, Text(f"{len(latest):,} topics, {there:,} of them in the last run ({last or 'none yet'})"))


def life(state: State, topic_id: str) -> RenderableType:
    """One topic, run by run: its label, size, what happened to it, and the gaps that were about it.

    Raises
    ------
    LacunaError
        No run has seen such a topic; the message names the nearest.
    """
    rows = state.topics(topic_id)
    if rows.empty:
        known = sorted(set(state.topics()["topic_id"]))
        near = difflib.get_close_matches(topic_id, known, n=3, cutoff=0.4)
        remedy = f"did you mean {' or '.join(near)}?" if near else "`lacuna topic --store DIR` lists them"
        raise LacunaError(f"no run has seen a topic '{topic_id}'", remedy)
    events = {str(event["run_id"]): event for event in state.topic_events(topic_id).to_dict("records")}
    by_run = {str(row["run_id"]): row for row in rows.to_dict("records")}
    gaps = state.gaps_about(topic_id)
    table = _table("run", "label", questions=True)
    for name in ("what happened", "gaps"):
        table.add_column(name)
    for run_id in state.runs()["run_id"]:
        row, event = by_run.get(run_id), events.get(run_id)
        if row is None and event is None:
            if min(by_run) < run_id < max(by_run):
                table.add_row(run_id, "", "–", "absent", "", style="dim")
            continue
        told = _told(row, event)
        label, size = (str(row["label"]), f"{row['size']:,}") if row is not None else ("", "–")
        table.add_row(run_id, escape(label), size, escape(told), escape(_gaps(gaps, run_id)))
    first, latest = rows.iloc[0], rows.iloc[-1]
    heading = Text(f"{topic_id}  {latest['label']}", style="bold")
    span = Text(f"first seen {first['run_id']}, last seen {latest['run_id']}; embedder {latest['embedder']}")
    return Group(heading, span, Text(), table)


def _table(*names: str, runs: bool = False, questions: bool = False) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in names:
        table.add_column(name, no_wrap=name != "label")
    if runs:
        table.add_column("runs", justify="right")
    if questions:
        table.add_column("questions", justify="right")
    return table


def _ends(events: pd.DataFrame) -> dict[tuple[str, str], str]:
    """How topics ended, by topic and run."""
    ended = events[events["event"].isin(["merge", "death"])]
    return {(str(e["topic_id"]), str(e["run_id"])): _end(e) for e in ended.to_dict("records")}


def _next(events: pd.DataFrame, topic: str, run_id: str) -> str:
    """The first run after ``run_id`` with an event of the topic; empty where there is none."""
    later = events.loc[events["topic_id"].eq(topic) & events["run_id"].gt(run_id), "run_id"]
    return str(later.min()) if len(later) else ""


def _end(event: Mapping[Any, Any]) -> str:
    if event["event"] == "merge":
        return f"merged into {' and '.join(event['related'])} on {event['run_id']}"
    return f"gone on {event['run_id']}"


def _told(row: Mapping[Any, Any] | None, event: Mapping[Any, Any] | None) -> str:
    """What happened, with its figures: shared questions and the centroids' cosine."""
    if row is None:
        told = _end(event).rpartition(" on ")[0] if event else ""
    else:
        told = row["lineage"] if isinstance(row["lineage"], str) else ""
    if event is None or not (event["related"] or event["event"] == "return"):
        return told
    figures = [f"{event['shared']:,} question{'' if event['shared'] == 1 else 's'} shared"]
    if event["cosine"] is not None and event["cosine"] == event["cosine"]:
        figures.append(f"cosine {event['cosine']:.2f}")
    return f"{told} ({', '.join(figures)})"


def _gaps(gaps: pd.DataFrame, run_id: str) -> str:
    found = gaps[gaps["run_id"] == run_id].to_dict("records")
    return ", ".join(f"{gap['gap_id']} {gap['kind']} ({gap['status']})" for gap in found)
