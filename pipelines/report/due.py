"""Articles due for verification, as the report lists them."""

from __future__ import annotations

from typing import Any

import pandas as pd

from .format import count, day, line, number, percent, plural, text, whole
from .format import rows as records

SHOWN = 15


def due_articles(frame: pd.DataFrame | None, owners: pd.DataFrame | None) -> dict[str, Any]:
    """The articles that nobody has verified or changed for long, those that customers meet most first.

    Parameters
    ----------
    frame : DataFrame or None
        See :func:`models.verification.due_for_verification`.
    owners : DataFrame or None
        For the owners' names.
    """
    names = {text(row.get("owner_id")): line(row.get("name"), 80) for row in records(owners)}
    found = []
    for row in records(frame):
        cited, who, checked = whole(row.get("cited")) or 0, text(row.get("owner_id")), day(row.get("checked_at"))
        found.append(
            {
                "title": line(row.get("title"), 200) or text(row.get("article_id")),
                "id": text(row.get("article_id")),
                "owner": names.get(who) or who,
                "checked": checked.isoformat() if checked else "",
                "days": plural(whole(row.get("days")) or 0, "day") if checked else "",
                "cited": count(cited),
                "fails": percent((number(row.get("failed")) or 0.0) / cited) if cited else "",
            }
        )
    return {"rows": found[:SHOWN], "total": len(found)}
