"""Clean customers' sentences before topics are named: courtesies removed, typing errors corrected, spelling counted."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from functools import lru_cache
from itertools import chain

from lacuna.models.text.clauses import Clause
from lacuna.models.text.grammar import LANGUAGES, Language
from lacuna.models.text.lexicon import APOSTROPHES
from lacuna.models.text.words import stem

EVERYWHERE, EVERYWHERE_SHARE = (
    4,
    0.02,
)  # least number and share of topics that hold a sentence word for word: a courtesy
SHORTEST_SHARED = 3  # least words of such a sentence that is cut out where no punctuation sets it off
SLIP = 8  # least ratio of a word's count to that of its possible misspelling
COMMON_SLIP = 100  # the same for a misspelling that more than three make
SHORT_SLIP, SHORT_SLIP_LENGTH = 30, 4  # the same for a shorter word that was typed too fast: "haave", "todya"
ABBREVIATION, CAPITALS = 4, 0.25  # most letters of an abbreviation; least share of those who write it in capitals
SHORTEST_NOUN = 5  # least letters of a noun that ends a longer one
SLIP_LENGTH = 6  # least letters of a word that is corrected; shorter ones are too often other words


def shared_sentences(topics: list[list[list[Clause]]]) -> set[tuple[str, ...]]:
    """Sentences that customers write about anything, such as "sorry if this is a silly question"."""
    by_topic: dict[tuple[str, ...], Counter[int]] = defaultdict(Counter)
    for number, topic in enumerate(topics):
        for question in topic:
            for words in {clause.folded for clause in question}:
                by_topic[words][number] += 1
    least = max(EVERYWHERE, EVERYWHERE_SHARE * len(topics))
    return {w for w, by in by_topic.items() if len(by) >= least and max(by.values()) <= 0.75 * sum(by.values())}


def without_shared(
    question: Sequence[Clause], idle: set[tuple[str, ...]], openings: frozenset[tuple[str, ...]]
) -> Iterator[Clause]:
    """The clauses of a question without the sentences of ``idle``; ``openings`` are the first words of these."""
    for clause in question:
        if clause.folded in idle:
            continue
        start, i, n = 0, 0, len(clause.folded)
        while i <= n - SHORTEST_SHARED:
            if clause.folded[i : i + SHORTEST_SHARED] not in openings:
                i += 1
                continue
            length = next((m for m in range(n - i, SHORTEST_SHARED - 1, -1) if clause.folded[i : i + m] in idle), 0)
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


def question_counts(topics: Iterable[Iterable[Iterable[Clause]]]) -> Counter[str]:
    """The number of questions that hold each word."""
    return Counter(
        word for question in chain.from_iterable(topics) for word in {w for clause in question for w in clause.folded}
    )


def corrections(written: Counter[str]) -> dict[str, str]:
    """The likely correction of each rare word: a common word that differs from it by one typing error."""
    near: dict[str, list[str]] = defaultdict(list)
    for word in sorted(written):
        if written[word] >= SLIP and len(word) >= SHORT_SLIP_LENGTH - 1:
            for shorter in _shorter(word):
                near[shorter].append(word)
    corrected = {}
    for word, count in written.items():
        if len(word) < SHORT_SLIP_LENGTH:
            continue
        short = len(word) < SLIP_LENGTH
        least = COMMON_SLIP if count > 3 else SHORT_SLIP if short else SLIP
        alike = {
            other
            for shorter in _shorter(word)
            for other in near[shorter]
            if written[other] >= least * count
            and (_one_typo_apart(word, other) if not short else _slipped(word, other))
            and stem(other) != stem(word)
        }
        if alike:
            corrected[word] = max(sorted(alike), key=lambda w: written[w])
    return corrected


def _shorter(word: str) -> set[str]:
    return {word, *(word[:i] + word[i + 1 :] for i in range(len(word)))}


def _one_typo_apart(word: str, other: str) -> bool:
    """Whether one letter is wrong, missing, too many, or changed places with the next."""
    if word[0] != other[0]:
        return False
    if len(word) != len(other):
        return True  # they share a shorter form
    differ = [i for i, (a, b) in enumerate(zip(word, other, strict=True)) if a != b]
    return len(differ) == 1 or (len(differ) == 2 and word[differ[0]] == other[differ[1]] and differ[1] - differ[0] == 1)


def _slipped(word: str, other: str) -> bool:
    """Whether two letters changed places, or one was typed twice; what no two words of a language differ by."""
    if len(word) == len(other):
        return _one_typo_apart(word, other) and sorted(word) == sorted(other)
    doubled = (word[:i] + word[i + 1 :] for i in range(1, len(word)) if word[i] == word[i - 1])
    return len(word) == len(other) + 1 and word[0] == other[0] and other in doubled


def spelling(questions: Iterable[list[Clause]], code: str = "en") -> dict[str, str]:
    """How customers most often write a word that is not the first of its sentence: "IMAP", "Thunderbird"."""
    written: Counter[tuple[str, str]] = Counter()
    for question in questions:
        if all(word.islower() or word == "I" for clause in question for word in clause.words):
            continue  # a question without any capitals is no evidence of spelling
        for clause in question:
            if sum(map(_capital, clause.words)) > 0.6 * len(clause.words) and len(clause.words) > 2:
                continue  # a shout, or a headline
            written.update(zip(clause.words[clause.opens :], clause.folded[clause.opens :], strict=True))
    forms: dict[str, Counter[str]] = defaultdict(Counter)
    for (word, folded), times in written.items():
        forms[folded][word] = times
    best = {folded: _best_form(by) for folded, by in forms.items()}
    best = {folded: folded if word.isupper() and len(word) > 5 else word for folded, word in best.items()}
    best = {folded: APOSTROPHES.get(word, word) for folded, word in best.items()}
    language = LANGUAGES[code]
    small = language.prepositions | language.conjunctions | language.particles | language.adverbs
    best = {folded: folded if folded in small else word for folded, word in best.items()}
    if language.capital_nouns:
        best |= _nouns(best, language)
    return best | {
        word.casefold(): word
        for word in str(language.lists.get("capitals", "")).split()
        if best.get(word.casefold(), "").islower() or word.casefold() not in best
    }


def _best_form(by: Counter[str]) -> str:
    """The most frequent form, or an abbreviation in capitals that many write small: "PDF"."""
    for form in sorted(by):
        if form.isupper() and 2 <= len(form) <= ABBREVIATION and by[form] >= max(2, CAPITALS * by.total()):
            return form
    return max(sorted(by), key=lambda word: by[word])


def _nouns(best: dict[str, str], language: Language) -> dict[str, str]:
    """Capitals for nouns written small: those with a noun's ending, or whose last part is a noun elsewhere."""
    endings = tuple(str(language.lists.get("noun_endings", "")).split())
    nouns = {folded for folded, word in best.items() if word[0].isupper() and len(folded) >= SHORTEST_NOUN}
    small = [folded for folded, word in best.items() if word == folded and len(folded) > SHORTEST_NOUN]
    return {
        word: word[0].upper() + word[1:]
        for word in small
        if (endings and word.endswith(endings))
        or any(word[i:] in nouns for i in range(3, len(word) - SHORTEST_NOUN + 1))
    }


@lru_cache(maxsize=200_000)
def _capital(word: str) -> bool:
    return word[0].isupper()
