"""The small words that labels and topics are cut at, and the phrases that lead up to what a message says.

To add a language: a file in `models/text/vocabulary/`; every list in it may be left out.
"""

from __future__ import annotations

import re
import tomllib
from importlib import resources
from typing import Any

from bm25s import stopwords

from lacuna.models.text.courtesies import COURTESY, FOREIGN_COURTESY


def _read() -> dict[str, dict[str, Any]]:
    """The word lists by language code, in ABC order of the codes."""
    folder = resources.files("lacuna.models.text.vocabulary")
    files = sorted((file for file in folder.iterdir() if file.name.endswith(".toml")), key=lambda file: file.name)
    return {file.name.removesuffix(".toml"): tomllib.loads(file.read_text(encoding="utf-8")) for file in files}


VOCABULARY = _read()
# The languages whose lists all texts are read by, together; a name is made by the lists of its own language alone.
_EVERYWHERE = [code for code, lists in VOCABULARY.items() if not lists.get("names_only")]


def _words(name: str) -> frozenset[str]:
    """The words of a list in all languages together."""
    return frozenset(
        word for lists in VOCABULARY.values() if not lists.get("names_only") for word in lists.get(name, "").split()
    )


def _common(code: str) -> frozenset[str]:
    """The stop words that a language starts from."""
    name = VOCABULARY[code].get("common")
    return frozenset(getattr(stopwords, name)) if name else frozenset()


# What says nothing about a topic; the grouping of questions leaves these out too.
STOP_WORDS = frozenset[str]().union(*map(_common, _EVERYWHERE)) | _words("stop_words")
GERMAN = (_common("de") - {*VOCABULARY["de"]["not_told_by"].split()}) | {*VOCABULARY["de"]["told_by"].split()}
DETERMINERS = _words("determiners")
PRONOUNS = _words("pronouns")
AUXILIARIES = _words("auxiliaries")
NEGATIONS = _words("negations")
DENIERS = _words("deniers")
PREPOSITIONS = _words("prepositions")
CONJUNCTIONS = _words("conjunctions")
PARTICLES = _words("particles")
ADVERBS = _words("adverbs")
TIMES = _words("times")
QUANTITIES = _words("quantities")
HANGING = _words("hanging")
DOING = _words("doing")
# Written without its apostrophe in a hurry.
APOSTROPHES = {
    word.replace("'", ""): word
    for word in (*(n for n in NEGATIONS if "'" in n), "i've", "that's", "what's", "there's", "you're", "they're")
} | {"wont": "won't", "cant": "can't", "dont": "don't"}

# Where a sentence ends for a label: marks, line ends, placeholders, greetings, thanks.
BREAK = re.compile(
    r"<[A-Z_]{2,}>|\[\w+\]|[.!?;:,…]+(?=\s|$)|[()\[\]{}\n\"“”„«»|=<>•*~]+|\s[-–—]+\s|-->?"
    r"|[\U0001F000-\U0001FFFF☀-➿]+|[¿¡]+|" + COURTESY + "|" + FOREIGN_COURTESY,
    re.I,
)
_OPENERS = (
    # The first that fits is taken: English ones, which are many, come first.
    opener
    for code in sorted(_EVERYWHERE, key=lambda code: (code != "en", code))
    for opener in VOCABULARY[code].get("openers", ())
)
OPENERS = re.compile(rf"(?:{'|'.join(_OPENERS)})(?: |$)")

# A question told, not asked.
INDIRECT = re.compile(
    r"(?:how|what|when|where|why|wie|was|wann|wo|warum) (?:my|the|your|our|a|this|that|it|i|we|they|you|it's|mein|meine|der|die|das|ich|wir|es) "
    r"|which \w+ (?:it's|it|i|we|the|my) "
)
OPENS_A_QUESTION = re.compile(
    r"(?:how|what|what's|when|where|where's|why|which|who|is|are|was|do|does|did|can|could|will|would|should|must|has|"
    r"have|am|may|wie|was|wann|wo|wohin|woher|warum|wieso|weshalb|welche[rsnm]?|wer|ist|sind|kann|können|darf|muss|soll|"
    r"gibt|geht|habt|haben|hat|wird|gilt|kommt) "
)
