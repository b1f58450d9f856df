"""What stands in a draft or a revision brief, for the writer who owns the gap.

Everything in it comes from the run: what customers asked, what agents answered, what the articles say today. Nothing
is made up; where there is little to go on, the draft says so and lists what to ask the expert. Texts from
conversations and articles are escaped, so that none of them can become a heading, a link or HTML.
"""

from __future__ import annotations

import re
from itertools import groupby
from typing import Any

from models.passages import bare
from models.questions import shortened
from models.steps import instructions
from pipelines.drafts.matter import front_matter
from pipelines.markdown import bullet, heading, inline, quote

__all__ = ["KINDS", "draft"]

QUOTES = 5
# Below this, a draft would be padding: the expert is asked instead.
_FEW_QUOTES, _FEW_CONVERSATIONS = 2, 5
# Questions of a kind that the expert is asked, and how much of a quote each shows.
_TO_CHECK, _LINE = 2, 160
_REPLY = 500
_TITLE = 70  # letters of a phrasing that may serve as a title
_WEB = re.compile(r"https?://[A-Za-z0-9\-._~:/?#@!$&()*+,;=%]+")
_TODO = {
    "missing": "Write the article",
    "stale": "Bring the article up to date",
    "incomplete": "Add what the article leaves out",
    "contradictory": "Settle what is right, and say it once",
    "unfindable": "Make the article reachable in customers' words",
}
KINDS = tuple(_TODO)


def draft(row: dict[str, Any], articles: dict[str, dict[str, Any]], run: dict[str, Any], polished: str = "") -> str:
    """The whole text of one draft: front matter, then what the writer needs, by kind.

    Parameters
    ----------
    row
        A gap of the backlog, with the evidence that :func:`pipelines.gap_evidence.gather` found.
    articles
        Articles by id: title, url, updated_at, body.
    run
        `run.json`.
    polished
        A text by an endpoint, already checked against the evidence; "" for none.
    """
    article = articles.get(str(row.get("article_id") or ""), {})
    kind = row["kind"]
    parts = [
        front_matter(row, run),
        f"# {inline(row.get('title') or 'Untitled gap')}",
        _why(row, article),
        _titles(row),
    ]
    if _thin(row) or (kind != "unfindable" and not _steps(row)):
        parts.append(_ask_the_expert(row))
    parts.append(_section("A first text", polished))
    if kind == "unfindable":
        parts.append(_words_to_add(row))
    elif kind != "missing":
        parts.append(_passages(row, articles))
    parts += [_asked(row), "" if kind == "unfindable" else _answered(row), _acceptance(row), _unknown(row)]
    return "\n\n".join(part for part in parts if part) + "\n"


def _dicts(value: object) -> list[dict[str, Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _words(value: object) -> list[str]:
    return [str(item) for item in value if item] if isinstance(value, list) else []


def _section(title: str, *blocks: str) -> str:
    inside = [block for block in blocks if block]
    return "\n\n".join([f"## {title}", *inside]) if inside else ""


def _count(number: object, one: str, many: str = "") -> str:
    """A number with its noun.

    Examples
    --------
    >>> _count(1, "conversation"), _count(1200, "conversation")
    ('1 conversation', '1,200 conversations')
    """
    found = int(number) if isinstance(number, int | float) else 0
    return f"{found:,} {one if found == 1 else many or one + 's'}"


def _why(row: dict[str, Any], article: dict[str, Any]) -> str:
    asked, rate = row.get("conversations"), row.get("weekly_rate")
    figures = []
    if asked is not None:
        weekly = "" if rate is None else f", {float(rate):.1f} a week" if rate >= 0.1 else ", fewer than 0.1 a week"
        figures.append(_count(asked, "conversation") + weekly)
    if row.get("failure_rate") is not None:
        figures.append(f"{float(row['failure_rate']):.0%} of the answers about it failed")
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
    listed = "\n".join(bullet(bare(reason)) for reason in _words(row.get("reasons")))
    return "\n\n".join(part for part in (*lines, listed) if part)


def _titles(row: dict[str, Any]) -> str:
    """Short phrasings of customers that could stand as the title."""
    if row["kind"] != "missing":
        return ""
    said = [" ".join(str(entry["quote"]).split()) for entry in _quoted(row.get("examples"))]
    short = [text.rstrip(".") for text in said if len(text.split()) >= 3 and len(text) <= _TITLE and "‹" not in text][
        :3
    ]
    return "Other titles in customers' words:\n\n" + "\n".join(map(bullet, short)) if short else ""


def _quoted(value: object) -> list[dict[str, Any]]:
    return [entry for entry in _dicts(value) if entry.get("quote")]


def _asked(row: dict[str, Any]) -> str:
    blocks, total = [], row.get("conversations")
    for entry in _quoted(row.get("examples"))[:QUOTES]:
        told = []
        if (entry.get("count") or 0) > 1 and total:
            told.append(f"asked like this in {int(entry['count']):,} of {_count(total, 'conversation')}")
        if entry.get("conversation_id"):
            told.append(("such as " if told else "conversation ") + inline(entry["conversation_id"]))
        blocks.append(quote(entry["quote"]) + (f"\n>\n> — {', '.join(told)}" if told else ""))
    note = "Shortened to what they are about; the most usual way to ask comes first." if len(blocks) > 1 else ""
    return _section("What customers ask", note, *blocks) if blocks else ""


def _answered(row: dict[str, Any]) -> str:
    steps, whole = _steps(row), _quoted(row.get("agent_answers"))
    if not steps:
        return _section("What agents answered", *map(_reply, whole[:2]))
    ways = [list(way) for _, way in groupby(steps, key=lambda step: step.get("way") or 1)]
    blocks = ["They are agents' own words, each from at least two conversations: have them confirmed. " + _ended(row)]
    if len(ways) > 1:
        blocks.append(
            f"There are {len(ways)} different answers: alternatives, or answers to different cases, and **not** steps "
            "one after another."
        )
    for number, way in enumerate(ways, start=1):
        if len(ways) > 1:
            blocks.append(f"### Answer {number}")
        if way[0].get("asked"):
            blocks.append(f"Given, for example, to: “{inline(shortened(str(way[0]['asked']), _LINE))}”")
        ordered = all(step.get("order") for step in way)
        blocks.append(
            "\n".join(
                f"{f'{place}.' if ordered else '-'} {inline(step['text'])}{_source(step)}"
                for place, step in enumerate(way, start=1)
            )
        )
    if whole and not _thin(row):
        blocks += ["### In full" if len(ways) > 1 else "In full:", *map(_reply, whole[:2])]
    return _section("What agents answered", *blocks)


def _reply(entry: dict[str, Any]) -> str:
    source = f"\n>\n> — conversation {inline(entry['conversation_id'])}" if entry.get("conversation_id") else ""
    return quote(shortened(str(entry["quote"]), _REPLY)) + source


def _ended(row: dict[str, Any]) -> str:
    """How the conversations that agents answered ended."""
    found = row.get("answered")
    if not isinstance(found, dict) or not found.get("conversations"):
        return ""
    well, badly = int(found["well"]), int(found["badly"])
    told = [f"{well:,} ended well (resolved, or rated 4 or better)"]
    told += [f"{badly:,} did not and {'is' if badly == 1 else 'are'} left out"] if badly else []
    rest = int(found["conversations"]) - well - badly
    told += [f"of {rest:,} nobody knows"] if rest else []
    return f"Of {_count(found['conversations'], 'conversation')} that agents answered, {'; '.join(told)}."


def _steps(row: dict[str, Any]) -> list[dict[str, Any]]:
    return [step for step in _dicts(row.get("steps")) if step.get("text")]


def _source(step: dict[str, Any]) -> str:
    """How many conversations hold a sentence, how many of them ended well, and some of them."""
    if not step.get("count"):
        return ""
    told = _count(step["count"], "conversation")
    if step.get("worked") is not None:
        told += f", {int(step['worked'])} ended well"
    ids = ", ".join(inline(i) for i in _words(step.get("conversation_ids")))
    return f" ({told}{f'; such as {ids}' if ids else ''})"


def _passages(row: dict[str, Any], articles: dict[str, dict[str, Any]]) -> str:
    rows, kind = _dicts(row.get("passages")), row["kind"]
    if kind == "incomplete" and rows:
        listed = "\n".join(
            bullet(f"{_under(p)}{inline(p['evidence'])}{_source(p)}", escaped=True) for p in rows if p.get("evidence")
        )
        note = "Agents say this, and no sentence of the article does. The section named is the nearest one."
        return _section("Passages to change", note, listed)
    blocks: list[str] = []
    stand: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for pair in rows:
        if pair.get("passage"):
            stand.setdefault((str(pair.get("article_id") or ""), bare(str(pair["passage"]))), []).append(pair)
    for (article, passage), found in stand.items():
        title = (articles.get(article) or {}).get("title") if kind == "contradictory" else None
        name = f"“{inline(title)}”" if title else "The article"
        name += f" ({inline(article)})" if article else ""
        section = next((p["section"] for p in found if p.get("section")), "")
        where = f", under “{inline(section)}”" if section else ""
        blocks.append(f"**{name} says**{where}:\n\n{quote(passage)}")
        said = [p for p in found if p.get("evidence") and (p.get("count") or kind != "contradictory")]
        if said:
            listed = "\n".join(bullet(inline(p["evidence"]) + _source(p), escaped=True) for p in said)
            blocks.append(f"**Agents say instead:**\n\n{listed}")
    if blocks:
        note = "Found by likeness of words and figures: see for each whether it is the one that is meant."
        return _section("Passages to change", note if kind == "stale" else "", *blocks)
    body = (articles.get(str(row.get("article_id"))) or {}).get("body")
    sections = re.findall(r"^#{1,4}[ \t]+(.+)$", str(body or ""), flags=re.MULTILINE)
    note = "No sentence of the article stands out; read it against the questions and answers below."
    listed = "\n".join(bullet(heading(found)) for found in sections[:20])
    return _section("Passages to change", note, f"Its sections today:\n\n{listed}" if listed else "")


def _under(passage: dict[str, Any]) -> str:
    return f"Under “{inline(passage['section'])}”: " if passage.get("section") else ""


def _words_to_add(row: dict[str, Any]) -> str:
    words, title = _words(row.get("customer_words")), row.get("article_title")
    label = row.get("topic_label") or row.get("title") or ""
    return _section(
        "Words to add",
        f"Title today: {inline(title)}\n\nTitle in customers' words: {inline(label)}" if title else "",
        "Customers use these words, and the article does not:\n\n" + "\n".join(map(bullet, words)) if words else "",
        "Add the phrasings under “What customers ask” to the article or to its search terms.",
    )


def _acceptance(row: dict[str, Any]) -> str:
    kind, article, total = row["kind"], row.get("article_id"), row.get("conversations")
    found = []
    for entry in _quoted(row.get("examples"))[:QUOTES]:
        share = f" ({int(entry['count'])} of {int(total)} ask it)" if (entry.get("count") or 0) > 1 and total else ""
        found.append(f"- [ ] It answers “{inline(shortened(str(entry['quote']), 110))}”{share}.")
    if kind == "unfindable":
        found.append("- [ ] A search for each of the words and phrasings above finds it.")
    if kind == "contradictory":
        found.append("- [ ] One answer holds everywhere: the articles, the bot and the agents say the same.")
    if kind == "incomplete" and _dicts(row.get("passages")):
        found.append("- [ ] It says what it leaves out today, or leads to where that is said.")
    if kind == "stale":
        stand = dict.fromkeys(str(p["passage"]) for p in _dicts(row.get("passages")) if p.get("passage"))
        found += [f"- [ ] “{inline(shortened(passage, 110))}” is changed or confirmed." for passage in stand]
    if kind in {"stale", "incomplete"} and article:
        found.append(f"- [ ] Nothing in {inline(article)} contradicts what agents tell customers today.")
    if kind != "unfindable" and any(re.search(r"\d", str(step["text"])) for step in _steps(row)):
        found.append("- [ ] Somebody who knows has confirmed every figure in it.")
    languages = _words(row.get("languages"))
    if len(languages) > 1:
        found.append(f"- [ ] It exists in each language that customers asked in: {inline(', '.join(languages))}.")
    return _section("What the article must answer", "\n".join(found))


def _unknown(row: dict[str, Any]) -> str:
    found = []
    labels = row.get("labels")
    if not labels:
        found.append("No answer here was tagged by a reviewer; the failure rate is an estimate.")
    elif labels < 20:
        low, high = _share(row.get("failure_low")), _share(row.get("failure_high"))
        told = f"Only {_count(labels, 'answer was', 'answers were')} tagged"
        found.append(f"{told}; the failure rate may lie between {low} and {high}.")
    if not _quoted(row.get("agent_answers")) and not _steps(row):
        found.append("No agent's answer is on record for it.")
    elif not _steps(row):
        found.append("Agents have not answered it the same way twice, so no step is sure.")
    elif row["kind"] == "missing":
        found.append("Whether what agents answered is the rule: no article says it yet, so have it confirmed.")
    if len({step.get("way") or 1 for step in _steps(row)}) > 1 and row["kind"] != "unfindable":
        found.append("Which of the answers holds in which case: the conversations do not always say.")
    sure = row.get("probability")
    if sure is not None and float(sure) < 0.7:
        found.append(f"The kind is not certain ({float(sure):.0%}): check whether it is really “{row['kind']}”.")
    if not row.get("owner_id"):
        why = str(row.get("owner_reason") or "decide who does").removeprefix("unowned: ")
        found.append(f"Nobody is asked to do this yet: {inline(why)}.")
    return _section("What we do not know", "\n".join(bullet(text, escaped=True) for text in found))


def _share(value: object) -> str:
    return f"{float(value):.0%}" if isinstance(value, int | float) else "?"


def _thin(row: dict[str, Any]) -> bool:
    quotes = sum(bool(entry.get("quote")) for entry in _dicts(row.get("examples")))
    answers = len(_dicts(row.get("agent_answers"))) + len(_steps(row))
    evidence = answers + len(_dicts(row.get("passages"))) + len(_words(row.get("customer_words")))
    few = 0 < int(row.get("conversations") or 0) < _FEW_CONVERSATIONS and len(_steps(row)) < 2
    return quotes < _FEW_QUOTES or evidence == 0 or (few and row["kind"] != "unfindable")


def _ask_the_expert(row: dict[str, Any]) -> str:
    about = inline(row.get("topic_label") or row.get("title") or "this")
    asked = {
        "missing": [f"What should a customer do about “{about}”, step by step?"],
        "stale": ["What changed, and since when?", "Which sentence of the article is wrong now, and what is right?"],
        "incomplete": ["Which of the questions below does the article leave open?"],
        "contradictory": ["Which of the answers is right?", "Who decides, and where is it written down?"],
        "unfindable": ["What do customers call this?", "Which other articles should lead here?"],
    }[row["kind"]]
    answers = _quoted(row.get("agent_answers"))
    answered = {entry.get("conversation_id") for entry in answers}
    if not _steps(row):
        told = [(_telling(str(entry["quote"])), entry) for entry in answers]
        asked += [f"Does this hold for every customer: “{inline(t)}”{_from(e)}?" for t, e in told if t][:_TO_CHECK]
    if row["kind"] != "unfindable":
        open_ones = [e for e in _quoted(row.get("examples")) if e.get("conversation_id") not in answered]
        asked += [
            f"What do we tell a customer who asks: “{_short(entry)}”{_from(entry)}?" for entry in open_ones[:_TO_CHECK]
        ]
        asked.append("When does a human have to take over?")
    return _section(
        "Ask the expert these questions",
        _why_ask(row, answers),
        "\n".join(f"{place}. {text}" for place, text in enumerate(asked, start=1)),
    )


def _telling(reply: str) -> str:
    """The sentence of a reply that somebody could say yes or no to: the first instruction of readable length."""
    told = [sentence for sentence, _ in instructions(reply)] or [reply]
    return next((sentence for sentence in told if len(sentence) <= _LINE), "")


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
