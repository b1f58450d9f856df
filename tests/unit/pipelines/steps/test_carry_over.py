"""What people decided holds against a run: accepted work stays in the backlog, merged gaps are one gap's work."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from lacuna.data_contracts.errors import DecisionInvalid
from lacuna.pipelines.gaps.decisions import backlog_now, decide
from lacuna.pipelines.run import run
from lacuna.pipelines.settings import load_settings
from lacuna.pipelines.state.repository import State, open_state
from tests.worlds.test_small_worlds import small_bundle

pytestmark = pytest.mark.slow

CHAIN, SCREEN = "my chain fell off the bike again", "the screen of my lamp flickers and goes dark"


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    """Two problems that twenty people each wrote about in vain, and forty questions that the bot answers."""
    parts = [
        small_bundle(tmp_path / "a", [f"{CHAIN} {i}" for i in range(20)], escalated=True),
        small_bundle(tmp_path / "b", [f"{SCREEN} {i}" for i in range(20)], escalated=True),
        small_bundle(
            tmp_path / "c", [f"please tell me the opening hours on day {i}" for i in range(40)], escalated=False
        ),
    ]
    for table in ("conversations", "messages"):
        frames = [pd.read_parquet(part / f"{table}.parquet") for part in parts]
        renamed = [
            f.assign(conversation_id=letter + f["conversation_id"]) for letter, f in zip("abc", frames, strict=True)
        ]
        pd.concat(renamed).to_parquet(parts[0] / f"{table}.parquet")
    return parts[0]


@pytest.fixture
def state(tmp_path: Path) -> Iterator[State]:
    opened = open_state(load_settings(), tmp_path / "store")
    yield opened
    opened.close()


def run_backlog(bundle: Path, folder: Path, evidence: float = 4.0) -> dict[str, dict[str, Any]]:
    """Run, with so much evidence asked of a missing article, and give the backlog by what it is about."""
    config = folder / f"{evidence}.toml"
    config.write_text(f'[embedder]\nname = "lexical"\n[diagnosis]\nexcess_evidence = {evidence}\n', encoding="utf-8")
    rows = run(str(bundle), folder / "store", config=str(config)).backlog.to_dict("records")
    return {"chain" if row["conversation_ids"][0][0] == "a" else "screen": row for row in rows}


def test_accepted_work_stays_though_the_run_would_not_name_it(bundle: Path, tmp_path: Path, state: State) -> None:
    """It keeps its id, its conversations are today's, and it says why it is there; what nobody accepted goes."""
    backlog = run_backlog(bundle, tmp_path)
    assert set(backlog) == {"chain", "screen"}
    decide(state, backlog["chain"]["gap_id"], "accept", "ada")
    for _ in range(2):
        later = run_backlog(bundle, tmp_path, evidence=1000.0)
        assert set(later) == {"chain"}
        gap = later["chain"]
        assert (gap["gap_id"], gap["status"], gap["kind"]) == (backlog["chain"]["gap_id"], "accepted", "missing")
        assert gap["conversations"] == 20
        assert "somebody is at work on it" in gap["reasons"][0]
        assert "20 of 20 conversations failed" in gap["reasons"][0]
        assert gap["draft"] is not None
    now = backlog_now(tmp_path / "store", state, load_settings())
    assert now["gap_id"].tolist() == [backlog["chain"]["gap_id"]]
    decide(state, backlog["chain"]["gap_id"], "dismiss", "ada", payload={"reason": "wont_fix"})
    assert run_backlog(bundle, tmp_path, evidence=1000.0) == {}


def test_a_merged_gap_is_work_of_the_gap_that_it_is_part_of(bundle: Path, tmp_path: Path, state: State) -> None:
    """Its conversations count with the other's, which ranks by both; taken back, each has its own again."""
    before = run_backlog(bundle, tmp_path)
    decide(state, before["screen"]["gap_id"], "merge", "ada", payload={"into": before["chain"]["gap_id"]})
    after = run_backlog(bundle, tmp_path)
    assert {row["gap_id"]: row["conversations"] for row in after.values()} == {
        before["chain"]["gap_id"]: 40, before["screen"]["gap_id"]: 20,
    }  # fmt: skip
    assert set(after["chain"]["topics"]) == {*before["chain"]["topics"], *before["screen"]["topics"]}
    assert after["chain"]["score"] > 1.5 * before["chain"]["score"]
    assert after["screen"]["status"] == "dismissed"
    decide(state, before["screen"]["gap_id"], "undo", "ada")
    assert {row["conversations"] for row in run_backlog(bundle, tmp_path).values()} == {20}


def test_a_chosen_owner_who_leaves_hands_the_gap_on(bundle: Path, tmp_path: Path, state: State) -> None:
    """It goes to whoever the rules name, and says so, on the board too; nobody is given a gap who has left."""
    owners = [{"owner_id": name, "name": name.title(), "areas": "brakes", "active": True} for name in ("ada", "bob")]
    pd.DataFrame(owners).to_csv(bundle / "owners.csv", index=False)
    before = run_backlog(bundle, tmp_path)["chain"]
    decide(state, before["gap_id"], "assign", "eve", payload={"owner_id": "bob"})
    assert run_backlog(bundle, tmp_path)["chain"]["owner_id"] == "bob"
    owners[1]["active"] = False
    pd.DataFrame(owners).to_csv(bundle / "owners.csv", index=False)
    after = run_backlog(bundle, tmp_path)["chain"]
    assert after["owner_id"] == "ada"
    assert after["owner_reason"].endswith("Bob, who was chosen, is no longer active")
    now = backlog_now(tmp_path / "store", state, load_settings()).set_index("gap_id")
    assert now.loc[before["gap_id"], ["owner_id", "owner_name"]].tolist() == ["ada", "Ada"]
    with pytest.raises(DecisionInvalid, match="no owner 'bob'"):
        decide(state, before["gap_id"], "assign", "eve", payload={"owner_id": "bob"})
