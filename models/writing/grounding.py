"""Whether a sentence is grounded: its figures, links and names must occur in the evidence that it cites."""

from __future__ import annotations

import re
from collections.abc import Sequence

from lacuna.models.text.amounts import amounts
from lacuna.models.text.words import stems, words_of

__all__ = ["fault"]

LONGEST = 400  # letters
COVERED = 0.6  # least share of a sentence's stems that its evidence must have

_PLAIN = re.compile(r"[<\[\]`{}|\\]|!\[|\x00")
_LINK = re.compile(r"(?:https?://|www\.)\S+|\S+@\S+\.\w+|\b[\w-]+(?:\.[\w-]+)*\.[a-z]{2,}(?:/\S*)?", re.I)
_QUOTED = re.compile(r"[“\"„«‘']([^”\"“»’']{2,60})[”\"“»’']|\*\*([^*]{2,60})\*\*")
_NAME = re.compile(r"(?<=[\w,;:)>»”\"] )[A-ZÄÖÜ][\w’'-]+(?: [A-ZÄÖÜ][\w’'-]+)*")
_END = re.compile(r"[.,;:!?)]+$")


def fault(sentence: object, evidence: Sequence[str]) -> str | None:
    """Why a sentence is not grounded in its evidence; None where it is.

    Parameters
    ----------
    sentence
        One plain sentence; anything else is a fault.
    evidence
        The texts that the sentence cites.

    Examples
    --------
    >>> evidence = ["Open Orders > Return and print the label. It is valid for 14 days."]
    >>> fault("Print the label under Orders, it is valid for 14 days.", evidence)
    >>> fault("Print the label, it is valid for 30 days.", evidence)
    "'30' is not in its evidence"
    >>> fault("Press Cancel under Orders.", evidence)
    "'Cancel' is not in its evidence"
    """
    if not isinstance(sentence, str) or not sentence.strip():
        return "no sentence"
    if not evidence:
        return "names no evidence"
    if len(sentence) > LONGEST or "\n" in sentence.strip() or _PLAIN.search(sentence):
        return "not one plain sentence"
    evidence_text = " ".join(evidence)
    folded = " ".join(words_of(evidence_text))
    for link in (_END.sub("", match[0]) for match in _LINK.finditer(sentence)):
        if link.casefold() not in evidence_text.casefold():
            return f"'{link}' is not in its evidence"
    there = {number for numbers in amounts(evidence_text).values() for number in numbers}
    for number in sorted({number for numbers in amounts(sentence).values() for number in numbers}):
        if number not in there:
            return f"'{number}' is not in its evidence"
    quoted = [one or other for one, other in _QUOTED.findall(sentence)]
    for name in (*quoted, *_NAME.findall(sentence)):
        if f" {' '.join(words_of(name))} " not in f" {folded} ":
            return f"'{name}' is not in its evidence"
    words = stems(sentence)
    missing = words - stems(evidence_text)
    if len(missing) > (1 - COVERED) * max(1, len(words)):
        return "says more than its evidence"
    return None
