"""Redaction with a cache: the cuts of a text that was redacted before are looked up.

The cache keeps the positions of the cuts by a hash of the text; neither the text nor what was cut out. Any change to
the source of the rules starts an empty cache.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from functools import cache
from importlib.metadata import version
from importlib.resources import files

import pyarrow as pa

from lacuna.models.redaction.redact import PLACEHOLDER, redact
from lacuna.models.redaction.regions import regions_of
from lacuna.models.text.languages import common_languages
from lacuna.pipelines.io.addresses import StorePath
from lacuna.pipelines.io.content_cache import KEEP_EVERY, ContentCache, key_of
from lacuna.pipelines.presentation import progress

__all__ = ["redacted"]

Cut = tuple[int, int, str]


def redacted(texts: Sequence[str], store: StorePath, phone_regions: Sequence[str]) -> list[str]:
    """``texts`` without personal data, each by itself; texts in the store's cache are not redacted again.

    Without ``phone_regions``, national phone numbers of all countries that the texts' languages suggest are found.

    Raises
    ------
    StoreUnusable
        The cache can't be written.
    """
    keys = [key_of(text) for text in texts]
    phone_regions = phone_regions or regions_of(common_languages(texts))
    by_key = dict(zip(keys, texts, strict=True))
    stored = ContentCache(store, "redactions", rules_version(tuple(phone_regions)), "cuts", _check)
    cuts_by_key = _read(stored, by_key)
    new = sorted(by_key.keys() - cuts_by_key.keys())
    if new:
        with progress.bar(f"redacting: {len(new):,} new texts, {len(cuts_by_key):,} known") as tick:
            for first in range(0, len(new), KEEP_EVERY):
                block = new[first : first + KEEP_EVERY]
                after, _ = redact([by_key[key] for key in block], phone_regions=phone_regions)
                cuts = [_cuts(by_key[key], str(text)) for key, text in zip(block, after, strict=True)]
                documents = pa.array([json.dumps(cut) if cut else None for cut in cuts], type=pa.string())
                # Another worker's cuts of a text are the same.
                while not stored.add(block, documents):
                    stored.read(())
                cuts_by_key.update(zip(block, cuts, strict=True))
                tick(first + len(block), len(new))
    return [_without(text, cuts_by_key[key]) for text, key in zip(texts, keys, strict=True)]


@cache
def rules_version(phone_regions: tuple[str, ...]) -> str:
    """A hash of the rules' source, of the library behind them and of their settings."""
    package = files("lacuna.models.redaction")
    rules = [*package.iterdir(), *package.joinpath("vocabulary").iterdir()]
    rules = sorted((file for file in rules if file.is_file()), key=lambda file: file.name)
    text = [file.read_bytes() for file in rules]
    relied = f"{version('phonenumbers')} {version('python-stdnum')} {' '.join(phone_regions)}".encode()
    return hashlib.blake2b(b"\x00".join([*text, relied]), digest_size=8).hexdigest()


def _read(stored: ContentCache, wanted: dict[str, str]) -> dict[str, list[Cut]]:
    keys, cuts = stored.read(wanted)
    documents = [] if cuts is None else cuts.to_pylist()
    return {key: json.loads(cut) if cut else [] for key, cut in zip(keys, documents, strict=True)}


def _check(cuts: pa.Array) -> None:
    if cuts.type != pa.string():
        raise ValueError("its cuts are no text")


def _cuts(text: str, after: str) -> list[Cut]:
    """The cuts in ``text`` and their placeholders, such that `_without` gives ``after``."""
    if text == after:
        return []
    kinds = [placeholder.group() for placeholder in PLACEHOLDER.finditer(after)]
    parts = PLACEHOLDER.split(after)
    cuts: list[Cut] = []
    end = len(parts[0])
    for kind, part in zip(kinds, parts[1:], strict=True):
        # the last part stands at the end, any other may stand wherever it is found first
        start = len(text) - len(part) if len(cuts) == len(kinds) - 1 else text.index(part, end)
        cuts.append((end, start, kind))
        end = start + len(part)
    return cuts


def _without(text: str, cuts: Sequence[Cut]) -> str:
    if not cuts:
        return text
    pieces, at = [], 0
    for start, end, kind in cuts:
        pieces += [text[at:start], kind]
        at = end
    return "".join([*pieces, text[at:]])
