"""Write the demo: a bundle in the contract's formats, and its truth beside it."""

from __future__ import annotations

import csv
import gzip
import io
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from random import Random
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from lacuna.pipelines.demo.chat import Conversation
from lacuna.pipelines.demo.conversations import junk_conversations, topic_conversations
from lacuna.pipelines.demo.demand import Calendar
from lacuna.pipelines.demo.fixes import Fix, Fixes, shop_with_fixes, with_new_articles
from lacuna.pipelines.demo.records import Row, article_rows, outcome_rows, revision_rows, search_rows
from lacuna.pipelines.demo.spoil import add_bad_rows
from lacuna.pipelines.demo.talk import make_customers
from lacuna.pipelines.demo.world import COMPANY, Shop, Topic, TopicTruth, Truth, load_shop

_TIME = pa.timestamp("us", tz="UTC")
CONVERSATIONS = pa.schema(
    [
        ("conversation_id", pa.string()),
        ("started_at", _TIME),
        ("escalated", pa.bool_()),
        ("channel", pa.string()),
        ("language", pa.string()),
        ("product", pa.string()),
        ("region", pa.string()),
        ("customer_id", pa.string()),
        ("escalated_at", _TIME),
        ("resolved", pa.bool_()),
        ("predicted_intent", pa.string()),
        ("intent_confidence", pa.float64()),
        ("csat", pa.float64()),
        ("handle_seconds", pa.float64()),
        ("tags", pa.list_(pa.string())),
    ]
)
REVISIONS = pa.schema(
    [
        ("article_id", pa.string()),
        ("revised_at", _TIME),
        ("author_id", pa.string()),
        ("approved", pa.bool_()),
        ("summary", pa.string()),
    ]
)


def write_demo(
    folder: Path, seed: int = 7, weeks: int = 12, end: date = date(2024, 6, 30), *, later: int = 0,
    fixes: Sequence[Fix] = (), until: date | None = None,
) -> Truth:  # fmt: skip
    """Write the demo company's ``bundle/`` and ``truth.json`` into ``folder``.

    Parameters
    ----------
    folder
        Made if it is not there. Files of an earlier demo are replaced.
    seed
        Same seed, same bytes.
    weeks
        Whole weeks of conversations. The planted changes lie 5 to 48 days before the end.
    end
        The last day.
    later
        Weeks that follow ``end``, in which people may act.
    fixes
        Articles that are published or changed, and whether that helps.
    until
        The last day that the bundle tells of: the same world at an earlier time, in which later fixes have not come.

    Returns
    -------
    Truth
        What is true of the bundle: the kind, owner and conversations of each topic, the bad rows, the personal data.

    Examples
    --------
    >>> truth = write_demo(tmp_path)  # doctest: +SKIP
    >>> truth.topics["tent-pole"].kind  # doctest: +SKIP
    'missing'
    """
    calendar, fixes_by_topic = Calendar(end, weeks, later, until), {fix.topic: fix for fix in fixes}
    shop = with_new_articles(load_shop(), fixes_by_topic, calendar)
    talks = [
        talk
        for talk in _all_conversations(shop, calendar, seed, fixes_by_topic)
        if talk.started_at.date() <= calendar.last
    ]
    fixed_shop = shop_with_fixes(shop, fixes_by_topic, calendar)
    ids = {id(talk): f"c-{number:05d}" for number, talk in enumerate(talks, start=1)}
    tables: dict[str, list[Row]] = {
        "conversations": [_conversation_row(ids[id(talk)], talk) for talk in talks],
        "messages": [row for talk in talks for row in _message_rows(ids[id(talk)], talk)],
        "articles": article_rows(fixed_shop, calendar, seed, fixes_by_topic),
        "outcomes": outcome_rows(talks, ids, calendar, seed),
        "article_revisions": revision_rows(fixed_shop, calendar, seed, fixes_by_topic),
        "owners": _owner_rows(shop),
        "searches": search_rows(shop, talks, ids, calendar, seed, fixes_by_topic),
        "releases": _release_rows(shop, calendar),
    }
    junk = [ids[id(talk)] for talk in talks if talk.topic is None]
    bad_rows = add_bad_rows(tables, junk, Random(f"{seed}:spoil"))
    _write_bundle(folder / "bundle", tables)
    truth = _truth(shop, talks, ids, calendar, seed, bad_rows, fixes)
    (folder / "truth.json").write_text(truth.as_json(), encoding="utf-8")
    return truth


def _all_conversations(shop: Shop, calendar: Calendar, seed: int, fixes: Fixes) -> list[Conversation]:
    people = make_customers(shop.words, Random(f"{seed}:people"), 2600)
    loud = next(topic for topic in shop.topics.values() if topic.kind == "loud")
    loud_talks = topic_conversations(loud, shop, people, calendar, seed)
    others = [person for person in people if person is not loud_talks[0].customer]
    talks = loud_talks + junk_conversations(shop, others, calendar, seed)
    for topic in shop.topics.values():
        if topic is not loud:
            talks += topic_conversations(topic, shop, others, calendar, seed, fixes)
    return sorted(talks, key=lambda talk: (talk.started_at, talk.customer.customer_id, talk.topic or ""))


def _conversation_row(conversation_id: str, talk: Conversation) -> Row:
    # Exports leave gaps; which ones must not depend on anything that the pipeline could learn from.
    gaps = Random(conversation_id)
    return {
        "conversation_id": conversation_id,
        "started_at": talk.started_at,
        "escalated": talk.escalated,
        "channel": talk.channel,
        "language": talk.language if gaps.random() > 0.01 else None,
        "product": talk.product if gaps.random() > 0.06 else None,
        "region": talk.region if gaps.random() > 0.04 else None,
        "customer_id": talk.customer.customer_id,
        "escalated_at": talk.escalated_at,
        "resolved": talk.resolved,
        "predicted_intent": talk.predicted_intent,
        "intent_confidence": talk.intent_confidence,
        "csat": talk.csat,
        "handle_seconds": talk.handle_seconds,
        "tags": list(talk.tags) or None,
    }


def _message_rows(conversation_id: str, talk: Conversation) -> list[Row]:
    rows, sent = [], talk.started_at
    for position, message in enumerate(talk.messages):
        sent += timedelta(seconds=message.after)
        row: Row = {
            "conversation_id": conversation_id,
            "position": position,
            "role": message.role,
            "text": message.text,
            "sent_at": sent,
        }
        if message.article_ids:
            row["article_ids"] = list(message.article_ids)
        if message.role == "bot":
            row["is_fallback"] = message.is_fallback
        rows.append(row)
    return rows


def _owner_rows(shop: Shop) -> list[Row]:
    return [
        {
            "owner_id": owner.owner_id,
            "name": owner.name,
            "email": f"{owner.name.lower().replace(' ', '.')}@wolderbirk.example",
            "team": owner.team,
            "areas": list(owner.areas),
            "weekly_capacity": owner.weekly_capacity,
            "active": owner.active,
        }
        for owner in shop.owners.values()
    ]


def _release_rows(shop: Shop, calendar: Calendar) -> list[Row]:
    return [
        {
            "product": release["product"],
            "version": release["version"],
            "released_at": datetime.combine(calendar.ago(release["days_ago"]), time(6), UTC),
            "notes": release["notes"],
        }
        for release in shop.releases
    ]


def _truth(
    shop: Shop,
    talks: Sequence[Conversation],
    ids: Mapping[int, str],
    calendar: Calendar,
    seed: int,
    bad: list[dict[str, Any]],
    fixes: Sequence[Fix],
) -> Truth:
    by_kind: dict[str, set[str]] = {}
    for talk in talks:
        for piece in talk.personal:
            by_kind.setdefault(piece.kind, set()).add(piece.text)
    certain = {text for kind, texts in by_kind.items() if kind not in ("first_name", "last_name") for text in texts}
    topics = {topic.name: _topic_truth(topic, shop, talks, ids, calendar) for topic in shop.topics.values()}
    surging = next(topic for topic in shop.topics.values() if topic.surge)
    loud = next(topic for topic in shop.topics.values() if topic.kind == "loud")
    return Truth(
        company=COMPANY,
        seed=seed,
        window={
            "start": calendar.days[0].isoformat(),
            "end": calendar.last.isoformat(),
            "days": (calendar.last - calendar.days[0]).days + 1,
            "weeks": ((calendar.last - calendar.days[0]).days + 1) // 7,
        },
        topics=topics,
        surge={
            "topic": surging.name,
            "started": calendar.ago(int(surging.surge["days_ago"])).isoformat(),
            "factor": surging.surge["factor"],
        },
        loud={
            "topic": loud.name,
            "customer_id": next(talk.customer.customer_id for talk in talks if talk.topic == loud.name),
            "conversation_ids": topics[loud.name].conversation_ids,
        },
        junk_ids=tuple(ids[id(talk)] for talk in talks if talk.topic is None),
        bad_rows=tuple(bad),
        pii=tuple(sorted(certain)),
        fixes=tuple({"topic": fix.topic, "day": fix.day.isoformat(), "works": fix.works} for fix in fixes),
        pii_by_kind={kind: tuple(sorted(texts)) for kind, texts in sorted(by_kind.items())},
    )


def _topic_truth(
    topic: Topic, shop: Shop, talks: Sequence[Conversation], ids: Mapping[int, str], calendar: Calendar
) -> TopicTruth:
    own_talks = [talk for talk in talks if talk.topic == topic.name]
    changed = calendar.ago(topic.changed_days_ago) if topic.changed_days_ago is not None else None
    return TopicTruth(
        kind=topic.kind,
        title=topic.title,
        intent=topic.intent,
        products=topic.products,
        weekly=topic.weekly,
        article_ids=topic.articles,
        owner_id=shop.owner_of(topic),
        conversation_ids=tuple(ids[id(talk)] for talk in own_talks),
        also_ids=tuple(ids[id(talk)] for talk in talks if talk.also == topic.name),
        uncovered_ids=tuple(ids[id(talk)] for talk in own_talks if talk.uncovered),
        change_week=(changed - timedelta(days=changed.weekday())).isoformat() if changed else None,
        change_date=changed.isoformat() if changed else None,
        release=topic.release,
        what_changed=topic.what_changed,
        not_covered=topic.not_covered,
        right_article_id=topic.right,
        closed_on=calendar.ago(topic.opens_days_ago).isoformat() if topic.opens_days_ago is not None else None,
        reason="intent routing" if topic.predicted_as else topic.reason,
        predicted_intent=topic.predicted_as,
    )


def _write_bundle(bundle: Path, tables: Mapping[str, Sequence[Row]]) -> None:
    by_month: dict[str, list[Row]] = {}
    month = ""
    for row in tables["conversations"]:
        # A row without a time lies in the file of the row before it, as in an export by month.
        month = row["started_at"].strftime("%Y-%m") if row["started_at"] else month
        by_month.setdefault(month, []).append(row)
    for month, rows in sorted(by_month.items()):
        _parquet(bundle / "conversations" / f"{month}.parquet", rows, CONVERSATIONS)
    _gzip(bundle / "messages.jsonl.gz", _jsonl(tables["messages"]))
    _put(bundle / "articles.jsonl", _jsonl(tables["articles"]))
    _put(bundle / "outcomes.csv", _csv(tables["outcomes"]))
    _parquet(bundle / "article_revisions.parquet", tables["article_revisions"], REVISIONS)
    _put(bundle / "owners.jsonl", _jsonl(tables["owners"]))
    _gzip(bundle / "searches.csv.gz", _csv(tables["searches"]))
    _put(bundle / "releases.csv", _csv(tables["releases"]))


def _parquet(path: Path, rows: Sequence[Row], schema: pa.Schema) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.Table.from_pylist(list(rows), schema=schema), path, compression="zstd")


def _jsonl(rows: Sequence[Row]) -> bytes:
    return "".join(json.dumps(row, ensure_ascii=False, default=_stamp) + "\n" for row in rows).encode()


def _csv(rows: Sequence[Row]) -> bytes:
    out = io.StringIO()
    writer = csv.DictWriter(out, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(
        {key: _stamp(value) if isinstance(value, datetime) else value for key, value in row.items()} for row in rows
    )
    return out.getvalue().encode()


def _stamp(value: datetime) -> str:
    return value.strftime("%Y-%m-%dT%H:%M:%SZ")


def _gzip(path: Path, data: bytes) -> None:
    # mtime and file name stay out of the header, or two equal demos would differ.
    _put(path, gzip.compress(data, compresslevel=6, mtime=0))


def _put(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
