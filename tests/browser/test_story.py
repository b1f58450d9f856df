"""The whole loop on the real board: a week, triage in a browser, the next week, two articles, what became of them."""

from __future__ import annotations

import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

import httpx2 as httpx
import pytest
import sqlalchemy as sa

from lacuna.pipelines.board.roles import hashed
from lacuna.pipelines.io.store import read_parquet
from lacuna.pipelines.presentation.spreadsheet import records
from lacuna.pipelines.run import run
from lacuna.pipelines.settings import load_settings
from lacuna.pipelines.state import schema
from lacuna.pipelines.state.rebuild import new_state
from lacuna.pipelines.state.repository import open_state
from tests.support.databases import settings_for
from tests.worlds.fixed_shop import FAILING, write_shop

pytestmark = pytest.mark.slow
ONE, TWO, FIVE = date(2024, 6, 30), date(2024, 7, 7), date(2024, 8, 4)
FIXED = date(2024, 7, 10)
TOPICS = {
    "points": FAILING["points"],
    "customs": FAILING["customs"],
    "helmet": ["kids helmet sizes", "which kids helmet sizes are there", "chart of kids helmet sizes"],
    "trailer": [
        "dog trailer came without hitch",
        "hitch of the dog trailer is missing",
        "no hitch with my dog trailer",
    ],
    "cable": ["gear cable rattles", "my gear cable rattles on every hill", "why the gear cable rattles"],
}
OWNERS = [{"owner_id": "o-ana", "name": "Ana Pereira"}, {"owner_id": "o-ben", "name": "Ben Okafor"}]
PEOPLE = 20


def run_week(store: Path, config: Path, until: date) -> dict[str, list[dict[str, Any]]]:
    """Run over the shop as it was on a day; the backlog by the topic that a gap's examples speak of."""
    bundle = shop(store.parent, until)
    run(str(bundle), store, end=until.isoformat(), config=str(config))
    words = {"points": "points", "customs": "customs", "helmet": "helmet", "trailer": "trailer", "cable": "cable"}
    gaps_of_topic: dict[str, list[dict[str, Any]]] = {topic: [] for topic in words}
    for row in records(read_parquet(store / "runs" / until.isoformat() / "backlog.parquet")):
        for topic, word in words.items():
            if any(word in example["quote"].lower() for example in row["examples"]):
                gaps_of_topic[topic].append(row)
    return gaps_of_topic


@pytest.fixture(scope="module")
def week_one(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str]]:
    """A store with the first week's run, and the gap of each topic."""
    folder = tmp_path_factory.mktemp("one")
    gaps_of_topic = run_week(folder / "store", write_settings(folder / "ours.toml"), ONE)
    gaps = {topic: rows[0]["gap_id"] for topic, rows in gaps_of_topic.items()}
    assert len(set(gaps.values())) == len(TOPICS)
    return folder / "store", gaps


def shop(folder: Path, until: date) -> Path:
    """The shop's bundle as it was on a day: the article on points helps, the one on customs does not."""
    options: dict[str, Any] = {"failing": TOPICS, "published": ("points", "customs"), "fixed": FIXED, "owners": OWNERS}
    return write_shop(folder / f"bundle-{until}", until, works=("points",), **options)


def write_settings(path: Path, **sections: dict[str, Any]) -> Path:
    """A settings file with the quick embedder and these sections."""
    lines = []
    for name, values in ({"embedder": {"name": "lexical"}} | sections).items():
        lines += [
            f"[{name}]",
            *(f"{key} = {value if isinstance(value, int) else repr(value)}" for key, value in values.items()),
        ]
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


@contextmanager
def reviewing(store: Path, config: Path) -> Iterator[str]:
    """`lacuna review` as a process of its own; gives its address."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "lacuna.pipelines.cli.main", "review", "--store", str(store), "--port", str(port)]
    command += ["--who", "Mara", "--config", str(config)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as board:
        try:
            assert board.stderr is not None
            assert f":{port}" in board.stderr.readline()
            wait_for(port)
            yield f"http://127.0.0.1:{port}"
        finally:
            board.terminate()


def wait_for(port: int) -> None:
    """Wait until somebody listens."""
    for _ in range(600):
        try:
            socket.create_connection(("127.0.0.1", port)).close()
            return
        except OSError:
            time.sleep(0.05)
    raise AssertionError("the board does not listen")


def current(page: Any) -> str:
    """The gap on which a key acts now."""
    return str(page.locator("#gaps tr.at").get_attribute("data-id"))


def triage(page: Any, plan: dict[str, str]) -> None:
    """Go through the backlog from the top, by keyboard alone, and do with each gap what is planned for it."""
    from playwright.sync_api import expect

    page.keyboard.press("j")
    for _ in plan:
        gap = current(page)
        page.keyboard.press({"accept": "a", "dismiss": "d", "snooze": "s", "assign": "o"}[plan[gap]])
        if plan[gap] != "accept":
            expect(page.locator("#dialog[open] form")).to_be_visible()
        if plan[gap] == "dismiss":
            page.keyboard.press("1")
        if plan[gap] == "assign":
            page.keyboard.type("Ana")
            page.keyboard.press("Tab")
        if plan[gap] != "accept":
            page.keyboard.press("Enter")
        expect(page.locator("#toast-done")).to_contain_text(
            {"accept": "Accepted", "dismiss": "Dismissed", "snooze": "Snoozed", "assign": "Assigned"}[plan[gap]]
        )
        if plan[gap] == "assign":
            page.keyboard.press("j")


def publish(page: Any, address: str, gap: str) -> None:
    """Say on the gap's page that its article is out."""
    from playwright.sync_api import expect

    page.goto(f"{address}/gaps/{gap}")
    page.keyboard.press("p")
    page.fill("#dialog [name=on]", FIXED.isoformat())
    page.keyboard.press("Enter")
    expect(page.locator("#toast-done")).to_contain_text("Marked as published")


def standing(address: str) -> dict[str, tuple[str, str | None]]:
    """Status and owner of every gap, by id, as the board has them now."""
    answer = httpx.get(f"{address}/api/gaps", params={"view": "all", "limit": 1000}).json()
    return {gap["gap_id"]: (gap["status"], gap["owner_id"]) for gap in answer["gaps"]}


def test_five_weeks_of_the_loop(week_one: tuple[Path, dict[str, str]], tmp_path: Path, browser: Any) -> None:
    """Decisions made by keyboard hold in the next week; later one article is verified, and one gap comes back."""
    from playwright.sync_api import expect

    store, config = Path(shutil.copytree(week_one[0], tmp_path / "store")), write_settings(tmp_path / "ours.toml")
    first = week_one[1]
    actions = {"points": "accept", "customs": "accept", "helmet": "dismiss", "trailer": "snooze", "cable": "assign"}
    decided = {"points": ("accepted", None), "customs": ("accepted", None), "helmet": ("dismissed", None),
               "trailer": ("snoozed", None), "cable": ("new", "o-ana")}  # fmt: skip
    with reviewing(store, config) as address:
        page = browser.new_page(reduced_motion="reduce")
        page.set_default_timeout(20_000)
        page.goto(address)
        triage(page, {first[topic]: action for topic, action in actions.items()})
        assert {topic: standing(address)[gap] for topic, gap in first.items()} == decided

        second = run_week(store, config, TWO)
        assert {topic: gaps[0]["gap_id"] for topic, gaps in second.items()} == first
        now = {topic: standing(address)[gap] for topic, gap in first.items()}
        assert now == decided | {"cable": ("open", "o-ana")}
        page.goto(f"{address}/?view=work")
        expect(page.locator(".tabs [aria-current]")).to_have_text("In work 2")
        for topic in ("points", "customs"):
            publish(page, address, first[topic])

        run_week(store, config, FIVE)
        now = standing(address)
        assert first["points"] not in now
        assert now[first["customs"]][0] == "reopened"
        assert now[first["helmet"]][0] == "dismissed"
        page.goto(f"{address}/impact")
        for topic, verdict in (("points", "Verified"), ("customs", "No effect")):
            fix = page.locator(f"#fix-{first[topic]}")
            expect(fix.locator(".badge")).to_have_text(verdict)
            expect(fix.locator("svg")).to_have_count(1)
        assert page.locator(".saved .kpi h2").all_inner_texts()[-2:] == ["Confirmed", "Assumed"]
        page.locator(f"#fix-{first['points']} h3 a").click()
        expect(page.locator(".fixes .badge")).to_have_text("Verified")
        expect(page.locator(".history")).to_contain_text("Mara published it on 10 Jul 2024")
        page.goto(f"{address}/gaps/{first['customs']}")
        expect(page.locator(".decision-panel h2").first).to_have_text("Status: came back")
        expect(page.locator(".evidence .fixes .badge")).to_have_text("No effect")
        page.close()


@pytest.fixture(params=["sqlite", "postgres"])
def url(week_one: tuple[Path, dict[str, str]], request: pytest.FixtureRequest) -> str:
    """The first week in a database of each kind: the store's own, and a Postgres to which its rows were moved."""
    if request.param == "sqlite":
        return ""
    url = str(request.getfixturevalue("postgres"))
    sqlite, postgres = sa.create_engine(f"sqlite:///{week_one[0]}/state.db"), sa.create_engine(url)
    schema.metadata.drop_all(postgres)
    new_state(settings_for(url), week_one[0])
    with sqlite.connect() as source, postgres.begin() as target:
        for table in schema.metadata.sorted_tables:
            target.execute(table.delete())
            if rows := [dict(row) for row in source.execute(sa.select(table)).mappings()]:
                target.execute(table.insert(), rows)
    sqlite.dispose()
    postgres.dispose()
    return url


def test_twenty_people_decide_while_a_run_publishes(
    week_one: tuple[Path, dict[str, str]], url: str, tmp_path: Path
) -> None:
    """Over HTTP, from before a run to after it: every 201 is there, in order, and each loser was told who won."""
    store, gaps = Path(shutil.copytree(week_one[0], tmp_path / "store")), sorted(week_one[1].values())
    people = tmp_path / "people.toml"
    entry = '[[people]]\nname = "p{0}"\nrole = "manager"\ntoken_sha256 = "{1}"\n'
    people.write_text("".join(entry.format(n, hashed(f"token {n}")) for n in range(PEOPLE)), encoding="utf-8")
    config = write_settings(
        tmp_path / "ours.toml", state={"url": url}, board={"people": str(people), "changes_a_minute": 9999}
    )
    over, start, looked = threading.Event(), threading.Barrier(PEOPLE + 1), threading.Barrier(PEOPLE)
    accepted_posts: list[tuple[int, str, str]] = []
    conflicts: list[str] = []

    def person(number: int, address: str) -> None:
        name = {"Authorization": f"Bearer token {number}"}
        with httpx.Client(base_url=address, headers=name, timeout=60, verify=False) as client:

            def post(gap: str, action: str, after: int) -> None:
                body = {"verb": action, "why": "looked at it", "after": after}
                answer = client.post(f"/api/gaps/{gap}/decisions", json=body)
                assert answer.status_code in (201, 409), answer.text
                if answer.status_code == 201:
                    accepted_posts.append((answer.json()["id"], gap, f"p{number}"))
                else:
                    conflicts.append(answer.json()["problem"])

            start.wait(60)
            post(gaps[0], "accept", 0)
            looked.wait(60)
            for turn in range(500):
                last = over.is_set()
                gap = gaps[(number + turn) % len(gaps)]
                post(gap, "note", client.get(f"/api/gaps/{gap}").json()["last_decision"])
                if last:
                    return
                time.sleep(0.5)

    with reviewing(store, config) as address, ThreadPoolExecutor(PEOPLE) as pool:
        at_work = [pool.submit(person, number, address) for number in range(PEOPLE)]
        start.wait(60)
        try:
            run_week(store, config, TWO)
        finally:
            over.set()
        for future in at_work:
            future.result()
        backlog = httpx.get(f"{address}/api/gaps", headers={"Authorization": "Bearer token 0"}).json()
        assert backlog["run_id"] == str(TWO)

    state = open_state(load_settings(config), store)
    decisions, gaps_of_run = state.decisions(), state.gaps_of(str(TWO))
    state.close()
    rows = zip(decisions["id"], decisions["gap_id"], decisions["who"], strict=True)
    assert sorted(accepted_posts) == sorted((int(key), gap, who) for key, gap, who in rows)
    for gap in gaps:
        gap_decisions = decisions[decisions["gap_id"] == gap]
        assert gap_decisions["after"].tolist() == [0, *gap_decisions["id"].tolist()[:-1]]
    accepted = decisions[decisions["decision"] == "accept"]
    assert accepted["gap_id"].tolist() == [gaps[0]]
    winner = accepted["who"].iloc[0]
    assert [problem.split(" decided meanwhile")[0] for problem in conflicts[: PEOPLE - 1]] == [winner] * (PEOPLE - 1)
    assert all(" decided meanwhile on gap " in problem for problem in conflicts)
    assert set(decisions["run_id"]) == {str(ONE), str(TWO)}
    assert set(gaps) <= set(gaps_of_run["gap_id"])
