"""Whether a locked package of the runtime has a known vulnerability: ``make audit`` asks, where somebody answers.

It says so and goes on where the advisory service can't be reached: a change must not wait for somebody else's server.
"""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

from tests.support.paths import REPO

LOCK = "requirements.lock"
SECONDS, AT_MOST_SECONDS = "5", 120  # for one answer, and for all

# Advisories that do not apply to how the package is used here, each with the reason.
IGNORED: dict[str, str] = {}


def audited(tool: str) -> tuple[str, str]:
    """What pip-audit prints of the lock, and what it says besides."""
    ignored = [part for advisory in IGNORED for part in ("--ignore-vuln", advisory)]
    command = [
        tool, "--requirement", LOCK, "--disable-pip", "--require-hashes", "--format", "json",
        "--progress-spinner", "off", "--timeout", SECONDS, *ignored,
    ]  # fmt: skip
    try:
        done = subprocess.run(
            command, cwd=REPO, capture_output=True, text=True, timeout=AT_MOST_SECONDS, stdin=subprocess.DEVNULL
        )
    except subprocess.TimeoutExpired:
        return "", f"no answer within {AT_MOST_SECONDS} seconds"
    return done.stdout, done.stderr


def verdict(printed: str, told: str) -> tuple[int, str]:
    """The exit code, and what to say: 1 where a package has a known vulnerability, else 0.

    Examples
    --------
    >>> verdict("", "ERROR: no route to host")
    (0, 'audit: skipped, the advisory service did not answer (ERROR: no route to host)')
    """
    try:
        packages: list[dict[str, Any]] = json.loads(printed)["dependencies"]
    except (ValueError, KeyError, TypeError):
        said = (told.strip().splitlines() or ["nothing was said"])[-1]
        return 0, f"audit: skipped, the advisory service did not answer ({said})"
    known = [package for package in packages if "skip_reason" not in package]
    if not known:
        return 0, f"audit: skipped, the advisory service knows none of the {len(packages)} packages"
    lines = [
        f"{package['name']} {package['version']}: {advisory['id']}, mended in"
        f" {', '.join(advisory['fix_versions']) or 'no version yet'}"
        for package in known
        for advisory in package["vulns"]
    ]
    if lines:
        remedy = "take a mended version with `make lock ARGS=--upgrade`, or say in tests/house/audit.py why it is none"
        return 1, "\n".join([*lines, remedy])
    return 0, f"audit: {len(known)} of {len(packages)} packages looked up, none with a known vulnerability"


def main() -> None:
    """Ask, say what was found, and exit with 1 where a package is vulnerable."""
    code, said = verdict(*audited(sys.argv[1]))
    print(said)
    raise SystemExit(code)


if __name__ == "__main__":
    main()
