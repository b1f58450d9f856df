"""Finders of what a state gives a person: identity, tax and insurance numbers, number plates, the date of birth."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Callable, Iterator

from stdnum import luhn
from stdnum.be import nn as be_nn
from stdnum.br import cnpj as br_cnpj
from stdnum.br import cpf as br_cpf
from stdnum.ch import ssn as ch_ssn
from stdnum.cl import rut as cl_rut
from stdnum.es import dni as es_dni
from stdnum.es import nie as es_nie
from stdnum.fr import nir as fr_nir
from stdnum.ie import pps as ie_pps
from stdnum.iso7064 import mod_11_10
from stdnum.it import codicefiscale
from stdnum.mx import curp as mx_curp
from stdnum.mx import rfc as mx_rfc
from stdnum.nl import bsn as nl_bsn
from stdnum.pt import cc as pt_cc
from stdnum.us import ssn as us_ssn

from lacuna.models.redaction.labels import alternatives, announced, phrases, words_in
from lacuna.models.redaction.spans import Span

__all__ = ["find_birth_dates", "find_national_ids", "find_plates"]


def _always(_: str) -> bool:
    """For numbers whose form says enough."""
    return True


def _passes(check: Callable[[str], bool], length: int) -> Callable[[str], bool]:
    """A check of the letters and digits alone, of which there must be so many."""

    def passes(number: str) -> bool:
        bare = "".join(char for char in number if char.isalnum())
        return len(bare) == length and bool(check(bare))

    return passes


_LIKE_MODEL = re.compile(r"[A-Z]{1,3}\d{2,}[A-Z]{0,2}\d{0,2}")


def _german_card(number: str) -> bool:
    """Whether nine of the letters and digits of German identity cards are one, and no model such as WH1000XM5."""
    return any(char.isdigit() for char in number) and _LIKE_MODEL.fullmatch(number) is None


_S = r"[ \u00a0.-]?"
# By form, and by check digits where there are any. A bare run of digits is taken for a reference number elsewhere.
_FORMS: tuple[tuple[str, Callable[[str], bool]], ...] = (
    (r"\d{3}-\d{2}-\d{4}", us_ssn.is_valid),
    (r"(?!BG|GB|NK|KN|TN|NT|ZZ)[A-Z]{2} ?\d{2} ?\d{2} ?\d{2} ?[A-D]", _always),  # United Kingdom
    (r"\d{2} \d{3} \d{3} \d{3}", _passes(mod_11_10.is_valid, 11)),  # German tax id
    (r"\d{2} ?\d{6} ?[A-Z] ?\d{3}", _always),  # German social insurance
    (r"[CFGHJKLMNPRTVWXYZ][CFGHJKLMNPRTVWXYZ0-9]{8}", _german_card),
    (
        rf"[1-478]{_S}\d{{2}}{_S}(?:0[1-9]|[2-9]\d|1[0-2]){_S}(?:\d{{2}}|2[ABab]){_S}\d{{3}}{_S}\d{{3}}{_S}\d{{2}}",
        _passes(fr_nir.is_valid, 15),
    ),
    (r"\d{8}[ -]?[A-HJ-NP-TV-Z]|\d{2}\.\d{3}\.\d{3}[ -]?[A-HJ-NP-TV-Z]", _passes(es_dni.is_valid, 9)),
    (r"[XYZxyz][ -]?\d{7}[ -]?[A-HJ-NP-TV-Za-z]", _passes(lambda number: es_nie.is_valid(number.upper()), 9)),
    (r"\d{4}[ .]\d{2}[ .]\d{3}|\d{3}[.]\d{3}[.]\d{3}", _passes(nl_bsn.is_valid, 9)),
    (r"\d{2}\.\d{2}\.\d{2}-\d{3}\.\d{2}", _passes(be_nn.is_valid, 11)),
    (r"\d{8} ?\d ?[A-Z][A-Z0-9]\d", _passes(pt_cc.is_valid, 12)),
    (r"\d{3}\.\d{3}\.\d{3}-\d{2}", _passes(br_cpf.is_valid, 11)),
    (r"\d{2}\.\d{3}\.\d{3}/\d{4}-\d{2}", _passes(br_cnpj.is_valid, 14)),
    (
        r"[A-Za-z]{6}[\dLMNPQRSTUVlmnpqrstuv]{2}[A-EHLMPRSTa-ehlmprst][\dLMNPQRSTUVlmnpqrstuv]{2}[A-Za-z][\dLMNPQRSTUVlmnpqrstuv]{3}[A-Za-z]",
        codicefiscale.is_valid,
    ),
    (r"[A-Z]{3} ?[A-Z]{3} ?\d{2}[A-EHLMPRST]\d{2} ?[A-Z]\d{3}[A-Z]", _passes(codicefiscale.is_valid, 16)),
    (r"756\.\d{4}\.\d{4}\.\d{2}", ch_ssn.is_valid),
    (r"\d{1,2}\.\d{3}\.\d{3}-[\dkK]", cl_rut.is_valid),
    (r"[A-Z]{4}\d{6}[HM][A-Z]{5}[A-Z0-9]\d", mx_curp.is_valid),
    (r"[A-ZÑ&]{4}\d{6}[A-Z0-9]{3}", mx_rfc.is_valid),
    (r"\d{7}[A-W][A-IW]?", ie_pps.is_valid),
    (r"\d{3} \d{3} \d{3}(?= is my sin)", luhn.is_valid),
)
_BY_FORM = tuple((re.compile(rf"(?<![\w.,/#€$£-])(?:{form})(?![\w-]|[.,]\d)"), check) for form, check in _FORMS)
_ANY_FORM = re.compile(r"(?<![\w.,/#€$£-])(?:" + "|".join(form for form, _ in _FORMS) + r")(?![\w-]|[.,]\d)")
_MAY_BE_ID = re.compile(r"\d[ .-]?\w")
_LABELS, _LINKS = phrases("id"), phrases("links").pattern
_NUMBER = r"(?P<value>(?=[A-Za-z]{0,6}[ .-]?\d[A-Za-z]{0,6}[ \u00a0./-]{0,2}\d)(?:[A-Z0-9]|[a-z](?=[a-z]{0,2}\d{3}))(?:[ \u00a0./-]?(?:[A-Z0-9]|(?<![ \u00a0])[a-z])){4,24})(?![\w])"
_LABELLED = re.compile(
    rf"(?<![\w-])(?i:{_LABELS.pattern})(?!\w)(?:[ \u00a0]?(?i:number|no\.?|nr\.?|nummer|numéro|número|numero|n[.°º]{{1,3}}))?"
    rf"(?:[ \t\u00a0]{{0,2}}(?:[:=#(]|(?i:{_LINKS})(?!\w))){{0,2}}[ \t\u00a0]{{0,3}}{_NUMBER}"
)


def find_national_ids(text: str) -> Iterator[Span]:
    """Numbers behind "my SSN is", "Steuer-ID", "numéro de sécurité sociale", and those with right check digits."""
    if _MAY_BE_ID.search(text) is None:
        return
    if announced(text, _LABELS):
        for match in _LABELLED.finditer(text):
            yield *match.span("value"), "NATIONAL_ID"
    for pattern, check in _BY_FORM if _ANY_FORM.search(text) else ():
        for match in pattern.finditer(text):
            if check(match.group()):
                yield *match.span(), "NATIONAL_ID"


# Number plates of the countries of these languages.
_PLATE = re.compile(
    r"(?<![\w-])(?:[A-Z]{2}\d{2}[ -]?[A-Z]{3}|[A-Z]\d{1,3}[ -]?[A-Z]{3}"  # United Kingdom
    r"|[A-ZÄÖÜ]{1,3}[- :][A-Z]{1,2}[ -]?\d{1,4}[EH]?"  # Germany
    r"|[A-Z]{2}[ -]?\d{3}[ -]?[A-Z]{2}|\d{2,4}[ -][A-Z]{2,3}[ -]\d{2}"  # France, Italy
    r"|\d{4}[ -]?[BCDFGHJ-NP-TV-Z]{3}|[A-Z]{1,2}[ -]\d{4}[ -][A-Z]{1,2}"  # Spain
    r"|[A-Z]{2}-\d{2}-\d{2}|\d{2}-\d{2}-[A-Z]{2}|\d{2}-[A-Z]{2}-\d{2}|[A-Z]{2}-\d{2}-[A-Z]{2}|[A-Z]{2}-[A-Z]{2}-\d{2}|\d{2}-[A-Z]{2}-[A-Z]{2}"
    r"|\d{2}-[A-Z]{3}-\d|\d-[A-Z]{3}-\d{2}|[A-Z]{2}-\d{3}-[A-Z]|[A-Z]-\d{3}-[A-Z]{2}|[A-Z]{3}-\d{2}-[A-Z]|\d-[A-Z]{2}-\d{3}"  # Netherlands, Portugal
    r"|[A-Z]{2} \d{2} [A-Z]{2}|\d{2} [A-Z]{2} \d{2}"
    r"|[A-Z]{3}[ -]?\d[A-Z0-9]\d{2}|[A-Z]{3}[ -]?\d{3,4}|\d-[A-Z]{3}-\d{3}|\d[A-Z]{3}\d{3}"  # Brazil, Belgium, United States
    r"|[A-Z]{1,2}[ -]\d{3,6} ?[A-Z]{0,2})(?![\w-])"  # Austria, Switzerland
)
_VEHICLE = phrases("vehicle")
_VEHICLES = re.compile(rf"(?<![\w-]){_VEHICLE.pattern}(?![\w])", re.IGNORECASE)
_DASHED = re.compile(r"(?<![\w-])[A-HJ-NP-TV-Z]{2}-\d{3}-[A-HJ-NP-TV-Z]{2}(?![\w-])")
_PLATE_NEAR = 60
_NO_PLATE = re.compile(
    r"(?:USB|USD|EUR|GBP|CHF|HTTP|ISO|DIN|RFC|KB|ERR|GB|MB|TB|PM|AM|IOS|OS|HC|ART|WB|E)[- ]?\d+[A-Z]?|USB[- :].*|(?:19|20)\d\d ?(?:EUR|USD|GBP|CHF|MHZ|RPM)"
)


def find_plates(text: str) -> Iterator[Span]:
    """Number plates near a word such as "car", "Kennzeichen", "immatriculation"; those of the form AB-123-CD anywhere."""
    if announced(text, _VEHICLE):
        cars = [match.span() for match in _VEHICLES.finditer(text)]
        for match in _PLATE.finditer(text) if cars else ():
            before, behind = _nearest(cars, *match.span())
            near = (before and match.start() - before[1] < _PLATE_NEAR) or (
                behind and behind[0] - match.end() < _PLATE_NEAR
            )
            if near and not _NO_PLATE.fullmatch(match.group()):
                yield *match.span(), "PLATE"
    if "-" in text:
        for match in _DASHED.finditer(text):
            yield *match.span(), "PLATE"


_MONTH = rf"(?:{alternatives(words_in('months'))})\.?"
_DAY = r"\d{1,2}(?:st|nd|rd|th|er|\.|º|ª|°)?"
_OF = r"(?:[ \u00a0]{1,2}(?:of|de|di|del|van))?[ \u00a0.,/-]{0,2}"
_DATE = re.compile(
    r"(?<![\w./-])(?:\d{1,2}[ ]?[./-][ ]?\d{1,2}[ ]?[./-][ ]?(?:(?:19|20)\d{2}|\d{2})|(?:19|20)\d{2}[./-]\d{1,2}[./-]\d{1,2}|\d{1,2} \d{1,2} (?:19|20)\d{2}"
    rf"|{_DAY}{_OF}{_MONTH}(?:(?:[ \u00a0]{{1,2}}(?:de|del|di|van|of))?[ ,./'’-]{{1,3}}(?:(?:19|20)\d{{2}}|\d{{2}}(?!\d)))?"
    rf"|{_MONTH} {_DAY}(?:,? ?(?:(?:19|20)\d{{2}}))?|{_MONTH}(?: (?:de|del|di|of|van))? (?:19|20)\d{{2}}|(?:19|20)\d{{2}}(?:0[1-9]|1[0-2])(?:[0-2]\d|3[01])|(?:19|20)\d{{2}})(?![\w]|[./-]\d)",
    re.IGNORECASE,
)
_BORN = phrases("born")
_BIRTH = re.compile(rf"(?<!\w){_BORN.pattern}(?!\w)", re.IGNORECASE)
_BETWEEN = re.compile(r"[^.!?;\n\d\x00]{0,30}\.?[ :]{0,2}")
_BEHIND = re.compile(r"[^.!?;\n\d\x00]{0,30}")
_IS = re.compile(rf"(?<!\w){_LINKS}(?!\w)|[:=]", re.IGNORECASE)
_WITH_YEAR = re.compile(r"\d{4}|\d\D{1,4}\d{1,2}\D{1,4}\d{2}|\D\d{2}$")
_YEAR = re.compile(r"(?:19|20)\d{2}")


def find_birth_dates(text: str) -> Iterator[Span]:
    """Dates with a word of birth before or behind them; every other date stays."""
    if not announced(text, _BORN) or not any(char.isdigit() for char in text):
        return
    births = [match.span() for match in _BIRTH.finditer(text)]
    for match in _DATE.finditer(text) if births else ():
        start, end = match.span()
        before, behind = _nearest(births, start, end)
        if (before and _is_birth_before(text, before[1], match)) or (
            behind and _BEHIND.fullmatch(text, end, behind[0]) and not _YEAR.fullmatch(match.group())
        ):
            yield start, end, "DATE_OF_BIRTH"


def _is_birth_before(text: str, end_of_word: int, date: re.Match[str]) -> bool:
    if _BETWEEN.fullmatch(text, end_of_word, date.start()) is None:
        return False
    # "my birthday is 3 May", and not "a present for the birthday on 3 May"
    return _WITH_YEAR.search(date.group()) is not None or _IS.search(text, end_of_word, date.start()) is not None


def _nearest(
    words: list[tuple[int, int]], start: int, end: int
) -> tuple[tuple[int, int] | None, tuple[int, int] | None]:
    """Of words in order, the last that ends before a span, and the first that begins behind it."""
    at = bisect_left(words, (start, 0))
    before = next((word for word in reversed(words[max(0, at - 2) : at]) if word[1] <= start), None)
    behind = next((word for word in words[at : at + 2] if word[0] >= end), None)
    return before, behind
