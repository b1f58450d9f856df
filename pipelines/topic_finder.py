"""Topics of a file of texts, with nothing else known of them: the command ``lacuna topics``."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from lacuna.data_contracts.errors import BundleUnreadable, ContractBroken, SettingsInvalid
from lacuna.models.arrays import F32, Flags, Ints
from lacuna.models.conversations.questions import clean, key_of
from lacuna.models.text import lexicon
from lacuna.models.topics.describe import unassigned_alarm
from lacuna.models.topics.names import label_topics
from lacuna.models.topics.topic_finder import find_groups
from lacuna.pipelines.embedders.choice import AUTO, choose
from lacuna.pipelines.io.addresses import StorePath
from lacuna.pipelines.io.expansion import EXPANDED_BYTES
from lacuna.pipelines.io.formats import SUFFIXES, parse
from lacuna.pipelines.io.redaction_cache import redacted
from lacuna.pipelines.io.store import usable, write_bytes, write_parquet
from lacuna.pipelines.io.vector_cache import embed
from lacuna.pipelines.presentation import progress
from lacuna.pipelines.presentation.spreadsheet import safe_csv_text
from lacuna.pipelines.presentation.suggestions import likely
from lacuna.pipelines.settings import Settings

__all__ = ["Grouped", "distinct_texts", "group_file", "grouped", "read_texts", "topics_of", "write_assignments"]

FEWEST = 5  # distinct texts below which there is nothing to group
NAMED_BY = 30  # texts
LANGUAGE_SAMPLE = 1_000  # texts that show which languages there are
SHARD = 32_768  # texts whose vectors are held at once
OUT_SUFFIXES = (".csv", ".parquet")


@dataclass(frozen=True)
class Grouped:
    """What was found.

    Parameters
    ----------
    assignments
        id (str), topic_id (Int64, from 1, null where unassigned), state (core, nearest, unassigned), strength (float,
        cosine to the middle of the topic), by id.
    topics
        topic_id, label, keywords (list of str), core, nearest (int), largest first.
    unreadable
        Rows of the file that could not be parsed: (row, why).
    distinct
        Distinct texts among the rows.
    alarm
        What to tell where too many are unassigned (``settings.topics.unassigned_at_most``), or None.
    """

    assignments: pd.DataFrame
    topics: pd.DataFrame
    unreadable: list[tuple[int, str]]
    distinct: int
    alarm: str | None


def group_file(
    file: Path, text: str, name: str | None, out: Path | None, cache: StorePath, settings: Settings
) -> Grouped:
    """Group the texts in ``file``'s column ``text``; write the assignment to ``out`` where it is given.

    Raises
    ------
    BundleUnreadable, ContractBroken, SettingsInvalid, StoreUnusable
        Something is wrong with the file, its columns, or the places to write to.
    """
    if out is not None:
        _check_out(out, file)
    if isinstance(cache, Path):
        with usable(cache):
            cache.mkdir(parents=True, exist_ok=True)
    rows, unreadable = read_texts(file, text, name, expanded=settings.input.expanded_bytes)
    assignments, topics, distinct = topics_of(rows, cache, settings)
    if out is not None:
        write_assignments(out, assignments)
    alarm = unassigned_alarm(assignments["topic_id"].isna().tolist(), settings.topics.unassigned_at_most)
    return Grouped(assignments, topics, unreadable, distinct, alarm)


def read_texts(
    file: Path, text: str, name: str | None, *, unique: bool = True, expanded: int = EXPANDED_BYTES
) -> tuple[pd.DataFrame, list[tuple[int, str]]]:
    """The file's rows as id and text (str), and the rows that could not be parsed.

    Without an id column, a row's id is its number in the file, from 1. Ids are ``unique``, or the file is refused.
    ``expanded`` are the bytes that it may expand to where it is packed: see :mod:`lacuna.pipelines.io.expansion`.
    """
    if not file.name.endswith(SUFFIXES):
        raise BundleUnreadable(f"{file} is of no known format", f"give a file that ends in {', '.join(SUFFIXES)}")
    try:
        data = file.read_bytes()
    except FileNotFoundError:
        folder = file.parent
        others = [p.name for p in folder.iterdir()] if folder.is_dir() else []
        raise BundleUnreadable(f"{file} does not exist", _near(file.name, others) or "check the path") from None
    except OSError as error:
        raise BundleUnreadable(f"{file} can't be read: {error.strerror}", "check its rights and the path") from error
    raw = parse(file.name, data, {text, *([name] if name else [])}, expanded)
    columns = [str(c) for c in raw.frame.columns]
    unreadable = [(broken.row, broken.why) for broken in raw.broken]
    if not len(raw.frame) and not columns:
        if unreadable:
            row, why = unreadable[0]
            raise BundleUnreadable(
                f"{file} has no readable row; row {row}: {why}", "check that it is what its name says"
            )
        return pd.DataFrame({"id": [], "text": []}, dtype="str"), unreadable
    for option, column in (("--text", text), ("--id", name)):
        if column is not None and column not in columns:
            has = f"it has: {', '.join(columns)}"
            raise ContractBroken(
                f"{file} has no column '{column}' ({option})", "; ".join(filter(None, [_near(column, columns), has]))
            )
    frame = raw.frame
    numbers = [str(number) for number in range(1, len(frame) + 1)]
    ids = numbers if name is None else [_text(value) for value in frame[name]]
    if unique:
        _check_ids(file, name or "", ids)
    return pd.DataFrame({"id": ids, "text": [_text(value) for value in frame[text]]}, dtype="str"), unreadable


def topics_of(rows: pd.DataFrame, cache: StorePath, settings: Settings) -> tuple[pd.DataFrame, pd.DataFrame, int]:
    """Topics of texts.

    Personal data is taken out before anything else. Texts that differ in case and spacing alone count once. Beyond
    ``settings.topics.fit_at_most`` distinct texts, topics are found on that many, chosen by their content, and the
    others join the nearest.

    Parameters
    ----------
    rows : DataFrame
        id (str, unique), text (str).

    Returns
    -------
    assignments, topics : as in `Grouped`
    distinct : int
    """
    texts, of = distinct_texts(rows["text"].tolist(), cache, settings)
    name = settings.embedder.name
    if name == AUTO:
        name = choose(texts[:LANGUAGE_SAMPLE]).name

    def embedded(some: Sequence[str], what: str) -> F32:
        return embed(some, name, cache, f"embedding {what}")

    with progress.bar("grouping texts") as tick:
        topic, core, strength, phrases = grouped(texts, embedded, settings.topics.fit_at_most, tick)
    spread = pd.DataFrame(
        {
            "id": rows["id"].to_numpy(),
            "topic": np.append(topic, -1)[of],
            "core": np.append(core, False)[of],
            "strength": np.append(strength, 0.0)[of].round(4),
        }
    )
    return *_tables(spread, topic, core, strength, texts, phrases, lambda some: embedded(some, "names")), len(texts)


def distinct_texts(texts: Sequence[str], cache: StorePath, settings: Settings) -> tuple[list[str], Ints]:
    """The distinct texts, without personal data and boilerplate, ordered by a hash, and which one each row is (or -1).

    Texts that differ in case and spacing alone are one.
    """
    cleaned = [clean(text) for text in redacted(texts, cache, settings.privacy.phone_regions)]
    keys = [key_of(text) for text in cleaned]
    one_each = {key: text for key, text in sorted(zip(keys, cleaned, strict=True), reverse=True) if text}
    row = {key: i for i, key in enumerate(sorted(one_each))}
    return [one_each[key] for key in row], np.array([row.get(key, -1) for key in keys], dtype=np.int64)


def grouped(
    texts: list[str],
    embedded: Callable[[Sequence[str], str], F32],
    fit_at_most: int,
    tick: Callable[[int, int], None] | None = None,
) -> tuple[Ints, Flags, F32, list[list[str]]]:
    """Topic (-1 for none), whether it is of the core, cosine to the topic's middle, and the topics' phrases.

    Topics are found on the first ``fit_at_most`` texts, and the others join the nearest.
    """
    n = len(texts)
    topic, core, strength = np.full(n, -1), np.zeros(n, dtype=bool), np.zeros(n, dtype=np.float32)
    if n < FEWEST:
        return topic, core, strength, []
    size = min(n, fit_at_most)
    groups = find_groups(texts[:size], embedded, sorted(lexicon.STOP_WORDS), tick)
    topic[:size], strength[:size] = groups.sample()
    core[:size] = groups.labels >= 0
    for start in range(size, n, SHARD):
        shard = texts[start : start + SHARD]
        end = start + len(shard)
        topic[start:end], strength[start:end] = groups.join(embedded(shard, "texts"), shard)
    return topic, core, strength, groups.phrases


def _central(members: Ints, strength: F32) -> Ints:
    """Those of a topic's texts that are nearest its middle; they are enough to name it."""
    return members[np.lexsort((members, -strength[members]))[:NAMED_BY]]


def _tables(
    spread: pd.DataFrame,
    topic: Ints,
    core: Flags,
    strength: F32,
    texts: list[str],
    phrases: list[list[str]],
    embedded: Callable[[Sequence[str]], F32],
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Assignments and topics, numbered from 1 by how many rows they have."""
    inside = spread["topic"].value_counts()
    order = sorted(range(len(phrases)), key=lambda k: (-int(inside.get(k, 0)), k))
    number = {k: i for i, k in enumerate(order, 1)}
    members = [[texts[i] for i in _central(np.flatnonzero(core & (topic == k)), strength)] for k in order]
    names = label_topics(members, [phrases[k] for k in order], embedded)
    state = np.where(spread["core"], "core", np.where(spread["topic"] >= 0, "nearest", "unassigned"))
    assignments = pd.DataFrame(
        {
            "id": spread["id"].astype("str"),
            "topic_id": pd.array([number.get(k) for k in spread["topic"]], dtype="Int64"),
            "state": pd.array(state, dtype="str"),
            "strength": spread["strength"].astype(float).round(4),
        }
    ).sort_values("id", ignore_index=True)
    counts = {key: int(size) for key, size in assignments.groupby(["topic_id", "state"]).size().items()}
    topics = pd.DataFrame(
        {
            "topic_id": list(number.values()),
            "label": pd.array(names, dtype="str"),
            "keywords": [phrases[k] for k in order],
            "core": [counts.get((i, "core"), 0) for i in number.values()],
            "nearest": [counts.get((i, "nearest"), 0) for i in number.values()],
        }
    )
    return assignments, topics


def write_assignments(out: Path, assignments: pd.DataFrame) -> None:
    """Write the assignment as CSV, which a spreadsheet opens safely, or as Parquet, by the file's ending."""
    if out.suffix.lower() == ".parquet":
        write_parquet(out, assignments)
        return
    safe = assignments.assign(id=[safe_csv_text(value) for value in assignments["id"]])
    write_bytes(out, safe.to_csv(index=False, lineterminator="\n").encode())


def _check_out(out: Path, file: Path) -> None:
    if out.suffix.lower() not in OUT_SUFFIXES:
        raise SettingsInvalid(f"--out {out} is of no known format", f"end it in {' or '.join(OUT_SUFFIXES)}")
    if out.is_dir():
        raise SettingsInvalid(f"--out {out} is a folder", "name a file in it")
    if out.exists() and file.exists() and out.samefile(file):
        raise SettingsInvalid(f"--out {out} is the input itself", "name another file")


def _check_ids(file: Path, column: str, ids: list[str]) -> None:
    for number, value in enumerate(ids, 1):
        if not value:
            raise ContractBroken(
                f"{file}: column '{column}' (--id) is empty in row {number}", "fill it, or leave --id out"
            )
    if len(set(ids)) < len(ids):
        series = pd.Series(ids, dtype="str")
        twice = series[series.duplicated()].iloc[0]
        raise ContractBroken(
            f"{file}: column '{column}' (--id) has '{twice}' more than once",
            "name a column whose values are unique, or leave --id out: rows are then numbered",
        )


def _text(value: object) -> str:
    """A cell as text; null is empty, and a whole number reads as one."""
    if value is None or value is pd.NA or value is pd.NaT or (isinstance(value, float) and np.isnan(value)):
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value).strip()


def _near(word: str, names: Iterable[str]) -> str:
    close = likely(word, names)
    return f"did you mean '{close}'?" if close else ""
