"""Values as databases give them, as values of the contract's types, and as plain JSON for a cursor.

What one driver gives as a datetime is text in another, and an id may come as a number, a Decimal or a UUID.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

__all__ = ["CONVERTERS", "as_stored", "earlier", "from_cursor", "moment", "to_cursor"]

_TRUE, _FALSE = {"true", "t", "yes", "y", "1"}, {"false", "f", "no", "n", "0"}
_MILLISECONDS = 1e11  # a number of a time that is above it counts milliseconds, not seconds


def text(value: Any) -> str | None:
    """A text; whole numbers without a decimal point, lists and objects as JSON."""
    if value is None or value != value:
        return None
    if isinstance(value, str):
        return value
    if isinstance(value, (float, Decimal)) and value == int(value):
        return str(int(value))
    if isinstance(value, (list, dict)):
        return json.dumps(value)
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def moment(value: Any) -> datetime | None:
    """A time in UTC; one without a zone is read as UTC, a number as seconds or milliseconds since 1970."""
    if value is None or value == "" or value != value:
        return None
    if isinstance(value, str):
        value = (
            float(value) if value.replace(".", "", 1).isdigit() and len(value) > 8 else datetime.fromisoformat(value)
        )
    if isinstance(value, (int, float, Decimal)):
        seconds = float(value)
        return datetime.fromtimestamp(seconds / 1000 if seconds > _MILLISECONDS else seconds, UTC)
    if not isinstance(value, datetime):
        value = datetime(value.year, value.month, value.day)  # noqa: DTZ001 - the zone comes below
    return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def flag(value: Any) -> bool | None:
    """True or False, from a boolean, a number or a word."""
    if value is None or value == "" or value != value:
        return None
    word = str(int(value) if isinstance(value, (bool, float, Decimal)) else value).strip().lower()
    if word in _TRUE | _FALSE:
        return word in _TRUE
    raise ValueError(f"{value!r} is neither true nor false")


def number(value: Any) -> float | None:
    """A number."""
    return None if value is None or value == "" or value != value else float(value)


def whole_number(value: Any) -> int | None:
    """A whole number."""
    exact = number(value)
    return None if exact is None else int(exact)


def items(value: Any) -> list[str] | None:
    """A list of texts, from a list, JSON, or text with ``;`` in between."""
    if value is None or value == "":
        return None
    if isinstance(value, str):
        value = json.loads(value) if value.lstrip().startswith("[") else value.split(";")
    return [word for one in value if (word := (text(one) or "").strip())]


CONVERTERS: Mapping[str, Callable[[Any], Any]] = {
    "id": text, "name": text, "text": text, "str": text, "timestamp": moment, "bool": flag, "int": whole_number,
    "float": number, "list": items, "ids": items,
}  # fmt: skip


def as_stored(at: datetime, sample: Any) -> Any:
    """A time as a column holds it of which ``sample`` is a value, so that the database can compare the two."""
    if isinstance(sample, datetime):
        return at.astimezone(sample.tzinfo) if sample.tzinfo else at.astimezone(UTC).replace(tzinfo=None)
    if isinstance(sample, date):
        return at.astimezone(UTC).date()
    if isinstance(sample, (int, float, Decimal)):
        return int(at.timestamp() * (1000 if sample > _MILLISECONDS else 1))
    if isinstance(sample, str) and len(sample) > 10:
        return at.astimezone(UTC).replace(tzinfo=None).isoformat(sample[10], "seconds")
    return at.astimezone(UTC).date().isoformat()


def earlier(value: Any, by: timedelta) -> Any:
    """A column's time, some time earlier, as the column would hold it."""
    at = moment(value)
    return value if at is None else as_stored(at - by, value)


def to_cursor(value: Any) -> Any:
    """A column's value as plain JSON."""
    if isinstance(value, datetime):
        return {"time": value.isoformat()}
    if isinstance(value, date):
        return {"day": value.isoformat()}
    if isinstance(value, Decimal):
        return int(value) if value == int(value) else float(value)
    return value if value is None or isinstance(value, (str, int, float)) else str(value)


def from_cursor(value: Any) -> Any:
    """What :func:`to_cursor` was given."""
    if isinstance(value, dict):
        return datetime.fromisoformat(value["time"]) if "time" in value else date.fromisoformat(value["day"])
    return value
