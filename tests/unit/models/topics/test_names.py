"""Topic labels read like a customer's problem on a folder: whole, unique, and never silly."""

from __future__ import annotations

import random
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from lacuna.models.text.clauses import clauses, phrases
from lacuna.models.text.lexicon import ADVERBS, CONJUNCTIONS, DETERMINERS, PREPOSITIONS, PRONOUNS, STOP_WORDS
from lacuna.models.topics.names import WITHOUT_QUESTION, examples, label_topics

REFUND = [
    "I sent the shoes back two weeks ago. Still no refund after my return.",
    "hi, refund not received after return, please help",
    "Refund not received after return of my order",
    "the refund for my return has not arrived",
    "Where is my refund? I returned everything on Monday",
]
PASSWORD = [
    "How do I set a new password?",
    "ok so how can i set a new password",
    "Quick question: how do I set a new password, the old one is gone",
    "i forgot my password and want to set a new password",
]
GERMAN = [
    "Wie kann ich mein Konto löschen?",
    "Kurze Frage: wie kann ich mein Konto löschen",
    "Hallo, ich möchte mein Konto löschen. Danke",
    "Bitte mein Konto löschen",
]
IMAP = [
    "My IMAP folder is empty since the update",
    "all messages are gone, the IMAP folder is empty",
    "Why is my IMAP folder empty? It worked before",
    "imap folder is empty",
]
TOPICS = [REFUND, PASSWORD, GERMAN, IMAP]
NONE: list[list[str]] = [[] for _ in TOPICS]
SMALL = (
    DETERMINERS | PREPOSITIONS | PRONOUNS | CONJUNCTIONS | ADVERBS | {"ok", "hi", "hello", "please", "thanks", "hallo"}
)


def small_at_the_front(label: str) -> bool:
    """Whether a label opens with a small word and is not a whole sentence of a customer's."""
    words = label.casefold().split()
    return words[0] in SMALL and len(words) < 3


@pytest.mark.parametrize(
    ("topic", "good"),
    [
        (REFUND, {"Refund not received after return", "Refund not received", "No refund after my return"}),
        (PASSWORD, {"Set a new password"}),
        (GERMAN, {"Konto löschen", "Mein Konto löschen"}),
        (IMAP, {"IMAP folder is empty", "IMAP folder empty"}),
    ],
)
def test_a_planted_problem_is_named_as_a_person_would(topic: list[str], good: set[str]) -> None:
    """The label of a topic is the problem that its questions share, without lead-in, greeting or thanks."""
    assert label_topics(TOPICS, NONE)[TOPICS.index(topic)] in good


def test_acronyms_and_names_keep_the_capitals_that_customers_give_them() -> None:
    """A word is written as customers mostly write it where it does not open the sentence."""
    questions = ["can the Ride app find my bike", "please make the Ride app find my bike", "the ride app, find my bike"]
    assert "Ride app" in label_topics([questions], [[]])[0]


def test_a_question_that_loses_its_sense_when_cut_stays_a_question() -> None:
    """Where a phrase would be broken, the customer's own short question is the label."""
    own_questions = ["Can two phones be paired with one e-bike?"] * 3 + ["ya. can two phones be paired with one e-bike"]
    assert label_topics([own_questions], [[]]) == ["Can two phones be paired with one e-bike?"]


@pytest.mark.parametrize("sentence", [["ok", "ok", "ok ok"], ["?", "?"], ["test"], [""], []])
def test_a_topic_that_says_nothing_is_called_so(sentence: list[str]) -> None:
    """Messages without matter get an honest name, never a bag of words or an empty label."""
    assert label_topics([sentence], [["ok", "test"]])[0].startswith(WITHOUT_QUESTION)


def test_a_long_question_without_a_short_phrase_is_shortened() -> None:
    """The question is cut to a label's length, and a word beside it does not take its place."""
    own_questions = ["After two years I get only half of what I used to get from it. Normal?"] * 3
    (label,) = label_topics([own_questions], [["normal"]])
    assert not label.startswith(WITHOUT_QUESTION)
    assert 3 <= len(label.split()) <= 9


def test_sentences_that_customers_add_to_anything_are_no_matter() -> None:
    """A courtesy that stands in many topics names none of them, not even the one that holds nothing else in common."""
    things = ["tent", "jacket", "saddle", "stove", "helmet", "pedal"]
    courtesy = "I am a regular customer of yours"
    topics = [[f"{courtesy}. The {t} arrived broken", f"The {t} arrived broken. {courtesy}"] for t in things]
    labels = label_topics(topics, [[] for _ in topics])
    assert labels == [f"{t.capitalize()} arrived broken" for t in things]


def test_a_slip_of_the_pen_is_put_right_where_the_word_is_known() -> None:
    """A rare word that differs from a common one by a letter is read as that one."""
    own_questions = ["the battery does not charge"] * 9 + ["the batttery does not charge"]
    assert label_topics([own_questions], [[]]) == ["Battery does not charge"]


def test_a_label_tells_what_is_wrong_where_the_sentence_does() -> None:
    """What something does not do belongs to its name; two sentences run together make none."""
    own_questions = [
        "Sorting by date order does not work. What now?",
        "sorting by date order does not work",
        "the sorting by date",
    ]
    assert label_topics([own_questions], [[]]) == ["Sorting by date order does not work"]
    run_on = ["Downloading email messages my computer keeps downloading email messages"] * 3
    assert "messages my" not in label_topics([run_on], [[]])[0]


def test_a_topic_in_another_language_is_named_by_a_whole_sentence() -> None:
    """Where the small words are unknown no piece is cut out, since nobody can tell where one ends."""
    polish = [
        "Poczta nie działa na telefonie",
        "Dzień dobry, poczta nie działa na telefonie",
        "Moja poczta przestała działać",
    ]
    label = label_topics([polish * 6], [[]])[0]
    assert label == "Poczta nie działa na telefonie"


def test_the_order_of_questions_and_of_topics_does_not_matter() -> None:
    """Shuffled questions and topics get the same labels."""
    expected = dict(zip(map(tuple, map(sorted, TOPICS)), label_topics(TOPICS, NONE), strict=True))
    for seed in range(5):
        shuffled = [random.Random(seed).sample(topic, len(topic)) for topic in TOPICS]
        random.Random(seed).shuffle(shuffled)
        names = label_topics(shuffled, NONE)
        assert dict(zip(map(tuple, map(sorted, shuffled)), names, strict=True)) == expected


def test_one_more_question_of_the_same_kind_keeps_the_label() -> None:
    """A label stays from week to week while the topic's questions stay alike."""
    before = label_topics(TOPICS, NONE)
    assert label_topics([[*topic, topic[1]] for topic in TOPICS], NONE) == before


def test_topics_that_say_the_same_are_told_apart() -> None:
    """Two topics never share a label, even when their questions are the same."""
    labels = label_topics([PASSWORD, PASSWORD, PASSWORD], [[], ["reset"], ["mail"]])
    assert len({label.casefold() for label in labels}) == 3


VOCABULARY = (
    "refund parcel battery invoice return broken charge cancel deliver Konto Rechnung löschen nicht the "
    "my a to of is not I we can how do please ok hi und der ich wie <NAME> <EMAIL> 12 115.5 me@x.example , . ? !"
)
WORDS = st.sampled_from(VOCABULARY.split())
QUESTIONS = st.lists(WORDS, min_size=0, max_size=12).map(" ".join)


@settings(max_examples=60)
@given(st.lists(st.lists(QUESTIONS, min_size=1, max_size=6), min_size=1, max_size=6))
def test_labels_are_never_empty_or_shared_and_hold_no_placeholder(topics: list[list[str]]) -> None:
    """Whatever customers write, each topic has one label of its own that a report can show."""
    labels = label_topics(topics, [[] for _ in topics])
    assert len({label.casefold() for label in labels}) == len(topics)
    for label in labels:
        assert label.strip()
        assert "<" not in label
        assert "@" not in label
        assert label[:1] == label[:1].upper()
        assert not small_at_the_front(label), label
        assert len(label.split()) <= 14


@settings(max_examples=100)
@given(QUESTIONS)
def test_phrases_stand_on_their_own(question: str) -> None:
    """A phrase that is no whole sentence carries a word of weight and opens with no small one."""
    for clause in clauses(question):
        for phrase in phrases(clause):
            assert phrase.stems or any(word not in STOP_WORDS for word in phrase.words)
            if phrase.completeness > 0.5 and not phrase.asks and len(phrase.words) < 3:
                assert phrase.words[0] not in DETERMINERS | PRONOUNS | CONJUNCTIONS
                assert phrase.words[-1] not in DETERMINERS | PRONOUNS | CONJUNCTIONS


def test_of_phrases_that_many_say_the_one_nearest_in_meaning_names_the_topic() -> None:
    """What customers say beside their problem names no topic, however many say it in the same words."""
    fonts = [
        "My fonts are now tiny. Can't read the preview window.",
        "fonts are now tiny since today, can't read the preview window",
        "Can't read the preview window because fonts are now tiny",
    ]
    parcel = ["Where is my parcel?", "my parcel is late", "where is my parcel now"]

    def embed(texts: Sequence[str]) -> NDArray[np.float32]:
        about = [[("font" in t) + 0.1, ("parcel" in t) + 0.1, ("window" in t and "font" not in t) + 0.1] for t in texts]
        return np.array(about, dtype=np.float32) / np.linalg.norm(about, axis=1, keepdims=True).astype(np.float32)

    assert label_topics([fonts, parcel], [[], []])[0] != "Fonts are now tiny"
    assert label_topics([fonts, parcel], [[], []], embed)[0] == "Fonts are now tiny"


@pytest.mark.parametrize(
    ("own_questions", "cut"),
    [
        ("can the down bag go in the tumble dryer", "bag go in the tumble dryer"),
        ("it goes to the trash but still shows in inbox", "trash but still shows in inbox"),
    ],
)
def test_a_piece_out_of_the_middle_of_a_thought_weighs_less_than_a_whole_one(own_questions: str, cut: str) -> None:
    """Neither the end of a question without its beginning nor a "but" without what goes before is a label."""
    (clause,) = clauses(own_questions)
    assert {phrase.text: phrase.completeness for phrase in phrases(clause)}.get(cut, 0) < 0.5


@pytest.mark.parametrize(
    "sentence",
    [
        "neither of my GMail accounts will connect",
        "none of the accounts will connect",
        "keines meiner Konten verbindet sich mit dem Server",
        "keiner von den Filtern greift bei den neuen Mails",
    ],
)
def test_what_is_denied_is_not_told_as_if_it_were_so(sentence: str) -> None:
    """Cut out of "none of my accounts will connect", "accounts will connect" says the opposite."""
    phrase_texts = [phrase.text for phrase in phrases(clauses(sentence)[0])]
    assert all(text.split()[0] == sentence.split()[0].lower() for text in phrase_texts), phrase_texts


def test_who_denies_does_not_ask() -> None:
    """A statement such as "will not send emails" opens as a question does, and is none."""
    (clause,) = clauses("will not send or receive emails")
    assert {phrase.asks for phrase in phrases(clause) if phrase.text.startswith("will")} == {False}


def test_examples_are_near_the_middle_and_not_alike() -> None:
    """Examples are the closest readable questions, and no two say the same in the same words."""
    texts = [
        "my tent pole snapped in the wind",
        "my tent pole snapped in the wind again",
        "pole",
        "where is a spare pole?",
    ]
    positions = examples(texts, [0.9, 0.89, 0.2, 0.5], 2)
    assert positions == [0, 3]
