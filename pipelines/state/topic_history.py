"""The topic registry: all topics, and the history of one, as plain data and in the terminal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from rich.console import Group, RenderableType
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from lacuna.data_contracts.errors import LacunaError, NoSuchTopic
from lacuna.models.topics.edits import TopicEdit, names_in_force, out_of_use
from lacuna.pipelines.presentation.suggestions import did_you_mean
from lacuna.pipelines.state import topic_edit_log
from lacuna.pipelines.state.repository import State

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["all_topics", "gap_state", "life", "topic_rows"]


def topic_rows(state: State) -> list[dict[str, Any]]:
    """Every topic of any run, with its latest label and size, its first and last run, and what became of it.

    Topics of the last run come first, the largest at the top; then the others, the latest first.

    Returns
    -------
    list of dict
        topic_id, label (a person's, where one gave it), first_seen, last_seen, runs, questions, standing, there:
        whether the last run has it, and ended: whether people have said that it is no topic of its own.
    """
    rows, events, last = state.topics(), state.topic_events(), state.last_run()
    names, ended = _by_people(state)
    spans = rows.groupby("topic_id")["run_id"].agg(["min", "max", "count"])
    latest = rows.drop_duplicates("topic_id", keep="last")
    order = latest.sort_values(["run_id", "size", "topic_id"], ascending=[False, False, True])
    ends = _ends(events)
    topics = []
    for row in order.to_dict("records"):
        topic = str(row["topic_id"])
        first, until, count = (spans.at[topic, name] for name in ("min", "max", "count"))
        standing = "there" if until == last else ends.get((topic, _next(events, topic, str(until))), "absent")
        if topic in ended:
            standing = _ended_by(ended[topic], "from the next run on" if until == last else "")
        topics.append(
            {
                "topic_id": topic, "label": names.get(topic, str(row["label"])), "first_seen": str(first),
                "last_seen": str(until), "runs": int(str(count)), "questions": int(row["size"]), "standing": standing,
                "there": until == last, "ended": topic in ended,
            }
        )  # fmt: skip
    return topics


def all_topics(state: State) -> RenderableType:
    """The topics of :func:`topic_rows` as a table."""
    topics = topic_rows(state)
    table = _table("topic", "label", "first seen", "last seen", runs=True, questions=True)
    table.add_column("state")
    for row in topics:
        table.add_row(
            row["topic_id"], escape(row["label"]), row["first_seen"], row["last_seen"],
            f"{row['runs']:,}", f"{row['questions']:,}", row["standing"],
        )  # fmt: skip
    current = sum(row["there"] for row in topics)
    last = state.last_run()
    return Group(table, Text(f"{len(topics):,} topics, {current:,} of them in the last run ({last or 'none yet'})"))


def gap_state(state: State, topic_id: str) -> dict[str, Any]:
    """One topic, run by run.

    Returns
    -------
    dict
        topic_id, label, first_seen, last_seen, embedder, ended (how people have ended it, in words), last_edit (the
        id of its last edit, 0 for none); ``runs``, oldest first: run_id, label, questions (None where
        the run does not have it), happened, absent, gaps (gap_id, kind, status).

    Raises
    ------
    LacunaError
        No run has seen such a topic; the message names the nearest.
    """
    rows = state.topics(topic_id)
    if rows.empty:
        if topic := state.topic_of(topic_id):
            raise LacunaError(f"'{topic_id}' is a subtopic", f"see the life of its topic: `lacuna topic {topic}`")
        ids = sorted(set(state.topics()["topic_id"]))
        remedy = did_you_mean(topic_id, ids, "`lacuna topic --store DIR` lists them", most=3, cutoff=0.4)
        raise NoSuchTopic(f"no run has seen a topic '{topic_id}'", remedy)
    events = {str(event["run_id"]): event for event in state.topic_events(topic_id).to_dict("records")}
    by_run = {str(row["run_id"]): row for row in rows.to_dict("records")}
    gaps = state.gaps_about(topic_id)
    runs = []
    for run_id in state.runs()["run_id"]:
        row, event = by_run.get(run_id), events.get(run_id)
        if row is None and event is None and not min(by_run) < run_id < max(by_run):
            continue
        runs.append(
            {
                "run_id": run_id,
                "label": "" if row is None else str(row["label"]),
                "questions": None if row is None else int(row["size"]),
                "absent": row is None and event is None,
                "happened": "absent" if row is None and event is None else _description(row, event),
                "gaps": gaps.loc[gaps["run_id"] == run_id, ["gap_id", "kind", "status"]].to_dict("records"),
            }
        )
    first, latest = rows.iloc[0], rows.iloc[-1]
    names, ended = _by_people(state)
    with state.reading() as connection:
        last_edit = topic_edit_log.last_of(connection, topic_id)
    return {
        "topic_id": topic_id, "label": names.get(topic_id, str(latest["label"])), "embedder": str(latest["embedder"]),
        "runs": runs, "first_seen": str(first["run_id"]), "last_seen": str(latest["run_id"]), "last_edit": last_edit,
        "ended": _ended_by(ended[topic_id]) if topic_id in ended else "",
    }  # fmt: skip


def life(state: State, topic_id: str) -> RenderableType:
    """The history of one topic as a table; as :func:`gap_state`, with the same errors."""
    topic = gap_state(state, topic_id)
    table = _table("run", "label", questions=True)
    for name in ("what happened", "gaps"):
        table.add_column(name)
    for run in topic["runs"]:
        size = "–" if run["questions"] is None else f"{run['questions']:,}"
        gaps = ", ".join(f"{gap['gap_id']} {gap['kind']} ({gap['status']})" for gap in run["gaps"])
        table.add_row(
            run["run_id"], escape(run["label"]), size, escape(run["happened"]), escape(gaps),
            style="dim" if run["absent"] else None,
        )  # fmt: skip
    heading = Text(f"{topic_id}  {topic['label']}", style="bold")
    span = Text(f"first seen {topic['first_seen']}, last seen {topic['last_seen']}; embedder {topic['embedder']}")
    return Group(heading, span, Text(), table)


def _by_people(state: State) -> tuple[dict[str, str], dict[str, TopicEdit]]:
    """The names that people gave topics, and the edits by which they have ended some, both by topic_id."""
    with state.reading() as connection:
        edits = topic_edit_log.read(connection)
    return names_in_force(edits), out_of_use(edits)


def _ended_by(edit: TopicEdit, since: str = "") -> str:
    words = f"merged into {edit.into}" if edit.deed == "merge" else "not a topic"
    return f"{words} (by {edit.who}{', ' + since if since else ''})"


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


def _description(row: Mapping[Any, Any] | None, event: Mapping[Any, Any] | None) -> str:
    """What happened to a topic in a run, with figures: shared questions and the cosine of the centroids."""
    if row is None:
        text = _end(event).rpartition(" on ")[0] if event else ""
    else:
        text = row["lineage"] if isinstance(row["lineage"], str) else ""
    if event is None or not (event["related"] or event["event"] == "return"):
        return text
    figures = [f"{event['shared']:,} question{'' if event['shared'] == 1 else 's'} shared"]
    if event["cosine"] is not None and event["cosine"] == event["cosine"]:
        figures.append(f"cosine {event['cosine']:.2f}")
    return f"{text} ({', '.join(figures)})"
