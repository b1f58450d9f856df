"""Which embedder finds topics where the setting is ``auto``."""

from __future__ import annotations

import pandas as pd
import pytest

from lacuna.pipelines.embedders.choice import ENGLISH, MULTILINGUAL, choose
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
    assert choose(texts).name == chosen
