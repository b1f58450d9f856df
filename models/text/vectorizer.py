"""Counts of words and pairs of words, as scikit-learn's CountVectorizer gives them, many times as fast.

Each distinct word is looked up and stemmed once, not at every occurrence; the rest is arithmetic on arrays.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Collection, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from lacuna.models.arrays import Ints

NEVER, UNKNOWN = -1, -2  # a stop word, which pairs skip; a word that was not in the fitted texts, which breaks pairs


class Terms:
    """Counts of words and of pairs of words that stand next to each other once stop words are out.

    Parameters
    ----------
    word
        Finds the words of a text in small letters.
    stop_words
        Words that are not counted.
    stems
        Maps distinct words to the stems as which they are counted; None counts the words themselves.

    Attributes
    ----------
    codes_
        int (terms,), ascending in alphabetical order: each encodes a word and the word after it, if it is a pair.
    """

    def __init__(
        self,
        word: re.Pattern[str],
        stop_words: Collection[str],
        stems: Callable[[list[str]], list[str]] | None = None,
    ) -> None:
        self.word = word
        self.stop_words = frozenset(stop_words)
        self.stems = stems

    def fit_transform(self, texts: Sequence[str], y: object = None) -> sparse.csr_matrix:  # noqa: ARG002 (scikit-learn's)
        """Learn the terms of ``texts`` and count them: (texts, terms), float."""
        words, ids, sizes = self._read(texts)
        counted_words = [w for w in words if w not in self.stop_words]
        self._stem = dict(zip(counted_words, self.stems(counted_words) if self.stems else counted_words, strict=True))
        self._names = sorted(set(self._stem.values()))
        self._number = {name: i for i, name in enumerate(self._names)}
        rows, codes = self._terms(words, ids, sizes)
        self.codes_, columns = np.unique(codes, return_inverse=True)
        return self._counted(rows, columns.ravel(), len(texts))

    def transform(self, texts: Sequence[str]) -> sparse.csr_matrix:
        """Count the fitted terms: (texts, terms), float."""
        rows, codes = self._terms(*self._read(texts))
        columns = np.minimum(np.searchsorted(self.codes_, codes), max(0, len(self.codes_) - 1))
        met = self.codes_[columns] == codes if len(self.codes_) else np.zeros(len(codes), dtype=bool)
        return self._counted(rows[met], columns[met], len(texts))

    def keep(self, columns: Ints) -> None:
        """Forget all other terms."""
        self.codes_ = self.codes_[columns]

    def get_feature_names_out(self) -> NDArray[np.object_]:
        """The terms as text, a pair with a space between: str (terms,)."""
        first, second = np.divmod(self.codes_, len(self._names) + 1)
        pairs = zip(first.tolist(), second.tolist(), strict=True)
        return np.array([f"{self._names[a]} {self._names[b - 1]}" if b else self._names[a] for a, b in pairs], object)

    def _read(self, texts: Sequence[str]) -> tuple[list[str], Ints, Ints]:
        """The distinct words, the number of the word in each place, and how many places each text has."""
        numbers: defaultdict[str, int] = defaultdict()
        numbers.default_factory = numbers.__len__
        ids: list[int] = []
        sizes = np.zeros(len(texts), dtype=np.int64)
        for row, text in enumerate(texts):
            words = self.word.findall(text.lower())
            sizes[row] = len(words)
            ids.extend(map(numbers.__getitem__, words))
        return list(numbers), np.array(ids, dtype=np.int64), sizes

    def _terms(self, words: list[str], ids: Ints, sizes: Ints) -> tuple[Ints, Ints]:
        """The text and the code of each term."""
        number = np.array([self._number_of(word) for word in words], dtype=np.int64)[ids]
        rows = np.repeat(np.arange(len(sizes)), sizes)
        in_vocabulary = number != NEVER
        number, rows = number[in_vocabulary], rows[in_vocabulary]
        first = number * (len(self._names) + 1)
        pairs = np.flatnonzero((rows[:-1] == rows[1:]) & (number[:-1] >= 0) & (number[1:] >= 0))
        alone = number >= 0
        return np.r_[rows[alone], rows[pairs]], np.r_[first[alone], first[pairs] + 1 + number[pairs + 1]]

    def _number_of(self, word: str) -> int:
        if word in self.stop_words:
            return NEVER
        stemmed = self._stem.get(word)
        if stemmed is None and self.stems:
            stemmed = self.stems([word])[0]
        return self._number.get(stemmed or word, UNKNOWN)

    def _counted(self, rows: Ints, columns: Ints, n: int) -> sparse.csr_matrix:
        shape = (n, len(self.codes_))
        return sparse.csr_matrix((np.ones(len(rows)), (rows, columns)), shape=shape)
