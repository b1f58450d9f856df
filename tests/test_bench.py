"""The benchmarks' command line."""

from __future__ import annotations

import pytest

from tests.bench.__main__ import asked


@pytest.mark.parametrize("words", [[], ["steps"]])
def test_the_steps_are_measured_where_nothing_is_named(words: list[str]) -> None:
    """`make bench` says no word, and gets the time and memory of each step."""
    assert asked(words).what == "steps"


def test_each_benchmark_is_asked_for_by_name() -> None:
    """Options belong to their benchmark."""
    assert asked(["replays", "--tags", "0.1"]).tags == 0.1
    assert asked(["replays", "--without", "csat"]).without == "csat"
    assert asked(["ablations"]).what == "ablations"
    assert asked(["topics", "--embedder", "lexical"]).embedder == "lexical"
    assert asked(["embedding", "a-folder"]).names == ["a-folder"]
