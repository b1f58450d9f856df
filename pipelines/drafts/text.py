"""The text of a draft, for the writer who owns the gap: the article first, or its changes, then the evidence.

Everything in it comes from the run: customers' questions, agents' answers, and today's articles. Nothing is made up;
if there is little evidence, the draft says so and lists questions for the expert. Texts from
conversations and articles are escaped, so that none of them can become a heading, a link or HTML.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from lacuna.models.backlog.gap import Gap
from lacuna.models.backlog.gap_kinds import GAP_KINDS
from lacuna.models.text.markup import bare
from lacuna.models.text.words import shortened
from lacuna.models.writing.agent_sentences import instructions
from lacuna.models.writing.duplicates import Cover
from lacuna.models.writing.house_form import HouseForm
from lacuna.pipelines.drafts.article import article, languages_planned, sentence, title_of
from lacuna.pipelines.drafts.changes import changes
from lacuna.pipelines.drafts.checks import before_publishing
from lacuna.pipelines.drafts.evidence import answered, words_to_add
from lacuna.pipelines.drafts.footnotes import Footnotes
from lacuna.pipelines.drafts.front_matter import front_matter
from lacuna.pipelines.drafts.rows import (
    LINE,
    chapter,
    counted,
    dicts_in,
    in_conversation,
    is_thin,
    named,
    quoted_in,
    steps_of,
    subject_of,
    words_in,
)  # fmt: skip
from lacuna.pipelines.presentation.format import percent
from lacuna.pipelines.presentation.links import conversation_url
from lacuna.pipelines.presentation.markdown import bullet, inline, quote
from lacuna.pipelines.report.gap_figures import figures_of, sets_explanation

__all__ = ["draft"]

QUOTES = 5
FEWEST_SENTENCES = 2  # of an article; with fewer, the draft asks the expert as well
_TO_CHECK = 2  # questions of each kind for the expert
_WEB = re.compile(r"https?://[A-Za-z0-9\-._~:/?#@!$&()*+,;=%]+")
_LANGUAGES = {"en": "English", "de": "German", "fr": "French", "es": "Spanish", "it": "Italian", "nl": "Dutch"}


def draft(
    gap: Gap,
    articles: Mapping[str, Mapping[str, Any]],
    run: dict[str, Any],
    polished: str = "",
    forms: Mapping[str, HouseForm] | None = None,
    covers: Sequence[Cover] = (),
) -> str:
    """The whole text of one draft: front matter, the article or its changes, what to settle, sources, evidence.

    Parameters
    ----------
    gap
        A gap of the backlog, with the evidence from :func:`pipelines.steps.rank.gap_evidence.gather`.
    articles
        Articles by id: title, url, updated_at, body.
    run
        `run.json`.
    polished
        A note on the plan's sentences, where an endpoint wrote them out; "" for none.
    forms
        The house form by language; a plain one where a language has none.
    covers
        What covers the same already.
    """
    url, kind, forms = conversation_url(run), gap.kind, forms or {}
    notes = Footnotes(url)
    planned = languages_planned([row for row in gap.plan if row["part"] != "open"])
    main = planned[0] if planned else ""
    form = forms.get(main) or HouseForm(language=main)
    parts = [
        front_matter(gap, run),
        f"# {inline((title_of(gap, main) if kind == 'missing' else gap.title) or 'Untitled gap')}",
        _opening(gap, articles, form),
        _covered(covers, articles),
        polished,
    ]
    n_told = sum(row["part"] not in ("title", "open") for row in gap.plan)
    too_little = n_told < FEWEST_SENTENCES and not gap.passages
    if is_thin(gap) or (kind != "unfindable" and too_little):
        parts.append(_ask_the_expert(gap, url))
    if kind == "missing" and not too_little and not is_thin(gap):
        parts.append(article(gap, main, form, articles, notes))
        parts += [_in_language(gap, language, forms, articles, notes) for language in planned[1:]]
    elif kind == "unfindable":
        parts.append(words_to_add(gap))
    elif kind != "missing":
        parts.append(_changes(gap, articles, form, notes))
        own = str((articles.get(str(gap.article_id)) or {}).get("language") or main)
        parts += [
            _in_language(gap, language, forms, articles, notes) for language in planned if language not in ("", own)
        ]
    parts.append(before_publishing(gap, notes))
    parts += ["" if not notes.listed() else notes.listed(), "## Evidence", _reasons(gap, kind)]
    agents_answered = "" if kind == "unfindable" else answered(gap, url)
    parts += [_customer_questions(gap, url), agents_answered, _acceptance(gap), _unknown(gap)]
    return "\n\n".join(part for part in parts if part) + "\n"


def _opening(gap: Gap, articles: Mapping[str, Mapping[str, Any]], form: HouseForm) -> str:
    """What is to be done, in how many conversations it is asked, in which form; for a change, why and since when."""
    figures = figures_of(gap)
    size_words = "; ".join(part for part in (figures.size(), figures.failing(), figures.tags()) if part)
    lines = [f"> **{GAP_KINDS[gap.kind].task}.**" + (f" In this window: {size_words}." if size_words else "")]
    if gap.article_id:
        row = articles.get(str(gap.article_id), {})
        title = row.get("title") or gap.article_title
        article_name = f"{inline(title)} ({inline(gap.article_id)})" if title else inline(gap.article_id)
        address = f", at <{row['url']}>" if _WEB.fullmatch(str(row.get("url") or "")) else ""
        last_change = f", last changed {inline(str(row['updated_at'])[:10])}" if row.get("updated_at") else ""
        lines.append(f"> Article: {article_name}{address}{last_change}.")
    if gap.kind == "missing" and gap.plan:
        lines.append(f"> {form.in_words()} Numbers in brackets lead to the conversations; evidence stands at the end.")
    return "\n>\n".join(lines) + ("\n\n" + _reasons_listed(gap) if gap.kind not in ("missing", "unfindable") else "")


def _reasons_listed(gap: Gap) -> str:
    return "\n".join(bullet(bare(reason)) for reason in words_in(gap.reasons))


def _reasons(gap: Gap, kind: str) -> str:
    listed = _reasons_listed(gap) if kind in ("missing", "unfindable") else ""
    return chapter("Why it is a gap", sets_explanation(), listed)


def _covered(covers: Sequence[Cover], articles: Mapping[str, Mapping[str, Any]]) -> str:
    """What covers the same already, with the choice to extend it instead."""
    if not covers:
        return ""
    named_covers = []
    for cover in covers:
        address = str((articles.get(cover.key) or {}).get("url") or "") if cover.kind == "article" else ""
        place = f", at <{address}>" if _WEB.fullmatch(address) else ""
        status = f", {inline(cover.status)}" if cover.status else ""
        named_covers.append(
            f"> - {cover.kind} “{inline(cover.title)}” ({inline(cover.key)}{status}): {inline(cover.why)}{place}"
        )
    return "> **Covers the same: extend one of these instead?**\n>\n" + "\n".join(named_covers)


def _told_now(gap: Gap, form: HouseForm, notes: Footnotes) -> str:
    """What agents tell customers now, where it is not known which sentence of the article it changes."""
    rows = [row for row in gap.plan if row["part"] not in ("title", "open")]
    listed = "\n".join(f"- {sentence(row['text'], form)}{notes.mark(row)}" for row in rows)
    return f"\n\n## What agents tell customers now\n\n{listed}" if listed else ""


def _in_language(
    gap: Gap, language: str, forms: Mapping[str, HouseForm], articles: Mapping[str, Mapping[str, Any]], notes: Footnotes
) -> str:  # fmt: skip
    """The draft in one more language, under its own heading."""
    form = forms.get(language) or HouseForm(language=language)
    name = _LANGUAGES.get(language, language)
    text = article(gap, language, form, articles, notes, deeper=1)
    return f"## In {inline(name)}: {inline(title_of(gap, language))}\n\n{text}" if text else ""


def _changes(gap: Gap, articles: Mapping[str, Mapping[str, Any]], form: HouseForm, notes: Footnotes) -> str:
    """The article, or articles, with proposed changes; a note where no passage can be named."""
    shown = changes(gap, articles, form, notes)
    if not shown:
        return (
            "## What to change in the article\n\nWhich passage it is could not be told: what agents say is near to "
            "none of its sentences. Read the whole article against the questions and answers below."
        ) + _told_now(gap, form, notes)
    blocks = [
        "## Proposed changes",
        "Lines with `-` would go, lines with `+` would come in; `!` marks a comment on which you decide.",
    ]
    for article_id, diff in shown:
        title = (articles.get(article_id) or {}).get("title")
        blocks += [f"**{inline(title) if title else 'The article'}** ({inline(article_id)}):", f"```diff\n{diff}\n```"]
    translations = [
        f"{inline(row.get('title') or key)} ({inline(key)}, {inline(row.get('language') or '')})"
        for key, row in sorted(articles.items())
        if row.get("translation_of") and row.get("translation_of") == gap.article_id
    ]
    if translations:
        blocks.append(f"Its translations need the same: {', '.join(translations)}.")
    return "\n\n".join(blocks)


def _customer_questions(gap: Gap, url: str) -> str:
    blocks, total = [], gap.conversations
    for entry in quoted_in(gap.examples)[:QUOTES]:
        notes = []
        if (entry.get("count") or 0) > 1 and total:
            notes.append(f"asked like this in {int(entry['count']):,} of {counted(total, 'conversation')} in the gap")
        if entry.get("conversation_id"):
            notes.append(("such as " if notes else "conversation ") + named(entry["conversation_id"], url))
        blocks.append(quote(entry["quote"]) + (f"\n>\n> — {', '.join(notes)}" if notes else ""))
    note = "Shortened to what they are about; the most usual way to ask comes first." if len(blocks) > 1 else ""
    return chapter("What customers ask", note, *blocks, _typed_searches(gap)) if blocks else ""


def _typed_searches(gap: Gap) -> str:
    """What customers typed into the search before they wrote a ticket."""
    searches = _queries(gap)
    if not searches:
        return ""
    listed = "\n".join(bullet(f"“{inline(q['query'])}”{_times(q.get('count'))}", escaped=True) for q in searches)
    return f"Typed into the search, which gave nothing of use, before they wrote:\n\n{listed}"


def _times(count: object) -> str:
    return f" ({counted(count, 'search', 'searches')})" if isinstance(count, int | float) and count > 1 else ""


def _queries(gap: Gap) -> list[dict[str, Any]]:
    return [search for search in dicts_in(gap.queries) if search.get("query")][:QUOTES]


def _acceptance(gap: Gap) -> str:
    kind, article, total = gap.kind, gap.article_id, gap.conversations
    criteria = []
    for entry in quoted_in(gap.examples)[:QUOTES]:
        share = f" ({int(entry['count'])} of {int(total)} ask it)" if (entry.get("count") or 0) > 1 and total else ""
        criteria.append(f"- [ ] It answers “{inline(shortened(str(entry['quote']), 110))}”{share}.")
    if kind == "unfindable":
        criteria.append("- [ ] A search for each of the words and phrasings above finds it.")
    elif kind == "missing" and _queries(gap):
        criteria.append("- [ ] A search for what customers type finds it.")
    if kind == "contradictory":
        criteria.append("- [ ] One answer holds everywhere: the articles, the bot and the agents say the same.")
    if kind == "incomplete" and dicts_in(gap.passages):
        criteria.append("- [ ] It says what it leaves out today, or leads to where that is said.")
    if kind == "stale":
        quoted_passages = dict.fromkeys(str(p["passage"]) for p in dicts_in(gap.passages) if p.get("passage"))
        criteria += [
            f"- [ ] “{inline(shortened(passage, 110))}” is changed or confirmed." for passage in quoted_passages
        ]
    if kind in {"stale", "incomplete"} and article:
        criteria.append(f"- [ ] Nothing in {inline(article)} contradicts what agents tell customers today.")
    if kind != "unfindable" and any(re.search(r"\d", str(step["text"])) for step in steps_of(gap)):
        criteria.append("- [ ] Somebody who knows has confirmed every figure in it.")
    languages = words_in(gap.languages)
    if len(languages) > 1:
        criteria.append(f"- [ ] It exists in each language that customers asked in: {inline(', '.join(languages))}.")
    return chapter("What the article must answer", "\n".join(criteria))


def _unknown(gap: Gap) -> str:
    unknowns = []
    tagged = gap.n_tagged
    if gap.by_people == 1:
        unknowns.append("No bot answered in the gap: that people were needed is all that tells of it.")
    elif not tagged:
        unknowns.append("No answer in the gap was tagged by a reviewer: the share that failed is an estimate.")
    elif tagged < 20:
        n_tagged_words = (
            f"Only {counted(tagged, 'answer', 'answers')} in the gap {'was' if tagged == 1 else 'were'} tagged"
        )
        low, high = percent(gap.failure_low), percent(gap.failure_high)
        unknowns.append(f"{n_tagged_words}: of all conversations about it, between {low} and {high} may have failed.")
    if not quoted_in(gap.agent_answers) and not steps_of(gap):
        unknowns.append("No agent's answer is on record for it.")
    elif not steps_of(gap):
        unknowns.append("Agents have not answered it the same way twice, so no step is sure.")
    elif gap.kind == "missing":
        unknowns.append("Whether what agents answered is the rule: no article says it yet, so have it confirmed.")
    if len({step.get("way") or 1 for step in steps_of(gap)}) > 1 and gap.kind != "unfindable":
        unknowns.append("Which of the answers holds in which case: the conversations do not always say.")
    kind_probability = gap.probability
    if kind_probability is not None and float(kind_probability) < 0.7:
        unknowns.append(
            f"The kind is not certain ({percent(kind_probability)}): check whether it is really “{gap.kind}”."
        )
    if not gap.owner_id:
        why = str(gap.owner_reason or "decide who does").removeprefix("unowned: ")
        unknowns.append(f"Nobody is asked to do this yet: {inline(why)}.")
    return chapter("What we do not know", "\n".join(bullet(text, escaped=True) for text in unknowns))


def _ask_the_expert(gap: Gap, url: str) -> str:
    topic = inline(subject_of(gap) or "this")
    questions = [question.format(topic=topic) for question in GAP_KINDS[gap.kind].questions]
    answers = quoted_in(gap.agent_answers)
    quoted_ids = {entry.get("conversation_id") for entry in answers}
    if not steps_of(gap):
        sentences = [(_confirmable_sentence(str(entry["quote"])), entry) for entry in answers]
        questions += [
            f"Does this hold for every customer: “{inline(text)}”{in_conversation(entry, url)}?"
            for text, entry in sentences
            if text
        ][:_TO_CHECK]
    if gap.kind != "unfindable":
        unanswered = [e for e in quoted_in(gap.examples) if e.get("conversation_id") not in quoted_ids]
        questions += [
            f"What do we tell a customer who asks: “{_short(entry)}”{in_conversation(entry, url)}?"
            for entry in unanswered[:_TO_CHECK]
        ]
        questions.append("When does a human have to take over?")
    return chapter(
        "Ask the expert these questions",
        _why_ask(gap, answers),
        "\n".join(f"{place}. {text}" for place, text in enumerate(questions, start=1)),
        level=2,
    )


def _confirmable_sentence(reply: str) -> str:
    """The sentence of a reply that an expert can confirm or deny: the first short instruction."""
    sentences = [sentence for sentence, _ in instructions(reply)] or [reply]
    return next((sentence for sentence in sentences if len(sentence) <= LINE), "")


def _why_ask(gap: Gap, answers: list[dict[str, Any]]) -> str:
    if is_thin(gap):
        return "The evidence is thin, so this is not a draft yet."
    if not answers:
        return "No agent's answer is on record, so nobody has said yet what is right."
    if gap.plan:
        return "Agents agree on too little for an article."
    return "Agents have not answered this the same way twice, so there are no steps to start from."


def _short(entry: dict[str, Any]) -> str:
    return inline(shortened(str(entry["quote"]), LINE))
