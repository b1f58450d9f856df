from __future__ import annotations

import gzip
import hashlib
import json
import random
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import fsspec
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lacuna.data_contracts.casts import DTYPES
from lacuna.data_contracts.contract import INPUTS, TABLES
from lacuna.data_contracts.errors import BundleUnreadable, ContractBroken, NothingToMine, SettingsInvalid
from lacuna.pipelines.io.bundle import read_bundle
from lacuna.pipelines.runtime.days import last_day
from lacuna.pipelines.steps.load.step import check_bundle, load
from tests.support.bundles import ARTICLES, CONVERSATIONS, MESSAGES, jsonl, loaded, make_job, write_bundle


def quarantine(job: Any, table: str) -> pd.DataFrame:
    return job.read(f"load/quarantine/{table}")


def test_load_writes_every_table_with_its_dtypes(tmp_path: Path) -> None:
    """Every table is written, absent ones too, with every column of the contract and its one dtype."""
    job = loaded(tmp_path)
    for name in INPUTS:
        frame = job.read(f"load/{name}")
        assert list(frame.columns) == TABLES[name].names
        for column in TABLES[name].columns:
            if DTYPES[column.type] != "object":
                assert str(frame[column.name].dtype) == DTYPES[column.type]
    assert job.read("load/messages")["article_ids"].map(lambda v: None if v is None else list(v))[1] == ["a1"]
    assert job.read_json("load/load")["tables"]["messages"] == {
        "rows_in": 4, "rows_kept": 4, "rows_quarantined": 0, "rows_superseded": 0, "rows_later": 0,
        "rows_forgotten": 0,
    }  # fmt: skip


def test_owners_whose_ids_differ_in_case_alone_are_said(tmp_path: Path) -> None:
    """Both are kept, with a warning that names them; ids that differ otherwise are none."""
    job = loaded(tmp_path, owners=[{"owner_id": one, "name": one} for one in ("o-Ana", "o-ana", "o-ben")])
    warning = next(w for w in job.read_json("load/warnings") if w["rule"] == "owner_ids_alike")
    assert warning["count"] == 2
    assert "o-Ana, o-ana" in warning["message"]
    assert len(job.read("load/owners")) == 3


def test_load_records_its_inputs(tmp_path: Path) -> None:
    """load.json names each file with its hash, size and rows."""
    job = loaded(tmp_path)
    data = (tmp_path / "bundle" / "articles.jsonl").read_bytes()
    inputs = [i for i in job.read_json("load/load")["inputs"] if i["table"] == "articles"]
    digest = hashlib.sha256(data).hexdigest()
    size = len(data)
    assert inputs == [{"table": "articles", "file": "articles.jsonl", "sha256": digest, "bytes": size, "rows": 2}]


def test_load_reads_every_format_alike(tmp_path: Path) -> None:
    """The same rows as JSONL, CSV, their gzipped forms and Parquet give the same tables."""
    names = ("conversation_id", "started_at", "escalated", "csat", "tags")
    cells = [
        ("007", "2024-06-03T10:00:00", True, 4.5, ["a", "b"]),
        ("008", "2024-06-03T12:00:00+02:00", False, None, None),
    ]
    rows = [dict(zip(names, row, strict=True)) for row in cells]
    csv = (
        "conversation_id,started_at,escalated,csat,tags\n"
        "007,2024-06-03 10:00:00,YES,4.5,a;b\n"
        "008,2024-06-03T12:00:00+02:00,0,NaN,\n"
    )
    frame = pd.DataFrame(rows)
    frame["started_at"] = pd.to_datetime(frame["started_at"], format="ISO8601", utc=True)
    files: dict[str, bytes] = {
        "conversations.jsonl": jsonl(rows).encode(),
        "conversations.jsonl.gz": gzip.compress(jsonl(rows).encode()),
        "conversations.csv": csv.encode(),
        "conversations.csv.gz": gzip.compress(csv.encode()),
        "conversations.parquet": frame.to_parquet(),
    }
    frames = []
    for name, data in files.items():
        folder = Path(write_bundle(tmp_path / name, conversations=None))
        (folder / name).write_bytes(data)
        frames.append(read_bundle(str(folder)).tables["conversations"].frame)
    for other in frames[1:]:
        pd.testing.assert_frame_equal(frames[0], other)
    assert frames[0]["conversation_id"].tolist() == ["007", "008"]
    assert frames[0]["started_at"].eq(pd.Timestamp("2024-06-03T10:00Z")).all()


def test_load_reads_a_folder_of_files_with_partitions(tmp_path: Path) -> None:
    """A table may be a folder of files of several formats; hive partitions become columns."""
    folder = Path(write_bundle(tmp_path / "bundle", conversations=None))
    for part, name, content in (
        ("region=EU", "part-0.jsonl", jsonl(CONVERSATIONS[:2])),
        ("region=N%20A", "part-0.csv", "conversation_id,started_at,escalated\nc3,2024-06-05,no\n"),
    ):
        (folder / "conversations" / part).mkdir(parents=True)
        (folder / "conversations" / part / name).write_text(content)
    (folder / "conversations" / "_SUCCESS").write_text("")
    frame = read_bundle(str(folder)).tables["conversations"].frame
    assert frame[["conversation_id", "region"]].to_numpy().tolist() == [["c1", "EU"], ["c2", "EU"], ["c3", "N A"]]


def test_load_reads_a_url() -> None:
    """A bundle may be any fsspec URL."""
    fs = fsspec.filesystem("memory")
    for table, rows in {"conversations": CONVERSATIONS, "messages": MESSAGES, "articles": ARTICLES}.items():
        fs.pipe(f"/lacuna-test/{table}.jsonl", jsonl(rows).encode())
    assert last_day("memory://lacuna-test") == date(2024, 6, 5)


def test_load_carries_extra_columns(tmp_path: Path) -> None:
    """Columns that no contract knows are carried along; objects and mixed kinds as their JSON text."""
    rows = [{**a, "votes": i, "meta": {"k": i}, "mixed": [1, "one"][i]} for i, a in enumerate(ARTICLES)]
    frame = loaded(tmp_path, articles=rows).read("load/articles")
    assert list(frame.columns)[-3:] == ["meta", "mixed", "votes"]
    assert frame["votes"].tolist() == [0, 1]
    assert frame["meta"].tolist() == ['{"k": 0}', '{"k": 1}']
    assert frame["mixed"].tolist() == ["1", "one"]


def test_load_leaves_out_what_is_later_than_the_window(tmp_path: Path) -> None:
    """Later conversations with their messages and tags, and later articles, are left out and counted apart."""
    late = {"conversation_id": "c9", "started_at": "2024-06-29T00:00:00Z", "escalated": True}
    last = {"conversation_id": "c8", "started_at": "2024-06-28T23:59:59Z", "escalated": True}
    job = loaded(
        tmp_path,
        conversations=[*CONVERSATIONS, late, last],
        messages=[*MESSAGES, {"conversation_id": "c9", "position": 0, "role": "customer", "text": "?"}],
        articles=[*ARTICLES, {"article_id": "a9", "title": "New", "body": "New.", "created_at": "2024-07-01"}],
        outcomes=[
            {"conversation_id": "c9", "outcome": "wrong"},
            {"conversation_id": "c1", "outcome": "correct"},
            {"conversation_id": "c2", "outcome": "wrong", "tagged_at": "2024-06-29T08:00:00Z"},
        ],
    )
    later = {t: n["rows_later"] for t, n in job.read_json("load/load")["tables"].items() if n["rows_later"]}
    assert later == {"conversations": 1, "messages": 1, "articles": 1, "outcomes": 2}
    assert job.read("load/conversations")["conversation_id"].tolist() == ["c1", "c2", "c3", "c8"]


def test_load_warns_of_references_that_lead_nowhere(tmp_path: Path) -> None:
    """Unknown conversations and articles are kept and counted as warnings with their place."""
    stray = {"conversation_id": "c77", "position": 0, "role": "bot", "text": "Hi", "article_ids": ["a1", "a77"]}
    job = loaded(tmp_path, messages=[*MESSAGES, stray])
    warnings = {(w["rule"], w["column"]): w for w in job.read_json("load/warnings")}
    assert warnings["references", "conversation_id"]["count"] == 1
    assert warnings["references", "article_ids"]["examples"] == [["messages.jsonl", 5, "article_ids", "a77"]]
    assert len(job.read("load/messages")) == 5


def test_load_quarantines_with_place_rule_and_value(tmp_path: Path) -> None:
    """A row that breaks a rule goes to quarantine with table, file, row, rule, column, value and the whole row."""
    csv = (
        "conversation_id,started_at,escalated,csat\nc1,2024-06-03,true,9\nc2,2024-06-04,perhaps,8\nc3,2024-06-05,no,\n"
    )
    job = loaded(tmp_path, conversations_csv=csv)
    rows = quarantine(job, "conversations")
    assert rows[["table", "file", "row", "rule", "column", "value"]].to_numpy().tolist() == [
        ["conversations", "conversations.csv", 3, "readable", "escalated", "perhaps"],
    ]
    assert rows["message"].tolist() == ["escalated could not be read as true or false: 'perhaps'"]
    record = json.loads(rows["record"][0])
    assert (record["escalated"], record["csat"]) == ("perhaps", 8)


def test_a_bad_value_of_an_optional_column_does_not_cost_its_row(tmp_path: Path) -> None:
    """It is left empty, counted as a warning with place and value, and kept in the quarantine of values."""
    csv = "conversation_id,started_at,escalated,csat\nc1,2024-06-03,true,9\nc2,2024-06-04,no,good\nc3,2024-06-05,no,4\n"
    job = loaded(tmp_path, conversations_csv=csv)
    assert job.read("load/conversations")["csat"].tolist()[2:] == [4.0]
    assert job.read("load/conversations")["csat"].isna().tolist() == [True, True, False]
    assert quarantine(job, "conversations").empty
    values = quarantine(job, "values")
    assert values[["table", "file", "row", "rule", "column", "value"]].to_numpy().tolist() == [
        ["conversations", "conversations.csv", 3, "readable", "csat", "good"],
        ["conversations", "conversations.csv", 2, "between", "csat", "9.0"],
    ]
    assert json.loads(values["record"][0]) == {"conversation_id": "c2", "csat": "good"}
    warnings = [(w["rule"], w["message"]) for w in job.read_json("load/warnings") if w.get("column") == "csat"]
    assert warnings == [
        ("between", "1 value left empty, the rows are kept: csat must be between 1 and 5, not '9.0'"),
        ("readable", "1 value left empty, the rows are kept: csat could not be read as a number: 'good'"),
    ]


def test_load_stops_beyond_a_limit(tmp_path: Path) -> None:
    """Where too many rows of a table are bad, the run stops with counts by rule, an example, and the setting's name."""
    bad = [{**m, "role": "user"} for m in MESSAGES[:2]]
    job = make_job(write_bundle(tmp_path / "b", messages=[*bad, *MESSAGES[2:]]), tmp_path / "store", messages=0.2)
    with pytest.raises(ContractBroken) as broken:
        load(job)
    assert "messages: 2 of 4 rows (50.0%) break the contract, more than the limit of 20.0%" in str(broken.value)
    assert "messages.jsonl row 1: role must be one of customer, bot, agent, not 'user'" in str(broken.value)
    assert "contract.limits.messages" in broken.value.remedy
    assert not job.path("load/messages.parquet").exists()


def test_load_stops_at_more_articles_than_a_setting_allows(tmp_path: Path) -> None:
    """The error names both numbers and the setting; nothing is written."""
    job = make_job(write_bundle(tmp_path / "bundle"), tmp_path / "store")
    shards = job.settings.shards.model_copy(update={"articles_at_most": 1})
    job = replace(job, settings=job.settings.model_copy(update={"shards": shards}))
    with pytest.raises(SettingsInvalid, match=r"holds \d+ published articles.* articles_at_most is 1"):
        load(job)
    assert not job.path("load/articles.parquet").exists()


def test_check_lists_what_is_wrong_and_writes_nothing(tmp_path: Path) -> None:
    """check_bundle counts rows a table and a rule, with examples, and tells fit to run from free of faults."""
    bundle = write_bundle(tmp_path / "b", conversations=[{**CONVERSATIONS[0], "escalated": "?"}, *CONVERSATIONS[1:]])
    result = check_bundle(bundle, {"conversations": 0.5})
    assert (result.ok, result.runnable) == (False, True)
    assert next((t.table, t.rows, t.kept, t.quarantined) for t in result.tables) == ("conversations", 3, 2, 1)
    fail = [f for f in result.findings if f.severity == "fail"]
    assert [(f.rule, f.column, f.count, f.examples) for f in fail] == [
        ("readable", "escalated", 1, (("conversations.jsonl", 1, "escalated", "?"),))
    ]
    assert [f.rule for f in result.findings if f.severity == "warn"] == ["references"]
    assert not check_bundle(bundle, {"conversations": 0.1}).runnable
    assert check_bundle(write_bundle(tmp_path / "sound")).ok


def test_check_names_all_missing_columns_at_once(tmp_path: Path) -> None:
    """Every missing table and column is named in one go, and does not drown in one fault a row."""
    roleless = [{"conversation_id": "c1", "position": 0, "text": "a"}]
    bundle = write_bundle(tmp_path / "b", articles=None, messages=roleless)
    result = check_bundle(bundle)
    assert len(result.problems) == 2
    assert not result.runnable
    assert not [f for f in result.findings if f.severity == "fail"]


def test_last_day_is_the_utc_day_of_the_last_start(tmp_path: Path) -> None:
    """The last day is taken in UTC."""
    late = {"conversation_id": "c9", "started_at": "2024-06-30T23:30:00-02:00", "escalated": True}
    assert last_day(write_bundle(tmp_path / "b", conversations=[*CONVERSATIONS, late])) == date(2024, 7, 1)
    with pytest.raises(NothingToMine, match="no conversation with a start"):
        last_day(write_bundle(tmp_path / "empty", conversations_csv="conversation_id,started_at,escalated\n"))


words = ["", "x", "c1", "c2", "2024-06-03", "2024-09-01", "1", "true", "9", "customer", "a;b"]
cell = st.one_of(st.none(), st.sampled_from(words))
lists = st.lists(st.text(max_size=3), max_size=2)
dirty = st.one_of(cell, st.integers(), st.floats(), st.booleans(), lists, st.text(max_size=5))


def rows_of(table: str) -> st.SearchStrategy[list[dict[str, Any]]]:
    names = TABLES[table].names
    key = {TABLES[table].key[0]: cell}
    return st.lists(st.fixed_dictionaries(key, optional={n: dirty for n in names if n not in key}), max_size=6)


lines = st.one_of(st.just("{broken"), st.just("[1]"), st.just('"text"'))


@settings(max_examples=20, suppress_health_check=list(HealthCheck))
@given(rows_of("conversations"), rows_of("messages"), rows_of("outcomes"), st.lists(lines, max_size=2))
def test_load_loses_no_row(
    tmp_path_factory: pytest.TempPathFactory,
    conversations: list[dict[str, Any]],
    messages: list[dict[str, Any]],
    outcomes: list[dict[str, Any]],
    broken: list[str],
) -> None:
    """Whatever stands in the tables: rows in = kept + in quarantine + superseded + later than the window."""
    folder = tmp_path_factory.mktemp("dirty")
    given_rows = {
        "conversations": [*CONVERSATIONS, *conversations],
        "messages": [*MESSAGES, *messages],
        "outcomes": [{"conversation_id": "c1", "outcome": "wrong"}, *outcomes],
    }
    bundle = write_bundle(folder / "b", **given_rows)
    with (folder / "b" / "messages.jsonl").open("a") as file:
        file.writelines(f"{line}\n" for line in broken)
    job = make_job(bundle, folder / "store")
    try:
        load(job)
    except NothingToMine:
        # The sound conversations may have newer versions that start after the window.
        return
    counts = job.read_json("load/load")["tables"]
    for table, rows in given_rows.items():
        n = counts[table]
        expected = len(rows) + (len(broken) if table == "messages" else 0)
        assert n["rows_in"] == expected == sum(n[f"rows_{w}"] for w in ("kept", "quarantined", "superseded", "later"))
        assert len(job.read(f"load/{table}")) == n["rows_kept"]
        assert len(quarantine(job, table)) == n["rows_quarantined"]


def test_load_does_not_depend_on_row_order(tmp_path: Path) -> None:
    """The rows in another order give the same bytes, where versions of a row say which is the newest."""
    day = {"updated_at": "2024-05-01"}
    articles = [
        *({**a, **day} for a in ARTICLES),
        {"article_id": "a1", "title": "Another a1", "body": "Else.", "updated_at": "2024-05-02T08:00:00Z"},
        {**ARTICLES[1], "views": 3, "updated_at": "2024-04-30"},
    ]
    outcomes = [{"conversation_id": "c1", "outcome": "wrong", "note": str(i)} for i in range(5)]
    written = []
    for seed in (1, 2, 3):
        shuffled = [list(rows) for rows in (CONVERSATIONS, MESSAGES, articles, outcomes)]
        for rows in shuffled:
            random.Random(seed).shuffle(rows)
        names = ("conversations", "messages", "articles", "outcomes")
        job = make_job(
            write_bundle(tmp_path / f"b{seed}", **dict(zip(names, shuffled, strict=True))), tmp_path / f"s{seed}"
        )
        load(job)
        written.append({t: [file.read_bytes() for file in job.files(f"load/{t}")] for t in INPUTS})
        assert job.read("load/articles")["title"].tolist() == ["Another a1", "Refunds"]
        assert job.read("load/articles")["views"].isna().all()
        assert job.read_json("load/load")["tables"]["articles"]["rows_superseded"] == 2
    assert written[0] == written[1] == written[2]


def test_load_refuses_a_table_that_is_there_twice(tmp_path: Path) -> None:
    """Two files for one table are refused: nobody can tell which one is meant."""
    folder = Path(write_bundle(tmp_path / "b"))
    (folder / "articles.csv").write_text("article_id,title,body\n")
    with pytest.raises(BundleUnreadable, match=r"table 'articles' is there 2 times: articles.csv, articles.jsonl"):
        read_bundle(str(folder))
