"""Safe names for the files and folders of drafts, made from arbitrary ids and titles."""

from __future__ import annotations

import hashlib
import re
import unicodedata

__all__ = ["safe_name", "slug"]

_SLUG = 60
_RESERVED = re.compile(r"^(?:con|prn|aux|nul|com\d|lpt\d)(?:\.|$)", re.IGNORECASE)


def slug(title: str) -> str:
    """A title as part of a file name: lower-case ASCII letters, digits and hyphens, at most 60 of them.

    Examples
    --------
    >>> slug("Rückgabe: 60 Tage, nicht 30")
    'ruckgabe-60-tage-nicht-30'
    """
    ascii_only = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode("ascii").lower()
    cleaned = re.sub(r"[^a-z0-9]+", "-", ascii_only).strip("-")
    if len(cleaned) > _SLUG:
        cleaned = cleaned[:_SLUG].rsplit("-", 1)[0] if "-" in cleaned[:_SLUG] else cleaned[:_SLUG]
    return cleaned.strip("-")


def safe_name(value: str) -> str:
    """An id as one safe component of a path; two ids never share a name.

    An id of plain letters, digits, `.`, `_`, `@` and `-` stays as it is; any other is cleaned and gets a hash, so that
    it stays unique.
    """
    clean = re.sub(r"[^A-Za-z0-9._@-]+", "-", value).strip(".-")[:60].rstrip(".-")
    if _RESERVED.match(clean):
        clean = f"id-{clean}"
    if clean == value:
        return clean
    return f"{clean or 'id'}-{hashlib.sha256(value.encode('utf-8', 'replace')).hexdigest()[:8]}"
