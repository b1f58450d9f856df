"""Tags entered in review: appended, the latest counts, and the next run reads them as outcomes."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
import pytest

from lacuna.data_contracts.errors import TagInvalid
from lacuna.pipelines.run import make_job
from lacuna.pipelines.runtime.job import Job
from lacuna.pipelines.runtime.runner import input_hash
from lacuna.pipelines.state.repository import State, open_state
from lacuna.pipelines.state.tags import enter_tag, entered_tags, with_tags
from lacuna.pipelines.steps.load.step import load


def job(bundle: Path, tmp_path: Path) -> tuple[Job, State]:
    made = make_job(str(bundle), tmp_path / "store", end="2024-06-30")
    return made, open_state(made.settings, made.store)


def test_of_several_tags_the_latest_counts(state: State) -> None:
    """A second thought is a row of its own; the first stays in the table, and the latest is what is read."""
    first = enter_tag(state, "c1", "wrong", "Ada")
    assert enter_tag(state, "c1", "partial", "Bob", note="half of it", article_id="a1") > first
    enter_tag(state, "c0", "correct", "Ada", true_intent="refund")
    found = entered_tags(state)
    assert found["conversation_id"].tolist() == ["c0", "c1"]
    assert found["outcome"].tolist() == ["correct", "partial"]
    assert found.loc[1, "note"] == "half of it"
    assert entered_tags(state, among=["c0"])["conversation_id"].tolist() == ["c0"]


@pytest.mark.parametrize(
    ("conversation", "outcome", "who", "says"),
    [
        ("c1", "rong", "Ada", "did you mean wrong"),
        (" ", "wrong", "Ada", "needs a conversation"),
        ("c1", "wrong", "", "per"),
    ],
)
def test_what_is_no_tag_is_refused(state: State, conversation: str, outcome: str, who: str, says: str) -> None:
    """An unknown outcome, no conversation, nobody: each says what is wrong, and nothing is written."""
    with pytest.raises(TagInvalid) as told:
        enter_tag(state, conversation, outcome, who)
    assert says in str(told.value)
    assert entered_tags(state).empty


def test_the_next_run_reads_tags_as_outcomes(bundle: Path, tmp_path: Path) -> None:
    """A tag changes the run's input, and stands among its outcomes; one on an unknown conversation does not."""
    made, state = job(bundle, tmp_path)
    before = input_hash(made, {})
    enter_tag(state, "c03", "wrong", "Ada", note="answers another question")
    enter_tag(state, "c-elsewhere", "wrong", "Ada")
    assert input_hash(made, {}) != before
    load(made)
    outcomes = made.read("load/outcomes")
    assert outcomes[["conversation_id", "outcome", "tagged_by"]].to_numpy().tolist() == [["c03", "wrong", "Ada"]]
    assert made.read_json("load/load")["tags"] == 1
    state.close()


def test_a_run_of_an_earlier_week_does_not_hear_of_later_tags(bundle: Path, tmp_path: Path) -> None:
    """Tags entered on the view of a later run are left out where an old week is run again."""
    made, state = job(bundle, tmp_path)
    empty = pd.DataFrame(columns=["topic_id", "label", "embedder", "centroid", "members", "size"])
    state.record_run("2024-07-07", "hash", empty, pd.DataFrame(columns=["gap_id", "kind", "title", "status"]))
    enter_tag(state, "c03", "wrong", "Ada")
    load(made)
    assert made.read("load/outcomes").empty
    assert entered_tags(state, up_to="2024-07-07")["conversation_id"].tolist() == ["c03"]
    state.close()


def test_tags_stand_below_the_bundles_own_outcomes() -> None:
    """Columns and types stay the bundle's; a time after the window is left empty."""
    own = pd.DataFrame(
        {
            "conversation_id": pd.array(["c1"], dtype="str"),
            "outcome": pd.array(["correct"], dtype="str"),
            "tagged_at": pd.to_datetime(["2024-06-03"], utc=True),
            "team": pd.array(["x"], dtype="str"),
        }
    )
    entered = pd.DataFrame(
        {"conversation_id": ["c2", "c3"], "outcome": ["wrong", "wrong"], "tagged_by": ["Ada", "Ada"],
         "tagged_at": pd.to_datetime(["2024-06-04", "2024-07-04"], utc=True)}
    )  # fmt: skip
    found = with_tags(own, entered, datetime(2024, 7, 1, tzinfo=UTC))
    assert found.dtypes.equals(own.dtypes)
    assert found["conversation_id"].tolist() == ["c1", "c2", "c3"]
    assert found["tagged_at"].isna().tolist() == [False, False, True]
    assert found["team"].isna().tolist() == [False, True, True]
    assert with_tags(own, entered.iloc[:0], datetime(2024, 7, 1, tzinfo=UTC)) is own


def test_a_tag_that_is_sent_again_is_there_once(state: State) -> None:
    """By the same person, saying the same; anything else is a tag of its own, and so is the same after another one."""
    first = enter_tag(state, "c-1", "wrong", "ada", note="no")
    assert enter_tag(state, "c-1", "wrong", "ada", note="no") == first
    others = [
        enter_tag(state, "c-1", "wrong", "bob", note="no"),
        enter_tag(state, "c-2", "wrong", "bob", note="no"),
        enter_tag(state, "c-1", "correct", "bob", note="no"),
        enter_tag(state, "c-1", "wrong", "ada", note="no"),
    ]
    assert len({first, *others}) == 5
