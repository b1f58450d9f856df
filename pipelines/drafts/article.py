"""The article of a draft, in the company's own form, from its plan: each sentence with a footnote."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from lacuna.models.backlog.gap import Gap
from lacuna.models.backlog.gap_records import PlannedSentence
from lacuna.models.text.words import shortened
from lacuna.models.writing.article_plan import text_of
from lacuna.models.writing.house_form import HouseForm
from lacuna.pipelines.drafts.footnotes import Footnotes
from lacuna.pipelines.drafts.rows import LINE, quoted_in
from lacuna.pipelines.presentation.markdown import inline, link

__all__ = ["article", "languages_planned", "sentence", "tidy", "title_of"]

MOST_RELATED = 3
MOST_WORDS = 16  # of a customer's question that says whom an article is for
NEAR = 0.3  # least similarity of an article that is worth a link
_PLEASE = re.compile(r"\b(?:please|kindly|bitte)\s+(?=\w)", re.I)
_LEAD = re.compile(
    r"^(?:(?:still|also|so|and|but|then|next|first(?:ly)?|second(?:ly)?|third(?:ly)?|finally|now|well|just|simply|also|"
    r"dann|danach|zuerst|jetzt|aber|und),?\s+)(?=\w)",
    re.I,
)
_NO_MENU = r"(?:and|und|or|oder|the|an?|der|die|das|den|dem|ein|eine[nmr]?)\b"  # words that go on after a menu's name
_SEGMENT = rf"[A-Z+][^\s>.,;:*]*(?: (?!{_NO_MENU})[a-z][^\s>.,;:*]*)?"
_PATH = re.compile(rf"(?<![\w*])((?:Meine? )?[A-Z][^\s>*]*(?: [a-z][^\s>*]*){{0,2}}(?: > {_SEGMENT})+)")
_WEB = re.compile(r"https?://[A-Za-z0-9\-._~:/?#@!$&()*+,;=%]+")
_FOR = {"en": ("For customers who ask", "“", "”", "or"), "de": ("Für alle, die fragen:", "„", "“", "oder")}


def languages_planned(plan: Sequence[PlannedSentence]) -> list[str]:
    """The languages that a plan has sentences in, the most asked first."""
    return list(dict.fromkeys(str(row["language"] or "") for row in plan))


def title_of(gap: Gap, language: str) -> str:
    """The question that customers ask, as the title of the article in a language; else the gap's title."""
    titles = [row for row in gap.plan if row["part"] == "title" and (row["language"] or "") == language]
    return str(titles[0]["text"]) if titles else str(gap.title or "")


def article(
    gap: Gap,
    language: str,
    form: HouseForm,
    articles: Mapping[str, Mapping[str, Any]],
    notes: Footnotes,
    deeper: int = 0,
) -> str:
    """The article in one language, without its title: for whom, the answer, steps, cases, facts, related articles.

    Parameters
    ----------
    gap
        With its plan.
    language
        Of the rows that are taken.
    form
        How the company's articles look.
    articles
        By id: title, url, language.
    notes
        Takes the sources.
    deeper
        By how many levels its headings are lower.
    """
    rows = [row for row in gap.plan if (row["language"] or "") == language]
    mark = "#" * min(6, max(2, form.heading_level) + deeper)
    parts = [_audience(gap, language, notes), _prose([row for row in rows if row["part"] == "answer"], form, notes)]
    steps = _of_part(rows, "step")
    for number, group in enumerate(_groups(steps), start=1):
        condition = group[0]["condition"]
        heading = f"“{inline(condition)}”" if condition else form.steps_heading + (f" ({number})" if number > 1 else "")
        parts += [f"{mark} {heading}", _listed(group, form, notes, ordered=form.numbered)]
    to_do = _of_part(rows, "do")
    if to_do:
        parts += ([] if steps else [f"{mark} {form.steps_heading}"]) + [_listed(to_do, form, notes, ordered=False)]
    for group in _groups(_of_part(rows, "case")):
        by_customers = group[0]["condition_by"] == "customers"
        condition = inline(shortened(str(group[0]["condition"]), LINE))
        parts += [f"{mark} {f'“{condition}”' if by_customers else condition}", _prose(group, form, notes)]
    facts = _of_part(rows, "fact")
    if facts:
        parts += [f"{mark} {form.facts_heading}", _listed(facts, form, notes, ordered=False)]
    related = _related(gap, language, articles)
    if related:
        parts += [f"{mark} {form.related_heading}", related]
    return "\n\n".join(part for part in parts if part)


def sentence(text: object, form: HouseForm) -> str:
    """A sentence of an agent in the house's form, escaped, with menus bold where they are.

    Examples
    --------
    >>> sentence("Please open My account > Orders and press Return", HouseForm(bold_paths=True))
    'Open **My account > Orders** and press Return.'
    """
    escaped = inline(tidy(text, form))
    return _PATH.sub(r"**\1**", escaped) if form.bold_paths else escaped


def tidy(text: object, form: HouseForm) -> str:
    """A sentence of an agent as a sentence of an article: without "please", where the house says none, and "then"."""
    words = " ".join(str(text).split())
    if not form.please:
        words = _PLEASE.sub("", words)
    words = _LEAD.sub("", words)
    words = words[:1].upper() + words[1:]
    if words and words[-1] not in ".!?:…":
        words += "."
    return words


def _audience(gap: Gap, language: str, notes: Footnotes) -> str:
    """Whom it is for, in customers' words; in the main language alone, as the phrasings are mostly in that."""
    if language not in ("", *gap.languages[:1]):
        return ""
    asked = [
        entry
        for entry in quoted_in(gap.examples)
        if len(str(entry["quote"]).split()) <= MOST_WORDS and not set("‹…") & set(str(entry["quote"]))
    ][:2]
    if not asked:
        return ""
    words, opening, closing, either = _FOR.get(language, _FOR["en"])
    quotes = [
        f"{opening}{inline(shortened(str(entry['quote']).rstrip('.!? '), 90))}{closing}"
        f"{notes.mark({'conversation_ids': [entry['conversation_id']], 'count': entry.get('count') or 1})}"
        for entry in asked
    ]
    return f"*{words}* {f' {either} '.join(quotes)}."


def _of_part(rows: Sequence[PlannedSentence], part: str) -> list[PlannedSentence]:
    return [row for row in rows if row["part"] == part]


def _groups(rows: Sequence[PlannedSentence]) -> list[list[PlannedSentence]]:
    numbers = dict.fromkeys(row["group"] for row in rows)
    return [[row for row in rows if row["group"] == number] for number in numbers]


def _prose(rows: Sequence[PlannedSentence], form: HouseForm, notes: Footnotes) -> str:
    return " ".join(f"{sentence(text_of(row), form)}{notes.mark(row)}" for row in rows)


def _listed(rows: Sequence[PlannedSentence], form: HouseForm, notes: Footnotes, ordered: bool) -> str:
    return "\n".join(
        f"{f'{place}.' if ordered else '-'} {sentence(row['text'], form)}{notes.mark(row)}"
        for place, row in enumerate(rows, start=1)
    )


def _related(gap: Gap, language: str, articles: Mapping[str, Mapping[str, Any]]) -> str:
    listed = []
    for one in gap.nearest_articles:
        row = articles.get(str(one["article_id"]), {})
        fits = row.get("language") in (None, "", language) or not language
        if fits and row.get("status") in (None, "", "published") and (one["similarity"] or 0) >= NEAR and one["title"]:
            url = str(row.get("url") or "")
            listed.append(f"- {link(one['title'], url)}" if _WEB.fullmatch(url) else f"- {inline(one['title'])}")
    return "\n".join(listed[:MOST_RELATED])
