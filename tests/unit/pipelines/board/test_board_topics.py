"""Topics on the board by HTTP: who may change them, what the forms and the API do, and how it shows at once."""

from __future__ import annotations

from collections.abc import Iterator
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from lacuna.pipelines.board import make_app
from lacuna.pipelines.board.roles import hashed
from lacuna.pipelines.settings import load_settings
from lacuna.pipelines.state.repository import open_state

BOARD = "http://127.0.0.1:8765"
FROM_BOARD = {"Origin": BOARD, "Sec-Fetch-Site": "same-origin"}
ROLES = ("viewer", "writer", "manager")
PEOPLE = "".join(
    f'[[people]]\nname = "{role.title()}"\nrole = "{role}"\ntoken_sha256 = "{hashed(role)}"\n' for role in ROLES
)


@pytest.fixture
def board(store: Path, tmp_path: Path) -> Iterator[TestClient]:
    """A board where people sign in, over a store of its own."""
    (tmp_path / "people.toml").write_text(PEOPLE, encoding="utf-8")
    settings = load_settings()
    people = settings.board.model_copy(update={"people": str(tmp_path / "people.toml")})
    settings = settings.model_copy(update={"board": people})
    with open_state(settings, store) as state:
        app = make_app(store, settings, state, "Rita")
        yield TestClient(app, base_url=BOARD, follow_redirects=False, client=("127.0.0.1", 50000))


def bearer(role: str = "manager") -> dict[str, str]:
    return {"Authorization": f"Bearer {role}"}


def send(board: TestClient, topic: str, role: str = "manager", **form: Any) -> Any:
    return board.post(f"/topics/{topic}/edit", data=form, headers={**bearer(role), **FROM_BOARD})


def page(board: TestClient, path: str, role: str = "manager") -> str:
    return unescape(board.get(path, headers=bearer(role)).text)


def test_only_managers_change_topics(board: TestClient) -> None:
    """Others see no form, and what they send changes nothing; nor does what another site sends for a manager."""
    for role in ROLES[:2]:
        assert 'id="change"' not in page(board, "/topics/t-001", role)
        assert send(board, "t-001", role, deed="drop").status_code == 403
        answer = board.post("/api/topics/t-001/edits", json={"deed": "drop"}, headers=bearer(role))
        assert answer.status_code == 403
        assert "ask a manager" in answer.json()["remedy"]
    signed_in = board.post("/sign-in", data={"token": "manager"}, headers=FROM_BOARD)
    assert signed_in.status_code == 303
    elsewhere = {"Origin": "https://elsewhere.example", "Sec-Fetch-Site": "cross-site"}
    for path in ("/topics/t-001/edit", "/topic-edits/1/undo"):
        assert board.post(path, data={"deed": "drop"}, headers=elsewhere).status_code == 403
    assert board.get("/api/topic-edits", headers=bearer()).json() == []
    assert 'id="change"' in page(board, "/topics/t-001")


def test_a_merger_by_form_shows_at_once_and_is_taken_back(board: TestClient) -> None:
    """The page says who did it and that it holds from the next run on; undo is there, and says so too."""
    answer = send(board, "t-001", deed="merge", into="t-002", after="0", why="one problem")
    assert answer.status_code == 303
    shown = page(board, answer.headers["location"])
    assert "Merged, from the next run on." in shown
    assert "Merged into t-002 (by Manager)." in shown
    assert 'id="change"' not in shown
    assert "one problem" in shown
    assert "merged into t-002 (by Manager, from the next run on)" in page(board, "/topics")
    assert "one problem" in page(board, "/topics/t-002")
    undone = board.post("/topic-edits/1/undo", data={"back": "/topics/t-001"}, headers={**bearer(), **FROM_BOARD})
    assert undone.headers["location"] == "/topics/t-001?edited=2"
    shown = page(board, undone.headers["location"])
    assert "Taken back." in shown
    assert 'id="change"' in shown


def test_a_name_shows_at_once_wherever_topics_are_listed(board: TestClient) -> None:
    """On the topic's page, in the list and in the tree, and wherever a gap says its topic."""
    assert "Two parcels" not in page(board, "/gaps/g-001")
    assert send(board, "t-001", deed="rename", label="Two parcels").status_code == 303
    assert '<h1 dir="auto">Two parcels</h1>' in page(board, "/topics/t-001")
    assert page(board, "/topics").count(">Two parcels</a>") == 2
    assert ">Two parcels</a>" in page(board, "/gaps/g-001")


def test_split_pin_and_drop_by_form(board: TestClient) -> None:
    """Examples and questions are those that the page lists; a pinned question may go to this topic or to another."""
    shown = page(board, "/topics/t-001")
    assert 'name="first" value="c-t-001-0"' in shown
    assert send(board, "t-001", deed="split", first="c-t-001-0", second="c-t-001-3").status_code == 303
    assert send(board, "t-001", deed="pin", question="c-t-001-1", to="t-002").status_code == 303
    assert send(board, "t-003", deed="pin", question="c-t-001-2").status_code == 303
    assert send(board, "t-004", deed="drop").status_code == 303
    edits = board.get("/api/topic-edits", headers=bearer()).json()
    assert [(edit["deed"], edit["topic_id"]) for edit in reversed(edits)] == [
        ("split", "t-001"), ("pin", "t-002"), ("pin", "t-003"), ("drop", "t-004"),
    ]  # fmt: skip


def test_what_is_wrong_is_said_on_the_page_and_nothing_is_lost(board: TestClient) -> None:
    """The same question twice, an example of another topic, and a topic that somebody has changed meanwhile."""
    same = send(board, "t-001", deed="split", first="c-t-001-0", second="c-t-001-0", why="they differ")
    assert same.status_code == 422
    assert "The two examples are the same question" in same.text
    foreign = send(board, "t-001", deed="split", first="c-t-001-0", second="c-t-002-0")
    assert "is in topic t-002, not in t-001" in foreign.text
    assert send(board, "t-001", deed="rename", label="One").status_code == 303
    late = send(board, "t-001", deed="rename", label="Another", after="0")
    assert late.status_code == 409
    assert "Manager renamed" in late.text
    assert 'value="Another"' in late.text
    assert board.get("/topics/t-nope", headers=bearer()).status_code == 404


def test_the_api_edits_and_undoes(board: TestClient) -> None:
    """As the forms do, with the problem and its remedy in JSON."""
    api = {**bearer()}
    made = board.post(
        "/api/topics/t-001/edits", json={"deed": "merge", "payload": {"into": "t-002"}, "after": 0}, headers=api
    )
    assert made.status_code == 201
    assert board.get("/api/topics/t-001", headers=api).json()["last_edit"] == made.json()["id"]
    again = board.post("/api/topics/t-001/edits", json={"deed": "drop"}, headers=api)
    assert (again.status_code, "merged into t-002" in again.json()["problem"]) == (409, True)
    assert board.post("/api/topics/t-x/edits", json={"deed": "drop"}, headers=api).status_code == 404
    assert board.post("/api/topics/t-003/edits", json={"deed": "rename"}, headers=api).status_code == 422
    undone = board.post(f"/api/topic-edits/{made.json()['id']}/undo", json={}, headers=api)
    assert undone.status_code == 201
    assert board.post(f"/api/topic-edits/{made.json()['id']}/undo", json={}, headers=api).status_code == 409
    assert board.get("/api/topic-edits?topic=t-002", headers=api).json()[0]["standing"] == "taken back by Manager"
    assert len(board.get("/api/topics/t-001/questions", headers=api).json()) == 4


def test_the_tree_stands_on_the_page_without_a_script(board: TestClient) -> None:
    """Themes, topics and parts are nested lists; the slider goes from the themes' number to the parts'."""
    shown = page(board, "/topics")
    run_topics = shown.count("data-topic-of-tree")
    assert run_topics > 20
    assert shown.count("data-leaf=") == 2 * run_topics
    themes = shown.count('class="branch"')
    assert f'min="{themes}" max="{2 * run_topics}" step="1" value="{run_topics}"' in shown
    assert '<div class="slide" hidden>' in shown
