"""Names made of the things that questions mention: for themes, and for topics that no phrase names."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from math import log

from lacuna.models.text.clauses import Clause
from lacuna.models.text.grammar import Language
from lacuna.models.text.lexicon import STOP_WORDS

__all__ = ["Term", "Things", "Words", "apart", "is_common", "names_something", "options", "terms"]

Words = tuple[str, ...]
Term = tuple[Words, Words, bool]
EVERYWHERE = 0.2  # share of other topics' questions above which a term, such as a product's name, names nothing
_NO_NAME = frozenset({"example", "beispiel", "exemple", "ejemplo", "unable", "wondering"}) | STOP_WORDS


def terms(question: Sequence[Clause], language: Language) -> Iterator[Term]:
    """Words and pairs that could name something: stems, the words, and whether they follow a word like "the"."""
    to = {"to", "zu", "à"}
    for clause in question:
        for i, word in enumerate(clause.folded):
            if not names_something(word, language):
                continue
            before = clause.folded[i - 1] if i else ""
            stands = before in language.determiners or before in language.prepositions - to
            behind = clause.folded[i + 1] if i + 1 < len(clause.folded) else ""
            yield (language.stem(word),), (word,), stands and not names_something(behind, language)
            if names_something(behind, language) and behind != word:
                yield (language.stem(word), language.stem(behind)), (word, behind), stands


def names_something(word: str, language: Language) -> bool:
    """Whether a word could be the name of a thing, as far as the lists say."""
    long_enough = len(word) > 2 and word.replace("-", "").isalpha()
    return long_enough and (word not in language.vague or word in language.spans) and word not in _NO_NAME


class Things:
    """The things that the questions of each topic mention, and how often.

    Parameters
    ----------
    topics
        Of each topic the terms of each of its questions, as :func:`terms` gives them.
    """

    def __init__(self, topics: Sequence[Sequence[Sequence[Term]]]) -> None:
        self.shares = [_shares(topic) for topic in topics]
        occurrences: Counter[Words] = Counter()
        as_thing: Counter[Words] = Counter()
        written: dict[Words, Counter[Words]] = defaultdict(Counter)
        for term, words, stands in chain.from_iterable(chain.from_iterable(topics)):
            occurrences[term] += 1
            as_thing[term] += stands
            written[term][words] += 1
        # How often a term follows "the", "my", "in" and the like, 0 to 1: names of things do, verbs do not.
        self.subjects = {term: (as_thing[term] + 0.5) / (count + 2) for term, count in occurrences.items()}
        self.surface = {term: max(sorted(by), key=lambda words: by[words]) for term, by in written.items()}
        # The sum of each term's shares over all topics.
        self.total: Counter[Words] = Counter()
        for shares in self.shares:
            self.total.update(shares)

    def ranked(self, group: Sequence[int], surely: float = 0.0) -> list[Words]:
        """The terms that name the topics of a group, best first; of those that are things to at least ``surely``."""
        scores = {term: score for term, score in self._scores(group).items() if self.subjects[term] >= surely}
        return sorted(scores, key=lambda term: (-scores[term], term))

    def _scores(self, group: Sequence[int]) -> dict[Words, float]:
        """How well each term names the topics of ``group``: it occurs in many, and more often than elsewhere."""
        n_outside = len(self.shares) - len(set(group))
        scores = {}
        for term in set(chain.from_iterable(self.shares[t] for t in group)):
            topics = sum(term in self.shares[t] for t in group)
            if not is_common(topics, len(group)):
                continue
            mass = sum(self.shares[t].get(term, 0.0) for t in group)
            within, beyond = mass / len(group), max(0.0, self.total[term] - mass) / max(1, n_outside)
            if n_outside > len(group) and beyond > EVERYWHERE:
                continue
            lead = log((within + 0.01) / (beyond + 0.01))
            if lead > 0:
                pair = 1.5 if len(term) > 1 else 1.0
                scores[term] = round(within * (topics / len(group)) * lead * self.subjects[term] * pair, 9)
        return scores


def is_common(topics: int, of: int) -> bool:
    """Whether enough topics of a group mention a thing for it to name the group: two, or its only one."""
    return topics >= min(of, 2)


def apart(ranked: Sequence[Words], count: int = 4) -> list[Words]:
    """The first terms that share no word with one another."""
    chosen: list[Words] = []
    for term in ranked:
        if all(not set(term) & set(other) for other in chosen):
            chosen.append(term)
        if len(chosen) == count:
            break
    return chosen


def options(things: Sequence[str], joint: str) -> Iterator[str]:
    """Names of one, two or three things, best first."""
    for second in things[1:]:
        yield f"{things[0]} {joint} {second}"
    if things:
        yield things[0]
    if len(things) > 2:
        yield f"{things[0]}, {things[1]} {joint} {things[2]}"


def _shares(topic: Sequence[Sequence[Term]]) -> Mapping[Words, float]:
    """The share of a topic's questions that hold each term."""
    counted = Counter(chain.from_iterable(sorted({term for term, _, _ in question}) for question in topic))
    return {term: count / max(1, len(topic)) for term, count in counted.items()}
