"""What mail programs, help desks and lawyers add to a customer's words, in English and German."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

__all__ = ["templates", "without_boilerplate", "without_lines"]

_QUOTED_LINE = re.compile(r"^\s*>.*$", re.M)
# From here on, everything is somebody else's: the mail that is answered or forwarded.
_BEFORE = re.compile(
    r"^[ \t]*(?:-{3,}\s*(?:original message|forwarded message|ursprüngliche nachricht|weitergeleitete nachricht)"
    r"|begin forwarded message:|anfang der weitergeleiteten nachricht:"
    r"|(?:on|am|le)\b[^\n]{4,160}\n?[^\n]{0,120}\b(?:wrote|schrieb|a écrit)\b[^\n]{0,100}:[ \t]*$"
    r"|\*?(?:from|von):\*?[^\n]*\n(?:[^\n]*\n){0,2}?[ \t]*\*?(?:sent|gesendet|date|datum|to|an|subject|betreff):).*\Z",
    re.M | re.I | re.S,
)
_LINE = re.compile(
    r"^[ \t]*(?:\W*(?:please )?(?:type|write) your reply above this line\W*|\W*bitte (?:antworten sie )?über dieser "
    r"(?:zeile|linie)(?: antworten)?\W*|sent from (?:my|mail|outlook|yahoo)\b[^\n]{0,50}|get outlook for [^\n]{0,20}"
    r"|von meine[mr] [^\n]{0,40}gesendet|gesendet (?:von|mit|aus)\b[^\n]{0,60}"
    r"|diese nachricht wurde von meinem [^\n]{0,60})$",
    re.M | re.I,
)
_SUBJECT = re.compile(r"^[ \t]*(?:subject|betreff):[ \t]*(?:(?:re|fwd?|aw|wg):[ \t]*)*", re.M | re.I)
_SIGNATURE = re.compile(r"^--[ \t]*$.*\Z", re.M | re.S)
_PARAGRAPH = re.compile(r"\n[ \t]*\n")
_ABOUT_MAIL = re.compile(
    r"\b(?:this|the|diese[rs]?) (?:e-?mail|message|mail|communication|transmission|nachricht)\b|\bdisclaimer\b", re.I
)
_LEGAL = re.compile(
    r"\b(?:confidential|privileged|intended (?:solely |only |exclusively )?for|intended recipient|before printing|"
    r"vertraulich\w*|ausschließlich für|bestimmungsgemäße\w*|nicht der (?:richtige|beabsichtigte) \w+|unbefugt\w*)",
    re.I,
)
_SIGNED = re.compile(
    r"^[ \t]*(?:(?:many |best |kind |warm |with kind )?(?:thanks|regards|wishes)|thank you|sincerely|yours(?: \w+)?"
    r"|cheers|(?:viele|liebe|beste|freundliche|herzliche) (?:grüße|grüsse)|"
    r"mit (?:freundlichen|besten) grüßen|vielen dank|lg|mfg)"
    r"[ \t,.!]*$",
    re.M | re.I,
)
# One of these, in small letters, is in whatever a pattern above finds: most texts are spared the pattern.
_BEFORE_MARKS = ("---", "begin forwarded", "anfang der", "wrote", "schrieb", "a écrit", "from:", "von:")
_LINE_MARKS = ("above this line", "bitte", "sent from", "get outlook", "gesendet", "diese nachricht")
_MAIL_MARKS = ("mail", "message", "communication", "transmission", "nachricht", "disclaimer")
_SIGNED_MARKS = ("thank", "regards", "wishes", "sincerely", "yours", "cheers", "grüße", "grüsse", "dank", "lg", "mfg")
_SIGNATURE_WORDS = 9  # of a line below a sign-off; longer ones say something

FEWEST, SHARE = 12, 0.03  # conversations that a line stands in, word for word, before it is a template


def without_boilerplate(text: str) -> str:
    r"""A message without quoted and forwarded mail, signature, disclaimers and what the mail program adds.

    Where nothing else would be left, what was quoted stays.

    Examples
    --------
    >>> without_boilerplate("It still leaks.\n\nOn Mon, 3 Jun 2024, Support wrote:\nPlease dry the tent.")
    'It still leaks.'
    """
    text = text.replace("\r\n", "\n")
    low = text.lower()
    own = unquoted = _QUOTED_LINE.sub("", text) if ">" in text else text
    if any(mark in low for mark in _BEFORE_MARKS):
        own = _BEFORE.sub("", own)
    if "--" in own:
        own = _SIGNATURE.sub("", own)
    text = own if own.strip() else unquoted
    if any(mark in low for mark in _LINE_MARKS):
        text = _LINE.sub("", text)
    if "subject:" in low or "betreff:" in low:
        text = _SUBJECT.sub("", text)
    parts = _PARAGRAPH.split(text)
    if any(mark in low for mark in _MAIL_MARKS):
        parts = [part for part in parts if not _is_disclaimer(part)]
    text = "\n\n".join(parts)
    return (_unsigned(text) if any(mark in low for mark in _SIGNED_MARKS) else text).strip()


def _is_disclaimer(part: str) -> bool:
    return bool("?" not in part and _ABOUT_MAIL.search(part) and _LEGAL.search(part))


def _unsigned(text: str) -> str:
    """``text`` up to a sign-off on a line of its own that only short lines follow: names, roles, numbers."""
    for found in _SIGNED.finditer(text):
        below = text[found.end() :]
        if "?" not in below and all(len(line.split()) <= _SIGNATURE_WORDS for line in below.splitlines()):
            return text[: found.start()] if text[: found.start()].strip() else text
    return text


def templates(messages: Sequence[str]) -> frozenset[str]:
    """Lines that stand word for word in many messages among others, and are never one's whole text: a form's.

    Parameters
    ----------
    messages
        One text a conversation.
    """
    seen: Counter[str] = Counter()
    alone = set()
    for text in messages:
        lines = {_folded(line) for line in text.splitlines()} - {""}
        if len(lines) > 1:
            seen.update(lines)
        else:
            alone |= lines
    least = max(FEWEST, SHARE * len(messages))
    return frozenset(line for line, count in seen.items() if count >= least and line not in alone)


def without_lines(text: str, lines: frozenset[str]) -> str:
    """``text`` without the lines of a form; unless nothing would be left."""
    if not lines:
        return text
    kept = [line for line in text.splitlines() if _folded(line) not in lines]
    return "\n".join(kept) if any(map(_folded, kept)) else text


def _folded(line: str) -> str:
    return " ".join(line.casefold().split())
