"""The log of edits of topics, on SQLite and on a real Postgres: appended, one after another, and never changed."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
import sqlalchemy as sa

from lacuna.data_contracts.errors import DecidedMeanwhile, DecisionInvalid, NoSuchTopic, NotAllowed
from lacuna.models.topics.edits import Outcome
from lacuna.models.topics.shaped import decoded
from lacuna.pipelines.settings import Settings
from lacuna.pipelines.state import schema, topic_edit_log
from lacuna.pipelines.state.repository import State, open_state
from lacuna.pipelines.state.topic_history import gap_state, topic_rows
from lacuna.pipelines.topic_edits import edit_topic, edits_now, undo_edit
from tests.support.databases import gaps, topics

NOWHERE = Path("nowhere")  # mergers, names and drops ask nothing of the store


@pytest.fixture
def shown(state: State) -> State:
    """A state with a run of three topics."""
    names = ["Refund late", "Refund lost", "Greetings"]
    state.record_run("2024-06-16", "a", topics("t-1", "t-2", "t-3").assign(label=names), gaps("g1"))
    return state


def edit(state: State, deed: str, topic: str, *, after: int | None = None, **payload: str) -> int:
    return edit_topic(NOWHERE, state, deed, topic, "ada", why="so", payload=payload, after=after)


def standing(state: State) -> dict[int, str]:
    return {row["id"]: row["standing"] for row in edits_now(state)}


def test_an_edit_holds_what_the_topic_was_then(shown: State) -> None:
    """Who, when, why and on which run; of the topic its label, questions and centroid."""
    made = edit(shown, "merge", "t-1", into="t-2")
    with shown.reading() as connection:
        (row,) = topic_edit_log.read(connection)
    assert (row.id, row.who, row.why, row.run_id, row.into) == (made, "ada", "so", "2024-06-16", "t-2")
    assert row.at.tzinfo is not None
    topic = row.payload["topic"]
    assert (topic["label"], topic["embedder"], topic["members"]) == ("Refund late", "minilm 1", ["q1", "q2"])
    assert decoded(topic["centroid"]).tolist() == pytest.approx([0.6, 0.8])


def test_edits_follow_one_another_and_undo_takes_back(shown: State) -> None:
    """Nobody edits what another person has changed meanwhile; an undo is one more row, and can be undone."""
    made = edit(shown, "merge", "t-1", after=0, into="t-2")
    with pytest.raises(DecidedMeanwhile, match=r"ada merged “Refund late” into “Refund lost” meanwhile"):
        edit(shown, "rename", "t-1", after=0, label="Other")
    with pytest.raises(NotAllowed, match="merged into t-2"):
        edit(shown, "drop", "t-1")
    undone = undo_edit(shown, made, "bob", after=made)
    with pytest.raises(NotAllowed, match="taken back already"):
        undo_edit(shown, made, "bob")
    assert standing(shown)[made] == "taken back by bob"
    again = undo_edit(shown, undone, "ada")
    assert standing(shown)[made] == "from the next run on"
    assert [row["id"] for row in edits_now(shown, "t-1")] == [again, undone, made]
    undo_edit(shown, again, "bob")
    edit(shown, "merge", "t-2", into="t-1")
    with pytest.raises(NotAllowed, match="can't hold again"):
        undo_edit(shown, again + 1, "ada")


def test_what_makes_no_sense_is_refused(shown: State) -> None:
    """An unknown topic, a subtopic, a topic with itself, a name that is taken, nobody, and an edit that is none."""
    with pytest.raises(NoSuchTopic, match="no run has seen a topic 't-9'"):
        edit(shown, "drop", "t-9")
    with pytest.raises(NoSuchTopic, match="Refund lost"):
        edit(shown, "drop", "refund lost")
    with pytest.raises(NotAllowed, match="itself"):
        edit(shown, "merge", "t-1", into="t-1")
    with pytest.raises(NotAllowed, match="t-2 is called “refund LOST” already"):
        edit(shown, "rename", "t-1", label="refund LOST")
    for deed, payload, field in (("rename", {}, "label"), ("merge", {}, "into"), ("melt", {}, "deed")):
        with pytest.raises(DecisionInvalid) as caught:
            edit(shown, deed, "t-1", **payload)
        assert caught.value.field == field
    with pytest.raises(DecisionInvalid, match="nobody"):
        edit_topic(NOWHERE, shown, "drop", "t-1", " ")
    shown.record_run("2024-06-23", "b", topics("t-2"), gaps("g1"))
    with pytest.raises(NotAllowed, match="the latest run does not have topic t-1"):
        edit(shown, "drop", "t-1")
    assert edits_now(shown) == []


def test_the_fingerprint_and_a_run_read_edits_up_to_their_own_run(shown: State) -> None:
    """An edit changes what its run and later ones read; an older week that is run again does not see it."""
    weeks = ("2024-06-09", "2024-06-16", "2024-06-23")
    before = [shown.fingerprint(week) for week in weeks]
    edit(shown, "drop", "t-3")
    assert [old == shown.fingerprint(week) for old, week in zip(before, weeks, strict=True)] == [True, False, False]
    with shown.reading() as connection:
        assert topic_edit_log.read(connection, "2024-06-09") == []
        assert len(topic_edit_log.read(connection, "2024-06-16")) == 1


def test_a_name_shows_at_once_and_what_ended_is_said(shown: State) -> None:
    """Every list of topics has a person's name; a merged and a dropped topic say so until a run takes them out."""
    edit(shown, "rename", "t-2", label="Lost refunds")
    edit(shown, "merge", "t-1", into="t-2")
    edit(shown, "drop", "t-3")
    rows = {row["topic_id"]: row for row in topic_rows(shown)}
    assert (rows["t-2"]["label"], rows["t-2"]["standing"]) == ("Lost refunds", "there")
    assert rows["t-1"]["standing"] == "merged into t-2 (by ada, from the next run on)"
    assert gap_state(shown, "t-3")["ended"] == "not a topic (by ada)"
    assert gap_state(shown, "t-2")["label"] == "Lost refunds"


def test_results_are_the_run_s_own_and_are_replaced_with_it(shown: State) -> None:
    """What a run made of an edit is recorded with it, and read as kept or as not kept, with why."""
    made = edit(shown, "drop", "t-3")
    kept = pd.DataFrame([{"edit_id": made, "deed": "drop", "kept": False, "note": "it is gone", "topics": ["t-2"]}])
    for kept_now, words in ((False, "not kept: it is gone"), (True, "kept: it is gone")):
        shown.record_run("2024-06-23", "b", topics("t-1"), gaps("g1"), edit_results=kept.assign(kept=kept_now))
        assert standing(shown)[made] == words
    undo_edit(shown, made, "bob")
    assert standing(shown)[made] == "taken back by bob, from the next run on"
    with shown.reading() as connection:
        assert topic_edit_log.results_before(connection, "2024-06-30") == {
            made: Outcome(made, True, "it is gone", ("t-2",))
        }
        assert topic_edit_log.results_before(connection, "2024-06-23") == {}


def test_a_database_of_version_7_takes_edits(settings: Settings, tmp_path: Path) -> None:
    """It has neither of the two tables; they are made, and what is there stays."""
    with open_state(settings, tmp_path) as state:
        state.record_run("2024-06-16", "a", topics("t-1", "t-2"), gaps("g1"))
        with state.writing() as connection:
            for table in (schema.topic_edits, schema.topic_edit_results):
                table.drop(connection)
            connection.execute(sa.update(schema.schema_version).values(version=7))
    with open_state(settings, tmp_path) as state:
        made = edit(state, "merge", "t-1", into="t-2")
        assert standing(state) == {made: "from the next run on"}
        with state.reading() as connection:
            assert connection.execute(sa.select(schema.schema_version.c.version)).scalar() == schema.SCHEMA_VERSION
