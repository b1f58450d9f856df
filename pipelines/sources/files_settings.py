"""The settings of a source of kind `files`: which files there are, and how their columns and values are read."""

from __future__ import annotations

import re
import tomllib
from importlib.resources import files
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from lacuna.data_contracts.contract import TABLES
from lacuna.data_contracts.units import UNITS
from lacuna.pipelines.io.mapping import check_column, check_words, mapping_wrong
from lacuna.pipelines.presentation.section import Section
from lacuna.pipelines.presentation.suggestions import likely
from lacuna.pipelines.sources.source import OF_CONVERSATIONS, SourceSettings

__all__ = ["Constant", "Entry", "FilesSettings", "Joined", "entry_lines", "entry_of"]

# What is found out from the messages where no column says it.
_DERIVED = {"conversations": ("started_at", "escalated"), "messages": ("position",), "outcomes": ()}


class Constant(Section):
    """The same value in every row."""

    constant: str | bool | int | float


class Joined(Section):
    """Several columns as one text; those without a value are passed over."""

    join: Annotated[list[str], Field(min_length=1)]
    by: str


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise mapping_wrong(f"there is no time zone {name!r}; one is named as Europe/Berlin") from None
    return name


def _speaker(pattern: str) -> str:
    try:
        groups = re.compile(pattern).groupindex
    except re.error as error:
        raise mapping_wrong(f"{pattern!r} is no regular expression: {error}") from None
    if pattern and "speaker" not in groups:
        raise mapping_wrong(f"{pattern!r} has no group (?P<speaker>…)")
    return pattern


class Entry(Section):
    """How a file, or several of one layout, are read. Defaults are in ``files_entry.toml``, beside this file."""

    path: Annotated[str, Field(min_length=1)]
    format: Literal["", "csv", "jsonl", "json", "parquet", "xlsx"]
    sheet: str
    encoding: str
    time_zone: Annotated[str, AfterValidator(_zone)]
    separator: str
    names: list[str]
    speaker: Annotated[str, AfterValidator(_speaker)]
    each: dict[str, str]
    skip: dict[str, list[str]]
    columns: Annotated[dict[str, dict[str, str | Constant | Joined]], Field(min_length=1)]
    values: dict[str, dict[str, dict[str, str | bool | int | float]]]
    times: dict[str, dict[str, str]]

    @model_validator(mode="after")
    def _are_columns(self) -> Entry:
        for table, columns in self.columns.items():
            for column in columns:
                _check(table, column)
            lacking = [name for name in TABLES[table].needed if name not in (*columns, *_DERIVED.get(table, ()))]
            if lacking:
                raise mapping_wrong(f"[….columns.{table}] has no '{lacking[0]}', which every row needs")
        for section in (self.values, self.times):
            for table, of in section.items():
                for column in of:
                    _check(table, column)
                    if column not in self.columns.get(table, {}):
                        raise mapping_wrong(f"{table}.{column} has values or a time, but [….columns.{table}] lacks it")
        unknown = next((table for table in self.each if table not in self.columns), None)
        if unknown:
            raise mapping_wrong(f"each names '{unknown}', of which [….columns] has nothing")
        return self

    @model_validator(mode="after")
    def _are_values(self) -> Entry:
        for table, words in self.values.items():
            for column, translated in words.items():
                check_words(table, column, translated.values())
        for table, units in self.times.items():
            for column, unit in units.items():
                if unit not in UNITS and "%" not in unit:
                    raise mapping_wrong(
                        f"{table}.{column} takes one of {', '.join(UNITS)}, or a format as %d.%m.%Y %H:%M: not {unit!r}"
                    )
        return self

    @property
    def of_conversations(self) -> bool:
        """Whether it gives rows of conversations, or of what goes with them."""
        return any(table in OF_CONVERSATIONS for table in self.columns)


def _check(table: str, column: str) -> None:
    if (table, column) != ("conversations", "updated_at"):  # a pulled conversation has it besides
        check_column(table, column)


def _with_defaults(entry: Any) -> Any:
    if not isinstance(entry, dict):
        return entry
    defaults = tomllib.loads(entry_lines())
    unknown = next((key for key in entry if key not in defaults), None)
    if unknown:
        close = likely(unknown, defaults)
        meant = f", did you mean '{close}'?" if close else ""
        raise mapping_wrong(f"there is no key '{unknown}'{meant}; there are {', '.join(defaults)}")
    recipes = {
        table: {ours: {"by": " "} | how if isinstance(how, dict) and "join" in how else how for ours, how in of.items()}
        for table, of in entry.get("columns", {}).items()
        if isinstance(of, dict)
    }
    return defaults | entry | {"columns": recipes}


def entry_lines() -> str:
    """An entry's keys with their defaults and comments, as TOML."""
    return files("lacuna.pipelines.sources").joinpath("files_entry.toml").read_text(encoding="utf-8")


def entry_of(keys: dict[str, Any]) -> Entry:
    """An entry from some of its keys; the others have their defaults."""
    return Entry.model_validate(_with_defaults(keys))


class FilesSettings(SourceSettings):
    """Which files there are, and what they hold together."""

    files: Annotated[list[Annotated[Entry, BeforeValidator(_with_defaults)]], Field(min_length=1)]
    whole: bool
    escalated_by_agents: bool
    bad_rows_at_most: Annotated[float, Field(ge=0, le=1)]
