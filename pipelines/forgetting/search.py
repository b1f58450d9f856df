"""The proof: every file, and every table of the state, searched for what should be gone.

It reads what removal has written with means of its own: bytes of every file, compressed ones unpacked, Parquet as text,
the database's file page by page, free ones and its log of changes included.
"""

from __future__ import annotations

import gzip
import html
import io
import json
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field

import pyarrow as pa
import pyarrow.parquet as pq
import sqlalchemy as sa

from lacuna.data_contracts.findings import counted
from lacuna.pipelines.forgetting.places import files_below, own_files, relative_to
from lacuna.pipelines.forgetting.traces import Traces, owner_of
from lacuna.pipelines.io.addresses import StorePath
from lacuna.pipelines.io.store import usable
from lacuna.pipelines.presentation import progress
from lacuna.pipelines.state import schema
from lacuna.pipelines.state.repository import State

__all__ = ["Found", "search"]

_MARKUP = re.compile(r"<[^<>]{0,2000}>")
_ESCAPE = re.compile(r"\\u([0-9a-fA-F]{4})|\\[nrt]")
_NOT_WORDS = {schema.schema_version, schema.leases, schema.sessions, schema.forgotten, schema.forgetting_key}


@dataclass
class Found:
    """What was searched, and the places that still hold something.

    Attributes
    ----------
    files, megabytes, tables
        How much was searched: files with their size as stored, and tables of the database.
    places
        Where something was found: what of it, in words without any of it.
    """

    files: int = 0
    megabytes: float = 0.0
    tables: int = 0
    places: dict[str, str] = field(default_factory=dict)

    def __add__(self, other: Found) -> Found:
        return Found(other.files, other.megabytes, other.tables, {**self.places, **other.places})

    def __str__(self) -> str:
        return f"{self.files:,} files ({self.megabytes:,.1f} MB) and {self.tables} tables of the state database"


def search(
    store: StorePath, state: State, bundles: list[StorePath], traces: Traces, passing: tuple[str, ...] = ()
) -> Found:
    """Search a store, its state and our files of bundles.

    Parameters
    ----------
    store, state, bundles
        Where to search.
    traces
        What to search for.
    passing
        Folders of the store, with a slash at their end, that others write: they are not searched.
    """
    found = Found()
    files = [(relative_to(store, file), file) for file in files_below(store)]
    files = [(name, file) for name, file in files if not name.startswith(passing)]
    files += [(str(file), file) for bundle in bundles for file in own_files(bundle)]
    with progress.bar("searching for what is left") as tick:
        for number, (name, file) in enumerate(files):
            with usable(file):
                content = file.read_bytes()
            found.files += 1
            found.megabytes += len(content) / 1e6
            what = _held(name, content, traces)
            if what:
                found.places[name] = what
            tick(number + 1, len(files))
    with state.reading() as connection:
        for table in schema.metadata.sorted_tables:
            if table in _NOT_WORDS:
                continue
            found.tables += 1
            texts = [column for column in table.columns if isinstance(column.type, sa.Text | sa.JSON | sa.String)]
            for row in connection.execute(sa.select(*texts)) if texts else ():
                held = _in_texts((value if isinstance(value, str) else json.dumps(value) for value in row), traces)
                if held:
                    found.places[f"state database, table {table.name}"] = held
                    break
    return found


def _held(name: str, content: bytes, traces: Traces) -> str:
    try:
        return _in_texts(_texts(name, content), traces) or _in_columns(name, content, traces)
    except (ValueError, OSError, EOFError, zipfile.BadZipFile) as error:
        return f"it can't be read, so nobody knows: {str(error).splitlines()[0]}"


def _in_texts(texts: Iterator[str], traces: Traces) -> str:
    ids = words = 0
    for text in texts:
        ids += traces.names_one(text)
        words += traces.words.found(text)
        words += bool(traces.keys) and any(key in text for key in traces.keys)
    told = [f"{counted(ids, 'text')} with an id"] if ids else []
    told += [f"{counted(words, 'text')} with their words"] if words else []
    return ", ".join(told)


def _in_columns(name: str, content: bytes, traces: Traces) -> str:
    """Rows of the conversations, whatever their ids look like."""
    if not name.endswith(".parquet") or not content:
        return ""
    table = pq.ParquetFile(io.BytesIO(content)).read()
    if "conversation_id" not in table.column_names:
        return ""
    own = sum(traces.owns(owner_of({"conversation_id": one})) for one in table["conversation_id"].to_pylist())
    return f"{counted(own, 'row')} of them" if own else ""


def _texts(name: str, content: bytes) -> Iterator[str]:
    """Everything in a file that can be read, in pieces."""
    if not content:
        return
    if name.endswith(".gz"):
        yield from _texts(name.removesuffix(".gz"), gzip.decompress(content))
    elif name.endswith(".parquet"):
        for column in pq.ParquetFile(io.BytesIO(content)).read().itercolumns():
            yield from _strings(column)
    elif name.endswith((".xlsx", ".zip")):
        with zipfile.ZipFile(io.BytesIO(content)) as parts:
            for part in parts.namelist():
                yield from _texts(part, parts.read(part))
    else:
        text = content.decode("utf-8", "ignore")
        yield text
        if "\\" in text:
            text = _ESCAPE.sub(lambda one: chr(int(one[1], 16)) if one[1] else " ", text)
            yield text
        if name.endswith((".html", ".xml")):
            yield html.unescape(_MARKUP.sub(" ", text))
    yield name


def _strings(column: pa.ChunkedArray) -> Iterator[str]:
    for chunk in column.chunks:
        yield from _strings_in(chunk)


def _strings_in(array: pa.Array) -> Iterator[str]:
    kind = array.type
    if pa.types.is_dictionary(kind):
        yield from _strings_in(array.dictionary)
    elif pa.types.is_list(kind) or pa.types.is_large_list(kind):
        yield from _strings_in(array.flatten())
    elif pa.types.is_struct(kind):
        for field_array in array.flatten():
            yield from _strings_in(field_array)
    elif pa.types.is_string(kind) or pa.types.is_large_string(kind):
        yield from (text for text in array.to_pylist() if text is not None)
