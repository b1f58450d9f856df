"""A missing or damaged file of a run is an error with file and remedy, never a traceback."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.small_store import publish
from tests.support.standins import Lacuna

COMMANDS = {
    "backlog.parquet": (("backlog",), ("drafts",), ("digest",)),
    "backlog.jsonl": (("explain", "1"), ("decide", "1", "accept")),
    "run.json": (("explain", "1"), ("digest",), ("runs",), ("worth",)),
}
DAMAGE = {
    "empty": lambda content: b"",
    "cut": lambda content: content[: len(content) // 2],
    "noise": lambda content: b"\x00\xff\x1b[31m" * 50,
    "another kind": lambda content: b"[1, 2]\n[3]",
}


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A run's folder in a store."""
    return publish(tmp_path / "store")


@pytest.mark.parametrize("file", ["backlog.parquet", "backlog.jsonl", "run.json"])
def test_a_damaged_file_is_named_with_a_remedy(lacuna: Lacuna, run: Path, file: str) -> None:
    """Whatever was done to the file: exit code 2, the file's name, what is wrong, and what to do."""
    content = (run / file).read_bytes()
    for damage, spoilt in DAMAGE.items():
        if (file, damage) == ("backlog.jsonl", "empty"):
            continue  # a backlog without gaps is an empty file
        (run / file).write_bytes(spoilt(content))
        for command in COMMANDS[file]:
            code, _, told = lacuna(*command, "--store", str(run.parents[1]))
            assert code == 2, (command, damage, told)
            assert file in told.replace("\n", ""), (command, damage, told)
            assert "run that week again" in told, (command, damage, told)
            assert "Traceback" not in told
            assert "\x1b" not in told


@pytest.mark.parametrize("file", ["backlog.parquet", "backlog.jsonl"])
def test_a_missing_file_is_named_with_a_remedy(lacuna: Lacuna, run: Path, file: str) -> None:
    """As a damaged one."""
    (run / file).unlink()
    for command in COMMANDS[file]:
        code, _, told = lacuna(*command, "--store", str(run.parents[1]))
        assert code == 2
        assert f"{file} is missing" in told.replace("\n", "")
        assert "Traceback" not in told
