"""The changes that a draft proposes to an article, as a diff: old sentence, suggested one, and where agents differ."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from lacuna.models.backlog.gap import Gap
from lacuna.models.text.amounts import amounts
from lacuna.models.text.markup import bare
from lacuna.models.writing.agent_sentences import without_condition
from lacuna.models.writing.house_form import HouseForm
from lacuna.models.writing.passages import Line, lines
from lacuna.pipelines.drafts.article import tidy
from lacuna.pipelines.drafts.footnotes import Footnotes
from lacuna.pipelines.drafts.rows import dicts_in

__all__ = ["changes", "has_changes"]

WHOLE = 40  # sentences of an article that is shown whole; of a longer one what stands around the changes
AROUND = 3
MOST_ADDED = 8
MOST_COMMENTS = 2  # on one passage
_TAG = re.compile(r"<(?=[a-zA-Z/!?])")
_FENCE = re.compile(r"`{3,}|~{3,}")


def has_changes(gap: Gap) -> bool:
    """Whether a gap names a passage to change, or something to add."""
    return any(row.get("passage") or row.get("replacement") for row in dicts_in(gap.passages))


def changes(
    gap: Gap, articles: Mapping[str, Mapping[str, Any]], form: HouseForm, notes: Footnotes
) -> list[tuple[str, str]]:
    """Each article of a gap with the proposed changes, as its id and the lines of a diff.

    A line that begins with ``-`` goes, one with ``+`` is proposed and names its source, one with ``!`` is a comment.

    Parameters
    ----------
    gap
        With its passages.
    articles
        By id: body.
    form
        How the company's articles look.
    notes
        Takes the sources.
    """
    by_article: dict[str, list[dict[str, Any]]] = {}
    for row in dicts_in(gap.passages):
        by_article.setdefault(str(row.get("article_id") or ""), []).append(row)
    shown = []
    for article_id, rows in by_article.items():
        body = str((articles.get(article_id) or {}).get("body") or "")
        diff = _diff(lines(body), rows, form, notes, gap)
        if diff:
            shown.append((article_id, diff))
    return shown


def _diff(article: Sequence[Line], rows: Sequence[dict[str, Any]], form: HouseForm, notes: Footnotes, gap: Gap) -> str:
    """An article's sentences with the changes of some passages; empty where nothing is changed or said."""
    pairs: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        pairs.setdefault(" ".join(bare(str(row.get("passage") or "")).split()), []).append(row)
    additions = [row for row in pairs.pop("", []) if row.get("replacement")][:MOST_ADDED]
    new: dict[str, str] = {}
    said: dict[str, list[str]] = {}
    for passage, own in pairs.items():
        told = [row for row in own if row.get("evidence") and (row.get("count") or gap.kind != "contradictory")]
        replacement = next((str(row["replacement"]) for row in own if row.get("replacement")), "")
        comment = next((str(row["comment"]) for row in own if row.get("comment")), "")
        if replacement:
            new[passage] = f"{tidy(replacement, form)} {_mark_of(own, notes)}".rstrip()
        if comment and not replacement:
            said[passage] = [f"{comment} {''.join(dict.fromkeys(notes.mark(row) for row in told))}".rstrip()]
        elif told and not comment:
            others = [row for row in told if str(row["evidence"]) != replacement][:MOST_COMMENTS]
            said[passage] = [f"Agents say: “{row['evidence']}” {notes.mark(row)}".rstrip() for row in others]
    if not new and not said and not additions:
        return ""
    cases = [row for row in gap.plan if row["part"] == "case" and row["condition_by"] == "agents"]
    conditions = {str(row["text"]): str(row["condition"]) for row in cases}
    for text in _with_old_figures(article, new):
        said.setdefault(text, []).append("The same figure as in a line that changes: see whether it changes too.")
    return "\n".join(map(_inert, _around(_lines(article, new, said, additions, conditions, form, notes))))


def _with_old_figures(article: Sequence[Line], new: Mapping[str, str]) -> list[str]:
    """The sentences that are left as they are and give a figure that is replaced elsewhere in the article."""
    old = {
        (unit, number)
        for passage, replacement in new.items()
        for unit, numbers in amounts(passage).items()
        for number in numbers - amounts(replacement).get(unit, set())
        if unit
    }
    return [
        line.text
        for line in article
        if line.text not in new
        and any((unit, number) in old for unit, numbers in amounts(line.text).items() for number in numbers)
    ]


def _lines(
    article: Sequence[Line], new: Mapping[str, str], comments: Mapping[str, list[str]],
    additions: Sequence[dict[str, Any]], conditions: Mapping[str, str], form: HouseForm, notes: Footnotes,
) -> list[str]:  # fmt: skip
    """The whole article as a diff, headings included."""
    added: dict[str, list[str]] = {}
    for row in additions:
        condition = conditions.get(str(row["replacement"]), "")
        told = without_condition(str(row["replacement"])) if condition else str(row["replacement"])
        lead = f"{condition}{'' if condition.endswith('?') else ':'} " if condition else ""
        text = f"+{lead}{tidy(told, form)} {_mark_of([row], notes)}".rstrip()
        added.setdefault(str(row.get("section") or ""), []).append(text)
    diff: list[str] = []
    sections = [line.section for line in article]
    there = {line.text for line in article}
    unplaced = [
        Line(sections[-1] if sections else "", passage) for passage in (*new, *comments) if passage not in there
    ]
    for at, line in enumerate([*article, *dict.fromkeys(unplaced)]):
        if at < len(article) and line.section and (at == 0 or sections[at - 1] != line.section):
            diff.append(f" ## {line.section}")
        diff += [f"-{line.text}", f"+{new[line.text]}"] if line.text in new else [f" {line.text}"]
        diff += [f"! {text}" for text in comments.get(line.text, [])]
        if at >= len(article) - 1 or sections[at + 1] != line.section:
            diff += added.pop(line.section, [])
    return diff + [text for texts in added.values() for text in texts]


def _around(diff: Sequence[str]) -> list[str]:
    """A diff of a long article without what is far from any change; ``@@`` stands for what is left out."""
    if len(diff) <= WHOLE:
        return list(diff)
    changed = [at for at, line in enumerate(diff) if line[0] != " "]
    near = {at for change in changed for at in range(change - AROUND, change + AROUND + 1)}
    near |= {at for at, line in enumerate(diff) if line.startswith(" ## ") and at + 1 in near}
    shown: list[str] = []
    for at, line in enumerate(diff):
        if at in near:
            shown.append(line)
        elif not shown or shown[-1] != "@@":
            shown.append("@@")
    return shown


def _mark_of(rows: Sequence[dict[str, Any]], notes: Footnotes) -> str:
    """The mark of a proposed sentence: of the evidence, where the same conversations hold it."""
    proposed = next(row for row in rows if row.get("replacement"))
    ids = proposed.get("replacement_ids") or []
    same = next((row for row in rows if row.get("conversation_ids") == ids), None)
    return notes.mark(same or {"conversation_ids": ids})


def _inert(line: str) -> str:
    """A line that can't end the block that it stands in, nor be taken for a link, an image or a tag."""
    inside = _TAG.sub("‹", _FENCE.sub("'''", line[1:])).replace("](", "] (").replace("![", "! [")
    inside = " ".join(inside.split())
    return f"{line[:1]}{' ' if line[:1] == '!' else ''}{inside}"
