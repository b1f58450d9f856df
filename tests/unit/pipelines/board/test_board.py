"""The review board by HTTP: rights by role, sign-in, where changes may come from, conflicts, and what is shown."""

from __future__ import annotations

import re
import socket
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date
from html import unescape
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from starlette.testclient import TestClient

from lacuna.data_contracts.errors import DecidedMeanwhile, SettingsInvalid, StoreUnusable
from lacuna.models.impact.random_order import suggested_order
from lacuna.pipelines.board import make_app, serve
from lacuna.pipelines.board.context import asset, local
from lacuna.pipelines.board.middleware import COOKIE, HEADERS
from lacuna.pipelines.board.roles import hashed
from lacuna.pipelines.gaps.decisions import decide, history, lives
from lacuna.pipelines.gaps.due_dates import form_day
from lacuna.pipelines.settings import load_settings
from lacuna.pipelines.state.repository import State, open_state
from tests.support import sample_run
from tests.support.board_store import publish, remove_run
from tests.support.standins import Lacuna

PAGES = (
    "/",
    "/gaps/g-001",
    "/drafts",
    "/week",
    "/owners",
    "/impact",
    "/kpis",
    "/topics",
    "/topics/t-001",
    "/tags",
    "/ask?q=refund",
)
TOKENS = {"viewer": "token-vera", "writer": "token-wim", "manager": "token-mia"}
PEOPLE = f"""
[[people]]
name = "Vera"
role = "viewer"
token_sha256 = "{hashed(TOKENS["viewer"])}"
[[people]]
name = "Wim"
role = "writer"
owner = "o-ana"
login = "wim@example.org"
token_sha256 = "{hashed(TOKENS["writer"])}"
[[people]]
name = "Mia"
role = "manager"
token_sha256 = "{hashed(TOKENS["manager"])}"
"""
FIX_FIGURES = [
    f"{name}_{what}{side}"
    for name in ("avoided", "confirmed", "assumed")
    for what in ("since", "weekly", "cost")
    for side in ("", "_low", "_high")
]
BOARD = "http://127.0.0.1:8765"
FROM_BOARD = {"Origin": BOARD, "Sec-Fetch-Site": "same-origin"}
Make = Callable[..., TestClient]


@pytest.fixture
def client(store: Path, tmp_path: Path) -> Iterator[Make]:
    """Make a client of a board over the store; options override the settings of `[board]`."""
    states = []

    def make(signed_in: bool = False, address: str = "127.0.0.1", by_lot: bool = False, **board: Any) -> TestClient:
        if signed_in:
            (tmp_path / "people.toml").write_text(PEOPLE, encoding="utf-8")
            board["people"] = str(tmp_path / "people.toml")
        settings = load_settings()
        impact = settings.impact.model_copy(update={"randomise": by_lot})
        settings = settings.model_copy(update={"board": settings.board.model_copy(update=board), "impact": impact})
        states.append(open_state(settings, store))
        app = make_app(store, settings, states[-1], "Rita")
        return TestClient(app, base_url=BOARD, follow_redirects=False, client=(address, 50000))

    yield make
    for opened in states:
        opened.close()


class Inline(HTMLParser):
    """Collects what a strict policy forbids: scripts and styles in the page itself."""

    def __init__(self) -> None:
        super().__init__()
        self.violations: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Look at one element."""
        names = [name for name, _ in attrs]
        inline = tag == "style" or (tag == "script" and "src" not in names)
        if inline or any(name == "style" or name.startswith("on") for name in names):
            self.violations.append(self.get_starttag_text() or tag)


def bearer(role: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {TOKENS[role]}"}


def accept(client: TestClient, gap: str = "g-001", **options: Any) -> Any:
    return client.post(f"/api/gaps/{gap}/decisions", json={"verb": "accept"}, **options)


# -- rights -----------------------------------------------------------------------------------------------------------


def test_a_viewer_reads_and_changes_nothing(client: Make) -> None:
    """A viewer gets every page and every answer of the API, and no change goes through."""
    board = client(signed_in=True)
    for path in (*PAGES, "/api/gaps", "/api/gaps/g-001", "/api/gaps/g-001/decisions", "/api/kpis", "/api/owners"):
        assert board.get(path, headers=bearer("viewer")).status_code == 200, path
    assert accept(board, headers=bearer("viewer")).status_code == 403
    tag = {"conversation_id": "c-010003", "outcome": "correct"}
    assert board.post("/api/tags", json=tag, headers=bearer("viewer")).status_code == 403
    form = {"verb": "accept", "gap": "g-001:0", "back": "/"}
    assert board.post("/decide", data=form, headers=bearer("viewer")).status_code == 403
    assert board.get("/api/gaps/g-001", headers=bearer("viewer")).json()["last_decision"] == 0
    assert "Accept" not in board.get("/gaps/g-001", headers=bearer("viewer")).text


@pytest.mark.parametrize(
    ("gap", "decision", "code"),
    [
        ("g-001", {"verb": "accept"}, 201),
        ("g-001", {"verb": "publish"}, 201),
        ("g-001", {"verb": "dismiss", "payload": {"reason": "wont_fix"}}, 403),
        ("g-001", {"verb": "assign", "payload": {"owner_id": "o-bjorn"}}, 403),
        ("g-003", {"verb": "accept"}, 403),
    ],
)
def test_a_writer_works_on_own_gaps_alone(client: Make, gap: str, decision: dict[str, Any], code: int) -> None:
    """Accept and publish what is theirs; neither put gaps away or hand them on, nor touch those of others."""
    answer = client(signed_in=True).post(f"/api/gaps/{gap}/decisions", json=decision, headers=bearer("writer"))
    assert answer.status_code == code, answer.text


def test_a_writer_takes_back_own_decisions_alone(client: Make, state: State) -> None:
    """A writer's own last decision can be undone by them, a manager's not; both keep the names that made them."""
    board = client(signed_in=True)
    assert accept(board, headers=bearer("writer")).status_code == 201
    assert board.post("/api/gaps/g-001/undo", json={}, headers=bearer("writer")).status_code == 201
    assert accept(board, headers=bearer("manager")).status_code == 201
    assert board.post("/api/gaps/g-001/undo", json={}, headers=bearer("writer")).status_code == 403
    decisions = board.get("/api/gaps/g-001/decisions", headers=bearer("viewer")).json()
    assert [(decision["who"], decision["verb"]) for decision in decisions] == [
        ("Wim", "accept"),
        ("Wim", "undo"),
        ("Mia", "accept"),
    ]


def test_a_writer_names_no_other_persons_decision_to_take_back(client: Make) -> None:
    """An undo that names a decision needs the right to that one: a note of one's own on top opens no way below it."""
    board = client(signed_in=True)
    accepted = accept(board, headers=bearer("manager")).json()["id"]
    note = {"verb": "note", "why": "seen"}
    noted = board.post("/api/gaps/g-001/decisions", json=note, headers=bearer("writer")).json()["id"]
    for of, code in ((accepted, 403), (str(accepted), 403), (noted, 201)):
        undo = {"verb": "undo", "payload": {"of": of}}
        assert board.post("/api/gaps/g-001/decisions", json=undo, headers=bearer("writer")).status_code == code
    assert board.get("/api/gaps/g-001", headers=bearer("viewer")).json()["status"] == "accepted"


def test_a_manager_assigns_to_known_owners_only(client: Make) -> None:
    """A change of owner shows at once; an owner whom the run does not know is refused."""
    board = client(signed_in=True)

    def assign(owner: str) -> Any:
        decision = {"verb": "assign", "payload": {"owner_id": owner, "due": "2026-12-01"}}
        return board.post("/api/gaps/g-001/decisions", json=decision, headers=bearer("manager"))

    assert assign("o-bjorn").status_code == 201
    assert board.get("/api/gaps/g-001", headers=bearer("viewer")).json()["owner_id"] == "o-bjorn"
    assert "Björn Lindqvist" in board.get("/?q=two+parcels", headers=bearer("viewer")).text
    assert assign("o-nobody").status_code == 422


# -- signing in -------------------------------------------------------------------------------------------------------


def test_a_token_signs_in_and_out(client: Make) -> None:
    """Without a session pages lead to the sign-in; a wrong token says so; a right one opens the page asked for."""
    board = client(signed_in=True)
    assert board.get("/gaps/g-001?owner=o-ana").headers["location"] == "/sign-in?back=%2Fgaps%2Fg-001%3Fowner%3Do-ana"
    assert board.get("/api/gaps").status_code == 401
    wrong = board.post("/sign-in", data={"token": "no", "back": "/"}, headers=FROM_BOARD)
    assert (wrong.status_code, "set-cookie" in wrong.headers) == (401, False)
    right = board.post("/sign-in", data={"token": TOKENS["manager"], "back": "/gaps/g-001"}, headers=FROM_BOARD)
    assert (right.status_code, right.headers["location"]) == (303, "/gaps/g-001")
    cookie = right.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=lax" in cookie
    assert TOKENS["manager"] not in cookie
    assert "Mia" in board.get("/gaps/g-001").text
    stolen = dict(board.cookies)
    board.post("/sign-out", headers=FROM_BOARD)
    board.cookies.update(stolen)
    assert board.get("/").status_code == 303


def test_a_sign_in_outlives_a_restart_and_ends_in_time(client: Make, store: Path) -> None:
    """Another board over the same store knows the cookie, of which the store holds a hash alone; the hours count."""
    first, again = client(signed_in=True), client(signed_in=True)
    first.post("/sign-in", data={"token": TOKENS["manager"]}, headers=FROM_BOARD)
    again.cookies.update(first.cookies)
    assert "Mia" in again.get("/").text
    assert first.cookies[COOKIE].encode() not in b"".join(path.read_bytes() for path in store.glob("state.db*"))
    again.post("/sign-out", headers=FROM_BOARD)
    assert first.get("/").status_code == 303
    brief = client(signed_in=True, session_hours=0.0)
    cookie = brief.post("/sign-in", data={"token": TOKENS["manager"]}, headers=FROM_BOARD).headers["set-cookie"]
    value = cookie.partition("=")[2].partition(";")[0]
    assert brief.get("/", headers={"Cookie": f"{COOKIE}={value}"}).status_code == 303


def test_whoever_is_taken_off_the_list_is_out_at_once(client: Make, tmp_path: Path) -> None:
    """A session ends with its person's entry, without a restart."""
    board = client(signed_in=True)
    board.post("/sign-in", data={"token": TOKENS["manager"]}, headers=FROM_BOARD)
    assert board.get("/").status_code == 200
    (tmp_path / "people.toml").write_text(PEOPLE.split('[[people]]\nname = "Mia"')[0], encoding="utf-8")
    assert board.get("/").status_code == 303


def test_a_list_that_is_broken_while_the_board_runs_lets_nobody_in_and_says_so(
    client: Make, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Half a line in the people's file is told to all who ask, and is no crash; put right, it counts again."""
    board = client(signed_in=True)
    (tmp_path / "people.toml").write_text(PEOPLE + "[[people]]\nname =", encoding="utf-8")
    for path in ("/", "/api/me", "/sign-in"):
        answer = board.get(path, headers=bearer("manager"))
        assert (answer.status_code, answer.headers["x-frame-options"]) == (503, "DENY"), path
    assert "list of people" in board.get("/api/me", headers=bearer("manager")).json()["remedy"]
    assert str(tmp_path) not in board.get("/sign-in").text
    assert "not valid TOML" in caplog.text
    form = {"token": TOKENS["manager"], "back": "/"}
    assert board.post("/sign-in", data=form, headers=FROM_BOARD).status_code == 503
    (tmp_path / "people.toml").write_text(PEOPLE, encoding="utf-8")
    assert board.get("/", headers=bearer("manager")).status_code == 200


def test_a_proxys_header_counts_from_its_address_alone(client: Make) -> None:
    """The trusted proxy names people, listed ones with their role; from anywhere else the header says nothing."""
    options = {"proxy_header": "X-Forwarded-User", "proxy_addresses": ["10.0.0.5"], "signed_in": True}
    header = {"X-Forwarded-User": "wim@example.org"}
    trusted, untrusted = client(address="10.0.0.5", **options), client(address="10.0.0.6", **options)
    assert trusted.get("/api/me", headers=header).json() == {"name": "Wim", "role": "writer", "owner_id": "o-ana"}
    stranger = trusted.get("/api/me", headers={"X-Forwarded-User": "zoe@example.org"}).json()
    assert stranger["role"] == "viewer"
    assert untrusted.get("/api/me", headers=header).status_code == 401


def test_others_are_let_in_only_with_sign_in(store: Path) -> None:
    """Listening beyond this machine without sign-in is refused with the remedy, and so is a store that isn't there."""
    with pytest.raises(SettingsInvalid, match=r"board\.people"):
        serve(store, load_settings(), "0.0.0.0", 8765, "Rita")
    with pytest.raises(StoreUnusable, match="no store"):
        serve(store / "typo", load_settings(), "127.0.0.1", 8765, "Rita")
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(SettingsInvalid, match="can't listen"):
        serve(store, load_settings(), "127.0.0.1", taken.getsockname()[1], "Rita")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("people = 3", "lists nobody"),
        ('[[people]]\nname = "Al"\nrole = "boss"', "role 'boss'"),
        ('[[people]]\nname = "Al"\nrole = "viewer"', "neither token_sha256 nor login"),
        ('[[people]]\nname = "Al"\nrole = "viewer"\ntoken_sha256 = "secret"', "is not one"),
        ("[[people", "not valid TOML"),
    ],
)
def test_a_wrong_list_of_people_says_what_is_wrong(client: Make, tmp_path: Path, text: str, says: str) -> None:
    """Nobody is let in by a list that can't be understood; the message names the entry."""
    path = tmp_path / "wrong.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(SettingsInvalid, match=says):
        client(people=str(path))


# -- where a change comes from ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"},
        {"Origin": "http://127.0.0.1:9999"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site", "Origin": BOARD},
    ],
)
@pytest.mark.parametrize("signed_in", [False, True])
def test_another_sites_form_changes_nothing(client: Make, headers: dict[str, str], signed_in: bool) -> None:
    """A change that another site sends is refused, with and without sign-in, by form and by API."""
    board = client(signed_in=signed_in)
    if signed_in:
        board.post("/sign-in", data={"token": TOKENS["manager"]}, headers=FROM_BOARD)
    form = {"verb": "accept", "gap": "g-001:0", "back": "/"}
    assert board.post("/decide", data=form, headers=headers).status_code == 403
    assert accept(board, headers=headers).status_code == 403
    assert board.get("/api/gaps/g-001").json()["status"] == "new"
    assert board.post("/decide", data=form, headers=FROM_BOARD).status_code == 303
    assert board.get("/api/gaps/g-001").json()["status"] == "accepted"


def test_a_session_needs_a_browser_that_says_where_it_is(client: Make) -> None:
    """With a session's cookie a change without origin is refused; a token in the request itself needs none."""
    board = client(signed_in=True)
    board.post("/sign-in", data={"token": TOKENS["manager"]}, headers=FROM_BOARD)
    assert accept(board).status_code == 403
    assert accept(board, headers=bearer("manager")).status_code == 201


def test_a_foreign_name_for_this_machine_is_refused(client: Make) -> None:
    """A site whose name points here gets nothing from a board without sign-in."""
    board = client()
    assert board.get("/", headers={"Host": "evil.example"}).status_code == 421
    assert board.get("/api/gaps", headers={"Host": "evil.example:8765"}).status_code == 421
    assert board.get("/", headers={"Host": "localhost:8765"}).status_code == 200


def test_every_answer_carries_the_security_headers(client: Make) -> None:
    """Pages, refusals, errors and files alike; no page is kept in a cache, no inline script or style is allowed."""
    board = client()
    for path in (*PAGES, "/nope", "/api/nope", "/static/board.css", "/static/nope"):
        answer = board.get(path)
        assert {name: answer.headers[name] for name in HEADERS} == HEADERS, path
    assert "unsafe" not in HEADERS["Content-Security-Policy"]
    assert board.get("/").headers["cache-control"] == "no-store"
    for path in PAGES:
        page = Inline()
        page.feed(board.get(path).text)
        assert page.violations == [], path


def test_too_many_requests_are_slowed_down(client: Make) -> None:
    """Past its limit a person is told to wait; guessing tokens ends sooner."""
    board = client(signed_in=True, changes_a_minute=2, sign_ins_a_minute=2)
    codes = [accept(board, gap, headers=bearer("manager")).status_code for gap in ("g-001", "g-002", "g-004")]
    assert codes == [201, 201, 429]
    guesses = [board.post("/sign-in", data={"token": "x"}, headers=FROM_BOARD).status_code for _ in range(3)]
    assert guesses == [401, 401, 429]
    busy = client(requests_a_minute=3)
    assert [busy.get(path).status_code for path in ("/", "/week", "/api/gaps", "/kpis")] == [200, 200, 200, 429]
    assert busy.get("/static/board.css").status_code == 200


def test_who_is_refused_too_often_is_slowed_down(client: Make) -> None:
    """Wrong tokens and strangers' requests count by address; whoever signs in from there is let through."""
    board = client(signed_in=True, requests_a_minute=3)
    wrong = {"Authorization": "Bearer guessed"}
    answers = [board.get("/api/gaps", headers=wrong) for _ in range(4)]
    assert [answer.status_code for answer in answers] == [401, 401, 401, 429]
    assert (set(answers[-1].json()), answers[-1].headers["retry-after"]) == ({"problem", "remedy"}, "60")
    assert answers[-1].headers["x-content-type-options"] == "nosniff"
    assert board.get("/", headers=wrong).status_code == 429
    assert board.get("/api/gaps", headers=bearer("viewer")).status_code == 200
    elsewhere = client(signed_in=True, address="127.0.0.2", requests_a_minute=3)
    assert [elsewhere.get("/").status_code for _ in range(4)] == [303, 303, 303, 429]
    assert elsewhere.get("/sign-in").status_code == 200


def test_a_body_that_is_too_large_is_refused(client: Make) -> None:
    """By form and by API, with its size announced or not, it is a 413 that says how much is taken; nothing changes."""
    board = client()
    most = 256 * 1024

    def parts() -> Iterator[bytes]:
        yield b'{"verb": "accept", "why": "'
        yield from (b"x" * 65536 for _ in range(6))

    form = {"verb": "accept", "gap": "g-001:0", "back": "/", "why": "x" * most}
    page = board.post("/decide", data=form, headers=FROM_BOARD)
    assert (page.status_code, "256 KiB at most" in page.text) == (413, True)
    for body in ({"content": b"x" * (most + 1)}, {"content": parts()}):
        answer = board.post("/api/gaps/g-001/decisions", **body, headers={"Content-Type": "application/json"})
        assert answer.status_code == 413, answer.text
        assert set(answer.json()) == {"problem", "remedy"}
        assert "256 KiB at most" in " ".join(answer.json().values())
    typed = {"Content-Type": "application/x-www-form-urlencoded"} | FROM_BOARD
    assert board.post("/decide", content=parts(), headers=typed).status_code == 413
    assert board.post("/sign-in", content=b"", headers=FROM_BOARD | {"Content-Length": "1e9"}).status_code == 413
    assert board.get("/api/gaps/g-001").json()["last_decision"] == 0
    longest = {"verb": "note", "gap": ["g-001:0"] * 200, "back": "/", "why": "\U0001f600" * 4000}
    assert board.post("/decide", data=longest, headers=FROM_BOARD).status_code != 413


@pytest.mark.parametrize(
    ("path", "back"),
    [
        ("/gaps/g-1?owner=o-ana", "/gaps/g-1?owner=o-ana&done=7"),
        ("/?done=3#row-g-1", "/?done=7#row-g-1"),
        ("https://evil.example/", "/?done=7"),
        ("//evil.example/", "/?done=7"),
        ("/\\evil.example", "/?done=7"),
        ("/\tx", "/?done=7"),
        ("", "/?done=7"),
    ],
)
def test_the_way_back_stays_on_the_board(path: str, back: str) -> None:
    """An address to go back to keeps its filters, and never leads to another site."""
    assert local(path, [7]) == back


# -- deciding ---------------------------------------------------------------------------------------------------------


def test_of_two_who_decide_at_once_the_second_is_told(client: Make, state: State) -> None:
    """Theirs stands, the second person's words are kept in the page, and deciding all the same is one click."""
    board = client()
    decide(state, "g-001", "accept", "Bob", why="asked by three shops", after=0)
    form = {"verb": "dismiss", "gap": "g-001:0", "reason": "wont_fix", "why": "too <rare>", "back": "/"}
    conflict = board.post("/decide", data=form, headers=FROM_BOARD)
    assert conflict.status_code == 409
    assert "Bob" in conflict.text
    assert "asked by three shops" in conflict.text
    assert "too &lt;rare&gt;" in conflict.text
    assert board.get("/api/gaps/g-001").json()["status"] == "accepted"
    again = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', conflict.text.split("<section")[1]))
    again = {name: unescape(value) for name, value in again.items()}
    assert board.post("/decide", data=again, headers=FROM_BOARD).status_code == 303
    decisions = board.get("/api/gaps/g-001/decisions").json()
    assert [(decision["who"], decision["verb"], decision["why"]) for decision in decisions][1] == (
        "Rita",
        "dismiss",
        "too <rare>",
    )


def test_the_api_says_who_decided_meanwhile(client: Make, state: State) -> None:
    """409 with who and what, where `after` is not the gap's last decision; nothing is changed."""
    decide(state, "g-001", "accept", "Bob")
    answer = client().post("/api/gaps/g-001/decisions", json={"verb": "draft", "after": 0})
    assert answer.status_code == 409
    assert "Bob decided meanwhile" in answer.json()["problem"]
    with pytest.raises(DecidedMeanwhile):
        decide(state, "g-001", "draft", "Rita", after=0)


def test_several_gaps_are_decided_at_once_and_taken_back_at_once(client: Make) -> None:
    """One form, several gaps: those decided meanwhile are told apart, the others go through; one click undoes them."""
    board = client()
    form = {"verb": "snooze", "gap": ["g-001:0", "g-002:0"], "until": "2099-01-01", "back": "/?owner=o-ana"}
    done = board.post("/decide", data=form, headers=FROM_BOARD)
    assert done.status_code == 303
    page = board.get(done.headers["location"]).text
    assert "Snoozed 2 gaps." in page
    gaps = re.findall(r'name="gap" value="(g-\d+:\d+)"', page.split('id="undo-done"')[1].split("</form>")[0])
    assert len(gaps) == 2
    board.post("/decide", data={"verb": "undo", "gap": gaps, "back": "/"}, headers=FROM_BOARD)
    assert [board.get(f"/api/gaps/g-00{n}").json()["status"] for n in (1, 2)] == ["new", "open"]


def test_a_due_day_for_several_gaps_leaves_each_its_owner(client: Make) -> None:
    """The form over gaps of several owners offers to leave them, and hands no gap's own due day on to the others."""
    board = client()
    owners = {gap["gap_id"]: gap["owner_id"] for gap in board.get("/api/gaps").json()["gaps"]}
    assert owners["g-001"] != owners["g-003"]
    day = {"verb": "assign", "payload": {"due": "2026-12-01"}}
    assert board.post("/api/gaps/g-001/decisions", json=day).status_code == 201

    def send(**changed: str) -> None:
        page = board.get("/decide/assign?gap=g-001&gap=g-003").text
        chosen = re.search(r'<option value="([^"]*)" selected', page)
        form: dict[str, Any] = dict(re.findall(r'<input type="\w+" name="(\w+)" value="([^"]*)"', page))
        form |= {"gap": re.findall(r'name="gap" value="([^"]*)"', page), "owner_id": chosen[1] if chosen else ""}
        assert board.post("/decide", data=form | changed, headers=FROM_BOARD).status_code == 303

    def owners_and_due_days() -> list[tuple[str, str | None]]:
        gaps = [board.get(f"/api/gaps/{gap}").json() for gap in ("g-001", "g-003")]
        return [(gap["owner_id"], gap["due"]) for gap in gaps]

    before = owners_and_due_days()
    send(owner_id="o-emil")
    assert owners_and_due_days() == [("o-emil", "2026-12-01"), ("o-emil", before[1][1])]
    send(owner_id=str(owners["g-001"]))
    send(due="2026-12-24")
    assert owners_and_due_days() == [(owners["g-001"], "2026-12-24"), (owners["g-001"], "2026-12-24")]
    back = {"verb": "assign", "payload": {"owner_id": owners["g-003"]}}
    assert board.post("/api/gaps/g-003/decisions", json=back).status_code == 201
    send(due="2026-12-31")
    assert owners_and_due_days() == [(owners["g-001"], "2026-12-31"), (owners["g-003"], "2026-12-31")]


def test_a_due_day_alone_chooses_no_owner(client: Make, state: State) -> None:
    """The form over one gap offers its owner as it is: a day is set, and the next run may still find another owner."""
    board = client()
    page = board.get("/decide/assign?gap=g-001").text
    options = re.findall(r'<option value="([^"]*)"( selected)?>([^<]*)', page)
    assert (options[0][1:], [option[2] for option in options[1:] if option[1]]) == (
        (" selected", "As it is: Ana Pereira"),
        [],
    )
    form = {"verb": "assign", "gap": "g-001:0", "back": "/", "owner_id": options[0][0], "due_before": ""}
    nothing = board.post("/decide", data=form | {"due": ""}, headers=FROM_BOARD)
    assert (nothing.status_code, "by when it is due" in nothing.text) == (400, True)
    assert board.post("/decide", data=form | {"due": "2026-12-01"}, headers=FROM_BOARD).status_code == 303
    life = lives(state)["g-001"]
    assert (life.due, life.assigned) == ("2026-12-01", False)
    unchanged_owner = form | {
        "gap": f"g-001:{life.last}",
        "owner_id": "o-ana",
        "due": "2026-12-01",
        "due_before": "2026-12-01",
    }
    assert board.post("/decide", data=unchanged_owner, headers=FROM_BOARD).status_code == 303
    assert dict(history(state, "g-001")[-1].payload) == {"owner_id": "o-ana"}


def test_who_has_left_is_offered_no_gap(client: Make, store: Path) -> None:
    """An owner who is no longer active is not among the choices, unless the gap is theirs already."""
    data = sample_run.sample_run()
    assert data.owners is not None
    left = data.owners["owner_id"].isin(["o-ana", "o-emil"])
    publish(store, "2024-06-30", replace(data, owners=data.owners.assign(active=~left)))
    for gap, offered in (("g-001", True), ("g-003", False)):
        page = client().get(f"/decide/assign?gap={gap}").text
        assert ('value="o-ana"' in page, 'value="o-emil"' in page, 'value="o-bjorn"' in page) == (offered, False, True)


def test_a_dismissal_without_a_reason_is_asked_for_one(client: Make) -> None:
    """The form comes back with what is missing and with what was typed."""
    board = client()
    form = {"verb": "dismiss", "gap": "g-001:0", "why": "typed already", "back": "/"}
    back = board.post("/decide", data=form, headers=FROM_BOARD)
    assert back.status_code == 400
    assert "needs &#39;reason&#39;" in back.text
    assert "typed already" in back.text


def test_the_help_names_every_key(client: Make) -> None:
    """Whatever key decides something stands in the list of keys."""
    page = client().get("/").text
    shortcuts = page[page.index('<dialog id="help"') :]
    keys = re.search(r"const ACTION_OF_KEY = {([^}]*)}", asset("board.js").decode())
    assert keys is not None
    listed_keys = set(re.findall(r"<kbd>(.)</kbd>", shortcuts))
    assert set(re.findall(r"(\w): ", keys[1])) <= listed_keys


def test_filters_live_in_the_address(client: Make) -> None:
    """Owner, kind, status, product, language and words narrow the backlog; what is unknown finds nothing."""
    board = client()

    def ids(query: str) -> list[str]:
        return re.findall(r'<tr id="row-(g-\d+)"', board.get(f"/{query}").text)

    everything = ids("?view=all")
    assert len(everything) == 25
    assert set(ids("?view=all&owner=o-bjorn")) < set(everything)
    assert ids("?view=all&q=KLARNA+app") == ["g-004"]
    assert all(g in everything for g in ids("?kind=stale&language=en"))
    assert ids("?owner=nobody-like-this") == []
    assert ids("?view=nope&sort=nope&page=-3") == ids("")
    scores = [board.get(f"/api/gaps/{g}").json()["conversations"] for g in ids("?view=all&sort=-conversations")]
    assert scores == sorted(scores, reverse=True)


def test_a_gap_of_an_earlier_run_still_has_its_page(client: Make) -> None:
    """A link from a mail of weeks ago tells what became of the gap; an id that never was is not found."""
    board = client()
    gone = board.get("/gaps/g-gone")
    assert gone.status_code == 200
    assert "Gift cards that ran out" in gone.text
    assert board.get("/gaps/g-404").status_code == 404


def test_a_run_that_is_replaced_or_removed_shows_at_once(client: Make, store: Path) -> None:
    """The board reads the latest run at each request; without any it says how to make one, on every page."""
    board = client()
    assert "25 gaps" in board.get("/?view=all").text
    accept(board)
    publish(store, "2024-06-30", sample_run.many_gaps(30))
    assert "30 gaps" in board.get("/?view=all").text
    remove_run(store)
    for path in ("/", "/drafts", "/week", "/owners", "/impact", "/kpis", "/tags"):
        empty = board.get(path)
        assert empty.status_code == 200, path
        assert "No run has been published" in empty.text, path
    assert board.get("/api/gaps").json() == {"run_id": None, "total": 0, "no_gap_reason": None, "gaps": []}


def test_the_first_page_says_what_the_run_cannot_know(client: Make) -> None:
    """What the data lack, what that costs and the next step fold out of one sentence over the backlog."""
    page = client().get("/").text
    assert "This run can&#39;t know whether the bot reached an article" in page
    assert "0 of 16,804 conversations that the bot answered" in page
    assert "Export <code>article_ids</code> of the bot&#39;s messages" in page


def test_a_run_without_a_gap_says_why_on_every_page_that_would_list_some(client: Make, store: Path) -> None:
    """The backlog, the week and the API give the run's own reason; a run of an earlier version gives the usual one."""
    empty = sample_run.empty_run()
    remove_run(store)
    publish(store, "2024-06-30", empty)
    board = client()
    assert "Either every topic is answered well" in board.get("/").text
    reason = {"rule": "too few", "why": "Too few conversations failed: 3 of 90.", "step": "Mine a longer window."}
    remove_run(store)
    publish(store, "2024-06-30", replace(empty, run=empty.run | {"no_gap_reason": reason}))
    for path in ("/", "/week"):
        assert "Too few conversations failed: 3 of 90. Mine a longer window." in board.get(path).text, path
    assert board.get("/api/gaps").json()["no_gap_reason"] == reason


def test_what_is_too_small_to_act_on_has_a_list_of_its_own(client: Make, store: Path) -> None:
    """It is in no list of what is to be done and never due, until somebody accepts it; a search still finds it."""
    data = sample_run.run_with_small_gaps()
    publish(store, "2024-06-30", replace(data, backlog=data.backlog.assign(decided=0)))
    board = client()
    small = {"g-020", "g-022", "g-023"}

    def listed(view: str) -> set[str]:
        return {gap["gap_id"] for gap in board.get(f"/api/gaps?view={view}").json()["gaps"]}

    assert listed("small") == small
    assert not listed("todo") & small
    assert small < listed("all")
    assert board.get("/api/gaps/g-022").json()["due"] is None
    page = board.get("/").text
    assert 'href="/?view=small">Too small to act on <b>3</b>' in page
    assert "each would avoid less than one human-handled conversation a month" in board.get("/?view=small").text
    assert "Too small to act on: it would avoid less than one" in board.get("/gaps/g-022").text
    title = board.get("/api/gaps/g-020").json()["title"]
    assert title not in board.get("/owners").text + board.get("/drafts").text
    assert "g-020" in board.get("/api/gaps", params={"view": "todo", "q": title}).text
    assert board.post("/api/gaps/g-020/decisions", json={"verb": "accept"}).status_code == 201
    assert (listed("small"), listed("work") & small) == (small - {"g-020"}, {"g-020"})
    assert board.get("/api/gaps/g-020").json()["due"] is not None


def test_the_week_of_a_first_run_says_so(client: Make, store: Path) -> None:
    """Gaps are new in this first run, not new against a run that nobody published."""
    data = sample_run.sample_run()
    publish(store, "2024-06-30", replace(data, run=data.run | {"previous_run": None}))
    week = client().get("/week").text
    assert ("New in this first run" in week, "Not in the run before." in week) == (True, False)


def test_what_is_overdue_is_said_wherever_the_gap_is(client: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """As of today: on the row, the gap's page, a writer's drafts, an owner's load, and in a list."""
    monkeypatch.setattr("lacuna.pipelines.gaps.due_dates.today", lambda: date(2024, 6, 30))
    board = client()
    late = {"verb": "assign", "payload": {"owner_id": "o-ana", "due": "2024-06-27"}}
    soon = {"verb": "assign", "payload": {"owner_id": "o-ana", "due": "2024-07-12"}}
    assert board.post("/api/gaps/g-001/decisions", json=late).status_code == 201
    assert board.post("/api/gaps/g-002/decisions", json=soon).status_code == 201
    gaps = {gap: board.get(f"/api/gaps/{gap}").json() for gap in ("g-001", "g-002")}
    assert {gap: (row["due"], row["overdue"]) for gap, row in gaps.items()} == {
        "g-001": ("2024-06-27", 3), "g-002": ("2024-07-12", 0),
    }  # fmt: skip
    backlog = board.get("/?view=all&owner=o-ana").text
    assert ("overdue 3 days" in backlog, "due 12 Jul" in backlog) == (True, True)
    late_ids = [gap["gap_id"] for gap in board.get("/api/gaps?view=late").json()["gaps"]]
    assert ("g-001" in late_ids, "g-002" in late_ids) == (True, False)
    assert "Due on 27 Jun 2024, overdue 3 days." in board.get("/gaps/g-001").text
    assert "overdue 3 days" in board.get("/drafts?owner=o-ana").text
    assert "overdue" in board.get("/owners").text
    board.post("/api/gaps/g-001/decisions", json={"verb": "publish", "payload": {"on": "2024-06-30"}})
    assert "g-001" not in [gap["gap_id"] for gap in board.get("/api/gaps?view=late").json()["gaps"]]


@pytest.mark.parametrize(("today", "day"), [(date(2024, 7, 28), "2024-07-28"), (date(2024, 7, 29), "2024-06-30")])
def test_forms_of_a_replay_offer_its_own_day(today: date, day: str) -> None:
    """Up to a window's length after its end it is today; later, the window's last day."""
    assert form_day({"window": {"end": "2024-06-30", "days": 28}}, today) == date.fromisoformat(day)


def test_accepted_gaps_stand_in_the_order_of_the_lot_where_one_is_drawn(client: Make) -> None:
    """Each says its place; without a lot none does."""
    board = client(by_lot=True)
    accept(board, "g-001")
    accept(board, "g-002")
    accepted = [gap["gap_id"] for gap in board.get("/api/gaps?status=accepted").json()["gaps"]]
    in_work = [gap["gap_id"] for gap in board.get("/api/gaps?view=work").json()["gaps"]]
    places = suggested_order(in_work, load_settings().run.seed)
    drafts = board.get("/drafts").text
    assert len(accepted) >= 2
    assert sorted(accepted, key=lambda gap: drafts.index(f'href="/gaps/{gap}"')) == sorted(accepted, key=places.get)
    assert all(f"number {place} of the lot" in drafts for place in places.values())
    assert "of the lot" not in client().get("/drafts").text


def test_agents_answers_stand_apart_on_a_gaps_page(client: Make, store: Path) -> None:
    """As in the report and the draft: one list an answer, numbered where its steps have an order, and the ends."""
    path = store / "runs" / "2024-06-30" / "backlog.parquet"
    backlog = pd.read_parquet(path)
    step = {"count": 3, "worked": 2, "conversation_ids": ["c-1001"], "asked": ""}
    steps = [
        step | {"text": "Open it.", "way": 1, "order": 1},
        step | {"text": "Press it.", "way": 1, "order": 2},
        step | {"text": "Or call us.", "way": 2, "order": None},
    ]
    backlog["steps"] = [steps] * len(backlog)
    backlog.to_parquet(path)
    page = client().get("/gaps/g-001").text
    shown = page[page.index("What agents answered") :]
    first = ("Answer 1", '<ol class="steps">', "Open it.", "Press it.")
    in_order = (*first, "Answer 2", '<ul class="steps">', "Or call us.")
    places = [shown.index(words) for words in in_order]
    assert places == sorted(places)
    assert "3 conversations, 2 ended well: " in shown


def test_articles_to_verify_and_fixes_are_shown(client: Make, store: Path) -> None:
    """The run's sheet of articles is on the owners' page; a fix is on a page with all of them, and on its gap's."""
    folder = store / "runs" / "2024-06-30"
    sheet = "article_id,title,owner_id,checked_at,days,cited,failed\r\nkb-9,'=Loans,o-ana,2023-01-05,541,12,3.0\r\n"
    (folder / "due_for_verification.csv").write_text(sheet, encoding="utf-8-sig")
    figures = dict.fromkeys(FIX_FIGURES, 0.0) | {"failed_before": 0.8, "failed_after": 0.2, "avoided_since": 20.0}
    row = {"gap_id": "g-001", "title": "Parcels", "fixed_on": "2024-06-10", "verdict": "verified", "why": "it fell",
           "currency": "EUR", "conversations_before": 30, "conversations_after": 20, "counted_with": None,
           "weekly": [], **figures}  # fmt: skip
    pd.DataFrame([row]).to_parquet(folder / "impact.parquet")
    board = client()
    owners = board.get("/owners").text
    assert ("Articles due for verification" in owners, ">=Loans <" in owners) == (True, True)
    page = board.get("/impact").text
    assert all(words in page for words in ("1 fix: 1 verified", "Avoided so far", "Confirmed", "Assumed", "80"))
    assert "/impact#fix-g-001" in board.get("/gaps/g-001").text
    assert "/impact#fix-g-002" not in board.get("/gaps/g-002").text
    assert [fix["verdict"] for fix in board.get("/api/impact").json()] == ["verified"]


def test_the_page_of_fixes_says_what_golden_queries_say_and_when_a_verdict_comes(client: Make, store: Path) -> None:
    """Of a fix that it is too early for, both stand there as on its gap's page and in the report."""
    folder = store / "runs" / "2024-06-30"
    row = {"gap_id": "g-001", "title": "Parcels", "fixed_on": "2024-06-21", "verdict": "too early", "why": "9 days",
           "currency": "EUR", "conversations_before": 30, "conversations_after": 5, "counted_with": None,
           "weekly": [], **dict.fromkeys(FIX_FIGURES, 0.0)}  # fmt: skip
    golden = {"run_id": "2024-06-30", "gap_id": "g-001", "article_id": "kb-1"}
    golden |= {"asked": 8, "won": 6, "healthy": 4, "kept": 4}
    soon = {"what": "fix", "id": "g-001", "by": "2024-07-12", "more": 8}
    for name, table in (("impact", row), ("golden_results", golden), ("not_yet_known", soon)):
        pd.DataFrame([table]).to_parquet(folder / f"{name}.parquet")
    board = client()
    for page in (board.get("/impact").text, board.get("/gaps/g-001").text):
        assert page.count("its article is the best match for 6 of") == 1
        assert "It could be told by 12 Jul 2024, with 8 more conversations." in page


@pytest.mark.parametrize("attack", ["<img src=x onerror=alert(1)>", "</script><script>alert(1)</script>", "\" onx='"])
def test_markup_in_any_text_is_shown_and_never_run(store: Path, client: Make, attack: str) -> None:
    """With an attack in every text field of a run, and in people's words, it comes out escaped on every page."""
    data = sample_run.nasty_run(attack)
    clean = sample_run.sample_run().backlog
    data.backlog["gap_id"] = clean["gap_id"]
    data.backlog["draft"] = clean["draft"]
    publish(store, "2024-06-30", data)
    board = client()
    accept(board)
    note = {"verb": "note", "why": f"{attack} note"}
    assert board.post("/api/gaps/g-001/decisions", json=note).status_code == 201
    for path in (*PAGES, "/?view=all", "/gaps/g-002", "/decide/merge?gap=g-002", "/decide/assign?gap=g-002"):
        page = board.get(path)
        assert page.status_code == 200, path
        assert attack not in page.text, path
    assert "note" in board.get("/gaps/g-001").text


def test_the_api_describes_itself(client: Make) -> None:
    """The OpenAPI document names every route of the API, and no page."""
    description = client().get("/api/openapi.json").json()
    assert {"/api/gaps", "/api/gaps/{gap_id}/decisions", "/api/gaps/{gap_id}/undo", "/api/tags"} <= set(
        description["paths"]
    )
    assert all(path.startswith("/api/") for path in description["paths"])
    wrong = client().post("/api/gaps/g-001/decisions", json={"verb": "accept", "when": "now"})
    assert (wrong.status_code, "when" in wrong.json()["problem"]) == (422, True)


def test_the_figures_say_how_right_the_backlog_was(client: Make) -> None:
    """Accepting says that a gap was right, dismissing it as none that it was not; the page shows both."""
    board = client()
    assert "Nobody has judged a gap yet" in board.get("/kpis").text
    accept(board)
    wrong = {"verb": "dismiss", "payload": {"reason": "not_a_gap"}}
    board.post("/api/gaps/g-006/decisions", json=wrong)
    assert "of 2 judged missing gaps 1 was right" in board.get("/kpis").text


def test_a_token_made_on_the_command_line_lets_its_owner_in(lacuna: Lacuna, client: Make, tmp_path: Path) -> None:
    """`lacuna token` prints the entry, which holds the hash alone, and says the token once, apart from it."""
    code, entry, message = lacuna("token", "--name", 'Ana "A." Pereira', "--role", "writer", "--owner", "o-ana")
    assert code == 0
    assert "nothing else" not in message
    token = message.strip().rsplit(" ", 1)[1]
    assert token not in entry
    (tmp_path / "made.toml").write_text(entry, encoding="utf-8")
    board = client(people=str(tmp_path / "made.toml"))
    me = board.get("/api/me", headers={"Authorization": f"Bearer {token}"}).json()
    assert me == {"name": 'Ana "A." Pereira', "role": "writer", "owner_id": "o-ana"}
    assert lacuna("token", "--name", "Al", "--role", "boss")[0] == 2


def test_a_writer_without_gaps_of_their_own_is_told_of(lacuna: Lacuna, client: Make, tmp_path: Path) -> None:
    """`lacuna token` says that a writer without an owner can only tag, and how to name one; the entry is made."""
    code, entry, message = lacuna("token", "--name", "Wim", "--role", "writer")
    assert code == 0
    assert "Wim can tag and nothing else" in message
    assert "--owner OWNER_ID" in message
    (tmp_path / "made.toml").write_text(entry, encoding="utf-8")
    board = client(people=str(tmp_path / "made.toml"))
    header = {"Authorization": f"Bearer {message.strip().rsplit(' ', 1)[1]}"}
    assert [
        accept(board, gap["gap_id"], headers=header).status_code
        for gap in board.get("/api/gaps", headers=header).json()["gaps"][:3]
    ] == [403] * 3
    assert "nothing else" not in lacuna("token", "--name", "Mia", "--role", "manager")[2]
