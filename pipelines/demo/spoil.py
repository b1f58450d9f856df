"""Rows as a faulty export writes them, planted so that the quarantine has something to show."""

from __future__ import annotations

from random import Random
from typing import Any

Row = dict[str, Any]


def add_bad_rows(tables: dict[str, list[Row]], harmless: list[str], rng: Random) -> list[dict[str, Any]]:
    """Add bad rows to ``tables`` and say what they are.

    They belong to ``harmless`` conversations, which belong to no topic, so that no planted gap loses a conversation.

    Returns
    -------
    list of dict
        ``table``, ``key`` (the id or text that finds the row), ``column``, ``problem``, and ``quarantined``: "row", or
        "value" where an optional column is left empty; "" for what the contract counts as a warning, such as a
        reference that points nowhere or an older version of a row.
    """
    bad: list[dict[str, Any]] = []
    conversations, messages = tables["conversations"], tables["messages"]
    by_id = {row["conversation_id"]: row for row in conversations}
    hosts = iter(rng.sample(harmless, 8))

    def add(table: str, row: Row, key: str, column: str, problem: str, quarantined: str = "row") -> None:
        # What is there twice stands first, so that the row as it should be is the newer one.
        tables[table].insert(0 if "twice" in problem else len(tables[table]), row)
        bad.append({"table": table, "key": key, "column": column, "problem": problem, "quarantined": quarantined})

    twin = next(hosts)
    add("conversations", {**by_id[twin], "channel": "email"}, twin, "conversation_id", "the id is there twice", "")
    faults: tuple[tuple[str, Any, str], ...] = (
        ("csat", 9.0, "csat above 5"),
        ("started_at", None, "no time"),
        ("intent_confidence", 1.7, "confidence above 1"),
        ("escalated", None, "escalated is empty"),
    )
    for number, (column, value, problem) in enumerate(faults, start=1):
        name = f"c-9000{number}"
        row = {**by_id[next(hosts)], "conversation_id": name, column: value}
        add("conversations", row, name, column, problem, "row" if value is None else "value")

    last = {row["conversation_id"]: row for row in messages}
    host = next(hosts)
    extra = {**last[host], "position": last[host]["position"] + 1}
    add("messages", {**extra, "role": "supervisor", "text": "Taking this one."}, host, "role", "unknown role")
    host = next(hosts)
    add("messages", {**last[host], "text": "sent twice"}, host, "position", "the position is there twice", "")
    host = next(hosts)
    add("messages", {**last[host], "position": last[host]["position"] + 1, "text": None}, host, "text", "no text")
    lost = {**extra, "conversation_id": "c-99999", "position": 0, "role": "customer", "text": "is anybody there"}
    add("messages", lost, "c-99999", "conversation_id", "no such conversation", "")

    archived = next(row for row in tables["articles"] if row["status"] == "archived")
    add(
        "articles",
        {**archived, "title": archived["title"] + " (copy)"},
        archived["article_id"],
        "article_id",
        "the id is there twice",
        "",
    )
    tag = {
        **tables["outcomes"][-1],
        "conversation_id": harmless[0],
        "outcome": "korrekt",
        "true_intent": None,
        "article_id": None,
    }
    add("outcomes", tag, harmless[0], "outcome", "unknown outcome")
    add(
        "outcomes",
        {**tag, "conversation_id": "c-99998", "outcome": "wrong"},
        "c-99998",
        "conversation_id",
        "no such conversation",
        "",
    )
    add("searches", {**tables["searches"][-1], "query": None, "conversation_id": None}, "", "query", "no query")
    add("article_revisions", {**tables["article_revisions"][-1], "revised_at": None}, "", "revised_at", "no time")
    return bad
