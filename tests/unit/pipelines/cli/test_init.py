"""`lacuna init`: settings for a source that load, by options and on a terminal, and nothing overwritten unasked."""

from __future__ import annotations

import os
import pty
import select
import sys
import time
from pathlib import Path

import pytest

from lacuna.pipelines.settings import load_settings
from lacuna.pipelines.sources.registry import make_source
from tests.support.exports import as_frame, flat, given, truth
from tests.support.standins import Lacuna


@pytest.fixture
def export(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A flat export in the folder that the command is started in."""
    monkeypatch.chdir(tmp_path)
    flat().to_csv("export.csv", index=False)
    return tmp_path


def test_written_settings_read_the_export(export: Path, lacuna: Lacuna) -> None:
    """What is proposed is what its author would have written; the next commands are named."""
    code, out, _ = lacuna("init", "--type", "files", "--path", "export.csv", "--set", "redact=false")
    assert code == 0
    assert "lacuna pull export --into bundle --config lacuna.toml" in out
    assert "articles/none.csv" in out
    source = make_source(load_settings("lacuna.toml"), "export")
    assert not source.redacts
    tables = given(source)
    for table in ("conversations", "messages"):
        assert as_frame(tables[table], table).equals(truth(table))
    assert (export / "lacuna.toml").read_text().count("#") > 10


def test_settings_are_added_to_and_never_overwritten(export: Path, lacuna: Lacuna) -> None:
    """A second source goes to the end; one that is there needs another name, or force."""
    (export / "lacuna.toml").write_text("[run]\nseed = 7 # ours\n")
    (export / "help").mkdir()
    assert lacuna("init", "--type", "files", "--path", "export.csv", "--articles", "help")[0] == 0
    settings = load_settings("lacuna.toml")
    assert settings.run.seed == 7
    assert list(settings.sources) == ["export", "articles"]
    code, _, err = lacuna("init", "--type", "files", "--path", "export.csv")
    assert code == 2
    assert "has [sources.export] already" in err
    assert "# ours" in (export / "lacuna.toml").read_text()
    assert lacuna("init", "--type", "files", "--path", "export.csv", "--force")[0] == 0


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ((), "--type is not given"),
        (("--type", "files"), "--path is not given"),
        (("--type", "fax"), "there is no kind of source 'fax'"),
        (("--type", "files", "--path", "nowhere.csv"), "there is no file"),
        (("--type", "articles", "--path", "x", "--set", "colour=red"), "no such setting"),
        (("--type", "articles", "--path", "x", "--name", "Our Pages"), "can't be a source's name"),
    ],
)
def test_without_a_terminal_options_say_it_all(
    export: Path, lacuna: Lacuna, arguments: tuple[str, ...], says: str
) -> None:
    """Nothing is asked, and nothing is written."""
    code, _, err = lacuna("init", *arguments)
    assert code == 2
    assert says in err
    assert not (export / "lacuna.toml").exists()


def test_on_a_terminal_it_asks(export: Path) -> None:
    """A column is given another of theirs, and taken back; a word that nobody knows is asked for."""
    flat().replace({"Author type": {"Support": "xq7"}}).to_csv("export.csv", index=False)
    answers = [
        ("Kind of source", ""),
        ("Path of the file", "export.csv"),
        ("Change (Enter", "conversations.region = Via"),
        ("Change (Enter", "conversations.region = No column"),
        ("has no column", "conversations.product ="),
        ("Change (Enter", ""),
        ("Who is 'xq7'", "agent"),
        ("none yet)", "help"),
        ("Look at a sample", "n"),
    ]
    printed = on_a_terminal(["lacuna", "init"], answers)
    text = (export / "lacuna.toml").read_text()
    assert 'region = "Via"' in text, printed
    assert '"Product line"' not in text
    assert '"xq7" = "agent"' in text
    assert "lacuna pull articles --into bundle" in printed


def on_a_terminal(words: list[str], answers: list[tuple[str, str]]) -> str:
    """Run a command on a terminal of its own, and answer each of its questions; what it printed."""
    child, terminal = pty.fork()
    if not child:
        os.execv(sys.executable, [sys.executable, "-m", "lacuna.pipelines.cli.main", *words[1:]])
    printed = new = ""
    end = time.monotonic() + 120
    while time.monotonic() < end:
        if select.select([terminal], [], [], 1)[0]:
            try:
                data = os.read(terminal, 1 << 16).decode(errors="replace")
            except OSError:  # the command has ended
                break
            printed, new = printed + data, new + data
        if answers and answers[0][0] in new:
            prompt, answer = answers.pop(0)
            new = new.partition(prompt)[2]
            os.write(terminal, f"{answer}\n".encode())
    os.close(terminal)  # a command that still waits for an answer ends with its terminal
    os.waitpid(child, 0)
    return printed
