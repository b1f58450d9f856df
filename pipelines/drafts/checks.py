"""What is to be settled before a draft is published: where agents differ, figures to confirm, questions left open."""

from __future__ import annotations

import re

from lacuna.models.backlog.gap import Gap
from lacuna.models.backlog.gap_records import PlannedSentence
from lacuna.models.text.words import shortened, stems
from lacuna.models.writing.article_plan import disputes_of
from lacuna.pipelines.drafts.footnotes import Footnotes
from lacuna.pipelines.drafts.rows import LINE, chapter, dicts_in, quoted_in, words_in
from lacuna.pipelines.presentation.markdown import inline

__all__ = ["before_publishing"]

ANSWERED = 0.3  # least share of a question's stems that the article has for it to be answered perhaps
MOST_OPEN, MOST_FIGURES = 3, 8
MOST_WORDS = 25  # of a customer's question that is told as not answered
_WORDS = "two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|zwei|drei|vier|fünf|sechs|sieben|acht|neun|zehn"
_DIGITS = r"\d+(?:[.,:]\d+)*"
_FIGURE = re.compile(
    rf"[€£$]\s?{_DIGITS}|\b(?:{_DIGITS}|{_WORDS})(?:\s?(?:to|–|-|bis)\s?(?:{_DIGITS}|{_WORDS}))?\s?"
    r"(?:[%€£$]|(?:(?:working|business|calendar) )?[^\W\d_]{2,}|(?=[,;]))",
    re.I,
)
_YEAR = re.compile(r"(?:19|20)\d\d\b")
_NO_UNIT = re.compile(r"\b(?:is|and|or|to|the|of|in|on|at|und|oder|for|there|then|days?' )$", re.I)


def before_publishing(gap: Gap, notes: Footnotes) -> str:
    """The questions to the expert, each with its source; empty where nothing is open."""
    if gap.kind == "unfindable":
        return ""
    rows = [row for row in gap.plan if row["part"] not in ("title", "open")] if gap.kind == "missing" else []
    rows = rows if len(rows) > 1 else []  # one sentence is no article: the expert is asked anyway
    lines = [
        *_of_one(rows, notes),
        *_disputes(gap, notes),
        *_figures(rows, notes),
        *_unanswered(gap, rows, notes),
        *_untranslated(gap),
    ]
    return chapter("To settle before it is published", "\n".join(f"- [ ] {line}" for line in lines), level=2)


def _of_one(rows: list[PlannedSentence], notes: Footnotes) -> list[str]:
    """Steps that stand in one conversation alone."""
    steps = [row for row in rows if row["part"] == "step" and row["count"] == 1]
    return [f"The steps are one agent's{notes.mark(steps[0])}: somebody has tried them."] if steps else []


def _disputes(gap: Gap, notes: Footnotes) -> list[str]:
    """Where agents differ: neither stands in the article, unless far fewer of them say one."""
    lines = []
    for rows in disputes_of(gap.plan) if gap.kind == "missing" else []:
        sides = " or ".join(f"“{inline(row['text'])}”{notes.mark(row)}" for row in rows)
        lines.append(f"Which holds, or which when: {sides}? Agents do not agree.")
    return lines


def _figures(rows: list[PlannedSentence], notes: Footnotes) -> list[str]:
    """All limits and figures of the article, each with its source."""
    figures: dict[str, str] = {}
    for row in rows:
        for match in _FIGURE.finditer(str(row["text"])):
            if (
                not _NO_UNIT.search(match[0])
                and not re.match(r"(?:19|20)\d\d\b", match[0])
                and len(figures) < MOST_FIGURES
            ):
                figures.setdefault(match[0].strip(" .,"), notes.mark(row))
    told = ", ".join(f"{inline(figure)}{mark}" for figure, mark in figures.items())
    return [f"Somebody who knows has confirmed the figures: {told}."] if told else []


def _unanswered(gap: Gap, rows: list[PlannedSentence], notes: Footnotes) -> list[str]:
    """What customers ask and no sentence of the article comes near to."""
    if not rows:
        return []
    told = stems(" ".join(f"{row['condition'] or ''} {row['text']}" for row in rows))
    open_questions: list[str] = []
    for entry in quoted_in(gap.examples):
        asked = stems(str(entry["quote"]))
        if len(open_questions) == MOST_OPEN or len(str(entry["quote"]).split()) > MOST_WORDS:
            continue
        if len(asked & told) < ANSWERED * max(1, len(asked)):
            ids = [entry["conversation_id"]] if entry.get("conversation_id") else []
            mark = notes.mark({"conversation_ids": ids, "count": entry.get("count") or 1})
            open_questions.append(f"Not answered above: “{inline(shortened(str(entry['quote']), LINE))}”{mark}")
    return open_questions


def _untranslated(gap: Gap) -> list[str]:
    """The languages that customers ask in and that have no draft here."""
    planned = {str(row["language"]) for row in gap.plan}
    lacking = [language for language in words_in(gap.languages) if language not in planned]
    if gap.kind != "missing" or not lacking or not dicts_in(gap.plan):
        return []
    return [f"It exists in {inline(', '.join(lacking))} too: agents say too little alike there for a draft."]
