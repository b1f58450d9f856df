"""Names of topics: short phrases from customers' questions that name a problem, not lists of words."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from itertools import chain, groupby

from lacuna.models.arrays import F32
from lacuna.models.text.clauses import Clause, clauses, joined
from lacuna.models.text.grammar import LANGUAGES, Language, language_of, language_of_words
from lacuna.models.text.phrases import LONGEST, Phrase, whole_phrase
from lacuna.models.topics.name_cleaning import (
    SHORTEST_SHARED,
    corrections,
    question_counts,
    shared_sentences,
    spelling,
    without_shared,
)
from lacuna.models.topics.name_keywords import Term, Things, apart, options, terms
from lacuna.models.topics.name_ranking import TopicQuestions, rank_by_meaning, rank_phrases

__all__ = ["capital", "examples", "label_topics"]

WITHOUT_QUESTION = LANGUAGES["en"].text("without_question")
A_THING = 0.25  # least share of a keyword's uses behind "the", "my" and the like
STILL_GOOD = 0.6  # least share of the best name's worth of one that is kept because people know it
COMPLETE = 0.45  # least completeness of a phrase that stands before a name made of keywords


def label_topics(
    texts: Sequence[Sequence[str]],
    keywords: Sequence[Sequence[str]],
    embed: Callable[[Sequence[str]], F32] | None = None,
    searched: Sequence[Mapping[str, int]] = (),
    before: Sequence[str | None] = (),
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
    searched
        What people who ask about each topic typed into the help center's search, and how often; none by default. A
        search is a name that somebody gave to the problem: it is judged as the phrases of the questions are.
    before
        What each topic was called before, or None: a name that is still about as good as the best one is kept.

    Examples
    --------
    >>> label_topics([["How do I set a new password?", "hi, set a new password please", "new password, how"]], [[]])
    ['Set a new password']
    """
    cut = [[clauses(text) for text in sorted(topic)] for topic in texts]
    spellings = corrections(question_counts(cut))
    cut = [[[c.corrected(spellings) for c in question] for question in topic] for topic in cut]
    languages = [language_of(c.folded for question in topic for c in question) for topic in cut]
    codes = [language.code if language else "en" for language in languages]
    cut = [[[c.fluent(k) for c in question] for question in topic] for topic, k in zip(cut, codes, strict=True)]
    idle = shared_sentences(cut)
    openings = frozenset(words[:SHORTEST_SHARED] for words in idle)
    cut = [[list(without_shared(question, idle, openings)) for question in topic] for topic in cut]
    topics = [TopicQuestions.of(topic, language) for topic, language in zip(cut, languages, strict=True)]
    spelt = {
        code: spelling(chain.from_iterable(topic for topic, k in zip(cut, codes, strict=True) if k == code), code)
        for code in sorted(set(codes))
    }
    written = question_counts(cut)
    where: dict[str, list[int]] = defaultdict(lambda: [0] * len(topics))
    for number, topic in enumerate(topics):
        for word_stem, count in Counter(chain.from_iterable(topic.stems)).items():
            where[word_stem][number] = count
    searches = [_search_phrases(counts, k) for counts, k in zip(searched or [{}] * len(topics), languages, strict=True)]
    for phrase, count in chain.from_iterable(counts.items() for counts in searches):
        written.update(dict.fromkeys(phrase.words, count))
    ranked = [
        rank_phrases(topic, number, topics, where, written, searches[number]) for number, topic in enumerate(topics)
    ]
    if embed is not None:
        ranked = rank_by_meaning(ranked, texts, embed)
    things = Things([_terms(topic) for topic in topics])
    labels = [""] * len(texts)
    used: set[str] = set()
    # Topics choose by the worth of their best phrase; ties are ordered by their texts.
    for number in sorted(range(len(texts)), key=lambda n: (-ranked[n][0][0] if ranked[n] else 0, sorted(texts[n]))):
        language, spelt_here = languages[number] or LANGUAGES["en"], spelt[codes[number]]
        whole = [_written(p, spelt_here, language) for _, p in ranked[number] if p.completeness >= COMPLETE]
        worth = dict(zip(whole, (score for score, p in ranked[number] if p.completeness >= COMPLETE), strict=True))
        known = before[number] if before else None
        if known in worth and worth[known] >= STILL_GOOD * worth[whole[0]]:
            whole = [known, *(name for name in whole if name != known)]
        parts = [_written(p, spelt_here, language) for _, p in ranked[number] if p.completeness < COMPLETE]
        of_keywords = _of_keywords(things, number, spelt_here, language) if languages[number] else []
        own = [*whole, *of_keywords, *parts]
        label = next((option for option in own if used.isdisjoint(_keys(option, language))), "")
        label = label or _shortened(cut[number], spelt_here, language)
        if not used.isdisjoint(_keys(label, language)):
            label = _make_unique([*own, label][0], keywords[number], used, language)
        labels[number] = label
        used |= _keys(label, language)
    return labels


def _search_phrases(searched: Mapping[str, int], language: Language | None) -> dict[Phrase, int]:
    """The searches in the topic's language that have the form of a name, and how often each was typed."""
    counts: dict[Phrase, int] = {}
    for query, count in searched.items():
        pieces = clauses(query)
        in_language = len(pieces) == 1 and language_of_words(pieces[0].folded, language) is language
        if language and in_language and (phrase := whole_phrase(pieces[0].folded, language)):
            counts[phrase] = count
    return counts


def _terms(topic: TopicQuestions) -> list[list[Term]]:
    """The things that each question mentions, of those in the topic's main language."""
    if topic.language is None:
        return []
    return [list(terms(topic.own(i), topic.language)) for i in range(len(topic.questions))]


def _written(phrase: Phrase, spelt: dict[str, str], language: Language) -> str:
    folded = [word for word in phrase.words if phrase.asks or word not in language.left_out]
    words = [spelt.get(word, word) for word in folded]
    if language.verb_last and phrase.kind == "action":
        words = _with_capital_nouns(words, folded, language)
        words[-1] = folded[-1]  # a verb, though the same word may be a noun elsewhere
        words = words[1:] if folded[0] in language.determiners and len(words) > 2 else words
    text = joined(words)
    if not phrase.asks:
        return capital(text)
    return language.text("question_opens") + capital(text) + language.text("question_closes", "?")


def _with_capital_nouns(words: list[str], folded: Sequence[str], language: Language) -> list[str]:
    """Capitals for the words between an article and the verb at the end, which are nouns."""
    noun = len(words) - 2
    if noun > 0 and folded[noun - 1] in language.determiners and folded[noun] not in language.vague:
        return [*words[:noun], words[noun][:1].upper() + words[noun][1:], words[-1]]
    return words


def _of_keywords(things: Things, number: int, spelt: dict[str, str], language: Language) -> list[str]:
    """Names of the things that the topic's questions mention: "Branch hours and locations"."""
    best = apart(things.ranked([number], A_THING))
    shown = [joined([spelt.get(word, word) for word in things.surface[term]]) for term in best]
    return [capital(name) for name in options(shown, language.text("joint", "+"))]


def capital(text: str) -> str:
    """``text`` with a capital at its front, unless its first word has capitals of its own."""
    first = text.split(" ", 1)[0]
    return text if any(c.isupper() for c in first) else text[:1].upper() + text[1:]


def _shortened(questions: list[list[Clause]], spelt: dict[str, str], language: Language) -> str:
    """The most frequent sentence of the topic, cut to a name's length, for topics without a phrase."""
    without_question = language.text("without_question", WITHOUT_QUESTION)
    counts: Counter[tuple[str, ...]] = Counter()
    for question in questions:
        for clause in question:
            kept = [word for word in clause.folded if "@" not in word and "/" not in word]
            words = tuple(word for word, _ in groupby(kept))  # what stood on both sides of an address
            if any(word not in language.stop_words for word in words):
                counts[words] += 1
    if not counts:
        return without_question
    fits = {w: 0.4 if len(w) < 3 else 2.0 if len(w) <= LONGEST else 1.0 for w in counts}
    words = min(counts, key=lambda w: (-counts[w] * fits[w], len(w), w))
    text = joined([spelt.get(w, w) for w in words[:LONGEST]]) + ("…" if len(words) > LONGEST else "")
    return capital(text) if len(words) > 2 else f"{without_question}: “{text}”"


def _keys(label: str, language: Language) -> set[str]:
    """Keys of which labels share one if they read the same: the label, and without determiners and endings."""
    words = label.casefold().strip("?¿ \u202f").split()
    return {label.casefold(), " ".join(language.stem(word) for word in words if word not in language.determiners)}


def _make_unique(label: str, keywords: Sequence[str], used: set[str], language: Language) -> str:
    """The label with a word behind it that no other topic's has, or a number."""
    short = " ".join(label.split()[: LONGEST - 1])
    words = [k for k in keywords if k.isalpha() and k.casefold() not in label.casefold()]
    for option in (f"{short} ({word})" for word in words):
        if used.isdisjoint(_keys(option, language)):
            return option
    number = 2
    while not used.isdisjoint(_keys(f"{short} ({number})", language)):
        number += 1
    return f"{short} ({number})"


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
