"""The evidence for each gap that a writer needs: quotes, answers, steps and passages of its article."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from lacuna.models.text.lexicon import STOP_WORDS
from lacuna.models.text.salience import Salience
from lacuna.models.text.vectors import unit
from lacuna.models.text.words import shortened, stems, words_of
from lacuna.models.writing.agent_sentences import statements
from lacuna.models.writing.phrasings import different
from lacuna.models.writing.resolution_steps import ResolutionStep, distil
from lacuna.pipelines.runtime.job import Job
from lacuna.pipelines.steps.rank.article_plans import plan_articles
from lacuna.pipelines.steps.rank.gap_corpus import Corpus, read_corpus, shown
from lacuna.pipelines.steps.rank.gap_passages import find_passages

__all__ = ["gather"]


QUOTES, QUOTE_LENGTH = 5, 300
MIN_SHARE = 0.3  # of the median worth of the gap's questions; a question that is worth less is not shown
ANSWERS, LONG = 3, 500  # whole answers; characters above which one is shown only if there is no shorter one
QUESTION = 160
# Words that an article lacks: how many are listed, and the least share of questions and the least weight of each.
WORDS, MIN_USE, MIN_WEIGHT = 8, 0.08, 1.1
MIN_WORTH = 0.3  # the least worth of the first and the last sentence of an answer that are shown


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
        way), ``steps`` (:class:`models.writing.resolution_steps.ResolutionStep`), ``passages``, ``plan``
        (:class:`models.backlog.gap_records.PlannedSentence`),
        ``customer_words`` and ``answered`` (how many conversations agents answered, and how many of them ended well
        or badly). All texts are redacted.
    """
    corpus = read_corpus(job, gaps)
    evidence = {str(gap["gap_id"]): _of_gap(gap, corpus, articles) for gap in gaps}
    find_passages(job, gaps, evidence, corpus, articles)
    for gap_id, plan in plan_articles(job, gaps, corpus).items():
        evidence[gap_id]["plan"] = plan
    return evidence


def _of_gap(gap: Mapping[str, Any], corpus: Corpus, articles: pd.DataFrame) -> dict[str, Any]:
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


def _examples(ids: Sequence[str], corpus: Corpus, salience: Salience) -> list[dict[str, Any]]:
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
    steps: Sequence[ResolutionStep], answered: Sequence[str], corpus: Corpus, salience: Salience
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
            text = shown(shortened(step["text"], QUOTE_LENGTH))
            rows.append({**step, "text": text, "asked": question if number == 0 else ""})
    return rows


def _best_question(ids: Sequence[str], answer: str, corpus: Corpus, salience: Salience) -> str:
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
    answered: Sequence[str], corpus: Corpus, salience: Salience, steps: Sequence[ResolutionStep]
) -> list[dict[str, str]]:
    """Whole answers without greetings and small talk: those that ended well and are most salient."""
    shared = {str(step["text"]): int(step["count"]) for step in steps}
    candidates = []
    for i in answered:
        for reply in corpus.replies[i]:
            sentences = _trimmed(statements(reply), salience)
            text = shown(" ".join(sentences))
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
