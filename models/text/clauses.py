"""Phrases that could label a topic: pieces of customers' sentences with a complete thought."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache

from lacuna.models.text.lexicon import (
    ADVERBS,
    APOSTROPHES,
    ASKING,
    AUXILIARIES,
    BREAK,
    BROKEN,
    CONJUNCTIONS,
    DENIERS,
    DETERMINERS,
    DOING,
    HANGING,
    INDIRECT,
    NEGATIONS,
    OPENERS,
    OPENS_A_QUESTION,
    PARTICLES,
    PREPOSITIONS,
    PRONOUNS,
    QUANTITIES,
    STOP_WORDS,
    TIMES,
)
from lacuna.models.text.words import LABEL_WORD, is_german, stem

__all__ = ["Clause", "Phrase", "clauses", "phrases"]

LONGEST, LEAD = 8, 70  # most words of a label; first words of a question from which phrases are taken
NAME = 3  # most words after a greeting or a sign-off that count as a name
SUBJECT = 4  # most words before a predicate; more are a sentence of their own
DENIED = 4  # number of words after a "none of my" that it denies
SENTENCE = 10  # most words of a whole sentence that may be a label

_ODD = re.compile(r"[./@+_]|\d{4,}|^\d|[a-z]\d|\d[a-z]")
_LEANS = DETERMINERS | PREPOSITIONS | CONJUNCTIONS | AUXILIARIES | PRONOUNS
_FUNCTION = _LEANS | NEGATIONS
_NOT_FIRST = (_FUNCTION - NEGATIONS) | ADVERBS | HANGING | TIMES
_BEFORE = (DETERMINERS | PREPOSITIONS | CONJUNCTIONS) - {"how", "wie", "why", "where"}
_BEHIND = (_LEANS - DETERMINERS - {"me", "us", "him", "them", "it"}) | TIMES | {"again", "please"}
_NOT_AT_ALL_LAST = DETERMINERS | PREPOSITIONS - PARTICLES - {"in", "on"} | CONJUNCTIONS | {"i"}
_NOT_LAST = _FUNCTION | ADVERBS | HANGING | QUANTITIES
_EMPTY = _FUNCTION | ADVERBS | HANGING | TIMES | QUANTITIES | STOP_WORDS
_WEAK = HANGING | NEGATIONS | QUANTITIES
_PARTS = _FUNCTION | HANGING
_LOOSE = {"it", "them", "me", "us", "him", "that", "and", "or", "und", "oder"}
_STATEMENT_WORDS = AUXILIARIES | NEGATIONS - {
    "without",
    "no",
    "ohne",
    "kein",
    "keine",
    "keinen",
    "keinem",
    "keiner",
}
_TURNS = {"but", "because", "and", "aber", "weil", "und"}
_CLOSING = {"log in", "logged in", "sign in", "signed in", "check in", "turn on", "switch on", "plugged in"}
_SUBJECTS = {"i", "i've", "i'm", "we", "it", "it's", "ich", "wir", "man", "they", "he", "she", "you", "there's"}


@dataclass(frozen=True)
class Clause:
    """A piece of a question between marks: its words as written, the same folded, and whether it asks."""

    words: tuple[str, ...]
    folded: tuple[str, ...]
    asks: bool
    opens: bool

    def corrected(self, spellings: dict[str, str]) -> Clause:
        """The clause with slips of the pen put right."""
        if spellings.keys().isdisjoint(self.folded):
            return self
        words = tuple(spellings.get(f, w) for w, f in zip(self.words, self.folded, strict=True))
        return replace(self, words=words, folded=tuple(spellings.get(f, f) for f in self.folded))


@dataclass(frozen=True)
class Phrase:
    """A possible label: its words, its significant stems, how complete it is (0 to 1), and whether it is a question."""

    words: tuple[str, ...]
    stems: frozenset[str]
    completeness: float
    asks: bool

    @property
    def text(self) -> str:
        """The words, folded, with a question mark behind a question."""
        return " ".join(self.words) + ("?" if self.asks else "")


def clauses(text: str) -> list[Clause]:
    """The pieces of ``text`` between marks, placeholders and line ends.

    Examples
    --------
    >>> [" ".join(c.words) for c in clauses("Hi, my Tarn 2 pole snapped. Can I get a new one?")]
    ['my Tarn 2 pole snapped', 'Can I get a new one']
    """
    pieces, start, opens, signed = [], 0, True, False
    ends = [(m.start(), m.end(), m[0]) for m in BREAK.finditer(text)] + [(len(text), len(text), "")]
    left = LEAD
    for at, after, mark in ends:
        words = LABEL_WORD.findall(text[start:at].replace("’", "'"))[:left]
        if words and not (signed and len(words) <= NAME):
            folded = tuple(map(_folded, words))
            pieces.append(Clause(tuple(words), folded, "?" in mark, opens))
            left -= len(words)
        opens = not mark or mark[0] not in ",:(" or not words
        start, signed = after, bool(mark[:1].isalpha() or (signed and not words))
        if left <= 0:
            break
    return pieces


@lru_cache(maxsize=200_000)
def _folded(word: str) -> str:
    return APOSTROPHES.get(word.casefold(), word.casefold())


@lru_cache(maxsize=200_000)
def _is_odd(word: str) -> bool:
    return _ODD.search(word) is not None and not word.isdigit()


@lru_cache(maxsize=200_000)
def _is_strong(word: str) -> bool:
    return word not in _EMPTY and not word.isdigit() and len(word) > 1


def phrases(clause: Clause) -> Iterator[Phrase]:
    """Every phrase of ``clause`` that could be a label, from two words to eight.

    Examples
    --------
    >>> [p.text for p in phrases(clauses("ok so how do I set a new password")[0])]
    ['set a new password', 'how do i set a new password?']
    """
    words = clause.folded
    german = is_german(words)
    begin = _skip(words, 0, OPENERS)
    question_start = begin
    while (after_asking := _skip(words, begin, ASKING, once=True)) > begin:
        begin = _skip(words, after_asking, OPENERS)
    inverted = begin == question_start and OPENS_A_QUESTION.match(" ".join(words[question_start:]) + " ") is not None
    stop = len(words)
    ends = [j for j in range(begin + 2, stop + 1) if _may_end(words, j, stop)]
    for i in range(begin, stop):
        if not _may_begin(words, i, begin):
            continue
        for j in ends:
            if not i + 2 <= j <= i + LONGEST:
                continue
            phrase_stems = _phrase(words[i:j], german)
            if phrase_stems:
                first = i == begin or (i == begin + 1 and words[begin] in DETERMINERS)
                completeness = _completeness(words[i:j], first, words[j:], inverted)
                # "Bag go in the dryer" says nothing without the "can the" before it.
                turned = inverted and i in (begin + 2, begin + 3) and words[begin + 1] in DETERMINERS
                yield Phrase(words[i:j], phrase_stems, 0.6 * completeness if turned else completeness, False)
    yield from _sentence(_without_tail(words[question_start:]), german, inverted)


def _completeness(words: tuple[str, ...], first: bool, behind: tuple[str, ...], inverted: bool) -> float:
    """How completely a phrase covers its clause, 0 to 1; ``inverted`` marks a question in inverted word order."""
    last = not behind
    completeness = 0.55 + 0.27 * (first and not inverted) + 0.18 * last
    turns = not _TURNS.isdisjoint(words)
    cut = (not first and (turns or not _LOOSE.isdisjoint(words))) or (not last and turns)
    # "Sending of the password" names no problem where "did not succeed" follows.
    untold = first and not inverted and bool(behind) and behind[0] in _STATEMENT_WORDS
    return completeness * (0.6 if cut else 1.0) * (0.75 if untold else 1.0)


def _sentence(words: tuple[str, ...], german: bool, inverted: bool) -> Iterator[Phrase]:
    """The whole clause, where it is short enough: a question as a question, else as it stands."""
    text = " ".join(words) + " "
    if not 3 <= len(words) <= SENTENCE or any(map(_ODD.search, words)) or words[-1] in _NOT_AT_ALL_LAST:
        return
    phrase_stems = _phrase(words, german, least=1)
    if not phrase_stems:
        return
    denies = words[1] in NEGATIONS  # "will not send emails" asks nothing
    opens = OPENS_A_QUESTION.match(text) is not None and not denies
    asks = opens and (words[0] != "was" or german) and words[1] != "sich"
    if (asks and INDIRECT.match(text)) or (not asks and not denies and words[0] in AUXILIARIES):
        return
    completeness = (0.72 if inverted else 0.56) if asks else 0.5
    if not asks and words[0] not in _NOT_FIRST and _has_one_statement(words) and len(words) <= LONGEST:
        completeness = 0.7 if NEGATIONS.isdisjoint(words) else 0.85
    if len(phrase_stems) < 2 or _runs_on(words):
        completeness *= 0.6
    yield Phrase(words, phrase_stems, completeness, asks)


def _skip(words: tuple[str, ...], at: int, what: re.Pattern[str], once: bool = False) -> int:
    while at < len(words) and (match := what.match(" ".join(words[at:]) + " ")):
        n_words = match[0].strip().count(" ") + 1 if match[0].strip() else 0
        if not n_words:
            break
        at += n_words
        if once:
            break
    return at


def _may_begin(words: tuple[str, ...], i: int, begin: int) -> bool:
    word = words[i]
    if not DENIERS.isdisjoint(words[max(begin, i - DENIED) : i]):
        return False
    if i == begin and word in DOING:
        return True
    if word in _NOT_FIRST or _ODD.search(word) or (len(word) < 2):
        return False
    if word in NEGATIONS:
        return i == begin
    return i == begin or words[i - 1] in _BEFORE


def _may_end(words: tuple[str, ...], j: int, stop: int) -> bool:
    last = words[j - 1]
    if last.isdigit() and j < stop:
        return False
    if j == stop and " ".join(words[max(0, j - 2) : j]) in _CLOSING:
        return True
    if j == stop and last in PARTICLES and j >= 2 and words[j - 2] not in _FUNCTION:
        return True
    if last in _NOT_LAST or last in TIMES or (not last.isdigit() and (_ODD.search(last) or len(last) < 2)):
        return False
    return j == stop or words[j] in _BEHIND


def _without_tail(words: tuple[str, ...]) -> tuple[str, ...]:
    while words and words[-1] in {"please", "pls", "bitte"}:
        words = words[:-1]
    return words


def _phrase(words: tuple[str, ...], german: bool, least: int = 2) -> frozenset[str]:
    """The significant stems of a phrase; none where it is not complete by itself."""
    if any(map(_is_odd, words)):
        return frozenset()
    strong = sum(map(_is_strong, words))
    weak = sum(map(_WEAK.__contains__, words))
    if least > 1 and words[0] in QUANTITIES and strong < 2:
        return frozenset()
    denied = words[0] in NEGATIONS and words[0] != "unable" and len(words) < 3
    if not strong or strong + weak < least or (denied and least > 1):
        return frozenset()
    if sum(map(_FUNCTION.__contains__, words)) > (0.6 if least > 1 else 0.75) * len(words):
        return frozenset()
    if least > 1 and _runs_on(words):
        return frozenset()
    if least > 1 and (BROKEN.search(f" {' '.join(words)} ") or _two_thoughts(words)):
        return frozenset()
    return frozenset(stem(w, german) for w in words if w not in STOP_WORDS and w not in _LEANS)


def _has_one_statement(words: tuple[str, ...]) -> bool:
    """Whether one predicate stands among the words, in one piece: "does not", "is"."""
    at = [i for i, word in enumerate(words) if word in _STATEMENT_WORDS]
    carry = [stem(word) for word in words if word not in _FUNCTION]
    return bool(at) and at[0] <= SUBJECT and len(set(carry)) == len(carry) and at[-1] - at[0] == len(at) - 1


def _runs_on(words: tuple[str, ...]) -> bool:
    """Whether a "my" or "the" follows three words of weight: "downloading email messages my computer"."""
    return any(words[i] in DETERMINERS and _PARTS.isdisjoint(words[i - 3 : i]) for i in range(3, len(words)))


def _two_thoughts(words: tuple[str, ...]) -> bool:
    """Whether a second sentence starts in the middle, or a word comes twice."""
    starts = any(w in _SUBJECTS and words[i - 1] not in _LEANS for i, w in enumerate(words) if i)
    strong = [w for w in words if w not in _LEANS]
    return starts or len(set(strong)) < len(strong)
