"""What stands beside a gap's verdict, looked up in the world: the release, the people, the last look."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

import pandas as pd

from lacuna.models.diagnosis import explanations
from lacuna.models.diagnosis.evidence import Verdict
from lacuna.models.text.lexicon import STOP_WORDS
from lacuna.models.text.markup import plain
from lacuna.pipelines.steps.diagnose.context import World

ABOUT = 0.5  # how surely a conversation must be about an article to speak of it


def beside(world: World, verdict: Verdict, change: Mapping[str, Any] | None) -> list[str]:
    """Further reasons of a verdict about an article, each a sentence with its figures; none for a missing one.

    Parameters
    ----------
    change
        The days ``low``, ``week`` and ``high`` of the article's change for the worse, where it went stale.
    """
    number = world.number(verdict.article_id or "")
    if number is None:
        return []
    found: list[str | None] = []
    if change:
        found += _since(world, number, change)
    if verdict.kind in ("stale", "incomplete"):
        found.append(explanations.group_reason(_about(world, number)))
    return [reason for reason in found if reason]


def _text(world: World, number: int) -> str:
    article = world.articles.iloc[number]
    return f"{article['title']} {plain(str(article['body']))}"


def _about(world: World, number: int) -> pd.DataFrame:
    """The window's conversations that the bot answered from the article, and that were about it."""
    here = (world.cited == number) & (world.weight > ABOUT) & world.facts["in_window"].to_numpy(dtype=bool)
    return world.facts[here]


def _since(world: World, number: int, change: Mapping[str, Any]) -> list[str | None]:
    article = world.articles.iloc[number]
    low, at, high = (date.fromisoformat(change[name]) for name in ("low", "week", "high"))
    product = article["product"] if isinstance(article["product"], str) else None
    checked = world.checked.get(article["article_id"])
    return [
        f"the change lies between {low} and {high}, with 95% of the likelihood",
        explanations.release_reason(world.releases, low, high, product, _text(world, number), STOP_WORDS),
        explanations.checked_reason(None if pd.isna(checked) else pd.Timestamp(checked).date(), at),
    ]
