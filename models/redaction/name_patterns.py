"""Patterns of the places where a sentence shows a name, English and German, for names of any script.

Every pattern has a group ``name`` or ``low`` (a name in small letters), some an ``other`` (a second name).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum, IntEnum

from lacuna.models.redaction.labels import Phrases
from lacuna.models.redaction.letters import CAPITAL, CASELESS, SMALL
from lacuna.models.redaction.spans import LazyPattern

__all__ = ["ABOVE_CONTACT", "A_WORD", "CAP_NAME", "CLOSING_WORDS", "END", "FIRST_AND_LAST", "FOOTER", "LOW", "NAME", "NO_LISTING", "ORGANISATION", "PARTICLES", "RULES", "SAINT",
           "SEPARATOR", "SIGNATURE_MARK", "SMALL_WORD", "STOP", "TAG", "TAIL", "TAIL_LOW", "TWO", "Before", "Level", "Rule"]  # fmt: skip


class Level(IntEnum):
    """How clearly a place announces a name by itself, and so how name-like the word in it must be."""

    UNAMBIGUOUS = 0  # the word must be a first name and nothing else
    LISTED = 1  # it must be a first name
    LIKELY = 2  # it must not be a word that the corpus uses otherwise
    SURE = 3  # it must not be one that is never a name
    CERTAIN = 4  # whatever it is


_CAP = rf"[{CAPITAL}](?:['’ʼ]?[{CAPITAL}]?[{SMALL}]{{1,24}}+){{1,3}}(?:[-‐][{CAPITAL}]?[{SMALL}]{{1,24}}+){{0,2}}"
_CAPS = rf"(?:[{CAPITAL}]['’])?[{CAPITAL}]{{2,20}}+(?:-[{CAPITAL}]{{2,20}}+)?(?![{SMALL}])"
PARTICLES = (
    r"(?:(?:von|vom|van|den|der|de|da|do|dos|das|di|du|del|della|la|le|los|ten|ter|zu|zur|af|av|bin|bint|binti|ibn|al|el"
    r"|y|e) ){0,3}(?:(?:al|el|ad|as|ar|an|ud|ul)-|d['’]|['’])?"
)
_INITIALS = rf"(?:[{CAPITAL}]\.(?: |(?=[{CAPITAL}]))){{0,3}}"
_MIDDLE = rf"(?!I )[{CAPITAL}](?:\.(?!\w)|(?= [{CAPITAL}][{SMALL}]))"


def _full(word: str) -> str:
    return rf"{_INITIALS}{word}(?:[ \u00a0](?:{PARTICLES}{word}|{_MIDDLE})){{0,4}}(?!\w)"


_FOREIGN = rf"[{CASELESS}]{{1,20}}+(?:[ \u00a0·・][{CASELESS}]{{1,20}}+){{0,3}}"
_LOW_WORD = rf"(?<!\w)(?:[{SMALL}]['’])?[{SMALL}]{{2,20}}+(?:['’-][{SMALL}]{{1,20}}+)?(?!\w)"
LOW = rf"(?P<low>(?:[{SMALL}]\. ?)?{_LOW_WORD}(?: {_LOW_WORD}){{0,3}})"
NAME = rf"(?P<name>{_full(f'(?:{_CAP}|{_CAPS})')}|{_FOREIGN})"  # where the place shows the name
CAP_NAME = rf"(?P<name>{_full(_CAP)}|{_FOREIGN})"  # where capitals are too many words
_ONE = rf"(?P<name>{_CAP}(?!\w)|{_FOREIGN})"
TWO = rf"(?P<name>{_CAP}(?: {PARTICLES}{_CAP}){{1,3}}(?!\w))"
_TITLE = r"(?:(?i:mr|mrs|ms|miss|mx|dr|prof|professor|herrn?|frau)\.? ){0,2}"

STOP = r"(?=[ \t]{0,3}(?:[^\w\s'’(/&@+-]|[\r\n]|\Z)|[ \t]{1,3}-)"  # of what was addressed
END = rf"(?: (?:aus|from) {_CAP})?(?: x{{1,3}}\b)?" + r"(?=[^\w\n\x00(\[]{0,12}(?:[\n\x00(\[]|\Z))"  # of a line
SEPARATOR = r"[ \t]{0,3}[,.!;:–—-]{0,3}[\s>]{1,6}(?:(?i:from|ihre?|deine?|eure?|your|von) )?" + _TITLE
_BREAK = r"[ \t]{0,3}[,.!;:–—-]{0,3}\s{0,3}[\r\n][\s>]{0,6}"

_HELLO = (
    r"(?i:hi|hiya|hello|hey|dear|good (?:morning|afternoon|evening|day)|greetings|hallo|hallöchen|guten (?:tag|morgen|abend)"
    r"|liebe[rs]?|moin(?: moin)?|servus|grüezi|grüß (?:gott|dich)|sehr geehrte[rs]?|hola|bonjour|ciao|salut)"
    r"(?: (?i:again|there|dear|nochmals?))?"
)
_MUCH = r"(?: (?i:again|so much|very much|a lot|nochmals?|vielmals|schön|sehr))?"
_THANKS = (
    r"(?i:(?:many )?thanks?(?: you)?|thx|(?:(?:vielen|herzlichen|besten|lieben) )?dank|danke)"
    r"(?: (?i:again|so much|very much|a lot|you|in advance|nochmals?|schön|im voraus|ihnen|euch|dir)){0,2}"
)
_REGARDS = (
    r"(?:(?i:(?:(?:best|kind(?:est)?|warm(?:est)?|many) )?(?:regards|greetings|wishes)|cheers|sincerely(?: yours)?"
    r"|yours(?: (?:truly|sincerely|faithfully))?|all the best"
    r"|respectfully(?: yours)?|herzlichst|hochachtungsvoll|gr(?:ü|ue|u)(?:ß|ss)e?n?)(?: (?:aus|vom) "
    + _CAP
    + r"| from "
    + _CAP
    + r"(?=[,\r\n]))?)"
)
_LETTERS = r"(?i:lg|vg|bg|hg|mfg|br|rgds)"
_BYE = r"(?i:best|love|ta|take care|warmly|signed|x{1,3}|bis (?:bald|dann)|bye|tschüss|ciao)"

_FAVOUR = r"(?i:help|advance|assistance|support|attention|advice|appreciated|hilfe|voraus|unterstützung)"
# "im" is a preposition in German: it introduces first names only.
_I_AM = r"(?i:i am|i['’]m|ich bin(?:['’]s,?)?)"
_THIS_IS = r"(?i:this is|it['’]?s|here is|hier ist)"
_WHERE_FROM = (
    r"(?=[ \t]{0,2}(?:[,.!;\n\r(]|\Z)| (?:from|here|again|speaking|calling|writing|aus|vom?|hier|and I|und|with|at)\b)"
)
_SPEAKS = r"(?= (?:from|here|again|speaking|calling|writing|aus|vom?|hier)\b)"
# Of what else one says "ich bin": Kunde, Nutzerin, Student, Tourist, Händler.
_NO_ROLE = r"(?!\w+(?:er|in|ent|ist|ant|kunde|mann|frau|ling|eur|or|ung|heit|keit|fan|mitglied|gast)\b)"
_KIN = (
    r"(?i:husband|wife|son|daughter|partner|fianc[eé]e?|boyfriend|girlfriend|brother|sister|mother|father|mum|mom|dad|cousin"
    r"|nephew|niece|flatmate|neighbou?r|colleague|co-?worker|boss|assistant|agent|advis[eo]r|friend)"
)
_KIN_DE = r"(?:Frau|Mann|Sohn|Tochter|Freund(?:in)?|Bruder|Schwester|Mutter|Vater|Kolleg(?:e|en|in)|Mitarbeiter(?:in)?|Nachbar(?:in)?)"
NO_LISTING = r"(?![^\n]{0,60}\n?[^\n]{0,3}\b(?i:type|version|id|enabled)\b)"  # of software: "Name: Dark Type: theme"
_FOLLOWS = (
    r"(?i:name|customer|client|contact|kund(?:e|in)|vorname|nachname|ansprechpartner(?:in)?|absender|empfänger(?:in)?)"
)


class Before(Enum):
    """What must stand before a rule's first word."""

    ANYTHING = ""
    BREAK = "break"  # the start of a line, punctuation or an emoji
    CLAUSE = "clause"  # the start of a sentence, or a comma
    SENTENCE = "sentence"  # the start of a sentence or a line


@dataclass(frozen=True)
class Rule:
    """A place where names stand: a pattern, and what it takes to read a name there."""

    pattern: LazyPattern
    words: frozenset[str]  # a text has one of them, or none of the rule's places
    capital: Level  # what is needed of a word with a capital
    small: Level  # what is needed of a small one
    before: Before
    complete: bool  # the pattern ends where the name does, so that nothing can have slipped into it
    phrases: Phrases | None = None  # a text has one of them, or none of the rule's places

    @property
    def groups(self) -> Iterable[str]:
        """Names of the pattern's groups that hold a name."""
        return self.pattern.groups


def _rule(
    letters: str,
    pattern: str,
    words: str,
    capital: Level,
    small: Level = Level.UNAMBIGUOUS,
    *,
    before: Before = Before.ANYTHING,
    complete: bool = True,
) -> Rule:
    """A rule whose pattern begins with one of ``letters``, small or capital: a test that spares most positions."""
    start = rf"(?=[{letters}{letters.upper()}])(?<!\w)"
    return Rule(LazyPattern(start + pattern, re.MULTILINE), frozenset(words.split()), capital, small, before, complete)


HELLO_WORDS = (
    "hi hiya hello hey dear good greetings hallo hallöchen guten liebe lieber liebes moin servus grüezi grüß sehr hola"
    " bonjour ciao salut"
)
_THANKS_WORDS = "thanks thank thx dank danke"
_REGARDS_WORDS = (
    "regards greetings wishes cheers sincerely respectfully yours best gruß gruss grüße grüsse gruesse gruße grusse grüßen grüssen"
    " gruessen herzlichst hochachtungsvoll"
)
_FAVOUR_WORDS = "help advance assistance support attention advice appreciated hilfe voraus unterstützung"
_LETTERS_WORDS = "lg vg bg hg mfg br rgds"
_BYE_WORDS = "best love ta care warmly signed x xx xxx bis bye tschüss ciao"
_THIS_WORDS = "this it's it’s its hier here"

RULES: tuple[Rule, ...] = (
    # Greetings and thanks
    _rule(
        "hdgmlsbc",
        rf"{_HELLO}(?:,?[ \t]{{1,3}}{_TITLE}{NAME}(?: (?:and|und|&) (?P<other>{_CAP}))?|[ \t]{{1,3}}{LOW})"
        rf"(?:{STOP}|(?= (?:from|von|here|hier|and (?i:thanks?|welcome)|und (?i:danke|vielen))\b))",
        HELLO_WORDS,
        Level.LIKELY,
        Level.LIKELY,
        before=Before.SENTENCE,
    ),
    _rule(
        "tmdvhblcs",
        rf"(?:{_THANKS}|(?i:cheers|sorry)){_MUCH},?[ \t]{{1,3}}{_TITLE}(?:{NAME}(?:{STOP}|(?= (?:for|für|fürs)\b))|{LOW}{STOP})",
        _THANKS_WORDS + " cheers sorry",
        Level.LIKELY,
        before=Before.SENTENCE,
    ),
    _rule(
        "tsmoynwgdkv",
        r"(?i:thanks|thank you|thx|sorry|(?:my |our )?apologies|you['’]re (?:very |most )?welcome|welcome back"
        r"|no (?:problem|worries)|nice to meet you|gerne? geschehen|keine ursache|kein problem|(?:vielen )?dank für|danke fürs?)"
        rf"(?![\w'’])[^.!?,;:\n\x00]{{0,50}}, {CAP_NAME}(?=[.!?]|{END})",
        "thanks thank thx sorry apologies welcome problem worries nice gern gerne keine dank danke",
        Level.LIKELY,
        before=Before.SENTENCE,
    ),
    # Sign-offs
    _rule(
        "bkwmrgcsyah",
        rf"{_REGARDS}{SEPARATOR}(?:{NAME}(?:{END}|(?=[.!] ))|{LOW}{END})",
        _REGARDS_WORDS,
        Level.SURE,
        Level.SURE,
    ),
    _rule(
        "lvbhmr",
        rf"{_LETTERS}{SEPARATOR}(?:{NAME}(?:{END}|(?=[.!] ))|{LOW}{END})",
        _LETTERS_WORDS,
        Level.SURE,
        Level.SURE,
        before=Before.BREAK,
    ),
    _rule("tmvhbld", rf"{_THANKS}{SEPARATOR}(?:{NAME}|{LOW}){END}", _THANKS_WORDS, Level.LIKELY, before=Before.BREAK),
    _rule(
        "tmvhbld",
        rf"{_THANKS}{_BREAK}(?:{NAME}|{LOW}){END}",
        _THANKS_WORDS,
        Level.SURE,
        Level.LIKELY,
        before=Before.BREAK,
    ),
    _rule(
        "t",
        rf"(?i:thanks|thank you|thx)(?![\w'’])[^.!?\n\x00]{{0,60}}{_FAVOUR}[ \t.,!?;:)-]{{0,4}}[\s>]{{1,4}}{CAP_NAME}{END}",
        _FAVOUR_WORDS,
        Level.LIKELY,
    ),
    _rule("haistvu", rf"{_FAVOUR}[ \t]?[.,!?:)-]{{1,4}}[\s>]{{1,4}}{CAP_NAME}{END}", _FAVOUR_WORDS, Level.LIKELY),
    _rule(
        "bltwcxs",
        rf"{_BYE}[ \t]{{0,3}}(?:[,!.][ \t]{{0,3}}{NAME}|{_BREAK}(?:{NAME}|{LOW})){END}".replace("name>", "after>", 1),
        _BYE_WORDS,
        Level.LIKELY,
        Level.LIKELY,
        before=Before.BREAK,
    ),
    _rule(
        "lvbhmrtdwcxs",
        rf"(?:{_LETTERS}|{_THANKS}|{_BYE}){SEPARATOR}(?:{NAME}|{LOW}){END}",
        " ".join((_LETTERS_WORDS, _THANKS_WORDS, _BYE_WORDS)),
        Level.LISTED,
    ),
    # Introductions
    _rule(
        "mti",
        r"(?i:my (?:(?:full|real|first|last|maiden) )?name(?: is|['’]s|:)|my n(?:me|mae|aem|amme|ane) is"
        r"|mein (?:voller |vollständiger )?name(?: ist| lautet|:)|mein n(?:me|mae|aem|amme|ane) ist|ich hei(?:ß|ss)e)[ \t]{1,3}"
        rf"{_TITLE}(?:{NAME}|{LOW})",
        "name name's name’s nme nmae naem namme nane heiße heisse",
        Level.SURE,
        Level.SURE,
        complete=False,
    ),
    _rule(
        "caikutofz",
        r"(?i:call me|the (?:full |real |first |last )?name(?: is|['’]s)|account holder(?: is|:)|kontoinhaber(?:in)?(?: ist|:)|in the name of|under the name(?: of)?|on behalf of"
        rf"|auf den namen|im (?:namen|auftrag) von|addressed to|(?:for the )?attention of|z\. ?hd\.(?: von)?)[ \t]{{1,3}}{_TITLE}(?:{CAP_NAME}|{LOW})",
        "call holder kontoinhaber kontoinhaberin name name's name’s namen addressed behalf attention hd auftrag",
        Level.SURE,
        complete=False,
    ),
    _rule(
        "ith",
        rf"(?:{_I_AM}|{_THIS_IS}) {TWO}{_WHERE_FROM}",
        "am i'm i’m im bin bin's bin’s " + _THIS_WORDS,
        Level.LIKELY,
    ),
    _rule("i", rf"(?i:i am|i['’]m) {_ONE}{_WHERE_FROM}", "am i'm i’m", Level.LIKELY),
    _rule("i", rf"(?i:ich bin(?:['’]s,?)?) {_NO_ROLE}{_ONE}{_WHERE_FROM}", "bin bin's bin’s", Level.LIKELY),
    _rule("ib", rf"(?i:(?:ich )?bin) (?:der|die) {_NO_ROLE}{CAP_NAME}{_WHERE_FROM}", "bin", Level.LIKELY),
    _rule("i", rf"[Ii]m {CAP_NAME}(?= from\b)", "im", Level.LIKELY),
    _rule("ith", rf"{_THIS_IS} {_ONE}{_SPEAKS}", _THIS_WORDS, Level.LIKELY),
    _rule(
        "hdgmlsbc",
        rf"{_HELLO}[^.!?\n]{{0,30}}[,.!]? (?i:this is|hier ist) {CAP_NAME}{_WHERE_FROM}",
        _THIS_WORDS,
        Level.LIKELY,
        before=Before.SENTENCE,
    ),
    _rule("ith", rf"(?:{_THIS_IS}|(?i:ich bin|im)) {_ONE}{_WHERE_FROM}", "bin im " + _THIS_WORDS, Level.UNAMBIGUOUS),
    _rule(
        "ith",
        rf"(?i:i am|i['’]?m|this is|it['’]?s|ich bin|hier ist|hier schreibt) (?P<low>{_LOW_WORD}(?: {_LOW_WORD})??)"
        r"(?= (?:from|here|and|aus|vo[nm]|und)\b|[,.!\n\r]|\Z)",
        "am i'm i’m im bin " + _THIS_WORDS,
        Level.UNAMBIGUOUS,
        complete=False,
    ),
    _rule("h", rf"(?i:hier (?:schreibt|spricht)) {_TITLE}{CAP_NAME}", "schreibt spricht", Level.SURE, complete=False),
    Rule(
        LazyPattern(rf"(?<![\w'’-])(?:{CAP_NAME}|{LOW}) (?:here|hier)(?=[.,!]| (?:from|again|with|von|aus)\b)"),
        frozenset(["here", "hier"]),
        Level.LIKELY,
        Level.UNAMBIGUOUS,
        Before.CLAUSE,
        complete=True,
    ),
    Rule(
        LazyPattern(rf"(?<![\w'’-]){CAP_NAME} (?i:is my name|(?:ist )?mein Name)\b"),
        frozenset(["name"]),
        Level.LIKELY,
        Level.UNAMBIGUOUS,
        Before.SENTENCE,
        complete=True,
    ),
    # Third persons
    _rule(
        "moyh",
        rf"(?i:my|our|your|his|her) {_KIN} {CAP_NAME}",
        "husband wife son daughter partner fiance fiancé fiancée boyfriend girlfriend brother sister mother father mum mom dad"
        " cousin nephew niece flatmate neighbour neighbor colleague coworker boss assistant agent advisor adviser friend",
        Level.LIKELY,
        complete=False,
    ),
    _rule(
        "mudi",
        rf"(?i:(?:mein|unser|dein|ihr)(?:e[mnr]?)?) {_KIN_DE} {_ONE}",
        "meine mein meiner meinem meinen ihre ihr unsere unser deine dein ihrem ihren ihrer",
        Level.LISTED,
    ),
    _rule(
        "k",
        rf"Kolleg(?:e|en|in) (?:Herrn? |Frau )?{CAP_NAME}",
        "kollege kollegen kollegin",
        Level.LIKELY,
        complete=False,
    ),
    _rule(
        "stcd",
        rf"(?i:spoke|speaking|talked|chatted|dealt) (?i:to|with) {_ONE}",
        "spoke speaking talked chatted dealt",
        Level.UNAMBIGUOUS,
    ),
    _rule("tdvhblmgs", rf"(?:{_THANKS}|{_HELLO}),? {_ONE}", _THANKS_WORDS + " " + HELLO_WORDS, Level.UNAMBIGUOUS),
    # Titles and labels
    _rule(
        "mdphf",
        r"(?<![mdsk]eine )(?<!\beine )(?:M[rsx]|Mrs|Miss|Dr|Prof|Herrn?|Frau|MR|MRS|HERR|FRAU)\.?(?: (?:Dr|Prof)\.?){0,2} "
        rf"(?!(?:Word|Office|Teams|Outlook|Exchange|Edge|Access|Excel|Paint|Windows)\b)(?:{PARTICLES})?{CAP_NAME}",
        "mr mrs ms miss mx dr prof herr herrn frau",
        Level.CERTAIN,
        complete=False,
    ),
    _rule("mh", rf"(?:mr|mrs|herrn?)\.? {LOW}", "mr mrs herr herrn", Level.LIKELY, Level.LIKELY, complete=False),
    _rule(
        "mflcbkvnae",
        rf"(?i:(?:my |full |first |last |customer |contact |billing )?{_FOLLOWS})[ \t]?[:=][ \t]{{1,3}}{NO_LISTING}"
        rf"{_TITLE}(?:{TWO.replace('name>', 'two>')}|{CAP_NAME}(?={END}|[ \t]?[,;|]))",
        "name customer client contact kunde kundin vorname nachname ansprechpartner ansprechpartnerin absender empfänger"
        " empfängerin",
        Level.LIKELY,
        before=Before.CLAUSE,
        complete=False,
    ),
    _rule(
        "fvtacb",
        rf"(?:From|Von|To|An|C[cC]|By):[ \t]{{1,3}}{TWO}(?=[ \t]{{0,3}}[<(\[\x00\r\n]|\Z)",
        "from von to an cc by",
        Level.LIKELY,
        before=Before.SENTENCE,
    ),
    _rule("n", rf"(?<=[a-zß-ÿ\d?!] )Name:[ \t]{{1,3}}{NO_LISTING}{TWO}", "name", Level.LIKELY, complete=False),
)
"""Where sentences show names. A rule that needs a first name whatever the case is only tried on texts with one."""

FIRST_AND_LAST = re.compile(rf"{_CAP} (?:[{CAPITAL}]\. ){{0,2}}(?P<last>{PARTICLES}{_CAP}(?: {_CAP}){{0,2}})(?!\w)")
"""Two to four capital words: a name where the first is a first name."""

A_WORD = re.compile(rf"(?<![\w.@'’/&-])(?:{_CAP}|[{SMALL}]{{4,20}}+(?!['’](?!s\b)))(?![\w@/=-]|\.\w|!\w| \d)")
"""A word that may be a first name, with a capital or of four small letters and more."""

SMALL_WORD = re.compile(rf" (?P<low>[{SMALL}]{{3,20}}+)(?![\w@/=-]|\.\w)")
"""A small word behind another."""

SAINT = re.compile(
    r"(?i:\b(?:sankt|saint|sainte|sint|santo|santa|sant|san|são|st\.?|porto|lago|lac|lake) |saint-|sankt-|sint-)\Z"
)
"""What makes the first name behind it a place."""

ABOVE_CONTACT = re.compile(rf"(?:^|\n)[ \t>]{{0,3}}{TWO}[ \t,]{{0,3}}\r?\n[ \t>]{{0,3}}(?=\x00)")
"""A line of two to four capital words above an address, a number or a link that went."""

FOOTER = re.compile(
    r"\s{1,6}(?i:sent from my|sent (?:from|via|with) \w+|get outlook for|von meinem .{1,30} gesendet|gesendet (?:von|mit|über)"
    r"|diese nachricht wurde von)[^\n]{0,80}\s{0,6}\Z"
)
"""What a phone writes below a signature."""

SIGNATURE_MARK = re.compile(rf"(?:^|\n)--[ \t]?\r?\n{CAP_NAME}{END}")
"""A name below the two dashes that set off a signature."""

TAIL = re.compile(rf"(?<![\w'’@./#&])(?<!\w-){NAME}(?: x{{1,3}})?[^\w\x00(]{{0,20}}\Z")
"""The capital words that a message ends in."""

TAIL_LOW = re.compile(rf"(?:^|(?<=\n))(?P<mark>[ \t>]{{0,3}}[-–—~/]{{0,3}}[ \t]{{0,2}}){LOW}[^\w\x00(]{{0,20}}\Z")
"""A last line of one to three small words."""

CLOSING_WORDS: tuple[str, ...] = (
    "regards", "wishes", "thanks", "cheers", "sincerely", "greetings", "grüße", "grüsse", "gruesse", "grüßen", "grüssen",
    "gruß", "dank", "danke", "herzlichst", "thank",
)  # fmt: skip
"""Words after which a name closes the message, also with a slip of the finger in them."""

ORGANISATION = re.compile(
    r"[ -](?i:teams?|support|community|service|help|kundenservice|kundendienst|customer|care|forum|developers?|devs|group"
    r"|folks|users?|staff|inc|gmbh|ltd|ag|shop|store)\b"
)
"""What makes the words before it a company."""

TAG = re.compile(r"</?[A-Za-z][^<>\n]{0,200}>")
"""Markup, which ends a line as far as names go."""
