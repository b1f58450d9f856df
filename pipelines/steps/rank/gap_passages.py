"""The passages of a gap's article that agents contradict, or what the article leaves out."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from scipy.optimize import linear_sum_assignment

from lacuna.models.arrays import F32
from lacuna.models.text import markup
from lacuna.models.text.amounts import amounts
from lacuna.models.text.words import stems
from lacuna.models.writing import passages
from lacuna.models.writing.agent_sentences import statements
from lacuna.models.writing.claims import SAME_SAID, holds_for_all
from lacuna.models.writing.replacements import NEAR, denies, fits, proposal, with_amounts
from lacuna.pipelines.io.vector_cache import embed
from lacuna.pipelines.runtime.job import Job
from lacuna.pipelines.steps.rank.gap_corpus import Corpus, shown

__all__ = ["find_passages"]

NO_PROPOSAL: dict[str, Any] = {"replacement": None, "replacement_ids": [], "comment": None}
SHOWN_IDS = 3
MOST_ALONG = 4  # sentences that agents say along with one that only denies
SHARED_WORDS = 0.3  # weight, beside the cosine, of the share of a sentence's words that a passage has
MOST_SINGLE = 200  # sentences of single agents, used where no two agents gave the same one


def find_passages(
    job: Job,
    gaps: Sequence[Mapping[str, Any]],
    evidence: dict[str, dict[str, Any]],
    corpus: Corpus,
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
    along_of = {str(gap["gap_id"]): _said_along(sentences_of[str(gap["gap_id"])], gap, corpus) for gap in article_gaps}
    texts = {_with_section(line) for sentences in lines.values() for line in sentences}
    texts |= {t for sentences in sentences_of.values() for t, _, _ in sentences}
    texts |= {t for along in along_of.values() for others in along.values() for t in others}
    index = {text: i for i, text in enumerate(sorted(texts))}
    vectors = embed(sorted(texts), job.embedder, job.store, "embedding passages")

    def vectors_of(chosen_texts: Sequence[str]) -> F32:
        return vectors[[index[text] for text in chosen_texts]]

    for gap in article_gaps:
        rows = [{**dict(p), "section": "", "count": 0, "conversation_ids": [], **NO_PROPOSAL} for p in gap["passages"]]
        contradicted = {markup.bare(str(p["passage"])) for p in gap["passages"]}
        all_statements = () if gap["kind"] == "incomplete" else _statements(gap, corpus)
        retracted = passages.taken_back(text for _, text in all_statements)
        for article in _articles_of(gap):
            language = articles["language"].get(article) if "language" in articles else None
            sentences = _in_language(sentences_of[str(gap["gap_id"])], language, corpus)
            sentence_texts, counts = [text for text, _, _ in sentences], [count for _, count, _ in sentences]
            article_lines = [line for line in lines[article] if not contradicted or line.text in contradicted]
            line_vectors = vectors_of([_with_section(line) for line in article_lines])
            if gap["kind"] == "incomplete":
                left_out = passages.left_out(article_lines, line_vectors, vectors_of(sentence_texts))
                rows += [
                    _passage(article, "", section, sentences[i])
                    for i, section in _said_once(left_out, vectors_of(sentence_texts))
                ]
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
        proposed = _with_proposals(rows, along_of[str(gap["gap_id"])], vectors_of)
        evidence[str(gap["gap_id"])]["passages"] = _doubted(proposed, retracted)


def _in_language(
    sentences: Sequence[tuple[str, int, list[str]]], language: object, corpus: Corpus
) -> list[tuple[str, int, list[str]]]:
    """The agents' sentences in the language of an article; all where that is not known, or none is in it."""
    own = [one for one in sentences if corpus.languages.get(one[2][0] if one[2] else "") == language]
    return own or list(sentences)


def _said_once(left_out: Sequence[tuple[int, str]], vectors: F32) -> list[tuple[int, str]]:
    """What an article leaves out, without what says the same as something more frequent."""
    kept: list[tuple[int, str]] = []
    for i, section in left_out:
        if all(float(vectors[i] @ vectors[j]) < SAME_SAID for j, _ in kept):
            kept.append((i, section))
    return kept


def _said_along(
    sentences: Sequence[tuple[str, int, list[str]]], gap: Mapping[str, Any], corpus: Corpus
) -> dict[str, dict[str, list[str]]]:
    """What agents say right before or after a sentence that only denies, the most frequent first, and where."""
    denials = {text for text, _, _ in sentences if denies(text)}
    beside: dict[str, dict[str, list[str]]] = {text: {} for text in denials}
    for i in sorted(map(str, gap["conversation_ids"])) if denials else ():
        for reply in corpus.replies.get(i, []) if i not in corpus.ended_badly else ():
            told = [shown(text) for text in statements(reply)]
            for at, text in enumerate(told):
                for denial in (one for one in denials if denies(text) and _same_denied(one, text)):
                    near = told[max(0, at - 1) : at] + told[at + 1 : at + 2]
                    for other in (one for one in near if not denies(one) and holds_for_all(one)):
                        beside[denial].setdefault(other, []).append(i)
    return {
        denial: dict(
            sorted(((t, ids) for t, ids in others.items() if len(ids) > 1), key=lambda o: (-len(o[1]), o[0]))[
                :MOST_ALONG
            ]
        )
        for denial, others in beside.items()
    }


def _same_denied(one: str, other: str) -> bool:
    """Whether two sentences deny the same: they share half of the words that tell."""
    first, second = stems(one), stems(other)
    return 2 * len(first & second) >= max(1, min(len(first), len(second)))


def _with_proposals(
    rows: list[dict[str, Any]], along: Mapping[str, Mapping[str, list[str]]], vectors_of: Callable[[Sequence[str]], F32]
) -> list[dict[str, Any]]:
    """The rows with what could stand in the article instead, or in addition, or why nothing can."""
    by_passage: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for row in rows:
        by_passage.setdefault((str(row["article_id"]), str(row["passage"])), []).append(row)
    for row in (row for (_, passage), own in by_passage.items() if not passage for row in own):
        if holds_for_all(str(row["evidence"])):
            row["replacement"], row["replacement_ids"] = row["evidence"], row["conversation_ids"]
    denied: list[tuple[list[dict[str, Any]], F32]] = []
    for (_, passage), own in by_passage.items():
        told = [row for row in own if row["count"]]
        if not passage or not told:
            continue
        vector = vectors_of([_with_section(passages.Line(str(told[0]["section"]), markup.bare(passage)))])[0]
        proposed = proposal(
            passage,
            [(str(row["evidence"]), int(row["count"])) for row in told],
            lambda text, vector=vector: float(vectors_of([text])[0] @ vector),  # type: ignore[misc]
        )
        holding = [
            row for row in told if proposed.text in (row["evidence"], with_amounts(passage, str(row["evidence"])))
        ]
        for row in own:
            row["replacement"], row["comment"] = proposed.text, proposed.comment
            row["replacement_ids"] = holding[0]["conversation_ids"] if holding else []
        if not proposed.text and all(denies(str(row["evidence"])) for row in told):
            denied.append((told, vector))
    _replace_denied(denied, along, vectors_of)
    return rows


def _doubted(rows: list[dict[str, Any]], retracted: Collection[str]) -> list[dict[str, Any]]:
    """The rows, without new figures for passages whose figures nobody takes back, where others' figures are."""
    old = [amounts(str(row["passage"])) for row in rows]
    numbers = [set().union(*own.values()) for own in old]
    swapped = [
        bool(row["replacement"]) and bool(row["passage"]) and bool(own) for row, own in zip(rows, old, strict=True)
    ]
    if any(is_swap and own & set(retracted) for is_swap, own in zip(swapped, numbers, strict=True)):
        for row, is_swap, own in zip(rows, swapped, numbers, strict=True):
            if is_swap and not own & set(retracted):
                row["replacement"], row["replacement_ids"] = None, []
                row["comment"] = f"Perhaps here too: “{row['evidence']}” ({row['count']})."
    return rows


def _replace_denied(
    denied: Sequence[tuple[list[dict[str, Any]], F32]],
    along: Mapping[str, Mapping[str, list[str]]],
    vectors_of: Callable[[Sequence[str]], F32],
) -> None:
    """Give passages that agents only deny what they say along with the denial: each sentence to one passage.

    Of all ways to do so the one is taken in which sentences and passages are nearest to each other in sum.
    """
    offers = sorted({text for told, _ in denied for row in told for text in along.get(str(row["evidence"]), {})})
    if not offers:
        return
    likeness = np.stack([vector for _, vector in denied]) @ vectors_of(offers).T
    for i, (told, _) in enumerate(denied):
        own = {text for row in told for text in along.get(str(row["evidence"]), {})}
        usable = [text in own and fits(str(told[0]["passage"]), text) for text in offers]
        words = stems(f"{told[0]['section']} {told[0]['passage']}")
        common = np.array([len(words & stems(text)) / max(1, len(stems(text))) for text in offers])
        likeness[i] = np.where(np.array(usable) & (likeness[i] >= NEAR), likeness[i] + SHARED_WORDS * common, 0.0)
    chosen_rows, chosen_offers = linear_sum_assignment(likeness, maximize=True)
    for i, j in zip(chosen_rows.tolist(), chosen_offers.tolist(), strict=True):
        if likeness[i, j] <= 0:
            continue
        ids = [c for row in denied[i][0] for c in along.get(str(row["evidence"]), {}).get(offers[j], [])]
        for row in denied[i][0]:
            row["replacement"], row["comment"] = offers[j], None
            row["replacement_ids"] = list(dict.fromkeys(ids))[:SHOWN_IDS]


def _with_section(line: passages.Line) -> str:
    """A sentence with the heading of its section, for context."""
    return f"{line.section}. {line.text}" if line.section else line.text


def _articles_of(gap: Mapping[str, Any]) -> list[str]:
    return list(dict.fromkeys([str(gap["article_id"]), *(str(p["article_id"]) for p in gap["passages"])]))


def _statements(gap: Mapping[str, Any], corpus: Corpus) -> Iterator[tuple[str, str]]:
    """Agents' statements in a gap's conversations, however these ended: conversation and sentence."""
    for i in map(str, gap["conversation_ids"]):
        for reply in corpus.replies.get(i, []):
            for text in statements(reply):
                yield i, text


def _agent_sentences(
    steps: Sequence[Mapping[str, Any]], gap: Mapping[str, Any], corpus: Corpus
) -> list[tuple[str, int, list[str]]]:
    """Agents' sentences, how many conversations have each, and which; single ones where no two are alike."""
    shared = [(str(s["text"]), int(s["count"]), list(s["conversation_ids"])) for s in steps]
    if shared or gap["kind"] == "incomplete":
        return shared
    single = {shown(text): i for i, text in _statements(gap, corpus) if i not in corpus.ended_badly}
    return [(text, 1, [i]) for text, i in sorted(single.items())[:MOST_SINGLE]]


def _passage(article: str, passage: str, section: str, sentence: tuple[str, int, list[str]]) -> dict[str, Any]:
    text, count, ids = sentence
    return {
        "article_id": article, "section": section, "passage": passage, "evidence": text, "count": count,
        "conversation_ids": ids, **NO_PROPOSAL,
    }  # fmt: skip
