"""Helpers for drafts: reading the fields of a gap, and small pieces of text."""

from __future__ import annotations

from typing import Any

from lacuna.models.backlog.gap import Gap
from lacuna.pipelines.presentation.links import conversation_link
from lacuna.pipelines.presentation.markdown import link

LINE = 160  # characters of a quote within a line of text
# With less evidence than this, the draft asks the expert instead.
_FEW_QUOTES, _FEW_CONVERSATIONS = 2, 5


def dicts_in(value: object) -> list[dict[str, Any]]:
    """The dicts of a list; empty for any other value."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def words_in(value: object) -> list[str]:
    """The non-empty texts of a list; empty for any other value."""
    return [str(item) for item in value if item] if isinstance(value, list) else []


def quoted_in(value: object) -> list[dict[str, Any]]:
    """The entries of a list of examples or answers that have a quote."""
    return [entry for entry in dicts_in(value) if entry.get("quote")]


def steps_of(gap: Gap) -> list[dict[str, Any]]:
    """The steps shared by several agents' answers."""
    return [step for step in dicts_in(gap.steps) if step.get("text")]


def subject_of(gap: Gap) -> str:
    """What customers ask: the gap's title, or, of one about an article, its first subtopic, else its topic."""
    asked = gap.subtopic_label or gap.topic_label if gap.article_id else None
    return str(asked or gap.title or "")


def is_thin(gap: Gap) -> bool:
    """Whether there is too little evidence for a draft."""
    quotes = sum(bool(entry.get("quote")) for entry in dicts_in(gap.examples))
    answers = len(dicts_in(gap.agent_answers)) + len(steps_of(gap))
    evidence = answers + len(dicts_in(gap.passages)) + len(words_in(gap.customer_words))
    has_few = 0 < gap.conversations < _FEW_CONVERSATIONS and len(steps_of(gap)) < 2
    return quotes < _FEW_QUOTES or evidence == 0 or (has_few and gap.kind != "unfindable")


def chapter(title: str, *blocks: str, level: int = 3) -> str:
    """A heading, by default of the evidence, and the blocks below it; empty if all blocks are."""
    inside = [block for block in blocks if block]
    return "\n\n".join([f"{'#' * level} {title}", *inside]) if inside else ""


def counted(number: object, one: str, many: str = "") -> str:
    """A number with its noun.

    Examples
    --------
    >>> counted(1, "conversation"), counted(1200, "conversation")
    ('1 conversation', '1,200 conversations')
    """
    value = int(number) if isinstance(number, int | float) else 0
    return f"{value:,} {one if value == 1 else many or one + 's'}"


def named(conversation_id: object, url: str) -> str:
    """A conversation's id, as a link if ``url`` is set."""
    return link(conversation_id, conversation_link(url, conversation_id))


def source_of(step: dict[str, Any], url: str) -> str:
    """The number of conversations with a sentence, how many of them ended well, and some ids."""
    if not step.get("count"):
        return ""
    words = counted(step["count"], "conversation")
    if step.get("worked"):
        words += f", {int(step['worked'])} ended well"
    ids = ", ".join(named(i, url) for i in words_in(step.get("conversation_ids")))
    return f" ({words}{f'; such as {ids}' if ids else ''})"


def in_conversation(entry: dict[str, Any], url: str) -> str:
    """The conversation of a quote, in brackets; empty if unknown."""
    return f" (conversation {named(entry['conversation_id'], url)})" if entry.get("conversation_id") else ""
