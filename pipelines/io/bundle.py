"""A bundle: which files hold which table, and every table read into typed columns with the place of each row."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import fsspec
import pandas as pd

from lacuna.data_contracts.casts import cast, conform
from lacuna.data_contracts.contract import INPUTS, TABLES, UNREADABLE, Table
from lacuna.data_contracts.errors import BundleUnreadable, ContractBroken, StoreUnusable
from lacuna.pipelines.io.addresses import FOLDER, absent, is_page, unreachable
from lacuna.pipelines.io.chunks import copied, read_chunks
from lacuna.pipelines.io.formats import SUFFIXES, parse, storable_extra
from lacuna.pipelines.io.mapped import mapped_frame, unused
from lacuna.pipelines.io.mapping import NOTHING_MAPPED, Mapped
from lacuna.pipelines.io.raw import Raw
from lacuna.pipelines.io.spool import Spool
from lacuna.pipelines.presentation.suggestions import likely

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["BROKEN", "Bundle", "Problem", "Read", "read_bundle", "refuse"]


# Tells of each id of a conversation whether its rows are passed over.
LeaveOut = Callable[[pd.Series], "NDArray[np.bool_]"]
# The columns of the rows that could not be parsed.
BROKEN = ["file", "row", "why", "text"]


@dataclass(frozen=True)
class Problem:
    """What stops every run: a table, or a column of it, that is required and missing."""

    table: str
    column: str
    says: str
    remedy: str


@dataclass(frozen=True)
class Read:
    """One table of a bundle.

    Parameters
    ----------
    table
        Its contract.
    frame
        Every column of the contract, typed, then extra columns by name, then `__unreadable__` (first column of the row
        that could not be read, else null).
    raw
        object, same index: for each column with unreadable values, their raw value, else None.
    where
        Same index: `file` and `row` of each row.
    broken
        Rows that could not be parsed: file, row, why, text.
    """

    table: Table
    frame: pd.DataFrame
    raw: pd.DataFrame
    where: pd.DataFrame
    broken: pd.DataFrame


@dataclass(frozen=True)
class Bundle:
    """All tables of a bundle, what its files are, what is wrong with it as a whole, and what was odd."""

    tables: dict[str, Read]
    inputs: list[dict[str, Any]] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    warnings: list[dict[str, Any]] = field(default_factory=list)


@dataclass(frozen=True)
class _Part:
    """One file of a table: its path within the bundle and the columns that its folders' names add."""

    file: str
    address: str
    partitions: dict[str, str | None]


def read_bundle(
    bundle: str,
    only: Iterable[str] = INPUTS,
    mapped: Mapped | None = None,
    spool: Spool | None = None,
    leave_out: LeaveOut | None = None,
) -> Bundle:
    """Read the tables of a bundle.

    Parameters
    ----------
    bundle
        A folder, or an fsspec URL of one.
    only
        The tables to read.
    mapped
        How the bundle's own names and values are read; None where it keeps the contract's.
    spool
        Where the rows of its table go, a chunk at a time, instead of into ``tables``: for a table of any size.
    leave_out
        Tells which conversations are forgotten: their rows are counted (``forgotten`` in ``inputs``), and nothing else.

    Returns
    -------
    Bundle
        Every table asked for, an absent one with no rows. Missing required tables and columns stand in ``problems``,
        together, so that all of them can be mended at once.

    Raises
    ------
    BundleUnreadable
        The folder or a file can't be opened, or a table is there twice.
    """
    fs, root, paths = _listing(bundle)
    problems: list[Problem] = []
    inputs: list[dict[str, Any]] = []
    warnings = _strangers(paths)
    tables = {}
    for name in only:
        parts = _parts(name, root, paths)
        if not parts and TABLES[name].required:
            problems.append(_no_table(name, bundle, paths))
        if spool is not None and name == spool.table.name:
            _spool_table(spool, fs, parts, inputs, problems, warnings, mapped or NOTHING_MAPPED, leave_out)
        else:
            tables[name] = _read_table(
                TABLES[name], fs, parts, inputs, problems, warnings, mapped or NOTHING_MAPPED, leave_out
            )
    return Bundle(tables, inputs, problems, warnings)


def refuse(problems: list[Problem]) -> None:
    """Raise ContractBroken for what is wrong with a bundle as a whole, all of it at once."""
    if problems:
        remedies = dict.fromkeys(p.remedy for p in problems)
        raise ContractBroken("\n".join(dict.fromkeys(p.says for p in problems)), "\n  → ".join(remedies))


def _listing(bundle: str) -> tuple[Any, str, list[str]]:
    """The file system, the bundle's root in it, and the paths of its files relative to the root, sorted."""
    try:
        fs, root = fsspec.core.url_to_fs(str(bundle))
        root = root.rstrip("/")
        if not fs.exists(root):
            raise absent(fs, bundle, root)
        if fs.isfile(root) and not is_page(bundle):
            raise BundleUnreadable(f"{bundle} is a file, not a bundle folder", FOLDER)
        paths = []
        for entry in fs.ls(root, detail=True):
            name = entry["name"].rstrip("/").rsplit("/", 1)[-1]
            if entry["type"] != "directory":
                paths.append(name)
            elif name in INPUTS:
                paths += [p[len(root) :].lstrip("/") for p in fs.find(f"{root}/{name}")]
            else:
                paths.append(f"{name}/")
    except BundleUnreadable:
        raise
    except Exception as e:  # every file system has errors of its own: a bucket's, a server's
        raise unreachable(bundle, e) from e
    hidden = ("_", ".")
    return fs, root, [p for p in sorted(paths) if not any(part.startswith(hidden) for part in p.split("/"))]


def _suffix(path: str) -> str:
    return next((s for s in SUFFIXES if path.endswith(s)), "")


def _stem(path: str) -> str:
    """The table that a path of the bundle is named after: its folder, or its name without the ending."""
    first = path.split("/")[0]
    return first if "/" in path else first.removesuffix(_suffix(first)) if _suffix(first) else first.split(".")[0]


def _parts(name: str, root: str, paths: list[str]) -> list[_Part]:
    mine = [p for p in paths if _stem(p) == name and _suffix(p)]
    sources = sorted({p.split("/")[0] for p in mine})
    if len(sources) > 1:
        raise BundleUnreadable(
            f"table '{name}' is there {len(sources)} times: {', '.join(sources)}",
            "keep one; to join several files, put them into a folder of the table's name",
        )
    return [_Part(p, f"{root}/{p}", _partitions(p)) for p in mine]


def _partitions(path: str) -> dict[str, str | None]:
    pairs = [part.split("=", 1) for part in path.split("/")[1:-1] if "=" in part]
    return {k: None if v == "__HIVE_DEFAULT_PARTITION__" else unquote(v) for k, v in pairs}


def _strangers(paths: list[str]) -> list[dict[str, Any]]:
    """Files that no table claims, with the table that was perhaps meant."""
    out = []
    for path in paths:
        stem = _stem(path)
        if stem in INPUTS and _suffix(path):
            continue
        close = likely(stem, INPUTS)
        if stem in INPUTS:
            message = f"{path} was not read: its ending is none of {', '.join(SUFFIXES)}"
        elif close or _suffix(path):
            hint = f"; did you mean '{close}'?" if close else ""
            message = f"{path} was not read: there is no table '{stem}'{hint}"
        else:
            continue
        out.append({"table": stem, "rule": "unknown_file", "count": 1, "message": message})
    return out


def _no_table(name: str, bundle: str, paths: list[str]) -> Problem:
    stems = {_stem(p): p.split("/")[0] for p in paths if _stem(p) not in INPUTS or not _suffix(p)}
    close = likely(name, stems)
    hint = f"; did you mean '{stems[close]}'?" if close else ""
    endings = ",".join(s.removeprefix(".") for s in SUFFIXES)
    says = f"there is no table '{name}' in {bundle}{hint}"
    remedy = f"name the file or folder {name}.{{{endings}}} or {name}/"
    if name == "articles":
        remedy += "; where there are no articles yet, an articles.csv with the one line article_id,title,body will do: "
        remedy += "then every gap counts as missing"
    return Problem(name, "", says, remedy)


def _read_table(
    table: Table,
    fs: Any,
    parts: list[_Part],
    inputs: list[dict[str, Any]],
    problems: list[Problem],
    warnings: list[dict[str, Any]],
    mapped: Mapped,
    leave_out: LeaveOut | None,
) -> Read:
    typed, raws, wheres, broken = [], [], [], []
    present: set[str] = set()
    for part in parts:
        try:
            data = fs.cat_file(part.address)
        except Exception as e:  # as above: every file system has errors of its own
            raise BundleUnreadable(f"{part.file} can't be read: {e}", "check that it is there and readable") from e
        parsed = parse(part.file, data, table.names, mapped.expanded_bytes)
        digest = hashlib.sha256(data).hexdigest()
        rows = len(parsed.rows) + len(parsed.broken)
        inputs.append({"table": table.name, "file": part.file, "sha256": digest, "bytes": len(data), "rows": rows})
        warnings += [_warning(table, rule, f"{part.file} {message}") for rule, message in parsed.notes]
        frame = _with_partitions(parsed, part)
        present |= {str(c) for c in frame.columns}
        frame = mapped_frame(mapped, table.name, part.file, frame)
        _check_columns(table, part, frame, problems, warnings)
        frame, raw = _typed(table, frame)
        where = pd.DataFrame({"file": part.file, "row": parsed.rows})
        if leave_out is not None and "conversation_id" in table.names:
            gone = leave_out(frame["conversation_id"])
            inputs[-1] |= _forgotten(int(gone.sum()))
            frame, raw, where = (rows[~gone].reset_index(drop=True) for rows in (frame, raw, where))
        typed.append(frame)
        raws.append(raw)
        wheres.append(where)
        broken += [{"file": part.file, "row": b.row, "why": b.why, "text": b.text} for b in parsed.broken]
    if present:
        warnings += [_warning(table, "mapping", said) for said in unused(mapped, table.name, present)]
    if not typed:
        frame, raw = _typed(table, pd.DataFrame())
        typed, raws, wheres = [frame], [raw], [pd.DataFrame({"file": [], "row": []})]
    where = pd.concat(wheres, ignore_index=True).astype({"file": "str", "row": "int64"})
    return Read(
        table,
        _concat(table, typed, warnings),
        pd.concat(raws, ignore_index=True).astype("object"),
        where,
        pd.DataFrame(broken, columns=BROKEN),
    )


def _spool_table(
    spool: Spool,
    fs: Any,
    parts: list[_Part],
    inputs: list[dict[str, Any]],
    problems: list[Problem],
    warnings: list[dict[str, Any]],
    mapped: Mapped,
    leave_out: LeaveOut | None,
) -> None:
    """As :func:`_read_table`, with the rows of one chunk of one file in memory at a time."""
    table = spool.table
    present: set[str] = set()
    for number, part in enumerate(parts):
        copy = spool.folder / f"file-{number}"
        try:
            digest, size = copied(fs, part.address, copy)
        except StoreUnusable:
            raise
        except Exception as e:  # as above: every file system has errors of its own
            raise BundleUnreadable(f"{part.file} can't be read: {e}", "check that it is there and readable") from e
        spool.begin(part.file)
        rows = forgotten = 0
        columns: dict[str, None] = {}
        for parsed in read_chunks(part.file, copy, table.names, spool.chunk_bytes, mapped.expanded_bytes):
            rows += len(parsed.rows) + len(parsed.broken)
            warnings += [_warning(table, rule, f"{part.file} {message}") for rule, message in parsed.notes]
            frame = _with_partitions(parsed, part)
            present |= {str(c) for c in frame.columns}
            frame = mapped_frame(mapped, table.name, part.file, frame)
            columns |= dict.fromkeys(map(str, frame.columns))
            forgotten += spool.add(frame, parsed.rows, leave_out)
            spool.broken += [{"file": part.file, "row": b.row, "why": b.why, "text": b.text} for b in parsed.broken]
        _check_columns(table, part, pd.DataFrame(columns=list(columns), index=range(rows)), problems, warnings)
        read = {"table": table.name, "file": part.file, "sha256": digest, "bytes": size, "rows": rows}
        inputs.append(read | _forgotten(forgotten))
        for scratch in spool.folder.glob(f"file-{number}*"):
            scratch.unlink()
    if present:
        warnings += [_warning(table, "mapping", said) for said in unused(mapped, table.name, present)]
    warnings += [_mixed(table, name) for name in spool.mixed()]


def _forgotten(rows: int) -> dict[str, int]:
    return {"forgotten": rows} if rows else {}


def _mixed(table: Table, column: str) -> dict[str, Any]:
    message = f"column '{column}' has another type in another file; it is carried along as text"
    return _warning(table, "mixed_types", message)


def _warning(table: Table, rule: str, message: str, count: int = 1) -> dict[str, Any]:
    return {"table": table.name, "rule": rule, "count": count, "message": message}


def _with_partitions(parsed: Raw, part: _Part) -> pd.DataFrame:
    frame = parsed.frame
    for name, value in part.partitions.items():
        if name not in frame.columns:
            frame[name] = pd.Series([value] * len(frame), index=frame.index, dtype="str")
    return frame


def _check_columns(
    table: Table,
    part: _Part,
    frame: pd.DataFrame,
    problems: list[Problem],
    warnings: list[dict[str, Any]],
) -> None:
    present = [str(c) for c in frame.columns]
    extra = [c for c in present if c not in table.names]
    missing = [c for c in table.needed if c not in present]
    if missing and not (len(frame) or present):
        return
    for column in missing:
        close = likely(column, extra)
        hint = f"; did you mean '{close}'?" if close else ""
        says = f"{part.file}: table '{table.name}' has no column '{column}'{hint}"
        lines = f'; or say so in the settings: [input.columns.{table.name}] "{close}" = "{column}"' if close else ""
        remedy = f"rename or add the column; {part.file} has: {', '.join(present)}{lines}"
        problems.append(Problem(table.name, column, says, remedy))
    for column in extra:
        close = likely(column, [c for c in table.names if c not in present and c not in missing], 0.8)
        if close:
            message = f"{part.file}: column '{column}' is carried along unused; did you mean '{close}'?"
            warnings.append(_warning(table, "unknown_column", message))


def _typed(table: Table, frame: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The frame with the contract's columns typed and extra ones storable; raw values of unreadable cells."""
    typed, raw = conform(table, frame)
    extra = sorted({str(c) for c in frame.columns} - set(typed.columns))
    return pd.concat([typed, *(storable_extra(frame[name]).rename(name) for name in extra)], axis=1), raw


def _concat(table: Table, frames: list[pd.DataFrame], warnings: list[dict[str, Any]]) -> pd.DataFrame:
    extra = sorted({str(c) for f in frames for c in f.columns} - {*table.names, UNREADABLE})
    for name in extra:
        dtypes = {str(f[name].dtype) for f in frames if name in f.columns and f[name].notna().any()}
        if len(dtypes) > 1:
            warnings.append(_mixed(table, name))
        for i, f in enumerate(frames):
            if name in f.columns and len(dtypes) > 1:
                frames[i] = f.assign(**{name: cast(f[name], "str")[0]})
            elif name not in f.columns or (not f[name].notna().any() and dtypes):
                dtype: Any = "str" if len(dtypes) != 1 else next(iter(dtypes))
                gap = pd.Series([None] * len(f), index=f.index, dtype="object")
                frames[i] = f.assign(**{name: gap if dtype == "object" else gap.astype(dtype)})
    columns = [*table.names, *extra, UNREADABLE]
    return pd.concat([f[columns] for f in frames], ignore_index=True)
