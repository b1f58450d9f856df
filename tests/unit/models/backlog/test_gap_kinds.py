"""Every kind of gap is whole: the contract allows it, people can read it, and its colours can be told apart."""

from __future__ import annotations

import pytest

from lacuna.data_contracts.contract import TABLES
from lacuna.models.backlog.gap_kinds import GAP_KINDS, GapKind
from lacuna.pipelines.presentation.kind_styles import kind_styles


def luminance(colour: str) -> float:
    """Relative luminance of a colour as #rrggbb (WCAG 2.2)."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def test_the_contract_allows_these_kinds_and_no_others() -> None:
    """A kind that is added here and forgotten in the contract would fail only when it is first found."""
    allowed = next(r for r in TABLES["backlog"].rules if r.rule == "allowed" and r.column == "kind")
    assert list(allowed.values) == list(GAP_KINDS)


@pytest.mark.parametrize("kind", GAP_KINDS.values(), ids=list(GAP_KINDS))
def test_a_kind_can_be_read(kind: GapKind) -> None:
    """Text and ground reach a contrast of 4.5:1 in both schemes; the meaning is a sentence; the headline fills in."""
    for ink, ground in (kind.light, kind.dark):
        high, low = sorted((luminance(ink), luminance(ground)), reverse=True)
        assert (high + 0.05) / (low + 0.05) >= 4.5
    assert kind.meaning.endswith(".")
    assert kind.label
    assert kind.task
    assert kind.questions
    assert 0 < kind.fixable < 1
    assert kind.headline.format(topic="A", article="B", other="C")
    assert f".k-{kind.name}{{" in kind_styles()
