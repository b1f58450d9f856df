"""What a draft wins, misses and steals, counted from scores without and with it."""

from __future__ import annotations

import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from lacuna.models.arrays import F32
from lacuna.models.retrieval.draft_trial import ROLES, Trial, try_article, words_that_lack

ARTICLES = ["kb-a", "kb-b"]


def questions(*rows: tuple[str, str, str | None]) -> pd.DataFrame:
    """Questions of a role and a text, with the article that answered them."""
    named = [(f"c-{place}", *row) for place, row in enumerate(rows)]
    return pd.DataFrame(named, columns=["conversation_id", "role", "question", "article_id"])


def scores(*rows: list[float]) -> F32:
    """Scores of a question a row."""
    return np.array(rows, dtype=np.float32)


def tried(asked: pd.DataFrame, before: F32, after: F32) -> Trial:
    """The trial of one new article."""
    return try_article(asked, before, ARTICLES, after, [*ARTICLES, "draft"], ["draft"], "all about customs")


def test_what_the_draft_is_best_for_is_won_and_the_rest_names_what_is_ahead() -> None:
    """Won by the highest score; a missed question says which article is ahead, by how much, and what would help."""
    others = [("healthy", text, "kb-b") for text in ("my tent leaks", "which shoes") for _ in range(9)]
    asked = questions(("own", "customs fee", None), ("own", "the courier wants a fee", None), *others)
    trial = tried(asked, scores(*[[1, 0]] * 20), scores([1, 0, 2], [1.5, 0, 1], *[[1.0, 0, 0]] * 18))
    assert (trial.own, trial.won, trial.won_before, trial.share_won) == (2, 1, 0, 0.5)
    (missed,) = trial.missed
    assert (missed.conversation_id, missed.best_article_id, missed.margin) == ("c-1", "kb-a", 0.5)
    assert "courier" in missed.words
    assert set(missed.words) <= set(trial.lacking)


def test_only_what_its_own_article_answers_today_can_be_stolen() -> None:
    """A healthy question counts where its article is the best match without the draft."""
    asked = questions(("healthy", "one", "kb-a"), ("healthy", "two", "kb-b"), ("healthy", "three", "kb-b"))
    trial = tried(asked, scores([1, 0], [1, 0], [0, 1]), scores([1, 0, 3], [1, 0, 3], [0, 1, 0.5]))
    assert trial.healthy == 2
    assert [(one.conversation_id, one.article_id, one.margin) for one in trial.stolen] == [("c-0", "kb-a", 2.0)]


def test_a_changed_article_says_what_it_won_before() -> None:
    """The draft of an article that is there already takes its place, and steals nothing from itself."""
    asked = questions(("own", "one", None), ("own", "two", None), ("healthy", "three", "kb-b"))
    before, after = scores([0, 1], [1, 0], [0, 1]), scores([0, 1], [0, 1], [0, 1])
    trial = try_article(asked, before, ARTICLES, after, ARTICLES, ["kb-b"], "text")
    assert (trial.won_before, trial.won, trial.healthy, trial.stolen) == (1, 2, 0, [])


def test_words_of_other_questions_and_of_the_draft_are_not_lacking() -> None:
    """What everybody writes does not set the missed questions apart."""
    everything = ["please: courier fee", "please: courier bill", *["please: my tent leaks", "please: shoes"] * 9]
    assert words_that_lack(everything[:2], everything, "the fee") == ["courier"]
    assert words_that_lack([], everything, "the fee") == []


@given(st.lists(st.tuples(st.sampled_from(ROLES), st.sampled_from(ARTICLES)), max_size=12), st.integers(0, 2**32 - 1))
def test_counts_add_up(rows: list[tuple[str, str]], seed: int) -> None:
    """Each of the gap's questions is won or missed, and nothing is stolen that was not healthy."""
    draw = np.random.default_rng(seed)
    asked = questions(*((role, f"text {i}", article) for i, (role, article) in enumerate(rows)))
    before, after = (draw.normal(size=(len(rows), width)).astype(np.float32) for width in (2, 3))
    trial = tried(asked, before, after)
    assert trial.won + len(trial.missed) == trial.own == sum(role == "own" for role, _ in rows)
    assert len(trial.stolen) <= trial.healthy <= sum(role == "healthy" for role, _ in rows)
    assert all(one.margin >= 0 for one in (*trial.missed, *trial.stolen))
