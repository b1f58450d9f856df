"""Drafts for writers: their text, their files in a run, and working copies."""

from lacuna.pipelines.drafts.names import safe_name, slug
from lacuna.pipelines.drafts.text import draft
from lacuna.pipelines.drafts.write import write_drafts

__all__ = ["draft", "safe_name", "slug", "write_drafts"]
