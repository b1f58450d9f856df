"""Finder of secrets: labelled passwords, codes and keys, and tokens that are recognised by their form."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterator

from lacuna.models.redaction.labels import Phrases, announced, phrases, words_in
from lacuna.models.redaction.spans import Span, words_of

__all__ = ["NOT_A_SECRET", "find_secrets"]

_LINKS, _OF = phrases("links").pattern, phrases("of").pattern
_QUOTED = r"[\"'“„«`‘‹][^\"'”“»`’›\n\x00]{2,60}[\"'”“»`’›]"
_VALUE = rf"(?P<value>{_QUOTED}|[^\s\"'“„«`<>\x00][^\s\"“„«`<>\x00]{{2,200}})"
_OF_WHAT = rf"(?:[ \u00a0](?:{_OF})(?!\w)[^.:;!?=\n\x00]{{1,40}}?)?"
_LINK = rf"(?P<link>[ \t\u00a0]{{0,3}}(?:[:=：]|->|→|=>|[ \u00a0](?:{_LINKS})(?![\w])[ \t\u00a0]?:?)\s{{0,3}})"


def _labelled(labels: Phrases) -> re.Pattern[str]:
    return re.compile(rf"(?<![\w-])(?:{labels.pattern}){_OF_WHAT}{_LINK}{_VALUE}", re.IGNORECASE)


_SHORT, _CODES, _THE_CODE = phrases("secret", "secret_short"), phrases("code"), phrases("the_code")
_LABELLED = _labelled(_SHORT)
_BESIDE = re.compile(rf"(?<![\w-])(?:{_SHORT.pattern})[ \u00a0]{{1,2}}{_VALUE}", re.IGNORECASE)
_NUMBER = r"(?P<value>(?:\d{3,8}|(?=[A-Z]{0,8}\d)[A-Z0-9]{4,10}|\d{3}[ -]\d{3}))(?![\w]|[.,-]\d)"
_NUMERIC = re.compile(
    rf"(?<![\w-])(?:{_CODES.pattern}){_OF_WHAT}(?:[ \t\u00a0]{{0,3}}(?:[:=：]|(?:{_LINKS})(?!\w))){{0,2}}[ \t\u00a0]{{0,3}}[\"'“„«]?{_NUMBER}"
    rf"|(?<![\w-])(?:{_THE_CODE.pattern}){_OF_WHAT}(?:[ \t\u00a0]{{0,2}}:|[ \u00a0](?:{_LINKS})(?!\w)[ \t]?:?)[ \t\u00a0]{{0,3}}{_NUMBER.replace('value>', 'other>')}",
    re.IGNORECASE,
)
_DIGIT = re.compile(r"\d")
# A code that came by phone, with nothing between the word and the number.
_SENT_CODE = re.compile(
    r"(?<!\w)(?:code|código|codigo|codice)[ \u00a0](?P<value>\d{4,8})(?![\w]|[.,-]\d)", re.IGNORECASE
)
_SENT_WORDS = frozenset(
    "sms 2fa otp whatsapp authenticator authentication verify verification login log-in verifizierung anmeldung einloggen connexion connecter verificación verificar verificatie"
    " inloggen verificação verificare verifica accesso".split()
)
_AND_MORE = re.compile(r"[ ]?/[ ]?[^\s,;/]{3,60}(?<![.!?])")
_BEARER = re.compile(r"(?<!\w)(?:bearer|basic)\s{1,3}(?P<value>[\w.~+/=-]{16,2000})", re.IGNORECASE)
_PRIVATE_KEY = re.compile(
    r"-----BEGIN [A-Z ]{0,30}PRIVATE KEY-----(?:[A-Za-z0-9+/=\s]{0,5000}-----END [A-Z ]{0,40}-----)?"
)

NOT_A_SECRET = words_in("no_secret")
"""What follows "password:" or "my user name is" where neither does."""

_INNER_SIGN = re.compile(r"\w[^\w\s'’.,;:/()-]|[^\w\s'’.,;:/()-]\w")
_NUMBERED_WORD = re.compile(r"[A-Za-z]{2,12}\d")  # "account3"
_AMOUNT = re.compile(r"\d{1,3}(?:%|[a-z]{1,2}|-\w{1,15}|\.|,)?|\d{1,2}[./:h]\d{1,4}(?:[./]\d{2,4})?|\d{4}-\d\d-\d\d")


def _secret_value(value: str, link: str) -> bool:
    """Whether what stands after a label is a secret, and not the rest of a sentence about secrets."""
    bare = value.strip("\"'“„«`”»‘’‹›")
    if value != bare and len(value) > len(bare) + 1:
        return True
    bare = bare.rstrip(".,;!?)")
    if len(bare) < 3 or bare.lower() in NOT_A_SECRET or bare.lower() in _SHORT.by_word or bare.startswith("["):
        return False
    if ":" in link or "=" in link or "：" in link:
        return True
    if _AMOUNT.fullmatch(bare) and not bare.isdigit():
        return False
    return any(char.isdigit() for char in bare) or _INNER_SIGN.search(bare) is not None


def _looks_made_up(value: str) -> bool:
    """Whether a word beside a label is none: letters and digits, or signs inside of it."""
    bare = value.rstrip(".,;!?)")
    if len(bare) < 6 or bare[0] in "([{" or _AMOUNT.fullmatch(bare) or _NUMBERED_WORD.fullmatch(bare):
        return False
    digits = any(char.isdigit() for char in bare)
    letters = any(char.isalpha() for char in bare)
    return letters and (digits or re.search(r"\w[!$#&%*@+=^]+\w", bare) is not None)


def find_secrets(text: str) -> Iterator[Span]:
    """Labelled passwords, PINs, one-time codes and keys, and tokens that are recognised by their form."""
    if "-----BEGIN" in text:
        for match in _PRIVATE_KEY.finditer(text):
            yield match.start(), match.end(), "SECRET"
    yield from _labelled_secrets(text)
    if _LONG_TOKEN.search(text):
        yield from _tokens(text)


def _labelled_secrets(text: str) -> Iterator[Span]:
    if announced(text, _SHORT):
        for match in _LABELLED.finditer(text):
            if _secret_value(match["value"], match["link"]):
                yield _value_span(text, match)
        for match in _BESIDE.finditer(text):
            if _looks_made_up(match["value"].strip("\"'“„«`‘‹”»’›")):
                yield _value_span(text, match)
    if (announced(text, _CODES) or announced(text, _THE_CODE)) and _DIGIT.search(text):
        for match in _NUMERIC.finditer(text):
            group = "value" if match["value"] else "other"
            if not match[group].isalpha():
                yield *match.span(group), "SECRET"
    if not _SENT_WORDS.isdisjoint(words_of(text)):
        for match in _SENT_CODE.finditer(text):
            yield *match.span("value"), "SECRET"
    for match in _BEARER.finditer(text) if _LONG_TOKEN.search(text) else ():
        if any(char.isdigit() for char in match["value"]):
            yield *match.span("value"), "SECRET"


def _value_span(text: str, match: re.Match[str]) -> Span:
    start, end = match.span("value")
    if text[start] not in "\"'“„«`‘‹":
        end = start + len(match["value"].rstrip(".,;!?)")) or end
        if match["value"].endswith("!") and end - start < len(match["value"]):
            end += 1  # as often a sign of the password as of the sentence
        if ":" in match.group() and (more := _AND_MORE.match(text, end)):
            end = more.end()  # "login: hugo / sommer24"
    return start, end, "SECRET"


# What keys of well-known services begin with, and how many signs follow at least: as the services publish it, and as
# secret scanners (gitleaks, detect-secrets) look for it.
_PREFIXES: dict[str, int] = {
    **dict.fromkeys(("sk_live_", "sk_test_", "pk_live_", "pk_test_", "rk_live_", "rk_test_", "whsec_"), 8),  # Stripe
    **dict.fromkeys(("sk-proj-", "sk-svcacct-", "sk-admin-", "sk-ant-", "sk-or-v1-", "sk-"), 18),  # OpenAI, Anthropic, OpenRouter
    **dict.fromkeys(("gsk_", "xai-", "pplx-", "r8_", "hf_", "api_org_", "tvly-", "nvapi-", "fw_"), 20),  # model hosts
    **dict.fromkeys(("ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_"), 20),  # GitHub
    **dict.fromkeys(("glpat-", "gldt-", "glrt-", "glptt-", "glcbt-", "glsoat-", "glft-", "glimt-", "glagent-"), 16),  # GitLab
    **dict.fromkeys(("AKIA", "ASIA", "ABIA", "ACCA", "AROA", "AIDA"), 16),  # AWS
    **dict.fromkeys(("AIza", "ya29.", "GOCSPX-", "1//0"), 20),  # Google
    **dict.fromkeys(("npm_", "pypi-", "rubygems_", "dckr_pat_", "dckr_oat_", "oy2"), 30),  # package registries
    **dict.fromkeys(("xoxb-", "xoxp-", "xoxa-", "xoxr-", "xoxs-", "xoxe-", "xoxe.", "xapp-"), 10),  # Slack
    **dict.fromkeys(("SG.",), 30),  # SendGrid
    **dict.fromkeys(("key-", "pubkey-"), 32),  # Mailgun
    **dict.fromkeys(("xkeysib-", "xsmtpsib-"), 30),  # Brevo
    **dict.fromkeys(("shpat_", "shpss_", "shpca_", "shppa_"), 24),  # Shopify
    **dict.fromkeys(("sq0atp-", "sq0csp-", "EAAA"), 20),  # Square
    **dict.fromkeys(("dop_v1_", "doo_v1_", "dor_v1_"), 32),  # DigitalOcean
    **dict.fromkeys(("EZAK", "EZTK", "FLWSECK", "FLWPUBK", "shippo_live_", "shippo_test_", "duffel_live_", "duffel_test_"), 20),
    **dict.fromkeys(("lin_api_", "lin_oauth_", "ntn_", "secret_", "figd_", "pat-na1-", "pat-eu1-", "PMAK-", "CFPAT-", "ATATT3", "ATCTT3"), 20),
    **dict.fromkeys(("glsa_", "glc_", "NRAK-", "NRII-", "NRJS-", "sntrys_", "sntryu_", "dt0c01.", "dt0s01.", "dapi", "phc_", "phx_"), 20),
    **dict.fromkeys(("hvs.", "hvb.", "hvr.", "AGE-SECRET-KEY-1", "ops_", "A3-", "pul-", "tfp_", "p8e-", "CLOJARS_", "LTAI", "AKCp"), 20),
    **dict.fromkeys(("sbp_", "sb_secret_", "sb_publishable_", "nfp_", "pscale_tkn_", "pscale_pw_", "vercel_", "fm1_", "fm2_", "fo1_", "rnd_", "ps_tok_"), 20),
    **dict.fromkeys(("bkua_", "BBDC-", "ico-", "tk-us-", "fio-u-", "frp_", "sl.", "EAACEdEose0cBA", "pk.eyJ", "sk.eyJ", "rzp_live_", "rzp_test_"), 20),
}  # fmt: skip
_CAPITALS = frozenset({"AKIA", "ASIA", "ABIA", "ACCA", "AROA", "AIDA"})
_BY_LENGTH = sorted(_PREFIXES, key=lambda prefix: (-len(prefix), prefix))
_PREFIXED = re.compile(
    r"(?<![A-Za-z0-9_-])(?P<prefix>" + "|".join(map(re.escape, _BY_LENGTH)) + r")(?P<body>[\w.=+/~-]{8,2000}+)"
)
_SHAPES = re.compile(
    r"(?<![\w-])(?:eyJ[\w-]{8,2000}\.[\w-]{8,2000}\.[\w-]{4,2000}|(?:[A-Z0-9]{4,5}-){3,5}[A-Z0-9]{4,5}"
    r"|(?:SK|AC|PK|VA|MG|KS|RE)[0-9a-f]{32}|\d{8,10}:AA[\w-]{33}|[\w-]{23,28}\.[\w-]{6,7}\.[\w-]{27,40})(?![\w-])"
)
_LONG_TOKEN = re.compile(r"[A-Za-z0-9_+/=.:~-]{16}")
_TOKEN = re.compile(r"(?<![\w/+.@%-])[A-Za-z0-9_+/~-]{24,512}+={0,2}(?![\w@])")
_HEX = re.compile(r"[0-9a-f]{32,128}|[0-9A-F]{32,128}")
_OF_CODE = re.compile(
    r"(?:(?:error|crash|request|trace|correlation|event|build|fehler|erreur|incident|report)[ -]?id|commit|sha-?\d{0,3}|md5|hash|checksum|revision|rev|digest|prüfsumme|somme de contrôle)\W{0,3}(?:\w{1,8}\W{1,2})?$",
    re.IGNORECASE,
)
_MOST_WORDY = 3.6  # bits a sign, of tokens without words
_MADE = re.compile(r"\d[a-zA-Z]|[a-z][A-Z0-9]|[A-Z][a-z]?\d")


def _tokens(text: str) -> Iterator[Span]:
    for match in _PREFIXED.finditer(text):
        body = match["body"].rstrip(".")
        enough = len(body) >= _PREFIXES[match["prefix"]] and _is_random(body, match["prefix"])
        if enough:
            yield match.start(), match.start("body") + len(body), "SECRET"
    for match in _SHAPES.finditer(text):
        secret = match.group()
        if any(char.isdigit() for char in secret) and any(char.isalpha() for char in secret):
            yield match.start(), match.end(), "SECRET"
    for match in _TOKEN.finditer(text):
        token = match.group().rstrip("/=-")
        if _HEX.fullmatch(token):
            if not _OF_CODE.search(text, max(0, match.start() - 24), match.start()):
                yield match.start(), match.end(), "SECRET"
        elif _is_high_entropy(token):
            yield match.start(), match.end(), "SECRET"


def _is_random(body: str, prefix: str) -> bool:
    """Whether what follows a prefix is no word: digits among letters, or capitals among small ones."""
    if prefix in _CAPITALS:
        return re.match(r"[A-Z0-9]{16}(?![A-Za-z0-9])", body) is not None
    return any(char.isdigit() for char in body) or re.search(r"[a-z][A-Z][a-z]?[A-Z]", body) is not None


def _is_high_entropy(token: str) -> bool:
    """Whether a long token without any word is drawn by lot: small letters, capitals and digits all over it."""
    if not (any(c.isdigit() for c in token) and any(c.isupper() for c in token) and any(c.islower() for c in token)):
        return False
    if len(_MADE.findall(token)) < len(token) / 6:
        return False
    counts = Counter(token)
    return -sum(n / len(token) * math.log2(n / len(token)) for n in counts.values()) >= _MOST_WORDY
