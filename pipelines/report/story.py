"""A gap in a few plain sentences: what customers want, what they get, since when, how many, what to do, how sure."""

from __future__ import annotations

from lacuna.models.backlog.gap import Gap
from lacuna.models.backlog.gap_kinds import GAP_KINDS
from lacuna.pipelines.presentation.format import line, short_day
from lacuna.pipelines.report.gap_figures import figures_of

__all__ = ["similar_sentences", "story"]

_QUOTE, _TITLE = 110, 90
_WHY = {
    "same_article": "both are about the same article",
    "same_answers": "agents give the same answers",
    "same_questions": "customers ask much the same",
}


def story(gap: Gap) -> str:
    """The gap in a few sentences, with the figures that all outputs have."""
    return " ".join(part for part in (_wanted(gap), _given(gap), _size(gap), _to_do(gap)) if part)


def similar_sentences(gap: Gap) -> list[dict[str, str]]:
    """The gaps that may be the same work: id, title, and why in words."""
    return [
        {
            "id": other["gap_id"],
            "title": line(other["title"], _TITLE) or other["gap_id"],
            "why": _WHY.get(str(other["why"]), ""),
        }
        for other in gap.similar
    ]


def _wanted(gap: Gap) -> str:
    # Imported late: it reads word lists, and listing a backlog does not need them.
    from lacuna.models.text.words import shortened

    quote = next((line(example["quote"]) for example in gap.examples if example["quote"]), "")
    return f"Customers ask “{shortened(quote, _QUOTE).rstrip('.')}”." if quote else ""


def _given(gap: Gap) -> str:
    article = f"“{line(gap.article_title, _TITLE) or gap.article_id}”" if gap.article_id else "the article"
    since = gap.change_point["week"] if gap.change_point else None
    return {
        "missing": "No article answers it.",
        "stale": f"They get what {article} says, which is out of date"
        + (f" since about {short_day(since, year=True)}." if since else "."),
        "incomplete": f"They get {article}, which answers only part of it.",
        "contradictory": f"They get {article} or another article, and the two contradict one another.",
        "unfindable": f"{article[:1].upper()}{article[1:]} answers it, and they do not get it.",
    }.get(gap.kind, "")


def _size(gap: Gap) -> str:
    figures = figures_of(gap)
    size = f"{figures.weekly} conversations a week are in the gap" if figures.weekly else ""
    surging = f", and demand is {figures.demand}" if figures.demand.startswith("surging") else ""
    failing = figures.failing()
    parts = [part for part in (f"{failing[:1].upper()}{failing[1:]}" if failing else "", f"{size}{surging}") if part]
    return "; ".join(parts) + "." if parts else ""


def _to_do(gap: Gap) -> str:
    task, sure = (GAP_KINDS[gap.kind].task if gap.kind in GAP_KINDS else ""), figures_of(gap).sure
    return f"To do: {task[:1].lower()}{task[1:]}" + (f" ({sure} sure of the kind)." if sure else ".") if task else ""
