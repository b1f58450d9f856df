"""Secrets of sources: from the environment or a file, and never in a message."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from lacuna.data_contracts.errors import SettingsInvalid

__all__ = ["masked", "read_secret"]


def read_secret(source: str, key: str, variable: str) -> str:
    """The secret that an environment variable holds, or the file that ``<variable>_FILE`` names.

    Parameters
    ----------
    source, key
        The source and the setting that names the variable, for messages.
    variable
        The variable's name.

    Raises
    ------
    SettingsInvalid
        Neither is set, the file can't be read, or what is there is empty.
    """
    where = f"[sources.{source}] {key}"
    value, file = os.environ.get(variable, ""), os.environ.get(f"{variable}_FILE", "")
    if file:
        try:
            value = Path(file).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError):
            raise SettingsInvalid(f"{where}: the file that ${variable}_FILE names can't be read", file) from None
    if not value.strip():
        raise SettingsInvalid(
            f"{where}: the environment variable {variable} holds nothing",
            f"put the secret into ${variable}, or the path of a file with it into ${variable}_FILE",
        )
    return value.strip()


def masked(text: str, secrets: Iterable[str]) -> str:
    """The text with every secret in it replaced by ``…``."""
    for secret in sorted((one for one in secrets if one), key=len, reverse=True):
        text = text.replace(secret, "…")
    return text
