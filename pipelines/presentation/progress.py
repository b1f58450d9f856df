"""A run's progress output: moving bars on a terminal, dated log lines everywhere else."""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, Task, TextColumn, TimeElapsedColumn
from rich.text import Text

from lacuna.pipelines.presentation.terminal import SafeConsole, write

__all__ = ["Cost", "bar", "configure", "left", "measured", "say", "step"]

log = logging.getLogger("lacuna")
console = SafeConsole(stderr=True)
LOG_EVERY_SECONDS = 10.0

_display: ContextVar[Progress | None] = ContextVar("display", default=None)
_quiet: ContextVar[bool] = ContextVar("quiet", default=False)


@dataclass
class Cost:
    """What a step took: wall-clock seconds, and the most memory the process held meanwhile (MiB, resident)."""

    name: str
    seconds: float = 0.0
    peak_mb: float = 0.0


def configure(quiet: bool = False) -> None:
    """Set up logging for the command line: ``quiet`` leaves warnings and errors only."""
    _quiet.set(quiet)
    log.setLevel(logging.WARNING if quiet else logging.INFO)
    log.propagate = False
    handler = _Stderr()
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s", datefmt="%Y-%m-%d %H:%M:%S"))
    log.handlers[:] = [handler]


class _Stderr(logging.Handler):
    """Writes to the standard error of the moment, which a test or a caller may have replaced."""

    def emit(self, record: logging.LogRecord) -> None:
        write(sys.stderr, self.format(record) + "\n")


def say(message: str) -> None:
    """Print one line for the user, which stays on the terminal after the bars are gone."""
    if _quiet.get():
        return
    if console.is_terminal:
        console.print(escape(message), highlight=False)
    else:
        log.info(message)


@contextmanager
def measured(name: str) -> Iterator[Cost]:
    """Measure what happens inside; the figures stand in the yielded record once the block is left.

    The peak is that of the block alone where the kernel lets us reset it (Linux), else that of the process so far.
    """
    cost = Cost(name)
    _reset_peak()
    began = time.perf_counter()
    try:
        yield cost
    finally:
        cost.seconds = round(time.perf_counter() - began, 3)
        cost.peak_mb = round(_peak_mb(), 1)


@contextmanager
def step(name: str, number: int, of: int) -> Iterator[Cost]:
    """Show and measure one step of a run."""
    label = f"[{number}/{of}] {name}"
    with _showing() as display, measured(name) as cost:
        task = display.add_task(escape(label), total=None) if display else None
        if not display:
            log.info("%s …", label)
        try:
            yield cost
        finally:
            if display and task is not None:
                display.remove_task(task)
    say(f"{label}: {cost.seconds:.1f} s, {cost.peak_mb:,.0f} MiB")


@contextmanager
def bar(label: str) -> Iterator[Callable[[int, int], None]]:
    """Show a long loop: call what is yielded with (done, total), as often as you like.

    Examples
    --------
    >>> with bar("embedding") as progress:
    ...     for done in range(3):
    ...         progress(done + 1, 3)
    """
    with _showing() as display:
        if display:
            task = display.add_task(escape(label), total=None)
            try:
                yield lambda done, total: display.update(task, completed=done, total=total)
            finally:
                display.remove_task(task)
        else:
            yield _logging_bar(label)


@contextmanager
def _showing() -> Iterator[Progress | None]:
    """The display of this terminal, shared by nested steps; None where there is no terminal or nothing is wanted."""
    open_display = _display.get()
    if open_display or _quiet.get() or not console.is_terminal:
        yield open_display
        return
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        _CountColumn(),
        TimeElapsedColumn(),
        _LeftColumn(),
    )
    with Progress(*columns, console=console, transient=True) as display:
        token = _display.set(display)
        try:
            yield display
        finally:
            _display.reset(token)


class _CountColumn(MofNCompleteColumn):
    """`done/total`, once the total is known."""

    def render(self, task: Task) -> Text:
        return super().render(task) if task.total else Text()


class _LeftColumn(TextColumn):
    """The remaining time, once it can be estimated."""

    def __init__(self) -> None:
        super().__init__("")

    def render(self, task: Task) -> Text:
        return Text(left(task.completed, task.total or 0, task.elapsed or 0.0))


def left(done: float, total: float, seconds: float) -> str:
    """Roughly how long the rest will take at the pace so far; empty in the first seconds and the last.

    Examples
    --------
    >>> left(1_000, 9_000, 60)
    'about 8 min left'
    """
    if seconds < LOG_EVERY_SECONDS or not 0 < done < total:
        return ""
    rest = seconds * (total - done) / done
    if rest < LOG_EVERY_SECONDS:
        return ""
    if rest < 90:
        return f"about {round(rest, -1):.0f} s left"
    return f"about {rest / 60:.0f} min left" if rest < 5400 else f"about {rest / 3600:.1f} h left"


def _logging_bar(label: str) -> Callable[[int, int], None]:
    began = logged_at = time.monotonic()

    def advance(done: int, total: int) -> None:
        nonlocal logged_at
        if not _quiet.get() and time.monotonic() - logged_at >= LOG_EVERY_SECONDS:
            logged_at = time.monotonic()
            rest = left(done, total, logged_at - began)
            log.info("%s: %s of %s%s", label, f"{done:,}", f"{total:,}", f", {rest}" if rest else "")

    return advance


def _reset_peak() -> None:
    try:
        with open("/proc/self/clear_refs", "w") as file:
            file.write("5")
    except OSError:
        return


def _peak_mb() -> float:
    try:
        with open("/proc/self/status") as file:
            for line in file:
                if line.startswith("VmHWM:"):
                    return int(line.split()[1]) / 1024
    except OSError:
        pass
    try:
        import resource
    except ImportError:
        return 0.0
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 2**20 if sys.platform == "darwin" else peak / 1024
