"""A whole conversation in one text, cut into its messages."""

from __future__ import annotations

import re
from collections.abc import Collection

__all__ = ["ANY_SPEAKER", "cut_transcript"]

_TIME = r"\d{1,2}:\d{2}(?::\d{2})?(?:\s?[AaPp][Mm])?"
# "Anna: ", "[2024-06-03 10:02] Anna: ", "10:02 Anna: ", "Anna (10:02): ". No blank after the colon is an address.
ANY_SPEAKER = (
    rf"^[ \t]*(?:[\[(](?P<time>[^\])\n]{{4,40}})[\])][ \t]*|(?P<clock>{_TIME})[ \t]+)?"
    r"(?P<speaker>[^\s:\[\]()][^:\n\[\]()]{0,59}?)[ \t]*(?:[\[(](?P<time_after>[^\])\n]{4,40})[\])][ \t]*)?:(?=\s|$)"
)


def cut_transcript(
    text: str, pattern: str = "", speakers: Collection[str] | None = None
) -> list[dict[str, str | None]]:
    r"""The messages of a transcript, each with ``speaker``, ``time`` and ``text``.

    Parameters
    ----------
    text
        The transcript.
    pattern
        How a message begins; as :data:`ANY_SPEAKER` where it is empty.
    speakers
        Those that there are: the beginning of a line counts only with one of them. None where any may be one.

    Examples
    --------
    >>> for message in cut_transcript("Ann: Hi\nI have a question: why?\nBot: Ask", speakers=("Ann", "Bot")):
    ...     print(message)
    {'speaker': 'Ann', 'time': None, 'text': 'Hi\nI have a question: why?'}
    {'speaker': 'Bot', 'time': None, 'text': 'Ask'}
    """
    text = text.replace("\r\n", "\n")
    begins = [
        found
        for found in re.finditer(pattern or ANY_SPEAKER, text, re.MULTILINE)
        if speakers is None or found["speaker"].strip() in speakers
    ]
    messages: list[dict[str, str | None]] = []
    before = text[: begins[0].start()] if begins else text
    if before.strip():
        messages.append({"speaker": None, "time": None, "text": before.strip()})
    ends = [*(found.start() for found in begins[1:]), len(text)][: len(begins)]
    for found, end in zip(begins, ends, strict=True):
        groups = found.groupdict()
        time = groups.get("time") or groups.get("time_after") or groups.get("clock")
        messages.append({"speaker": found["speaker"].strip(), "time": time, "text": text[found.end() : end].strip()})
    return messages
