"""How conversations match articles, as a diagnosis needs it: figures of every citation, scores of what failed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from lacuna.models.arrays import F32, F64, Flags, Ints
from lacuna.models.diagnosis import citation_mixture, citations, findability
from lacuna.models.diagnosis.agreement import Standing
from lacuna.models.diagnosis.findability import CitationChoice
from lacuna.models.retrieval.candidates import Candidates, Scores, pieces_of, rows_of
from lacuna.models.text.vectors import LanguageMeans
from lacuna.pipelines.runtime.job import Job
from lacuna.pipelines.steps.understand.matching import read_candidates, read_vectors

__all__ = ["Matches", "read_matches"]

BLOCK = 1024  # questions that are compared at once with those that were answered well
SHOWN = ("score", "meaning", "agents")  # the ways of matching by which evidence is given
RETRIEVED_BY = ("meaning", "words", "passage_words")  # what the bot's choice of an article is explained by


@dataclass(frozen=True)
class Matches:
    """How conversations match articles.

    Attributes
    ----------
    weight, off_topic
        float (n,), how likely each conversation is about the article cited in it; and the share of answers that fail
        where it is about another (:func:`models.diagnosis.citations.citation_weights`).
    sure, stray
        The same after the bot's habits are told apart (:mod:`models.diagnosis.citation_mixture`).
    near_enough
        The nearness from which on agents' answers come from an article.
    failed
        The scores of the conversations that failed.
    """

    weight: F64
    off_topic: float
    sure: F64
    stray: float
    near_enough: float
    failed: FailedScores


@dataclass(frozen=True)
class FailedScores:
    """How the conversations that failed match articles; what they need of all others is taken out already.

    Attributes
    ----------
    place
        int (n,), the row of each conversation in the arrays below; -1 for one that did not fail.
    has_answer
        bool (failed,), whether an agent answered.
    meanings
        float32 (failed, dim), the questions' vectors less the mean of their language.
    score, meaning, agents
        As in understand/match.
    choice
        The chance that the bot cites each article when its answer fails.
    usual_question, usual_answer
        What questions and agents' answers are measured against.
    """

    place: Ints
    has_answer: Flags
    meanings: F32
    score: Scores
    meaning: Scores
    agents: Scores
    choice: Scores
    usual_question: Standing
    usual_answer: Standing

    @property
    def answers(self) -> Scores:
        """How near agents' answers come to each article, less what is usual."""
        return self.agents.less(self.usual_answer.mean)

    def question_standing(self, place: Ints) -> Scores:
        """Some questions against all questions (:class:`models.diagnosis.agreement.Standing`)."""
        return self.usual_question.measure(self.score.take(place))

    def answer_standing(self, place: Ints) -> Scores:
        """The answers to some questions against all answers."""
        return self.usual_answer.measure(self.agents.take(place))


def read_matches(job: Job, facts: pd.DataFrame, articles: int, cited: Ints, failed_rows: Ints) -> Matches:
    """Read understand/match and understand/vectors, in several passes, each a block after the other.

    Parameters
    ----------
    facts
        One row a question, in the order of understand/questions: conversation_id, p_failed, language, key.
    articles
        Number of live articles.
    cited
        int (n,), number of the article cited first, -1 for none.
    failed_rows
        The conversations whose scores are wanted, ascending.
    """
    failed = facts["p_failed"].to_numpy(dtype=float)

    def blocks() -> Iterator[Candidates]:
        return read_candidates(job, articles)

    features = _citation_features(job, facts, articles, cited)
    weight, off_topic = citations.citation_weights(cited, 1 - failed, features, facts["conversation_id"])
    sure, stray = citation_mixture.on_topic(blocks, (*RETRIEVED_BY, "plain_words"), cited, failed, weight, off_topic)
    usual_answer, usual_question = (Standing.of(blocks(), way, articles) for way in ("agents", "score"))
    near, answered = _nearness_of_answers(blocks(), cited, usual_answer)
    tempting = CitationChoice.learn(blocks, RETRIEVED_BY, cited, findability.went_wrong(cited, failed))
    shown, chances = list[Candidates](), list[Scores]()
    for piece in pieces_of(blocks(), failed_rows):
        shown.append(piece.of_ways(SHOWN))
        chances.append(tempting.chances(piece))
    some = Candidates.joined(shown)
    value, rest = (np.concatenate([getattr(each, name) for each in chances]) for name in ("value", "rest"))
    score, meaning, agents = (some.scores(way) for way in SHOWN)
    place = np.full(len(facts), -1, dtype=np.int64)
    place[failed_rows] = np.arange(len(failed_rows))
    return Matches(
        weight, off_topic, sure, stray, findability.near_enough(near, weight[answered]),
        FailedScores(
            place, some.has_text("agents"), _meanings(job, facts, failed_rows), score, meaning, agents,
            replace(score, value=value, rest=rest), usual_question, usual_answer,
        ),
    )  # fmt: skip


def _citation_features(job: Job, facts: pd.DataFrame, articles: int, cited: Ints) -> pd.DataFrame:
    """A row for each conversation with a citation (:func:`models.diagnosis.citations.citation_features`)."""
    success = 1 - facts["p_failed"].to_numpy(dtype=float)
    of_citations = np.flatnonzero(cited >= 0)
    by_text = [
        citations.citation_features(block.take(own), ("meaning", "words"), cited[own + start])
        for start, block, own in _with_citation(read_candidates(job, articles, ("meaning", "words")), cited)
    ]
    example_rows = citations.examples_of(cited, success, list(facts["key"]))
    by_row = np.sort(example_rows)
    examples = np.concatenate(rows_of(read_vectors(job), by_row))[np.searchsorted(by_row, example_rows)]
    by_example = []
    for rows, vectors in _vectors_of(job, of_citations):
        near = citations.answered_before(vectors, rows, examples, example_rows, cited[example_rows], articles)
        by_example.append(citations.citation_features(Candidates.whole({"before": near}), ("before",), cited[rows]))
    if not len(of_citations):
        return pd.DataFrame()
    return pd.concat([pd.concat(part, ignore_index=True) for part in (by_text, by_example)], axis=1)


def _with_citation(blocks: Iterator[Candidates], cited: Ints) -> Iterator[tuple[int, Candidates, Ints]]:
    """Each block, the row that it starts at, and those of its rows that have a citation."""
    start = 0
    for block in blocks:
        yield start, block, np.flatnonzero(cited[start : start + len(block)] >= 0)
        start += len(block)


def _vectors_of(job: Job, rows: Ints) -> Iterator[tuple[Ints, F32]]:
    """The vectors of some questions, a bounded block after the other, with their row numbers."""
    start = 0
    for part in read_vectors(job):
        own = rows[(rows >= start) & (rows < start + len(part))]
        for first in range(0, len(own), BLOCK):
            block = own[first : first + BLOCK]
            yield block, part[block - start]
        start += len(part)


def _nearness_of_answers(blocks: Iterator[Candidates], cited: Ints, usual: Standing) -> tuple[F32, Ints]:
    """How near agents' answers come to the article that the bot had cited, less what is usual, and of which rows."""
    near, rows = [], []
    for start, block, own in _with_citation(blocks, cited):
        answered = own[block.has_text("agents")[own]]
        near.append(block.take(answered).scores("agents").less(usual.mean).at(cited[answered + start]))
        rows.append(answered + start)
    return np.concatenate(near), np.concatenate(rows)


def _meanings(job: Job, facts: pd.DataFrame, rows: Ints) -> F32:
    """Vectors less the mean of their language over all questions."""
    languages = [str(code) for code in facts["language"].fillna("").str[:2]]
    means = LanguageMeans.of_parts(read_vectors(job), languages)
    out, start = np.zeros((0, 0), dtype=np.float32), 0
    for piece in pieces_of(read_vectors(job), rows):  # one after the other: together they would be there three times
        if not len(piece):
            continue
        if not start:
            out = np.empty((len(rows), piece.shape[1]), dtype=np.float32)
        end = start + len(piece)
        out[start:end] = means.taken_out(piece, [languages[row] for row in rows[start:end].tolist()])
        start = end
    return out
