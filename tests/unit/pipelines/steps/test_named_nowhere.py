"""People whom a bundle names outside of its texts: in ids of conversations, in extra columns, in rejected rows."""

from __future__ import annotations

import json

import pandas as pd

from lacuna.data_contracts.casts import conform
from lacuna.data_contracts.contract import TABLES
from lacuna.pipelines.steps.redact.quarantine import redacted_findings, redacted_rows


def test_a_conversation_that_is_named_by_an_address_gets_another_id() -> None:
    """The same one in every table, so that they still join; other ids stay."""
    ids = ["jo.miller@example.org", "c-1", "user@host", "@jo"]
    ours = {
        name: conform(TABLES[name], pd.DataFrame({"conversation_id": ids}))[0]["conversation_id"].tolist()
        for name in ("conversations", "messages", "outcomes")
    }
    assert len({tuple(one) for one in ours.values()}) == 1
    first, *others = ours["messages"]
    assert others == ids[1:]
    assert "jo" not in first
    assert first.startswith("c-")


def test_what_no_column_explains_is_masked_in_rejected_rows() -> None:
    """Extra columns, people's names and rows without columns keep their form alone; what was redacted stays named."""
    record = {
        "owner_id": "o-1", "name": "Jo Miller", "email": "jo@example.org", "mobile": 170123, "weekly_capacity": -1,
        "notes": {"said": "Ask Jo"}, "vip": True,
    }  # fmt: skip
    rows = pd.DataFrame(
        {
            "value": ["-1", "o-2;Jo Miller;too;many"],
            "message": ["below 0", "4 fields"],
            "record": [json.dumps(record), "o-2;Jo Miller;<EMAIL>;many"],
        }
    )
    kept = redacted_rows(rows, lambda texts, of: (list(texts), {}), "owners")
    assert json.loads(kept["record"][0]) == {
        "owner_id": "o-1", "name": "xx xxxxxx", "email": "xx@xxxxxxx.xxx", "mobile": "999999", "weekly_capacity": -1,
        "notes": {"said": "xxx xx"}, "vip": True,
    }  # fmt: skip
    assert kept["record"][1] == "x-9;xx xxxxxx;<EMAIL>;xxxx"
    assert kept["value"].tolist() == ["-1", "x-9;xx xxxxxx;xxx;xxxx"]
    assert "Miller" not in kept.to_string()


def test_a_warning_shows_the_form_of_a_value_alone() -> None:
    """Where people or groups of customers stand; elsewhere its texts are redacted."""
    finding = {
        "table": "owners", "rule": "owner_ids_alike", "column": "name", "message": "name must be none, not 'Jo Miller'",
        "examples": [["owners.csv", 3, "name", "Jo Miller"], ["owners.csv", 4, "active", "ask Jo"]],
        "remedy": "mend it",
    }  # fmt: skip
    (shown,) = redacted_findings([finding], lambda texts, of: (list(texts), {}))
    assert shown["message"] == "name must be none, not 'xx xxxxxx'"
    assert [example[3] for example in shown["examples"]] == ["xx xxxxxx", "xxx xx"]
    assert shown["remedy"] == "mend it"
    assert redacted_findings([{"rule": "x", "message": "said"}], lambda texts, of: (list(texts), {})) == [
        {"rule": "x", "message": "said"}
    ]


def test_ids_that_are_phone_numbers_are_replaced_in_lists_too() -> None:
    """Those of staff stay: they are named on purpose."""
    row = {"conversation_id": ["c"], "article_ids": [["kb-1", "+49 30 901820"]], "tagged_by": ["jo@example.org"]}
    typed = conform(TABLES["messages"], pd.DataFrame(row))[0]["article_ids"][0]
    assert typed == ["kb-1", "c-26c9ac89e378a9a9"]
    assert conform(TABLES["outcomes"], pd.DataFrame(row))[0]["tagged_by"][0] == "jo@example.org"
