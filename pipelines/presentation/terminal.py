"""What all text goes through on its way to a terminal: nothing of the data may steer it.

A title with an escape sequence could clear the screen, change the clipboard or hide what follows, and one with a mark
that turns the direction of writing could show another text than the one that is there.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TextIO

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment

from lacuna.data_contracts.sent import plain

__all__ = ["SafeConsole", "write"]


class SafeConsole(Console):
    """A console whose texts hold no control characters; its own, for colours and bars, are not of the texts."""

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """Turn what is printed into segments, each a text and its style."""
        for segment in super().render(renderable, options):
            yield segment if segment.control else segment._replace(text=plain(segment.text))


def write(file: TextIO, text: str) -> None:
    """Write a text that is not laid out: a document, JSON, a line of a log."""
    file.write(plain(text))
