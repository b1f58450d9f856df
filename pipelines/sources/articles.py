"""Help centers and FAQs that are a folder of Markdown or HTML, with what git knows about their pages."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from fnmatch import fnmatch
from pathlib import Path
from typing import Annotated, Any

import fsspec
from pydantic import BeforeValidator, Field

from lacuna.data_contracts.errors import LacunaError, SourceUnreadable
from lacuna.pipelines.io.addresses import scheme_of, unreachable
from lacuna.pipelines.io.formats import decode_text
from lacuna.pipelines.presentation import progress
from lacuna.pipelines.sources.articles_history import Revision, code_owners, head_of, history
from lacuna.pipelines.sources.articles_pages import pieces_of, read_page
from lacuna.pipelines.sources.articles_rows import article_rows, default_keys
from lacuna.pipelines.sources.source import Batch, Row, Source, SourceSettings, Stream

__all__ = ["Articles", "ArticlesSettings"]

_TABLES = ("articles", "article_revisions", "owners")
_BATCH = 500


def _all_keys(keys: Any) -> Any:
    return default_keys() | keys if isinstance(keys, dict) else keys


class ArticlesSettings(SourceSettings):
    """Where the pages are, and what their front matter is called. Defaults: ``articles.toml``, beside this file."""

    path: Annotated[str, Field(min_length=1)]
    endings: list[str]
    exclude: list[str]
    split: list[str]
    split_level: Annotated[int, Field(ge=1, le=6)]
    language: str
    url: str
    git: bool
    owner_by_git: bool
    keys: Annotated[dict[str, list[str]], BeforeValidator(_all_keys)]
    status_words: dict[str, str]


class Articles(Source):
    """A folder of pages."""

    Settings = ArticlesSettings
    lacks: Mapping[str, str] = {
        "articles.views": "no folder says how often a page is read: take them from the site's statistics as a file",
        "articles.helpful": "votes are not in the folder either",
        "searches": "nor are searches",
    }

    def __init__(self, name: str, settings: ArticlesSettings, since: datetime | None = None) -> None:
        super().__init__(name, settings, since)
        self._settings = settings
        self._local = Path(settings.path) if not scheme_of(settings.path) else None

    def streams(self) -> Sequence[Stream]:
        """The pages, read anew where one has changed, is new or is gone."""
        fs, pages = self._pages()
        has_git = self._settings.git and self._local is not None
        head = head_of(self._local) if has_git and self._local else None
        marks = [(path, {key: str(value) for key, value in sorted(entry.items())}) for path, entry in pages.items()]
        stamp = repr((self._settings.model_dump_json(), head, marks))
        version = hashlib.sha256(stamp.encode()).hexdigest() if self._local else None
        return [Stream("articles", _TABLES, lambda _: self._read(fs, pages), whole=True, version=version)]

    def _pages(self) -> tuple[Any, dict[str, dict[str, Any]]]:
        """The file system, and what it says of each page, by its path in the folder."""
        settings = self._settings
        where = f"[sources.{self.name}] path"
        try:
            fs, root = fsspec.core.url_to_fs(settings.path)
            entries = fs.find(root, detail=True)
        except Exception as error:  # every file system has errors of its own
            said = unreachable(settings.path, error)
            raise SourceUnreadable(f"{where}: {said.problem}", said.remedy) from error
        root = root.rstrip("/")
        inside = {name[len(root) :].lstrip("/"): entry for name, entry in entries.items()}
        keep = ("name", "size", "mtime", "ETag", "etag", "LastModified", "updated")
        pages = {
            path: {key: entry[key] for key in keep if key in entry}
            for path, entry in sorted(inside.items())
            if path.lower().endswith(tuple(settings.endings))
            and not any(part.startswith((".", "_")) or part == "node_modules" for part in path.split("/"))
            and not any(fnmatch(path, pattern) for pattern in settings.exclude)
        }
        if not pages:
            endings = ", ".join(settings.endings)
            raise SourceUnreadable(f"{where}: {settings.path} has no file that ends with {endings}", "check the path")
        return fs, pages

    def _read(self, fs: Any, pages: dict[str, dict[str, Any]]) -> Iterator[Batch]:
        git = self._local if self._settings.git else None
        revisions, people = history(git) if git else ({}, {})
        owner_of = code_owners(git) if git else lambda _: ""
        rows: dict[str, list[Row]] = {table: [] for table in _TABLES}
        places: dict[str, str] = {}
        for path, entry in pages.items():
            for article in self._articles(fs, path, str(entry["name"]), revisions.get(path, []), owner_of(path)):
                key = article["article_id"]
                if key in places:
                    raise SourceUnreadable(
                        f"{self._settings.path}: {places[key]} and {path} have the same article_id, '{key}'",
                        "give each its own, or take the key out of [sources.….keys]: then the path is the id",
                    )
                places[key] = path
                rows["articles"].append(article)
                rows["article_revisions"] += [_revision_row(key, one) for one in revisions.get(path, [])]
        rows["owners"] = _owners(rows["articles"], people)
        for table, of in rows.items():
            for first in range(0, len(of), _BATCH):
                yield Batch(rows={table: of[first : first + _BATCH]})

    def _articles(self, fs: Any, path: str, address: str, revisions: list[Revision], owner: str) -> Iterator[Row]:
        settings = self._settings
        try:
            text, encoding = decode_text(fs.cat_file(address))
        except LacunaError:
            raise
        except Exception as error:  # as above
            raise SourceUnreadable(
                f"{settings.path}: {path} can't be read: {error}", "check that it is there"
            ) from error
        if encoding:
            progress.log.warning("%s: is not UTF-8 and was read as %s; save it as UTF-8 to be sure", path, encoding)
        is_html = path.lower().endswith((".html", ".htm"))
        page = read_page(text, is_html)
        if page.fault:
            progress.log.warning("%s: its front matter can't be read and is passed over: %s", path, page.fault)
        split = any(fnmatch(path, pattern) for pattern in settings.split)
        pieces = pieces_of(page, is_html, settings.split_level) if split else [page]
        if not owner and settings.owner_by_git and revisions:
            owner = Counter(one.email for one in revisions).most_common(1)[0][0]
        for row in article_rows(settings, path, page, pieces, revisions, owner):
            if not row["body"]:
                progress.log.warning("%s: holds no text; the run's quarantine will hold it", path)
            yield row


def _revision_row(article: str, revision: Revision) -> Row:
    return {
        "article_id": article, "revised_at": revision.at, "author_id": revision.email, "summary": revision.summary,
    }  # fmt: skip


def _owners(articles: list[Row], people: dict[str, str]) -> list[Row]:
    """A row for everybody who owns an article, with name and address where git or the id itself tells them."""
    owners = dict.fromkeys(str(row["owner_id"]) for row in articles if row["owner_id"])
    return [
        {"owner_id": one, "name": people.get(one.lower(), one.lstrip("@")), "email": one if "@" in one[1:] else None}
        for one in owners
    ]
