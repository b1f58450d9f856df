"""A store of its own for each test of the board, copied from one that is made once a module."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from lacuna.pipelines.settings import load_settings
from lacuna.pipelines.state.repository import State, open_state
from tests.support.board_store import make_store


@pytest.fixture(scope="module")
def made_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_store(tmp_path_factory.mktemp("made") / "store")


@pytest.fixture
def store(made_store: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made_store, tmp_path / "store"))


@pytest.fixture
def state(store: Path) -> Iterator[State]:
    with open_state(load_settings(), store) as opened:
        yield opened
