"""What values of a column most likely are: times and how they are written, roles, answers of yes and no."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from datetime import datetime
from functools import cache
from importlib.resources import files
from typing import Any

import pandas as pd

from lacuna.data_contracts.casts import cast
from lacuna.data_contracts.times import counted_since
from lacuna.data_contracts.values import is_null, text_of
from lacuna.pipelines.sources.files_transcripts import cut_transcript

__all__ = ["escalated_words", "is_list", "is_text", "is_transcript", "plain_name", "role_words", "time_format", "words"]

_FORMATS = [
    f"{day}{clock}"
    for day in ("%d.%m.%Y", "%m/%d/%Y", "%d/%m/%Y", "%d-%m-%Y", "%d %b %Y", "%b %d, %Y", "%m/%d/%y", "%d/%m/%y")
    for clock in ("", " %H:%M", " %H:%M:%S", ", %H:%M", ", %H:%M:%S", " %I:%M %p", " %I:%M:%S %p", ", %I:%M %p")
]
_MOST_WORDS = 12  # that a column of roles may have


@cache
def words() -> dict[str, Any]:
    """How other tools name things, as ``files_words.toml`` has it."""
    return tomllib.loads(files("lacuna.pipelines.sources").joinpath("files_words.toml").read_text(encoding="utf-8"))


def plain_name(name: str) -> str:
    """A column's name in lower case, with one blank for whatever is no letter and no figure.

    Examples
    --------
    >>> plain_name("Ticket #"), plain_name("requesterEmail"), plain_name("author.type")
    ('ticket', 'requester email', 'author type')
    """
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name)
    return " ".join(re.sub(r"[^\w]|_", " ", spaced.lower()).split())


def texts_of(column: pd.Series) -> list[str]:
    """The values of a column as text, without those that are none."""
    texts = (None if is_null(value) else text_of(value) for value in column)
    return [text.strip() for text in texts if text and text.strip()]


def time_format(column: pd.Series) -> tuple[str, str] | None:
    """How a column's times are written, and another way in which all of them could be read just as well.

    Empty where the pull reads them as they are; None where they are no times.
    """
    values = column[[not is_null(value) and text_of(value) not in (None, "") for value in column]]
    texts = texts_of(values)
    if not len(values):
        return None
    typed, _ = cast(values, "timestamp")
    if typed.notna().mean() > 0.9:
        return "", ""
    units = {counted_since(value) for value in values}
    if len(units) == 1 and None not in units:
        return str(units.pop()), ""
    fitting = [how for how in _FORMATS if texts and all(_fits(text, how) for text in texts)]
    return (fitting[0], fitting[1] if fitting[1:] else "") if fitting else None


def _fits(text: str, how: str) -> bool:
    try:
        datetime.strptime(text, how)  # noqa: DTZ007 - whether it can be read, nothing more
    except ValueError:
        return False
    return True


def role_words(column: pd.Series) -> dict[str, str] | None:
    """The words of a column of roles, each with what it most likely means or "" ; None where it holds no roles."""
    there = list(dict.fromkeys(texts_of(column)))
    if not there or len(there) > _MOST_WORDS:
        return None
    meant = {word: _role(word) for word in there}
    return meant if any(meant.values()) else None


def _role(word: str) -> str:
    plain, roles = plain_name(word), words()["roles"]
    exact = next((role for role, of in roles.items() if plain in of), "")
    # "Support Bot" is a bot and "Bot Support Agent" too: a word for a machine outweighs one for a person.
    within = (role for role in ("bot", "agent", "customer") if any(one in plain.split() for one in roles[role]))
    return exact or next(within, "")


def escalated_words(column: pd.Series) -> dict[str, bool] | None:
    """Words that say whether a human took over, and their meaning; {} for yes and no, None where they don't say it."""
    _, unread = cast(column, "bool")
    if not unread.any():
        return {} if texts_of(column) else None
    there = list(dict.fromkeys(texts_of(column)))
    of: Mapping[str, list[str]] = words()["escalated"]
    meant = {
        word: True if plain_name(word) in of["yes"] else False if plain_name(word) in of["no"] else None
        for word in there
    }
    return {word: bool(means) for word, means in meant.items()} if None not in meant.values() else None


def is_text(column: pd.Series) -> bool:
    """Whether the values are sentences."""
    texts = texts_of(column)
    return bool(texts) and sum(len(text.split()) for text in texts) / len(texts) >= 3


def is_transcript(column: pd.Series) -> bool:
    """Whether most values are whole conversations."""
    texts = texts_of(column)[:200]
    return bool(texts) and sum(_speakers(text) > 1 for text in texts) > len(texts) / 2


def _speakers(text: str) -> int:
    return len({message["speaker"] for message in cut_transcript(text) if message["speaker"]})


def is_list(column: pd.Series) -> bool:
    """Whether the values are lists of records."""
    listed = [value for value in column if isinstance(value, list) and value]
    return bool(listed) and all(isinstance(value[0], dict) for value in listed)
