"""Where bundles and stores lie: a bundle anywhere, a store where files are replaced in one step, and what is said."""

from __future__ import annotations

import functools
import http.server
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import fsspec
import pytest

from lacuna.data_contracts.errors import BundleUnreadable, SettingsInvalid
from lacuna.pipelines.io.addresses import is_local, local_folder, store_path, unreachable, worth_a_retry
from lacuna.pipelines.io.bundle import read_bundle
from lacuna.pipelines.run import make_job, plan_scheduled
from lacuna.pipelines.runtime.runner import file_hashes
from lacuna.pipelines.steps.load.step import check_bundle
from tests.support.standins import Lacuna

COMMANDS = {
    "run": ("run", "bundle"),
    "demo": ("demo",),
    "runs": ("runs",),
    "explain": ("explain", "1"),
    "review": ("review",),
    "backlog": ("backlog",),
    "decide": ("decide", "1", "accept"),
    "assign": ("assign", "1", "o-1"),
    "undo": ("undo", "1"),
    "drafts": ("drafts",),
    "digest": ("digest",),
    "impact": ("impact",),
    "topic": ("topic",),
    "topics": ("topics", "questions.csv", "--text", "question"),
}


@pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS)
def test_every_command_says_where_a_store_can_not_be(
    command: tuple[str, ...], lacuna: Lacuna, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An address where files are not replaced in one step is refused as one, whole; no folder is made of it."""
    monkeypatch.chdir(tmp_path)
    code, _, said = lacuna(*command, "--store", "sftp://lac/store")
    assert code == 2
    assert "the store sftp://lac/store is of a kind that can't hold one" in said
    assert "→ give --store a path on this machine, or an address that begins with s3://, gs:// or abfs://" in said
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("option", ["--into", "--csv", "--out", "--folder"])
def test_what_is_written_beside_a_store_is_local_too(option: str, lacuna: Lacuna, tmp_path: Path) -> None:
    """Copies, sheets and the demo's input are not made into folders named 's3:' either."""
    command = {
        "--into": ("drafts", "--store", str(tmp_path)),
        "--csv": ("backlog", "--store", str(tmp_path)),
        "--out": ("topics", "questions.csv", "--text", "question"),
        "--folder": ("demo", "--store", str(tmp_path)),
    }[option]
    code, _, said = lacuna(*command, option, "gs://lac/here")
    assert code == 2
    assert f"give {option} a path on this machine" in said


@pytest.mark.parametrize("store", ["sftp://lac/store", Path("sftp://lac/store"), "https://lac/store"])
def test_a_store_given_in_python_is_refused_too(store: str | Path) -> None:
    """A path that has eaten a slash is still known for an address."""
    with pytest.raises(SettingsInvalid, match="--store"):
        make_job("bundle", store)
    with pytest.raises(SettingsInvalid, match="--store"):
        plan_scheduled({"bundle": "bundle", "store": store})


@pytest.mark.parametrize("path", ["store", "./a:b/c", "/data/s3/store", "C:/store", "x-y/z"])
def test_a_path_is_no_address(path: str) -> None:
    """Colons and drives alone make no address."""
    assert local_folder(path, "--out") == store_path(path) == Path(path)


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ("file:///tmp/store", "/tmp/store"),
        ("s3://lac/store", "s3://lac/store"),
        (Path("s3://lac/store"), "s3://lac/store"),
        ("S3://lac/store/", "s3://lac/store"),
        ("memory://store", "memory://store"),
    ],
)
def test_a_store_s_address_is_used_like_a_path(given: str | Path, meant: str) -> None:
    """Folders and files are named below it as below any path, and a job's address is the same again."""
    store = store_path(given)
    assert str(store / "runs") == f"{meant}/runs"
    assert str(store_path(str(store)) / "runs") == f"{meant}/runs"
    assert (store / "runs").parent == store
    assert is_local(store) == meant.startswith("/")


@pytest.fixture
def website(bundle: Path) -> Iterator[str]:
    """The bundle's parent, served over HTTP."""
    quiet = type("Quiet", (http.server.SimpleHTTPRequestHandler,), {"log_message": lambda *_: None})
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(quiet, directory=str(bundle.parent)))
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_a_bundle_is_read_over_http(website: str, bundle: Path) -> None:
    """A page that lists the tables' files is a bundle."""
    for address in (f"{website}/bundle", f"{website}/bundle/"):
        read = read_bundle(address)
        assert len(read.tables["conversations"].frame) == 12
        assert file_hashes(address) == file_hashes(str(bundle))
    assert check_bundle(f"{website}/bundle").runnable


def test_http_says_what_is_missing(website: str) -> None:
    """A page that is not there, and a server that does not answer, are told apart."""
    with pytest.raises(BundleUnreadable, match="there is no page http"):
        read_bundle(f"{website}/elsewhere")
    with pytest.raises(BundleUnreadable, match="can't be opened") as refused:
        read_bundle("http://127.0.0.1:9/bundle")
    assert "this machine reaches the server" in str(refused.value)
    assert worth_a_retry(refused.value)


@pytest.fixture
def bucket(signed_in: str, bundle: Path) -> Any:
    """The bucket 'lac' with the bundle in the folder 'export'."""
    fs = fsspec.filesystem("s3", skip_instance_cache=True)
    if not fs.exists("lac"):
        fs.mkdir("lac")
    fs.put(str(bundle), "lac/export", recursive=True)
    return fs


def test_a_bundle_is_read_from_s3(bucket: Any, bundle: Path) -> None:
    """A folder of a bucket is a bundle like any other."""
    assert len(read_bundle("s3://lac/export").tables["messages"].frame) == 36
    assert file_hashes("s3://lac/export/") == file_hashes(str(bundle))


def test_s3_says_which_part_is_missing(bucket: Any) -> None:
    """A bucket that is not there is no folder that is not there."""
    with pytest.raises(BundleUnreadable, match="there is no bucket 'lack'") as refused:
        read_bundle("s3://lack/export")
    assert not worth_a_retry(refused.value)
    with pytest.raises(BundleUnreadable, match="there is no folder 'exprt' in the bucket 'lac': it holds export"):
        read_bundle("s3://lac/exprt")


def test_s3_without_credentials(bucket: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Who has no credentials is told which ones are looked for."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    fsspec.filesystem("s3").clear_instance_cache()
    with pytest.raises(BundleUnreadable, match="does not know you") as refused:
        read_bundle("s3://lac/export")
    assert "AWS_ACCESS_KEY_ID" in str(refused.value)
    assert not worth_a_retry(refused.value)


@pytest.mark.parametrize(
    ("address", "module", "remedy"),
    [
        ("s3://lac/export", "s3fs", "pip install 'lacuna-kb[s3]'"),
        ("gs://lac/export", "gcsfs", "pip install 'lacuna-kb[gs]'"),
        ("https://lac/export", "aiohttp", "pip install 'lacuna-kb[http]'"),
        ("abfs://lac/export", "adlfs", "pip install adlfs"),
    ],
)
def test_a_driver_that_is_not_installed(
    address: str, module: str, remedy: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The remedy names the extra that brings it."""
    scheme = address.partition(":")[0]
    known = sys.modules["fsspec.registry"]
    monkeypatch.setattr(known, "_registry", {k: v for k, v in known._registry.items() if k != scheme})
    monkeypatch.setattr(known, "registry", known._registry)
    monkeypatch.setitem(sys.modules, module, None)  # as where it is not installed
    monkeypatch.delitem(sys.modules, "fsspec.implementations.http", raising=False)
    with pytest.raises(BundleUnreadable) as refused:
        read_bundle(address)
    assert f"the driver of {scheme}:// is not installed" in str(refused.value)
    assert remedy in str(refused.value)


def test_an_unknown_kind_of_address() -> None:
    """A scheme that nothing knows is said to be one."""
    with pytest.raises(BundleUnreadable, match="there is no kind of address ftpx://"):
        read_bundle("ftpx://lac/export")


def test_only_what_may_pass_is_worth_a_retry(tmp_path: Path) -> None:
    """A server that is slow may answer later; a right that lacks, and a folder that is not there, stay so."""

    def retried(cause: Exception) -> bool:
        try:
            raise unreachable("s3://lac/export", cause) from cause
        except BundleUnreadable as error:
            return worth_a_retry(error)

    assert retried(TimeoutError("too slow"))
    assert retried(ConnectionResetError("by peer"))
    assert not retried(PermissionError("Access Denied"))
    assert not retried(FileNotFoundError("gone"))
    assert not retried(ImportError("s3fs"))
    with pytest.raises(BundleUnreadable) as refused:
        read_bundle(str(tmp_path / "none"))
    assert not worth_a_retry(refused.value)
