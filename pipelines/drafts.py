"""One Markdown draft or revision brief a content gap, for the writer who owns it.

Everything in a draft comes from the run: what customers asked, what agents answered, what the articles say today.
Nothing is made up; where there is little to go on, the draft says so and lists what to ask the expert. Texts from
conversations stand in quotes and are escaped, so that none of them can become a heading, a link or HTML.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

from models.questions import shortened
from pipelines.cells import records
from pipelines.markdown import bullet, heading, inline, quote

__all__ = ["write_drafts"]

KINDS = ("missing", "stale", "incomplete", "contradictory", "unfindable")
STATUSES = ("new", "open", "accepted", "reopened")
QUOTES = 5
# Below this, a draft would be padding: the expert is asked instead.
_FEW_QUOTES = 2
# Questions of a kind that the expert is asked, and how much of a quote each shows.
_TO_CHECK, _LINE = 2, 160
_SLUG = 60
_RESERVED = re.compile(r"^(?:con|prn|aux|nul|com\d|lpt\d)(?:\.|$)", re.IGNORECASE)
_WEB = re.compile(r"https?://[A-Za-z0-9\-._~:/?#@!$&()*+,;=%]+")
_TODO = {
    "missing": "Write the article",
    "stale": "Bring the article up to date",
    "incomplete": "Add what the article leaves out",
    "contradictory": "Settle what is right, and say it once",
    "unfindable": "Make the article reachable in customers' words",
}


def write_drafts(folder: Path, backlog: pd.DataFrame, articles: pd.DataFrame, run: dict[str, Any]) -> dict[str, str]:
    """Write a draft for each content gap that waits for one.

    Parameters
    ----------
    folder : Path
        The run's folder; drafts go to `drafts/<owner>/<gap_id>-<slug>.md` below it, those of nobody to `unowned`.
    backlog : DataFrame
        One row a gap. Gaps of another kind than the five, or that are not new, open, accepted or reopened, get none.
    articles : DataFrame
        The bundle's articles, for titles, addresses and sections; may be empty.
    run : dict
        `run.json`, for `run_id` and the window.

    Returns
    -------
    dict
        Path of the draft, relative to `folder` and with forward slashes, by gap_id.

    Raises
    ------
    OSError
        The folder can't be written.
    """
    known = {str(row["article_id"]): row for row in records(articles) if row.get("article_id")}
    written: dict[str, str] = {}
    for row in records(backlog):
        key = str(row.get("gap_id") or "")
        if not key or row.get("kind") not in KINDS or row.get("status") not in STATUSES:
            continue
        owner = safe_name(str(row["owner_id"])) if row.get("owner_id") else "unowned"
        name = f"{safe_name(key)}-{slug(str(row.get('title') or ''))}"
        path = f"drafts/{owner}/{name.rstrip('-')}.md"
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(draft(row, known, run), encoding="utf-8", newline="\n")
        written[key] = path
    return written


def slug(title: str) -> str:
    """A title as part of a file name: lower-case ASCII letters, digits and hyphens, at most 60 of them.

    Examples
    --------
    >>> slug("Rückgabe: 60 Tage, nicht 30")
    'ruckgabe-60-tage-nicht-30'
    """
    ascii_only = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode("ascii").lower()
    found = re.sub(r"[^a-z0-9]+", "-", ascii_only).strip("-")
    if len(found) > _SLUG:
        found = found[:_SLUG].rsplit("-", 1)[0] if "-" in found[:_SLUG] else found[:_SLUG]
    return found.strip("-")


def safe_name(value: str) -> str:
    """An id as one part of a path: nothing in it leads elsewhere, and two ids never share a name.

    An id of plain letters, digits, `.`, `_`, `@` and `-` stays as it is; any other is cleaned, and a hash keeps it
    apart from its likes.
    """
    clean = re.sub(r"[^A-Za-z0-9._@-]+", "-", value).strip(".-")[:60].rstrip(".-")
    if _RESERVED.match(clean):
        clean = f"id-{clean}"
    if clean == value:
        return clean
    return f"{clean or 'id'}-{hashlib.sha256(value.encode('utf-8', 'replace')).hexdigest()[:8]}"


def draft(row: dict[str, Any], articles: dict[str, dict[str, Any]], run: dict[str, Any]) -> str:
    """The whole text of one draft: front matter, then what the writer needs, by kind."""
    article = articles.get(str(row.get("article_id") or ""), {})
    parts = [
        front_matter(row, run),
        f"# {inline(row.get('title') or 'Untitled gap')}",
        _why(row, article),
    ]
    kind = row["kind"]
    if _thin(row) or (kind != "unfindable" and not _steps(row)):
        parts.append(_ask_the_expert(row))
    if kind == "missing":
        parts += [_asked(row), _answered(row), _acceptance(row), _unknown(row)]
    elif kind == "unfindable":
        parts += [_phrasings(row, article), _asked(row), _acceptance(row), _unknown(row)]
    else:
        parts += [_passages(row, article), _asked(row), _answered(row), _acceptance(row), _unknown(row)]
    return "\n\n".join(part for part in parts if part) + "\n"


def front_matter(row: dict[str, Any], run: dict[str, Any]) -> str:
    """The YAML on top, quoted by the YAML library."""
    window = run.get("window") or {}
    head = {
        "gap_id": row.get("gap_id"),
        "kind": row.get("kind"),
        "status": row.get("status"),
        "title": row.get("title"),
        "article_id": row.get("article_id"),
        "owner_id": row.get("owner_id"),
        "topic_id": row.get("topic_id"),
        "conversations": row.get("conversations"),
        "weekly_rate": _rounded(row.get("weekly_rate")),
        "score": _rounded(row.get("score")),
        "run_id": run.get("run_id"),
        "created": str(window.get("end") or run.get("run_id") or ""),
    }
    return "---\n" + yaml.safe_dump(head, sort_keys=False, allow_unicode=True, width=4096).rstrip("\n") + "\n---"


def _rounded(value: object) -> float | None:
    return round(float(value), 3) if isinstance(value, int | float) else None


def _dicts(value: object) -> list[dict[str, Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _words(value: object) -> list[str]:
    return [str(item) for item in value if item] if isinstance(value, list) else []


def _section(title: str, *blocks: str) -> str:
    inside = [block for block in blocks if block]
    return "\n\n".join([f"## {title}", *inside]) if inside else ""


def _why(row: dict[str, Any], article: dict[str, Any]) -> str:
    asked, rate = row.get("conversations"), row.get("weekly_rate")
    figures = []
    if asked is not None:
        figures.append(f"{int(asked):,} conversations" + (f", {float(rate):.1f} a week" if rate is not None else ""))
    if row.get("failure_rate") is not None:
        figures.append(f"{float(row['failure_rate']):.0%} of the answers failed")
    lines = [f"**{_TODO[row['kind']]}.** " + (f"{'; '.join(figures)}." if figures else "")]
    if row.get("article_id"):
        title = article.get("title") or row.get("article_title")
        told = (
            f"Article: {inline(title)} ({inline(row['article_id'])})"
            if title
            else f"Article: {inline(row['article_id'])}"
        )
        if _WEB.fullmatch(str(article.get("url") or "")):
            told += f", at <{article['url']}>"
        if article.get("updated_at"):
            told += f", last changed {inline(str(article['updated_at'])[:10])}"
        lines.append(told + ".")
    listed = "\n".join(bullet(reason) for reason in _words(row.get("reasons")))
    return "\n\n".join(part for part in (*lines, listed) if part)


def _said(found: Iterable[dict[str, Any]], most: int) -> str:
    blocks: list[str] = []
    for entry in found:
        if not entry.get("quote") or len(blocks) == most:
            continue
        source = f"\n>\n> — conversation {inline(entry['conversation_id'])}" if entry.get("conversation_id") else ""
        blocks.append(quote(entry["quote"]) + source)
    return "\n\n".join(blocks)


def _asked(row: dict[str, Any]) -> str:
    return _section("What customers ask", _said(_dicts(row.get("examples")), QUOTES))


def _answered(row: dict[str, Any]) -> str:
    steps = _steps(row)
    if not steps:
        return _section("What agents answered", _said(_dicts(row.get("agent_answers")), QUOTES))
    listed = "\n".join(f"{place}. {inline(step['text'])}{_source(step)}" for place, step in enumerate(steps, start=1))
    note = (
        "Steps that agents gave in at least two conversations each, in the order in which they came. They are agents' "
        "words; have them confirmed."
    )
    return _section("What agents answered", note, listed, _said(_dicts(row.get("agent_answers")), 2))


def _steps(row: dict[str, Any]) -> list[dict[str, Any]]:
    return [step for step in _dicts(row.get("steps")) if step.get("text")]


def _source(step: dict[str, Any]) -> str:
    """How many conversations hold a step, and some of them."""
    if not step.get("count"):
        return ""
    ids = ", ".join(inline(i) for i in _words(step.get("conversation_ids")))
    return f" ({int(step['count'])} conversations{f', such as {ids}' if ids else ''})"


def _passages(row: dict[str, Any], article: dict[str, Any]) -> str:
    blocks = []
    for found in _dicts(row.get("passages")):
        if found.get("passage"):
            source = f" ({inline(found['article_id'])})" if found.get("article_id") else ""
            blocks.append(f"**The article says**{source}:\n\n{quote(found['passage'])}")
        if found.get("evidence"):
            blocks.append(f"**Evidence**:\n\n{quote(found['evidence'])}")
    if blocks:
        return _section("Passages to change", *blocks)
    sections = re.findall(r"^#{1,4}[ \t]+(.+)$", str(article.get("body") or ""), flags=re.MULTILINE)
    listed = "\n".join(bullet(heading(found)) for found in sections[:20])
    note = "No single passage stands out. The sections that the article has today:" if listed else ""
    return _section(
        "Passages to change",
        note or "No single passage stands out; read the article against the questions below.",
        listed,
    )


def _phrasings(row: dict[str, Any], article: dict[str, Any]) -> str:
    words = _words(row.get("customer_words"))
    said = [str(entry["quote"]) for entry in _dicts(row.get("examples")) if entry.get("quote")]
    title = article.get("title") or row.get("article_title")
    suggestion = (
        f"Title today: {inline(title)}\n\nTitle in customers' words: {inline(row.get('title') or '')}" if title else ""
    )
    return _section(
        "Words to add",
        suggestion,
        "Customers use these words, and the article does not:\n\n" + "\n".join(bullet(word) for word in words)
        if words
        else "",
        "Phrasings to add as search terms or to the article:\n\n"
        + "\n".join(bullet(" ".join(text.split())[:200]) for text in said[:QUOTES])
        if said
        else "",
    )


def _acceptance(row: dict[str, Any]) -> str:
    said = [" ".join(str(entry["quote"]).split())[:160] for entry in _dicts(row.get("examples")) if entry.get("quote")]
    found = [f"- [ ] It answers: “{inline(text)}”" for text in said[:QUOTES]]
    kind, article = row["kind"], row.get("article_id")
    if kind == "unfindable":
        found.append("- [ ] A search for each of the words above finds it.")
    if kind == "contradictory":
        found.append("- [ ] One answer holds everywhere: the articles, the bot and the agents say the same.")
    if kind in {"stale", "incomplete"} and article:
        found.append(f"- [ ] Nothing in {inline(article)} contradicts what agents tell customers today.")
    languages = _words(row.get("languages"))
    if len(languages) > 1:
        found.append(f"- [ ] It exists in each language asked: {inline(', '.join(languages))}.")
    products = _words(row.get("products"))
    if len(products) > 1:
        found.append(f"- [ ] It says where these differ: {inline(', '.join(products))}.")
    return _section("What the article must answer", "\n".join(found))


def _unknown(row: dict[str, Any]) -> str:
    found = []
    labels = row.get("labels")
    if not labels:
        found.append("No answer here was tagged by a reviewer; the failure rate is an estimate.")
    elif labels < 20:
        low, high = _share(row.get("failure_low")), _share(row.get("failure_high"))
        found.append(f"Only {int(labels)} answers were tagged; the failure rate may lie between {low} and {high}.")
    if not _dicts(row.get("agent_answers")) and not _steps(row):
        found.append("No agent's answer is on record for it.")
    elif not _steps(row):
        found.append("Agents have not answered it the same way twice, so no step is sure.")
    elif row["kind"] == "missing":
        found.append("Whether what agents answered is the rule: no article says it yet, so have it confirmed.")
    sure = row.get("probability")
    if sure is not None and float(sure) < 0.7:
        found.append(f"The kind is not certain ({float(sure):.0%}): check whether it is really “{row['kind']}”.")
    if not row.get("owner_id"):
        found.append("Nobody owns this area: " + inline(row.get("owner_reason") or "decide who does."))
    return _section("What we do not know", "\n".join(bullet(text, escaped=True) for text in found))


def _share(value: object) -> str:
    return f"{float(value):.0%}" if isinstance(value, int | float) else "?"


def _thin(row: dict[str, Any]) -> bool:
    quotes = sum(bool(entry.get("quote")) for entry in _dicts(row.get("examples")))
    answers = len(_dicts(row.get("agent_answers"))) + len(_steps(row))
    evidence = answers + len(_dicts(row.get("passages"))) + len(_words(row.get("customer_words")))
    return quotes < _FEW_QUOTES or evidence == 0


def _ask_the_expert(row: dict[str, Any]) -> str:
    about = inline(row.get("topic_label") or row.get("title") or "this")
    asked = {
        "missing": [f"What should a customer do about “{about}”, step by step?"],
        "stale": ["What changed, and since when?", "Which sentence of the article is wrong now, and what is right?"],
        "incomplete": ["Which of the questions below does the article leave open?"],
        "contradictory": ["Which of the answers is right?", "Who decides, and where is it written down?"],
        "unfindable": ["What do customers call this?", "Which other articles should lead here?"],
    }[row["kind"]]
    answers = [entry for entry in _dicts(row.get("agent_answers")) if entry.get("quote")]
    answered = {entry.get("conversation_id") for entry in answers}
    if not _steps(row):
        asked += [
            f"Does this hold for every customer: “{_short(entry)}”{_from(entry)}?" for entry in answers[:_TO_CHECK]
        ]
    if row["kind"] != "unfindable":
        open_ones = [
            e for e in _dicts(row.get("examples")) if e.get("quote") and e.get("conversation_id") not in answered
        ]
        asked += [
            f"What do we tell a customer who asks: “{_short(entry)}”{_from(entry)}?" for entry in open_ones[:_TO_CHECK]
        ]
        asked.append("When does a human have to take over?")
    return _section(
        "Ask the expert these questions",
        _why_ask(row, answers),
        "\n".join(f"{place}. {text}" for place, text in enumerate(asked, start=1)),
    )


def _why_ask(row: dict[str, Any], answers: list[dict[str, Any]]) -> str:
    if _thin(row):
        return "The evidence is thin, so this is not a draft yet."
    if not answers:
        return "No agent's answer is on record, so nobody has said yet what is right."
    return "Agents have not answered this the same way twice, so there are no steps to start from."


def _short(entry: dict[str, Any]) -> str:
    return inline(shortened(str(entry["quote"]), _LINE))


def _from(entry: dict[str, Any]) -> str:
    return f" (conversation {inline(entry['conversation_id'])})" if entry.get("conversation_id") else ""
