"""The chapters of a draft with evidence: agents' answers, passages to change, and words to add."""

from __future__ import annotations

from itertools import groupby
from typing import Any

from lacuna.models.backlog.gap import Gap
from lacuna.models.text.words import shortened
from lacuna.pipelines.drafts.rows import (
    LINE,
    chapter,
    counted,
    is_thin,
    named,
    quoted_in,
    source_of,
    steps_of,
    subject_of,
    words_in,
)
from lacuna.pipelines.presentation.markdown import bullet, inline, quote

__all__ = ["answered", "words_to_add"]

_REPLY = 500


def answered(gap: Gap, url: str) -> str:
    """Agents' answers: the sentences that they share, answer by answer, and two replies in full."""
    steps = steps_of(gap)
    replies = [_reply(entry, url) for entry in quoted_in(gap.agent_answers)[:2]]
    if not steps:
        return chapter("What agents answered", *replies)
    ways = [list(way) for _, way in groupby(steps, key=lambda step: step.get("way") or 1)]
    blocks = ["These are agents' own words, each from at least two conversations. Have them confirmed. " + _ended(gap)]
    if len(ways) > 1:
        blocks.append(
            f"These are {len(ways)} different answers, to choose from or for different cases, and **not** steps of one "
            "answer."
        )
    for number, way in enumerate(ways, start=1):
        if len(ways) > 1:
            blocks.append(f"#### Answer {number}")
        if way[0].get("asked"):
            blocks.append(f"Given, for example, to: “{inline(shortened(str(way[0]['asked']), LINE))}”")
        ordered = all(step.get("order") for step in way)
        blocks.append(
            "\n".join(
                f"{f'{place}.' if ordered else '-'} {inline(step['text'])}{source_of(step, url)}"
                for place, step in enumerate(way, start=1)
            )
        )
    if replies and not is_thin(gap):
        blocks += ["#### In full" if len(ways) > 1 else "In full:", *replies]
    return chapter("What agents answered", *blocks)


def _reply(entry: dict[str, Any], url: str) -> str:
    source = f"\n>\n> — conversation {named(entry['conversation_id'], url)}" if entry.get("conversation_id") else ""
    return quote(shortened(str(entry["quote"]), _REPLY)) + source


def _ended(gap: Gap) -> str:
    """How many of the conversations that agents answered ended well or badly."""
    counts = gap.answered
    if not counts or not counts["conversations"]:
        return ""
    well, badly = counts["well"] or 0, counts["badly"] or 0
    if not well and not badly:
        return f"Agents answered {counted(counts['conversations'], 'conversation')}; how these ended is not known."
    phrases = [f"{well:,} ended well (resolved, or rated 4 or better)"]
    phrases += [f"{badly:,} ended badly (no sentence is taken from {'it' if badly == 1 else 'them'})"] if badly else []
    unknown = counts["conversations"] - well - badly
    phrases += [f"how {unknown:,} ended is not known"] if unknown else []
    return f"Agents answered {counted(counts['conversations'], 'conversation')}: {', '.join(phrases)}."


def words_to_add(gap: Gap) -> str:
    """Customers' words that the article lacks, and its title in their words."""
    words, title = words_in(gap.customer_words), gap.article_title
    return chapter(
        "Words to add",
        f"Title today: {inline(title)}\n\nTitle in customers' words: {inline(subject_of(gap))}" if title else "",
        "Customers use these words, and the article does not:\n\n" + "\n".join(map(bullet, words)) if words else "",
        "Add the phrasings under “What customers ask” to the article or to its search terms.",
        level=2,
    )
