"""Questions by their words: TF-IDF of stems, folded to a few hundred dimensions, in any language."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
import Stemmer
from numpy.typing import NDArray
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import TfidfVectorizer

from lacuna.models.retrieval.article_match import LANGUAGES, unit
from lacuna.models.text.lexicon import STOP_WORDS

DIMENSIONS = 200
_WORD = re.compile(r"[^\W\d_][\w'’-]+")


def word_vectors(texts: Sequence[str], languages: Sequence[str]) -> NDArray[np.float32]:
    """Vectors of ``texts`` by their stemmed words: float32 (n, at most 200), rows of length 1, or 0 without a word.

    Words in more than a tenth of the texts, or in one alone, say nothing about what a text has in common with others.
    """
    stemmers = {code: Stemmer.Stemmer(LANGUAGES.get(code, "english")) for code in set(languages)}
    stems = [
        " ".join(stemmers[code].stemWords([w for w in _WORD.findall(text.lower()) if w not in STOP_WORDS]))
        for text, code in zip(texts, languages, strict=True)
    ]
    try:
        counted = TfidfVectorizer(
            token_pattern=r"\S+",
            ngram_range=(1, 2),
            min_df=2,
            max_df=max(0.1, 2 / max(1, len(texts))),
            sublinear_tf=True,
        ).fit_transform(stems)
    except ValueError:  # no word is left
        return np.zeros((len(texts), 1), dtype=np.float32)
    if counted.shape[1] <= DIMENSIONS:
        return unit(counted.toarray().astype(np.float32))
    # float64 and a fixed start keep the last digits, and so the run, the same from process to process
    folded = TruncatedSVD(DIMENSIONS, algorithm="randomized", random_state=0).fit_transform(counted)
    return unit(np.round(folded, 6).astype(np.float32))
