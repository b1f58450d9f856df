"""What a writer needs to close a gap, gathered from its conversations and its article, gap by gap."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from lacuna.models.arrays import F32
from lacuna.models.conversations.questions import MAX_WORDS, main_question
from lacuna.models.text import markup
from lacuna.models.text.lexicon import STOP_WORDS
from lacuna.models.text.salience import Matter, counted
from lacuna.models.text.vectors import unit
from lacuna.models.text.words import shortened, stems, words_of
from lacuna.models.writing import passages
from lacuna.models.writing.phrasings import different
from lacuna.models.writing.resolution_steps import Step, distil, statements
from lacuna.pipelines.io.vector_cache import embed
from lacuna.pipelines.runtime.job import Job

__all__ = ["gather"]


QUOTES, QUOTE_LENGTH = 5, 300
ABOUT = 0.3  # of what the gap's questions say about the matter in the middle; a question that says less is not shown
ANSWERS, LONG = 3, 500  # whole answers; letters from which on one is shown only where there is no shorter one
QUESTION = 160
GOOD, BAD = 4.0, 2.0  # csat from which on a conversation ended well, and up to which it did not
CAME_BACK = pd.Timedelta(days=14)  # the same customer escalates the same problem again: it was not resolved
WORDS, USED, TELLING = 8, 0.08, 1.1  # words that an article lacks; share of a gap's questions with one; its weight
TOLD = 0.3  # what the first and the last sentence of an answer must say about the matter to be shown
_WORDS = re.compile(rf"(?:\s*\S+){{0,{MAX_WORDS}}}")
_HIDDEN = re.compile(r"<([A-Z_]{2,})>")
ALONE = 200  # sentences that single agents told, looked at where no two told alike


@dataclass(frozen=True)
class _Said:
    """What customers and agents of all conversations said, and which conversations ended well or badly."""

    questions: pd.Series
    vectors: pd.Series
    replies: Mapping[str, list[str]]
    asked: Mapping[str, int]
    told: Mapping[str, int]
    well: frozenset[str]
    badly: frozenset[str]


def gather(job: Job, gaps: Sequence[Mapping[str, Any]], articles: pd.DataFrame) -> dict[str, dict[str, Any]]:
    """The evidence for each gap: phrasings, answers, steps, passages and words.

    Only replies of conversations that are not known to have failed are taken: not those unresolved, rated badly, or
    whose customer escalated the same topic again within two weeks.

    Parameters
    ----------
    job
        A job that has been through diagnose.
    gaps
        gap_id, kind, article_id, conversation_ids, passages of each.
    articles
        By article_id: title, body.

    Returns
    -------
    dict
        By gap_id: ``examples`` and ``agent_answers`` (conversation_id and quote; ``count`` conversations ask the same
        way), ``steps`` (:class:`models.writing.resolution_steps.Step`), ``passages``,
        ``customer_words`` and ``answered`` (how many conversations agents answered, and how many of them ended well
        or badly). All texts are redacted.
    """
    said = _said(job)
    out = {str(gap["gap_id"]): _of_gap(gap, said, articles) for gap in gaps}
    _find_passages(job, gaps, out, said, articles)
    return out


def _said(job: Job) -> _Said:
    facts, messages = job.read("measure/facts"), job.read("redact/messages")
    messages = messages.sort_values(["conversation_id", "position"])
    customers, agents = (messages[messages["role"] == role] for role in ("customer", "agent"))
    replies = {str(c): [str(t) for t in texts] for c, texts in agents.groupby("conversation_id")["text"]}
    # Names stay as they are redacted: a greeting or a sign-off is known by them, and goes with them.
    spoken = customers.groupby("conversation_id")["text"]
    shown = {str(c): _opening([_shown(t, "NAME") for t in texts]) for c, texts in spoken}
    vectors = job.read("understand/vectors").set_index("conversation_id")["vector"]
    questions = pd.Series(shown, dtype="str").reindex(vectors.index).fillna("")
    badly = facts["resolved"].eq(False).fillna(False) | facts["csat"].le(BAD).fillna(False) | _came_back(facts)
    well = (facts["resolved"].eq(True).fillna(False) | facts["csat"].ge(GOOD).fillna(False)) & ~badly
    ids = facts["conversation_id"].astype(str)
    return _Said(
        questions, vectors, replies, counted(questions), counted("\n".join(told) for told in replies.values()),
        frozenset(ids[well.astype(bool)]), frozenset(ids[badly.astype(bool)]),
    )  # fmt: skip


def _opening(texts: Sequence[str]) -> str:
    """What the customer asks, line by line, as far as a question is read."""
    found = _WORDS.match(main_question(list(texts), keep_lines=True))
    return found[0] if found else ""


def _shown(text: object, but: str = "") -> str:
    """A text in which what was redacted shows as ‹order›, and is not taken for a tag; ``but`` one kind stays."""
    return _HIDDEN.sub(
        lambda found: found[0] if found[1] == but else f"‹{found[1].lower().replace('_', ' ')}›", str(text)
    )


def _came_back(facts: pd.DataFrame) -> pd.Series:
    """Whether the same customer escalated the same problem again soon after: the same subtopic, or so a topic."""
    about = facts["subtopic_id"].fillna(facts["topic_id"])
    known = facts[facts["customer_id"].notna() & about.notna() & facts["escalated"].fillna(False)]
    ordered = known.sort_values("started_at", kind="stable")
    after = ordered.groupby(["customer_id", about[ordered.index]])["started_at"].shift(-1)
    soon = (after - ordered["started_at"]) <= CAME_BACK
    return soon.reindex(facts.index, fill_value=False)


def _of_gap(gap: Mapping[str, Any], said: _Said, articles: pd.DataFrame) -> dict[str, Any]:
    ids = sorted(str(i) for i in gap["conversation_ids"])
    asked = [i for i in ids if i in said.questions.index]
    matter = Matter.of([said.questions[i] for i in asked], said.asked, len(said.questions))
    answered = [i for i in ids if i in said.replies and i not in said.badly]
    told = ["\n".join(said.replies[i]) for i in answered]
    subject = Matter.of(told, said.told, len(said.replies))
    pairs = [(i, text) for i in sorted(answered) for text in said.replies[i]]
    steps = distil(pairs, said.well, subject)
    body = str(articles["body"].get(gap["article_id"], "")) if isinstance(gap["article_id"], str) else ""
    return {
        "examples": _examples(asked, said, matter),
        "agent_answers": _answers(answered, said, subject, steps),
        "steps": _steps(steps, answered, said, matter),
        "answered": {
            "conversations": sum(i in said.replies for i in ids),
            "well": sum(i in said.replies and i in said.well for i in ids),
            "badly": sum(i in said.replies and i in said.badly for i in ids),
        },
        "passages": [],
        "customer_words": _words([said.questions[i] for i in asked], matter, body) if body else [],
    }


def _examples(asked: Sequence[str], said: _Said, matter: Matter) -> list[dict[str, Any]]:
    if not asked:
        return []
    vectors = np.stack([np.asarray(said.vectors[i], dtype=np.float32) for i in asked])
    close = vectors @ unit(vectors.mean(axis=0, keepdims=True))[0]
    gists = [matter.gist(said.questions[i], QUOTE_LENGTH) for i in asked]
    worth = [matter.worth(gist) for gist in gists]
    gists = [gist if w >= ABOUT * np.median(worth) else "" for gist, w in zip(gists, worth, strict=True)]
    return [
        {"conversation_id": asked[p.at], "quote": shortened(gists[p.at], QUOTE_LENGTH), "count": p.times}
        for p in different(gists, [float(c) for c in close], QUOTES)
    ]


def _steps(steps: Sequence[Step], answered: Sequence[str], said: _Said, matter: Matter) -> list[dict[str, Any]]:
    """The steps, each answer's first with a question to which it was given."""
    told = {i: {text for reply in said.replies[i] for text in statements(reply)} for i in answered}
    rows: list[dict[str, Any]] = []
    for way in sorted({step["way"] for step in steps}):
        own = [step for step in steps if step["way"] == way]
        texts = {step["text"] for step in own}
        given = [i for i in answered if told[i] & texts]
        asked = _asked(given, " ".join(sorted(texts)), said, matter)
        for number, step in enumerate(own):
            text = _shown(shortened(step["text"], QUOTE_LENGTH))
            rows.append({**step, "text": text, "asked": asked if number == 0 else ""})
    return rows


def _asked(given: Sequence[str], answer: str, said: _Said, matter: Matter) -> str:
    """Of the questions that got an answer, the one that has most in common with it, and else the most to the point."""
    best, worth = "", (-1.0, -1.0)
    there = stems(answer)
    for i in given:
        gist = matter.gist(said.questions.get(i, ""), QUESTION)
        common = sum(matter.weight.get(word, 0.0) for word in sorted(stems(gist) & there))
        own = (round(common, 6), round(matter.worth(gist) / max(8, len(gist.split())), 6))
        if gist and own > worth:
            best, worth = gist, own
    return shortened(best, QUESTION)


def _answers(answered: Sequence[str], said: _Said, subject: Matter, steps: Sequence[Step]) -> list[dict[str, str]]:
    """Whole answers, without greeting and talk: those that ended well and say most about the matter."""
    shared = {str(step["text"]): int(step["count"]) for step in steps}
    found = []
    for i in answered:
        for reply in said.replies[i]:
            told = _trimmed(statements(reply), subject)
            text = _shown(" ".join(told))
            if told:
                agreed = sum(shared.get(sentence, 0) for sentence in told)
                worth = subject.worth(text) / max(20, len(text.split())) ** 0.5
                found.append((len(text) > LONG, i not in said.well, -agreed, -round(worth, 6), i, text))
    found = [one for one in found if not one[0]] or found
    chosen: list[dict[str, str]] = []
    for *_, i, text in sorted(found):
        words = set(stems(text))
        if all(len(words & stems(other["quote"])) < 0.6 * len(words) for other in chosen):
            chosen.append({"conversation_id": i, "quote": shortened(text, 2 * QUOTE_LENGTH)})
        if len(chosen) == ANSWERS:
            break
    return chosen


def _trimmed(sentences: list[str], subject: Matter) -> list[str]:
    """Sentences without what leads up to the matter and what comes after it."""
    about = [i for i, sentence in enumerate(sentences) if subject.worth(sentence) >= TOLD]
    return sentences[about[0] : about[-1] + 1] if about else []


def _words(questions: Sequence[str], matter: Matter, body: str) -> list[str]:
    """Words of the matter that many of the questions use and the article does not, the most telling first."""
    there = stems(body)
    used: dict[str, dict[str, int]] = {}
    for question in questions:
        for word in sorted(set(words_of(question)) - STOP_WORDS):
            for stemmed in stems(word) - there:
                if matter.weight.get(stemmed, 0) >= TELLING and word.isalpha() and len(word) > 2:
                    used.setdefault(stemmed, {}).setdefault(word, 0)
                    used[stemmed][word] += 1
    least = max(2, round(USED * len(questions)))
    often = {s: sum(forms.values()) for s, forms in used.items() if sum(forms.values()) >= least}
    order = sorted(often, key=lambda s: (-round(often[s] * matter.weight[s], 6), s))
    return [min(used[s], key=lambda form: (-used[s][form], form)) for s in order[:WORDS]]


def _find_passages(
    job: Job, gaps: Sequence[Mapping[str, Any]], found: dict[str, dict[str, Any]], said: _Said, articles: pd.DataFrame
) -> None:
    """Put into each gap about an article what agents say otherwise, or beyond it."""
    about = [gap for gap in gaps if gap["kind"] in ("stale", "incomplete", "contradictory")]
    lines = {
        article: passages.lines(str(articles["body"].get(article, "")))
        for gap in about
        for article in _articles_of(gap)
    }
    told = {str(gap["gap_id"]): _told(found[str(gap["gap_id"])]["steps"], gap, said) for gap in about}
    texts = {_in_place(line) for own in lines.values() for line in own} | {
        t for own in told.values() for t, _, _ in own
    }
    place = {text: i for i, text in enumerate(sorted(texts))}
    vectors = embed(sorted(texts), job.settings.embedder.name, job.store, "embedding passages")

    def of(these: Sequence[str]) -> F32:
        return vectors[[place[text] for text in these]]

    for gap in about:
        own = told[str(gap["gap_id"])]
        sentences, counts = [text for text, _, _ in own], [count for _, count, _ in own]
        rows = [{**dict(p), "section": "", "count": 0, "conversation_ids": []} for p in gap["passages"]]
        stand = {markup.bare(str(p["passage"])) for p in gap["passages"]}
        told_all = () if gap["kind"] == "incomplete" else _statements(gap, said)
        taken = passages.taken_back(text for _, text in told_all)
        for article in _articles_of(gap):
            there = [line for line in lines[article] if not stand or line.text in stand]
            vectors_there = of([_in_place(line) for line in there])
            if gap["kind"] == "incomplete":
                new = passages.left_out(there, vectors_there, of(sentences))
                rows += [_passage(article, "", section, own[i]) for i, section in new]
                continue
            least = passages.ANYHOW if stand else passages.SURELY
            pairs = passages.against(there, vectors_there, sentences, of(sentences), counts, least, taken)
            rows += [
                _passage(article, there[at].text, there[at].section, own[i]) for at, said_so in pairs for i in said_so
            ]
        found[str(gap["gap_id"])]["passages"] = rows


def _in_place(line: passages.Line) -> str:
    """A sentence with its heading, which says what it is about."""
    return f"{line.section}. {line.text}" if line.section else line.text


def _articles_of(gap: Mapping[str, Any]) -> list[str]:
    return list(dict.fromkeys([str(gap["article_id"]), *(str(p["article_id"]) for p in gap["passages"])]))


def _statements(gap: Mapping[str, Any], said: _Said) -> Iterator[tuple[str, str]]:
    """What agents stated in a gap's conversations, however these ended: conversation and sentence."""
    for i in map(str, gap["conversation_ids"]):
        for reply in said.replies.get(i, []):
            for text in statements(reply):
                yield i, text


def _told(steps: Sequence[Mapping[str, Any]], gap: Mapping[str, Any], said: _Said) -> list[tuple[str, int, list[str]]]:
    """Agents' sentences with how many conversations hold them and which; single ones where no two are alike."""
    told = [(str(s["text"]), int(s["count"]), list(s["conversation_ids"])) for s in steps]
    if told or gap["kind"] == "incomplete":
        return told
    single = {_shown(text): i for i, text in _statements(gap, said) if i not in said.badly}
    return [(text, 1, [i]) for text, i in sorted(single.items())[:ALONE]]


def _passage(article: str, passage: str, section: str, told: tuple[str, int, list[str]]) -> dict[str, Any]:
    text, count, ids = told
    return {
        "article_id": article, "section": section, "passage": passage, "evidence": text, "count": count,
        "conversation_ids": ids,
    }  # fmt: skip
