"""The passages of a gap's article that agents contradict, or what the article leaves out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import pandas as pd

from lacuna.models.arrays import F32
from lacuna.models.text import markup
from lacuna.models.writing import passages
from lacuna.models.writing.agent_sentences import statements
from lacuna.models.writing.claims import SAME_SAID, holds_for_all
from lacuna.models.writing.replacements import denies, proposal, with_amounts
from lacuna.pipelines.io.vector_cache import embed
from lacuna.pipelines.runtime.job import Job
from lacuna.pipelines.steps.rank.gap_corpus import Corpus, shown

__all__ = ["find_passages"]

NO_PROPOSAL = {"replacement": None, "comment": None}
MOST_ALONG = 4  # sentences that agents say along with one that only denies
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
        evidence[str(gap["gap_id"])]["passages"] = _with_proposals(rows, along_of[str(gap["gap_id"])], vectors_of)


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
) -> dict[str, list[str]]:
    """What agents say right before or after a sentence that only denies, the most frequent first."""
    denials = {text for text, _, _ in sentences if denies(text)}
    beside = {text: Counter[str]() for text in denials}
    for i in map(str, gap["conversation_ids"]) if denials else ():
        for reply in corpus.replies.get(i, []) if i not in corpus.ended_badly else ():
            told = [shown(text) for text in statements(reply)]
            for at, text in enumerate(told):
                if text in denials:
                    near = told[max(0, at - 1) : at] + told[at + 1 : at + 2]
                    beside[text].update(other for other in near if not denies(other) and holds_for_all(other))
    return {
        text: sorted((t for t, n in others.items() if n > 1), key=lambda t: (-others[t], t))[:MOST_ALONG]
        for text, others in beside.items()
    }


def _with_proposals(
    rows: list[dict[str, Any]], along: Mapping[str, list[str]], vectors_of: Callable[[Sequence[str]], F32]
) -> list[dict[str, Any]]:
    """The rows with what could stand in the article instead, or in addition, or why nothing can.

    A sentence is proposed once, for the passage that it is nearest to.
    """
    by_passage: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for row in rows:
        by_passage.setdefault((str(row["article_id"]), str(row["passage"])), []).append(row)
    nearness: dict[tuple[str, str], float] = {}
    for (article, passage), own in by_passage.items():
        told = [row for row in own if row["count"]]
        if not passage:
            for row in told:
                row["replacement"] = row["evidence"] if holds_for_all(str(row["evidence"])) else None
            continue
        if not told:
            continue
        vector = vectors_of([_with_section(passages.Line(str(told[0]["section"]), markup.bare(passage)))])[0]

        def likeness(text: str, vector: F32 = vector) -> float:
            return float(vectors_of([text])[0] @ vector)

        said = [
            (
                str(row["evidence"]),
                int(row["count"]),
                max(along.get(str(row["evidence"]), []), key=likeness, default=""),
            )
            for row in told
        ]
        proposed = proposal(passage, said, likeness)
        for row in own:
            row["replacement"], row["comment"] = proposed.text, proposed.comment
        if proposed.text and with_amounts(passage, str(told[0]["evidence"])) != proposed.text:
            offered = {text for text, _, _ in said} | {text for _, _, text in said}
            nearness[article, passage] = likeness(proposed.text) if proposed.text in offered else 1.0
    for (article, passage), near in nearness.items():
        own = by_passage[article, passage]
        text = own[0]["replacement"]
        if any(near < n and by_passage[key][0]["replacement"] == text for key, n in nearness.items()):
            for row in own:
                row["replacement"], row["comment"] = None, f"No longer so: “{own[0]['evidence']}” ({own[0]['count']})."
    return rows


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
        "conversation_ids": ids, "replacement": None, "comment": None,
    }  # fmt: skip
