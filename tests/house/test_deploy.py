"""What the scripts in deploy/ share."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.paths import REPO

SCRIPT = """
set -eu
NAME=test REPO={repo}
. "$REPO/deploy/common.sh"
keep part sh -c 'echo begun >> {begun}; exit 1'
until [ "$(wc -l < {begun})" -ge 3 ]; do sleep 0.05; done
stop_all
running part && exit 1
before="$(wc -l < {begun})"
sleep 0.3
[ "$(wc -l < {begun})" = "$before" ]
"""


@pytest.mark.skipif(sys.platform != "linux", reason="setsid and pkill --session")
def test_a_part_that_ends_is_started_again_until_it_is_stopped(tmp_path: Path) -> None:
    """Airflow's scheduler ends where its database is restarted; nobody has to start it by hand."""
    begun = tmp_path / "begun"
    begun.touch()
    environment = {**os.environ, "LACUNA_DEPLOY_HOME": str(tmp_path), "LACUNA_RESTART_SECONDS": "0.05"}
    script = SCRIPT.format(repo=REPO, begun=begun)
    subprocess.run(["bash", "-c", script], check=True, env=environment, timeout=60)
