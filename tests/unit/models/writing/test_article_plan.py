"""Plans of articles in planted worlds: the answer first, cases with their conditions, disputes out of the way."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lacuna.models.backlog.gap_records import PlannedSentence
from lacuna.models.text.salience import Salience, counted
from lacuna.models.writing.article_plan import PARTS, disputes_of, plan_article, text_of
from lacuna.models.writing.claims import collect_claims
from lacuna.models.writing.resolution_steps import sentence_vectors
from lacuna.models.writing.whole_answers import whole_answers
from tests.unit.models.writing.test_whole_answers import EIGHT, NAMES, WAYS


def plan_of(
    replies: Sequence[tuple[str, str]],
    questions: dict[str, str] | None = None,
    failed: Sequence[tuple[str, str]] = (),
    language: str = "en",
) -> list[PlannedSentence]:
    """The plan of some replies, likeness by the stems of words."""
    asked = questions or {c: "Who pays the customs fee?" for c, _ in replies}
    told = [text for _, text in replies]
    others = ["Dry the tent well, please.", "Look at the sheet."] * 40
    about = Salience.of(told, counted([*told, *others]), len(told) + len(others))
    claims = collect_claims(language, replies, failed, asked, {c for c, _ in replies}, about)
    vectors = sentence_vectors(claims.texts, [])[0] if claims.texts else np.zeros((0, 1))
    texts = list(asked.values())
    salience = Salience.of(texts, counted([*texts, *["my tent leaks"] * 50]), len(texts) + 50)
    return plan_article(claims, vectors.astype(np.float32), salience)


def texts_in(plan: Sequence[PlannedSentence], part: str) -> list[str]:
    """The sentences of one part."""
    return [str(row["text"]) for row in plan if row["part"] == part]


DUTY = "All deliveries to the islands are duty paid."
RECEIPT = "Send us the receipt and we refund it within five working days."
PHOTO = "Upload a photo of the card under Report a problem > Customs."


def customs() -> list[tuple[str, str]]:
    """Agents who answer customers that have paid, and others that have not."""
    paid = [(f"p{i}", f"Hi {NAMES[i % 5]}, you've paid already? {RECEIPT} {DUTY}") for i in range(6)]
    return paid + [(f"n{i}", f"Hello {NAMES[i % 5]}, please don't pay the courier. {PHOTO} {DUTY}") for i in range(8)]


def test_the_answer_stands_first_and_a_case_under_its_condition() -> None:
    """What holds for all is the answer; what holds for those who have paid stands below their condition."""
    plan = plan_of(customs())
    assert texts_in(plan, "title") == ["Who pays the customs fee?"]
    assert texts_in(plan, "answer") == [DUTY]
    (case,) = [row for row in plan if row["part"] == "case"]
    assert (case["condition"], case["condition_by"], case["text"]) == ("If you've paid already", "agents", RECEIPT)
    assert PHOTO in texts_in(plan, "do") + texts_in(plan, "step")
    assert [PARTS.index(str(row["part"])) for row in plan] == sorted(PARTS.index(str(row["part"])) for row in plan)


def test_a_condition_is_found_in_the_words_of_the_customers_who_got_an_answer() -> None:
    """Where no agent names a case, what sets its customers apart from others does."""
    replies = [(f"g{i}", "Enter the order number under Points > Claim once.") for i in range(8)]
    replies += [(f"s{i}", "Show the paper slip at the counter downstairs.") for i in range(8)]
    asked = {f"g{i}": f"I ordered as a guest {i}, where are my points?" for i in range(8)}
    asked |= {f"s{i}": f"I bought it in your shop {i}, where are my points?" for i in range(8)}
    cases = {row["text"]: row for row in plan_of(replies, asked) if row["part"] == "case"}
    assert cases
    for text, row in cases.items():
        assert row["condition_by"] == "customers"
        assert ("guest" in str(row["condition"])) == ("order number" in text)


def test_where_agents_contradict_each_other_neither_is_stated() -> None:
    """Two answers that can't both hold go to the expert; one that hardly anybody gives is told there as well."""
    many = [(f"a{i}", "We keep the parcel for 3 days in the shop.") for i in range(6)]
    half = [(f"b{i}", "We keep the parcel for 7 days in the shop.") for i in range(4)]
    plan = plan_of(many + half)
    assert not texts_in(plan, "answer")
    ((one, other),) = disputes_of(plan)
    assert ("3 days" in str(one["text"]), "7 days" in str(other["text"])) == (True, True)
    few = [(f"a{i}", "We keep the parcel for 3 days in the shop.") for i in range(20)]
    plan = plan_of(few + half[:2])
    assert texts_in(plan, "answer") == ["We keep the parcel for 3 days in the shop."]
    assert len(disputes_of(plan)) == 1


@pytest.mark.parametrize("written", WAYS.values(), ids=WAYS)
def test_a_pasted_list_is_the_steps_whole_and_in_order(written: str) -> None:
    """Eight steps in thirty conversations are the article's eight steps, beside whatever else agents say."""
    replies = [(f"c{i}", f"Hi {NAMES[i % 5]},\n{written}\nRegards, {NAMES[i % 3]}") for i in range(30)]
    replies += [(f"d{i}", "The pump needs no oil.") for i in range(5)]
    plan = plan_of(replies, {c: "How do I start the pump?" for c, _ in replies})
    assert [text.rstrip(".").casefold() for text in texts_in(plan, "step")] == [line.casefold() for line in EIGHT]


def test_german_is_planned_in_german() -> None:
    """Conditions and cases in German, in agents' own words."""
    receipt = "Schicken Sie uns die Quittung, wir erstatten in fünf Werktagen."
    paid = [(f"p{i}", f"Schon bezahlt? {receipt}") for i in range(4)]
    rest = [(f"n{i}", "Bitte nicht bezahlen. In unseren Preisen sind Zoll und Steuern enthalten.") for i in range(6)]
    if_clause = [(f"w{i}", "Wenn das Paket im Zoll liegt, laden Sie ein Foto der Karte hoch.") for i in range(4)]
    plan = plan_of(
        paid + rest + if_clause, {c: "Wer zahlt den Zoll?" for c, _ in paid + rest + if_clause}, language="de"
    )
    conditions = {str(row["condition"]): text_of(row) for row in plan if row["part"] == "case"}
    assert conditions == {
        "Schon bezahlt?": receipt,
        "Wenn das Paket im Zoll liegt": "Laden Sie ein Foto der Karte hoch.",
    }
    assert {row["language"] for row in plan} == {"de"}
    assert texts_in(plan, "answer") == ["In unseren Preisen sind Zoll und Steuern enthalten."]


def test_what_was_said_of_one_customer_or_of_the_page_is_no_article() -> None:
    """An agent's own doings, placeholders and remarks on the help page are left out."""
    text = "We've sent it again for you. Our page is out of date. The order <ORDER> comes back. Refunds take 5 days."
    plan = plan_of([(f"c{i}", text) for i in range(5)])
    assert [row["text"] for row in plan if row["part"] not in ("title", "open")] == ["Refunds take 5 days."]


def test_what_mostly_failed_is_not_in_the_article() -> None:
    """A sentence of which more tries ended badly than not is no answer."""
    plan = plan_of(
        [(f"c{i}", "Restart the pump twice now.") for i in range(3)],
        failed=[(f"f{i}", "Restart the pump twice now.") for i in range(4)],
    )
    assert not [row for row in plan if row["part"] not in ("title", "open")]


SENTENCES = st.sampled_from(
    [DUTY, RECEIPT, PHOTO, "Paid already?", "It takes 3 days.", "It takes 7 days.", *WAYS.values()]
)


@given(st.lists(st.lists(SENTENCES, min_size=1, max_size=4), min_size=1, max_size=12))
def test_every_sentence_is_held_by_the_conversations_that_it_names(chosen: list[list[str]]) -> None:
    """Nothing is in a plan that is not in the evidence: each conversation named holds the sentence."""
    replies = {f"c{i}": "\n".join(parts) for i, parts in enumerate(chosen)}
    for row in plan_of(list(replies.items())):
        assert row["conversation_ids"] or row["part"] == "title"
        for conversation in row["conversation_ids"] if row["part"] != "title" else []:
            assert str(row["text"]).rstrip(".").casefold() in replies[conversation].casefold()


def test_no_whole_answer_is_made_of_two_conversations() -> None:
    """A list that two agents paste is not yet the house's answer."""
    assert whole_answers([(f"c{i}", WAYS["dashes"]) for i in range(2)]) == []
