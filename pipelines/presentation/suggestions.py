"""What was perhaps meant, for messages about a name that is not known."""

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
    from rapidfuzz import fuzz, process  # here, because few commands end in such a message

    found = process.extract(word, list(names), scorer=fuzz.ratio, limit=most, score_cutoff=100 * cutoff)
    return [name for name, *_ in found]


def with_such_words(words: str, titles: Iterable[str], most: int = 2) -> list[str]:
    """The titles that hold words like these, in any order and case, the nearest first.

    Examples
    --------
    >>> with_such_words("import fees", ["Sms says pay the import fee", "Shimano brake squeals"])
    ['Sms says pay the import fee']
    """
    from rapidfuzz import fuzz, process, utils

    found = process.extract(
        words, list(titles), scorer=fuzz.WRatio, processor=utils.default_process, limit=most, score_cutoff=60
    )
    return [title for title, *_ in found]


def likely(word: str, names: Iterable[str], cutoff: float = 0.6) -> str | None:
    """The name that is most like a word, whatever its case and however its parts are joined; None where none is."""
    by_lower = {name.lower(): name for name in names}
    near = similar(word.lower().replace("-", "_").replace(" ", "_"), by_lower, cutoff=cutoff)
    return by_lower[near[0]] if near else None


def did_you_mean(wrong: str, known: Iterable[str], otherwise: str, most: int = 1, cutoff: float = 0.6) -> str:
    """A remedy that names what is most like a wrong id or word, and ``otherwise`` where nothing is.

    Examples
    --------
    >>> did_you_mean("acept", ["accept", "dismiss"], "there are: accept, dismiss")
    'did you mean accept?'
    """
    near = similar(wrong, known, most, cutoff)
    return f"did you mean {' or '.join(near)}?" if near else otherwise
