"""From a gap to a verdict: run, accept, publish, run again; and the report and the command that tell of it."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from lacuna.models.impact.fixes import totals
from lacuna.pipelines.gaps.decisions import decide
from lacuna.pipelines.io.runs import read_run
from lacuna.pipelines.io.store import read_parquet
from lacuna.pipelines.presentation.spreadsheet import records
from lacuna.pipelines.run import run
from lacuna.pipelines.settings import load_settings
from lacuna.pipelines.state.repository import open_state
from tests.support.standins import Lacuna
from tests.worlds.fixed_shop import FIXED, write_shop

pytestmark = pytest.mark.slow

BEFORE, AFTER = date(2024, 6, 30), date(2024, 8, 4)


def mine(folder: Path, until: date) -> pd.DataFrame:
    """Run over the shop as it was on a day."""
    config = folder / "lexical.toml"
    config.write_text('[embedder]\nname = "lexical"\n[impact]\nrandomise = true\n[compare]\nby = "nowhere"\n')
    bundle = write_shop(folder / f"bundle-{until}", until)
    return run(str(bundle), folder / "store", end=until.isoformat(), config=str(config)).backlog


def about(backlog: pd.DataFrame, word: str) -> list[str]:
    """The gaps whose examples speak of something."""
    return [row["gap_id"] for row in records(backlog) if any(word in e["quote"].lower() for e in row["examples"])]


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Week 1, decisions on all three gaps, week 5: one article helped, one did not, one is not written yet."""
    folder = tmp_path_factory.mktemp("story")
    first = mine(folder, BEFORE)
    gaps = {word: about(first, word) for word in ("pole", "points", "customs")}
    state = open_state(load_settings(None), folder / "store")
    for gap in [*gaps["pole"], *gaps["points"]]:
        decide(state, gap, "accept", "ada")
        decide(state, gap, "publish", "ada", payload={"on": FIXED.isoformat()})
    for gap in gaps["customs"]:
        decide(state, gap, "accept", "ada")
    state.close()
    last = mine(folder, AFTER)
    return {"store": folder / "store", "gaps": gaps, "last": last.set_index("gap_id")}


def test_week_five_verifies_one_and_brings_another_back(story: dict[str, Any]) -> None:
    """What helped is verified and gone from the backlog; what did not is reopened, and says why."""
    table = read_parquet(story["store"] / "runs" / "2024-08-04" / "impact.parquet").set_index("gap_id")
    for gap in story["gaps"]["pole"]:
        assert (table["verdict"][gap], table["status"][gap]) == ("verified", "verified")
        assert gap not in story["last"].index
    (points,) = story["gaps"]["points"]
    assert (table["verdict"][points], table["status"][points]) == ("no effect", "reopened")
    assert story["last"]["status"][points] == "reopened"
    assert "no effect" in story["last"]["status_note"][points]
    (customs,) = story["gaps"]["customs"]
    assert story["last"]["status"][customs] == "accepted"
    assert customs not in table.index


def test_what_was_saved_is_counted_once(story: dict[str, Any]) -> None:
    """Gaps of one topic are measured on the same conversations, and only the first of them counts in the totals."""
    table = read_parquet(story["store"] / "runs" / "2024-08-04" / "impact.parquet").set_index("gap_id")
    pole = table.loc[story["gaps"]["pole"]]
    assert pole["counted_with"].isna().sum() == 1
    counted = pole[pole["counted_with"].isna()].iloc[0]
    # 7 conversations a week, of which 85 % failed before and 8 % since.
    assert counted["avoided_weekly_low"] < 7 * 0.77 < counted["avoided_weekly_high"]
    assert counted["avoided_cost"] == pytest.approx(counted["avoided_since"] * 600 / 3600 * 32)


def test_the_report_shows_each_fix_with_its_day(story: dict[str, Any]) -> None:
    """The section has a verdict and a picture a fix, and a description of the picture in words."""
    page = (story["store"] / "runs" / "2024-08-04" / "report.html").read_text(encoding="utf-8")
    section = page[page.index('id="impact"') : page.index('id="topics"')]
    assert section.count('class="fix-chart"') == len(story["gaps"]["pole"]) + 1
    assert "Verified" in section
    assert "No effect" in section
    assert "fixed 3 Jul" in section
    assert re.search(r'aria-label="Answers that failed week by week: \d+\D%', section)
    assert 'id="impact"' not in (story["store"] / "runs" / "2024-06-30" / "report.html").read_text(encoding="utf-8")


def test_the_command_tells_what_worked(story: dict[str, Any], lacuna: Lacuna) -> None:
    """One row a fix, the totals with confirmed and assumed apart; and before anything was fixed, what to do."""
    code, printed, _ = lacuna("impact", "--store", str(story["store"]))
    assert code == 0
    assert "Verified" in printed
    assert "No effect" in printed
    assert "Confirmed" in printed
    assert "Assumed" in printed
    code, printed, _ = lacuna("impact", "--store", str(story["store"]), "--run", "2024-06-30")
    assert code == 0
    assert "Nothing has been fixed" in printed


def test_the_page_for_whoever_pays_and_the_command_agree(story: dict[str, Any], lacuna: Lacuna, tmp_path: Path) -> None:
    """Two fixes count, hours and money stand apart by what is confirmed, and both can be taken elsewhere."""
    page, sheet = tmp_path / "worth.html", tmp_path / "worth.csv"
    code, printed, _ = lacuna("worth", "--store", str(story["store"]), "--html", str(page), "--csv", str(sheet))
    assert code == 0
    assert "2 fixes counted" in printed
    assert "Confirmed" in printed
    run_folder = story["store"] / "runs" / "2024-08-04"
    assert page.read_text(encoding="utf-8") == (run_folder / "worth.html").read_text(encoding="utf-8")
    table = read_parquet(run_folder / "worth.parquet")
    impact = read_parquet(run_folder / "impact.parquet").set_index("gap_id")
    for row in records(table):  # all of it lies in the last 91 days; ten minutes each
        assert row["avoided_conversations"] == pytest.approx(impact["avoided_since"][row["gap_id"]])
        assert row["avoided_hours"] == pytest.approx(row["avoided_conversations"] / 6)
    assert len(sheet.read_text(encoding="utf-8-sig").splitlines()) == 1 + len(table)


def test_accepted_gaps_have_a_place_by_lot(story: dict[str, Any], lacuna: Lacuna) -> None:
    """What was fixed is compared with what was accepted and waits; a column that is not there compares nothing."""
    folder = story["store"] / "runs" / "2024-08-04"
    table = read_parquet(folder / "random_order.parquet")
    assert set(table["gap_id"]) == {gap for gaps in story["gaps"].values() for gap in gaps}
    assert table["place"].tolist() == list(range(1, len(table) + 1))
    assert set(table["accepted_on"]) == {"2024-06-30"}
    waits = table["gap_id"].isin(story["gaps"]["customs"])
    assert set(table.loc[~waits, "fixed_on"]) == {FIXED.isoformat()}
    assert table.loc[waits, "fixed_on"].isna().all()
    effect = read_run(folder)["random_order"]
    assert (effect["fixed"], effect["waited"]) == (2, 1)
    # One of the two helped by about 75 of 100 answers, the other one by nothing.
    assert 0.2 < effect["fewer"] < 0.6
    assert effect["causal"] == (not table["out_of_turn"].any())
    _, printed, _ = lacuna("impact", "--store", str(story["store"]))
    assert "fewer fail in a fixed gap than in one that waits" in printed
    assert "nothing is compared" in (folder / "run.json").read_text(encoding="utf-8")
    assert not (folder / "side_by_side.parquet").exists()


def test_gaps_without_an_owner_are_a_list_of_their_own(story: dict[str, Any], lacuna: Lacuna) -> None:
    """`--owner nobody` lists what nobody owns, here all, and another owner's list is empty."""
    code, printed, _ = lacuna("backlog", "--owner", "nobody", "--store", str(story["store"]))
    assert code == 0
    assert all(gap in printed for gap in story["last"].index)
    _, printed, _ = lacuna("backlog", "--owner", "o-1", "--store", str(story["store"]))
    assert not any(gap in printed for gap in story["last"].index)


def test_what_an_article_closed_without_a_decision_is_credited_to_it(tmp_path: Path) -> None:
    """Nobody decided; the gap is gone since its article came, and the article has the credit, outside of the sum."""
    first = mine(tmp_path, BEFORE)
    pole = about(first, "pole")
    mine(tmp_path, AFTER)
    table = read_parquet(tmp_path / "store" / "runs" / "2024-08-04" / "impact.parquet").set_index("gap_id")
    credited = table[table["credited"]]
    assert set(credited.index) == set(pole)
    assert set(credited["article_id"]) == {"kb-pole"}
    assert set(credited["fixed_on"]) == {FIXED.isoformat()}
    assert set(credited["verdict"]) == {"verified"}
    assert (credited["avoided_weekly"].iloc[0], totals(records(table))["fixes"]) == (pytest.approx(5.4, abs=2), 0)
    page = (tmp_path / "store" / "runs" / "2024-08-04" / "report.html").read_text(encoding="utf-8")
    assert "Nobody decided on it: the article kb-pole" in page
