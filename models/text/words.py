"""Words, their stems, and sentences.

The patterns stand side by side because they differ on purpose; the comment of each says for what. A new reader of texts
should take `WORD` and `SENTENCE_END`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

import Stemmer

from lacuna.models.text.lexicon import GERMAN, STOP_WORDS
from lacuna.models.text.markup import HIDDEN

# Names of the stemmers, by language code.
STEMMERS = {"en": "english", "de": "german", "fr": "french", "es": "spanish", "it": "italian", "nl": "dutch"}

WORD = re.compile(r"[^\W\d_][\w'’-]+")
# Whole words only: "customers'" without its apostrophe, for words that are shown.
SHOWN_WORD = re.compile(r"\b[^\W\d_][\w'’-]+\b")
# Numbers too: in instructions and in what a reply is about, "2" and "14" tell.
WORD_OR_NUMBER = re.compile(r"[^\W_][\w'’-]*")
# Any run of two signs or more: whether a message, in whatever language, says anything.
ANY_WORD = re.compile(r"\w{2,}")
# Letters alone, long enough to tell: to count what two texts of articles have in common.
PLAIN_WORD = re.compile(r"[^\W\d_]{3,}")
LONG_WORD = re.compile(r"[^\W\d_]{4,}")
# Of a name that was made of words: no apostrophes.
NAME_WORD = re.compile(r"[^\W\d_][\w-]*")
# What a label may hold: "R&D", "Wi-Fi", "step2@home", with no mark at its end.
LABEL_WORD = re.compile(r"[^\W_](?:[\w'’&./@+-]*[\w+])?|&")

SENTENCE_END = re.compile(r"(?<=[.!?])\s+|\n+")
# Of a message on one line: a phrase does not reach over a semicolon either.
CHAT_SENTENCE_END = re.compile(r"(?<=[.!?;])\s")
# "2." opens a sentence and ends none.
NUMBERED_SENTENCE_END = re.compile(r"(?<!\s\d\.)(?<!^\d\.)(?<=[.!?])\s+|\n+")
# Of an article's prose: before a capital alone, so that "e.g. by card" stays whole.
PROSE_SENTENCE_END = re.compile(r"(?<=[.!?])\s+(?=[\"“„(*]*[A-ZÄÖÜ0-9])")
# Of a text that is shown: "…" ends a sentence too, and a quotation mark or bracket behind its end goes.
SHOWN_SENTENCE_END = re.compile(r"(?<=[.!?…])[\"”)]?\s+|\s*\n+\s*")
# Of an agent's reply: list items are sentences, without their marks.
REPLY_SENTENCE_END = re.compile(
    r"(?<=[.!?])[\"”)]?\s+|\s*\n+\s*(?:[-*•]\s+|\d{1,2}[.)]\s+)?|"
    r"^\s*(?:[-*•]\s+|\d{1,2}[.)]\s+)"
)

_GERMAN, _ENGLISH = Stemmer.Stemmer("german"), Stemmer.Stemmer("english")


@lru_cache(maxsize=200_000)
def stem(word: str, german: bool = False) -> str:
    """The stem of a folded word, which its forms share."""
    word = word.replace("'s", "").replace("-", "")
    return str((_GERMAN if german else _ENGLISH).stemWord(word))


def is_german(words: Sequence[str]) -> bool:
    """Whether a quarter of the folded words are German function words."""
    return sum(map(GERMAN.__contains__, words)) * 4 >= max(1, len(words))


def words_of(text: str) -> list[str]:
    """The folded words of a text; what stands for personal data is none."""
    return WORD_OR_NUMBER.findall(HIDDEN.sub(" ", text).casefold().replace("’", "'"))


def stems(text: str) -> set[str]:
    """The stems of the words of weight in a text."""
    words = words_of(text)
    german = is_german(words)
    return {stem(word, german) for word in words if word not in STOP_WORDS and len(word) > 1}


def shortened(text: str, length: int) -> str:
    """A text on one line of at most ``length`` characters, cut between words and marked with ``…``.

    Examples
    --------
    >>> shortened("My tent  pole snapped", 14)
    'My tent pole…'
    """
    text = " ".join(text.split())
    return text if len(text) <= length else text[: length - 1].rsplit(" ", 1)[0] + "…"
