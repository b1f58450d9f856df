"""A table of what a test run was about: modules, tests and seconds by room of the code."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any

from tests.support.paths import REPO

PACKAGES = ("models", "pipelines", "data_contracts")


def room(test: str) -> str:
    """The part of the code that a test is of: the folder that its own mirrors, else its folder in `tests`."""
    parts = PurePosixPath(test.split("::")[0]).parent.parts[1:]
    return "/".join(parts[1:3] if parts[:1] == ("unit",) else parts[:1])


def modules() -> Counter[str]:
    """How many modules each room of the code has."""
    files = (file.relative_to(REPO) for package in PACKAGES for file in (REPO / package).rglob("*.py"))
    return Counter("/".join(file.parent.parts[:2]) for file in files if file.name != "__init__.py")


def table(reports: Mapping[str, Sequence[Any]]) -> str:
    """Lines with modules, tests and seconds of each room.

    Parameters
    ----------
    reports
        The reports of pytest's terminal by their kind of outcome.
    """
    seconds: Counter[str] = Counter()
    tests: Counter[str] = Counter()
    for report in (report for kind in reports.values() for report in kind if hasattr(report, "when")):
        seconds[room(report.nodeid)] += report.duration
        tests[room(report.nodeid)] += report.when == "call"
    lines = [f"{'room':<30}{'modules':>9}{'tests':>7}{'seconds':>9}"]
    sizes = modules()
    for name in sorted({*sizes, *tests}):
        size = str(sizes[name]) if name in sizes else ""
        lines.append(f"{name:<30}{size:>9}{tests[name]:>7}{seconds[name]:>9.1f}")
    lines.append(f"{'all':<30}{sizes.total():>9}{tests.total():>7}{seconds.total():>9.1f}")
    return "\n".join(lines)
