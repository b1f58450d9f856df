"""The word lists of each language: what a file may hold, and that a new file is read."""

from __future__ import annotations

import re

import pytest

from lacuna.models.text import lexicon

LISTS = {
    "common", "told_by", "not_told_by", "stop_words", "determiners", "pronouns", "auxiliaries", "negations", "deniers",
    "prepositions", "conjunctions", "particles", "adverbs", "times", "quantities", "hanging", "doing", "openers",
}  # fmt: skip


@pytest.mark.parametrize("code", lexicon.VOCABULARY)
def test_a_language_holds_nothing_but_lists_that_are_read(code: str) -> None:
    """A list whose name is misspelt would be ignored without a word."""
    assert set(lexicon.VOCABULARY[code]) <= LISTS
    for pattern in lexicon.VOCABULARY[code].get("openers", ()):
        re.compile(pattern)


def test_the_words_of_all_languages_count() -> None:
    """A word of any language's list is in the list of all."""
    assert {"the", "der"} <= lexicon.STOP_WORDS
    assert {"my", "meine"} <= lexicon.DETERMINERS
    assert lexicon.OPENERS.match("hallo ")
    assert lexicon.OPENERS.match("i was wondering if ")


def test_a_new_language_may_bring_one_list_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every list may be left out, that to start from included."""
    monkeypatch.setitem(lexicon.VOCABULARY, "fr", {"stop_words": "bonjour merci"})
    assert lexicon._words("stop_words") >= {"bonjour", "merci"}
    assert lexicon._common("fr") == frozenset()
