"""Search by meaning and by words."""

from __future__ import annotations

import pandas as pd
import pytest

from lacuna.pipelines.ask.search import Index
from lacuna.pipelines.embedders.registry import embedder


def index(texts: list[str], name: str) -> Index:
    """An index of some questions."""
    frame = pd.DataFrame({"kind": "question", "id": [f"c-{i}" for i in range(len(texts))], "text": texts})
    return Index(frame.assign(topic_id="t-1", subtopic_id="s-1"), embedder(name).embed(texts), name)


@pytest.mark.parametrize(
    ("question", "found"),
    [("Geld zurück", "Money back"), ("change the address", "Lieferadresse ändern"), ("Moneey back", "Money back")],
)
def test_a_question_finds_what_was_asked_in_another_language_and_spelling(question: str, found: str) -> None:
    """Where a run mined several languages, the question may be in any of them."""
    texts = ["Money back", "Paket verfolgen", "Lieferadresse ändern", "Track my order", "Brakes squeal"]
    searched = index(texts, "minilm+use")
    (hit,) = searched.hits(searched.scores(question), "question", 1)
    assert hit.text == found


def test_a_product_name_is_found_by_its_letters() -> None:
    """A word that no model knows finds the text that has it; nothing else comes as near."""
    texts = ["The XR-520 does not charge", "The battery does not charge", "Where is my order"]
    searched = index(texts, "minilm")
    scores = searched.scores("XR-520")
    assert scores.argmax() == 0
    assert scores[0] > 0.5 > scores[2]
