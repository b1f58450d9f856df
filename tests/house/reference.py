"""The pages in ``docs/`` that are written from the code: ``make docs`` writes them, a test says that they are true."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace

import typer.cli
import typer.main

from lacuna.data_contracts.contract import INPUTS, TABLES, Column, Table
from lacuna.data_contracts.step_tables import StepTable, step_table, step_tables
from lacuna.models.backlog.gap import Gap
from lacuna.models.backlog.gap_fields import contract_columns
from lacuna.pipelines.cli.main import app
from lacuna.pipelines.steps import STEPS
from tests.house.licenses import licenses_page
from tests.support.paths import REPO

BACKLOG = REPO / "data_contracts" / "tables" / "outputs" / "backlog.toml"
HEAD = "Written from the code by `make docs`; a test compares the two. Change the code, not this page.\n"


def command_line() -> str:
    """Every command of ``lacuna`` with its arguments and options, as ``--help`` prints them."""
    command = typer.main.get_command(app)
    context = typer.Context(command, info_name="lacuna")
    text = typer.cli.get_docs_for_click(obj=command, ctx=context, name="lacuna", title="The command line")
    title, rest = text.strip().split("\n", 1)
    return f"{title}\n\n{HEAD}{rest}\n"


def tables() -> str:
    """Every table with its columns: what comes in, what goes from step to step, and what a run publishes."""
    parts = [
        f"# The tables\n\n{HEAD}",
        "Types of input tables are read as [`data_contracts/casts.py`](../data_contracts/casts.py) says."
        " Lists and records are nested columns in Parquet. No two rows share a *key*. **R** = required.\n",
        "## What comes in: a bundle\n",
        *(_input(TABLES[name]) for name in INPUTS),
        "## What a run publishes\n",
        _input(replace(TABLES["backlog"], columns=contract_columns(Gap))),
        *(_step(table) for table in step_tables("published").values()),
        "## What steps hand to one another\n",
        "In `STORE/.work/<run>/<step>/` while a run goes on. `load` and `redact` write the bundle's tables again, with"
        " the columns above.\n",
        *(_step(table) for step in STEPS for table in step_tables(step).values()),
    ]
    return "\n".join(parts)


def _input(table: Table) -> str:
    lines = [f"### {table.name}\n", f"{table.grain[:1].upper()}{table.grain[1:]}. Key: {_code(table.key)}."]
    if table.role == "input":
        lines.append(f"{'Required' if table.required else 'Optional'}; a run bears {table.limit:.0%} of bad rows.")
    lines += ["", "| column | type | | meaning |", "|---|---|---|---|"]
    for column in table.columns:
        rules = "; ".join(
            rule.says() for rule in table.rules
            if rule.column == column.name and rule.rule not in ("readable", "not_null", "unique", "rounded")
        )  # fmt: skip
        meaning = "; ".join(filter(None, [_meaning(column), rules]))
        lines.append(f"| `{column.name}` | {column.type} | {'**R**' if column.required else ''} | {_cell(meaning)} |")
    return "\n".join([*lines, ""])


def _step(table: StepTable) -> str:
    where = f" in `{table.file}`" if table.file else ""
    key = f" Key: {_code(table.key)}." if table.key else ""
    lines = [f"### {table.name}\n", f"{table.grain[:1].upper()}{table.grain[1:]}{where}.{key}"]
    base = table.extends.removeprefix("inputs/").removeprefix("outputs/")
    inherited = len(TABLES[base].columns if base in TABLES else step_table(base).columns) if base else 0
    own = table.columns[inherited:]
    if base:
        lines.append(f"All columns of [{base}](#{base.replace('/', '')}){', and:' if own else '.'}")
    if own:
        lines += ["", "| column | type | meaning |", "|---|---|---|"]
    lines += [f"| `{column.name}` | {column.type} | {_cell(_meaning(column))} |" for column in own]
    return "\n".join([*lines, ""])


def _meaning(column: Column) -> str:
    return f"{column.unit}: {column.doc}" if column.unit else column.doc


def _code(names: tuple[str, ...]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;")


def backlog_contract() -> str:
    """The contract of the backlog, its columns as the fields of a gap say them; the rest stands as it is."""
    lines = []
    for one in contract_columns(Gap):
        entry = {"name": one.name, "type": one.type, "required": one.required, "unit": one.unit, "doc": one.doc}
        cells = (f"{name} = {json.dumps(value, ensure_ascii=False)}" for name, value in entry.items() if value)
        lines.append(f"  {{ {', '.join(cells)} }},\n")
    columns = f"columns = [\n{''.join(lines)}]\n"
    return re.sub(r"^columns = \[\n.*?^\]\n", lambda _: columns, BACKLOG.read_text("utf-8"), flags=re.M | re.S)


PAGES: dict[str, Callable[[], str]] = {"cli.md": command_line, "licenses.md": licenses_page, "tables.md": tables}


def main() -> None:
    """Write all pages, and the contract of the backlog."""
    BACKLOG.write_text(backlog_contract(), encoding="utf-8")
    for name, page in PAGES.items():
        (REPO / "docs" / name).write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()
