"""Names for topics that a person would write on a folder: a phrase that customers use, not a list of words."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from math import log

from bm25s.stopwords import STOPWORDS_EN_PLUS, STOPWORDS_GERMAN

STOP_WORDS = frozenset(STOPWORDS_EN_PLUS) | frozenset(STOPWORDS_GERMAN) | {
    "am", "can", "cannot", "could", "do", "does", "doing", "ein", "eine", "get", "getting", "got", "has", "hat",
    "have", "hello", "hi", "how", "ich", "just", "know", "like", "mein", "meine", "my", "need", "now", "one", "please",
    "question", "really", "still", "thank", "thanks", "thing", "things", "this", "try", "trying", "use", "using",
    "want", "way", "would", "bitte", "danke", "hallo", "help", "hilfe", "also", "when", "since", "anyone", "someone",
}  # fmt: skip
# Small words that may stand inside a phrase, or carry its sense at the front.
_NEGATIONS = {"not", "no", "never", "without", "can't", "won't", "doesn't", "isn't", "kein", "keine", "nicht", "ohne"}
_PRONOUN = re.compile(r"(?:i|you|he|she|it|we|they|there|that|here|what|who|how|where|let)'\w+$")
_PIECE = re.compile(r"[.!?;:,()\n\"“”…]+")
_WORD = re.compile(r"[^\W_][\w'’.-]*[^\W_]|[^\W_]")
MAX_WORDS = 5


def phrases(text: str) -> set[str]:
    """Phrases of two to five words in ``text`` that begin and end with a word of weight.

    Examples
    --------
    >>> sorted(phrases("My tent pole snapped"))
    ['pole snapped', 'tent pole', 'tent pole snapped']
    """
    found = set()
    for piece in _PIECE.split(text.lower().replace("’", "'")):
        words = _WORD.findall(piece)
        for start in range(len(words)):
            if not _weighty(words[start]) and words[start] not in _NEGATIONS:
                continue
            for length in range(2, MAX_WORDS + 1):
                part = words[start : start + length]
                if len(part) == length and _weighty(part[-1]) and sum(map(_weighty, part)) >= 2:
                    found.add(" ".join(part))
    return found


def _weighty(word: str) -> bool:
    small = word in STOP_WORDS or word in _NEGATIONS or len(word) < 3 or _PRONOUN.match(word) is not None
    return not small and not word[0].isdigit()


def label_topics(texts: Sequence[Sequence[str]], keywords: Sequence[Sequence[str]]) -> list[str]:
    """One label a topic, unique among them.

    The phrase that many of the topic's questions share and few of the others' do; where questions share no phrase,
    the topic's strongest words.

    Parameters
    ----------
    texts
        The questions of each topic.
    keywords
        The strongest words of each topic, best first.
    """
    counts = [Counter(phrase for text in topic for phrase in phrases(text)) for topic in texts]
    overall: Counter[str] = Counter()
    for count in counts:
        overall.update(count)
    total = max(1, sum(len(topic) for topic in texts))
    taken: set[str] = set()
    labels = []
    for topic, count, words in zip(texts, counts, keywords, strict=True):
        label = next((p for p in _ranked(topic, count, overall, total, words) if _title(p) not in taken), None)
        name = _title(label) if label else _unique(_title(" · ".join(words[:3]) or "Unnamed topic"), taken)
        taken.add(name)
        labels.append(name)
    return labels


def _ranked(
    topic: Sequence[str], count: Counter[str], overall: Counter[str], total: int, keywords: Sequence[str]
) -> list[str]:
    size = len(topic)
    least = max(2, round(0.06 * size))
    strong = {word: 1 / (rank + 2) for rank, word in enumerate(w for k in keywords[:12] for w in k.split())}

    def worth(phrase: str) -> float:
        share, elsewhere = count[phrase] / size, (overall[phrase] - count[phrase] + 0.5) / max(1, total - size)
        words = phrase.split()
        weight = sum(map(_weighty, words))
        return (
            share**0.7
            * log(1 + share / elsewhere)
            * (1 + 0.35 * min(weight, 3))
            * (1 + sum(strong.get(w, 0) for w in words))
        )

    return sorted((p for p, c in count.items() if c >= least), key=lambda p: (-worth(p), p))


def _title(phrase: str) -> str:
    return phrase[:1].upper() + phrase[1:]


def _unique(name: str, taken: set[str]) -> str:
    number = 2
    candidate = name
    while candidate in taken:
        candidate, number = f"{name} ({number})", number + 1
    return candidate


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
