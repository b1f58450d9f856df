"""Drafts are pushed as drafts, once, never over what a person wrote; what people publish closes the gap."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI

from lacuna.pipelines.gaps.decisions import history, standing
from lacuna.pipelines.settings import load_settings
from lacuna.pipelines.sources import api
from lacuna.pipelines.state.repository import open_state
from tests.support.board_store import make_store
from tests.support.servers import serving
from tests.support.standins import Lacuna
from tests.support.vendors import writing
from tests.support.vendors.server import Faults, with_faults


@dataclass
class Place:
    """A target with its fake: how what is there is read, edited and published."""

    app: Callable[[writing.Store], FastAPI]
    section: str
    text: str
    publish: Callable[[dict[str, Any]], None]


def github_file(branch: dict[str, Any]) -> str:
    (text,) = branch["files"].values()
    return str(text)


PLACES = {
    "zendesk": Place(writing.zendesk_guide, "section_id = 12", "body", lambda one: one.update(draft=False)),
    "intercom": Place(writing.intercom_articles, "author_id = 5", "body", lambda one: one.update(state="published")),
    "crisp": Place(
        writing.crisp_helpdesk, 'website = "w1"', "content", lambda one: one.update(status="published")
    ),
}  # fmt: skip
SECRETS = (
    "ZENDESK_USER", "ZENDESK_TOKEN", "INTERCOM_TOKEN", "CRISP_IDENTIFIER", "CRISP_KEY", "GITHUB_TOKEN",
)  # fmt: skip


@pytest.fixture(autouse=True)
def secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api, "WAIT_FROM", 0.001)
    for name in SECRETS:
        monkeypatch.setenv(name, f"secret of {name}")


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return make_store(tmp_path / "store")


@pytest.fixture
def gap(store: Path) -> str:
    """A gap that waits for a writer, with a draft."""
    return next((store / "runs" / "2024-06-30" / "drafts").rglob("*.md")).read_text().split("gap_id: ")[1].split()[0]


@pytest.fixture(params=PLACES)
def there(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Place, writing.Store, Faults]]:
    """A help center of each kind, its articles, and the requests that came."""
    place, articles, faults = PLACES[request.param], {}, Faults()
    with serving(with_faults(place.app(articles), faults)) as address:
        lines = f'[push.desk]\ntype = "{request.param}"\naddress = "{address}"\n{place.section}\n'
        (tmp_path / "ours.toml").write_text(lines)
        yield place, articles, faults


def push(lacuna: Lacuna, store: Path, gap: str, *options: str) -> str:
    config = str(store.parent / "ours.toml")
    words = ("--store", str(store), "--to", "desk", "--gap", gap, "--config", config, *options)
    code, printed, err = lacuna("drafts", "push", *words)
    assert code == 0, err
    assert "secret of" not in printed + err
    return printed


def status_of(store: Path, gap: str) -> str:
    with open_state(load_settings(), store) as state:
        return standing(state, gap)[0]


def set_draft(store: Path, gap: str, text: str) -> None:
    for file in (store / "runs" / "2024-06-30" / "drafts").rglob("*.md"):
        if f"gap_id: {gap}\n" in file.read_text():
            file.write_text(f"---\ngap_id: {gap}\n---\n\n# A title\n\n{text}\n")


def test_a_draft_is_pushed_once_and_as_a_draft(
    lacuna: Lacuna, store: Path, gap: str, there: tuple[Place, writing.Store, Faults]
) -> None:
    place, articles, faults = there
    set_draft(store, gap, "Send <b>both</b> boxes.\n\n- one\n- two")
    assert "Nothing was sent" in push(lacuna, store, gap)
    assert [one for one in faults.requests if not one.startswith("GET ")] == []
    assert "1 of 1 sent to desk" in push(lacuna, store, gap, "--send")
    (article,) = articles.values()
    assert article.get("draft", True) is True
    assert article.get("state", "draft") == article.get("status", "draft") == "draft"
    assert "<b>both" not in article[place.text] or place.text == "content", "what customers wrote is no HTML"
    assert "unchanged" in push(lacuna, store, gap, "--send")
    assert len(articles) == 1
    with open_state(load_settings(), store) as state:
        notes = [one.why for one in history(state, gap) if one.verb == "note"]
    assert len(notes) == 1
    assert notes[0].startswith("The draft is in desk: ")


def test_a_changed_draft_replaces_the_one_there_unless_a_person_has_edited_it(
    lacuna: Lacuna, store: Path, gap: str, there: tuple[Place, writing.Store, Faults]
) -> None:
    place, articles, _ = there
    set_draft(store, gap, "First version.")
    push(lacuna, store, gap, "--send")
    set_draft(store, gap, "Second version.")
    shown = push(lacuna, store, gap)
    assert "changed" in shown
    assert "-First version." in shown
    assert "+Second version." in shown
    push(lacuna, store, gap, "--send")
    (article,) = articles.values()
    assert "Second version." in article[place.text]

    article[place.text] += "\nA person's own line."
    set_draft(store, gap, "Third version.")
    assert "edited" in push(lacuna, store, gap)
    assert "0 of 1 sent" in push(lacuna, store, gap, "--send")
    assert "A person's own line." in article[place.text]
    assert "1 of 1 sent" in push(lacuna, store, gap, "--send", "--overwrite")
    assert "Third version." in article[place.text]


def test_what_people_publish_closes_the_gap(
    lacuna: Lacuna, store: Path, gap: str, there: tuple[Place, writing.Store, Faults]
) -> None:
    place, articles, _ = there
    push(lacuna, store, gap, "--send")
    assert "since: none" in push(lacuna, store, gap, "--check")
    before = status_of(store, gap)
    (article,) = articles.values()
    place.publish(article)
    assert f"since: {gap}" in push(lacuna, store, gap, "--check")
    assert (before, status_of(store, gap)) == (before, "published")
    assert "since: none" in push(lacuna, store, gap, "--check")


def test_what_somebody_deleted_there_is_said_and_not_made_again(
    lacuna: Lacuna, store: Path, gap: str, there: tuple[Place, writing.Store, Faults]
) -> None:
    _, articles, _ = there
    push(lacuna, store, gap, "--send")
    articles.clear()
    assert "gone" in push(lacuna, store, gap, "--send")
    assert articles == {}


def test_limits_are_waited_out_and_nothing_is_made_twice(
    lacuna: Lacuna, store: Path, gap: str, there: tuple[Place, writing.Store, Faults]
) -> None:
    _, articles, faults = there
    faults.at.update(dict.fromkeys((1, 2, 3), "429"))
    push(lacuna, store, gap, "--send")
    assert len(articles) == 1


def test_a_draft_that_was_made_and_could_not_be_read_back_is_not_made_again(
    lacuna: Lacuna, store: Path, gap: str, there: tuple[Place, writing.Store, Faults]
) -> None:
    _, articles, faults = there
    words = ("--store", str(store), "--to", "desk", "--gap", gap, "--config", str(store.parent / "ours.toml"), "--send")
    # Zendesk is looked into first; Crisp makes an article and fills it.
    first_read = 2 if "intercom" in (store.parent / "ours.toml").read_text() else 3
    faults.at.update(dict.fromkeys(range(first_read, 60), "500"))
    code, _, err = lacuna("drafts", "push", *words)
    assert (code, len(articles)) == (2, 1), err
    faults.at.clear()
    push(lacuna, store, gap, "--send")
    assert len(articles) == 1


def test_github_gets_a_branch_and_a_draft_pull_request(lacuna: Lacuna, store: Path, gap: str) -> None:
    branches: writing.Store = {}
    with serving(writing.github(branches)) as address:
        lines = f'[push.desk]\ntype = "github"\naddress = "{address}"\nrepository = "shop/help"\n'
        (store.parent / "ours.toml").write_text(lines)
        set_draft(store, gap, "First version.")
        push(lacuna, store, gap, "--send")
        assert sorted(branches) == [f"lacuna/{gap}", "main"]
        branch = branches[f"lacuna/{gap}"]
        assert f"draft: true\ngap_id: {gap}" in github_file(branch)
        set_draft(store, gap, "Second version.")
        push(lacuna, store, gap, "--send")
        assert "Second version." in github_file(branch)
        assert branches["main"]["files"] == {}

        branches["main"]["files"] = dict(branch["files"])
        branch["pull"]["merged_at"] = "2024-07-02T10:00:00Z"
        assert f"since: {gap}" in push(lacuna, store, gap, "--check")


def test_a_folder_gets_a_page_a_gap(lacuna: Lacuna, store: Path, gap: str) -> None:
    pages = store.parent / "pages"
    (store.parent / "ours.toml").write_text(f'[push.desk]\ntype = "folder"\npath = "{pages}"\n')
    push(lacuna, store, gap, "--send")
    (page,) = pages.iterdir()
    assert f"gap_id: {gap}" in page.read_text()
    page.write_text(page.read_text().replace("draft: true", "draft: false"))
    assert f"since: {gap}" in push(lacuna, store, gap, "--check")
    assert status_of(store, gap) == "published"


def test_a_page_that_nothing_is_remembered_of_is_not_overwritten(lacuna: Lacuna, store: Path, gap: str) -> None:
    """As after a lost state database: it may be a person's."""
    pages = store.parent / "pages"
    pages.mkdir()
    (store.parent / "ours.toml").write_text(f'[push.desk]\ntype = "folder"\npath = "{pages}"\n')
    page = pages / f"{gap}-an-older-title.md"
    page.write_text("A person's own text.")
    assert "edited" in push(lacuna, store, gap, "--send")
    assert page.read_text() == "A person's own text."
    push(lacuna, store, gap, "--send", "--overwrite")
    assert "A person's own text." not in page.read_text()
    assert len(list(pages.iterdir())) == 1


def test_one_gap_alone_is_checked_and_one_that_is_not_there_is_named(lacuna: Lacuna, store: Path, gap: str) -> None:
    pages = store.parent / "pages"
    config = store.parent / "ours.toml"
    config.write_text(f'[push.desk]\ntype = "folder"\npath = "{pages}"\n')
    assert lacuna("drafts", "push", "--store", str(store), "--to", "desk", "--config", str(config), "--send")[0] == 0
    for page in pages.iterdir():
        page.write_text(page.read_text().replace("draft: true", "draft: false"))
    assert f"since: {gap}." in push(lacuna, store, gap, "--check")
    words = ("--store", str(store), "--to", "desk", "--gap", "g-nowhere", "--config", str(config))
    code, _, err = lacuna("drafts", "push", *words)
    assert code == 2
    assert "no gap 'g-nowhere' waits for a writer" in err


@pytest.mark.parametrize(
    ("lines", "says"),
    [
        ("", "there is no target 'desk' in the settings"),
        ('[push.desk]\ntype = "wiki"', "has the type 'wiki', which is none"),
        ('[push.desk]\ntype = "folder"\npaht = "x"', "unknown setting 'paht'"),
        ('[push.desk]\ntype = "zendesk"\naddress = "https://x.example"', "'section_id' = 0"),
    ],
)
def test_wrong_settings_say_what_to_do(lacuna: Lacuna, store: Path, lines: str, says: str) -> None:
    (store.parent / "ours.toml").write_text(lines)
    words = ("--store", str(store), "--to", "desk", "--config", str(store.parent / "ours.toml"))
    code, _, err = lacuna("drafts", "push", *words)
    assert code == 2
    assert says in err
