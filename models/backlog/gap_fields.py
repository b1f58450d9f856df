"""Metadata of the fields of a gap, and functions that read plain values as a field's type."""

from __future__ import annotations

import json
import types
from collections.abc import Callable
from dataclasses import MISSING, dataclass, fields
from functools import cache
from typing import Any, Union, get_args, get_origin, get_type_hints, is_typeddict

from lacuna.data_contracts.contract import Column

__all__ = ["GapField", "Sheet", "column", "contract_columns", "gap_fields", "value_type"]

_KEY = "column"
_LAST = 1_000


@dataclass(frozen=True)
class Sheet:
    """A field's column on the workbook's first sheet.

    Parameters
    ----------
    place
        Columns are ordered by place, then by the order of the fields.
    heading
        The column's heading.
    width
        In characters.
    style
        text, strong, wrap, whole, rate, share, two or money (`pipelines/steps/publish/sheets.py`).
    """

    place: int = _LAST
    heading: str = ""
    width: float = 14
    style: str = "text"


@dataclass(frozen=True)
class _Metadata:
    meaning: str
    unit: str
    alias: str
    sheet: Sheet | None
    remembered: bool
    in_lists: bool


def column(
    meaning: str,
    *,
    unit: str = "",
    alias: str = "",
    sheet: Sheet | None = None,
    remembered: bool = False,
    in_lists: bool = True,
) -> dict[str, _Metadata]:
    """The metadata of a field of a gap.

    Parameters
    ----------
    meaning
        What it holds, as the contract says it.
    unit
        What a number counts.
    alias
        Its name in the version before: files have the column under both names, and older files are read by this one.
    sheet
        Its column in the workbook; None for none.
    remembered
        Whether the state database keeps it for the next run and for decisions.
    in_lists
        Whether the API's list of gaps has it; a gap's own address always does.
    """
    return {_KEY: _Metadata(meaning, unit, alias, sheet, remembered, in_lists)}


@dataclass(frozen=True)
class GapField(_Metadata):
    """One field of a gap with its metadata; see :func:`column`.

    ``type`` is the annotation, ``required`` whether it has no default: such a field is never null.
    """

    name: str
    type: Any
    required: bool
    read: Callable[[Any], Any]


def gap_fields(record: type) -> tuple[GapField, ...]:
    """The fields of a record of gaps, in order."""
    return _fields(record)


@cache
def _fields(record: Any) -> tuple[GapField, ...]:
    hints = get_type_hints(record)
    described = []
    for one in fields(record):
        metadata: _Metadata = one.metadata[_KEY]
        required = one.default is MISSING and one.default_factory is MISSING
        hint = hints[one.name]
        described.append(GapField(**vars(metadata), name=one.name, type=hint, required=required, read=_reader(hint)))
    return tuple(described)


def contract_columns(record: type) -> tuple[Column, ...]:
    """The columns of every file that holds gaps, in order: the fields, an alias right after its field."""
    columns = []
    for one in gap_fields(record):
        columns.append(Column(one.name, _contract_type(one.type), one.required, one.meaning, one.unit))
        if one.alias:
            former = f"the former name of {one.name}, for one version"
            columns.append(Column(one.alias, _contract_type(one.type), one.required, former, one.unit))
    return tuple(columns)


def value_type(annotation: Any) -> Any:
    """A type without the None that it allows."""
    if get_origin(annotation) in (Union, types.UnionType):
        return next(one for one in get_args(annotation) if one is not type(None))
    return annotation


def _contract_type(annotation: Any) -> str:
    """The contract's name of a type (:mod:`data_contracts.casts`)."""
    type_ = value_type(annotation)
    if get_origin(type_) is list:
        return "records" if is_typeddict(get_args(type_)[0]) else "list"
    return "record" if is_typeddict(type_) else str(type_.__name__)


def _reader(annotation: Any) -> Callable[[Any], Any]:
    """A function that reads a plain value as a type; a value that does not fit becomes null.

    A missing list becomes an empty one, a missing dict stays null, and keys that the type does not have are dropped.
    """
    type_ = value_type(annotation)
    if get_origin(type_) is list:
        return _list_reader(_reader(get_args(type_)[0]))
    if is_typeddict(type_):
        return _record_reader({name: _reader(hint) for name, hint in get_type_hints(type_).items()})
    return {str: _text, bool: _flag, int: _number(int), float: _number(float)}[type_]


def _list_reader(read: Callable[[Any], Any]) -> Callable[[Any], list[Any]]:
    def read_list(value: Any) -> list[Any]:
        items = value if isinstance(value, list) else [] if value is None else [value]
        return [item for each in items if (item := read(each)) is not None]

    return read_list


def _record_reader(readers: dict[str, Callable[[Any], Any]]) -> Callable[[Any], dict[str, Any] | None]:
    def read_record(value: Any) -> dict[str, Any] | None:
        if not isinstance(value, dict):
            return None
        return {name: read(value.get(name)) for name, read in readers.items()}

    return read_record


def _text(value: Any) -> str | None:
    return value if value is None or isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _flag(value: Any) -> bool | None:
    return None if value is None else bool(value)


def _number(kind: type[int] | type[float]) -> Callable[[Any], Any]:
    def read_number(value: Any) -> Any:
        try:
            return None if value is None else kind(value)
        except (TypeError, ValueError):
            return None

    return read_number
