"""What too few customers share is emptied as it is loaded, wherever the bundle says it."""

from __future__ import annotations

from typing import Any

import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from lacuna.pipelines.steps.load.small_values import without_small_values

VALUE = st.sampled_from(["X", "Y", None])
ROWS = st.lists(st.tuples(VALUE, VALUE, st.sampled_from(["a", "b", "c", None]), VALUE, VALUE), max_size=12)


def tables(rows: list[tuple[str | None, ...]]) -> dict[str, pd.DataFrame]:
    """Conversations with product and intent, tags with a true intent, searches with a language, and one owner."""
    ids = [f"c{number}" for number in range(len(rows))]
    columns: list[Any] = [list(column) for column in zip(*rows, strict=True)] or [[]] * 5
    product, intent, customer, true_intent, language = (pd.Series(column, dtype="str") for column in columns)
    named = pd.Series(ids, dtype="str")
    return {
        "conversations": pd.DataFrame(
            {"conversation_id": named, "customer_id": customer, "product": product, "predicted_intent": intent}
        ),
        "outcomes": pd.DataFrame({"conversation_id": named, "true_intent": true_intent}),
        "searches": pd.DataFrame({"conversation_id": named, "language": language}),
        "owners": pd.DataFrame({"owner_id": ["o"], "areas": [["X", "Y", "article:*"]]}),
    }


@given(ROWS, st.integers(1, 4))
def test_a_value_stays_where_enough_customers_have_it(rows: list[tuple[str | None, ...]], least: int) -> None:
    """Predicted and true intents count together; owners' areas lose what is emptied, and nothing else changes."""
    before = tables(rows)
    after = without_small_values(before, least)
    who = [customer or f"c{number}" for number, (_, _, customer, _, _) in enumerate(rows)]
    places = {
        "product": [("conversations", "product", 0)],
        "intent": [("conversations", "predicted_intent", 1), ("outcomes", "true_intent", 3)],
        "language": [("searches", "language", 4)],
    }
    small_areas = set()
    for kind, columns in places.items():
        of = {v: {who[n] for n, row in enumerate(rows) for *_, at in columns if row[at] == v} for v in ("X", "Y")}
        small = {value for value, customers in of.items() if 0 < len(customers) < least}
        small_areas |= small if kind != "language" else set()
        for table, column, _ in columns:
            there, left = before[table][column], after[table][column]
            assert [None if pd.isna(one) else one for one in left] == [
                None if pd.isna(one) or one in small else one for one in there
            ]
    assert after["owners"]["areas"][0] == [area for area in ("X", "Y", "article:*") if area not in small_areas]
    assert after["conversations"]["customer_id"].equals(before["conversations"]["customer_id"])


def test_a_column_that_is_compared_is_emptied_too() -> None:
    """One of the bundle's own, such as the bot."""
    rows = tables([("X", None, customer, None, None) for customer in ("a", "b", "c")])
    rows["conversations"]["bot"] = ["new", "old", "old"]
    assert without_small_values(rows, 2, "bot")["conversations"]["bot"].isna().tolist() == [True, False, False]
    assert without_small_values(rows, 2)["conversations"]["bot"].notna().all()
