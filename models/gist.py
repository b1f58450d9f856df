"""What a text is about: its meaning and its words, with the sentences that say nothing about it turned down.

"I'm a regular customer" stands in texts about everything; "the code has expired" in texts about one thing. So a
sentence counts by how well the sentences like it tell topics apart, whatever the language, with no list of fillers.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import Stemmer
from numpy.typing import NDArray
from scipy import sparse
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import CountVectorizer

from models.clustering import distinct, nearest, unit
from models.labels import STOP_WORDS

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]

WORDS_SHARE = 0.3  # of words in the similarity of two texts; the weekly run weighs them alike (0.2 to 0.45)
WHOLE_SHARE = 0.3  # of the whole text's vector beside its sentences'
LIKE = 16  # sentences that a sentence is compared with
AMONG = 12_000  # sentences that are looked through for them
MOST_SENTENCES = 8  # of a text; what it is about is said by then
DIMENSIONS = 200

_END = re.compile(r"(?<=[.!?])\s+|\n+")
_WORD = re.compile(r"[^\W\d_][\w'’-]+")


def sentences(text: str) -> list[str]:
    """The first sentences of ``text`` that have a word in them.

    Examples
    --------
    >>> sentences("Hi! My card is gone. ... Can you block it?")
    ['Hi!', 'My card is gone.', 'Can you block it?']
    """
    found = (part.strip() for part in _END.split(text))
    return [part for part in found if _WORD.search(part)][:MOST_SENTENCES] or [text]


def telling(owner: Ints, vectors: Floats, labels: Ints) -> NDArray[np.float64]:
    """How much each sentence tells about its text's topic: float (sentences,), 0 to about 1.

    The divergence of the topics of the sentences most like it from the topics of all texts (Kullback–Leibler).

    Parameters
    ----------
    owner, vectors
        The text of each sentence, ascending, and its vector: int (sentences,), float32 (sentences, dim).
    labels
        The topic of each text, from 0: int (texts,).
    """
    sentence, back = distinct(vectors)
    topics, n = int(labels.max()) + 1, len(sentence)
    count = min(LIKE, n - 1)
    if count < 1:
        return np.ones(len(owner))
    said = np.bincount(back * topics + labels[owner], minlength=n * topics).reshape(n, topics).astype(float)
    copies = said.sum(axis=1, keepdims=True)
    said /= copies
    pool = np.arange(0, n, -(-n // AMONG))
    columns, _ = nearest(sentence, sentence if len(pool) == n else sentence[pool], min(count, len(pool)))
    # a sentence that stands in many texts word for word speaks for itself, a rare one through those like it
    itself = np.minimum(copies - 1, LIKE) / LIKE
    each = columns.shape[1]
    rows = np.repeat(np.arange(n), each)
    like = sparse.csr_matrix((np.full(columns.size, 1 / each), (rows, columns.ravel())), shape=(n, len(pool)))
    seen = itself * said + (1 - itself) * (like @ said[pool])
    prior = np.bincount(labels, minlength=topics) / len(labels)
    share = (LIKE * seen + prior) / (LIKE + 1)
    gain = np.where(share > 0, share * np.log(share / np.where(prior > 0, prior, 1)), 0).sum(axis=1)
    most = -np.log(prior[prior > 0].min())
    tells = gain / most if most > 0 else np.ones(n)
    return np.maximum(tells, 1e-3)[back]


class Gist:
    """The space that topics are found in: meaning and words side by side, rows of length 1.

    Learned on some texts; :meth:`place` puts others into it.
    """

    def fit(
        self, vectors: Floats, owner: Ints, parts: Sequence[str], part_vectors: Floats, labels: Ints | None = None
    ) -> Gist:
        """Learn from texts, in a fixed order, and their sentences.

        Parameters
        ----------
        vectors
            Of the whole texts: float32 (n, dim), rows of length 1.
        owner, parts, part_vectors
            The text of each sentence, ascending, the sentence, and its vector.
        labels
            Topics of the texts as far as they are known; None weighs every sentence alike.
        """
        n = len(vectors)
        weights = np.ones(len(owner)) if labels is None else telling(owner, part_vectors, labels)
        member = sparse.csr_matrix((weights, (owner, np.arange(len(owner)))), shape=(n, len(owner)))
        meaning = vectors
        if labels is not None:
            meaning = WHOLE_SHARE * vectors + (1 - WHOLE_SHARE) * unit(np.asarray(member @ part_vectors))
            meaning = unit(meaning)
        self.mean_ = meaning.mean(axis=0)
        self._learn_words(parts, owner, n, member / weights.max())
        self.meaning_dim = vectors.shape[1]
        self.space_ = self._join(meaning, self._counted)
        return self

    def place(self, vectors: Floats, texts: Sequence[str]) -> Floats:
        """Other texts in the space, each taken as a whole."""
        counted = self._counter.transform(texts) if self._counter else sparse.csr_matrix((len(texts), 0))
        return self._join(vectors, counted[:, self._kept])

    def _learn_words(self, parts: Sequence[str], owner: Ints, n: int, member: Any) -> None:
        self._counter: CountVectorizer | None = CountVectorizer(analyzer=_terms)
        self._svd: TruncatedSVD | None = None
        self._kept = np.zeros(0, dtype=np.int64)
        self._rarity = np.zeros(0)
        try:
            counts = self._counter.fit_transform(parts)
        except ValueError:  # no word is left
            self._counter, self._counted = None, sparse.csr_matrix((n, 0))
            return
        presence = sparse.csr_matrix((np.ones(len(owner)), (owner, np.arange(len(owner)))), shape=(n, len(owner)))
        within = np.asarray(((presence @ counts) > 0).sum(axis=0)).ravel()
        self._kept = np.flatnonzero((within >= 2) & (within <= max(2, 0.1 * n)))
        self._rarity = np.log((1 + n) / (1 + within[self._kept])) + 1
        self._counted = (member @ counts).tocsr()[:, self._kept]
        if len(self._kept) > DIMENSIONS:
            self._svd = TruncatedSVD(DIMENSIONS, random_state=0).fit(self._counted @ sparse.diags(self._rarity))

    def _join(self, vectors: Floats, counted: Any) -> Floats:
        weighed = counted @ sparse.diags(self._rarity)
        words = self._svd.transform(weighed) if self._svd else weighed.toarray()
        meaning = np.sqrt(1 - WORDS_SHARE) * unit(vectors - self.mean_)
        # rounded, so that the last digits, and so the topics, are the same from process to process
        return unit(np.round(np.hstack([meaning, np.sqrt(WORDS_SHARE) * unit(words)]), 5).astype(np.float32))


def _terms(text: str) -> list[str]:
    """Stemmed words of weight, and pairs of them."""
    words = _STEMMER.stemWords([w for w in _WORD.findall(text.lower()) if w not in STOP_WORDS])
    return words + [f"{a} {b}" for a, b in pairwise(words)]


_STEMMER = Stemmer.Stemmer("english")
