"""Files of every layout give the bundle's rows, whatever they are called there."""

from __future__ import annotations

import functools
import gzip
import http.server
import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from lacuna.pipelines.settings import load_settings
from lacuna.pipelines.sources.pull import pull_source
from tests.support.bundles import jsonl
from tests.support.exports import (
    COLUMNS,
    ROLES,
    WORDS,
    as_frame,
    flat,
    flat_entry,
    given,
    nested,
    source_of,
    truth,
)


def check_truth(tables: dict[str, list[dict[str, Any]]]) -> None:
    for table in ("conversations", "messages"):
        pd.testing.assert_frame_equal(as_frame(tables[table], table), truth(table))


def write_csv(folder: Path, name: str = "export.csv", **how: Any) -> Path:
    flat().to_csv(folder / name, index=False, **how)
    return folder / name


@pytest.mark.parametrize("kind", ["csv", "csv.gz", "semicolons.csv", "parquet", "jsonl", "json", "xlsx"])
def test_flat_file_of_any_format_gives_the_bundle(tmp_path: Path, kind: str) -> None:
    """One row a message, the conversation repeated."""
    place = tmp_path / f"export.{kind}"
    match kind:
        case "parquet":
            flat().to_parquet(place)
        case "jsonl":
            place.write_text(jsonl(flat().to_dict("records")))
        case "json":
            place.write_text(json.dumps(flat().to_dict("records")))
        case "xlsx":
            flat().to_excel(place, index=False, sheet_name="Tickets")
        case _:
            write_csv(tmp_path, place.name, sep=";" if "semi" in kind else ",")
    check_truth(given(source_of(flat_entry(place))))


def test_rows_come_in_any_order(tmp_path: Path) -> None:
    """Messages are put in order by their time; of one and the same second, as the file has them."""
    rows = flat().iloc[::-1].sort_values("Sent", ascending=False, kind="stable")
    twice = truth("messages").duplicated(["conversation_id", "sent_at"], keep=False)
    assert not twice.any()
    rows.to_csv(tmp_path / "export.csv", index=False)
    check_truth(given(source_of(flat_entry(tmp_path / "export.csv"))))


def test_separate_files_are_joined(tmp_path: Path) -> None:
    """Conversations in one file, their ratings in another, messages in several."""
    rows = flat()
    mine = list(COLUMNS["conversations"].values())
    conversations = rows[mine].drop_duplicates()
    conversations.drop(columns="Satisfaction").to_csv(tmp_path / "tickets.csv", index=False)
    conversations[["Ticket #", "Satisfaction"]].to_excel(tmp_path / "ratings.xlsx", index=False)
    for number, of in enumerate((rows.iloc[:100], rows.iloc[100:])):
        of[list(COLUMNS["messages"].values())].to_csv(tmp_path / f"comments-{number}.csv", index=False)
    stated = {ours: theirs for ours, theirs in COLUMNS["conversations"].items() if ours != "csat"}
    tables = given(
        source_of(
            {"path": str(tmp_path / "comments-*.csv"), "columns": {"messages": COLUMNS["messages"]}, "values": WORDS},
            {"path": str(tmp_path / "tickets.csv"), "columns": {"conversations": stated}},
            {
                "path": str(tmp_path / "ratings.xlsx"),
                "columns": {"conversations": {"conversation_id": "Ticket #", "csat": "Satisfaction"}},
            },
        )
    )
    check_truth(tables)


def test_nested_records_give_the_bundle(tmp_path: Path) -> None:
    """Messages in a list within their conversation, and values within records."""
    (tmp_path / "export.jsonl").write_text(jsonl(nested()))
    inner = {"role": "author.type"}
    messages = {
        ours: "ticket #" if ours == "conversation_id" else f"comments.{inner.get(ours, theirs)}"
        for ours, theirs in COLUMNS["messages"].items()
    }
    columns = {
        "conversations": {ours: theirs.lower() for ours, theirs in COLUMNS["conversations"].items()},
        "messages": messages,
    }
    entry = {"path": str(tmp_path / "export.jsonl"), "columns": columns, "values": WORDS}
    check_truth(given(source_of({**entry, "each": {"messages": "comments"}})))


def test_transcripts_are_cut_into_messages(tmp_path: Path) -> None:
    """A whole conversation in one cell; a line that looks like a beginning and names no speaker is none."""
    text = "End user: Hi\nTwo things: fees?\nhttps://a.example\nAnswer Bot (10:02:03): None.\nSupport: Right: none."
    frame = pd.DataFrame({"Case": ["7"], "Opened": ["03.06.2024 10:00"], "Transcript": [text], "Client": ["Ann Lee"]})
    frame.to_csv(tmp_path / "cases.csv", index=False)
    columns = {
        "conversations": {"conversation_id": "Case", "started_at": "Opened"},
        "messages": {"conversation_id": "Case", "role": "Transcript.speaker", "text": "Transcript.text"},
    }
    tables = given(
        source_of(
            {
                "path": str(tmp_path / "cases.csv"), "columns": columns, "values": WORDS,
                "each": {"messages": "Transcript"}, "names": ["Client"], "time_zone": "Europe/Berlin",
                "times": {"conversations": {"started_at": "%d.%m.%Y %H:%M"}},
            }
        )
    )  # fmt: skip
    assert [(row["role"], row["text"]) for row in tables["messages"]] == [
        ("customer", "Hi\nTwo things: fees?\nhttps://a.example"),
        ("bot", "None."),
        ("agent", "Right: none."),
    ]
    (row,) = tables["conversations"]
    assert str(row["started_at"]) == "2024-06-03 08:00:00+00:00"
    assert row["escalated"] is True  # an agent wrote


def test_notes_of_a_crm_and_tags_of_agents(tmp_path: Path) -> None:
    """One row a case with what the customer wrote, and the tags that agents gave in a file of their own."""
    (tmp_path / "cases.csv").write_text(
        "Case Number,Subject,Description,Date Opened,Origin\n00012,Fees,Who pays import?,2024-06-03 10:00,Email\n"
    )
    (tmp_path / "tags.csv").write_text(
        "case,verdict,by,when\n00012,Bot was wrong,lee,1717408800\n00012,,lee,1717408800\n"
    )
    tables = given(
        source_of(
            {
                "path": str(tmp_path / "cases.csv"),
                "columns": {
                    "conversations": {
                        "conversation_id": "Case Number", "started_at": "Date Opened", "channel": "Origin",
                        "escalated": {"constant": True},
                    },
                    "messages": {
                        "conversation_id": "Case Number", "role": {"constant": "customer"},
                        "text": {"join": ["Subject", "Description"], "by": "\n"},
                    },
                },
            },
            {
                "path": str(tmp_path / "tags.csv"),
                "columns": {
                    "outcomes": {
                        "conversation_id": "case", "outcome": "verdict", "tagged_by": "by", "tagged_at": "when",
                        "sample": {"constant": "escalated"},
                    }
                },
                "values": {"outcomes": {"outcome": {"Bot was wrong": "wrong"}}},
                "times": {"outcomes": {"tagged_at": "epoch_s"}},
                "skip": {"verdict": [""]},
            },
        )
    )  # fmt: skip
    assert tables["messages"][0]["text"] == "Fees\nWho pays import?"
    assert tables["conversations"][0]["escalated"] is True
    tags = [(row["conversation_id"], row["outcome"], row["sample"]) for row in tables["outcomes"]]
    assert tags == [("00012", "wrong", "escalated"), ("00012", None, "escalated")]


def test_internal_notes_are_left_out(tmp_path: Path) -> None:
    """A row that a word marks as none of the conversation is no message."""
    rows = flat()
    note = rows.iloc[[0]].assign(**{"Author type": "Support", "Comment": "cheat", "Kind": "internal"})
    pd.concat([rows.assign(Kind="public"), note]).to_csv(tmp_path / "export.csv", index=False)
    check_truth(given(source_of(flat_entry(tmp_path / "export.csv", skip={"Kind": ["internal"]}))))


def test_tables_of_their_own_keep_every_row(tmp_path: Path) -> None:
    """Articles and searches; two people may have made the same search at the same moment."""
    (tmp_path / "searches.csv").write_text("at,q,hits\n" + "2024-06-03,import fee,0\n" * 2)
    columns = {"searches": {"searched_at": "at", "query": "q", "results": "hits"}}
    source = source_of({"path": str(tmp_path / "searches.csv"), "columns": columns})
    pull_source(load_settings(None), source, tmp_path / "bundle")
    assert pd.read_parquet(tmp_path / "bundle/searches")["results"].tolist() == [0, 0]


@pytest.fixture
def page(tmp_path: Path) -> Iterator[str]:
    """The address of a server that serves a folder."""
    (tmp_path / "served").mkdir()
    handler = functools.partial(_Silent, directory=str(tmp_path / "served"))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


class _Silent(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name that it has
        pass


def test_file_of_a_web_server(tmp_path: Path, page: str) -> None:
    """A packed file at an address."""
    (tmp_path / "served/export.csv.gz").write_bytes(gzip.compress(flat().to_csv(index=False).encode()))
    check_truth(given(source_of({**flat_entry(tmp_path), "path": f"{page}/export.csv.gz"})))


def test_file_of_an_object_store(tmp_path: Path, remote: Any) -> None:
    """A pattern over files of a bucket, or of what stands for one."""
    rows = flat()
    for number, of in enumerate((rows.iloc[:100], rows.iloc[100:])):
        remote.fs.pipe_file(f"{remote.path}/day-{number}.csv", of.to_csv(index=False).encode())
    check_truth(given(source_of({**flat_entry(tmp_path), "path": f"{remote}/day-*.csv"})))


def test_pull_follows_the_file(tmp_path: Path) -> None:
    """An unchanged file is not read again; a changed row replaces, and a removed conversation leaves the bundle."""
    settings = load_settings(None)
    rows = flat()
    entry = flat_entry(tmp_path / "export.csv")
    write_csv(tmp_path)
    first = pull_source(settings, source_of(entry), tmp_path / "bundle")
    assert first.rows == {"conversations": 79, "messages": 297}
    for table in ("conversations", "messages"):
        pulled = pd.read_parquet(tmp_path / "bundle" / table)
        pd.testing.assert_frame_equal(as_frame(pulled.to_dict("records"), table), truth(table))
    assert pull_source(settings, source_of(entry), tmp_path / "bundle").rows == {}
    gone, changed = rows["Ticket #"].iloc[0], rows["Ticket #"].iloc[-1]
    rows.loc[rows["Ticket #"] == changed, "Via"] = "carrier pigeon"
    rows[rows["Ticket #"] != gone].to_csv(tmp_path / "export.csv", index=False)
    pull_source(settings, source_of(entry), tmp_path / "bundle")
    after = pd.read_parquet(tmp_path / "bundle/conversations").set_index("conversation_id")
    assert len(after) == 78
    assert after.loc[changed, "channel"] == "carrier pigeon"
    assert gone not in set(pd.read_parquet(tmp_path / "bundle/messages")["conversation_id"])


def test_a_file_a_day(tmp_path: Path) -> None:
    """Where each file holds conversations of its own, only what is new is read, and what is no longer there stays."""
    rows = flat()
    days = [rows[rows["Ticket #"] < "c-04000"], rows[rows["Ticket #"] >= "c-04000"]]
    entry = flat_entry(tmp_path / "day-*.csv")
    days[0].to_csv(tmp_path / "day-0.csv", index=False)
    settings = load_settings(None)
    pull_source(settings, source_of(entry, whole=False), tmp_path / "bundle")
    (tmp_path / "day-0.csv").unlink()
    days[1].to_csv(tmp_path / "day-1.csv", index=False)
    second = pull_source(settings, source_of(entry, whole=False), tmp_path / "bundle")
    assert second.rows["messages"] == len(days[1])
    for table in ("conversations", "messages"):
        pulled = pd.read_parquet(tmp_path / "bundle" / table)
        pd.testing.assert_frame_equal(as_frame(pulled.to_dict("records"), table), truth(table))
    assert set(ROLES) == set(pulled["role"])
