"""What the documents say is complete: a figure that is published is explained."""

from __future__ import annotations

import re

from lacuna.models.accuracy.kpis import COLUMNS, SEGMENTS
from tests.support.paths import REPO

KPIS = (REPO / "docs" / "kpis.md").read_text(encoding="utf-8")


def test_every_column_of_the_kpis_is_explained() -> None:
    """Each column of kpis.parquet has its entry in docs/kpis.md."""
    named = set(re.findall(r"`([a-z_]+)`", KPIS))
    assert [column for column in COLUMNS if column not in named] == []


def test_every_segment_of_the_kpis_is_explained() -> None:
    """Each way in which KPIs are cut is in docs/kpis.md."""
    assert [segment for segment in SEGMENTS if f"`{segment}:…`" not in KPIS] == []


def test_the_readme_leads_to_every_document_and_no_link_is_dead() -> None:
    """Documents are linked from the README, and the files that documents link to are there."""
    readme = (REPO / "README.md").read_text(encoding="utf-8")
    documents = sorted((REPO / "docs").glob("*.md"))
    assert [d.name for d in documents if f"docs/{d.name}" not in readme] == []
    for page in [REPO / "README.md", *documents]:
        for link in re.findall(r"\]\(([^)#]+)\)", page.read_text(encoding="utf-8")):
            if "://" not in link:
                assert (page.parent / link).exists(), f"{page.name} links to {link}"
