"""Formats figures and texts for people: `63 % [48–76]`, `1.2 a week`, `3–30 June 2024`."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import pandas as pd

NARROW = "\u202f"
DASH = "–"
NONE = "—"

_CURRENCY = {"EUR": "€", "USD": "$", "GBP": "£", "JPY": "¥", "CHF": "CHF"}
# Invisible control characters, which parsers treat differently; tab and line feed are kept.
_CONTROL_CHARACTERS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ufeff\ufffe\uffff]")
_TURNS = re.compile("[\u202a-\u202e\u2066-\u2069]")
_ISOLATES, _FIRST_STRONG, _POP_ISOLATE = "\u2066\u2067\u2068", "\u2068", "\u2069"
_MONTHS = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
]


def number(value: object) -> float | None:
    """A finite float, or None for anything that is not one (null, NaN, infinity, text)."""
    try:
        figure = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return None
    return figure if math.isfinite(figure) else None


def whole(value: object) -> int | None:
    """A finite number rounded to an int, or None."""
    figure = number(value)
    return None if figure is None else round(figure)


def text(value: object, limit: int = 0) -> str:
    """Text without control characters and lone surrogates, marks of direction isolated; null gives an empty string.

    Parameters
    ----------
    value : object
        Anything; None, NaN and pandas' NA count as null.
    limit : int
        Characters after which the text is cut and marked with `…`; 0 keeps all of it.
    """
    return isolated(_cut(_cleaned(value), limit))


def line(value: object, limit: int = 0) -> str:
    """`text` on one line."""
    return isolated(_cut(" ".join(_cleaned(value).split()), limit))


def quoted(words: object) -> str:
    """Words in quotation marks; those inside become single ones.

    Examples
    --------
    >>> quoted("Update “Delivery times”")
    '“Update ‘Delivery times’”'
    """
    inside = str(words).translate(str.maketrans("“”", "‘’"))
    return f"“{inside}”"


def isolated(words: str) -> str:
    """Text whose marks of direction, if it has any, turn nothing outside of it.

    Examples
    --------
    >>> isolated("a" + chr(0x202E) + "b") == chr(0x2068) + "a" + chr(0x202E) + "b" + chr(0x2069)
    True
    >>> isolated("plain")
    'plain'
    """
    if not _TURNS.search(words):
        return words
    opened, kept = 0, []
    for letter in words:
        opened += letter in _ISOLATES
        if letter == _POP_ISOLATE:
            if not opened:
                continue  # it would end the isolation itself
            opened -= 1
        kept.append(letter)
    return f"{_FIRST_STRONG}{''.join(kept)}{_POP_ISOLATE * (opened + 1)}"


def _cleaned(value: object) -> str:
    if value is None or (_is_null(value) and number(value) is None):
        return ""
    cleaned = _CONTROL_CHARACTERS.sub("", str(value).replace("\r\n", "\n").replace("\r", "\n"))
    return cleaned.encode("utf-8", "replace").decode("utf-8").strip()


def _cut(words: str, limit: int) -> str:
    return words if not limit or len(words) <= limit else words[: limit - 1].rstrip() + "…"


def _is_null(value: object) -> bool:
    return isinstance(value, float) or type(value).__name__ in {"NAType", "NaTType"}


def texts(value: object) -> list[str]:
    """A list field as a list of non-empty texts; null gives an empty list, a lone string a list of one."""
    return [cleaned for item in items(value) if (cleaned := text(item))]


def items(value: object) -> list[Any]:
    """A list field as a list: null gives an empty one, an array is unpacked, a lone value is wrapped."""
    if value is None or _is_null(value):
        return []
    if isinstance(value, str | bytes | Mapping):
        return [value]
    if isinstance(value, Iterable):
        return list(value)
    return [value]


def record(value: object) -> dict[str, Any]:
    """A dict field as a dict: anything else gives an empty one."""
    return dict(value) if isinstance(value, Mapping) else {}


def rows(frame: pd.DataFrame | None) -> list[dict[str, Any]]:
    """The rows of a frame as dicts; None gives no rows."""
    return [
        {str(name): value for name, value in row.items()} for row in ([] if frame is None else frame.to_dict("records"))
    ]


def count(value: object) -> str:
    """`1,234`."""
    figure = whole(value)
    return NONE if figure is None else f"{figure:,}"


def rounded(value: float, places: int = 0) -> Decimal:
    """A number rounded as spreadsheets do, halves away from zero: `2.25` is 2.3, as in the workbook."""
    exact = Decimal(repr(float(value)))
    return exact if abs(exact) >= 10**15 else exact.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)


def decimal(value: object) -> str:
    """One decimal below ten, none from ten on: `1.2`, `14`, `1,204`; a positive number below 0.05 is `<0.1`."""
    figure = number(value)
    if figure is None:
        return NONE
    if 0 < figure < 0.05:
        return "<0.1"
    return f"{rounded(figure, 1)}" if abs(figure) < 9.95 else f"{rounded(figure):,.0f}"


def as_shown(value: object) -> float | int | None:
    """The number that `decimal` prints, as a number; a positive one below 0.05 keeps three decimals."""
    figure = number(value)
    if figure is None or abs(figure) >= 9.95:
        return whole(None if figure is None else rounded(figure))
    return float(rounded(figure, 3 if 0 < figure < 0.05 else 1))


def percent(value: object) -> str:
    """`63 %`, with a narrow space that does not break."""
    share = number(value)
    return NONE if share is None else f"{_hundredths(share)}{NARROW}%"


def _hundredths(value: float) -> str:
    """A share in whole percent; zero has no minus sign."""
    return f"{rounded(float(Decimal(repr(value)) * 100)) + 0:.0f}"


def points(value: float) -> str:
    """A difference of two shares, in percentage points: `+3.1 points`."""
    return f"{value * 100:+.1f} points".replace("-", "−")


def money(value: object, currency: str = "EUR") -> str:
    """`€ 1,240`: whole units from ten on, two decimals below."""
    amount = number(value)
    if amount is None:
        return NONE
    digits = f"{rounded(abs(amount)):,.0f}" if abs(amount) >= 9.995 else f"{rounded(abs(amount), 2)}"
    sign = "−" if amount < 0 and float(digits.replace(",", "")) else ""
    return f"{sign}{_CURRENCY.get(currency, text(currency))}{NARROW}{digits}"


def percent_range(low: object, high: object) -> str:
    """`[48–76]`, in percent, or an empty text where one end is missing."""
    first, last = number(low), number(high)
    return "" if first is None or last is None else f"[{_hundredths(first)}{DASH}{_hundredths(last)}]"


def decimal_range(low: object, high: object) -> str:
    """`[3.9–7.1]`, or an empty text where one end is missing."""
    return "" if number(low) is None or number(high) is None else f"[{decimal(low)}{DASH}{decimal(high)}]"


def plural(value: int, one: str, many: str = "") -> str:
    """`1 gap`, `12 gaps`."""
    return f"{value:,} {one if value == 1 else many or one + 's'}"


def day(value: object) -> date | None:
    """The date in an ISO text, a date or a timestamp; None where there is none."""
    try:
        return date.fromisoformat(str(value)[:10])
    except ValueError:
        return None


def monday(value: date) -> date:
    """The Monday of a day's week."""
    return value - timedelta(days=value.weekday())


def short_day(value: object, year: bool = False) -> str:
    """`6 May`, or `6 May 2024`; a value that is not a date is returned as text."""
    moment = day(value)
    if moment is None:
        return text(value)
    return f"{moment.day} {_MONTHS[moment.month - 1][:3]}" + (f" {moment.year}" if year else "")


def period(first: object, last: object) -> str:
    """`3–30 June 2024`, `27 May – 23 June 2024`, `4 December 2023 – 2 January 2024`."""
    start, end = day(first), day(last)
    if start is None or end is None:
        return DASH.join(part for part in (text(first), text(last)) if part)
    close = f"{end.day} {_MONTHS[end.month - 1]} {end.year}"
    if start == end:
        return close
    if (start.year, start.month) == (end.year, end.month):
        return f"{start.day}{DASH}{close}"
    opening = f"{start.day} {_MONTHS[start.month - 1]}" + ("" if start.year == end.year else f" {start.year}")
    return f"{opening} {DASH} {close}"


def json_block(value: object) -> str:
    r"""JSON on one line that is safe inside a `<script>` element, whatever its texts contain.

    `<`, `>` and `&` could close the element or open a comment, and older parsers take U+2028 and U+2029 for line ends.
    All are written as `\u` escapes, which every JSON parser reads back unchanged.
    """
    encoded = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    for character in "<>&\u2028\u2029":
        encoded = encoded.replace(character, f"\\u{ord(character):04x}")
    return encoded


def confidence_text(run: dict[str, Any]) -> str:
    """The confidence of the run's intervals, `95 %`."""
    value = number(record(record(run.get("settings")).get("accuracy")).get("confidence"))
    return f"{(0.95 if value is None else value) * 100:g}{NARROW}%"


def is_first_run(run: Mapping[str, Any] | None) -> bool:
    """Whether no earlier run was published when this one was made; False where the run does not say."""
    return bool(run) and "previous_run" in (run or {}) and not text((run or {})["previous_run"])
