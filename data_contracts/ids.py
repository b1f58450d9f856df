"""One id in one form: 1001, "1001.0", 1001.0, 1001.000000000 and "1.001E+03" are one and the same id."""

from __future__ import annotations

import hashlib
import re
from decimal import Decimal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["EXACT", "NUMBER_FORMS", "plain_id", "rounded", "whole_float", "without_address", "without_addresses"]

# Beyond 2**53 a float no longer holds every integer: two ids may have become one.
EXACT = 2**53

# "….0" is how a float is written, "….000000000" how a decimal with a scale is.
_WHOLE = r"(?:-?[1-9]\d{0,40}|0)\.0{1,40}"
# With a fraction or a plus sign only: "12e4" may be a piece of a hash.
_POWER = r"-?\d(?:\.\d{1,40}[eE]\+?|[eE]\+)\d{1,3}"
# A decimal's zero with seven places or more is written so.
_ZERO = r"0[eE]-\d{1,3}"
NUMBER_FORMS = rf"^(?:{_WHOLE}|{_POWER}|{_ZERO})$"
# An e-mail address anywhere in it, or as a whole an international phone number.
_ADDRESS = r"[^\s@]@[^\s@]+\.[^\s@]|^\s*(?:\+|00)[1-9][\d ()./-]{6,20}\s*$"
# Six digits and the rest zeros: what a spreadsheet leaves of a long number.
_ROUNDED = re.compile(r"-?[1-9]\d{0,5}0{6,}")


def plain_id(text: str) -> str | None:
    """An id as its digits where it is a whole number written as a float, a decimal or a power of ten.

    Returns
    -------
    str or None
        None where it is a float of 2**53 or more, whose last digits are lost. Anything else stays as it is, leading
        zeros included.

    Examples
    --------
    >>> [plain_id(text) for text in ("1001.0", "360003529474.000000000", "1.5E+14", "007", "12e4", "1.9E+16")]
    ['1001', '360003529474', '150000000000000', '007', '12e4', None]
    """
    if re.fullmatch(_WHOLE, text):
        digits, _, zeros = text.partition(".")
        return digits if len(zeros) > 1 or abs(int(digits)) < EXACT else None
    if re.fullmatch(_ZERO, text):
        return "0"
    if re.fullmatch(_POWER, text):
        number = Decimal(text)
        if abs(number) >= EXACT:
            return None
        return str(int(number)) if number == int(number) else text
    return text


def whole_float(value: float) -> str | None:
    """A float as an id: None where it is so large that it may stand for several whole numbers.

    Examples
    --------
    >>> [whole_float(value) for value in (1001.0, 1001.5, 2.0**53)]
    ['1001', '1001.5', None]
    """
    if abs(value) >= EXACT:
        return None
    return str(int(value)) if value.is_integer() else repr(value)


def rounded(text: str) -> bool:
    """Whether an id looks like a long number that a spreadsheet has rounded: 1.23457E+14.

    Examples
    --------
    >>> [rounded(text) for text in ("123457000000000", "123456789012345", "1000")]
    [True, False, False]
    """
    return len(text) >= 12 and _ROUNDED.fullmatch(text) is not None


def without_addresses(ids: pd.Series) -> pd.Series:
    """Ids, each that is an e-mail address or a phone number replaced by one that is always the same for it.

    Some exports name a conversation by its customer's address or number. What replaces it is no secret to who knows it.

    Examples
    --------
    >>> import pandas as pd
    >>> without_addresses(pd.Series(["c-1", "jo@example.org", "+49 30 901820"], dtype="str")).tolist()
    ['c-1', 'c-b6be3cb544f77c4e', 'c-26c9ac89e378a9a9']
    """
    some = ids.str.contains(_ADDRESS, regex=True, na=False).astype(bool)
    return ids.mask(some, ids[some].map(without_address).astype("str")) if some.any() else ids


def without_address(one: str) -> str:
    """One id as :func:`without_addresses` gives it.

    Examples
    --------
    >>> without_address("jo@example.org"), without_address("c-1")
    ('c-b6be3cb544f77c4e', 'c-1')
    """
    return f"c-{hashlib.sha256(one.encode()).hexdigest()[:16]}" if re.search(_ADDRESS, one) else one
