"""Raw cells as the contract's types: ids in one form, words for "no value", lists as tools write them, times."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from lacuna.data_contracts.casts import cast
from lacuna.data_contracts.ids import EXACT
from lacuna.data_contracts.lists import pieces
from lacuna.data_contracts.times import counted_since, from_numbers


def read(values: list[Any], kind: str) -> list[Any]:
    """Each value as it was cast, None for no value, "unreadable" for what is none of that type."""
    typed, bad = cast(pd.Series(values, dtype="object"), kind)
    return [
        "unreadable" if b else None if v is None or v is pd.NA or v != v else v for v, b in zip(typed, bad, strict=True)
    ]


@given(st.integers(0, EXACT - 1), st.integers(1, 12))
@example(0, 7)
def test_an_id_is_one_however_a_number_is_written(number: int, scale: int) -> None:
    """Integer, float, decimal with a scale, their texts and the power of ten that Python writes are one id."""
    fixed = Decimal(number).quantize(Decimal(1).scaleb(-scale)) if number < 10**15 else Decimal(number)
    forms = [number, str(number), float(number), f"{number}.0", f" {number} ", fixed, str(fixed), np.float64(number)]
    assert set(read(forms, "id")) == {str(number)}
    power = f"{float(number):.16e}"
    assert read([power if number else "0"], "id") == [str(number)]
    assert read([[float(number), f"{number}.0"]], "ids") == [[str(number)] * 2]


@given(st.integers(EXACT, 10**18))
def test_a_float_that_has_lost_its_last_digits_is_no_id(number: int) -> None:
    """From 2**53 on a float may stand for several ids; whole numbers and decimals are exact at any size."""
    assert read([float(number), f"{float(number):.16e}", f"{number}.0"], "id") == ["unreadable"] * 3
    exact = [number, str(number), Decimal(number), f"{number}.000000000"]
    assert read(exact, "id") == [str(number)] * 4


@pytest.mark.parametrize("text", ["007", "007.0", "12e4", "5E10", "1.2.0", "v1.0", "1001.5", "-", "C-1.0", "1e"])
def test_an_id_that_is_no_number_stays_as_it_is(text: str) -> None:
    """Leading zeros, hashes such as 12e4 and versions are names, not numbers."""
    assert read([text], "id") == [text]


def test_a_version_is_no_id() -> None:
    """Only ids are read as numbers: a release 1.0 is not the release 1."""
    assert read(["1.0", "2.10"], "name") == ["1.0", "2.10"]


def test_words_for_no_value() -> None:
    """Of an id in any case; of a name in the letters that programs write; of a text never."""
    words = ["nan", "NaN", "NaT", "None", "NULL", "null", "<NA>", "N/A", "#N/A", "\\N", "", " "]
    assert read(words, "id") == [None] * len(words)
    assert read(words, "name") == [None] * len(words)
    assert read(words[:-2], "text") == words[:-2]
    assert read(["NA", "None", "Null"], "id") == [None] * 3
    assert read(["NA", "na", "Nan", "Null", "none"], "name") == ["NA", "na", "Nan", "Null", "none"]


@pytest.mark.parametrize(
    ("written", "read_as"),
    [
        ("['kb-a']", ["kb-a"]),
        ("['kb-a', 'kb-b']", ["kb-a", "kb-b"]),
        ("['kb-a' 'kb-b'\n 'kb-c']", ["kb-a", "kb-b", "kb-c"]),
        ("array(['kb-a', 'kb-b'], dtype=object)", ["kb-a", "kb-b"]),
        ("('kb-a',)", ["kb-a"]),
        ('{kb-a,"kb b",NULL}', ["kb-a", "kb b"]),
        ("[kb-a, kb-b]", ["kb-a", "kb-b"]),
        ("[1001.0, 1002]", ["1001", "1002"]),
        ("kb-a; kb-b;", ["kb-a", "kb-b"]),
        ("['kb-a', None, nan]", ["kb-a"]),
        ("[]", []),
        ("{}", []),
        ("nan", None),
        ("['kb-a", "unreadable"),
        ("[kb a, kb b]", "unreadable"),
        ("[['kb-a']]", "unreadable"),
        ('{"id": "kb-a"}', "unreadable"),
    ],
)
def test_lists_are_read_as_tools_write_them(written: str, read_as: Any) -> None:
    """JSON, Python, NumPy, Postgres, semicolons; what is not plain is unreadable, never guessed."""
    assert read([written], "ids") == [read_as]


item = st.text(st.characters(codec="utf-8", exclude_characters="\\\n"), min_size=1).filter(lambda t: t.strip() == t)


@given(st.lists(item, min_size=1, max_size=4))
def test_a_list_survives_python_and_numpy(items: list[str]) -> None:
    """What Python and NumPy print of a list of texts is read as that list."""
    printable = [i for i in items if i.isprintable()]
    assert pieces(repr(printable)) == printable
    if printable:
        assert pieces(" ".join(["[", *map(repr, printable), "]"])) == printable


@pytest.mark.parametrize("year", ["0001", "1970", "2199", "9999"])
def test_a_year_that_can_not_be_is_unreadable(year: str) -> None:
    """A default or a slip of the pen is no time, as text and as a time."""
    text = f"{year}-12-31T23:59:59Z"
    assert read([text], "timestamp") == ["unreadable"]
    times = pd.Series(np.array([text.removesuffix("Z"), "2024-06-30"], dtype="datetime64[us]"))
    assert cast(times, "timestamp")[1].tolist() == [True, False]


@given(st.datetimes(pd.Timestamp("1985-01-01").to_pydatetime(), pd.Timestamp("2050-01-01").to_pydatetime()))
def test_numbers_are_times_once_their_unit_is_said(moment: Any) -> None:
    """Seconds, milliseconds, microseconds and Excel's days give the time they came from, to the millisecond."""
    time = pd.Timestamp(moment, tz="UTC").round("ms")
    seconds = (time - pd.Timestamp(0, tz="UTC")) / pd.Timedelta(1, "s")
    numbers = {"epoch_s": seconds, "epoch_ms": round(seconds * 1e3), "epoch_us": round(seconds * 1e6)}
    numbers["excel_days"] = (time - pd.Timestamp("1899-12-30", tz="UTC")) / pd.Timedelta(1, "D")
    for unit, number in numbers.items():
        times = cast(from_numbers(pd.Series([number, "soon", None], dtype="object"), unit), "timestamp")
        assert abs(times[0][0] - time) <= pd.Timedelta(1, "ms")
        assert times[1].tolist() == [False, True, False]
        if time.year > 2001:
            assert counted_since(number) == unit
