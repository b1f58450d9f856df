"""The kinds of targets, and a target made from its section of the settings."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping
from importlib.resources import files
from typing import Any

from lacuna.data_contracts.errors import SettingsInvalid
from lacuna.pipelines.presentation.section import checked_section
from lacuna.pipelines.push.target import Target
from lacuna.pipelines.settings import Settings
from lacuna.pipelines.sources.registry import need_extra

__all__ = ["KINDS", "make_target"]


def _zendesk() -> type[Target]:
    from lacuna.pipelines.push.help_desks import ZendeskTarget

    return ZendeskTarget


def _intercom() -> type[Target]:
    from lacuna.pipelines.push.help_desks import IntercomTarget

    return IntercomTarget


def _crisp() -> type[Target]:
    from lacuna.pipelines.push.help_desks import CrispTarget

    return CrispTarget


def _github() -> type[Target]:
    from lacuna.pipelines.push.files import GithubTarget

    return GithubTarget


def _folder() -> type[Target]:
    from lacuna.pipelines.push.files import FolderTarget

    return FolderTarget


# What imports the class of each kind; its defaults are in the file of the same name that ends with .toml.
KINDS: Mapping[str, Callable[[], type[Target]]] = {
    "zendesk": _zendesk,
    "intercom": _intercom,
    "crisp": _crisp,
    "github": _github,
    "folder": _folder,
}


def make_target(settings: Settings, name: str) -> Target:
    """Make the target that ``[push.<name>]`` describes.

    Raises
    ------
    SettingsInvalid
        There is no such section, its type is unknown, or a key of it is unknown, of the wrong type or out of range.
    """
    where = f"[push.{name}]"
    if name not in settings.push:
        there = ", ".join(settings.push) or f"none yet. Write {where} with a type, one of {', '.join(KINDS)}"
        raise SettingsInvalid(f"there is no target '{name}' in the settings", f"[push.…] there are: {there}")
    need_extra()
    section = settings.push[name]
    kind = str(section.get("type", name))
    if kind not in KINDS:
        raise SettingsInvalid(f"{where} has the type '{kind}', which is none", f"one of: {', '.join(KINDS)}")
    defaults: dict[str, Any] = {"type": kind, **tomllib.loads(default_lines(kind))}
    of_kind, explained = KINDS[kind](), f"set it; the section's keys and defaults are:\n{default_lines(kind)}"
    checked = checked_section(where, section, defaults, of_kind.Settings, explained)
    return of_kind(name, checked)


def default_lines(kind: str) -> str:
    """A kind's settings with their defaults and comments, as TOML."""
    return files("lacuna.pipelines.push").joinpath(f"{kind}.toml").read_text(encoding="utf-8")
