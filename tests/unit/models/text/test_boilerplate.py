"""Mail threads, signatures, disclaimers and forms leave the customer's own words, in English and German."""

from __future__ import annotations

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lacuna.models.conversations.questions import clean, questions
from lacuna.models.text.boilerplate import asides, templates, without_asides, without_boilerplate, without_lines

ENGLISH = """Hi team,

my tent pole snapped at the joint, can I get a new one?

Kind regards,
<NAME>
Head of Purchasing, Acme Ltd
Tel. <PHONE>

This e-mail and any attachments are confidential and intended solely for the addressee. If you are not the intended
recipient, delete it.

On Mon, 3 Jun 2024 at 10:00, Support <EMAIL> wrote:
> Dear customer,
> how can we help?
"""
GERMAN = """Sehr geehrte Damen und Herren,

meine Zeltstange ist gebrochen, bekomme ich eine neue?

Mit freundlichen Grüßen
<NAME>
Einkauf, Acme GmbH

Diese E-Mail enthält vertrauliche Informationen und ist ausschließlich für den Empfänger bestimmt.

Am 03.06.2024 um 10:00 schrieb Support <EMAIL>:
Guten Tag, wie können wir helfen?
"""
OUTLOOK = """The zip of the jacket is stuck.

From: Support
Sent: Monday, 3 June 2024
To: <NAME>
Subject: Your order
Please send us a photo of the tent."""
OUTLOOK_DE = """Der Reißverschluss klemmt.

Von: Support
Gesendet: Montag, 3. Juni 2024
An: <NAME>
Betreff: Ihre Bestellung
Bitte senden Sie uns ein Foto vom Zelt."""


@pytest.mark.parametrize(
    ("mail", "left"),
    [
        (ENGLISH, "my tent pole snapped at the joint, can I get a new one?"),
        (GERMAN, "meine Zeltstange ist gebrochen, bekomme ich eine neue?"),
        (OUTLOOK, "The zip of the jacket is stuck."),
        (OUTLOOK_DE, "Der Reißverschluss klemmt."),
        ("Subject: AW: Re: My tent leaks\nWhat now?", "My tent leaks What now?"),
        ("It leaks.\n-- \nA. Smith\nAcme\n", "It leaks."),
        ("It leaks.\n\nSent from my iPhone", "It leaks."),
        ("Es tropft.\n\nVon meinem iPhone gesendet", "Es tropft."),
        ("##- Please type your reply above this line -##\nIt leaks.", "It leaks."),
        ("It leaks.\r\n\r\nBegin forwarded message:\r\nanything", "It leaks."),
    ],
)
def test_a_mail_is_what_the_customer_wrote(mail: str, left: str) -> None:
    """Threads, signatures, disclaimers and what mail programs add are taken off."""
    assert clean(mail) == left


@pytest.mark.parametrize(
    "text",
    [
        "How do I turn on confidential mode for this message?",
        "On Monday you wrote: the parcel is here. It is not.",
        "From: and To: are empty in my mail list",
        "Kind regards is all I get from your bot. Where is my refund?",
        "Thanks\nbut the tent still leaks at the seam, what shall I do with it?",
        "Von meinem Konto wurde zweimal abgebucht",
    ],
)
def test_a_question_about_such_things_stays_whole(text: str) -> None:
    """Words of boilerplate in a customer's own sentence are the customer's."""
    assert " ".join(without_boilerplate(text).split()) == " ".join(text.split())


def test_a_mail_that_is_all_quotation_is_not_emptied() -> None:
    """What was forwarded without a word of one's own is the question."""
    assert "photo of the tent" in clean(OUTLOOK.split("\n\n")[1])


def test_lines_of_a_form_make_no_question() -> None:
    """Lines that many conversations share word for word are the form's; what customers fill in is theirs."""
    form = "New request from the contact form\nPlease describe your problem below\n"
    things = [
        "tent",
        "jacket",
        "saddle",
        "stove",
        "helmet",
        "pedal",
        "lamp",
        "rope",
        "boot",
        "glove",
        "cap",
        "mat",
        "cup",
    ]
    rows = [(f"c{i:02d}", 0, "customer", f"{form}the {thing} arrived broken") for i, thing in enumerate(things)]
    table = questions(pd.DataFrame(rows, columns=["conversation_id", "position", "role", "text"]))
    assert table["question"].tolist() == [f"the {thing} arrived broken" for thing in things]


def test_what_customers_ask_alike_is_no_form() -> None:
    """A line that is also somebody's whole message is a question, however often it comes."""
    texts = ["where is my order"] * 20 + ["hello\nwhere is my order"] * 20
    assert "where is my order" not in templates(texts)
    assert without_lines("a\nb", frozenset({"a", "b"})) == "a\nb"


PROBLEMS = [
    "the tent leaks",
    "my lamp flickers",
    "Der Kocher faucht",
    "a rope frayed",
    "the boots pinch",
    "Die Matte ist platt",
]
ASIDES = ["I hope you can help.", "Kurze Frage:", "It was a present to myself."]


def conversations(times: int = 8) -> list[str]:
    """Each problem alone and beside each aside, several times."""
    alone = [f"{problem}." for problem in PROBLEMS]
    with_asides = [f"{aside} {problem}!" for problem in PROBLEMS for aside in ASIDES]
    return (alone + with_asides) * times


def test_what_customers_say_beside_anything_is_an_aside() -> None:
    """In any language and without a list; what is also a whole message, or rarely said, is none."""
    asides_ = asides(conversations())
    assert asides_ == {"i hope you can help", "kurze frage", "it was a present to myself"}
    assert asides(conversations(1)) == frozenset(), "three times each is not often"


def test_names_and_numbers_in_an_aside_may_differ() -> None:
    """What was bought a while ago is no matter, whichever it was; a question about a thing keeps its thing."""
    things = ["Grit 27", "Volt Cargo", "Tarn 3", "Pavé Carbon"]
    with_aside = [f"{p}. I ordered the {thing} a while ago." for p in PROBLEMS for thing in things]
    texts = [f"Which lamp fits the {thing}?" for thing in things] * 6
    idle = asides(conversations() + with_aside + texts)
    assert idle - asides(conversations()) == {"i ordered the _ a while ago"}
    assert without_asides("the tent leaks. I ordered the Fell 2 a while ago.", idle) == "the tent leaks."
    assert without_asides("the tent leaks. Which lamp fits the Grit 27?", idle).endswith("Grit 27?")


def test_what_always_goes_with_the_same_matter_is_no_aside() -> None:
    """That it may be lost is never said alone, but always of a parcel without a scan: it is what is asked."""
    days = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "the weekend"]
    texts = [f"No scan since {day}. Is it lost?" for day in days] * 4
    assert asides(conversations() + texts) == asides(conversations())


def test_asides_go_with_and_without_marks_around_them() -> None:
    """As a sentence, at the front, and within an unmarked one where they are three words or more."""
    idle = asides(conversations())
    assert without_asides("Kurze Frage: Der Kocher faucht", idle) == "Der Kocher faucht"
    assert without_asides("I hope you can help the tent leaks it was a present to myself", idle) == "the tent leaks"
    assert without_asides("Eine kurze Frage habe ich", idle) == "Eine kurze Frage habe ich"


@given(st.lists(st.sampled_from([*PROBLEMS, *ASIDES, "ok", "…", "\n"]), max_size=6).map(" ".join))
def test_nothing_but_asides_goes(text: str) -> None:
    """What is asked stays, and a second time changes nothing."""
    idle = asides(conversations())
    left = without_asides(text, idle)
    assert without_asides(left, idle) == left
    assert not any(aside.rstrip(".") in left for aside in ASIDES if len(aside.split()) > 2)
    for problem in PROBLEMS:
        assert left.count(problem) == text.count(problem)


def test_asides_are_no_part_of_a_question() -> None:
    """The next message is the question where the first says nothing but an aside; what says no more stays as it is."""
    rows = [(f"c{i:03d}", 0, "customer", text) for i, text in enumerate(conversations())]
    rows += [(c, 0, "customer", "I hope you can help.") for c in "xy"] + [
        ("x", 1, "customer", "The saddle creaks and slips.")
    ]
    table = questions(pd.DataFrame(rows, columns=["conversation_id", "position", "role", "text"]))
    question_of = table.set_index("conversation_id")["question"]
    assert set(question_of.drop(["x", "y"]).str.rstrip(".!")) == set(PROBLEMS)
    assert question_of["x"] == "The saddle creaks and slips."
    assert question_of["y"] == "I hope you can help."
