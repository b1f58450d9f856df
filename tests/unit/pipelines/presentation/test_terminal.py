"""Nothing of the data steers a terminal, and marks of direction turn nothing outside of their text."""

from __future__ import annotations

import io
import re
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.table import Table

from lacuna.pipelines.presentation import progress
from lacuna.pipelines.presentation.format import isolated, line
from lacuna.pipelines.presentation.terminal import SafeConsole
from tests.support import sample_run
from tests.support.small_store import publish
from tests.support.standins import Lacuna

ATTACK = "a\x1b[2Jb\x1b]52;c;ZXZpbA==\x07c\x9b31md\u202ee\u2066f\x08\x7fg\rh"
_STYLES = re.compile(r"\x1b\[[0-9;]*m")


def unsafe(told: str) -> set[str]:
    """The control characters and turns of direction that came through, besides the console's own colours."""
    letters = set(_STYLES.sub("", told)) - {"\n", "\t"}
    return {each for each in letters if unicodedata.category(each) == "Cc" or each in "\u202a\u202d\u202e\u2066\u2067"}


@pytest.mark.parametrize(
    "command", [("explain", "1"), ("backlog",), ("backlog", "1"), ("drafts",), ("digest",), ("decide", "1", "accept")]
)
def test_no_command_prints_what_steers_a_terminal(lacuna: Lacuna, tmp_path: Path, command: tuple[str, ...]) -> None:
    """Titles, owners, reasons and quotes that hold escape sequences are printed without them."""
    backlog = sample_run.nasty_run(ATTACK).backlog
    publish(tmp_path / "store", backlog)
    _, told, wrong = lacuna(*command, "--store", str(tmp_path / "store"))
    assert told + wrong
    assert not unsafe(told + wrong)


@given(st.text(st.characters(categories=["Cc", "Cf", "L", "Z"]), max_size=30))
def test_whatever_is_printed_is_plain(text: str) -> None:
    """Alone, in a table, or in colour, on a terminal."""
    file = io.StringIO()
    console = SafeConsole(file=file, force_terminal=True, width=80)
    table = Table("x")
    table.add_row(text)
    console.print(text, markup=False)
    console.print(table, style="bold")
    assert not unsafe(file.getvalue())


def test_a_log_line_is_plain(capsys: pytest.CaptureFixture[str]) -> None:
    """What a step says of the data comes through the log."""
    progress.configure()
    try:
        progress.log.warning("column '%s'", ATTACK)
    finally:
        progress.log.handlers.clear()
        progress.log.propagate = True
    assert not unsafe(capsys.readouterr().err)


@given(st.text(st.sampled_from("ab \u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"), max_size=12))
def test_directions_end_where_the_text_ends(text: str) -> None:
    """Every isolate that is opened is closed at the text's end, and none before the first is opened."""
    depth = 0
    shown = isolated(text)
    for number, letter in enumerate(shown):
        depth += (letter in "\u2066\u2067\u2068") - (letter == "\u2069")
        assert depth > 0 or number == len(shown) - 1 or shown == text
    assert depth == 0 or shown == text
    assert line(ATTACK, 20).endswith("\u2069") or "\u202e" not in line(ATTACK, 20)
