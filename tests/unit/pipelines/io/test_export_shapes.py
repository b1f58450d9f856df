"""The shapes in which real exports come: each gives the same tables as the plain bundle, or says what is wrong."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from lacuna.pipelines.run import make_job
from lacuna.pipelines.settings import load_settings
from lacuna.pipelines.steps.load.step import check_bundle, load
from tests.support.bundles import write_bundle

Tables = dict[str, pd.DataFrame]
FIRST = pd.Timestamp("2024-05-31T10:00:00Z")


def plain() -> Tables:
    """Forty conversations of a customer and a bot that cites one or two of ten articles."""
    ids = [f"{360003529474 + n}" for n in range(40)]
    conversations = {
        "conversation_id": ids,
        "started_at": [FIRST + timedelta(hours=17 * n) for n in range(40)],
        "escalated": [n % 3 == 0 for n in range(40)],
        "customer_id": [None] * 40,
        "product": [["bikes", "NA"][n % 2] for n in range(40)],
    }
    messages = [
        {"conversation_id": name, "position": position, "role": role, "text": text, "article_ids": cited}
        for n, name in enumerate(ids)
        for position, (role, text, cited) in enumerate(
            [
                ("customer", f"where is parcel {n}", None),
                ("bot", "see the article", [f"kb-{n % 10}", "kb-0"][: 1 + n % 2]),
            ]
        )
    ]
    articles = {
        "article_id": [f"kb-{n}" for n in range(10)],
        "title": [f"Parcel {n}" for n in range(10)],
        "body": ["Use the link."] * 10,
    }
    return {
        "conversations": pd.DataFrame(conversations),
        "messages": pd.DataFrame(messages),
        "articles": pd.DataFrame(articles),
    }


def lists(tables: Tables, written: Callable[[list[str]], str]) -> Tables:
    messages = tables["messages"]
    cells = [None if cited is None else written(cited) for cited in messages["article_ids"]]
    return tables | {"messages": messages.assign(article_ids=cells)}


def ids(tables: Tables, table: str, written: Callable[[str], Any]) -> Tables:
    frame = tables[table]
    return tables | {table: frame.assign(conversation_id=[written(name) for name in frame["conversation_id"]])}


def history(tables: Tables) -> Tables:
    newest = tables["conversations"]
    before = newest.head(25).assign(escalated=False, product="tents")
    return tables | {"conversations": pd.concat([before, newest.head(10), newest])}


def vendor(tables: Tables) -> Tables:
    conversations = tables["conversations"]
    started = [int(t.timestamp() * 1000) for t in conversations["started_at"]]
    roles = tables["messages"]["role"].map({"customer": "user", "bot": "admin"})
    return tables | {
        "conversations": conversations.assign(started_at=started),
        "messages": tables["messages"].assign(role=roles),
    }


def nobody(tables: Tables) -> Tables:
    return tables | {"conversations": tables["conversations"].assign(customer_id="nan")}


VENDOR = """
[input.values.messages.role]
user = "customer"
admin = "bot"
[input.times.conversations]
started_at = "epoch_ms"
"""
# Shape, whether it comes as CSV or as Parquet, settings.
SHAPES: dict[str, tuple[Callable[[Tables], Tables], str, str]] = {
    "plain": (lambda t: lists(t, ";".join), "csv", ""),
    "float ids in a CSV": (lambda t: ids(lists(t, ";".join), "conversations", "{}.0".format), "csv", ""),
    "numeric ids of BigQuery": (
        lambda t: ids(ids(t, "conversations", lambda i: Decimal(f"{i}.000000000")), "messages", int),
        "parquet",
        "",
    ),
    "float ids in Parquet": (lambda t: ids(ids(t, "conversations", int), "messages", float), "parquet", ""),
    "nan for customers": (lambda t: nobody(lists(t, ";".join)), "csv", ""),
    "history, oldest first": (history, "parquet", ""),
    "lists as Python writes them": (lambda t: lists(t, repr), "csv", ""),
    "lists as Postgres writes them": (lambda t: lists(t, lambda c: "{" + ",".join(c) + "}"), "csv", ""),
    "lists with commas": (lambda t: lists(t, ",".join), "parquet", ""),
    "a vendor's words": (vendor, "parquet", VENDOR),
}


def written(tables: Tables, ending: str, folder: Path) -> str:
    folder.mkdir(parents=True)
    for name, frame in tables.items():
        if ending == "csv":
            frame.to_csv(folder / f"{name}.csv", index=False)
        else:
            frame.to_parquet(folder / f"{name}.parquet", index=False)
    return str(folder)


@pytest.mark.parametrize("shape", [shape for shape in SHAPES if shape != "plain"])
def test_each_shape_gives_the_same_tables(tmp_path: Path, shape: str) -> None:
    """Whatever tool wrote it: check is content, and load hands on the same rows as of the plain bundle."""
    seen = []
    for name in ("plain", shape):
        reshape, ending, lines = SHAPES[name]
        bundle = written(reshape(plain()), ending, tmp_path / name)
        config = tmp_path / f"{name}.toml"
        config.write_text(lines, encoding="utf-8")
        assert check_bundle(bundle, mapped=load_settings(str(config)).input).ok
        job = make_job(bundle, tmp_path / f"store {name}", config=str(config))
        load(job)
        seen.append((job.start, job.end, [job.read(f"load/{table}") for table in plain()]))
    assert seen[0][:2] == seen[1][:2]
    for one, other in zip(seen[0][2], seen[1][2], strict=True):
        pd.testing.assert_frame_equal(one, other)
    assert seen[1][2][0]["customer_id"].isna().all()
    assert set(seen[1][2][0]["product"]) == {"bikes", "NA"}


@pytest.mark.parametrize("year", ["9999", "2199", "2061", "1970", "0001"])
def test_a_year_that_can_not_be_moves_nothing(tmp_path: Path, year: str) -> None:
    """A run without dates ends with the bulk's last day; the row is in quarantine, or told of and after the window."""
    tables = plain()
    conversations = tables["conversations"].astype({"started_at": "str"})
    conversations.loc[5, "started_at"] = f"{year}-12-31T23:59:59Z"
    bundle = written(tables | {"conversations": conversations}, "parquet", tmp_path / "b")
    job = make_job(bundle, tmp_path / "store")
    assert job.end.isoformat() == "2024-06-28"
    load(job)
    counts = job.read_json("load/load")["tables"]["conversations"]
    assert (counts["rows_kept"], counts["rows_quarantined"] + counts["rows_later"]) == (39, 1)
    told = [f.message for f in check_bundle(bundle).findings if f.column == "started_at"]
    assert len(told) == 1
    assert year in told[0] or "in the future" in told[0]


def test_floats_that_have_lost_digits_are_refused(tmp_path: Path) -> None:
    """Ids beyond 2**53 as floats would join other conversations: check fails and says how to export them."""
    tables = ids(ids(plain(), "conversations", lambda i: int(i) * 10**6), "messages", lambda i: float(int(i) * 10**6))
    result = check_bundle(written(tables, "parquet", tmp_path / "b"))
    assert not result.runnable
    found = next(f for f in result.findings if f.severity == "fail")
    assert "is a float of 2**53 or more, whose last digits are lost" in found.message
    assert found.remedy == "export conversation_id as text or as whole numbers"


def test_a_citation_that_can_not_be_read_costs_no_message(tmp_path: Path) -> None:
    """The message is kept without it, and a warning counts what was lost."""
    bundle = write_bundle(tmp_path / "b", messages=plain_messages_with("['a1"))
    result = check_bundle(bundle)
    assert result.ok
    found = next(f for f in result.findings if f.column == "article_ids")
    assert found.message.startswith("1 value left empty, whose references are lost: article_ids could not be read")
    assert found.examples == (("messages.jsonl", 2, "article_ids", "['a1"),)
    assert found.remedy == 'write a list as JSON, ["a", "b"], or with semicolons, a;b'


def plain_messages_with(cited: Any) -> list[dict[str, Any]]:
    names = ("c1", "c1", "c2", "c3")
    rows = [{"conversation_id": c, "position": n, "role": "customer", "text": "x"} for n, c in enumerate(names)]
    rows[1]["article_ids"] = cited
    return rows
