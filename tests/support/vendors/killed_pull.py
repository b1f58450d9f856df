"""A pull in a process of its own, which a test kills."""

from __future__ import annotations

from lacuna.pipelines.settings import load_settings
from lacuna.pipelines.sources import api, pull


def pull_in_small_slices(config: str, bundle: str) -> None:
    """Pull the source ``desk``, so that a kill at any time finds something half done."""
    api.WAIT_FROM, pull.SLICE_ROWS, pull.MERGE_ROWS = 0.001, 40, 80
    pull.pull(load_settings(config), "desk", bundle)
