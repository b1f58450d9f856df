"""The base of every section of the settings."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

__all__ = ["Section"]


class Section(BaseModel):
    """A section: frozen, strict, and without defaults in code, so that ``settings.toml`` can't fall behind."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)
