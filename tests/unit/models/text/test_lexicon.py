"""The word lists of each language: what a file may hold, and that a new file is read."""

from __future__ import annotations

import itertools
import re

import pytest

from lacuna.models.text import lexicon

LISTS = {
    "names_only", "common", "told_by", "not_told_by", "stop_words", "determiners", "pronouns", "subjects", "objects",
    "auxiliaries", "negations", "deniers", "prepositions", "conjunctions", "particles", "closers", "particle_verbs",
    "adverbs", "times", "spans", "quantities", "hanging", "doing", "joins", "chatter", "pointing", "pointing_patterns",
    "fillers", "openers", "asks_for_action", "asks_for_thing", "tells", "indirect", "question_words", "broken",
    "opens_as", "joint", "without_question", "question_opens", "question_closes", "capitals", "capital_nouns",
    "noun_endings", "verb_last", "verbs_invert", "after_verbs", "adverb_endings", "no_adverbs", "left_out",
}  # fmt: skip


@pytest.mark.parametrize("code", lexicon.VOCABULARY)
def test_a_language_holds_nothing_but_lists_that_are_read(code: str) -> None:
    """A list whose name is misspelt would be ignored without a word."""
    assert set(lexicon.VOCABULARY[code]) <= LISTS
    patterns = [value for value in lexicon.VOCABULARY[code].values() if isinstance(value, list)]
    for pattern in itertools.chain.from_iterable(patterns):
        re.compile(pattern)


def test_lists_for_names_alone_are_not_read_elsewhere() -> None:
    """French "pour" and "on" are no stop words of an English text."""
    assert lexicon.VOCABULARY["fr"]["names_only"]
    assert "pour" not in lexicon.STOP_WORDS
    assert "pour" not in lexicon.PREPOSITIONS


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
