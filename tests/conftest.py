"""What several tests share: a small bundle, and steps that stand in for the real ones where only the harness counts."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import hypothesis
import pytest

from lacuna.pipelines.cli import main as cli
from lacuna.pipelines.presentation import progress
from lacuna.pipelines.runtime.job import Job
from tests.support import rooms
from tests.support.board_windows import window  # noqa: F401 - as below
from tests.support.browsers import browser  # noqa: F401 - as below
from tests.support.databases import postgres, settings, state  # noqa: F401 - fixtures for every test
from tests.support.object_stores import remote, s3, signed_in, unsteady_s3  # noqa: F401 - as above
from tests.support.paths import REPO
from tests.support.standins import Lacuna, make_bundle, small_publish
from tests.support.warehouses import warehouse  # noqa: F401 - as above

# How long an example takes says nothing on a machine that does other things besides.
hypothesis.settings.register_profile("lacuna", deadline=None)
hypothesis.settings.load_profile("lacuna")


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    """Twelve conversations in the four weeks up to 2024-06-30, two articles, one owner."""
    return make_bundle(tmp_path)


@pytest.fixture
def steps_run() -> list[str]:
    """Names of the stand-in steps, in the order in which they ran."""
    return []


@pytest.fixture
def steps(steps_run: list[str]) -> list[Callable[[Job], None]]:
    """Three steps: the first two write a document each, the last one publishes one gap."""

    def first(job: Job) -> None:
        steps_run.append("first")
        job.write_json("first/table", [1, 2])

    def second(job: Job) -> None:
        steps_run.append("second")
        job.write_json("second/table", [2 * number for number in job.read_json("first/table")])

    def publish(job: Job) -> None:
        steps_run.append("publish")
        assert job.read_json("second/table") == [2, 4]
        small_publish(job)

    return [first, second, publish]


@pytest.fixture
def lacuna(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Lacuna:
    """Call the command with arguments; gives exit code, output and error output."""
    monkeypatch.setenv("COLUMNS", "160")

    def call(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["lacuna", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        told = capsys.readouterr()
        return int(ended.value.code or 0), told.out, told.err

    return call


@pytest.fixture(autouse=True)
def log_as_it_was() -> Iterator[None]:
    """Whatever a test did to our log, the next one sees its lines."""
    yield
    progress.configure(quiet=False)
    progress.log.handlers.clear()
    progress.log.propagate = True


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """After the tests, say what they were of: rooms of the code, how large each is, tests and seconds."""
    if config.getoption("rooms"):
        terminalreporter.section("what was tested")
        terminalreporter.write_line(rooms.table(terminalreporter.stats))


def pytest_addoption(parser: pytest.Parser) -> None:
    """``--rooms`` prints the table of rooms, as ``make test`` does."""
    parser.addoption("--rooms", action="store_true", help="print what was tested, by room of the code")


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """With ``-n``, the tests of a module that makes something once for all of them share a worker; others are free."""
    from xdist.scheduler import LoadScopeScheduling

    whole = {
        path.relative_to(REPO).as_posix()
        for path in (REPO / "tests").rglob("test_*.py")
        if 'scope="module"' in path.read_text(encoding="utf-8")
    }

    class ByModule(LoadScopeScheduling):
        """A module's tests together where they share a fixture."""

        def _split_scope(self, nodeid: str) -> str:
            module = nodeid.split("::")[0]
            return module if module in whole else nodeid

    return ByModule(config, log)
