"""A file's texts without personal data: what `lacuna redact` does."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from lacuna.data_contracts.errors import SettingsInvalid
from lacuna.models.redaction.redact import learn_names, redact
from lacuna.models.redaction.regions import regions_of, without_regions
from lacuna.models.text.languages import common_languages
from lacuna.pipelines.io.store import usable
from lacuna.pipelines.settings import Settings
from lacuna.pipelines.topic_finder import read_texts

__all__ = ["RedactedFile", "redact_file"]

_SUFFIXES = (".csv", ".jsonl", ".parquet")


@dataclass(frozen=True)
class RedactedFile:
    """What was done.

    Attributes
    ----------
    texts, changed
        How many texts there are, and how many were changed.
    replaced
        Replacements by kind.
    languages, regions, without
        The languages of the texts, the countries whose national phone numbers were looked for, and the languages that
        suggest no country.
    unreadable
        Rows that could not be parsed, each with the reason; they are left out.
    """

    texts: int
    changed: int
    replaced: dict[str, int]
    languages: tuple[str, ...]
    regions: tuple[str, ...]
    without: list[str]
    unreadable: list[tuple[int, str]]


def redact_file(file: Path, text: str, name: str | None, into: Path, settings: Settings) -> RedactedFile:
    """Write a file's column ``text`` without personal data to ``into``, with its ids.

    The names that a conversation shows go from all of its rows, where ``name`` says which column tells conversations;
    an id that is an e-mail address or a number is redacted too. Without ``[privacy] phone_regions``, national phone
    numbers of all countries that the texts' languages suggest are found.

    Raises
    ------
    BundleUnreadable, ContractBroken, SettingsInvalid, StoreUnusable
        Something is wrong with the file, its columns, or the place to write to.
    """
    if into.suffix not in _SUFFIXES:
        raise SettingsInvalid(f"{into} is of no known format", f"give a file that ends in {', '.join(_SUFFIXES)}")
    if into.exists() and file.exists() and into.samefile(file):
        raise SettingsInvalid(f"{into} is the file that is read", "give another file to --out")
    phone_regions = settings.privacy.phone_regions
    rows, unreadable = read_texts(file, text, name, unique=False, expanded=settings.input.expanded_bytes)
    texts = rows["text"].tolist()
    languages = common_languages(texts)
    regions = tuple(phone_regions) or regions_of(languages)
    # Without ids, each row is a conversation of its own; what all texts teach of words counts in any case.
    names, lexicon = learn_names(rows["id"].tolist(), texts)
    known = [names.get(one, []) for one in rows["id"]]
    after, replaced = redact(texts, known, lexicon=lexicon, phone_regions=regions)
    columns = {name or "row": _ids(rows["id"].tolist(), name), text: after}
    with usable(into.parent):
        into.parent.mkdir(parents=True, exist_ok=True)
        _write(into, pd.DataFrame(columns, dtype="str"))
    changed = sum(before != now for before, now in zip(texts, after, strict=True))
    without = [] if phone_regions else without_regions(languages)
    return RedactedFile(len(texts), changed, replaced, languages, regions, without, unreadable)


def _ids(ids: list[str], name: str | None) -> list[str]:
    """The ids; where one is an address, numbers stand for these, in order of appearance."""
    if name is None:
        return ids
    numbers: dict[str, str] = {}
    for one in ids:
        if "@" in one and one not in numbers:
            numbers[one] = f"conversation-{len(numbers) + 1}"
    return [numbers.get(one, one) for one in ids]


def _write(into: Path, table: pd.DataFrame) -> None:
    part = into.with_name(f".{into.name}.part")
    if into.suffix == ".csv":
        table.to_csv(part, index=False)
    elif into.suffix == ".jsonl":
        table.to_json(part, orient="records", lines=True, force_ascii=False)
    else:
        table.to_parquet(part, index=False)
    part.replace(into)
