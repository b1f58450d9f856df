"""Cases: for whom an answer holds, in agents' words, or in the words of the customers who got it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Mapping, Sequence

from lacuna.models.text.courtesies import CLOSING
from lacuna.models.text.lexicon import OPENERS, STOP_WORDS
from lacuna.models.text.markup import HIDDEN
from lacuna.models.text.words import SENTENCE_END, stems, words_of

__all__ = ["customers_condition", "spoken", "title_question"]

FEWEST = 3  # conversations on either side of a comparison
SHARE_WITH, SHARE_WITHOUT = 0.6, 0.2  # share of a case's questions that have its word, and of the others'
CHANCE = 0.05  # of a word that sets a case apart by chance, all its words taken together (Bonferroni)
LONGEST = 14  # words of a condition
TITLE_WORDS, TITLE_LENGTH, TOLD = (3, 13), 80, 2  # words and letters of a title, and its least words that tell

_AS_YOU = re.compile(r"^(?:as|since|because) (?=you)", re.I)
_POINTS = re.compile(r"\b(?:this|that|these|those|dies\w*|das)\b", re.I)  # at something that a title does not name
_STARTS_WITH_IF = re.compile(r"^(?:if|in case|unless|when|for|wenn|falls|sofern|without|ohne|für|bei)\b", re.I)
_YOU = re.compile(r"^(?:you|your|it|the|there)\b", re.I)
_ASKS = re.compile(
    r"(?:^|, )(?:who|what|when|where|can't|cannot|why|which|how|can"
    r"|could|may|do|does|did|is|are|am|was|will|would|should|has|have"
    r"|wer|was|wann|wo|warum|wieso|weshalb|welche\w*|wie|wohin|woher|kann|können|darf|muss|müssen|ist|sind|gibt|soll\w*|"
    r"reicht|bekomme|habe|hat|werden|wird|gilt)\b",
    re.I,
)


def spoken(condition: str) -> str:
    """A condition as a heading.

    Examples
    --------
    >>> spoken("You've paid already"), spoken("if you use POP"), spoken("Schon bezahlt")
    ("If you've paid already", 'If you use POP', 'Schon bezahlt?')
    """
    condition = _AS_YOU.sub("if ", condition)
    if _STARTS_WITH_IF.match(condition):
        return condition[:1].upper() + condition[1:]
    if _YOU.match(condition):
        return f"If {condition[:1].lower()}{condition[1:]}"
    return f"{condition}?"


def customers_condition(ids: Collection[str], others: Collection[str], questions: Mapping[str, str]) -> str:
    """What the customers who got an answer say that others do not, in the words of one of them; "" where nothing is.

    Parameters
    ----------
    ids, others
        The conversations with the answer, and those with other answers.
    questions
        By conversation, what the customer asked.

    Examples
    --------
    >>> paid = {f"p{i}": f"I paid at door {i}, who refunds it?" for i in range(6)}
    >>> others = {f"o{i}": f"The courier wants customs {i}, is that right?" for i in range(6)}
    >>> customers_condition(list(paid), list(others), paid | others)
    'I paid at door 0, who refunds it?'
    """
    inside = [questions[c] for c in sorted(set(ids)) if c in questions]
    outside = [questions[c] for c in sorted(set(others) - set(ids)) if c in questions]
    if min(len(inside), len(outside)) < FEWEST:
        return ""
    with_word, without = (Counter(word for text in texts for word in stems(text)) for texts in (inside, outside))
    telling = {
        word
        for word, count in with_word.items()
        if count >= SHARE_WITH * len(inside)
        and without[word] <= SHARE_WITHOUT * len(outside)
        and _by_chance(count, without[word], len(inside), len(outside)) * len(with_word) < CHANCE
    }
    sentences = [
        sentence
        for text in inside
        for sentence in map(str.strip, SENTENCE_END.split(text))
        if stems(sentence) & telling and len(sentence.split()) <= LONGEST and not HIDDEN.search(sentence)
    ]
    return min(sentences, key=lambda s: (-len(stems(s) & telling), len(s), s), default="")


def _by_chance(with_word: int, without: int, inside: int, outside: int) -> float:
    """The chance that as many of the inside texts have a word that falls on the texts by lot (Fisher 1922)."""
    from scipy.stats import hypergeom

    return float(hypergeom.sf(with_word - 1, inside + outside, with_word + without, inside))


def title_question(questions: Sequence[str], weight: Mapping[str, float]) -> str:
    """The question that most of the customers' questions share words with, ready for a title; "" where none asks.

    Parameters
    ----------
    questions
        What customers asked.
    weight
        By stem, how much it tells of the gap (:class:`models.text.salience.Salience`).

    Examples
    --------
    >>> asked = ["hi, who pays the customs fee?", "who pays customs", "customs fee on my parcel", "it rains"]
    >>> title_question(asked, {"custom": 2.0, "fee": 1.0, "pay": 1.0})
    'Who pays the customs fee?'
    """
    used = Counter(word for text in questions for word in stems(text))
    spelt = Counter(word for text in questions for word in set(words_of(text)))
    best, most = "", 0.0
    for text in sorted(set(questions)):
        for raw in SENTENCE_END.split(text):
            sentence = _without_run_up(CLOSING.sub("", raw), weight)
            own = stems(sentence)
            if not _ASKS.search(sentence) or not _is_title(sentence) or len(own & weight.keys()) < TOLD:
                continue
            slips = sum(
                spelt[word] == 1 for word in set(words_of(sentence)) - STOP_WORDS
            )  # words that nobody else uses
            told = sum(weight.get(word, 0.0) * used[word] for word in sorted(own & weight.keys()))
            value = round(told / (len(own) + 1) ** 0.5 * (0.7 if _POINTS.search(sentence) else 1.0) / (1 + slips), 6)
            if value > most:
                best, most = sentence, value
    best = best.rstrip("?!. ")
    return f"{best[:1].upper()}{best[1:]}?" if best else ""


def _is_title(sentence: str) -> bool:
    fits = TITLE_WORDS[0] <= len(sentence.split()) <= TITLE_WORDS[1] and len(sentence) <= TITLE_LENGTH
    return fits and sentence[0].isalpha() and not HIDDEN.search(sentence) and not re.search(r"[\d*_#<>\[\]:]", sentence)


def _without_run_up(sentence: str, weight: Mapping[str, float]) -> str:
    """A question without what it begins with and is not about it: "quick question:", "not sure who to ask:"."""
    sentence = sentence.strip()
    while (mark := re.search(r"(?:[:,]|\s-)\s+", sentence)) and mark.start() < 40:
        rest = sentence[mark.end() :]
        if stems(sentence[: mark.start()]) & weight.keys() or len(rest.split()) < TITLE_WORDS[0]:
            break
        sentence = rest
    words = sentence.split()
    while len(words) > TITLE_WORDS[0] and OPENERS.fullmatch(f"{words[0].casefold().strip(',.!:')} "):
        words = words[1:]
    return " ".join(words)
