"""A text is redacted once in the life of a store, and what is remembered holds nothing of it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lacuna.models.redaction.redact import redact
from lacuna.pipelines.io import redaction_cache as redactions
from lacuna.pipelines.io.redaction_cache import redacted, rules_version

REGIONS = ("GB", "DE")
TEXTS = [
    "Hi Anna, order #48213390 cost 39.90 €, mail me at jo@example.org",
    "my name is Anna Schmidt. my name is Anna Schmidt. call +44 20 7946 0958 or +44 20 7946 0999",
    "written <EMAIL> before: jo@example.org jo@example.org",
    "nothing to hide",
    "jo@example.org",
    "",
]
PIECES = [*TEXTS, "<NAME>", " ", "\n", "Dear Ms Miller,", "0171 2345678", "a", "."]


def plain(texts: Sequence[str]) -> list[str | None]:
    """Without a memory."""
    return redact(texts, phone_regions=REGIONS)[0]


def test_a_second_run_looks_no_text_through_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is remembered gives the same texts; only new ones are looked through, and doubles once."""
    asked: list[str] = []

    def counted(texts: Sequence[str], **options: Sequence[str]) -> tuple[list[str | None], dict[str, int]]:
        asked.extend(texts)
        return redact(texts, **options)

    monkeypatch.setattr(redactions, "redact", counted)
    assert redacted([*TEXTS, TEXTS[0]], tmp_path, REGIONS) == plain([*TEXTS, TEXTS[0]])
    assert sorted(asked) == sorted(TEXTS)
    asked.clear()
    assert redacted([TEXTS[1], "call me: +44 20 7946 0321"], tmp_path, REGIONS) == [
        *plain(TEXTS[1:2]),
        "call me: <PHONE>",
    ]
    assert asked == ["call me: +44 20 7946 0321"]


def test_other_rules_start_anew(tmp_path: Path) -> None:
    """Other phone regions are other rules."""
    assert rules_version(("GB",)) != rules_version(("GB", "DE"))
    assert redacted(["ring 0171 2345678 now"], tmp_path, ("GB",)) != redacted(
        ["ring 0171 2345678 now"], tmp_path, ("DE",)
    )


def test_nothing_of_a_text_is_kept(tmp_path: Path) -> None:
    """The files hold neither words of the texts nor what was cut out of them."""
    import pyarrow.parquet as pq

    redacted(TEXTS, tmp_path, REGIONS)
    (file,) = tmp_path.rglob("*.parquet")
    told = str(pq.read_table(file).to_pydict())
    assert not any(word in told for text in TEXTS for word in text.split() if len(word) > 4 and "<" not in word)


@given(st.lists(st.sampled_from(PIECES)).map("".join))
@settings(max_examples=200, deadline=None)
def test_cuts_lead_from_any_text_to_its_redaction(text: str) -> None:
    """Cuts are found whatever stands beside what, placeholders that customers wrote themselves included."""
    (after,) = plain([text])
    assert after is not None
    assert redactions._without(text, redactions._cuts(text, after)) == after
