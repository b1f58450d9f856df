"""Articles that nobody has looked at for long: due for verification, and by their age alone never called stale."""

from __future__ import annotations

import pandas as pd

COLUMNS = ["article_id", "title", "owner_id", "checked_at", "days", "cited", "failed"]


def last_checked(articles: pd.DataFrame, revisions: pd.DataFrame) -> pd.Series:
    """When somebody last verified or changed each article (UTC, NaT where that is not known), by article_id.

    Parameters
    ----------
    articles : DataFrame
        article_id, updated_at, verified_at.
    revisions : DataFrame
        article_id, revised_at, approved (bool or null); revisions that were not approved don't count.
    """
    known = articles.drop_duplicates("article_id").set_index("article_id")
    revised = approved(revisions).groupby("article_id")["revised_at"].max().reindex(known.index)
    return pd.concat([known["verified_at"], known["updated_at"], revised], axis=1).max(axis=1)


def approved(revisions: pd.DataFrame) -> pd.DataFrame:
    """The revisions that were not refused: one of which nobody says so counts (approved, bool or null)."""
    return revisions[revisions["approved"].ne(False).fillna(True).astype(bool)]


def use_of(article_ids: pd.Series, cited: pd.DataFrame) -> tuple[pd.Series, pd.Series]:
    """How many conversations the bot answered from each article, and how many of them failed (chances, added up).

    ``cited`` has cited_first (str or null) and failed (float, a chance), one row a conversation.
    """
    use = cited.groupby("cited_first")["failed"].agg(["size", "sum"])
    size, failed = article_ids.map(use["size"]), article_ids.map(use["sum"])
    return size.fillna(0).astype(int), failed.fillna(0.0).astype(float)


def due_for_verification(
    articles: pd.DataFrame, checked: pd.Series, cited: pd.DataFrame, today: pd.Timestamp, after_days: int
) -> pd.DataFrame:
    """Articles that nobody has verified or changed for more than ``after_days``, those that customers meet most first.

    Parameters
    ----------
    articles : DataFrame
        article_id, title, owner_id: those that are published.
    checked : Series
        See :func:`last_checked`.
    cited : DataFrame
        cited_first (str or null), failed (float, a chance): the window's conversations.
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
    late = rows[rows["days"].isna() | (rows["days"] > after_days)]
    return late.sort_values(["cited", "article_id"], ascending=[False, True]).reset_index(drop=True)[COLUMNS]
