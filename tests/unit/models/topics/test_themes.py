"""Themes: planted groups of topics are found whole, in any order, and get names of their own."""

from __future__ import annotations

import numpy as np
import pytest

from lacuna.models.topics.theme_names import name_themes
from lacuna.models.topics.themes import FEWEST, MOST, group_topics, known_themes

SUBJECTS = {
    "bill": ["the invoice has a wrong tax", "my invoice is late", "card on the invoice declined"],
    "mail": ["the inbox filter is gone", "my filter moves mail", "an inbox without a filter"],
    "ship": ["the parcel is lost", "my parcel has a courier delay", "the courier left my parcel"],
    "login": ["the password is refused", "my password and login fail", "a login without the password"],
}


def planted(groups: int, each: int, noise: float = 0.15, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Topics around ``groups`` directions, and the group of each."""
    rng = np.random.default_rng(seed)
    middles = np.linalg.qr(rng.normal(size=(32, groups)))[0].T
    points = np.repeat(middles, each, axis=0) + noise * rng.normal(size=(groups * each, 32)) / np.sqrt(32)
    points /= np.linalg.norm(points, axis=1, keepdims=True)
    return points.astype(np.float32), np.repeat(np.arange(groups), each)


@pytest.mark.parametrize(("groups", "each"), [(2, 5), (3, 3), (4, 6), (6, 10), (9, 8)])
def test_planted_groups_are_found_whole(groups: int, each: int) -> None:
    """Nobody says how many themes there are, and the planted ones are found."""
    centres, truth = planted(groups, each)
    assert group_topics(centres).tolist() == truth.tolist()


def test_the_order_of_topics_does_not_matter() -> None:
    """Shuffled topics fall into the same themes."""
    centres, _ = planted(4, 5, noise=0.9)
    order = np.random.default_rng(1).permutation(len(centres))
    before, after = group_topics(centres), group_topics(centres[order])
    together = before[:, None] == before[None, :]
    assert np.array_equal(together[np.ix_(order, order)], after[:, None] == after[None, :])


def test_themes_stay_and_new_topics_join_them() -> None:
    """Where a fresh cut is hardly better, the themes of the run before stay, whatever order the topics stand in."""
    centres, truth = planted(4, 8, noise=0.9)
    before_themes = np.where(np.arange(32) == 1, 3, truth)  # a topic that has always been elsewhere
    before = [None if i % 8 == 0 else f"theme {k}" for i, k in enumerate(before_themes)]
    assert group_topics(centres).tolist() == truth.tolist()
    themes = group_topics(centres, before)
    assert np.array_equal(themes[:, None] == themes, before_themes[:, None] == before_themes)
    order = np.random.default_rng(2).permutation(len(centres))
    again = group_topics(centres[order], [before[i] for i in order])
    assert np.array_equal(again[:, None] == again, before_themes[order][:, None] == before_themes[order])


def test_themes_that_no_longer_fit_are_made_anew() -> None:
    """Topics that have nothing to do with the themes they were in fall into new ones; no theme of before is none."""
    centres, truth = planted(4, 6)
    mixed = [f"theme {i % 4}" for i in range(len(centres))]
    assert group_topics(centres, mixed).tolist() == truth.tolist()
    assert group_topics(centres, [None] * len(centres)).tolist() == truth.tolist()
    assert group_topics(centres, ["all"] * len(centres)).tolist() == truth.tolist()


def test_no_theme_holds_one_topic_alone() -> None:
    """A topic apart from all others joins the nearest theme."""
    centres, _ = planted(3, 6)
    lonely = np.zeros((1, 32), dtype=np.float32)
    lonely[0, np.abs(centres).sum(axis=0).argmin()] = 1
    assert np.bincount(group_topics(np.vstack([centres, lonely]))).min() > 1


@pytest.mark.parametrize("seed", range(5))
def test_topics_without_groups_still_make_a_handful(seed: int) -> None:
    """Where nothing is planted there are a few themes, none of them with one topic."""
    points = np.random.default_rng(seed).normal(size=(60, 24))
    themes = group_topics((points / np.linalg.norm(points, axis=1, keepdims=True)).astype(np.float32))
    sizes = np.bincount(themes)
    assert 2 <= len(sizes) <= MOST
    assert sizes.min() > 1


def test_few_topics_have_no_themes() -> None:
    """Below six topics there is nothing to put in order, and no name is made up."""
    theme = group_topics(np.eye(FEWEST - 1, dtype=np.float32))
    assert theme.tolist() == [-1] * (FEWEST - 1)
    assert name_themes(theme, [["the parcel is lost"]] * (FEWEST - 1)) == [None] * (FEWEST - 1)
    assert group_topics(np.zeros((0, 3), dtype=np.float32)).tolist() == []


def test_the_same_topic_many_times_is_no_error() -> None:
    """Topics on one spot can't be told apart, and make one theme or a few."""
    assert len(group_topics(np.tile(np.eye(1, 4, dtype=np.float32), (8, 1)))) == 8


def test_a_theme_is_named_after_what_its_topics_speak_of() -> None:
    """The name has the things that the theme's topics share, not those of another theme."""
    theme = np.repeat(np.arange(4), 2)
    names = name_themes(theme, [questions for questions in SUBJECTS.values() for _ in range(2)])
    for name, words in zip(names[::2], ("invoice", "filter", "parcel", "password"), strict=True):
        assert name is not None
        assert words in name.lower()
    assert len(set(names)) == 4


def test_a_german_theme_is_joined_in_german() -> None:
    """Two things of a German theme stand with "und" between them."""
    german = [
        "Wo ist die Rechnung für mein Konto?",
        "Was ist mit der Rechnung in meinem Konto?",
        "Mein Konto hat keine Rechnung",
    ]
    names = name_themes(np.array([0, 0, 1, 1]), [german, german, SUBJECTS["ship"], SUBJECTS["ship"]])
    assert names[0] in {"Rechnung und Konto", "Konto und Rechnung"}


def test_themes_that_say_the_same_are_told_apart() -> None:
    """No two themes share a name, not even where nothing can be said of them."""
    same = name_themes(np.array([0, 1, 2, 3]), [SUBJECTS["bill"], SUBJECTS["bill"], ["?"], ["ok"]])
    assert len(set(same)) == 4
    assert all(same)


def test_a_theme_keeps_its_name_while_it_is_the_same() -> None:
    """Most of a known theme's questions keep its name, whatever the theme's number and whatever is new beside them."""
    before = ["Bills", "Bills", "Parcels", "Parcels", None, "Parcels"]
    theme = np.array([1, 1, 0, 0, 0, 1])
    assert known_themes(theme, before, [50, 40, 30, 30, 70, 10]) == {1: "Bills", 0: "Parcels"}


def test_a_theme_that_is_torn_apart_or_swallowed_is_not_known() -> None:
    """Five equal parts of a theme are none of them the theme, and a name never goes to two."""
    assert known_themes(np.arange(5), ["Bills"] * 5, [10] * 5) == {}
    assert known_themes(np.array([0, 0, 1]), ["Bills", "Mail", "Mail"], [50, 10, 40]) == {0: "Bills", 1: "Mail"}
    assert known_themes(np.array([-1, -1]), ["Bills", None], [3, 4]) == {}
    assert known_themes(np.array([0, 1]), [None, None], [3, 4]) == {}


def test_a_known_name_stays_while_the_theme_speaks_of_it() -> None:
    """A name that is still spoken of stays, and no other theme gets it; one that says nothing any more goes."""
    theme, questions = np.repeat(np.arange(2), 2), [SUBJECTS[name] for name in ("bill", "bill", "ship", "ship")]
    names = name_themes(theme, questions, {0: "Wrong invoices", 1: "Shoes and boots"})
    assert names[:2] == ["Wrong invoices"] * 2
    assert names[2] == names[3] != "Shoes and boots"
    assert len(set(name_themes(theme, questions, {1: str(name_themes(theme, questions)[0])}))) == 2
