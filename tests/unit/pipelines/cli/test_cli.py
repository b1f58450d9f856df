"""The command line: what a person types, what they read, and the exit code."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from lacuna.pipelines.demo import write_demo
from lacuna.pipelines.run import run
from tests.support.standins import Lacuna, small_publish, write_table


@pytest.fixture
def store(bundle: Path, tmp_path: Path) -> Path:
    """A store with two published runs."""
    for end in ("2024-06-23", "2024-06-30"):
        run(str(bundle), tmp_path / "store", end=end, steps=[small_publish])
    return tmp_path / "store"


def test_help_lists_every_command_with_examples(lacuna: Lacuna) -> None:
    """A newcomer finds all commands, and in each command's help an example and every option explained."""
    code, printed, _ = lacuna("--help")
    assert code == 0
    commands = ("run", "check", "explain", "demo", "runs", "topics", "settings", "backlog", "decide", "assign", "undo")
    for command in commands:
        assert re.search(rf"^│ {command}\b", printed, re.MULTILINE)
        code, text, _ = lacuna(command, "--help")
        assert code == 0
        assert "For example" in text
        assert f"lacuna {command}" in text


def test_help_pays_for_nothing_it_does_not_use() -> None:
    """Asking for help imports none of the heavy libraries."""
    heavy = "{'pandas', 'pyarrow', 'bertopic', 'sklearn'}"
    script = f"import sys, lacuna.pipelines.cli.main; print(sorted({heavy} & set(sys.modules)))"
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"


def test_settings_prints_a_file_to_start_from(lacuna: Lacuna) -> None:
    """The output is TOML with every default and its comment."""
    code, printed, _ = lacuna("settings")
    assert code == 0
    assert tomllib.loads(printed)["window"]["days"] == 28
    assert "# " in printed


def test_a_run_that_is_there_already_is_shown_again(lacuna: Lacuna, bundle: Path, store: Path) -> None:
    """The second time nothing is done; the backlog and the report's path are printed all the same."""
    code, printed, _ = lacuna("run", str(bundle), "--store", str(store), "--quiet")
    assert code == 0
    assert "nothing to do" in printed
    assert "Change the delivery address" in printed
    assert "7.2 [5.0–9.0]" in printed
    assert "80\u202f%" in printed
    assert f"Report: {store}/runs/2024-06-30/report.html" in printed


@pytest.mark.slow
def test_a_run_from_bundle_to_report(lacuna: Lacuna, bundle: Path, tmp_path: Path) -> None:
    """``lacuna run`` does all seven steps, accounts for every row, and publishes."""
    store = tmp_path / "store"
    code, printed, logged = lacuna("run", str(bundle), "--store", str(store))
    assert code == 0, logged
    assert "Run 2024-06-30 is published." in printed
    assert "[7/7] publish" in logged
    assert (store / "runs/2024-06-30/report.html").exists()


@pytest.mark.parametrize(
    ("arguments", "problem", "remedy"),
    [
        (["run", "{tmp}/none", "--store", "{tmp}/s"], "there is no folder", "give the folder"),
        (["run", "{bundle}", "--store", "{bundle}/articles.jsonl"], "can't be written", "a file is in the way"),
        (["run", "{bundle}", "--store", "{tmp}/s", "--end", "30.6.2024"], "is not a day", "YYYY-MM-DD"),
        (["run", "{bundle}", "--store", "{tmp}/s", "--config", "{tmp}/no.toml"], "can't be read", "lacuna settings"),
        (["explain", "1", "--store", "{tmp}/none"], "there is no store", "lacuna run BUNDLE"),
        (["runs", "--store", "{tmp}"], "no run in", "lacuna run BUNDLE"),
        (["explain", "g-1a2b3d", "--store", "{store}"], "there is no gap", "did you mean g-1a2b3c?"),
        (["explain", "7", "--store", "{store}"], "there is no rank 7", "1 to 1"),
        (["explain", "1", "--store", "{store}", "--run", "2024-01-01"], "no run '2024-01-01'", "2024-06-23"),
    ],
)
def test_a_problem_is_said_without_a_traceback(
    lacuna: Lacuna, bundle: Path, store: Path, tmp_path: Path, arguments: list[str], problem: str, remedy: str
) -> None:
    """What a user can put right ends with code 2, the problem and the remedy, and no traceback."""
    code, _, errors = lacuna(*(part.format(tmp=tmp_path, bundle=bundle, store=store) for part in arguments))
    assert code == 2
    assert problem in errors
    assert remedy in errors
    assert "Traceback" not in errors


def test_explain_says_why_this_kind_and_why_this_rank(lacuna: Lacuna, store: Path) -> None:
    """One gap is shown by id or by rank with reasons, factors, owner and quotes; markup in a quote is only text."""
    by_rank, by_id = lacuna("explain", "1", "--store", str(store)), lacuna("explain", "g-1a2b3c", "--store", str(store))
    assert by_rank == by_id
    printed = by_rank[1]
    assert by_rank[0] == 0
    for part in (
        "Why missing",
        "no article is nearer than 0.31",
        "Why rank 1",
        "7.2 [5.0–9.0] human-handled conversations a week",
        "an estimated 80\u202f%",
    ):
        assert part in printed
    assert "owns the area 'delivery'" in printed
    assert "can I change the [bold]delivery[/bold] address" in printed


def test_runs_lists_what_was_published(lacuna: Lacuna, store: Path) -> None:
    """Every run of the store stands on a line."""
    code, printed, _ = lacuna("runs", "--store", str(store))
    assert code == 0
    assert re.findall(r"^2024-06-\d\d", printed, re.MULTILINE) == ["2024-06-23", "2024-06-30"]


def test_check_of_a_good_bundle(lacuna: Lacuna, bundle: Path) -> None:
    """A bundle that keeps the contract ends with 0, and its tables are counted."""
    code, printed, _ = lacuna("check", str(bundle))
    assert code == 0
    assert "keeps the contract" in printed
    assert re.search(r"^messages +36", printed, re.MULTILINE)


def test_check_says_what_the_data_lack(lacuna: Lacuna, bundle: Path) -> None:
    """What lacks is a table with its cost and the next step, what is there one line; it changes no exit code."""
    code, printed, _ = lacuna("check", str(bundle))
    assert code == 0
    assert re.search(r"^what the data lack +what that costs +the cheapest next step", printed, re.MULTILINE)
    assert re.search(r"^articles cited by the bot +An article that the bot never reaches", printed, re.MULTILINE)
    assert "0 of 12 conversations that the bot answered" in printed
    assert "The data carry customers' messages, published articles, the bot's messages" in printed
    assert printed.index("messages   ") < printed.index("what the data lack") < printed.index("keeps the contract")


def test_check_of_data_that_carry_everything_needs_one_line(lacuna: Lacuna, tmp_path: Path) -> None:
    """Nothing is listed where nothing lacks."""
    write_demo(tmp_path, weeks=3)
    _, printed, _ = lacuna("check", str(tmp_path / "bundle"))
    assert "The data carry everything that Lacuna makes use of." in printed
    assert "what the data lack" not in printed


def test_check_of_a_broken_bundle(lacuna: Lacuna, bundle: Path) -> None:
    """A broken rule ends with 1, and a table says which table, rule, file and row."""
    write_table(bundle, "outcomes", [{"conversation_id": "c00", "outcome": "perfect"}])
    code, printed, _ = lacuna("check", str(bundle))
    assert code == 1
    assert "breaks the contract" in printed
    assert "outcomes.jsonl:1 perfect" in printed


def test_check_of_a_bundle_without_a_column(lacuna: Lacuna, bundle: Path) -> None:
    """A missing column ends with 1 and the name that was perhaps meant."""
    write_table(bundle, "articles", [{"article_id": "a1", "titel": "Reset", "body": "x"}])
    code, printed, _ = lacuna("check", str(bundle))
    assert code == 1
    assert "did you mean 'titel'" in printed


def test_a_fault_of_ours_is_said_as_one(lacuna: Lacuna, store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What no user can put right shows a traceback, asks for a report, and has a code of its own."""
    monkeypatch.delattr("lacuna.pipelines.report.story.story")
    monkeypatch.delattr("lacuna.pipelines.io.runs.story")
    code, _, errors = lacuna("explain", "1", "--store", str(store))
    assert code == 70
    assert "Traceback" in errors
    assert "fault of Lacuna" in errors


def test_wrong_usage_has_the_usual_code(lacuna: Lacuna) -> None:
    """A missing option ends with 2 and names the option."""
    code, _, errors = lacuna("run", "bundle")
    assert code == 2
    assert "--store" in errors


def test_the_version_is_the_distribution_s(lacuna: Lacuna) -> None:
    """``lacuna --version`` says what is installed."""
    from importlib import metadata

    assert lacuna("--version")[1].strip() == f"lacuna-kb {metadata.version('lacuna-kb')}"
