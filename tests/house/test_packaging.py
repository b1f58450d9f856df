"""The distribution: what is in the wheel, what is not, and that nobody else's packages stand in for ours."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from importlib import metadata
from pathlib import Path

import pytest

from tests.support.paths import REPO

PACKAGES = ("pipelines", "models", "data_contracts")
LOCKS = ("requirements.lock", "requirements-dev.lock", "requirements-airflow.lock", "requirements-boot.lock")
AUDIT = "requirements-audit.lock"  # what looks at the runtime from outside
BENCH = "requirements-bench.lock"  # BERTopic as it comes, for comparison: it may hold numba


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wheel that is built from a copy of the source."""
    source = tmp_path_factory.mktemp("source") / "lacuna"
    source.mkdir()
    skip = shutil.ignore_patterns("__pycache__", "*.egg-info", "build")
    for folder in (*PACKAGES, "dags", "tests"):
        shutil.copytree(REPO / folder, source / folder, ignore=skip)
    for file in ("pyproject.toml", "setup.py", "README.md", "LICENSE"):
        shutil.copy(REPO / file, source / file)
    build = "from setuptools.build_meta import build_wheel; print(build_wheel('out'))"
    (source / "out").mkdir()
    subprocess.run([sys.executable, "-c", build], cwd=source, check=True, capture_output=True, timeout=300)
    return next((source / "out").glob("*.whl"))


@pytest.fixture(scope="module")
def wheel(built: Path) -> list[str]:
    """Names of the files in the wheel."""
    with zipfile.ZipFile(built) as archive:
        return archive.namelist()


def test_the_wheel_holds_every_file_of_the_packages(wheel: list[str]) -> None:
    """Code and data (settings, contracts, templates, styles, demo texts) are all there."""
    own_files = {
        f"lacuna/{path.relative_to(REPO).as_posix()}"
        for package in PACKAGES
        for path in (REPO / package).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert own_files - set(wheel) == set()
    assert "lacuna/pipelines/settings.toml" in wheel


def test_the_wheel_holds_nothing_else(wheel: list[str]) -> None:
    """Tests are not installed, and DAGs as data alone: as packages, their names are everybody's."""
    tops = {name.split("/")[0] for name in wheel}
    assert {top for top in tops if not top.endswith((".dist-info", ".data"))} == {"lacuna"}
    assert {name.split("/")[1] for name in wheel if name.startswith("lacuna/")} == set(PACKAGES)
    data = {name.split("/", 1)[1] for name in wheel if name.split("/")[0].endswith(".data")}
    assert data == {f"data/share/lacuna-kb/dags/{path.name}" for path in (REPO / "dags").glob("*.py")}


def test_an_installed_package_finds_its_dags(built: Path, tmp_path: Path) -> None:
    """``lacuna dags`` copies the files of the wheel where there is no checkout."""
    environment, into = tmp_path / "env", tmp_path / "dags"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(environment)], check=True)
    python = environment / "bin" / "python"
    site = next((environment / "lib").glob("python*")) / "site-packages"
    install = ["uv", "pip", "install", "--quiet", "--offline", "--no-deps", "--python", str(python), str(built)]
    subprocess.run([str(Path(sys.executable).parent / install[0]), *install[1:]], check=True, timeout=120)
    # Its dependencies are those of the tests; the checkout that they hold must not come before it.
    site_packages = next(path for path in sys.path if path.endswith("site-packages"))
    code = (
        f"import sys; sys.path.append({site_packages!r}); import lacuna.pipelines.runtime.dag_files as d; "
        f"from pathlib import Path; print(d.__file__, d.copy_dags(Path({str(into)!r})))"
    )
    result = subprocess.run([str(python), "-c", code], cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert result.returncode == 0, result.stderr
    assert result.stdout.startswith(str(site))
    assert sorted(path.name for path in into.iterdir()) == sorted(path.name for path in (REPO / "dags").glob("*.py"))


def test_no_other_distribution_ships_our_namespace() -> None:
    """A second wheel with packages of these names would overwrite ours in silence."""
    assert set(metadata.packages_distributions()["lacuna"]) == {"lacuna-kb"}


def test_a_dag_folder_with_a_models_package_of_its_own_hides_nothing(tmp_path: Path) -> None:
    """Airflow puts the DAG folder first on the path, where others have `models` and `pipelines` too."""
    for folder in PACKAGES:
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "__init__.py").write_text("raise ImportError('somebody else')\n")
    script = "from lacuna.pipelines.run import plan_scheduled; print(plan_scheduled.__name__)"
    path = {**os.environ, "PYTHONPATH": str(tmp_path)}
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, env=path, cwd=tmp_path)
    assert result.stdout.strip() == "plan_scheduled", result.stderr


@pytest.mark.parametrize("lock", [*LOCKS, AUDIT, BENCH])
def test_locks_are_pinned_hashed_and_without_addresses(lock: str) -> None:
    """Every requirement of a lock has one version and hashes; no index or other address is named."""
    text = (REPO / lock).read_text(encoding="utf-8")
    blocks = re.split(r"\n(?=[a-zA-Z0-9])", text)
    wrong = [block.splitlines()[0] for block in blocks if "==" not in block.splitlines()[0] or "sha256:" not in block]
    assert wrong == []
    assert "://" not in text
    assert not re.search(r"^\s*-(i|f)|--(extra-)?index-url|--find-links", text, re.MULTILINE)


@pytest.mark.parametrize("lock", LOCKS)
def test_locks_leave_out_torch_and_numba(lock: str) -> None:
    """BERTopic's heavy companions stay out: they are gigabytes, or minutes of compiling."""
    names = set(re.findall(r"^([A-Za-z0-9._-]+)==", (REPO / lock).read_text(encoding="utf-8"), re.MULTILINE))
    assert names.isdisjoint({"torch", "sentence-transformers", "umap-learn", "hdbscan", "numba", "llvmlite"})


def test_the_locks_agree() -> None:
    """The locks for development and for Airflow pin every package of the runtime lock at the same version."""

    def pins(lock: str) -> set[str]:
        return set(re.findall(r"^([A-Za-z0-9._-]+==[^ ;\\]+)", (REPO / lock).read_text(encoding="utf-8"), re.MULTILINE))

    for lock in ("requirements-dev.lock", "requirements-airflow.lock"):
        assert pins("requirements.lock") - pins(lock) == set()


def test_every_dependency_is_in_the_lock() -> None:
    """What pyproject.toml asks for is what the lock installs."""
    project = tomllib.loads((REPO / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    dependencies = {re.split(r"[<>=\[ ;]", dependency)[0].lower() for dependency in project["dependencies"]}
    locked = set(re.findall(r"^([A-Za-z0-9._-]+)==", (REPO / "requirements.lock").read_text(), re.MULTILINE))
    assert dependencies - locked == set()


def test_the_makefile_explains_every_target() -> None:
    """``make help`` lists each target that a person may call, with what it does."""
    printed = subprocess.run(
        ["make", "--no-print-directory", "help"], cwd=REPO, capture_output=True, text=True, check=True
    ).stdout
    targets = "help demo test coverage bench bench-topics docs lint audit sbom lock report clean"
    for target in targets.split():
        assert re.search(rf"^  {target} +\S", printed, re.MULTILINE), target
