"""The small words that labels and topics are cut at, and the phrases that lead up to what a message says.

To add a language: a file in `models/text/vocabulary/`; every list in it may be left out.
"""

from __future__ import annotations

import re
import tomllib
from importlib import resources
from typing import Any

from bm25s import stopwords

from lacuna.models.text.courtesies import COURTESY


def _read() -> dict[str, dict[str, Any]]:
    """The word lists by language code, in ABC order of the codes."""
    folder = resources.files("lacuna.models.text.vocabulary")
    files = sorted((file for file in folder.iterdir() if file.name.endswith(".toml")), key=lambda file: file.name)
    return {file.name.removesuffix(".toml"): tomllib.loads(file.read_text(encoding="utf-8")) for file in files}


VOCABULARY = _read()


def _words(name: str) -> frozenset[str]:
    """The words of a list in all languages together."""
    return frozenset(word for language in VOCABULARY.values() for word in language.get(name, "").split())


def _common(code: str) -> frozenset[str]:
    """The stop words that a language starts from."""
    name = VOCABULARY[code].get("common")
    return frozenset(getattr(stopwords, name)) if name else frozenset()


# What says nothing about a topic; the grouping of questions leaves these out too.
STOP_WORDS = frozenset[str]().union(*map(_common, VOCABULARY)) | _words("stop_words")
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
    r"|[\U0001F000-\U0001FFFF☀-➿]+|" + COURTESY,
    re.I,
)
_OPENERS = (
    # The first that fits is taken: English ones, which are many, come first.
    opener
    for code in sorted(VOCABULARY, key=lambda code: (code != "en", code))
    for opener in VOCABULARY[code].get("openers", ())
)
OPENERS = re.compile(rf"(?:{'|'.join(_OPENERS)})(?: |$)")

_WISH = (
    r"(?:want(?:ed)?|need(?:ed)?|would like|'d like|would love|wish|tried|try|have tried|(?:am|'m|was|are|'re|were|have been|'ve been) "
    r"(?:trying|attempting|looking|going)|'ve tried|like|have|had|attempted|decided)"
)
# How a customer leads up to what a label should say: the action, or the thing.
ASKING = re.compile(
    r"(?:"
    r"(?:how|where) (?:do|can|could|would|should|shall|am|are|may|might|did|must|will) (?:i|we|you|one|u|someone)(?: even| actually| now)?(?: go about)?"
    r"|(?:do|can|could|should|shall|may|might|must) (?:i|we)(?: also| still| just| already| even)?(?: be able to| have to| need to)?"
    r"|how to|how is it possible to|is it (?:still |also )?(?:possible|allowed|ok|okay|safe) (?:to|that)|how can (?:i|we) (?:please )?"
    r"|(?:what is|what's|whats|which is) the (?:best|right|correct|easiest|proper) way (?:to|of)"
    r"|what (?:do|can|should|shall) (?:i|we) do (?:if|when|about|with)"
    r"|(?:is|are|was) there (?:a|any|some) way(?: to| that i can| i can| of)?"
    r"|(?:is|are) there (?:a|an|any|some)|(?:have|do) you (?:got|have|sell|offer) (?:a|an|any|some)"
    r"|am i (?:able|allowed) to"
    rf"|(?:i|we) ?{_WISH} to|(?:i|we) (?:just|only|really|also|simply)? ?{_WISH} to"
    r"|(?:i|we)(?:'m| am|'re| are|'ve been| have been)(?: currently| now)? having (?:a |some )?(?:\w+ )?(?:problems?|issues?|trouble|difficult\w+)(?: with| in)?"
    r"|(?:i|we)(?:'m| am|'re| are|'ve been| have been)"
    r"|(?:i|we)(?:'ve| have| had|'d)(?: just| now| already| also| recently)?(?: got)?(?: (?:a|an|the|my|some))?"
    r"|(?:i|we)(?: just| now| also| only| already| still| recently| suddenly| really)*"
    r"|(?:what is|what's|whats|what are|which are|which is) (?:the|my|your|a|an)"
    r"|(?:there is|there's|there are|there was)"
    r"|(?:can|could|would|will) you (?:please |just )*"
    r"|(?:wie|wo) (?:kann|muss|soll|darf|könnte|können|müssen) (?:ich|man|wir)(?: denn| am besten| eigentlich)?"
    r"|(?:kann|darf|könnte|soll|muss|können|dürfen) (?:ich|man|wir)(?: denn| auch| noch| eigentlich)?"
    r"|ist es (?:noch |auch )?möglich|gibt es (?:noch |auch |bei euch |bei ihnen )?(?:eine?n? |den |die |das )?|habt ihr (?:eine?n? )?|haben sie (?:eine?n? )?"
    r"|ich (?:möchte|will|würde gerne?|muss|wollte|brauche|suche)(?: gerne?| bitte| noch)?(?: eine?n?| den| die| das| meine?n?)?"
    r"|wie (?:ist|lautet|sind) (?:der|die|das|mein|meine)"
    r")(?: |$)"
)
# What no label holds: "be" on its own, a question turned around, a question word inside, a plea, a half negation.
BROKEN = re.compile(
    r"(?:^|(?<!to)(?<!can)(?<!will) )(?:be|been) | (?:do|does|did|can|could|should|would|will|am|is|are|was|kann|soll|muss|ist|sind) "
    r"(?:i|you|we|it|they|he|she|ich|wir|man|das|es|sie|ihr) | (?:what|what's|which|how|who|why|where's|welche[rsnm]?|wie|was|"
    r"please|pls|bitte|(?:don't|doesn't|not|didn't|nicht) (?:want|wants|like|know|need|just|only|even)) "
)
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
