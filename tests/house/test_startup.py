"""Light commands stay light: what only a run needs is not imported to print fifteen rows."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from lacuna.pipelines.gaps.read import gaps_of
from lacuna.pipelines.steps.publish.workbook import write_backlog
from tests.support.board_store import make_store
from tests.support.sample_run import sample_run

pytestmark = pytest.mark.slow

# Each takes from half a second to several to import.
HEAVY = {"sklearn", "great_expectations", "bertopic", "statsmodels", "ctranslate2", "scipy.stats", "fastapi", "jinja2"}
COMMANDS = {
    "help": ("--help",),
    "backlog": ("backlog", "--store"),
    "runs": ("runs", "--store"),
    "explain": ("explain", "1", "--store"),
    "decide": ("decide", "1", "note", "--why", "seen", "--store"),
    "drafts": ("drafts", "--store"),
    "topic": ("topic", "--store"),
    "dags": ("dags",),
}


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with one run, in the state database too."""
    store, data = tmp_path_factory.mktemp("light") / "store", sample_run()
    make_store(store, data)
    write_backlog(store / "runs" / "2024-06-30", gaps_of(data.backlog), data.run)
    return store


@pytest.mark.parametrize("words", COMMANDS.values(), ids=COMMANDS)
def test_a_light_command_imports_nothing_heavy(words: tuple[str, ...], store: Path) -> None:
    """Neither learning, nor contracts, nor web: those seconds are for the commands that use them."""
    command = [*words, *([str(store)] if words[-1] == "--store" else [])]
    result = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "lacuna.pipelines.cli.main", *command],
        capture_output=True,
        text=True,
        env={**os.environ, "LACUNA_USER": "ana"},
        check=False,
    )
    assert result.returncode == 0, result.stdout + result.stderr[-2000:]
    imported = {
        line.rpartition("|")[2].strip() for line in result.stderr.splitlines() if line.startswith("import time:")
    }
    assert {"lacuna.pipelines.cli", "typer"} <= imported
    assert imported & HEAVY == set()
    if words == ("--help",):
        assert imported & {"pandas", "numpy", "sqlalchemy"} == set()
