"""Which phrases of a topic's questions could name it, and how well each does, by its words and by its meaning."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from math import log, sqrt

import numpy as np

from lacuna.models.arrays import F32
from lacuna.models.text.clauses import Clause
from lacuna.models.text.grammar import LANGUAGES, Language, language_of_words
from lacuna.models.text.phrases import Phrase, phrases
from lacuna.models.text.vectors import unit

# Phrases are taken from the questions nearest a topic's middle, and weighed on a sample of a large topic.
NEAREST, WEIGHED, SHORTLIST = 80, 300, 40
MANY = 1000  # questions from which on a word that two of them hold may still be a typing error
COMPARED, LEAST_LIKENESS = 15, 0.05  # of the best, how many are compared in meaning; what stands for no likeness at all
BY_LENGTH = {2: 0.62, 3: 0.95, 4: 1.0, 5: 1.0, 6: 1.0, 7: 0.94, 8: 0.85}


@dataclass(frozen=True)
class TopicQuestions:
    """A topic's questions, each as clauses and as a set of stems, and their main language, where it has word lists."""

    questions: list[list[Clause]]
    stems: list[frozenset[str]]
    language: Language | None

    @classmethod
    def of(cls, questions: list[list[Clause]], language: Language | None) -> TopicQuestions:
        """Those of a topic that have a clause; of a large topic, a sample."""
        kept = [question for question in questions[:: sampling_step(questions)] if question]
        return cls(kept, [_stems(question, language or LANGUAGES["en"]) for question in kept], language)

    def own(self, i: int) -> list[Clause]:
        """The clauses of a question that are in the topic's main language."""
        return [c for c in self.questions[i] if language_of_words(c.folded, self.language) is self.language]


def sampling_step(questions: Sequence[object]) -> int:
    """The step at which questions of a large topic are sampled, so that about :data:`WEIGHED` remain."""
    return max(1, len(questions) // WEIGHED)


def _stems(question: list[Clause], language: Language) -> frozenset[str]:
    words = {word for clause in question for word in clause.folded}
    return frozenset(language.stem(word) for word in words - language.stop_words if len(word) > 1)


def rank_phrases(
    topic: TopicQuestions,
    number: int,
    topics: Sequence[TopicQuestions],
    where: dict[str, list[int]],
    written: Counter[str],
    searched: Mapping[Phrase, int],
) -> list[tuple[float, Phrase]]:
    """Phrases of a topic that could name it, and searches for it, best first, each with its score."""
    n, total = len(topic.stems), sum(len(t.stems) for t in topics)
    if not n or topic.language is None:
        return []
    rarity = {s: log((1 + total) / (1 + sum(where[s]))) + 0.1 for s in frozenset(chain.from_iterable(topic.stems))}
    middle: dict[str, float] = defaultdict(float)
    for stems in topic.stems:
        length = sqrt(sum(rarity[s] ** 2 for s in stems)) or 1.0
        for word_stem in stems:
            middle[word_stem] += rarity[word_stem] / length / n
    span = sqrt(sum(v**2 for v in middle.values())) or 1.0

    def near(stems: Iterable[str]) -> float:
        stems = [s for s in stems if s in rarity]
        length = sqrt(sum(rarity[s] ** 2 for s in stems))
        return sum(rarity[s] * middle[s] for s in stems) / (length * span) if length else 0.0

    order = sorted(range(n), key=lambda i: (-near(sorted(topic.stems[i])), i))
    best: dict[str, Phrase] = {}
    phrase_counts: Counter[str] = Counter()
    for i in order[:NEAREST]:
        here = {p.text: p for clause in topic.own(i) for p in phrases(clause, topic.language)}
        phrase_counts.update(here.keys())
        for text, phrase in here.items():
            if text not in best or phrase.completeness > best[text].completeness:
                best[text] = phrase
    for phrase, count in searched.items():
        phrase_counts[phrase.text] += count
        best[phrase.text] = phrase
    # A word that hardly anybody writes is a typing error or a name: another phrase is better, where there is one.
    clean = {text: p for text, p in best.items() if not _slips(p, written, total)}
    best = clean or best
    rough = {
        text: near(sorted(p.stems)) * _shape(p, written, total, topic.language) * (1 + 0.25 * log(phrase_counts[text]))
        for text, p in best.items()
    }
    short = sorted(best, key=lambda text: (-rough[text], text))[:SHORTLIST]
    others = np.arange(len(topics)) != number
    scores = {}
    for text in short:
        mass = sum(rarity.get(s, 0.0) for s in best[text].stems) or 1.0
        common = [best[text].stems & stems for stems in topic.stems]
        weight_of = {some: sum(rarity[s] for s in some) / mass for some in set(common)}
        shares = [weight_of[some] for some in common]
        inside = sum(share for share in shares if share >= 0.5) / n
        both = np.array([where[s] for s in best[text].stems])
        elsewhere = both.min(axis=0)[others].sum() / max(1, total - n) if len(both) else 0.0
        scores[text] = rough[text] * (0.1 + inside) ** 0.6 * (inside + 0.02) / (inside + elsewhere + 0.02)
    return [(scores[text], best[text]) for text in sorted(short, key=lambda text: (-scores[text], text))]


def rank_by_meaning(
    ranked: list[list[tuple[float, Phrase]]], texts: Sequence[Sequence[str]], embed: Callable[[Sequence[str]], F32]
) -> list[list[tuple[float, Phrase]]]:
    """Rank the best phrases of each topic by their score times their nearness to the meaning of its questions.

    Nearness is the cosine of phrase and topic centroid, less the means of all phrases and all centroids, so that what
    all topics have in common, such as the product's name, does not count.
    """
    phrase_texts = sorted({phrase.text for options in ranked for _, phrase in options[:COMPARED]})
    if len(texts) < 2 or not phrase_texts:
        return ranked
    some = [sorted(topic)[:: sampling_step(topic)] for topic in texts]
    question_vectors = embed(list(chain.from_iterable(some)))
    ends = np.cumsum([len(topic) for topic in some])[:-1]
    middles = np.array(
        [
            topic.mean(axis=0) if len(topic) else question_vectors.mean(axis=0)
            for topic in np.split(question_vectors, ends)
        ]
    )
    phrase_vectors = embed(phrase_texts)
    alike = unit(phrase_vectors - phrase_vectors.mean(axis=0)) @ unit(middles - middles.mean(axis=0)).T
    at = {text: row for row, text in enumerate(phrase_texts)}
    out = []
    for number, options in enumerate(ranked):
        near = [
            (score * max(LEAST_LIKENESS, round(float(alike[at[phrase.text], number]), 3)), phrase)
            for score, phrase in options[:COMPARED]
        ]
        out.append(sorted(near, key=lambda option: (-option[0], option[1].text)) + options[COMPARED:])
    return out


def _slips(phrase: Phrase, written: Counter[str], total: int) -> int:
    """The number of words that are likely typing errors: hardly any question of many holds them."""
    least = 3 if total >= MANY else 2 if total >= 30 else 0
    return sum(written[word] < least for word in phrase.words)


def _shape(phrase: Phrase, written: Counter[str], total: int, language: Language) -> float:
    """How well a phrase has the form of a name: complete, of three to seven words, without typing errors."""
    numbers = sum(word.isdigit() or word in language.quantities for word in phrase.words)
    bare = 0.7 if len(phrase.words) == 2 and phrase.kind != "action" else 1.0
    return (
        bare
        * phrase.completeness
        * BY_LENGTH[len(phrase.words)]
        * 0.15 ** _slips(phrase, written, total)
        * 0.85**numbers
    )
