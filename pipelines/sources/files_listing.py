"""The files that a path, a pattern or an address names, wherever they lie, and copies of them on this machine."""

from __future__ import annotations

import codecs
import gzip
import shutil
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import fsspec

from lacuna.data_contracts.errors import BundleUnreadable, LacunaError, SourceUnreadable
from lacuna.pipelines.io.addresses import unreachable
from lacuna.pipelines.io.chunks import copied
from lacuna.pipelines.io.expansion import EXPANDED_BYTES, unpack
from lacuna.pipelines.io.processes import temporary_folder

__all__ = ["SourceFile", "list_files", "on_this_machine"]

# What file systems say of a file that changes when its content does.
_MARKS = ("size", "mtime", "ETag", "etag", "LastModified", "Last-Modified", "Content-MD5", "md5Hash", "updated")


@dataclass(frozen=True)
class SourceFile:
    """A file of a source.

    Attributes
    ----------
    address
        Its path or address, as in messages.
    name
        The last part of it, by whose ending its format is guessed.
    stamp
        Another text once it has changed; empty where its file system does not tell.
    """

    address: str
    name: str
    stamp: str
    fs: Any
    path: str


def list_files(source: str, pattern: str) -> list[SourceFile]:
    """The files that a path, a pattern or an address names, by name.

    Raises
    ------
    SourceUnreadable
        There is none, or the place can't be reached.
    """
    try:
        fs, path = fsspec.core.url_to_fs(pattern)
        is_pattern = any(mark in path for mark in "*[") and not fs.isfile(path)
        if is_pattern:
            entries = [one for one in fs.glob(path, detail=True).values() if one["type"] == "file"]
        else:
            entries = [fs.info(path)]
            if entries[0]["type"] == "directory":
                raise SourceUnreadable(
                    f"[sources.{source}]: {pattern} is a folder", f"name its files, such as {pattern.rstrip('/')}/*.csv"
                )
    except LacunaError:
        raise
    except FileNotFoundError:
        entries = []
    except Exception as error:  # every file system has errors of its own
        said = unreachable(pattern, error)
        raise SourceUnreadable(f"[sources.{source}]: {said.problem}", said.remedy) from error
    if not entries:
        raise SourceUnreadable(
            f"[sources.{source}]: there is no file {pattern}",
            "check the path; one that does not begin with / is looked for in the folder that the command is started in",
        )
    return [
        SourceFile(
            _address(pattern, entry), entry["name"].rstrip("/").rsplit("/", 1)[-1], _stamp(entry), fs, entry["name"]
        )
        for entry in sorted(entries, key=lambda entry: entry["name"])
    ]


@contextmanager
def on_this_machine(file: SourceFile, encoding: str = "", expanded: int = EXPANDED_BYTES) -> Iterator[Path]:
    """The file's bytes on this machine, unpacked, and as UTF-8 where its encoding is given.

    ``expanded`` are the bytes that it may expand to: see :mod:`lacuna.pipelines.io.expansion`.
    """
    packed = file.name.endswith(".gz")
    if not packed and not encoding and Path(file.path).is_absolute() and Path(file.path).is_file():
        yield Path(file.path)
        return
    with temporary_folder("pull") as folder:
        place = folder / "copy"
        try:
            copied(file.fs, file.path, place)
        except LacunaError:
            raise
        except Exception as error:  # every file system has errors of its own
            said = unreachable(file.address, error)
            raise SourceUnreadable(said.problem, said.remedy) from error
        if packed:
            place = _unpacked(file, place, expanded)
        if encoding:
            place = _as_utf8(file, place, encoding)
        yield place


def _unpacked(file: SourceFile, place: Path, expanded: int) -> Path:
    to = place.with_name("unpacked")
    try:
        with to.open("wb") as target:
            unpack(file.address, place, target, expanded)
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise BundleUnreadable(f"{file.address} can't be unpacked: {error}", "compress it again with gzip") from error
    return to


def _as_utf8(file: SourceFile, place: Path, encoding: str) -> Path:
    to = place.with_name("utf8")
    try:
        codecs.lookup(encoding)
        with place.open(encoding=encoding, newline="") as source, to.open("w", encoding="utf-8", newline="") as target:
            shutil.copyfileobj(source, target, 1 << 20)
    except LookupError as error:
        raise SourceUnreadable(f"{file.address}: there is no encoding '{encoding}'", "such as shift_jis") from error
    except UnicodeError as error:
        raise SourceUnreadable(
            f"{file.address} is not written in {encoding}: {error}", "take encoding out, or give the right one"
        ) from error
    return to


def _address(pattern: str, entry: dict[str, Any]) -> str:
    scheme, there, _ = pattern.partition("://")
    name = str(entry["name"])
    return name if not there or "://" in name else f"{scheme}://{name}"


def _stamp(entry: dict[str, Any]) -> str:
    marks = {mark: str(entry[mark]) for mark in _MARKS if entry.get(mark) is not None}
    return " ".join(f"{mark}={value}" for mark, value in marks.items()) if len(marks) > 1 else ""
