"""Which embedder the setting ``auto`` stands for: one for English, and one more beside it for other languages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from lacuna.models.text.languages import common_languages
from lacuna.pipelines.embedders.registry import embedder

__all__ = ["AUTO", "ENGLISH", "MULTILINGUAL", "Choice", "choose", "kind_of"]

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
    instead
        What the texts alone ask for, where an earlier run's embedder is kept instead of it; else None.
    """

    name: str
    languages: tuple[str, ...]
    instead: str | None = None


def choose(texts: Sequence[str], before: str = "", leave: str = "") -> Choice:
    """The embedder for texts whose order does not depend on when they came.

    Parameters
    ----------
    texts
        A bounded number of texts.
    before
        Name and version (:func:`kind_of`) of the embedder of the run before. Where it is one of the two to choose
        from, it stays, since vectors of two embedders do not compare.
    leave
        The embedder that is to be left for another one all the same.
    """
    languages = common_languages(texts)
    wanted = MULTILINGUAL if set(languages) - {"en"} else ENGLISH
    kept = next((name for name in (ENGLISH, MULTILINGUAL) if before and before == kind_of(name)), wanted)
    if kept == wanted or before == leave:
        return Choice(wanted, languages)
    return Choice(kept, languages, wanted)


def kind_of(name: str) -> str:
    """Name and version of an embedder, as the topic registry keeps them."""
    model = embedder(name)
    return f"{model.name}-{model.version}"
