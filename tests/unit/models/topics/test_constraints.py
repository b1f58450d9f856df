"""People's edits on planted topics: what is merged, split, pinned and dropped stays so, whatever was cut since."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest

from lacuna.models.text.vectors import unit
from lacuna.models.topics.constraints import shape_topics
from lacuna.models.topics.edits import TopicEdit, described, in_force, names_in_force, out_of_use
from lacuna.models.topics.shaped import Points, Shaped, decoded, encoded
from lacuna.models.topics.tree import topic_tree

SUBJECTS = np.repeat(np.arange(5), 10)  # five topics of ten questions
NOON = datetime(2024, 7, 1, tzinfo=UTC)


def places(week: int = 0) -> np.ndarray:
    """Where the questions of a week lie: topics around axes, each with two halves that lie to either side."""
    rng = np.random.default_rng(week)
    axes = np.eye(12, dtype=np.float32)
    half = np.tile(np.repeat([0.5, -0.5], 5), 5)[:, None] * axes[5 + SUBJECTS]
    return unit(axes[SUBJECTS] + half + 0.05 * rng.normal(size=(50, 12)).astype(np.float32))


def keys(week: int = 0) -> list[str]:
    return [f"w{week}-{i:02}" for i in range(50)]


def points(week: int = 0, embedder: str = "e 1", remembered: int = 0) -> Points:
    """The questions of a week; ``remembered`` is the week whose questions topics held before."""
    space = places(week)
    return Points(keys(week), ["en"] * 50, space, space, embedder, frozenset(keys(week)), frozenset(keys(remembered)))


def topic(number: int, week: int = 0, embedder: str = "e 1") -> dict[str, Any]:
    """A topic as it was in a week."""
    own = number == SUBJECTS
    centroid = unit(places(week)[own].mean(axis=0, keepdims=True))[0]
    members = [key for key, inside in zip(keys(week), own, strict=True) if inside]
    return {
        "topic_id": f"t-{number}", "label": f"Topic {number}", "embedder": embedder,
        "centroid": encoded(centroid.tobytes()), "members": members,
    }  # fmt: skip


def question(row: int, week: int = 0) -> dict[str, str]:
    return {"conversation_id": f"c-{row}", "key": keys(week)[row], "question": f"question {row}"}


def edit(number: int, deed: str, about: int, **payload: Any) -> TopicEdit:
    return TopicEdit(number, deed, f"t-{about}", NOON, "ada", payload={"topic": topic(about), **payload})


def shaped(edits: list[TopicEdit], week: int = 0, topics: np.ndarray = SUBJECTS, **options: Any) -> Shaped:
    examples = {keys()[row]: places()[row] for row in range(50)}
    return shape_topics(
        edits, points(week, **options), topics, SUBJECTS * 2 + np.tile(np.repeat([0, 1], 5), 5), examples
    )


MERGE = edit(1, "merge", 0, into=topic(1))
SPLIT = edit(1, "split", 0, examples=[question(0), question(9)])


@pytest.mark.parametrize("week", [0, 1])
def test_merged_topics_are_one_under_the_id_of_the_one_merged_into(week: int) -> None:
    """By shared questions in the same week, and by centroids alone when no question is left of then."""
    result = shaped([MERGE], week)
    assert result.topics[SUBJECTS <= 1].tolist() == [1] * 20
    assert (result.topics[SUBJECTS > 1] == SUBJECTS[SUBJECTS > 1]).all()
    assert (result.ids, result.retired, result.kept) == ({1: "t-1"}, {"t-0"}, {1: True})


def test_a_chain_of_mergers_is_one_topic() -> None:
    """A into B and B into C, both named on the topics of one week, are C."""
    result = shaped([MERGE, edit(2, "merge", 1, into=topic(2))])
    assert result.topics[SUBJECTS <= 2].tolist() == [2] * 30
    assert (result.ids, result.retired) == ({2: "t-2"}, {"t-0", "t-1"})


def test_a_merger_of_what_was_cut_together_changes_nothing() -> None:
    """Where the run has cut the two as one group, it is that group, under the right id."""
    together = np.where(SUBJECTS == 0, 1, SUBJECTS)
    result = shaped([MERGE], topics=together)
    assert (result.topics == together).all()
    assert (result.ids, result.kept[1]) == ({1: "t-1"}, True)


@pytest.mark.parametrize("week", [0, 1])
def test_a_topic_is_split_by_two_examples(week: int) -> None:
    """Each question goes to the example that it is nearer to: by places in the same week, by texts in later ones."""
    result = shaped([SPLIT], week)
    own = result.topics[SUBJECTS == 0]
    assert len(set(own[:5])) == len(set(own[5:])) == 1
    assert own[0] != own[9]
    assert set(own) & set(result.topics[SUBJECTS > 0]) == set()
    assert result.fixed[keys(week)[0]] == own[0]
    assert len(result.labels[1]) == 2


def test_subtopics_that_straddle_a_split_are_split_as_well() -> None:
    """No subtopic lies in both parts."""
    examples = {keys()[row]: places()[row] for row in range(50)}
    result = shape_topics([SPLIT], points(), SUBJECTS, SUBJECTS, examples)
    for part in np.unique(result.subtopics):
        assert len(np.unique(result.topics[result.subtopics == part])) == 1
    assert (result.subtopics >= 0).all()


def test_a_split_that_holds_already_changes_nothing() -> None:
    """Two examples in two groups are apart."""
    apart = np.where(np.arange(50) < 5, 5, SUBJECTS)
    result = shaped([SPLIT], topics=apart)
    assert (result.topics == apart).all()
    assert (result.kept[1], result.labels[1]) == (True, (5, 0))


def test_a_pinned_question_goes_to_its_topic() -> None:
    """It takes a subtopic of it; one outside the sample is placed too, and one that is not asked any more is said."""
    pin = edit(1, "pin", 3, question=question(0))
    result = shaped([pin])
    assert (result.topics[0], result.subtopics[0] // 2, result.fixed) == (3, 3, {"w0-00": 3})
    assert (result.topics[1:] == SUBJECTS[1:]).all()
    elsewhere = shaped([edit(1, "pin", 3, question={**question(0), "key": "gone"})])
    assert not elsewhere.kept[1]
    assert "no longer asked" in elsewhere.notes[1]


@pytest.mark.parametrize("week", [0, 1])
def test_what_is_no_topic_has_no_questions(week: int) -> None:
    """Its questions are in no topic and no subtopic, and its place is known, so that no other joins it."""
    result = shaped([edit(1, "drop", 2)], week)
    assert result.topics[SUBJECTS == 2].tolist() == result.subtopics[SUBJECTS == 2].tolist() == [-1] * 10
    assert [rows.tolist() for rows in result.dropped] == [np.flatnonzero(SUBJECTS == 2).tolist()]
    assert sum(map(len, result.dropped_parts)) == 10
    assert (result.retired, result.fixed[keys(week)[20]]) == ({"t-2"}, -1)


def test_questions_of_a_dropped_topic_do_not_drift_to_a_neighbour() -> None:
    """Where the run has put them into another topic, they are in none all the same."""
    result = shaped(
        [edit(1, "drop", 2)], topics=np.where(np.arange(50) == 20, 3, np.where(SUBJECTS == 2, -1, SUBJECTS))
    )
    assert result.topics[20] == -1
    assert result.topics[30] == 3
    assert result.kept[1]


def test_the_later_of_two_contradicting_edits_holds() -> None:
    """What was merged and then split is two, a question is where it was pinned last; what does not hold is said."""
    split = edit(2, "split", 1, examples=[question(0), question(19)])
    apart = shaped([MERGE, split])
    assert (apart.kept, apart.retired) == ({1: False, 2: True}, set())
    assert apart.notes[1] == "edit 2 says otherwise"
    pins = shaped([edit(1, "pin", 3, question=question(0)), edit(2, "pin", 4, question=question(0))])
    assert (pins.topics[0], pins.kept, pins.notes[1]) == (4, {1: False, 2: True}, "edit 2 says otherwise")


def test_what_can_not_be_kept_is_said() -> None:
    """A topic that is gone, another embedder without its questions, examples that are alike, parts too small."""
    there = SUBJECTS != 0
    gone = np.where(there, SUBJECTS, -1)
    assert shaped([MERGE], 1, topics=gone).notes[1] == "no question of “Topic 0” is left in this run"
    assert "another embedder" in shaped([MERGE], 1, embedder="f 2").notes[1]
    alike = [question(0), {**question(1), "key": "other"}]
    result = shape_topics(
        [edit(1, "split", 0, examples=alike)],
        points(1),
        SUBJECTS,
        SUBJECTS,
        dict.fromkeys(("w0-00", "other"), places()[0]),
    )
    assert result.notes[1] == "the two examples can't be told apart"
    one = points()
    few = Points(
        one.keys, one.languages, one.vectors, one.places, "e 1", one.asked, is_enough=lambda rows: len(rows) > 8
    )
    assert "parts of 5 and 5" in shape_topics([SPLIT], few, SUBJECTS, SUBJECTS, {}).notes[1]


def test_another_embedder_knows_a_topic_by_its_questions() -> None:
    """Centroids of another embedder say nothing; the questions that are asked still do."""
    result = shaped([MERGE], embedder="f 2")
    assert result.topics[SUBJECTS <= 1].tolist() == [1] * 20


def test_a_merger_that_was_undone_gives_both_ids_back() -> None:
    """Where both topics are there again, neither loses its id to the other."""
    result = shape_topics([], points(1), SUBJECTS, SUBJECTS, {}, [MERGE])
    assert result.ids == {0: "t-0", 1: "t-1"}


def test_without_edits_nothing_changes() -> None:
    """The labels are those that were found."""
    result = shaped([])
    assert (result.topics == SUBJECTS).all()
    assert (result.fixed, result.ids, result.retired, result.kept) == ({}, {}, set(), {})


def test_the_log_says_what_holds() -> None:
    """Names, and topics that are none any more, are those of edits that were not taken back."""
    log = [MERGE, edit(2, "rename", 1, label="Refunds"), TopicEdit(3, "undo", "t-0", NOON, "bob", payload={"of": 1})]
    assert [one.id for one in in_force(log)] == [2]
    assert (names_in_force(log), out_of_use(log), set(out_of_use(log[:2]))) == ({"t-1": "Refunds"}, {}, {"t-0"})
    assert described(log[0]) == "merged “Topic 0” into “Topic 1”"
    assert decoded(topic(0)["centroid"]).shape == (12,)


def test_the_tree_goes_from_subtopics_to_topics_to_themes() -> None:
    """After as many merges as there are subtopics too many, groups are topics; after the last, they are themes."""
    space = places()
    middles = unit(np.array([space[k == SUBJECTS].mean(axis=0) for k in range(5)]))
    parts = unit(np.array([space[start : start + 5].mean(axis=0) for start in range(0, 50, 5)]))
    tree = topic_tree(middles, ["a", "a", "b", "b", "b"], parts, np.repeat(np.arange(5), 2))
    group = list(range(10))
    seen = {}
    for left, right, _ in [*tree.merges, (0, 0, 0.0)]:
        seen[len(set(group))] = [tuple(i for i in range(10) if group[i] == k) for k in sorted(set(group))]
        group = [group[left] if own == group[right] else own for own in group]
    assert seen[5] == [(0, 1), (2, 3), (4, 5), (6, 7), (8, 9)]
    assert seen[2] == [(0, 1, 2, 3), (4, 5, 6, 7, 8, 9)]
    assert min(seen) == 2
