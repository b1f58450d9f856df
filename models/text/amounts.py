"""Numbers in texts and what they count: "3 days", "€5", "seven"."""

from __future__ import annotations

import re

__all__ = ["amounts", "measured_amounts"]

_AMOUNT = re.compile(
    r"(?P<number>\d+(?:[.,:]\d+)?)(?:\s*(?P<unit>%|€|£|\$|[^\W\d_]+))?|(?P<currency>[€£$])\s*(?P<money>\d+(?:[.,]\d+)?)"
)
# Numbers that count something, and no others: a bare one may be a step of a list or a version.
_MEASURED = re.compile(
    r"(?P<number>\d+(?:[.,]\d+)?)\s*(?P<unit>%|€|£|\$|[^\W\d_]+)|(?P<currency>[€£$])\s*(?P<money>\d+(?:[.,]\d+)?)"
)
_NUMBERS = {
    word: str(number)
    for words in (
        "zero one two three four five six seven eight nine ten eleven twelve",
        "null ein zwei drei vier fünf sechs sieben acht neun zehn elf zwölf",
    )
    for number, word in enumerate(words.split())
    if word not in ("one", "ein")  # more often articles than amounts
}
_NUMBER = re.compile(rf"\b(?:{'|'.join(_NUMBERS)})\b", re.I)


def amounts(text: str) -> dict[str, set[str]]:
    """The numbers in a text by what they count; numbers up to twelve may be words.

    Examples
    --------
    >>> amounts("Kept for three days, not 7. It costs €5")
    {'day': {'3'}, '': {'7'}, '€': {'5'}}
    """
    by_unit: dict[str, set[str]] = {}
    for m in _AMOUNT.finditer(_NUMBER.sub(lambda word: _NUMBERS[word[0].casefold()], text)):
        unit = (m["unit"] or m["currency"] or "").casefold()
        unit = "" if unit in ("to", "bis", "and", "und", "or", "oder", "of", "in", "on", "at") else unit
        by_unit.setdefault(unit.rstrip("s") if len(unit) > 2 else unit, set()).add(m["number"] or m["money"])
    return by_unit


def measured_amounts(text: str) -> dict[str, str]:
    """The numbers in figures that count something, by what they count; the last of each.

    Examples
    --------
    >>> measured_amounts("Step 2: within 14 days, for €5")
    {'day': '14', '€': '5'}
    """
    return {
        (m["unit"] or m["currency"]).lower().rstrip("s"): (m["number"] or m["money"]) for m in _MEASURED.finditer(text)
    }
