"""A state database made again from the published runs, and a new one beside runs, made on purpose."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from lacuna.data_contracts.errors import StoreUnusable
from lacuna.models.backlog.gap import Gap
from lacuna.models.backlog.gap_fields import gap_fields
from lacuna.pipelines.io.addresses import StorePath
from lacuna.pipelines.io.published import read_published
from lacuna.pipelines.io.run_files import read_run, run_file
from lacuna.pipelines.io.run_folders import published_at, published_runs, run_place
from lacuna.pipelines.presentation import progress
from lacuna.pipelines.settings import Settings
from lacuna.pipelines.state import schema
from lacuna.pipelines.state.forgotten import take_over_forgotten
from lacuna.pipelines.state.people_log import PEOPLE_LOGS, log_rows
from lacuna.pipelines.state.recording import RunRecord
from lacuna.pipelines.state.repository import State, state_engine

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["REMEMBERED", "Rebuilt", "new_state", "rebuild_state"]

REMEMBERED = [field.name for field in gap_fields(Gap) if field.remembered]  # what the database keeps of a gap

_COUNTED = {
    "topics": schema.topics.c.topic_id, "subtopics": schema.subtopics.c.subtopic_id, "gaps": schema.gaps.c.gap_id,
    "decisions": schema.decisions.c.id, "tags": schema.tags.c.id, "topic_edits": schema.topic_edits.c.id,
    "owners": schema.contacts.c.owner_id,
}  # fmt: skip
_COUNTS = {name: sa.select(sa.func.count(sa.distinct(column))) for name, column in _COUNTED.items()}


@dataclass(frozen=True)
class Rebuilt:
    """What a database got back.

    Attributes
    ----------
    runs : the runs that it was made from, oldest first
    without_topics : those of them that hold no registry of topics, since an earlier version published them
    counts : how many topics, subtopics, gaps, decisions, tags, topic_edits and owners it has
    """

    runs: tuple[str, ...]
    without_topics: tuple[str, ...]
    counts: Mapping[str, int]


def rebuild_state(settings: Settings, store: StorePath, since: str | None = None) -> Rebuilt:
    """Make a lost database again from the published runs, in one transaction.

    Parameters
    ----------
    settings, store
        Where the database and the runs are.
    since
        Only runs from this one on; where somebody started afresh beside older ones.

    Raises
    ------
    StoreUnusable
        There is no run, or the database knows runs or decisions already: nothing is put in their place.
    RunUnreadable
        A file of a run is damaged.
    """
    runs = [run_id for run_id in published_runs(store) if since is None or run_id >= since]
    if not runs:
        raise StoreUnusable(f"no run in {store} to rebuild the state database from", "check --store and --since")
    records = []
    for run_id in runs:
        progress.say(f"reading run {run_id}")
        records.append(_record(store, run_id))
    latest = _place(store, runs[-1])
    logs = {name: read_published(latest, name) for name in PEOPLE_LOGS}
    names = _owner_names(latest)

    def fill(connection: sa.Connection) -> None:
        _check_unused(connection)
        for record in records:
            record.write(connection)
        for name, frame in logs.items():
            if len(frame):
                connection.execute(sa.insert(PEOPLE_LOGS[name][0]), log_rows(name, frame))
                _number_on(connection, PEOPLE_LOGS[name][0])
        if names:
            connection.execute(sa.insert(schema.contacts), names)
        take_over_forgotten(connection, store)

    engine = state_engine(settings, store)
    with State(engine, settings.state.wait_seconds, fill=fill) as state, state.reading() as connection:
        counts = {name: connection.execute(query).scalar_one() for name, query in _COUNTS.items()}
    return Rebuilt(tuple(runs), tuple(record.run_id for record in records if record.events is None), counts)


def new_state(settings: Settings, store: StorePath) -> None:
    """Make an empty database beside whatever runs there are: nothing of them is known to it.

    Raises
    ------
    StoreUnusable
        There is one already.
    """
    engine = state_engine(settings, store)

    def fill(connection: sa.Connection) -> None:
        _check_unused(connection)
        take_over_forgotten(connection, store)

    with State(engine, settings.state.wait_seconds, fill=fill):
        pass


def _check_unused(connection: sa.Connection) -> None:
    """Refuse a database that knows anything of runs or of people."""
    for table in (schema.runs, schema.decisions, schema.tags, schema.topic_edits):
        count = connection.execute(sa.select(sa.func.count()).select_from(table)).scalar_one()
        if count:
            raise StoreUnusable(
                f"the state database is there, with {count} rows in its table {table.name}",
                "go on with it; to do without it, move it away first (SQLite: state.db and what begins with its name)",
            )


def _number_on(connection: sa.Connection, table: sa.Table) -> None:
    """See to it that the next row gets a number of its own; SQLite takes the next one by itself."""
    if connection.dialect.name == "postgresql":
        following = sa.select(sa.func.max(table.c.id)).scalar_subquery()
        connection.execute(sa.select(sa.func.setval(sa.func.pg_get_serial_sequence(table.name, "id"), following)))


def _record(store: StorePath, run_id: str) -> RunRecord:
    """What a published run left for later ones; without topics where an earlier version published it."""
    import pandas as pd

    place = _place(store, run_id)
    run = read_run(place)
    tables = {name: read_published(place, name) for name in ("topic_registry", "subtopic_registry")}
    events: dict[str, pd.DataFrame | None] = dict.fromkeys(("topic_events", "subtopic_events"))
    if (place / "topic_registry.parquet").exists():
        events = {name: read_published(place, name) for name in events}
    with run_file(place / "run.json"):
        window = run.get("window") or {}
        end = date.fromisoformat(str(window.get("end") or run_id))
        start = date.fromisoformat(str(window.get("start") or end))
        edits = [
            {"edit_id": edit["id"], "kept": edit["kept"], "note": edit["note"], "topics": edit["topics"]}
            for edit in run.get("topic_edits") or []
        ]
    return RunRecord(
        run_id, str(run.get("input_hash") or ""), tables["topic_registry"].assign(last_seen=run_id),
        _gaps(place), (start, end), events["topic_events"], tables["subtopic_registry"].assign(last_seen=run_id),
        events["subtopic_events"], published_at(store, run_id), pd.DataFrame(edits),
    )  # fmt: skip


def _gaps(place: StorePath) -> pd.DataFrame:
    """The gaps of a run, with what the database remembers of each."""
    import pandas as pd

    path = place / "backlog.jsonl"
    with run_file(path):
        rows = [json.loads(line) for line in path.read_text(encoding="utf-8").split("\n") if line]
        gaps = [Gap.from_row(row).as_row() for row in rows]
    return pd.DataFrame([{name: gap[name] for name in REMEMBERED} for gap in gaps], columns=REMEMBERED, dtype=object)


def _owner_names(place: StorePath) -> list[dict[str, Any]]:
    """Who may own a gap, without addresses: these are in no run."""
    from lacuna.models.backlog.owners import inactive

    owners = read_published(place, "owners")
    if owners.empty:
        return []
    left = inactive(owners) if "active" in owners else set()
    owners = owners[~owners["owner_id"].isin(left)].drop_duplicates("owner_id", keep="last")
    return [
        {"owner_id": str(row["owner_id"]), "name": schema.plain(row.get("name")), "email": None}
        for row in owners.to_dict("records")
    ]


def _place(store: StorePath, run_id: str) -> StorePath:
    place = run_place(store, run_id)
    if place is None:
        raise StoreUnusable(f"run {run_id} was removed from {store} just now", "try again")
    return place
