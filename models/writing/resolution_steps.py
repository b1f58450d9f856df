"""Resolution steps: what several agents told customers to do or explained, taken from their replies."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import TypedDict

import numpy as np

from lacuna.models.arrays import F64, Ints
from lacuna.models.text.amounts import amounts
from lacuna.models.text.lexicon import STOP_WORDS
from lacuna.models.text.markup import PLACEHOLDER
from lacuna.models.text.salience import Salience
from lacuna.models.text.words import WORD_OR_NUMBER, is_german, stem
from lacuna.models.writing.agent_sentences import agent_sentences, instructs
from lacuna.models.writing.whole_answers import WholeAnswer, whole_answers

__all__ = ["ResolutionStep", "Shared", "distil", "in_order", "sentence_vectors", "shared_sentences", "ways_of"]

AT_LEAST = 2  # different conversations that a step must occur in
MOST_STEPS, MOST_WHOLE, MOST_WAYS, SHOWN_IDS = 12, 4, 6, 3
TOGETHER = 0.45  # least cosine of the sets of conversations of two steps that belong to one answer (Ochiai 1957)
IN_ORDER = 0.75  # least share of the conversations with both steps in which the two come in the same order
INSTRUCTS, STATES = 0.3, 1.0  # least salience of an instruction, and of another sentence
ALIKE = 0.35  # least mean cosine within a group of sentences that say the same
SAME = 0.7  # the same, where one reply holds several sentences of a group
SENTENCES = 800  # most sentences of a gap that are compared; more make the result no better


class ResolutionStep(TypedDict):
    """One step, in an agent's words.

    It occurs in ``count`` conversations, also those that ended badly; ``worked`` of them are known to have ended well.
    Up to three are listed, none that ended badly.
    ``way`` numbers the answers from 1: steps from the same conversations belong to one answer, and different answers
    are alternatives. ``order`` is the step's place in an answer whose steps have an order, else 0.
    """

    text: str
    count: int
    worked: int
    conversation_ids: list[str]
    way: int
    order: int


def distil(
    replies: Sequence[tuple[str, str]],
    worked: Collection[str] = frozenset(),
    salience: Salience | None = None,
    failed: Sequence[tuple[str, str]] = (),
) -> list[ResolutionStep]:
    """Find the steps that agents gave in at least two conversations, answer by answer.

    Sentences that tell the customer what to do, and with ``salience`` also sentences that are about the gap, are
    grouped by likeness (TF-IDF of stems, average linkage). A group found in two conversations or more is a step. Its
    text is the sentence most like the others, its place the mean place within the replies. Steps that mostly occur in
    the same conversations make one answer. Replies that are nearly the same word for word are one answer, kept whole
    and in order (:func:`models.writing.whole_answers.whole_answers`). Nothing is rephrased or added.

    Parameters
    ----------
    replies
        Conversation id and text of each reply, a conversation's replies in order.
    worked
        Conversations that are known to have ended well.
    salience
        Weights of the stems that set the gap's replies apart from other replies.
    failed
        Replies of conversations that ended badly. They make no step; they count as tries of a step that they gave.

    Returns
    -------
    list of ResolutionStep
        Six answers at most, the most frequent first: four whole ones, and twelve more steps of most conversations.

    Examples
    --------
    >>> replies = [("c1", "Open Orders. Then press Return."), ("c2", "Please open Orders. After that press Return.")]
    >>> [(step["text"], step["count"], step["way"], step["order"]) for step in distil(replies)]
    [('Open Orders.', 2, 1, 1), ('After that press Return.', 2, 1, 2)]
    """
    whole = whole_answers(replies, failed)[:MOST_WHOLE]
    taken = {member for answer in whole for member in answer.members}
    rest = shared_sentences([reply for reply in replies if reply not in taken], salience, failed)
    best_shared = sorted(rest, key=lambda f: (-len(f.ids), f.place, f.text))[:MOST_STEPS]
    ways = [_whole_way(answer) for answer in whole] + [_way(way) for way in ways_of(best_shared)]
    ways.sort(key=lambda way: (-max(len(f.ids) for f in way[0]), -len(way[0]), way[0][0].text))
    steps: list[ResolutionStep] = []
    for number, (way, ordered) in enumerate(ways[:MOST_WAYS], start=1):
        for place, one in enumerate(way, start=1):
            ids = sorted(one.ids, key=lambda c: (c not in worked, c))
            steps.append(
                ResolutionStep(
                    text=one.text, count=len(ids) + len(one.failed), worked=sum(c in worked for c in ids),
                    conversation_ids=ids[:SHOWN_IDS], way=number, order=place if ordered else 0,
                )
            )  # fmt: skip
    return steps


def shared_sentences(
    replies: Sequence[tuple[str, str]],
    salience: Salience | None = None,
    failed: Sequence[tuple[str, str]] = (),
    keep: Callable[[str], bool] = bool,
) -> list[Shared]:
    """The sentences that replies of at least two conversations share, with all conversations that hold each.

    ``keep`` says of a sentence whether it may stand for others; those that may not are passed over.
    """
    candidates = [one for one in _candidates(replies, salience) if keep(one.text)]
    if len(candidates) < AT_LEAST:
        return []
    in_vain = _candidates(failed, salience)
    vectors, vectors_in_vain = sentence_vectors([one.text for one in candidates], [one.text for one in in_vain])
    group = _by_amounts(candidates, _apart(candidates, vectors, _groups(vectors, ALIKE)))
    return _shared(candidates, vectors, group, _tries(in_vain, vectors_in_vain, vectors, group))


@dataclass(frozen=True)
class _Sentence:
    """A sentence, its conversation, where in the reply it is (0 to 1), and whether it tells what to do."""

    conversation: str
    text: str
    place: float
    instructs: bool
    condition: str


@dataclass(frozen=True)
class Shared:
    """A sentence that several conversations share.

    ``places`` is its place in the reply (0 to 1) by conversation that says it alike, ``failed`` are those that ended
    badly, ``held`` those of ``places`` that hold it nearly word for word, and ``condition`` is what it holds for where
    most of its agents say so, else "".
    """

    text: str
    place: float
    places: dict[str, float]
    instructs: bool
    failed: frozenset[str]
    held: frozenset[str]
    condition: str = ""

    @property
    def ids(self) -> set[str]:
        """The conversations that hold it and did not end badly."""
        return set(self.places)


def _tries(in_vain: Sequence[_Sentence], vectors_in_vain: F64, vectors: F64, group: Ints) -> dict[int, set[str]]:
    """By group, the conversations that ended badly after a sentence that says the same as the group."""
    tries: dict[int, set[str]] = {}
    if not in_vain:
        return tries
    numbers = sorted(set(group))
    middles = np.stack([vectors[group == number].mean(axis=0) for number in numbers])
    # The product of a row with a group's mean is the row's mean cosine with the group's sentences.
    for sentence, likeness in zip(in_vain, np.round(vectors_in_vain @ middles.T, 9), strict=True):
        nearest = int(likeness.argmax())
        if likeness[nearest] >= ALIKE:
            tries.setdefault(int(numbers[nearest]), set()).add(sentence.conversation)
    return tries


def _shared(candidates: Sequence[_Sentence], vectors: F64, group: Ints, tries: Mapping[int, set[str]]) -> list[Shared]:
    n_sentences = Counter(sentence.conversation for sentence in candidates)  # a single sentence has no order
    shared = []
    for number in sorted(set(group)):
        rows = [int(i) for i in np.flatnonzero(group == number)]
        places: dict[str, float] = {}
        for i in rows:
            places.setdefault(candidates[i].conversation, candidates[i].place)
        if len(places) < AT_LEAST:
            continue
        middle = vectors[rows].mean(axis=0)
        instructs = 2 * sum(candidates[i].instructs for i in rows) > len(rows)
        best = min(
            rows,
            key=lambda i: (
                _lacks(candidates[i].text),
                not candidates[i].instructs,
                -round(float(vectors[i] @ middle), 6),
                candidates[i].text,
            ),
        )
        ordered = [place for conversation, place in places.items() if n_sentences[conversation] > 1]
        place = float(np.mean(ordered)) if ordered else 0.5
        failed = frozenset(tries.get(int(number), ())) - places.keys()
        conditions = [candidates[i].condition for i in rows if candidates[i].condition]
        condition = candidates[best].condition or (conditions[0] if 2 * len(conditions) > len(rows) else "")
        near = np.round(vectors[rows] @ vectors[best], 9) >= SAME
        held = frozenset(candidates[i].conversation for i, same in zip(rows, near, strict=True) if same or i == best)
        shared.append(Shared(candidates[best].text, place, places, instructs, failed, held, condition))
    return shared


def ways_of(shared: Sequence[Shared]) -> list[list[Shared]]:
    """The steps grouped into answers: those that mostly occur in the same conversations are together."""
    if len(shared) < 2:
        return [list(shared)] if shared else []
    far = [
        1 - len(one.ids & other.ids) / (len(one.ids) * len(other.ids)) ** 0.5 for one, other in combinations(shared, 2)
    ]
    from scipy.cluster.hierarchy import fcluster, linkage

    way = fcluster(linkage(np.round(far, 9), "average"), 1 - TOGETHER, "distance")
    return [[one for one, own in zip(shared, way, strict=True) if own == number] for number in sorted(set(way))]


def _way(way: Sequence[Shared]) -> tuple[list[Shared], bool]:
    """An answer's steps by their place, and whether they have an order."""
    ordered_way = sorted(way, key=lambda f: (round(f.place, 6), -len(f.ids), f.text))
    instructing = 2 * sum(f.instructs for f in way) > len(way)
    return ordered_way, len(way) > 1 and instructing and in_order(ordered_way)


def _whole_way(answer: WholeAnswer) -> tuple[list[Shared], bool]:
    """A whole answer's sentences and items, in their order; a list has one."""
    way = []
    for unit, held in zip(answer.units, answer.held, strict=True):
        tells = unit.is_item or instructs(unit.text)
        way.append(Shared(unit.text, 0.5, dict.fromkeys(sorted(held), 0.5), tells, answer.failed, held))
    return way, answer.items > 1 or 2 * sum(f.instructs for f in way) > len(way)


def in_order(way: Sequence[Shared]) -> bool:
    """Whether most conversations that have two of the steps have them in this order."""
    right = both = 0
    for one, other in combinations(way, 2):
        for conversation in one.ids & other.ids:
            both += 1
            right += one.places[conversation] < other.places[conversation]
    return right >= IN_ORDER * both


def _lacks(sentence: str) -> bool:
    """Whether a sentence is incomplete: it has a placeholder, or ends in a colon."""
    return PLACEHOLDER.search(sentence) is not None or sentence.endswith(":")


def _candidates(replies: Sequence[tuple[str, str]], salience: Salience | None) -> list[_Sentence]:
    """The replies' sentences that may be steps, each once a conversation; evenly sampled if there are many."""
    joined: dict[str, str] = {}
    for conversation, text in replies:
        joined[conversation] = f"{joined[conversation]}\n{text}" if conversation in joined else text
    by_text: dict[tuple[str, str], _Sentence] = {}
    for conversation in sorted(joined):
        for one in agent_sentences(joined[conversation]):
            least = INSTRUCTS if one.instructs else STATES
            if one.instructs if salience is None else salience.worth(one.text) >= least:
                sentence = _Sentence(conversation, one.text, one.place, one.instructs, one.condition)
                by_text.setdefault((conversation, one.text), sentence)
    rows = list(by_text.values())
    if len(rows) <= SENTENCES:
        return rows
    step = len(rows) / SENTENCES
    return [rows[int(i * step)] for i in range(SENTENCES)]


def _stems(text: str) -> list[str]:
    words = [
        word for word in WORD_OR_NUMBER.findall(text.casefold().replace("’", "'")) if not PLACEHOLDER.fullmatch(word)
    ]
    german = is_german(words)
    return [
        stem(word, german)
        for word in words
        if word not in STOP_WORDS or word in ("not", "no", "nicht", "kein", "don't")
    ]


def sentence_vectors(texts: Sequence[str], others: Sequence[str]) -> tuple[F64, F64]:
    """TF-IDF of stems by the weights of ``texts``, rows of length 1, or 0 where a text has only stop words."""
    try:
        # Imported late: it takes a second, and listing or copying drafts does not need it.
        from sklearn.feature_extraction.text import TfidfVectorizer

        weights = TfidfVectorizer(analyzer=_stems, sublinear_tf=True)
        counted = weights.fit_transform(texts)
    except ValueError:  # no word is left
        return np.zeros((len(texts), 1)), np.zeros((len(others), 1))
    counted_others = weights.transform(others).toarray() if others else np.zeros((0, counted.shape[1]))
    return np.round(counted.toarray(), 9), np.round(counted_others, 9)


def _apart(candidates: Sequence[_Sentence], vectors: F64, group: Ints) -> Ints:
    """Groups of which most conversations hold two sentences, cut finer: one reply does not say the same twice."""
    group = group.copy()
    for number in sorted(set(group)):
        rows = np.flatnonzero(group == number)
        held = Counter(candidates[int(i)].conversation for i in rows)
        if 2 * sum(n > 1 for n in held.values()) > len(held):
            group[rows] = group.max() + _groups(vectors[rows], SAME)
    return group


def _by_amounts(candidates: Sequence[_Sentence], group: Ints) -> Ints:
    """Groups without sentences that give other amounts of the same thing: "for 3 days" is not "for 7 days"."""
    group = group.copy()
    for number in sorted(set(group)):
        parts: list[tuple[dict[str, set[str]], list[int]]] = []
        for row in map(int, np.flatnonzero(group == number)):
            own = {unit: numbers for unit, numbers in amounts(candidates[row].text).items() if unit}
            like = next((part for part in parts if _same_amounts(part[0], own)), None)
            if like is None:
                parts.append((own, [row]))
            else:
                like[0].update({unit: like[0].get(unit, set()) | numbers for unit, numbers in own.items()})
                like[1].append(row)
        for _, rows in parts[1:]:
            group[rows] = group.max() + 1
    return group


def _same_amounts(one: Mapping[str, set[str]], other: Mapping[str, set[str]]) -> bool:
    return all(not one[unit].isdisjoint(other[unit]) for unit in one.keys() & other.keys())


def _groups(vectors: F64, alike: float) -> Ints:
    from scipy.cluster.hierarchy import fcluster, linkage
    from scipy.spatial.distance import pdist

    far = np.nan_to_num(pdist(vectors, "cosine"), nan=1.0).clip(0, 2)
    return fcluster(linkage(far, "average"), 1 - alike, "distance").astype(np.int64)
