"""The evidence for each gap that a writer needs: quotes, answers, steps and passages of its article."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from lacuna.models.arrays import F32
from lacuna.models.conversations.questions import MAX_WORDS, main_question
from lacuna.models.retrieval.candidates import rows_of
from lacuna.models.text import markup
from lacuna.models.text.lexicon import STOP_WORDS
from lacuna.models.text.salience import Salience, counted
from lacuna.models.text.vectors import unit
from lacuna.models.text.words import shortened, stems, words_of
from lacuna.models.writing import passages
from lacuna.models.writing.agent_sentences import statements
from lacuna.models.writing.last_words import says_unsolved
from lacuna.models.writing.phrasings import different
from lacuna.models.writing.resolution_steps import ResolutionStep, distil
from lacuna.pipelines.io.vector_cache import embed
from lacuna.pipelines.runtime.job import Job
from lacuna.pipelines.steps.understand.matching import read_vectors

__all__ = ["gather"]


QUOTES, QUOTE_LENGTH = 5, 300
MIN_SHARE = 0.3  # of the median worth of the gap's questions; a question that is worth less is not shown
ANSWERS, LONG = 3, 500  # whole answers; characters above which one is shown only if there is no shorter one
QUESTION = 160
GOOD, BAD = 4.0, 2.0  # the least csat of a conversation that ended well, and the highest of one that ended badly
CAME_BACK = pd.Timedelta(days=14)  # the same customer escalates the same problem again: it was not resolved
# Words that an article lacks: how many are listed, and the least share of questions and the least weight of each.
WORDS, MIN_USE, MIN_WEIGHT = 8, 0.08, 1.1
MIN_WORTH = 0.3  # the least worth of the first and the last sentence of an answer that are shown
_WORDS = re.compile(rf"(?:\s*\S+){{0,{MAX_WORDS}}}")
_HIDDEN = re.compile(r"<([A-Z_]{2,})>")
_OUTCOME = [
    "conversation_id", "started_at", "customer_id", "escalated", "resolved", "csat", "topic_id", "subtopic_id",
]  # fmt: skip
MOST_SINGLE = 200  # sentences of single agents, used where no two agents gave the same one


@dataclass(frozen=True)
class _Corpus:
    """Texts of customers and agents in gaps, and which of these conversations ended well or badly.

    Words are counted, and their texts, over all conversations.
    """

    questions: Mapping[str, str]
    vectors: Mapping[str, F32]
    replies: Mapping[str, list[str]]
    question_counts: Mapping[str, int]
    n_questions: int
    reply_counts: Mapping[str, int]
    n_replies: int
    ended_well: frozenset[str]
    ended_badly: frozenset[str]


def gather(job: Job, gaps: Sequence[Mapping[str, Any]], articles: pd.DataFrame) -> dict[str, dict[str, Any]]:
    """The evidence for each gap: phrasings, answers, steps, passages and words.

    Replies are taken only from conversations that did not end badly: unresolved, rated badly, ended by the customer's
    words that it still does not work (whatever the flag says), or followed by the same customer's escalation of the
    same topic within two weeks. Those that did count as tries of the steps they gave.

    Parameters
    ----------
    job
        A job whose step diagnose is done.
    gaps
        gap_id, kind, article_id, conversation_ids, passages of each.
    articles
        By article_id: title, body.

    Returns
    -------
    dict
        By gap_id: ``examples`` and ``agent_answers`` (conversation_id and quote; ``count`` conversations ask the same
        way), ``steps`` (:class:`models.writing.resolution_steps.ResolutionStep`), ``passages``,
        ``customer_words`` and ``answered`` (how many conversations agents answered, and how many of them ended well
        or badly). All texts are redacted.
    """
    corpus = _read_corpus(job, gaps)
    evidence = {str(gap["gap_id"]): _of_gap(gap, corpus, articles) for gap in gaps}
    _find_passages(job, gaps, evidence, corpus, articles)
    return evidence


def _read_corpus(job: Job, gaps: Sequence[Mapping[str, Any]]) -> _Corpus:
    """Read the texts a shard at a time: those of conversations in gaps are kept, and the words of all are counted."""
    in_gaps = pd.Index(sorted({str(conversation) for gap in gaps for conversation in gap["conversation_ids"]}))
    questions, replies, row_of = dict[str, str](), dict[str, list[str]](), dict[str, int]()
    question_counts, reply_counts, n_questions, n_replies = Counter[str](), Counter[str](), 0, 0
    unsolved = set[str]()
    shards = zip(
        job.read_shards("redact/messages", ["conversation_id", "position", "role", "text"]),
        job.read_shards("understand/questions", ["conversation_id"]),
        strict=True,
    )
    for messages, with_question in shards:
        ordered = messages.sort_values(["conversation_id", "position"])
        customers, agents = (ordered[ordered["role"] == role] for role in ("customer", "agent"))
        unsolved.update(_unsolved(customers, agents, in_gaps))
        own_replies = {str(c): [str(t) for t in texts] for c, texts in agents.groupby("conversation_id")["text"]}
        # Placeholders of names stay: greetings and sign-offs are recognised by them, and removed with them.
        customer_texts = customers.groupby("conversation_id")["text"]
        openings = {str(c): _opening([_shown(t, "NAME") for t in texts]) for c, texts in customer_texts}
        ids = with_question["conversation_id"].tolist()
        question_counts.update(counted(openings.get(conversation, "") for conversation in ids))
        reply_counts.update(counted("\n".join(texts) for texts in own_replies.values()))
        row_of |= {c: row for row, c in enumerate(ids, n_questions) if c in in_gaps}
        questions |= {conversation: openings.get(conversation, "") for conversation in ids if conversation in in_gaps}
        replies |= {conversation: texts for conversation, texts in own_replies.items() if conversation in in_gaps}
        n_questions, n_replies = n_questions + len(ids), n_replies + len(own_replies)
    rows = np.array(list(row_of.values()), dtype=np.int64)
    vectors = np.concatenate(rows_of(read_vectors(job), rows))
    facts = job.read("measure/facts", _OUTCOME)
    ended_badly = facts["resolved"].eq(False).fillna(False) | facts["csat"].le(BAD).fillna(False) | _came_back(facts)
    ended_badly |= facts["conversation_id"].isin(unsolved)
    ended_well = (facts["resolved"].eq(True).fillna(False) | facts["csat"].ge(GOOD).fillna(False)) & ~ended_badly
    of_gaps = facts["conversation_id"].isin(in_gaps)
    well, badly = (facts.loc[(of_gaps & ended).astype(bool), "conversation_id"] for ended in (ended_well, ended_badly))
    return _Corpus(
        questions, dict(zip(row_of, vectors, strict=True)), replies, question_counts, n_questions, reply_counts,
        n_replies, frozenset(well.astype(str)), frozenset(badly.astype(str)),
    )  # fmt: skip


def _unsolved(customers: pd.DataFrame, agents: pd.DataFrame, ids: pd.Index) -> set[str]:
    """The conversations in which the customer's last words, after an agent's, say that the problem is still there."""
    last = customers[customers["conversation_id"].isin(ids)].groupby("conversation_id").tail(1)
    answered = last["conversation_id"].map(agents.groupby("conversation_id")["position"].min())
    after = last[(last["position"] > answered).fillna(False)]
    told = [says_unsolved(str(text)) for text in after["text"]]
    return set(after.loc[told, "conversation_id"].astype(str))


def _opening(texts: Sequence[str]) -> str:
    """The customer's question with its line breaks, up to the length at which questions are cut."""
    match = _WORDS.match(main_question(list(texts), keep_lines=True))
    return match[0] if match else ""


def _shown(text: object, keep: str = "") -> str:
    """A text with placeholders as ‹order›, which are not taken for tags; those of the kind ``keep`` stay."""
    return _HIDDEN.sub(
        lambda match: match[0] if match[1] == keep else f"‹{match[1].lower().replace('_', ' ')}›", str(text)
    )


def _came_back(facts: pd.DataFrame) -> pd.Series:
    """Whether the same customer escalated the same problem again soon: the same subtopic, or topic without one."""
    problem = facts["subtopic_id"].fillna(facts["topic_id"])
    escalated = facts[facts["customer_id"].notna() & problem.notna() & facts["escalated"].fillna(False)]
    ordered = escalated.sort_values("started_at", kind="stable")
    next_start = ordered.groupby(["customer_id", problem[ordered.index]])["started_at"].shift(-1)
    soon = (next_start - ordered["started_at"]) <= CAME_BACK
    return soon.reindex(facts.index, fill_value=False)


def _of_gap(gap: Mapping[str, Any], corpus: _Corpus, articles: pd.DataFrame) -> dict[str, Any]:
    ids = sorted(str(i) for i in gap["conversation_ids"])
    with_question = [i for i in ids if i in corpus.questions]
    salience = Salience.of([corpus.questions[i] for i in with_question], corpus.question_counts, corpus.n_questions)
    answered = [i for i in ids if i in corpus.replies and i not in corpus.ended_badly]
    answers = ["\n".join(corpus.replies[i]) for i in answered]
    reply_salience = Salience.of(answers, corpus.reply_counts, corpus.n_replies)
    replies = [(i, text) for i in sorted(answered) for text in corpus.replies[i]]
    failed = [(i, text) for i in ids if i in corpus.ended_badly for text in corpus.replies.get(i, ())]
    steps = distil(replies, corpus.ended_well, reply_salience, failed)
    body = str(articles["body"].get(gap["article_id"], "")) if isinstance(gap["article_id"], str) else ""
    return {
        "examples": _examples(with_question, corpus, salience),
        "agent_answers": _answers(answered, corpus, reply_salience, steps),
        "steps": _steps(steps, answered, corpus, salience),
        "answered": {
            "conversations": sum(i in corpus.replies for i in ids),
            "well": sum(i in corpus.replies and i in corpus.ended_well for i in ids),
            "badly": sum(i in corpus.replies and i in corpus.ended_badly for i in ids),
        },
        "passages": [],
        "customer_words": _words([corpus.questions[i] for i in with_question], salience, body) if body else [],
    }


def _examples(ids: Sequence[str], corpus: _Corpus, salience: Salience) -> list[dict[str, Any]]:
    if not ids:
        return []
    vectors = np.stack([np.asarray(corpus.vectors[i], dtype=np.float32) for i in ids])
    close = vectors @ unit(vectors.mean(axis=0, keepdims=True))[0]
    condensed = [salience.summary(corpus.questions[i], QUOTE_LENGTH) for i in ids]
    worth = [salience.worth(text) for text in condensed]
    condensed = [text if w >= MIN_SHARE * np.median(worth) else "" for text, w in zip(condensed, worth, strict=True)]
    return [
        {"conversation_id": ids[p.at], "quote": shortened(condensed[p.at], QUOTE_LENGTH), "count": p.times}
        for p in different(condensed, [float(c) for c in close], QUOTES)
    ]


def _steps(
    steps: Sequence[ResolutionStep], answered: Sequence[str], corpus: _Corpus, salience: Salience
) -> list[dict[str, Any]]:
    """The steps; the first step of each answer comes with a question that got this answer."""
    statements_of = {i: {text for reply in corpus.replies[i] for text in statements(reply)} for i in answered}
    rows: list[dict[str, Any]] = []
    for way in sorted({step["way"] for step in steps}):
        way_steps = [step for step in steps if step["way"] == way]
        texts = {step["text"] for step in way_steps}
        ids = [i for i in answered if statements_of[i] & texts]
        question = _best_question(ids, " ".join(sorted(texts)), corpus, salience)
        for number, step in enumerate(way_steps):
            text = _shown(shortened(step["text"], QUOTE_LENGTH))
            rows.append({**step, "text": text, "asked": question if number == 0 else ""})
    return rows


def _best_question(ids: Sequence[str], answer: str, corpus: _Corpus, salience: Salience) -> str:
    """Of the questions that got an answer, the one that shares most words with it; among equals, the most salient."""
    best, worth = "", (-1.0, -1.0)
    answer_stems = stems(answer)
    for conversation in ids:
        question = salience.summary(corpus.questions.get(conversation, ""), QUESTION)
        common = sum(salience.weight.get(word, 0.0) for word in sorted(stems(question) & answer_stems))
        candidate = (round(common, 6), round(salience.worth(question) / max(8, len(question.split())), 6))
        if question and candidate > worth:
            best, worth = question, candidate
    return shortened(best, QUESTION)


def _answers(
    answered: Sequence[str], corpus: _Corpus, salience: Salience, steps: Sequence[ResolutionStep]
) -> list[dict[str, str]]:
    """Whole answers without greetings and small talk: those that ended well and are most salient."""
    shared = {str(step["text"]): int(step["count"]) for step in steps}
    candidates = []
    for i in answered:
        for reply in corpus.replies[i]:
            sentences = _trimmed(statements(reply), salience)
            text = _shown(" ".join(sentences))
            if sentences:
                agreed = sum(shared.get(sentence, 0) for sentence in sentences)
                worth = salience.worth(text) / max(20, len(text.split())) ** 0.5
                candidates.append((len(text) > LONG, i not in corpus.ended_well, -agreed, -round(worth, 6), i, text))
    candidates = [each for each in candidates if not each[0]] or candidates
    chosen: list[dict[str, str]] = []
    for *_, i, text in sorted(candidates):
        words = set(stems(text))
        if all(len(words & stems(other["quote"])) < 0.6 * len(words) for other in chosen):
            chosen.append({"conversation_id": i, "quote": shortened(text, 2 * QUOTE_LENGTH)})
        if len(chosen) == ANSWERS:
            break
    return chosen


def _trimmed(sentences: list[str], salience: Salience) -> list[str]:
    """The sentences from the first salient one to the last."""
    worthy = [i for i, sentence in enumerate(sentences) if salience.worth(sentence) >= MIN_WORTH]
    return sentences[worthy[0] : worthy[-1] + 1] if worthy else []


def _words(questions: Sequence[str], salience: Salience, body: str) -> list[str]:
    """Salient words that many of the questions use and the article does not, the most salient first."""
    in_article = stems(body)
    uses: dict[str, dict[str, int]] = {}
    for question in questions:
        for word in sorted(set(words_of(question)) - STOP_WORDS):
            for stemmed in stems(word) - in_article:
                if salience.weight.get(stemmed, 0) >= MIN_WEIGHT and word.isalpha() and len(word) > 2:
                    uses.setdefault(stemmed, {}).setdefault(word, 0)
                    uses[stemmed][word] += 1
    least_uses = max(2, round(MIN_USE * len(questions)))
    frequent = {s: sum(forms.values()) for s, forms in uses.items() if sum(forms.values()) >= least_uses}
    order = sorted(frequent, key=lambda s: (-round(frequent[s] * salience.weight[s], 6), s))
    return [min(uses[s], key=lambda form: (-uses[s][form], form)) for s in order[:WORDS]]


def _find_passages(
    job: Job,
    gaps: Sequence[Mapping[str, Any]],
    evidence: dict[str, dict[str, Any]],
    corpus: _Corpus,
    articles: pd.DataFrame,
) -> None:
    """Add to each gap about an article the passages that agents contradict, or what the article leaves out."""
    article_gaps = [gap for gap in gaps if gap["kind"] in ("stale", "incomplete", "contradictory")]
    lines = {
        article: passages.lines(str(articles["body"].get(article, "")))
        for gap in article_gaps
        for article in _articles_of(gap)
    }
    sentences_of = {
        str(gap["gap_id"]): _agent_sentences(evidence[str(gap["gap_id"])]["steps"], gap, corpus) for gap in article_gaps
    }
    texts = {_with_section(line) for sentences in lines.values() for line in sentences} | {
        t for sentences in sentences_of.values() for t, _, _ in sentences
    }
    index = {text: i for i, text in enumerate(sorted(texts))}
    vectors = embed(sorted(texts), job.embedder, job.store, "embedding passages")

    def vectors_of(chosen_texts: Sequence[str]) -> F32:
        return vectors[[index[text] for text in chosen_texts]]

    for gap in article_gaps:
        sentences = sentences_of[str(gap["gap_id"])]
        sentence_texts, counts = [text for text, _, _ in sentences], [count for _, count, _ in sentences]
        rows = [{**dict(p), "section": "", "count": 0, "conversation_ids": []} for p in gap["passages"]]
        contradicted = {markup.bare(str(p["passage"])) for p in gap["passages"]}
        all_statements = () if gap["kind"] == "incomplete" else _statements(gap, corpus)
        retracted = passages.taken_back(text for _, text in all_statements)
        for article in _articles_of(gap):
            article_lines = [line for line in lines[article] if not contradicted or line.text in contradicted]
            line_vectors = vectors_of([_with_section(line) for line in article_lines])
            if gap["kind"] == "incomplete":
                left_out = passages.left_out(article_lines, line_vectors, vectors_of(sentence_texts))
                rows += [_passage(article, "", section, sentences[i]) for i, section in left_out]
                continue
            likeness = passages.ANYHOW if contradicted else passages.SURELY
            pairs = passages.against(
                article_lines, line_vectors, sentence_texts, vectors_of(sentence_texts), counts, likeness, retracted
            )
            rows += [
                _passage(article, article_lines[line].text, article_lines[line].section, sentences[i])
                for line, contradicting in pairs
                for i in contradicting
            ]
        evidence[str(gap["gap_id"])]["passages"] = rows


def _with_section(line: passages.Line) -> str:
    """A sentence with the heading of its section, for context."""
    return f"{line.section}. {line.text}" if line.section else line.text


def _articles_of(gap: Mapping[str, Any]) -> list[str]:
    return list(dict.fromkeys([str(gap["article_id"]), *(str(p["article_id"]) for p in gap["passages"])]))


def _statements(gap: Mapping[str, Any], corpus: _Corpus) -> Iterator[tuple[str, str]]:
    """Agents' statements in a gap's conversations, however these ended: conversation and sentence."""
    for i in map(str, gap["conversation_ids"]):
        for reply in corpus.replies.get(i, []):
            for text in statements(reply):
                yield i, text


def _agent_sentences(
    steps: Sequence[Mapping[str, Any]], gap: Mapping[str, Any], corpus: _Corpus
) -> list[tuple[str, int, list[str]]]:
    """Agents' sentences, how many conversations have each, and which; single ones where no two are alike."""
    shared = [(str(s["text"]), int(s["count"]), list(s["conversation_ids"])) for s in steps]
    if shared or gap["kind"] == "incomplete":
        return shared
    single = {_shown(text): i for i, text in _statements(gap, corpus) if i not in corpus.ended_badly}
    return [(text, 1, [i]) for text, i in sorted(single.items())[:MOST_SINGLE]]


def _passage(article: str, passage: str, section: str, sentence: tuple[str, int, list[str]]) -> dict[str, Any]:
    text, count, ids = sentence
    return {
        "article_id": article, "section": section, "passage": passage, "evidence": text, "count": count,
        "conversation_ids": ids,
    }  # fmt: skip
