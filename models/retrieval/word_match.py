"""How much of a few words occurs in each of many texts: by stems, and by spelling where no text has the word."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

import numpy as np
from rapidfuzz import fuzz, process

from lacuna.models.arrays import F64
from lacuna.models.text.lexicon import STOP_WORDS
from lacuna.models.text.words import stems, words_of

__all__ = ["spelt_as_known", "word_shares"]

SPELT_ALIKE = 80.0  # of a hundred: from here on a word that no text has is taken for one that some have
SHORTEST = 4  # letters of a word that may be misspelt


def spelt_as_known(text: str, texts: Sequence[str]) -> str:
    """A text whose words that occur nowhere are replaced by those that do and are spelt most like them, if any is.

    Examples
    --------
    >>> spelt_as_known("Where is my pasword?", ["Reset a password", "Torn tent"])
    'Where is my password?'
    """
    known = sorted({word for each in texts for word in words_of(each)})
    stemmed = {word_stem for each in known for word_stem in stems(each)}
    for word in dict.fromkeys(words_of(text)):
        if len(word) < SHORTEST or word in STOP_WORDS or word in known or stems(word) & stemmed:
            continue
        near = process.extractOne(word, known, scorer=fuzz.ratio, score_cutoff=SPELT_ALIKE)
        if near:
            text = re.sub(rf"\b{re.escape(word)}\b", near[0], text, flags=re.I)
    return text


def word_shares(words: str, texts: Sequence[str]) -> F64:
    """The share of the words that each text has, rare words counting more: float64 (len(texts),), 0 to 1.

    Words without weight, such as "the", count only where there are no others.

    Examples
    --------
    >>> texts = ["Refund for a late parcel", "Late parcel", "Torn tent"]
    >>> word_shares("why is the refnud late", texts).round(2).tolist()
    [0.89, 0.33, 0.0]
    """
    wanted = sorted(stems(words) or set(words_of(words)))
    has = [stems(text) or set(words_of(text)) for text in texts]
    if not wanted or not has:
        return np.zeros(len(has))
    frequency = Counter(word for text in has for word in text)
    weights = {word: float(np.log1p(len(has) / (1 + frequency[word]))) for word in wanted}
    alike = {word: _spelt_alike(word, frequency) for word in wanted}
    found = [
        sum(weights[word] * likeness for word in wanted for known, likeness in alike[word] if known in text)
        for text in has
    ]
    return np.array(found, dtype=np.float64) / sum(weights.values())


def _spelt_alike(word: str, known: Counter[str]) -> list[tuple[str, float]]:
    """The word itself where some text has it, else the one spelt most like it, and how alike they are."""
    if word in known:
        return [(word, 1.0)]
    if len(word) < SHORTEST:
        return []
    near = process.extractOne(word, list(known), scorer=fuzz.ratio, score_cutoff=SPELT_ALIKE)
    return [(near[0], near[1] / 100)] if near else []
