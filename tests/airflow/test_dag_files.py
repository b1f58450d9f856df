"""`lacuna dags`: copies for a scheduler's folder, of which an edited one stays."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from lacuna.pipelines.runtime import dag_files
from tests.support.paths import REPO
from tests.support.standins import Lacuna

NAME = "lacuna_weekly.py"


@pytest.fixture
def source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A DAG file to copy, which a test may change as a new version would."""
    path = tmp_path / "source" / NAME
    path.parent.mkdir()
    path.write_bytes((REPO / "dags" / NAME).read_bytes())
    monkeypatch.setattr(dag_files, "dag_files", lambda: [path])
    return path


def test_it_says_where_they_lie(lacuna: Lacuna) -> None:
    """Without a folder it names the files."""
    names = ("lacuna_pull.py", NAME)
    assert lacuna("dags") == (0, "".join(f"{REPO / 'dags' / name}\n" for name in names), "")


def test_a_copy_is_the_dag(source: Path, tmp_path: Path, lacuna: Lacuna) -> None:
    """The copy has the same code and docstring, the folder is made, a second time changes nothing."""
    code, printed, _ = lacuna("dags", "--into", str(tmp_path / "af" / "dags"))
    copy = tmp_path / "af" / "dags" / NAME
    assert (code, printed.split()) == (0, ["new", str(copy)])
    assert ast.dump(ast.parse(copy.read_bytes())) == ast.dump(ast.parse(source.read_bytes()))
    assert lacuna("dags", "--into", str(copy.parent))[1].split() == ["unchanged", str(copy)]


def test_a_copy_that_nobody_edited_follows_the_dag(source: Path, tmp_path: Path) -> None:
    """A new version replaces it."""
    dag_files.copy_dags(tmp_path / "dags")
    source.write_bytes(source.read_bytes() + b"\n# changed\n")
    assert dag_files.copy_dags(tmp_path / "dags") == [(tmp_path / "dags" / NAME, "updated")]
    assert (tmp_path / "dags" / NAME).read_bytes().endswith(b"# changed\n")


def test_an_edited_copy_stays(source: Path, tmp_path: Path) -> None:
    """What a person changed is left alone; what is new lies beside it, under a name that no scheduler reads."""
    copy = tmp_path / "dags" / NAME
    dag_files.copy_dags(copy.parent)
    edited = copy.read_bytes().replace(b'"0 5 * * 1"', b'"0 7 * * 2"')
    copy.write_bytes(edited)
    assert dag_files.copy_dags(copy.parent) == [(copy, "edited")]
    source.write_bytes(source.read_bytes() + b"\n# changed\n")
    new_copy = copy.with_name(NAME + ".new")
    assert dag_files.copy_dags(copy.parent) == [(copy, "edited"), (new_copy, "new")]
    assert dag_files.copy_dags(copy.parent) == [(copy, "edited"), (new_copy, "unchanged")]
    assert copy.read_bytes() == edited
    assert new_copy.read_bytes().endswith(b"# changed\n")


def test_a_folder_that_is_a_file(source: Path, tmp_path: Path, lacuna: Lacuna) -> None:
    """It is named, with what to do."""
    (tmp_path / "dags").write_text("")
    code, _, errors = lacuna("dags", "--into", str(tmp_path / "dags"))
    assert code == 2
    assert str(tmp_path / "dags") in errors
    assert "--into" in errors
