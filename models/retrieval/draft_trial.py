"""A draft tried before it is published: which questions it wins, which stay missed, and which it takes from others."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd

from lacuna.models.arrays import F32, Flags
from lacuna.models.retrieval.article_index import ArticleIndex
from lacuna.models.retrieval.article_match import Usual, match_score, passages, standard_scores
from lacuna.models.text.lexicon import STOP_WORDS
from lacuna.models.text.salience import Salience, counted
from lacuna.models.text.words import SHOWN_WORD, stems

__all__ = ["ROLES", "Missed", "Stolen", "Trial", "Usually", "article_scores", "try_article", "words_that_lack"]

ROLES = ("own", "neighbour", "healthy")
MOST_WORDS = 8  # that a draft is told to lack
LEAST_SHARE = 0.1  # of the missed questions that have a word, but two of them at least where there are more than one

Usually = tuple[int, dict[str, Usual]]  # the arguments `drawn` and `usual` of `standard_scores`, the latter by way


@dataclass(frozen=True)
class Missed:
    """A question of the gap for which another article is the best match, and by how much in standard scores."""

    conversation_id: str
    question: str
    best_article_id: str
    margin: float
    words: list[str]


@dataclass(frozen=True)
class Stolen:
    """A question that an article answered well, and for which the draft would become the best match."""

    conversation_id: str
    question: str
    article_id: str
    margin: float


@dataclass(frozen=True)
class Trial:
    """What becomes of a gap's golden queries with its draft among the articles.

    Attributes
    ----------
    own, neighbours, healthy
        How many failed questions of the gap, failed ones near it, and questions that are answered well were asked.
    won_before
        Of the gap's own, those that the article won as it is today; 0 where it is missing.
    won, neighbours_won
        Those for which the draft is the best match.
    missed
        The gap's own that it does not win, the nearest to being won first.
    lacking
        Words of those that the draft lacks, the most telling first.
    won_with_words
        Of the gap's own, those that it would win with these words in its text; null where that was not tried.
    stolen
        The healthy ones that it would take from the articles that answer them, the surest first.
    """

    own: int
    won_before: int
    won: int
    neighbours: int
    neighbours_won: int
    healthy: int
    missed: list[Missed]
    lacking: list[str]
    stolen: list[Stolen]
    won_with_words: int | None = None

    @property
    def share_won(self) -> float | None:
        """Of the gap's own questions, those for which the draft is the best match; None where there are none."""
        return self.won / self.own if self.own else None

    def as_dict(self) -> dict[str, Any]:
        """The trial as plain values."""
        return asdict(self)


def article_scores(
    articles: pd.DataFrame, questions: Sequence[str], languages: Sequence[str], vectors: F32,
    embed: Callable[[list[str]], F32], usually: Usually = (0, {}),
) -> F32:  # fmt: skip
    """How well each article matches each question, as a run matches them: float32 (questions, articles).

    Parameters
    ----------
    articles
        article_id, title, body.
    questions, languages
        Texts, and the code of each one's language.
    vectors
        float32 (questions, dim), theirs.
    embed
        Texts to vectors of length 1.
    usually
        What the run drew scores towards (:func:`models.retrieval.article_match.standard_scores`).
    """
    if not len(articles) or not len(questions):
        return np.zeros((len(questions), len(articles)), dtype=np.float32)
    cut = passages(articles)
    index = ArticleIndex(articles, cut, embed(list(cut["passage"])))
    drawn, usual = usually
    meaning = standard_scores(index.meaning(vectors), drawn, usual.get("meaning"))
    return match_score(meaning, standard_scores(index.words(questions, languages), drawn, usual.get("words")))


def try_article(
    questions: pd.DataFrame, before: F32, ids_before: Sequence[str], after: F32, ids_after: Sequence[str],
    draft: Sequence[str], text: str,
) -> Trial:  # fmt: skip
    """Compare the best matches without and with a draft.

    Parameters
    ----------
    questions
        conversation_id, question, role (one of :data:`ROLES`), article_id (of healthy ones: that answered it).
    before, after
        float32 (questions, articles), from :func:`article_scores`: without the draft, and with it.
    ids_before, ids_after
        The articles of the columns.
    draft
        The ids under which the draft is among ``ids_after``: several where it is in several languages.
    text
        The draft's whole text.

    Notes
    -----
    A healthy question counts where the article that answered it is its best match without the draft: what retrieval
    misses already, a draft can't steal.
    """
    best_before, best_after = (_best(scores, ids) for scores, ids in ((before, ids_before), (after, ids_after)))
    is_draft = np.isin(np.asarray(ids_after, dtype=object), list(draft))
    margin = _margin(after, is_draft)
    won, had = (np.isin(best, list(draft)) for best in (best_after, best_before))
    roles, answered_by = (questions[name].to_numpy(dtype=object) for name in ("role", "article_id"))
    own, near = roles == "own", roles == "neighbour"
    served = (roles == "healthy") & (best_before == answered_by) & ~had
    lost = [i for i in np.argsort(-margin, kind="stable").tolist() if own[i] and not won[i]]
    texts = questions["question"].astype(str).tolist()
    lacking = words_that_lack([texts[i] for i in lost], texts, text)
    ids = questions["conversation_id"].astype(str).tolist()
    taken = [i for i in np.argsort(-margin, kind="stable").tolist() if served[i] and won[i]]
    return Trial(
        own=int(own.sum()), won_before=int((own & had).sum()), won=int((own & won).sum()),
        neighbours=int(near.sum()), neighbours_won=int((near & won).sum()), healthy=int(served.sum()),
        missed=[
            Missed(ids[i], texts[i], str(best_after[i]), round(-float(margin[i]), 3), _held(texts[i], lacking))
            for i in lost
        ],
        lacking=lacking,
        stolen=[Stolen(ids[i], texts[i], str(best_before[i]), round(float(margin[i]), 3)) for i in taken],
    )  # fmt: skip


def words_that_lack(missed: Sequence[str], everything: Sequence[str], draft: str) -> list[str]:
    """The words that set the missed questions apart from all others and that the draft lacks, the most telling first.

    Examples
    --------
    >>> asked = ["customs fee on my parcel", "a customs fee?", *["the tent leaks", "my pole broke"] * 9]
    >>> words_that_lack(asked[:2], asked, "Why you pay a fee")
    ['customs']
    """
    salience = Salience.of(missed, counted(everything), len(everything))
    held, there = counted(missed), stems(draft)
    least = min(len(missed), max(2, LEAST_SHARE * len(missed)))
    worth = {
        stem: weight * held[stem]
        for stem, weight in salience.weight.items()
        if stem not in there and held[stem] >= least
    }
    forms: dict[str, Counter[str]] = {}
    for question in missed:
        for word in SHOWN_WORD.findall(question.casefold()):
            if word not in STOP_WORDS:
                for stem in stems(word) & worth.keys():
                    forms.setdefault(stem, Counter())[word] += 1
    chosen = sorted(forms, key=lambda stem: (-worth[stem], stem))[:MOST_WORDS]
    return [min(forms[stem], key=lambda word: (-forms[stem][word], word)) for stem in chosen]


def _held(question: str, words: Sequence[str]) -> list[str]:
    own = stems(question)
    return [word for word in words if stems(word) & own]


def _best(scores: F32, ids: Sequence[str]) -> np.ndarray[Any, np.dtype[np.object_]]:
    """The article that each question matches best; an empty name where there is no article."""
    if not scores.shape[1]:
        return np.full(len(scores), "", dtype=object)
    return np.asarray(ids, dtype=object)[scores.argmax(axis=1)]


def _margin(scores: F32, is_draft: Flags) -> F32:
    """By how much the draft's score is above that of the best other article, float32 (questions,)."""
    nothing = np.full(len(scores), 0.0, dtype=np.float32)
    of_draft = scores[:, is_draft].max(axis=1) if is_draft.any() else nothing
    of_others = scores[:, ~is_draft].max(axis=1) if (~is_draft).any() else nothing
    return np.asarray(of_draft - of_others, dtype=np.float32)
