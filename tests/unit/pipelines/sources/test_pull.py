"""What is pulled is kept once: whatever comes twice, late, out of order, or is killed in between."""

from __future__ import annotations

import multiprocessing
import random
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lacuna.data_contracts.errors import SettingsInvalid, SourceUnreadable, StoreUnusable
from lacuna.pipelines.io.addresses import StorePath
from lacuna.pipelines.io.store import read_parquet
from lacuna.pipelines.settings import load_settings
from lacuna.pipelines.sources import api, pull
from lacuna.pipelines.sources.pull import pull_source
from lacuna.pipelines.sources.registry import make_source
from lacuna.pipelines.sources.source import Batch, Conversation, Source, SourceSettings, Stream
from lacuna.pipelines.state.leases import lease
from tests.support.databases import settings_for
from tests.support.object_stores import remote, s3, signed_in  # noqa: F401
from tests.support.servers import serving
from tests.support.vendors.help_desk import FIRST_NUMBER, help_desk
from tests.support.vendors.killed_pull import pull_in_small_slices
from tests.support.vendors.server import Faults, with_faults
from tests.support.vendors.vendor import read_rows
from tests.support.vendors.vendors import INTERCOM

NEW_YEAR = datetime(2024, 1, 1, tzinfo=UTC)
DEFAULTS = load_settings()


class Listed(Source):
    """A source that gives the batches of a list."""

    def __init__(self, batches: Sequence[Batch], redact: bool = False, ids: Sequence[str] | None = None) -> None:
        super().__init__("desk", SourceSettings(type="listed", redact=redact, id_prefix=""))
        self.batches, self.ids = batches, ids

    def streams(self) -> Sequence[Stream]:
        """One stream."""
        return [Stream("conversations", ("conversations", "messages", "outcomes"), self.read)]

    def read(self, cursor: Any) -> Iterator[Batch]:
        """The batches that an earlier pull has not read."""
        for place, batch in enumerate(self.batches[cursor or 0 :], start=(cursor or 0) + 1):
            yield Batch(batch.conversations, batch.rows, batch.gone, place)

    def listed_ids(self) -> Iterator[str] | None:
        """The ids that it was made with."""
        return None if self.ids is None else iter(self.ids)


def conversation(key: str, version: int = 0, texts: Sequence[str] = ("hello",), day: int = 0) -> Conversation:
    row = {
        "conversation_id": key,
        "started_at": NEW_YEAR + timedelta(days=day),
        "updated_at": NEW_YEAR + timedelta(days=day, hours=version),
        "escalated": True,
    }
    return Conversation(row, [{"role": "customer", "text": text} for text in texts], [{"outcome": "wrong"}])


def texts_in(bundle: Path) -> dict[str, list[str]]:
    rows = read_rows(bundle, "messages", ["conversation_id", "position", "text"])
    texts: dict[str, list[str]] = {}
    for row in sorted(rows, key=lambda row: (row["conversation_id"], row["position"])):
        texts.setdefault(row["conversation_id"], []).append(row["text"])
    return texts


def test_a_later_version_replaces_the_whole_conversation(tmp_path: Path) -> None:
    first = Batch([conversation("a", 1, ["one", "two", "three"]), conversation("b")])
    pull_source(DEFAULTS, Listed([first]), tmp_path)
    pull_source(DEFAULTS, Listed([first, Batch([conversation("a", 2, ["one"])])]), tmp_path)
    assert texts_in(tmp_path) == {"a": ["one"], "b": ["hello"]}
    assert len(read_rows(tmp_path, "outcomes", ["conversation_id"])) == 2


def test_an_earlier_version_that_comes_late_changes_nothing(tmp_path: Path) -> None:
    batches = [Batch([conversation("a", 5, ["new"])]), Batch([conversation("a", 3, ["old", "old"])])]
    pull_source(DEFAULTS, Listed(batches[:1]), tmp_path)
    pull_source(DEFAULTS, Listed(batches), tmp_path)
    assert texts_in(tmp_path) == {"a": ["new"]}


def test_a_conversation_that_moves_to_another_month_is_there_once(tmp_path: Path) -> None:
    batches = [Batch([conversation("a", 0, ["old"], day=0)]), Batch([conversation("a", 0, ["new"], day=40)])]
    pull_source(DEFAULTS, Listed(batches[:1]), tmp_path)
    pull_source(DEFAULTS, Listed(batches), tmp_path)
    assert texts_in(tmp_path) == {"a": ["new"]}
    assert [file.name for file in (tmp_path / "conversations").iterdir()] == ["desk-2024-02.parquet"]


def test_deleted_conversations_disappear(tmp_path: Path) -> None:
    batches = [Batch([conversation("a"), conversation("b"), conversation("c")]), Batch(gone=["b"])]
    pull_source(DEFAULTS, Listed(batches), tmp_path)
    assert sorted(texts_in(tmp_path)) == ["a", "c"]
    pull_source(DEFAULTS, Listed(batches, ids=["a"]), tmp_path, find_deleted=True)
    assert sorted(texts_in(tmp_path)) == ["a"]
    with pytest.raises(SourceUnreadable, match="lists no conversation at all, and the bundle has 1"):
        pull_source(DEFAULTS, Listed(batches, ids=[]), tmp_path, find_deleted=True)
    assert sorted(texts_in(tmp_path)) == ["a"]


@given(
    st.lists(st.lists(st.tuples(st.sampled_from("abcde"), st.integers(0, 5)), max_size=4), max_size=5),
    st.integers(1, 3),
)
@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_in_whatever_order_versions_come_the_newest_stands(
    tmp_path_factory: pytest.TempPathFactory, pages: list[list[tuple[str, int]]], pulls: int
) -> None:
    folder = tmp_path_factory.mktemp("bundle")
    batches = [Batch([conversation(key, version, [f"{version}"]) for key, version in page]) for page in pages]
    for until in range(1, pulls + 1):
        pull_source(DEFAULTS, Listed(batches[: len(batches) * until // pulls]), folder)
    newest: dict[str, int] = {}
    for key, version in (pair for page in pages for pair in page):
        newest[key] = max(version, newest.get(key, 0))
    assert texts_in(folder) == {key: [f"{version}"] for key, version in newest.items()}


def test_texts_are_redacted_with_what_their_own_conversation_shows(tmp_path: Path) -> None:
    one = conversation("a", 0, ["my parcel is late", "Hi Teunisje, we look into it", "and? teunisje"])
    pull_source(DEFAULTS, Listed([Batch([one, conversation("b", 0, ["who is teunisje"])])], redact=True), tmp_path)
    shown = texts_in(tmp_path)
    assert shown["a"] == ["my parcel is late", "Hi <NAME>, we look into it", "and? <NAME>"]
    assert shown["b"] == ["who is teunisje"]


def test_a_value_of_another_type_names_table_column_and_value(tmp_path: Path) -> None:
    broken = conversation("a")
    broken.row["csat"] = "five"
    with pytest.raises(SourceUnreadable, match=r"conversations.csat of 'a' is 'five', which is no double"):
        pull_source(DEFAULTS, Listed([Batch([conversation("b")]), Batch([broken])]), tmp_path)


def test_a_record_that_lacks_a_field_is_the_sources_fault(tmp_path: Path) -> None:
    source = Listed([])
    source.read = lambda _: iter([Batch([Conversation({"conversation_id": "a"}, [])]), {}["created_at"]])  # type: ignore[method-assign]
    with pytest.raises(SourceUnreadable, match="desk: a record of conversations is not as it is documented: KeyError"):
        pull_source(DEFAULTS, source, tmp_path)


def test_two_pulls_of_one_source_are_not_at_work_at_once(tmp_path: Path) -> None:
    with lease(DEFAULTS, tmp_path / "_pull", "pull-desk"), pytest.raises(StoreUnusable, match="holds 'pull-desk'"):
        pull_source(DEFAULTS, Listed([]), tmp_path)


def test_a_file_in_the_way_is_named(tmp_path: Path) -> None:
    (tmp_path / "messages.jsonl").write_text("")
    with pytest.raises(SettingsInvalid, match=r"messages.jsonl is in the way.*(?s:.*)messages/messages.jsonl"):
        pull_source(DEFAULTS, Listed([]), tmp_path)
    assert not (tmp_path / "_pull").exists()


def test_a_bundle_on_an_object_store(remote: StorePath, tmp_path: Path) -> None:  # noqa: F811
    """State in a database elsewhere; what is pulled twice is there once."""
    of = settings_for(f"sqlite:///{tmp_path / 'state.db'}")
    bundle = remote / "bundle"
    batches = [Batch([conversation("a"), conversation("b")]), Batch([conversation("b", 3, ["new"])], gone=["a"])]
    pull_source(of, Listed(batches[:1]), bundle)
    pull_source(of, Listed(batches), bundle)
    rows = read_parquet([*(bundle / "messages").glob("*.parquet")])
    assert rows[["conversation_id", "text"]].to_numpy().tolist() == [["b", "new"]]


def test_a_slice_ends_only_where_the_next_one_begins_elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Batches that leave the cursor where it was belong to one slice, however small slices are."""
    monkeypatch.setattr(pull, "SLICE_ROWS", 1)
    source = Listed([])
    pages = [Batch([conversation("a")]), Batch([conversation("b")]), Batch([conversation("c")], cursor="end")]
    source.read = lambda cursor: iter([] if cursor == "end" else pages)  # type: ignore[method-assign]
    assert pull_source(DEFAULTS, source, tmp_path).rows["conversations"] == 3


@pytest.mark.parametrize(
    ("section", "says"),
    [
        ('type = "zendisk"', "did you mean 'zendesk'"),
        ('type = "intercom"\ntoken = "x"', "unknown setting 'token'(?s:.*)did you mean 'token_env'"),
        ('type = "intercom"\nparallel = 0', "'parallel' = 0: input should be greater than or equal to 1"),
        ('type = "intercom"', "the environment variable INTERCOM_TOKEN holds nothing"),
    ],
)
def test_wrong_settings_say_what_to_do(section: str, says: str, tmp_path: Path) -> None:
    file = tmp_path / "ours.toml"
    file.write_text(f"[sources.desk]\n{section}\n")
    with pytest.raises(SettingsInvalid, match=says):
        make_source(load_settings(str(file)), "desk")


def test_a_source_that_is_not_configured_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsInvalid, match=r"there is no source 'desk' in the settings(?s:.*)lacuna init"):
        make_source(DEFAULTS, "desk")


@pytest.mark.slow
def test_a_pull_that_is_killed_anywhere_loses_and_doubles_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Kill −9 at six times, each a little further on; then one whole pull."""
    for variable, secret in INTERCOM.secrets.items():
        monkeypatch.setenv(variable, secret)
    desk, faults, draw = help_desk(120), Faults(), random.Random(5)
    bundle = tmp_path / "bundle"
    started = multiprocessing.get_context("forkserver")
    started.set_forkserver_preload(["tests.support.vendors.killed_pull"])
    with serving(with_faults(INTERCOM.app(desk), faults)) as address:
        of = INTERCOM.settings(tmp_path, address, article_statistics=False)
        for _ in range(6):
            asked = len(faults.requests) + draw.randrange(5, 60)
            process = started.Process(target=pull_in_small_slices, args=(str(tmp_path / "lacuna.toml"), str(bundle)))
            process.start()
            while len(faults.requests) < asked and process.is_alive():
                time.sleep(0.005)
            process.kill()
            process.join()
        monkeypatch.setattr(api, "WAIT_FROM", 0.001)
        desk.reply(FIRST_NUMBER + 3, "One more thing.")
        pull.pull(of, "desk", bundle)
    assert INTERCOM.pulled(bundle)["messages"] == INTERCOM.truth(desk)["messages"]
    assert INTERCOM.pulled(bundle)["conversations"] == INTERCOM.truth(desk)["conversations"]
