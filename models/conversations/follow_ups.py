"""Follow-up questions: further problems that a customer raises in the same conversation."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pandas as pd

from lacuna.models.conversations.questions import clean, customers_texts, key_of, main_question
from lacuna.models.text.lexicon import INDIRECT, OPENS_A_QUESTION, STOP_WORDS
from lacuna.models.text.words import NUMBERED_SENTENCE_END, WORD, is_german, stem

__all__ = ["follow_up_questions"]

NEW_WORDS, NEW_SHARE = 2, 0.6  # least number and share of a follow-up's stems that the customer had not used before
FEWEST_WORDS = 4

_TURN = re.compile(
    r"^(?:(?:ok(?:ay)?|thanks|thank you|great|and|und|danke)\b[\s,.!]*)*"
    r"(?:also|another (?:question|problem|issue|thing)|one (?:more|other|last) (?:question|thing|problem|issue)"
    r"|(?:second|third)(?:ly| (?:question|problem|issue|thing))|on (?:another|a different) (?:note|subject|topic)"
    r"|unrelated(?:ly)?(?: question)?|separately|by the way|btw"
    r"|a (?:second|different|separate) (?:question|problem|issue)"
    r"|zweitens|drittens|außerdem|ausserdem|noch (?:eine (?:andere )?frage|etwas|was|ein (?:anderes )?problem)"
    r"|(?:eine |meine )?(?:zweite|andere|weitere) frage|übrigens|(?:q|question |frage )?[2-9][.):])(?=[\s,:–-])"
    r"(?:\s+(?:is|ist|to|zu|about|i have|ich habe|hätte ich|habe ich)\b)?[\s,:.–-]*",
    re.I,
)
# Every turn holds one of these words, which cleaning a text neither makes nor parts: other texts need no cleaning.
_TURN_MARK = re.compile(
    r"also|another|one|second|third|different|separate|unrelated|way|btw|zweite|drittens|au(?:ß|ss)erdem|noch|frage"
    r"|übrigens|[2-9][.):]",
    re.I,
)
_PROBLEM = re.compile(
    r"\b(?:can't|cannot|can not|couldn't|doesn't|does not|won't|isn't|not work\w*|stopped|broken|missing|wrong|error"
    r"|lost|fails?|failed|i (?:need|want)(?: to)?|i would like|i'd like|how (?:do|can|to)|nicht|kein\w*|fehl\w*|kaputt"
    r"|falsch\w*|möchte|brauche|will)\b",
    re.I,
)
_ADDS = re.compile(r"\b(?:also|außerdem|ausserdem)\b|\d")
_LEANS = re.compile(
    r"^(?:it|this|that|these|those|they|he|she|same|the same|es|das|dies\w*|sie|dasselbe|der gleiche)\b", re.I
)


def follow_up_questions(messages: pd.DataFrame) -> pd.DataFrame:
    """The problems that customers raise after the main one, introduced by a phrase that announces another problem.

    A follow-up opens with "another question", "also", "zweitens", "2." or the like, asks or complains, does not refer
    back ("also, it is slow"), and mostly uses words that the customer has not used before. Numbered steps, and details
    of the same problem, are no follow-ups.

    Parameters
    ----------
    messages : DataFrame
        conversation_id, position, role, text.

    Returns
    -------
    DataFrame
        conversation_id, question_number (int, from 2), question (str), key (str, as of the main question), in order.

    Examples
    --------
    >>> text = "My parcel is lost. Another question: how do I change the card on my account?"
    >>> messages = pd.DataFrame([("c1", 0, "customer", text)], columns=["conversation_id", "position", "role", "text"])
    >>> follow_up_questions(messages)["question"].tolist()
    ['how do I change the card on my account?']
    """
    rows = []
    for conversation_id, texts in customers_texts(messages):
        for number, question in enumerate(_follow_ups(texts), 2):
            rows.append((conversation_id, number, question, key_of(question)))
    frame = pd.DataFrame(rows, columns=["conversation_id", "question_number", "question", "key"])
    return frame.astype({"conversation_id": "str", "question_number": "int64", "question": "str", "key": "str"})


def _follow_ups(texts: list[str]) -> Iterator[str]:
    if not any(map(_TURN_MARK.search, texts)) or not main_question(texts):
        return
    earlier_words: set[str] = set()
    for text in texts:
        for piece, turned in _pieces(clean(text, keep_lines=True)):
            words = _weighty(piece)
            if turned and earlier_words and _stands_alone(piece, turned) and _is_new(words, earlier_words):
                yield " ".join(piece.split())
            earlier_words |= words


def _pieces(text: str) -> Iterator[tuple[str, str]]:
    """The message cut where it turns to another problem, each piece with the phrase that announces it, or ""."""
    piece: list[str] = []
    turned = ""
    for sentence in NUMBERED_SENTENCE_END.split(text):
        turn = _TURN.match(sentence)
        # German "also" means "so" and announces nothing.
        if turn and not ("also" in turn[0].casefold() and is_german(sentence.casefold().split())):
            if piece:
                yield " ".join(piece), turned
            piece, turned, sentence = [], turn[0].casefold(), sentence[turn.end() :]
        if sentence.strip():
            piece.append(sentence.strip())
    if piece:
        yield " ".join(piece), turned


def _stands_alone(piece: str, turned: str) -> bool:
    """Whether a piece is a question, or a complaint that is announced as another one and not just by "also"."""
    first = NUMBERED_SENTENCE_END.split(piece)[0]
    asks = first.endswith("?") or _asks(first)
    asks = asks or (not _ADDS.search(turned) and _PROBLEM.search(piece.replace("’", "'")) is not None)
    return bool(asks) and len(piece.split()) >= FEWEST_WORDS and not _LEANS.match(piece)


def _weighty(text: str) -> set[str]:
    words = [word for word in WORD.findall(text.casefold()) if word not in STOP_WORDS]
    german = is_german(text.casefold().split())
    return {stem(word, german) for word in words}


def _is_new(words: set[str], earlier_words: set[str]) -> bool:
    new = len(words - earlier_words)
    return new >= NEW_WORDS and new >= NEW_SHARE * len(words)


def _asks(sentence: str) -> bool:
    """Whether a sentence opens as a question does, unlike "when I open it, …"."""
    folded = sentence.casefold() + " "
    return OPENS_A_QUESTION.match(folded) is not None and INDIRECT.match(folded) is None
