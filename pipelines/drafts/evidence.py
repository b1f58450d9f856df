"""The chapters of a draft with evidence: agents' answers, passages to change, and words to add."""

from __future__ import annotations

from itertools import groupby
from typing import Any

from lacuna.models.backlog.gap import Gap
from lacuna.models.text.markup import bare
from lacuna.models.text.words import shortened
from lacuna.pipelines.drafts.rows import (
    LINE,
    chapter,
    counted,
    dicts_in,
    is_thin,
    named,
    quoted_in,
    source_of,
    steps_of,
    subject_of,
    words_in,
)
from lacuna.pipelines.presentation.markdown import bullet, inline, quote

__all__ = ["answered", "passages_to_change", "words_to_add"]

_REPLY = 500


def answered(gap: Gap, url: str) -> str:
    """Agents' answers: the sentences that they share, answer by answer, and two replies in full."""
    steps = steps_of(gap)
    replies = [_reply(entry, url) for entry in quoted_in(gap.agent_answers)[:2]]
    if not steps:
        return chapter("What agents answered", *replies)
    ways = [list(way) for _, way in groupby(steps, key=lambda step: step.get("way") or 1)]
    blocks = ["They are agents' own words, each from at least two conversations: have them confirmed. " + _ended(gap)]
    if len(ways) > 1:
        blocks.append(
            f"There are {len(ways)} different answers: alternatives, or answers to different cases, and **not** steps "
            "one after another."
        )
    for number, way in enumerate(ways, start=1):
        if len(ways) > 1:
            blocks.append(f"### Answer {number}")
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
        blocks += ["### In full" if len(ways) > 1 else "In full:", *replies]
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
    phrases += [f"{badly:,} did not: no sentence is taken from {'it' if badly == 1 else 'them'}"] if badly else []
    unknown = counts["conversations"] - well - badly
    phrases += [f"of {unknown:,} nobody knows"] if unknown else []
    return f"Of {counted(counts['conversations'], 'conversation')} that agents answered, {'; '.join(phrases)}."


def passages_to_change(gap: Gap, articles: dict[str, dict[str, Any]], url: str) -> str:
    """The article's passages with what agents say instead or in addition; a note if no passage can be named."""
    rows, kind = dicts_in(gap.passages), gap.kind
    if kind == "incomplete" and rows:
        listed = "\n".join(
            bullet(f"{_under(p)}{inline(p['evidence'])}{source_of(p, url)}", escaped=True)
            for p in rows
            if p.get("evidence")
        )
        note = "Agents say this, and no sentence of the article does. The section named is the nearest one."
        return chapter("Passages to change", note, listed)
    blocks: list[str] = []
    by_passage: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for pair in rows:
        if pair.get("passage"):
            by_passage.setdefault((str(pair.get("article_id") or ""), bare(str(pair["passage"]))), []).append(pair)
    for (article, passage), pairs in by_passage.items():
        title = (articles.get(article) or {}).get("title") if kind == "contradictory" else None
        name = f"“{inline(title)}”" if title else "The article"
        name += f" ({inline(article)})" if article else ""
        section = next((p["section"] for p in pairs if p.get("section")), "")
        section_words = f", under “{inline(section)}”" if section else ""
        blocks.append(f"**{name} says**{section_words}:\n\n{quote(passage)}")
        contradictions = [p for p in pairs if p.get("evidence") and (p.get("count") or kind != "contradictory")]
        if contradictions:
            listed = "\n".join(bullet(inline(p["evidence"]) + source_of(p, url), escaped=True) for p in contradictions)
            blocks.append(f"**Agents say instead:**\n\n{listed}")
    if blocks:
        note = "Found by likeness of words and figures: see for each whether it is the one that is meant."
        return chapter("Passages to change", note if kind == "stale" else "", *blocks)
    return chapter(
        "What to change in the article",
        "Which passage it is could not be told: what agents say is near to none of its sentences. Read the whole "
        "article against the questions and answers below.",
    )


def _under(passage: dict[str, Any]) -> str:
    return f"Under “{inline(passage['section'])}”: " if passage.get("section") else ""


def words_to_add(gap: Gap) -> str:
    """Customers' words that the article lacks, and its title in their words."""
    words, title = words_in(gap.customer_words), gap.article_title
    return chapter(
        "Words to add",
        f"Title today: {inline(title)}\n\nTitle in customers' words: {inline(subject_of(gap))}" if title else "",
        "Customers use these words, and the article does not:\n\n" + "\n".join(map(bullet, words)) if words else "",
        "Add the phrasings under “What customers ask” to the article or to its search terms.",
    )
