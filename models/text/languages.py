"""Which language a text is in, among the few that a collection of texts is in."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Sequence
from functools import cache

from py3langid.langid import MODEL_FILE, LanguageIdentifier

# Share and number of texts from which on a language is one of the collection's, and no misreading.
COMMON, ENOUGH = 0.05, 10
# Texts that show which languages are there, and characters that show which one a text is in; more tell hardly more.
TEXTS, CHARACTERS = 1_000, 200


def common_languages(texts: Sequence[str]) -> tuple[str, ...]:
    """The languages (ISO 639-1) that at least :data:`COMMON` of the texts are in, and :data:`ENOUGH`, in ABC order.

    Examples
    --------
    >>> common_languages(["Where is my parcel?", "Wo ist mein Paket geblieben?"] * 10)
    ('de', 'en')
    """
    some = texts[:: -(-len(texts) // TEXTS)] if len(texts) else texts
    return common([language_of(text) for text in some])


def language_of(text: str) -> str:
    """The language of one text among all that are known; of a short text, often another than it is in."""
    return _read(text, ())


def common(languages: Sequence[str]) -> tuple[str, ...]:
    """The languages that are common among those of single texts, as :func:`common_languages` takes them."""
    counts = Counter(languages)
    return tuple(sorted(code for code, count in counts.items() if count >= max(ENOUGH, COMMON * len(languages))))


def languages_of(texts: Sequence[str], among: tuple[str, ...]) -> list[str]:
    """The language of each text, one of ``among``; all alike where these are fewer than two.

    Short texts are misread easily among a hundred languages, and hardly ever among the few that are there.
    """
    if len(among) < 2:
        return [next(iter(among), "")] * len(texts)
    return [_read(text, among) for text in texts]


def script_of(text: str) -> str:
    """The script of most letters of a text, as Unicode names it, such as "LATIN" or "CYRILLIC"; "" without a letter.

    Examples
    --------
    >>> script_of("Where is it?"), script_of("Где мой заказ 12?"), script_of("42")
    ('LATIN', 'CYRILLIC', '')
    """
    counts = Counter(unicodedata.name(letter, "").partition(" ")[0] for letter in text[:CHARACTERS] if letter.isalpha())
    return min(counts, key=lambda script: (-counts[script], script), default="")


def _read(text: str, among: tuple[str, ...]) -> str:
    return str(_identifier(among).classify(text[:CHARACTERS])[0])


@cache
def _identifier(among: tuple[str, ...]) -> LanguageIdentifier:
    identifier = LanguageIdentifier.from_model_file(MODEL_FILE)
    if among:
        identifier.set_languages(list(among))
    return identifier
