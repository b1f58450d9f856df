"""A gap's draft, read from the run and rendered as safe HTML."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

from markdown_it import MarkdownIt
from markupsafe import Markup

from lacuna.pipelines.board.context import BoardContext
from lacuna.pipelines.board.snapshot import GapNow
from lacuna.pipelines.presentation.format import text

__all__ = ["chapters", "file_name", "read", "rendered", "text_of"]

# No HTML from the text itself, and links to web pages only: the draft quotes what strangers wrote.
_MARKDOWN = MarkdownIt("commonmark", {"html": False})


def text_of(board: BoardContext, gap: GapNow) -> str | None:
    """The draft's Markdown, or None if there is none."""
    path = _path(board, gap)
    try:
        return path.read_text(encoding="utf-8") if path else None
    except (OSError, UnicodeDecodeError):
        return None


def read(board: BoardContext, gap: GapNow) -> Markup | None:
    """The draft as HTML, without its front matter."""
    source = text_of(board, gap)
    if source is None:
        return None
    return rendered(_body(source), 2)  # the page has its own headings above these


def _body(source: str) -> str:
    """A draft without its front matter."""
    return source[4:].partition("\n---\n")[2] if source.startswith("---\n") else source


def rendered(source: str, deeper: int) -> Markup:
    """Markdown as safe HTML; headings become ``deeper`` levels lower."""
    tokens = _MARKDOWN.parse(source)
    for token in tokens:
        if token.type in ("heading_open", "heading_close"):
            token.tag = f"h{min(6, int(token.tag[1]) + deeper)}"
    return Markup(_MARKDOWN.renderer.render(tokens, _MARKDOWN.options, {}))  # the renderer escapes all text


def chapters(board: BoardContext, gap: GapNow) -> list[str]:
    """The headings of a draft's chapters: what a writer would find in it."""
    pairs = pairwise(_MARKDOWN.parse(_body(text_of(board, gap) or "")))
    return [text(after.content) for token, after in pairs if token.type == "heading_open" and token.tag == "h2"]


def file_name(gap: GapNow) -> str:
    """The file name of a downloaded draft: ASCII letters, digits, dashes, dots and underscores only."""
    name = Path(text(gap.record.draft)).name
    return "".join(c for c in name if c.isascii() and (c.isalnum() or c in "-_.")) or "draft.md"


def _path(board: BoardContext, gap: GapNow) -> Path | None:
    run, draft_path = board.snapshot.now().run, text(gap.record.draft)
    if run is None or not draft_path:
        return None
    folder = (run.folder / "drafts").resolve()
    path = (run.folder / draft_path).resolve()
    return path if path.is_relative_to(folder) else None
