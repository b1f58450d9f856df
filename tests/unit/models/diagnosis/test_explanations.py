"""What stands beside a verdict: the release, the people it fails for, the words it lacks, the last look."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
import pytest

from lacuna.models.backlog.article_care import due_for_verification, last_checked
from lacuna.models.diagnosis.explanations import (
    against_reason,
    checked_reason,
    group_reason,
    release_reason,
    searches_reason,
    words_reason,
)

COMMON = frozenset({"with", "your", "the", "and"})
RELEASES = pd.DataFrame(
    {
        "product": ["bikes", "bikes", "shop"],
        "version": ["Ride app 4.0", "Ride app 4.1", "5.2"],
        "released_at": pd.to_datetime(["2024-05-28", "2024-06-20", "2024-05-29"], utc=True),
        "notes": ["New pairing by QR code; the Bluetooth button is gone.", "Fixes.", "New basket page."],
    }
)


def told(product: str | None, article: str, low: str = "2024-05-26", high: str = "2024-06-03") -> str | None:
    """The reason for an article whose answers began to fail between two days."""
    days = (date.fromisoformat(low), date.fromisoformat(high))
    return release_reason(RELEASES, *days, product, article, COMMON)


def test_the_release_that_came_with_the_change_is_named() -> None:
    """A release of the article's product, or one whose notes are about it, is named with its day; others are not."""
    pairing = "Pairing. Press the Bluetooth button with care."
    assert told("bikes", pairing) == "bikes Ride app 4.0 came out on 2024-05-28, about when the answers began to fail"
    assert "Ride app 4.0" in str(told(None, pairing))
    assert told(None, "Gift cards. See the balance.") is None
    assert told("bikes", pairing, "2024-04-01", "2024-04-09") is None


def about(us_failed: int, eu_failed: int, n: int = 12) -> pd.DataFrame:
    """Conversations of two regions, of which so many failed."""
    failed = [0.9] * us_failed + [0.1] * (n - us_failed) + [0.9] * eu_failed + [0.1] * (n - eu_failed)
    return pd.DataFrame({"failed": failed, "region": ["us"] * n + ["eu"] * n})


def test_those_for_whom_it_fails_are_named() -> None:
    """An article that fails in one region alone says so; one that fails everywhere, or by chance, does not."""
    told = "of the answers from the article in this window: customers in us, 12 of 12 failed; all others, 1 of 12"
    assert group_reason(about(12, 1)) == told
    assert group_reason(about(10, 9)) is None
    assert group_reason(about(4, 1, n=5)) is None
    assert group_reason(about(12, 1).drop(columns="region")) is None


def test_chance_names_nobody() -> None:
    """Among sixty groups that fail alike, hardly ever is one named."""
    named = 0
    for seed in range(40):
        draws = np.random.default_rng(seed)
        group = [f"r{i}" for i in draws.integers(0, 60, 900)]
        named += group_reason(pd.DataFrame({"failed": draws.random(900) * 0.9, "region": group})) is not None
    assert named <= 2


def test_words_and_answers_are_told() -> None:
    """Customers' words that the article lacks, and the answer that agents give most often instead of the article's."""
    assert words_reason(["rain", "soaks"]) == "customers write “rain”, “soaks”, and the article does not"
    assert words_reason([]) is None
    said = [
        {"passage": "Kept for 7 days.", "evidence": "It's 3 days now.", "count": 4},
        {"passage": "Show the e-mail.", "evidence": "Show the code.", "count": 9},
        {"passage": "", "evidence": "Something else.", "count": 20},
    ]
    told = "the article says “Show the e-mail.”; agents said in 9 conversations: “Show the code.”"
    assert against_reason(said) == told
    assert against_reason(said[2:]) is None


def test_searches_are_told_from_the_second_on() -> None:
    """The most frequent come first, with their count where they came more than once; one search is no reason."""
    queries = [{"query": f"q{i}", "count": 6 - i} for i in range(6)]
    told = "21 searches found nothing of use before a ticket: “q0” (6), “q1” (5), “q2” (4), “q3” (3)"
    assert searches_reason(21, queries) == told
    assert searches_reason(1, queries[5:]) is None
    assert searches_reason(0, []) is None


def test_the_last_look_is_told() -> None:
    """Nobody since the change is a reason; somebody since is none; no record at all is one."""
    began = date(2024, 5, 20)
    assert checked_reason(date(2024, 3, 29), began) == (
        "nobody has verified or changed it since: the last time was 2024-03-29"
    )
    assert checked_reason(date(2024, 6, 1), began) is None
    assert checked_reason(None, began) == "nobody is on record as having verified or changed it"


@pytest.fixture
def articles() -> pd.DataFrame:
    """Four articles: verified lately, changed lately, old, and never looked at."""
    days = {"verified_at": ["2024-06-01", None, "2023-01-01", None], "updated_at": [None, "2024-05-01", None, None]}
    times = {name: pd.to_datetime(pd.Series(values), utc=True) for name, values in days.items()}
    return pd.DataFrame({"article_id": list("abcd"), "title": list("ABCD"), "owner_id": "o-1"} | times)


def test_old_articles_are_due_and_the_most_used_come_first(articles: pd.DataFrame) -> None:
    """Due is what nobody verified, changed or revised in time; revisions that were not approved don't count."""
    revisions = pd.DataFrame(
        {
            "article_id": ["c", "d"],
            "revised_at": pd.to_datetime(["2024-06-10", "2023-06-10"], utc=True),
            "approved": pd.array([False, None], dtype="boolean"),
        }
    )
    checked = last_checked(articles, revisions)
    cited = pd.DataFrame({"cited_first": ["c", "d", "d", None], "failed": [0.5, 1.0, 0.5, 1.0]})
    due = due_for_verification(articles, checked, cited, pd.Timestamp("2024-07-01", tz="UTC"), 180)
    assert due["article_id"].tolist() == ["d", "c"]
    assert due["days"].tolist() == [387, 547]
    assert due["failed"].tolist() == [1.5, 0.5]
    never = due_for_verification(articles, checked.head(0), cited, pd.Timestamp("2024-07-01", tz="UTC"), 180)
    assert len(never) == 4
