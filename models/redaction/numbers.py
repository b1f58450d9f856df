"""Finders of numbers that lead to a person: accounts, cards, phones, order and other reference numbers."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

import phonenumbers

from lacuna.models.redaction.checksums import IBAN_LENGTHS, iban_valid, luhn_valid
from lacuna.models.redaction.spans import Span, blank_matches

__all__ = [
    "PHONE_REGIONS",
    "find_cards",
    "find_ibans",
    "find_labelled_orders",
    "find_orders",
    "find_phones",
    "has_long_number",
    "hide_plain_numbers",
]

_LONG = re.compile(
    r"\d(?:[^\w\n]{0,3}\d){4}|#[A-Za-z]{0,5}-?\d{4}|[A-Za-z]{1,5}-\d{2,12}-\d\d|[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-"
)


def has_long_number(text: str) -> bool:
    """Whether any finder of unlabelled numbers could find something: a cheap test before the costly ones."""
    return _LONG.search(text) is not None


_IBAN_START = re.compile(r"(?<![A-Za-z0-9])[A-Za-z]{2}\d{2}(?=[ \u00a0-]?[A-Za-z0-9]{4})")


def find_ibans(text: str) -> Iterator[Span]:
    """Account numbers with right check digits, and labelled ones with wrong ones (a typo is still an account)."""
    for match in _IBAN_START.finditer(text):
        length = IBAN_LENGTHS.get(match.group()[:2].upper())
        if length is None:
            continue
        code, at = "", match.start()
        while len(code) < length and at < len(text):
            char = text[at]
            if char.isascii() and char.isalnum():
                code += char
            elif char not in " \u00a0-" or not text[at - 1].isalnum():
                break
            at += 1
        if len(code) == length and not text[at : at + 1].isalnum():
            label = text[max(0, match.start() - 24) : match.start()].lower()
            if iban_valid(code) or ("iban" in label and sum(char.isdigit() for char in code) >= 10):
                yield match.start(), at, "IBAN"


_CARD = re.compile(r"(?<![\w.,+-])\d(?:[ \u00a0.-]?\d){12,18}(?!\d)")
_CARD_LENGTHS = (16, 15, 14, 13, 19, 18, 17)


def find_cards(text: str) -> Iterator[Span]:
    """Payment card numbers: 13 to 19 digits, a card scheme's first digit, a right Luhn digit."""
    for match in _CARD.finditer(text):
        number = match.group()
        places = [place for place, char in enumerate(number) if char.isdigit()]
        digits = "".join(number[place] for place in places)
        if digits[0] not in "23456" or len(set(digits)) < 2:
            continue
        for length in _CARD_LENGTHS:
            if length > len(digits):
                continue
            complete = length == len(digits) or not number[places[length - 1] + 1].isdigit()
            if complete and luhn_valid(digits[:length]):
                yield match.start(), match.start() + places[length - 1] + 1, "CARD"
                break


_MONTHS = r"(?:jan|feb|mar|mär|apr|may|mai|jun|jul|aug|sep|oct|okt|nov|dec|dez)[a-zäé]{0,7}\.?"
_PLAIN = re.compile(
    "|".join(
        (
            # dates and times
            r"(?<![\d./-])(?:\d{1,2}[./-]\d{1,2}[./-](?:19|20)?\d{2}|(?:19|20)\d{2}[./-]\d{1,2}[./-]\d{1,2}"
            r"|(?:19|20)\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])(?:[01]\d[0-5]\d[0-5]\d)?)(?!\d|[./-]\d)",
            r"(?<!\d)\d{1,2}(?:st|nd|rd|th|\.)? ?" + _MONTHS + r",? ?(?:19|20)\d{2}(?!\d)",
            r"(?<![\d:])\d{1,2}:\d{2}(?::\d{2})?(?:[.,]\d{1,6})?(?!\d)",
            # prices
            r"(?:[$€£¥]|\b(?:eur|usd|gbp|chf)) ?\d[\d.,]{0,14}",
            r"(?<![\w.,-])\d[\d.,]{0,14} ?(?:[€$£¥%]|(?:eur|euros?|usd|gbp|chf|dollars?|pounds?|bucks|cents?)\b)",
            # versions: three or more dotted parts, unless they are grouped like a phone number
            r"(?<![\w.])(?!\d{3}\.\d{3}\.\d{4}\b|0\d\.\d\d\.\d\d\.\d\d)\d{1,5}(?:\.\d{1,5}){2,4}(?![\w.])",
            r"\b(?:error|fehler|fehlercode|errno|exception|status|version|build|release|firmware|bug|issue|port|model"
            r"|modell|artikel|article|item|sku|ean|isbn|cve|rfc|iso|din|kb|asin|typ|type|size|größe|windows|year|jahr)"
            r"(?:[ -]?(?:code|no\.?|nr\.?|number|nummer|id))?[ :#=-]{0,3}-?\w{0,4}\d[\w.]{0,20}(?:-[\w.]{1,12}){0,3}",
            r"\b0x[0-9a-f]{1,16}\b",
            # amounts
            r"(?<![\w.,#-])\d[\d.,]{0,14} ?(?:[kmgt]i?b|bytes?|bits?|px|pixels?|dpi|ms|sec|seconds?|sekunden|min|minutes?"
            r"|minuten|hours?|stunden|days?|tagen?|weeks?|wochen|months?|monaten?|years?|jahren?|mails?|e-?mails?"
            r"|messages?|nachrichten|files?|dateien|contacts?|kontakte|photos?|fotos|pictures|bilder|users?|nutzer"
            r"|views?|words?|wörter|characters?|zeichen|rows?|zeilen|entries|einträge|items?|pieces|stück|people"
            r"|points?|punkten?|miles?|km|kg|mg|ml|mah|kwh|watts?|steps|schritte|songs|tracks|times|mal|orders|customers)\b",
            # round numbers
            r"(?<![\w.,#-])[1-9]\d?0{5,}(?![\w-])",
        )
    ),
    re.IGNORECASE,
)


def hide_plain_numbers(text: str) -> str:
    """The text with dates, times, prices, versions, error codes and amounts blanked: numbers that lead to nobody."""
    return blank_matches(_PLAIN, text)


_PHONE = re.compile(
    r"(?<![\w#@.,:/$€£+\x2d])(?:\(?\+ ?\d|\(\d|\d)(?:[ ()/.\u00a0\u2010-\u2015\x2d]{0,3}\d){5,16}(?!\w|[.,:]\d)"
)
_PHONE_LABEL = re.compile(
    r"(?:\b(?:tel(?:efon)?(?:nummer)?|phone|ph|mobil(?:e|nummer|telefon)?|cell(?:phone)?|handy(?:nummer)?|rufnummer|fax"
    r"|whats ?app|sms|landline|festnetz|call(?: me| us| him| her)?|reach me|ring me|text me|erreichbar|erreichen"
    r"|anrufen|rückruf|contact number)\.?"
    r"(?: ?(?:number|no\.?|nr\.?|nummer|back|is|ist|lautet|at|on|unter|to|my|the|auf|der|die|meine|cell|mobile|phone)\b\.?){0,4}"
    r"[ :#=-]{0,3})$",
    re.IGNORECASE,
)
_NANP = re.compile(r"(?:\+?1[ .-]?)?(?:\(\d{3}\) ?|\d{3}[ .-])\d{3}[ .-]\d{4}")
PHONE_REGIONS: tuple[str, ...] = (
    "US", "GB", "DE", "AT", "CH", "FR", "ES", "NL", "PT", "IT", "BE", "IE", "AU", "BR", "MX",
)  # fmt: skip
"""Countries whose national numbers are recognised where the caller names no others."""

# Countries that dial without a leading 0: only grouping distinguishes their numbers from order numbers.
_NO_TRUNK = frozenset(
    "US CA ES IT PT DK NO PL CZ GR LU BR MX AR CL CO PE EC UY PY BO CR PA GT HN SV NI VE DO CV AO MZ SG HK MT LV EE IN".split()
)
_MOST_TRIMS = 4


@lru_cache(maxsize=65536)
def _is_phone(number: str, region: str | None, strict: bool) -> bool:
    try:
        parsed = phonenumbers.parse(number, region)
    except phonenumbers.NumberParseException:
        return False
    return phonenumbers.is_valid_number(parsed) if strict else phonenumbers.is_possible_number(parsed)


def _phone_in(candidate: str, labelled: bool, regions: tuple[str, ...]) -> bool:
    digits = "".join(char for char in candidate if char.isdigit())
    bare = candidate.lstrip("( ")
    if not 7 <= len(digits) <= 16:
        return False
    if bare.startswith("+"):
        return _is_phone(bare.replace("(0)", ""), None, strict=False)
    if digits.startswith("00"):
        return _is_phone("+" + digits[2:], None, strict=not labelled)
    if labelled:
        return len(digits) <= 15
    if _NANP.fullmatch(candidate):
        return True
    if digits[0] == "0" and len(digits) >= 9:
        return any(_is_phone(digits, region, strict=True) for region in regions)
    groups = [len(group) for group in re.findall(r"\d+", candidate)]
    grouped = len(groups) > 2 or (len(groups) == 2 and len(digits) >= 9 and min(groups) >= 3)
    return grouped and any(_is_phone(digits, region, strict=True) for region in regions if region in _NO_TRUNK)


def find_phones(text: str, regions: tuple[str, ...] = PHONE_REGIONS) -> Iterator[Span]:
    """Phone numbers, checked by ``phonenumbers`` for the given countries.

    ``text`` should have been through `hide_plain_numbers`. A bare run of digits is a phone only where it is labelled,
    begins with + or with a national 0: anything else is as likely an order number.
    """
    for match in _PHONE.finditer(text):
        start = match.start()
        labelled = bool(_PHONE_LABEL.search(text[max(0, start - 40) : start]))
        candidate = match.group()
        for _ in range(_MOST_TRIMS):
            if _phone_in(candidate, labelled, regions):
                yield start, start + len(candidate), "PHONE"
                break
            cut = max(candidate.rfind(" "), candidate.rfind("\u00a0"))
            candidate = candidate[: max(cut, 0)].rstrip(" \u00a0/.-(")


_ORDER_LABEL = (
    r"(?<!\w)(?:(?:purchase|sales|support|web|online)[ -]?)?(?:orders?|tickets?|cases?|ref(?:erence)?|tracking|invoices?"
    r"|customer|account|booking|parcel|shipment|package|delivery|confirmation|claim|contract|membership|member|policy|rma"
    r"|returns?|reservation|transaction|subscription|user|passport|insurance|bestellung(?:en)?|bestell|auftrag|auftrags"
    r"|rechnung|rechnungs|kunden|vorgang|vorgangs|sendung|sendungs|vertrag|vertrags|buchung|buchungs|retoure|retouren"
    r"|paket|lieferung|abo|mitglieds?|konto|reservierung|reservierungs|transaktion|transaktions|ausweis|steuer"
    r"|versicherung|versicherungs)"
)
_LABEL_STRONG = re.compile(
    _ORDER_LABEL + r"[ -]?(?:(?:number|num|no\.?|nr\.?|nummern?|id|code|reference|kennung)(?!\w)|#)"
    r"(?:\s{0,2}(?:[:#=]|(?:is|was|ist|war|lautet|of|von)(?!\w))){0,3}\s{0,2}[(\"']?$",
    re.IGNORECASE,
)
_LABEL_WEAK = re.compile(_ORDER_LABEL + r"(?:\s{0,2}(?:[:=]|(?:is|ist)(?!\w))){0,2}\s{0,2}[(\"']?$", re.IGNORECASE)
_THREE_DIGITS = re.compile(r"\d{3}")
_REFERENCE = re.compile(r"(?<![\w.,/$€£-])#?[A-Za-z]{0,10}[-_/]?\d[\w/-]{2,40}+(?P<more>(?: \d[\d/-]{1,12}){0,5})")


def find_labelled_orders(text: str) -> Iterator[Span]:
    """Reference numbers behind a word such as "order number", "ticket", "Kundennummer", "Rechnung Nr."."""
    for match in _REFERENCE.finditer(text):
        start = match.start()
        before = text[max(0, start - 48) : start]
        first = match.group()[: len(match.group()) - len(match["more"])]
        if _LABEL_STRONG.search(before) or (first[0] == "#" and _LABEL_WEAK.search(before)):
            value = match.group()
            if sum(char.isdigit() for char in value) >= 3:
                yield start - before.endswith("#"), start + len(value.rstrip("-/_")), "ORDER"
        elif _LABEL_WEAK.search(before):
            value = first.rstrip("-/_")
            digits = sum(char.isdigit() for char in value) if _THREE_DIGITS.search(value) else 0
            if (digits >= 5 or (digits >= 4 and not value.isdigit())) and not _PLAIN.match(
                text, start, match.end() + 12
            ):
                yield start, start + len(value), "ORDER"


_TRACKING = (
    r"1Z[0-9A-Z]{16}|[A-Z]{2}\d{9}[A-Z]{2}|JJD\d{14,20}|TBA\d{10,14}|\d{3}-\d{7}-\d{7}"
    r"|[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
)
_ORDER = re.compile(
    r"(?<![\w.,/$€£-])(?:(?P<tracking>" + _TRACKING + r")|#(?P<hash>[A-Za-z]{0,5}-?\d{4,20}(?:-\d{1,12}){0,3})"
    r"|(?P<prefix>[A-Za-z]{1,5})(?:[-_]?\d{5,16}|(?:[-_]\d{2,12}){2,4})"
    r"|(?P<groups>\d{4,}(?:[ -]\d{3,12}){2,6})|(?P<run>\d{7,40}|\d{5,12}-\d{2,12}|\d{3,6}-\d{5,12}))(?![\w]|[.,]\d|-\w)"
)
_NOT_A_PREFIX = frozenset(
    [
        "act",
        "art",
        "asin",
        "cve",
        "din",
        "ean",
        "en",
        "err",
        "error",
        "etsi",
        "event",
        "iec",
        "ieee",
        "isbn",
        "iso",
        "ios",
        "kb",
        "mil",
        "model",
        "ms",
        "nist",
        "rfc",
        "sku",
        "upc",
        "utf",
        "v",
        "ver",
        "win",
    ]
)
_COLOUR = re.compile(r"(?:colou?r|farbe|hex|background|rgb|css|#\w{6}[ ,]{1,2})[\w ()\":=-]{0,12}$", re.IGNORECASE)
_BUG = re.compile(r"(?:bug|issue|pr|pull request|commit|fehler|error)s?\s{0,2}$", re.IGNORECASE)
_YEAR = re.compile(r"(?:19|20)\d{2}")


def _plain_word(text: str) -> bool:
    """Lower-case letters with few digits and no hyphen: a model or a file, not a reference."""
    return text[0].islower() and "-" not in text and (not text[:4].rstrip("0123456789").isalpha() or len(text) < 8)


def find_orders(text: str) -> Iterator[Span]:
    """Reference numbers that are recognised by their form: "#48213390", "WB-203991", tracking numbers, long runs of digits.

    ``text`` should have been through `hide_plain_numbers`.
    """
    for match in _ORDER.finditer(text):
        start = match.start()
        before = text[max(0, start - 24) : start]
        if match["hash"]:
            colour = len(match["hash"]) == 6 and (match["hash"][0] == "0" or _COLOUR.search(before))
            if colour or _BUG.search(before):
                continue
        elif match["prefix"]:
            number = match.group()
            if match["prefix"].lower() in _NOT_A_PREFIX or _plain_word(number):
                continue
            if sum(char.isdigit() for char in number) < 5:
                continue
        elif match["groups"]:
            if all(_YEAR.fullmatch(part) for part in re.split("[ -]", match["groups"])):
                continue
        elif match["run"] and len(set(match["run"])) == 1:
            continue
        yield start, match.end(), "ORDER"
