"""Drafts for the writers: what stands in them, where they lie in a run, and copies that people work on."""

from pipelines.drafts.names import safe_name, slug
from pipelines.drafts.text import draft
from pipelines.drafts.write import write_drafts

__all__ = ["draft", "safe_name", "slug", "write_drafts"]
