"""Values that so few customers share that to name them is to name a person."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

__all__ = ["small_values", "without_small_groups"]


def small_values(values: pd.Series, customers: pd.Series, least: int) -> set[str]:
    """The values that fewer than ``least`` distinct customers have.

    Parameters
    ----------
    values
        Of one column, or of several that hold the same kind of value, one after the other; nulls are no value.
    customers
        Whose each value is, same index. Who is not known (null) counts as one of their own each time.
    least
        Distinct customers that a value needs.

    Examples
    --------
    >>> small_values(pd.Series(["X", "X", "X", "Y", "Y"]), pd.Series(["a", "a", "b", "c", "c"]), 2)
    {'Y'}
    """
    distinct = customers.groupby(values).nunique() + customers.isna().groupby(values).sum()
    return set(distinct.index[distinct < least])


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
    kept = {}
    for column in columns:
        if column in facts:
            enough = set(counted[column].dropna()) - small_values(counted[column], counted["customer_id"], least)
            kept[column] = facts[column].where(facts[column].isin(enough))
    return facts.assign(**kept)
