"""What a passage of an article could say instead: its own sentence with agents' figures, or agents' sentence."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from lacuna.models.text.amounts import amounts
from lacuna.models.text.lexicon import DENIERS, NEGATIONS
from lacuna.models.text.words import is_german, stems, words_of
from lacuna.models.writing.agent_sentences import instructs
from lacuna.models.writing.claims import holds_for_all

__all__ = ["NEAR", "Proposal", "denies", "fits", "proposal", "same_language", "with_amounts"]

AGREED = 0.75  # least share of the conversations that one proposal must have
FEWEST = 2  # conversations behind a proposal
NEAR = 0.3  # least cosine of a passage and an agent's sentence that could stand in its place

_WORDS = (
    "two|three|four|five|six|seven|eight|nine|ten|eleven|twelve"
    "|zwei|drei|vier|fünf|sechs|sieben|acht|neun|zehn|elf|zwölf"
)
_NUMBER = rf"(?:\d+(?:[.,:]\d+)?|\b(?:{_WORDS})\b)"
_AMOUNT = re.compile(
    rf"(?P<time>\b\d{{1,2}}:\d{{2}}\b)|(?P<low>{_NUMBER})(?:\s*(?:to|–|-|bis|or|oder)\s*(?P<high>{_NUMBER}))?\s*"
    r"(?P<unit>(?:(?:working|business|calendar) )?[^\W\d_]{2,}|[%€£$])",
    re.I,
)
_DENIED_BEFORE = re.compile(r"\b(?:not|nicht|instead of|statt|rather than|no longer|old|former)\W+(?:\w+\W+)?$", re.I)
_NO_UNITS = {"to", "and", "or", "of", "in", "on", "at", "is", "bis", "und", "oder", "now", "then", "for", "with", "not"}
_DENIAL = re.compile(
    r"\b(?:no longer|any ?more|any longer|not enough|doesn't work|isn't used|nicht mehr|reicht nicht|gibt es nicht)\b",
    re.I,
)


@dataclass(frozen=True)
class Proposal:
    """What could stand in the place of a passage: ``text``, or a ``comment`` that says why nothing can."""

    text: str | None
    comment: str | None = None


def with_amounts(passage: str, evidence: str) -> str | None:
    """A passage with the figures that an agent's sentence gives for the same things; None where it gives none.

    Examples
    --------
    >>> with_amounts("We keep your order for 7 days.", "It's kept for 3 days now, not 7.")
    'We keep your order for 3 days.'
    >>> with_amounts("Germany: 2 to 3 working days", "GLS needs 4 to 6 working days.")
    'Germany: 4 to 6 working days'
    >>> with_amounts("Show the e-mail.", "It's kept for 3 days.") is None
    True
    """
    said: dict[str, set[str]] = {}
    for match in _AMOUNT.finditer(evidence):
        if not _DENIED_BEFORE.search(evidence[: match.start()]) and _unit(match) not in _NO_UNITS:
            said.setdefault(_unit(match), set()).add(_span(match))
    changed = passage
    for match in reversed(list(_AMOUNT.finditer(passage))):
        new = said.get(_unit(match), set())
        if len(new) == 1 and (amount := next(iter(new))) != _span(match):
            start, end = match.span("time")
            if not match["time"]:
                start, end = match.start("low"), match.end("high") if match["high"] else match.end("low")
            changed = changed[:start] + amount + changed[end:]
    return changed if amounts(changed) != amounts(passage) else None


def denies(sentence: str) -> bool:
    """Whether a sentence only says what no longer holds.

    Examples
    --------
    >>> denies("The e-mail is no longer enough."), denies("Show the QR code in the app.")
    (True, False)
    """
    return _DENIAL.search(sentence) is not None and not re.search(r"[:;]| > ", sentence)


def same_language(one: str, other: str) -> bool:
    """Whether two texts are both German, or neither is."""
    return is_german(words_of(one)) == is_german(words_of(other))


def proposal(
    passage: str, evidence: Sequence[tuple[str, int]], likeness: Callable[[str], float] = lambda _: 1.0
) -> Proposal:
    """What could stand in the place of a passage.

    Parameters
    ----------
    passage
        A sentence of an article.
    evidence
        What agents say instead: each sentence, and how many conversations hold it.
    likeness
        How near a sentence is to the passage, as a cosine: one that is far from it can't stand in its place.

    Returns
    -------
    Proposal
        The passage with agents' figures where they agree on them; else agents' sentence; else a comment.

    Examples
    --------
    >>> proposal("We keep it for 7 days.", [("It's 3 days now.", 5), ("You have 3 days.", 2)]).text
    'We keep it for 3 days.'
    >>> proposal("We keep it for 7 days.", [("It is 3 days now.", 5), ("You have 5 days.", 4)]).comment
    'Agents do not agree: “It is 3 days now.” (5), “You have 5 days.” (4).'
    """
    usable = [one for one in evidence if same_language(one[0], passage)]
    if not usable:
        return Proposal(None, "Agents say so in another language alone.")
    votes, said, swapped = Counter[str](), dict[str, str](), set[str]()
    for text, count in usable:
        own = with_amounts(passage, text)
        offered = own or text
        if own or (not denies(text) and fits(passage, text) and likeness(text) >= NEAR):
            votes[offered] += count
            said.setdefault(offered, text)
            swapped |= {own} if own else set()
    if not votes:
        text, count = usable[0]
        if denies(text):
            return Proposal(None, f"No longer so: “{text}” ({count}). No sentence of agents fits in its place.")
        return Proposal(None, f"Agents say: “{text}” ({count}). See whether it changes this.")
    if swapped:
        best = min(swapped, key=lambda text: (-votes[text], text))
    else:
        best = min(votes, key=lambda text: (-round(likeness(text), 2), -votes[text], text))
    sides = [(best, votes[best]), *((text, n) for text, n in votes.items() if text != best and _against(text, best))]
    if votes[best] < AGREED * sum(n for _, n in sides):
        told = ", ".join(f"“{said[text]}” ({n})" for text, n in sorted(sides, key=lambda side: (-side[1], side[0])))
        return Proposal(None, f"Agents do not agree: {told}.")
    return Proposal(best) if votes[best] >= FEWEST else Proposal(None, f"One agent says: “{said[best]}”.")


def fits(passage: str, sentence: str) -> bool:
    """Whether a sentence could stand in a passage's place: both instruct or neither, and no figure would be lost."""
    return (
        holds_for_all(sentence) and instructs(passage) == instructs(sentence) and not _AMOUNT.search(_listless(passage))
    )


def _listless(passage: str) -> str:
    """A passage without numbers that count nothing, such as versions and codes."""
    return re.sub(r"\b\d{4,}\b|\b\d+\.\d+\b(?!\s*(?:€|£|\$|%|[a-zäöü]))", "", passage)


def _against(one: str, other: str) -> bool:
    """Whether two proposals can't both hold: other amounts of the same unit."""
    first, second = amounts(one), amounts(other)
    units = {unit for unit in first.keys() & second.keys() if unit}
    differ = any(first[unit].isdisjoint(second[unit]) for unit in units)
    denied = bool(set(words_of(one)) & (NEGATIONS | DENIERS)) != bool(set(words_of(other)) & (NEGATIONS | DENIERS))
    return differ or (denied and len(stems(one) & stems(other)) >= 3)


def _unit(match: re.Match[str]) -> str:
    if match["time"]:
        return "time"
    return match["unit"].casefold().rstrip("s").removesuffix("en").removesuffix("e")


def _span(match: re.Match[str]) -> str:
    if match["time"]:
        return match["time"]
    return match["low"] if not match["high"] else f"{match['low']} to {match['high']}"
