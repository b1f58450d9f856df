"""Reasons that support a verdict about an article: a release, who is affected, when it was last verified."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

import pandas as pd

from lacuna.models.diagnosis import explanations
from lacuna.models.diagnosis.evidence import Verdict
from lacuna.models.metrics.small_groups import without_small_groups
from lacuna.models.text.lexicon import STOP_WORDS
from lacuna.models.text.markup import plain
from lacuna.pipelines.steps.diagnose.context import DiagnosisContext

ABOUT = 0.5  # the least probability that a conversation is about an article for it to be counted


def supporting_reasons(context: DiagnosisContext, verdict: Verdict, change: Mapping[str, Any] | None) -> list[str]:
    """Reasons that support a verdict about an article, each a sentence with figures; none for a missing article.

    Parameters
    ----------
    change
        Of an article that went stale: the days ``low``, ``week`` and ``high`` on which its answers became worse.
    """
    number = context.number(verdict.article_id or "")
    if number is None:
        return []
    sentences: list[str | None] = []
    if change:
        sentences += _since(context, number, change)
    if verdict.kind in ("stale", "incomplete"):
        sentences.append(explanations.group_reason(_conversations_about(context, number)))
    return [reason for reason in sentences if reason]


def _text(context: DiagnosisContext, number: int) -> str:
    article = context.articles.iloc[number]
    return f"{article['title']} {plain(str(article['body']))}"


def _conversations_about(context: DiagnosisContext, number: int) -> pd.DataFrame:
    """The conversations of the window that the bot answered from the article and that were about it.

    What too few customers of these share, such as a region, is left out.
    """
    about = (context.cited == number) & (context.weight > ABOUT) & context.facts["in_window"].to_numpy(dtype=bool)
    return without_small_groups(context.facts[about], list(explanations.GROUPS), context.min_customers)


def _since(context: DiagnosisContext, number: int, change: Mapping[str, Any]) -> list[str | None]:
    article = context.articles.iloc[number]
    low, at, high = (date.fromisoformat(change[name]) for name in ("low", "week", "high"))
    product = article["product"] if isinstance(article["product"], str) else None
    checked = context.checked.get(article["article_id"])
    return [
        f"with 95% confidence, the change came between {low} and {high}",
        explanations.release_reason(context.releases, low, high, product, _text(context, number), STOP_WORDS),
        explanations.checked_reason(None if pd.isna(checked) else pd.Timestamp(checked).date(), at),
    ]
