"""What a lexicon was asked for is all that redaction depends on."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lacuna.models.redaction.lexicon import Lexicon, WatchedLexicon
from lacuna.models.redaction.redact import redact

TEXTS = [
    "Hi Quandt, the parcel of Rosa Lindt is lost. Thanks,\nQuandt",
    "my name is vexor lind and I wrote to anna.schmidt@example.org",
    "Hello,\n\nthe order of Lindt-Meyer came late.\n\nBest regards\nVexor Lind",
    "Dear Ms Schmitd, is Quandt there? call 0171 2345678",
    "I told Schmidtt twice that Rosa paid.",
]
NAMES = [["Anna Schmidt", "Quandt"], [], ["Vexor Lind"], ["Anna Schmidt"], ["Anna Schmidt", "Rosa Lindt"]]
WORDS = ["quandt", "rosa", "lindt", "vexor", "lind", "schmidt", "parcel", "order", "meyer", "twice", "paid", "late"]
some = st.frozensets(st.sampled_from(WORDS))


@given(some, some, some, some)
def test_another_lexicon_that_says_the_same_of_what_was_asked_redacts_the_same(
    names: frozenset[str], words: frozenset[str], other_names: frozenset[str], other_words: frozenset[str]
) -> None:
    """Lexicons may differ in all words that nobody asked for."""
    watched = WatchedLexicon(Lexicon(names, words))
    result = redact(TEXTS, NAMES, lexicon=watched)
    assert result == redact(TEXTS, NAMES, lexicon=Lexicon(names, words))
    unasked = frozenset(["nobodysays"])
    other = Lexicon(
        (names & watched.asked_names) | ((other_names | unasked) - watched.asked_names),
        (words & watched.asked_words) | ((other_words | unasked) - watched.asked_words),
    )
    if bool(other.words) == bool(words):
        assert redact(TEXTS, NAMES, lexicon=other) == result


def test_watched_words_can_only_be_asked_for() -> None:
    """Whatever could pass by the record is refused."""
    words = WatchedLexicon(Lexicon(frozenset(["a"]))).names
    with pytest.raises(TypeError, match="single ones"):
        words & {"a"}
    with pytest.raises(TypeError, match="single ones"):
        list(words)
