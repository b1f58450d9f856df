"""Articles to look after, as the report and the board list them: due for verification, and those that nobody owns."""

from __future__ import annotations

from typing import Any

import pandas as pd

from lacuna.pipelines.presentation.format import count, day, line, number, percent, plural, text, whole
from lacuna.pipelines.presentation.format import rows as records

SHOWN = 15
_WHY = {"no owner": "No owner", "owner left": "{} has left", "unknown owner": "{} is no known owner"}


def due_articles(frame: pd.DataFrame | None, owners: pd.DataFrame | None) -> dict[str, Any]:
    """The articles that nobody has verified or changed for long, those cited most first.

    Parameters
    ----------
    frame : DataFrame or None
        See :func:`models.backlog.article_care.due_for_verification`.
    owners : DataFrame or None
        For the owners' names.
    """
    names = _names(owners)
    articles = []
    for row in records(frame):
        owner_id, checked = text(row.get("owner_id")), day(row.get("checked_at"))
        failed, cited = number(row.get("failed")) or 0.0, whole(row.get("cited"))
        articles.append(
            _article(row, failed / cited if cited else None)
            | {
                "owner": names.get(owner_id) or owner_id,
                "checked": checked.isoformat() if checked else "",
                "days": plural(whole(row.get("days")) or 0, "day") if checked else "",
            }
        )
    return {"rows": articles[:SHOWN], "total": len(articles)}


def watched_articles(frame: pd.DataFrame | None, owners: pd.DataFrame | None) -> dict[str, Any]:
    """The articles that may be out of date, those cited most first.

    Parameters
    ----------
    frame : DataFrame or None
        See :func:`models.diagnosis.watch_list.watch_list`.
    owners : DataFrame or None
        For the owners' names.
    """
    names = _names(owners)
    articles = []
    for row in records(frame):
        owner_id, failed, cited = text(row.get("owner_id")), number(row.get("failed")) or 0.0, whole(row.get("cited"))
        articles.append(
            _article(row, failed / cited if cited else None)
            | {
                "owner": names.get(owner_id) or owner_id,
                "why": text(row.get("why"), 400),
                "passage": text(row.get("passage"), 300),
            }
        )
    return {"rows": articles[:SHOWN], "total": len(articles)}


def unowned_articles(frame: pd.DataFrame | None, owners: pd.DataFrame | None) -> dict[str, Any]:
    """The articles that nobody owns, those cited most first.

    Parameters
    ----------
    frame : DataFrame or None
        See :func:`models.backlog.article_care.unowned_articles`.
    owners : DataFrame or None
        For the owners' names.
    """
    names = _names(owners)
    articles = []
    for row in records(frame):
        last, author, why = (text(row.get(name)) for name in ("owner_id", "revised_by", "why"))
        articles.append(
            _article(row, number(row.get("failure_rate")))
            | {"why": _WHY.get(why, why).format(names.get(last) or last), "author": names.get(author) or author}
        )
    return {"rows": articles[:SHOWN], "total": len(articles)}


def _article(row: dict[str, Any], failed: float | None) -> dict[str, str]:
    """The fields that both lists share: title, id, number of citations and failure rate."""
    return {
        "title": line(row.get("title"), 200) or text(row.get("article_id")),
        "id": text(row.get("article_id")),
        "cited": count(whole(row.get("cited")) or 0),
        "fails": "" if failed is None else percent(failed),
    }


def _names(owners: pd.DataFrame | None) -> dict[str, str]:
    return {text(row.get("owner_id")): line(row.get("name"), 80) for row in records(owners)}
