"""Places where a sentence shows a name in the languages of ``vocabulary``, made of its lists.

English and German have rules of their own in `name_patterns`; from here they get what those lack.
"""

from __future__ import annotations

import re

from lacuna.models.redaction.labels import Phrases, phrases
from lacuna.models.redaction.letters import CAPITAL, SMALL
from lacuna.models.redaction.name_patterns import (
    CAP_NAME,
    END,
    LOW,
    NAME,
    NO_LISTING,
    PARTICLES,
    SEPARATOR,
    STOP,
    TWO,
    Before,
    Level,
    Rule,
)
from lacuna.models.redaction.spans import LazyPattern

__all__ = ["CUES"]

_TITLES = phrases("title")
_TITLE = rf"(?:(?i:{_TITLES.pattern})[ \u00a0]{{1,2}}){{0,2}}"
_TITLE_EN_DE = r"(?:(?i:mr|mrs|ms|miss|dr|herrn?|frau)\.?[ \u00a0])?"
_GAP = r"[ \t\u00a0]{1,3}"
_FURTHER = r"(?:[ \u00a0][\w'’]{1,14}){0,4}?[ \u00a0]"  # up to four words and a space
_WITH, _WITH_FULL = phrases("with").pattern, phrases("with_full").pattern
_MY_KIN = rf"(?i:(?:{phrases('my', 'my_full').pattern}) (?:{phrases('kin', 'kin_full').pattern}))"
_DONE = phrases("done_full")
_TO_SOMEBODY = (
    "by from to for with an bei für mit von auf par pour avec chez à de por para con a door aan bij van voor met com da di per"
).split()
_WITH_INITIALS = (
    rf"(?P<name>(?:[{CAPITAL}]\. ?){{0,2}}[{CAPITAL}]\. {PARTICLES}"
    rf"[{CAPITAL}][{SMALL}]{{2,24}}+(?:-[{CAPITAL}][{SMALL}]{{1,24}}+)?)(?!\w)"
)


def _rule(
    of: Phrases, rest: str, capital: Level, small: Level = Level.UNAMBIGUOUS, *,
    before: Before = Before.ANYTHING, complete: bool = True,
) -> Rule:  # fmt: skip
    """A rule that begins with one of the phrases."""
    return _behind(of, rf"(?<![\w'’-])(?i:{of.pattern})(?!\w){rest}", capital, small, before=before, complete=complete)


def _behind(
    of: Phrases, pattern: str, capital: Level, small: Level = Level.UNAMBIGUOUS, *,
    before: Before = Before.ANYTHING, complete: bool = True,
) -> Rule:  # fmt: skip
    """A rule on texts that have one of the phrases anywhere."""
    return Rule(LazyPattern(pattern, re.MULTILINE), frozenset(of.by_word), capital, small, before, complete, of)


CUES: tuple[Rule, ...] = (
    _rule(phrases("greeting"), rf"(?:,?{_GAP}{_TITLE}{NAME}{STOP}|{_GAP}{LOW}{STOP})", Level.LIKELY, Level.LISTED, before=Before.SENTENCE),
    _rule(phrases("thanks"), rf"[,!.]?{_GAP}{_TITLE}{NAME}(?:{STOP}|(?= (?:por|pour|voor|pela|pelo|per)\b))", Level.LIKELY, before=Before.SENTENCE),
    _rule(phrases("thanks"), rf"[^.!?\n\x00]{{0,50}},{_GAP}{_TITLE}{CAP_NAME}{END}", Level.LIKELY, before=Before.SENTENCE),
    _rule(phrases("thanks"), rf"{SEPARATOR}{_TITLE}(?:{NAME}|{LOW}){END}", Level.LIKELY, Level.LISTED, before=Before.BREAK),
    _rule(phrases("closing"), rf"{SEPARATOR}{_TITLE}(?:{NAME}(?:{END}|(?=[.!] ))|{LOW}{END})", Level.SURE, Level.LIKELY, before=Before.BREAK),
    _rule(phrases("my_name_is"), rf"[:,]?{_GAP}{_TITLE}(?:{NAME}|{LOW})", Level.SURE, Level.LISTED, complete=False),
    _rule(phrases("i_am"), rf"{_GAP}{_TITLE}{TWO}(?=[ \t]{{0,2}}(?:[,.!;\n\r(]|\Z)| \w)", Level.LIKELY, complete=False),
    _rule(phrases("i_am"), rf"{_GAP}{_TITLE}{CAP_NAME}(?=[ \t]{{0,2}}(?:[,.!;\n\r(]|\Z)| (?:de|da|do|del|van|di|et|e|y|en|uit|from|aus)\b)", Level.LIKELY),
    _rule(phrases("about"), rf":?{_GAP}{_TITLE}{CAP_NAME}", Level.LIKELY, complete=False),
    _rule(phrases("talked"), rf"{_FURTHER}(?i:{_WITH}){_GAP}{_TITLE}{CAP_NAME}", Level.LIKELY, complete=False),
    _rule(phrases("my"), rf" (?i:{phrases('kin').pattern}),?{_GAP}{CAP_NAME}", Level.LIKELY, complete=False),
    _behind(_TITLES, rf"(?<![\w-])(?![md]\.)(?i:{_TITLES.pattern})(?!\w){_GAP}(?!{_TITLES.pattern})(?:{PARTICLES})?{CAP_NAME}", Level.SURE, complete=False),
    _rule(phrases("label"), rf"[ \t]?[:=][ \t]{{1,3}}{NO_LISTING}{_TITLE}{CAP_NAME}", Level.LIKELY, before=Before.CLAUSE, complete=False),
    # English and German: full names
    _rule(phrases("about_full"), rf":?{_GAP}{_TITLE_EN_DE}{TWO}", Level.LIKELY, complete=False),
    _rule(phrases("talked_full"), rf"{_FURTHER}(?i:{_WITH_FULL}){_GAP}{TWO}", Level.LIKELY, complete=False),
    _rule(phrases("my_full"), rf" (?i:{phrases('kin_full').pattern}),?{_GAP}{TWO}", Level.LIKELY, complete=False),
    _behind(_DONE, rf"(?<!\w)(?i:mit|hat|haben|von|auf) {TWO}(?=[^.!?;:\n\x00]{{0,40}} (?:{_DONE.pattern})\b)", Level.LIKELY, complete=False),
    _behind(Phrases.of(_TO_SOMEBODY), rf"(?<![\w'’-])(?:{'|'.join(_TO_SOMEBODY)}) {_WITH_INITIALS}", Level.LIKELY),
    # Names that stand before what shows them
    _behind(phrases("kin", "kin_full"), rf"(?<![\w'’-]){TWO}(?=,? {_MY_KIN}\b)", Level.LIKELY, complete=False),
    _behind(phrases("behind"), rf"(?<![\w'’-]){TWO}(?= (?i:{phrases('behind').pattern})(?!\w))", Level.LIKELY, complete=False),
    _behind(phrases("here"), rf"(?<![\w'’-]){CAP_NAME}(?= (?i:{phrases('here').pattern})(?:[.,!\n]|\Z))", Level.LIKELY, before=Before.CLAUSE),
    _behind(
        Phrases.of(["name", "nom", "nombre", "naam", "nome"]),
        rf"(?<![\w'’-]){CAP_NAME}(?=,? (?i:is my name|ist mein name|est mon nom|es mi nombre|is mijn naam|é o meu nome|é meu nome|è il mio nome)\b)",
        Level.LIKELY,
        complete=False,
    ),
)  # fmt: skip
"""Where sentences show names, besides `lacuna.models.redaction.name_patterns.RULES`."""
