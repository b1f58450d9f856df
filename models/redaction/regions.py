"""The countries whose phone numbers texts of a language may hold."""

from __future__ import annotations

from collections.abc import Iterable

from lacuna.models.redaction.numbers import PHONE_REGIONS

__all__ = ["REGIONS_OF", "regions_of", "without_regions"]

# Where the language is official and a fifth of the people speak it, by CLDR's territory information (a test compares the
# two): one country for each calling code, without the small ones where a language has many.
_TABLE = """
am ET
ar AE BH DZ EG MA IL IQ JO KW LB LY MR OM PS QA SA SD SO SY TN YE
ay BO
az AZ
be BY
bg BG
bi VU
bn BD
bs BA
ca AD
ch GU
cs CZ
da DK
de DE AT CH BE LI LU
dv MV
dz BT
el CY GR
en US GB AU IE NZ ZA BW CM ER GH GM HK LR LS MT MU MW NG PG PH PK SD SG SL SS TZ ZW
es ES MX AR CO BO CL CR CU DO EC GT HN NI PA PE SV UY VE
et EE
fa AF IR
fi FI
fj FJ
fo FO
fr FR BE CH BF BI BJ CA CD CF CG CI CM DZ GA GN HT LU MA MG MU SN TG TN
ga IE
gn PY
he IL
hi IN
hr HR
ht HT
hu HU
hy AM
id ID
is IS
it IT SM
ja JP
ka GE
kk KZ
kl GL
km KH
ko KP KR
ky KG
lb LU
lo LA
lt LT
lv LV
mg MG
mh MH
mk MK
mn MN
ms BN MY
mt MT
my MM
na NR
nb NO
ne NP
nl NL BE AW SR
nn NO
no NO
ny MW
pl PL
ps AF
pt PT BR AO CV GW MZ ST TL
qu BO
rn BI
ro MD RO
ru KG RU UA
rw RW
sg CF
si LK
sk SK
sl SI
sm AS WS
sn ZW
so SO
sq AL XK
sr ME RS
ss SZ
st LS
sv FI SE
sw KE TZ UG
tg TJ
th TH
ti ER
tk TM
tn BW
to TO
tr CY TR
ty PF
uk UA
ur PK
uz UZ
vi VN
wo SN
zh CN HK MO SG TW
"""
# What short texts are taken for, and nobody writes to a shop in: no language at all, Latin, Esperanto, Volapük.
_NOBODYS = ("zxx", "la", "eo", "vo")
REGIONS_OF: dict[str, tuple[str, ...]] = {
    language: tuple(regions) for language, *regions in (line.split() for line in _TABLE.split("\n") if line)
}
"""Countries (ISO 3166-1) by language (ISO 639-1), the best known first."""


def regions_of(languages: Iterable[str]) -> tuple[str, ...]:
    """All countries that languages suggest, in order; `PHONE_REGIONS` where they suggest none.

    Examples
    --------
    >>> regions_of(["nl", "de"])
    ('NL', 'BE', 'AW', 'SR', 'DE', 'AT', 'CH', 'LI', 'LU')
    >>> regions_of([]) == PHONE_REGIONS
    True
    """
    found = dict.fromkeys(region for language in languages for region in REGIONS_OF.get(_code(language), ()))
    return tuple(found) or PHONE_REGIONS


def without_regions(languages: Iterable[str]) -> list[str]:
    """The languages that suggest no country, in ABC order: national numbers in their texts are not found."""
    return sorted({one for one in languages if _code(one) not in (*REGIONS_OF, *_NOBODYS, "")})


def _code(language: str) -> str:
    """``pt`` of ``pt-BR`` and ``PT_br``."""
    return language.replace("_", "-").partition("-")[0].strip().lower()
