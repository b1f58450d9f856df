"""What the runtime is made of: its licences, and what an audit of it says."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from tests.house.audit import verdict
from tests.house.licenses import COPYLEFT_ALLOWED, is_permissive, locked
from tests.support.paths import REPO

PAGE = (REPO / "docs" / "licenses.md").read_text(encoding="utf-8")
ROWS = [line.strip("| \n").split(" | ") for line in PAGE.splitlines() if line.startswith("| ") and "---" not in line][
    1:
]


def test_the_page_has_every_package_of_the_lock() -> None:
    """Each version that may be installed, and no other."""
    assert [(name, version) for name, versions, _ in ROWS for version in versions.split(", ")] == locked()


def test_no_copyleft_came_in() -> None:
    """A licence that asks for more than a notice is one of the few that were looked at, by package and licence."""
    asking = {name: license_.removesuffix(" \\*") for name, _, license_ in ROWS if not is_permissive(license_)}
    assert asking == COPYLEFT_ALLOWED


def test_the_tools_that_audit_are_no_part_of_the_runtime() -> None:
    """Who installs Lacuna installs none of them."""
    names = {name for name, _ in locked()}
    assert names.isdisjoint({"cyclonedx-bom", "cyclonedx-python-lib", "pip-audit", "pip-licenses"})


def printed(*packages: dict[str, Any]) -> str:
    return json.dumps({"dependencies": packages, "fixes": []})


FINE: dict[str, Any] = {"name": "numpy", "version": "2.4.6", "vulns": []}
UNKNOWN = {"name": "pandas", "skip_reason": "Dependency not found on PyPI"}
HURT = {"name": "jinja2", "version": "3.0", "vulns": [{"id": "CVE-1", "fix_versions": ["3.1"], "aliases": []}]}


@pytest.mark.parametrize(
    ("output", "told", "code", "said"),
    [
        (printed(FINE, UNKNOWN), "", 0, "1 of 2 packages looked up, none"),
        (printed(FINE, HURT), "Found 1 known vulnerability", 1, r"jinja2 3\.0: CVE-1, mended in 3\.1"),
        (printed(UNKNOWN), "", 0, "skipped.*knows none of the 1 packages"),
        ("", "trace\nConnectionError: no route to host\n", 0, "skipped.*no route to host"),
        ("", "", 0, "skipped.*nothing was said"),
    ],
)
def test_an_audit_fails_where_something_was_found_and_goes_on_where_nobody_answers(
    output: str, told: str, code: int, said: str
) -> None:
    """What it prints says which of the two it was."""
    exit_code, message = verdict(output, told)
    assert exit_code == code
    assert re.search(said, message)
