"""A page of Markdown or HTML: its front matter, title and body, cut by heading where it holds many questions."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass, field
from html import unescape
from typing import Any

import yaml

from lacuna.models.text.markup import plain

__all__ = ["Page", "pieces_of", "read_page", "slug"]

_YAML = re.compile(r"\A---[ \t]*\n(?P<head>.*?)^(?:---|\.\.\.)[ \t]*(?:\n|\Z)", re.DOTALL | re.MULTILINE)
_TOML = re.compile(r"\A\+\+\+[ \t]*\n(?P<head>.*?)^\+\+\+[ \t]*(?:\n|\Z)", re.DOTALL | re.MULTILINE)
_HEADING = re.compile(r"^(?P<marks>#{1,6})[ \t]+(?P<title>.+?)[ \t]*#*[ \t]*$")
_FENCE = re.compile(r"^[ \t]*(```|~~~)")
_TAGS = {name: re.compile(rf"<{name}\b[^>]*>(.*?)</{name}\s*>", re.DOTALL | re.I) for name in ("title", "h1")}
_CONTENT = [re.compile(rf"<{name}\b[^>]*>(.*)</{name}\s*>", re.DOTALL | re.I) for name in ("article", "main", "body")]
_NOISE = re.compile(r"<(script|style|nav|template)\b[^>]*>.*?</\1\s*>|<!--.*?-->", re.DOTALL | re.I)
_META = re.compile(r"<meta\b([^>]*)>", re.I)
_ATTRIBUTE = re.compile(r"""([\w:-]+)\s*=\s*(?:"([^"]*)"|'([^']*)')""")
_LANG = re.compile(r"""<html\b[^>]*\blang\s*=\s*["']([\w-]+)["']""", re.I)


@dataclass(frozen=True)
class Page:
    """A page, or a part of one.

    Attributes
    ----------
    front
        What its front matter says, or the meta elements of its HTML.
    title
        Its first heading; empty where there is none.
    body
        Its text, as it is.
    fault
        Why its front matter could not be read; empty where it could.
    is_part
        Whether it begins with a heading within its page.
    """

    front: dict[str, Any] = field(default_factory=dict)
    title: str = ""
    body: str = ""
    fault: str = ""
    is_part: bool = False


def read_page(text: str, is_html: bool) -> Page:
    r"""Read a page.

    Examples
    --------
    >>> page = read_page("---\nowner: ann\n---\n# Fees\n\nWe charge none.", is_html=False)
    >>> page.front, page.title
    ({'owner': 'ann'}, 'Fees')
    """
    text = text.replace("\r\n", "\n")
    front, fault, text = _front_matter(text)
    if not is_html:
        return Page(front, next((title for _, _, title in _headings(text)), ""), text.strip(), fault)
    meta = {}
    for found in _META.finditer(text):
        attributes = {name.lower(): unescape(double or single) for name, double, single in _ATTRIBUTE.findall(found[1])}
        if name := attributes.get("name") or attributes.get("property"):
            meta[name.lower()] = attributes.get("content", "")
    if (language := _LANG.search(text)) is not None:
        meta.setdefault("lang", language[1])
    titles = [tag.search(text) for tag in (_TAGS["h1"], _TAGS["title"])]
    title = next((_line(one[1]) for one in titles if one and _line(one[1])), "")
    text = _NOISE.sub("", text)
    bodies = [content.search(text) for content in _CONTENT]
    body = next((one[1] for one in bodies if one), text)
    return Page({**meta, **front}, title, body.strip(), fault)


def pieces_of(page: Page, is_html: bool, level: int) -> list[Page]:
    """The parts of a page that begin with a heading of a level, and what stands before the first of them."""
    if is_html:
        found = re.finditer(rf"<h{level}\b[^>]*>(.*?)</h{level}\s*>", page.body, re.DOTALL | re.I)
        cuts = [(one.start(), one.end(), _line(one[1])) for one in found]
    else:
        cuts = [(start, end, title) for start, end, title in _headings(page.body, level)]
    if not cuts:
        return [page]
    ends = [start for start, _, _ in cuts[1:]] + [len(page.body)]
    pieces = [
        Page(page.front, title, page.body[after:end].strip(), is_part=True)
        for (_, after, title), end in zip(cuts, ends, strict=True)
    ]
    before = page.body[: cuts[0][0]]
    alone = "\n".join(line for line in plain(before).split("\n") if not _HEADING.match(line)).strip()
    if is_html and page.title:
        alone = alone.replace(page.title, "", 1).strip()
    return [Page(page.front, page.title, before.strip()), *pieces] if alone else pieces


def slug(title: str) -> str:
    """A heading as help centers write it behind the # of an address."""
    return re.sub(r"[^\w]+", "-", title.lower()).strip("-") or "part"


def _front_matter(text: str) -> tuple[dict[str, Any], str, str]:
    for pattern, read in ((_YAML, yaml.safe_load), (_TOML, tomllib.loads)):
        found = pattern.match(text)
        if found:
            rest = text[found.end() :]
            try:
                front = read(found["head"])
            except (yaml.YAMLError, tomllib.TOMLDecodeError, ValueError) as error:
                return {}, " ".join(str(error).split()), rest
            if front is None or isinstance(front, dict):
                return {str(key).lower(): value for key, value in (front or {}).items()}, "", rest
            return {}, "it is no list of keys and values", rest
    return {}, "", text


def _headings(text: str, level: int = 0) -> list[tuple[int, int, str]]:
    """Begin, end and title of each heading of a level, or of any; what looks like one in a block of code is none."""
    found, place, fenced = [], 0, False
    for line in text.split("\n"):
        if _FENCE.match(line):
            fenced = not fenced
        heading = None if fenced else _HEADING.match(line)
        if heading and level in (0, len(heading["marks"])):
            found.append((place, place + len(line), _line(heading["title"])))
        place += len(line) + 1
    return found


def _line(html: str) -> str:
    return " ".join(plain(html).replace("**", "").replace("`", "").split())
