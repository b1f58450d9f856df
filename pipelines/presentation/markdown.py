"""Escapes untrusted text for Markdown, so that it is displayed literally and never acts as markup."""

from __future__ import annotations

import re
from urllib.parse import quote as quoted

_CONTROL_CHARACTERS = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u200b\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff\ufffe\uffff\ud800-\udfff]"
)
# `[` guards images and footnotes too. `<` and `&` become entities: not every renderer knows `\<`.
_MARKS = re.compile(r"([\\`*_{}\[\]~|$^])")
_ENTITY = re.compile(r"&(?=#?\w+;)")
_AT_START = re.compile(r"^([#>=+\-:])")
_NUMBERED = re.compile(r"^(\d{1,9})([.)])")
_OF_URLS = "-._~:/?#@!$&*+,;=%"  # no brackets: one ends a link
_ADDRESS = re.compile(r"(?i)(?<=[a-z0-9])(:)(?=//)|(?<=\bwww)(\.)|\b(mailto|javascript|data|vbscript)(:)")


def inline(value: object) -> str:
    r"""A text on one line, with everything that Markdown or HTML would act on escaped.

    Examples
    --------
    >>> inline("# <b>50% off</b> [now](http://example.org)")
    '\\# &lt;b>50% off&lt;/b> \\[now\\](http\\://example.org)'
    """
    return _escaped(" ".join(_CONTROL_CHARACTERS.sub("", str(value)).split()))


def _escaped(line: str) -> str:
    guarded = _ENTITY.sub("&amp;", _MARKS.sub(r"\\\1", line)).replace("<", "&lt;")
    guarded = _ADDRESS.sub(lambda hit: hit.group(0)[:-1] + "\\" + hit.group(0)[-1], guarded)
    return _NUMBERED.sub(r"\1\\\2", _AT_START.sub(r"\\\1", guarded))


def quote(value: object) -> str:
    """A text as a block quote, line by line."""
    cleaned = _CONTROL_CHARACTERS.sub("", str(value).replace("\r\n", "\n").replace("\r", "\n")).strip()
    lines = [_escaped(line.strip()) for line in cleaned.split("\n")]
    return "\n".join(f"> {line}".rstrip() for line in lines) or ">"


def bullet(value: object, escaped: bool = False) -> str:
    """A text as an item of a list."""
    return f"- {value if escaped else inline(value)}"


def link(value: object, url: str) -> str:
    r"""A text that leads to an http(s) address; the text alone where there is none.

    Examples
    --------
    >>> link("c_1]", "https://helpdesk.example/tickets/(c_1)")
    '[c\\_1\\]](https://helpdesk.example/tickets/%28c_1%29)'
    """
    text = inline(value)
    return f"[{text}]({_ENTITY.sub('&amp;', quoted(url, safe=_OF_URLS))})" if text and url else text
