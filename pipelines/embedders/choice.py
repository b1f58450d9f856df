"""Which embedder finds topics where the setting is ``auto``: for languages other than English, one more beside it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from lacuna.models.text.languages import common_languages

__all__ = ["AUTO", "ENGLISH", "MULTILINGUAL", "Choice", "choose"]

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
