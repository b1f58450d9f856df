"""Phrases that could name a topic: what a customer wants to do, asks, or tells, as a piece that stands by itself."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

from lacuna.models.text.clauses import Clause, joined
from lacuna.models.text.grammar import Language, language_of_words

__all__ = ["LONGEST", "Phrase", "phrases", "whole_phrase"]

LONGEST = 8  # most words of a name
SUBJECT = 4  # most words before a predicate; more are a sentence of their own
DENIED = 4  # number of words after a "none of my" that it denies

_ODD = re.compile(r"[./@+_]|\d{4,}|^\d|[a-z]\d|\d[a-z]")
# How complete a name is whose piece begins where: the action asked for, what is told, a thing, a whole statement.
_ACTION, _THING, _STATEMENT, _TOLD, _PLAIN, _INSIDE, _QUESTION = 0.95, 0.85, 0.9, 0.65, 0.85, 0.62, 0.78
_SEARCHED = 0.9  # a whole search
_CUT = 0.75  # for a piece whose clause goes on, though all of it would be short enough for a name
_CUT_ACTION = 0.75  # for an action without the where, how or what for that its clause goes on with
_POINTS = 0.6  # for a piece that points at what was said before


@dataclass(frozen=True)
class Phrase:
    """A possible name.

    Parameters
    ----------
    words, stems
        Its words, folded, and the stems of the significant ones.
    completeness
        How complete it is, 0 to 1.
    asks
        Whether it is a question.
    kind
        What was asked for: "action", "thing", "tells", or nothing that is known.
    """

    words: tuple[str, ...]
    stems: frozenset[str]
    completeness: float
    asks: bool
    kind: str = ""

    @property
    def text(self) -> str:
        """The words, folded, with a question mark behind a question."""
        return joined(self.words) + ("?" if self.asks else "")


def phrases(clause: Clause, language: Language | None = None) -> Iterator[Phrase]:
    """Every phrase of ``clause`` that could be a label, from two words to eight.

    Examples
    --------
    >>> from lacuna.models.text.clauses import clauses
    >>> [p.text for p in phrases(clauses("ok so how do I set a new password")[0])]
    ['set a new password', 'how do i set a new password?']
    """
    language = language or language_of_words(clause.folded)
    words = clause.folded
    start = _skip(words, 0, language.openers)
    begin, kind = _after_lead(words, start, language)
    if not kind and _is_question(words[begin:], clause.asks, language):
        # "Will the canister work with it": behind the subject comes a verb that is on no list.
        subject = words[begin] in language.auxiliaries and words[begin + 1] in language.determiners
        yield from _things(clause, begin + (3 if subject else 1), language)
    else:
        yield from _pieces(clause, begin, kind, language)
    if _is_question(words[start:], clause.asks, language):
        yield from _question(words[start:], language)


def whole_phrase(words: tuple[str, ...], language: Language) -> Phrase | None:
    """All of ``words``, folded, as the name of a thing, such as a search; None where they are no name."""
    return next(_phrase(words, _SEARCHED, language, "thing"), None)


def _is_question(words: tuple[str, ...], asks: bool, language: Language) -> bool:
    """Whether words have the form of a question: a question word, or a verb before its subject."""
    if len(words) < 2:
        return False
    follows = words[1] in (language.pronouns - language.objects) | language.subjects | language.determiners
    if words[0] in language.question_words:
        return asks or follows or words[0] not in language.auxiliaries | language.negations
    if not language.verbs_invert or words[0] in language.vague:
        return False
    return (asks and follows) or words[1] in language.after_verbs


def _after_lead(words: tuple[str, ...], at: int, language: Language) -> tuple[int, str]:
    """Where what the customer wants begins, and what it is: an action, a thing, something told."""
    kind = ""
    while True:
        ends = [(_skip(words, at, pattern, once=True), name) for name, pattern in language.leads]
        end, name = max(ends, key=lambda option: option[0])
        if end == at:
            return at, kind
        at, kind = _skip(words, end, language.openers), name


def _pieces(clause: Clause, begin: int, kind: str, language: Language) -> Iterator[Phrase]:
    """The piece that begins behind the lead-in, whole or cut, and names of things inside."""
    words = clause.folded
    first = begin
    if first < len(words) and words[first] in language.determiners and kind != "action":
        first += 1
    if kind == "action" and first < len(words):
        opening = language.lists.get("opens_as", {}).get(words[first], words[first])
        words = (*words[:first], opening, *words[first + 1 :])
    loose = words[first : first + 1] and words[first] in language.negations
    loose = loose and words[first + 1 : first + 2] and words[first + 1] in language.leaning
    if (
        first < len(words)
        and not loose
        and _may_open(words[first], kind, language)
        and not _denied(words, begin, first, language)
    ):
        for j in range(first + 1, min(len(words), first + LONGEST) + 1):
            piece = words[first:j]
            value = _value(piece, words[j:], kind, language)
            if value and _may_close(words, first, j, language):
                yield from _phrase(piece, value, language, kind)
    yield from _things(clause, begin + 1, language)


def _value(piece: tuple[str, ...], behind: tuple[str, ...], kind: str, language: Language) -> float:
    """How complete a piece at the front of its clause is; 0 where it is none."""
    value = _value_of_kind(piece, behind, kind, language)
    if behind:
        value *= _CUT if len(piece) + len(behind) <= LONGEST else 0.85
        # "Take the e-bike battery" does not say what for: "on a plane".
        value *= _CUT_ACTION if kind == "action" and behind[0] in language.prepositions else 1.0
        # "Sending of the password" names no problem where "did not succeed" follows.
        if behind[0] in language.finite:
            value *= 0.6
        if not language.conjunctions.isdisjoint(piece[1:]):
            value *= 0.6
    elif not (language.conjunctions - language.joins).isdisjoint(piece[1:]):
        value *= 0.75
    return value


def _value_of_kind(piece: tuple[str, ...], behind: tuple[str, ...], kind: str, language: Language) -> float:
    states = not language.finite.isdisjoint(piece)
    if kind == "action":
        return _value_of_action(piece, behind, states, language)
    if kind == "thing":
        return 0.6 if states else _THING
    if kind == "tells":
        return _STATEMENT if piece[0] in language.negations else _TOLD
    if states:
        if behind and behind[0] in language.adverbs:
            return 0.0  # "the font is way | too small"
        return _STATEMENT if _has_one_statement(piece, language) else 0.45
    if language.verbs_invert and len(piece) > 1 and piece[1] in language.pronouns - language.determiners:
        return 0.0  # a verb that has lost its subject
    # Of a sentence whose verb is on no list, nobody can tell whether a piece of it is one.
    value = _PLAIN if language.hanging.isdisjoint(piece[1:]) else 0.5 * _PLAIN
    return value if language.conjunctions.isdisjoint(piece) or len(piece) == 3 else 0.7 * value


def _value_of_action(piece: tuple[str, ...], behind: tuple[str, ...], states: bool, language: Language) -> float:
    if piece[0] in language.determiners | language.prepositions:
        return _ACTION if language.verb_last and not behind else 0.0
    if language.verb_last and (behind or not piece[-1].endswith("n")):
        return 0.0 if states else _INSIDE
    return 0.6 if states else _ACTION


def _things(clause: Clause, begin: int, language: Language) -> Iterator[Phrase]:
    """Names of things inside a clause: nouns behind a "the", "my" or "for", without any verb that is known."""
    words = clause.folded
    before = language.determiners | language.prepositions
    capitals = language.capital_nouns and any(word[0].isupper() for word in clause.words[1:])
    for i in range(max(1, begin), len(words)):
        if words[i - 1] not in before or words[i] in language.vague or words[i].isdigit():
            continue
        if language.is_adverb(words[i]) or _denied(words, 0, i, language):
            continue
        for j in range(i + 1, min(len(words), i + LONGEST) + 1):
            if words[j - 1] in language.not_in_things - language.spans or _joins_another(words[i:j], language):
                break
            if words[j - 1] in language.joins or not _may_close(words, i, j, language):
                continue
            if capitals and not clause.words[j - 1][0].isupper():
                continue
            ends_well = j == len(words) or words[j] in language.after_things
            if ends_well:
                yield from _phrase(words[i:j], _INSIDE + (0.05 if j == len(words) else 0), language)


def _joins_another(words: tuple[str, ...], language: Language) -> bool:
    """Whether more than one word follows an "and", where a second sentence may begin."""
    return any(word in language.conjunctions for word in words[:-2])


def _question(words: tuple[str, ...], language: Language) -> Iterator[Phrase]:
    """The whole clause, where it is a question in good form, or a statement with its pronoun."""
    while words and words[-1] in language.chatter:
        words = words[:-1]
    if (
        not 3 <= len(words) <= LONGEST
        or words[-1] in language.determiners | language.conjunctions | language.quantities
    ):
        return
    if language.indirect.match(" ".join(words) + " "):
        return
    verbs = language.auxiliaries | language.negations
    if words[0] in verbs and words[1] in language.never_second:
        return
    if words[-1] in (language.prepositions - language.particles - language.closers) | language.auxiliaries:
        return
    subjects = sum(map(language.subjects.__contains__, words[1:]))
    turns = not language.conjunctions.isdisjoint(words[2:])
    value = _QUESTION * (0.6 if subjects > 1 or turns else 1.0)
    yield from _phrase(words, value, language, asks=True)


def _skip(words: tuple[str, ...], at: int, what: re.Pattern[str], once: bool = False) -> int:
    while at < len(words) and (match := what.match(" ".join(words[at:]) + " ")):
        n_words = match[0].strip().count(" ") + 1 if match[0].strip() else 0
        if not n_words:
            break
        at += n_words
        if once:
            break
    return at


def _denied(words: tuple[str, ...], begin: int, at: int, language: Language) -> bool:
    """Whether a "none of my" stands before: what follows it says the opposite without it."""
    return not language.deniers.isdisjoint(words[max(begin, at - DENIED) : at])


def _may_open(word: str, kind: str, language: Language) -> bool:
    if kind == "action" and word in language.lists.get("opens_as", {}).values():
        return True
    if word in language.doing:
        return kind in ("action", "tells", "")
    if word in language.negations:
        return True
    if kind == "action" and language.verb_last:
        return word not in language.auxiliaries | language.conjunctions | language.chatter and not _ODD.search(word)
    if language.is_adverb(word):
        return False
    return word not in language.never_first and not _ODD.search(word) and len(word) > 1


def _may_close(words: tuple[str, ...], i: int, j: int, language: Language) -> bool:
    """Whether a piece may end before word ``j``."""
    last, stop = words[j - 1], len(words)
    if j - i < 2:
        return False
    if last.isdigit() and j < stop:
        return False
    if j < stop and words[j] in language.particles and words[j + 1 : j + 2] != ("of",):
        return False
    if last in language.particle_verbs and words[j : j + 1] and words[j] in language.closers:
        return False
    if _closes(words, j, language):
        return True
    if last in language.spans and words[j - 2] not in language.vague and not words[j - 2].isdigit():
        return j == stop or words[j] in language.after_a_name
    if last in language.never_last or (not last.isdigit() and (_ODD.search(last) or len(last) < 2)):
        return False
    return j == stop or words[j] in language.after_a_name


def _closes(words: tuple[str, ...], j: int, language: Language) -> bool:
    """Whether the word before ``j`` belongs to the verb before it and ends its sentence: "greyed out", "screw in"."""
    last, before = words[j - 1], words[j - 2]
    at_end = j == len(words)
    if last in language.closers:
        # Where the list of such verbs is left out, the word may follow any: "geht nicht", "lädt nicht mehr".
        return before in language.particle_verbs or (at_end and not language.particle_verbs)
    follows = not at_end and words[j] in language.function - {"of"}
    return (at_end or follows) and last in language.particles and before not in language.leaning


@lru_cache(maxsize=200_000)
def _is_odd(word: str) -> bool:
    return _ODD.search(word) is not None and not word.isdigit()


def _phrase(
    words: tuple[str, ...], value: float, language: Language, kind: str = "", asks: bool = False
) -> Iterator[Phrase]:
    """The phrase of the words, where it has the form of a name."""
    if any(map(_is_odd, words)) or len(words) > LONGEST:
        return
    vague = language.vague - language.spans
    strong = [word for word in words if word not in vague and not word.isdigit() and len(word) > 1]
    weak = sum(word in language.hanging or word in language.negations for word in words)
    if not strong or (len(strong) + weak < 2 and not asks):
        return
    if words[0] in language.quantities and len(strong) < 2 and not asks:
        return
    if not language.chatter.isdisjoint(words) or _says_twice(words, language):
        return
    if not asks and (language.broken.search(f" {' '.join(words)} ") or _two_thoughts(words, language)):
        return
    if _runs_on(words, language):
        return
    value *= _points(words, language)
    if len(strong) < 2 and asks:
        value *= 0.8
    keep = language.stop_words | language.leaning
    stems = frozenset(language.stem(w) for w in words if w not in keep)
    if stems:
        yield Phrase(words, stems, value, asks, kind)


def _points(words: tuple[str, ...], language: Language) -> float:
    """What a phrase is still worth that points at something said before: "this" most, "this page" hardly."""
    before_noun = [i for i, word in enumerate(words) if word in language.pointing & language.determiners]
    alone = [i for i in before_noun if i + 1 == len(words) or words[i + 1] in language.function]
    if alone or language.points.search(f" {' '.join(words)} "):
        return _POINTS
    return 0.8 if before_noun else 1.0


def _has_one_statement(words: tuple[str, ...], language: Language) -> bool:
    """Whether one predicate stands among the words, in one piece: "does not", "is"."""
    at = [i for i, word in enumerate(words) if word in language.finite]
    return bool(at) and at[0] <= SUBJECT and at[-1] - at[0] == len(at) - 1


def _runs_on(words: tuple[str, ...], language: Language) -> bool:
    """Whether a "my" or "the" follows three words of weight: "downloading email messages my computer"."""
    parts = language.function | language.hanging
    return any(words[i] in language.determiners and parts.isdisjoint(words[i - 3 : i]) for i in range(3, len(words)))


def _says_twice(words: tuple[str, ...], language: Language) -> bool:
    strong = [language.stem(w) for w in words if w not in language.leaning]
    return len(set(strong)) < len(strong) or any(a == b for a, b in pairwise(words))


def _two_thoughts(words: tuple[str, ...], language: Language) -> bool:
    """Whether a second sentence starts in the middle: a subject that nothing leads up to."""
    return any(w in language.subjects and words[i - 1] not in language.leaning for i, w in enumerate(words) if i)
