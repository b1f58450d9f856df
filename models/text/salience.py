"""Salience: the words that a gap's texts use more than other texts, and the sentences that hold these words."""

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

LEAST_DENSITY = 0.4  # least density of a sentence of a summary, as a share of the best sentence's
SHORT, LONG, SMALL = 6, 12, 0.15  # lengths in words; least share of stop words in a long sentence that is no log
SMOOTHING = 0.5
RATIO = 2.0  # least ratio of a word's frequency in these texts to that in others (lower end of its interval)
SURE = 1.645
ONCE = 8  # with fewer texts than this, a word of a single text may count

_PART = re.compile(r"[,:!]\s+|\s[–-]\s+")


def counted(texts: Iterable[str]) -> Counter[str]:
    """In how many of the texts each stem is."""
    return Counter(word for text in texts for word in stems(text))


@dataclass(frozen=True)
class Salience:
    """The stems that set some texts apart from all others.

    Attributes
    ----------
    weight
        By stem, the logarithm of the ratio of its frequency in these texts to that in the others, at the lower end of
        its interval; only stems whose ratio is at least :data:`RATIO`.
    """

    weight: Mapping[str, float]

    @classmethod
    def of(cls, inside: Sequence[str], everything: Mapping[str, int], total: int) -> Salience:
        """Weigh the stems of the texts ``inside`` against ``everything``: the counts by stem of all ``total`` texts.

        Examples
        --------
        >>> texts = ["customs fee? great shop", "customs stopped it", *["tent leaks", "great shop, pole broke"] * 9]
        >>> salience = Salience.of(texts[:2], counted(texts), len(texts))
        >>> sorted(salience.weight)
        ['custom', 'fee', 'stop']
        >>> salience.summary("Great shop. Customs wants a fee!")
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
        """The sum of the weights of a text's stems."""
        return sum(self.weight.get(word, 0.0) for word in sorted(stems(text)))

    def summary(self, text: str, length: int = 300) -> str:
        """The salient sentences of a text, in order; ``…`` stands for sentences left out between them."""
        sentences = [
            part.strip() for part in SHOWN_SENTENCE_END.split(CLOSING.sub("", text.strip())) if part and part.strip()
        ]
        densities = [self._density(sentence) for sentence in sentences]
        if not sentences or max(densities) <= 0:
            return " ".join(text.split())
        least = LEAST_DENSITY * max(densities)
        positions: list[int] = []
        for i in sorted(range(len(sentences)), key=lambda i: (-densities[i], i)):
            fits = sum(len(sentences[j]) + 1 for j in positions) + len(sentences[i]) <= length
            if densities[i] >= least and (fits or not positions):
                positions.append(i)
        summary = ""
        for before, i in zip([None, *sorted(positions)], sorted(positions), strict=False):
            gap = " … " if before is not None and i > before + 1 else " "
            summary += (gap if summary else "") + self._without_lead(sentences[i], first=not summary)
        return summary

    def _density(self, sentence: str) -> float:
        """The worth of a sentence relative to its length; 0 for a dump of settings or a log."""
        words = words_of(sentence)
        small = sum(word in STOP_WORDS for word in words)
        if len(words) > LONG and small < SMALL * len(words):
            return 0.0
        return self.worth(sentence) / max(SHORT, len(words)) ** 0.5

    def _without_lead(self, sentence: str, first: bool) -> str:
        """A first sentence without an opening that is not salient: a greeting, a name, "quick question"."""
        if not first:
            return sentence
        while (mark := _PART.search(sentence)) and mark.start() < len(sentence) / 2:
            lead, rest = sentence[: mark.start()], sentence[mark.end() :]
            if self.worth(lead) > 0 or len(lead.split()) > 6 or self.worth(rest) <= 0:
                break
            sentence = rest
        words = sentence.split()
        while len(words) > 3 and OPENERS.fullmatch(f"{words[0].casefold().strip(',.!:')} "):
            words = words[1:]
        return " ".join(words)
