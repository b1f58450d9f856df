"""What stands beside a gap's verdict, looked up in the world: the release, the people, the last look."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from models import reasons
from models.changes import Change
from models.labels import STOP_WORDS
from models.retrieval import plain
from models.signs import Verdict
from pipelines.world import World, day_of

ABOUT = 0.5  # how surely a conversation must be about an article to speak of it


def beside(world: World, verdict: Verdict, changed: tuple[Change, NDArray[np.int64]] | None) -> list[str]:
    """Further reasons of a verdict about an article, each a sentence with its figures; none for a missing one.

    Parameters
    ----------
    changed
        The article's change for the worse and its conversations, where it went stale.
    """
    number = world.number(verdict.article_id or "")
    if number is None:
        return []
    found: list[str | None] = []
    if changed:
        found += _since(world, number, *changed)
    if verdict.kind in ("stale", "incomplete"):
        found.append(reasons.group_reason(_about(world, number)))
    return [reason for reason in found if reason]


def _text(world: World, number: int) -> str:
    article = world.articles.iloc[number]
    return f"{article['title']} {plain(str(article['body']))}"


def _about(world: World, number: int) -> pd.DataFrame:
    """The window's conversations that the bot answered from the article, and that were about it."""
    here = (world.cited == number) & (world.weight > ABOUT) & world.facts["in_window"].to_numpy(dtype=bool)
    return world.facts[here]


def _since(world: World, number: int, change: Change, rows: NDArray[np.int64]) -> list[str | None]:
    low, at, high = (day_of(world, rows[min(i, len(rows) - 1)]) for i in (change.low, change.at, change.high))
    article = world.articles.iloc[number]
    days = [pd.Timestamp(day).date() for day in (low, at, high)]
    product = article["product"] if isinstance(article["product"], str) else None
    checked = world.checked.get(article["article_id"])
    return [
        f"the change lies between {low} and {high}, with 95% of the likelihood",
        reasons.release_reason(world.releases, days[0], days[2], product, _text(world, number), STOP_WORDS),
        reasons.checked_reason(None if pd.isna(checked) else pd.Timestamp(checked).date(), days[1]),
    ]
