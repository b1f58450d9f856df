"""What redaction takes out of support texts, what it leaves in, and how it behaves on hostile ones."""

from __future__ import annotations

import json
import re
from collections import Counter
from datetime import date
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lacuna.models.redaction.checksums import IBAN_LENGTHS, iban_valid, luhn_valid
from lacuna.models.redaction.redact import PLACEHOLDER, Lexicon, learn_names, redact
from lacuna.pipelines.runtime.job import Job
from lacuna.pipelines.settings import load_settings
from lacuna.pipelines.steps.redact.step import redact as redact_step
from tests.support.tables import plant

# «KIND|value» marks what must go. All people, numbers and addresses are invented or reserved for documentation.
PERSONAL = """
Hi, I never got the receipt, please resend it to «EMAIL|anna.schmidt@example.com», thanks a lot
you can write to «EMAIL|j_o+shop@mail.example.co.uk».
The account is registered under «EMAIL|TOM99@EXAMPLE.ORG» I think
Meine E-Mail lautet «EMAIL|jürgen.groß@beispiel.de» und nicht die alte
mail me: «EMAIL|kim.lee (at) example (dot) com» because the form is broken
Please call me back on «PHONE|+44 20 7946 0958» after five
my mobile is «PHONE|07911 123456», evenings only
Cell: «PHONE|(415) 555-0132»
You can reach me at «PHONE|415-555-0187» any time before noon
Telefon «PHONE|+49 (0)30 901820» ab 9 Uhr
Sie erreichen mich unter «PHONE|0171 2345678» oder per Mail
Rückruf bitte an «PHONE|030/9018200»
Handynummer: «PHONE|0151-23456789»
text me, «PHONE|+1-202-555-0143», I am awake
Meine Nummer in Wien ist «PHONE|+43 1 58858 0»
my card «CARD|4111 1111 1111 1111» was charged twice
the Visa «CARD|4242-4242-4242-4242» expires 12/27
Amex «CARD|378282246310005» got declined
Kreditkarte «CARD|5555 5555 5555 4444» wurde abgelehnt
refund it to «IBAN|DE89 3704 0044 0532 0130 00» please
IBAN: «IBAN|GB29NWBK60161331926819»
Meine Bankverbindung ist «IBAN|AT61 1904 3002 3457 3201», bitte erstatten
Konto «IBAN|CH93 0076 2011 6238 5295 7» bei der Post
My login is blocked from «IP|203.0.113.77» since this morning
our office has «IP|2001:db8:85a3::8a2e:370:7334» as its address
Zugriff von «IP|198.51.100.23» wurde gesperrt
the printer with MAC «DEVICE|00:1B:44:11:3A:B7» is not found
IMEI «DEVICE|490154203237518» of the lost phone
where is order «ORDER|#48213390»?
Order number: «ORDER|WB-203991», placed last Friday
my order no. «ORDER|2039918» was delivered to a neighbour
still waiting on ticket «ORDER|#77120»
parcel «ORDER|1Z999AA10123456784» is stuck in customs
Die Bestellung «ORDER|48213390» kam beschädigt an
Bestellnummer ist «ORDER|2024-118833»
Sendungsnummer «ORDER|00340434161094042557» zeigt seit Tagen nichts
Rechnung Nr. «ORDER|RE-2024-00817» ist doppelt
Kundennummer «ORDER|K-9921034»
invoice «ORDER|INV-2024-00391» has the wrong VAT
amazon says «ORDER|302-1234567-7654321» is on the way
I returned «ORDER|RMA-55012» two weeks ago
customer id «ORDER|88120045» in your system
Hi «NAME|Anna», could you have another look?
Hello Mr «NAME|Thompson», the package is wet
Dear «NAME|Priya Raman», thank you for the quick reply
Sehr geehrte Frau «NAME|Hofmann», leider ist nichts passiert
Hallo Herr «NAME|Yilmaz», danke für die Info
Moin «NAME|Jana», klappt immer noch nicht
Nothing works any more. Kind regards, «NAME|John Smith»
Bitte um Rückmeldung. Viele Grüße, «NAME|Sabine»
Mit freundlichen Grüßen ⏎ «NAME|Karl-Heinz Vogel»
Cheers ⏎ «NAME|Liam O'Connor»
my name is «NAME|Olga Petrenko» and I bought a lamp
Mein Name ist «NAME|Lukas Brandt», ich warte auf mein Paket
ich heiße «NAME|Fatma» und habe ein Problem
This is «NAME|Robert Hale» from accounting, the invoice is missing
please change the name, Mrs «NAME|Delgado» has married
I live at «ADDRESS|14 Willow Road», the blue door
ship to «ADDRESS|221B Baker Street, London NW1 6XE» instead
new address: «ADDRESS|1600 Maple Avenue, Apt 4, Springfield, IL 62704»
Ich wohne in der «ADDRESS|Lindenstraße 12, 10115 Berlin»
Lieferung bitte an «ADDRESS|Am Markt 5, 99423 Weimar»
umgezogen in die «ADDRESS|Berliner Allee 103» letzte Woche
bitte an «ADDRESS|Postfach 1234» schicken
my date of birth is «DATE_OF_BIRTH|04/11/1986», please verify me
geboren am «DATE_OF_BIRTH|3. März 1990» in Graz
my password is «SECRET|Sunny!42day» and it still refuses
Passwort: «SECRET|katze2019»
I typed the PIN «SECRET|4821» three times
the verification code «SECRET|938114» did not work
api key = «SECRET|9f8e7d6c5b4a»
login with «URL|https://shop.example/reset?token=8sd7f6s8d7f6» fails
hello, im «NAME|maria lopez» and my order «ORDER|55120394» hasnt come
Hello «NAME|Brigitte» and «NAME|Hans», thank you both
Thank you «NAME|Michael» for your help
Thanks, ⏎ «NAME|J. Miller»
Viele Grüße aus Köln, «NAME|Markus Weiß»
see «URL|https://www.facebook.com/anna.schmidt.31» for the photo
"""

HARMLESS = """
I was charged 1,299.00 EUR instead of 1.199,00 €
it costs $48213390 on that page, a typo for sure
version 115.3.1 crashes on Windows 10.0.19045.3693
since the update to 24.3.10 nothing prints
you have 30 days to return it
from 12.03.2024 to 2024-04-01 at 10:30:15
open Mon-Fri 9:00-17:00 and Sat 10-14
the error 0x80070057 appears again
Fehlercode -2147467259 beim Senden
KB5034441 fails to install
CVE-2024-30103 affects us?
the log says status 20240112093011
my screen is 2560x1440 at 144 Hz
the file has 1073741824 bytes
we sent 12000000 emails last year
the colour #008080 is not available any more
background #4a90e2 looks odd
bug #1848213 describes it
option #3 does nothing
ISO 27001 and RFC 2822 are on the list
article 4711003 is out of stock
my WH-1000XM4 headphones don't pair
the RTX-4090 does not fit
USB 3.2 Gen 2x2 or USB-C?
i5 8GB RAM, 256 GB SSD
size 42 or 42 2/3?
the subnet mask is 255.255.255.0
server 127.0.0.1 port 993
Hi there, quick question
Hello Support, the app is slow
Dear Customer Service, please help
Hi team, any news?
Hallo zusammen, kurze Frage
Guten Tag, ich habe eine Frage
Sehr geehrte Damen und Herren, mein Paket fehlt
Thanks, that solved it
Thanks in advance
Regards
Viele Grüße
Danke, jetzt geht es
my password is not accepted any more
the password is wrong, it says
Passwort ist falsch, obwohl es stimmt
password: see the manual
the PIN is blocked after three tries
where do I enter the verification code?
the token has expired
please mark all as read
I will be away in May and August
I may order two more
Sie können das im Menü einstellen
Ich bin Kunde seit 2019
ich bin sehr enttäuscht
I am American and pay in dollars
this is Ridiculous
my name is misspelled on the label
my name is not shown
I was born in a small town
how do I change my date of birth?
what is your address?
my e-mail address is not accepted: 3 tries
I have 2 Google Drive folders
go 5 miles down the road
Step 3 Click Close
Am Montag 12 Uhr passt
Im Januar 2023 war es billiger
Schritt 4 im Menü Einstellungen 2
Arbeitsplatz 3 hat kein Netz
https://help.shop.example/articles/return-a-parcel explains it
see www.shop.example/faq for details
it needs 2 to 3 working days, 5 at most
I ordered 3 shirts and 2 belts
item 3 of 12 in chapter 4.2.1
the promo code SAVE20 is refused
the years 2021 2022 2023 were fine
std::vector at 12:30:45
follow us @shop on the usual sites
[name] wrote to [email] at [address]
Windows 11, Thunderbird 128, German
1000000 points is the limit
ratio 16:9 or 4:3
Sky and Summer collection, page 12
"""

MARK = re.compile(r"«([A-Z_]+)\|([^»]*)»")


def marked_lines() -> list[tuple[str, list[tuple[str, str]]]]:
    """Each line of PERSONAL without its marks, and the (kind, value) pairs that they held."""
    lines = [line.replace(" ⏎ ", "\n") for line in PERSONAL.strip().splitlines()]
    return [(MARK.sub(r"\2", line), MARK.findall(line)) for line in lines]


def test_personal_data_goes_and_the_rest_stays() -> None:
    """Of the marked values at least 95 % go, and of the placeholders at least 95 % stand for a marked value."""
    lines = marked_lines()
    harmless = HARMLESS.strip().splitlines()
    assert min(len(lines), len(harmless)) >= 60
    n_marked = removed = placed = right = 0
    faults: list[str] = []
    for text, marks in lines:
        result = redact([text])[0][0]
        assert result is not None
        placeholders = Counter(placeholder[1:-1] for placeholder in PLACEHOLDER.findall(result))
        expected = Counter(kind for kind, _ in marks)
        n_removed = sum(value not in result for _, value in marks)
        n_marked, removed = n_marked + len(marks), removed + n_removed
        placed, right = placed + placeholders.total(), right + (placeholders & expected).total()
        if n_removed < len(marks) or placeholders != expected:
            faults.append(result)
    for text in harmless:
        result = redact([text])[0][0]
        assert result is not None
        placed += len(PLACEHOLDER.findall(result))
        if result != text:
            faults.append(result)
    assert removed / n_marked >= 0.95, f"recall {removed / n_marked:.3f}: {faults}"
    assert right / placed >= 0.95, f"precision {right / placed:.3f}: {faults}"


def test_harmless_lines_stay_as_they_are() -> None:
    """Prices, dates, versions, error codes and words about secrets come back untouched."""
    harmless = HARMLESS.strip().splitlines()
    assert redact(harmless)[0] == harmless


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("user [name] wrote from [email]", "user [name] wrote from [email]"),
        ("<EMAIL> and <ORDER> stay", "<EMAIL> and <ORDER> stay"),
        ("مرحبا، رقم الطلب #48213390 شكرا", "مرحبا، رقم الطلب <ORDER> شكرا"),
        ("😡😡 call +44 20 7946 0958 😡", "😡😡 call <PHONE> 😡"),
        ("İİİİ mail a@b.example İ", "İİİİ mail <EMAIL> İ"),
        ("<b>a@b.example</b><script>x</script>", "<b><EMAIL></b><script>x</script>"),
        ("see https://help.shop.example/kb/return-a-parcel.", "see https://help.shop.example/kb/return-a-parcel."),
        ("see https://shop.example/orders/48213390", "see https://shop.example/orders/<URL>"),
        ("", ""),
    ],
)
def test_text_around_personal_data_is_kept_exactly(text: str, expected: str) -> None:
    """Placeholders replace only the value, in any script, beside emoji and inside markup."""
    assert redact([text])[0] == [expected]


def test_null_stays_null_and_counts_follow_every_occurrence() -> None:
    """A missing text stays missing; a repeated text counts each time."""
    texts, counts = redact([None, "a@b.example", "a@b.example", float("nan")])  # type: ignore[list-item]
    assert texts == [None, "<EMAIL>", "<EMAIL>", None]
    assert counts == {"EMAIL": 2}


def test_known_names_must_match_texts_in_number() -> None:
    """A list of known names of another length is refused, not misaligned."""
    with pytest.raises(ValueError, match="known names for 1 texts, but 2"):
        redact(["a", "b"], [[]])


def test_an_agents_greeting_gives_the_customers_name_away_everywhere() -> None:
    """A name shown once in a conversation goes from all its messages, and from no other conversation."""
    ids = ["c1", "c1", "c2"]
    texts = ["The lamp is for Anna Berger personally", "Hello Anna Berger, which lamp?", "Berger sausages are great"]
    names, _ = learn_names(ids, texts)
    assert names == {"c1": ["Anna Berger"]}
    result, _ = redact(texts, [names.get(conversation, []) for conversation in ids])
    assert result == ["The lamp is for <NAME> personally", "Hello <NAME>, which lamp?", "Berger sausages are great"]


def test_an_address_gives_a_name_away() -> None:
    """first.last@… makes both names known for that conversation; a role mailbox doesn't."""
    names, _ = learn_names([1, 2], ["mail grete.holm@x.example", "mail customer.service@x.example"])
    assert names == {1: ["Grete Holm"]}


def test_words_that_are_also_names_stay_words() -> None:
    """With a customer called Mark Will, "mark as read" and a capital "Will" at a sentence's start stay."""
    result, _ = redact(["Will it mark mail? Mark Will asks."], [["Mark Will"]])
    assert result == ["Will it mark mail? <NAME> asks."]


def test_product_names_are_kept() -> None:
    """What the caller names as a product is greeted, not hidden."""
    assert redact(["Hi Vexor, it broke"], lexicon=Lexicon(kept=frozenset({"vexor"})))[0] == ["Hi Vexor, it broke"]


PIECES = st.sampled_from(
    [
        "a@b.example",
        "a.b@c",
        "@",
        ".",
        "-",
        ":",
        "#",
        "+",
        "(",
        ")",
        "/",
        "<",
        ">",
        "1",
        "12",
        "4821",
        "48213390",
        "4111111111111111",
        "0171",
        "2345678",
        "+49",
        "DE89",
        "3704",
        "0044",
        "0532",
        "0130",
        "00",
        "https://",
        "www.",
        "shop.example",
        "?t=1",
        "order",
        "ticket",
        "password",
        "is",
        "Passwort:",
        "PIN",
        "my",
        "name",
        "Anna",
        "Schmidt",
        "Hi",
        "Hallo",
        "Herr",
        "Regards,",
        "Grüße",
        "Straße",
        "Hauptstraße",
        "12",
        "Street",
        "Baker",
        "address:",
        "born",
        "geb.",
        "12.03.1990",
        "203.0.113.7",
        "::",
        "error",
        "version",
        "€",
        "<EMAIL>",
        "<NAME>",
        "<ORDER>",
        "[name]",
        "😀",
        "مرحبا",
        "İ",
        "ß",
        "\u200f",
    ]
)
MESSAGES = st.lists(st.tuples(PIECES, st.sampled_from(["", " ", "\n", ", ", "-"])), max_size=14).map(
    lambda pairs: "".join(piece + gap for piece, gap in pairs)
)


@settings(max_examples=400)
@given(st.one_of(MESSAGES, st.text(max_size=80)), st.lists(st.sampled_from(["Anna Schmidt", "Jana"]), max_size=2))
def test_redacting_twice_is_redacting_once(text: str, names: list[str]) -> None:
    """Redaction is a fixed point, and never loses or breaks a placeholder that was there."""
    once, _ = redact([text], [names])
    twice, counts = redact(once, [names])
    assert twice == once
    assert counts == {}
    assert once[0] is not None
    assert Counter(PLACEHOLDER.findall(text)) <= Counter(PLACEHOLDER.findall(once[0]))


@pytest.mark.parametrize("unit", ["a", "1", "a@", "a.b@c.", "A1-", ":", "http://", "Hi Anna\n", "12 Main "])
def test_a_message_of_a_megabyte_is_redacted(unit: str) -> None:
    """Long repeats that break careless patterns pass in time that grows with their length only."""
    text = unit * (1_000_000 // len(unit)) + " write to kim@example.com"
    result = redact([text])[0][0]
    assert result is not None
    assert result.endswith("write to <EMAIL>")


@given(st.text("0123456789", min_size=12, max_size=18))
def test_one_wrong_digit_breaks_the_luhn_check(body: str) -> None:
    """Of the ten last digits exactly one is right."""
    assert sum(luhn_valid(body + str(digit)) for digit in range(10)) == 1


@given(st.sampled_from(sorted(IBAN_LENGTHS)), st.integers(0, 10**10))
def test_exactly_the_right_check_digits_make_an_iban(country: str, account: int) -> None:
    """Of the check digits 02 to 98 one pair alone is right, and a shorter number never is."""
    body = str(account).zfill(IBAN_LENGTHS[country] - 4)
    right = [f"{country}{check:02d}{body}" for check in range(2, 99) if iban_valid(f"{country}{check:02d}{body}")]
    assert len(right) == 1
    assert not iban_valid(right[0][:-1])


def test_the_step_redacts_messages_notes_searches_and_quarantine(tmp_path: Path) -> None:
    """Every free text of a run is redacted, with the conversation's names, and the counts say what went."""
    day = date(2024, 6, 30)
    job = Job("bundle", tmp_path, day, day, None, load_settings())
    ids = ["c1", "c1", "c2"]
    texts = ["Hi Vexor, mail me: jo@x.example", "Dear Mr Quandt, done", None]
    plant(job, "load/conversations", pd.DataFrame({"conversation_id": ["c1", "c2"], "product": ["Vexor", None]}))
    plant(
        job, "load/messages", pd.DataFrame({"conversation_id": ids, "text": pd.Series(texts, dtype="str"), "extra": 1})
    )
    plant(job, "load/outcomes", pd.DataFrame({"conversation_id": ["c1"], "note": pd.Series(["Quandt was angry"])}))
    plant(
        job,
        "load/searches",
        pd.DataFrame({"query": ["order 48213390"], "conversation_id": pd.Series([None], dtype="str")}),
    )
    record = json.dumps({"conversation_id": "c1", "text": "Quandt here.\nCheers,\nOlga", "position": -1})
    plant(
        job,
        "load/quarantine/messages",
        pd.DataFrame({"value": ["-1", ""], "message": ["below 0", "no JSON"], "record": [record, "{ a@b.example"]}),
    )
    job.write_json("load/languages", {})
    job.write_json("load/warnings", [])
    redact_step(job)
    messages = job.read("redact/messages")
    assert messages["text"].fillna("-").tolist() == ["Hi Vexor, mail me: <EMAIL>", "Dear Mr <NAME>, done", "-"]
    assert "extra" not in messages
    assert job.read("redact/outcomes")["note"].tolist() == ["<NAME> was angry"]
    assert job.read("redact/searches")["query"].tolist() == ["order <ORDER>"]
    quarantined = job.read("redact/quarantine/messages")["record"].tolist()
    assert json.loads(quarantined[0])["text"] == "<NAME> here.\nCheers,\n<NAME>"
    assert quarantined[1] == "{ <EMAIL>"
    report = job.read_json("redact/redact")
    assert report["total"] == {"EMAIL": 1, "NAME": 2, "ORDER": 1}
    assert report["tables"]["messages"] == {"EMAIL": 1, "NAME": 1}
    assert report["changed"] == {"messages": 2, "outcomes": 1, "searches": 1}
