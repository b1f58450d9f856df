"""The kinds of sources, and a source made from its section of the settings."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, time
from importlib.resources import files
from importlib.util import find_spec
from typing import Any

from lacuna.data_contracts.errors import SettingsInvalid
from lacuna.pipelines.presentation.section import checked_section
from lacuna.pipelines.presentation.suggestions import similar
from lacuna.pipelines.settings import Settings
from lacuna.pipelines.sources.source import Source

__all__ = ["KINDS", "default_lines", "make_source", "need_extra"]


def _zendesk() -> type[Source]:
    from lacuna.pipelines.sources.zendesk import Zendesk

    return Zendesk


def _intercom() -> type[Source]:
    from lacuna.pipelines.sources.intercom import Intercom

    return Intercom


def _freshdesk() -> type[Source]:
    from lacuna.pipelines.sources.freshdesk import Freshdesk

    return Freshdesk


def _chatwoot() -> type[Source]:
    from lacuna.pipelines.sources.chatwoot import Chatwoot

    return Chatwoot


def _crisp() -> type[Source]:
    from lacuna.pipelines.sources.crisp import Crisp

    return Crisp


def _sql() -> type[Source]:
    from lacuna.pipelines.sources.sql import SqlSource

    return SqlSource


def _files() -> type[Source]:
    from lacuna.pipelines.sources.files import Files

    return Files


def _articles() -> type[Source]:
    from lacuna.pipelines.sources.articles import Articles

    return Articles


# What imports the class of each kind; its defaults are in the file of the same name that ends with .toml.
KINDS: Mapping[str, Callable[[], type[Source]]] = {
    "zendesk": _zendesk,
    "intercom": _intercom,
    "freshdesk": _freshdesk,
    "chatwoot": _chatwoot,
    "crisp": _crisp,
    "sql": _sql,
    "files": _files,
    "articles": _articles,
}
NAME = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")  # files, and folders of dlt, are named after it


def make_source(settings: Settings, name: str, since: date | None = None) -> Source:
    """Make the source that ``[sources.<name>]`` describes.

    Raises
    ------
    SettingsInvalid
        There is no such section, its type is unknown, or a key of it is unknown, of the wrong type or out of range.
    """
    if name not in settings.sources:
        there = ", ".join(settings.sources) or "none yet; `lacuna init` writes one"
        raise SettingsInvalid(f"there is no source '{name}' in the settings", f"[sources.…] there are: {there}")
    if not NAME.fullmatch(name):
        raise SettingsInvalid(f"'{name}' can't be a source's name", "use a-z, 0-9 and single _, such as help_desk")
    where, section = f"[sources.{name}]", settings.sources[name]
    kind = str(section.get("type"))
    if kind not in KINDS:
        close = similar(kind, KINDS)
        meant = f"; did you mean '{close[0]}'?" if close else ""
        raise SettingsInvalid(f"{where} has the type '{kind}', which is none{meant}", f"one of: {', '.join(KINDS)}")
    need_extra()
    of_kind, explained = KINDS[kind](), f"`lacuna init --type {kind}` writes a section with every key explained"
    checked = checked_section(where, section, _defaults(kind), of_kind.Settings, explained)
    source = of_kind(name, checked, datetime.combine(since, time(), UTC) if since else None)
    source.expanded = settings.input.expanded_bytes
    return source


def default_lines(kind: str) -> str:
    """A kind's settings with their defaults and comments, as TOML."""
    folder = files("lacuna.pipelines.sources")
    own = folder.joinpath(f"{kind}.toml").read_text(encoding="utf-8")
    shared = folder.joinpath("settings.toml").read_text(encoding="utf-8")
    return f'type = "{kind}"\n{own}{shared}'


def need_extra() -> None:
    """Check that the extra ``sources`` is installed.

    Raises
    ------
    SettingsInvalid
        It is not.
    """
    if find_spec("dlt") is None:
        raise SettingsInvalid(
            "pulling needs the package dlt, which is not installed", "pip install 'lacuna-kb[sources]'"
        )


def _defaults(kind: str) -> dict[str, Any]:
    return tomllib.loads(default_lines(kind))
