"""What the setting ``auto`` stands for: English keeps its own embedder, a store keeps what it began with."""

from __future__ import annotations

import pandas as pd
import pytest

from lacuna.pipelines.embedders.choice import ENGLISH, MULTILINGUAL, choose, kind_of
from tests.support.paths import REPO

SISTERS = pd.read_csv(REPO / "tests" / "bench" / "translations.csv")
ASKED = {language: list(SISTERS[language]) for language in SISTERS.columns}


@pytest.mark.parametrize(
    ("texts", "chosen"),
    [
        (ASKED["en"], ENGLISH),
        (ASKED["en"] * 20 + ASKED["de"][:3], ENGLISH),  # a few strays are no language of the store's
        (ASKED["en"] + ASKED["de"], MULTILINGUAL),
        (ASKED["fr"], MULTILINGUAL),  # one language, but not English
        (ASKED["es"][:3], ENGLISH),  # too few to say
        ([], ENGLISH),
    ],
)
def test_the_texts_choose(texts: list[str], chosen: str) -> None:
    """A language counts where it has a real share."""
    assert (choose(texts).name, choose(texts).instead) == (chosen, None)


def test_a_store_keeps_its_embedder_until_it_is_told_to_change() -> None:
    """What the texts would ask for is said; the setting that takes topics over lets it happen; others' do not count."""
    german, english = ASKED["en"] + ASKED["de"], ASKED["en"]
    kept = choose(german, before=kind_of(ENGLISH))
    assert (kept.name, kept.instead) == (ENGLISH, MULTILINGUAL)
    assert choose(german, before=kind_of(ENGLISH), leave=kind_of(ENGLISH)).name == MULTILINGUAL
    assert choose(german, before=kind_of(MULTILINGUAL), leave=kind_of(ENGLISH)).name == MULTILINGUAL
    assert choose(english, before=kind_of(MULTILINGUAL)).name == MULTILINGUAL
    assert choose(english, before="lexical-1").name == ENGLISH
