"""Marks in texts that are not words: Markdown, HTML, and placeholders for personal data."""

from __future__ import annotations

import html
import re

__all__ = ["ENTITY", "HEADING", "HIDDEN", "LOOSE_HEADING", "PLACEHOLDER", "bare", "plain"]

_TAG = re.compile(r"<(?:[a-zA-Z/][^>]{0,400}|!--.{0,400}?--|![^>]{1,400})>", re.S)
_LINK = re.compile(r"!?\[([^\]]*)\]\([^)]*\)")
HEADING = re.compile(r"^#{1,6}\s+(.+?)\s*#*$")
# Tools that search an article's text take "#Fees", which is no Markdown heading, for one too.
LOOSE_HEADING = re.compile(r"^#+\s*(.*)$")
TABLE_RULE = re.compile(r"^[|\s:–-]+$")
LIST_ITEM = re.compile(r"^(?:[-*•+]|\d{1,2}[.)])\s+")
EMPHASIS = re.compile(r"\*\*|__|`")
# What redaction puts in the place of personal data.
PLACEHOLDER = re.compile(r"<[A-Z_]{2,}>")
# The same, or as drafts show it (‹NAME›).
HIDDEN = re.compile(r"‹\w+›|<[A-Z_]{2,}>")
# The same, or as help desks write it.
ENTITY = re.compile(r"<[A-Z_]{2,}>|\[(?:name|user|email|link|phone|number)\]")


def plain(body: str) -> str:
    """Markdown or HTML without its marks and entities; headings keep their ``#``."""
    return html.unescape(_LINK.sub(r"\1", _TAG.sub(" ", body)))


def bare(sentence: str) -> str:
    """A sentence without the marks of a list, and of bold and code."""
    return EMPHASIS.sub("", LIST_ITEM.sub("", sentence.strip()))
