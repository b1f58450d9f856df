"""Words of texts, and pairs of them, counted as scikit-learn's CountVectorizer counts them, many times as fast.

A word is looked up and stemmed once a vocabulary, not once an occurrence; all else is arithmetic on arrays.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Collection, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from lacuna.models.arrays import Ints

NEVER, UNKNOWN = -1, -2  # a stop word, over which pairs reach; a word that fitting never met, which parts them


class Terms:
    """Counts of words and of pairs of words that stand next to each other once stop words are out.

    Parameters
    ----------
    word
        Finds the words of a text in small letters.
    stop_words
        Words that are passed over.
    stems
        Distinct words to what they are counted as; themselves where it is None.

    Attributes
    ----------
    codes_
        int (terms,), ascending, which is the order of the alphabet: a word and the one behind it, or none.
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
        told = [w for w in words if w not in self.stop_words]
        self._stem = dict(zip(told, self.stems(told) if self.stems else told, strict=True))
        self._names = sorted(set(self._stem.values()))
        self._number = {name: i for i, name in enumerate(self._names)}
        rows, codes = self._terms(words, ids, sizes)
        self.codes_, columns = np.unique(codes, return_inverse=True)
        return self._counted(rows, columns.ravel(), len(texts))

    def transform(self, texts: Sequence[str]) -> sparse.csr_matrix:
        """Count the terms that fitting has met: (texts, terms), float."""
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
        met: defaultdict[str, int] = defaultdict()
        met.default_factory = met.__len__
        ids: list[int] = []
        sizes = np.zeros(len(texts), dtype=np.int64)
        for row, text in enumerate(texts):
            found = self.word.findall(text.lower())
            sizes[row] = len(found)
            ids.extend(map(met.__getitem__, found))
        return list(met), np.array(ids, dtype=np.int64), sizes

    def _terms(self, words: list[str], ids: Ints, sizes: Ints) -> tuple[Ints, Ints]:
        """The text and the code of each term."""
        number = np.array([self._number_of(word) for word in words], dtype=np.int64)[ids]
        rows = np.repeat(np.arange(len(sizes)), sizes)
        told = number != NEVER
        number, rows = number[told], rows[told]
        first = number * (len(self._names) + 1)
        pairs = np.flatnonzero((rows[:-1] == rows[1:]) & (number[:-1] >= 0) & (number[1:] >= 0))
        alone = number >= 0
        return np.r_[rows[alone], rows[pairs]], np.r_[first[alone], first[pairs] + 1 + number[pairs + 1]]

    def _number_of(self, word: str) -> int:
        if word in self.stop_words:
            return NEVER
        found = self._stem.get(word)
        if found is None and self.stems:
            found = self.stems([word])[0]
        return self._number.get(found or word, UNKNOWN)

    def _counted(self, rows: Ints, columns: Ints, n: int) -> sparse.csr_matrix:
        shape = (n, len(self.codes_))
        return sparse.csr_matrix((np.ones(len(rows)), (rows, columns)), shape=shape)
