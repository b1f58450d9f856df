"""Live articles that nobody owns: without an owner, or with one who has left or whom nobody knows."""

from __future__ import annotations

import pandas as pd

from lacuna.models.backlog.owners import inactive
from lacuna.models.backlog.verification import approved, use_of

COLUMNS = ["article_id", "title", "why", "owner_id", "revised_by", "cited", "failure_rate"]


def unowned_articles(
    articles: pd.DataFrame, owners: pd.DataFrame, revisions: pd.DataFrame, cited: pd.DataFrame
) -> pd.DataFrame:
    """Articles that nobody owns, those that customers meet most first.

    Parameters
    ----------
    articles : DataFrame
        article_id, title, owner_id: those that are published.
    owners : DataFrame
        owner_id, active. Where it is empty, no owner is known, and none is called unknown.
    revisions : DataFrame
        article_id, revised_at, author_id, approved (bool or null); those that were not approved don't count.
    cited : DataFrame
        cited_first (str or null), failed (float, a chance): the window's conversations.

    Returns
    -------
    DataFrame
        article_id, title, why (``no owner``, ``owner left`` or ``unknown owner``), owner_id (the last one, null where
        there was none), revised_by (of those who may own it, who revised it last; null where none of them did), cited
        (conversations that the bot answered from it in the window), failure_rate (the share of them that failed, null
        where there is none).
    """
    rows = articles.drop_duplicates("article_id")[["article_id", "title", "owner_id"]].copy()
    rows["owner_id"] = rows["owner_id"].where(rows["owner_id"].ne(""))
    why = pd.Series(index=rows.index, dtype="str")
    if len(owners):
        why[~rows["owner_id"].isin(owners["owner_id"])] = "unknown owner"
    why[rows["owner_id"].isin(inactive(owners))] = "owner left"
    why[rows["owner_id"].isna()] = "no owner"
    rows["why"] = why
    rows["revised_by"] = rows["article_id"].map(_last_authors(revisions, owners))
    rows["cited"], failed = use_of(rows["article_id"], cited)
    rows["failure_rate"] = failed / rows["cited"].where(rows["cited"] > 0)
    found = rows[rows["why"].notna()]
    return found.sort_values(["cited", "article_id"], ascending=[False, True]).reset_index(drop=True)[COLUMNS]


def _last_authors(revisions: pd.DataFrame, owners: pd.DataFrame) -> pd.Series:
    """Who revised each article last, by article_id: of the active owners, or of all where no owner is known."""
    done = approved(revisions)
    author = done["author_id"]
    counts = author.isin(set(owners["owner_id"]) - inactive(owners)) if len(owners) else author.notna()
    return done[counts].sort_values(["revised_at", "author_id"]).groupby("article_id")["author_id"].last()
