"""The house rules on imports: dags over pipelines over models over data_contracts, and nothing goes up."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.paths import REPO

FLOORS = {"dags": 3, "pipelines": 2, "models": 1, "data_contracts": 0}
SOURCES = sorted(path for floor in FLOORS for path in (REPO / floor).rglob("*.py"))

# Package, and the one file or folder that may import it.
ONE_HOME = {
    "bertopic": "models/topics/failure_tree.py",
    "great_expectations": "data_contracts/suites.py",
    "duckdb": "pipelines/io/duck.py",
    "airflow": "dags/",
}

# What a floor must not know: paths, SQL, settings files, clock, environment below pipelines; engines in a DAG file.
FORBIDDEN = {
    "models": {
        "duckdb",
        "sqlalchemy",
        "pathlib",
        "os",
        "time",
        "tomllib",
        "sqlite3",
        "fsspec",
        "io",
        "pydantic",
        "sys",
    },
    "data_contracts": {"duckdb", "sqlalchemy", "time", "sqlite3", "fsspec"},
    "dags": {"pandas", "duckdb", "numpy", "pyarrow", "sqlalchemy", "bertopic"},
    "pipelines": set(),
}
CLOCK = {"now", "utcnow", "today", "open", "getenv"}


def imports(path: Path) -> Iterator[tuple[str, int]]:
    """Every module that a file imports, wherever in the file, with its line; ours without the namespace."""
    for module, line in _imports(path):
        yield module.removeprefix("lacuna."), line


def _imports(path: Path) -> Iterator[tuple[str, int]]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            # A relative import stays in its folder: the linter forbids those that climb.
            yield str(node.module) if node.level == 0 else path.relative_to(REPO).parts[0], node.lineno
        elif isinstance(node, ast.Call) and ast.unparse(node.func) in ("importlib.import_module", "__import__"):
            argument = node.args[0] if node.args else None
            if isinstance(argument, ast.Constant):
                yield str(argument.value), node.lineno


def name(path: Path) -> str:
    return path.relative_to(REPO).as_posix()


def test_the_walk_sees_every_floor() -> None:
    """There is code on each floor to be looked at, or the other tests prove nothing."""
    assert {path.relative_to(REPO).parts[0] for path in SOURCES} == set(FLOORS)


@pytest.mark.parametrize("path", SOURCES, ids=name)
def test_imports_go_down_only(path: Path) -> None:
    """A file imports its own floor and those below, never one above."""
    floor = path.relative_to(REPO).parts[0]
    up = [
        f"line {line}: {module}"
        for module, line in imports(path)
        if FLOORS.get(module.split(".")[0], -1) > FLOORS[floor] or module.split(".")[0] == "tests"
    ]
    assert not up, f"{name(path)} is on floor {FLOORS[floor]} and imports from above: {up}"


@pytest.mark.parametrize("path", SOURCES, ids=name)
def test_a_floor_knows_only_what_it_may(path: Path) -> None:
    """Models know no paths, SQL, clock or environment; contracts no engine; a DAG file no data library."""
    floor = path.relative_to(REPO).parts[0]
    known = [f"line {line}: {module}" for module, line in imports(path) if module.split(".")[0] in FORBIDDEN[floor]]
    assert not known, f"{name(path)} must not know: {known}"


@pytest.mark.parametrize("path", [p for p in SOURCES if p.relative_to(REPO).parts[0] == "models"], ids=name)
def test_models_ask_neither_clock_nor_disk(path: Path) -> None:
    """A model gets its dates and its data as arguments: the same arguments give the same result."""
    calls = [node for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(node, ast.Call)]
    asked = [f"line {c.lineno}: {ast.unparse(c.func)}" for c in calls if ast.unparse(c.func).split(".")[-1] in CLOCK]
    assert not asked, f"{name(path)} asks the world: {asked}"


@pytest.mark.parametrize("package", ONE_HOME)
def test_a_package_has_one_home(package: str) -> None:
    """BERTopic and Great Expectations are imported in one file each, Airflow in the DAGs alone."""
    homes = {name(path) for path in SOURCES if any(module.split(".")[0] == package for module, _ in imports(path))}
    assert homes, f"nothing imports {package}"
    assert all(home.startswith(ONE_HOME[package]) for home in homes), homes
    if not ONE_HOME[package].endswith("/"):
        assert len(homes) == 1


def test_a_dag_file_imports_heavy_things_inside_its_tasks() -> None:
    """At its top a DAG file imports Airflow and the standard library alone, so that parsing it costs nothing."""
    for path in (REPO / "dags").glob("*.py"):
        top = [node for node in ast.parse(path.read_text(encoding="utf-8")).body if isinstance(node, ast.ImportFrom)]
        assert not [node.module for node in top if str(node.module).split(".")[0] in {*FLOORS, "lacuna"}]
