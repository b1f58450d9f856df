"""The audit of the vendor's metric: what it estimates, from which tags, and when it says that it can't tell."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lacuna.models.accuracy.vendor_audit import COLUMNS, LEAST_TAGS, VERDICTS, audited_share, vendor_audit
from tests.worlds.vendor_worlds import WORLDS, audits_of, facts_of

FLATTERS = WORLDS["it flatters: silence counts as resolved"]


def test_a_flag_that_flatters_is_found_out() -> None:
    """The vendor says 67 %, a half is right: 200 random tags find it too high in every world, and cover the truth."""
    rows = audits_of(FLATTERS, 200, times=60)
    assert rows["claimed"].mean() == pytest.approx(0.67, abs=0.01)
    assert rows["verdict"].eq("overstated").all()
    assert rows["truth"].between(rows["low"], rows["high"]).mean() >= 0.9
    assert rows["estimate"].mean() == pytest.approx(0.51, abs=0.01)


@pytest.mark.parametrize("tags", [20, 50])
def test_the_interval_holds_the_truth_with_few_tags(tags: int) -> None:
    """Whatever the flag is wrong by, at least 91 % of the 95 % intervals hold the truth."""
    rows = pd.concat([audits_of(world, tags, times=6) for world in WORLDS.values()])
    assert rows["truth"].between(rows["low"], rows["high"]).mean() >= 0.91


def test_a_flag_without_bias_is_rarely_called_wrong() -> None:
    """At 95 %, about one in twenty."""
    rows = audits_of(WORLDS["it is right on the whole, by luck"], 100, times=40)
    assert rows["verdict"].eq("no difference shown").mean() >= 0.88


def test_tags_that_were_chosen_correct_nothing() -> None:
    """Three hundred tags of escalated conversations, none random: it can't tell, and says what it needs."""
    facts, _ = facts_of(FLATTERS, 0, seed=1, escalated_tags=300)
    row = vendor_audit(facts, {}).set_index("metric").loc["vendor_score"]
    assert (row["verdict"], row["random_tags"], row["other_tags"], row["more_tags"]) == (
        "can't tell",
        0,
        300,
        LEAST_TAGS,
    )
    assert np.isnan(row["estimate"])
    assert np.isnan(row["low"])


def test_chosen_tags_do_not_move_the_estimate() -> None:
    """With and without them it is the same."""
    facts, _ = facts_of(FLATTERS, 100, seed=2, escalated_tags=300)
    without = facts.assign(right=facts["right"].where(facts["tag_sample"].eq("random")))
    columns = ["estimate", "low", "high", "random_tags"]
    assert vendor_audit(facts, {})[columns].equals(vendor_audit(without, {})[columns])


def test_a_flag_that_tells_something_narrows_the_interval() -> None:
    """That is what prediction-powered inference is for: an honest flag is worth many tags."""
    telling, mute = (
        (audits_of(WORLDS[name], 100, times=20).eval("high - low").mean())
        for name in ("it is nearly always right", "it says nothing")
    )
    assert telling < 0.6 * mute


def test_what_a_human_took_over_was_not_resolved_by_the_bot() -> None:
    """No tag is needed for these: the flag that is set on them claims nothing, and the estimate counts them as not."""
    n = 100
    facts = pd.DataFrame(
        {
            "answered": True,
            "escalated": [i < n // 2 for i in range(n)],
            "resolved": pd.array([True] * n, dtype="boolean"),
            "vendor_score": np.nan,
            "csat": np.nan,
            "right": [np.nan] * (n // 2) + [1.0, 0.0] * 20 + [np.nan] * 10,
            "tag_sample": pd.array([None] * (n // 2) + ["random"] * 40 + [None] * 10, dtype="str"),
            "topic_id": pd.array(["t"] * n, dtype="str"),
        }
    )
    table = vendor_audit(facts, {"t": "Delivery"})
    over_all, topic = table.iloc[0], table.iloc[1]
    contained = table[table["metric"].eq("contained") & table["by"].eq("all")].iloc[0]
    assert (contained["claimed"], contained["estimate"]) == (0.5, over_all["estimate"])
    assert (over_all["metric"], over_all["claimed"], over_all["random_tags"]) == ("resolved", 0.5, 40)
    assert over_all["estimate"] == pytest.approx(0.25)
    assert over_all["verdict"] == "overstated"
    assert (topic["by"], topic["label_name"], topic["estimate"]) == ("topic", "Delivery", over_all["estimate"])


def test_topics_with_few_random_tags_are_not_told() -> None:
    """Each topic by its own tags alone."""
    facts, _ = facts_of(FLATTERS, 100, seed=3)
    tagged = facts["right"].notna()
    few = tagged.cumsum().le(LEAST_TAGS - 1) & tagged
    table = vendor_audit(facts.assign(topic_id=np.where(few, "few", np.where(tagged, "many", None))), {})
    verdict = table[table["metric"].eq("vendor_score")].set_index("key")["verdict"]
    assert verdict["few"] == "can't tell"
    assert verdict["many"] != "can't tell"


@given(
    st.lists(st.tuples(st.floats(0, 1), st.sampled_from([0.0, 1.0, None])), min_size=1, max_size=80),
)
def test_the_estimate_is_a_share_within_its_interval(conversations: list[tuple[float, float | None]]) -> None:
    """Whatever is claimed and tagged; and with too few tags there is none."""
    claimed = np.array([c for c, _ in conversations])
    right = np.array([np.nan if r is None else r for _, r in conversations])
    share = audited_share(claimed, right)
    if (~np.isnan(right)).sum() < LEAST_TAGS:
        assert np.isnan(share.estimate)
    else:
        assert 0 <= share.low <= share.estimate <= share.high <= 1
        assert share.low < share.high


def test_nothing_judged_is_an_empty_table() -> None:
    """A bundle without any metric of the vendor has no audit, and all columns."""
    facts, _ = facts_of(FLATTERS, 50, seed=4)
    table = vendor_audit(facts.assign(vendor_score=np.nan, answered=False), {})
    assert table.empty
    assert list(table.columns) == COLUMNS
    assert set(vendor_audit(facts, {})["verdict"]) <= set(VERDICTS)
