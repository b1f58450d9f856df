"""A board over a made store, for whatever looks at it in a browser."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.board_store import make_store, running


@pytest.fixture(scope="module")
def made_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The hand-made store, written once."""
    return make_store(tmp_path_factory.mktemp("made") / "store")


@pytest.fixture
def board(made_store: Path, tmp_path: Path) -> Iterator[str]:
    """A board over a store of its own."""
    shutil.copytree(made_store, tmp_path / "store")
    with running(tmp_path / "store") as address:
        yield address
