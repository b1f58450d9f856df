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

ROOT = Path(__file__).parents[1]
PACKAGES = ("pipelines", "models", "data_contracts")
LOCKS = ("requirements.lock", "requirements-dev.lock", "requirements-boot.lock")
BENCH = "requirements-bench.lock"  # BERTopic as it comes, for comparison: it may hold numba


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Names of the files in a wheel that is built from a copy of the source."""
    source = tmp_path_factory.mktemp("source") / "lacuna"
    source.mkdir()
    skip = shutil.ignore_patterns("__pycache__", "*.egg-info", "build")
    for folder in (*PACKAGES, "dags", "tests"):
        shutil.copytree(ROOT / folder, source / folder, ignore=skip)
    for file in ("pyproject.toml", "setup.py", "README.md", "LICENSE"):
        shutil.copy(ROOT / file, source / file)
    build = "from setuptools.build_meta import build_wheel; print(build_wheel('out'))"
    (source / "out").mkdir()
    subprocess.run([sys.executable, "-c", build], cwd=source, check=True, capture_output=True, timeout=300)
    with zipfile.ZipFile(next((source / "out").glob("*.whl"))) as archive:
        return archive.namelist()


def test_the_wheel_holds_every_file_of_the_packages(wheel: list[str]) -> None:
    """Code and data (settings, contracts, templates, styles, demo texts) are all there."""
    ours = {
        f"lacuna/{path.relative_to(ROOT).as_posix()}"
        for package in PACKAGES
        for path in (ROOT / package).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert ours - set(wheel) == set()
    assert "lacuna/pipelines/settings.toml" in wheel


def test_the_wheel_holds_nothing_else(wheel: list[str]) -> None:
    """Tests are not installed, and all that is stands in our namespace: other names are everybody's."""
    tops = {name.split("/")[0] for name in wheel}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"lacuna"}
    assert {name.split("/")[1] for name in wheel if name.startswith("lacuna/")} == set(PACKAGES)


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
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, env=path, cwd=tmp_path)
    assert done.stdout.strip() == "plan_scheduled", done.stderr


@pytest.mark.parametrize("lock", [*LOCKS, BENCH])
def test_locks_are_pinned_hashed_and_without_addresses(lock: str) -> None:
    """Every requirement of a lock has one version and hashes; no index or other address is named."""
    text = (ROOT / lock).read_text(encoding="utf-8")
    blocks = re.split(r"\n(?=[a-zA-Z0-9])", text)
    wrong = [block.splitlines()[0] for block in blocks if "==" not in block.splitlines()[0] or "sha256:" not in block]
    assert wrong == []
    assert "://" not in text
    assert not re.search(r"^\s*-(i|f)|--(extra-)?index-url|--find-links", text, re.MULTILINE)


@pytest.mark.parametrize("lock", LOCKS)
def test_locks_leave_out_torch_and_numba(lock: str) -> None:
    """BERTopic's heavy companions stay out: they are gigabytes, or minutes of compiling."""
    names = set(re.findall(r"^([A-Za-z0-9._-]+)==", (ROOT / lock).read_text(encoding="utf-8"), re.MULTILINE))
    assert names.isdisjoint({"torch", "sentence-transformers", "umap-learn", "hdbscan", "numba", "llvmlite"})


def test_the_locks_agree() -> None:
    """The development lock pins every package of the runtime lock at the same version."""

    def pins(lock: str) -> set[str]:
        return set(re.findall(r"^([A-Za-z0-9._-]+==[^ ;\\]+)", (ROOT / lock).read_text(encoding="utf-8"), re.MULTILINE))

    assert pins("requirements.lock") - pins("requirements-dev.lock") == set()


def test_every_dependency_is_in_the_lock() -> None:
    """What pyproject.toml asks for is what the lock installs."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = {re.split(r"[<>=\[ ;]", dependency)[0].lower() for dependency in project["dependencies"]}
    locked = set(re.findall(r"^([A-Za-z0-9._-]+)==", (ROOT / "requirements.lock").read_text(), re.MULTILINE))
    assert wanted - locked == set()


def test_the_makefile_explains_every_target() -> None:
    """``make help`` lists each target that a person may call, with what it does."""
    told = subprocess.run(
        ["make", "--no-print-directory", "help"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    for target in ("help", "demo", "test", "bench", "bench-topics", "lint", "lock", "report", "clean"):
        assert re.search(rf"^  {target} +\S", told, re.MULTILINE), target
