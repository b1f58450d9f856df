"""Articles that are published or changed in the demo's world, some of which help."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from types import MappingProxyType

from lacuna.pipelines.demo.demand import Calendar
from lacuna.pipelines.demo.world import Article, Shop, Topic

__all__ = ["NO_FIXES", "Fix", "Fixes", "mended", "shop_with_fixes", "with_new_articles"]


@dataclass(frozen=True)
class Fix:
    """What somebody did about a topic: its article came, or was changed, on ``day``.

    From then on the bot answers from it and is right, or all stays as it was.
    """

    topic: str
    day: date
    works: bool = True


Fixes = Mapping[str, Fix]
NO_FIXES: Fixes = MappingProxyType({})


def mended(topic: Topic, fixes: Fixes, day: date) -> Topic:
    """The topic as it is on ``day``: one like any other that is answered well, where a fix has helped by then."""
    fix = fixes.get(topic.name)
    if fix is None or not fix.works or day < fix.day:
        return topic
    articles = topic.articles or (new_article_id(topic),)
    return replace(topic, kind="healthy", articles=articles, changed_days_ago=None, opens_days_ago=None)


def with_new_articles(shop: Shop, fixes: Fixes, calendar: Calendar) -> Shop:
    """The shop with an article for every topic that had none and is fixed, whenever that is."""
    articles = dict(shop.articles)
    for fix in fixes.values():
        topic = shop.topics[fix.topic]
        if not topic.articles:
            articles[new_article_id(topic)] = _new_article(topic, shop, (calendar.end - fix.day).days)
    return replace(shop, articles=articles)


def shop_with_fixes(shop: Shop, fixes: Fixes, calendar: Calendar) -> Shop:
    """The shop's articles as they read on the calendar's last day."""
    articles = dict(shop.articles)
    for fix in fixes.values():
        topic = shop.topics[fix.topic]
        if not topic.articles and fix.day > calendar.last:
            del articles[new_article_id(topic)]
        elif topic.articles and fix.day <= calendar.last:
            old = articles[topic.articles[0]]
            articles[old.article_id] = replace(old, body=f"{old.body}\n\n## New\n\n{_answers(topic)}")
    return replace(shop, articles=articles)


def new_article_id(topic: Topic) -> str:
    """The id of the article that a topic without one gets."""
    return f"kb-{topic.name}"


def _new_article(topic: Topic, shop: Shop, days_ago: int) -> Article:
    return Article(
        article_id=new_article_id(topic), title=topic.title, body=f"# {topic.title}\n\n{_answers(topic)}",
        language="en", product=None, owner_id=shop.owner_of(topic), status="published", created_days_ago=days_ago,
        verified_days_ago=None, reviser=None, translation_of=None,
    )  # fmt: skip


def _answers(topic: Topic) -> str:
    """What agents say, as steps."""
    sentences = (topic.after or topic.agent_uncovered or topic.agent)["en"]
    return "\n".join(f"{number}. {text}" for number, text in enumerate(sentences, start=1))
