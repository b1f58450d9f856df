"""Questions matched to articles, a block at a time: of every pair's score, the best candidates' are kept."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lacuna.models.arrays import F32, Flags
from lacuna.models.retrieval.article_index import ArticleIndex
from lacuna.models.retrieval.article_match import (
    Usual,
    match_score,
    passages,
    profile,
    standard_scores,
    weight_of_usual,
)
from lacuna.models.retrieval.candidates import Candidates, choose
from lacuna.pipelines.io.vector_cache import embed
from lacuna.pipelines.runtime.job import Job

__all__ = [
    "RANKED",
    "WAYS",
    "Matcher",
    "Texts",
    "agent_replies",
    "block_size",
    "candidates_table",
    "embed_replies",
    "language_codes",
    "live_articles",
    "nearness",
    "read_candidates",
    "read_candidates_of",
    "read_vectors",
    "read_vectors_of",
]

WAYS = ("score", "meaning", "words", "passage_words", "plain_words", "agents")  # columns of understand/match
RANKED = ("meaning", "words", "passage_words", "plain_words")  # those whose ranks are kept beside the scores
MIN_REPLY_WORDS = 5  # an agent's answer with fewer words, such as "See this.", does not point at an article
MOST_CITED = 8  # articles cited in a conversation that are kept among its candidates
BLOCK = 2048  # questions whose scores on all articles are held at once; fewer, with more than a thousand articles


@dataclass(frozen=True)
class Texts:
    """Questions to match, and agents' answers to them.

    Attributes
    ----------
    questions, languages
        Texts, and the code of each one's language.
    vectors
        float32 (n, dim), of the questions.
    replies
        What agents answered, "" for nothing.
    reply_vectors, is_long
        float32 (long enough, dim) and bool (n,), from :func:`embed_replies`.
    cited
        The ids of articles that the bot or an agent cited, a list for each question.
    """

    questions: Sequence[str]
    languages: Sequence[str]
    vectors: F32
    replies: Sequence[str]
    reply_vectors: F32
    is_long: Flags
    cited: Sequence[Sequence[str]]

    @classmethod
    def without_replies(cls, questions: Sequence[str], languages: Sequence[str], vectors: F32) -> Texts:
        """Questions that nobody has answered."""
        n = len(questions)
        nothing = np.zeros((0, vectors.shape[1]), dtype=np.float32)
        return cls(questions, languages, vectors, [""] * n, nothing, np.zeros(n, dtype=bool), [[]] * n)

    def blocks(self, articles: int) -> Iterator[Texts]:
        """The same in blocks, whose scores on so many articles fit into memory."""
        size = block_size(BLOCK, articles)
        place = np.concatenate([[0], np.cumsum(self.is_long)])
        for start in range(0, len(self.questions), size):
            block = slice(start, start + size)
            of_replies = slice(int(place[start]), int(place[min(start + size, len(self.questions))]))
            yield Texts(
                self.questions[block], self.languages[block], self.vectors[block], self.replies[block],
                self.reply_vectors[of_replies], self.is_long[block], self.cited[block],
            )  # fmt: skip


def block_size(most: int, articles: int) -> int:
    """How many questions to hold at once with all their scores: ``most``, fewer with more than a thousand articles."""
    return max(1, min(most, most * 1000 // max(1, articles)))


class Matcher:
    """Matches questions, and agents' answers to them, with the live articles.

    Parameters
    ----------
    job
        The run.
    drawn, usual
        As in :func:`models.retrieval.article_match.standard_scores`; what is usual, from :meth:`learn_usual`.
    """

    def __init__(self, job: Job, drawn: int = 0, usual: Mapping[str, Usual] | None = None) -> None:
        self._job, self._articles = job, live_articles(job)
        self._number = {str(article): number for number, article in enumerate(self._articles["article_id"])}
        self.drawn = drawn
        self._usual: Mapping[str, Usual] = usual or {}

    @property
    def compares_texts(self) -> bool:
        """Whether standard scores need to know what is usual among many texts."""
        return bool(self._number) and weight_of_usual(len(self._number), self.drawn) > 0

    @cached_property
    def _index(self) -> ArticleIndex:
        cut = passages(self._articles)
        vectors = embed(list(cut["passage"]), self._job.embedder, self._job.store, "embedding articles")
        return ArticleIndex(self._articles, cut, vectors)

    def learn_usual(self, parts: Iterable[Texts]) -> Mapping[str, Usual]:
        """Learn what is usual from these texts, for all that are matched later."""
        means: dict[str, list[F32]] = {}
        for block in (block for texts in parts for block in texts.blocks(len(self._number))):
            for name, scores in self._raw(block).items():
                means.setdefault(name, []).append(scores)
        self._usual = {name: Usual.of(blocks) for name, blocks in means.items()}
        return self._usual

    def match(self, texts: Texts) -> Candidates:
        """The candidates of each question, with their scores by each of :data:`WAYS`."""
        if not self._number or not len(texts.questions):
            nothing = np.zeros((len(texts.questions), len(self._number)), dtype=np.float32)
            return Candidates.whole(dict.fromkeys(WAYS, nothing), RANKED)
        return Candidates.joined([self._chosen(block) for block in texts.blocks(self._index.articles)])

    def _chosen(self, texts: Texts) -> Candidates:
        raw = self._raw(texts)
        agents = np.zeros((len(texts.questions), self._index.articles), dtype=np.float32)
        agents[texts.is_long] = 0.6 * self._standard("reply_meaning", raw) + 0.4 * self._standard("reply_words", raw)
        ways = {
            "score": match_score(self._standard("meaning", raw), self._standard("words", raw)),
            "meaning": raw["meaning"],
            "words": raw["words"],
            "passage_words": self._index.passage_words(texts.questions, texts.languages),
            "plain_words": self._index.plain_words(texts.questions),
            "agents": agents,
        }
        cited = [[self._number[i] for i in ids if i in self._number][:MOST_CITED] for ids in texts.cited]
        return choose({way: ways[way].astype(np.float32) for way in WAYS}, cited, ranked=RANKED)

    def _raw(self, texts: Texts) -> dict[str, F32]:
        long = np.flatnonzero(texts.is_long).tolist()
        replies, codes = ([some[i] for i in long] for some in (texts.replies, texts.languages))
        return {
            "meaning": self._index.meaning(texts.vectors),
            "words": self._index.words(texts.questions, texts.languages),
            "reply_meaning": self._index.meaning(texts.reply_vectors.reshape(len(long), texts.vectors.shape[1])),
            "reply_words": self._index.words(replies, codes),
        }

    def _standard(self, name: str, raw: dict[str, F32]) -> F32:
        return standard_scores(raw[name], self.drawn, self._usual.get(name))


def live_articles(job: Job) -> pd.DataFrame:
    """Published articles, by article_id: those that the bot could have answered from."""
    articles = job.read("load/articles").sort_values("article_id")
    return articles[articles["status"].fillna("published").eq("published")].reset_index(drop=True)


def language_codes(languages: pd.Series, missing: str = "en") -> list[str]:
    """The code of each language, such as "de" of "de-AT"; ``missing`` where none is known."""
    return [str(code) for code in languages.fillna(missing).str[:2]]


def agent_replies(messages: pd.DataFrame, conversations: pd.Series) -> list[str]:
    """All messages of agents in each of these conversations, in order; empty where there are none."""
    replies = messages[messages["role"] == "agent"].sort_values(["conversation_id", "position"])
    joined = replies.groupby("conversation_id")["text"].agg("\n".join)
    return [str(joined.get(c, "")).strip() for c in conversations]


def embed_replies(job: Job, replies: list[str]) -> tuple[F32, Flags]:
    """Vectors of the replies that are long enough, float32 (long enough, dim), and which those are, bool (replies,)."""
    is_long = np.array([len(text.split()) >= MIN_REPLY_WORDS for text in replies], dtype=bool)
    texts = [text for text, long in zip(replies, is_long, strict=True) if long]
    return embed(texts, job.embedder, job.store, "embedding agents' answers"), is_long


def nearness(candidates: Candidates) -> F32:
    """How near each article comes to each question and its answers: float32 (n, articles), for a block of questions."""
    both = candidates.scores("score").dense() + candidates.scores("agents").dense()
    return profile(both)


def candidates_table(conversations: pd.Series, candidates: Candidates) -> pd.DataFrame:
    """The table understand/match."""
    columns: dict[str, object] = {"conversation_id": conversations, "candidates": list(candidates.number)}
    for way in WAYS:
        columns |= {
            way: list(candidates.value[way]),
            f"{way}_mean": candidates.mean[way].astype(np.float64),
            f"{way}_spread": candidates.spread[way].astype(np.float64),
        }
    columns |= {f"{way}_rank": list(candidates.rank[way]) for way in RANKED}
    return pd.DataFrame(columns)


def read_candidates(job: Job, articles: int, ways: Sequence[str] = WAYS) -> Iterator[Candidates]:
    """The candidates of all questions, a bounded block after the other, in the order of understand/questions."""
    for shard in job.shards_of("understand/match"):
        for arrays in job.read_array_blocks("understand/match", shard, _columns_of(ways), BLOCK):
            yield _candidates(arrays, articles, ways)


def read_candidates_of(job: Job, shard: str | None, articles: int, ways: Sequence[str] = WAYS) -> Candidates:
    """The candidates of one shard's questions, in the order of understand/questions."""
    return _candidates(job.read_arrays("understand/match", shard, _columns_of(ways)), articles, ways)


def _columns_of(ways: Sequence[str]) -> list[str]:
    scores = [f"{way}{of}" for way in ways for of in ("", "_mean", "_spread")]
    return ["candidates", *scores, *(f"{way}_rank" for way in RANKED if way in ways)]


def _candidates(arrays: Mapping[str, NDArray[Any]], articles: int, ways: Sequence[str]) -> Candidates:
    """Candidates from the columns of understand/match."""
    return Candidates(
        articles,
        _rows(arrays["candidates"]).astype(np.int32, copy=False),
        {way: _rows(arrays[way]).astype(np.float32, copy=False) for way in ways},
        {way: arrays[f"{way}_mean"].astype(np.float32) for way in ways},
        {way: arrays[f"{way}_spread"].astype(np.float32) for way in ways},
        {way: _rows(arrays[f"{way}_rank"]).astype(np.int32, copy=False) for way in RANKED if way in ways},
    )


def read_vectors(job: Job) -> Iterator[F32]:
    """The vectors of all questions, file by file, in the order of understand/questions: float32 (n, dim)."""
    for shard in job.shards_of("understand/vectors"):
        yield read_vectors_of(job, shard)


def read_vectors_of(job: Job, shard: str | None) -> F32:
    """The vectors of one shard's questions, in the order of understand/questions: float32 (n, dim)."""
    return _rows(job.read_arrays("understand/vectors", shard, ["vector"])["vector"]).astype(np.float32)


def _rows(values: NDArray[Any]) -> NDArray[Any]:
    """Lists as rows; a table without a row does not say that it holds lists."""
    return values if values.ndim == 2 else values.reshape(len(values), 0)
