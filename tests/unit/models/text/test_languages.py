"""Texts are read in the languages that their collection is in."""

from __future__ import annotations

from lacuna.models.text.languages import common_languages, languages_of

ENGLISH = ["Where is my parcel?", "I want my money back, please", "How do I set a new password?", "The brakes squeal"]
GERMAN = ["Wo ist mein Paket geblieben?", "Ich möchte mein Geld zurück", "Wie setze ich ein neues Passwort?"]


def test_languages_of_a_collection_are_found() -> None:
    """Both languages of a mixed collection are named, and each text gets its own."""
    among = common_languages((ENGLISH + GERMAN) * 4)
    assert among == ("de", "en")
    assert languages_of(ENGLISH + GERMAN, among) == ["en"] * 4 + ["de"] * 3


def test_a_stray_text_makes_no_language() -> None:
    """One text in forty that looks like another language is read as what all the others are."""
    many = ENGLISH * 10
    among = common_languages([*many, "Gdzie jest moja paczka?"])
    assert among == ("en",)
    assert languages_of(["Gdzie jest moja paczka?"], among) == ["en"]


def test_a_few_texts_make_no_language() -> None:
    """Of a handful, one misread text would be a language of its own, against whose mean nothing of it is left."""
    assert common_languages(ENGLISH + GERMAN) == ()
    assert languages_of(ENGLISH + GERMAN, ()) == [""] * 7


def test_no_text_is_in_no_language() -> None:
    """An empty collection has no languages, and its texts get none."""
    assert common_languages([]) == ()
    assert languages_of(["anything"], ()) == [""]
