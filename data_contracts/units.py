"""Which years a time may have, and which units of time a number may count. Imports nothing: settings need it."""

from __future__ import annotations

__all__ = ["FIRST_YEAR", "LAST_YEAR", "UNITS"]

# No help desk has older conversations, and none will be mined in 2100: such a year is a default or a slip of the pen.
FIRST_YEAR, LAST_YEAR = 1980, 2099

# By the name that settings use: what the numbers count, pandas' unit, and from which number to which it is likely.
UNITS = {
    "epoch_s": ("seconds since 1970", "s", 1e9, 4.1e9),
    "epoch_ms": ("milliseconds since 1970", "ms", 1e12, 4.1e12),
    "epoch_us": ("microseconds since 1970", "us", 1e15, 4.1e15),
    "epoch_ns": ("nanoseconds since 1970", "ns", 1e18, 4.1e18),
    "excel_days": ("days as Excel counts them", "D", 29_221, 73_050),
}
