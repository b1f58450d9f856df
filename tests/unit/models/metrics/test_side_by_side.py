"""Two bots on the same topics: the mix of topics is no part of the difference, and the interval holds the truth."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from lacuna.models.metrics.side_by_side import COLUMNS, side_by_side
from lacuna.pipelines.report.render import render_report
from lacuna.pipelines.report.side_by_side import sides
from tests.support.sample_run import sample_run

TOPICS = np.array([0.1, 0.2, 0.35, 0.5, 0.7])  # how often the old bot fails
MIX = {"old": [0.4, 0.3, 0.15, 0.1, 0.05], "new": [0.05, 0.1, 0.15, 0.3, 0.4]}


def world(difference: float, seed: int, n: int = 600) -> pd.DataFrame:
    """Two bots with as many conversations each; the new one is asked the harder topics, and fails by so much less."""
    rng = np.random.default_rng(seed)
    parts = []
    for bot, mix in MIX.items():
        topic = rng.choice(len(TOPICS), n, p=mix)
        chance = TOPICS[topic] - (difference if bot == "new" else 0.0)
        failed = rng.random(n) < chance
        parts.append(
            pd.DataFrame({"bot": bot, "topic_id": [f"t-{t}" for t in topic], "p_failed": failed.astype(float)})
        )
    facts = pd.concat(parts, ignore_index=True)
    return facts.assign(escalated=facts["p_failed"] > 0.5)


def over_all(facts: pd.DataFrame) -> pd.Series:
    table = side_by_side(facts, "bot", {})
    return table[table["topic_id"].isna() & table["outcome"].eq("failed")].iloc[0]


def test_the_bot_that_gets_the_harder_questions_is_not_blamed() -> None:
    """Plainly it fails far more; on the same topics it fails less, and clearly so."""
    row = over_all(world(0.08, seed=1, n=1500))
    assert (row["one"], row["other"]) == ("new", "old")
    assert row["plain_difference"] > 0.1
    assert row["high"] < 0
    assert row["difference"] == pytest.approx(-0.08, abs=0.04)


@pytest.mark.parametrize("difference", [0.0, 0.08])
def test_the_interval_holds_the_planted_difference(difference: float) -> None:
    """In at least 91 % of worlds, at 95 %."""
    rows = pd.DataFrame([over_all(world(difference, seed)) for seed in range(60)])
    assert (rows["low"].le(-difference) & rows["high"].ge(-difference)).mean() >= 0.91


def test_the_topic_that_differs_most_clearly_stands_first() -> None:
    """One topic is planted to be far better with the new bot."""
    facts = world(0.0, seed=3, n=1500)
    better = facts["bot"].eq("new") & facts["topic_id"].eq("t-3")
    facts.loc[better, "p_failed"] = 0.0
    table = side_by_side(facts, "bot", {"t-3": "Refunds"})
    topics = table[table["topic_id"].notna() & table["outcome"].eq("failed")]
    assert topics["label"].iloc[0] == "Refunds"
    assert topics["high"].iloc[0] < 0


def test_the_report_says_who_does_better_and_why_the_plain_figure_misleads() -> None:
    """One entry an outcome, with a sentence and its topics."""
    entries = sides(side_by_side(world(0.08, seed=1, n=1500), "bot", {"t-0": "<b>Returns</b>"}))
    assert [entry["heading"].split(": ")[1] for entry in entries] == ["new does better", "new does better"]
    assert "5 topics that both have" in entries[0]["sentence"]
    assert "Without regard to topics it is +" in entries[0]["sentence"]
    page = render_report(replace(sample_run(), side_by_side=side_by_side(world(0.08, 1), "bot", {"t-0": "<b>Returns"})))
    assert 'id="side-by-side"' in page
    assert "&lt;b&gt;Returns" in page


def test_what_has_nothing_in_common_is_not_compared() -> None:
    """No shared topic, a value of few conversations, or one value alone gives no row, and all columns."""
    facts = world(0.0, seed=4)
    apart = facts.assign(topic_id=facts["bot"] + facts["topic_id"])
    few = facts[facts["bot"].eq("old") | (facts.index < 620)]
    for table in (side_by_side(apart, "bot", {}), side_by_side(few, "bot", {})):
        assert table.empty
        assert list(table.columns) == COLUMNS
