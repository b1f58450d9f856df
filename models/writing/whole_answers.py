"""Whole answers: near-identical replies of several sentences, kept whole and in order, lists as lists."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from lacuna.models.arrays import F64
from lacuna.models.text.markup import PLACEHOLDER
from lacuna.models.text.words import WORD_OR_NUMBER
from lacuna.models.writing.agent_sentences import core_of, is_talk
from lacuna.models.writing.reply_lists import Unit, units

__all__ = ["WholeAnswer", "whole_answers"]

AT_LEAST = 3  # conversations that hold a whole answer
ALIKE = 0.7  # least share of the smaller reply's pairs of words that the other has too
OF_LONGER = 0.4  # the same of the larger reply's: a short reply is no copy of a long one that happens to hold it
FEWEST_WORDS, FEWEST_ITEMS = 12, 3  # of an answer that is kept whole
REPLIES = 1500  # most replies that are compared

# What announces steps and says nothing itself: "Here are the steps.", "Do this:".
_ANNOUNCES = re.compile(
    r"^(?:(?:here|these|this|following|hier)\b[\w ]{0,40}|(?:please )?(?:try|do|follow) (?:this|these|the following)"
    r"[\w ]{0,20}|bitte [\w ]{0,20}folgend\w+[\w ]{0,20}|so geht(?:'s| es))[.:!]?$",
    re.I,
)


@dataclass(frozen=True)
class WholeAnswer:
    """An answer that several conversations hold nearly word for word.

    Attributes
    ----------
    units
        Its sentences and list items, in order, in the words of the reply that is most like all others.
    held
        Of each unit, the conversations that hold it nearly word for word.
    conversations, failed
        Those that hold it and did not end badly, and those that hold it and did.
    members
        The replies, as (conversation, text), that are this answer.
    """

    units: tuple[Unit, ...]
    held: tuple[frozenset[str], ...]
    conversations: frozenset[str]
    failed: frozenset[str]
    members: frozenset[tuple[str, str]]

    @property
    def items(self) -> int:
        """How many items of a list it has."""
        return sum(unit.is_item for unit in self.units)


def whole_answers(
    replies: Sequence[tuple[str, str]], failed: Sequence[tuple[str, str]] = (), at_least: int = AT_LEAST
) -> list[WholeAnswer]:
    """The answers that at least three conversations hold nearly word for word, the most frequent first.

    Replies are compared by the pairs of neighbouring words that they share. Greetings, sign-offs, small talk and
    what only single replies of a group say are left out; list items are never parted from each other.

    Parameters
    ----------
    replies, failed
        Conversation id and text of each reply, of conversations that did not end badly and of those that did.

    Examples
    --------
    >>> text = "Do this: 1. Open Orders now. 2. Press the Return button. 3. Print the label at once."
    >>> answer, = whole_answers([(f"c{i}", f"Hello {name}, {text}") for i, name in enumerate(("Ada", "Bo", "Cy"))])
    >>> [unit.text for unit in answer.units if unit.is_item]
    ['Open Orders now.', 'Press the Return button.', 'Print the label at once.']
    """
    cut = [(c, text, _content(text)) for c, text in replies[:REPLIES]]
    cut = [(c, text, parts) for c, text, parts in cut if _is_long(parts)]
    if len({c for c, _, _ in cut}) < at_least:
        return []
    likeness = _likeness([" ".join(unit.text for unit in parts) for _, _, parts in cut])
    near = likeness >= ALIKE
    free = np.ones(len(cut), dtype=bool)
    answers: list[WholeAnswer] = []
    # The reply that most others are like stands for its group; what it has taken is free no more.
    for first in sorted(range(len(cut)), key=lambda i: (-int(near[i].sum()), cut[i][1], cut[i][0])):
        group = [int(i) for i in np.flatnonzero(near[first] & free)] if free[first] else []
        conversations = frozenset(cut[i][0] for i in group)
        if len(conversations) < at_least:
            continue
        free[group] = False
        shared, held = _shared_units(cut[first][2], [(cut[i][0], cut[i][2]) for i in group])
        if _is_long(shared):
            members = frozenset((cut[i][0], cut[i][1]) for i in group)
            answers.append(WholeAnswer(tuple(shared), tuple(held), conversations, frozenset(), members))
    return [_with_failed(answer, failed) for answer in answers]


def _content(text: str) -> list[Unit]:
    """What a reply says: its list items, and its sentences that are no talk."""
    content = []
    for unit in units(text):
        core = unit.text if unit.is_item else core_of(unit.text)
        if unit.is_item and "<NAME>" not in core:
            content.append(Unit(core[:1].upper() + core[1:], True))
        elif not unit.is_item and len(core.split()) > 1 and not _is_idle(core):
            content.append(Unit(core[:1].upper() + core[1:], False))
    return content


def _is_idle(sentence: str) -> bool:
    return sentence.endswith("?") or is_talk(sentence) or _ANNOUNCES.match(sentence) is not None


def _is_long(parts: Sequence[Unit]) -> bool:
    words = sum(len(unit.text.split()) for unit in parts)
    return len(parts) > 1 and (words >= FEWEST_WORDS or sum(unit.is_item for unit in parts) >= FEWEST_ITEMS)


def _words(text: str) -> list[str]:
    return WORD_OR_NUMBER.findall(PLACEHOLDER.sub(" ", text).casefold().replace("’", "'"))


def _likeness(texts: Sequence[str]) -> F64:
    """For each two texts the share of pairs of words that they have in common, (n, n); 0 where one is far longer."""
    from sklearn.feature_extraction.text import CountVectorizer

    counted = CountVectorizer(analyzer=_pairs, binary=True).fit_transform(texts).astype(np.float64)
    common = np.asarray((counted @ counted.T).todense())
    sizes = np.maximum(common.diagonal(), 1.0)
    smaller, larger = np.minimum.outer(sizes, sizes), np.maximum.outer(sizes, sizes)
    return np.where(common >= OF_LONGER * larger, common / smaller, 0.0)


def _pairs(text: str) -> list[str]:
    words = _words(text)
    return [f"{one} {other}" for one, other in pairwise(words)] or words


def _shared_units(
    own: Sequence[Unit], group: Sequence[tuple[str, Sequence[Unit]]]
) -> tuple[list[Unit], list[frozenset[str]]]:
    """The units of ``own`` that at least half of the group's replies have, give or take a word, and who has each."""
    pairs_of = [(conversation, {p for unit in parts for p in _pairs(unit.text)}) for conversation, parts in group]
    shared, held = [], []
    for unit in own:
        pairs = set(_pairs(unit.text))
        holding = [conversation for conversation, others in pairs_of if len(pairs & others) >= ALIKE * len(pairs)]
        if 2 * len(holding) >= len(group):
            shared.append(unit)
            held.append(frozenset(holding))
    return shared, held


def _with_failed(answer: WholeAnswer, failed: Sequence[tuple[str, str]]) -> WholeAnswer:
    pairs = {pair for unit in answer.units for pair in _pairs(unit.text)}
    held = {
        c
        for c, text in failed
        if c not in answer.conversations and len(pairs & set(_pairs(text))) >= ALIKE * max(1, len(pairs))
    }
    return replace(answer, failed=frozenset(held))
