"""Finders of what belongs to an online account: links, user names, network and device addresses."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator

from lacuna.models.redaction.labels import announced, phrases
from lacuna.models.redaction.secrets import NOT_A_SECRET
from lacuna.models.redaction.spans import Span

__all__ = ["find_networks", "find_urls", "find_user_names"]

_URL = re.compile(
    r"(?<![\w@])(?:(?:https?|ftps?|sftp|wss?|ssh|git|smb|postgres(?:ql)?|mysql|mongodb(?:\+srv)?|redis|amqps?|hxxps?)://|[a-z][a-z0-9+.-]{1,20}://(?=[^\s?#]{0,200}[?#][^\s=]{1,60}=)|www\.|(?<![/\\.:])(?:[a-z0-9-]{1,63}\.){1,6}[a-z]{2,24}(?::\d{1,5})?(?=[/?#][^\s<>\"'“”„»«`\x00]{3}))"
    r"[^\s<>\"'“”„»«`\x00]{3,4000}+",
    re.IGNORECASE,
)
_WORDY = re.compile(
    r"(?:\d{1,4}|[A-Za-zÀ-ÿ]?[a-zß-ÿ]{0,19}|[A-Z]{1,5})(?:[-_](?:\d{1,4}|[A-Za-zÀ-ÿ]?[a-zß-ÿ]{0,19}|[A-Z]{1,5})){0,20}(?:\.(?:html?|php|aspx?|pdf))?"
)
_MAY_BE_LINK = re.compile(r"www\.|[a-z0-9-]\.[a-z]{2,24}(?::\d{1,5})?[/?#]", re.IGNORECASE)
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
    if "://" not in text and not _MAY_BE_LINK.search(text):
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


_LABELS, _BEFORE, _LINKS, _OF = phrases("user"), phrases("user_before"), phrases("links").pattern, phrases("of").pattern
_LABELLED = re.compile(
    rf"(?<![\w@-])(?P<label>{_LABELS.pattern})(?!\w)(?:[ \u00a0](?:{_OF})(?!\w)[^.:;!?=\n\x00]{{1,40}}?)?"
    rf"(?P<link>[ \t\u00a0]{{0,3}}[:=][ \t]{{0,3}}|[ \u00a0](?:{_LINKS})(?!\w)[ \t\u00a0]?:?[ \t]{{0,2}}|[ \u00a0](?=@|\w{{0,30}}\d))[\"'“„«`‘]?(?P<value>@?[\w][\w.#-]{{1,39}})(?![\w@])",
    re.IGNORECASE,
)
# Labels behind which as often a sentence goes on: a name must look like one.
_WEAK = frozenset(
    "user login nick handle alias usuario usuaria utilizador utilizadora gebruiker benutzer nutzer utente utilisateur utilisatrice identificador discord twitter instagram telegram"
    " usuário identificativo pseudo".split()
) | {
    "account name",
    "profile name",
    "display name",
    "mi cuenta",
    "mon compte",
    "a minha conta",
    "nome da conta",
    "kontoname",
    "accountname",
    "accountnaam",
    "profielnaam",
    "profilname",
}
_ENDS = re.compile(r"[ \t]?(?:[,\r\n]|\.?\s*\Z)")
_MADE_UP = r"(?=[\w.-]{0,30}[\d_])(?=[\w.-]{0,30}[^\W\d_]{2})[^\W\d_][\w.-]{3,31}"
_MAY_BE_USER = re.compile(r"[^\W\d_][.-]?[\d_]|_[^\W_]")
_BEFORE_ONE = re.compile(
    rf"(?<![\w@-])(?:{_BEFORE.pattern})[:]?[ \u00a0][\"'“„«`‘]?(?P<value>{_MADE_UP})(?![\w@/-])", re.IGNORECASE
)
_HANDLE = re.compile(r"(?<![\w@./:+-])@(?P<name>[A-Za-z_À-ÿ][\w.-]{1,30}\w)(?![\w/(@-]|:/)")
_OURS = re.compile(
    r"(?:follow us|find us|folgt uns|folgen sie uns|suivez-nous|síguenos|volg ons|siga-nos|seguici)\W{0,3}(?:\w{1,9} ){0,2}$",
    re.IGNORECASE,
)
_DOMAIN = re.compile(
    r"[\w-]+(?:\.[\w-]+){0,3}\.(?:com|net|org|info|edu|gov|io|eu|de|at|ch|uk|fr|es|nl|pt|br|it|be|ca|au|mx)",
    re.IGNORECASE,
)
_NO_HANDLE = frozenset(
    "shop store all channel everyone here media import override charset font-face keyframes include param return returns test namespace gmail hotmail"
    " outlook yahoo icloud web gmx live support team staff admin moderator mods keyframes todos tous alle iedereen".split()
)
_LOOKS_LIKE_MODEL = re.compile(
    r"(?:[a-z]{1,3}|v|version|windows|android|ios|iphone|ipad|galaxy|office|firefox|usb|wifi|error|err|http|mp|kb|art|art-|hc|e|x|os|covid|level|plan|pro|top|nr|no|part|step|day|year|line|room|type|model|size)[-_.]?\d+[a-z]{0,3}|\d.*",
    re.IGNORECASE,
)


def find_user_names(text: str) -> Iterator[Span]:
    """User names behind a label or behind "I am … on your forum", and handles such as "@jo_miller"."""
    if announced(text, _LABELS):
        for match in _LABELLED.finditer(text):
            value = match["value"].rstrip(".-#_")
            low = value.lower()
            loose = not match["link"].strip()
            plain = low.replace("-", "").isalpha() and match["label"].lower() in _WEAK
            if plain and match["link"].strip() in (":", "="):
                plain = _ENDS.match(text, match.end("value")) is None
            if text[match.end("value") : match.end("value") + 1] in (":", "’", "'") or _DOMAIN.fullmatch(value):
                continue
            if (
                len(value) < 3
                or plain
                or low in NOT_A_SECRET
                or low.lstrip("@") in _NO_HANDLE
                or (loose and _LOOKS_LIKE_MODEL.fullmatch(value))
            ):
                continue
            yield match.start("value"), match.start("value") + len(value), "USERNAME"
    if "@" in text:
        for match in _HANDLE.finditer(text):
            if (
                match["name"].lower() not in _NO_HANDLE
                and not _DOMAIN.fullmatch(match["name"])
                and not _OURS.search(text, max(0, match.start() - 24), match.start())
            ):
                yield *match.span(), "USERNAME"
    if _MAY_BE_USER.search(text) and announced(text, _BEFORE):
        for match in _BEFORE_ONE.finditer(text):
            value = match["value"].rstrip(".-_")
            if len(value) >= 4 and not _LOOKS_LIKE_MODEL.fullmatch(value):
                yield match.start("value"), match.start("value") + len(value), "USERNAME"


_IPV4 = re.compile(r"(?<![\w.])\d{1,3}(?:\.\d{1,3}){3}(?!\w|\.\d)")
_IPV6 = re.compile(r"(?<![\w:.])(?:[0-9A-Fa-f]{0,4}:){2,7}[0-9A-Fa-f]{0,4}(?![\w:]|\.\d)")
_MAC = re.compile(r"(?<![\w:-])[0-9A-Fa-f]{2}(?:([:-])[0-9A-Fa-f]{2})(?:\1[0-9A-Fa-f]{2}){4}(?![\w:-])")
_SERIAL = re.compile(
    r"(?<!\w)(?:imei|serial(?: number| no\.?| nr\.?)?|s/n|seriennummer|geräte-?nummer|serienummer|numéro de série|n° de série|número de serie|número de série|numero di serie|numero seriale)"
    r"(?:\s{0,2}(?:[:#=]|is|ist|lautet|est|es|é|è)){0,2}\s{0,2}(?P<value>(?=[A-Z-]{0,20}\d)[A-Z0-9][A-Z0-9-]{5,24})(?!\w)",
    re.IGNORECASE,
)
_VERSION_BEFORE = re.compile(
    rf"(?<!\w){phrases('version').pattern}(?!\w)\.?[ :=(-]{{0,3}}(?P<more>(?:[^\W\d]{{1,12}}[ :-]{{1,2}}){{0,3}})v?$",
    re.IGNORECASE,
)
_NETWORK_BEFORE = re.compile(
    r"(?<!\w)(?:ip|ips|ipv4|router|host|server|proxy|dns|gateway|login|logins|vpn|network|netzwerk|red|rede|rete|réseau)(?!\w)",
    re.IGNORECASE,
)
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
            before = text[max(0, match.start() - 60) : match.start()]
            if not _NETWORK_BEFORE.search(before) and _is_version(address, before):
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
    if "imei" in low or "seri" in low or "série" in low or "s/n" in low or "geräte" in low:
        for match in _SERIAL.finditer(text):
            yield *match.span("value"), "DEVICE"


def _is_version(address: str, before: str) -> bool:
    """Whether four numbers are a version: behind a word that says so, or as small as those of addresses hardly ever are."""
    small = sum(int(part) < 32 for part in address.split("."))
    word = _VERSION_BEFORE.search(before)
    if word is None:
        return small == 4 and not address.startswith("10.")
    return not word["more"] or small >= 2
