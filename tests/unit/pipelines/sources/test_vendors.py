"""Every vendor: what is pulled from its fake is what the fake holds, row for row, whatever happens on the way."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from lacuna.data_contracts.errors import SourceUnreadable
from lacuna.pipelines.sources import api, pull, zendesk
from tests.support.servers import serving
from tests.support.vendors.help_desk import FIRST_NUMBER, HelpDesk, help_desk
from tests.support.vendors.intercom import intercom
from tests.support.vendors.server import Faults, with_faults
from tests.support.vendors.vendor import Vendor, one_space, whole_seconds
from tests.support.vendors.vendors import INTERCOM, VENDORS, ZENDESK
from tests.support.vendors.zendesk import zendesk as zendesk_fake

pytestmark = pytest.mark.slow

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


def test_ids_bear_the_prefix_of_the_settings_in_every_table_and_when_a_conversation_is_deleted(
    vendor: Vendor, tmp_path: Path
) -> None:
    desk, bundle = help_desk(12), tmp_path / "bundle"
    for place in (0, 3):
        desk.threads[place].outcomes = [{"outcome": "wrong"}]

    def prefixed() -> dict[str, list[dict[str, object]]]:
        return {
            table: [{**row, "conversation_id": f"a-{row['conversation_id']}"} for row in rows]
            for table, rows in vendor.truth(desk).items()
            if "conversation_id" in vendor.carried[table]
        }

    with fake(vendor, desk) as address:
        settings = vendor.settings(tmp_path, address, id_prefix="a-")
        pull.pull(settings, "desk", bundle)
        pulled = vendor.pulled(bundle)
        assert {table: pulled[table] for table in prefixed()} == prefixed()
        assert len(pulled["outcomes"]) >= 2
        desk.delete(FIRST_NUMBER + 3)
        pull.pull(settings, "desk", bundle, find_deleted=True)
    pulled = vendor.pulled(bundle)
    assert {table: pulled[table] for table in prefixed()} == prefixed()


@pytest.mark.parametrize("vendor", [ZENDESK], indirect=True, ids=["zendesk"])
def test_chats_of_zendesk_give_the_messages_that_comments_give(vendor: Vendor, tmp_path: Path) -> None:
    desk, bundle = help_desk(20), tmp_path / "bundle"
    with serving(zendesk_fake(desk, chats=True)) as address:
        pull.pull(vendor.settings(tmp_path, address), "desk", bundle)
    columns = ("conversation_id", "position", "role", "text", "sent_at")
    chats = [
        {**row, "text": one_space(row["text"]), "sent_at": whole_seconds(row["sent_at"])}
        for row in vendor.pulled(bundle)["messages"]
    ]
    of_chats, of_comments = (
        [tuple(row[name] for name in columns) for row in rows] for rows in (chats, vendor.truth(desk)["messages"])
    )
    assert of_chats == of_comments


@pytest.mark.parametrize("vendor", [ZENDESK], indirect=True, ids=["zendesk"])
def test_a_cursor_that_zendesk_no_longer_knows_is_replaced_by_a_time(vendor: Vendor, tmp_path: Path) -> None:
    desk, bundle = help_desk(20), tmp_path / "bundle"
    for _ in range(2):  # each fake knows the cursors that it gave itself, and no others
        with serving(zendesk_fake(desk, cursors_are_known=False)) as address:
            pull.pull(vendor.settings(tmp_path, address), "desk", bundle)
        assert_equal(vendor, desk, bundle)
        desk.reply(FIRST_NUMBER + 2, "It still does not work.")


@pytest.mark.parametrize("vendor", [INTERCOM], indirect=True, ids=["intercom"])
def test_a_page_of_intercom_whose_cursor_has_expired_is_read_from_the_start_of_its_window(
    vendor: Vendor, tmp_path: Path
) -> None:
    desk, bundle = help_desk(120), tmp_path / "bundle"  # two pages: the second is refused once
    with serving(intercom(desk, page_cursors_expire=True)) as address:
        pull.pull(vendor.settings(tmp_path, address), "desk", bundle)
    assert_equal(vendor, desk, bundle)
