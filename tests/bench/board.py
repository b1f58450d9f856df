"""How fast the review board answers at a size that no team has."""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import httpx2 as httpx

from tests.support import sample_run
from tests.support.board_store import make_store, running

GAPS = 5000
TIMES = 60


def board(gaps: int = GAPS, times: int = TIMES) -> int:
    """Serve a store of many gaps, ask by HTTP as a browser does, and print median and 95th percentile."""
    with tempfile.TemporaryDirectory(prefix="lacuna-bench-") as name:
        store = make_store(Path(name) / "store", sample_run.many_gaps(gaps))
        free = {"requests_a_minute": 10**6, "changes_a_minute": 10**6}
        with running(store, **free) as address, httpx.Client(base_url=address, timeout=60) as client:
            began = time.perf_counter()
            client.get("/").raise_for_status()
            print(f"{gaps:,} gaps; the first page after a run: {time.perf_counter() - began:.1f} s")
            print(f"{'what':<34} {'median ms':>10} {'p95 ms':>8} {'KiB':>7}")
            ask: dict[str, Callable[[int], httpx.Response]] = {
                "backlog": lambda _: client.get("/?view=all"),
                "backlog, searched and sorted": lambda n: client.get(f"/?q=return+{n}&sort=-conversations"),
                "a gap": lambda n: client.get(f"/gaps/g-{1 + n * 37:05d}"),
                "a decision": lambda n: client.post(
                    f"/api/gaps/g-{1 + n * 41:05d}/decisions", json={"verb": "note", "why": "n"}
                ),
                "a decision by form, and the page": lambda n: _decided(client, f"g-{2 + n * 41:05d}"),
                "owners": lambda _: client.get("/owners"),
                "this week": lambda _: client.get("/week"),
                "API, 100 gaps": lambda _: client.get("/api/gaps"),
            }
            slow = []
            for what, once in ask.items():
                took, size = _timed(once, times)
                middle, late = statistics.median(took), sorted(took)[int(0.95 * len(took))]
                print(f"{what:<34} {middle:>10.1f} {late:>8.1f} {size / 1024:>7.0f}")
                slow += [what] if late > 100 else []
            print("over 100 ms: " + ", ".join(slow) if slow else "each within 100 ms, 19 times in 20")
    return 0


def _decided(client: httpx.Client, gap: str) -> httpx.Response:
    form = {"verb": "note", "why": "n", "gap": f"{gap}:0", "back": "/?view=all"}
    return client.post("/decide", data=form, headers={"Sec-Fetch-Site": "same-origin"}, follow_redirects=True)


def _timed(once: Callable[[int], httpx.Response], times: int) -> tuple[list[float], int]:
    took, size = [], 0
    for n in range(times):
        began = time.perf_counter()
        answer = once(n)
        took.append((time.perf_counter() - began) * 1000)
        answer.raise_for_status()
        size = len(answer.content)
    return took, size
