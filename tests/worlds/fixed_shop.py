"""A small shop whose bot fails on some topics; two of them get an article, and only one article helps."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

from tests.support.standins import write_table

FIRST, FIXED = date(2024, 5, 13), date(2024, 7, 3)
FAILING = {
    "pole": [
        "my tent pole snapped",
        "the pole of the tent broke",
        "where do I get a new tent pole",
        "tent pole cracked",
    ],
    "points": ["my loyalty points are gone", "loyalty points were not credited", "claim missing loyalty points"],
    "customs": ["customs charge on my parcel", "I got a bill for customs charges", "why do I pay customs charges"],
}
ANSWERED = {
    "password": ["how do I reset my password", "password reset does not arrive", "forgot the password"],
    "hours": ["opening hours of the shop", "when is the shop open on sunday", "shop opening hours today"],
    "invoice": ["I need an invoice with vat", "please send the vat invoice again", "vat number on the invoice"],
    "brakes": ["brakes of my bike squeal", "squealing bike brakes", "why do the brakes squeal"],
    "washing": ["how to wash the down jacket", "washing a down jacket at home", "can I wash my down jacket"],
    "voucher": ["gift voucher code is refused", "my gift voucher does not work", "how to use a gift voucher"],
}
WORDS = ["please", "today", "again", "since monday", "thanks", "urgent", "hello", "for a friend"]


def write_shop(
    folder: Path, until: date, works: Collection[str] = ("pole",), weekly: int = 7, *,
    failing: Mapping[str, Sequence[str]] = FAILING, published: Sequence[str] = ("pole", "points"), fixed: date = FIXED,
    owners: Sequence[dict[str, Any]] = (), stale: Mapping[str, date] | None = None, tagged: int = 0,
) -> Path:  # fmt: skip
    """The shop's bundle up to a day; on ``fixed`` the articles in ``published`` come, and those in ``works`` help.

    The articles in ``stale`` no longer do from their day on; every ``tagged``-th answer is tagged, none where it is 0.
    """
    rng, conversations, messages, outcomes = Random(5), [], [], []
    day, number = FIRST, 0
    while day <= date(2024, 8, 4):
        for topic, phrases in {**failing, **ANSWERED}.items():
            for _ in range(weekly):
                number += 1
                when = datetime.combine(day + timedelta(days=rng.randrange(7)), datetime.min.time(), UTC)
                when += timedelta(hours=rng.randrange(7, 20), minutes=number % 60)
                mended = topic in works and when.date() >= fixed
                out_of_date = stale is not None and topic in stale and when.date() >= stale[topic]
                failed = rng.random() < (0.85 if out_of_date or (topic in failing and not mended) else 0.08)
                text = f"{rng.choice(phrases)} {rng.choice(WORDS)} {rng.choice(WORDS)}"
                answered = topic in ANSWERED or mended
                key = f"c-{number:05}"
                talk = {"conversation_id": key, "started_at": when.isoformat(), "escalated": failed}
                talk |= {
                    "customer_id": f"u-{number}",
                    "predicted_intent": topic,
                    "handle_seconds": 600.0 if failed else None,
                }
                talk |= {"resolved": True if not failed and rng.random() < 0.5 else None}
                thread: list[dict[str, Any]] = [{"role": "customer", "text": text}]
                thread.append(
                    {"role": "bot", "text": f"About {topic}: see here.", "article_ids": [f"kb-{topic}"]}
                    if answered
                    else {"role": "bot", "text": "Sorry, I do not know.", "is_fallback": True}
                )
                if failed:
                    thread.append({"role": "agent", "text": f"For {topic} we send a new one within five working days."})
                if when.date() <= until:
                    conversations.append(talk)
                    messages += [{"conversation_id": key, "position": i} | row for i, row in enumerate(thread)]
                    if tagged and number % tagged == 0:
                        outcome = "correct" if not failed else "wrong" if answered else "no_answer"
                        outcomes.append({"conversation_id": key, "outcome": outcome, "sample": "random"})
        day += timedelta(days=7)
    articles = [_article(topic, ANSWERED[topic], "2023-01-01") for topic in ANSWERED]
    if until >= fixed:
        articles += [_article(topic, failing[topic], fixed.isoformat()) for topic in published]
    write_table(folder, "conversations", conversations)
    write_table(folder, "messages", messages)
    write_table(folder, "articles", articles)
    if outcomes:
        write_table(folder, "outcomes", outcomes)
    if owners:
        write_table(folder, "owners", list(owners))
    return folder


def _article(topic: str, phrases: Sequence[str], day: str) -> dict[str, Any]:
    return {
        "article_id": f"kb-{topic}", "title": phrases[0].capitalize(), "created_at": f"{day}T09:00:00Z",
        "body": f"# {phrases[0]}\n\n" + "\n".join(phrases), "updated_at": f"{day}T09:00:00Z",
    }  # fmt: skip
