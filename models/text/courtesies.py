"""Patterns of greetings and sign-offs, which are removed because they are not about the problem.

Each pattern is for one context: a customer's message, an agent's reply, a sentence among others, a label. They differ
in how much they match, since what is a courtesy at the end of a message may be its content in the middle.
"""

from __future__ import annotations

import re

__all__ = ["CLOSING", "COURTESY", "REPLY_GREETING", "without_greeting", "without_sign_off"]

# Of a customer's message, with whom it greets.
_GREETING = re.compile(
    r"^\s*(?:(?:hi|hiya|hello|hey|dear|good (?:morning|afternoon|evening|day)|greetings|hallo|moin|servus|grüezi|"
    r"guten (?:morgen|tag|abend)|sehr geehrte\w*(?: damen und herren)?|liebe[rs]?)\b(?!-\w)"
    r"(?:[ ,]+(?:there|all|team|everyone|folks|support|zusammen|ihr|sir|madam|or)\b)*[\s,.!:–-]*)+",
    re.I,
)
# Of an agent's reply, where a name must follow or a comma, and thanks may stand for a greeting.
REPLY_GREETING = re.compile(
    r"^\W*(?:hi|hello|hey|dear|good (?:morning|afternoon|evening|day)|thanks for [\w ]+|hallo|"
    r"guten (?:tag|morgen|abend)|liebe[rs]?|sehr geehrte[rs]?)\b"
    r"(?: (?:<[A-Z_]+>|[A-ZÄÖÜ][\w-]+|there|zusammen|frau|herr))*[,!:–-]\s*",
    re.I,
)
_THANKS = (
    r"(?:(?:many |best |kind |warm )?(?:thanks|thank you|thx|cheers|regards|best wishes|"
    r"sincerely|yours)|(?:viele|liebe|beste|freundliche|herzliche) (?:grüße|grüsse)|mit freundlichen grüßen|"
    r"vielen dank|danke(?: schön| im voraus)?|lg|mfg)\b"
)
# Behind a sentence it takes what follows along; at the front, a name or so, since a longer message is a message.
_SIGN_OFF = re.compile(rf"(?<=[.!?\n])\s*{_THANKS}[^.?!\n]{{0,40}}[.!]*\s*\Z", re.I)
_ONLY_A_SIGN_OFF = re.compile(rf"\s*{_THANKS}(?:[\s,]+[^\s.?!]+){{0,2}}[\s.!,]*\Z", re.I)
_SIGNED_BY = 120  # characters before the last marks and spaces in which a sign-off begins
# At the very end, though no mark comes before it: of a text that is shown, from which little may be lost.
CLOSING = re.compile(
    r"(?<=\w)[\s,]+(?:(?:kind|best|many|warm) )?(?:regards|wishes|thanks|thank you|thx|cheers|lg|"
    r"(?:vielen|besten|herzlichen) dank|danke|"
    r"(?:viele|liebe|beste) grüße|mit freundlichen grüßen)\b[^.?]{0,25}\Z",
    re.I,
)
# Within a sentence, where a label must not reach over it (a source, to be put in a larger pattern).
COURTESY = (
    r"\b(?:(?:many|kind|best|warm) (?:thanks|regards|wishes)|thank you|thanks|thx|regards|cheers|sorry"
    r"|hi|hiya|hello|hey|hallo|dear|folks|guys"
    r"|(?:(?:mit )?(?:freundlichen?|vielen?|liebe|besten?|schöne|herzliche[nr]?) )?"
    r"(?:grüße?n?|grüssen?|gruß|dank)|danke|entschuldigung)\b"
)

# The same in languages that only names are made in.
FOREIGN_COURTESY = (
    r"\b(?:bonjour|bonsoir|merci(?: beaucoup| d'avance)?|cordialement|s'il (?:vous|te) pla[iî]t|svp"
    r"|hola|buen[oa]s (?:d[ií]as|tardes|noches)|(?:muchas )?gracias|saludos|por favor)\b"
)


def without_greeting(text: str) -> str:
    """``text`` without the greeting that it begins with.

    Examples
    --------
    >>> without_greeting("Hi there, my tent pole snapped")
    'my tent pole snapped'
    """
    match = _GREETING.match(text)
    return text[match.end() :] if match else text


def without_sign_off(text: str) -> str:
    """``text`` without the sign-off that it ends in; nothing where it is one."""
    match = _SIGN_OFF.search(text, max(0, len(text.rstrip(" .!\n\t")) - _SIGNED_BY))
    if match:
        return text[: match.start()]
    return "" if _ONLY_A_SIGN_OFF.match(text) else text
