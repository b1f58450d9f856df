"""Drafts tried in a planted shop: the right one wins its questions, a wrong one none, a broad one steals."""

from __future__ import annotations

import json
from datetime import date
from html import unescape
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from starlette.testclient import TestClient

from lacuna.data_contracts.errors import LacunaError
from lacuna.models.backlog.gap import Gap
from lacuna.models.retrieval.draft_trial import Trial
from lacuna.pipelines.board import make_app
from lacuna.pipelines.board.roles import hashed
from lacuna.pipelines.drafts.trial import TriedRun, article_parts
from lacuna.pipelines.gaps.decisions import decide
from lacuna.pipelines.io.runs import read_backlog
from lacuna.pipelines.io.store import read_parquet
from lacuna.pipelines.run import run
from lacuna.pipelines.settings import load_settings
from lacuna.pipelines.state.repository import open_state
from tests.support.standins import Lacuna
from tests.worlds.fixed_shop import ANSWERED, FIXED, write_shop

pytestmark = pytest.mark.slow

BEFORE, AFTER = date(2024, 6, 30), date(2024, 8, 4)
GOOD = """# What to do when a tent pole snapped or broke

If your tent pole snapped, cracked or broke, we send you a new tent pole within five working days.
"""
WRONG = "# Shipping to islands\n\nParcels to islands take a week longer, and cost nine euros more.\n"
BRAKES = "\n\n".join(f"## {phrase}\n\n{phrase}" for phrase in ANSWERED["brakes"])
BROAD = f"# Brakes of my bike squeal, squealing bike brakes\n\n{BRAKES}\n\n## Tent pole\n\nMy tent pole snapped.\n"


def mine(folder: Path, until: date) -> Path:
    """Run over the shop as it was on a day; gives the run's folder."""
    config = folder / "lexical.toml"
    config.write_text('[embedder]\nname = "lexical"\n')
    bundle = write_shop(folder / f"bundle-{until}", until)
    run(str(bundle), folder / "store", end=until.isoformat(), config=str(config))
    return folder / "store" / "runs" / until.isoformat()


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a shop that was mined once, with three missing articles."""
    folder = tmp_path_factory.mktemp("shop")
    mine(folder, BEFORE)
    return folder


def pole(place: Path) -> Gap:
    """The gap about tent poles."""
    return next(gap for gap in read_backlog(place) if any("pole" in e["quote"] for e in gap.examples))


def tried(shop: Path, text: str) -> Trial:
    """A draft tried for the gap about tent poles."""
    place = shop / "store" / "runs" / BEFORE.isoformat()
    return TriedRun(place, shop / "store").try_draft(pole(place), text)


def test_the_right_draft_wins_its_questions_and_steals_none(shop: Path) -> None:
    """An article about poles is the best match for every question about poles, and for no question that is answered."""
    trial = tried(shop, GOOD)
    assert (trial.share_won, trial.missed, trial.stolen) == (1.0, [], [])
    assert trial.own > 10
    assert trial.healthy > 10


def test_a_wrong_draft_wins_nothing_and_is_told_the_words(shop: Path) -> None:
    """Every question is still missed; with customers' words in its text it would win."""
    trial = tried(shop, WRONG)
    assert trial.won <= trial.own / 4
    assert {"tent", "pole"} <= set(trial.lacking)
    assert trial.won_with_words is not None
    assert trial.won_with_words > trial.own / 2


def test_a_draft_about_more_than_its_gap_steals(shop: Path) -> None:
    """It wins its own questions, and takes from the article about brakes what that answers well."""
    trial = tried(shop, BROAD)
    assert trial.won > trial.own * 0.8
    assert {one.article_id for one in trial.stolen} == {"kb-brakes"}
    assert all("brakes" in one.question for one in trial.stolen)


def test_a_draft_without_an_article_is_refused(shop: Path) -> None:
    """Questions for the expert are no article."""
    with pytest.raises(LacunaError, match="no article in the draft yet"):
        tried(shop, "---\ngap_id: g-1\n---\n\n# Poles\n\n## Ask the expert these questions\n\n1. What?\n")


def test_golden_queries_outlive_publication_and_are_asked_again(tmp_path: Path) -> None:
    """The second run keeps the first one's queries as they were, and its new article now wins them."""
    first = mine(tmp_path, BEFORE)
    gap, kept = pole(first), read_parquet(first / "golden_queries.parquet")
    state = open_state(load_settings(None), tmp_path / "store")
    decide(state, gap.gap_id, "accept", "ada")
    decide(state, gap.gap_id, "publish", "ada", payload={"on": FIXED.isoformat()})
    state.close()
    second = mine(tmp_path, AFTER)
    assert gap.gap_id not in {one.gap_id for one in read_backlog(second)}
    columns = ["conversation_id", "role", "question", "since"]
    earlier, later = (
        of_gap(frame, gap.gap_id)[columns].reset_index(drop=True)
        for frame in (kept, read_parquet(second / "golden_queries.parquet"))
    )
    assert later["since"].eq(BEFORE.isoformat()).all()
    pd.testing.assert_frame_equal(earlier, later)
    results = of_gap(read_parquet(second / "golden_results.parquet"), gap.gap_id).set_index("run_id")
    assert results.index.tolist() == [BEFORE.isoformat(), AFTER.isoformat()]
    assert results["won"].tolist() == [0, results["asked"].iloc[1]]
    assert results["article_id"].iloc[1] == "kb-pole"


def of_gap(frame: pd.DataFrame, gap_id: str) -> pd.DataFrame:
    """The rows of one gap."""
    return frame[frame["gap_id"] == gap_id]


def test_the_command_tells_the_same(shop: Path, lacuna: Lacuna, tmp_path: Path) -> None:
    """`lacuna drafts try` gives the trial as words and as JSON."""
    place = shop / "store" / "runs" / BEFORE.isoformat()
    (tmp_path / "good.md").write_text(GOOD)
    words = ["drafts", "try", pole(place).gap_id, "--store", str(shop / "store"), "--file", str(tmp_path / "good.md")]
    trial = tried(shop, GOOD)
    assert f"best match for {trial.won} of the gap's {trial.own} failed questions" in lacuna(*words)[1]
    document: dict[str, Any] = json.loads(lacuna(*words, "--json")[1])
    assert document["won"] == trial.won
    assert document["stolen"] == []


def test_the_board_tries_what_a_writer_typed(shop: Path, tmp_path: Path) -> None:
    """A writer sees what a changed draft would win; a viewer may not try one, and is not offered to."""
    people = "".join(
        f'[[people]]\nname = "{role}"\nrole = "{role}"\ntoken_sha256 = "{hashed(role)}"\n'
        for role in ("viewer", "writer")
    )
    (tmp_path / "people.toml").write_text(people)
    settings, place = load_settings(), shop / "store" / "runs" / BEFORE.isoformat()
    board = settings.board.model_copy(update={"people": str(tmp_path / "people.toml")})
    settings = settings.model_copy(update={"board": board})
    gap, trial = pole(place), tried(shop, BROAD)
    with open_state(settings, shop / "store") as state:
        client = TestClient(make_app(shop / "store", settings, state, "Rita"), base_url="http://127.0.0.1:8765")
        pages = {
            role: client.get(f"/gaps/{gap.gap_id}", headers={"Authorization": f"Bearer {role}"}).text
            for role in ("viewer", "writer")
        }
        answers = {
            role: client.post(
                f"/gaps/{gap.gap_id}/try", data={"text": BROAD}, headers={"Authorization": f"Bearer {role}"}
            )
            for role in ("viewer", "writer")
        }
    assert "Try this draft" in pages["writer"]
    assert "Try this draft" not in pages["viewer"]
    assert (answers["viewer"].status_code, answers["writer"].status_code) == (403, 200)
    page = unescape(answers["writer"].text)
    assert f"best match for {trial.won} of the gap's {trial.own} failed questions" in page
    assert "Stolen from other articles" in page
    assert trial.stolen[0].question in page


def test_changes_to_an_article_are_read_from_its_diff() -> None:
    """What goes, what comes in its place, and what is added, without the notes to the writer."""
    diff = (
        "```diff\n ## Returns\n-You have 30 days.\n+You have 60 days. [^1]\n! Agents differ.\n+Keep the box. [^2]\n```"
    )
    (part,) = article_parts(f"---\ngap_id: g-1\n---\n\n# Update “Returns”\n\n## Proposed changes\n\n{diff}\n")
    assert part.amends
    assert part.changes == (("You have 30 days.", "You have 60 days."), ("", "Keep the box."))
