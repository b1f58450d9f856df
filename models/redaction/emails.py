"""Finder of e-mail addresses, plain, with spaces or spelt out in words of seven languages."""

from __future__ import annotations

import re
from collections.abc import Iterator

from lacuna.models.redaction.labels import announced, phrases
from lacuna.models.redaction.spans import Span

__all__ = ["find_emails"]

_EMAIL = re.compile(r"(?<![\w.+%-])[\w.+%'&-]{1,64}+@(?:[\w-]{1,63}\.){1,8}[^\W\d_]{2,24}(?![\w@])")
_AT, _DOT = phrases("at"), phrases("dot")
_OPEN, _CLOSE = r"[(\[{<«_*|/-]", r"[)\]}>»_*|/-]"
_SIGN = re.compile(
    # The sign or its word in brackets; the sign with spaces, or as an entity; the word alone.
    rf"(?P<sure>[ \t]{{0,2}}{_OPEN}[ \t]?(?:@|a|ä|{_AT.pattern})[ \t]?{_CLOSE}[ \t]{{0,2}}|[ \t]{{0,2}}(?:@|＠|&#64;|&commat;|%40)[ \t]{{0,2}})"
    rf"|[ \t]{{1,2}}(?P<word>{_AT.pattern})[ \t]{{1,2}}",
    re.IGNORECASE,
)
_SPELT_DOT = rf"(?:[ \t]{{0,2}}{_OPEN}[ \t]?(?:\.|{_DOT.pattern})[ \t]?{_CLOSE}[ \t]{{0,2}}|[ \t]{{1,2}}{_DOT.pattern}[ \t]{{1,2}})"
_ANY_DOT = rf"(?:[ \t]?\.[ \t]?|{_SPELT_DOT})"
_ENDINGS = (
    r"(?:com|net|org|info|edu|gov|biz|name|io|co|eu|me|app|dev|online|shop|email|cloud|mail|tech|site|xyz|pro|de|at|ch|li|uk|ie|us|ca|au|nz|fr|be|lu|es"
    r"|mx|ar|cl|pe|it|nl|pt|br|se|no|dk|fi|pl|cz|sk|hu|ro|bg|gr|tr|ru|ua|in|jp|cn|kr|za|is|lt|lv|ee|si|hr|rs)"
)
_LOCAL = re.compile(rf"(?<![\w.+-])[\w.+'-]{{1,64}}+(?:{_SPELT_DOT}[\w+-]{{1,40}}+){{0,3}}\Z", re.IGNORECASE)
_DOMAIN = re.compile(rf"(?:[\w-]{{1,63}}{_ANY_DOT}){{1,4}}{_ENDINGS}(?![\w@])", re.IGNORECASE)
_PLAIN_DOMAIN = re.compile(r"(?:[\w-]{1,63}\.){1,8}[^\W\d_]{2,24}(?![\w@])")
_DOT_WORD = re.compile(r"[ \t(\[{](?:dot|punkt)[ \t)\]}]|[(\[{]\.[)\]}]", re.IGNORECASE)
_SPELT = re.compile(_SPELT_DOT, re.IGNORECASE)
# Whose addresses are people's: behind these, "at" alone is enough ("jo at gmail.com").
_PROVIDERS = re.compile(
    r"(?:g(?:oogle)?mail|yahoo|hotmail|outlook|live|msn|icloud|me|mac|aol|gmx|web|t-online|freenet|posteo|mailbox|proton(?:mail)?|pm|orange|wanadoo|free|sfr|laposte"
    r"|libero|virgilio|tiscali|alice|tin|ziggo|kpnmail|xs4all|planet|home|hetnet|sapo|uol|bol|terra|telefonica|yandex|zoho|fastmail|hey|example|mail|email|bluewin|btinternet|sky|talktalk|comcast|verizon|att)\b",
    re.IGNORECASE,
)
_FAR = 130


def find_emails(text: str) -> Iterator[Span]:
    """E-mail addresses, plain or spelt out ("jana (at) example (dot) org", "jana arroba example punto es")."""
    if "@" in text:
        for match in _EMAIL.finditer(text):
            yield match.start() + (match.group()[0] in "'.-&"), match.end(), "EMAIL"
    if not (
        "@" in text
        or "＠" in text
        or "%40" in text
        or "&" in text
        or "(a)" in text
        or "[a]" in text
        or "ä" in text
        or announced(text, _AT)
    ):
        return
    for sign in _SIGN.finditer(text):
        before = _LOCAL.search(text, max(0, sign.start() - _FAR), sign.start())
        if before is None:
            continue
        after = _DOMAIN.match(text, sign.end()) or (_PLAIN_DOMAIN.match(text, sign.end()) if sign["sure"] else None)
        if after is None:
            continue
        if (sign["word"] or "").lower() == "at" and not _clear(before.group(), after.group()):
            continue  # "at" alone is an English word
        yield before.start(), after.end(), "EMAIL"


def _clear(local: str, domain: str) -> bool:
    """Whether "at" between two words is the sign: "jo at example dot com", "jo.doe at gmail.com", not "at some point in"."""
    if _DOT_WORD.search(domain):
        return True
    return _SPELT.search(domain) is None and _PROVIDERS.match(domain) is not None and not local.isalpha()
