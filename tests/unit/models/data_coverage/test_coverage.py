"""What the data carry: planted bundles of which it is known what they lack."""

from __future__ import annotations

import string
from collections.abc import Iterable
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lacuna.models.data_coverage.coverage import (
    ABSENT,
    PARTLY,
    STATES,
    THERE,
    Coverage,
    data_coverage,
    lacking,
    unknown,
)
from lacuna.models.data_coverage.parts import PARTS

Tables = dict[str, pd.DataFrame]


def full(n: int = 100) -> Tables:
    """A bundle that carries everything: half of its conversations are escalated, half of them are tagged by lot."""
    ids = [f"c{i}" for i in range(n)]
    odd = [i % 2 == 1 for i in range(n)]
    conversations = pd.DataFrame(
        {
            "conversation_id": ids,
            "escalated": odd,
            "customer_id": [f"u{i}" for i in range(n)],
            "predicted_intent": "delivery",
            "language": "en",
            "product": "shop",
            "csat": 4.0,
            "handle_seconds": 300.0,
        }
    )
    messages: list[dict[str, Any]] = []
    for key, escalated in zip(ids, odd, strict=True):
        messages.append({"conversation_id": key, "role": "customer", "article_ids": [], "is_fallback": None})
        messages.append({"conversation_id": key, "role": "bot", "article_ids": ["kb-1"], "is_fallback": False})
        if escalated:
            messages.append({"conversation_id": key, "role": "agent", "article_ids": ["kb-1"], "is_fallback": None})
    day = pd.Timestamp("2024-06-01", tz="UTC")
    article = {"article_id": ["kb-1"], "status": [None], "owner_id": ["o-1"], "updated_at": [day], "verified_at": [day]}
    tagged = pd.DataFrame({"conversation_id": ids[: n // 2], "outcome": "correct", "sample": "random"})
    return {
        "conversations": conversations,
        "messages": pd.DataFrame(messages),
        "articles": pd.DataFrame(article),
        "outcomes": tagged,
        "article_revisions": pd.DataFrame({"article_id": ["kb-1"], "revised_at": [day]}),
        "owners": pd.DataFrame({"owner_id": ["o-1"], "areas": [["delivery"]]}),
        "searches": pd.DataFrame({"query": ["parcel"]}),
        "releases": pd.DataFrame({"version": ["1.0"]}),
    }


def by_name(tables: Tables) -> dict[str, Coverage]:
    return {part.name: part for part in data_coverage(tables)}


def without(name: str) -> Tables:
    """The full bundle without one part of it."""
    tables = full()
    columns = {
        "customers": ("conversations", "customer_id"), "intents": ("conversations", "predicted_intent"),
        "languages": ("conversations", "language"), "products": ("conversations", "product"),
        "csat": ("conversations", "csat"), "handle_seconds": ("conversations", "handle_seconds"),
        "fallbacks": ("messages", "is_fallback"), "random_sample": ("outcomes", "sample"),
    }  # fmt: skip
    tables_removed = {
        "outcomes": "outcomes",
        "revisions": "article_revisions",
        "searches": "searches",
        "releases": "releases",
    }
    messages, chats = tables["messages"], tables["conversations"]
    roles = {"questions": "customer", "bot": "bot", "agent_replies": "agent"}
    citing = {"citations": "bot", "agent_citations": "agent"}
    if name in columns:
        table, column = columns[name]
        tables[table] = tables[table].drop(columns=column)
    elif name in tables_removed:
        del tables[tables_removed[name]]
    elif name in roles:
        tables["messages"] = messages[messages["role"] != roles[name]]
    elif name in citing:
        messages["article_ids"] = messages["article_ids"].where(messages["role"] != citing[name])
    elif name in ("escalated", "not_escalated"):
        chats["escalated"] = name == "not_escalated"
    elif name == "articles":
        tables["articles"]["status"] = "draft"
    elif name == "owners":
        tables["articles"] = tables["articles"].drop(columns="owner_id")
        del tables["owners"]
    elif name == "article_dates":
        tables["articles"] = tables["articles"].drop(columns=["updated_at", "verified_at"])
        del tables["article_revisions"]
    return tables


def test_full_data_say_so_in_one_line() -> None:
    """Where nothing lacks, every part is there and one sentence says it."""
    parts_by_state = data_coverage(full())
    assert {part.state for part in parts_by_state} == {THERE}
    assert len(parts_by_state) == len(PARTS)
    assert unknown(parts_by_state) == "The data carry everything that Lacuna makes use of."


@pytest.mark.parametrize("name", [part.name for part in PARTS])
def test_a_part_that_is_taken_out_is_absent(name: str) -> None:
    """Each part alone: it is absent, comes first, and says what that costs and what to do."""
    parts_by_state = data_coverage(without(name))
    absent = next(part for part in parts_by_state if part.name == name)
    assert absent.state == ABSENT
    assert absent.cost.endswith(".")
    assert absent.step
    assert absent.unknown in unknown(parts_by_state, n_named=9)
    assert [part.state for part in parts_by_state] == sorted((part.state for part in parts_by_state), key=STATES.index)
    # Nothing else is missing but what makes no sense without it.
    others = {part.name for part in lacking(parts_by_state)} - {name}
    assert others <= {"article_dates": {"revisions"}, "escalated": {"agent_replies"}}.get(name, set())


def test_without_a_bot_its_citations_flags_and_tags_are_one_line() -> None:
    """A help desk's tickets lack a bot, and nobody need read that it cites nothing and falls back never."""
    tables = without("bot")
    tables["conversations"] = tables["conversations"].drop(columns="predicted_intent")
    del tables["outcomes"]
    parts_by_state = {part.name: part for part in lacking(data_coverage(tables))}
    assert list(parts_by_state) == ["bot"]
    assert parts_by_state["bot"].with_it == (
        "articles cited by the bot",
        "tagged outcomes",
        "tags of a random sample",
        "the bot's fallback flags",
        "intents",
    )


def test_a_column_that_few_rows_fill_is_there_in_part() -> None:
    """A part in part has its figures; what is known of it is told apart from what is not known at all."""
    tables = full()
    tables["conversations"].loc[30:, "customer_id"] = None
    parts_by_state = by_name(tables)["customers"]
    assert (parts_by_state.state, parts_by_state.figures) == (PARTLY, "30 of 100 conversations")
    assert unknown([parts_by_state]) == "This run knows only in part how many customers are behind a gap."


@pytest.mark.parametrize(("tags", "state"), [(39, PARTLY), (40, THERE)])
def test_tags_are_counted_and_not_measured_by_their_share(tags: int, state: str) -> None:
    """Forty tags teach the model of accuracy something, of however many conversations."""
    tables = full(1000)
    tables["outcomes"] = tables["outcomes"][:tags]
    assert by_name(tables)["outcomes"].state == state


def test_one_customer_with_most_conversations_is_a_placeholder() -> None:
    """'guest' in every row names nobody."""
    tables = full()
    tables["conversations"]["customer_id"] = "guest"
    assert by_name(tables)["customers"].state == ABSENT


def test_a_bot_that_only_falls_back_had_nothing_to_cite() -> None:
    """Fallbacks count neither for the bot's citations nor against them."""
    tables = full()
    messages = tables["messages"]
    fell = messages["role"].eq("bot") & messages["conversation_id"].isin([f"c{i}" for i in range(80)])
    messages.loc[fell, "is_fallback"] = True
    messages["article_ids"] = messages["article_ids"].where(~fell)
    parts_by_state = by_name(tables)["citations"]
    assert (parts_by_state.state, parts_by_state.figures) == (THERE, "20 of 20 conversations that the bot answered")


def test_what_people_answer_in_a_forum_is_handled_by_people() -> None:
    """Without a bot, an answer by a person needs no escalation: nothing is left to compare with."""
    tables = without("bot")
    tables["conversations"]["escalated"] = False
    agents = tables["messages"]["role"].eq("customer")
    tables["messages"] = pd.concat([tables["messages"], tables["messages"][agents].assign(role="agent")])
    parts_by_state = by_name(tables)
    assert (parts_by_state["escalated"].figures, parts_by_state["escalated"].state) == (
        "100 of 100 conversations",
        THERE,
    )
    assert parts_by_state["not_escalated"].state == ABSENT


def test_owners_of_areas_own_articles_too() -> None:
    """Where somebody owns intents or products, no article needs an owner of its own."""
    tables = full()
    tables["articles"] = tables["articles"].drop(columns="owner_id")
    assert by_name(tables)["owners"].state == THERE


def test_a_bundle_without_a_row_lacks_everything() -> None:
    """Empty or missing tables are no error."""
    parts_by_state = data_coverage({})
    assert {part.state for part in parts_by_state} == {ABSENT}
    assert parts_by_state[0].name == "questions"


OPTIONAL = [(name, column) for name, frame in full().items() for column in frame.columns if column[-3:] != "_id"]


Removed = tuple[set[tuple[str, str]], set[str], set[str]]
removed = st.tuples(
    st.sets(st.sampled_from(OPTIONAL)),
    st.sets(st.sampled_from(sorted(full(2)))),
    st.sets(st.sampled_from(["customer", "bot", "agent"])),
)


def coverage_without(columns: set[tuple[str, str]], tables: set[str], roles: set[str]) -> tuple[Coverage, ...]:
    """What is told of the full bundle without some columns, tables and roles."""
    tables_left = {name: frame for name, frame in full(40).items() if name not in tables}
    if "messages" in tables_left:
        tables_left["messages"] = tables_left["messages"][~tables_left["messages"]["role"].isin(roles)]
    for name, column in columns:
        if name in tables_left:
            tables_left[name] = tables_left[name].drop(columns=column)
    return data_coverage(tables_left)


def labels(parts: Iterable[Coverage]) -> set[str]:
    """Every part that is named, by itself or with another."""
    return {label for part in parts for label in (part.label, *part.with_it)}


@given(removed, removed)
def test_what_is_taken_away_only_ever_adds_to_what_lacks(some: Removed, more: Removed) -> None:
    """Dropping columns, roles and tables never raises, leaves no part untold, and no part gets better by it.

    But for one: without its bot, what agents answer becomes what people handle.
    """
    fewer = coverage_without(*some)
    fewest = coverage_without(*(one | other for one, other in zip(some, more, strict=True)))
    assert labels(fewer) == labels(fewest) == {part.label for part in PARTS}
    assert sum(1 + len(part.with_it) for part in fewest) == len(PARTS)
    if "bot" in some[2] or "bot" not in more[2]:
        assert labels(lacking(fewer)) <= labels(lacking(fewest))
    assert unknown(fewest)


def test_no_two_parts_say_the_same() -> None:
    """Labels and texts are each a part's own, and a sentence put together from them reads on."""
    for field in ("name", "label", "unknown", "cost", "step"):
        values = [getattr(part, field) for part in PARTS]
        assert len(set(values)) == len(values)
    assert all(part.unknown[0] in string.ascii_lowercase and part.unknown[-1] != "." for part in PARTS)
