"""Values that too few customers share are emptied before anything is computed, so that no later step can show them."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from lacuna.models.metrics.small_groups import small_values

__all__ = ["without_small_values"]

# Columns that hold the same kind of value, by table: a value counts over all of them.
_KINDS: tuple[dict[str, tuple[str, ...]], ...] = (
    {"conversations": ("channel",)},
    {"conversations": ("region",)},
    {"conversations": ("product",)},
    {"conversations": ("language",), "searches": ("language",)},
    {"conversations": ("predicted_intent",), "outcomes": ("true_intent",)},
)
# Kinds that an owner's areas may name.
_AREAS = ("product", "predicted_intent")


def without_small_values(tables: Mapping[str, pd.DataFrame], least: int, compared: str = "") -> dict[str, pd.DataFrame]:
    """The tables without values that fewer than ``least`` distinct customers have.

    Parameters
    ----------
    tables
        conversations, outcomes, searches and owners, with the columns of their contract.
    least
        Distinct customers that a value of channel, region, product, language or intent needs. A conversation, and a
        search that no conversation followed, without a customer counts as one of its own.
    compared
        A further column of conversations that is shown by value; "" for none.

    Returns
    -------
    dict
        The same tables, small values null; of owners' ``areas``, those that are such a value are left out.
    """
    emptied = dict(tables)
    if least <= 1:
        return emptied
    named = {column for kind in _KINDS for column in kind.get("conversations", ())}
    extra = () if not compared or compared in named else ({"conversations": (compared,)},)
    who = _customers(tables)
    small_areas: set[str] = set()
    for kind in (*_KINDS, *extra):
        places = [(name, column) for name, columns in kind.items() for column in columns if column in tables[name]]
        if not places:
            continue
        values = pd.concat([tables[name][column] for name, column in places], ignore_index=True)
        customers = pd.concat([who[name] for name, _ in places], ignore_index=True)
        small = small_values(values, customers, least)
        if not small:
            continue
        for name, column in places:
            there = emptied[name][column]
            emptied[name] = emptied[name].assign(**{column: there.mask(there.isin(small))})
        if any(column in _AREAS for _, column in places):
            small_areas |= small
    if small_areas:
        owners = emptied["owners"]
        areas = [
            [area for area in areas if area not in small_areas] if isinstance(areas, list) else areas
            for areas in owners["areas"]
        ]
        emptied["owners"] = owners.assign(areas=pd.Series(areas, owners.index, dtype="object"))
    return emptied


def _customers(tables: Mapping[str, pd.DataFrame]) -> dict[str, pd.Series]:
    """Whose each row of a table is: the customer, else the conversation; null where neither is known."""
    conversations = tables["conversations"]
    ids = conversations["conversation_id"].astype("object")
    # The prefixes keep a customer's id from ever meeting a conversation's.
    own = ("u:" + conversations["customer_id"].astype("object")).fillna("c:" + ids)
    by_id = pd.Series(own.to_numpy(), index=ids.to_numpy()).groupby(level=0).first()
    others = {name: tables[name]["conversation_id"].astype("object").map(by_id) for name in ("outcomes", "searches")}
    return {"conversations": own, **others}
