"""A slip of the keys, or a few words of a title, are enough to be asked what was meant."""

from __future__ import annotations

import pytest

from lacuna.data_contracts.errors import LacunaError
from lacuna.pipelines.io.runs import find_gap
from lacuna.pipelines.presentation.suggestions import did_you_mean, likely, similar, with_such_words

COLUMNS = ["conversation_id", "started_at", "escalated", "resolved", "intent"]
TITLES = [
    "Sms says pay the import fee",
    "Shimano brake squeals in the rain",
    "Cancel a membership",
    "Order the wrong size",
]


@pytest.mark.parametrize(
    ("wrong", "meant"),
    [
        ("conversationid", "conversation_id"),
        ("Conversation-ID", "conversation_id"),
        ("stated_at", "started_at"),
        ("escalted", "escalated"),
        ("colour", None),
    ],
)
def test_a_slip_leads_to_the_name_that_was_meant(wrong: str, meant: str | None) -> None:
    """Letters that are missing, swapped or of another case are forgiven; another word altogether is nobody's."""
    assert likely(wrong, COLUMNS) == meant


def test_the_nearest_names_come_first_and_no_more_than_asked_for() -> None:
    """Of several names that are alike the nearest is named first; where none is, the remedy says what there is."""
    assert similar("g-1234", ["g-9999", "g-1235", "g-1334"], most=2, cutoff=0.4) == ["g-1235", "g-1334"]
    assert did_you_mean("zzz", ["accept"], "there are: accept") == "there are: accept"


@pytest.mark.parametrize("words", ["import fee", "fee import", "IMPORT", "import fees", "imprt fee"])
def test_a_few_words_lead_to_the_title_that_holds_them(words: str) -> None:
    """In any order and case, and with a slip; words that no title holds lead to none."""
    assert with_such_words(words, TITLES)[0] == TITLES[0]
    assert with_such_words("zebra crossing", TITLES) == []


def test_a_gap_is_offered_by_a_word_of_its_title() -> None:
    """Who asks for a gap as its title says is told the gap's id."""
    rows = [{"gap_id": f"g-{i:08x}", "rank": i + 1, "title": title} for i, title in enumerate(TITLES)]
    with pytest.raises(LacunaError) as caught:
        find_gap(rows, "brake squeal")
    assert caught.value.remedy.startswith("did you mean g-00000001")
