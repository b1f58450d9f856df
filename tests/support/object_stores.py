"""Object stores for tests: S3 on this machine."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import fsspec
import pytest

from lacuna.pipelines.io.addresses import StorePath, store_path


@pytest.fixture(scope="session")
def s3() -> Iterator[str]:
    """A service that speaks S3, on this machine; gives its address."""
    from moto.server import ThreadedMotoServer

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    service = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    service.start()
    host, port = service.get_host_and_port()
    yield f"http://{host}:{port}"
    service.stop()


@pytest.fixture
def signed_in(s3: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The environment of somebody who may use that service; gives its address."""
    for name, value in {
        "AWS_ENDPOINT_URL": s3,
        "AWS_ACCESS_KEY_ID": "someone",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
    }.items():
        monkeypatch.setenv(name, value)
    fsspec.filesystem("s3").clear_instance_cache()
    yield s3
    fsspec.filesystem("s3").clear_instance_cache()


@pytest.fixture(params=["s3", "memory"])
def remote(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> StorePath:
    """An empty store that is on no file system; copies of its runs go to a cache of the test's own."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "user-cache"))
    if request.param == "s3":
        request.getfixturevalue("signed_in")
        fs = fsspec.filesystem("s3")
        if not fs.exists("stores"):
            fs.mkdir("stores")
        return store_path(f"s3://stores/{tmp_path.name}")
    return store_path(f"memory://{tmp_path.name}")
