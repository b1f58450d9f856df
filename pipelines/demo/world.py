"""What is true in the demo's world: its articles, owners and topics, read from ``shop/``, and the truth of a bundle."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

SHOP = Path(__file__).parent / "shop"
COMPANY = "Wolder & Birk"
LANGUAGES = ("en", "de")

Texts = Mapping[str, tuple[str, ...]]


@dataclass(frozen=True)
class Article:
    """One help article; dates count in days before the demo's last day."""

    article_id: str
    title: str
    body: str
    language: str
    product: str | None
    owner_id: str | None
    status: str
    created_days_ago: int
    verified_days_ago: int | None
    reviser: str | None
    translation_of: str | None


@dataclass(frozen=True)
class Owner:
    """Somebody who writes articles."""

    owner_id: str
    name: str
    team: str
    areas: tuple[str, ...]
    weekly_capacity: int
    active: bool = True


@dataclass(frozen=True)
class Topic:
    """One thing that customers write about, and how the knowledge base copes with it.

    ``articles`` answer it, ``near`` are those that a retrieval bot mistakes for the answer. ``changed_days_ago`` is
    when a stale article stopped being true, ``opens_days_ago`` when a missing article was published.
    """

    name: str
    title: str
    kind: str
    intent: str
    weekly: float
    products: tuple[str, ...]
    customer: Texts
    agent: Texts
    articles: tuple[str, ...] = ()
    near: tuple[str, ...] = ()
    german: float = 0.2
    regions: tuple[str, ...] = ("eu", "uk", "us")
    again: Texts = field(default_factory=dict)
    after: Texts = field(default_factory=dict)
    uncovered: Texts = field(default_factory=dict)
    agent_uncovered: Texts = field(default_factory=dict)
    policy: Texts = field(default_factory=dict)
    searches_en: tuple[str, ...] = ()
    searches_de: tuple[str, ...] = ()
    changed_days_ago: int | None = None
    opens_days_ago: int | None = None
    uncovered_share: float = 0.0
    uncovered_regions: tuple[str, ...] = ()
    surge: Mapping[str, float] = field(default_factory=dict)
    right: str | None = None
    predicted_as: str | None = None
    reason: str | None = None
    release: str | None = None
    what_changed: str | None = None
    not_covered: str | None = None
    total: int | None = None


@dataclass(frozen=True)
class Shop:
    """Everything that was written for the demo."""

    articles: Mapping[str, Article]
    owners: Mapping[str, Owner]
    topics: Mapping[str, Topic]
    releases: tuple[Mapping[str, Any], ...]
    words: Mapping[str, Any]

    def in_language(self, article_id: str, language: str) -> str:
        """The article's translation into ``language``, or the article itself."""
        for other in self.articles.values():
            if other.translation_of == article_id and other.language == language:
                return other.article_id
        return article_id

    def owner_of(self, topic: Topic) -> str | None:
        """Who should own a gap in ``topic``: the article's owner if active, else the area's, else its last reviser."""
        article = self.articles[topic.articles[0]] if topic.articles else None
        if article and article.owner_id and self.owners[article.owner_id].active:
            return article.owner_id
        for owner in self.owners.values():
            if owner.active and topic.intent in owner.areas:
                return owner.owner_id
        return article.reviser if article else None


@dataclass(frozen=True)
class TopicTruth:
    """What is true of one topic in one bundle.

    ``conversation_ids`` has it as their first problem, ``also_ids`` as their second; ``uncovered_ids`` asked for the
    part that the article leaves out. ``change_week`` is the Monday of the week in which a stale article stopped
    being true; ``closed_on`` the day on which a missing article appeared.
    """

    kind: str
    title: str
    intent: str
    products: tuple[str, ...]
    weekly: float
    article_ids: tuple[str, ...]
    owner_id: str | None
    conversation_ids: tuple[str, ...]
    also_ids: tuple[str, ...] = ()
    uncovered_ids: tuple[str, ...] = ()
    change_week: str | None = None
    change_date: str | None = None
    release: str | None = None
    what_changed: str | None = None
    not_covered: str | None = None
    right_article_id: str | None = None
    closed_on: str | None = None
    reason: str | None = None
    predicted_intent: str | None = None


@dataclass(frozen=True)
class Truth:
    """What is true of one bundle; the pipeline never sees it.

    ``bad_rows`` are the planted rows that break the contract (``quarantined``: row or value) or are worth a warning.
    ``fixes`` says which topics' articles were published or changed, when, and whether that helps.
    ``pii`` are the e-mail and postal addresses, telephone, card and account numbers and full names in the messages.
    """

    company: str
    seed: int
    window: dict[str, Any]
    topics: dict[str, TopicTruth]
    surge: dict[str, Any]
    loud: dict[str, Any]
    junk_ids: tuple[str, ...]
    bad_rows: tuple[dict[str, Any], ...]
    pii: tuple[str, ...]
    pii_by_kind: dict[str, tuple[str, ...]]
    fixes: tuple[dict[str, Any], ...] = ()

    def as_json(self) -> str:
        """The text of ``truth.json``."""
        return json.dumps(asdict(self), ensure_ascii=False, indent=1, sort_keys=True) + "\n"


def load_truth(path: Path) -> Truth:
    """Read the ``truth.json`` that :func:`pipelines.demo.write_demo` wrote beside a bundle."""
    record = json.loads(path.read_text(encoding="utf-8"))
    topics = {name: TopicTruth(**_tuples(topic)) for name, topic in record.pop("topics").items()}
    record["pii_by_kind"] = _tuples(record["pii_by_kind"])
    return Truth(topics=topics, **_tuples(record))


@cache
def load_shop() -> Shop:
    """Read everything that was written for the demo, each part sorted by name."""
    articles = [_article(path) for path in sorted((SHOP / "articles").glob("*.md"))]
    topics = [_topic(path) for path in sorted((SHOP / "topics").glob("*.toml"))]
    owners = [Owner(**_tuples(row)) for row in _toml(SHOP / "owners.toml")["owner"]]
    return Shop(
        articles={article.article_id: article for article in articles},
        owners={owner.owner_id: owner for owner in sorted(owners, key=lambda owner: owner.owner_id)},
        topics={topic.name: topic for topic in topics},
        releases=tuple(_toml(SHOP / "releases.toml")["release"]),
        words=_toml(SHOP / "words.toml"),
    )


def _article(path: Path) -> Article:
    _, head, body = path.read_text(encoding="utf-8").split("---\n", 2)
    facts = dict(line.split(": ", 1) for line in head.strip().splitlines())
    verified = facts.get("verified_days_ago")
    return Article(
        article_id=path.stem,
        title=facts["title"],
        body=body.strip(),
        language=facts["language"],
        product=facts.get("product"),
        owner_id=facts.get("owner"),
        status=facts.get("status", "published"),
        created_days_ago=int(facts.get("created_days_ago", 500)),
        verified_days_ago=int(verified) if verified else None,
        reviser=facts.get("reviser"),
        translation_of=facts.get("translation_of"),
    )


def _topic(path: Path) -> Topic:
    return Topic(name=path.stem, **_tuples(_toml(path)))


def _toml(path: Path) -> dict[str, Any]:
    return tomllib.loads(path.read_text(encoding="utf-8"))


def _tuples(record: Mapping[str, Any]) -> dict[str, Any]:
    """``record`` with its lists, and those one level down, as tuples: frozen records hold nothing that changes."""
    frozen: dict[str, Any] = {}
    for key, value in record.items():
        if isinstance(value, list):
            frozen[key] = tuple(value)
        elif isinstance(value, dict):
            frozen[key] = {name: tuple(item) if isinstance(item, list) else item for name, item in value.items()}
        else:
            frozen[key] = value
    return frozen
