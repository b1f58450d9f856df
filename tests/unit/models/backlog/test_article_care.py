"""Articles that nobody owns are told apart from owned ones, with why, and with who could take them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.testclient import TestClient

from lacuna.models.backlog.article_care import UNOWNED_COLUMNS, unowned_articles
from lacuna.models.backlog.owners import OwnerBook
from lacuna.pipelines.board import make_app
from lacuna.pipelines.settings import load_settings
from lacuna.pipelines.state.repository import open_state
from tests.worlds.test_small_worlds import mine, small_bundle

OWNERS: list[dict[str, Any]] = [
    {"owner_id": "o-ana", "name": "Ana", "active": True},
    {"owner_id": "o-bo", "name": "Bo", "active": None},
    {"owner_id": "o-nils", "name": "Nils Ostermann", "active": False},
]
ARTICLES = {"owned": "o-ana", "silent": "o-bo", "empty": "", "none": None, "left": "o-nils", "ghost": "o-ghost"}
REVISIONS: list[tuple[str, str, str | None, bool | None]] = [
    ("left", "2024-01-01", "o-bo", None),
    ("left", "2024-02-01", "o-ana", True),
    ("left", "2024-03-01", "o-bo", False),
    ("left", "2024-04-01", "o-nils", True),
    ("ghost", "2024-05-01", "o-ghost", True),
    ("none", "2024-01-01", "o-bo", True),
    ("none", "2024-02-01", None, True),
]
CITED = [("none", 1.0), ("none", 0.5), ("left", 0.25), ("owned", 1.0), (None, 1.0)]


def frames(owners: list[dict[str, Any]] = OWNERS) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """The planted articles, owners, revisions and conversations, typed as a run has them."""
    articles = pd.DataFrame({"article_id": list(ARTICLES), "owner_id": pd.array(list(ARTICLES.values()), dtype="str")})
    people = pd.DataFrame(owners, columns=["owner_id", "name", "active"]).astype({"active": "boolean"})
    history = pd.DataFrame(REVISIONS, columns=["article_id", "revised_at", "author_id", "approved"])
    history["revised_at"] = pd.to_datetime(history["revised_at"], utc=True)
    cited = pd.DataFrame(CITED, columns=["cited_first", "p_failed"])
    return articles.assign(title="About it"), people, history.astype({"approved": "boolean"}), cited


def test_each_is_told_why_and_the_most_used_come_first() -> None:
    """No owner, one who left, one whom nobody knows; who says nothing of an owner's leaving has not left."""
    unowned = unowned_articles(*frames())
    assert list(unowned) == UNOWNED_COLUMNS
    assert dict(zip(unowned["article_id"], unowned["why"], strict=True)) == {
        "none": "no owner", "left": "owner left", "empty": "no owner", "ghost": "unknown owner",
    }  # fmt: skip
    assert unowned["article_id"].tolist() == ["none", "left", "empty", "ghost"]
    assert unowned["cited"].tolist() == [2, 1, 0, 0]
    assert unowned["failure_rate"].fillna(-1).tolist() == [0.75, 0.25, -1, -1]
    assert unowned["owner_id"].fillna("").tolist() == ["", "o-nils", "", "o-ghost"]


def test_an_active_owner_who_revised_it_last_could_take_it() -> None:
    """Not who has left or is no owner, nor by a revision that was not approved; nobody where no owner revised it."""
    unowned = unowned_articles(*frames()).set_index("article_id")["revised_by"].fillna("")
    assert unowned.to_dict() == {"none": "o-bo", "left": "o-ana", "empty": "", "ghost": ""}


def test_where_no_owners_are_known_none_is_called_unknown() -> None:
    """A bundle without the table of owners lists the articles that name none, and suggests any author."""
    unowned = unowned_articles(*frames([]))
    assert unowned["article_id"].tolist() == ["none", "empty"]
    assert unowned["revised_by"].fillna("").tolist() == ["o-bo", ""]


def test_owners_who_left_are_those_whom_gaps_pass_over() -> None:
    """An article is on the list as left exactly where the assignment says that its owner is no longer active."""
    articles, owners, revisions, cited = frames()
    left = unowned_articles(articles, owners, revisions, cited).query("why == 'owner left'")["article_id"]
    book = OwnerBook(owners.assign(areas=None), articles, revisions)
    reasons = {article: book.for_article(article, {}, {}).reason for article in ARTICLES}
    assert left.tolist() == [article for article, why in reasons.items() if "no longer active" in why]


@given(st.randoms(use_true_random=False))
def test_the_order_of_rows_plays_no_part(random: Any) -> None:
    """Any order of any table gives the same list."""
    mixed = [frame.sample(frac=1, random_state=random.randrange(2**32)) for frame in frames()]
    pd.testing.assert_frame_equal(unowned_articles(*mixed), unowned_articles(*frames()))


def planted(folder: Path) -> Path:
    """A bundle answered from four articles: one owned, one of nobody, one of somebody who left, and a draft."""
    bundle = small_bundle(folder, ["how do I adjust my brakes"] * 24, escalated=False, articles=4)
    articles = pd.read_parquet(bundle / "articles.parquet").sort_values("article_id")
    articles["owner_id"] = pd.array(["o-ana", None, "o-nils", None], dtype="str")
    articles["status"] = ["published", "published", "published", "draft"]
    articles.loc[articles["article_id"] == "kb-1", "title"] = '=1+1 <b>"Brakes"</b>'
    articles.to_parquet(bundle / "articles.parquet")
    pd.DataFrame(OWNERS).to_json(bundle / "owners.jsonl", orient="records", lines=True)
    revised = [{"article_id": "kb-2", "revised_at": "2024-01-01T00:00:00Z", "author_id": "o-bo", "approved": True}]
    pd.DataFrame(revised).to_json(bundle / "article_revisions.jsonl", orient="records", lines=True)
    return bundle


def test_a_run_lists_them_in_its_folder_its_report_and_on_the_board(tmp_path: Path) -> None:
    """Live articles alone, safe in a spreadsheet, with names where people read them."""
    result = mine(planted(tmp_path), tmp_path / "store", tmp_path)
    sheet = pd.read_csv(result.folder / "unowned_articles.csv", encoding="utf-8-sig", keep_default_na=False)
    assert sheet.columns.tolist() == UNOWNED_COLUMNS
    assert sheet[["article_id", "why", "owner_id", "revised_by", "cited"]].to_numpy().tolist() == [
        ["kb-1", "no owner", "", "", 6],
        ["kb-2", "owner left", "o-nils", "o-bo", 6],
    ]
    assert sheet["title"][0] == '\'=1+1 <b>"Brakes"</b>'
    assert sheet["failure_rate"].astype(float).between(0, 0.5).all()
    settings = load_settings()
    state = open_state(settings, tmp_path / "store")
    board = TestClient(make_app(tmp_path / "store", settings, state, "Rita"), base_url="http://127.0.0.1:8765")
    for page in ((result.folder / "report.html").read_text(encoding="utf-8"), board.get("/owners").text):
        section = page.split('id="unowned"')[1].split("</section>")[0]
        expected_words = (
            "Articles that nobody owns",
            ">=1+1 &lt;b&gt;",
            "No owner",
            "Nils Ostermann has left",
            ">Bo <",
        )
        assert [words for words in expected_words if words not in section] == []
        assert "kb-0" not in section
    state.close()


@pytest.mark.parametrize("owner", ["o-ana", "o-bo"])
def test_nothing_is_listed_where_every_article_has_an_owner(tmp_path: Path, owner: str) -> None:
    """The sheet is there with its head alone, and report and board have no section."""
    bundle = planted(tmp_path)
    articles = pd.read_parquet(bundle / "articles.parquet")
    articles["owner_id"] = pd.array([owner] * len(articles), dtype="str")
    articles.to_parquet(bundle / "articles.parquet")
    result = mine(bundle, tmp_path / "store", tmp_path)
    assert (result.folder / "unowned_articles.csv").read_text(encoding="utf-8-sig").split() == [
        ",".join(UNOWNED_COLUMNS)
    ]
    assert 'id="unowned"' not in (result.folder / "report.html").read_text(encoding="utf-8")
