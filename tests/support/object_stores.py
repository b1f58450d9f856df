"""Object stores for tests: S3 on this machine."""

from __future__ import annotations

import logging
import socket
import threading
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import fsspec
import pytest

from lacuna.pipelines.io.addresses import StorePath, store_path

SIGNED_IN = {
    "AWS_ACCESS_KEY_ID": "someone",
    "AWS_SECRET_ACCESS_KEY": "secret",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_EC2_METADATA_DISABLED": "true",
}


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
    for name, value in {**SIGNED_IN, "AWS_ENDPOINT_URL": s3}.items():
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


class UnsteadyS3:
    """A service that speaks S3, on this machine, and goes away at the first request that has ``away_at`` in its path.

    While it is away it closes every connection without an answer, or, where it ``is_busy``, answers 503. What it holds
    it keeps.
    """

    def __init__(self) -> None:
        from moto.server import DomainDispatcherApplication, create_backend_app
        from werkzeug.serving import make_server

        self._service = DomainDispatcherApplication(create_backend_app)
        self._server = make_server("127.0.0.1", 0, self._answer, threaded=True)
        self.address = f"http://127.0.0.1:{self._server.port}"
        self.away_at: str | None = None
        self.is_busy = False
        self._is_away = False
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def come_back(self) -> None:
        """Answer again."""
        self.away_at, self.is_busy, self._is_away = None, False, False

    def end(self) -> None:
        """Listen no more."""
        self._server.shutdown()
        self._server.server_close()

    def _answer(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        self._is_away |= self.away_at is not None and self.away_at in environ["PATH_INFO"]
        if self._is_away and self.is_busy:
            start_response("503 Service Unavailable", [("Content-Type", "application/xml")])
            is_head = environ["REQUEST_METHOD"] == "HEAD"
            return [] if is_head else [b"<Error><Code>ServiceUnavailable</Code><Message>Try again</Message></Error>"]
        if self._is_away:
            environ["werkzeug.socket"].shutdown(socket.SHUT_RDWR)
            raise ConnectionAbortedError
        answer: Iterable[bytes] = self._service(environ, start_response)
        return answer


@pytest.fixture
def unsteady_s3(monkeypatch: pytest.MonkeyPatch) -> Iterator[UnsteadyS3]:
    """A service that speaks S3, with a bucket ``stores``; requests are not tried again."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    service = UnsteadyS3()
    for name, value in {**SIGNED_IN, "AWS_ENDPOINT_URL": service.address, "AWS_MAX_ATTEMPTS": "1"}.items():
        monkeypatch.setenv(name, value)
    kind = fsspec.get_filesystem_class("s3")
    monkeypatch.setattr(kind, "retries", 1)
    kind.clear_instance_cache()
    fs = fsspec.filesystem("s3")
    if not fs.exists("stores"):  # the service of another test has the same buckets
        fs.mkdir("stores")
    yield service
    service.end()
    kind.clear_instance_cache()
