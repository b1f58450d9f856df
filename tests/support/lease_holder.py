"""Another process that holds a lease of a store."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lacuna.pipelines.settings import Settings, load_settings

SCRIPT = """
import sys, time
from pathlib import Path
from lacuna.pipelines.settings import load_settings
from lacuna.pipelines.state.leases import lease
from tests.support.databases import with_state
url, lasting, folder, name, seconds = sys.argv[1:]
with lease(with_state(load_settings(), url=url, lease_seconds=float(lasting)), Path(folder), name):
    print("held", flush=True)
    time.sleep(float(seconds)) if seconds else sys.stdin.read()
"""


@contextmanager
def lease_holder(
    store: Path, name: str, settings: Settings | None = None, seconds: float | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """A process that holds the lease ``name`` of a store: for so many seconds, or until it is killed or the block ends.

    Raises
    ------
    AssertionError
        The process ended with an error, unless the block killed it.
    """
    state = (settings or load_settings()).state
    given = [state.url, str(state.lease_seconds), str(store), name, "" if seconds is None else str(seconds)]
    with subprocess.Popen([sys.executable, "-c", SCRIPT, *given], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as one:
        assert one.stdout is not None
        assert one.stdout.readline() == b"held\n"
        try:
            yield one
        finally:
            one.communicate()
    assert one.returncode <= 0, f"the process that held {name} ended with {one.returncode}"
