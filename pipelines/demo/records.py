"""The demo's other tables: articles with their figures, their revisions, reviewers' tags, search logs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, time, timedelta
from random import Random
from typing import Any

from lacuna.pipelines.demo.chat import CORRECT, MISCLASSIFIED, NO_ANSWER, PARTIAL, WRONG, Conversation
from lacuna.pipelines.demo.demand import Calendar
from lacuna.pipelines.demo.fixes import NO_FIXES, Fixes, mended
from lacuna.pipelines.demo.talk import mistype
from lacuna.pipelines.demo.world import Article, Shop, Topic

Row = dict[str, Any]

SEARCHES_FIRST = 0.35
SUMMARIES = ("Typo", "Prices checked", "Steps in a better order", "Shorter", "Links", "Wording", "Screenshots renewed")
NOTES = ("quoted the wrong section", "customer had to ask twice", "good answer, long", "agent answered differently")


def article_rows(shop: Shop, calendar: Calendar, seed: int, fixes: Fixes = NO_FIXES) -> list[Row]:
    """The articles table; views follow demand, votes follow how well the article serves."""
    revised: dict[str, datetime] = {}
    for row in revision_rows(shop, calendar, seed, fixes):
        if row["approved"]:
            revised[row["article_id"]] = max(row["revised_at"], revised.get(row["article_id"], row["revised_at"]))
    rows = []
    for article in shop.articles.values():
        rng = Random(f"{seed}:article:{article.article_id}")
        views, helpful, unhelpful = _votes(article, shop, rng)
        rows.append(
            {
                "article_id": article.article_id,
                "title": article.title,
                "body": article.body,
                "status": article.status,
                "url": f"https://help.wolderbirk.example/{article.language}/{article.article_id.removeprefix('kb-')}",
                "language": article.language,
                "product": article.product,
                "owner_id": article.owner_id,
                "created_at": _created(article, calendar),
                "updated_at": revised[article.article_id],
                "verified_at": _verified(article, calendar, rng),
                "views": views,
                "helpful": helpful,
                "unhelpful": unhelpful,
                "translation_of": article.translation_of,
            }
        )
    return rows


def revision_rows(shop: Shop, calendar: Calendar, seed: int, fixes: Fixes = NO_FIXES) -> list[Row]:
    """Who revised what and when.

    What is planted was last touched before the first week, but for a fix; of the rest, some later.
    """
    untouched = [topic for topic in shop.topics.values() if topic.kind not in ("healthy", "missing")]
    planted = {article for topic in untouched for article in topic.articles}
    active = [owner.owner_id for owner in shop.owners.values() if owner.active]
    rows = []
    for article in shop.articles.values():
        rng = Random(f"{seed}:revisions:{article.article_id}")
        author = article.owner_id or article.reviser or rng.choice(active)
        first = article.created_days_ago
        last = (
            2 if article.article_id not in planted and (first < 60 or rng.random() < 0.25) else calendar.weeks * 7 + 10
        )
        span = max(first - last, 0)
        history = sorted({rng.randrange(last, first) for _ in range(rng.randrange(1, 6))}, reverse=True) if span else []
        rows.append(_revision(article, author, _created(article, calendar), True, "First version"))
        for days in history:
            by = author if rng.random() < 0.7 else rng.choice(active)
            when = _at(calendar, days, rng)
            rows.append(_revision(article, by, when, rng.random() < 0.85, rng.choice(SUMMARIES)))
        if article.reviser:
            rows.append(
                _revision(
                    article, article.reviser, _at(calendar, last - 1, rng), True, "Opening hours and public holidays"
                )
            )
            rows.append(_revision(article, "o-diego", _at(calendar, last - 4, rng), False, "Try a friendlier opening"))
    for fix in fixes.values():
        changed = shop.topics[fix.topic].articles
        if changed and fix.day <= calendar.last:
            article = shop.articles[changed[0]]
            author = article.owner_id or article.reviser or active[0]
            rows.append(_revision(article, author, datetime.combine(fix.day, time(9), UTC), True, "Brought up to date"))
    return sorted(rows, key=lambda row: (row["article_id"], row["revised_at"]))


def outcome_rows(talks: Sequence[Conversation], ids: Mapping[int, str], calendar: Calendar, seed: int) -> list[Row]:
    """Reviewers' tags: most escalated, a random audit, some feedback; one in twenty is wrong."""
    rng = Random(f"{seed}:outcomes")
    until = datetime.combine(calendar.last + timedelta(days=1), time(), UTC)
    rows = []
    for talk in talks:
        if rng.random() < 0.07:
            sample = "random"
        elif talk.escalated and rng.random() < 0.35:
            sample = "escalated"
        elif talk.quality in (CORRECT, WRONG) and rng.random() < 0.03:
            sample = "feedback"
        else:
            continue
        tag = talk.quality
        if rng.random() < 0.05:
            tag = rng.choice([other for other in (CORRECT, PARTIAL, WRONG, NO_ANSWER) if other != tag])
        if sample == "feedback":
            tag = CORRECT if tag == CORRECT else WRONG
        when = talk.started_at + timedelta(hours=rng.uniform(1, 90))
        if when >= until:
            continue
        rows.append(
            {
                "conversation_id": ids[id(talk)],
                "outcome": tag,
                "tagged_at": when,
                "tagged_by": "customer" if sample == "feedback" else rng.choice(("qa-1", "qa-2", "qa-3", "team-lead")),
                "sample": sample if rng.random() > 0.06 else None,
                "true_intent": talk.intent if tag == MISCLASSIFIED or rng.random() < 0.25 else None,
                "article_id": talk.cited,
                "note": None if sample == "feedback" else rng.choice((None, *NOTES)),
            }
        )
    return rows


def search_rows(
    shop: Shop, talks: Sequence[Conversation], ids: Mapping[int, str], calendar: Calendar, seed: int,
    fixes: Fixes = NO_FIXES,
) -> list[Row]:  # fmt: skip
    """The help centre's search log. A search that finds nothing is often followed by a ticket."""
    rows: list[Row] = []
    opens = datetime.combine(calendar.days[0], time(), UTC)
    for written in shop.topics.values():
        rng = Random(f"{seed}:searches:{written.name}")
        for talk in (talk for talk in talks if talk.topic == written.name):
            topic = mended(written, fixes, talk.started_at.date())
            queries = topic.searches_de if talk.language == "de" else topic.searches_en
            if not queries or rng.random() > SEARCHES_FIRST:
                continue
            missing = topic.kind == "missing" and not calendar.since(topic.opens_days_ago, talk.started_at.date())
            results, clicked = _search_results(topic, talk, shop, missing, rng)
            ticket = talk.escalated and (missing or topic.kind == "unfindable" or rng.random() < 0.35)
            back = timedelta(minutes=rng.uniform(1, 20)) if ticket else timedelta(hours=rng.uniform(-20, 60))
            query = rng.choice(queries)
            rows.append(
                {
                    "searched_at": max(talk.started_at - back, opens),
                    "query": mistype(query, rng, 1) if rng.random() < 0.12 else query,
                    "results": results,
                    "clicked_article_id": clicked,
                    "conversation_id": ids[id(talk)] if ticket else None,
                    "language": talk.language,
                }
            )
    until = datetime.combine(calendar.last + timedelta(days=1), time(), UTC)
    rows_before = [row for row in rows if row["searched_at"] < until]
    return sorted(rows_before, key=lambda row: (row["searched_at"], row["query"]))


def _search_results(topic: Topic, talk: Conversation, shop: Shop, missing: bool, rng: Random) -> tuple[int, str | None]:
    if missing or topic.kind in ("unfindable", "handoff", "loud"):
        if rng.random() < (0.85 if topic.kind == "unfindable" else 0.7):
            return 0, None
        near = rng.choice(topic.near)
        return rng.randrange(1, 4), shop.in_language(near, talk.language) if rng.random() < 0.25 else None
    article = shop.in_language(rng.choice(topic.articles), talk.language)
    return rng.randrange(1, 10), article if rng.random() < 0.65 else None


def _votes(article: Article, shop: Shop, rng: Random) -> tuple[int, int, int]:
    same = {article.article_id, article.translation_of}
    own_topics = [topic for topic in shop.topics.values() if same & set(topic.articles)]
    weekly = sum(topic.weekly for topic in own_topics) or 1.0
    kinds = {topic.kind for topic in own_topics}
    views = (
        weekly
        * min(max(article.created_days_ago, 0), 365)
        / 7
        * rng.uniform(3, 7)
        * (0.2 if article.translation_of else 1.0)
    )
    if "unfindable" in kinds:
        views *= 0.05
    if article.status != "published":
        views *= 0.02
    liked = 0.55 if kinds & {"stale", "incomplete", "contradictory"} else 0.82
    votes = views * rng.uniform(0.02, 0.05)
    helpful = round(votes * min(0.97, max(0.2, rng.gauss(liked, 0.06))))
    return round(views), helpful, round(votes) - helpful


def _revision(article: Article, author: str, when: datetime, approved: bool, summary: str) -> Row:
    return {
        "article_id": article.article_id,
        "revised_at": when,
        "author_id": author,
        "approved": approved,
        "summary": summary,
    }


def _created(article: Article, calendar: Calendar) -> datetime:
    return datetime.combine(calendar.ago(article.created_days_ago), time(7), UTC)


def _verified(article: Article, calendar: Calendar, rng: Random) -> datetime | None:
    days = article.verified_days_ago
    if days is None:
        if rng.random() < 0.2:
            return None
        days = rng.randrange(20, 200)
    return _at(calendar, days, rng) if days <= article.created_days_ago else None


def _at(calendar: Calendar, days_ago: int, rng: Random) -> datetime:
    return datetime.combine(calendar.ago(days_ago), time(rng.randrange(8, 17), rng.randrange(60)), UTC)
