"""Editing topics, by the same rules on the command line and on the board; every run from the next one on keeps it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lacuna.data_contracts.errors import DecidedMeanwhile, DecisionInvalid, NoSuchTopic, NotAllowed
from lacuna.models.topics.edits import DEEDS, Outcome, TopicEdit, described, in_force, names_in_force, out_of_use
from lacuna.models.topics.shaped import encoded
from lacuna.pipelines.io.addresses import StorePath
from lacuna.pipelines.io.published import read_published
from lacuna.pipelines.io.run_folders import find_run
from lacuna.pipelines.presentation.suggestions import did_you_mean, with_such_words
from lacuna.pipelines.state import decision_log, topic_edit_log
from lacuna.pipelines.state.repository import State

if TYPE_CHECKING:
    import pandas as pd
    import sqlalchemy as sa

__all__ = ["current_topics", "edit_topic", "edits_now", "questions_of", "undo_edit"]

LONGEST_NAME = 120
FROM_NOW = "from the next run on"


def edit_topic(
    store: StorePath,
    state: State,
    deed: str,
    topic_id: str,
    who: str,
    *,
    why: str = "",
    payload: Mapping[str, Any] | None = None,
    after: int | None = None,
) -> int:
    """Append one edit of a topic, and return its id.

    Parameters
    ----------
    store
        The store, whose latest run holds the questions that are named.
    state
        Its state database.
    deed, topic_id, who, why
        One of ``models.topics.edits.DEEDS`` but undo, the topic, the person, and their reason.
    payload
        merge: ``into`` (topic_id). split: ``examples`` (two conversation_ids of the topic). rename: ``label``. pin:
        ``question`` (conversation_id).
    after
        The topic's last edit that the person has seen (0: none); None edits after whatever is last.

    Raises
    ------
    DecisionInvalid
        The deed is unknown, or what it needs is missing or wrong.
    NoSuchTopic
        No run has seen the topic.
    NotAllowed
        The topic is no longer there, or is so already.
    DecidedMeanwhile
        Somebody has edited the topic since ``after``; nothing was changed.
    """
    if deed not in DEEDS or deed == "undo":
        raise DecisionInvalid(f"there is no such edit: '{deed}'", f"possible are: {', '.join(DEEDS)}", "deed")
    fields = dict(payload or {})
    make = _PAYLOADS[deed]
    run = find_run(store) if deed in ("split", "pin") else store  # the others name no question

    def write(connection: sa.Connection) -> int:
        _check(connection, who, topic_id, after)
        edits = topic_edit_log.read(connection)
        topic = _anchor(connection, edits, topic_id)
        made = {"topic": topic, **make(_Asked(connection, edits, topic, fields, run))}
        last = topic_edit_log.last_of(connection, topic_id)
        return topic_edit_log.append(connection, deed, topic_id, who, why, made, last)

    return state.write(write)


def undo_edit(state: State, edit_id: int, who: str, *, why: str = "", after: int | None = None) -> int:
    """Take an edit back, and return the undo's id; undoing an undo makes the edit hold again.

    Raises
    ------
    DecisionInvalid
        Nobody is named who does it.
    NotAllowed
        There is no such edit, it has been taken back already, or what it would bring back another edit has changed.
    DecidedMeanwhile
        As :func:`edit_topic`.
    """

    def write(connection: sa.Connection) -> int:
        decision_log.take_turns(connection)
        edits = topic_edit_log.read(connection)
        edit = next((one for one in edits if one.id == edit_id), None)
        if edit is None:
            raise NotAllowed(f"there is no edit {edit_id}", "`lacuna topic edits` lists them")
        _check(connection, who, edit.topic_id, after)
        last = topic_edit_log.last_of(connection, edit.topic_id)
        undo = TopicEdit(last + 1 + edits[-1].id, "undo", edit.topic_id, edit.at, who, why, {"of": edit_id})
        before, later = in_force(edits), in_force([*edits, undo])
        if before == later:
            raise NotAllowed(f"edit {edit_id} has been taken back already", "`lacuna topic edits` lists what holds")
        back = [one for one in later if one not in before]
        for one in back:
            _check_brought_back(one, before)
        return topic_edit_log.append(connection, "undo", edit.topic_id, who, why, {"of": edit_id}, last)

    return state.write(write)


def current_topics(state: State) -> list[dict[str, Any]]:
    """The topics of the latest run that people have not ended since, by name: topic_id, label and questions."""
    with state.reading() as connection:
        edits, latest = topic_edit_log.read(connection), topic_edit_log.latest_topics(connection)
    names = _names_now(latest, edits)
    rows = [{"topic_id": topic, "label": name, "questions": latest[topic][1]} for topic, name in names.items()]
    return sorted(rows, key=lambda row: (row["label"].casefold(), row["topic_id"]))


def edits_now(state: State, topic_id: str | None = None) -> list[dict[str, Any]]:
    """The edits of all topics, or of one, newest first, each with what became of it.

    Returns
    -------
    list of dict
        id, deed, topic_id, into (of a merger, else ""), words, who, at, why, run_id, standing (in words), kept (in
        the latest run; None where no run has read it), and undoable: whether it can be taken back.
    """
    with state.reading() as connection:
        edits = topic_edit_log.read(connection)
        results = topic_edit_log.results(connection, state.last_run() or "")
    standing = {edit.id for edit in in_force(edits)}
    undone = {int(edit.payload["of"]) for edit in edits if edit.deed == "undo"}
    rows = [
        {
            "id": edit.id, "deed": edit.deed, "topic_id": edit.topic_id, "into": edit.into, "words": described(edit),
            "who": edit.who, "at": edit.at, "why": edit.why, "run_id": edit.run_id,
            "standing": _standing(edit, edit.id in standing, results.get(edit.id), edits),
            "kept": results[edit.id].kept if edit.id in results else None,
            "undoable": edit.id in standing or (edit.deed == "undo" and edit.id not in undone),
        }
        for edit in reversed(edits)
    ]  # fmt: skip
    return [row for row in rows if topic_id is None or topic_id in (row["topic_id"], row["into"])]


def questions_of(store: StorePath, topic_id: str | None = None) -> pd.DataFrame:
    """Questions of the latest run by which topics are split and pinned to: of all, or of one topic.

    Raises
    ------
    NotAllowed
        The run was made by a version that did not write them.
    """
    return _questions(find_run(store), topic_id)


# -- what is written down ---------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Asked:
    """What a person asks for: the topic as the latest run has it, and the fields that came with it."""

    connection: sa.Connection
    edits: list[TopicEdit]
    topic: dict[str, Any]
    fields: dict[str, Any]
    run: StorePath


def _merge(asked: _Asked) -> dict[str, Any]:
    into = _text(asked.fields, "into", "name the topic that it becomes part of")
    if into == asked.topic["topic_id"]:
        raise NotAllowed(f"topic {into} can't be merged with itself", "name another topic")
    return {"into": _anchor(asked.connection, asked.edits, into)}


def _split(asked: _Asked) -> dict[str, Any]:
    named = [str(name).strip() for name in asked.fields.get("examples") or []]
    if len(named) != 2 or not all(named):
        raise DecisionInvalid(
            "a split needs two example questions",
            f"choose two conversations of topic {asked.topic['topic_id']}",
            "examples",
        )
    examples = [_example(asked.run, asked.topic, name) for name in named]
    texts = {" ".join(example["question"].casefold().split()) for example in examples}
    if len({example["key"] for example in examples}) < 2 or len(texts) < 2:
        raise DecisionInvalid("the two examples are the same question", "choose two that differ", "examples")
    return {"examples": examples}


def _rename(asked: _Asked) -> dict[str, Any]:
    label = " ".join(_text(asked.fields, "label", "say what it is called").split())
    if len(label) > LONGEST_NAME:
        raise DecisionInvalid(f"the name has {len(label)} letters", f"{LONGEST_NAME} are the most", "label")
    names = _latest_names(asked.connection, asked.edits)
    same = next((other for other, name in names.items() if name.casefold() == label.casefold()), None)
    if same and same == asked.topic["topic_id"] and names[same] == label:
        raise NotAllowed(f"topic {same} is called “{label}” already", "give another name")
    if same and same != asked.topic["topic_id"]:
        remedy = (
            f"give another name, or merge the two if they are one: lacuna topic merge {asked.topic['topic_id']} {same}"
        )
        raise NotAllowed(f"topic {same} is called “{label}” already", remedy)
    return {"label": label}


def _pin(asked: _Asked) -> dict[str, Any]:
    conversation = _text(asked.fields, "question", "name the conversation whose question belongs here")
    listed = _questions(asked.run)
    row = listed[listed["conversation_id"] == conversation]
    if len(row):
        return {"question": _question(row.iloc[0])}
    assigned = read_published(asked.run, "assignments")
    of_conversation = assigned["conversation_id"].eq(conversation) if "key" in assigned else None
    keys: list[str] = [] if of_conversation is None else assigned.loc[of_conversation, "key"].dropna().tolist()
    if not keys:
        raise DecisionInvalid(
            f"the latest run has no question of a conversation '{conversation}'",
            "give a conversation_id of assignments.parquet of the run",
            "question",
        )
    # Its text stands in no table of the run: it is known by its key alone.
    return {"question": {"conversation_id": conversation, "key": str(keys[0]), "question": ""}}


def _drop(_: _Asked) -> dict[str, Any]:
    return {}


_PAYLOADS: dict[str, Callable[[_Asked], dict[str, Any]]] = {
    "merge": _merge, "split": _split, "rename": _rename, "pin": _pin, "drop": _drop,
}  # fmt: skip


def _text(fields: Mapping[str, Any], name: str, remedy: str) -> str:
    value = str(fields.get(name) or "").strip()
    if not value:
        raise DecisionInvalid(f"'{name}' is missing", remedy, name)
    return value


def _example(run: StorePath, topic: Mapping[str, Any], conversation: str) -> dict[str, Any]:
    listed = _questions(run)
    rows = listed[listed["conversation_id"] == conversation]
    own = rows[rows["topic_id"] == topic["topic_id"]]
    if len(own):
        return _question(own.iloc[0])
    remedy = f"`lacuna topic questions {topic['topic_id']}` lists its questions"
    if rows.empty:
        raise DecisionInvalid(f"the run lists no question of a conversation '{conversation}'", remedy, "examples")
    where = rows["topic_id"].iloc[0]
    place = f"in topic {where}" if isinstance(where, str) else "in no topic"
    raise DecisionInvalid(
        f"the question of {conversation} is {place}, not in {topic['topic_id']} (“{topic['label']}”)",
        remedy,
        "examples",
    )


def _question(row: pd.Series) -> dict[str, Any]:
    return {name: str(row[name]) for name in ("conversation_id", "key", "question")}


def _questions(run: StorePath, topic_id: str | None = None) -> pd.DataFrame:
    listed = read_published(run, "topic_questions")
    if "topic_id" not in listed:
        raise NotAllowed(f"run {run.name} was made before topics could be edited", "run that week again")
    return listed if topic_id is None else listed[listed["topic_id"] == topic_id].reset_index(drop=True)


def _anchor(connection: sa.Connection, edits: Sequence[TopicEdit], topic_id: str) -> dict[str, Any]:
    """A topic as the latest run has it: what later runs know it by."""
    if ended := out_of_use(edits).get(topic_id):
        words = f"is merged into {ended.into}" if ended.deed == "merge" else "is marked as not a topic"
        instead = f"name {ended.into}" if ended.deed == "merge" else "leave it"
        raise NotAllowed(f"topic {topic_id} {words} (edit {ended.id})", f"{instead}, or take that back first")
    row = topic_edit_log.topic_row(connection, topic_id)
    if row is None:
        raise _no_such_topic(connection, edits, topic_id)
    if not row["is_latest"]:
        raise NotAllowed(
            f"the latest run does not have topic {topic_id} (“{row['label']}”), run {row['run_id']} was the last",
            "`lacuna topic --store DIR` lists those that are there",
        )
    return {
        "topic_id": topic_id, "label": row["label"], "embedder": row["embedder"],
        "centroid": encoded(row["centroid"]), "members": list(row["members"]),
    }  # fmt: skip


def _no_such_topic(connection: sa.Connection, edits: Sequence[TopicEdit], topic_id: str) -> NoSuchTopic:
    if topic := topic_edit_log.topic_of_subtopic(connection, topic_id):
        return NoSuchTopic(f"'{topic_id}' is a subtopic", f"name its topic, {topic}")
    names = _latest_names(connection, edits)
    of_name = {name: topic for topic, name in names.items()}
    words = "" if topic_id.startswith("t-") else topic_id  # a name, not an id
    titled = " or ".join(f"{of_name[name]} (“{name}”)" for name in with_such_words(words, of_name)) if words else ""
    otherwise = f"did you mean {titled}?" if titled else "`lacuna topic --store DIR` lists them"
    return NoSuchTopic(f"no run has seen a topic '{topic_id}'", did_you_mean(topic_id, names, otherwise, 3, 0.6))


def _latest_names(connection: sa.Connection, edits: Sequence[TopicEdit]) -> dict[str, str]:
    """The names of the latest run's topics as of now, by topic_id."""
    return _names_now(topic_edit_log.latest_topics(connection), edits)


def _names_now(latest: Mapping[str, tuple[str, int]], edits: Sequence[TopicEdit]) -> dict[str, str]:
    given, ended = names_in_force(edits), out_of_use(edits)
    return {topic: given.get(topic, label) for topic, (label, _) in latest.items() if topic not in ended}


def _check(connection: sa.Connection, who: str, topic_id: str, after: int | None) -> None:
    if not who.strip():
        raise DecisionInvalid("nobody is named who edits", "say who, with --who NAME or $LACUNA_USER", "who")
    decision_log.take_turns(connection)
    last = topic_edit_log.last_of(connection, topic_id)
    if after is not None and after != last:
        edit = next((one for one in topic_edit_log.read(connection) if one.id == last), None)
        words = f"{edit.who} {described(edit)} meanwhile" if edit else f"topic {topic_id} has no edit {after}"
        raise DecidedMeanwhile(words, "nothing was changed; look at it again, and edit then")


def _check_brought_back(edit: TopicEdit, standing: Sequence[TopicEdit]) -> None:
    ended = out_of_use(standing)
    for topic in filter(None, (edit.topic_id, edit.into)):
        if topic in ended:
            raise NotAllowed(
                f"edit {edit.id} can't hold again: edit {ended[topic].id} has ended topic {topic}",
                f"take back edit {ended[topic].id} first",
            )


def _standing(edit: TopicEdit, holds: bool, outcome: Outcome | None, edits: Sequence[TopicEdit]) -> str:
    if edit.deed == "undo":
        return ""
    if holds and outcome is None:
        return "shown at once, kept from the next run on" if edit.deed == "rename" else FROM_NOW
    if holds and outcome is not None:
        return ("kept" + (f": {outcome.note}" if outcome.note else "")) if outcome.kept else f"not kept: {outcome.note}"
    by = next(one for one in reversed(edits) if one.deed == "undo" and int(one.payload["of"]) == edit.id)
    when = f", {FROM_NOW}" if outcome is not None and outcome.kept else ""
    return f"taken back by {by.who}{when}"
