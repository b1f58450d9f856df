"""Questions by their words: TF-IDF of stems, folded to a few hundred dimensions, in any language."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import Stemmer
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import TfidfVectorizer

from lacuna.models.arrays import F32
from lacuna.models.text.lexicon import STOP_WORDS
from lacuna.models.text.vectors import unit
from lacuna.models.text.words import STEMMERS, WORD

DIMENSIONS = 200


class WordSpace:
    """A space of words that is learnt from some texts, and into which others can be put.

    Words in more than a tenth of the texts, or in one alone, say nothing about what a text has in common with others.

    Parameters
    ----------
    texts, languages
        The texts to learn from, and the code of each one's language.

    Attributes
    ----------
    vectors
        float32 (n, at most 200), the texts' own vectors, rows of length 1, or 0 without a word.
    """

    def __init__(self, texts: Sequence[str], languages: Sequence[str]) -> None:
        self._counter: TfidfVectorizer | None = TfidfVectorizer(
            token_pattern=r"\S+",
            ngram_range=(1, 2),
            min_df=2,
            max_df=max(0.1, 2 / max(1, len(texts))),
            sublinear_tf=True,
        )
        self._folding: TruncatedSVD | None = None
        try:
            counted = self._counter.fit_transform(_stems(texts, languages))
        except ValueError:  # no word is left
            self._counter = None
            self.vectors = np.zeros((len(texts), 1), dtype=np.float32)
            return
        if counted.shape[1] <= DIMENSIONS:
            self.vectors = unit(counted.toarray().astype(np.float32))
            return
        # float64 and a fixed start keep the last digits, and so the run, the same from process to process
        self._folding = TruncatedSVD(DIMENSIONS, algorithm="randomized", random_state=0)
        self.vectors = unit(np.round(self._folding.fit_transform(counted), 6).astype(np.float32))

    def place(self, texts: Sequence[str], languages: Sequence[str]) -> F32:
        """Vectors of other texts: float32 (n, as many as those learnt from), rows of length 1, or 0 without a word."""
        if self._counter is None:
            return np.zeros((len(texts), 1), dtype=np.float32)
        counted = self._counter.transform(_stems(texts, languages))
        if self._folding is None:
            return unit(counted.toarray().astype(np.float32))
        return unit(np.round(self._folding.transform(counted), 6).astype(np.float32))


def _stems(texts: Sequence[str], languages: Sequence[str]) -> list[str]:
    stemmers = {code: Stemmer.Stemmer(STEMMERS.get(code, "english")) for code in set(languages)}
    return [
        " ".join(stemmers[code].stemWords([w for w in WORD.findall(text.lower()) if w not in STOP_WORDS]))
        for text, code in zip(texts, languages, strict=True)
    ]
