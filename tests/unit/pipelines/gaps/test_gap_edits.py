"""What people say a gap is: title and kind over what was found, and conversations out of a gap and into it."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from lacuna.models.backlog.lifecycle import GapState
from lacuna.pipelines.gaps.membership import with_membership
from lacuna.pipelines.gaps.status import as_decided, as_found, as_reclassified

ROW = {
    "gap_id": "g-1", "title": "Broken pole", "kind": "missing", "article_id": None, "article_title": None,
    "nearest_articles": [{"article_id": "kb-1", "title": "Poles", "similarity": 0.4}], "reasons": ["none is near"],
}  # fmt: skip
STALE = GapState(kind="stale", kind_article_id="kb-1", edited_by="ada")


def edited(row: dict[str, Any], life: GapState) -> dict[str, Any]:
    return row | as_decided(row, life, lambda owner: owner)


def test_what_was_found_comes_back_however_often_it_was_edited() -> None:
    """An edit over an edited row knows what the run found; without edits the row is as it was found."""
    once = edited(ROW, STALE)
    assert (once["kind"], once["article_id"], once["article_title"]) == ("stale", "kb-1", "Poles")
    assert once["reasons"] == ["ada says that it is stale; it was found as missing", "none is near"]
    twice = edited(once, GapState(title="Mend a pole", kind="stale", kind_article_id="kb-1", edited_by="bob"))
    assert twice["reasons"] == ["bob says that it is stale; it was found as missing", "none is near"]
    assert twice["found_as"]["title"] == "Broken pole"
    assert as_found(twice)["kind"] == "missing"
    back = edited(twice, GapState())
    assert {name: back[name] for name in ROW} == ROW
    assert back["found_as"] is None


def test_evidence_is_looked_for_by_the_kind_that_people_gave() -> None:
    """Where the run has the article; else by what was found."""
    assert as_reclassified([ROW], {"g-1": STALE}, {"kb-1"})[0]["article_id"] == "kb-1"
    assert as_reclassified([ROW], {"g-1": STALE}, {"kb-2"}) == [ROW]
    assert as_reclassified([ROW], {}, {"kb-1"}) == [ROW]
    stale = ROW | {"kind": "stale", "article_id": "kb-1"}
    assert as_reclassified([stale], {"g-1": GapState(kind="missing")}, {"kb-1"})[0]["article_id"] is None


@pytest.mark.parametrize(
    ("lives", "left"),
    [
        ({}, {"g-1": ["c1", "c2"], "g-2": ["c3"]}),
        ({"g-1": GapState(excluded=frozenset({"c1", "c9"}))}, {"g-1": ["c2"], "g-2": ["c3"]}),
        ({"g-1": GapState(included=frozenset({"c3", "c4"}))}, {"g-1": ["c1", "c2", "c3", "c4"]}),
        ({"g-1": GapState(included=frozenset({"c5", "c8"}))}, {"g-1": ["c1", "c2"], "g-2": ["c3"]}),
        ({"g-8": GapState(included=frozenset({"c3"}))}, {"g-1": ["c1", "c2"], "g-2": ["c3"]}),
        (
            {"g-1": GapState(included=frozenset({"c3"})), "g-2": GapState(included=frozenset({"c3"}))},
            {"g-1": ["c1", "c2", "c3"], "g-2": ["c3"]},
        ),
    ],
)
def test_membership_is_as_people_say(lives: dict[str, GapState], left: dict[str, list[str]]) -> None:
    """What is added leaves the others, what is unknown or out of the window does nothing, an empty gap is left out."""
    gaps = pd.DataFrame({"gap_id": ["g-1", "g-2"], "conversation_ids": [["c1", "c2"], ["c3"]], "n_tagged": [1, 0]})
    ids = ["c1", "c2", "c3", "c4", "c5"]
    facts = pd.DataFrame({"in_window": [True] * 4 + [False], "outcome": ["wrong", None, None, None, None]}, index=ids)
    out = with_membership(gaps, lives, facts)
    assert dict(zip(out["gap_id"], out["conversation_ids"], strict=True)) == left
    tagged = dict(zip(out["gap_id"], out["n_tagged"], strict=True))
    assert tagged["g-1"] == int("c1" in left["g-1"])
    assert out.dtypes.to_dict() == gaps.dtypes.to_dict()
