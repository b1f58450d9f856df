"""Personal data planted in every column of every table: where a run, its board and its digest may show it."""

from __future__ import annotations

import json
import logging
import re
import shutil
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urldefrag

import pandas as pd
import pyarrow.parquet as pq
import pytest
from starlette.testclient import TestClient

from lacuna.data_contracts.contract import INPUTS, TABLES
from lacuna.pipelines.board import make_app
from lacuna.pipelines.board.roles import hashed
from lacuna.pipelines.delivery.weekly import send_digest
from lacuna.pipelines.run import run
from lacuna.pipelines.runtime.job import Job
from lacuna.pipelines.settings import load_settings
from lacuna.pipelines.state.repository import open_state
from lacuna.pipelines.steps import STEPS, step_named
from tests.support.canaries import DAY, Canary, Planted, plant, texts_of

# What may stay, by table, column and kind of row, and where: in files and pages whose names match. Anything else fails.
ANYWHERE = ""
MAY_STAY = {
    # Articles are written for everybody.
    ("articles", "body", "kept"): ANYWHERE,
    # Owners are named on purpose; the digest needs their addresses, which the state database keeps and nothing shows.
    ("owners", "name", "kept"): ANYWHERE,
    ("owners", "team", "kept"): ANYWHERE,
    ("owners", "areas", "kept"): r"owners\.parquet$",
    ("owners", "email", "kept"): r"^state\.db",
    # Who revised an article may come to own it.
    ("article_revisions", "author_id", "kept"): ANYWHERE,
}  # fmt: skip
# A name that nothing announces can't be told from what should stand in these columns.
NAMES_MAY_STAY = {
    "role",
    "status",
    "outcome",
    "sample",
    "article_id",
    "article_ids",
    "clicked_article_id",
    "owner_id",
    "author_id",
}
# What must not be in the work folder either, once texts are redacted: a run may be killed there.
TEXTS = {("messages", "text"), ("outcomes", "note"), ("searches", "query")}


@dataclass(frozen=True)
class Left:
    """All that a run left behind, by place: texts of files, of pages and downloads, of messages, and of the log."""

    planted: Planted
    store: Path
    files: Mapping[str, str]
    work: Mapping[str, str]
    pages: Mapping[str, str]
    told: Mapping[str, str]


@pytest.fixture(scope="module")
def left(tmp_path_factory: pytest.TempPathFactory) -> Left:
    """One run over the planted bundle, its board, read from link to link by a manager, and its digest."""
    folder = tmp_path_factory.mktemp("canaries")
    planted = plant(folder / "bundle")
    limits = "".join(f"{table} = 1.0\n" for table in INPUTS)
    config = f'[embedder]\nname = "lexical"\n[compare]\nby = "region"\n[contract.limits]\n{limits}'
    (folder / "ours.toml").write_text(config, encoding="utf-8")

    def publish(job: Job) -> None:
        shutil.copytree(Path(str(job.work)), folder / "work")
        step_named("publish")(job)

    lines: list[str] = []
    listener = _Listener(lines)
    log = logging.getLogger("lacuna")
    level = log.level
    log.addHandler(listener)
    log.setLevel(logging.INFO)
    try:
        steps = [*map(step_named, STEPS[:-1]), publish]
        run(str(folder / "bundle"), folder / "store", end=DAY, config=str(folder / "ours.toml"), steps=steps)
    finally:
        log.removeHandler(listener)
        log.setLevel(level)
    pages = dict(_pages(folder))
    outcomes = send_digest(folder / "store", load_settings(str(folder / "ours.toml")))
    told = {f"digest to {one.message.recipient}": f"{one.message.text}{one.message.html}" for one in outcomes}
    files, work = dict(texts_of(folder / "store")), dict(texts_of(folder / "work"))
    return Left(planted, folder / "store", files, work, pages, told | {"log": "\n".join(lines)})


class _Listener(logging.Handler):
    """Keeps what is logged."""

    def __init__(self, lines: list[str]) -> None:
        super().__init__(logging.DEBUG)
        self._lines = lines

    def emit(self, record: logging.LogRecord) -> None:
        self._lines.append(self.format(record))


def _pages(folder: Path) -> Iterator[tuple[str, str]]:
    """Each page and download of the board that a manager can reach, by address, and the views of its API."""
    people = f'[[people]]\nname = "Mia"\nrole = "manager"\ntoken_sha256 = "{hashed("token-mia")}"\n'
    (folder / "people.toml").write_text(people, encoding="utf-8")
    settings = load_settings(str(folder / "ours.toml"))
    board = {"people": str(folder / "people.toml"), "requests_a_minute": 100_000}
    settings = settings.model_copy(update={"board": settings.board.model_copy(update=board)})
    with open_state(settings, folder / "store") as state:
        address = "http://127.0.0.1:8765"
        client = TestClient(make_app(folder / "store", settings, state, "Rita"), address, follow_redirects=False)
        assert client.post("/sign-in", data={"token": "token-mia"}, headers={"Origin": address}).status_code == 303
        waiting, seen = ["/", "/ask?q=customs", "/ask?q=south", *_views(client)], set()
        while waiting:
            at = waiting.pop()
            if at in seen or at.startswith(("/static/", "/sign-out")):
                continue
            seen.add(at)
            answer = client.get(at)
            assert answer.status_code < 400, at
            yield f"board {at}", answer.text
            if "html" in answer.headers.get("content-type", ""):
                links = (
                    urldefrag(link.replace("&amp;", "&"))[0]
                    for link in re.findall(r'(?:href|src)="([^"]*)"', answer.text)
                )
                waiting += [link for link in links if link.startswith("/") and _once(link, seen)]


def _once(link: str, seen: set[str]) -> bool:
    """Whether a page is yet to be read; of filters and orders of one list, a few stand for all."""
    page = link.partition("?")[0]
    return link not in seen and sum(one.partition("?")[0] == page for one in seen) < 12


def _views(client: TestClient) -> list[str]:
    """The addresses of the API that read something, for each gap and topic."""
    described = client.get("/api/openapi.json").json()["paths"]
    ids = {
        "gap_id": [gap["gap_id"] for gap in client.get("/api/gaps").json()["gaps"]],
        "topic_id": [topic["topic_id"] for topic in client.get("/api/topics").json()],
    }
    addresses = []
    for path in (path for path, operations in described.items() if "get" in operations):
        name = next((name for name in ids if f"{{{name}}}" in path), None)
        addresses += [path.replace(f"{{{name}}}", one) for one in ids[name]] if name else [path]
    return addresses


def _leaks(left: Left, places: Mapping[str, str]) -> dict[str, list[str]]:
    """What was found where it may not be, by column."""
    found: dict[str, list[str]] = defaultdict(list)
    for place, text in places.items():
        for one in left.planted.found_in(text):
            if not _may_stay(one, place):
                found[f"{one.table}.{one.column} ({one.where})"].append(f"{one.form} in {place}")
    return {column: sorted(set(where))[:6] for column, where in sorted(found.items())}


def _may_stay(one: Canary, place: str) -> bool:
    if one.where == "rejected" and one.form == "name" and one.column in NAMES_MAY_STAY:
        return True
    where = MAY_STAY.get((one.table, one.column, one.where))
    return where is not None and re.search(where, place) is not None


def test_every_column_is_planted(left: Left) -> None:
    """Each column of each table holds canaries, in rows that are kept or rejected; what may be shown is shown."""
    planted = {(one.table, one.column) for one in left.planted.canaries} | {("messages", "conversation_id")}
    typed = {"bool", "int", "float", "timestamp"}
    columns = {(name, column.name) for name in INPUTS for column in TABLES[name].columns if column.type not in typed}
    assert planted >= columns
    found = {(one.table, one.column) for text in left.files.values() for one in left.planted.found_in(text)}
    assert found >= {(table, column) for table, column, _ in MAY_STAY}
    backlog = pq.read_table(left.store / "runs" / DAY / "backlog.parquet").to_pylist()
    assert {gap["kind"] for gap in backlog} == {"missing", "stale"}
    assert all(gap["draft"] for gap in backlog)
    assert len(left.pages) > 40


def test_nothing_is_left_in_the_store(left: Left) -> None:
    """No file of the store, packed ones read, holds what may not stay; nor does the state database."""
    assert _leaks(left, left.files) == {}


def test_nothing_is_on_the_board(left: Left) -> None:
    """No page, download or view of the API that a manager can reach."""
    assert _leaks(left, left.pages) == {}


def test_nothing_is_in_the_digest_and_in_the_log(left: Left) -> None:
    """Nor in messages to owners and managers, and in what a run logs."""
    assert len(left.told) > 2
    assert "[7/7] publish" in left.told["log"]
    assert _leaks(left, left.told) == {}


def test_no_text_is_left_in_the_work_folder(left: Left) -> None:
    """Whoever kills a run behind redaction leaves no text as it came in, and no rejected row."""
    found = {
        f"{one.form} of {one.table}.{one.column} in {place}"
        for place, text in left.work.items()
        for one in left.planted.found_in(text)
        if (one.where == "rejected" or (one.table, one.column) in TEXTS) and not _may_stay(one, place)
    }
    assert found == set()


def test_a_segment_is_named_in_no_week_of_few_customers(left: Left) -> None:
    """A region of many customers in all, and of one or two in some weeks, has KPIs in the other weeks alone."""
    kpis = pd.read_parquet(left.store / "runs" / DAY / "kpis.parquet")
    facts = pd.read_parquet(left.store.parent / "work" / "understand" / "facts.parquet")
    customers = facts[facts["region"].eq("south")].groupby("week")["customer_id"].nunique()
    assert customers.min() < 3 <= customers.max()
    weeks = kpis.loc[kpis["segment"].eq("region:south"), "week"]
    assert sorted(weeks) == sorted(customers.index[customers >= 3])
    assert json.loads((left.store / "runs" / DAY / "run.json").read_text("utf-8"))["redacted"]["languages"] == ["en"]
