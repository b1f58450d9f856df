"""What vendors' records have in common: times, HTML, links to articles, tags, and texts that say "I don't know"."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from html.parser import HTMLParser
from typing import Any
from urllib.parse import unquote, urlsplit

from lacuna.pipelines.sources.source import Row

__all__ = [
    "ArticleLinks", "custom_columns", "number", "rated_outcomes", "says_fallback", "tagged_outcomes", "text_and_links",
    "text_links", "time_from_epoch", "time_from_iso",
]  # fmt: skip

_BLOCKS = re.compile("address|article|blockquote|d[dlt]|div|figure|h[1-6r]|li|ol|p|pre|section|table|tr|ul")
_URL = re.compile(r"https?://[^\s<>\"')\]]+")


def time_from_epoch(seconds: float | None) -> datetime | None:
    """A time from seconds since 1970; None stays None, and 0 stands for none in several APIs."""
    return datetime.fromtimestamp(seconds, UTC) if seconds else None


def time_from_iso(text: str | None) -> datetime | None:
    """A time from ISO 8601; one without a zone is UTC."""
    if not text:
        return None
    time = datetime.fromisoformat(text)
    return time if time.tzinfo else time.replace(tzinfo=UTC)


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.pieces: list[str] = []
        self.links: list[str] = []
        self._hidden = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in ("script", "style"):
            self._hidden += 1
        if tag == "br":
            self.pieces.append("\n")
        elif _BLOCKS.fullmatch(tag):
            self.pieces.append("\n\n" if tag == "p" else "\n")
            if tag == "li":
                self.pieces.append("- ")
        if tag == "a":
            self.links += [value for name, value in attrs if name == "href" and value]

    def handle_endtag(self, tag: str) -> None:
        if tag in ("script", "style"):
            self._hidden = max(0, self._hidden - 1)
        elif _BLOCKS.fullmatch(tag):
            self.pieces.append("\n\n" if tag == "p" else "\n")

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self.pieces.append(re.sub(r"\s+", " ", data))


def text_and_links(html: str | None) -> tuple[str, list[str]]:
    r"""The text of a piece of HTML, a line a line and a paragraph a paragraph, and the addresses that it links to.

    Examples
    --------
    >>> text_and_links('<p>See <a href="https://x.example/a">this</a>.<br>Bye &amp; thanks</p>')
    ('See this.\nBye & thanks', ['https://x.example/a'])
    """
    reader = _Reader()
    reader.feed(html or "")
    reader.close()
    text = re.sub(r" *\n *", "\n", "".join(reader.pieces))
    text = re.sub(r"\n{3,}", "\n\n", re.sub(r"[ \t]{2,}", " ", text)).strip()
    return text, list(dict.fromkeys([*reader.links, *_URL.findall(text)]))


def text_links(text: str | None) -> list[str]:
    """The addresses that stand in a plain text."""
    return [link.rstrip(".,;:!?") for link in _URL.findall(text or "")]


class ArticleLinks:
    """Articles by their addresses, and by their titles where a vendor gives no address."""

    def __init__(self) -> None:
        self._by_url: dict[str, str] = {}
        self._by_title: dict[str, str | None] = {}

    def add(self, article_id: str, title: str | None, *urls: str | None) -> None:
        """Take an article up."""
        for url in urls:
            if url:
                self._by_url[_place(url)] = article_id
        if title:
            key = title.strip().casefold()
            # A title that two articles have tells neither.
            self._by_title[key] = None if self._by_title.get(key, article_id) != article_id else article_id

    def of_links(self, links: Iterable[str]) -> list[str]:
        """The articles that addresses lead to, each once."""
        found = (self._by_url.get(_place(link)) for link in links)
        return list(dict.fromkeys(one for one in found if one))

    def of(self, url: str | None, title: str | None) -> str | None:
        """The article of an address, else of a title."""
        by_url = self._by_url.get(_place(url)) if url else None
        return by_url or (self._by_title.get(title.strip().casefold()) if title else None)


def _place(url: str) -> str:
    """An address without what may differ: scheme, query, fragment, a number's slug behind it, the last slash."""
    parts = urlsplit(url)
    path = re.sub(r"/(\d{3,})-[^/]*$", r"/\1", unquote(parts.path).rstrip("/"))
    return f"{parts.netloc.casefold()}{path}"


def says_fallback(text: str, phrases: Sequence[str]) -> bool | None:
    """Whether a bot's message says that it has no answer: it has one of the phrases; None where none are set."""
    if not phrases:
        return None
    folded = text.casefold()
    return any(phrase.casefold() in folded for phrase in phrases)


def tagged_outcomes(tags: Iterable[str], outcomes: Mapping[str, str], **also: Any) -> list[Row]:
    """Outcomes from a conversation's tags, by the settings' ``outcome_tags``; ``also`` are further columns of each."""
    return [{"outcome": outcomes[tag], **also} for tag in tags if tag in outcomes]


def rated_outcomes(csat: float | None, messages: Sequence[Row], when: datetime | None) -> list[Row]:
    """The outcome that a customer's rating, 1 to 5, gives where the bot alone answered: 3 tells nothing."""
    roles = {row["role"] for row in messages}
    if csat is None or 2 < csat < 4 or "bot" not in roles or "agent" in roles:
        return []
    outcome = "correct" if csat >= 4 else "wrong"
    return [{"outcome": outcome, "sample": "feedback", "tagged_at": when, "tagged_by": "customer"}]


def number(value: Any) -> float | None:
    """A number; None where there is none."""
    return None if value in (None, "") else float(value)


def custom_columns(custom: Mapping[str, Any], fields: Mapping[str, str]) -> Row:
    """Columns from the fields of a record that the settings name for them; None where there is none, or no value."""
    row: Row = {}
    for column, name in fields.items():
        value = custom.get(name) if name else None
        if value in (None, ""):
            row[column] = None
        else:
            row[column] = number(value) if column == "intent_confidence" else str(value)
    return row
