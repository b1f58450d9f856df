"""A gap goes to who owns the article or the area, never to who has left, and always with the reason."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lacuna.models.backlog.owners import OwnerBook


def book(
    owners: list[dict[str, Any]] | None = None,
    articles: dict[str, str | None] | None = None,
    revisions: list[tuple[str, str, str | None, bool | None]] | None = None,
) -> OwnerBook:
    """A book of owners, articles by owner, and revisions (article, when, who, approved)."""
    rows = [{"owner_id": None, "name": None, "areas": None, "active": None} | owner for owner in owners or []]
    people = pd.DataFrame(rows, columns=["owner_id", "name", "areas", "active"]).astype({"active": "boolean"})
    article_table = pd.DataFrame(
        [(a, f"About {a}", o) for a, o in (articles or {}).items()], columns=["article_id", "title", "owner_id"]
    )
    history = pd.DataFrame(revisions or [], columns=["article_id", "revised_at", "author_id", "approved"])
    return OwnerBook(people, article_table, history.astype({"approved": "boolean"}))


def test_an_article_s_owner_is_asked_first() -> None:
    """Who owns the article comes before who owns its area or revised it."""
    assignment = book(
        [{"owner_id": "o1"}, {"owner_id": "o2", "areas": ["returns"]}], {"a1": "o1"}, [("a1", "2024-01-01", "o3", True)]
    ).for_article("a1", {"returns": 1.0}, {})
    assert assignment.owner_id == "o1"
    assert "About a1" in assignment.reason


def test_an_owner_who_has_left_is_passed_over_by_name() -> None:
    """The area's owner steps in, and the reason says whose place that is."""
    people = [{"owner_id": "o1", "name": "Ada", "active": False}, {"owner_id": "o2", "areas": ["returns"]}]
    assignment = book(people, {"a1": "o1"}).for_article("a1", {"returns": 0.8}, {})
    assert assignment.owner_id == "o2"
    assert "Ada is no longer active" in assignment.reason
    assert "80%" in assignment.reason


def test_an_owner_of_unknown_state_is_active() -> None:
    """Null means active, and an owner outside the table counts too."""
    assert book([{"owner_id": "o1", "active": None}], {"a1": "o1"}).for_article("a1", {}, {}).owner_id == "o1"
    assert book([], {"a1": "stranger"}).for_article("a1", {}, {}).owner_id == "stranger"


@pytest.mark.parametrize(
    ("area", "owns"), [("article:kb-*", True), ("article:kb-1", True), ("article:faq-*", False), ("kb-1", False)]
)
def test_an_area_may_name_articles_by_a_pattern(area: str, owns: bool) -> None:
    """`article:<glob>` gives articles to an owner; without the prefix it is an intent or a product."""
    assignment = book([{"owner_id": "o1", "areas": [area]}], {"kb-1": None}).for_article("kb-1", {}, {})
    assert (assignment.owner_id == "o1") is owns


def test_who_revised_it_most_is_asked_where_nobody_owns() -> None:
    """Most approved revisions count, then the latest; people who have left do not."""
    revisions = [(f"a{i}", f"2024-01-0{i}", who, True) for i, who in enumerate(["x"], 1)]
    revisions += [("a2", "2024-01-01", "often", True), ("a2", "2024-01-02", "often", True)]
    revisions += [("a2", "2024-01-03", "late", True), *[("a2", "2024-02-01", "gone", True)] * 3]
    assignment = book([{"owner_id": "gone", "active": False}], {"a1": None, "a2": None}, revisions)
    assert assignment.for_article("a2", {}, {}).owner_id == "often"
    assert "2 times" in assignment.for_article("a2", {}, {}).reason


def test_of_many_who_own_an_area_the_one_who_wrote_here_is_asked() -> None:
    """An area that several own says little: who revised the article decides, inside the area or outside it."""
    people = [{"owner_id": f"o{i}", "areas": ["other"]} for i in range(4)]
    wrote = [("a1", "2024-01-01", "o2", True), ("a2", "2024-01-01", "outsider", True)]
    assignment = book(people, {"a1": None, "a2": None}, wrote)
    assert assignment.for_article("a1", {"other": 1.0}, {}).owner_id == "o2"
    assert assignment.for_article("a2", {"other": 1.0}, {}).owner_id == "outsider"
    alone = book(people[:1], {"a2": None}, wrote)
    assert alone.for_article("a2", {"other": 1.0}, {}).owner_id == "o0"


def test_a_missing_article_goes_to_who_keeps_its_neighbours() -> None:
    """Of several who own the area, it is who owns or revises the articles near it, the nearest first."""
    people = [{"owner_id": f"o{i}", "areas": ["other"]} for i in range(4)]
    wrote = [("a2", "2024-01-01", "o3", True), ("a3", "2024-01-01", "o3", True)]
    assignment = book(people, {"a1": "o1", "a2": None, "a3": None}, wrote)
    assert assignment.for_topic({"other": 1.0}, {}, ["a2", "a1", "a3"]).owner_id == "o3"
    assert assignment.for_topic({"other": 1.0}, {}, ["a1", "a2"]).owner_id == "o1"


def test_a_revision_counts_unless_it_was_refused() -> None:
    """A revision that was not approved does not count; one whose approval is unknown does."""
    revisions = [
        ("a1", "2024-01-01", "early", True),
        ("a1", "2024-02-01", "late", None),
        ("a1", "2024-03-01", "refused", False),
        ("a1", "2024-04-01", None, True),
    ]
    assert book([], {"a1": None}, revisions).for_article("a1", {}, {}).owner_id == "late"


def test_a_missing_article_goes_to_the_intent_before_the_product() -> None:
    """The area of most conversations decides, the intent before the product, from three in ten on."""
    people = [{"owner_id": "o1", "areas": ["returns"]}, {"owner_id": "o2", "areas": ["bikes"]}]
    assert book(people).for_topic({"returns": 0.4}, {"bikes": 1.0}, []).owner_id == "o1"
    assert book(people).for_topic({"returns": 0.2}, {"bikes": 0.9}, []).owner_id == "o2"
    assert book(people).for_topic({"returns": 0.2}, {}, []).owner_id is None


def test_of_two_who_own_an_area_the_one_with_a_near_article_is_asked() -> None:
    """Who wrote about it nearby knows it best; else who owns least besides."""
    people = [{"owner_id": "o1", "areas": ["returns", "bikes"]}, {"owner_id": "o2", "areas": ["returns"]}]
    assert book(people, {"a1": "o1"}).for_topic({"returns": 1.0}, {}, ["a1"]).owner_id == "o1"
    assert book(people).for_topic({"returns": 1.0}, {}, []).owner_id == "o2"


def test_without_an_area_the_nearest_article_s_owner_is_asked() -> None:
    """The first near article with an active owner decides."""
    people = [{"owner_id": "gone", "active": False}, {"owner_id": "o2"}]
    assignment = book(people, {"a1": "gone", "a2": "o2"}).for_topic({"returns": 1.0}, {}, ["a1", "a2"])
    assert assignment.owner_id == "o2"
    assert "About a2" in assignment.reason


def test_a_far_article_breaks_ties_and_makes_no_owner() -> None:
    """Of two who own the area, the keeper of a far article is asked; where nobody owns it, a far keeper is not."""
    people = [{"owner_id": "o1", "areas": ["other"]}, {"owner_id": "o2", "areas": ["other", "bikes"]}]
    assignment = book(people, {"a1": "o2"})
    assert assignment.for_topic({"other": 1.0}, {}, ["a1"], close=()).owner_id == "o2"
    assert assignment.for_topic({"returns": 1.0}, {}, ["a1"], close=()).owner_id is None
    assert assignment.for_topic({"returns": 1.0}, {}, ["a1"], close=["a1"]).owner_id == "o2"


def test_an_unowned_gap_says_so() -> None:
    """Nobody is made up: the reason names what has no owner."""
    assignment = book([], {"a1": None}).for_article("a1", {"returns": 1.0}, {})
    assert assignment.owner_id is None
    assert assignment.reason.startswith("unowned")
    topic = book([]).for_topic({"returns": 1.0}, {}, [])
    assert (topic.owner_id, "returns" in topic.reason) == (None, True)
    assert book([]).for_topic({}, {}, []).reason == "unowned"


def test_names_fall_back_to_ids() -> None:
    """An owner without a name is called by the id; nobody has no name."""
    people = book([{"owner_id": "o1", "name": "Ada"}, {"owner_id": "o2"}])
    assert [people.name(o) for o in ("o1", "o2", "o3", None)] == ["Ada", "o2", "o3", None]


def test_areas_come_as_lists_arrays_or_nothing() -> None:
    """What Parquet, JSON and a missing column give is read alike."""
    for areas in (["returns"], np.array(["returns"], dtype=object)):
        assert book([{"owner_id": "o1", "areas": areas}]).for_topic({"returns": 1.0}, {}, []).owner_id == "o1"
    for areas in (None, float("nan")):
        assert book([{"owner_id": "o1", "areas": areas}]).for_topic({"returns": 1.0}, {}, []).owner_id is None


IDS = st.sampled_from(["o1", "o2", "o3", "o4"])
AREAS = st.lists(st.sampled_from(["returns", "bikes", "article:a*", "article:a1"]), unique=True, max_size=4)
PEOPLE = st.lists(
    st.fixed_dictionaries({"owner_id": IDS, "areas": AREAS, "active": st.sampled_from([True, False, None])}),
    unique_by=lambda person: person["owner_id"],
)
SHARES = st.dictionaries(st.sampled_from(["returns", "bikes", "delivery"]), st.floats(0, 1), max_size=3)


@given(PEOPLE, st.dictionaries(st.sampled_from(["a1", "a2"]), IDS | st.none()), SHARES, SHARES)
def test_nobody_inactive_is_ever_asked_and_rows_may_come_in_any_order(
    people: list[dict[str, Any]], articles: dict[str, str | None], intents: dict[str, float], products: dict[str, float]
) -> None:
    """Whoever is asked is active, there is always a reason, and the order of the tables changes nothing."""
    inactive = {p["owner_id"] for p in people if p["active"] is False}
    revisions = [("a1", "2024-01-01", "o4", True), ("a2", "2024-01-01", "o1", True)]
    one, other = (
        book(people, articles, revisions),
        book(people[::-1], dict(reversed(articles.items())), revisions[::-1]),
    )
    for key in ("a1", "a2", "unknown"):
        assignment = one.for_article(key, intents, products)
        assert assignment == other.for_article(key, intents, products)
        assert assignment.owner_id not in inactive
        assert assignment.reason
    assignment = one.for_topic(intents, products, ["a2", "a1"])
    assert assignment == other.for_topic(intents, products, ["a2", "a1"])
    assert assignment.owner_id not in inactive
    assert (assignment.owner_id is None) == assignment.reason.startswith("unowned")
