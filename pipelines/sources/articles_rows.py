"""Rows of the table articles, from pages and what git knows of them."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, time
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import pandas as pd

from lacuna.data_contracts.casts import cast
from lacuna.pipelines.presentation import progress
from lacuna.pipelines.sources.articles_history import Revision
from lacuna.pipelines.sources.articles_pages import Page, slug
from lacuna.pipelines.sources.source import Row

if TYPE_CHECKING:
    from lacuna.pipelines.sources.articles import ArticlesSettings

__all__ = ["article_rows", "default_keys"]

_TIMES = ("created_at", "updated_at", "verified_at")


def default_keys() -> dict[str, list[str]]:
    """Keys of the front matter by our column, as ``articles.toml`` has them."""
    text = files("lacuna.pipelines.sources").joinpath("articles.toml").read_text(encoding="utf-8")
    keys: dict[str, list[str]] = tomllib.loads(text)["keys"]
    return keys


def article_rows(
    settings: ArticlesSettings, path: str, page: Page, pieces: Sequence[Page], revisions: list[Revision], owner: str
) -> Iterator[Row]:
    """The row of a page, or of each part of it; parts share all but id, title, body and address.

    Parameters
    ----------
    path
        The page's path in the folder.
    revisions
        The newest first.
    owner
        Whom the page has where it names nobody.
    """
    said = {column: _said(page.front, settings.keys.get(column, ())) for column in default_keys()}
    stem = path.rsplit(".", 1)[0]
    key = str(said["article_id"] or stem)
    url = said["url"] or (settings.url.replace("{path}", stem) if settings.url else None)
    shared: Row = {
        "status": _status(settings, page.front, said["status"]),
        "language": said["language"] or settings.language or None,
        "product": said["product"],
        "owner_id": said["owner_id"] or owner or None,
        **{column: _time(path, column, said[column]) for column in _TIMES},
    }
    if revisions:
        shared["created_at"] = shared["created_at"] or revisions[-1].at
        shared["updated_at"] = max(filter(None, (shared["updated_at"], revisions[0].at)))
    title = str(said["title"] or page.title or stem.rsplit("/", 1)[-1].replace("-", " ").replace("_", " ").capitalize())
    taken: set[str] = set()
    for piece in pieces:
        row: Row = {"article_id": key, "title": title, "body": piece.body, "url": url, **shared}
        if piece.is_part:
            part = _unused(slug(piece.title), taken)
            row |= {"article_id": f"{key}#{part}", "title": piece.title, "url": f"{url}#{part}" if url else None}
        yield row


def _unused(part: str, taken: set[str]) -> str:
    number, name = 1, part
    while name in taken:
        number += 1
        name = f"{part}-{number}"
    taken.add(name)
    return name


def _said(front: dict[str, Any], keys: Sequence[str]) -> Any:
    value = next((front[key.lower()] for key in keys if front.get(key.lower()) not in (None, "", [])), None)
    if isinstance(value, list):
        value = value[0]
    return value if value is None or isinstance(value, date) else str(value)


def _status(settings: ArticlesSettings, front: dict[str, Any], said: Any) -> str | None:
    if said is not None:
        word = str(said).strip().lower()
        return settings.status_words.get(word, word)
    for flag, means in (("archived", "archived"), ("draft", "draft")):
        if front.get(flag) in (True, "true", "True"):
            return means
    return "draft" if front.get("published") in (False, "false", "False") else None


def _time(path: str, column: str, said: Any) -> datetime | None:
    if said is None:
        return None
    if isinstance(said, date) and not isinstance(said, datetime):
        said = datetime.combine(said, time(), UTC)
    times, unread = cast(pd.Series([said], dtype="object"), "timestamp")
    if unread.iloc[0]:
        progress.log.warning(
            "%s: %s is %r, which is no time; write it as 2024-06-30. It is left empty", path, column, said
        )
    return None if times.isna().iloc[0] else times.iloc[0].to_pydatetime()
