"""A folder of pages gives articles, with dates, authors and owners as front matter, CODEOWNERS and git have them."""

from __future__ import annotations

import logging
import os
import subprocess
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from lacuna.data_contracts.errors import SourceUnreadable
from lacuna.pipelines.settings import load_settings
from lacuna.pipelines.sources.articles_history import history
from lacuna.pipelines.sources.articles_pages import pieces_of, read_page
from lacuna.pipelines.sources.pull import pull_source
from tests.support.exports import EXAMPLE, given, source_of

PEOPLE = {"ann": "Ann Lee", "bo": "Bo Li"}


def commit(folder: Path, day: str, who: str, summary: str) -> None:
    """Commit all there is, as somebody, on a day."""
    when = f"2024-{day}T10:00:00+02:00"
    of = {"NAME": PEOPLE[who], "EMAIL": f"{who}@help.example", "DATE": when}
    names = {f"GIT_{role}_{key}": value for role in ("AUTHOR", "COMMITTER") for key, value in of.items()}
    variables = {**os.environ, **names, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
    for words in (["add", "-A"], ["commit", "-q", "-m", summary]):
        subprocess.run(["git", "-C", str(folder), *words], check=True, env=variables)


@pytest.fixture
def pages(tmp_path: Path) -> Path:
    """A repository whose folder docs/ has three pages: one was renamed, one changed by somebody else."""
    folder = tmp_path / "repository"
    (folder / "docs/billing").mkdir(parents=True)
    subprocess.run(["git", "init", "-q", str(folder)], check=True)
    (folder / "docs/billing/refunds.md").write_text("# Refunds\n\nWithin *14* days.\n" + "A line.\n" * 20)
    (folder / "docs/fees.md").write_text("---\nid: fees\nowner: bo@help.example\n---\nNo fees.\n")
    (folder / "README.txt").write_text("no page")
    commit(folder, "01-02", "ann", "first pages")
    (folder / "docs/money").mkdir()
    (folder / "docs/billing/refunds.md").rename(folder / "docs/money/back.md")
    commit(folder, "02-03", "bo", "rename")
    with (folder / "docs/money/back.md").open("a") as file:
        file.write("And by card.\n")
    (folder / "docs/page.html").write_text("<html lang=de><title>Gebühren</title><body><h1>Gebühren</h1>Keine</body>")
    commit(folder, "03-04", "ann", "cards")
    return folder / "docs"


def articles_of(folder: Path | str, **keys: Any) -> dict[str, dict[str, Any]]:
    rows = given(source_of(kind="articles", path=str(folder), **keys))["articles"]
    return {row["article_id"]: row for row in rows}


def test_pages_with_their_history(pages: Path) -> None:
    """A page keeps its revisions when it is renamed; moving it is no change of what it says."""
    tables = given(source_of(kind="articles", path=str(pages)))
    articles = {row["article_id"]: row for row in tables["articles"]}
    assert sorted(articles) == ["fees", "money/back", "page"]
    back = articles["money/back"]
    assert (back["title"], str(back["created_at"])[:10], str(back["updated_at"])[:10]) == (
        "Refunds", "2024-01-02", "2024-03-04",
    )  # fmt: skip
    revisions = [(r["article_id"], str(r["revised_at"])[:10], r["author_id"]) for r in tables["article_revisions"]]
    assert sorted(revisions) == [
        ("fees", "2024-01-02", "ann@help.example"),
        ("money/back", "2024-01-02", "ann@help.example"),
        ("money/back", "2024-03-04", "ann@help.example"),
        ("page", "2024-03-04", "ann@help.example"),
    ]
    assert (back["owner_id"], articles["fees"]["owner_id"]) == ("ann@help.example", "bo@help.example")
    owners = {row["owner_id"]: (row["name"], row["email"]) for row in tables["owners"]}
    assert owners == {
        mail: (name, mail) for mail, name in (("ann@help.example", "Ann Lee"), ("bo@help.example", "Bo Li"))
    }


def test_code_owners_own_pages(pages: Path) -> None:
    """The last rule that fits counts; what a page says itself goes before."""
    (pages.parent / "CODEOWNERS").write_text("* @everybody\n/docs/money/ @payments @ann\n*.html\n")
    articles = articles_of(pages, owner_by_git=False)
    assert {key: row["owner_id"] for key, row in articles.items()} == {
        "fees": "bo@help.example", "money/back": "@payments", "page": None,
    }  # fmt: skip


def test_clone_without_history_tells_no_dates(pages: Path, tmp_path: Path) -> None:
    """The day of its first commit would pass for that on which all was written."""
    shallow = tmp_path / "shallow"
    subprocess.run(["git", "clone", "-q", "--depth", "1", pages.parent.as_uri(), str(shallow)], check=True)
    assert history(shallow / "docs") == ({}, {})
    assert articles_of(shallow / "docs")["page"]["created_at"] is None


def test_front_matter_of_any_keys(tmp_path: Path) -> None:
    """YAML or TOML; keys and words are mapped, and what is no time is told of."""
    (tmp_path / "a.md").write_text(
        "---\nslug: a-1\nstate: Live\nlang: de\nproduct: bikes\nreviewed: 2024-05-01\nmodified: soon\n---\n# A\nText"
    )
    (tmp_path / "b.md").write_text('+++\ntitle = "Bee"\ndraft = true\ndate = 2024-01-02T03:04:05Z\n+++\n# Other\nText')
    (tmp_path / "_draft.md").write_text("hidden")
    rows = articles_of(
        tmp_path, keys={"article_id": ["slug"], "updated_at": ["modified"]}, url="https://x.example/{path}"
    )
    first, second = rows["a-1"], rows["b"]
    assert (first["status"], first["language"], first["product"], first["url"]) == (
        "published", "de", "bikes", "https://x.example/a",
    )  # fmt: skip
    assert (str(first["verified_at"])[:10], first["updated_at"]) == ("2024-05-01", None)
    assert (second["title"], second["status"], str(second["created_at"])) == (
        "Bee",
        "draft",
        "2024-01-02 03:04:05+00:00",
    )
    assert len(rows) == 2


def test_broken_pages_are_kept(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Front matter that can't be read costs nothing else; another encoding is read and told of."""
    monkeypatch.setattr(logging.getLogger("lacuna"), "propagate", True)
    (tmp_path / "broken-page.md").write_text("---\ntitle: [\n---\nText\n")
    (tmp_path / "old.html").write_bytes("<h1>Caf\xe9</h1><script>x()</script>Zu".encode("cp1252"))
    rows = articles_of(tmp_path)
    assert (rows["broken-page"]["title"], rows["broken-page"]["body"]) == ("Broken page", "Text")
    assert rows["old"]["title"] == "Caf\xe9"
    assert "x()" not in rows["old"]["body"]
    assert "front matter can't be read" in caplog.text
    assert "not UTF-8" in caplog.text


def test_page_of_questions_is_cut_by_heading(tmp_path: Path) -> None:
    """Each is an article with an address of its own; a heading within code is none."""
    (tmp_path / "faq.md").write_text("# FAQ\n\n## Fees?\nNone.\n```\n## no heading\n```\n## Fees?\nStill none.\n")
    rows = articles_of(tmp_path, split=["faq*"], url="https://x.example/{path}")
    assert {key: (row["title"], row["url"]) for key, row in rows.items()} == {
        "faq#fees": ("Fees?", "https://x.example/faq#fees"),
        "faq#fees-2": ("Fees?", "https://x.example/faq#fees-2"),
    }
    assert "## no heading" in rows["faq#fees"]["body"]
    html = read_page("<h1>FAQ</h1><p>Ask us.</p><h2 id=a>Fees?</h2>None.<h2>Tax?</h2>Some.", is_html=True)
    assert [(piece.title, piece.is_part) for piece in pieces_of(html, True, 2)] == [
        ("FAQ", False), ("Fees?", True), ("Tax?", True),
    ]  # fmt: skip


def test_two_pages_of_one_id_are_refused(tmp_path: Path) -> None:
    """One of them would be lost."""
    for name in ("a.md", "b.md"):
        (tmp_path / name).write_text("---\nid: same\n---\nText")
    with pytest.raises(SourceUnreadable, match=r"a\.md and b\.md have the same article_id"):
        articles_of(tmp_path)


def test_folder_without_pages_is_an_error(tmp_path: Path) -> None:
    """So that a wrong path does not empty the bundle."""
    with pytest.raises(SourceUnreadable, match="has no file that ends with"):
        articles_of(tmp_path)


def test_example_bundle_as_a_folder(tmp_path: Path) -> None:
    """The articles of the example bundle, written as pages and pulled: the same; a deleted page leaves the bundle."""
    truth = pd.read_csv(EXAMPLE / "articles.csv", dtype="str", keep_default_na=False).set_index("article_id")
    for key, row in truth.iterrows():
        front = "".join(f"{name}: {row[name]!r}\n" for name in ("title", "status", "url", "language", "owner_id"))
        (tmp_path / "pages").mkdir(exist_ok=True)
        (tmp_path / f"pages/{key}.md").write_text(f"---\n{front}created: {row['created_at']}\n---\n{row['body']}\n")
    source = source_of(kind="articles", path=str(tmp_path / "pages"))
    pull_source(load_settings(None), source, tmp_path / "bundle")
    pulled = pd.read_parquet(tmp_path / "bundle/articles").set_index("article_id")
    for name in ("title", "body", "status", "url", "language", "owner_id"):
        assert pulled[name].fillna("").to_dict() == truth[name].to_dict()
    assert (pulled["created_at"] == pd.to_datetime(truth["created_at"], utc=True).loc[pulled.index]).all()
    gone = str(truth.index[0])
    (tmp_path / f"pages/{gone}.md").unlink()
    pull_source(load_settings(None), source, tmp_path / "bundle")
    assert gone not in set(pd.read_parquet(tmp_path / "bundle/articles")["article_id"])
    assert pull_source(load_settings(None), source, tmp_path / "bundle").rows == {}
