"""What a store and a bundle hold, file by file, on this machine and on object stores."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from lacuna.data_contracts.contract import INPUTS
from lacuna.pipelines.io.addresses import StorePath
from lacuna.pipelines.io.store import usable
from lacuna.pipelines.sources.source import OF_CONVERSATIONS, PULL

__all__ = ["bundles_within", "files_below", "is_ours", "own_files", "relative_to", "sources_of"]

_OF_PEOPLE = (*OF_CONVERSATIONS, "searches")  # the tables whose rows name conversations


def files_below(folder: StorePath) -> list[StorePath]:
    """Every file in a folder and below, sorted by path; none where there is no such folder."""
    with usable(folder):
        if isinstance(folder, Path):
            return sorted(path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
        if not folder.exists():
            return []
        root = folder.path.rstrip("/")
        names = sorted(str(path) for path in folder.fs.find(root))
        return [folder / name[name.index(root.lstrip("/")) + len(root.lstrip("/")) :].lstrip("/") for name in names]


def relative_to(folder: StorePath, file: StorePath) -> str:
    """The path of a file within a folder, with slashes."""
    name, root = (str(path).replace("\\", "/").rstrip("/") for path in (file, folder))
    return name.removeprefix(root).lstrip("/")


def sources_of(bundle: StorePath) -> list[str]:
    """The sources whose rows `lacuna pull` has put into a bundle; none where it has never pulled into it."""
    place = bundle / PULL
    with usable(place):
        if not place.exists():
            return []
        return sorted(one.name for one in place.iterdir() if one.is_dir() and not one.name.startswith(("_", ".")))


def own_files(bundle: StorePath) -> list[StorePath]:
    """The files of a bundle with rows about conversations that `lacuna pull` wrote, staged ones included."""
    sources = sources_of(bundle)
    return [file for file in _table_files(bundle) if is_ours(file, sources)] + [
        file
        for source in sources
        for file in files_below(bundle / PULL / source)
        if file.parent.name in _OF_PEOPLE and file.name.endswith(".parquet")
    ]


def is_ours(file: StorePath, sources: list[str]) -> bool:
    """Whether a file of a bundle's table is one that a pull of these sources writes: one a source, or one a month."""
    stem = file.name.removesuffix(".parquet")
    return file.name.endswith(".parquet") and any(
        stem == source or (stem.startswith(f"{source}-") and len(stem) == len(source) + len("-2024-06"))
        for source in sources
    )


def _table_files(bundle: StorePath) -> Iterator[StorePath]:
    for table in _OF_PEOPLE:
        yield from files_below(bundle / table)


def bundles_within(folder: StorePath) -> Iterator[str]:
    """The folders in a store, relative to it, that are bundles: they hold conversations and messages."""
    holding: dict[str, set[str]] = {}
    for file in files_below(folder):
        parts = relative_to(folder, file).split("/")
        for depth, part in enumerate(parts):
            table = part.split(".")[0]
            if table in INPUTS:
                holding.setdefault("/".join(parts[:depth]), set()).add(table)
                break
    for place, tables in sorted(holding.items()):
        if place and {"conversations", "messages"} <= tables and not place.startswith(("runs", "cache", ".work")):
            yield place
