"""What was perhaps meant, for messages about a name that is not known."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

__all__ = ["did_you_mean", "likely"]


def likely(word: str, names: Iterable[str], cutoff: float = 0.6) -> str | None:
    """The name that is most like a word, whatever its case and however its parts are joined; None where none is."""
    by_lower = {name.lower(): name for name in names}
    close = difflib.get_close_matches(word.lower().replace("-", "_").replace(" ", "_"), list(by_lower), 1, cutoff)
    return by_lower[close[0]] if close else None


def did_you_mean(wrong: str, known: Iterable[str], otherwise: str, most: int = 1, cutoff: float = 0.6) -> str:
    """A remedy that names what is most like a wrong id or word, and ``otherwise`` where nothing is.

    Examples
    --------
    >>> did_you_mean("acept", ["accept", "dismiss"], "there are: accept, dismiss")
    'did you mean accept?'
    """
    near = difflib.get_close_matches(wrong, list(known), most, cutoff)
    return f"did you mean {' or '.join(near)}?" if near else otherwise
