"""A service that speaks S3, in memory, for trying a deployment out: `s3_stand_in.py PORT BUCKET`.

Where the environment variable SLOW_PUTS names seconds, each file of a run and of vectors takes so long to be put: what
happens in the middle of publishing and of embedding then can be tried out. After SIGUSR1 connections are refused; after
SIGUSR2 it serves again what it had.
"""

from __future__ import annotations

import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterable
from typing import Any

import boto3
from moto.server import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import BaseWSGIServer, make_server

AWAY, BACK = signal.SIGUSR1, signal.SIGUSR2
SLOW = float(os.environ.get("SLOW_PUTS") or 0)


def main(port: int, bucket: str) -> None:
    """Serve until ended, on the loopback interface only."""
    service = DomainDispatcherApplication(create_backend_app)
    away = threading.Event()

    def slowed(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        if away.is_set():  # on a connection from before
            environ["werkzeug.socket"].shutdown(socket.SHUT_RDWR)
            raise ConnectionAbortedError
        path = environ["PATH_INFO"]
        if SLOW and environ["REQUEST_METHOD"] == "PUT" and ("/runs/" in path or "/cache/vectors/" in path):
            time.sleep(SLOW)
        return service(environ, start_response)

    signal.pthread_sigmask(signal.SIG_BLOCK, {AWAY, BACK})
    server = serve(port, slowed)
    boto3.client("s3", endpoint_url=f"http://127.0.0.1:{port}").create_bucket(Bucket=bucket)
    while True:
        if signal.sigwait({AWAY, BACK}) == AWAY:
            away.set()
            server.shutdown()
            server.server_close()
        else:
            away.clear()
            server = serve(port, slowed)


def serve(port: int, application: Callable[..., Any]) -> BaseWSGIServer:
    """Listen on the port, in a thread."""
    server = make_server("127.0.0.1", port, application, threaded=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2])
