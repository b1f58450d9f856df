"""Which embedder finds topics where the setting is ``auto``: for languages other than English, one more beside it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from lacuna.models.text.languages import common_languages

__all__ = ["AUTO", "ENGLISH", "MULTILINGUAL", "Choice", "across_languages", "choose"]

AUTO = "auto"
ENGLISH, MULTILINGUAL = "minilm", "minilm+use"


@dataclass(frozen=True)
class Choice:
    """What was chosen.

    Attributes
    ----------
    name
        The embedder to use.
    languages
        The languages that the texts are in, each with a real share.
    """

    name: str
    languages: tuple[str, ...]


def choose(texts: Sequence[str]) -> Choice:
    """The embedder for a bounded number of texts, whose order does not depend on when they came."""
    languages = common_languages(texts)
    return Choice(MULTILINGUAL if set(languages) - {"en"} else ENGLISH, languages)


def across_languages(texts_by: str, topics_by: str) -> str | None:
    """The embedder that compares texts of two languages, of those that a run has used; None where it has none.

    Parameters
    ----------
    texts_by, topics_by
        The embedder that texts are compared by, and the one that topics are found by.

    Examples
    --------
    >>> across_languages("minilm", "minilm+use"), across_languages("minilm", "minilm"), across_languages("use", "use")
    ('use', None, 'use')
    """
    if topics_by == MULTILINGUAL:
        return MULTILINGUAL.removeprefix(f"{ENGLISH}+")
    return None if topics_by in (ENGLISH, "lexical") else texts_by
