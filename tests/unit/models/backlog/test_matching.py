"""Which gap is which: ids that last through changes of kind, splits and mergers of topics."""

from __future__ import annotations

from typing import Any

import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from lacuna.models.backlog.matching import heirs, match_gaps
from lacuna.pipelines.gaps.ids import gap_ids

WEEKS = ("2024-06-16", "2024-06-23", "2024-06-30")
NOTHING = pd.DataFrame({"run_id": [], "subtopic_id": [], "event": [], "related": []})


def missing(*subtopics: str) -> dict[str, Any]:
    return {"kind": "missing", "article_id": None, "subtopics": list(subtopics)}


def about(article: str, kind: str = "stale", *subtopics: str) -> dict[str, Any]:
    return {"kind": kind, "article_id": article, "subtopics": list(subtopics or ("t",))}


def was(gap: dict[str, Any], name: str, week: str = WEEKS[0]) -> dict[str, Any]:
    return {**gap, "gap_id": name, "run_id": week}


def happened(*events: tuple[str, str, list[str]], week: str = WEEKS[1]) -> pd.DataFrame:
    rows = [
        {"run_id": week, "subtopic_id": name, "event": event, "related": related} for name, event, related in events
    ]
    return pd.DataFrame(rows)


def named(gaps: list[dict[str, Any]], before: list[dict[str, Any]], events: pd.DataFrame = NOTHING) -> list[str]:
    return gap_ids(gaps, before, events, WEEKS[1], WEEKS[0])


def test_an_article_s_gap_keeps_its_id_when_its_kind_changes() -> None:
    """Incomplete last week and stale this week is one gap; that it is not found is another; another article's too."""
    before = [was(about("kb-1", "incomplete"), "g-1"), was(about("kb-1", "unfindable"), "g-2")]
    assert named([about("kb-1", "stale"), about("kb-1", "unfindable")], before) == ["g-1", "g-2"]
    assert named([about("kb-1", "contradictory")], before) == ["g-1"]
    assert named([about("kb-2", "incomplete")], before)[0] not in ("g-1", "g-2")


def test_articles_that_contradict_one_another_are_one_gap_in_either_order() -> None:
    """Named the other way round it keeps its id; against a third article it is another gap."""
    one = about("kb-1", "contradictory") | {"other_article_id": "kb-2"}
    turned = about("kb-2", "contradictory") | {"other_article_id": "kb-1"}
    assert named([turned], [was(one, "g-1")]) == ["g-1"]
    assert named([turned | {"other_article_id": "kb-3"}], [was(one, "g-1")])[0] != "g-1"


def test_two_gaps_of_one_article_stay_apart() -> None:
    """Stale and incomplete in the same run are two gaps, and each keeps its own id."""
    before = [was(about("kb-1", "stale"), "g-9"), was(about("kb-1", "incomplete"), "g-1")]
    assert named([about("kb-1", "incomplete"), about("kb-1", "stale")], before) == ["g-1", "g-9"]
    assert len(set(named([about("kb-1", "incomplete"), about("kb-1", "stale")], []))) == 2


def test_a_missing_article_follows_most_of_its_topics() -> None:
    """Of two gaps that share its topics, the one with more of them is the gap, whichever topic names it."""
    before = [was(missing("a", "b", "c"), "g-1")]
    first, second = named([missing("a"), missing("c", "b")], before)
    assert second == "g-1"
    assert first != "g-1"
    assert named([missing("d")], before)[0] != "g-1"


def test_a_missing_article_follows_topics_that_split_or_merge() -> None:
    """Where its topic went on under another id, so does the gap; a topic that is still there comes first."""
    before = [was(missing("a"), "g-1"), was(missing("b"), "g-2")]
    assert named([missing("c")], before, happened(("c", "split", ["a"]))) == ["g-1"]
    assert named([missing("d")], before, happened(("b", "merge", ["d"]))) == ["g-2"]
    both = happened(("c", "split", ["a"]))
    assert named([missing("c"), missing("a")], before, both)[1] == "g-1"
    old = happened(("c", "split", ["a"]), week=WEEKS[0])
    assert named([missing("c")], before, old)[0] != "g-1", "what happened before the gap was seen tells nothing"


def test_heirs_reach_through_several_runs() -> None:
    """A split and a later merger are followed one after the other, and not backwards."""
    events = [
        {"subtopic_id": "b", "event": "split", "related": ["a"]},
        {"subtopic_id": "b", "event": "merge", "related": ["c"]},
        {"subtopic_id": "a", "event": "split", "related": ["z"]},
    ]
    assert heirs({"a"}, events) == {"b", "c"}
    assert heirs({"a"}, events[::-1]) == {"b"}


def test_who_was_there_last_week_comes_first() -> None:
    """A gap of the run before keeps its id against one that was absent."""
    before = [was(missing("a", "b"), "g-0", "2024-06-09"), was(missing("a"), "g-1")]
    assert named([missing("a", "b")], before) == ["g-1"]


def test_a_new_gap_never_takes_the_id_of_another() -> None:
    """Where a topic's gap went on without it, a new gap of that topic gets an id of its own."""
    first = named([missing("a")], [])[0]
    before = [was(missing("a", "b", "c"), first)]
    again = named([missing("b", "c"), missing("a")], before)
    assert again[0] == first
    assert again[1] != first


GAPS = st.one_of(
    st.lists(st.sampled_from("abcde"), min_size=1, max_size=3, unique=True).map(lambda ts: missing(*ts)),
    st.tuples(st.sampled_from(["k1", "k2"]), st.sampled_from(["stale", "incomplete", "unfindable"])).map(
        lambda pair: about(*pair)
    ),
)
LISTS = st.lists(GAPS, max_size=6, unique_by=lambda g: (g["kind"], g["article_id"], tuple(g["subtopics"][:1])))


@given(LISTS, LISTS, st.randoms())
def test_ids_are_one_to_one_in_any_order_of_rows(
    old: list[dict[str, Any]], new: list[dict[str, Any]], chance: Any
) -> None:
    """No two gaps share an id, the same gaps again keep them, and the order of rows changes nothing."""
    names = gap_ids(old, [], NOTHING, WEEKS[0], None)
    before = [was(gap, name) for gap, name in zip(old, names, strict=True)]
    ids = named(new, before)
    assert len(set(ids)) == len(ids)
    rows = list(zip(new, ids, strict=True))
    chance.shuffle(rows)
    chance.shuffle(before)
    assert named([gap for gap, _ in rows], before) == [name for _, name in rows]
    assert named(old, before) == names


def test_nothing_known_matches_nothing() -> None:
    """A first run, and a run without gaps, are no special case."""
    assert match_gaps([missing("a")], [], None) == [None]
    assert match_gaps([], [was(missing("a"), "g-1") | {"heirs": set()}], WEEKS[0]) == []
