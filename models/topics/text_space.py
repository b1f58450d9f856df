"""The vector space in which topics are found: meaning and words of texts, with uninformative sentences weighed down.

"I'm a regular customer" occurs in texts about everything, "the code has expired" in texts about one thing. So each
sentence is weighed by how well similar sentences tell topics apart, which needs no list of fillers in any language.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import sqrt
from typing import Any

import numpy as np
import Stemmer
from scipy import sparse

from lacuna.models.arrays import F32, F64, Ints
from lacuna.models.text.lexicon import STOP_WORDS
from lacuna.models.text.vectorizer import Terms
from lacuna.models.text.vectors import unit
from lacuna.models.text.words import SENTENCE_END, WORD
from lacuna.models.topics.language_bridge import LanguageBridge
from lacuna.models.topics.neighbour_tree import distinct, nearest

WORDS_SHARE = 0.3  # weight of words in the similarity of two texts; the weekly run uses a similar one (0.2 to 0.45)
WHOLE_SHARE = 0.3  # weight of the whole text's vector; the rest is that of its sentences
LIKE = 16  # similar sentences that a sentence is weighed by
AMONG = 2_500  # most sentences among which they are looked up
MOST_SENTENCES = 8  # of a text; further ones rarely add to what it is about
DIMENSIONS = 200
OVERSAMPLED, SVD_ITER, NOTHING = 10, 3, 1e-6


def sentences(text: str) -> list[str]:
    """The first sentences of ``text`` that have a word in them.

    Examples
    --------
    >>> sentences("Hi! My card is gone. ... Can you block it?")
    ['Hi!', 'My card is gone.', 'Can you block it?']
    """
    parts = (part.strip() for part in SENTENCE_END.split(text))
    return [part for part in parts if WORD.search(part)][:MOST_SENTENCES] or [text]


class Sentences:
    """The sentences of texts and their similar sentences, which are looked up once for all rounds.

    Parameters
    ----------
    owner, vectors
        The text of each sentence, ascending, and its vector: int (sentences,), float32 (sentences, dim).
    """

    def __init__(self, owner: Ints, vectors: F32) -> None:
        self.owner, self.vectors = owner, vectors
        sentence, self._back = distinct(vectors)
        n = len(sentence)
        self._pool = np.arange(0, n, -(-n // AMONG))
        count = min(LIKE, n - 1, len(self._pool))
        self._like: sparse.csr_matrix | None = None
        if count > 0:
            # the pool may hold the sentence itself, as the likest: it speaks for itself anyhow
            columns, _ = nearest(sentence, sentence if len(self._pool) == n else sentence[self._pool], count)
            rows = np.repeat(np.arange(n), count)
            share = np.full(columns.size, 1 / count)
            self._like = sparse.csr_matrix((share, (rows, columns.ravel())), shape=(n, len(self._pool)))

    def rarity(self, texts: int) -> F64:
        """How rare each sentence is, by its exact copies among ``texts`` texts: float (sentences,), 0 to 1."""
        copies = np.bincount(self._back)[self._back]
        return np.maximum(1 - np.log(copies) / np.log(max(2, texts)), 1e-3)

    def telling(self, labels: Ints) -> F64:
        """How informative each sentence is about its text's topic: float (sentences,), 0 to about 1.

        The Kullback–Leibler divergence of the topics of similar sentences from the topics of all texts.

        Parameters
        ----------
        labels
            The topic of each text, from 0: int (texts,).
        """
        if self._like is None:
            return np.ones(len(self.owner))
        topics, n = int(labels.max()) + 1, self._like.shape[0]
        cell = self._back * topics + labels[self.owner]
        topic_shares = np.bincount(cell, minlength=n * topics).reshape(n, topics).astype(float)
        copies = topic_shares.sum(axis=1, keepdims=True)
        topic_shares /= copies
        # a sentence with many exact copies is weighed by its own topics, a rare one by those of similar sentences
        itself = np.minimum(copies - 1, LIKE) / LIKE
        share = itself * topic_shares + (1 - itself) * (self._like @ topic_shares[self._pool])
        prior = np.bincount(labels, minlength=topics) / len(labels)
        share = (LIKE * share + prior) / (LIKE + 1)
        gain = np.where(share > 0, share * np.log(share / np.where(prior > 0, prior, 1)), 0).sum(axis=1)
        most = -np.log(prior[prior > 0].min())
        tells = gain / most if most > 0 else np.ones(n)
        return np.maximum(tells, 1e-3)[self._back]


class TextSpace:
    """The space that topics are found in: meaning and words side by side, rows of length 1.

    :meth:`fit` learns it on a sample of texts, in which sentences with exact copies weigh less; :meth:`weigh` then
    weighs down sentences that tell no topics apart, and :meth:`place` puts other texts into the space.

    Attributes
    ----------
    space_
        float32 (texts, dim): the texts in the space.
    meaning_dim
        How many first columns of it are meaning.
    """

    def fit(
        self, vectors: F32, owner: Ints, parts: Sequence[str], part_vectors: F32, languages: Sequence[str]
    ) -> TextSpace:
        """Learn from texts, in a fixed order, and their sentences.

        Parameters
        ----------
        vectors
            Of the whole texts: float32 (n, dim), rows of length 1.
        owner, parts, part_vectors
            The text of each sentence, ascending, the sentence, and its vector.
        languages
            Of each text. Meaning is taken against the mean of its language: a model that knows a language badly sees
            little in it but the language itself.
        """
        self._whole, self._languages = vectors, languages
        self._sentences = Sentences(owner, part_vectors)
        self._axes: F32 | None = None
        self._spanned: F32 | None = None
        self.meaning_dim = vectors.shape[1]
        self._counter, self._counts, self._rarity = _rare_terms(parts, owner, len(vectors))
        return self._weighed(self._sentences.rarity(len(vectors)))

    def weigh(self, labels: Ints) -> TextSpace:
        """Weigh each sentence by how well those like it tell the topics apart: ``labels`` from 0, int (n,)."""
        return self._weighed(self._sentences.telling(labels))

    def _weighed(self, weights: F64) -> TextSpace:
        sentence_means = unit(np.asarray(self._member(weights) @ self._sentences.vectors))
        return self._settle(unit(WHOLE_SHARE * self._whole + (1 - WHOLE_SHARE) * sentence_means), weights)

    def place(self, vectors: F32, texts: Sequence[str], languages: Sequence[str]) -> F32:
        """Other texts in the space, each taken as a whole and by itself."""
        counted = self._counter.transform(texts).astype(np.float32)
        return self._join(*self._parts(vectors, counted, languages), languages)

    def _settle(self, meaning: F32, weights: F64) -> TextSpace:
        self.mean_ = meaning.mean(axis=0)
        code = np.asarray(self._languages)
        self.means_ = {str(language): meaning[code == language].mean(axis=0) for language in np.unique(code)}
        counted = (self._member(weights / weights.max()) @ self._counts).tocsr().astype(np.float32)
        if counted.shape[1] > DIMENSIONS:
            self._axes, self._spanned = principal_axes((counted @ self._rarity).tocsr(), DIMENSIONS, self._spanned)
        parts = self._parts(meaning, counted, self._languages)
        self._bridge = LanguageBridge.learn(parts[0], self._languages, parts[1:])
        self.space_ = self._join(*parts, self._languages)
        return self

    def _member(self, weights: F64) -> sparse.csr_matrix:
        """Sums over the sentences of each text: (texts, sentences)."""
        owner = self._sentences.owner
        return sparse.csr_matrix((weights, (owner, np.arange(len(owner)))), shape=(len(self._whole), len(owner)))

    def _parts(self, vectors: F32, counted: Any, languages: Sequence[str]) -> tuple[F32, F32]:
        """Meaning, less what is usual in its language, and words: rows of length 1."""
        weighed = counted @ self._rarity
        words = weighed.toarray() if self._axes is None else weighed @ self._axes
        names = sorted(set(languages))
        means = np.array([self.means_.get(name, self.mean_) for name in names], dtype=np.float32)
        usual = means[np.searchsorted(names, languages)] if names else 0
        return unit(vectors - usual), unit(words)

    def _join(self, meaning: F32, words: F32, languages: Sequence[str]) -> F32:
        (words,) = self._bridge.taken_across(meaning, languages, [words])
        # rounded, so that the last digits, and so the topics, are the same from process to process
        joined = np.hstack([sqrt(1 - WORDS_SHARE) * meaning, sqrt(WORDS_SHARE) * words])
        return unit(np.round(joined, 5).astype(np.float32))


def principal_axes(rows: sparse.csr_matrix, count: int, begin: F32 | None = None) -> tuple[F32, F32]:
    """The right singular vectors of ``rows`` with the largest values: float32 (columns, at most ``count``).

    Computed by a randomised range finder (Halko, Martinsson and Tropp 2011) over the rows, which are far fewer. Its
    orthonormal basis (rows, …) is returned too: a good start (``begin``) for rows that differ a little.
    """
    across = rows.T.tocsr()
    basis = begin
    if basis is None:
        basis = np.random.default_rng(0).standard_normal((rows.shape[0], count + OVERSAMPLED), dtype=np.float32)
    for _ in range(SVD_ITER if begin is None else 1):
        basis = np.linalg.qr(rows @ (across @ basis))[0]
    projected = across @ basis
    values, turn = np.linalg.eigh((projected.T @ projected).astype(np.float64))
    some = np.flatnonzero(values > NOTHING * values[-1])[::-1][:count]
    return np.asarray(projected @ (turn[:, some] / np.sqrt(values[some])), dtype=np.float32), basis


def _rare_terms(parts: Sequence[str], owner: Ints, n: int) -> tuple[Terms, Any, Any]:
    """The terms in at least two of ``n`` texts and at most a tenth of them: a counter, its counts, their rarity."""
    counter = Terms(WORD, STOP_WORDS, _stems)
    counts = counter.fit_transform(parts)
    member = sparse.csr_matrix(
        (np.ones(len(parts), dtype=np.float32), (owner, np.arange(len(parts)))), shape=(n, len(parts))
    )
    within = np.bincount((member @ counts).indices, minlength=counts.shape[1])
    rare = np.flatnonzero((within >= 2) & (within <= max(2, 0.1 * n)))
    counter.keep(rare)
    rarity = (np.log((1 + n) / (1 + within[rare])) + 1).astype(np.float32)
    return counter, counts[:, rare].astype(np.float32), sparse.diags(rarity).tocsr()


def _stems(words: list[str]) -> list[str]:
    return list(_STEMMER.stemWords(words))


_STEMMER = Stemmer.Stemmer("english")
