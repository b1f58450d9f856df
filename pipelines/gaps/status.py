"""The status and owner of a gap as of now, by the decisions made since its run."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from lacuna.models.backlog.lifecycle import GapState, status_at_run

__all__ = ["as_decided", "as_found", "as_reclassified", "status_now"]


def status_now(row: Mapping[str, Any], life: GapState) -> tuple[str, str]:
    """The status of a gap as of now, and the reason where a run changed it.

    Parameters
    ----------
    row
        The gap as its latest run left it: status, status_note, decided (the decision behind that status), first_seen,
        last_seen, conversations, carried, effect.
    life
        The decisions up to now.
    """
    decided_at_run = int(row.get("decided") or 0)
    if decided_at_run == life.decided:
        return str(row["status"]), str(row.get("status_note") or "")
    # Whoever decided after the run has seen its result; if a decision was undone, the run's result holds again.
    decided_since = life.decided > decided_at_run
    carried = row.get("carried") or {}
    return status_at_run(
        life,
        day=str(row["last_seen"]),
        seen_before=str(row["first_seen"]) < str(row["last_seen"]),
        was=None,
        came_back=not decided_since and bool(carried.get("came_back")),
        conversations=int(row.get("conversations") or 0),
        grow_factor=math.inf,
        effect=None if decided_since else row.get("effect"),
    )


def as_decided(row: Mapping[str, Any], life: GapState, owner_name: Callable[[str], str | None]) -> dict[str, Any]:
    """Owner, due day, end of the snooze, target of the merger, title and kind; what people chose goes before the run's.

    A chosen owner who is no longer active (``owner_left``) is ignored.
    """
    owner, reason, name = row.get("owner_id"), row.get("owner_reason"), row.get("owner_name")
    if life.assigned and (life.owner_id is None or life.owner_id != row.get("owner_left")):
        owner, name = life.owner_id, owner_name(life.owner_id) if life.owner_id else None
        reason = f"chosen by {life.assigned_by}" if owner else f"left unowned by {life.assigned_by}"
    return {
        "owner_id": owner, "owner_reason": reason, "owner_name": name,
        "due": life.due, "until": life.until, "merged_into": life.merged_into, **_as_edited(row, life),
    }  # fmt: skip


_FOUND = ("title", "kind", "article_id", "article_title")


def as_found(row: Mapping[str, Any]) -> dict[str, Any]:
    """A gap's row with the title, kind and article that were found, whatever people made of them."""
    found = row.get("found_as") or {}
    return {**row, **{name: found[name] for name in _FOUND if name in found}}


def as_reclassified(
    rows: Sequence[Mapping[str, Any]], lives: Mapping[str, GapState], articles: Collection[str]
) -> list[dict[str, Any]]:
    """Rows of a run's gaps with the kind and the article that people gave them, by which evidence is looked for.

    A kind about an article that the run does not have is left aside.
    """
    given = [lives.get(str(row["gap_id"]), GapState()) for row in rows]
    return [
        {**row, "kind": life.kind, "article_id": None if life.kind == "missing" else article}
        if life.kind and (life.kind == "missing" or (article := life.kind_article_id or row["article_id"]) in articles)
        else dict(row)
        for row, life in zip(rows, given, strict=True)
    ]


def _as_edited(row: Mapping[str, Any], life: GapState) -> dict[str, Any]:
    """Title, kind and article as people gave them, and ``found_as``, what they were before; None where nobody did."""
    found = {name: as_found(row).get(name) for name in _FOUND}
    edited = found | ({"title": life.title} if life.title else {})
    if life.kind:
        edited |= {"kind": life.kind, **_article_of(row, life, found)}
    now = {"kind": edited["kind"], "found_as": found | {"edited_by": life.edited_by} if edited != found else None}
    told = [reason for reason in row.get("reasons") or [] if reason not in _kind_reason(row)]
    return edited | now | {"reasons": [*_kind_reason(now), *told]}


def _kind_reason(row: Mapping[str, Any]) -> list[str]:
    """Why the gap is of a kind that people gave it; empty where it is of the kind that was found."""
    found = row.get("found_as") or {}
    given = bool(found) and found["kind"] != row["kind"]
    return [f"{found['edited_by']} says that it is {row['kind']}; it was found as {found['kind']}"] if given else []


def _article_of(row: Mapping[str, Any], life: GapState, found: Mapping[str, Any]) -> dict[str, Any]:
    """The article that goes with a kind that people chose: none for a missing one, else the one named or found."""
    article = None if life.kind == "missing" else life.kind_article_id or found["article_id"]
    near = {each["article_id"]: each["title"] for each in row.get("nearest_articles") or []}
    named = found["article_title"] if article == found["article_id"] else near.get(article) or article
    return {"article_id": article, "article_title": named}
