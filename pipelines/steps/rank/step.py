"""rank: gaps in order of what closing them would avoid, each with an owner, its evidence and its history."""

from __future__ import annotations

from collections.abc import Set
from dataclasses import asdict, replace
from typing import Any

import pandas as pd

from lacuna.models.accuracy.tag_next import tag_next
from lacuna.models.backlog.gap import Gap
from lacuna.models.backlog.gap_kinds import GAP_KINDS
from lacuna.models.backlog.gap_records import Week
from lacuna.models.backlog.lifecycle import GapState
from lacuna.models.backlog.owners import OwnerBook
from lacuna.models.backlog.precision import overall
from lacuna.models.backlog.priority import may_fail, rank_gaps, reach_of
from lacuna.models.diagnosis.explanations import against_reason, searches_reason, words_reason
from lacuna.models.text.words import shortened
from lacuna.pipelines.gaps.history import name_gaps, read_past, with_history
from lacuna.pipelines.runtime.job import Job
from lacuna.pipelines.steps.measure.searches import searches_for
from lacuna.pipelines.steps.rank.assign_owners import share_out
from lacuna.pipelines.steps.rank.carry_over import with_merged
from lacuna.pipelines.steps.rank.gap_evidence import gather
from lacuna.pipelines.steps.rank.impact import Measured, measure_fixes

MESSAGE_LENGTH = 420


def rank(job: Job) -> None:
    """Write rank/backlog, one row a gap, all fields of the contract but the draft, rank/tag_next and rank/precision."""
    gaps = job.read("diagnose/gaps")
    facts = job.read("measure/facts").set_index("conversation_id")
    subtopics = job.read("understand/subtopics").merge(job.read("measure/subtopic_demand"), on="subtopic_id")
    subtopics = subtopics.set_index("subtopic_id")
    articles = job.read("load/articles").drop_duplicates("article_id").set_index("article_id")
    past = read_past(job)
    gaps["gap_id"] = name_gaps(gaps, past)
    gaps = with_merged(gaps, past.lives, facts)
    gaps = gaps.join(reach_of(gaps, facts))
    judged = {kind.kind: (kind.right, kind.judged) for kind in past.precision}
    ranked = rank_gaps(gaps, job.days / 7, job.settings.accuracy.confidence, job.settings.run.seed, judged)
    evidence, searches = gather(job, _records(ranked), articles), job.read("measure/searches")
    cost = _cost(job, facts)
    fixes = measure_fixes(job, past, facts, cost)
    book, order = share_out(job, fixes.past, _records(ranked))
    made = [
        _gap(
            job, gap, facts, subtopics, articles, book,
            evidence[gap["gap_id"]] | searches_for(searches, set(gap["subtopics"]), set(gap["conversation_ids"])),
            fixes, cost,
        )
        for gap in order
    ]  # fmt: skip
    made.sort(key=lambda gap: gap.rank)
    job.write("rank/backlog", pd.DataFrame([gap.as_row() for gap in made]))
    job.write("rank/impact", fixes.table)
    job.write("rank/tag_next", _tag_next(job, facts, subtopics))
    whole = overall(past.precision, job.settings.accuracy.confidence)
    told = [whole, *past.precision] if whole else []
    job.write_json("rank/precision", [{**asdict(kind), "told": kind.in_words()} for kind in told])


def _records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    return [{str(k): v for k, v in row.items()} for row in frame.to_dict("records")]


def _cost(job: Job, facts: pd.DataFrame) -> float:
    """What one human-handled conversation costs: the agents' mean time where known, else the set price."""
    seconds = facts.loc[facts["in_window"], "handle_seconds"].dropna()
    if len(seconds) < 5:
        return job.settings.cost.per_escalation
    return float(seconds.mean()) / 3600 * job.settings.cost.agent_hour


def _tag_next(job: Job, facts: pd.DataFrame, subtopics: pd.DataFrame) -> pd.DataFrame:
    """The conversations to tag next, with what a reviewer needs to see, and empty columns for the tag."""
    found = tag_next(facts.reset_index(), job.settings.diagnosis.excess_evidence, job.days / 7)
    ids = found["conversation_id"]
    asked = job.read("understand/questions").set_index("conversation_id")["question"]
    found["topic_id"] = pd.array([str(subtopics["topic_id"][s]) for s in found["subtopic_id"]], dtype="str")
    found["topic_label"] = pd.array([str(subtopics["topic_label"][s]) for s in found["subtopic_id"]], dtype="str")
    found["question"] = pd.array([shortened(str(asked.get(c, "")), MESSAGE_LENGTH) for c in ids], dtype="str")
    answers = _bot_said(job.read("redact/messages"), set(ids))
    found["answer"] = pd.array([answers.get(c, "") for c in ids], dtype="str")
    found["article_id"] = facts["cited_first"].reindex(ids).to_numpy()
    return found


def _bot_said(messages: pd.DataFrame, ids: Set[str]) -> dict[str, str]:
    """All that the bot said in each of these conversations, one message a paragraph."""
    told = messages[messages["conversation_id"].isin(ids) & messages["role"].eq("bot") & messages["text"].notna()]
    told = told.sort_values(["conversation_id", "position"])
    return {
        str(c): "\n".join(shortened(text, MESSAGE_LENGTH) for text in texts)
        for c, texts in told.groupby("conversation_id")["text"]
    }


def _shares(values: pd.Series) -> dict[str, float]:
    counts = values.dropna().value_counts()
    return {str(k): float(v / max(1, len(values))) for k, v in sorted(counts.items(), key=lambda i: (-i[1], str(i[0])))}


def _gap(
    job: Job, gap: dict[str, Any], facts: pd.DataFrame, subtopics: pd.DataFrame, articles: pd.DataFrame,
    book: OwnerBook, evidence: dict[str, Any], fixes: Measured, cost: float,
) -> Gap:  # fmt: skip
    ids = list(gap["conversation_ids"])
    own = facts.loc[ids]
    about = subtopics.loc[gap["subtopics"][0]]
    article = gap["article_id"] if isinstance(gap["article_id"], str) else None
    title = str(articles["title"][article]) if article else None
    intents, products = _shares(own["true_intent"].fillna(own["predicted_intent"])), _shares(own["product"])
    nearest: list[Any] = [dict(n) for n in gap["nearest"]]
    life = fixes.past.lives.get(gap["gap_id"], GapState())
    left = life.owner_id if life.assigned and life.owner_id and not book.active(life.owner_id) else None
    if life.assigned and not left:
        owner = book.chosen(life.owner_id)
    elif article:
        owner = book.for_article(article, intents, products)
    else:
        close = {n["article_id"] for n in nearest if n["similarity"] >= job.settings.owners.nearest_at_least}
        owner = book.for_topic(intents, products, [n["article_id"] for n in nearest], close)
    if left:
        owner = replace(owner, reason=f"{owner.reason}; {book.name(left)}, who was chosen, is no longer active")
    customers = own["customer_id"]
    begun = Gap(
        gap_id=gap["gap_id"], rank=int(gap["rank"]), kind=gap["kind"], status="new",
        title=_title(gap, str(about["label"]), title, articles), topic_id=str(about["topic_id"]),
        topic_label=str(about["topic_label"]), article_id=article,
        # In order of what is shown; whom to ask goes by the order of the match, which knows agents' answers too.
        nearest_articles=sorted(nearest, key=lambda near: -(near["similarity"] or 0.0)),
        owner_id=owner.owner_id, owner_reason=owner.reason, conversations=len(ids),
        customers=int(customers.nunique() + customers.isna().sum()), weekly_rate=round(len(ids) / (job.days / 7), 3),
        trend=_record(about["trend"]), failure_rate=_rounded(gap["failure_rate"]),
        failure_low=_rounded(gap["failure_low"]), failure_high=_rounded(gap["failure_high"]),
        n_tagged=int(gap["labels"]), score=_rounded(gap["score"]), score_low=_rounded(gap["score_low"]),
        score_high=_rounded(gap["score_high"]), rank_low=int(gap["rank_low"]), rank_high=int(gap["rank_high"]),
        cost_avoidable=round(float(gap["score"]) * cost, 2),
        reasons=[*gap["reasons"], *_in_their_words(gap["kind"], evidence)], examples=evidence["examples"],
        conversation_ids=ids, first_seen=job.run_id, last_seen=job.run_id,
        probability=float(gap["probability"]), reached=int(gap["reached"]),
        by_people=round(float(own["by_people"].mean()), 3), demand=_rounded(gap["demand"]),
        p_fail=_rounded(gap["p_fail"]), p_fixable=_rounded(gap["p_fixable"]), weekly=_weekly(facts, own, gap),
        theme=about["theme"] if isinstance(about["theme"], str) else None, products=list(products),
        languages=list(_shares(own["language"])), intents=list(intents), customer_words=evidence["customer_words"],
        searches=evidence["searches"], queries=evidence["queries"], agent_answers=evidence["agent_answers"],
        passages=evidence["passages"], steps=evidence["steps"], answered=evidence["answered"],
        change_point=_record(gap["change_point"]),
        topics=list(dict.fromkeys(subtopics["topic_id"][list(gap["subtopics"])])), subtopics=list(gap["subtopics"]),
        subtopic_label=str(about["label"]), article_title=title,
        other_article_id=gap["other_article_id"] if isinstance(gap["other_article_id"], str) else None,
        owner_name=book.name(owner.owner_id), owner_left=left,
        surge=_record(about["surge"]),
    )  # fmt: skip
    effect = fixes.effect(begun.gap_id, job.start)
    return with_history(begun, fixes.past, book.name, job.settings.review.dismissed_returns_at, effect)


def _record(value: Any) -> Any:
    """A nested record of a table; None where it has none."""
    return dict(value) if isinstance(value, dict) else None


def _rounded(value: Any) -> float:
    return round(float(value), 4)


def _in_their_words(kind: str, evidence: dict[str, Any]) -> list[str]:
    """Reasons in customers' and agents' own words, where the kind is one that they bear out."""
    words = words_reason(evidence["customer_words"]) if kind in ("unfindable", "incomplete") else None
    against = against_reason(evidence["passages"]) if kind == "stale" else None
    searched = searches_reason(evidence["searches"], evidence["queries"])
    return [reason for reason in (words, against, searched) if reason]


def _title(gap: dict[str, Any], label: str, title: str | None, articles: pd.DataFrame) -> str:
    other = gap["other_article_id"]
    names = {"topic": label, "article": title, "other": articles["title"].get(other, other)}
    return GAP_KINDS[gap["kind"]].headline.format(**names)


def _weekly(facts: pd.DataFrame, own: pd.DataFrame, gap: dict[str, Any]) -> list[Week]:
    """Conversations that reach the gap, and how many failed, by week over history and window."""
    reach = facts[may_fail(gap["subtopics"], gap["article_id"], facts) | facts.index.isin(own.index)]
    weeks = sorted(facts["week"].unique())
    grouped = reach.groupby("week")["failed"]
    counts, failed = grouped.size().reindex(weeks, fill_value=0), grouped.sum().reindex(weeks, fill_value=0.0)
    return [
        {"week": w, "conversations": int(c), "failed": round(float(f), 2)}
        for w, c, f in zip(weeks, counts, failed, strict=True)
    ]
