"""Runs on an object store: there whole or not at all, for every reader, also while they are replaced."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from lacuna.data_contracts.errors import LacunaError, StoreUnusable
from lacuna.pipelines.io import publishing as under_test
from lacuna.pipelines.io import run_folders
from lacuna.pipelines.io.addresses import StorePath, store_path
from lacuna.pipelines.io.publishing import clean_leftovers, publishing
from lacuna.pipelines.io.run_folders import (
    find_run,
    latest_stamp,
    published_runs,
    run_folder,
    run_place,
    whole_run,
)
from lacuna.pipelines.io.store import (
    add_bytes,
    check_writable,
    files_in,
    local_copies,
    read_parquet,
    remove_folder,
    write_bytes,
    write_parquet,
)

RUN = "2024-06-30"


def publish(store: StorePath, said: str, run_id: str = RUN, *more: str) -> None:
    with publishing(store, run_id) as folder:
        (folder / "run.json").write_text(json.dumps({"said": said}))
        (folder / "drafts/o-1").mkdir(parents=True)
        for name in ("backlog.jsonl", "drafts/o-1/g-1.md", *more):
            (folder / name).write_text(said)


def said(folder: Path) -> set[str]:
    """What the files of a run say: more than one thing where they are of several runs."""
    return {json.loads((folder / "run.json").read_text())["said"], (folder / "backlog.jsonl").read_text()}


def test_a_frame_comes_back_from_an_object_store(remote: StorePath) -> None:
    """Written in one put, read whole or by column, of one file or several; the bytes are those of a local file."""
    frame = pd.DataFrame({"n": [1, 2], "text": pd.Series(["a", None], dtype="str"), "list": [["x"], []]})
    write_parquet(remote / "a/t.parquet", frame)
    write_parquet(remote / "a/u.parquet", frame)
    files = files_in(remote / "a", "*.parquet")
    assert [file.name for file in files] == ["t.parquet", "u.parquet"]
    pd.testing.assert_frame_equal(read_parquet(remote / "a/t.parquet"), frame)
    assert read_parquet(files, ["n"])["n"].tolist() == [1, 2, 1, 2]
    with local_copies(files) as copies:
        write_parquet(copies[0].with_name("here.parquet"), frame)
        assert copies[1].read_bytes() == copies[0].with_name("here.parquet").read_bytes()
    assert not copies[0].exists()
    remove_folder(remote / "a")
    remove_folder(remote / "a")
    assert files_in(remote / "a", "*") == []


def test_of_two_that_add_a_file_the_first_succeeds(remote: StorePath, tmp_path: Path) -> None:
    """The second is told, and the first one's content stays; here and on an object store."""
    for folder in (remote, tmp_path):
        assert add_bytes(folder / "a/1", b"one")
        assert not add_bytes(folder / "a/1", b"two")
        assert (folder / "a/1").read_bytes() == b"one"
        assert [file.name for file in files_in(folder / "a", "*")] == ["1"]


def test_a_run_is_published_and_replaced_whole(remote: StorePath) -> None:
    """Every reader sees the new run from the moment at which its manifest is there, and nothing of the old one."""
    check_writable(remote)
    assert published_runs(remote) == []
    assert latest_stamp(remote) is run_folder(remote, RUN) is run_place(remote, RUN) is None
    publish(remote, "one", RUN, "only-in-one.txt")
    stamp = latest_stamp(remote)
    folder = find_run(remote)
    assert (said(folder), folder.name, published_runs(remote)) == ({"one"}, RUN, [RUN])
    assert (folder / "drafts/o-1/g-1.md").read_text() == "one"
    publish(remote, "two")
    assert said(find_run(remote)) == {"two"}
    assert not (find_run(remote) / "only-in-one.txt").exists()
    assert latest_stamp(remote) != stamp
    place = run_place(remote, RUN)
    assert place is not None
    assert (place / "backlog.jsonl").read_text() == "two"
    assert sorted(path.name for path in (remote / "runs" / RUN).iterdir()) == sorted([place.name, "manifest.json"])
    assert said(folder) == {"one"}  # who reads the old one may end


def test_a_run_that_is_half_uploaded_is_not_there(remote: StorePath, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever interrupts the upload, readers see the run before, and the next run cleans up."""
    publish(remote, "one")
    whole = under_test.write_bytes
    seen: list[Any] = []

    def cut(path: StorePath, content: bytes) -> None:
        if path.name in ("run.json", "manifest.json"):
            seen.append(said(find_run(remote)))
            raise KeyboardInterrupt
        whole(path, content)

    for left_behind in (False, True):
        monkeypatch.setattr(under_test, "write_bytes", cut)
        if left_behind:  # as after kill -9
            monkeypatch.setattr(under_test, "remove_folder", lambda folder: None)
        with pytest.raises(KeyboardInterrupt):
            publish(remote, "two")
        monkeypatch.undo()
        monkeypatch.setenv("XDG_CACHE_HOME", str(run_folders.user_cache().parent))
        assert said(find_run(remote)) == {"one"}
        assert len([*(remote / "runs" / RUN).iterdir()]) == 2 + left_behind
    clean_leftovers(remote, RUN)
    assert len([*(remote / "runs" / RUN).iterdir()]) == 2
    assert (seen, said(find_run(remote))) == ([{"one"}, {"one"}], {"one"})


def test_a_first_run_that_is_half_uploaded_is_no_run(remote: StorePath) -> None:
    """Without a manifest there is no run, for any reader."""
    write_bytes(remote / "runs" / RUN / "0123456789ab" / "run.json", b"{}")
    assert published_runs(remote) == []
    with pytest.raises(StoreUnusable, match="no run in"):
        find_run(remote)
    clean_leftovers(remote, RUN)
    assert not (remote / "runs" / RUN).exists()


@contextmanager
def refused() -> Iterator[None]:
    raise StoreUnusable("another worker has taken it over")
    yield


def test_who_lost_the_run_publishes_nothing(remote: StorePath, tmp_path: Path) -> None:
    """The lease is asked for at the last moment, here and on an object store; what was built vanishes."""
    for store in (remote, tmp_path / "store"):
        publish(store, "one")
        with pytest.raises(StoreUnusable, match="taken it over"), publishing(store, RUN, refused) as folder:
            (folder / "run.json").write_text('{"said": "two"}')
        assert said(find_run(store)) == {"one"}
        assert len([*(store / "runs").iterdir()]) == 1
    assert len([*(remote / "runs" / RUN).iterdir()]) == 2


def test_a_run_that_is_replaced_while_it_is_copied_is_copied_anew(
    remote: StorePath, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file that is gone belongs to a run that was replaced: the new one is read, whole."""
    publish(remote, "one")
    whole, asked = run_folders._download, []

    def late(source: StorePath, files: dict[str, Any], into: Path) -> None:
        asked.append(source.name)
        if len(asked) == 1:
            publish(remote, "two")
        whole(source, files, into)

    monkeypatch.setattr(run_folders, "_download", late)
    assert said(find_run(remote)) == {"two"}
    assert len(asked) == 2
    assert said(find_run(remote)) == {"two"}
    assert len(asked) == 2  # it is there


def test_a_damaged_run_is_said_to_be_one(remote: StorePath) -> None:
    """A file that is not what was published, or that is missing, is named; an edited draft is none of both."""
    publish(remote, "one")
    place = run_place(remote, RUN)
    assert place is not None
    write_bytes(place / "drafts/o-1/g-1.md", b"edited")
    assert (find_run(remote) / "drafts/o-1/g-1.md").read_text() == "edited"
    publish(remote, "two")
    place = run_place(remote, RUN)
    assert place is not None
    write_bytes(place / "backlog.jsonl", b"touched")
    with pytest.raises(StoreUnusable, match=r"backlog\.jsonl is not what was published"):
        find_run(remote)
    (place / "backlog.jsonl").unlink()
    with pytest.raises(StoreUnusable, match="lacks a file"):
        find_run(remote)


def test_a_run_that_is_not_there_is_named(remote: StorePath) -> None:
    """As on a file system, the message says which there are."""
    publish(remote, "one", "2024-06-23")
    publish(remote, "two")
    with pytest.raises(LacunaError, match="there is no run '2024-07-07'") as caught:
        find_run(remote, "2024-07-07")
    assert caught.value.remedy == "there are: 2024-06-23, 2024-06-30"
    assert said(find_run(remote, "2024-06-23")) == {"one"}


def test_a_mixture_of_two_runs_is_refused(remote: StorePath, tmp_path: Path) -> None:
    """On a file system, who reads several files learns that the run was replaced; a copy stays as it is."""
    store = tmp_path / "store"
    publish(store, "one")

    def read_while_replaced() -> None:
        with whole_run(store) as run:
            (run / "run.json").read_text()
            publish(store, "two")

    with pytest.raises(StoreUnusable, match=f"run {RUN} was replaced while it was read"):
        read_while_replaced()
    publish(remote, "one")
    with whole_run(remote) as run:
        publish(remote, "two")
        assert said(run) == {"one"}


def test_what_is_wrong_with_a_bucket_is_said(signed_in: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A bucket that is not there, credentials that are not known, a service that does not answer: each has a remedy."""
    with pytest.raises(StoreUnusable, match="s3://nowhere/store") as caught:
        check_writable(store_path("s3://nowhere/store"))
    assert "bucket 'nowhere' exists" in caught.value.remedy
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    store = store_path("s3://stores/a")
    store.fs.clear_instance_cache()
    with pytest.raises(StoreUnusable, match="does not know you") as caught:
        check_writable(store_path("s3://stores/a"))
    assert "AWS_ACCESS_KEY_ID" in caught.value.remedy
    assert "write and delete" in caught.value.remedy


def test_a_store_that_may_not_be_written_is_said_to_be_so(
    signed_in: str, remote: StorePath, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who may read and not write is told before any work."""

    def denied(*_: object, **__: object) -> None:
        raise PermissionError("Access Denied")

    monkeypatch.setattr(remote.fs, "pipe_file", denied)
    with pytest.raises(StoreUnusable, match=r"it does not let you in.*Access Denied") as caught:
        check_writable(remote)
    assert "list, read, write and delete" in caught.value.remedy
