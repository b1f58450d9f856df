"""The YAML front matter of a draft, and its hashes, which show edits by people and changes of the evidence."""

from __future__ import annotations

import hashlib
import re
from typing import Any

import yaml

from lacuna.models.backlog.gap import Gap
from lacuna.pipelines.drafts.article import languages_planned, title_of
from lacuna.pipelines.presentation.format import as_shown

__all__ = ["edited", "evidence_hash", "front_matter", "resealed", "seal", "text_hash", "values"]

_LINE = re.compile(r"^text_hash: ([0-9a-f]{16})\n", re.MULTILINE)
_EVIDENCE = re.compile(r"^evidence_hash: ([0-9a-f]{16})$", re.MULTILINE)
_EVIDENCE_LINE = re.compile(r"^evidence_hash: [0-9a-f]{16}\n", re.MULTILINE)
_HEAD = re.compile(r"\A---\n(.*?\n)---\n", re.DOTALL)


def front_matter(gap: Gap, run: dict[str, Any]) -> str:
    """The front matter of a gap's draft; :func:`seal` adds the hashes."""
    window = run.get("window") or {}
    languages = languages_planned(gap.plan)
    head = {
        "gap_id": gap.gap_id,
        "kind": gap.kind,
        "status": gap.status,
        "title": gap.title,
        "question": title_of(gap, languages[0]) if gap.kind == "missing" and languages else None,
        "article_id": gap.article_id,
        "owner_id": gap.owner_id,
        "topic_id": gap.topic_id,
        "conversations": gap.conversations,
        "weekly_rate": as_shown(gap.weekly_rate),
        "score": as_shown(gap.score),
        "evidence": {
            "phrasings": len(gap.examples),
            "sentences_of_agents": len(gap.steps),
            "passages": len(gap.passages),
            "tagged_answers": gap.n_tagged,
        },
        "run_id": run.get("run_id"),
        "created": str(window.get("end") or run.get("run_id") or ""),
    }
    return "---\n" + yaml.safe_dump(head, sort_keys=False, allow_unicode=True, width=4096).rstrip("\n") + "\n---"


def text_hash(text: str) -> str:
    r"""The hash of a draft's text, 16 hex digits; the line of the hash, line ends and trailing spaces do not count.

    Examples
    --------
    >>> text_hash("a  \r\nb\n") == text_hash("a\nb") != text_hash("a b")
    True
    """
    folded = "\n".join(line.rstrip() for line in _LINE.sub("", _unix(text)).split("\n")).strip()
    return hashlib.sha256(folded.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def seal(text: str) -> str:
    """A draft with its two hashes added as the last lines of the front matter.

    ``evidence_hash`` covers the text below the front matter: it stays the same from run to run while the evidence does.
    ``text_hash`` covers everything: it no longer matches once a person has changed anything.
    """
    head = _HEAD.match(text)
    if head is None:
        raise AssertionError("a draft begins with its front matter")
    text = f"{text[: head.end(1)]}evidence_hash: {text_hash(text[head.end() :])}\n{text[head.end(1) :]}"
    head = _HEAD.match(text)
    assert head is not None
    return f"{text[: head.end(1)]}text_hash: {text_hash(text)}\n{text[head.end(1) :]}"


def resealed(text: str) -> str:
    """A sealed draft whose text has changed since, with the hashes of its text as it is now."""
    return seal(_EVIDENCE_LINE.sub("", _LINE.sub("", text, count=1), count=1))


def edited(text: str) -> bool:
    """Whether a person has changed a draft since Lacuna wrote it; true if its hash is missing."""
    match = _LINE.search(_top(text))
    return match is None or match[1] != text_hash(text)


def evidence_hash(text: str) -> str | None:
    """The ``evidence_hash`` in a draft's front matter; None if there is none."""
    match = _EVIDENCE.search(_top(text))
    return match[1] if match else None


def _top(text: str) -> str:
    head = _HEAD.match(_unix(text))
    return head[1] if head else ""


def values(text: str) -> dict[str, Any]:
    """The front matter of a file as plain data; empty if it is missing or broken."""
    try:
        data = yaml.safe_load(_top(text))
    except yaml.YAMLError:
        return {}
    return data if isinstance(data, dict) else {}


def _unix(text: str) -> str:
    return text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
