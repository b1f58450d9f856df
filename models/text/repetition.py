"""Whether one message repeats another in other words."""

from __future__ import annotations

import re
from collections import Counter

__all__ = ["alike"]

_WORDS = re.compile(r"[^\W\d_]{2,}|\d{2,}")
_ALIKE = 0.5
# Common words, which are not counted because different questions share them.
_COMMON = frozenset(
    (
        "and", "are", "but", "can", "could", "das", "dass", "der", "die", "does", "doesn", "don", "ein", "eine",
        "einen", "for", "from", "get", "have", "hello", "hi", "how", "ich", "ihr", "is", "ist", "it", "just", "kann",
        "keine", "mein", "meine", "mich", "mir", "mit", "my", "nicht", "not", "oder", "of", "on", "or", "please",
        "sie", "so", "still", "that", "the", "there", "this", "to", "und", "want", "was", "we", "what", "when",
        "where", "why", "will", "with", "would", "you", "your", "bitte", "hallo", "wie", "wo", "wann", "warum",
    )
)  # fmt: skip


def alike(text: str, other: str) -> bool:
    """Whether two clean, lower-case messages share most of their significant words or of their character trigrams.

    Examples
    --------
    >>> alike("where is my refund", "my refund, where is it?"), alike("where is my refund", "where is my parcel")
    (True, False)
    """
    words = {word for word in _WORDS.findall(text[:600]) if word not in _COMMON}
    others = {word for word in _WORDS.findall(other[:600]) if word not in _COMMON}
    if min(len(words), len(others)) < 2:
        return len(words) == 1 and words == others
    shared = len(words & others)
    # The share of the shorter message's words: a rephrasing often drops or adds half a sentence.
    if shared >= 2 and shared / min(len(words), len(others)) >= 0.6:
        return True
    if len(text) > 200 or len(other) > 200:
        return False
    grams, others_grams = _trigrams(words), _trigrams(others)
    common = sum((grams & others_grams).values())
    return 2 * common / (grams.total() + others_grams.total()) >= _ALIKE


def _trigrams(words: set[str]) -> Counter[str]:
    return Counter(f" {word} "[i : i + 3] for word in words for i in range(len(word)))
