"""Finder of postal addresses: English, German, and by what `streets` knows of the other languages."""

from __future__ import annotations

import re
from collections.abc import Iterator

from lacuna.models.redaction.spans import Span
from lacuna.models.redaction.streets import streets

__all__ = ["find_addresses"]

_CAP = r"[A-ZÄÖÜÉ][\w'’.\x2d]{0,30}+"
_TOWN = r"[A-ZÄÖÜÉ][a-zà-ÿ'’.\x2d]{1,30}+(?!\w)"
_POSTCODE_GB = r"[A-Z]{1,2}\d[A-Z\d]? ?\d(?!GB|TB)[ABD-HJLNP-UW-Z]{2}(?!\w)"
_STATES = r"(?:A[KLRZ]|C[AOT]|D[CE]|FL|GA|HI|I[ADLN]|K[SY]|LA|M[ADEINOST]|N[CDEHJMVY]|O[HKR]|PA|RI|S[CD]|T[NX]|UT|V[AT]|W[AIVY])"
_TAIL_EN = (
    r"(?:,? (?i:apt|apartment|flat|suite|unit|floor|#)\.? ?\w{1,6})?"
    r"(?:[,\n] ?"
    + _TOWN
    + r"(?: "
    + _TOWN
    + r"){0,2})?(?:,? ?"
    + _STATES
    + r"(?: \d{5}(?:-\d{4})?)?(?!\w)|,? ?"
    + _POSTCODE_GB
    + r")?"
)
_STREET_EN = re.compile(
    r"(?<![\w.,:#-])\d{1,5}[a-zA-Z]?,? (?P<name>(?:(?:[NSEW]|North|South|East|West)\.? )?(?:\d{1,3}(?:st|nd|rd|th)|(?:"
    + _CAP
    + r" ){0,3}?"
    + _CAP
    + r")) (?:Street|St|Road|Rd|Avenue|Ave|Lane|Ln|Drive|Dr|Boulevard|Blvd|Court|Ct|Way|Terrace|Crescent|Gardens|Mews|Parkway|Pkwy"
    r"|Place|Pl|Square|Close|Grove|Hill|Highway|Hwy|Row|Quay)(?![\w])\.?(?:" + _TAIL_EN + ")"
)
_STREET_EN_LOWER = re.compile(
    r"(?<![\w.,:#-])\d{1,5}[a-z]? (?P<name>[a-z]{3,15}(?: [a-z]{3,15})?) (?:street|road|avenue|boulevard|lane|drive)(?!\w)"
)
_NO_STREET = frozenset(
    [
        "a",
        "and",
        "click",
        "day",
        "days",
        "disk",
        "down",
        "external",
        "flash",
        "for",
        "from",
        "google",
        "hard",
        "hour",
        "hours",
        "km",
        "lane",
        "lanes",
        "mile",
        "miles",
        "min",
        "minute",
        "minutes",
        "network",
        "of",
        "off",
        "on",
        "one",
        "open",
        "or",
        "out",
        "per",
        "press",
        "select",
        "shared",
        "steps",
        "step",
        "tap",
        "the",
        "then",
        "to",
        "two",
        "up",
        "usb",
        "way",
        "week",
        "weeks",
        "windows",
        "year",
        "years",
    ]
)
_PLACE_DE = r"(?:,? ?(?:D-|DE-|A-|CH-)?\d{4,5} [A-ZÄÖÜ][a-zäöüß]{1,25}+(?:[ -](?:am|an der|im|bei|ob der) [A-ZÄÖÜ][a-zäöüß]{1,20}+)?)?"
_NUMBER_DE = r" ?\d{1,4} ?(?:[a-hA-H](?!\w))?(?:[-/+] ?\d{1,3}[a-h]?)?(?![\w%€]|[.,:]\d| ?(?:Uhr|Euro|EUR|€|Prozent|Stück|Tage|Minuten)\b)"
_STREET_DE = re.compile(
    r"(?<![\w-])(?:[A-ZÄÖÜ][\wäöüß]{0,30}+[ -]){0,3}?(?P<name>[A-ZÄÖÜ][\wäöüß]{0,40}+)(?:(?<=straße)|(?<=strasse)|(?<=str)|(?<=Straße)|(?<=Strasse)|(?<=Str)|(?<=weg)|(?<=gasse)|(?<=platz)"
    r"|(?<=allee)|(?<=damm)|(?<=ufer)|(?<=chaussee)|(?<=steig)|(?<=ring)|(?<=Weg)|(?<=Allee)|(?<=Platz)|(?<=Ring)|(?<=Damm))\.?"
    + _NUMBER_DE
    + _PLACE_DE
)
_STREET_DE_LOWER = re.compile(
    r"(?<![\w-])[a-zäöüß]{2,30}(?:straße|strasse|str\.|gasse|allee) ?\d{1,4}[a-h]?(?!\w|[.,:]\d)" + _PLACE_DE
)
_LANE_DE = re.compile(
    r"(?<![\w-])(?:Am|An der|An den|Im|In der|In den|Auf der|Auf dem|Zum|Zur|Unter den|Alte[rn]?|Neue[rn]?|Straße des) "
    r"(?P<name>(?:\d{1,2}\. )?[A-ZÄÖÜ][a-zäöüß]{2,25}+)" + _NUMBER_DE + _PLACE_DE
)
_NO_LANE = re.compile(
    r"(?:montag|dienstag|mittwoch|donnerstag|freitag|samstag|sonntag|sonnabend|januar|februar|märz|april|mai|juni|juli"
    r"|august|september|oktober|november|dezember|jahr|monat|tag|schritt|version|seite|kapitel|abschnitt|punkt|menü"
    r"|kalenderwoche|quartal|level|zimmer|bestellung|rechnung|anfang|ende|ordner|konto|update|firmware|router|windows"
    r"|einstellungen|app|artikel|kunden|generation|paket)",
    re.IGNORECASE,
)
_NO_STREET_DE = re.compile(
    r"(?:weg|steig|ring|platz|damm|ufer|umweg|anstieg|einstieg|ausstieg|bereich|arbeitsplatz|speicherplatz|sitzplatz|stellplatz|listenplatz|parkplatz|steckplatz|marktplatz|spring|string)",
    re.IGNORECASE,
)
_TOWN_US = re.compile(r"(?<!\w)(?:" + _CAP + r" ){0,2}" + _CAP + r",? " + _STATES + r" \d{5}(?:-\d{4})?(?![\w-])")
_CODE_GB = re.compile(r"(?<![\w-])" + _POSTCODE_GB)
_BOX = re.compile(
    r"(?<!\w)(?:P\.? ?O\.? ?Box|Postfach|Packstation|Postbus|Apartado(?: de correos)?|Casella postale|Caixa postal|Boîte postale|B\.?P\.?|(?:PSC|CMR) \d{1,5},? Box) \d[\d ]{0,9}\d?(?!\w)(?:,? [AFD]PO A[APE] \d{5})?",
    re.IGNORECASE,
)
_LABELLED = re.compile(
    r"(?<![\w-])(?P<lead>(?:e-?mail|mail|ip|mac|web|url|server|smtp|imap|http|login)[ -]?)?(?:address|adresse|anschrift|plz|postleitzahl|zip(?: ?code)?|postcode|dirección|direccion|adres|morada|endereço|indirizzo)"
    r"(?: (?:is|ist|lautet|now|jetzt|neu|est|es|é|è))?\s?(?::|(?<=is)|(?<=ist)|(?<=lautet)|(?<=now)|(?<= est)|(?<= es)|(?<= é)|(?<= è))\s{1,3}"
    r"(?P<value>(?=[^\n\x00]{0,80}\d)[^\n\x00<>?!;]{3,100})",
    re.IGNORECASE,
)
_END_OF_ADDRESS = re.compile(
    r"\.(?=\s|$)(?<!St\.)(?<!str\.)(?<!Str\.)|,? (?:and|und|but|aber|not|nicht|because|please|bitte|thanks|danke)\b| [\w-]{1,15}:"
)


_ENDINGS_EN = (
    "Street", "St", "Road", "Rd", "Ave", "Lane", "Ln", "Dr", "Boulevard", "Blvd", "Court", "Ct", "Way", "Terrace",
    "Crescent", "Gardens", "Mews", "Parkway", "Pkwy", "Pl", "Square", "Close", "Grove", "Hill", "Highway", "Hwy", "Row",
    "Quay",
)  # fmt: skip
_ADDRESS_WORDS = ("address:", "address is", "address now", "adresse:", "adresse ist", "adresse lautet", "adresse jetzt",
    "adresse :", "adresse est", "anschrift", "plz", "leitzahl", "zip", "postcode", "dirección", "direccion", "adres:", "adres is", "morada", "endereço", "indirizzo")  # fmt: skip
_ENDINGS_DE = ("straße", "strasse", "str", "Straße", "Strasse", "Str", "weg", "gasse", "platz", "allee", "damm", "ufer",
    "chaussee", "steig", "ring", "Weg", "Allee", "Platz", "Ring", "Damm")  # fmt: skip
_LANES = ("Am ", "An de", "Im ", "In d", "Auf de", "Zum ", "Zur ", "Unter den ", "Alte", "Neue", "Straße des ")


def find_addresses(text: str) -> Iterator[Span]:
    """Street with number (and town after it), US town with ZIP, British postcode, PO box, a labelled address."""
    covered_to = -1
    for start, end in sorted(_addresses(text), key=lambda span: (span[0], -span[1])):
        if start >= covered_to:
            covered_to = end
            yield start, end, "ADDRESS"


def _addresses(text: str) -> Iterator[tuple[int, int]]:
    yield from streets(text)
    low = text.lower()
    for match in _STREET_EN.finditer(text) if any(word in text for word in _ENDINGS_EN) else ():
        if not _NO_STREET & set(match["name"].lower().split()):
            yield match.start(), match.start() + len(match.group().rstrip(" ,\n"))
    if any(word in low for word in ("street", "road", "avenue", "boulevard", "lane", "drive")):
        for match in _STREET_EN_LOWER.finditer(text):
            if not _NO_STREET & set(match["name"].split()):
                yield match.span()
    german = [
        pattern for pattern, parts in ((_STREET_DE, _ENDINGS_DE), (_LANE_DE, _LANES)) if any(p in text for p in parts)
    ]
    for pattern in german:
        for match in pattern.finditer(text):
            name = match["name"]
            if not (_NO_STREET_DE.fullmatch(name) or _NO_LANE.match(name)):
                yield match.span()
    if "str" in low or "gasse" in low or "allee" in low:
        for match in _STREET_DE_LOWER.finditer(text):
            yield match.span()
    for pattern in (_TOWN_US, _CODE_GB, _BOX):
        for match in pattern.finditer(text):
            yield match.span()
    if any(word in low for word in _ADDRESS_WORDS):
        for match in _LABELLED.finditer(text):
            value = match["value"]
            stop = _END_OF_ADDRESS.search(value)
            value = (value[: stop.start()] if stop else value).rstrip(" ,.")
            if match["lead"] or not any(char.isdigit() for char in value):
                continue
            if value[:1].isdigit() or any(char.isupper() for char in value):
                yield match.start("value"), match.start("value") + len(value)
