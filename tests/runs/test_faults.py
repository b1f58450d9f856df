"""Kills and full disks: whatever a process was doing, a restart finds all that it needs and puts the rest right."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.support.paths import REPO


def test_a_dozen_kills_and_two_full_disks_do_no_harm(tmp_path: Path) -> None:
    """Of runs, a board and digests; ``python -m tests.bench faults`` does it hundreds of times (docs/trust.md).

    In a process of its own, because it forks, which a process that has threads must not.
    """
    command = [sys.executable, "-m", "tests.bench", "faults", "--kills", "12", "--disks", "3", "--light"]
    done = subprocess.run([*command, "--folder", str(tmp_path)], cwd=REPO, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "wrong: 0 of 15 trials" in done.stdout
