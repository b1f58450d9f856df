"""Names of themes: the two things that their topics mention and other topics do not."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from math import log

from lacuna.models.arrays import Ints
from lacuna.models.text.clauses import Clause, clauses
from lacuna.models.text.lexicon import ADVERBS, DETERMINERS, DOING, HANGING, PREPOSITIONS, QUANTITIES, STOP_WORDS, TIMES
from lacuna.models.text.words import NAME_WORD, is_german, stem
from lacuna.models.topics.name_cleaning import spelling
from lacuna.models.topics.names import capital

__all__ = ["name_themes"]

Words = tuple[str, ...]
Term = tuple[Words, Words, bool]
QUESTIONS = 60  # sampled questions of each topic
EVERYWHERE = 0.2  # share of other topics' questions above which a term, such as a product's name, names no theme
_NO_NAME = STOP_WORDS | {"example", "beispiel", "unable", "wondering"} | ADVERBS | TIMES | QUANTITIES | HANGING | DOING


def name_themes(
    theme: Ints, texts: Sequence[Sequence[str]], known_names: Mapping[int, str] | None = None
) -> list[str | None]:
    """The name of each topic's theme, unique among themes: the two things that distinguish its topics from others.

    Parameters
    ----------
    theme
        int (topics,), as :func:`group_topics` gives it; −1 for none.
    texts
        The questions of each topic.
    known_names
        Names of themes from the run before (:func:`known_themes`), which are kept while their topics mention the things
        in them.

    Examples
    --------
    >>> import numpy as np
    >>> mail, bill = ["the filter for my inbox", "my inbox has no filter"], ["the invoice of my card", "a card invoice"]
    >>> name_themes(np.array([0, 0, 1, 1]), [mail, mail, bill, bill])
    ['Inbox and filter', 'Inbox and filter', 'Card and invoice', 'Card and invoice']
    """
    cut = [[clauses(text) for text in sorted(topic)[:: max(1, len(topic) // QUESTIONS)]] for topic in texts]
    written = spelling(chain.from_iterable(cut))
    terms = [[list(_terms(question)) for question in topic] for topic in cut]
    shares = [_shares(topic) for topic in terms]
    subjects = _subjects(terms)
    groups: dict[int, list[int]] = defaultdict(list)
    for topic, number in enumerate(theme.tolist()):
        if number >= 0:
            groups[number].append(topic)
    names = {k: name for k, name in (known_names or {}).items() if _fits(name, [shares[t] for t in groups[k]])}
    used = {name.casefold() for name in names.values()}
    surface = _surface(terms)
    for number in sorted(groups, key=lambda k: (-len(groups[k]), sorted(map(sorted, (texts[t] for t in groups[k]))))):
        if number in names:
            continue
        scores = _scores(groups[number], shares, subjects)
        ranked = sorted(scores, key=lambda term: (-scores[term], term))
        german = _mostly_german(chain.from_iterable(cut[t] for t in groups[number]))
        joint = " und " if german else " and "
        names_of_terms = [" ".join(written.get(w, w) for w in surface[term]) for term in _apart(ranked)]
        names[number] = next((name for name in _options(names_of_terms, joint) if name.casefold() not in used), "")
        if not names[number]:
            names[number] = _numbered("Other topics", used)
        used.add(names[number].casefold())
    return [names.get(k) for k in theme.tolist()]


def _terms(question: Sequence[Clause]) -> Iterator[Term]:
    """Words and pairs of words that could name a theme: stems, the words, and whether they follow a word like "the"."""
    for clause in question:
        german = is_german(clause.folded)
        for i, word in enumerate(clause.folded):
            if not _names_something(word):
                continue
            before = clause.folded[i - 1] if i else ""
            stands = before in DETERMINERS or before in PREPOSITIONS - {"to", "zu"}
            behind = clause.folded[i + 1] if i + 1 < len(clause.folded) else ""
            yield (stem(word, german),), (word,), stands and not _names_something(behind)
            if _names_something(behind) and behind != word:
                yield (stem(word, german), stem(behind, german)), (word, behind), stands


def _names_something(word: str) -> bool:
    return len(word) > 2 and word.replace("-", "").isalpha() and word not in _NO_NAME


def _shares(topic: Sequence[Sequence[Term]]) -> dict[Words, float]:
    """The share of a topic's questions that hold each term."""
    counted = Counter(chain.from_iterable(sorted({term for term, _, _ in question}) for question in topic))
    return {term: count / max(1, len(topic)) for term, count in counted.items()}


def _subjects(topics: Sequence[Sequence[Sequence[Term]]]) -> dict[Words, float]:
    """How often a term follows "the", "my", "in" and the like, 0 to 1: names of things do, verbs do not."""
    occurrences: Counter[Words] = Counter()
    as_thing: Counter[Words] = Counter()
    for question in chain.from_iterable(topics):
        for term, _, stands in question:
            occurrences[term] += 1
            as_thing[term] += stands
    return {term: (as_thing[term] + 0.5) / (count + 2) for term, count in occurrences.items()}


def _surface(topics: Sequence[Sequence[Sequence[Term]]]) -> dict[Words, Words]:
    """How each term is written most often."""
    spellings: dict[Words, Counter[Words]] = defaultdict(Counter)
    for question in chain.from_iterable(topics):
        for term, words, _ in question:
            spellings[term][words] += 1
    return {term: max(sorted(by), key=lambda words: by[words]) for term, by in spellings.items()}


def _scores(
    group: Sequence[int], shares: Sequence[dict[Words, float]], subjects: dict[Words, float]
) -> dict[Words, float]:
    """How well each term names the topics of ``group``: it occurs in many of them, and more often than elsewhere."""
    inside = set(group)
    outside = [t for t in range(len(shares)) if t not in inside]
    scores = {}
    for term in set(chain.from_iterable(shares[t] for t in group)):
        topics = sum(term in shares[t] for t in group)
        if not _is_common(topics, len(group)):
            continue
        within = sum(shares[t].get(term, 0.0) for t in group) / len(group)
        beyond = sum(shares[t].get(term, 0.0) for t in outside) / max(1, len(outside))
        if len(outside) > len(group) and beyond > EVERYWHERE:
            continue
        lead = log((within + 0.01) / (beyond + 0.01))
        if lead > 0:
            scores[term] = within * (topics / len(group)) * lead * subjects[term] * (1.5 if len(term) > 1 else 1.0)
    return scores


def _fits(name: str, topics: Sequence[Mapping[Words, float]]) -> bool:
    """Whether enough topics of a theme mention each thing in its name."""
    words = [word for word in NAME_WORD.findall(name.casefold()) if _names_something(word)]
    stems = [{(stem(word, german),) for german in (True, False)} for word in words]
    return all(_is_common(sum(not either.isdisjoint(shares) for shares in topics), len(topics)) for either in stems)


def _is_common(topics: int, of: int) -> bool:
    """Whether enough topics of a theme mention a thing for it to name the theme: two, or its only one."""
    return topics >= min(of, 2)


def _apart(ranked: Sequence[Words], count: int = 4) -> list[Words]:
    """The first terms that share no word with one another."""
    chosen: list[Words] = []
    for term in ranked:
        if all(not set(term) & set(other) for other in chosen):
            chosen.append(term)
        if len(chosen) == count:
            break
    return chosen


def _options(terms: Sequence[str], joint: str) -> Iterator[str]:
    for second in terms[1:]:
        yield capital(terms[0] + joint + second)
    if terms:
        yield capital(terms[0])
    if len(terms) > 2:
        yield capital(f"{terms[0]}, {terms[1]}{joint}{terms[2]}")


def _numbered(name: str, used: set[str]) -> str:
    number = 1
    while (numbered := name if number == 1 else f"{name} ({number})").casefold() in used:
        number += 1
    return numbered


def _mostly_german(questions: Iterator[Sequence[Clause]]) -> bool:
    pieces = [is_german(clause.folded) for question in questions for clause in question if len(clause.folded) > 3]
    return sum(pieces) * 5 > 2 * len(pieces)
