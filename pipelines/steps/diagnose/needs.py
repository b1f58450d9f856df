"""What customers ask and agents answer in groups of failed conversations, to compare the groups by."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from lacuna.models.arrays import F32, Flags, Ints
from lacuna.models.diagnosis.same_need import Likeness, Need, likeness
from lacuna.models.text.vectors import LanguageMeans
from lacuna.pipelines.embedders.choice import across_languages
from lacuna.pipelines.io.vector_cache import embed
from lacuna.pipelines.runtime.job import Job
from lacuna.pipelines.steps.diagnose.context import DiagnosisContext, evenly, joined_rows
from lacuna.pipelines.steps.understand.matching import MIN_REPLY_WORDS, agent_replies, language_codes

__all__ = ["Needs"]

MOST = 60  # conversations of a group that show what it wants
ENOUGH = 4  # conversations in one language that a group of several languages is compared by
SAMPLE = 4_000  # questions that show what is usual in a language


@dataclass(frozen=True)
class _Space:
    """Vectors of some conversations, less the mean of each language; rows of :attr:`Needs.place`."""

    questions: F32
    answers: F32


class Needs:
    """Compares groups of failed conversations, by their row numbers in the diagnosis.

    Groups of one language are compared by the embedder that everything is judged by, groups of two by one that
    understands both; where the run has none, they have nothing in common.
    """

    def __init__(self, context: DiagnosisContext, rows: Ints, has_answer: Flags, same: _Space, across: _Space | None):
        self._languages = np.array(language_codes(context.facts["language"], ""), dtype=object)
        self._place = np.full(len(context.facts), -1, dtype=np.int64)
        self._place[rows] = np.arange(len(rows))
        self._has_answer, self._same, self._across = has_answer, same, across

    @classmethod
    def of(cls, job: Job, context: DiagnosisContext, groups: Iterable[Ints]) -> Needs:
        """For these groups, and whatever is made of them."""
        rows = joined_rows(evenly(group, MOST) for group in groups)
        ids = context.facts["conversation_id"].iloc[rows]
        messages = job.read_rows("redact/messages", ids, ["conversation_id", "position", "role", "text"])
        answers = agent_replies(messages, ids)
        has_answer = np.array([len(text.split()) >= MIN_REPLY_WORDS for text in answers], dtype=bool)
        answered = [text for text, has in zip(answers, has_answer, strict=True) if has]
        languages = language_codes(context.facts["language"].iloc[rows], "")
        of_answers = [code for code, has in zip(languages, has_answer, strict=True) if has]

        def space(questions: F32, name: str) -> _Space:
            vectors = embed(answered, name, job.store, "embedding agents' answers")
            filled = np.zeros((len(rows), questions.shape[1]), dtype=np.float32)
            filled[has_answer] = LanguageMeans.of(vectors, of_answers).taken_out(vectors, of_answers)
            return _Space(questions, filled)

        same = space(context.scores.meanings[context.place(rows)], job.embedder)
        name = across_languages(job.embedder, job.topic_embedder) if len(set(languages) - {""}) > 1 else None
        if name is None:
            return cls(context, rows, has_answer, same, None)
        asked = embed(context.texts_of(rows)["question"].tolist(), name, job.store, "embedding questions")
        return cls(
            context, rows, has_answer, same,
            space(_usual(job, context, name).taken_out(asked, languages), name),
        )  # fmt: skip

    def likeness(self, one: Ints, other: Ints) -> Likeness:
        """How alike two groups are; by the first one's language alone, where the other has it as well."""
        one, other = (rows[self._place[rows] >= 0] for rows in (one, other))
        language = Counter(self._languages[one]).most_common(1)[0][0]
        spoken = other[self._languages[other] == language]
        space = self._same
        if len(spoken) >= min(ENOUGH, len(other)):
            other = spoken
        elif self._across is None:
            return Likeness(0.0, None, 0)
        else:
            space = self._across
        return likeness(self._need(space, evenly(one, MOST)), self._need(space, evenly(other, MOST)))

    def _need(self, space: _Space, rows: Ints) -> Need:
        place = self._place[rows]
        return Need(space.questions[place], space.answers[place[self._has_answer[place]]])


def _usual(job: Job, context: DiagnosisContext, name: str) -> LanguageMeans:
    """The mean of each language's questions, over a bounded number of all."""
    sample = job.read("understand/sample_questions", ["conversation_id", "question"])
    sample = sample.iloc[:: max(1, -(-len(sample) // SAMPLE))]
    spoken = pd.Series(context.facts["language"].array, index=context.facts["conversation_id"].array)
    vectors = embed(sample["question"].tolist(), name, job.store, "embedding questions")
    return LanguageMeans.of(vectors, language_codes(spoken.reindex(sample["conversation_id"]), ""))
