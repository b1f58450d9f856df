"""Values that so few customers share that to name them is to name a person."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

__all__ = ["without_small_groups"]


def without_small_groups(
    facts: pd.DataFrame, columns: Sequence[str], least: int, among: pd.Series | None = None
) -> pd.DataFrame:
    """The facts with no value that fewer than ``least`` customers have.

    Parameters
    ----------
    facts
        One row a conversation, with ``customer_id`` (str or null). A conversation without customer counts as one of
        its own, as everywhere.
    columns
        Those whose small values become null, such as product and region; absent ones are passed over.
    least
        Distinct customers that a value needs.
    among
        bool, index of ``facts``: the rows in which customers are counted; all by default.

    Examples
    --------
    >>> facts = pd.DataFrame({"customer_id": ["a", "b", "b", "c"], "product": ["X", "X", "Y", "X"]})
    >>> without_small_groups(facts, ["product"], 2)["product"].fillna("-").tolist()
    ['X', 'X', '-', 'X']
    """
    if least <= 1:
        return facts
    counted = facts if among is None else facts[among.to_numpy(dtype=bool)]
    customers = counted["customer_id"]
    kept = {}
    for column in columns:
        if column in facts:
            by = counted[column]
            distinct = customers.groupby(by).nunique() + customers.isna().groupby(by).sum()
            enough = set(distinct.index[distinct >= least])
            kept[column] = facts[column].where(facts[column].isin(enough))
    return facts.assign(**kept)
