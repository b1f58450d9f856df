"""Drafts as writers use them: what a person wrote stays, and nothing in a text becomes more than text."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from lacuna.data_contracts.errors import LacunaError
from lacuna.pipelines.cli.main import app
from lacuna.pipelines.drafts import write_drafts
from lacuna.pipelines.drafts.copies import Copy, export, listed
from lacuna.pipelines.drafts.front_matter import edited, evidence_hash, seal, text_hash, values
from lacuna.pipelines.presentation.spreadsheet import records
from tests.support import sample_run
from tests.support.small_store import publish


def make_run(folder: Path, run_id: str = "2024-06-30", **changes: Any) -> tuple[Path, list[dict[str, Any]]]:
    """A run's folder with its drafts, and its backlog."""
    data = sample_run.sample_run()
    backlog = data.backlog.head(4).assign(status="open", **changes)
    run = folder / "store" / "runs" / run_id
    paths = write_drafts(run, backlog, sample_run.articles(), {**data.run, "run_id": run_id})
    backlog["draft"] = pd.array([paths[gap] for gap in backlog["gap_id"]], dtype="str")
    return run, records(backlog)


def states(copies: list[Copy]) -> dict[str, str]:
    """The state of each gap's copy."""
    return {copy.gap_id: copy.state for copy in copies}


def tree(folder: Path) -> dict[str, tuple[bytes, int]]:
    """Every file with its content and when it was written."""
    return {
        str(p.relative_to(folder)): (p.read_bytes(), p.stat().st_mtime_ns) for p in folder.rglob("*") if p.is_file()
    }


def test_the_first_export_copies_and_the_second_changes_nothing(tmp_path: Path) -> None:
    """Every draft is new once; then no file is written again."""
    run, rows = make_run(tmp_path)
    copies_folder = tmp_path / "desk"
    assert set(states(export(run, rows, copies_folder)).values()) == {"new"}
    before = tree(copies_folder)
    assert len(before) == 4
    assert set(states(export(run, rows, copies_folder)).values()) == {"unchanged"}
    assert tree(copies_folder) == before


def test_an_edited_copy_stays_and_new_evidence_lies_beside_it(tmp_path: Path) -> None:
    """What a writer wrote is never overwritten, by the same run or by a later one; the news is told and kept apart."""
    run, rows = make_run(tmp_path)
    copies_folder = tmp_path / "desk"
    export(run, rows, copies_folder)
    edited_copy = next(copies_folder.rglob("g-001-*.md"))
    edited_copy.write_text(edited_copy.read_text(encoding="utf-8") + "\nMy own words.\n", encoding="utf-8")
    written = edited_copy.read_bytes()
    assert states(export(run, rows, copies_folder))["g-001"] == "edited"
    later, later_rows = make_run(tmp_path, "2024-07-07", conversations=99)
    copies = export(later, later_rows, copies_folder)
    assert set(states(copies).values()) == {"edited, evidence changed", "evidence changed"}
    assert edited_copy.read_bytes() == written
    (new_draft,) = [copy.new_draft for copy in copies if copy.new_draft]
    assert new_draft == edited_copy.with_name(edited_copy.name.removesuffix(".md") + ".new.md")
    assert "99 conversations" in new_draft.read_text(encoding="utf-8")
    before = tree(copies_folder)
    export(later, later_rows, copies_folder)
    assert tree(copies_folder) == before


def test_new_evidence_that_is_worked_in_is_new_no_more(tmp_path: Path) -> None:
    """With the new front matter on the old file it counts as edited alone; a new file that was edited stays."""
    run, rows = make_run(tmp_path)
    copies_folder = tmp_path / "desk"
    export(run, rows, copies_folder)
    edited_copy = next(copies_folder.rglob("g-001-*.md"))
    edited_copy.write_text(edited_copy.read_text(encoding="utf-8") + "\nMine.\n", encoding="utf-8")
    later, later_rows = make_run(tmp_path, "2024-07-07", conversations=99)
    new_draft = next(copy.new_draft for copy in export(later, later_rows, copies_folder) if copy.new_draft)
    new_draft.write_text(new_draft.read_text(encoding="utf-8") + "\nAnd here.\n", encoding="utf-8")
    again = next(copy for copy in export(later, later_rows, copies_folder) if copy.new_draft)
    assert "stays" in again.note
    assert "And here." in new_draft.read_text(encoding="utf-8")
    head = new_draft.read_text(encoding="utf-8").split("\n---\n")[0]
    edited_copy.write_text(
        head + "\n---\n" + edited_copy.read_text(encoding="utf-8").split("\n---\n", 1)[1], encoding="utf-8"
    )
    new_draft.unlink()
    assert states(export(later, later_rows, copies_folder))["g-001"] == "edited"
    assert not list(copies_folder.rglob("*.new.md"))


def test_the_same_evidence_a_week_later_leaves_the_copies_alone(tmp_path: Path) -> None:
    """Only the run's name differs: nothing is written, and nobody is told of news."""
    run, rows = make_run(tmp_path)
    export(run, rows, tmp_path / "desk")
    before = tree(tmp_path / "desk")
    later, later_rows = make_run(tmp_path, "2024-07-07")
    assert set(states(export(later, later_rows, tmp_path / "desk")).values()) == {"unchanged"}
    assert tree(tmp_path / "desk") == before
    assert set(states(listed(later, later_rows, run)).values()) == {"unchanged"}
    assert set(states(listed(run, rows)).values()) == {"new"}


@pytest.mark.parametrize("change", ["renamed", "another owner", "front matter gone", "front matter broken", "not text"])
def test_a_copy_is_found_again_whatever_a_person_did_to_it(tmp_path: Path, change: str) -> None:
    """Renamed, moved, without its front matter or damaged: no second copy appears and nothing is overwritten."""
    run, rows = make_run(tmp_path)
    copies_folder = tmp_path / "desk"
    export(run, rows, copies_folder)
    changed_copy = next(copies_folder.rglob("g-001-*.md"))
    text = changed_copy.read_text(encoding="utf-8")
    if change == "renamed":
        changed_copy = changed_copy.rename(copies_folder / "customs.md")
    elif change == "another owner":
        rows = [{**row, "owner_id": "o-new"} for row in rows]
    elif change == "front matter gone":
        changed_copy.write_text(text.split("\n---\n", 1)[1], encoding="utf-8")
    elif change == "front matter broken":
        changed_copy.write_text(text.replace("gap_id:", "gap_id: [: {"), encoding="utf-8")
    else:
        changed_copy.write_bytes(b"\xff\xfe" + text.encode("utf-16-le"))
    before = tree(copies_folder)
    copy = next(candidate for candidate in export(run, rows, copies_folder) if candidate.gap_id == "g-001")
    assert copy.path == changed_copy
    after = tree(copies_folder)
    assert {name: after[name] for name in before} == before
    copied = copy.new_draft and copy.new_draft.relative_to(copies_folder)
    assert {name for name in after if name not in before} <= {str(copied)}


def test_line_ends_and_spaces_are_no_edit(tmp_path: Path) -> None:
    """A file that went through Windows or lost its last newline is as it was; any word more is an edit."""
    run, _ = make_run(tmp_path)
    text = next(run.rglob("g-001-*.md")).read_text(encoding="utf-8")
    assert not edited(text)
    assert not edited(text.replace("\n", "\r\n"))
    assert not edited("\ufeff" + text.rstrip("\n"))
    assert edited(text.replace("Write the article", "Write an article"))
    assert edited(text.replace("status: open", "status: mine"))


@given(st.text(max_size=60), st.text(max_size=200))
def test_a_sealed_draft_is_not_edited_and_says_its_evidence(title: str, body: str) -> None:
    """Whatever stands in it, a draft knows itself, and the hash in it is of its own text."""
    head = f"---\ngap_id: g-1\ntitle: {title.encode('unicode_escape').decode()!r}\n---\n"
    text = seal(head + body)
    assert not edited(text)
    assert evidence_hash(text) == text_hash(body)
    assert edited(text + "x")


def test_a_run_that_is_made_again_keeps_what_was_edited_in_its_folder(tmp_path: Path) -> None:
    """A draft edited where Lacuna wrote it is carried over when the run is replaced, the new text beside it."""
    old, _ = make_run(tmp_path)
    edited_draft = next(old.rglob("g-001-*.md"))
    edited_draft.write_text(edited_draft.read_text(encoding="utf-8") + "\nMine.\n", encoding="utf-8")
    data, new = sample_run.sample_run(), tmp_path / "new"
    backlog = data.backlog.head(4).assign(status="open")
    paths = write_drafts(new, backlog, sample_run.articles(), data.run, before=old)
    assert (new / paths["g-001"]).read_text(encoding="utf-8").endswith("Mine.\n")
    assert not edited(next(new.rglob("*.new.md")).read_text(encoding="utf-8"))
    assert len(list(new.rglob("*.md"))) == 5


def test_only_gaps_that_wait_now_are_copied_each_to_its_owner_now(tmp_path: Path) -> None:
    """Dismissed and published gaps are left out; one that waits only since the run has no draft yet, and says so."""
    run, rows = make_run(tmp_path)
    rows[0]["status"], rows[1]["owner_id"], rows[2]["draft"] = "dismissed", "o-new", None
    copies = {copy.gap_id: copy for copy in export(run, rows, tmp_path / "desk")}
    assert rows[0]["gap_id"] not in copies
    assert copies[rows[1]["gap_id"]].path.parent.name == "o-new"  # type: ignore[union-attr]
    assert copies[rows[2]["gap_id"]].state == "no draft"
    assert [copy.gap_id for copy in export(run, rows, tmp_path / "b", owner="o-new")] == [rows[1]["gap_id"]]


def test_the_folder_of_copies_is_not_a_run(tmp_path: Path) -> None:
    """Where Lacuna replaces folders, nobody's work would be safe: refused."""
    run, rows = make_run(tmp_path)
    with pytest.raises(LacunaError, match="replaces"):
        export(run, rows, run / "drafts")
    (tmp_path / "file").write_text("x", encoding="utf-8")
    with pytest.raises(LacunaError, match="can't be written"):
        export(run, rows, tmp_path / "file")


TRICKS = [
    "---\ngap_id: g-evil\n---\n# Owned",
    "text_hash: 0123456789abcdef\nevidence_hash: 0123456789abcdef",
    "<img src=x onerror=alert(1)>",
    "[x](javascript:alert(1)) ![i](http://evil.example/i.png)",
    "\n# Heading\n\n- [x] done\n\n```\ncode",
    "!!python/object/apply:os.system ['x']",
    "‹name› &lt;b&gt; &#60;b&#62;",
]


@pytest.mark.parametrize("trick", TRICKS)
def test_tricks_in_articles_quotes_and_titles_stay_text(tmp_path: Path, trick: str) -> None:
    """YAML, HTML and Markdown from outside add no key, tag, heading, link or box to a draft, and break no copy."""
    data = sample_run.sample_run()
    spoiled = sample_run.nasty_run(trick).backlog.assign(
        gap_id=data.backlog["gap_id"], owner_id=data.backlog["owner_id"], article_id=data.backlog["article_id"],
        status="open",
    )  # fmt: skip
    articles = sample_run.articles().assign(body=trick, title=trick)
    run = tmp_path / "runs" / "2024-06-30"
    paths = write_drafts(run, spoiled, articles, data.run)
    plain = write_drafts(tmp_path / "plain", data.backlog.assign(status="open"), sample_run.articles(), data.run)
    for gap, path in paths.items():
        text = (run / path).read_text(encoding="utf-8")
        clean = (tmp_path / "plain" / plain[gap]).read_text(encoding="utf-8")
        assert values(text)["gap_id"] == gap
        assert list(values(text)) == list(values(clean))
        assert not edited(text)
        body = text.split("\n---\n", 1)[1]
        diffs = re.findall(r"^```diff\n(.*?)\n```$", body, flags=re.MULTILINE | re.DOTALL)
        assert all(line[:1] in " +-!@" and "```" not in line for diff in diffs for line in diff.split("\n"))
        body = re.sub(r"^```diff\n.*?\n```$", "", body, flags=re.MULTILINE | re.DOTALL)
        assert not re.search(r"<(?!https://help\.example\.org/)", body)
        assert not re.search(r"(?<!\\)\]\((?!https://help\.example\.org/)|^```|^- \[x\]", body, flags=re.MULTILINE)
        assert len(re.findall(r"^# ", body, flags=re.MULTILINE)) == 1
    rows = records(replace(data, backlog=spoiled.assign(draft=pd.array([paths[g] for g in spoiled["gap_id"]]))).backlog)
    export(run, rows, tmp_path / "desk")
    assert set(states(export(run, rows, tmp_path / "desk")).values()) == {"unchanged"}


def test_the_command_lists_and_copies(tmp_path: Path) -> None:
    """`lacuna drafts` prints each owner's drafts with their state, and with --into writes them."""
    store = tmp_path / "store"
    publish(store)
    result = CliRunner().invoke(app, ["drafts", "--store", str(store)])
    assert result.exit_code == 0, result.output
    assert "o-ana" in result.output
    assert "new" in result.output
    copies_folder = tmp_path / "desk"
    result = CliRunner().invoke(
        app, ["drafts", "--store", str(store), "--owner", "o-ana", "--into", str(copies_folder)]
    )
    assert result.exit_code == 0, result.output
    assert {path.parent.name for path in copies_folder.rglob("*.md")} == {"o-ana"}
