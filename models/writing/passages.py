"""Compare an article with agents' statements: what they contradict, and what the article leaves out."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from math import log
from typing import NamedTuple

from lacuna.models.arrays import F32
from lacuna.models.text.amounts import amounts
from lacuna.models.text.markup import EMPHASIS, HEADING, LIST_ITEM, TABLE_RULE, plain
from lacuna.models.text.words import PROSE_SENTENCE_END, stems
from lacuna.models.writing.replacements import denies

__all__ = ["ANYHOW", "SURELY", "Line", "against", "contrary", "left_out", "lines", "taken_back"]


ABOUT = 0.5  # score (cosine and shared rare words) from which on two sentences are about the same thing
SURELY = 0.55  # cosine from which on another amount is a contradiction without a word for a change …
ANYHOW = 0.3  # … and the same where agents take back a number of the passage
PLACES, CLOSE = 2, 0.15  # most passages that one sentence may contradict, and the score by which the second may trail
PLACES_DENIED, CLOSE_DENIED = 3, 0.25  # the same of a sentence that only says what no longer holds, wherever it stood
SAME_CONTENT = 0.62  # cosine from which on an article says the same as an agent
SAME = 0.95
MOST, EACH = 6, 3  # most passages, and most sentences of agents for each

# Words for "what this sentence mentions no longer holds" …
_NO_MORE = (
    r"no longer|(?:not|n't|nicht) .*\b(?:any ?more|mehr)|any ?more|out of date|outdated|old|instead of|"
    r"rather than|not \d+|wrong|nicht mehr|veraltet|statt|falsch"
)
_DENIED = re.compile(rf"\b(?:{_NO_MORE})\b", re.I)
# … and those together with words for a change.
_CHANGED = re.compile(
    rf"\b(?:{_NO_MORE}|now|since|instead|changed|replaced|gone|jetzt|seit|stattdessen|geändert)\b", re.I
)


class Line(NamedTuple):
    """A sentence of an article, and the heading that it stands below ("" before the first)."""

    section: str
    text: str


def lines(body: str) -> list[Line]:
    r"""The sentences of an article, list items and rows of tables as well, each with its section.

    Examples
    --------
    >>> [tuple(line) for line in lines("## Collect\n1. Show the **code**. Bring an ID.\n")]
    [('Collect', 'Show the code.'), ('Collect', 'Bring an ID.')]
    """
    article_lines: list[Line] = []
    section, paragraph = "", list[str]()

    def close() -> None:
        text = EMPHASIS.sub("", " ".join(" ".join(paragraph).split()))
        article_lines.extend(
            Line(section, part.strip()) for part in PROSE_SENTENCE_END.split(text) if re.search(r"\w", part)
        )
        paragraph.clear()

    for line in map(str.strip, plain(body).splitlines()):
        heading = HEADING.match(line)
        if heading or not line or LIST_ITEM.match(line) or line.startswith("|"):
            close()
        if heading:
            section = EMPHASIS.sub("", heading[1])
        elif line.startswith("|"):
            if not TABLE_RULE.match(line):
                article_lines.append(
                    Line(section, EMPHASIS.sub("", " – ".join(c.strip() for c in line.strip("| ").split("|"))))
                )
        elif line:
            paragraph.append(LIST_ITEM.sub("", line).lstrip("> "))
    close()
    return article_lines


def against(
    article: Sequence[Line],
    vectors: F32,
    statements: Sequence[str],
    statement_vectors: F32,
    counts: Sequence[int],
    surely: float = SURELY,
    retracted: Collection[str] = (),
) -> list[tuple[int, list[int]]]:
    """The sentences of an article that agents contradict, each with the agents' sentences that do so.

    Each agent's sentence is compared with the one or two sentences of the article that it is most about. It contradicts
    them where it gives another amount of the same thing, or says that something has changed. Numbers of the article
    that agents take back ("not 7", "the 2 to 3 days are out of date") weigh most in the choice of the sentence.

    Parameters
    ----------
    article, vectors
        The article's sentences and their vectors, float32 (n, dim), rows of length 1.
    statements, statement_vectors, counts
        Agents' sentences, their vectors, and how many conversations hold each.
    surely
        Cosine from which on another amount is a contradiction without a word for a change.
    retracted
        Numbers that agents take back (:func:`taken_back`).

    Returns
    -------
    list of (int, list of int)
        Positions in ``article`` and in ``statements``; at most six passages, those contradicted in most conversations.
    """
    if not article or not statements:
        return []
    near = statement_vectors @ vectors.T
    words = [stems(line.text) for line in article]
    figures = [amounts(line.text) for line in article]
    rarity = {word: log((1 + len(words)) / sum(word in own for own in words)) for word in set().union(*words)}
    contradicting: dict[int, list[tuple[float, int]]] = {}
    for i, sentence in enumerate(statements):
        agent_figures, changed = amounts(sentence), bool(_CHANGED.search(sentence))
        shared = stems(sentence) & rarity.keys()
        weight = sum(rarity[word] for word in sorted(shared)) or 1.0
        fits: list[tuple[float, int]] = []
        for j, article_figures in enumerate(figures):
            cosine = float(near[i, j])
            other_amounts = [
                article_figures[unit]
                for unit in agent_figures
                if unit and unit in article_figures and not agent_figures[unit] & article_figures[unit]
            ]
            old = set().union(*article_figures.values()).intersection(retracted)
            differ, instead = bool(other_amounts), not old.isdisjoint(set().union(*other_amounts))
            n_retracted = len(old & set().union(*agent_figures.values())) if changed else 0
            alike = sum(rarity[word] for word in sorted(shared & words[j])) / weight
            score = round(cosine + 0.3 * alike + 0.2 * min(n_retracted, 2) + 0.1 * min(len(old), 2) * instead, 6)
            least = min(ANYHOW, surely) if instead else surely
            if cosine < SAME and score >= ABOUT and (changed or (differ and cosine >= least)):
                fits.append((score + 0.15 * differ, j))
        best = max(fits, default=(0.0, 0))[0]
        places, close = (PLACES_DENIED, CLOSE_DENIED) if denies(sentence) else (PLACES, CLOSE)
        for score, j in sorted(fits, key=lambda fit: (-fit[0], fit[1]))[:places]:
            if score >= best - close:
                contradicting.setdefault(j, []).append((score, i))
    voices = {j: sum(counts[i] for _, i in pairs) for j, pairs in contradicting.items()}
    most_contradicted = sorted(contradicting, key=lambda j: (-voices[j], j))[:MOST]
    order = {
        j: sorted(contradicting[j], key=lambda pairs: (-counts[pairs[1]], -pairs[0], pairs[1]))
        for j in sorted(most_contradicted)
    }
    return [(j, [i for _, i in pairs[:EACH]]) for j, pairs in order.items()]


def contrary(
    article: Sequence[Line],
    vectors: F32,
    statements: Sequence[tuple[str, str]],
    statement_vectors: F32,
    surely: float = SURELY,
) -> tuple[int, int, set[str], set[str]] | None:
    """The sentence of an article for which agents give another amount in most conversations.

    Parameters
    ----------
    article, vectors
        The article's sentences and their vectors, float32 (n, dim), rows of length 1.
    statements, statement_vectors
        Agents' sentences, each with its conversation, and their vectors.
    surely
        Cosine from which on two sentences with amounts in the same unit are about the same thing.

    Returns
    -------
    (int, int, set of str, set of str) or None
        Positions in ``article`` and in ``statements``, the conversations that contradict the sentence, and those that
        repeat its amount; None where no sentence is contradicted.
    """
    if not article or not statements:
        return None
    near = statement_vectors @ vectors.T
    figures = [amounts(line.text) for line in article]
    contradicting: dict[int, dict[str, int]] = {}
    agreeing: dict[int, set[str]] = {}
    for i, (sentence, conversation) in enumerate(statements):
        agent_figures = {unit: numbers for unit, numbers in amounts(sentence).items() if unit}
        about = [
            j
            for j, article_figures in enumerate(figures)
            if near[i, j] >= surely and agent_figures.keys() & article_figures.keys()
        ]
        if not about:
            continue
        j = max(about, key=lambda j: float(near[i, j]))
        same = any(agent_figures[unit] & figures[j][unit] for unit in agent_figures.keys() & figures[j].keys())
        if same:
            agreeing.setdefault(j, set()).add(conversation)
        else:
            contradicting.setdefault(j, {}).setdefault(conversation, i)
    if not contradicting:
        return None
    at = max(sorted(contradicting), key=lambda j: len(contradicting[j]))
    conversations = set(contradicting[at])
    return at, min(contradicting[at].values()), conversations, agreeing.get(at, set()) - conversations


def taken_back(statements: Iterable[str]) -> set[str]:
    """Numbers that agents call out of date more often than they state them; repeated sentences count each time.

    Examples
    --------
    >>> sorted(taken_back(["The 2 to 3 days are out of date.", "It takes 4 to 6 days.", "Not 3 but 4 days."]))
    ['2', '3']
    """
    votes: Counter[str] = Counter()
    for sentence in statements:
        sign = 1 if _DENIED.search(sentence) else -1
        votes.update(dict.fromkeys(set().union(*amounts(sentence).values()), sign))
    return {number for number, vote in votes.items() if vote > 0}


def left_out(article: Sequence[Line], vectors: F32, statement_vectors: F32) -> list[tuple[int, str]]:
    """The agents' sentences that an article does not say, each with the section that it is nearest to.

    Returns
    -------
    list of (int, str)
        Positions among agents' sentences, and the heading of a section, "" for the beginning.
    """
    if not len(statement_vectors):
        return []
    if not article:
        return [(i, "") for i in range(len(statement_vectors))]
    near = statement_vectors @ vectors.T
    return [(i, article[int(row.argmax())].section) for i, row in enumerate(near) if row.max() < SAME_CONTENT]
