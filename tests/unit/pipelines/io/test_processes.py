"""What a killed process leaves is told from what is in use, and removed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from lacuna.pipelines.io import processes
from lacuna.pipelines.io.processes import own_mark, process_exists, remove_abandoned_files
from lacuna.pipelines.io.store import write_bytes

DAY_AND_A_BIT = 25 * 3600


def of_the_dead() -> str:
    """The mark of a process of this machine that has ended."""
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    machine, _, random = own_mark().rstrip("-").split("-")
    return f"{machine}-{ended.pid}-{random}-"


def of_elsewhere(monkeypatch: pytest.MonkeyPatch) -> str:
    """The mark of a process of another machine."""
    with monkeypatch.context() as patched:
        patched.setattr(processes, "machine", lambda: "elsewhere")
        return own_mark()


def test_marks_differ_each_time_and_name_this_process() -> None:
    """A name is never given twice, and its process is there."""
    first, second = own_mark(), own_mark()
    assert first != second
    assert process_exists(int(first.split("-")[1]))


def test_files_that_killed_processes_were_writing_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """At any depth; those of processes that live stay, and those of other machines for a day."""
    dead, alive, elsewhere = of_the_dead(), own_mark(), of_elsewhere(monkeypatch)
    kept = [f".tmp-{alive}a", f".tmp-{elsewhere}b", ".tmp-without-a-mark", "table.parquet", f"{dead}c"]
    old = [f".tmp-{elsewhere}old", f".tmp-{'0' * 32}-old"]
    for name in (*kept, *old, f".tmp-{dead}d"):
        (tmp_path / "deep" / "down").mkdir(parents=True, exist_ok=True)
        (tmp_path / "deep" / "down" / name).write_text("a text")
    for name in old:
        file = tmp_path / "deep" / "down" / name
        os.utime(file, (file.stat().st_atime - DAY_AND_A_BIT, file.stat().st_mtime - DAY_AND_A_BIT))
    remove_abandoned_files(tmp_path)
    assert {path.name for path in tmp_path.rglob("*") if path.is_file()} == set(kept)


def test_what_is_being_written_bears_the_mark(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that is killed while it writes a file of the store leaves one that the next tells for its own."""
    names: list[str] = []
    monkeypatch.setattr("os.replace", lambda one, _: names.append(Path(one).name))
    write_bytes(tmp_path / "table.json", b"{}")
    assert names[0].startswith(f".tmp-{own_mark().rsplit('-', 2)[0]}-")
