"""Names of topics: short phrases from customers' questions that name a problem, not lists of words."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from itertools import chain

from lacuna.models.arrays import F32
from lacuna.models.text.clauses import LONGEST, Clause, Phrase, clauses
from lacuna.models.text.lexicon import DETERMINERS, STOP_WORDS
from lacuna.models.text.words import stem
from lacuna.models.topics.name_cleaning import (
    SHORTEST_SHARED,
    corrections,
    question_counts,
    shared_sentences,
    spelling,
    without_shared,
)
from lacuna.models.topics.name_ranking import TopicQuestions, rank_by_meaning, rank_phrases

__all__ = ["capital", "examples", "label_topics"]


WITHOUT_QUESTION = "Messages without a question"


def label_topics(
    texts: Sequence[Sequence[str]],
    keywords: Sequence[Sequence[str]],
    embed: Callable[[Sequence[str]], F32] | None = None,
) -> list[str]:
    """One label a topic, unique among them, whatever the order of topics and questions.

    The label is a complete phrase from the questions that is near the topic's centroid, in words and in meaning, and
    that many of its questions and few others hold in the same or similar words. Where there is no such phrase, it is
    the most frequent sentence, cut to a label's length.

    Parameters
    ----------
    texts
        The questions of each topic.
    keywords
        The strongest words of each topic, best first; they make labels different that would otherwise be the same.
    embed
        Texts to float32 (texts, dim), rows of length 1; without it phrases are judged by their words alone.

    Examples
    --------
    >>> label_topics([["How do I set a new password?", "hi, set a new password please", "new password, how"]], [[]])
    ['Set a new password']
    """
    cut = [[clauses(text) for text in sorted(topic)] for topic in texts]
    spellings = corrections(question_counts(cut))
    cut = [[[c.corrected(spellings) for c in question] for question in topic] for topic in cut]
    idle = shared_sentences(cut)
    openings = frozenset(words[:SHORTEST_SHARED] for words in idle)
    cut = [[list(without_shared(question, idle, openings)) for question in topic] for topic in cut]
    topics = [TopicQuestions.of(topic) for topic in cut]
    spelt = spelling(chain.from_iterable(cut))
    written = question_counts(cut)
    where: dict[str, list[int]] = defaultdict(lambda: [0] * len(topics))
    for number, topic in enumerate(topics):
        for word_stem, count in Counter(chain.from_iterable(topic.stems)).items():
            where[word_stem][number] = count
    ranked = [rank_phrases(topic, number, topics, where, written) for number, topic in enumerate(topics)]
    if embed is not None:
        ranked = rank_by_meaning(ranked, texts, embed)
    labels = [""] * len(texts)
    used: set[str] = set()
    # Topics choose by the worth of their best phrase; ties are ordered by their texts.
    for number in sorted(range(len(texts)), key=lambda n: (-ranked[n][0][0] if ranked[n] else 0, sorted(texts[n]))):
        options = [_written(phrase, spelt) for _, phrase in ranked[number]]
        free = (option for option in options if _folded(option) not in used)
        label = next(free, None) or _shortened(cut[number], spelt)
        if _folded(label) in used:
            label = _make_unique([*options, label][0], keywords[number], used)
        labels[number] = label
        used.add(_folded(labels[number]))
    return labels


def _written(phrase: Phrase, spelt: dict[str, str]) -> str:
    text = " ".join(spelt.get(word, word) for word in phrase.words) + ("?" if phrase.asks else "")
    return capital(text)


def capital(text: str) -> str:
    """``text`` with a capital at its front, unless its first word has capitals of its own."""
    first = text.split(" ", 1)[0]
    return text if any(c.isupper() for c in first) else text[:1].upper() + text[1:]


def _shortened(questions: list[list[Clause]], spelt: dict[str, str]) -> str:
    """The most frequent sentence of the topic, cut to a label's length, for topics without a phrase."""
    counts: Counter[tuple[str, ...]] = Counter()
    for question in questions:
        for clause in question:
            words = tuple(word for word in clause.folded if "@" not in word and "/" not in word)
            if any(word not in STOP_WORDS for word in words):
                counts[words] += 1
    if not counts:
        return WITHOUT_QUESTION
    fits = {w: 0.4 if len(w) < 3 else 2.0 if len(w) <= LONGEST else 1.0 for w in counts}
    words = min(counts, key=lambda w: (-counts[w] * fits[w], len(w), w))
    text = " ".join(spelt.get(w, w) for w in words[:LONGEST]) + ("…" if len(words) > LONGEST else "")
    return capital(text) if len(words) > 2 else f"{WITHOUT_QUESTION}: “{text}”"


def _folded(label: str) -> str:
    """A key that labels share if they read the same: without determiners, case and endings."""
    return " ".join(stem(word) for word in label.casefold().strip("?").split() if word not in DETERMINERS)


def _make_unique(label: str, keywords: Sequence[str], used: set[str]) -> str:
    for keyword in keywords:
        if (
            keyword.isalpha()
            and keyword.casefold() not in label.casefold()
            and _folded(f"{label} ({keyword})") not in used
        ):
            return f"{label} ({keyword})"
    number = 2
    while _folded(f"{label} ({number})") in used:
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
