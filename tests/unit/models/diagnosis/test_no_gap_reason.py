"""Why no gap was found: each reason from figures, and small worlds that end without a gap for a planted reason."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lacuna.models.diagnosis.no_gap_reason import UNKNOWN, RunFindings, no_gap_reason, why_no_gap
from tests.worlds.test_small_worlds import WORLDS, mine, small_bundle, with_conversations_of

# Two hundred conversations in eight topics, of which nobody can say more than that they fail.
USUAL = RunFindings(
    conversations=200, asking=190, failed=90, escalated=80, articles=12, customers=180, topics=8, largest=20, above=3,
    needed_failed=4, needed_questions=5, needed_customers=3, label="where is my parcel", share=0.6, usual=0.45,
    evidence=2.0, needed_evidence=1.5,
)  # fmt: skip

CASES: list[tuple[str, dict[str, Any], list[str], str]] = [
    ("nothing asked", {"asking": 0}, ["none of the 200 conversations"], "'customer'"),
    ("nothing fails", {"failed": 0, "escalated": 0}, ["none was escalated"], "`escalated`"),
    ("nothing fails", {"failed": 0, "escalated": 1}, ["one was escalated"], "Tag"),
    ("too few", {"topics": 0, "asking": 3}, ["too few questions", "3", "5 alike", "3 customers"], "--start"),
    ("one customer", {"topics": 0, "customers": 1}, ["190 questions", "1 customer."], "`customer_id`"),
    ("no topic", {"topics": 0}, ["190 questions are too different"], "--start"),
    ("too few", {"largest": 3}, ["90 of 200", "at most 3 in one topic", "needs 4"], "--start"),
    (
        "not content",
        {"not_content_topics": 3, "not_content": {"handoff by policy": 9, "account action needed": 40}},
        ["49 conversations in 3 topics", "account action needed 40, handoff by policy 9"],
        "Not content",
    ),
    ("all alike", {"above": 0}, ["90 of 200", "none of the 8 fails more often"], "tag_next.csv"),
    ("all alike", {"above": 0, "escalated": 200}, ["All topics are alike"], "nobody took over"),
    ("all alike", {"above": 0, "topics": 1}, ["nothing to compare with", "one topic"], "--start"),
    ("too unsure", {"evidence": 1.4}, ["“where is my parcel”", "60%", "45%"], "tag_next.csv"),
    ("no sign", {}, ["3 topics fail", "“where is my parcel”"], "tag_next.csv"),
]


@pytest.mark.parametrize(("rule", "given_", "figures", "step"), CASES, ids=[f"{case[0]} {case[1]}" for case in CASES])
def test_a_reason_carries_its_figures_and_a_step(
    rule: str, given_: dict[str, Any], figures: list[str], step: str
) -> None:
    """Each reason is found from what it is planted by, and says how many there are and what to do."""
    said = no_gap_reason(replace(USUAL, **given_))
    assert said.rule == rule
    assert [figure for figure in figures if figure not in said.why] == []
    assert step in said.step


def test_a_knowledge_base_without_an_article_is_told_as_well() -> None:
    """No published article is never the whole reason, and always said."""
    assert "no published article" in no_gap_reason(replace(USUAL, articles=0)).why
    assert "no published article" not in no_gap_reason(USUAL).why


counts = st.integers(0, 12)


@given(st.builds(RunFindings, **dict.fromkeys(
    ("conversations", "asking", "failed", "escalated", "articles", "customers", "topics", "largest", "above",
     "needed_failed", "needed_questions", "needed_customers", "not_content_topics"), counts,
), not_content=st.dictionaries(st.sampled_from(["handoff by policy", "intent routing"]), counts)))  # fmt: skip
def test_there_is_always_a_reason(findings: RunFindings) -> None:
    """Whatever was counted, whole sentences come back."""
    said = no_gap_reason(findings)
    for text in (said.why, said.step):
        assert not text[0].islower()
        assert text.endswith(".")


def test_a_run_of_before_says_what_it_can() -> None:
    """A run.json without a reason, or with null, gives the words of before."""
    assert why_no_gap({}) == why_no_gap({"no_gap_reason": None}) == UNKNOWN


def told(folder: Path) -> dict[str, Any]:
    return json.loads((folder / "run.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    ("name", "rule"),
    [("one conversation", "too few"), ("nobody fails", "nothing fails"), ("the same words", "not content")],
)
def test_a_small_world_says_why_it_has_no_gap(tmp_path: Path, name: str, rule: str) -> None:
    """run.json has the reason, and the report and the workbook print the same words."""
    done = mine(small_bundle(tmp_path, **WORLDS[name]), tmp_path / "store", tmp_path)
    run = told(done.folder)
    assert run["no_gap_reason"]["rule"] == rule
    why = why_no_gap(run)
    page = (done.folder / "report.html").read_text(encoding="utf-8")
    assert why.replace("'", "&#39;") in page
    sheet = pd.read_excel(done.folder / "backlog.xlsx", sheet_name="Backlog", header=None)
    assert why in str(sheet.iloc[1, 0])


def test_one_customer_who_asks_everything_is_named_as_the_reason(tmp_path: Path) -> None:
    """An export with one customer_id in every row makes no topic, and says so."""
    bundle = small_bundle(tmp_path, [f"my chain fell off the bike again {i}" for i in range(20)], escalated=True)
    table = pd.read_parquet(bundle / "conversations.parquet").assign(customer_id="guest")
    table.to_parquet(bundle / "conversations.parquet")
    run = told(mine(bundle, tmp_path / "store", tmp_path).folder)
    assert run["no_gap_reason"]["rule"] == "one customer"
    assert {part["name"]: part["state"] for part in run["data"]}["customers"] == "absent"


HEALTHY = [f"please tell me the opening hours on day {i}" for i in range(40)]


def test_what_only_a_person_may_do_is_told_as_the_reason(tmp_path: Path) -> None:
    """A topic that fails and that agents settle in the customer's account is no gap, and is counted as that."""
    bundle = small_bundle(
        tmp_path / "a", [f"please cancel my order of the red bike {i}" for i in range(20)], escalated=True
    )
    said = pd.read_parquet(bundle / "messages.parquet")
    said.loc[said["role"] == "agent", "text"] = "I have cancelled your order and refunded the amount to your card."
    said.to_parquet(bundle / "messages.parquet")
    bundle = with_conversations_of(bundle, small_bundle(tmp_path / "b", HEALTHY, escalated=False))
    run = told(mine(bundle, tmp_path / "store", tmp_path).folder)
    assert run["no_gap_reason"]["rule"] == "not content"
    assert "20 conversations in 1 topic (account action needed 20)" in run["no_gap_reason"]["why"]


def test_a_run_with_gaps_gives_no_reason(tmp_path: Path) -> None:
    """no_gap_reason is null where there is a gap."""
    bundle = small_bundle(tmp_path / "a", [f"my chain fell off the bike again {i}" for i in range(20)], escalated=True)
    bundle = with_conversations_of(bundle, small_bundle(tmp_path / "b", HEALTHY, escalated=False))
    done = mine(bundle, tmp_path / "store", tmp_path)
    assert len(done.backlog)
    assert told(done.folder)["no_gap_reason"] is None
