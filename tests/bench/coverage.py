"""How often the accuracy table's intervals hold the truth, in made-up deployments whose truth is known.

Each deployment has 40 groups, a few large and many small, of different accuracy; in some of them the signs (fallback,
escalation, CSAT) tell less than elsewhere. Reviewers tag a share of all conversations by chance, and a larger one of
the escalated; customers tag a few of their own. The plain interval beside it is Wilson's on a group's tags as they
come.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lacuna.models.accuracy.groups import group_accuracy
from lacuna.models.accuracy.outcome_model import chance_right, features, known_outcomes
from lacuna.models.metrics.intervals import wilson

SCENARIOS = (
    # share of all conversations audited by chance, share of the escalated tagged as well
    (0.20, 0.0), (0.05, 0.0), (0.05, 0.3), (0.01, 0.3), (0.01, 0.05), (0.002, 0.02), (0.0, 0.3), (0.0, 0.0),
)  # fmt: skip


class Deployment(NamedTuple):
    """Facts and outcomes as a run has them, and whether each answer was right."""

    facts: pd.DataFrame
    outcomes: pd.DataFrame
    right: NDArray[np.bool_]


def deployment(seed: int, audited: float, escalated_too: float, n: int = 3000, groups: int = 40) -> Deployment:
    """A made-up bot."""
    rng = np.random.default_rng(seed)
    size = 1 / np.arange(1, groups + 1) ** 0.8
    group = np.sort(rng.choice(groups, n, p=size / size.sum()))
    right = rng.random(n) < rng.beta(4, 3, groups)[group]
    telling = np.where(rng.random(groups) < 0.25, 0.5, 1.0)  # in a quarter of the groups the signs tell half as much
    goes = np.column_stack([0.5 - 0.4 * telling, 0.5 + 0.3 * telling])  # escalated where right, where wrong
    escalated = rng.random(n) < np.where(right, goes[group, 0], goes[group, 1])
    nothing = ~right & (rng.random(n) < 0.3 * telling[group])
    rated = rng.random(n) < 0.25
    csat = np.where(rated, np.clip(np.round(np.where(right, 4.2, 2.4) + rng.normal(0, 1, n)), 1, 5), np.nan)
    facts = pd.DataFrame(
        {
            "conversation_id": [f"c{i:05d}" for i in range(n)],
            "group": [f"g{g:02d}" for g in group],
            "escalated": escalated,
            "fallbacks": nothing.astype(int),
            "cited_first": pd.array([None if no else "kb-1" for no in nothing], dtype="str"),
            "csat": csat,
            "frustration": rng.random(n) < np.where(right, 0.03, 0.15),
            "match": rng.normal(0, 1, n) + right,
        }
    )
    ids, outcomes = facts["conversation_id"], np.where(right, "correct", "wrong")
    samples = {
        "random": rng.random(n) < audited,
        "escalated": (rng.random(n) < escalated_too) & escalated,
        "feedback": rng.random(n) < np.where(right, 0.002, 0.02),
    }
    tags = [pd.DataFrame({"conversation_id": ids[m], "outcome": outcomes[m], "sample": k}) for k, m in samples.items()]
    return Deployment(facts, pd.concat(tags, ignore_index=True), right)


def estimated(deployed: Deployment, confidence: float = 0.95) -> pd.DataFrame:
    """The accuracy table of a deployment as a run makes it, with the truth and the plain interval beside it."""
    tags = known_outcomes(deployed.outcomes).astype({"sample": "str"})
    facts = deployed.facts.merge(tags, how="left", on="conversation_id")
    right, escalated = facts["right"].to_numpy(dtype=float), facts["escalated"].to_numpy(dtype=bool)
    chances = chance_right(features(facts), right, escalated)
    random = facts["sample"].eq("random").to_numpy(dtype=bool)
    table = group_accuracy(facts["group"], right, chances, escalated, random, confidence)
    group = facts["group"]
    every, alone = (pd.Series(deployed.right)[m].groupby(group[m]).mean() for m in (group.notna(), facts["escalated"]))
    truth = np.where(table["basis"].eq("escalated only"), alone.reindex(table["key"]), every.reindex(table["key"]))
    table["truth"] = truth
    tagged = facts.groupby("group")["right"].agg(["sum", "count"]).reindex(table["key"])
    table["plain_low"], table["plain_high"] = wilson(tagged["sum"].to_numpy(), tagged["count"].to_numpy(), confidence)
    return table


def coverage(draws: int = 60) -> int:
    """Print, for each way of tagging, how often the truth lies in the 95 % interval and how wide that is."""
    print(f"{draws} deployments of 3,000 conversations in 40 groups; intervals of 95 %")
    print(
        "audited  of the escalated  tags   basis            groups  covers  width   error   plain covers  plain width"
    )
    for audited, escalated_too in SCENARIOS:
        parts = [estimated(deployment(seed, audited, escalated_too)) for seed in range(draws)]
        table = pd.concat(parts, ignore_index=True)
        tags = table["n_tagged"].sum() / draws
        for basis, own in [("(every group)", table), *table.groupby("basis")]:
            holds = own["truth"].between(own["low"], own["high"])
            with_tags = own[own["n_tagged"] > 0]
            plain_covers = with_tags["truth"].between(with_tags["plain_low"], with_tags["plain_high"])
            width, error = (own["high"] - own["low"]).mean(), (own["accuracy"] - own["truth"]).abs().mean()
            plain_width = (with_tags["plain_high"] - with_tags["plain_low"]).mean()
            print(
                f"{audited:7.1%}{escalated_too:18.0%}{tags:6.0f}   {basis!s:16}{len(own) / draws:7.1f}"
                f"{holds.mean():8.1%}{width:7.2f}{error:8.3f}"
                + (f"{plain_covers.mean():13.1%}{plain_width:13.2f}" if len(with_tags) else ""),
                flush=True,
            )
    return 0
