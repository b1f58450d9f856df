"""What the documents say is complete: a figure that is published is explained."""

from __future__ import annotations

import re
from pathlib import Path

import pandas as pd
import pytest

from lacuna.models.accuracy.kpis import COLUMNS, SEGMENTS
from lacuna.pipelines.run import run
from lacuna.pipelines.steps.load.step import check_bundle
from tests.house.reference import PAGES
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
    """The README leads to the index, the index to every document, and the files that documents link to are there."""
    assert "(docs/README.md)" in (REPO / "README.md").read_text(encoding="utf-8")
    index = (REPO / "docs" / "README.md").read_text(encoding="utf-8")
    documents = sorted((REPO / "docs").rglob("*.md"))
    assert [
        d.name for d in documents if f"({d.relative_to(REPO / 'docs')})" not in index and d.name != "README.md"
    ] == []
    for page in [REPO / "README.md", REPO / "CONTRIBUTING.md", *documents]:
        for link in re.findall(r"\]\(([^)#]+)\)", page.read_text(encoding="utf-8")):
            if "://" not in link:
                assert (page.parent / link).exists(), f"{page.name} links to {link}"


@pytest.mark.parametrize("name", PAGES)
def test_a_page_that_is_written_from_the_code_is_what_the_code_says(name: str) -> None:
    """`make docs` would change nothing."""
    assert (REPO / "docs" / name).read_text(encoding="utf-8") == PAGES[name](), "run `make docs`"


def test_the_example_bundle_keeps_the_contract_and_holds_a_gap(tmp_path: Path) -> None:
    """What the documents say of the example is so: nothing is wrong with it, and one article is missing."""
    example = REPO / "docs" / "example-bundle"
    assert check_bundle(str(example)).ok
    backlog = run(str(example), tmp_path / "store").backlog
    assert backlog["kind"].tolist() == ["missing"]
    page = (example / "README.md").read_text(encoding="utf-8")
    for file in sorted(example.glob("*.csv")):
        assert f"| `{file.name}` | {len(pd.read_csv(file))} |" in page
