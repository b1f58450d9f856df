"""What too few customers share is named nowhere: in no value of a table that is measured by value."""

from __future__ import annotations

import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from lacuna.models.metrics.small_groups import without_small_groups

ROWS = st.lists(st.tuples(st.sampled_from(["X", "Y", "Z", None]), st.sampled_from(["a", "b", "c", None])), max_size=20)


@given(ROWS, st.integers(1, 4))
def test_a_value_stays_where_enough_customers_have_it(rows: list[tuple[str | None, str | None]], least: int) -> None:
    """Conversations without a customer count as one each; other columns and the order of rows stay."""
    facts = pd.DataFrame(rows, columns=["product", "customer_id"], dtype="str").assign(n=range(len(rows)))
    shown = without_small_groups(facts, ["product", "absent"], least)
    for number, (product, _) in enumerate(rows):
        of = [customer for other, customer in rows if other == product]
        enough = len({one for one in of if one is not None}) + of.count(None) >= least
        value = shown["product"][number]
        assert (value == product) if product is not None and enough else pd.isna(value)
    assert shown["n"].tolist() == list(range(len(rows)))


def test_customers_are_counted_where_it_is_said() -> None:
    """A value of many customers in all, and of one in the window, is one of one customer in the window's tables."""
    facts = pd.DataFrame({"customer_id": ["a", "b", "c"], "region": "West", "in_window": [True, False, False]})
    assert without_small_groups(facts, ["region"], 2)["region"].tolist() == ["West"] * 3
    assert without_small_groups(facts, ["region"], 2, facts["in_window"])["region"].isna().all()
