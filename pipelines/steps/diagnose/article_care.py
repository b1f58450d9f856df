"""Articles to look after: due for verification, without an owner, and those that may have gone out of date."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np
import pandas as pd

from lacuna.models.arrays import F32
from lacuna.models.backlog.article_care import due_for_verification, unowned_articles
from lacuna.models.diagnosis.watch_list import watch_list
from lacuna.models.retrieval.article_match import passages
from lacuna.models.text.vectors import unit
from lacuna.pipelines.io.vector_cache import embed
from lacuna.pipelines.runtime.job import Job
from lacuna.pipelines.steps.diagnose.context import DiagnosisContext

__all__ = ["write_article_care"]


def write_article_care(job: Job, context: DiagnosisContext, in_gaps: Collection[object]) -> None:
    """Write diagnose/due_for_verification, diagnose/unowned_articles and diagnose/watch_list.

    ``in_gaps`` are the articles whose text a gap is about: what is proven is not watched.
    """
    cited = context.facts.loc[context.facts["in_window"], ["cited_first", "p_failed"]]
    today, settings = pd.Timestamp(job.end_ts), job.settings.verification
    due = due_for_verification(context.articles, context.checked, cited, today, settings.after_days)
    job.write("diagnose/due_for_verification", due)
    owners, revisions = job.read("load/owners"), job.read("load/article_revisions")
    job.write("diagnose/unowned_articles", unowned_articles(context.articles, owners, revisions, cited))

    def embedded(texts: Sequence[str]) -> F32:
        return embed(texts, job.embedder, job.store, "embedding passages")

    watched = watch_list(
        context.articles, context.checked, context.releases, revisions, cited, _article_vectors(job, context),
        embedded, today, settings.watch_days,
    )  # fmt: skip
    job.write("diagnose/watch_list", watched[~watched["article_id"].isin(list(in_gaps))])


def _article_vectors(job: Job, context: DiagnosisContext) -> F32:
    """The mean of each article's passages, as they were matched: float32 (articles, dim), rows of length 1."""
    cut = passages(context.articles)
    vectors = embed(list(cut["passage"]), job.embedder, job.store, "embedding articles")
    means = np.zeros((len(context.articles), vectors.shape[1]), dtype=np.float32)
    if len(cut):
        np.add.at(means, cut["article_id"].map(context.numbers).to_numpy(dtype=np.int64), vectors)
    return unit(means)
