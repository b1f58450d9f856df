"""Questions by their words: TF-IDF of stems, folded to a few hundred dimensions, in any language."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import Stemmer
from numpy.typing import NDArray
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import TfidfVectorizer

from lacuna.models.arrays import F32, F64
from lacuna.models.text.lexicon import STOP_WORDS
from lacuna.models.text.vectors import unit
from lacuna.models.text.words import STEMMERS, WORD

DIMENSIONS = 200


class WordSpace:
    """A space of words that is learnt from some texts, and into which others can be put.

    Words in more than a tenth of the texts, or in one alone, say nothing about what a text has in common with others.

    Parameters
    ----------
    vocabulary
        The words and pairs of words that count, in the order of their columns; none where no word says anything.
    idf
        float (words,), how telling each is.
    folding
        float (at most 200, words), what folds the columns; None where there are few enough of them.
    """

    def __init__(self, vocabulary: Sequence[str], idf: F64, folding: F64 | None) -> None:
        self._vocabulary, self._idf, self._folding = list(vocabulary), idf, folding
        self._counter: TfidfVectorizer | None = None
        if self._vocabulary:
            self._counter = _counter(vocabulary=self._vocabulary)
            self._counter.idf_ = idf

    @classmethod
    def learn(cls, texts: Sequence[str], languages: Sequence[str]) -> tuple[WordSpace, F32]:
        """A space, and the vectors in it of the texts that it is learnt from: float32 (n, at most 200).

        ``languages`` are the code of each text's language.
        """
        counter = _counter(min_df=2, max_df=max(0.1, 2 / max(1, len(texts))))
        try:
            counted = counter.fit_transform(_stems(texts, languages))
        except ValueError:  # no word is left
            return cls([], np.zeros(0), None), np.zeros((len(texts), 1), dtype=np.float32)
        words = counter.get_feature_names_out().tolist()
        if counted.shape[1] <= DIMENSIONS:
            return cls(words, counter.idf_, None), unit(counted.toarray().astype(np.float32))
        # float64 and a fixed start keep the last digits, and so the run, the same from process to process
        folding = TruncatedSVD(DIMENSIONS, algorithm="randomized", random_state=0)
        folded = folding.fit_transform(counted)
        return cls(words, counter.idf_, folding.components_), unit(np.round(folded, 6).astype(np.float32))

    def place(self, texts: Sequence[str], languages: Sequence[str]) -> F32:
        """Vectors of other texts: float32 (n, as many as those learnt from), rows of length 1, or 0 without a word."""
        if self._counter is None:
            return np.zeros((len(texts), 1), dtype=np.float32)
        counted = self._counter.transform(_stems(texts, languages))
        if self._folding is None:
            return unit(counted.toarray().astype(np.float32))
        return unit(np.round(counted @ self._folding.T, 6).astype(np.float32))

    def arrays(self) -> dict[str, NDArray[Any]]:
        """The space as arrays, from which :meth:`of_arrays` makes the same again."""
        folding = np.zeros((0, 0)) if self._folding is None else self._folding
        return {"words": np.array(self._vocabulary, dtype=str), "idf": self._idf, "folding": folding}

    @classmethod
    def of_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> WordSpace:
        """From :meth:`arrays`; others among them are left alone."""
        return cls(arrays["words"].tolist(), arrays["idf"], arrays["folding"] if arrays["folding"].size else None)


def _counter(**options: Any) -> TfidfVectorizer:
    return TfidfVectorizer(token_pattern=r"\S+", ngram_range=(1, 2), sublinear_tf=True, **options)


def _stems(texts: Sequence[str], languages: Sequence[str]) -> list[str]:
    stemmers = {code: Stemmer.Stemmer(STEMMERS.get(code, "english")) for code in set(languages)}
    return [
        " ".join(stemmers[code].stemWords([w for w in WORD.findall(text.lower()) if w not in STOP_WORDS]))
        for text, code in zip(texts, languages, strict=True)
    ]
