"""The space that topics are found in: meaning, words and nearness to articles side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lacuna.models.arrays import F32
from lacuna.models.text.vectors import LanguageMeans, unit
from lacuna.models.text.word_vectors import WordSpace
from lacuna.models.topics.language_bridge import LanguageBridge

__all__ = ["ARTICLES", "MEANING", "WORDS", "QuestionSpace"]

# Shares of meaning, words and nearness to articles in the similarity of two questions.
MEANING, WORDS, ARTICLES = 0.45, 0.2, 0.35


class QuestionSpace:
    """Learnt from a bounded number of questions; any others can be put into it, a block at a time.

    The mean vector of each language is taken out, since for a language that a model was hardly trained on, vectors say
    little but which language it is. Words add what the model misses. Words and articles keep languages apart: where
    the model understands several, those of the main language speak for the others (:class:`LanguageBridge`).

    Parameters
    ----------
    means, words, bridge
        The parts of the space that are learnt.
    """

    def __init__(self, means: LanguageMeans, words: WordSpace, bridge: LanguageBridge) -> None:
        self._means, self._words, self._bridge = means, words, bridge

    @classmethod
    def learn(
        cls, texts: Sequence[str], languages: Sequence[str], vectors: F32, near: F32
    ) -> tuple[QuestionSpace, F32]:
        """A space, and the places in it of the questions that it is learnt from: float32 (n, dims), rows of length 1.

        Parameters
        ----------
        texts, languages
            The questions to learn from, and the code of each one's language.
        vectors
            float32 (n, dim), from the embedder.
        near
            float32 (n, articles), how near articles come (:func:`models.retrieval.article_match.profile`).
        """
        means = LanguageMeans.of(vectors, languages)
        words, word_vectors = WordSpace.learn(texts, languages)
        meaning = unit(means.taken_out(vectors, languages))
        space = cls(means, words, LanguageBridge.learn(meaning, languages, [word_vectors, near]))
        return space, space._joined(meaning, languages, word_vectors, near)

    def place(self, texts: Sequence[str], languages: Sequence[str], vectors: F32, near: F32) -> F32:
        """The places of other questions, from the same as :meth:`learn`: float32 (n, dims), rows of length 1."""
        meaning = unit(self._means.taken_out(vectors, languages))
        return self._joined(meaning, languages, self._words.place(texts, languages), near)

    def _joined(self, meaning: F32, languages: Sequence[str], words: F32, near: F32) -> F32:
        words, near = self._bridge.taken_across(meaning, languages, [words, near])
        return unit(np.hstack([np.sqrt(MEANING) * meaning, np.sqrt(WORDS) * words, np.sqrt(ARTICLES) * near]))

    def arrays(self) -> dict[str, NDArray[Any]]:
        """The space as arrays, from which :meth:`of_arrays` makes the same again."""
        return self._means.arrays() | self._words.arrays() | self._bridge.arrays()

    @classmethod
    def of_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> QuestionSpace:
        """From :meth:`arrays`."""
        return cls(LanguageMeans.of_arrays(arrays), WordSpace.of_arrays(arrays), LanguageBridge.of_arrays(arrays))
