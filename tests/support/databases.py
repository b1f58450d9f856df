"""A state database of each kind for tests, and small frames to record in it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import sqlalchemy as sa

from lacuna.pipelines.io.publishing import publishing
from lacuna.pipelines.settings import Settings, load_settings
from lacuna.pipelines.state import schema
from lacuna.pipelines.state.repository import State, open_state
from tests.support.standins import BACKLOG_ROW

NOBODY = 65534


def settings_for(url: str = "", wait_seconds: float = 20.0) -> Settings:
    """The defaults with another database."""
    return with_state(load_settings(), url=url, wait_seconds=wait_seconds)


def with_state(settings: Settings, **changes: str | float) -> Settings:
    """Settings with changes in their section ``[state]``."""
    return settings.model_copy(update={"state": settings.state.model_copy(update=changes)})


class Cluster:
    """A throwaway Postgres on a socket, which can be stopped and started; made by :func:`cluster`."""

    def __init__(self, tools: Path, home: Path) -> None:
        self._tools, self._home = tools, home
        self.url = f"postgresql+psycopg://lacuna@/postgres?host={home}"

    def make(self) -> None:
        """Make its files."""
        options = ["-U", "lacuna", "-A", "trust", "--no-sync", "-E", "UTF8", "--locale=C"]
        self._call("initdb", "-D", self._home / "data", *options)

    def start(self) -> None:
        """Start it, and wait until it answers."""
        options = f"-c listen_addresses='' -c unix_socket_directories={self._home} -c fsync=off"
        self._call("pg_ctl", "-D", self._home / "data", "-l", self._home / "log", "-o", options, "-w", "start")

    def stop(self, mode: str = "fast") -> None:
        """End it with all its connections; what was committed stays."""
        self._call("pg_ctl", "-D", self._home / "data", "-m", mode, "-w", "stop")

    def _call(self, tool: str, *options: str | Path) -> None:
        # The server refuses to run as root.
        who: dict[str, Any] = {"user": NOBODY, "group": NOBODY, "extra_groups": []} if os.geteuid() == 0 else {}
        command = [self._tools / tool, *options]
        subprocess.run(command, check=True, cwd=self._home, stdout=subprocess.DEVNULL, timeout=120, **who)


@contextmanager
def cluster() -> Iterator[Cluster]:
    """Give a throwaway Postgres that runs; skips the test where there is none on this machine."""
    paths = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    initdb = str(paths[-1]) if paths else shutil.which("initdb")
    if initdb is None:
        if os.environ.get("LACUNA_REQUIRE_POSTGRES"):
            pytest.fail("LACUNA_REQUIRE_POSTGRES is set, and there is no initdb")
        pytest.skip("no Postgres here: install it, or set LACUNA_POSTGRES_URL")
    home = Path(tempfile.mkdtemp(prefix="lacuna-pg-"))  # short: a socket's path may have 107 bytes
    if os.geteuid() == 0:
        os.chown(home, NOBODY, NOBODY)
    made = Cluster(Path(initdb).parent, home)
    try:
        made.make()
        made.start()
        yield made
    finally:
        if (home / "data" / "postmaster.pid").exists():
            made.stop("immediate")
        shutil.rmtree(home, ignore_errors=True)


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """URL of a Postgres: the one named by LACUNA_POSTGRES_URL, else a throwaway cluster on a socket."""
    url_given = os.environ.get("LACUNA_POSTGRES_URL")
    if url_given:
        yield url_given
        return
    with cluster() as made:
        yield made.url


@pytest.fixture(params=["sqlite", "postgres"])
def settings(request: pytest.FixtureRequest) -> Settings:
    """Settings with an empty database of each kind."""
    if request.param == "sqlite":
        return settings_for()
    url = request.getfixturevalue("postgres")
    engine = sa.create_engine(url)
    schema.metadata.drop_all(engine)
    engine.dispose()
    return settings_for(url)


@pytest.fixture
def state(settings: Settings, tmp_path: Path) -> Iterator[State]:
    opened = open_state(settings, tmp_path)
    yield opened
    opened.close()


def topics(*ids: str, label: str = "Refund late", size: int = 3) -> pd.DataFrame:
    """Topics with a centroid and members."""
    return pd.DataFrame(
        {
            "topic_id": list(ids),
            "label": label,
            "embedder": "minilm 1",
            "centroid": [np.array([0.6, 0.8], dtype=np.float32) for _ in ids],
            "members": [["q1", "q2"] for _ in ids],
            "size": size,
            "lineage": [None for _ in ids],
        }
    )


def gaps(*ids: str, status: str = "new") -> pd.DataFrame:
    """Gaps, ranked as given."""
    return pd.DataFrame(
        {
            "gap_id": list(ids),
            "kind": "missing",
            "title": "Where is my refund?",
            "status": status,
            "score": [float(i) for i in range(len(ids))],
            "rank": list(range(1, len(ids) + 1)),
            "weekly_rate": 2.5,
        }
    )


def happened(*events: tuple[str, str, list[str]]) -> pd.DataFrame:
    """Events of topics: id, event and related ids."""
    rows = pd.DataFrame(events, columns=["topic_id", "event", "related"])
    return rows.assign(shared=4, cosine=[0.9 if related else float("nan") for related in rows["related"]])


def publish_gaps(store: Path, run_id: str, rows: list[dict[str, Any]], published_at: datetime | None = None) -> None:
    """Publish a run with these rows of a backlog, over the row of ``standins``, and record them, by default now."""
    full_rows = [
        {**BACKLOG_ROW, "first_seen": run_id, "last_seen": run_id, "rank": n, **row} for n, row in enumerate(rows, 1)
    ]
    state = open_state(load_settings(), store)  # first, as a run does: beside runs none is made
    with publishing(store, run_id) as folder:
        lines = "".join(json.dumps(row) + "\n" for row in full_rows)
        (folder / "backlog.jsonl").write_text(lines, encoding="utf-8")
        pd.DataFrame(full_rows).to_parquet(folder / "backlog.parquet")
        run_json = {"run_id": run_id, "window": {"end": run_id, "days": 28}}
        (folder / "run.json").write_text(json.dumps(run_json), encoding="utf-8")
    columns = [
        "gap_id", "kind", "topic_id", "article_id", "title", "status", "score", "rank", "first_seen", "conversations",
    ]  # fmt: skip
    state.record_run(run_id, "h", pd.DataFrame(), pd.DataFrame(full_rows)[columns], published_at=published_at)
    state.close()
