"""The conversations to tag next are those whose tags would most change the backlog."""

from __future__ import annotations

import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from lacuna.models.accuracy.tag_next import tag_next


def facts_of_topics(*topics: tuple[str, int, float], rest: int = 60) -> pd.DataFrame:
    """Topics of so many conversations with one chance of failure each, in a window where half of all fail."""
    rows = [(name, chance) for name, n, chance in topics for _ in range(n)] + [(None, 0.5)] * rest
    return pd.DataFrame(
        {
            "conversation_id": [f"c-{i:03d}" for i in range(len(rows))],
            "subtopic_id": pd.array([name for name, _ in rows], dtype="str"),
            "p_failed": [chance for _, chance in rows],
            "in_window": True,
            "outcome": pd.array([None] * len(rows), dtype="str"),
            "customer_id": pd.array([f"p-{i}" for i in range(len(rows))], dtype="str"),
        }
    )


def test_a_topic_on_the_edge_comes_before_one_that_is_settled() -> None:
    """Tags on a topic that surely fails or surely does not change nothing; on one that may, they do."""
    candidates = tag_next(
        facts_of_topics(("settled", 20, 0.99), ("edge", 20, 0.72), ("healthy", 20, 0.02)), 1.5, 4.0, count=3
    )
    assert candidates["subtopic_id"].tolist() == ["edge"] * 3


def test_tags_are_spread_over_topics() -> None:
    """Of two like topics neither takes all the places: a second tag says in part what the first has said."""
    candidates = tag_next(facts_of_topics(("one", 20, 0.72), ("two", 20, 0.72)), 1.5, 4.0, count=10)
    assert candidates["subtopic_id"].value_counts().to_dict() == {"one": 5, "two": 5}


def test_what_is_tagged_or_of_no_topic_or_of_before_is_not_asked_again() -> None:
    """Only untagged conversations of the window that are in a topic are named, and a customer once."""
    facts = facts_of_topics(("edge", 8, 0.72))
    facts.loc[0, "outcome"], facts.loc[1, "in_window"] = "wrong", False
    facts.loc[[2, 3], "customer_id"] = "p-same"
    candidates = set(tag_next(facts, 1.5, 4.0)["conversation_id"])
    assert candidates == {"c-002", "c-004", "c-005", "c-006", "c-007"}


def test_nothing_to_tag_is_an_empty_list() -> None:
    """Neither an empty window nor one where all is tagged is an error."""
    facts = facts_of_topics(("edge", 8, 0.72))
    assert tag_next(facts.assign(in_window=False), 1.5, 4.0).empty
    assert tag_next(facts.assign(outcome="correct"), 1.5, 4.0).empty


@settings(max_examples=30)
@given(st.lists(st.floats(0.01, 0.99), min_size=5, max_size=30), st.randoms())
def test_order_of_rows_changes_nothing(chances: list[float], random: object) -> None:
    """The same conversations in another order give the same list, worth falling and never negative."""
    facts = facts_of_topics(*((f"t-{i % 3}", 1, p) for i, p in enumerate(chances)))
    order = list(range(len(facts)))
    random.shuffle(order)  # type: ignore[attr-defined]
    one, other = tag_next(facts, 1.5, 4.0), tag_next(facts.iloc[order], 1.5, 4.0)
    pd.testing.assert_frame_equal(one, other)
    assert one["worth"].ge(0).all()
    assert one["worth"].is_monotonic_decreasing
