"""Runs whose store or database goes away for a while: the same bytes, or a message; nothing half is visible."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from lacuna.data_contracts.errors import StoreUnusable
from lacuna.pipelines.io import publishing
from lacuna.pipelines.io.addresses import StorePath, store_path
from lacuna.pipelines.io.run_folders import find_run, latest_stamp, published_runs, run_folder, run_place
from lacuna.pipelines.io.store import files_in, remove_folder
from lacuna.pipelines.run import run
from lacuna.pipelines.runtime.job import Job
from lacuna.pipelines.runtime.scheduled import retry_mends
from lacuna.pipelines.settings import load_settings
from lacuna.pipelines.state import schema
from lacuna.pipelines.state.repository import open_state
from tests.support.databases import Cluster, cluster
from tests.support.object_stores import UnsteadyS3
from tests.support.standins import Lacuna

Steps = list[Callable[[Job], None]]
RUN = "2024-06-30"


@pytest.fixture(scope="module")
def its_cluster() -> Iterator[Cluster]:
    """A Postgres that no other module uses."""
    with cluster() as made:
        yield made


@pytest.fixture
def own_postgres(its_cluster: Cluster) -> Cluster:
    """A Postgres that no other test uses meanwhile, empty."""
    engine = sa.create_engine(its_cluster.url)
    schema.metadata.drop_all(engine)
    engine.dispose()
    return its_cluster


@pytest.fixture
def place(unsteady_s3: UnsteadyS3, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> StorePath:
    """An empty store on the service that goes away."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "user-cache"))
    return store_path(f"s3://stores/{tmp_path.name}")


def config_of(tmp_path: Path, url: str) -> str:
    """A settings file that names the state database."""
    file = tmp_path / "ours.toml"
    file.write_text(f"[state]\nurl = '{url}'\n")
    return str(file)


def bytes_of(folder: Path | None) -> dict[str, bytes]:
    """The files of a run by name."""
    assert folder is not None
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("where", ["steps/first.json", "second/table.json", "report.html", "manifest.json"])
def test_a_store_that_goes_away_fails_the_run_whole(
    where: str,
    place: StorePath,
    unsteady_s3: UnsteadyS3,
    tmp_path: Path,
    bundle: Path,
    steps: Steps,
    steps_run: list[str],
) -> None:
    """The message names the store; once it is back, the run goes on where it was, and gives the same bytes."""
    config = config_of(tmp_path, f"sqlite:///{tmp_path / 'shared.db'}")
    unsteady_s3.away_at = where
    with pytest.raises(StoreUnusable, match=f"{place}.* can't be opened") as caught:
        run(str(bundle), place, config=config, steps=steps)
    assert "this machine reaches the server" in str(caught.value)
    assert retry_mends(caught.value)
    unsteady_s3.come_back()
    assert published_runs(place) == []
    run(str(bundle), place, config=config, steps=steps)
    assert steps_run.count("first") == 1
    plain = run(str(bundle), tmp_path / "store", config=config_of(tmp_path, ""), steps=steps)
    assert bytes_of(run_folder(place, RUN)).keys() == bytes_of(plain.folder).keys()
    assert bytes_of(run_folder(place, RUN))["backlog.parquet"] == bytes_of(plain.folder)["backlog.parquet"]


@pytest.mark.parametrize("is_busy", [False, True])
def test_a_store_that_is_away_is_not_taken_for_an_empty_one(
    is_busy: bool, place: StorePath, unsteady_s3: UnsteadyS3
) -> None:
    """Its runs, and files in it, are not missing: whether it closes connections or answers that it is busy."""
    unsteady_s3.away_at, unsteady_s3.is_busy = "/stores", is_busy
    asked: list[Callable[[], object]] = [
        lambda: published_runs(place), lambda: find_run(place), lambda: latest_stamp(place),
        lambda: run_place(place, RUN), lambda: files_in(place / "cache", "*.parquet"), lambda: remove_folder(place),
    ]  # fmt: skip
    for ask in asked:
        with pytest.raises(StoreUnusable, match="can't be opened"):
            ask()


def test_the_command_says_in_one_message_that_its_store_went_away(
    place: StorePath, unsteady_s3: UnsteadyS3, tmp_path: Path, bundle: Path, lacuna: Lacuna
) -> None:
    """And prints no traceback."""
    config = config_of(tmp_path, f"sqlite:///{tmp_path / 'shared.db'}")
    unsteady_s3.away_at = "/run.json"
    code, _, said = lacuna("run", str(bundle), "--store", str(place), "--config", config)
    unsteady_s3.come_back()
    assert code == StoreUnusable.exit_code
    assert "Traceback" not in said
    assert said.count("error:") == 1
    assert f"error: {place}" in said
    assert published_runs(place) == []


def test_a_database_that_is_restarted_between_two_steps_is_not_noticed(
    own_postgres: Cluster, tmp_path: Path, bundle: Path, steps: Steps, steps_run: list[str]
) -> None:
    """Connections are opened anew."""

    def second(job: Job) -> None:
        own_postgres.stop()
        own_postgres.start()
        steps[1](job)

    config = config_of(tmp_path, own_postgres.url)
    assert run(str(bundle), tmp_path / "store", config=config, steps=[steps[0], second, steps[2]]).state == "published"
    assert steps_run == ["first", "second", "publish"]


@pytest.mark.parametrize("where", ["second", "publishing"])
def test_a_database_that_goes_away_fails_the_run_whole(
    where: str, own_postgres: Cluster, tmp_path: Path, bundle: Path, steps: Steps, steps_run: list[str]
) -> None:
    """The message names the database; once it is back, the run goes on where it was."""

    def second(job: Job) -> None:
        if where == "second":
            own_postgres.stop()
        steps[1](job)

    def publish(job: Job) -> None:
        own_postgres.stop()
        steps[2](job)

    config = config_of(tmp_path, own_postgres.url)
    last = steps[2] if where == "second" else publish
    try:
        with pytest.raises(StoreUnusable, match=r"state database postgresql\+psycopg://lacuna@/postgres.*: ") as caught:
            run(str(bundle), tmp_path / "store", config=config, steps=[steps[0], second, last])
        assert "check that the database runs" in str(caught.value)
        assert retry_mends(caught.value)
    finally:
        own_postgres.start()
    assert published_runs(tmp_path / "store") == []
    assert run(str(bundle), tmp_path / "store", config=config, steps=steps).state == "published"
    assert steps_run.count("first") == 1
    with open_state(load_settings(config), tmp_path / "store") as state:
        assert state.last_run() == RUN


def test_a_database_that_goes_away_while_the_run_is_swapped_in_leaves_it_whole(
    own_postgres: Cluster, tmp_path: Path, bundle: Path, steps: Steps, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The run fails with a message, what readers see is all of it, and the next one records it."""
    swap = publishing._swap

    def swap_without_database(new: Path, place: Path) -> None:
        own_postgres.stop()
        swap(new, place)

    config, store = config_of(tmp_path, own_postgres.url), tmp_path / "store"
    monkeypatch.setattr(publishing, "_swap", swap_without_database)
    try:
        with pytest.raises(StoreUnusable, match="state database"):
            run(str(bundle), store, config=config, steps=steps)
    finally:
        own_postgres.start()
    monkeypatch.undo()
    seen = bytes_of(run_folder(store, RUN))
    result = run(str(bundle), store, config=config, steps=steps)
    assert result.state == "replaced"
    assert bytes_of(result.folder) == seen
    with open_state(load_settings(config), store) as state:
        assert state.last_run() == RUN
