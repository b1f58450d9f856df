"""The licences of what ``requirements.lock`` installs, by what the packages say of themselves."""

from __future__ import annotations

import re
from importlib import metadata
from itertools import groupby

from tests.support.paths import REPO

__all__ = ["COPYLEFT_ALLOWED", "PERMISSIVE", "is_permissive", "licenses_page", "locked"]

PERMISSIVE = {
    "0BSD", "Apache-2.0", "BSD License", "BSD-2-Clause", "BSD-3-Clause", "CC0-1.0", "ISC", "MIT", "MIT-0", "PSF-2.0",
    "Python-2.0", "Zlib",
}  # fmt: skip
# Packages whose licence asks for changes of their own files to be given on, and no more: used here as they come.
COPYLEFT_ALLOWED = {"certifi": "MPL-2.0", "python-stdnum": "LGPL-2.1-or-later", "tqdm": "MPL-2.0 AND MIT"}
# What is installed on other systems alone, by the packages' own pages.
_ELSEWHERE = {"colorama": "BSD License", "httpx2-jsfetch": "BSD-3-Clause", "tzdata": "Apache-2.0"}
_CLASSIFIERS = {
    "Apache Software License": "Apache-2.0",
    "BSD License": "BSD License",
    "GNU Lesser General Public License v2 or later (LGPLv2+)": "LGPL-2.1-or-later",
    "ISC License (ISCL)": "ISC",
    "MIT License": "MIT",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "Python Software Foundation License": "PSF-2.0",
}
_FIELDS = {"Apache": "Apache-2.0", "Apache 2.0": "Apache-2.0", "BSD": "BSD License"}


def locked() -> list[tuple[str, str]]:
    """Name and version of every package of the lock, in its order."""
    text = (REPO / "requirements.lock").read_text(encoding="utf-8")
    return re.findall(r"^([A-Za-z0-9._-]+)==([^ ;\\]+)", text, re.MULTILINE)


def license_of(name: str) -> str:
    """A package's licence as an SPDX expression; of several that it names without saying how they go together, all."""
    if name in _ELSEWHERE:
        return _ELSEWHERE[name]
    about = metadata.metadata(name)
    expression, field = about.get("License-Expression"), (about.get("License") or "").strip()
    if expression:
        return expression
    if _FIELDS.get(field, field) in PERMISSIVE:
        return _FIELDS.get(field, field)
    kinds = [line.rpartition(" :: ")[2] for line in about.get_all("Classifier", []) if line.startswith("License ::")]
    named = sorted({_CLASSIFIERS.get(kind, kind) for kind in kinds if kind != "OSI Approved"})
    return " AND ".join(named) or field.split("\n")[0] or "unknown"


def is_permissive(expression: str) -> bool:
    """Whether a licence lets its package be used in anything: of alternatives one does.

    Examples
    --------
    >>> [is_permissive(one) for one in ("BSD-3-Clause AND MIT", "MIT AND GPL-3.0-only", "MIT OR GPL-3.0-only")]
    [True, False, True]
    """
    alternatives = [part.strip("() ").split(" AND ") for part in expression.split(" OR ")]
    return any(all(one.strip("() ") in PERMISSIVE for one in alternative) for alternative in alternatives)


def licenses_page() -> str:
    """``docs/licenses.md``: every package of the runtime with its versions and its licence."""
    head = (
        "# Licences of what Lacuna stands on\n\n"
        "Written from `requirements.lock` and what the packages say of themselves by `make docs`; tests hold the"
        " page to the lock, and keep other licences out. `make sbom` writes the same and more as CycloneDX"
        " (`build/sbom.json`), and `make audit` asks whether one has a known vulnerability.\n\n"
        "All licences let the packages be used in anything, but for those with a star: they ask that changes of the"
        " package's own files be given on under the same licence. Lacuna uses them as they come.\n\n"
        "| package | version | licence |\n|---|---|---|\n"
    )
    rows = []
    for name, pins in groupby(locked(), key=lambda pin: pin[0]):
        star = " \\*" if name in COPYLEFT_ALLOWED else ""
        rows.append(f"| {name} | {', '.join(version for _, version in pins)} | {license_of(name)}{star} |\n")
    return head + "".join(rows)
