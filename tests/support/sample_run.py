"""A run written by hand: an outdoor shop's backlog with every kind of gap, two languages and some unkind texts."""

from __future__ import annotations

import math
import random
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pandas as pd

from lacuna.models.data_coverage.coverage import ABSENT, PARTLY, STATES, THERE
from lacuna.models.data_coverage.parts import PARTS
from lacuna.pipelines.report.view import ReportData
from tests.support.topic_files import tree_of_topics, with_parts

START, END = date(2024, 6, 3), date(2024, 6, 30)
WEEKS = [date(2024, 4, 8) + timedelta(days=7 * step) for step in range(12)]
OWNERS = [
    ("o-ana", "Ana Pereira", "Returns", 3),
    ("o-bjorn", "Björn Lindqvist", "Payments", 2),
    ("o-chidi", "Chidi Okafor", "Shipping", 4),
    ("o-dana", "Dana Weiss", "Account", 2),
    ("o-emil", "Emil Novak", "Product care", 1),
]
# kind, title, topic, article, owner, product, conversations, failure rate, trend ratio, status, quotes
GAPS: list[tuple[Any, ...]] = [
    (
        "missing",
        "How to split a return between two parcels",
        "Return in two parcels",
        None,
        "o-ana",
        "Shop",
        212,
        0.82,
        1.9,
        "new",
        [
            "Hi, i have 2 boxes to send back but only ONE label?? order <ORDER>",
            "can i return half of it now and the other half next week",
            "Kann ich die Rücksendung auf zwei Pakete aufteilen?",
        ],
    ),
    (
        "stale",
        "Return window is 60 days, not 30",
        "How long a return is possible",
        "kb-012 Return an item",
        "o-ana",
        "Shop",
        187,
        0.68,
        1.4,
        "open",
        ["your bot says 30 days but my email says 60, which is it", "is it 30 or 60 days to send back shoes"],
    ),
    (
        "unfindable",
        "Where to find the invoice after a guest order",
        "Invoice for a guest order",
        "kb-031 Documents for your purchase",
        "o-bjorn",
        "Payments",
        164,
        0.71,
        1.0,
        "accepted",
        ["need the bill for tax, ordered w/o account", "wo ist meine rechnung??", "receipt pls, guest checkout"],
    ),
    (
        "incomplete",
        "Changing the delivery address after dispatch",
        "Change the delivery address",
        "kb-020 Change your delivery address",
        "o-chidi",
        "Shipping",
        151,
        0.55,
        0.8,
        "open",
        ["moved yesterday, parcel already on the way, can DHL still change it", "address wrong, already shipped"],
    ),
    (
        "contradictory",
        "Two answers on customs fees for Switzerland",
        "Customs fees for Switzerland",
        "kb-044 Deliveries to Switzerland",
        "o-chidi",
        "Shipping",
        96,
        0.61,
        1.2,
        "open",
        [
            "one page says duties included other page says i pay",
            "Muss ich Zoll zahlen oder nicht? Zwei Seiten, zwei Antworten.",
        ],
    ),
    (
        "missing",
        "Klarna instalment shown twice in the app",
        "Instalment charged twice",
        None,
        "o-bjorn",
        "Payments",
        88,
        0.90,
        3.4,
        "new",
        ["charged me two times this month!!", "klarna shows the same rate twice since the app update"],
    ),
    (
        "missing",
        "Repairing a tent pole at home",
        "Broken tent pole",
        None,
        "o-emil",
        "Tents",
        74,
        0.77,
        1.1,
        "reopened",
        [
            "pole snapped on the first trip, is there a sleeve i can put on",
            "tent pole broken. can i fix it myself or do i send it in",
        ],
    ),
    (
        "stale",
        "Sign in with a passkey: the menu moved",
        "Set up a passkey",
        "kb-051 Sign in without a password",
        "o-dana",
        "Account",
        71,
        0.64,
        2.2,
        "open",
        ["there is no Security tab in settings anymore", "where is passkey now, article is wrong"],
    ),
    (
        "unfindable",
        "Cancel an order before it is packed",
        "Cancel an order",
        "kb-008 Withdraw from a purchase",
        "o-chidi",
        "Shop",
        69,
        0.58,
        1.0,
        "open",
        ["CANCEL please i clicked twice", "stornieren wie?"],
    ),
    (
        "missing",
        "Gift card balance after a partial refund",
        "Gift card balance",
        None,
        None,
        "Payments",
        63,
        0.79,
        1.3,
        "new",
        ["refunded 20 of 50 to gift card but balance says 0", "gift card empty after return"],
    ),
    (
        "incomplete",
        "Waterproofing: which spray for which membrane",
        "Waterproofing a jacket",
        "kb-070 Care for your jacket",
        "o-emil",
        "Clothing",
        52,
        0.49,
        0.7,
        "drafting",
        ["what spray for 3 layer", "does the wash-in one ruin the membrane"],
    ),
    (
        "contradictory",
        "Whether opened stoves can be returned",
        "Return an opened stove",
        "kb-013 Items that cannot be returned",
        "o-ana",
        "Shop",
        44,
        0.66,
        1.0,
        "open",
        ["opened the stove box once, agent said fine, bot said no"],
    ),
    (
        "missing",
        "Delivery to a parcel locker abroad",
        "Parcel locker abroad",
        None,
        "o-chidi",
        "Shipping",
        41,
        0.74,
        1.6,
        "new",
        ["packstation in austria possible?"],
    ),
    (
        "stale",
        "Phone number of the Zürich store",
        "Opening hours and phone",
        "kb-090 Our stores",
        None,
        "Stores",
        36,
        0.72,
        1.0,
        "open",
        ["number on the site is dead"],
    ),
    (
        "unfindable",
        "Merge two accounts",
        "Two accounts",
        "kb-055 Move orders between profiles",
        "o-dana",
        "Account",
        33,
        0.52,
        1.0,
        "snoozed",
        ["have 2 logins want 1"],
    ),
    (
        "missing",
        "Why a pre-order ships later than promised "
        + "and what customers can do about it while they wait for the supplier " * 3,
        "Pre-order is late",
        None,
        "o-chidi",
        "Shop",
        31,
        0.69,
        1.0,
        "open",
        ["preorder from march still nothing"],
    ),
    (
        "missing",
        "إرجاع منتج اشتريته من المتجر عبر الإنترنت",
        "إرجاع منتج",
        None,
        "o-ana",
        "Shop",
        27,
        0.81,
        1.0,
        "new",
        ["هل يمكنني إرجاع الحذاء في المتجر؟", "أين أجد ملصق الإرجاع؟"],
    ),
    (
        "incomplete",
        "🏕️ Group orders for schools ⛺️",
        "Group orders",
        "kb-100 Business customers",
        "o-bjorn",
        "Shop",
        22,
        0.47,
        1.0,
        "open",
        ["30 sleeping bags for a school, invoice later 🙏"],
    ),
    (
        "missing",
        "<script>alert('title')</script> in the search box",
        "</script><img src=x onerror=alert(1)>",
        None,
        "o-dana",
        "Account",
        19,
        0.63,
        1.0,
        "open",
        ["<img src=x onerror=alert(1)> shows in my order note", "</blockquote><h1>hello</h1>"],
    ),
    (
        "missing",
        '=HYPERLINK("http://example.org","refund")',
        "@SUM(A1:A9)",
        None,
        "o-bjorn",
        "Payments",
        17,
        0.6,
        1.0,
        "open",
        ["=cmd|' /C calc'!A0", "+49 is rejected as a phone number", "-20% code does not work"],
    ),
    (
        "stale",
        "Points expire after two years",
        "Loyalty points",
        "kb-081 Loyalty points",
        "o-dana",
        "Account",
        15,
        0.57,
        0.5,
        "published",
        ["my points are gone"],
    ),
    (
        "unfindable",
        "Size chart for children's boots",
        "Size of children's boots",
        "kb-066 Fit and length",
        "o-emil",
        "Clothing",
        14,
        0.44,
        1.0,
        "open",
        ["kid is 31 in nike what size"],
    ),
    (
        "missing",
        "Insurance for rented skis",
        "Insurance for rentals",
        None,
        None,
        "Rental",
        12,
        0.85,
        1.0,
        "new",
        ["broke a rental ski do i pay all of it"],
    ),
    (
        "incomplete",
        "Newsletter code expired on day one",
        "Newsletter code",
        "kb-077 Discount codes",
        "o-bjorn",
        "Payments",
        11,
        0.5,
        1.0,
        "dismissed",
        ["code expired the same day"],
    ),
    (
        "contradictory",
        "Warranty on sleeping bags: two or five years",
        "Warranty",
        "kb-061 Warranty",
        "o-emil",
        "Clothing",
        9,
        0.62,
        1.0,
        "verified",
        ["2 or 5 years?"],
    ),
]


def sample_run() -> ReportData:
    """The hand-written run: 25 gaps of every kind, with topics, KPIs, accuracy, owners and data quality."""
    rows = [_gap(rank, row) for rank, row in enumerate(sorted(GAPS, key=lambda row: -_score(row)), start=1)]
    backlog = pd.DataFrame(rows)
    topics = with_parts(_topics(rows))
    return ReportData(
        backlog=backlog,
        topics=topics,
        topic_tree=tree_of_topics(topics),
        assignments=_assignments(),
        kpis=_kpis(),
        accuracy=_accuracy(rows),
        not_content=_not_content(),
        run=_run(rows),
        previous={"run_id": "2024-06-23", "backlog": {"gaps": 22}},
        owners=pd.DataFrame(
            [{"owner_id": key, "name": name, "team": team, "weekly_capacity": can} for key, name, team, can in OWNERS]
        ),
        quarantine=[
            {"table": "messages", "rule": "role is one of customer, bot, agent", "column": "role", "count": 7},
            {"table": "outcomes", "rule": "outcome is a known tag", "column": "outcome", "count": 2},
        ],
    )


def articles() -> pd.DataFrame:
    """The articles that the sample's gaps name."""
    article_ids = sorted({row[3] for row in GAPS if row[3]})
    return pd.DataFrame(
        [
            {
                "article_id": name.split(" ", 1)[0],
                "title": name.split(" ", 1)[1],
                "body": "# "
                + name.split(" ", 1)[1]
                + "\n\nYou can do this in your account.\n\n## Before you start\n\nHave the order at hand."
                + "\n\n## Costs\n\nNone.",
                "url": f"https://help.example.org/{name.split(' ', 1)[0]}",
                "updated_at": pd.Timestamp("2024-01-15", tz="UTC"),
            }
            for name in article_ids
        ]
    )


def many_gaps(count: int) -> ReportData:
    """The sample's gaps over and over, each with an id and a rank of its own: for tests at size."""
    data = sample_run()
    rows = data.backlog.to_dict("records")
    gaps = []
    for position in range(count):
        row = dict(rows[position % len(rows)])
        shrink = 1 / (1 + position // len(rows))
        row |= {
            "gap_id": f"g-{position + 1:05d}",
            "rank": position + 1,
            "rank_low": max(1, position - 1),
            "rank_high": position + 4,
            "title": f"{row['title']} ({position + 1})",
            "score": row["score"] * shrink,
            "conversations": max(1, int(row["conversations"] * shrink)),
        }
        gaps.append(row)
    return replace(data, backlog=pd.DataFrame(gaps))


def nasty_run(attack: str) -> ReportData:
    """The sample with one attack put before and after every text that reaches a reader."""

    def spoil(value: Any, key: str = "") -> Any:
        if key in {
            "kind",
            "status",
            "week",
            "low",
            "high",
            "direction",
            "change",
            "started",
            "basis",
            "by",
            "segment",
            "currency",
            "state",
            "lower",
        }:
            return value
        if isinstance(value, str):
            return f"{attack}{value}{attack}"
        if isinstance(value, list):
            return [spoil(item, key) for item in value]
        if isinstance(value, dict):
            return {name: spoil(item, name) for name, item in value.items()}
        return value

    data = sample_run()
    frames: dict[str, Any] = {
        name: pd.DataFrame([spoil(row) for row in frame.to_dict("records")])
        for name, frame in (
            ("backlog", data.backlog),
            ("topics", data.topics),
            ("accuracy", data.accuracy),
            ("owners", data.owners),
        )
        if frame is not None
    }
    run = spoil({name: value for name, value in data.run.items() if name != "window"})
    run["window"] = data.run["window"]
    run["settings"]["cost"]["currency"] = "EUR"
    return replace(
        data, **frames, not_content=spoil(list(data.not_content)), run=run, quarantine=spoil(list(data.quarantine))
    )


def run_with_small_gaps() -> ReportData:
    """The sample with six gaps that are too small to act on: three undecided ones, one in work, two put away."""
    data = sample_run()
    small = data.backlog["gap_id"].isin(["g-016", "g-020", "g-022", "g-023", "g-024", "g-025"])
    score = data.backlog["score"].where(~small, data.backlog["score"] * 0.05)
    return replace(data, backlog=data.backlog.assign(too_small=small, score=score))


def empty_run() -> ReportData:
    """A run in which nothing was found and nothing could be measured."""
    nothing = pd.DataFrame()
    return ReportData(nothing, nothing, None, nothing, nothing, [], {"run_id": "2024-06-30", "window": {}}, None)


FIXABLE = {"missing": 0.74, "stale": 0.7, "incomplete": 0.55, "contradictory": 0.5, "unfindable": 0.62}


def _score(row: tuple[Any, ...]) -> float:
    kind, _, _, _, _, _, conversations, failure, *_ = row
    return conversations / 4 * failure * FIXABLE[kind]


def _gap(rank: int, row: tuple[Any, ...]) -> dict[str, Any]:
    kind, title, topic, article_named, owner, product, conversations, failure, ratio, status, quotes = row
    draw = random.Random(rank)
    article, article_title = article_named.split(" ", 1) if article_named else (None, None)
    weekly = _weekly(draw, conversations, failure, ratio, stale=kind == "stale")
    rate, spread = conversations / 4, 1.96 * math.sqrt(failure * (1 - failure) / max(8, conversations / 3))
    score = _score(row)
    names = {key: name for key, name, _, _ in OWNERS}
    ids = [f"c-{rank:02d}{number:04d}" for number in range(conversations)]
    surge = (
        {"started": "2024-06-21", "ratio": ratio, "p_value": 0.0004, "recent": 41, "usual": 12.1} if ratio > 3 else None
    )
    return {
        "gap_id": f"g-{rank:03d}",
        "rank": rank,
        "kind": kind,
        "status": status,
        "title": title,
        "topic_id": f"t-{rank:03d}",
        "topic_label": topic,
        "article_id": article,
        "article_title": article_title,
        "nearest_articles": _nearest(kind, article, article_title),
        "owner_id": owner,
        "owner_name": names.get(owner),
        "owner_left": None,
        "owner_reason": _owner_reason(owner, article, product),
        "conversations": conversations,
        "customers": int(conversations * 0.91),
        "weekly_rate": rate,
        "trend": {
            "direction": "up" if ratio > 1.25 else "down" if ratio < 0.85 else "flat",
            "ratio": ratio,
            "p_value": 0.01 if ratio > 1.5 or ratio < 0.6 else 0.2,
        },
        "failure_rate": failure,
        "failure_low": max(0.0, failure - spread),
        "failure_high": min(1.0, failure + spread),
        "n_tagged": int(conversations * 0.22),
        "score": score,
        "score_low": score * 0.72,
        "score_high": score * 1.31,
        "rank_low": max(1, rank - (rank > 2) - rank // 6),
        "rank_high": rank + rank // 4 + (rank > 3),
        "cost_avoidable": score * 7.5,
        "reasons": _reasons(kind, conversations, failure, article),
        "examples": [{"conversation_id": ids[place * 2], "quote": quote} for place, quote in enumerate(quotes)],
        "conversation_ids": ids,
        "draft": f"drafts/{owner or 'unowned'}/g-{rank:03d}-draft.md"
        if status in {"new", "open", "accepted", "reopened"}
        else None,
        "first_seen": "2024-06-30" if status == "new" else "2024-06-09",
        "last_seen": "2024-06-30",
        "probability": 0.93 - rank * 0.012,
        "reached": conversations,
        "by_people": 0.0,
        "demand": rate,
        "p_fail": failure,
        "p_fixable": FIXABLE[kind],
        "weekly": weekly,
        "theme": product,
        "products": [product],
        "languages": ["en", "de"]
        if any(word in " ".join(quotes) for word in ("Kann", "wo ist", "Muss", "stornieren"))
        else ["ar"]
        if title.startswith("إ")
        else ["en"],
        "intents": [topic.lower().replace(" ", "_")[:24]],
        "searches": 7 if kind in ("missing", "unfindable") else 0,
        "queries": [{"query": "download bill", "count": 4}, {"query": "invoice?", "count": 1}]
        if kind in ("missing", "unfindable")
        else [],
        "customer_words": ["bill", "receipt", "rechnung", "guest checkout", "tax"] if kind == "unfindable" else [],
        "agent_answers": [
            {
                "conversation_id": ids[1],
                "quote": "I have sent you a second label just now. Put one on each box; both count as one return.",
            },
            {
                "conversation_id": ids[-1],
                "quote": "Yes, that works. Please keep the slip of each parcel until the refund is there.",
            },
        ],
        "passages": [
            {
                "article_id": article,
                "section": "How long",
                "passage": "You can send an item back within 30 days.",
                "evidence": "You have 60 days, since 1 May.",
                "count": 14,
                "conversation_ids": ["c-1003", "c-1008"],
            },
            {
                "article_id": article,
                "section": "Sign in",
                "passage": "Open Settings, then Security.",
                "evidence": "It is under Profile › Sign-in now.",
                "count": 9,
                "conversation_ids": ["c-1004"],
            },
        ]
        if kind in {"stale", "contradictory", "incomplete"}
        else [],
        "steps": [
            {
                "text": "Ask for a second label in the chat; it arrives by e-mail within a minute.",
                "count": 31,
                "worked": 28,
                "conversation_ids": ["c-1001", "c-1002", "c-1003"],
                "way": 1,
                "order": 1,
                "asked": "Two boxes, one return: what do I do?",
            },
            {
                "text": "Put one label on each parcel and write the order number inside.",
                "count": 24,
                "worked": 22,
                "conversation_ids": ["c-1001", "c-1004", "c-1005"],
                "way": 1,
                "order": 2,
                "asked": "",
            },
            {
                "text": "Hand both in at any drop-off point, on different days if needed.",
                "count": 11,
                "worked": 9,
                "conversation_ids": ["c-1002", "c-1006", "c-1007"],
                "way": 1,
                "order": 3,
                "asked": "",
            },
        ]
        if rank == 1
        else [],
        "answered": {"conversations": 60, "well": 48, "badly": 5},
        "change_point": {
            "week": "2024-05-06",
            "low": "2024-04-29",
            "high": "2024-05-13",
            "before": 0.14,
            "after": failure,
        }
        if kind == "stale"
        else None,
        "carried": {"weeks_open": None, "previous_rank": None, "previous_score": None, "change": "new"}
        if status == "new"
        else {
            "weeks_open": 3,
            "previous_rank": rank + 2,
            "previous_score": score * 0.8,
            "change": "reopened" if status == "reopened" else "up",
            "previous_run": "2024-06-23",
            "previous_status": "open",
            "came_back": status == "reopened",
        },
        "status_note": "it was gone in the run before, and is back" if status == "reopened" else "",
        "status_since": "2024-06-30" if status in {"new", "reopened"} else "2024-06-23",
        "other_article_id": "kb-031" if kind == "contradictory" else None,
        "due": None,
        "until": "2024-07-15" if status == "snoozed" else None,
        "merged_into": None,
        "effect": None,
        "decided": rank if status in {"accepted", "drafting", "published", "snoozed", "dismissed"} else 0,
        "topics": [f"t-{rank:03d}"],
        "subtopics": [f"s-{rank:03d}"],
        "subtopic_label": topic,
        "surge": surge,
    }


def _weekly(draw: random.Random, conversations: int, failure: float, ratio: float, stale: bool) -> list[dict[str, Any]]:
    weeks = []
    for place, week in enumerate(WEEKS):
        level = conversations / 4 * (1 / ratio + (1 - 1 / ratio) * place / (len(WEEKS) - 1))
        in_week = max(0, round(level * draw.uniform(0.75, 1.25)))
        rate = 0.14 if stale and week < date(2024, 5, 6) else failure
        weeks.append(
            {
                "week": week.isoformat(),
                "conversations": in_week,
                "failed": round(in_week * min(1.0, rate * draw.uniform(0.85, 1.1)), 1),
            }
        )
    return weeks


def _nearest(kind: str, article: str | None, title: str | None) -> list[dict[str, Any]]:
    near = [
        ("kb-012", "Return an item", 0.52),
        ("kb-008", "Withdraw from a purchase", 0.47),
        ("kb-031", "Documents for your purchase", 0.41),
    ]
    first = [] if article is None else [(article, title, 0.86)]
    return [
        {"article_id": key, "title": name, "similarity": near}
        for key, name, near in [*first, *(n for n in near if n[0] != article)]
    ]


def _owner_reason(owner: str | None, article: str | None, product: str) -> str:
    if owner is None:
        return f"Unowned: nobody active owns the area “{product}”, and no near article has an owner."
    return f"Owns {article}." if article else f"Owns the area “{product}”."


def _reasons(kind: str, conversations: int, failure: float, article: str | None) -> list[str]:
    failed = f"{failure:.0%} of {int(conversations * 0.22)} tagged answers failed."
    return {
        "missing": [
            "The nearest published article is at 0.52; articles that answer a question are at 0.71 or more here.",
            "The bot had no answer in 64 % of the conversations.",
            failed,
        ],
        "stale": [
            f"Answers from {article} were right 86 % of the time until 6 May, and {1 - failure:.0%} since.",
            "The article was last verified 412 days ago; version 8.2 was released on 2 May.",
            failed,
        ],
        "incomplete": [
            f"{article} answers 4 of the 7 questions that customers ask here.",
            "38 % of its answers were tagged partial.",
        ],
        "contradictory": [
            f"{article} and agents name different figures in 23 of {conversations} conversations.",
            failed,
        ],
        "unfindable": [
            f"{article} answers it (0.86), and the bot cited it in 9 % of the conversations only.",
            "Five words that customers use do not occur in it.",
            failed,
        ],
    }[kind]


def _topics(rows: list[dict[str, Any]]) -> pd.DataFrame:
    draw = random.Random(4)
    healthy = [
        ("Track a parcel", 840, 0.12),
        ("Reset a password", 610, 0.09),
        ("Store opening hours", 350, 0.15),
        ("Pay by invoice", 290, 0.22),
        ("Wash a down jacket", 180, 0.18),
        ("Use a voucher", 240, 0.31),
        ("Change the e-mail address", 205, 0.08),
    ]
    topics = [
        (
            row["topic_id"],
            row["topic_label"],
            row["conversations"],
            row["failure_rate"] * 0.9,
            [row["gap_id"]],
            row["theme"],
        )
        for row in rows
    ]
    topics += [
        (f"t-1{place:02d}", label, conversations, failure, [], "Healthy")
        for place, (label, conversations, failure) in enumerate(healthy)
    ]
    return pd.DataFrame(
        [
            {
                "topic_id": key,
                "label": label,
                "theme": theme,
                "keywords": label.lower().split()[:4],
                "examples": [f"How do I {label.lower()}?"],
                "conversations": conversations,
                "customers": int(conversations * 0.9),
                "failure_rate": failure,
                "x": draw.gauss(0, 1),
                "y": draw.gauss(0, 1),
                "core": int(conversations * 0.8),
                "nearest": int(conversations * 0.2),
                "first_seen": "2024-06-09",
                "last_seen": "2024-06-30",
                "lineage": None,
                "gap_ids": gaps,
            }
            for key, label, conversations, failure, gaps, theme in topics
        ]
    )


def _assignments() -> pd.DataFrame:
    states = ["core"] * 71 + ["nearest"] * 17 + ["unassigned"] * 12
    return pd.DataFrame(
        {
            "conversation_id": [f"c-{n}" for n in range(100)],
            "topic_id": ["t-001"] * 88 + [None] * 12,
            "state": states,
            "strength": 0.7,
        }
    )


def _kpis() -> pd.DataFrame:
    draw = random.Random(7)
    rows = []
    for place, week in enumerate(WEEKS):
        for segment, share in (("all", 1.0), ("language:de", 0.3), ("product:Shop", 0.4)):
            deflection, right = (
                0.52 + 0.006 * place + draw.gauss(0, 0.008),
                0.64 + (0.02 if place < 7 else -0.03) + draw.gauss(0, 0.01),
            )
            conversations = int(1400 * share * draw.uniform(0.94, 1.06))
            rows.append(
                {
                    "week": week.isoformat(),
                    "segment": segment,
                    "conversations": conversations,
                    "self_service_users": int(conversations * 0.86),
                    "tickets": int(conversations * 0.36),
                    "deflection": deflection,
                    "confirmed_resolution": deflection * 0.55,
                    "assumed_resolution": deflection * 0.45,
                    "abandoned": 0.09,
                    "escalation_ratio": 0.88 - deflection,
                    "escalation_ratio_low": 0.86 - deflection,
                    "escalation_ratio_high": 0.90 - deflection,
                    "resolution_accuracy": right,
                    "resolution_accuracy_low": right - 0.05,
                    "resolution_accuracy_high": right + 0.05,
                    "csat_self_service": 3.9 + draw.gauss(0, 0.05),
                    "csat_self_service_low": 3.75,
                    "csat_self_service_high": 4.05,
                    "csat_self_service_n": 120,
                    "handle_seconds_mean": 540.0,
                    "cost_avoided": conversations * deflection * 7.5,
                    "currency": "EUR",
                }
            )
    return pd.DataFrame(rows)


def _accuracy(rows: list[dict[str, Any]]) -> pd.DataFrame:
    table_rows = []
    for row in rows:
        low, high = 1 - row["failure_high"], 1 - row["failure_low"]
        entry = {
            "conversations": row["conversations"],
            "n_tagged": row["n_tagged"],
            "accuracy": 1 - row["failure_rate"],
            "low": low,
            "high": high,
        }
        table_rows.append(
            {"by": "topic", "key": row["topic_id"], "label_name": row["topic_label"], **entry, "basis": "all"}
        )
        if row["article_id"]:
            table_rows.append(
                {
                    "by": "article",
                    "key": row["article_id"],
                    "label_name": row["article_title"],
                    **entry,
                    "basis": "escalated only",
                }
            )
    table_rows += [
        {
            "by": "language",
            "key": key,
            "label_name": name,
            "conversations": 900,
            "n_tagged": 80,
            "accuracy": value,
            "low": value - 0.08,
            "high": value + 0.08,
            "basis": "all",
        }
        for key, name, value in (("en", "English", 0.66), ("de", "German", 0.58))
    ]
    return pd.DataFrame(table_rows)


def _not_content() -> list[dict[str, Any]]:
    return [
        {
            "cluster_id": "n-1",
            "topic_id": "t-201",
            "topic_label": "Delete my account and all data",
            "reason": "handoff by policy",
            "conversations": 143,
            "weekly_rate": 35.8,
            "failure_rate": 0.97,
            "why": [
                "Every conversation with the intent “erase_data” goes to a human by rule.",
                "97 % were escalated within one turn.",
            ],
            "examples": ["delete everything you have on me"],
            "true_intent": None,
            "predicted_intent": None,
        },
        {
            "cluster_id": "n-2",
            "topic_id": "t-202",
            "topic_label": "Refund approved and not paid",
            "reason": "account action needed",
            "conversations": 97,
            "weekly_rate": 24.3,
            "failure_rate": 0.88,
            "why": ["In 81 % of the conversations an agent changed the order."],
            "examples": [{"conversation_id": "c-9", "quote": "where is my money, approved 3 weeks ago"}],
            "true_intent": None,
            "predicted_intent": None,
        },
        {
            "cluster_id": "n-3",
            "topic_id": "t-203",
            "topic_label": "Gift wrapping taken for gift cards",
            "reason": "intent routing",
            "conversations": 58,
            "weekly_rate": 14.5,
            "failure_rate": 0.74,
            "why": ["41 of 58 were tagged misclassified."],
            "examples": ["can you wrap it as a present"],
            "true_intent": "gift_wrap",
            "predicted_intent": "gift_card",
        },
        {
            "cluster_id": "n-4",
            "topic_id": "t-204",
            "topic_label": "Store finder answers with returns",
            "reason": "bot fault",
            "conversations": 21,
            "weekly_rate": 5.3,
            "failure_rate": 0.62,
            "why": ["kb-090 answers it; the bot cited kb-012 instead in 17 of 21."],
            "examples": ["is the munich store open on sunday"],
            "true_intent": None,
            "predicted_intent": None,
        },
    ]


def _run(rows: list[dict[str, Any]]) -> dict[str, Any]:
    kinds = [row["kind"] for row in rows]
    return {
        "run_id": "2024-06-30",
        "window": {"start": START.isoformat(), "end": END.isoformat(), "days": 28},
        "lacuna_version": "0.1.0",
        "versions": {"duckdb": "2.0.0", "pandas": "3.1.1", "python": "3.11.9"},
        "inputs": [
            {
                "table": "conversations",
                "file": "conversations.parquet",
                "sha256": "ab" * 32,
                "bytes": 812345,
                "rows": 16804,
            }
        ],
        "tables": {
            "conversations": {"rows_in": 16804, "rows_kept": 16804, "rows_quarantined": 0, "rows_later": 12},
            "messages": {"rows_in": 71212, "rows_kept": 71205, "rows_quarantined": 7, "rows_later": 40},
            "outcomes": {"rows_in": 2913, "rows_kept": 2911, "rows_quarantined": 2, "rows_later": 0},
        },
        "settings": {
            "report": {"title": "Knowledge gaps", "company": "Fjellvik Outdoor"},
            "cost": {"currency": "EUR", "per_escalation": 7.5},
            "window": {"days": 28},
        },
        "seed": 7,
        "embedder": {"name": "minilm", "version": "53aa51172d14"},
        "steps": [
            {"name": name, "seconds": took, "peak_mb": peak}
            for name, took, peak in (
                ("load", 2.1, 310),
                ("redact", 4.4, 420),
                ("understand", 21.8, 890),
                ("measure", 1.2, 500),
                ("diagnose", 3.9, 610),
                ("rank", 0.4, 400),
                ("publish", 1.6, 430),
            )
        ],
        "warnings": [
            {
                "table": "messages",
                "rule": "article_ids exist",
                "count": 14,
                "message": "14 messages cite an article that is not in the bundle.",
            }
        ],
        "input_hash": "c0ffee" * 8,
        "backlog": {
            "gaps": len(rows),
            "by_kind": {kind: kinds.count(kind) for kind in sorted(set(kinds))},
            "by_status": {},
        },
        "previous_run": "2024-06-23",
        "no_gap_reason": None,
        "data": _data(),
    }


def _data() -> list[dict[str, Any]]:
    """A bundle without the bot's citations and without releases, and with few CSAT scores; the rest is there."""
    counts = {"citations": 0, "releases": 0, "csat": 312}
    parts = []
    for part in PARTS:
        state = {"citations": ABSENT, "releases": ABSENT, "csat": PARTLY}.get(part.name, THERE)
        of = None if part.name in ("searches", "releases") else 16804
        words = {name: getattr(part, name) for name in ("name", "label", "unit", "unknown", "cost", "step")}
        parts.append(words | {"state": state, "count": counts.get(part.name, 16804), "of": of, "with_it": []})
    return sorted(parts, key=lambda part: STATES.index(part["state"]))
