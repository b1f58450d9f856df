"""The space that topics are found in: meaning, words and nearness to articles side by side."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from lacuna.models.arrays import F32
from lacuna.models.text.vectors import LanguageMeans, unit
from lacuna.models.text.word_vectors import WordSpace

__all__ = ["ARTICLES", "MEANING", "WORDS", "QuestionSpace"]

# Shares of meaning, words and nearness to articles in the similarity of two questions.
MEANING, WORDS, ARTICLES = 0.45, 0.2, 0.35


class QuestionSpace:
    """Learnt from a bounded number of questions; any others can be put into it, a block at a time.

    The mean vector of each language is taken out, since for a language that a model was hardly trained on, vectors say
    little but which language it is. Words add what the model misses.

    Parameters
    ----------
    texts, languages
        The questions to learn from, and the code of each one's language.
    vectors
        float32 (n, dim), from the embedder.
    near
        float32 (n, articles), how near articles come (:func:`models.retrieval.article_match.profile`).

    Attributes
    ----------
    vectors
        float32 (n, dims), the place of each of these questions, rows of length 1.
    """

    def __init__(self, texts: Sequence[str], languages: Sequence[str], vectors: F32, near: F32) -> None:
        self._means = LanguageMeans.of(vectors, languages)
        self._words = WordSpace(texts, languages)
        self.vectors = self._joined(self._means.taken_out(vectors, languages), self._words.vectors, near)

    def place(self, texts: Sequence[str], languages: Sequence[str], vectors: F32, near: F32) -> F32:
        """The places of other questions, from the same as above: float32 (n, dims), rows of length 1."""
        words = self._words.place(texts, languages)
        return self._joined(self._means.taken_out(vectors, languages), words, near)

    @staticmethod
    def _joined(meaning: F32, words: F32, near: F32) -> F32:
        return unit(np.hstack([np.sqrt(MEANING) * unit(meaning), np.sqrt(WORDS) * words, np.sqrt(ARTICLES) * near]))
