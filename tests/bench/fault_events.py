"""Processes that are killed, and the moments of their work at which that can be done: events, counted in order.

A child is forked from a process that has imported everything and computed nothing, so that it starts at once.
"""

from __future__ import annotations

import importlib
import os
import shutil
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from lacuna.data_contracts.errors import LacunaError

__all__ = ["KILLED", "Events", "die", "forked", "import_all", "imported", "started", "waited"]

KILLED = -int(signal.SIGKILL)
_TOO_LONG = 300.0  # seconds after which a child that does not end counts as hanging
Deed = Callable[[], None]


class Events:
    """The events of this process: each write, commit, part and step, before it and after it.

    Parameters
    ----------
    at
        The number of the event at which the deed is done; None for none.
    deed
        What is done there.
    """

    def __init__(self, at: int | None = None, deed: Deed | None = None) -> None:
        self.names: list[str] = []
        self._at, self._deed = at, deed

    def happen(self, name: str) -> None:
        """Count an event, and do the deed where it is the one."""
        self.names.append(name)
        if self._deed is not None and len(self.names) - 1 == self._at:
            self._deed()

    def watch(self) -> None:
        """From here on, count what this process does."""
        import sqlalchemy.engine.default as engine

        from lacuna.pipelines import run
        from lacuna.pipelines.delivery.channels import Post
        from lacuna.pipelines.io import publishing
        from lacuna.pipelines.runtime import parts, runner

        self._around(runner, "perform", lambda _, step, *__: f"step {step.__name__}")
        self._around(runner, "_mark_done", lambda _, step, *__: f"mark of {step}")
        self._around(parts, "_perform_or_reuse", lambda _, part, *__: f"part {part.name}")
        self._around(run, "begin", lambda *_: "plan")
        self._around(run, "finish", lambda *_: "end of the run")
        self._around(publishing, "_exchange", lambda *_: "swap of two runs")
        self._around(engine.DefaultDialect, "do_commit", lambda *_: "commit")
        self._around(Post, "send", lambda *_: "message")
        for name in ("replace", "rename", "link"):
            self._around(os, name, lambda *_: "file put in place")
        self._around(shutil, "rmtree", lambda *_: "removal of a folder")

    def _around(self, owner: Any, name: str, label: Callable[..., str]) -> None:
        function = getattr(owner, name)

        def wrapped(*arguments: Any, **named: Any) -> Any:
            what = label(*arguments)
            self.happen(f"before: {what}")
            result = function(*arguments, **named)
            self.happen(f"after: {what}")
            return result

        setattr(owner, name, wrapped)


def die() -> None:
    """End this process as a loss of power would: at once, and with no word."""
    os.kill(os.getpid(), signal.SIGKILL)


def started(work: Deed, log: Path) -> int:
    """Fork a child that does the work and ends; gives its number. What it prints goes to the log."""
    sys.stdout.flush()
    child = os.fork()
    if child:
        return child
    code = LacunaError.exit_code
    try:
        with log.open("ab") as file:
            os.dup2(file.fileno(), 1)
            os.dup2(file.fileno(), 2)
        scratch = log.parent / "tmp"
        scratch.mkdir(exist_ok=True)
        tempfile.tempdir = str(scratch)
        _without_clock()
        work()
        code = 0
    except LacunaError as error:
        print(f"error: {error}", file=sys.stderr)
    except BaseException:  # noqa: BLE001 - whatever it is, the child ends here
        traceback.print_exc()
        code = 70
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def waited(child: int, kill_after: float | None = None) -> int:
    """Wait until a child has ended, or kill it after so many seconds; its exit code, or :data:`KILLED`."""
    give_up = time.monotonic() + (_TOO_LONG if kill_after is None else kill_after)
    while True:
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            return os.waitstatus_to_exitcode(status)
        if time.monotonic() >= give_up:
            os.kill(child, signal.SIGKILL)
            _, status = os.waitpid(child, 0)
            if kill_after is None:
                raise TimeoutError(f"a child did not end within {_TOO_LONG:.0f} seconds")
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.001)


def forked(work: Deed, log: Path, kill_after: float | None = None) -> int:
    """As :func:`started` and :func:`waited`."""
    return waited(started(work, log), kill_after)


def imported(work: Deed, log: Path) -> None:
    """Do the work in a child, and import here what it had to import."""
    told = log.with_suffix(".modules")

    def telling() -> None:
        work()
        told.write_text("\n".join(sys.modules), encoding="utf-8")

    if forked(telling, log) != 0:
        raise SystemExit(f"it does not work even undisturbed:\n{log.read_text(encoding='utf-8')}")
    import_all(told.read_text(encoding="utf-8").splitlines())


def import_all(names: Sequence[str]) -> None:
    """Import modules in the order in which a child has imported them; another order may break what they share."""
    for name in names:
        try:
            importlib.import_module(name)
        except Exception:  # noqa: BLE001 - made at run time, or not to be imported by itself
            continue


def _without_clock() -> None:
    """Let every step take no time and no memory, so that two runs of the same input give the same bytes."""
    from lacuna.pipelines.presentation import progress

    frozen = SimpleNamespace(perf_counter=lambda: 0.0, monotonic=time.monotonic, time=time.time, sleep=time.sleep)
    progress.time = frozen  # type: ignore[assignment]
    progress._peak_mb = lambda: 0.0
