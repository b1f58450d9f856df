"""Kills and full disks: whatever a process was doing, a restart finds all that it needs and puts the rest right."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.paths import REPO

pytestmark = pytest.mark.slow

TRIALS = """
import sys
from pathlib import Path
from tests.bench.faults import faults
sys.exit(faults(kills=12, disks=2, light=True, parent=Path(sys.argv[1])))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="processes are forked")
def test_a_dozen_kills_and_two_full_disks_do_no_harm(tmp_path: Path) -> None:
    """Of runs, a board and digests; ``python -m tests.bench faults`` does it hundreds of times (docs/trust.md).

    In a process of its own, because a process that has threads must not fork.
    """
    command = [sys.executable, "-c", TRIALS, str(tmp_path)]
    done = subprocess.run(command, cwd=REPO, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "wrong: 0 of 14 trials" in done.stdout
