"""The templates of pages that stand alone: the report, and what fixes were worth."""

from __future__ import annotations

from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined, Template

from lacuna.pipelines.presentation.links import conversation_link

__all__ = ["template"]


@cache
def template(name: str) -> Template:
    """A template of this folder; what it is given is escaped on the way out."""
    environment = Environment(
        loader=PackageLoader("lacuna.pipelines.report", ""),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals["conversation_link"] = conversation_link
    return environment.get_template(name)
