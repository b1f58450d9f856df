"""Decisions in words, for the board and for minutes."""

from __future__ import annotations

from collections.abc import Mapping

from lacuna.models.backlog.lifecycle import Decision
from lacuna.pipelines.presentation.format import quoted, short_day

__all__ = ["REASONS", "decision_words"]

# Why a gap is dismissed, as people read it, and what that means.
REASONS = {
    "not_a_gap": ("Not a gap", "Customers got a good answer, or never asked this. Teaches the ranking."),
    "not_content": ("No article would help", "It needs the product, a policy or a person. Teaches the ranking."),
    "duplicate": ("Already listed", "Another gap says the same; merging keeps both together."),
    "already_fixed": ("Already fixed", "The article has been put right since."),
    "wont_fix": ("Won't fix", "It is a gap, and stays one on purpose."),
}


def decision_words(decision: Decision, titles: Mapping[str, str], owner_names: Mapping[str, str]) -> str:
    """A decision in words that go on after a name, such as ``dismissed it: not a gap``.

    Parameters
    ----------
    titles, owner_names
        The titles of gaps by gap_id, and the names of owners by owner_id; what they lack is named by its id.
    """
    payload = decision.payload
    if decision.verb == "assign":
        return _assigned(payload, owner_names)
    into = str(payload.get("into"))
    day_published = f" on {short_day(payload.get('on'), year=True)}" if payload.get("on") else ""
    words = {
        "accept": "accepted it",
        "draft": "started drafting",
        "publish": f"published it{day_published}",
        "verify": "marked it as verified",
        "reopen": "reopened it",
        "snooze": f"snoozed it until {short_day(payload.get('until'), year=True)}",
        "dismiss": f"dismissed it: {REASONS.get(str(payload.get('reason')), ('no reason given', ''))[0].lower()}",
        "merge": f"merged it into {quoted(titles[into]) if into in titles else into}",
        "note": "left a note",
        "rename": f"renamed it to {quoted(payload.get('title'))}",
        "reclassify": f"changed its kind to {payload.get('kind')}"
        + (f", about {payload['article_id']}" if payload.get("article_id") else ""),
        "exclude": f"took conversation {payload.get('conversation')} out of it",
        "include": f"added conversation {payload.get('conversation')} to it",
        "undo": "took back the decision before",
    }
    return words.get(decision.verb, decision.verb)


def _assigned(payload: Mapping[str, object], owner_names: Mapping[str, str]) -> str:
    parts = []
    if "owner_id" in payload:
        owner = payload["owner_id"]
        parts.append(f"assigned it to {owner_names.get(str(owner), owner)}" if owner else "left it without an owner")
    if "due" in payload:
        due = payload["due"]
        parts.append(f"set it due on {short_day(due, year=True)}" if due else "took its due day away")
    return " and ".join(parts)
