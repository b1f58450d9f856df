"""The base of every section of the settings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from lacuna.data_contracts.errors import SettingsInvalid
from lacuna.pipelines.presentation.suggestions import similar

__all__ = ["Section", "checked_section"]


class Section(BaseModel):
    """A section: frozen, strict, and without defaults in code, so that ``settings.toml`` can't fall behind."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


Of = TypeVar("Of", bound=Section)


def checked_section(
    where: str, section: Mapping[str, Any], defaults: Mapping[str, Any], of: type[Of], explained: str
) -> Of:
    """A section whose name is the user's, checked, with its kind's defaults for what it leaves out.

    Parameters
    ----------
    where
        The section's name, for messages: ``[sources.helpdesk]``.
    section, defaults
        What the user wrote, and every key that there is.
    of
        What it is checked against.
    explained
        The remedy of a wrong value: where the keys are explained.

    Raises
    ------
    SettingsInvalid
        A key is unknown, or a value has the wrong type or is out of range.
    """
    unknown = next((key for key in section if key not in defaults), None)
    if unknown:
        close = similar(unknown, defaults)
        meant = f"did you mean '{close[0]}'? " if close else ""
        raise SettingsInvalid(f"{where}: unknown setting '{unknown}'", f"{meant}known are: {', '.join(defaults)}")
    try:
        return of.model_validate({**defaults, **section})
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"])
        problem = f"{where}: '{key}' = {first['input']!r}: {first['msg'][:1].lower()}{first['msg'][1:]}"
        raise SettingsInvalid(problem, explained) from None
