"""Claims: what agents tell all customers of a gap, in one language, before an article is planned from it."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from lacuna.models.arrays import F32
from lacuna.models.text.amounts import amounts
from lacuna.models.text.lexicon import DENIERS, NEGATIONS
from lacuna.models.text.markup import HIDDEN
from lacuna.models.text.salience import Salience
from lacuna.models.text.words import stems, words_of
from lacuna.models.writing.agent_sentences import is_talk
from lacuna.models.writing.reply_lists import Unit, units
from lacuna.models.writing.resolution_steps import Shared, shared_sentences
from lacuna.models.writing.whole_answers import WholeAnswer, whole_answers

__all__ = ["Claims", "Dispute", "collect_claims", "disputed", "holds_for_all", "leans", "settled"]

FEWEST_ITEMS = 3  # of a whole answer that is a procedure
MOST_CLAIMS = 40
LEAST_HELD = 2  # conversations that hold a sentence nearly word for word
MODEL_SHARES = 2  # least shared instructions of the single reply whose list stands in for one that several paste
SAME_SAID = 0.72  # cosine from which on two sentences say the same
# Two sentences with other amounts are about the same thing from this cosine on, or from the lower one where the smaller
# of them has as many of its stems in the other.
SAME_THING, NEAR, SHARED = 0.7, 0.5, 0.5
SHARE_DISPUTED = 0.25  # share of the smaller side's conversations from which on agents count as not agreed

# What an agent or the shop has done, for one customer.
_DONE_FOR_ONE = re.compile(
    r"\b(?:we|i)(?:'ve| have| had) (?!(?:a|an|the|no|to|two|three|many|more|your|\d+)\b)"
    r"|\bwir haben\b.*\w(?:t|en)[.!]?$|\bis on (?:its|the) way\b|\bthat's (?:right|correct|true)\b"
    r"|\b(?:yours?|for you) (?:until|till|on|by) [A-Z]|\byou(?:'ll| will)? get (?:a|the) new\b",
    re.I,
)
# What is said of the help page itself.
_OF_THE_PAGE = re.compile(
    r"\b(?:page|article|instructions?|website|hilfeseite|seite|artikel)\b[^.]{0,30}\b(?:out of date|outdated|old|wrong|"
    r"veraltet|falsch|updated|needs?|gelten nicht|gilt nicht|no longer)\b",
    re.I,
)
_LEANS = re.compile(
    r"^(?:this|that|these|those|they|he|she|then|so|but|and|also|or|which|dies\w*|das|damit|dann|aber)\b", re.I
)


@dataclass(frozen=True)
class Claims:
    """What agents said alike in a gap's conversations of one language.

    Attributes
    ----------
    language
        ISO 639-1; "" where the bundle does not say.
    procedures
        Whole answers that are lists, the most frequent first.
    sentences
        Sentences that two conversations or more share, and that hold for every customer.
    answered
        The conversations that agents answered and that did not end badly.
    questions
        By conversation, what the customer asked.
    worked
        The conversations that are known to have ended well.
    """

    language: str
    procedures: list[WholeAnswer]
    sentences: list[Shared]
    answered: frozenset[str]
    questions: Mapping[str, str]
    worked: frozenset[str]

    @property
    def texts(self) -> list[str]:
        """The sentences whose vectors a plan needs."""
        return [sentence.text for sentence in self.sentences]


class Dispute(NamedTuple):
    """Two sentences about the same thing that can't both hold; ``one`` is in more conversations."""

    one: Shared
    other: Shared


def collect_claims(
    language: str,
    replies: Sequence[tuple[str, str]],
    failed: Sequence[tuple[str, str]],
    questions: Mapping[str, str],
    worked: Collection[str],
    salience: Salience | None = None,
) -> Claims:
    """What agents said alike, whole lists first.

    Parameters
    ----------
    language
        Of the conversations.
    replies, failed
        Conversation id and text of each reply, of conversations that did not end badly, and of those that did.
    questions
        By conversation, what the customer asked.
    worked
        Conversations that are known to have ended well.
    salience
        Weights of the stems that set the gap's replies apart.
    """
    procedures = [answer for answer in whole_answers(replies, failed) if answer.items >= FEWEST_ITEMS]
    taken = {member for answer in procedures for member in answer.members}
    rest = [reply for reply in replies if reply not in taken]
    shared = [
        one
        for one in shared_sentences(rest, salience, failed, holds_for_all)
        if len(one.failed) <= len(one.ids) and len(one.held) >= LEAST_HELD
    ]
    shared.sort(key=lambda one: (-len(one.ids), one.place, one.text))
    if not procedures and (model := _model_list(rest, shared, worked)):
        procedures = [model]
        listed = [stems(unit.text) for unit in model.units]
        shared = [one for one in shared if not _told_in(stems(one.text), listed)]
    answered = frozenset(c for c, _ in replies)
    asked = {c: questions[c] for c in sorted(answered) if c in questions}
    return Claims(language, procedures, shared[:MOST_CLAIMS], answered, asked, frozenset(worked) & answered)


def _model_list(
    replies: Sequence[tuple[str, str]], shared: Sequence[Shared], worked: Collection[str]
) -> WholeAnswer | None:
    """The list of one reply that holds most of the instructions that agents share; None where no reply holds two.

    Agents who write the same list each in their own way share single steps, which make no procedure.
    """
    instructions = [one for one in shared if one.instructs]
    best: tuple[int, bool, str, str] | None = None
    for conversation, text in replies:
        items = [unit.text for unit in units(text) if unit.is_item]
        n_shared = sum(conversation in one.held for one in instructions)
        usable = all(holds_for_all(item) and not is_talk(item) and not item.endswith("?") for item in items)
        if len(items) >= FEWEST_ITEMS and n_shared >= MODEL_SHARES and usable:
            key = (-n_shared, conversation not in worked, conversation, text)
            best = min(best, key) if best else key
    if best is None:
        return None
    listed = tuple(Unit(unit.text[:1].upper() + unit.text[1:], True) for unit in units(best[3]) if unit.is_item)
    own = frozenset({best[2]})
    return WholeAnswer(listed, (own,) * len(listed), own, frozenset(), frozenset({(best[2], best[3])}))


def _told_in(sentence: set[str], listed: Sequence[set[str]]) -> bool:
    return any(len(sentence & item) >= SAME_SAID * len(sentence) for item in listed)


def holds_for_all(sentence: str) -> bool:
    """Whether a sentence may hold for every customer: no placeholder, nobody's own case, not about the help page.

    Examples
    --------
    >>> holds_for_all("Refunds take 5 days."), holds_for_all("We've sent it again."), holds_for_all("Our page is old.")
    (True, False, False)
    """
    return not (
        HIDDEN.search(sentence)
        or sentence.endswith((":", "…"))
        or _DONE_FOR_ONE.search(sentence)
        or _OF_THE_PAGE.search(sentence)
    )


def leans(sentence: str) -> bool:
    """Whether a sentence refers to the one before it, so that it can't stand first."""
    return _LEANS.match(sentence) is not None


def settled(sentences: Sequence[Shared], vectors: F32) -> tuple[list[Shared], list[Dispute]]:
    """The sentences that can stand together: what is said twice once, and what agents do not agree on not at all.

    Two sentences about the same thing dispute each other where they give other amounts in the same unit, or one denies
    what the other says. Where at least a quarter of their conversations are on the smaller side, neither stands; where
    fewer are, the larger side stands, and the dispute is told all the same.

    Parameters
    ----------
    sentences
        The most frequent first.
    vectors
        Their vectors, float32 (n, dim), rows of length 1.

    Returns
    -------
    sentences, disputes
        In the order in which they came.
    """
    if not len(sentences):
        return [], []
    near = vectors @ vectors.T
    kept: list[int] = []
    out: set[int] = set()
    disputes: list[Dispute] = []
    for i, one in enumerate(sentences):
        same = False
        for j in kept:
            other = sentences[j]
            cosine = float(near[i, j])
            if one.condition == other.condition and disputed(one.text, other.text, cosine):
                disputes.append(Dispute(other, one))
                fewer, more = sorted((len(one.ids | one.failed), len(other.ids | other.failed)))
                out |= {i, j} if fewer >= SHARE_DISPUTED * (fewer + more) else {i}
                same = True
            elif cosine >= SAME_SAID and bool(one.condition) == bool(other.condition):
                same = True
        if not same:
            kept.append(i)
    return [sentences[i] for i in kept if i not in out], disputes


def disputed(one: str, other: str, cosine: float) -> bool:
    """Whether two sentences about the same thing can't both hold.

    Examples
    --------
    >>> disputed("It is kept for 3 days.", "We keep it for 7 days.", 0.8)
    True
    >>> disputed("You can return it.", "You can't return it.", 0.9), disputed("It takes 3 days.", "Pay in 7 days.", 0.2)
    (True, False)
    """
    own, others = stems(one), stems(other)
    shared = len(own & others) / max(1, min(len(own), len(others)))
    if cosine < NEAR or (cosine < SAME_THING and shared < SHARED):
        return False
    first, second = amounts(one), amounts(other)
    units = {unit for unit in first.keys() & second.keys() if unit}
    if units and all(first[unit].isdisjoint(second[unit]) for unit in units):
        return True
    words = [set(words_of(text)) for text in (one, other)]
    denied = [bool(own & _DENIALS) or any(word.endswith("n't") for word in own) for own in words]
    plain = [{word for word in own if word not in _DENIALS and not word.endswith("n't")} for own in words]
    overlap = len(plain[0] & plain[1]) / max(1, min(len(plain[0]), len(plain[1])))
    return denied[0] != denied[1] and cosine >= SAME_SAID and overlap >= SAME_SAID


_DENIALS = (NEGATIONS | DENIERS | {"not", "nicht", "kein", "keine", "never", "no"}) - {"nothing"}
