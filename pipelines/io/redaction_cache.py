"""Redaction that remembers: what the rules cut out of a text is looked up where they have seen the text before.

Kept are the places that were cut, by a hash of the text: neither the text nor what was in it. Other rules, which any
change of their source makes, start anew.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from functools import cache
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path

import pyarrow as pa

from lacuna.models.redaction.redact import PLACEHOLDER, redact
from lacuna.pipelines.io.content_cache import KEEP_EVERY, ContentCache, key_of
from lacuna.pipelines.presentation import progress

__all__ = ["redacted"]

Cut = tuple[int, int, str]


def redacted(texts: Sequence[str], store: Path, phone_regions: Sequence[str]) -> list[str]:
    """``texts`` without personal data, each by itself; those that the store has seen are not looked through again.

    Raises
    ------
    StoreUnusable
        The cache can't be written.
    """
    keys = [key_of(text) for text in texts]
    by_key = dict(zip(keys, texts, strict=True))
    kept = ContentCache(store, "redactions", rules_version(tuple(phone_regions)), "cuts", _check)
    known = _read(kept, by_key)
    new = sorted(by_key.keys() - known.keys())
    if new:
        with progress.bar(f"redacting: {len(new):,} new texts, {len(known):,} known") as tick:
            for first in range(0, len(new), KEEP_EVERY):
                some = new[first : first + KEEP_EVERY]
                after, _ = redact([by_key[key] for key in some], phone_regions=phone_regions)
                cuts = [_cuts(by_key[key], str(text)) for key, text in zip(some, after, strict=True)]
                with kept.locked():
                    kept.write(some, pa.array([json.dumps(cut) if cut else None for cut in cuts], type=pa.string()))
                known.update(zip(some, cuts, strict=True))
                tick(first + len(some), len(new))
    return [_without(text, known[key]) for text, key in zip(texts, keys, strict=True)]


@cache
def rules_version(phone_regions: tuple[str, ...]) -> str:
    """A hash of the rules' source and of what they rely on."""
    rules = [file for file in files("lacuna.models.redaction").iterdir() if file.name.endswith(".py")]
    text = [file.read_bytes() for file in sorted(rules, key=lambda file: file.name)]
    relied = f"{version('phonenumbers')} {' '.join(phone_regions)}".encode()
    return hashlib.blake2b(b"\x00".join([*text, relied]), digest_size=8).hexdigest()


def _read(kept: ContentCache, wanted: dict[str, str]) -> dict[str, list[Cut]]:
    keys, cuts = kept.read(wanted)
    told = [] if cuts is None else cuts.to_pylist()
    return {key: json.loads(cut) if cut else [] for key, cut in zip(keys, told, strict=True)}


def _check(cuts: pa.Array) -> None:
    if cuts.type != pa.string():
        raise ValueError("its cuts are no text")


def _cuts(text: str, after: str) -> list[Cut]:
    """What was cut out of ``text`` and by what it was replaced, such that `_without` gives ``after``."""
    if text == after:
        return []
    kinds = [found.group() for found in PLACEHOLDER.finditer(after)]
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
