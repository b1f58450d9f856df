"""rank: gaps in order of what closing them would avoid, each with an owner, its evidence and its history."""

from __future__ import annotations

from collections.abc import Mapping, Set
from dataclasses import asdict, replace
from typing import Any

import pandas as pd

from lacuna.models.accuracy.tag_next import tag_next
from lacuna.models.arrays import Flags
from lacuna.models.backlog.gap import Gap
from lacuna.models.backlog.gap_kinds import GAP_KINDS
from lacuna.models.backlog.gap_records import SimilarGap, Week
from lacuna.models.backlog.lifecycle import GapState
from lacuna.models.backlog.owners import OwnerBook
from lacuna.models.backlog.precision import overall
from lacuna.models.backlog.priority import may_fail, rank_gaps, reach_of
from lacuna.models.backlog.small_gaps import is_too_small
from lacuna.models.diagnosis.explanations import against_reason, searches_reason, words_reason
from lacuna.models.text.words import shortened
from lacuna.pipelines.gaps.history import name_gaps, read_past, with_history
from lacuna.pipelines.gaps.membership import with_membership
from lacuna.pipelines.gaps.status import as_found, as_reclassified
from lacuna.pipelines.runtime.job import Job
from lacuna.pipelines.steps.measure.demand import SURGE_DAYS, surge_of, with_trends
from lacuna.pipelines.steps.measure.searches import searches_for
from lacuna.pipelines.steps.rank.assign_owners import order_of_assignment
from lacuna.pipelines.steps.rank.carry_over import with_merged
from lacuna.pipelines.steps.rank.gap_evidence import gather
from lacuna.pipelines.steps.rank.impact import MeasuredFixes, measure_fixes
from lacuna.pipelines.steps.rank.titles import asked_in

MESSAGE_LENGTH = 420
# What is needed of each conversation, of measure/facts.
_FACTS = [
    "conversation_id", "started_at", "escalated", "language", "product", "customer_id", "resolved", "predicted_intent",
    "csat", "handle_seconds", "cited_first", "abandoned", "outcome", "true_intent", "answered", "by_people", "week",
    "in_window", "p_failed", "topic_id", "subtopic_id",
]  # fmt: skip


def rank(job: Job) -> None:
    """Write rank/backlog, one row a gap, all fields of the contract but the draft, rank/tag_next and rank/precision."""
    gaps = job.read("diagnose/gaps")
    facts = job.read("measure/facts", _FACTS).set_index("conversation_id")
    subtopics = job.read("understand/subtopics").merge(job.read("measure/subtopic_demand"), on="subtopic_id")
    subtopics = subtopics.set_index("subtopic_id")
    articles = job.read("load/articles").drop_duplicates("article_id").set_index("article_id")
    past = read_past(job)
    gaps["gap_id"] = name_gaps(gaps, past)
    gaps["similar"] = pd.Series(_similar(gaps, past.lives), gaps.index, dtype="object")
    gaps = with_membership(with_merged(gaps, past.lives, facts), past.lives, facts)
    gaps = gaps.join(reach_of(gaps, facts))
    judged_counts = {kind.kind: (kind.right, kind.judged) for kind in past.precision}
    ranked = rank_gaps(gaps, job.days / 7, job.settings.accuracy.confidence, job.settings.run.seed, judged_counts)
    rows = _records(ranked.join(_demand(ranked, facts)))
    reclassified = as_reclassified(rows, past.lives, set(articles.index))
    evidence, searches = gather(job, reclassified, articles), job.read("measure/searches")
    cost = _cost(job, facts)
    fixes = measure_fixes(job, past, facts, cost, gaps)
    # The title of a gap without an article is what is asked in it.
    known = {gap_id: str(as_found(row)["title"]) for gap_id, row in past.before.items() if row["article_id"] is None}
    searched = {
        gap["gap_id"]: searches_for(searches, set(gap["subtopics"]), set(gap["conversation_ids"])) for gap in rows
    }
    counts = {gap_id: {q["query"]: q["count"] for q in about["queries"]} for gap_id, about in searched.items()}
    asked = asked_in(job, rows, counts, known)
    book, ordered_gaps = order_of_assignment(job, fixes.past, rows)
    backlog = [
        _gap(
            job, gap | {"asked": asked[gap["gap_id"]]}, facts, subtopics, articles, book,
            evidence[gap["gap_id"]] | searched[gap["gap_id"]], fixes, cost,
        )
        for gap in ordered_gaps
    ]  # fmt: skip
    backlog.sort(key=lambda gap: gap.rank)
    titles = {gap.gap_id: gap.title for gap in backlog}
    backlog = [
        replace(gap, similar=[{**other, "title": titles[other["gap_id"]]} for other in gap.similar]) for gap in backlog
    ]
    job.write("rank/backlog", pd.DataFrame([gap.as_row() for gap in backlog]))
    job.write("rank/impact", fixes.table)
    job.write("rank/tag_next", _tag_next(job, facts, subtopics))
    overall_precision = overall(past.precision, job.settings.accuracy.confidence)
    precisions = [overall_precision, *past.precision] if overall_precision else []
    job.write_json("rank/precision", [{**asdict(kind), "told": kind.in_words()} for kind in precisions])


def _similar(gaps: pd.DataFrame, lives: Mapping[str, GapState]) -> list[list[SimilarGap]]:
    """The gaps that may be the same work as each gap, less those that people have merged with it."""
    ids = gaps["gap_id"].tolist()

    def target(gap_id: str) -> str:
        return lives.get(gap_id, GapState()).merged_into or gap_id

    return [
        [
            SimilarGap(gap_id=ids[other["gap"]], title=None, likeness=other["likeness"], why=other["why"])
            for other in similar
            if target(ids[other["gap"]]) != target(gap_id)
        ]
        for gap_id, similar in zip(ids, gaps["similar"], strict=True)
    ]


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
    to_tag = tag_next(facts.reset_index(), job.settings.diagnosis.excess_evidence, job.days / 7)
    ids = to_tag["conversation_id"]
    asked = job.read_rows("understand/questions", ids, ["conversation_id", "question"])
    questions = asked.set_index("conversation_id")["question"]
    to_tag["topic_id"] = pd.array([str(subtopics["topic_id"][s]) for s in to_tag["subtopic_id"]], dtype="str")
    to_tag["topic_label"] = pd.array([str(subtopics["topic_label"][s]) for s in to_tag["subtopic_id"]], dtype="str")
    to_tag["question"] = pd.array([shortened(str(questions.get(c, "")), MESSAGE_LENGTH) for c in ids], dtype="str")
    parts = job.read_shards("redact/messages", ["conversation_id", "position", "role", "text"])
    answers = {c: text for messages in parts for c, text in _bot_messages(messages, set(ids)).items()}
    to_tag["answer"] = pd.array([answers.get(c, "") for c in ids], dtype="str")
    to_tag["article_id"] = facts["cited_first"].reindex(ids).to_numpy()
    return to_tag


def _bot_messages(messages: pd.DataFrame, ids: Set[str]) -> dict[str, str]:
    """All that the bot said in each of these conversations, one message a paragraph."""
    bot_rows = messages[messages["conversation_id"].isin(ids) & messages["role"].eq("bot") & messages["text"].notna()]
    bot_rows = bot_rows.sort_values(["conversation_id", "position"])
    return {
        str(c): "\n".join(shortened(text, MESSAGE_LENGTH) for text in texts)
        for c, texts in bot_rows.groupby("conversation_id")["text"]
    }


def _shares(values: pd.Series) -> dict[str, float]:
    counts = values.dropna().value_counts()
    return {str(k): float(v / max(1, len(values))) for k, v in sorted(counts.items(), key=lambda i: (-i[1], str(i[0])))}


def _gap(
    job: Job, gap: dict[str, Any], facts: pd.DataFrame, subtopics: pd.DataFrame, articles: pd.DataFrame,
    book: OwnerBook, evidence: dict[str, Any], fixes: MeasuredFixes, cost: float,
) -> Gap:  # fmt: skip
    ids = list(gap["conversation_ids"])
    gap_facts = facts.loc[ids]
    subtopic = subtopics.loc[gap["subtopics"][0]]
    article = gap["article_id"] if isinstance(gap["article_id"], str) else None
    title = str(articles["title"][article]) if article else None
    intents = _shares(gap_facts["true_intent"].fillna(gap_facts["predicted_intent"]))
    products = _shares(gap_facts["product"])
    nearest: list[Any] = [dict(n) for n in gap["nearest"]]
    life = fixes.past.lives.get(gap["gap_id"], GapState())
    inactive_owner = life.owner_id if life.assigned and life.owner_id and not book.active(life.owner_id) else None
    if life.assigned and not inactive_owner:
        owner = book.chosen(life.owner_id)
    elif article:
        owner = book.for_article(article, intents, products)
    else:
        close_articles = {n["article_id"] for n in nearest if n["similarity"] >= job.settings.owners.nearest_at_least}
        owner = book.for_topic(intents, products, [n["article_id"] for n in nearest], close_articles)
    if inactive_owner:
        owner = replace(
            owner, reason=f"{owner.reason}; {book.name(inactive_owner)}, who was chosen, is no longer active"
        )
    customers = gap_facts["customer_id"]
    new_gap = Gap(
        gap_id=gap["gap_id"], rank=int(gap["rank"]), kind=gap["kind"], status="new",
        title=_title(gap, title, articles, fixes.past.before),
        topic_id=str(subtopic["topic_id"]),
        topic_label=str(subtopic["topic_label"]), article_id=article,
        # In order of what is shown; whom to ask goes by the order of the match, which knows agents' answers too.
        nearest_articles=sorted(nearest, key=lambda near: -(near["similarity"] or 0.0)),
        owner_id=owner.owner_id, owner_reason=owner.reason, conversations=len(ids),
        customers=int(customers.nunique() + customers.isna().sum()), weekly_rate=round(len(ids) / (job.days / 7), 3),
        trend=_record(gap["trend"]), failure_rate=_rounded(gap["failure_rate"]),
        failure_low=_rounded(gap["failure_low"]), failure_high=_rounded(gap["failure_high"]),
        n_tagged=int(gap["n_tagged"]), score=_rounded(gap["score"]), score_low=_rounded(gap["score_low"]),
        score_high=_rounded(gap["score_high"]), rank_low=int(gap["rank_low"]), rank_high=int(gap["rank_high"]),
        cost_avoidable=round(float(gap["score"]) * cost, 2),
        reasons=[*gap["reasons"], *_in_their_words(gap["kind"], evidence)], examples=evidence["examples"],
        conversation_ids=ids, first_seen=job.run_id, last_seen=job.run_id,
        probability=float(gap["probability"]), reached=int(gap["reached"]),
        by_people=round(float(gap_facts["by_people"].mean()), 3), demand=_rounded(gap["demand"]),
        p_fail=_rounded(gap["p_fail"]), p_fixable=_rounded(gap["p_fixable"]), weekly=gap["weekly"],
        theme=subtopic["theme"] if isinstance(subtopic["theme"], str) else None, products=list(products),
        languages=list(_shares(gap_facts["language"])), intents=list(intents),
        customer_words=evidence["customer_words"], searches=evidence["searches"], queries=evidence["queries"],
        agent_answers=evidence["agent_answers"], passages=evidence["passages"],
        steps=evidence["steps"], plan=evidence["plan"], answered=evidence["answered"],
        change_point=_record(gap["change_point"]),
        topics=list(dict.fromkeys(subtopics["topic_id"][list(gap["subtopics"])])), subtopics=list(gap["subtopics"]),
        subtopic_label=str(subtopic["label"]), article_title=title,
        other_article_id=gap["other_article_id"] if isinstance(gap["other_article_id"], str) else None,
        owner_name=book.name(owner.owner_id), owner_left=inactive_owner,
        surge=_surge(job, facts, gap),
        similar=list(gap["similar"]),
        too_small=is_too_small(float(gap["score"]), job.settings.review.least_effect_a_month),
    )  # fmt: skip
    effect = fixes.effect(new_gap.gap_id, job.start)
    return with_history(new_gap, fixes.past, book.name, job.settings.review.dismissed_returns_at, effect)


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


def _title(
    gap: dict[str, Any], title: str | None, articles: pd.DataFrame, before: Mapping[str, Mapping[str, Any]]
) -> str:
    """The gap's title; one about an article keeps that of the run before, by which people know it."""
    last_row = before.get(gap["gap_id"])
    found_before = as_found(last_row) if last_row else {}
    if title and all(found_before.get(name) == gap[name] for name in ("kind", "article_id")):
        return str(found_before["title"])
    other = gap["other_article_id"]
    names = {"topic": gap["asked"], "article": title, "other": articles["title"].get(other, other)}
    return GAP_KINDS[gap["kind"]].headline.format(**names)


def _surge(job: Job, facts: pd.DataFrame, gap: dict[str, Any]) -> Any:
    """The surge of the conversations about the gap, over history and window; None without one."""
    days = pd.date_range(end=job.end, periods=SURGE_DAYS, freq="D")
    about = facts["started_at"][_about(facts, gap)].dt.tz_convert(None).dt.normalize()
    days = days[days >= facts["started_at"].min().tz_convert(None).normalize()]
    return surge_of(about.value_counts().reindex(days, fill_value=0).to_numpy(), days.date)


def _about(facts: pd.DataFrame, gap: Mapping[str, Any]) -> Flags:
    """Which conversations of history and window are about the gap, failed or not."""
    return may_fail(gap["subtopics"], gap["article_id"], facts) | facts.index.isin(gap["conversation_ids"])


def _demand(gaps: pd.DataFrame, facts: pd.DataFrame) -> pd.DataFrame:
    """The demand for each gap over all conversations about it: by week (``weekly``), and its ``trend``."""
    weeks = sorted(facts["week"].unique())
    everybody = facts.groupby("week").size().reindex(weeks, fill_value=0).to_numpy()
    weekly, counts = [], []
    for gap in _records(gaps):
        grouped = facts[_about(facts, gap)].groupby("week")["p_failed"]
        asked = grouped.size().reindex(weeks, fill_value=0)
        failed = grouped.sum().reindex(weeks, fill_value=0.0)
        counts.append(asked.to_numpy())
        weekly.append(
            [
                Week(week=week, conversations=int(n), failed=round(float(f), 2))
                for week, n, f in zip(weeks, asked, failed, strict=True)
            ]
        )
    series = {"weekly": weekly, "counts": counts, "season": [None] * len(gaps)}
    table = pd.DataFrame({name: pd.Series(values, gaps.index, dtype="object") for name, values in series.items()})
    return with_trends(table, everybody)[["weekly", "trend"]]
