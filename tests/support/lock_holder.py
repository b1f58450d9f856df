"""Another process that holds a lock of a store."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

SCRIPT = """
import sys, time
from pathlib import Path
from lacuna.pipelines.io.store import lock
folder, name, seconds = sys.argv[1:]
with lock(Path(folder), name):
    print("locked", flush=True)
    time.sleep(float(seconds)) if seconds else sys.stdin.read()
"""


@contextmanager
def lock_holder(store: Path, name: str, seconds: float | None = None) -> Iterator[subprocess.Popen[bytes]]:
    """A process that holds the lock ``name`` of a store: for so many seconds, or until it is killed or the block ends.

    Raises
    ------
    AssertionError
        The process ended with an error, unless the block killed it.
    """
    command = [sys.executable, "-c", SCRIPT, str(store), name, "" if seconds is None else str(seconds)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"locked\n"
        try:
            yield holder
        finally:
            holder.communicate()
    assert holder.returncode <= 0, f"the process that held {name} ended with {holder.returncode}"
