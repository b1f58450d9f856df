"""Checks of a name proposed for a topic: short, plain, and in the customers' own words."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from lacuna.models.text.clauses import clauses
from lacuna.models.text.grammar import Language, language_of_words

__all__ = ["fault"]

LONGEST, MOST_WORDS = 60, 9  # letters, words
LEAST_QUESTIONS = 2  # least number of questions that must hold each word of the name

_PLAIN = re.compile(r"[^\W_][\w '’&/+.,?()-]*\Z")


def fault(name: object, questions: Sequence[str]) -> str | None:
    """Why ``name`` is not accepted for a topic of these questions; None where it is.

    Examples
    --------
    >>> asked = ["where is my refund", "my refund has not come", "no refund yet"]
    >>> fault("Refund not received", asked)
    "'received' is in fewer than 2 questions"
    >>> fault("Refund has not come", [*asked, "it has not come"])
    """
    if not isinstance(name, str) or not name.strip():
        return "no name was given"
    if len(name) > LONGEST or len(name.split()) > MOST_WORDS:
        return f"longer than {LONGEST} letters or {MOST_WORDS} words"
    if not _PLAIN.match(name) or "http" in name.casefold() or "www." in name.casefold():
        return "not plain text"
    language = language_of_words(word for text in questions for clause in clauses(text) for word in clause.folded)
    counts = Counter(word for question in questions for word in _stems(question, language))
    needed = _stems(name, language)
    if not needed:
        return "no word of weight"
    for word, word_in_name in sorted(needed.items()):
        if counts[word] < min(LEAST_QUESTIONS, len(questions)):
            return f"'{word_in_name}' is in fewer than {LEAST_QUESTIONS} questions"
    return None


def _stems(text: str, language: Language) -> dict[str, str]:
    """The stems of the words of weight in a text, each with a word that has it."""
    return {
        language.stem(word): word
        for clause in clauses(text)
        for word in clause.folded
        if word not in language.stop_words and len(word) > 1
    }
