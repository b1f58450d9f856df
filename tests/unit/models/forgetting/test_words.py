"""Words that are one conversation's own are found wherever they stand; what others wrote too stays."""

from __future__ import annotations

import html

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from lacuna.models.forgetting.words import MARK, ROW, OwnWords

# Few words, so that texts share some; some of them short, and some figures.
WORDS = ["the", "parrot", "charger", "is", "26", "48213", "Über", "größe", "my", "bike", "on", "a"]
TEXT = st.lists(st.sampled_from(WORDS), max_size=14).map(" ".join)
TEXTS = st.lists(TEXT, max_size=4)


def own(theirs: list[str], others: list[str]) -> OwnWords:
    words = OwnWords()
    for text in theirs:
        words.add(text)
    for text in others:
        words.spare(text)
    return words


@given(TEXTS, TEXTS, TEXT)
def test_nothing_is_found_of_what_was_taken_out(theirs: list[str], others: list[str], text: str) -> None:
    """Taking out once is enough; a text in which nothing was found is the same text."""
    words = own(theirs, others)
    after = words.without(text)
    assert not words.found(after)
    assert words.without(after) == after
    assert (after == text) == (not words.found(text))


@given(TEXTS, TEXTS)
def test_what_others_wrote_stays(theirs: list[str], others: list[str]) -> None:
    """A text that was spared is never changed, whatever the conversations hold."""
    words = own(theirs, others)
    for text in others:
        assert words.without(text) == text


@given(TEXTS, TEXTS)
def test_four_words_in_a_row_that_nobody_else_wrote_never_stay(theirs: list[str], others: list[str]) -> None:
    """Of their texts no row of four words is left but those that stand in another text too."""
    words = own(theirs, others)
    said = [text.casefold().split() for text in others]
    spared = {tuple(one[i : i + ROW]) for one in said for i in range(len(one) - ROW + 1)}
    for text in theirs:
        left = [part.casefold().split() for part in words.without(text).split(MARK)]
        rows = {tuple(one[i : i + ROW]) for one in left for i in range(len(one) - ROW + 1)}
        assert rows <= spared


@given(st.text(max_size=60), st.text(max_size=60))
def test_any_text_can_be_looked_through(text: str, other: str) -> None:
    """Whatever its characters: it is taken out of itself, and another text is not touched where nothing is shared."""
    assume("<" not in text)
    words = own([text], [])
    assert not words.found(words.without(text))
    if not set(text.casefold()) & set(other.casefold()):
        assert words.without(other) == other


@pytest.mark.parametrize(
    ("text", "after"),
    [
        ("Title: “My PARROT, it ate my charger!”", f"Title: “{MARK}!”"),
        ("zeno", MARK),
        ("ate", MARK),  # a key word by itself
        ("it ate my", MARK),  # three words that are all of a name
        ("so it ate my", "so it ate my"),
        ("<NAME> said: parrot", f"<NAME> said: {MARK}"),
        ("48213 figures, 26 of them", f"{MARK} figures, 26 of them"),
    ],
)
def test_what_counts_as_ones_own(text: str, after: str) -> None:
    """Four words in a row in any case and punctuation, one long word, a short name that is all theirs."""
    words = own(
        ["My parrot <NAME> Zeno: it ate my charger 48213 26", "my parrot it ate my charger"], ["said figures of"]
    )
    assert words.without(text) == after


def test_a_placeholder_parts_words() -> None:
    """What redaction cut out of a text joins nothing: words on both sides are no row."""
    words = own(["I am <NAME> of a b c"], [])
    assert words.without("so I am of a b") == "so I am of a b"
    assert words.found("so of a b c")


def test_words_of_one_line_between_marks_go_too() -> None:
    """Three words that stand between own words tell little alone, and give away what stood there."""
    words = own(["alpha beta gamma delta", "epsilon zeta theta kappa"], ["and then the"])
    assert words.without("alpha beta gamma delta and then the epsilon zeta theta kappa") == MARK
    assert words.without("alpha beta gamma delta\nand then the epsilon") == f"{MARK}\nand then the {MARK}"


def test_nothing_is_own_of_nobody() -> None:
    """Without texts nothing is found, and a text is the same object."""
    words, text = OwnWords(), html.unescape("a text")
    assert not words
    assert words.without(text) is text
