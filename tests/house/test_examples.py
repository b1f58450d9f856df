"""The examples in docstrings run, and give what they say."""

from __future__ import annotations

import doctest
from importlib import import_module

import pytest

from tests.support.paths import REPO

FILES = [path for folder in ("data_contracts", "models", "pipelines") for path in (REPO / folder).rglob("*.py")]
WITH_EXAMPLES = sorted(
    ".".join(("lacuna", *path.relative_to(REPO).with_suffix("").parts)) for path in FILES if ">>> " in path.read_text()
)


@pytest.mark.parametrize("module", WITH_EXAMPLES)
def test_examples_hold(module: str) -> None:
    """Whoever copies an example gets what stands below it."""
    assert doctest.testmod(import_module(module)).failed == 0
