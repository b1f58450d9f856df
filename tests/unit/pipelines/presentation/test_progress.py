"""What a long run says of how long it will take."""

from __future__ import annotations

import logging

import pytest

from lacuna.pipelines.presentation import progress


@pytest.mark.parametrize(
    ("done", "total", "seconds", "told"),
    [
        (1_000, 9_000, 60, "about 8 min left"),
        (100, 200, 42, "about 40 s left"),
        (1, 1_000, 20, "about 5.5 h left"),
        (1, 1_000, 2, ""),  # too early to tell
        (999, 1_000, 600, ""),  # soon over
        (0, 1_000, 60, ""),
        (5, 0, 60, ""),
        (1_000, 1_000, 60, ""),
    ],
)
def test_the_rest_is_told_roughly(done: int, total: int, seconds: float, told: str) -> None:
    """At the pace so far, in a unit that people think in; nothing where nothing can be said."""
    assert progress.left(done, total, seconds) == told


def test_a_log_line_says_what_is_left(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    """Where there is no terminal, each line of a long loop has it too."""
    clock = iter([0.0, 5.0, 30.0, 30.0])
    monkeypatch.setattr(progress.time, "monotonic", lambda: next(clock))
    caplog.set_level(logging.INFO, logger="lacuna")
    tick = progress._logging_bar("embedding")
    tick(100, 2_000)
    tick(500, 2_000)
    assert caplog.messages == ["embedding: 500 of 2,000, about 2 min left"]
