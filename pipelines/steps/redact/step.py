"""redact: personal data out of every free text, before anything is embedded, stored or shown."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import pandas as pd

from lacuna.data_contracts.contract import TABLES
from lacuna.models.redaction.lexicon import WatchedLexicon
from lacuna.models.redaction.redact import KINDS
from lacuna.models.redaction.redact import redact as redact_texts
from lacuna.pipelines.runtime.job import of_shard
from lacuna.pipelines.runtime.parts import perform_parts
from lacuna.pipelines.steps.redact.names import (
    agrees,
    choose_texts,
    count_words,
    hash_texts,
    learn_lexicon,
    names_of_shard,
    read_lexicon,
    share_names,
    show_names,
    words_used,
)
from lacuna.pipelines.steps.redact.quarantine import Redacted, redacted_findings, redacted_rows, rejected_rows

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

    from lacuna.models.redaction.redact import Lexicon
    from lacuna.pipelines.runtime.job import Job

__all__ = [
    "choose_texts", "count_words", "hash_texts", "learn_lexicon", "names_to_redact", "product_words", "redact",
    "redact_messages", "redact_others", "same_words", "share_names", "show_names",
]  # fmt: skip

_TEXTS = {"messages": "text", "outcomes": "note", "searches": "query"}


def redact(job: Job) -> None:
    """Write the tables that hold free text again, without personal data.

    A name that one message reveals is removed from all texts of its conversation and of the customer's other
    conversations: messages, notes of reviewers and searches. Product names are never taken for names of people.

    Reads ``load/messages``, ``load/outcomes``, ``load/searches``, ``load/conversations``, ``load/quarantine/*``,
    ``load/warnings.json``. Writes ``redact/messages``, ``redact/outcomes``, ``redact/searches`` with the same rows and
    the contract's columns, ``redact/quarantine/*``, ``redact/warnings.json`` with load's warnings and its own, and
    ``redact/redact.json``: replacements by kind in all and by table, how many texts of each table changed, and the
    countries whose national phone numbers were looked for. Messages are worked on shard by shard.
    """
    perform_parts(job, "redact")


def redact_messages(job: Job, shard: str | None) -> None:
    """Write a shard of redact/messages, and redact/words_used of it."""
    messages = job.read_shard("load/messages", shard)
    names = _by_conversation(names_to_redact(job, shard))
    lexicon = WatchedLexicon(read_lexicon(job))
    _write(job, "messages", shard, messages, names, lexicon)
    job.write_json(of_shard("redact/words_used", shard), words_used(lexicon))


def names_to_redact(job: Job, shard: str | None) -> pd.DataFrame:
    """The names of a shard's conversations: conversation_id, name."""
    ids = job.read_shard("load/messages", shard, ["conversation_id"])["conversation_id"].tolist()
    rows = [(one, name) for one, shown in names_of_shard(job, shard, ids).items() for name in shown]
    return pd.DataFrame(rows, columns=["conversation_id", "name"], dtype="str")


def _by_conversation(pairs: pd.DataFrame) -> dict[Hashable, list[str]]:
    names: dict[Hashable, list[str]] = {}
    for conversation, name in zip(pairs["conversation_id"].tolist(), pairs["name"].tolist(), strict=True):
        names.setdefault(conversation, []).append(name)
    return names


def product_words(job: Job, _: str | None) -> pd.DataFrame:
    """The words that are never names in this run."""
    return pd.DataFrame({"word": sorted(read_lexicon(job).kept)}, dtype="str")


def same_words(job: Job, documents: dict[str, Any]) -> bool:
    """Whether the lexicon says of the words that redacting a shard asked for what it said in an earlier run."""
    return agrees(read_lexicon(job), documents["redact/words_used"])


def redact_others(job: Job) -> None:
    """Write redact/outcomes, redact/searches, redact/quarantine/*, and redact/warnings.json and redact/redact.json."""
    elsewhere = set(job.read_json("redact/conversations_elsewhere"))
    names: dict[Hashable, list[str]] = {}
    for shard in job.shards_of("load/messages"):
        pairs = names_to_redact(job, shard)
        names |= _by_conversation(pairs[pairs["conversation_id"].isin(elsewhere)])
    lexicon = read_lexicon(job)
    for name in ("outcomes", "searches"):
        _write(job, name, None, job.read(f"load/{name}"), names, lexicon)

    def redacted(texts: Sequence[str | None], of: Sequence[Hashable]) -> Redacted:
        return _redacted(job, texts, [names.get(conversation, []) for conversation in of], lexicon)

    for rejected, rows in rejected_rows(job).items():
        job.write(f"redact/quarantine/{rejected}", redacted_rows(rows, redacted, rejected))
    warnings = redacted_findings(job.read_json("load/warnings"), redacted)
    counts, changed = {name: Counter[str]() for name in _TEXTS}, dict.fromkeys(_TEXTS, 0)
    for name in _TEXTS:
        for shard in job.shards_of(f"redact/{name}"):
            document = job.read_json(_counts_of(name, shard))
            counts[name].update(document["replaced"])
            changed[name] += document["changed"]
    total = sum(counts.values(), Counter[str]())
    by_table = {name: {kind: count[kind] for kind in KINDS if count[kind]} for name, count in counts.items()}
    found = {"total": dict(sorted(total.items())), "tables": by_table, "changed": changed}
    regions = job.read_json("redact/phone_regions")
    looked_for = {"languages": regions["named_languages"], "phone_regions": regions["named_regions"]}
    job.write_json("redact/redact", found | looked_for)
    unknown = regions["without"]
    message = (
        f"no country is known whose phone numbers texts in {', '.join(unknown)} would hold: national numbers in them"
        " are not found; name the countries in [privacy] phone_regions"
    )
    warnings += [{"rule": "privacy.phone_regions", "message": message}] if unknown else []
    job.write_json("redact/warnings", warnings)


def _write(
    job: Job, name: str, shard: str | None, frame: pd.DataFrame, names: dict[Hashable, list[str]], lexicon: Lexicon
) -> None:
    """Write one shard of a table without personal data, and what was replaced in it."""
    column = _TEXTS[name]
    known_names = [names.get(one, []) for one in frame["conversation_id"]]
    texts, replaced = _redacted(job, frame[column].tolist(), known_names, lexicon)
    after = pd.Series(texts, index=frame.index, dtype="str")
    # Nothing tells what extra columns hold, and no later step reads them.
    job.write_shard(f"redact/{name}", shard, frame[TABLES[name].names].assign(**{column: after}))
    changed = int((frame[column].notna() & (frame[column] != after)).sum())
    job.write_json(_counts_of(name, shard), {"replaced": replaced, "changed": changed})


def _redacted(
    job: Job, texts: Sequence[str | None], known_names: Sequence[Sequence[str]], lexicon: Lexicon
) -> Redacted:
    regions = job.read_json("redact/phone_regions")["regions"]
    return redact_texts(texts, known_names, lexicon=lexicon, phone_regions=regions)


def _counts_of(name: str, shard: str | None) -> str:
    return of_shard(f"redact/counts/{name}", shard)
