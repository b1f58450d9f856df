"""What a target of drafts is: a place that holds one text for each gap, which only people publish."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

from markdown_it import MarkdownIt

from lacuna.pipelines.presentation.section import Section

__all__ = ["Draft", "Remote", "Target", "TargetSettings"]


@dataclass(frozen=True)
class Draft:
    """A draft: the gap that it is of, its title, its Markdown without front matter, and the article that it changes."""

    gap_id: str
    title: str
    text: str
    article_id: str | None = None

    @property
    def html(self) -> str:
        """The text as HTML; what customers wrote is text, whatever it looks like."""
        rendered: str = MarkdownIt("commonmark", {"html": False}).enable("table").render(self.text)
        return rendered


@dataclass(frozen=True)
class Remote:
    """A draft as its target holds it now."""

    remote_id: str
    url: str
    text: str
    is_published: bool


class TargetSettings(Section):
    """What all targets share."""

    type: str


class Target(ABC):
    """A place that drafts are pushed to.

    Parameters
    ----------
    name
        Its name in the settings.
    settings
        Its section.
    """

    Settings: type[TargetSettings] = TargetSettings

    def __init__(self, name: str, settings: TargetSettings) -> None:
        self.name = name
        self.type = settings.type

    @abstractmethod
    def read(self, remote_id: str) -> Remote | None:
        """What is there now; None where it is gone."""

    def existing(self, draft: Draft) -> Remote | None:  # noqa: ARG002 - some targets can look, others can't
        """What is there of a gap of which nothing is remembered; None where nothing is, or nobody can look."""
        return None

    @abstractmethod
    def create(self, draft: Draft) -> str:
        """Make a draft, and give its id there."""

    @abstractmethod
    def update(self, remote_id: str, draft: Draft) -> None:
        """Replace a draft's title and text; its state stays."""
