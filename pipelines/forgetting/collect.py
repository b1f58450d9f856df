"""The traces of conversations, collected before anything is removed: their texts, and what others say besides.

They are kept in the store until the end, in a file that its owner alone can read: whoever is stopped half way would not
find them again where the first places are empty already.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from importlib.resources import files
from importlib.resources.abc import Traversable
from itertools import chain
from pathlib import Path

from lacuna.pipelines.forgetting.files import owned_texts
from lacuna.pipelines.forgetting.places import files_below, relative_to
from lacuna.pipelines.forgetting.selection import messages_of, other_texts_of
from lacuna.pipelines.forgetting.traces import Traces
from lacuna.pipelines.io.addresses import StorePath
from lacuna.pipelines.io.bundle import read_bundle
from lacuna.pipelines.io.mapping import Mapped
from lacuna.pipelines.io.run_folders import published_runs, run_place
from lacuna.pipelines.io.store import remove_folder, usable, write_bytes
from lacuna.pipelines.presentation import progress

__all__ = ["Kept", "collect", "keep", "kept", "throw_away"]

PRIVATE = ".forgetting"
_IDS = re.compile(r"(^|_)(id|ids|key|hash|at)$")
# Where Lacuna itself writes sentences: its own words are nobody's.
_OURS = (
    "data_contracts.tables", "models.backlog", "models.diagnosis", "models.impact", "models.metrics", "models.writing",
    "pipelines.board", "pipelines.drafts", "pipelines.presentation", "pipelines.report", "pipelines.steps.publish",
)  # fmt: skip
_FROM_THE_COMPANY = ("articles.parquet", "owners.parquet", "kpis.parquet")


@dataclass
class Kept:
    """What is kept until the end: a line's number in the log, conversations, when the first began, texts and keys."""

    number: int
    ids: list[str]
    began: datetime | None = None
    texts: list[str] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)


def kept(store: StorePath) -> Kept | None:
    """What an earlier forgetting kept that was stopped half way; None where none was."""
    try:
        with usable(store, passing=FileNotFoundError):
            text = (store / PRIVATE / "kept.json").read_text(encoding="utf-8", errors="surrogatepass")
    except FileNotFoundError:
        return None
    document = json.loads(text)
    began = document.pop("began")
    return Kept(**document, began=datetime.fromisoformat(began) if began else None)


def keep(store: StorePath, what: Kept) -> None:
    """Keep it."""
    place = store / PRIVATE
    if isinstance(place, Path):
        with usable(place):
            place.mkdir(parents=True, exist_ok=True)
            place.chmod(0o700)
    write_bytes(place / "kept.json", json.dumps(asdict(what), default=str).encode())


def throw_away(store: StorePath) -> None:
    """Remove what was kept."""
    remove_folder(store / PRIVATE)


def collect(store: StorePath, bundle: str | None, mapped: Mapped, what: Kept) -> tuple[Kept, Traces, set[str]]:
    """Find the texts of the conversations, and of these the words that nobody else has.

    Parameters
    ----------
    store
        Its runs, caches and work folders tell of the conversations whatever bundle is left.
    bundle
        Where their texts are whole; None for those of the store alone.
    mapped
        How the bundle is read.
    what
        The conversations, with what was collected before.

    Returns
    -------
    Kept
        The same with all that was found.
    Traces
        What has to go.
    set of str
        Those of the conversations that were found.
    """
    # Of what the bundle no longer holds, caches and work folders may know more than the runs.
    places = _telling(store, with_work=bundle is None or what.began is None)
    traces = Traces(frozenset(what.ids))
    texts, keys, others, seen = dict.fromkeys(what.texts), set(what.keys), set[str](), set[str]()
    for owner, of, text in chain(_told(places, "looking for their texts"), _of_bundle(bundle, mapped)):
        if owner in traces.ids:
            seen.add(str(owner))
        if of == "key":
            (keys if owner in traces.ids else others).add(text)
        elif owner in traces.ids and not _IDS.search(of):
            texts[text] = None
    traces.keys |= keys - others
    for text in texts:
        traces.words.add(text)
    if traces.words:
        said = chain(_told(places, "looking for what others say too"), _of_bundle(bundle, mapped))
        others_say = (text for owner, of, text in said if owner and owner not in traces.ids and not _IDS.search(of))
        for text in chain(_own_sentences(), _of_company(places, bundle, mapped), others_say):
            traces.words.spare(text)
    return replace(what, texts=list(texts), keys=sorted(keys)), traces, seen


def _telling(store: StorePath, with_work: bool) -> list[tuple[str, StorePath]]:
    """Files of a store whose rows tell whose they are, by name; without a bundle, those of caches and work too."""
    found = []
    for run_id in published_runs(store):
        place = run_place(store, run_id)
        found += [(relative_to(place, file), file) for file in files_below(place)] if place else []
    if with_work:
        found += [(file.name, file) for folder in ("cache/parts", ".work") for file in files_below(store / folder)]
    return [(name, file) for name, file in found if name.endswith((".parquet", ".jsonl", ".csv"))]


def _told(places: Sequence[tuple[str, StorePath]], doing: str) -> Iterator[tuple[str | None, str, str]]:
    """Every text of the files with its conversation, None where nothing tells, and the name of its field."""
    with progress.bar(doing) as tick:
        for number, (name, file) in enumerate(places):
            try:
                with usable(file, passing=FileNotFoundError):
                    content = file.read_bytes()
                yield from owned_texts(name, content)
            except FileNotFoundError:  # a run that was replaced, a cache that was pruned
                pass
            tick(number + 1, len(places))


def _of_bundle(bundle: str | None, mapped: Mapped) -> Iterator[tuple[str | None, str, str]]:
    if bundle is None:
        return
    for frame in messages_of(bundle, mapped):
        owners, texts = frame["conversation_id"].tolist(), frame["text"].tolist()
        for owner, text in zip(owners, texts, strict=True):
            if isinstance(owner, str) and isinstance(text, str):
                yield owner, "text", text
    for owner, text in other_texts_of(bundle, mapped):
        yield owner, "", text


def _of_company(places: Sequence[tuple[str, StorePath]], bundle: str | None, mapped: Mapped) -> Iterator[str]:
    """What the company itself has written: articles, owners, names of products and the like."""
    of_runs = [(name, file) for name, file in places if name in _FROM_THE_COMPANY]
    yield from (text for _, _, text in _told(of_runs, "reading articles"))
    if bundle is not None:
        for read in read_bundle(bundle, ["articles", "owners", "releases"], mapped).tables.values():
            for name in read.frame:
                yield from (text for text in read.frame[name] if isinstance(text, str))


def _own_sentences() -> Iterator[str]:
    for package in _OURS:
        yield from _texts_in(files(f"lacuna.{package}"))


def _texts_in(folder: Traversable) -> Iterator[str]:
    for entry in folder.iterdir():
        if entry.is_dir():
            yield from _texts_in(entry)
        elif entry.name.endswith((".py", ".jinja", ".toml", ".js", ".css")):
            yield entry.read_text(encoding="utf-8")
