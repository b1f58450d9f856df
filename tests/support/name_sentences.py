"""Sentences with names as customers write them, and the shares of them that redaction gets right."""

from __future__ import annotations

import re

from lacuna.models.redaction.redact import redact
from tests.support.paths import REPO

__all__ = ["SENTENCES", "shares_right"]

SENTENCES = ("name_sentences.txt", "unseen_name_sentences.txt")
_FOLDER = REPO / "tests" / "unit" / "models" / "redaction"
_IN_SURNAMES = {"van", "von", "den", "der", "del", "della", "las", "los"}


def shares_right(file: str) -> dict[str, float]:
    """By kind, the share of a file's sentences in which no word of a name is left, or nothing was touched.

    Kinds: names that something announces (``cue``), that nothing does (``bare``), and harmless sentences (``none``).
    """
    right: dict[str, list[bool]] = {}
    for line in (_FOLDER / file).read_text(encoding="utf-8").splitlines():
        if line.startswith("#"):
            continue
        _, kind, sentence = line.replace("\\n", "\n").split("|", 2)
        text = re.sub("[{}]", "", sentence)
        after = str(redact([text])[0][0])
        names = " ".join(re.findall("{(.+?)}", sentence))
        words = set(re.findall(r"[^\W\d_]{3,}", names)) - _IN_SURNAMES
        good = after == text if kind == "none" else words.isdisjoint(re.findall(r"[^\W\d_]+", after))
        right.setdefault(kind, []).append(good)
    return {kind: sum(found) / len(found) for kind, found in right.items()}
