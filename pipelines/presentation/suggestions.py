"""Suggestions for error messages: the existing names most like an unknown one."""

from __future__ import annotations

from collections.abc import Iterable

__all__ = ["did_you_mean", "likely", "similar", "with_such_words"]


def similar(word: str, names: Iterable[str], most: int = 1, cutoff: float = 0.6) -> list[str]:
    """The names that are spelt most like a word, the nearest first.

    Parameters
    ----------
    cutoff
        Share of the letters, in their order, that the two have in common at least.

    Examples
    --------
    >>> similar("acept", ["accept", "dismiss"])
    ['accept']
    """
    from rapidfuzz import fuzz, process  # imported lazily: few commands need it

    matches = process.extract(word, list(names), scorer=fuzz.ratio, limit=most, score_cutoff=100 * cutoff)
    return [name for name, *_ in matches]


def with_such_words(words: str, titles: Iterable[str], most: int = 2) -> list[str]:
    """The titles that hold words like these, in any order and case, the nearest first.

    Examples
    --------
    >>> with_such_words("import fees", ["Sms says pay the import fee", "Shimano brake squeals"])
    ['Sms says pay the import fee']
    """
    from rapidfuzz import fuzz, process, utils

    matches = process.extract(
        words, list(titles), scorer=fuzz.WRatio, processor=utils.default_process, limit=most, score_cutoff=60
    )
    return [title for title, *_ in matches]


def likely(word: str, names: Iterable[str], cutoff: float = 0.6) -> str | None:
    """The name most like a word, ignoring case and treating `-`, `_` and blanks alike; None where none is similar."""
    by_lower = {name.lower(): name for name in names}
    matches = similar(word.lower().replace("-", "_").replace(" ", "_"), by_lower, cutoff=cutoff)
    return by_lower[matches[0]] if matches else None


def did_you_mean(wrong: str, names: Iterable[str], otherwise: str, most: int = 1, cutoff: float = 0.6) -> str:
    """A hint that offers the names most like a wrong one, or ``otherwise`` where none is similar.

    Examples
    --------
    >>> did_you_mean("acept", ["accept", "dismiss"], "there are: accept, dismiss")
    'did you mean accept?'
    """
    matches = similar(wrong, names, most, cutoff)
    return f"did you mean {' or '.join(matches)}?" if matches else otherwise
