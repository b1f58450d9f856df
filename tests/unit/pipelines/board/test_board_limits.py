"""The board and what somebody may send to it on purpose: huge numbers, headers sent twice, guesses at tokens."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from lacuna.pipelines.board import make_app
from lacuna.pipelines.board.roles import hashed
from lacuna.pipelines.settings import load_settings
from lacuna.pipelines.state.repository import open_state
from tests.support.board_store import make_store

HUGE = "9" * 5000
Make = Callable[..., TestClient]


@pytest.fixture
def client(tmp_path: Path) -> Iterator[Make]:
    """Make a client of a board; options override the settings of `[board]`."""
    store, states = make_store(tmp_path / "store"), []

    def make(scheme: str = "http", signed_in: bool = True, **board: Any) -> TestClient:
        if signed_in:
            people = f'[[people]]\nname = "Mia"\nrole = "manager"\ntoken_sha256 = "{hashed("token-mia")}"\n'
            (tmp_path / "people.toml").write_text(people, encoding="utf-8")
            board["people"] = str(tmp_path / "people.toml")
        settings = load_settings()
        settings = settings.model_copy(update={"board": settings.board.model_copy(update=board)})
        states.append(open_state(settings, store))
        app = make_app(store, settings, states[-1], "Rita")
        address = f"{scheme}://127.0.0.1:8765"
        headers = {"Origin": address, "Sec-Fetch-Site": "same-origin"}
        return TestClient(app, address, follow_redirects=False, headers=headers, client=("10.0.0.5", 5), cookies={})

    yield make
    for state in states:
        state.close()


def test_numbers_of_any_size_are_refused_or_passed_over(client: Make) -> None:
    """Thousands of digits, more than a database holds, and infinity are no fault of the board's."""
    board = client(signed_in=False)
    for number in (HUGE, "9" * 19, str(2**63), "1e999", "-1", "٣"):
        for page in (
            f"/?done={number}",
            f"/?page={number}",
            f"/topics/t-001?edited={number}",
            f"/week?done={number},1",
        ):
            assert board.get(page).status_code == 200, page[:40]
        for address in (f"/meeting/{number}", f"/api/gaps?offset={number}"):
            assert board.get(address).status_code in (200, 404, 422), address[:40]
        assert board.post(f"/topic-edits/{number}/undo").status_code in (404, 422)
        decision = {"verb": "undo", "payload": {"of": number}}
        assert board.post("/api/gaps/g-001/decisions", json=decision).status_code in (404, 409, 422)
        form = {"verb": "accept", "gap": f"g-001:{number}"}
        assert board.post("/decide", data=form).status_code < 500


@pytest.mark.parametrize(
    "payload",
    [
        '{"reason": "wont_fix", "conversations": 1e999}',
        '{"reason": "wont_fix", "conversations": 1e18}',
        '{"reason": "wont_fix", "conversations": -1}',
        '{"reason": "wont_fix", "conversations": true}',
        '{"reason": "wont_fix", "conversations": ' + "9" * 400 + "}",
    ],
)
def test_a_count_at_dismissal_is_bounded(client: Make, payload: str) -> None:
    """A gap that would never come back can't be made by a number."""
    body = '{"verb": "dismiss", "payload": ' + payload + "}"
    answer = client(signed_in=False).post(
        "/api/gaps/g-001/decisions", content=body, headers={"Content-Type": "application/json"}
    )
    assert answer.status_code == 422
    assert "conversations" in answer.json()["problem"]


@pytest.mark.parametrize(
    ("verb", "payload"),
    [
        ("assign", {"due": "0001-01-01"}),
        ("snooze", {"until": "9999-12-31"}),
        ("publish", {"article_id": "a" * 201}),
        ("publish", {"article_id": "a\x1b[31m"}),
    ],
)
def test_days_and_ids_are_bounded(client: Make, verb: str, payload: dict[str, Any]) -> None:
    """Days that no calendar of a team holds, and ids that are none, are refused with the field's name."""
    answer = client(signed_in=False).post("/api/gaps/g-001/decisions", json={"verb": verb, "payload": payload})
    assert answer.status_code == 422
    assert next(iter(payload)) in answer.json()["problem"]
    assert "\x1b" not in answer.text


def test_a_proxys_header_that_comes_twice_names_nobody(client: Make) -> None:
    """The browser's own header, passed on beside the proxy's, does not choose who somebody is."""
    board = client(proxy_header="X-Forwarded-User", proxy_addresses=["10.0.0.5"])
    twice = [("X-Forwarded-User", "mia@example.org"), ("x-forwarded-user", "eve@example.org")]
    assert board.get("/api/me", headers=twice[:1]).json()["name"] == "mia@example.org"
    assert board.get("/api/me", headers=twice).status_code == 400


def test_who_guesses_locks_out_nobody_at_the_same_address(client: Make) -> None:
    """Wrong tokens are counted by address; a right one from there is let in all the same."""
    board = client(sign_ins_a_minute=2)
    guesses = [board.post("/sign-in", data={"token": f"guess {n}"}).status_code for n in range(4)]
    assert guesses == [401, 401, 429, 429]
    assert board.post("/sign-in", data={"token": "token-mia"}).status_code == 303


def test_the_cookie_is_bound_to_its_host_over_tls(client: Make) -> None:
    """Over TLS the session's cookie has the prefix that keeps other hosts from setting it, and works."""
    board = client(scheme="https")
    cookie = board.post("/sign-in", data={"token": "token-mia"}).headers["set-cookie"]
    assert cookie.startswith("__Host-lacuna_session=")
    assert "Secure" in cookie
    assert "Path=/" in cookie
    assert board.get("/api/me").json()["name"] == "Mia"
    board.post("/sign-out")
    assert board.get("/api/me").status_code == 401
    plain = client(scheme="http")
    assert plain.post("/sign-in", data={"token": "token-mia"}).headers["set-cookie"].startswith("lacuna_session=")


def test_the_description_says_what_is_answered_to_bad_requests(client: Make) -> None:
    """OpenAPI names 400 for every operation, and a body that is no text gets it or 422."""
    board = client(signed_in=False)
    described = board.get("/api/openapi.json").json()["paths"]
    for path, operations in described.items():
        assert all("400" in operation["responses"] for operation in operations.values()), path
    answer = board.post("/api/gaps/g-001/decisions", content=b"\xff\xfe{", headers={"Content-Type": "application/json"})
    assert answer.status_code in (400, 422)
    assert answer.json()["problem"]
