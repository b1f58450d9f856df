"""rank: gaps in order of what closing them would avoid, each with an owner, its evidence and its history."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import numpy as np
import pandas as pd

from models.labels import examples as telling
from models.owners import OwnerBook
from models.questions import shortened
from models.ranking import may_fail, rank_gaps, reach_of
from models.retrieval import unit
from models.steps import distil
from models.tagging import tag_next
from models.verdicts import overall
from pipelines.gap_life import Past, lived, name_gaps, read_past
from pipelines.job import Job

QUOTES, QUOTE_LENGTH = 6, 420


def rank(job: Job) -> None:
    """Write rank/backlog, one row a gap, all fields of the contract but the draft, rank/tag_next and rank/precision."""
    gaps = job.read("diagnose/gaps")
    facts = job.read("measure/facts").set_index("conversation_id")
    demand = job.read("measure/demand").set_index("topic_id")
    topics = job.read("understand/topics").set_index("topic_id")
    articles = job.read("load/articles").drop_duplicates("article_id").set_index("article_id")
    past = read_past(job)
    gaps["gap_id"] = name_gaps(gaps, past)
    gaps = gaps.join(reach_of(gaps, facts))
    judged = {kind.kind: (kind.right, kind.judged) for kind in past.precision}
    ranked = rank_gaps(gaps, job.days / 7, job.settings.accuracy.confidence, job.settings.run.seed, judged)
    book = OwnerBook(job.read("load/owners"), job.read("load/articles"), job.read("load/article_revisions"))
    messages = job.read("redact/messages")
    said, replies = _said(job, messages), _replies(messages)
    cost = _cost(job, facts)
    rows = [
        _row(job, gap, facts, demand, topics, articles, book, said, replies, past, cost) for gap in _records(ranked)
    ]
    job.write("rank/backlog", pd.DataFrame(rows))
    job.write("rank/tag_next", _tag_next(job, facts, topics, said))
    whole = overall(past.precision, job.settings.accuracy.confidence)
    told = [whole, *past.precision] if whole else []
    job.write_json("rank/precision", [{**asdict(kind), "told": kind.told()} for kind in told])


def _records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    return [{str(k): v for k, v in row.items()} for row in frame.to_dict("records")]


def _cost(job: Job, facts: pd.DataFrame) -> float:
    """What one human-handled conversation costs: the agents' mean time where known, else the set price."""
    seconds = facts.loc[facts["in_window"], "handle_seconds"].dropna()
    if len(seconds) < 5:
        return job.settings.cost.per_escalation
    return float(seconds.mean()) / 3600 * job.settings.cost.agent_hour


def _said(job: Job, messages: pd.DataFrame) -> pd.DataFrame:
    """Question, vector and best agent's answer of each conversation, by conversation_id."""
    asked = job.read("understand/questions").merge(job.read("understand/vectors"), on="conversation_id")
    replies = messages[(messages["role"] == "agent") & (messages["text"].str.count(r"\S+") >= 8)]
    first = replies.sort_values(["conversation_id", "position"]).drop_duplicates("conversation_id")
    answers = first.set_index("conversation_id")["text"].rename("answer")
    return asked.set_index("conversation_id").join(answers)


def _replies(messages: pd.DataFrame) -> dict[str, list[str]]:
    """All that agents wrote, by conversation, in order."""
    agents = messages[messages["role"] == "agent"].sort_values(["conversation_id", "position"])
    return {str(c): [str(t) for t in texts] for c, texts in agents.groupby("conversation_id")["text"]}


def _steps(own: pd.DataFrame, replies: dict[str, list[str]]) -> list[dict[str, Any]]:
    """Steps that agents' replies share; a conversation known to be unresolved shows no way to go."""
    solved = own.index[~own["resolved"].eq(False).fillna(False).astype(bool)]
    found = distil([(str(c), text) for c in sorted(solved) for text in replies.get(str(c), [])])
    return [{**step, "text": shortened(step["text"], QUOTE_LENGTH)} for step in found]


def _tag_next(job: Job, facts: pd.DataFrame, topics: pd.DataFrame, said: pd.DataFrame) -> pd.DataFrame:
    """The conversations to tag next, with what a reviewer needs to see, and empty columns for the tag."""
    found = tag_next(facts.reset_index(), job.settings.diagnosis.excess_evidence, job.days / 7)
    ids = found["conversation_id"]
    found["topic_label"] = pd.array([str(topics["label"][t]) for t in found["topic_id"]], dtype="str")
    found["question"] = pd.array([shortened(str(said["question"].get(c, "")), QUOTE_LENGTH) for c in ids], dtype="str")
    found["article_id"] = facts["cited_first"].reindex(ids).to_numpy()
    return found


def _shares(values: pd.Series) -> dict[str, float]:
    counts = values.dropna().value_counts()
    return {str(k): float(v / max(1, len(values))) for k, v in sorted(counts.items(), key=lambda i: (-i[1], str(i[0])))}


def _row(
    job: Job, gap: dict[str, Any], facts: pd.DataFrame, demand: pd.DataFrame, topics: pd.DataFrame,
    articles: pd.DataFrame, book: OwnerBook, said: pd.DataFrame, replies: dict[str, list[str]],
    past: Past, cost: float,
) -> dict[str, Any]:  # fmt: skip
    ids = list(gap["conversation_ids"])
    own = facts.loc[ids]
    topic, flow = topics.loc[gap["topic_id"]], demand.loc[gap["topic_id"]]
    article = gap["article_id"] if isinstance(gap["article_id"], str) else None
    title = str(articles["title"][article]) if article else None
    intents, products = _shares(own["true_intent"].fillna(own["predicted_intent"])), _shares(own["product"])
    nearest = [dict(n) for n in gap["nearest"]]
    if article:
        owner = book.for_article(article, intents, products)
    else:
        close = {n["article_id"] for n in nearest if n["similarity"] >= job.settings.owners.nearest_at_least}
        owner = book.for_topic(intents, products, [n["article_id"] for n in nearest], close)
    quotes, answers = _quotes(ids, said)
    customers = own["customer_id"]
    change = gap["change_point"]
    row = {
        "gap_id": gap["gap_id"], "rank": int(gap["rank"]), "kind": gap["kind"],
        "title": _title(gap, str(topic["label"]), title, articles), "topic_id": gap["topic_id"],
        "topic_label": str(topic["label"]), "article_id": article, "nearest_articles": nearest,
        "owner_id": owner.owner_id, "owner_reason": owner.reason, "conversations": len(ids),
        "customers": int(customers.nunique() + customers.isna().sum()),
        "weekly_rate": round(len(ids) / (job.days / 7), 3), "trend": dict(flow["trend"]),
        **{k: round(float(gap[k]), 4) for k in ("failure_rate", "failure_low", "failure_high")},
        "labels": int(gap["labels"]),
        **{k: round(float(gap[k]), 4) for k in ("score", "score_low", "score_high")},
        "rank_low": int(gap["rank_low"]), "rank_high": int(gap["rank_high"]),
        "cost_avoidable": round(float(gap["score"]) * cost, 2), "reasons": list(gap["reasons"]),
        "examples": quotes, "conversation_ids": ids, "draft": None, "last_seen": job.run_id,
        "topics": list(gap["topics"]),
        "probability": float(gap["probability"]), "demand": round(float(gap["demand"]), 4),
        "p_fail": round(float(gap["p_fail"]), 4), "p_fixable": round(float(gap["p_fixable"]), 4),
        "weekly": _weekly(facts, own, gap), "theme": topic["theme"] if isinstance(topic["theme"], str) else None,
        "products": list(products), "languages": list(_shares(own["language"])), "intents": list(intents),
        "customer_words": list(gap["customer_words"]), "agent_answers": answers,
        "passages": [dict(p) for p in gap["passages"]], "steps": _steps(own, replies),
        "change_point": dict(change) if isinstance(change, dict) else None, "article_title": title,
        "owner_name": book.name(owner.owner_id),
        "surge": dict(flow["surge"]) if isinstance(flow["surge"], dict) else None,
    }  # fmt: skip
    return row | lived(row, past, book.name, job.settings.review.dismissed_returns_at)


def _title(gap: dict[str, Any], label: str, title: str | None, articles: pd.DataFrame) -> str:
    other = gap["other_article_id"]
    return {
        "missing": label,
        "stale": f"Update “{title}”",
        "incomplete": f"Extend “{title}”: {label}",
        "contradictory": f"Settle “{title}” against “{articles['title'].get(other, other)}”",
        "unfindable": f"Make “{title}” findable: {label}",
    }[gap["kind"]]


def _quotes(ids: list[str], said: pd.DataFrame) -> tuple[list[dict[str, str]], list[dict[str, str]]]:
    own = said.loc[[i for i in ids if i in said.index]]
    if own.empty:
        return [], []
    vectors = np.stack(list(own["vector"])).astype(np.float32)
    close = vectors @ unit(vectors.mean(axis=0, keepdims=True))[0]
    chosen = telling([str(q) for q in own["question"]], [float(c) for c in close], QUOTES)
    quotes = [
        {"conversation_id": str(own.index[i]), "quote": shortened(str(own["question"].iloc[i]), QUOTE_LENGTH)}
        for i in chosen
    ]
    replied = own[own["answer"].notna()]
    texts = [str(a) for a in replied["answer"]]
    near = [float(c) for c in close[own["answer"].notna().to_numpy()]]
    answers = [
        {"conversation_id": str(replied.index[i]), "quote": shortened(texts[i], QUOTE_LENGTH)}
        for i in telling(texts, near, QUOTES)
    ]
    return quotes, answers


def _weekly(facts: pd.DataFrame, own: pd.DataFrame, gap: dict[str, Any]) -> list[dict[str, Any]]:
    """Conversations that reach the gap, and how many failed, by week over history and window."""
    reach = facts[may_fail(gap["topics"], gap["article_id"], facts) | facts.index.isin(own.index)]
    weeks = sorted(facts["week"].unique())
    grouped = reach.groupby("week")["failed"]
    counts, failed = grouped.size().reindex(weeks, fill_value=0), grouped.sum().reindex(weeks, fill_value=0.0)
    return [
        {"week": w, "conversations": int(c), "failed": round(float(f), 2)}
        for w, c, f in zip(weeks, counts, failed, strict=True)
    ]
