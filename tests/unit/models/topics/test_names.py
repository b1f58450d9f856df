"""Topic labels read like a customer's problem on a folder: whole, unique, and never silly."""

from __future__ import annotations

import itertools
import random
import re
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from lacuna.models.text.clauses import clauses
from lacuna.models.text.grammar import LANGUAGES
from lacuna.models.text.phrases import phrases
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


def named(questions: list[str], others: Sequence[list[str]] = ()) -> str:
    """The name of the first of some topics."""
    return label_topics([questions, *others], [[] for _ in range(len(others) + 1)])[0]


@pytest.mark.parametrize(
    ("questions", "good"),
    [
        # What is asked for in an action, whole: nothing is cut off behind the verb's object.
        (["how can I use the card for payments abroad", "Can I use the card for payments abroad?"] * 3,
         {"Use the card for payments abroad"}),
        (["Wie kann ich die Karte im Ausland nutzen?", "kann ich die Karte im Ausland nutzen"] * 3,
         {"Karte im Ausland nutzen"}),
        (["Comment puis-je changer l'adresse de livraison ?", "Je voudrais changer l'adresse de livraison"] * 3,
         {"Changer l'adresse de livraison"}),
        (["¿Cómo puedo cambiar la dirección de entrega?", "Hola, quiero cambiar la dirección de entrega"] * 3,
         {"Cambiar la dirección de entrega"}),
        # What doesn't work, as a statement.
        (["the router does not connect to the network", "Hi, the router does not connect to the network"] * 3,
         {"Router does not connect to the network"}),
        (["Der Router verbindet sich nicht mehr", "Hallo, der Router verbindet sich nicht mehr. Danke"] * 3,
         {"Router verbindet sich nicht mehr"}),
        (["La box ne se connecte pas au réseau", "Bonjour, la box ne se connecte pas au réseau. Merci"] * 3,
         {"Box ne se connecte pas au réseau"}),
        (["El router no se conecta a la red", "Hola, el router no se conecta a la red, gracias"] * 3,
         {"Router no se conecta a la red"}),
        # A question in good form.
        (["Where is my parcel now staying?", "where is my parcel"] * 3, {"Where is my parcel?"}),
        (["Wo ist mein Paket?", "Guten Tag, wo ist mein Paket?"] * 3, {"Wo ist mein Paket?"}),
        (["Où est mon colis ?", "Bonjour, où est mon colis ?"] * 3, {"Où est mon colis\u202f?"}),
        (["¿Dónde está mi paquete?", "Buenos días, ¿dónde está mi paquete?"] * 3, {"¿Dónde está mi paquete?"}),
        # A verb of one's own is one of anybody's in a name.
        (["Je n'arrive pas à me connecter à mon espace client", "je voudrais me connecter à mon espace client"] * 3,
         {"Se connecter à mon espace client"}),
    ],
)  # fmt: skip
def test_a_problem_is_named_in_its_own_language(questions: list[str], good: set[str]) -> None:
    """English, German, French and Spanish topics get a phrase of their own language, in good form."""
    assert named(questions, TOPICS) in good


@pytest.mark.parametrize(
    ("spoken", "good"),
    [
        (
            ["um what's what's your, I mean what are the branch hours", "uh what are the the branch hours"],
            "Branch hours",
        ),
        (
            ["let's go ahead and freeze my debit card", "yeah um let's freeze freeze my debit card"],
            "Freeze my debit card",
        ),
        (["ähm ich möchte ich möchte meine Karte sperren", "äh ich möchte meine Karte sperren"], "Karte sperren"),
        (["euh je voudrais je voudrais bloquer ma carte", "euh je voudrais bloquer ma carte"], "Bloquer ma carte"),
        (["eh quiero quiero bloquear mi tarjeta", "bueno eh quiero bloquear mi tarjeta"], "Bloquear mi tarjeta"),
    ],
)
def test_what_is_said_while_thinking_is_in_no_name(spoken: list[str], good: str) -> None:
    """Fillers, false starts and words said twice are mended."""
    assert named(spoken * 3, TOPICS) == good


@pytest.mark.parametrize(
    "chatter",
    ["Let's go ahead", "yes please", "Okay go ahead", "ja genau danke", "oui d'accord merci", "sí claro gracias"],
)
def test_chatter_names_nothing(chatter: str) -> None:
    """What only keeps a talk going does not name what it is about, however many say it."""
    questions = [f"{chatter}. I want to block the lost phone"] * 2 + [chatter] * 4
    assert chatter.casefold() not in named(questions, TOPICS).casefold()


def test_abbreviations_keep_their_capitals_and_those_written_small_get_them() -> None:
    """Even those who write small get "SMS"; a German noun gets the capital that others give it."""
    assert (
        named(["how do I confirm the sms code", "how can I confirm the sms code"] * 3, TOPICS) == "Confirm the SMS code"
    )
    german = ["Wie kann ich die Kundenkarte sperren?"] + ["wie kann ich die kundenkarte sperren"] * 4
    assert named(german, TOPICS) == "Kundenkarte sperren"


def test_what_points_at_an_earlier_sentence_gives_way() -> None:
    """What "how does this work?" means is not in its words."""
    questions = ["How does this work? The roaming option for data", "the roaming option for data"] * 3
    assert "this" not in named(questions, TOPICS).casefold()


def test_keywords_name_a_topic_that_no_phrase_names() -> None:
    """Where no phrase is whole, the things that many mention are joined in a readable way."""
    questions = ["branch hours", "the branch", "hours of the branch", "and the hours", "the locations, the branch"] * 3
    assert {"branch", "hours"} & set(named(questions, TOPICS).casefold().split())


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


VOCABULARY = {
    "en": "refund SMS parcel battery card login return broken charge cancel deliver my the a to of is not for on with "
    "I can how do where please ok um like let's go ahead was and but <NAME> <EMAIL> 12 115.5 me@x.example , . ? !",
    "de": "Konto Rechnung Karte PIN Paket löschen sperren ändern mein die der ein ist nicht kann ich wie wo bitte "
    "für mit auf und aber das mir zu <NAME> <EMAIL> 12 me@x.example , . ? !",
    "fr": "carte compte RIB colis facture changer bloquer annuler ma le la l'adresse d'un n'est pas est puis-je "
    "je j'ai pour avec sur et mais ça merci <NAME> <EMAIL> 12 me@x.example , . ? !",
    "es": "tarjeta cuenta IBAN paquete factura cambiar bloquear cancelar mi la el un no es puedo cómo quiero por favor "
    "para con en y pero eso gracias eh <NAME> <EMAIL> 12 me@x.example , . ? ¿ !",
}
ABBREVIATIONS = {"SMS", "PIN", "RIB", "IBAN"}


def texts_in(code: str) -> st.SearchStrategy[str]:
    """Made-up messages of one language's words."""
    return st.lists(st.sampled_from(VOCABULARY[code].split()), min_size=0, max_size=12).map(" ".join)


@st.composite
def topics_of_a_language(draw: st.DrawFn) -> tuple[str, list[list[str]]]:
    """Topics of messages in one language."""
    code = draw(st.sampled_from(sorted(VOCABULARY)))
    return code, draw(st.lists(st.lists(texts_in(code), min_size=1, max_size=6), min_size=1, max_size=6))


def words_of_name(name: str) -> list[str]:
    """The words of a name, without marks and with articles that lost their vowel apart."""
    return re.findall(r"[\w'-]+(?:\.\w+)*", re.sub(r"\b(\w{1,2}')", r"\1 ", name))


@settings(max_examples=150, deadline=None)
@example(("en", [["refund me@x.example refund SMS"]]))
@given(topics_of_a_language())
def test_names_have_the_form_of_names_whatever_customers_write(drawn: tuple[str, list[list[str]]]) -> None:
    """Each topic has a name of its own, of at most eight words, with none doubled and no small word at its end."""
    code, topics = drawn
    labels = label_topics(topics, [[] for _ in topics])
    assert len({label.casefold() for label in labels}) == len(topics)
    for label in labels:
        assert label.strip()
        assert not any(mark in label for mark in "<@")
        assert label.lstrip("¿“")[:1] == label.lstrip("¿“")[:1].upper()
        if WITHOUT_QUESTION.split()[0] in label or LANGUAGES[code].text("without_question") in label or "…" in label:
            continue
        words = words_of_name(label)
        folded = [word.casefold() for word in words]
        assert len(label.split()) <= 8  # an article that lost its vowel counts with its noun
        assert all(a != b for a, b in itertools.pairwise(folded)), label
        for word in words:
            assert word.upper() not in ABBREVIATIONS or word.isupper(), label


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(sorted(VOCABULARY)).flatmap(lambda code: st.tuples(st.just(code), texts_in(code))))
def test_phrases_stand_on_their_own(drawn: tuple[str, str]) -> None:
    """A phrase says something, opens with no small word unless it asks, and ends with none."""
    language = LANGUAGES[drawn[0]]
    for clause in clauses(drawn[1]):
        for phrase in phrases(clause.fluent(language.code), language):
            assert phrase.stems
            assert 2 <= len(phrase.words) <= 8
            closers = language.particles | language.closers  # German "ein" ends a sentence: "gebe den Code ein"
            assert phrase.words[-1] not in language.determiners - closers | language.conjunctions
            assert phrase.words[-1] not in language.prepositions - closers
            if not phrase.asks and not (
                language.verb_last or phrase.words[0] in language.lists.get("opens_as", {}).values()
            ):
                assert phrase.words[0] not in language.determiners | language.pronouns | language.conjunctions


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
    assert {phrase.asks for phrase in phrases(clause)} <= {False}


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


@pytest.mark.parametrize(
    ("questions", "good"),
    [
        (["how do I move some money to savings", "can I move some money to savings"], "Move money to savings"),
        (["wie kann ich ein dienstrad leasen", "kann ich ein dienstrad leasen"], "Dienstrad leasen"),
        (["the screen is greyed out", "the screen is greyed out for me"], "Screen is greyed out"),
        (["I can't log in on the portal", "I can't log in"], "Can't log in"),
    ],
)
def test_names_are_mended(questions: list[str], good: str) -> None:
    """No "some", a capital for a noun before its verb, and no verb without the word that belongs to it."""
    assert named(questions * 3, TOPICS) == good


POLES = [
    "a storm broke two poles of my tent",
    "the tent pole snapped, can I replace it",
    "lost a tent pole on the campsite",
    "one pole of the tent is bent, replacement?",
]


def test_a_search_may_name_a_topic() -> None:
    """What people typed into the search is a name that somebody gave to the problem."""
    others = [["where is my order"] * 4, ["refund for my order"] * 4]
    searches = [{"tent pole replacement": 3, "pole ??": 9, "help": 40}, {}, {}]
    assert label_topics([POLES, *others], [[]] * 3, searched=searches)[0] == "Tent pole replacement"


def test_a_name_is_kept_while_it_is_about_as_good_as_the_best() -> None:
    """People know a topic by its name: a little better one does not take its place, one that fits no more does."""
    (best,) = label_topics([POLES], [[]])
    known = "Storm broke two poles of my tent"
    assert best != known
    assert label_topics([POLES], [[]], before=[known]) == [known]
    assert label_topics([POLES], [[]], before=["Where is my order"]) == [best]


def test_an_action_without_what_it_is_for_gives_way_to_the_whole() -> None:
    """Where all that ask go on with a where or how, the piece before it says too little."""
    asked = ["can I take the e-bike battery on a plane"] * 3 + ["can I take the e-bike battery on a flight to Rome"] * 2
    assert label_topics([asked], [[]]) == ["Take the e-bike battery on a plane"]
