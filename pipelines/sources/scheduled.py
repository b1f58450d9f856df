"""What the daily DAG does: which sources there are, and a pull of one."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from lacuna.data_contracts.errors import SettingsInvalid
from lacuna.pipelines.presentation import progress
from lacuna.pipelines.settings import load_settings
from lacuna.pipelines.sources.pull import pull

__all__ = ["pull_scheduled", "sources_to_pull"]

_SUNDAY = 6


def sources_to_pull(params: Mapping[str, Any]) -> list[str]:
    """The names of the sources that a run of the DAG pulls.

    Raises
    ------
    SettingsInvalid
        The settings have no source, or not one that the parameter ``sources`` names.
    """
    there = load_settings(params.get("config")).sources
    names = list(params.get("sources") or there)
    unknown = [name for name in names if name not in there]
    if unknown or not names:
        problem = f"there is no source '{unknown[0]}'" if unknown else "there is no source"
        known = ", ".join(there) or "none; `lacuna init` writes one"
        raise SettingsInvalid(f"{problem} in the settings {params.get('config')}", f"[sources.…] there are: {known}")
    return names


def pull_scheduled(params: Mapping[str, Any], source: str) -> dict[str, Any]:
    """Pull one source; gives its name, the rows by table, and whether it has nothing more for now."""
    progress.configure()
    listed = params.get("find_deleted", "never")
    find_deleted = listed == "always" or (listed == "sundays" and datetime.now(UTC).weekday() == _SUNDAY)
    settings = load_settings(params.get("config"))
    pulled = pull(settings, source, params["bundle"], minutes=params.get("minutes"), find_deleted=find_deleted)
    return {"source": source, "rows": pulled.rows, "finished": pulled.finished}
