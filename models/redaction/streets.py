"""Streets, numbers and towns as French, Spanish, Dutch, Portuguese and Italian write them, and as any language does behind a cue."""

from __future__ import annotations

import re
from collections.abc import Iterator

from lacuna.models.redaction.labels import announced, phrases
from lacuna.models.redaction.letters import CAPITAL, SMALL
from lacuna.models.redaction.spans import LazyPattern

__all__ = ["streets"]

_CAP = rf"(?:(?:St|Ste|Sta|Dr|Dra|Mt|Av|Avda|Pl|Gen|Gral|Prof|Eng|Alm|Cel|[{CAPITAL}])\.|[{CAPITAL}][{CAPITAL}{SMALL}'’\x2d]{{0,30}}+(?!\w))"
_ANY = rf"[{CAPITAL}{SMALL}\d][{CAPITAL}{SMALL}\d'’ºª\x2d]{{0,30}}+(?!\w)"
_OF = r"(?:(?:de|du|des|de la|de las|de los|del|la|le|les|los|las|das|dos|da|do|di|della|delle|dei|degli|dell'|d'|l'|e|y|et|den|der|van|het|of|the|i|san|santa|am|an|im|in|ob|bei|sur|sous|en|aan|a|al)[ \u00a0]|[dl]['’])"
_TOWN = rf"(?:{_OF}{{0,2}}{_CAP}(?:[ \u00a0-]{_OF}{{0,3}}{_CAP}){{0,3}})"
# Postcodes: GB, NL, PT, BR, US and the five or four digits of most others.
_POSTCODE = r"(?:[A-Z]{1,2}\d[A-Z\d]? ?\d[A-Z]{2}|\d{4} ?[A-Z]{2}|\d{4}-\d{3}|\d{5}-?\d{3}|\d{5}(?:-\d{4})?|[A-Z]{1,2}-?\d{4,5}|\d{4})(?![\w-])"
_PROVINCE = r"(?: ?\([A-Z]{2}\)|,? (?:/ )?[A-Z]{2}(?![\w-]))?"
_PLACE = rf"(?:{_POSTCODE}[ \u00a0]{{1,2}}{_TOWN}|{_TOWN},? {_POSTCODE}|{_POSTCODE})"
_INSIDE = (  # floor, door, stairs
    r"(?:,? ?(?:piso|planta|puerta|pta\.?|esc\.?|escalera|bajo|ático|int\.?|interno|scala|piano|bât\.?|bâtiment|appt?\.?|apt\.?|appartement|étage|esc|bus|bte|boîte|apto\.?|andar|bloco|bl\.?|dto\.?|esq\.?|frente|fração"
    r"|lote|unit|flat|suite|floor|hs|etage|izq\.?|dcha\.?|izda\.?|local|portal|bloque|\d{1,2}[.ºª°]{1,2}(?: ?(?:dto|esq|izq|dcha|izda|[A-Z])\b\.?)?)(?: ?[\dA-Z]{1,4}(?!\w))?){0,3}"
)
_REST = rf"(?:{_INSIDE}(?:[ \u00a0]?[,\n–-][ \u00a0]?|[ \u00a0]{{1,2}}|[ ]?\n)(?:{_TOWN}, )?{_PLACE}{_PROVINCE})?"
_NUMBER_SIGN = rf"(?:{phrases('number').pattern}[ \u00a0]?)?"
_NUMBER = (
    r"\d{1,5}(?:[ \u00a0]?(?:bis|ter|quater|[a-zA-Z](?!\w)))?(?:[ ]?[-/][ ]?\d{1,4}[a-zA-Z]?(?!\w)|[-/][a-zA-Z](?!\w))?"
)

_AFTER_NUMBER = phrases("street_after_number")
_FRENCH = LazyPattern(
    rf"(?<![\w.,/-])(?:{_NUMBER},?[ \u00a0]{{1,2}})(?i:{_AFTER_NUMBER.pattern})[ \u00a0]{{1,2}}{_OF}{{0,3}}{_ANY}(?:[ \u00a0]{_OF}{{0,3}}{_CAP}){{0,4}}{_REST}"
)
_FRENCH_WITHOUT = LazyPattern(
    rf"(?<![\w-])(?i:{_AFTER_NUMBER.pattern})[ \u00a0]{{1,2}}{_OF}{{0,3}}{_CAP}(?:[ \u00a0]{_OF}{{0,3}}{_CAP}){{0,4}},?[ \u00a0]{{1,2}}{_PLACE}"
)
_STREET = phrases("street")
_BEHIND_NUMBER = r"(?![\w€%]|[.,:]\d| ?(?:€|EUR|euros?|reais|horas?|ore|km|kg)\b)"
_TYPE = rf"(?<![\w@-])(?i:{_STREET.pattern})(?:(?<=[/.º])[ \u00a0]{{0,2}}|[ \u00a0]{{1,2}})"
_COMMA = r"[ \u00a0]?,?[ \u00a0]?"
_SOUTHERN = LazyPattern(
    rf"{_TYPE}{_OF}{{0,3}}{_CAP}(?:[ \u00a0](?:{_OF}{{0,3}}{_CAP}|\d{{1,4}}(?=[ ,]))){{0,5}}?{_COMMA}{_NUMBER_SIGN}(?<!\d){_NUMBER}(?: \d{{1,5}}(?![\d-]))?{_BEHIND_NUMBER}{_REST}"
)
_SOUTHERN_SMALL = LazyPattern(
    rf"(?<![\w@-])(?:calle|c/|avenida|avda\.?|plaza|paseo|rua|praça|travessa|via|viale|corso|piazza|vicolo) ?{_OF}{{0,3}}(?!(?:en|em|no|na|in|di|para|per|por|con|com|app|mail|sms)\b)[{SMALL}]{{3,20}}+"
    rf"(?: {_OF}{{0,2}}[{SMALL}]{{3,20}}+)?(?<!talla)(?<!tamanho)(?<!taglia){_COMMA}{_NUMBER_SIGN}(?<!\d){_NUMBER}{_BEHIND_NUMBER}{_REST}"
)
_SOUTHERN_WITHOUT = LazyPattern(
    rf"{_TYPE}{_OF}{{0,3}}{_CAP}(?:[ \u00a0]{_OF}{{0,3}}{_CAP}){{0,4}}(?:,? ?(?i:s/n))?(?:, {_TOWN})?,[ \u00a0]?{_PLACE}(?: / [A-Z]{{2}})?"
)
_ENDINGS_NL = ("straat", "weg", "laan", "plein", "gracht", "kade", "dijk", "singel", "hof", "pad", "steeg", "dreef", "plantsoen", "park", "markt", "baan", "erf", "boulevard",
               "stede", "gaarde")  # fmt: skip
_MAY_BE_DUTCH = re.compile(rf"(?:{'|'.join(_ENDINGS_NL)}) \S{{0,10}} ?\d")
_DUTCH = LazyPattern(
    rf"(?<![\w-])(?:{_CAP}[ -]){{0,3}}?[{CAPITAL}][{SMALL}'’\x2d]{{0,30}}?(?:{'|'.join(_ENDINGS_NL)})(?:[ ]?{_NUMBER_SIGN})[ ]{_NUMBER}(?![\w€%]|[.,:]\d| ?(?:uur|euro|EUR|€|stuks|dagen)\b)(?:[,\n]? ?\d{{4}} ?[A-Z]{{2}}(?!\w)(?:[ ]{{1,2}}{_TOWN})?|, ?{_TOWN})?"
)
_CODE_NL = LazyPattern(
    rf"(?:(?<=[,\n])|(?<=, )|\A)[1-9]\d{{3}} ?(?!(?:MB|GB|TB|KB|PM|AM|HZ|KM|KG)\b)[A-Z]{{2}}[ ]{{1,2}}(?=[{CAPITAL}][{SMALL}']){_TOWN}"
)
_CUED_CODE = LazyPattern(
    rf"(?<![\w-])[1-9]\d{{3}} ?(?!OS|KB|MB|GB|TB|AM|PM)[A-Z]{{2}} (?=[{CAPITAL}][{SMALL}']){_TOWN}"
)
_CODE_PT = LazyPattern(rf"(?<![\w-])\d{{4}}-\d{{3}} (?=[{CAPITAL}][{SMALL}']){_TOWN}")
# A number, words with capitals, a comma, a town with its postcode: an address whatever the words.
_FLAT = r"(?:Apt|Apartment|Flat|Studio|Suite|Unit|Room|No)\.? ?\d{1,5}[A-Za-z]?(?!\w)"
_NUMBERED = LazyPattern(
    rf"(?<![\w.,/#$€£-])\d{{1,5}}[A-Za-z]?,? {_CAP}(?: {_CAP}){{1,3}}(?:,? {_FLAT})?, (?!\w{{0,20}}(?:nummer|number|nr)\b){_TOWN},? (?:{_POSTCODE}|[A-Z]{{2}},? \d{{5}}(?!\w))"
)
_FLATS = LazyPattern(rf"(?<![\w-]){_FLAT},? {_CAP}(?: {_CAP}){{1,3}}, {_TOWN}(?:,? {_POSTCODE})?")
_NAMED = LazyPattern(rf"(?<![\w-]){_CAP}(?: {_OF}{{0,2}}{_CAP}){{0,3}} {_NUMBER}, ?{_POSTCODE} {_TOWN}")
_CUES = phrases("address")
_CUED = LazyPattern(
    rf"(?<!\w)(?i:{_CUES.pattern})[:,]?(?: [{SMALL}]{{1,12}}){{0,3}}[:,]? (?P<value>{_NUMBER},? (?:{_CAP})(?: {_OF}{{0,2}}{_CAP}){{1,4}}(?:, {_TOWN})?{_REST}|{_NUMBER},? {_CAP}, {_TOWN}{_REST}"
    rf"|(?:{_CAP}(?: {_OF}{{0,2}}{_CAP}){{0,3}}),? {_NUMBER}(?![\w€%]|[.,:]\d|\. [A-Z]| ?(?:€|EUR|[Ee]uros?|Uhr|Tage|Stück)\b){_REST}|{_POSTCODE} {_TOWN})"
)
_NO_STREET = re.compile(
    r"(?i:(?:windows|iphone|galaxy|version|office|router|android|firefox|thunderbird|outlook|error|order|bestellung|step|level|chapter|page|seite|model|modell|typ|art|artikel|article|paket|update|app"
    r"|january|february|march|april|may|june|july|august|september|october|november|december|januar|februar|märz|mai|juni|juli|oktober|dezember|monday|tuesday|wednesday|thursday|friday|saturday|sunday"
    r"|rechnung|kunde|konto|ticket|pedido|commande|ordine|encomenda|bestelling|sony|apple|garmin|canon)\b)"
)
_ORDINARY = re.compile(
    r"(?i:^(?:via (?:app|e-?mail|mail|sms|chat|internet|web|usb|bluetooth|wifi|wlan|paypal)|place (?:an|the|your|my)|route \d|cours de|mail|passage (?:à|de|en)|park(?:platz)?|ring|rampe|campo |parco giochi))"
)


def streets(text: str) -> Iterator[tuple[int, int]]:
    """Where addresses stand, as start and end."""
    if not any(char.isdigit() for char in text):
        return
    cued = announced(text, _CUES)
    found = []
    if announced(text, _AFTER_NUMBER):
        found += [_FRENCH, _FRENCH_WITHOUT]
    if announced(text, _STREET) or "c/" in text.lower():
        found += [_SOUTHERN, _SOUTHERN_WITHOUT, *([_SOUTHERN_SMALL] if cued else [])]
    if _MAY_BE_DUTCH.search(text):
        found.append(_DUTCH)
    found += [_CODE_NL, _CODE_PT, *([_CUED_CODE] if cued else [])]
    if "," in text:
        found += [_NUMBERED, _NAMED, _FLATS]
    for pattern in found:
        for match in pattern.finditer(text):
            if not _NO_STREET.search(match.group()) and not _ORDINARY.match(match.group()):
                yield match.start(), match.start() + len(match.group().rstrip(" ,."))
    if cued:
        for match in _CUED.finditer(text):
            if not _NO_STREET.search(match["value"]):
                yield match.start("value"), match.start("value") + len(match["value"].rstrip(" ,."))
