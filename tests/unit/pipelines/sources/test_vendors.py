"""Every vendor: what is pulled from its fake is what the fake holds, row for row, whatever happens on the way."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from lacuna.data_contracts.errors import SourceUnreadable
from lacuna.pipelines.sources import api, pull, zendesk
from tests.support.vendors.help_desk import FIRST_NUMBER, HelpDesk, help_desk
from tests.support.vendors.server import Faults, serving, with_faults
from tests.support.vendors.vendor import Vendor
from tests.support.vendors.vendors import VENDORS

THREADS = 120


@pytest.fixture(params=VENDORS, ids=lambda vendor: vendor.kind)
def vendor(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Vendor:
    monkeypatch.setattr(api, "WAIT_FROM", 0.001)
    monkeypatch.setattr(zendesk, "EXPORTS_A_MINUTE", 1_000_000)
    monkeypatch.setattr(pull, "SLICE_ROWS", 100)
    of: Vendor = request.param
    for variable, secret in of.secrets.items():
        monkeypatch.setenv(variable, secret)
    return of


@pytest.fixture
def desk() -> HelpDesk:
    return help_desk(THREADS)


@contextmanager
def fake(vendor: Vendor, desk: HelpDesk, faults: Faults | None = None) -> Iterator[str]:
    with serving(with_faults(vendor.app(desk), faults or Faults())) as address:
        yield address


def assert_equal(vendor: Vendor, desk: HelpDesk, bundle: Path) -> None:
    truth, pulled = vendor.truth(desk), vendor.pulled(bundle)
    for table, rows in truth.items():
        assert pulled[table] == rows, table


def test_the_bundle_holds_what_the_vendor_holds_and_a_later_pull_brings_what_changed_alone(
    vendor: Vendor, desk: HelpDesk, tmp_path: Path
) -> None:
    bundle = tmp_path / "bundle"
    with fake(vendor, desk) as address:
        pulled = pull.pull(vendor.settings(tmp_path, address), "desk", bundle)
    assert pulled.finished
    assert pulled.rows["conversations"] == THREADS
    assert_equal(vendor, desk, bundle)
    written = b"".join(file.read_bytes() for file in bundle.rglob("*") if file.is_file())
    assert [secret for secret in vendor.secrets.values() if secret.encode() in written] == []

    for number in (FIRST_NUMBER, FIRST_NUMBER + 7, FIRST_NUMBER + THREADS - 1):
        desk.reply(number, "It still does not work.")
    faults = Faults()
    with fake(vendor, desk, faults) as address:
        pulled = pull.pull(vendor.settings(tmp_path, address), "desk", bundle)
    assert pulled.rows["conversations"] == 3
    assert_equal(vendor, desk, bundle)
    assert len(faults.requests) < THREADS

    desk.delete(FIRST_NUMBER + 5)
    with fake(vendor, desk) as address:
        pull.pull(vendor.settings(tmp_path, address), "desk", bundle, find_deleted=True)
    assert_equal(vendor, desk, bundle)


def test_faults_on_the_way_and_a_failure_change_nothing(vendor: Vendor, desk: HelpDesk, tmp_path: Path) -> None:
    """Limits, server faults, broken and missing answers in turn; then the server is gone; then it is back."""
    bundle = tmp_path / "bundle"
    kinds = ("429", "500", "truncated", "drop")
    at = {number: kinds[number // 5 % 4] for number in range(5, 80, 5)} | dict.fromkeys(range(80, 10_000), "500")
    with fake(vendor, desk, Faults(at)) as address, pytest.raises(SourceUnreadable, match="500"):
        pull.pull(vendor.settings(tmp_path, address), "desk", bundle)
    with fake(vendor, desk) as address:
        pull.pull(vendor.settings(tmp_path, address), "desk", bundle)
    assert_equal(vendor, desk, bundle)


def test_wrong_credentials_are_said_and_shown_nowhere(
    vendor: Vendor, desk: HelpDesk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable in vendor.secrets:
        monkeypatch.setenv(variable, "s3cr3t-of-mine")
    with fake(vendor, desk) as address, pytest.raises(SourceUnreadable, match="credentials") as error:
        pull.pull(vendor.settings(tmp_path, address), "desk", tmp_path / "bundle")
    assert "s3cr3t-of-mine" not in str(error.value)


def test_texts_are_redacted_at_the_door(vendor: Vendor, tmp_path: Path) -> None:
    desk = help_desk(5)
    desk.reply(FIRST_NUMBER, "Write to me at jo.miller@mail.example please")
    with fake(vendor, desk) as address:
        pull.pull(vendor.settings(tmp_path, address, redact=True), "desk", tmp_path / "bundle")
    texts = [row["text"] for row in vendor.pulled(tmp_path / "bundle")["messages"]]
    assert "Write to me at <EMAIL> please" in texts
    assert not any("mail.example" in text for text in texts)
