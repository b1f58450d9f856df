"""The small words and set phrases of one language, as names of topics are cut and judged by them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from functools import cache, cached_property
from typing import Any

import Stemmer
from bm25s import stopwords

from lacuna.models.text.lexicon import VOCABULARY
from lacuna.models.text.words import STEMMERS

__all__ = ["LANGUAGES", "Language", "language_of", "language_of_words"]

ENOUGH_WORDS, SMALL_SHARE = 60, 0.15  # words that show which language a topic is in; the least share of small ones

Words = frozenset[str]


@dataclass(frozen=True, eq=False)
class Language:
    """The lists of one file of ``models/text/vocabulary``, which says what each holds, and sets made of them."""

    code: str
    lists: Mapping[str, Any]
    stop_words: Words
    determiners: Words
    prepositions: Words
    conjunctions: Words
    pronouns: Words
    subjects: Words
    objects: Words
    auxiliaries: Words
    negations: Words
    deniers: Words
    particles: Words
    closers: Words
    particle_verbs: Words
    after_verbs: Words
    no_adverbs: Words
    left_out: Words
    adverbs: Words
    times: Words
    spans: Words
    quantities: Words
    hanging: Words
    doing: Words
    joins: Words
    chatter: Words
    pointing: Words
    question_words: Words

    @classmethod
    def of(cls, code: str) -> Language:
        """The language of a code, by its file."""
        lists = VOCABULARY[code]
        own = {f.name: frozenset(lists.get(f.name, "").split()) for f in fields(cls)[2:]}
        common = lists.get("common")
        own["stop_words"] |= frozenset(getattr(stopwords, common) if common else ())
        return cls(code, lists, **own)

    def text(self, name: str, otherwise: str = "") -> str:
        """A text of the file."""
        return str(self.lists.get(name, otherwise))

    @cached_property
    def verb_last(self) -> bool:
        """Whether the verb of what one wants to do comes last."""
        return bool(self.lists.get("verb_last"))

    @cached_property
    def capital_nouns(self) -> bool:
        """Whether nouns have a capital."""
        return bool(self.lists.get("capital_nouns"))

    @cached_property
    def verbs_invert(self) -> bool:
        """Whether a verb that is no auxiliary may open a question."""
        return bool(self.lists.get("verbs_invert"))

    @cached_property
    def leaning(self) -> Words:
        """Words that need another one beside them."""
        return self.determiners | self.prepositions | self.conjunctions | self.auxiliaries | self.pronouns

    @cached_property
    def function(self) -> Words:
        """All small words of the grammar."""
        return self.leaning | self.negations

    @cached_property
    def vague(self) -> Words:
        """Words that alone name nothing."""
        small = self.function | self.adverbs | self.times | self.quantities
        return small | self.hanging | self.stop_words | self.chatter

    @cached_property
    def finite(self) -> Words:
        """Words that make a clause a statement: "is", "doesn't"."""
        without_verb = self.prepositions | self.determiners | {"no", "never", "nie", "nunca", "impossible", "imposible"}
        return (self.auxiliaries | self.negations) - without_verb - {"unable"}

    @cached_property
    def never_first(self) -> Words:
        """Words that open no name, unless it is a question."""
        return self.leaning | self.adverbs | self.hanging | self.times | self.chatter | self.deniers

    @cached_property
    def never_last(self) -> Words:
        """Words that close no name."""
        return self.function | self.adverbs | self.hanging | self.quantities | self.times | self.chatter

    @cached_property
    def after_a_name(self) -> Words:
        """Words before which a name may be cut off."""
        return (self.leaning - self.determiners - self.objects) | self.times | self.adverbs | self.negations

    @cached_property
    def never_second(self) -> Words:
        """Words that don't follow the verb that opens a question."""
        others = self.pronouns - self.subjects - self.pointing - self.determiners
        return self.auxiliaries | self.negations | self.adverbs | self.conjunctions | others

    @cached_property
    def after_things(self) -> Words:
        """Words before which the name of a thing ends."""
        return self.function | self.times | {"please"}

    @cached_property
    def not_in_things(self) -> Words:
        """Small words that the name of a thing does not hold."""
        return (self.function | self.adverbs | self.times) - self.joins

    @cached_property
    def openers(self) -> re.Pattern[str]:
        """What opens a message and says nothing of it."""
        return self._pattern("openers")

    @cached_property
    def leads(self) -> tuple[tuple[str, re.Pattern[str]], ...]:
        """How a customer leads up to what a name should say, and what follows: an action, a thing, or what is told."""
        kinds = {"action": "asks_for_action", "thing": "asks_for_thing", "tells": "tells"}
        return tuple((kind, self._pattern(name)) for kind, name in kinds.items())

    @cached_property
    def indirect(self) -> re.Pattern[str]:
        """The start of a question that is told, not asked."""
        return re.compile("|".join(self.lists.get("indirect") or [r"(?!)"]))

    @cached_property
    def points(self) -> re.Pattern[str]:
        """What points at something said before, with spaces around: small words that no noun can follow, and more."""
        words = "|".join(map(re.escape, sorted(self.pointing - self.determiners)))
        return re.compile("|".join([rf" (?:{words or '(?!)'}) ", *self.lists.get("pointing_patterns", ())]))

    def is_adverb(self, word: str) -> bool:
        """Whether a word has the ending of an adverb."""
        endings = tuple(self.text("adverb_endings").split())
        return bool(endings) and word.endswith(endings) and word not in self.no_adverbs

    @cached_property
    def broken(self) -> re.Pattern[str]:
        """What no name holds."""
        return re.compile("|".join(self.lists.get("broken") or [r"(?!)"]))

    def _pattern(self, name: str) -> re.Pattern[str]:
        return re.compile(rf"(?:{'|'.join(self.lists.get(name) or [r'(?!)'])})(?: |$)")

    def stem(self, word: str) -> str:
        """The stem of a folded word."""
        return _stem(self.code, word)


@cache
def _stemmer(code: str) -> Stemmer.Stemmer:
    return Stemmer.Stemmer(STEMMERS.get(code, "english"))


@cache
def _stem(code: str, word: str) -> str:
    return str(_stemmer(code).stemWord(word.replace("'s", "").replace("-", "")))


LANGUAGES = {code: Language.of(code) for code in VOCABULARY}
_SMALL = {code: language.function | language.adverbs for code, language in LANGUAGES.items()}
# Of each small word, the languages that have it.
_HAVING = {word: [code for code in _SMALL if word in _SMALL[code]] for word in frozenset[str]().union(*_SMALL.values())}


def language_of_words(words: Iterable[str], otherwise: Language | None = None) -> Language:
    """The language that has most of the folded ``words`` among its small ones; ``otherwise`` or English for none.

    Examples
    --------
    >>> language_of_words("comment changer le mot de passe".split()).code
    'fr'
    """
    scores: Counter[str] = Counter()
    for word in words:
        having = _HAVING.get(word, ())
        for code in having:
            scores[code] += 60 // len(having)
    if not scores:
        return otherwise or LANGUAGES["en"]
    preferred = otherwise.code if otherwise else "en"
    return LANGUAGES[max(sorted(scores), key=lambda code: (scores[code], code == preferred))]


def language_of(questions: Iterable[Sequence[str]]) -> Language | None:
    """The main language of a topic's questions, each as folded words; None where hardly any small word is of a list.

    A topic of few words is taken for English rather than for one that nobody has lists of.
    """
    words = [word for question in questions for word in question]
    language = language_of_words(words)
    small = _SMALL[language.code] | language.stop_words
    if len(words) >= ENOUGH_WORDS and sum(map(small.__contains__, words)) < SMALL_SHARE * len(words):
        return None
    return language
