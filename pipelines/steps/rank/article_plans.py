"""Plans of the articles that gaps need: one for each language with enough evidence."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from lacuna.models.backlog.gap_records import PlannedSentence
from lacuna.models.text.salience import Salience
from lacuna.models.writing.article_plan import plan_article
from lacuna.models.writing.claims import Claims, collect_claims
from lacuna.pipelines.io.vector_cache import embed
from lacuna.pipelines.runtime.job import Job
from lacuna.pipelines.steps.rank.gap_corpus import Corpus

__all__ = ["plan_articles"]

FEWEST = 2  # sentences of a draft in another language than most of the gap's conversations


def plan_articles(job: Job, gaps: Sequence[Mapping[str, Any]], corpus: Corpus) -> dict[str, list[PlannedSentence]]:
    """The plan of each gap's article, by gap_id: the language of most conversations first.

    All sentences are embedded at once; a sentence that was embedded before is read from the cache.
    """
    claims = {str(gap["gap_id"]): _claims(gap, corpus) for gap in gaps}
    texts = sorted({text for of_gap in claims.values() for one, _ in of_gap for text in one.texts})
    vectors = embed(texts, job.embedder, job.store, "embedding agents' sentences")
    row_of = {text: row for row, text in enumerate(texts)}
    plans: dict[str, list[PlannedSentence]] = {}
    for gap_id, of_gap in claims.items():
        plans[gap_id] = []
        for number, (one, salience) in enumerate(of_gap):
            rows = np.array([row_of[text] for text in one.texts], dtype=np.int64)
            plan = plan_article(one, vectors[rows], salience)
            if number == 0 or sum(row["part"] not in ("title", "open") for row in plan) >= FEWEST:
                plans[gap_id] += plan
    return plans


def _claims(gap: Mapping[str, Any], corpus: Corpus) -> list[tuple[Claims, Salience]]:
    """What agents said alike in each language of a gap, and what the questions in that language are about."""
    ids = sorted(str(i) for i in gap["conversation_ids"])
    known = Counter(corpus.languages[i] for i in ids if i in corpus.languages)
    languages = sorted(known, key=lambda language: (-known[language], language)) or [""]
    of_gap = []
    for language in languages:
        own = [i for i in ids if corpus.languages.get(i, languages[0]) == language]
        replied = [i for i in own if i in corpus.replies]
        good = [i for i in replied if i not in corpus.ended_badly]
        questions = {i: corpus.questions[i] for i in own if i in corpus.questions}
        told = Salience.of(["\n".join(corpus.replies[i]) for i in good], corpus.reply_counts, corpus.n_replies)
        asked = Salience.of(list(questions.values()), corpus.question_counts, corpus.n_questions)
        claims = collect_claims(
            language,
            [(i, text) for i in good for text in corpus.replies[i]],
            [(i, text) for i in replied if i in corpus.ended_badly for text in corpus.replies[i]],
            questions,
            corpus.ended_well,
            told,
        )
        of_gap.append((claims, asked))
    return of_gap
