"""Finders of what belongs to an online account: secrets, links, e-mail addresses, network and device addresses."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator

from lacuna.models.redaction.spans import Span, words_of

__all__ = ["find_emails", "find_networks", "find_secrets", "find_urls"]

_SECRET_WORDS = frozenset(
    [
        "password",
        "passwort",
        "passcode",
        "passphrase",
        "kennwort",
        "pwd",
        "pw",
        "pin",
        "pins",
        "pincode",
        "pinnummer",
        "tan",
        "mtan",
        "smstan",
        "otp",
        "key",
        "apikey",
        "accesskey",
        "secret",
        "token",
        "cvv",
        "cvv2",
        "cvc",
        "cvc2",
        "prüfziffer",
        "code",
        "phrase",
        "zugangsdaten",
        "lizenzschlüssel",
        "gutscheinkartennummer",
        "gutscheinkartenummer",
        "number",
        "bearer",
        "sicherheitscode",
        "bestätigungscode",
        "verifizierungscode",
        "anmeldecode",
        "logincode",
        "einmalcode",
    ]
)
_TOKEN_STARTS = ("sk_", "pk_", "rk_", "ghp_", "gho_", "ghs_", "ghu_", "xox", "AKIA", "eyJ")
_LABEL_TEXT = (
    r"(?<![\w-])(?:passwor[dt]|passcode|passphrase|kennwort|pwd|pw|secret|api[ _-]?key|api[ _-]?token"
    r"|access[ _-]?(?:key|token)|auth[ _-]?token|refresh[ _-]?token|client[ _-]?secret|token|private key"
    r"|licen[cs]e key|product key|activation (?:key|code)|lizenzschlüssel|gift ?card (?:code|number)"
    r"|gutscheinkarten?nummer|recovery (?:key|code|phrase)|zugangsdaten)"
)
_LABELLED = re.compile(
    _LABEL_TEXT + r"(?P<link>\s{0,3}(?:[:=]|->|(?:is|was|ist|war|lautet(?:e)?)(?![\w])\s?:?)\s{0,3})"
    r"(?P<value>[\"'“„«`][^\"'”“»`\n\x00]{2,60}[\"'”“»`]|[^\s\"'“„«`<>\x00]{3,200})",
    re.IGNORECASE,
)
_NUMERIC = re.compile(
    r"(?<![\w-])(?:pin(?:[ -]?code|[ -]?nummer)?|tan|m-?tan|sms-?tan|otp|cvv2?|cvc2?|prüfziffer"
    r"|(?:verification|security|confirmation|login|sign-?in|sms|one-?time|2fa|two-factor|authentication|access|unlock)"
    r" (?:code|pin)|(?:your|my|the|ihr|mein|der) code(?= (?:is|ist|lautet)|:)|(?:sicherheits|bestätigungs|verifizierungs|anmelde|login|einmal)-?code)"
    r"(?:\s{0,3}(?:[:=]|is|was|ist|war|lautet)){0,2}\s{0,3}(?P<value>\d{3,8})(?![\w]|[.,]\d)",
    re.IGNORECASE,
)
_SHAPES = re.compile(
    r"(?<![\w-])(?:(?:sk|pk|rk)_(?:live|test)_\w{8,99}|gh[opsu]_\w{20,99}|xox[abprs]-[\w-]{10,99}|AKIA[0-9A-Z]{16}"
    r"|eyJ[\w-]{8,2000}\.[\w-]{8,2000}\.[\w-]{4,2000}|(?:[A-Z0-9]{4,5}-){3,5}[A-Z0-9]{4,5})(?![\w-])"
)
_BEARER = re.compile(r"(?<!\w)bearer\s{1,3}(?P<value>[\w.~+/=-]{16,2000})", re.IGNORECASE)
_PRIVATE_KEY = re.compile(
    r"-----BEGIN [A-Z ]{0,30}PRIVATE KEY-----(?:[A-Za-z0-9+/=\s]{0,5000}-----END [A-Z ]{0,40}-----)?"
)

# Words that follow "password:" or "password is" when no password does.
_NOT_A_SECRET = frozenset(
    [
        "a",
        "again",
        "also",
        "always",
        "an",
        "and",
        "any",
        "ask",
        "asked",
        "asking",
        "at",
        "be",
        "because",
        "been",
        "being",
        "blocked",
        "box",
        "but",
        "by",
        "can",
        "cannot",
        "changed",
        "click",
        "correct",
        "das",
        "dass",
        "dem",
        "den",
        "der",
        "die",
        "ein",
        "eine",
        "empty",
        "enter",
        "error",
        "erforderlich",
        "expired",
        "failed",
        "falsch",
        "fehlt",
        "fehler",
        "field",
        "file",
        "for",
        "forgot",
        "forgotten",
        "from",
        "gesperrt",
        "gone",
        "has",
        "have",
        "here",
        "how",
        "if",
        "immer",
        "in",
        "incorrect",
        "invalid",
        "is",
        "it",
        "just",
        "kein",
        "keine",
        "known",
        "korrekt",
        "leer",
        "length",
        "link",
        "locked",
        "login",
        "lost",
        "manager",
        "mein",
        "missing",
        "must",
        "my",
        "needed",
        "never",
        "new",
        "nicht",
        "no",
        "noch",
        "not",
        "of",
        "ok",
        "okay",
        "on",
        "one",
        "only",
        "or",
        "page",
        "please",
        "prompt",
        "recovery",
        "rejected",
        "required",
        "reset",
        "richtig",
        "same",
        "saved",
        "screen",
        "see",
        "sent",
        "settings",
        "should",
        "so",
        "still",
        "stored",
        "that",
        "the",
        "them",
        "then",
        "there",
        "this",
        "to",
        "too",
        "ungültig",
        "unknown",
        "update",
        "valid",
        "vergessen",
        "was",
        "weak",
        "weg",
        "what",
        "when",
        "where",
        "which",
        "why",
        "will",
        "with",
        "working",
        "wrong",
        "you",
        "your",
        "zu",
        "zurücksetzen",
    ]
)


def _secret_value(value: str, link: str) -> bool:
    """Whether what stands after a label is a secret, and not the rest of a sentence about secrets."""
    bare = value.strip("\"'“„«`”»")
    if value != bare and len(value) > len(bare) + 1:
        return True
    bare = bare.rstrip(".,;!?)")
    if len(bare) < 3 or bare.lower() in _NOT_A_SECRET or bare.startswith("["):
        return False
    if any(char.isdigit() for char in bare) or re.search(r"\w[^\w\s'’.,;/()-]|[^\w\s'’.,;/()-]\w", bare):
        return True
    return ":" in link or "=" in link


def find_secrets(text: str) -> Iterator[Span]:
    """Labelled passwords, PINs, one-time codes and keys, and tokens that are recognised by their form."""
    if "-----BEGIN" in text:
        for match in _PRIVATE_KEY.finditer(text):
            yield match.start(), match.end(), "SECRET"
    if not _SECRET_WORDS.isdisjoint(words_of(text)):
        for pattern in (_LABELLED, _NUMERIC, _BEARER):
            for match in pattern.finditer(text):
                start, end = match.span("value")
                if pattern is _LABELLED:
                    if not _secret_value(match["value"], match["link"]):
                        continue
                    if text[start] not in "\"'“„«`":
                        end = start + len(match["value"].rstrip(".,;!?)")) or end
                yield start, end, "SECRET"
    if text.count("-") >= 3 or any(start in text for start in _TOKEN_STARTS):
        for match in _SHAPES.finditer(text):
            secret = match.group()
            if secret[:3] in ("sk_", "pk_", "rk_", "eyJ", "xox") or (
                any(char.isdigit() for char in secret) and any(char.isalpha() for char in secret)
            ):
                yield match.start(), match.end(), "SECRET"


_URL = re.compile(r"(?<![\w@])(?:https?://|ftp://|www\.)[^\s<>\"'“”„»«`\x00]{3,4000}+", re.IGNORECASE)
_WORDY = re.compile(
    r"(?:\d{1,4}|[A-Za-zÀ-ÿ]?[a-zß-ÿ]{0,19}|[A-Z]{1,5})(?:[-_](?:\d{1,4}|[A-Za-zÀ-ÿ]?[a-zß-ÿ]{0,19}|[A-Z]{1,5})){0,20}(?:\.(?:html?|php|aspx?|pdf))?"
)
_PROFILE_HOSTS = (
    "facebook.",
    "instagram.",
    "linkedin.",
    "twitter.",
    "x.com",
    "tiktok.",
    "t.me",
    "wa.me",
    "xing.",
    "paypal.me",
)
_PRIVATE_PARTS = frozenset(
    ["account", "accounts", "auth", "c", "customer", "customers", "d", "e", "i", "in", "invite", "invitation", "join", "kunde", "kunden", "konto", "login", "m", "magic", "meet", "member", "members", "o", "p", "profil", "profile", "profiles", "r", "reset", "s", "share", "shared", "t", "tmp", "token", "tracking", "u", "unsubscribe", "user", "users", "verify", "w"]
)  # fmt: skip


def find_urls(text: str) -> Iterator[Span]:
    """What of a link could lead to a person: everything, or the path from the first part that doesn't read like words.

    A link without query whose path reads like an article's address is evidence (agents cite articles so) and stays;
    a query, a fragment with a value, a user name or a token doesn't.
    """
    low = text.lower()
    if "://" not in text and "www." not in low:
        return
    for match in _URL.finditer(text):
        url = match.group().rstrip(".,;:!?)]}*…")
        start, end = match.start(), match.start() + len(url)
        _, _, rest = url.partition("://") if "://" in url else ("", "", url)
        host, slash, path = rest.partition("/")
        lead = len(url) - len(rest)
        bad_host = (
            "@" in host or any(name in host.lower() for name in _PROFILE_HOSTS) or host.replace(".", "").isdigit()
        )
        if bad_host or "?" in url or "=" in url or "%40" in url or "@" in url:
            yield start, end, "URL"
            continue
        kept_length = lead + len(host) + len(slash)
        for part in path.split("/"):
            without_fragment = part.partition("#")[0]
            if (
                part.lower() in _PRIVATE_PARTS
                or not _WORDY.fullmatch(without_fragment)
                or len(part) > len(without_fragment) + 40
            ):
                break
            kept_length += len(part) + 1
        else:
            continue
        if start + kept_length < end:
            yield start + kept_length, end, "URL"


_EMAIL = re.compile(r"(?<![\w.+%-])[\w.+%'&-]{1,64}+@(?:[\w-]{1,63}\.){1,8}[^\W\d_]{2,24}(?![\w@])")
_SPELT_EMAIL = re.compile(
    r"(?<![\w.+-])[\w.+-]{1,64}+\s?(?:\(at\)|\[at\]|\{at\}|\(ät\)| at )\s?"
    r"[\w-]{1,63}\s?(?:(?:\.|\(dot\)|\[dot\]|\(punkt\)| dot | punkt )\s?[\w-]{1,63}\s?){0,3}"
    r"(?:\.|\(dot\)|\[dot\]|\(punkt\)| dot | punkt )\s?(?:com|net|org|de|at|ch|uk|co|io|eu|info|fr|es|it|nl)(?!\w)",
    re.IGNORECASE,
)


def find_emails(text: str) -> Iterator[Span]:
    """E-mail addresses, plain or spelt out ("jana (at) example (dot) org")."""
    last_end = -1
    if "@" in text:
        for match in _EMAIL.finditer(text):
            start = match.start() + (match.group()[0] in "'.-&")
            last_end = match.end()
            yield start, match.end(), "EMAIL"
    low = text.lower()
    if last_end < 0 and (
        "(at)" in low or "[at]" in low or "{at}" in low or "(ät)" in low or (" at " in low and " dot " in low)
    ):
        for match in _SPELT_EMAIL.finditer(text):
            # " at " alone is an English word: it counts only where the dot is spelt out too.
            if " at " not in match.group().lower() or " dot " in match.group().lower():
                yield match.start(), match.end(), "EMAIL"


_IPV4 = re.compile(r"(?<![\w.])\d{1,3}(?:\.\d{1,3}){3}(?!\w|\.\d)")
_IPV6 = re.compile(r"(?<![\w:.])(?:[0-9A-Fa-f]{0,4}:){2,7}[0-9A-Fa-f]{0,4}(?![\w:]|\.\d)")
_MAC = re.compile(r"(?<![\w:-])[0-9A-Fa-f]{2}(?:([:-])[0-9A-Fa-f]{2})(?:\1[0-9A-Fa-f]{2}){4}(?![\w:-])")
_SERIAL = re.compile(
    r"(?<!\w)(?:imei|serial(?: number| no\.?| nr\.?)?|s/n|seriennummer|geräte-?nummer)"
    r"(?:\s{0,2}(?:[:#=]|is|ist|lautet)){0,2}\s{0,2}(?P<value>(?=[A-Z-]{0,20}\d)[A-Z0-9][A-Z0-9-]{5,24})(?!\w)",
    re.IGNORECASE,
)
_VERSION_BEFORE = re.compile(r"\b(?:version|ver\.?|release|build|firmware|update|fw|v\.?)\s{0,3}$", re.IGNORECASE)
_NOBODY = ("127.", "0.0.0.0", "255.")
_RESOLVERS = frozenset({"1.1.1.1", "8.8.8.8", "8.8.4.4", "9.9.9.9"})


def find_networks(text: str) -> Iterator[Span]:
    """IP addresses (not versions, masks or loopback), MAC addresses, labelled serial numbers."""
    if text.count(".") >= 3:
        for match in _IPV4.finditer(text):
            address = match.group()
            if any(int(part) > 255 for part in address.split(".")):
                continue
            if address.startswith(_NOBODY) or address in _RESOLVERS:
                continue
            if _VERSION_BEFORE.search(text[max(0, match.start() - 14) : match.start()]):
                continue
            yield match.start(), match.end(), "IP"
    if "::" in text or text.count(":") >= 7:
        for match in _IPV6.finditer(text):
            try:
                address6 = ipaddress.IPv6Address(match.group())
            except ValueError:
                continue
            if int(address6) > 1 and sum(bool(part) for part in match.group().split(":")) >= 2:
                yield match.start(), match.end(), "IP"
    if text.count(":") >= 5 or text.count("-") >= 5:
        for match in _MAC.finditer(text):
            yield match.start(), match.end(), "DEVICE"
    low = text.lower()
    if "imei" in low or "seri" in low or "s/n" in low or "geräte" in low:
        for match in _SERIAL.finditer(text):
            yield *match.span("value"), "DEVICE"
