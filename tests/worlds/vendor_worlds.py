"""Planted worlds in which a vendor's flag is wrong by a known amount."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd

from lacuna.models.accuracy.vendor_audit import vendor_audit

CONVERSATIONS = 3000


class VendorWorld(NamedTuple):
    """How often answers are right, and the flag's share of yes among right and among wrong ones."""

    right: float
    if_right: float
    if_wrong: float


WORLDS = {
    "it flatters: silence counts as resolved": VendorWorld(0.51, 0.87, 0.46),
    "it flatters by far": VendorWorld(0.35, 0.95, 0.70),
    "it says yes to nearly all": VendorWorld(0.85, 1.0, 0.8),
    "it is too strict": VendorWorld(0.70, 0.60, 0.05),
    "it is right on the whole, by luck": VendorWorld(0.60, 0.80, 0.30),
    "it is nearly always right": VendorWorld(0.50, 0.97, 0.03),
    "it says nothing": VendorWorld(0.60, 0.50, 0.50),
    "nearly no answer is right": VendorWorld(0.04, 0.90, 0.50),
}


def facts_of(world: VendorWorld, random_tags: int, seed: int, escalated_tags: int = 0) -> tuple[pd.DataFrame, float]:
    """A made-up window in which the vendor's score judges all conversations, and the true share of right answers.

    So many conversations are tagged at random; and so many of the escalated besides, of which fewer answers are right.
    """
    rng = np.random.default_rng([seed, random_tags, escalated_tags])
    n = CONVERSATIONS
    right = rng.random(n) < world.right
    escalated = rng.random(n) < np.where(right, 0.1, 0.5)
    drawn, chosen = np.zeros(n, dtype=bool), np.zeros(n, dtype=bool)
    drawn[rng.choice(n, random_tags, replace=False)] = True
    chosen[rng.permutation(np.flatnonzero(escalated & ~drawn))[:escalated_tags]] = True
    facts = pd.DataFrame(
        {
            "answered": True,
            "escalated": escalated,
            "resolved": pd.array([None] * n, dtype="boolean"),
            "vendor_score": (rng.random(n) < np.where(right, world.if_right, world.if_wrong)).astype(float),
            "csat": np.nan,
            "right": np.where(drawn | chosen, right, np.nan),
            "tag_sample": pd.array(np.select([drawn, chosen], ["random", "escalated"], ""), dtype="str"),
            "topic_id": pd.array([None] * n, dtype="str"),
        }
    )
    return facts, float(right.mean())


def audits_of(world: VendorWorld, random_tags: int, times: int, escalated_tags: int = 0) -> pd.DataFrame:
    """The audit's row of each of so many worlds, with ``truth``."""
    rows = []
    for seed in range(times):
        facts, truth = facts_of(world, random_tags, seed, escalated_tags)
        rows.append(vendor_audit(facts, {}).assign(truth=truth))
    table = pd.concat(rows, ignore_index=True)
    return table[table["metric"].eq("vendor_score")].reset_index(drop=True)
