"""A service that speaks S3, in memory, for trying a deployment out: `s3_stand_in.py PORT BUCKET`.

Where the environment variable SLOW_PUTS names seconds, each file of a run takes so long to be put: what happens in the
middle of publishing then can be tried out.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterable
from typing import Any

import boto3
from moto.server import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import make_server

SLOW = float(os.environ.get("SLOW_PUTS") or 0)


def main(port: int, bucket: str) -> None:
    """Serve until ended, on the loopback interface only."""
    service = DomainDispatcherApplication(create_backend_app)

    def slowed(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        if SLOW and environ["REQUEST_METHOD"] == "PUT" and "/runs/" in environ["PATH_INFO"]:
            time.sleep(SLOW)
        return service(environ, start_response)

    server = make_server("127.0.0.1", port, slowed, threaded=True)
    import threading

    threading.Thread(target=server.serve_forever, daemon=True).start()
    boto3.client("s3", endpoint_url=f"http://127.0.0.1:{port}").create_bucket(Bucket=bucket)
    threading.Event().wait()


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2])
