"""Which countries' phone numbers texts of a language may hold."""

from __future__ import annotations

import phonenumbers
from babel.core import get_global

from lacuna.models.redaction.numbers import PHONE_REGIONS
from lacuna.models.redaction.redact import redact
from lacuna.models.redaction.regions import REGIONS_OF, regions_of, without_regions


def test_the_table_is_cldrs() -> None:
    """Each country is one where a fifth of the people speak the language, and it is official."""
    territories = get_global("territory_languages")
    for language, regions in REGIONS_OF.items():
        for region in regions:
            there = [of for code, of in territories[region].items() if code.split("_")[0] == language]
            assert any((of["population_percent"] or 0) >= 20 and of["official_status"] for of in there), (
                language,
                region,
            )
            assert region in phonenumbers.SUPPORTED_REGIONS


def test_languages_suggest_countries() -> None:
    """All of them, in order; codes may have a country; no language, the usual ones."""
    assert regions_of(["pt-BR", "NL"])[:3] == ("PT", "BR", "AO")
    assert set(regions_of(["pt", "nl"])) >= {"PT", "BR", "NL", "BE"}
    assert regions_of(["xx"]) == regions_of([]) == PHONE_REGIONS
    assert without_regions(["pt", "xx", "zxx", ""]) == ["xx"]


def test_a_national_number_is_found_where_its_country_is_suggested() -> None:
    """A Polish number needs Poland."""
    text = "512 345 678 to mój numer"
    assert redact([text], phone_regions=regions_of(["pl"]))[0] == ["<PHONE> to mój numer"]
    assert redact([text], phone_regions=("GB", "DE"))[0] == [text]
