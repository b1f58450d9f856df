"""Tables between steps are as they are declared, or the step that writes them says what is wrong."""

from __future__ import annotations

import pandas as pd
import pytest

from lacuna.data_contracts.errors import TableUndeclared, TableWrong
from lacuna.data_contracts.step_tables import check_step_table, step_table, step_tables
from lacuna.pipelines.steps import STEPS

GOOD = pd.DataFrame(
    {"conversation_id": ["a", "b"], "question": ["x", "y"], "language": ["en", None], "key": ["1", "2"]}
)
QUESTIONS = step_table("understand/questions")


def test_a_table_as_declared_passes() -> None:
    """The columns may stand in any order; a column without a value may have any dtype."""
    check_step_table(QUESTIONS, GOOD[["key", "language", "question", "conversation_id"]])
    check_step_table(QUESTIONS, GOOD.assign(language=pd.Series([None, None], dtype="object")))
    check_step_table(QUESTIONS, pd.DataFrame())


@pytest.mark.parametrize(
    ("frame", "message"),
    [
        (GOOD.drop(columns="key"), "lacks the column 'key'"),
        (GOOD.assign(extra=1), "has a column 'extra' that is not declared"),
        (GOOD.assign(key=[1, 2]), "questions.key is int64, and is declared as str"),
        (GOOD.assign(conversation_id="a"), "has 'a' twice"),
    ],
)
def test_a_table_that_is_not_as_declared_is_refused(frame: pd.DataFrame, message: str) -> None:
    """The message names the table, the column or the key, and where it is declared."""
    with pytest.raises(TableWrong, match=message) as refused:
        check_step_table(QUESTIONS, frame)
    assert "data_contracts/tables" in refused.value.remedy


def test_a_table_that_nobody_declared_is_refused() -> None:
    """A new table starts with its description."""
    with pytest.raises(TableUndeclared, match="understand/notes"):
        step_table("understand/notes")


def test_a_bundle_s_own_columns_are_carried_through() -> None:
    """Extra columns of an input table stay in what load and redact write."""
    row = {name: [None] for name in (column.name for column in step_table("load/owners").columns)}
    check_step_table(step_table("redact/owners"), pd.DataFrame(row | {"owner_id": ["o-1"], "desk": ["left"]}))


def test_every_column_says_what_it_holds() -> None:
    """Names are unique within a table, and each has a meaning."""
    for step in (*STEPS, "published"):
        for table in step_tables(step).values():
            names = [column.name for column in table.columns]
            assert len(set(names)) == len(names), table.name
            assert all(column.doc for column in table.columns), table.name
            assert set(table.key) <= set(names), table.name
            assert table.grain, table.name
