"""Bad input as far as `load` meets it: each case has one defined outcome, with a message that says what to do."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from lacuna.data_contracts.errors import BundleUnreadable, ContractBroken, NothingToMine
from lacuna.pipelines.io.bundle import read_bundle
from lacuna.pipelines.runtime.job import Job
from lacuna.pipelines.settings import load_settings
from lacuna.pipelines.steps.load.step import check_bundle, load
from tests.support.bundles import ARTICLES, CONVERSATIONS, MESSAGES, jsonl, loaded, make_job, write_bundle


def refusal(error: type[Exception], tmp_path: Path, **files: Any) -> str:
    with pytest.raises(error) as refused:
        loaded(tmp_path, **files)
    return str(refused.value)


def rejected(job: Job, table: str) -> list[list[Any]]:
    rows = job.read(f"load/quarantine/{table}")
    return rows[["file", "row", "rule", "column", "message"]].to_numpy().tolist()


def warnings_of(job: Job) -> list[str]:
    return [w["message"] for w in job.read_json("load/warnings")]


@pytest.mark.parametrize("empty", ["", "conversation_id,started_at,escalated\n"])
def test_no_conversations(tmp_path: Path, empty: str) -> None:
    """A bundle without a conversation stops the run and says which table to fill."""
    message = refusal(NothingToMine, tmp_path, conversations_csv=empty)
    assert message == "the bundle holds no conversation\n  → fill the table 'conversations'"


def test_empty_window(tmp_path: Path) -> None:
    """A window without conversations stops the run and names the days that have some."""
    job = make_job(write_bundle(tmp_path / "b"), tmp_path / "store", "2024-07-01", "2024-07-28")
    with pytest.raises(NothingToMine) as refused:
        load(job)
    assert "no conversation started from 2024-07-01 to 2024-07-28" in str(refused.value)
    assert "choose days between 2024-06-03 and 2024-06-05" in str(refused.value)


def test_conversations_without_messages(tmp_path: Path) -> None:
    """Where no message belongs to any conversation, check and run stop, and say which table holds which form of id."""
    files = {"messages": [{**m, "conversation_id": f"{i}7"} for i, m in enumerate(MESSAGES, 1)]}
    message = refusal(ContractBroken, tmp_path, **files)
    assert (
        "messages and conversations don't join: 0 of 4 ids in messages.conversation_id are in conversations" in message
    )
    assert "messages.conversation_id holds whole numbers, such as '17' (messages.jsonl row 1)" in message
    assert "conversations.conversation_id holds text like a9, such as 'c1' (conversations.jsonl row 1)" in message
    assert "write conversations' ids in the same form" in message
    result = check_bundle(write_bundle(tmp_path / "again", **files))
    assert not result.ok
    assert not result.runnable
    assert "don't join" in result.problems[0]


def test_no_such_folder(tmp_path: Path) -> None:
    """A bundle that isn't there, or is a file, is named."""
    with pytest.raises(BundleUnreadable, match="there is no folder"):
        check_bundle(str(tmp_path / "nowhere"))
    (tmp_path / "file").write_text("")
    with pytest.raises(BundleUnreadable, match="is a file, not a bundle folder"):
        check_bundle(str(tmp_path / "file"))
    with pytest.raises(BundleUnreadable, match="can't be opened"):
        check_bundle("nosuchscheme://bucket/bundle")


def test_missing_table(tmp_path: Path) -> None:
    """A missing required table is named, with the file that was perhaps meant."""
    message = refusal(ContractBroken, tmp_path, articles=None, article_jsonl=jsonl(ARTICLES))
    assert "there is no table 'articles' in " in message
    assert "did you mean 'article.jsonl'?" in message
    assert "name the file or folder articles.{parquet,jsonl.gz,csv.gz,json.gz,jsonl,csv,json} or articles/" in message


def test_unknown_table(tmp_path: Path) -> None:
    """A file that no table claims is left unread with a warning that names the table it may be."""
    assert warnings_of(loaded(tmp_path, outcome_jsonl="{}\n")) == [
        "outcome.jsonl was not read: there is no table 'outcome'; did you mean 'outcomes'?"
    ]


def test_missing_column(tmp_path: Path) -> None:
    """A missing required column is named with table and file, and the column that was perhaps meant."""
    message = refusal(ContractBroken, tmp_path, articles_csv="article_id,titel,body\na1,Track,Link\n")
    assert "articles.csv: table 'articles' has no column 'title'; did you mean 'titel'?" in message
    assert "rename or add the column; articles.csv has: article_id, titel, body" in message


def test_misspelt_optional_column(tmp_path: Path) -> None:
    """An unknown column that resembles an optional one is carried along with a warning."""
    job = loaded(tmp_path, articles_csv="article_id,title,body,langauge\na1,Track,Link,en\n")
    assert "articles.csv: column 'langauge' is carried along unused; did you mean 'language'?" in warnings_of(job)
    assert job.read("load/articles")["langauge"].tolist() == ["en"]


def test_two_articles_with_one_id(tmp_path: Path) -> None:
    """Of two articles with one id the newer one is kept, by the order of the rows where nothing else tells."""
    csv = "article_id,title,body\na1,Track a parcel,Old.\na2,Refunds,Soon.\na1,Track a parcel,New.\n"
    job = loaded(tmp_path, articles_csv=csv)
    assert job.read("load/articles")["body"].tolist() == ["New.", "Soon."]
    assert rejected(job, "articles") == []
    assert "1 older version of a row left out: the last in the files is kept" in warnings_of(job)


def test_unknown_roles(tmp_path: Path) -> None:
    """A message by an unknown role is in quarantine, with the roles that there are."""
    job = loaded(tmp_path, messages=[*MESSAGES, {**MESSAGES[0], "position": 7, "role": "supervisor"}])
    message = "role must be one of customer, bot, agent, not 'supervisor'"
    assert rejected(job, "messages") == [["messages.jsonl", 5, "allowed", "role", message]]


def test_times_without_zones(tmp_path: Path) -> None:
    """A time without a zone is read as UTC; an epoch or a day-first date is in quarantine, with the form to use."""
    days = ["2024-06-03 23:30:00", "2024-06-04T01:30:00+02:00", "1717400000", "04.06.2024"]
    job = loaded(
        tmp_path,
        conversations=[{**CONVERSATIONS[0], "conversation_id": f"c{i}", "started_at": d} for i, d in enumerate(days)],
    )
    assert job.read("load/conversations")["started_at"].astype(str).tolist() == ["2024-06-03 23:30:00+00:00"] * 2
    assert [r[1:] for r in rejected(job, "conversations")] == [
        [
            3,
            "readable",
            "started_at",
            "started_at could not be read as a time like 2024-06-30T12:00:00Z: '1717400000' "
            "looks like seconds since 1970 (2024-06-03 07:33 UTC)",
        ],
        [4, "readable", "started_at", "started_at could not be read as a time like 2024-06-30T12:00:00Z: '04.06.2024'"],
    ]


@pytest.mark.parametrize(
    ("encoding", "called"),
    [("cp1252", "Windows-1252 (Western European)"), ("utf-16", "UTF-16"), ("utf-8-sig", None)],
)
def test_csv_in_another_encoding(tmp_path: Path, encoding: str, called: str | None) -> None:
    """A CSV in a usual other encoding is read with its letters right, and a warning names file and encoding."""
    csv = "article_id,title,body\na1,Rücksendung für 5 €,Öffnen\n".encode(encoding)
    job = loaded(tmp_path, articles_csv=csv)
    assert job.read("load/articles")["title"].tolist() == ["Rücksendung für 5 €"]
    encoding_warnings = [w for w in warnings_of(job) if w.startswith("articles.csv is not UTF-8")]
    assert encoding_warnings == (
        [f"articles.csv is not UTF-8 and was read as {called}; save it as UTF-8 to be sure"] if called else []
    )


def test_csv_with_semicolons(tmp_path: Path) -> None:
    """A spreadsheet's CSV with semicolons is read, with a warning."""
    job = loaded(tmp_path, articles_csv='article_id;title;body\na1;Track, trace;"a;b"\n')
    assert job.read("load/articles")[["title", "body"]].to_numpy().tolist() == [["Track, trace", "a;b"]]
    assert "articles.csv is separated by ';', not by commas" in warnings_of(job)


def test_csv_with_bars(tmp_path: Path) -> None:
    """A CSV whose fields are parted by bars is read, with a warning."""
    job = loaded(tmp_path, articles_csv="article_id|title|body\na1|Track, trace|b\n")
    assert job.read("load/articles")[["title", "body"]].to_numpy().tolist() == [["Track, trace", "b"]]
    assert "articles.csv is separated by '|', not by commas" in warnings_of(job)


@pytest.mark.parametrize(
    "text",
    [
        json.dumps(ARTICLES),
        json.dumps(ARTICLES, indent=2),
        json.dumps({"articles": ARTICLES}),
        jsonl(ARTICLES),
    ],
    ids=["array", "indented", "in an object", "lines"],
)
def test_json_files(tmp_path: Path, text: str) -> None:
    """A file that ends in .json holds an array of objects, alone or in an object, or one object a line."""
    folder = Path(write_bundle(tmp_path / "b", articles=None))
    (folder / "articles.json").write_text(text)
    assert read_bundle(str(folder)).tables["articles"].frame["article_id"].tolist() == ["a1", "a2"]


def test_an_item_of_an_array_that_is_no_object(tmp_path: Path) -> None:
    """It is in quarantine with its number and text."""
    folder = Path(write_bundle(tmp_path / "b", articles=None))
    (folder / "articles.json").write_text(json.dumps([*ARTICLES, "a3"]))
    broken = read_bundle(str(folder)).tables["articles"].broken
    assert broken.to_numpy().tolist() == [["articles.json", 3, "not a JSON object", '"a3"']]


@pytest.mark.parametrize(
    "text", ['{"title": {"0": "T"}, "body": {"0": "b"}}', '{"a": {\n"b": 1', "no JSON"], ids=["columns", "cut", "text"]
)
def test_json_of_another_shape_is_refused(tmp_path: Path, text: str) -> None:
    """What pandas writes by default, a file cut short and what is no JSON are refused, with what to write instead."""
    folder = Path(write_bundle(tmp_path / "b", articles=None))
    (folder / "articles.json").write_text(text)
    with pytest.raises(BundleUnreadable, match=r"articles\.json is neither an array of objects nor") as refused:
        check_bundle(str(folder))
    assert "orient='records'" in refused.value.remedy


def test_a_table_without_its_key_keeps_no_row(tmp_path: Path) -> None:
    """Without the column that names its rows none is kept, and check says so."""
    result = check_bundle(write_bundle(tmp_path / "b", articles_csv="title,body\nT,B\nU,C\n"))
    assert {t.table: (t.rows, t.kept) for t in result.tables}["articles"] == (2, 0)
    assert not result.runnable


@pytest.mark.parametrize(
    ("number", "says", "unit"),
    [
        (1717400000, "looks like seconds since 1970 (2024-06-03 07:33 UTC)", "epoch_s"),
        (1717400000000, "looks like milliseconds since 1970 (2024-06-03 07:33 UTC)", "epoch_ms"),
        (1717400000000000, "looks like microseconds since 1970 (2024-06-03 07:33 UTC)", "epoch_us"),
        ("45446.5", "looks like days as Excel counts them (2024-06-03 12:00 UTC)", "excel_days"),
    ],
)
def test_numbers_for_times(tmp_path: Path, number: Any, says: str, unit: str) -> None:
    """The message says what a number most likely counts, and the remedy is the lines that make it a time."""
    rows = [{**row, "started_at": number} for row in CONVERSATIONS]
    bundle = write_bundle(tmp_path / "b", conversations=rows)
    finding = next(f for f in check_bundle(bundle).findings if f.severity == "fail")
    assert says in finding.message
    lines = finding.remedy.split("\n", 1)[1]
    assert lines == f'[input.times.conversations]\nstarted_at = "{unit}"'
    (tmp_path / "ours.toml").write_text(lines)
    result = check_bundle(bundle, mapped=load_settings(str(tmp_path / "ours.toml")).input)
    assert result.ok


def test_csv_with_broken_rows(tmp_path: Path) -> None:
    """A row with a wrong number of fields, or with a quote that is never closed, costs that row alone."""
    csv = (
        "article_id,title,body\n"
        "a1,One,Fine\n"
        "a2,Two\n"
        "a3,Three,Too,many\n"
        'a4,"Four,Open quote\n'
        'a5,Five,"Over\ntwo lines, with ""quotes"""\n'
        "a6,Six,Fine\n"
    )
    job = loaded(tmp_path, articles_csv=csv)
    assert job.read("load/articles")["article_id"].tolist() == ["a1", "a5", "a6"]
    assert job.read("load/articles")["body"].tolist()[1] == 'Over\ntwo lines, with "quotes"'
    assert rejected(job, "articles") == [
        ["articles.csv", 3, "parsable", "", "the row can't be parsed: 2 fields where the header has 3"],
        ["articles.csv", 4, "parsable", "", "the row can't be parsed: 4 fields where the header has 3"],
        ["articles.csv", 5, "parsable", "", "the row can't be parsed: a quote is never closed"],
    ]
    assert job.read("load/quarantine/articles")["record"].tolist()[1] == "a3,Three,Too,many"


def test_broken_json_lines(tmp_path: Path) -> None:
    """A line that is no JSON object is in quarantine with its raw text."""
    text = jsonl(ARTICLES) + '{"article_id": "a3", "title"\n\n[1, 2]\n' + "[" * 100_000 + "\n"
    job = loaded(tmp_path, articles_jsonl=text)
    assert [r[1:4] for r in rejected(job, "articles")] == [[n, "parsable", ""] for n in (3, 5, 6)]
    assert job.read("load/quarantine/articles")["record"].tolist()[0] == '{"article_id": "a3", "title"'


def test_message_of_a_megabyte(tmp_path: Path) -> None:
    """A message of a million characters is in quarantine, whole; one just under it is kept, in CSV too."""
    csv = "conversation_id,position,role,text\n" + "".join(
        f"c{i},0,customer,{'x' * n}\n" for i, n in ((1, 1_000_000), (2, 999_999), (3, 5))
    )
    job = loaded(tmp_path, messages_csv=csv)
    message = "text must have at most 999,999 characters, not 1,000,000"
    assert rejected(job, "messages") == [["messages.csv", 2, "length", "text", message]]
    assert len(job.read("load/quarantine/messages")["record"][0]) > 1_000_000
    assert job.read("load/messages")["text"].str.len().tolist() == [999_999, 5]


def test_nan(tmp_path: Path) -> None:
    """NaN is no value: null in an optional column, a fault in a required one."""
    text = (
        '{"conversation_id": "c1", "started_at": "2024-06-03", "escalated": true, "csat": NaN, "language": NaN}\n'
        '{"conversation_id": NaN, "started_at": "2024-06-03", "escalated": true}\n'
    )
    job = loaded(tmp_path, conversations_jsonl=text)
    kept = job.read("load/conversations")
    assert kept[["csat", "language"]].isna().all(axis=None)
    assert [r[1:] for r in rejected(job, "conversations")] == [
        [2, "not_null", "conversation_id", "conversation_id must not be empty"]
    ]


def test_infinity(tmp_path: Path) -> None:
    """Infinity is no number: it would top every ranking."""
    rows = [{**CONVERSATIONS[0], "handle_seconds": float("inf")}, *CONVERSATIONS[1:]]
    job = loaded(tmp_path, conversations=rows)
    assert job.read("load/conversations")["handle_seconds"].isna().all()
    assert rejected(job, "values")[0][2:] == [
        "readable", "handle_seconds", "handle_seconds could not be read as a number: 'inf'",
    ]  # fmt: skip


NASTY = [
    "🧑‍🚀 where is 📦?",
    "أين طردي؟ \u202eabc\u202c",
    "<script>alert(1)</script><img src=x onerror=alert(1)>",
    '=HYPERLINK("http://example.com","x")',
    "+1+1",
    "@SUM(A1)",
    "-2+3",
    "tab\tand\u2028line separator",
    "nul \x00 inside",
    "NULL",
]


@pytest.mark.parametrize("ending", ["csv", "jsonl", "parquet"])
def test_hostile_text_stays_as_it_is(tmp_path: Path, ending: str) -> None:
    """Emoji, right-to-left text, script and formulas are loaded unchanged: escaping is for outputs."""
    rows = [{"conversation_id": "c1", "position": i, "role": "customer", "text": t} for i, t in enumerate(NASTY)]
    folder = Path(write_bundle(tmp_path / "b", messages=None))
    frame = pd.DataFrame(rows)
    if ending == "csv":
        frame.to_csv(folder / "messages.csv", index=False)
    elif ending == "jsonl":
        (folder / "messages.jsonl").write_text(jsonl(rows), encoding="utf-8")
    else:
        frame.to_parquet(folder / "messages.parquet")
    job = make_job(str(folder), tmp_path / "store")
    load(job)
    assert job.read("load/messages")["text"].tolist() == NASTY


def test_half_an_emoji(tmp_path: Path) -> None:
    """A lone surrogate, which no file can hold, becomes the replacement character, in names of columns too."""
    line = '{"article_id": "a3", "title": "\\ud83d broken", "body": "b", "x\\ud83d": {"k": "\\ud83d"}}\n'
    job = loaded(tmp_path, articles_jsonl=jsonl(ARTICLES) + line)
    assert job.read("load/articles")["title"].tolist()[2] == "\ufffd broken"


@pytest.mark.parametrize("name", ["articles.parquet", "articles.csv.gz"])
def test_file_that_is_not_what_its_name_says(tmp_path: Path, name: str) -> None:
    """A file that can't be opened as its name says is named, with what to do."""
    folder = Path(write_bundle(tmp_path / "b", articles=None))
    (folder / name).write_text("article_id,title,body\na1,T,B\n")
    with pytest.raises(BundleUnreadable) as refused:
        check_bundle(str(folder))
    assert name in str(refused.value)
    assert "copy it again" in str(refused.value)


def test_column_named_twice(tmp_path: Path) -> None:
    """A CSV with two columns of one name is refused."""
    message = refusal(BundleUnreadable, tmp_path, articles_csv="article_id,title,body,title\na1,T,B,U\n")
    assert "articles.csv has two columns named 'title'" in message
