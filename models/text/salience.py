"""What a gap's texts are about: the words that they use more than others do, and the sentences that carry them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import log

from lacuna.models.text.courtesies import CLOSING
from lacuna.models.text.lexicon import OPENERS, STOP_WORDS
from lacuna.models.text.words import SHOWN_SENTENCE_END, stems, words_of

__all__ = ["Salience", "counted"]

KEPT = 0.4  # of the best sentence's weight; a sentence below that says nothing about the matter
SHORT, LONG, SMALL = 6, 12, 0.15  # words; share of small words that what one person writes to another has
SMOOTHING = 0.5
RATIO = 2.0  # a word that these texts do not surely use twice as often as others tells nothing
SURE = 1.645
ONCE = 8  # texts; among fewer, what one of them says may count

_PART = re.compile(r"[,:!]\s+|\s[–-]\s+")


def counted(texts: Iterable[str]) -> Counter[str]:
    """In how many of the texts each stem is."""
    return Counter(found for text in texts for found in stems(text))


@dataclass(frozen=True)
class Salience:
    """What some texts are about, beside all others.

    Attributes
    ----------
    weight
        Of each stem: the logarithm of how many times more often these texts surely use it than the others do; only
        stems that they use at least twice as often.
    """

    weight: Mapping[str, float]

    @classmethod
    def of(cls, inside: Sequence[str], everything: Mapping[str, int], total: int) -> Salience:
        """Learn from the texts ``inside``, which are among ``total`` texts that have ``everything``, by stem.

        Examples
        --------
        >>> said = ["customs fee? great shop", "customs stopped it", *["tent leaks", "great shop, pole broke"] * 9]
        >>> matter = Salience.of(said[:2], counted(said), len(said))
        >>> sorted(matter.weight)
        ['custom', 'fee', 'stop']
        >>> matter.summary("Great shop. Customs wants a fee!")
        'Customs wants a fee!'
        """
        here, n = counted(inside), len(inside)
        rest = max(0, total - n)
        weight = {}
        for word, count in here.items():
            others = max(0, everything.get(word, count) - count)
            ratio = ((count + SMOOTHING) / (n + 1)) / ((others + SMOOTHING) / (rest + 1))
            surely = log(ratio) - SURE / count**0.5  # lower end of a 90 % interval: a count errs by its root
            if surely >= log(RATIO) and (count > 1 or n < ONCE):
                weight[word] = surely
        return cls(weight)

    def worth(self, text: str) -> float:
        """How much a text says about the matter: the weights of its stems, added up."""
        return sum(self.weight.get(word, 0.0) for word in sorted(stems(text)))

    def summary(self, text: str, length: int = 300) -> str:
        """The sentences of a text that are about the matter, in order; what is left out between them shows as ``…``."""
        sentences = [
            part.strip() for part in SHOWN_SENTENCE_END.split(CLOSING.sub("", text.strip())) if part and part.strip()
        ]
        worth = [self._density(sentence) for sentence in sentences]
        if not sentences or max(worth) <= 0:
            return " ".join(text.split())
        least = KEPT * max(worth)
        chosen: list[int] = []
        for i in sorted(range(len(sentences)), key=lambda i: (-worth[i], i)):
            fits = sum(len(sentences[j]) + 1 for j in chosen) + len(sentences[i]) <= length
            if worth[i] >= least and (fits or not chosen):
                chosen.append(i)
        told = ""
        for before, i in zip([None, *sorted(chosen)], sorted(chosen), strict=False):
            gap = " … " if before is not None and i > before + 1 else " "
            told += (gap if told else "") + self._without_lead(sentences[i], first=not told)
        return told

    def _density(self, sentence: str) -> float:
        """How much a sentence says for its length; a dump of settings or a log says nothing."""
        words = words_of(sentence)
        small = sum(word in STOP_WORDS for word in words)
        if len(words) > LONG and small < SMALL * len(words):
            return 0.0
        return self.worth(sentence) / max(SHORT, len(words)) ** 0.5

    def _without_lead(self, sentence: str, first: bool) -> str:
        """A sentence without what opens it and says nothing: a greeting, a name, "quick question"."""
        if not first:
            return sentence
        while (found := _PART.search(sentence)) and found.start() < len(sentence) / 2:
            lead, rest = sentence[: found.start()], sentence[found.end() :]
            if self.worth(lead) > 0 or len(lead.split()) > 6 or self.worth(rest) <= 0:
                break
            sentence = rest
        words = sentence.split()
        while len(words) > 3 and OPENERS.fullmatch(f"{words[0].casefold().strip(',.!:')} "):
            words = words[1:]
        return " ".join(words)
