"""Places where a sentence shows a name in the languages of ``vocabulary``, made of its lists.

English and German have rules of their own in `name_patterns`; from here they get what those lack.
"""

from __future__ import annotations

import re

from lacuna.models.redaction.labels import Phrases, phrases
from lacuna.models.redaction.name_patterns import CAP_NAME, END, LOW, NAME, SEPARATOR, STOP, TWO, Before, Level, Rule

__all__ = ["CUES"]

_TITLES = phrases("title")
_TITLE = rf"(?:(?i:{_TITLES.pattern})[ \u00a0]{{1,2}}){{0,2}}"
_GAP = r"[ \t\u00a0]{1,3}"


def _rule(
    start: Phrases, rest: str, capital: Level, small: Level = Level.UNAMBIGUOUS, *,
    before: Before = Before.ANYTHING, complete: bool = True,
) -> Rule:  # fmt: skip
    pattern = rf"(?<![\w'’])(?i:{start.pattern})(?!\w){rest}"
    return Rule(re.compile(pattern, re.MULTILINE), start.words, capital, small, before, complete)


_MY_KIN = rf"(?i:{phrases('my').pattern}) (?i:{phrases('kin').pattern})"
_FURTHER = r"(?:[ \u00a0]\w{1,14}){0,4}?[ \u00a0]"
# Of a name in the middle of a sentence whose cue alone is weak: a full one.
_EN_DE = Phrases(
    r"(?:belongs to|belong to|registered to|registered in the name of|addressed to|signed by|signed for by|delivered to|received by|picked up by|helped by|handled by|served by|answered by|told by|ask for|asked for|contact|call|owner is|holder is|property of|account of|order of|parcel for|gift for"
    r"|gehört|gehörte|läuft auf|lautet auf|ausgestellt auf|unterschrieben von|angenommen von|abgeholt von|entgegengenommen von|beantwortet von|bearbeitet von|betreut von|adressiert an|geliefert an|übergeben an|bestellt von|registriert auf|angemeldet auf|im namen von|paket für|geschenk für|bestellung von|konto von|inhaber ist|ansprechpartner ist|ansprechpartnerin ist|fragen sie nach|namens)",
    frozenset(
        "belongs belong registered addressed signed delivered received picked helped handled served answered told ask asked contact call owner holder property account order parcel gift"
        " gehört gehörte läuft lautet ausgestellt unterschrieben angenommen abgeholt entgegengenommen beantwortet bearbeitet betreut adressiert geliefert übergeben bestellt registriert angemeldet namen paket geschenk bestellung konto inhaber ansprechpartner ansprechpartnerin fragen namens".split()
    ),
)
_TALKED_EN_DE = Phrases(
    r"(?:spoke|spoken|talked|chatted|dealt|emailed|met|corresponded|sprach|gesprochen|spreche|telefonierte|telefoniert|chattete|gechattet|geredet|redete|schrieb)",
    frozenset("spoke spoken talked chatted dealt emailed met corresponded sprach gesprochen spreche telefonierte telefoniert chattete gechattet geredet redete schrieb".split()),
)
_KIN_EN_DE = Phrases(
    r"(?:husband|wife|son|daughter|partner|brother|sister|mother|father|friend|colleague|neighbou?r|boss|assistant|mann|frau|sohn|tochter|bruder|schwester|mutter|vater|freund|freundin|kollege|kollegin|nachbar|nachbarin|partnerin|chef|chefin|lebensgefährte|lebensgefährtin|ehemann|ehefrau)",
    frozenset("husband wife son daughter partner brother sister mother father friend colleague neighbor neighbour boss assistant mann frau sohn tochter bruder schwester mutter vater freund freundin kollege kollegin nachbar nachbarin partnerin chef chefin lebensgefährte lebensgefährtin ehemann ehefrau meinem meiner".split()),
)

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
    _rule(phrases("talked"), rf"{_FURTHER}(?i:{phrases('with').pattern}){_GAP}{_TITLE}{CAP_NAME}", Level.LIKELY, complete=False),
    _rule(phrases("my"), rf" (?i:{phrases('kin').pattern}),?{_GAP}{CAP_NAME}", Level.LIKELY, complete=False),
    _rule(_TITLES, rf"{_GAP}(?!{_TITLES.pattern}){CAP_NAME}", Level.SURE, complete=False),
    _rule(phrases("label"), rf"[ \t]?[:=][ \t]{{1,3}}{_TITLE}{CAP_NAME}", Level.LIKELY, before=Before.CLAUSE, complete=False),
    _rule(_EN_DE, rf"(?: (?i:mr|mrs|ms|miss|dr|herrn?|frau)\.?)?{_GAP}{TWO}", Level.LIKELY, complete=False),
    _rule(_TALKED_EN_DE, rf"{_FURTHER}(?i:to|with|mit){_GAP}{TWO}", Level.LIKELY, complete=False),
    # Names that stand before what shows them
    Rule(
        re.compile(rf"(?<![\w'’-]){TWO}(?=,? (?:{_MY_KIN}|(?i:(?:my|our|his|her|mein|unser|sein|ihr)(?:e[mnrs]?)? (?:{_KIN_EN_DE.pattern}))\b))"),
        phrases("kin").words | _KIN_EN_DE.words, Level.LIKELY, Level.UNAMBIGUOUS, Before.ANYTHING, complete=False,
    ),
    Rule(
        re.compile(rf"(?<![\w'’-]){CAP_NAME}(?= (?i:{phrases('here').pattern})(?:[.,!\n]|\Z))"),
        phrases("here").words, Level.LIKELY, Level.UNAMBIGUOUS, Before.CLAUSE, complete=True,
    ),
    Rule(
        re.compile(rf"(?<![\w'’-]){CAP_NAME}(?=,? (?i:is my name|ist mein name|est mon nom|es mi nombre|is mijn naam|é o meu nome|é meu nome|è il mio nome)\b)"),
        frozenset(["name", "nom", "nombre", "naam", "nome"]), Level.LIKELY, Level.UNAMBIGUOUS, Before.ANYTHING, complete=False,
    ),
)  # fmt: skip
"""Where sentences show names, besides `lacuna.models.redaction.name_patterns.RULES`."""

