"""Drafts for the writers: what stands in them, where they lie in a run, and copies that people work on."""

from lacuna.pipelines.drafts.names import safe_name, slug
from lacuna.pipelines.drafts.text import draft
from lacuna.pipelines.drafts.write import write_drafts

__all__ = ["draft", "safe_name", "slug", "write_drafts"]
