"""The seven steps of a run, in order: a folder each, with its function in ``step.py``.

Importing this imports no step: a DAG file needs the names alone.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lacuna.pipelines.runtime.job import Job

__all__ = ["STEPS", "Step", "step_named"]

Step = Callable[["Job"], None]
STEPS = ("load", "redact", "understand", "measure", "diagnose", "rank", "publish")


def step_named(name: str) -> Step:
    """The function of a step, by its name in :data:`STEPS`."""
    function: Step = getattr(import_module(f"lacuna.pipelines.steps.{name}.step"), name)
    return function
