"""Names for topics that a person would write on a folder: a customer's problem, not a list of words."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import chain
from math import log, sqrt

import numpy as np

from lacuna.models.arrays import F32
from lacuna.models.retrieval.article_match import unit
from lacuna.models.text.clauses import LONGEST, Clause, Phrase, clauses, is_german, phrases, stem
from lacuna.models.text.lexicon import APOSTROPHES, DETERMINERS, PREPOSITIONS, PRONOUNS, STOP_WORDS

__all__ = ["STOP_WORDS", "capital", "examples", "label_topics", "spelling"]


# Phrases are taken from the questions nearest a topic's middle, and weighed on a sample of a large topic.
NEAREST, WEIGHED, SHORTLIST = 80, 300, 40
MEANT, LEAST_MEANT = 15, 0.05  # of the best, how many are compared in meaning; what stands for no likeness at all
EVERYWHERE, EVERYWHERE_SHARE = 4, 0.02  # topics that hold the very same sentence: it is manners, not matter
BY_LENGTH = {2: 0.62, 3: 0.95, 4: 1.0, 5: 1.0, 6: 1.0, 7: 0.94, 8: 0.85, 9: 0.8, 10: 0.75}
MANNERS = 3  # words of such a sentence that is cut out where no mark sets it off
SLIP = 8  # times that a word is more common than what may be a slip of the pen for it
SLIP_LENGTH = 6  # letters; shorter words are too often words of their own
ENOUGH_WORDS, SMALL_SHARE = 60, 0.15  # words of a topic that show its language; small ones among them
NOTHING_SAID = "Messages without a question"


def label_topics(
    texts: Sequence[Sequence[str]],
    keywords: Sequence[Sequence[str]],
    embed: Callable[[Sequence[str]], F32] | None = None,
) -> list[str]:
    """One label a topic, unique among them, whatever the order of topics and questions.

    A phrase from the questions that stands near the topic's middle, in words and in meaning, that many of its questions
    say in these or like words and few others do, and that is a whole thought. Where no phrase will do, the shortest
    telling question.

    Parameters
    ----------
    texts
        The questions of each topic.
    keywords
        The strongest words of each topic, best first; they tell topics apart whose labels would else be the same.
    embed
        Texts to float32 (texts, dim), rows of length 1; without it phrases are judged by their words alone.

    Examples
    --------
    >>> label_topics([["How do I set a new password?", "hi, set a new password please", "new password, how"]], [[]])
    ['Set a new password']
    """
    cut = [[clauses(text) for text in sorted(topic)] for topic in texts]
    meant = _corrections(_written_in(cut))
    cut = [[[c.corrected(meant) for c in question] for question in topic] for topic in cut]
    idle = _manners(cut)
    openings = frozenset(words[:MANNERS] for words in idle)
    cut = [[list(_without(question, idle, openings)) for question in topic] for topic in cut]
    topics = [_Topic.of(topic) for topic in cut]
    spelt = spelling(chain.from_iterable(cut))
    written = _written_in(cut)
    where: dict[str, list[int]] = defaultdict(lambda: [0] * len(topics))
    for number, topic in enumerate(topics):
        for found, count in Counter(chain.from_iterable(topic.stems)).items():
            where[found][number] = count
    ranked = [_ranked(topic, number, topics, where, written) for number, topic in enumerate(topics)]
    if embed is not None:
        ranked = _by_meaning(ranked, texts, embed)
    labels = [""] * len(texts)
    taken: set[str] = set()
    # The surest claim is served first; equal claims by what the topics say.
    for number in sorted(range(len(texts)), key=lambda n: (-ranked[n][0][0] if ranked[n] else 0, sorted(texts[n]))):
        options = [_written(phrase, spelt) for _, phrase in ranked[number]]
        free = (option for option in options if _folded(option) not in taken)
        label = next(free, None) or _shortened(cut[number], spelt)
        if _folded(label) in taken:
            label = _told_apart([*options, label][0], keywords[number], taken)
        labels[number] = label
        taken.add(_folded(labels[number]))
    return labels


SMALL = STOP_WORDS | DETERMINERS | PREPOSITIONS | PRONOUNS


@dataclass(frozen=True)
class _Topic:
    """A topic's questions: clauses, stems, and the weight of each stem in its middle."""

    questions: list[list[Clause]]
    stems: list[frozenset[str]]

    @classmethod
    def of(cls, questions: list[list[Clause]]) -> _Topic:
        kept = [question for question in questions[:: _step(questions)] if question]
        return cls(kept, [frozenset(chain.from_iterable(map(_stems, question))) for question in kept])


def _step(questions: Sequence[object]) -> int:
    """Every how many questions one is taken of a large topic, so that about as many as it is weighed by are."""
    return max(1, len(questions) // WEIGHED)


def _stems(clause: Clause) -> Iterator[str]:
    german = is_german(clause.folded)
    return (stem(word, german) for word in clause.folded if word not in STOP_WORDS and len(word) > 1)


def _manners(topics: list[list[list[Clause]]]) -> set[tuple[str, ...]]:
    """Sentences that customers write about anything, such as "sorry if this is a silly question"."""
    seen: dict[tuple[str, ...], Counter[int]] = defaultdict(Counter)
    for number, topic in enumerate(topics):
        for question in topic:
            for words in {clause.folded for clause in question}:
                seen[words][number] += 1
    least = max(EVERYWHERE, EVERYWHERE_SHARE * len(topics))
    return {w for w, by in seen.items() if len(by) >= least and max(by.values()) <= 0.75 * sum(by.values())}


def _without(
    question: Sequence[Clause], idle: set[tuple[str, ...]], openings: frozenset[tuple[str, ...]]
) -> Iterator[Clause]:
    """The clauses of a question, cut where a sentence of manners stands in them; ``openings`` are their first words."""
    for clause in question:
        if clause.folded in idle:
            continue
        start, i, n = 0, 0, len(clause.folded)
        while i <= n - MANNERS:
            if clause.folded[i : i + MANNERS] not in openings:
                i += 1
                continue
            length = next((m for m in range(n - i, MANNERS - 1, -1) if clause.folded[i : i + m] in idle), 0)
            if length:
                if i > start:
                    yield replace(clause, words=clause.words[start:i], folded=clause.folded[start:i])
                start = i = i + length
            else:
                i += 1
        if not start:
            yield clause
        elif start < n:
            yield replace(clause, words=clause.words[start:], folded=clause.folded[start:])


def _written_in(topics: Iterable[Iterable[Iterable[Clause]]]) -> Counter[str]:
    """In how many questions each word stands."""
    return Counter(
        word for question in chain.from_iterable(topics) for word in {w for clause in question for w in clause.folded}
    )


def _corrections(written: Counter[str]) -> dict[str, str]:
    """What a rare word was likely meant to be: a common one that differs from it by one slip of the pen."""
    near: dict[str, list[str]] = defaultdict(list)
    for word in sorted(written):
        if written[word] >= SLIP and len(word) >= SLIP_LENGTH - 1:
            for shorter in _shorter(word):
                near[shorter].append(word)
    found = {}
    for word, count in written.items():
        if count > 3 or len(word) < SLIP_LENGTH:
            continue
        alike = {
            other
            for shorter in _shorter(word)
            for other in near[shorter]
            if written[other] >= SLIP * count and _one_slip(word, other) and stem(other) != stem(word)
        }
        if alike:
            found[word] = max(sorted(alike), key=lambda w: written[w])
    return found


def _shorter(word: str) -> set[str]:
    return {word, *(word[:i] + word[i + 1 :] for i in range(len(word)))}


def _one_slip(word: str, other: str) -> bool:
    """Whether one letter is wrong, missing, too many, or changed places with the next."""
    if word[0] != other[0]:
        return False
    if len(word) != len(other):
        return True  # they share a shorter form
    differ = [i for i, (a, b) in enumerate(zip(word, other, strict=True)) if a != b]
    return len(differ) == 1 or (len(differ) == 2 and word[differ[0]] == other[differ[1]] and differ[1] - differ[0] == 1)


def _ranked(
    topic: _Topic, number: int, topics: Sequence[_Topic], where: dict[str, list[int]], written: Counter[str]
) -> list[tuple[float, Phrase]]:
    """Phrases of a topic that could name it, best first, each with its worth."""
    n, total = len(topic.stems), sum(len(t.stems) for t in topics)
    if not n or _unknown_language(topic):
        return []
    rarity = {s: log((1 + total) / (1 + sum(where[s]))) + 0.1 for s in frozenset(chain.from_iterable(topic.stems))}
    middle: dict[str, float] = defaultdict(float)
    for stems in topic.stems:
        length = sqrt(sum(rarity[s] ** 2 for s in stems)) or 1.0
        for found in stems:
            middle[found] += rarity[found] / length / n
    span = sqrt(sum(v**2 for v in middle.values())) or 1.0

    def near(stems: Iterable[str]) -> float:
        stems = [s for s in stems if s in rarity]
        length = sqrt(sum(rarity[s] ** 2 for s in stems))
        return sum(rarity[s] * middle[s] for s in stems) / (length * span) if length else 0.0

    order = sorted(range(n), key=lambda i: (-near(sorted(topic.stems[i])), i))
    best: dict[str, Phrase] = {}
    said: Counter[str] = Counter()
    for i in order[:NEAREST]:
        here = {p.text: p for clause in topic.questions[i] for p in phrases(clause)}
        said.update(here.keys())
        for text, phrase in here.items():
            if text not in best or phrase.whole > best[text].whole:
                best[text] = phrase
    rough = {
        text: near(sorted(p.stems)) * _shape(p, written, total) * (1 + 0.25 * log(said[text]))
        for text, p in best.items()
    }
    short = sorted(best, key=lambda text: (-rough[text], text))[:SHORTLIST]
    others = np.arange(len(topics)) != number
    worth = {}
    for text in short:
        mass = sum(rarity.get(s, 0.0) for s in best[text].stems) or 1.0
        common = [best[text].stems & stems for stems in topic.stems]
        worth_of = {some: sum(rarity[s] for s in some) / mass for some in set(common)}
        shares = [worth_of[some] for some in common]
        inside = sum(share for share in shares if share >= 0.5) / n
        both = np.array([where[s] for s in best[text].stems])
        elsewhere = both.min(axis=0)[others].sum() / max(1, total - n) if len(both) else 0.0
        worth[text] = rough[text] * sqrt(0.1 + inside) * (inside + 0.02) / (inside + elsewhere + 0.02)
    return [(worth[text], best[text]) for text in sorted(short, key=lambda text: (-worth[text], text))]


def _by_meaning(
    ranked: list[list[tuple[float, Phrase]]], texts: Sequence[Sequence[str]], embed: Callable[[Sequence[str]], F32]
) -> list[list[tuple[float, Phrase]]]:
    """The best phrases of each topic by their worth and by how near they come to what its questions mean.

    Nearness is the cosine of phrase and middle, each against the mean of all topics' phrases and middles: what all
    topics have in common, such as the product's name, brings a phrase near to none of them.
    """
    said = sorted({phrase.text for options in ranked for _, phrase in options[:MEANT]})
    if len(texts) < 2 or not said:
        return ranked
    some = [sorted(topic)[:: _step(topic)] for topic in texts]
    asked = embed(list(chain.from_iterable(some)))
    ends = np.cumsum([len(topic) for topic in some])[:-1]
    middles = np.array([topic.mean(axis=0) if len(topic) else asked.mean(axis=0) for topic in np.split(asked, ends)])
    meant = embed(said)
    alike = unit(meant - meant.mean(axis=0)) @ unit(middles - middles.mean(axis=0)).T
    at = {text: row for row, text in enumerate(said)}
    out = []
    for number, options in enumerate(ranked):
        near = [
            (worth * max(LEAST_MEANT, round(float(alike[at[phrase.text], number]), 3)), phrase)
            for worth, phrase in options[:MEANT]
        ]
        out.append(sorted(near, key=lambda option: (-option[0], option[1].text)) + options[MEANT:])
    return out


def _unknown_language(topic: _Topic) -> bool:
    """Whether hardly a word is one of the small ones that English and German sentences are held together by."""
    words = [word for question in topic.questions for clause in question for word in clause.folded]
    return len(words) >= ENOUGH_WORDS and sum(word in SMALL for word in words) < SMALL_SHARE * len(words)


def _shape(phrase: Phrase, written: Counter[str], total: int) -> float:
    """How much a phrase looks like a label: whole, three to seven words, none of them a slip of the pen."""
    slips = sum(written[word] < 2 for word in phrase.words) if total >= 30 else 0
    numbers = sum(word.isdigit() for word in phrase.words)
    return phrase.whole * BY_LENGTH[len(phrase.words)] * 0.15**slips * 0.85**numbers


def spelling(questions: Iterable[list[Clause]]) -> dict[str, str]:
    """How customers most often write a word that is not the first of its sentence: "IMAP", "Thunderbird"."""
    written: Counter[tuple[str, str]] = Counter()
    for question in questions:
        if all(word.islower() or word == "I" for clause in question for word in clause.words):
            continue  # who writes no capital at all says nothing about where they belong
        for clause in question:
            if sum(map(_capital, clause.words)) > 0.6 * len(clause.words) and len(clause.words) > 2:
                continue  # a shout, or a headline
            written.update(zip(clause.words[clause.opens :], clause.folded[clause.opens :], strict=True))
    seen: dict[str, Counter[str]] = defaultdict(Counter)
    for (word, folded), times in written.items():
        seen[folded][word] = times
    best = {folded: max(sorted(by), key=lambda w: by[w]) for folded, by in seen.items()}
    best = {folded: folded if word.isupper() and len(word) > 5 else word for folded, word in best.items()}
    return {folded: APOSTROPHES.get(word, word) for folded, word in best.items()} | {"i": "I"}


@lru_cache(maxsize=200_000)
def _capital(word: str) -> bool:
    return word[0].isupper()


def _written(phrase: Phrase, spelt: dict[str, str]) -> str:
    text = " ".join(spelt.get(word, word) for word in phrase.words) + ("?" if phrase.asks else "")
    return capital(text)


def capital(text: str) -> str:
    """``text`` with a capital at its front, unless its first word has capitals of its own."""
    first = text.split(" ", 1)[0]
    return text if any(c.isupper() for c in first) else text[:1].upper() + text[1:]


def _shortened(questions: list[list[Clause]], spelt: dict[str, str]) -> str:
    """The sentence that most customers of the topic write, cut to a label's length: no phrase stands for it."""
    said: Counter[tuple[str, ...]] = Counter()
    for question in questions:
        for clause in question:
            words = tuple(word for word in clause.folded if "@" not in word and "/" not in word)
            if any(word not in STOP_WORDS for word in words):
                said[words] += 1
    if not said:
        return NOTHING_SAID
    fits = {w: 0.4 if len(w) < 3 else 2.0 if len(w) <= LONGEST else 1.0 for w in said}
    words = min(said, key=lambda w: (-said[w] * fits[w], len(w), w))
    text = " ".join(spelt.get(w, w) for w in words[:LONGEST]) + ("…" if len(words) > LONGEST else "")
    return capital(text) if len(words) > 2 else f"{NOTHING_SAID}: “{text}”"


def _folded(label: str) -> str:
    """What makes two labels the same to a reader: articles, case and endings do not count."""
    return " ".join(stem(word) for word in label.casefold().strip("?").split() if word not in DETERMINERS)


def _told_apart(label: str, keywords: Sequence[str], taken: set[str]) -> str:
    for keyword in keywords:
        if (
            keyword.isalpha()
            and keyword.casefold() not in label.casefold()
            and _folded(f"{label} ({keyword})") not in taken
        ):
            return f"{label} ({keyword})"
    number = 2
    while _folded(f"{label} ({number})") in taken:
        number += 1
    return f"{label} ({number})"


def examples(texts: Sequence[str], closeness: Sequence[float], count: int = 3) -> list[int]:
    """Positions of the most telling questions: near the middle of the topic, of readable length, no two alike."""
    order = sorted(
        range(len(texts)), key=lambda i: (-closeness[i] - (0.1 if 6 <= len(texts[i].split()) <= 45 else 0), i)
    )
    chosen: list[int] = []
    for i in order:
        words = set(texts[i].lower().split())
        if all(len(words & set(texts[j].lower().split())) < 0.7 * len(words) for j in chosen):
            chosen.append(i)
        if len(chosen) == count:
            break
    return chosen
