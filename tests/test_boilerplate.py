"""Mail threads, signatures, disclaimers and forms leave the customer's own words, in English and German."""

from __future__ import annotations

import pandas as pd
import pytest

from models.boilerplate import templates, without_boilerplate, without_lines
from models.questions import clean, questions

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
    "said",
    [
        "How do I turn on confidential mode for this message?",
        "On Monday you wrote: the parcel is here. It is not.",
        "From: and To: are empty in my mail list",
        "Kind regards is all I get from your bot. Where is my refund?",
        "Thanks\nbut the tent still leaks at the seam, what shall I do with it?",
        "Von meinem Konto wurde zweimal abgebucht",
    ],
)
def test_a_question_about_such_things_stays_whole(said: str) -> None:
    """Words of boilerplate in a customer's own sentence are the customer's."""
    assert " ".join(without_boilerplate(said).split()) == " ".join(said.split())


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
    found = questions(pd.DataFrame(rows, columns=["conversation_id", "position", "role", "text"]))
    assert found["question"].tolist() == [f"the {thing} arrived broken" for thing in things]


def test_what_customers_ask_alike_is_no_form() -> None:
    """A line that is also somebody's whole message is a question, however often it comes."""
    asked = ["where is my order"] * 20 + ["hello\nwhere is my order"] * 20
    assert "where is my order" not in templates(asked)
    assert without_lines("a\nb", frozenset({"a", "b"})) == "a\nb"
