"""What the report says of a vendor's metric: the claim, the estimate, what it rests on, or that nobody can tell."""

from __future__ import annotations

from dataclasses import replace

from lacuna.models.accuracy.vendor_audit import vendor_audit
from lacuna.pipelines.report.render import render_report
from lacuna.pipelines.report.vendor_audit import audits
from tests.support.sample_run import sample_run
from tests.worlds.vendor_worlds import WORLDS, facts_of

FLATTERS = WORLDS["it flatters: silence counts as resolved"]


def test_the_claim_stands_beside_the_estimate() -> None:
    """One sentence has both, the difference and its interval, and says which way the metric is wrong."""
    facts, truth = facts_of(FLATTERS, 200, seed=0, escalated_tags=50)
    entry = next(each for each in audits(vendor_audit(facts, {})) if each["metric"] == "vendor_score")
    assert entry["claimed"] == "65\u202f%"
    assert abs(float(entry["estimate"].split("\u202f")[0]) / 100 - truth) < 0.07
    assert "too high by 1" in entry["sentence"]
    assert "200 random tags" in entry["basis"]
    assert "50 other tags left out" in entry["basis"]


def test_without_random_tags_the_report_does_not_guess() -> None:
    """No estimate stands anywhere, and it says how many tags are missing."""
    facts, _ = facts_of(FLATTERS, 0, seed=0, escalated_tags=300)
    table = vendor_audit(facts, {})
    entries = audits(table)
    assert {entry["estimate"] for entry in entries} == {""}
    assert all("nobody can tell yet" in entry["sentence"] for entry in entries)
    assert all("20 more random tags for an estimate" in entry["basis"] for entry in entries)
    page = render_report(replace(sample_run(), vendor_audit=table))
    assert 'id="audit"' in page
    assert "can&#39;t tell yet" in page
