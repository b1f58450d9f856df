"""Every command with values that nobody types by accident: a message and the usual exit code, never a traceback."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from itertools import cycle
from pathlib import Path
from typing import Any

import pytest
import typer

from lacuna.pipelines.cli.main import app
from tests.support.board_store import make_store
from tests.support.standins import Lacuna

# None of them leads out of the test's own folder: some parameters are files that are written.
VALUES = (
    "", " ", "\x1b[31mred\x1b]0;t\x07", "../etc/passwd", "9" * 400, "-1", "1e999", "nan", "\u202edrow",
    "\udcff\udc80", "http://[", "file://", "a" * 5000, "'; DROP TABLE gaps; --", "<script>alert(1)</script>",
    "{0.__class__}", "0001-01-01", "9999-12-31", "g-unknown", "=cmd|' /C calc'!A0", "²", "%s%n", "*", "\n\n", "a\tb",
    ".", "bundle", "no/such/out.csv", "texts.csv/out.csv",
)  # fmt: skip
# What each call needs besides: of a store with a run; an empty bundle and a small file are in the folder of the test.
NEEDED = {
    "store": "store", "bundle": "bundle", "gap": "g-001", "owner": "o-bjorn", "topic_id": "t-001", "into": "t-002",
    "first": "c-1", "second": "c-2", "question": "c-1", "edit": "1", "name": "Ana", "file": "texts.csv", "text": "text",
    "out": "out.csv", "role": "viewer", "to": "desk", "source": "desk", "step": "accept",
}  # fmt: skip
# These would serve, or make the demo's shop: settings that are not there keep them from it.
NOT_STARTED = {"review", "mcp"}
LEFT_OUT = {"demo", "settings"}


def commands(command: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Every command with its words, those of groups included."""
    for name, inner in command.commands.items():
        if hasattr(inner, "commands"):
            yield from commands(inner, (*path, name))
        elif name not in LEFT_OUT:
            yield (*path, name), inner


COMMANDS = dict(commands(typer.main.get_command(app)))


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a store of one run, an empty bundle and a file of texts."""
    folder = tmp_path_factory.mktemp("made")
    make_store(folder / "store")
    (folder / "bundle").mkdir()
    (folder / "texts.csv").write_text("text\nwhere is my parcel\n", encoding="utf-8")
    return folder


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_no_argument_is_a_fault_of_ours(
    words: tuple[str, ...], made: Path, tmp_path: Path, lacuna: Lacuna, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each parameter in turn gets some of the values, while the others hold what is right."""
    here = Path(shutil.copytree(made, tmp_path / "here"))
    monkeypatch.chdir(here)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    parameters = [p for p in COMMANDS[words].params if p.name != "help" and not getattr(p, "is_flag", False)]
    # Each command begins elsewhere among the values, so that together they take all of them.
    start = 7 * list(COMMANDS).index(words) % len(VALUES)
    values = cycle(VALUES[start:] + VALUES[:start])
    for hostile in parameters:
        for _ in range(2):
            value = next(values)
            arguments = list(words)
            for one in parameters:
                given = value if one is hostile else NEEDED.get(one.name) if one.required else None
                if one.name == "config" and words[0] in NOT_STARTED:
                    given = "not-there.toml"
                if given is not None:
                    arguments += [given] if one.param_type_name == "argument" else [f"{one.opts[0]}={given}"]
            code, told, problem = lacuna(*arguments)
            assert code in (0, 1, 2), (arguments, problem)
            assert "Traceback" not in told + problem, (arguments, problem)
            assert not set("\x1b\x07\u202e") & set(told + problem), (arguments, problem)
