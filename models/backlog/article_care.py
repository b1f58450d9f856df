"""Articles that need attention: those due for verification, and published ones without an owner.

An article is due by the time since its last check alone, which does not make it stale. It is unowned if it has no
owner, or one who has left or is not in the table of owners.
"""

from __future__ import annotations

import pandas as pd

from lacuna.models.backlog.owners import approved, inactive

DUE_COLUMNS = ["article_id", "title", "owner_id", "checked_at", "days", "cited", "failed"]
UNOWNED_COLUMNS = ["article_id", "title", "why", "owner_id", "revised_by", "cited", "failure_rate"]


def last_checked(articles: pd.DataFrame, revisions: pd.DataFrame) -> pd.Series:
    """When somebody last verified or changed each article (UTC, NaT where that is not known), by article_id.

    Parameters
    ----------
    articles : DataFrame
        article_id, updated_at, verified_at.
    revisions : DataFrame
        article_id, revised_at, approved (bool or null); revisions that were not approved don't count.
    """
    distinct = articles.drop_duplicates("article_id").set_index("article_id")
    revised = approved(revisions).groupby("article_id")["revised_at"].max().reindex(distinct.index)
    return pd.concat([distinct["verified_at"], distinct["updated_at"], revised], axis=1).max(axis=1)


def use_of(article_ids: pd.Series, cited: pd.DataFrame) -> tuple[pd.Series, pd.Series]:
    """How many conversations the bot answered from each article, and how many of them failed (chances, added up).

    ``cited`` has cited_first (str or null) and p_failed (float), one row a conversation.
    """
    use = cited.groupby("cited_first")["p_failed"].agg(["size", "sum"])
    size, failed = article_ids.map(use["size"]), article_ids.map(use["sum"])
    return size.fillna(0).astype(int), failed.fillna(0.0).astype(float)


def due_for_verification(
    articles: pd.DataFrame, checked: pd.Series, cited: pd.DataFrame, today: pd.Timestamp, after_days: int
) -> pd.DataFrame:
    """Articles that nobody has verified or changed for more than ``after_days`` days, the most cited first.

    Parameters
    ----------
    articles : DataFrame
        article_id, title, owner_id: those that are published.
    checked : Series
        See :func:`last_checked`.
    cited : DataFrame
        cited_first (str or null), p_failed (float): the window's conversations.
    today
        UTC.

    Returns
    -------
    DataFrame
        article_id, title, owner_id, checked_at (null where not known), days since (Int64), cited (conversations that
        the bot answered from it in the window), failed (chances of failure, added up).
    """
    rows = articles.drop_duplicates("article_id")[["article_id", "title", "owner_id"]].copy()
    rows["checked_at"] = checked.reindex(rows["article_id"]).array
    rows["days"] = (today - rows["checked_at"]).dt.days.astype("Int64")
    rows["cited"], rows["failed"] = use_of(rows["article_id"], cited)
    return _most_cited_first(rows[rows["days"].isna() | (rows["days"] > after_days)])[DUE_COLUMNS]


def unowned_articles(
    articles: pd.DataFrame, owners: pd.DataFrame, revisions: pd.DataFrame, cited: pd.DataFrame
) -> pd.DataFrame:
    """Published articles without an owner, the most cited first.

    Parameters
    ----------
    articles : DataFrame
        article_id, title, owner_id: those that are published.
    owners : DataFrame
        owner_id, active. Where it is empty, no owner counts as unknown.
    revisions : DataFrame
        article_id, revised_at, author_id, approved (bool or null); those that were not approved don't count.
    cited : DataFrame
        cited_first (str or null), p_failed (float): the window's conversations.

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
    return _most_cited_first(rows[rows["why"].notna()])[UNOWNED_COLUMNS]


def _most_cited_first(rows: pd.DataFrame) -> pd.DataFrame:
    return rows.sort_values(["cited", "article_id"], ascending=[False, True]).reset_index(drop=True)


def _last_authors(revisions: pd.DataFrame, owners: pd.DataFrame) -> pd.Series:
    """Who revised each article last, by article_id: of the active owners, or of all authors without any owners."""
    approved_revisions = approved(revisions)
    author = approved_revisions["author_id"]
    counts = author.isin(set(owners["owner_id"]) - inactive(owners)) if len(owners) else author.notna()
    return approved_revisions[counts].sort_values(["revised_at", "author_id"]).groupby("article_id")["author_id"].last()
