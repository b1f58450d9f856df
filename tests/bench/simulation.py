"""More draws like the replays: the same questions, answers and articles, with other gaps planted and other luck.

The questions and the articles are the control's, where nothing is withheld. An agent's answer is in a bundle only where
its conversation was escalated, so that answers, and more questions of which nobody knows the article, come from all six
bundles. All else is drawn anew with the probabilities that the data's README gives.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import bm25s
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tests.bench.common import REPLAY
from tests.bench.replays import DRAWS

Rng = np.random.Generator

PLANTED = {"missing": 6, "stale": 4, "unfindable": 3}
CHANGES_BETWEEN = (0.45, 0.65)  # where in the window an article goes stale, as a share of it
QUESTION_KEY = ["started_at", "question"]  # what a question is known by, whatever its id in a bundle
TAGS = ["correct", "partial", "wrong", "no_answer", "misclassified"]
# Customers who took an answer for good without a person, by what it was worth: their share in the six bundles.
CONTENT = {"correct": 0.97, "partial": 0.6, "wrong": 0.4, "no_answer": 0.1}
TITLE_COUNTS = 3  # times that the bot's search counts a title
# Where in the search's list the wrong articles stand that the bot cites in the bundles; the rest is farther down.
PLACES = (0.89, 0.045, 0.02, 0.015, 0.01)
FARTHEST = 30
CONFUSED = 1 / 3  # share of an intent that is taken for the one it is confused with, which makes 12 % of all


@dataclass(frozen=True)
class Pool:
    """All that draws are made of.

    Attributes
    ----------
    linked, unlinked
        Conversations by id with question, article (the true one, null where nobody knows), intent, and what a
        conversation has from the forum: started_at, customer_id, tags, resolved and so on.
    threads
        Messages after the bot's: what a person and the customer wrote.
    search
        float32 (conversations, articles), how well the bot's search thinks an article answers; rows in the order of
        linked, then unlinked, columns in that of ``articles``.
    older
        By article id, an older text where a snapshot holds one.
    """

    linked: pd.DataFrame
    unlinked: pd.DataFrame
    threads: pd.DataFrame
    articles: pd.DataFrame
    revisions: pd.DataFrame
    owners: pd.DataFrame
    truth: dict[str, Any]
    search: pd.DataFrame
    older: dict[str, str]

    @property
    def eligible(self) -> list[str]:
        """Articles that enough linked questions ask for."""
        counts = self.linked["article"].value_counts()
        return sorted(counts.index[counts >= self.truth["min_linked"]])


def pooled() -> Pool:
    """Read the six bundles."""
    bundles = [REPLAY.with_name(REPLAY.name + draw) for draw in ("-control", *DRAWS)]
    truth = json.loads((bundles[0] / "truth.json").read_text(encoding="utf-8"))
    articles = pd.read_parquet(bundles[0] / "bundle" / "articles.parquet").sort_values("article_id", ignore_index=True)
    of_title = dict(zip(articles["title"], articles["article_id"], strict=True))
    bundles_rows: list[pd.DataFrame] = []
    threads: list[pd.DataFrame] = []
    older: dict[str, str] = {}
    for folder in bundles:
        replay_truth = json.loads((folder / "truth.json").read_text(encoding="utf-8"))
        rows, messages = _conversations(folder / "bundle", replay_truth)
        bundles_rows.append(rows)
        threads.append(messages.merge(rows[["conversation_id", *QUESTION_KEY]], on="conversation_id"))
        body = pd.read_parquet(folder / "bundle" / "articles.parquet").set_index("article_id")["body"]
        older |= {of_title[v["title"]]: body[a] for a, v in replay_truth["stale"].items() if v["text_is_old"]}
    # What the forum says of being solved is known of escalated conversations; the control's id and article come first.
    everyone = pd.concat(bundles_rows, ignore_index=True)
    solved = everyone[everyone["escalated"]].drop_duplicates(QUESTION_KEY).set_index(QUESTION_KEY)["resolved"]
    everyone = everyone.drop_duplicates(QUESTION_KEY).reset_index(drop=True)
    everyone["resolved"] = everyone.set_index(QUESTION_KEY).index.map(solved)
    messages = pd.concat(threads).drop_duplicates([*QUESTION_KEY, "position"]).drop(columns="conversation_id")
    messages = messages.merge(everyone[["conversation_id", *QUESTION_KEY]], on=QUESTION_KEY).drop(columns=QUESTION_KEY)
    everyone = everyone.set_index("conversation_id")
    linked = everyone[everyone["article"].notna()]
    # Whether an agent's answer is known depends on luck alone: those without are like the others.
    unlinked = everyone[everyone["article"].isna() & everyone.index.isin(messages["conversation_id"])]
    questions = [*linked["question"], *unlinked["question"]]
    search = pd.DataFrame(_search(questions, articles), [*linked.index, *unlinked.index], articles["article_id"])
    bundle = bundles[0] / "bundle"
    return Pool(
        linked, unlinked, messages, articles, pd.read_parquet(bundle / "article_revisions.parquet"),
        pd.read_json(bundle / "owners.jsonl", lines=True), truth, search, older,
    )  # fmt: skip


def _conversations(bundle: Path, truth: dict[str, Any]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """A bundle's conversations with their question, article and intent; and the messages after the bot's."""
    rows = pd.read_parquet(bundle / "conversations.parquet")
    messages = pd.read_parquet(bundle / "messages.parquet").sort_values(["conversation_id", "position"])
    questions = messages[messages["position"].eq(0)].set_index("conversation_id")["text"]
    rows["question"] = rows["conversation_id"].map(questions)
    control = not truth["missing"]
    rows["article"] = rows["conversation_id"].map(truth["conversation_article"]) if control else None
    rows["intent"] = rows["conversation_id"].map(truth["intent_of_conversation"])
    return rows, messages[messages["position"].ge(2)]


def _search(questions: Sequence[str], articles: pd.DataFrame) -> NDArray[np.float32]:
    """BM25 as the bot's search does it: the wrong article that it cites in the bundles is mostly the best by this."""
    titles = (articles["title"] + " ") * TITLE_COUNTS
    texts = list(titles + articles["summary"].fillna("") + " " + articles["body"])
    index = bm25s.BM25(k1=1.5, b=0.75)
    index.index(_words(texts), show_progress=False)
    out = np.zeros((len(questions), len(texts)), dtype=np.float32)
    for row, words in enumerate(_words(questions)):
        words_in_index = [word for word in dict.fromkeys(words) if word in index.vocab_dict]
        if words_in_index:
            out[row] = index.get_scores(words_in_index)
    return out


def _words(texts: Sequence[str]) -> list[list[str]]:
    return bm25s.tokenize(list(texts), stopwords=[], show_progress=False, return_ids=False, allow_empty=True)


def draw(pool: Pool, seed: int) -> tuple[dict[str, pd.DataFrame], dict[str, Any]]:
    """One draw: the tables of its bundle, and its truth in the form that the scorer reads."""
    rng, p = np.random.default_rng(seed), pool.truth["probabilities"]
    articles_chosen = rng.permutation(pool.eligible)[: sum(PLANTED.values())].tolist()
    planted = dict(zip(articles_chosen, [kind for kind, count in PLANTED.items() for _ in range(count)], strict=True))
    start, end = (pd.Timestamp(day, tz="UTC") for day in pool.truth["window"])
    changed = {
        article: (start + (end - start) * rng.uniform(*CHANGES_BETWEEN)).normalize()
        for article, kind in planted.items() if kind == "stale"
    }  # fmt: skip
    strangers = pool.unlinked.iloc[np.sort(rng.choice(len(pool.unlinked), len(pool.linked), replace=False))]
    rows = pd.concat([pool.linked, strangers]).sort_values("started_at", kind="stable")
    answered = [_answer(rng, p, row.article, planted.get(row.article), row, changed) for row in rows.itertuples()]
    rows["quality"] = [quality for quality, _ in answered]
    withheld = [article for article, kind in planted.items() if kind == "missing"]
    rows["cited"] = _cited(rng, pool, rows, [how for _, how in answered], withheld)
    rows["escalated"] = rng.random(len(rows)) < rows["quality"].map(p["escalated"])
    rows = _outcome(rng, p, rows, pool.truth["confusions"])
    tables = {
        "conversations": _conversation_table(pool, rows), "messages": _messages(pool, rows),
        "outcomes": _tagged(rng, p, rows), **_knowledge(pool, planted, changed),
    }  # fmt: skip
    truth: dict[str, Any] = {kind: {} for kind in PLANTED}
    failed = rows["quality"].ne("correct")
    for article, kind in planted.items():
        own = rows["article"].eq(article)
        truth[kind][article] = {
            "conversation_ids": rows.index[own].tolist(), "demand": int(own.sum()),
            "demand_failed": int((own & failed).sum()),
        }  # fmt: skip
    truth["conversation_article"] = rows["article"].dropna().to_dict()
    truth["owner_of_article"] = pool.truth["owner_of_article"]
    return tables, truth


def _answer(
    rng: Rng, p: dict[str, Any], article: object, kind: str | None, row: Any, changed: dict[str, pd.Timestamp]
) -> tuple[str, str]:
    """What the bot's answer is worth, and whether it cites the right article, another one or none."""
    if not isinstance(article, str):
        if rng.random() >= p["distractor_cites"]:
            return "no_answer", "none"
        return ("correct" if rng.random() < p["distractor_correct"] else "wrong"), "other"
    reaches = {"missing": 0.0, "unfindable": p["unfindable_cites"]}.get(kind or "", p["normal_cites"])
    if rng.random() < reaches:
        if kind == "stale" and row.started_at >= changed[article]:
            return str(rng.choice(list(p["stale_after"]), p=list(p["stale_after"].values()))), "right"
        return "correct", "right"
    wrong = p["missing_cites_wrong"] if kind == "missing" else p["else_cites_wrong"]
    return ("wrong", "other") if rng.random() < wrong else ("no_answer", "none")


def _cited(rng: Rng, pool: Pool, rows: pd.DataFrame, how: Sequence[str], withheld: Sequence[str]) -> list[str | None]:
    """The article that the bot cites: the right one, or another one from the top of what its search finds, or none."""
    relevance = pool.search.loc[rows.index].drop(columns=list(withheld))
    scores, column = relevance.to_numpy(copy=True), {article: i for i, article in enumerate(relevance.columns)}
    for i, article in enumerate(rows["article"]):
        if article in column:
            scores[i, column[article]] = -1
    order = (-scores).argsort(axis=1, kind="stable")
    farther = rng.integers(len(PLACES), min(FARTHEST, len(column)), len(rows))
    place = rng.choice(len(PLACES) + 1, len(rows), p=[*PLACES, 1 - sum(PLACES)])
    place = np.where(place < len(PLACES), place, farther)
    other = relevance.columns[order[np.arange(len(rows)), place]]
    article_for = {"right": lambda i: rows["article"].iloc[i], "other": lambda i: other[i], "none": lambda _: None}
    return [article_for[h](i) for i, h in enumerate(how)]


def _outcome(rng: Rng, p: dict[str, Any], rows: pd.DataFrame, confusions: list[list[str]]) -> pd.DataFrame:
    """What came after the answer: handling time, satisfaction, and what the bot took the intent for."""
    n = len(rows)
    wrong = dict(map(tuple, confusions))
    others = np.array(sorted(set(rows["intent"])))
    systematic = rows["intent"].isin(list(wrong)) & (rng.random(n) < CONFUSED)
    predicted = rows["intent"].mask(systematic, rows["intent"].map(wrong))
    predicted = predicted.mask(rng.random(n) < 0.02, pd.Series(rng.choice(others, n), rows.index))
    sure = np.where(predicted.eq(rows["intent"]), rng.normal(0.8, 0.12, n), rng.normal(0.58, 0.18, n)).clip(0.05, 0.99)
    rating = rng.normal(rows["quality"].map(p["csat_mean"]), p["csat_sd"]).round().clip(1, 5)
    content = rng.random(n) < rows["quality"].map(CONTENT)
    solved = rows["resolved"].isin([True])
    return rows.assign(
        predicted_intent=predicted,
        intent_confidence=sure.round(3),
        csat=np.where(rng.random(n) < p["csat_present"], rating, np.nan),
        handle_seconds=np.where(
            rows["escalated"], np.exp(rng.normal(np.log(p["handle_median_s"]), p["handle_sigma"], n)).round(1), np.nan
        ),
        resolved=solved.where(rows["escalated"], content),
    )


def _conversation_table(pool: Pool, rows: pd.DataFrame) -> pd.DataFrame:
    first = pool.threads.groupby("conversation_id")["sent_at"].min()
    taken_over = rows.index.to_series().map(first).fillna(rows["started_at"] + pd.Timedelta(hours=12))
    published = rows.drop(columns=["question", "article", "intent", "quality", "cited"])
    return published.assign(escalated_at=taken_over.where(rows["escalated"])).reset_index(names="conversation_id")


def _messages(pool: Pool, rows: pd.DataFrame) -> pd.DataFrame:
    """The question, the bot's answer, and where a person took over what was said then."""
    body = pool.articles.set_index("article_id")
    shown = (body["title"] + ": " + body["body"].str.split().str[:60].str.join(" ") + " …").to_dict()
    questions = pd.DataFrame(
        {"conversation_id": rows.index, "position": 0, "role": "customer", "text": rows["question"].to_numpy(),
         "sent_at": rows["started_at"].to_numpy(), "article_ids": None, "is_fallback": None}
    )  # fmt: skip
    cited = [article if isinstance(article, str) else None for article in rows["cited"]]
    replied = questions.assign(
        position=1, role="bot", text=[shown.get(a, "Sorry, I could not find an answer to that.") for a in cited],
        sent_at=questions["sent_at"] + pd.Timedelta(seconds=5), article_ids=[[a] if a else None for a in cited],
        is_fallback=[a is None for a in cited],
    )  # fmt: skip
    threads = pool.threads[pool.threads["conversation_id"].isin(rows.index[rows["escalated"]])]
    return pd.concat([questions, replied, threads], ignore_index=True).sort_values(["conversation_id", "position"])


def _tagged(rng: Rng, p: dict[str, Any], rows: pd.DataFrame) -> pd.DataFrame:
    """Tags: many of escalated conversations, few of all at random; some are slips of the hand."""
    parts = []
    for sample, share, among in (
        ("escalated", p["tag_escalated"], rows["escalated"].to_numpy(dtype=bool)),
        ("random", p["tag_random"], np.ones(len(rows), dtype=bool)),
    ):
        own = rows[among & (rng.random(len(rows)) < share)]
        misrouted = own["quality"].eq("wrong") & own["predicted_intent"].ne(own["intent"])
        outcome = own["quality"].mask(misrouted & (rng.random(len(own)) < p["misclassified"]), "misclassified")
        slip = rng.random(len(own)) < p["tag_noise"]
        outcome = [rng.choice([t for t in TAGS if t != o]) if s else o for o, s in zip(outcome, slip, strict=True)]
        tag = pd.Series(outcome, own.index, dtype="str")
        at = own["started_at"] + pd.to_timedelta(rng.uniform(1, 72, len(own)), unit="h")
        parts.append(
            pd.DataFrame(
                {"conversation_id": own.index, "outcome": tag, "tagged_at": at, "sample": sample,
                 "tagged_by": [f"{sample}-{i}" for i in rng.integers(0, 20, len(own))],
                 "true_intent": own["intent"].where(tag.eq("misclassified")), "article_id": own["cited"]}
            )
        )  # fmt: skip
    return pd.concat(parts, ignore_index=True)


def _knowledge(pool: Pool, planted: dict[str, str], changed: dict[str, pd.Timestamp]) -> dict[str, pd.DataFrame]:
    """Articles without the withheld ones and every trace of them, stale ones as they were before their change."""
    titles = pool.articles.set_index("article_id")["title"]
    withheld = [article for article, kind in planted.items() if kind == "missing"]
    articles = pool.articles[~pool.articles["article_id"].isin(withheld)].copy()
    articles["body"] = [pool.older.get(a, b) if a in changed else b for a, b in articles[["article_id", "body"]].values]
    for article in withheld:
        articles["body"] = articles["body"].str.replace(titles[article], "", regex=False)
    revisions = pool.revisions[~pool.revisions["article_id"].isin(withheld)]
    late = revisions["revised_at"] >= revisions["article_id"].map(changed)
    revisions = revisions[~late]
    last = revisions[revisions["approved"]].groupby("article_id")["revised_at"].max()
    articles["updated_at"] = articles["updated_at"].mask(
        articles["article_id"].isin(list(changed)), articles["article_id"].map(last)
    )
    owners = pool.owners.assign(
        areas=[
            [area for area in areas if area.removeprefix("article:") not in withheld] for areas in pool.owners["areas"]
        ]
    )
    return {"articles": articles, "article_revisions": revisions, "owners": owners}
