"""Writes the drafts of a run: one per gap that waits for a writer, in one folder per owner."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd

from lacuna.models.backlog.gap_kinds import GAP_KINDS
from lacuna.models.backlog.lifecycle import WAITING
from lacuna.models.writing.duplicates import covering
from lacuna.models.writing.house_form import learn_house_form
from lacuna.pipelines.drafts.front_matter import edited, seal
from lacuna.pipelines.drafts.names import safe_name, slug
from lacuna.pipelines.drafts.polish import Polished
from lacuna.pipelines.drafts.text import draft
from lacuna.pipelines.gaps.read import gaps_of
from lacuna.pipelines.presentation.spreadsheet import records

__all__ = ["write_drafts"]


def write_drafts(
    folder: Path,
    backlog: pd.DataFrame,
    articles: pd.DataFrame,
    run: dict[str, Any],
    before: Path | None = None,
    polished: Mapping[str, Polished] | None = None,
) -> dict[str, str]:
    """Write a draft for each content gap that waits for a writer.

    Parameters
    ----------
    folder : Path
        The run's folder; drafts go to `drafts/<owner>/<gap_id>-<slug>.md` below it, those of nobody to `unowned`.
    backlog : DataFrame
        One row per gap. Gaps of unknown kinds, and those that wait for no writer, get no draft.
    articles : DataFrame
        The bundle's articles, for titles, addresses and sections; may be empty.
    run : dict
        `run.json`, for `run_id` and the window.
    before : Path or None
        The folder of the run that this one replaces: a draft edited there stays as it is, and the new text is written
        next to it as `<name>.new.md`.
    polished : mapping or None
        Plans that an endpoint wrote out (:mod:`pipelines.drafts.polish`), by gap_id.

    Returns
    -------
    dict
        Path of the draft, relative to `folder` and with forward slashes, by gap_id.

    Raises
    ------
    OSError
        The folder can't be written.
    """
    articles_by_id = {str(row["article_id"]): row for row in records(articles) if row.get("article_id")}
    paths: dict[str, str] = {}
    gaps = list(gaps_of(backlog))
    languages = {str(row["language"] or "") for gap in gaps for row in gap.plan}
    forms = {language: learn_house_form(articles_by_id.values(), language) for language in sorted(languages)}
    for gap in gaps:
        key = gap.gap_id
        if not key or gap.kind not in GAP_KINDS or gap.status not in WAITING:
            continue
        owner = safe_name(str(gap.owner_id)) if gap.owner_id else "unowned"
        name = f"{safe_name(key)}-{slug(str(gap.title or ''))}"
        path = f"drafts/{owner}/{name.rstrip('-')}.md"
        covers, written = covering(gap, gaps, articles_by_id), (polished or {}).get(key)
        shown = replace(gap, plan=written.plan) if written else gap
        text = draft(shown, articles_by_id, run, written.note if written else "", forms, covers)
        _write(folder / path, seal(text))
        paths[key] = path
    if before is not None:
        _keep_edited(before, folder)
    return paths


def _write(target: Path, text: str) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(text, encoding="utf-8", newline="\n")


def _keep_edited(before: Path, folder: Path) -> None:
    """Keep drafts that people edited in the run that is replaced."""
    for old in sorted(before.glob("drafts/*/*.md")):
        try:
            text = old.read_text(encoding="utf-8")
        except (OSError, UnicodeError):
            text = ""
        target = folder / old.relative_to(before)
        if text and not edited(text):
            continue
        if target.exists() and not old.name.endswith(".new.md"):
            target.rename(target.with_suffix(".new.md"))
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(old.read_bytes())
