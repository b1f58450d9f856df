"""The passages of a gap's article that agents contradict, or what the article leaves out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pandas as pd

from lacuna.models.arrays import F32
from lacuna.models.text import markup
from lacuna.models.writing import passages
from lacuna.models.writing.agent_sentences import statements
from lacuna.pipelines.io.vector_cache import embed
from lacuna.pipelines.runtime.job import Job
from lacuna.pipelines.steps.rank.gap_corpus import Corpus, shown

__all__ = ["find_passages"]

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
        "conversation_ids": ids,
    }  # fmt: skip
