"""Leases: one holder at a time on whatever machines, taken over when it is gone, and it notices."""

from __future__ import annotations

import os
import signal
import threading
import time
from pathlib import Path

import pytest
import sqlalchemy as sa

from lacuna.data_contracts.errors import StoreUnusable
from lacuna.pipelines.settings import Settings, load_settings
from lacuna.pipelines.state import leases
from lacuna.pipelines.state.leases import lease
from lacuna.pipelines.state.repository import State, open_state
from tests.support.databases import gaps, topics, with_state
from tests.support.lease_holder import lease_holder

RUN = "2024-06-30"


def elsewhere(state: State) -> None:
    """Make the holders look as if they were on another machine."""
    state.write(lambda connection: connection.execute(sa.update(leases.leases).values(machine="another", host="far")))


def held(state: State) -> list[str]:
    with state.reading() as connection:
        return list(connection.execute(sa.select(leases.leases.c.name)).scalars())


def test_a_second_holder_is_told_who_holds_it(settings: Settings, tmp_path: Path) -> None:
    """The second of two is refused with the first one's process; when that one is killed, the lease is free at once."""
    with lease_holder(tmp_path, RUN, settings) as process:
        refusal = f"another run holds '{RUN}' in this store \\(process {process.pid} on .* since 20.* UTC"
        with pytest.raises(StoreUnusable, match=refusal) as caught, lease(settings, tmp_path, RUN):
            pass
        assert "its finished steps are kept" in caught.value.remedy
        process.send_signal(signal.SIGKILL)
        process.wait()
        with lease(settings, tmp_path, RUN):
            pass


def test_it_is_held_once_in_a_process_too_and_each_name_has_its_own(settings: Settings, tmp_path: Path) -> None:
    """The same process is refused while it holds the lease, and gets it again once it let go."""
    refusal = f"'a' in this store \\(process {os.getpid()} on .* since 20"
    with (
        lease(settings, tmp_path, "a"),
        lease(settings, tmp_path, "b"),
        pytest.raises(StoreUnusable, match=refusal),
        lease(settings, tmp_path, "a"),
    ):
        pass
    with lease(settings, tmp_path, "a"):
        pass


def test_parts_of_a_run_are_held_side_by_side_and_exclude_the_whole(settings: Settings, tmp_path: Path) -> None:
    """Two shards are worked on at once; who wants the whole run, or a shard of a run that is held whole, waits."""
    with lease(settings, tmp_path, f"{RUN}/redact/1"), lease(settings, tmp_path, f"{RUN}/redact/2"):
        for name in (RUN, f"{RUN}/redact", f"{RUN}/redact/2"):
            with pytest.raises(StoreUnusable, match="another run holds"), lease(settings, tmp_path, name):
                pass
        with lease(settings, tmp_path, f"{RUN}/redact/10"):
            pass
    with (
        lease(settings, tmp_path, RUN),
        pytest.raises(StoreUnusable, match=f"holds '{RUN}'"),
        lease(settings, tmp_path, f"{RUN}/redact/1"),
    ):
        pass


def test_of_many_that_want_it_at_once_one_gets_it(settings: Settings, tmp_path: Path) -> None:
    """Threads with connections of their own never hold it together."""
    holders, together, failures = [0], [0], []

    def want() -> None:
        try:
            with lease(settings, tmp_path, RUN, wait_seconds=30):
                holders[0] += 1
                together[0] = max(together[0], holders[0])
                time.sleep(0.02)
                holders[0] -= 1
        except StoreUnusable as error:
            failures.append(error)

    threads = [threading.Thread(target=want) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (together, failures) == ([1], [])


def test_who_waits_gets_it_when_it_is_free(settings: Settings, tmp_path: Path) -> None:
    """A holder that lets go within the time to wait stops nobody."""
    with lease_holder(tmp_path, RUN, settings, seconds=0.5), lease(settings, tmp_path, RUN, wait_seconds=30):
        pass


def test_a_holder_on_another_machine_keeps_it_as_long_as_it_renews_it(settings: Settings, tmp_path: Path) -> None:
    """It outlasts its time while its process lives; after that, it is free when its time is up and not before."""
    short = with_state(settings, lease_seconds=1.5)
    with lease_holder(tmp_path, RUN, short) as process, open_state(short, tmp_path) as state:
        elsewhere(state)
        time.sleep(2)
        with pytest.raises(StoreUnusable, match="on far since"), lease(short, tmp_path, RUN):
            pass
        process.kill()
        process.wait()
        with pytest.raises(StoreUnusable, match="on far since") as caught, lease(short, tmp_path, RUN):
            pass
        assert "this is free in " in caught.value.remedy
        with lease(short, tmp_path, RUN, wait_seconds=10):
            assert held(state) == [RUN]


def test_who_was_suspended_too_long_notices(settings: Settings, tmp_path: Path) -> None:
    """A holder that was taken over can neither publish nor record, whether the other is done or not."""
    short = with_state(settings, lease_seconds=1.0)
    with open_state(short, tmp_path) as state, lease(with_state(settings, lease_seconds=60.0), tmp_path, RUN) as ours:
        ours.check()
        elsewhere(state)
        past = {"expires_at": leases._Clock(-1)}
        state.write(lambda connection: connection.execute(sa.update(leases.leases).values(past)))
        ours.check()  # nobody has wanted it
        with lease(short, tmp_path, RUN):
            with pytest.raises(StoreUnusable, match="has taken it over"):
                ours.check()
            with pytest.raises(StoreUnusable, match=f"process {os.getpid()} on .* has taken it over"), ours.hold():
                pass
        with pytest.raises(StoreUnusable, match="taken over, and is free again"):
            state.record_run(RUN, "hash", topics("t"), gaps("g"), require=ours.require)
        assert not ours.renew(60.0)
        assert state.last_run() is None
        with lease(short, tmp_path, RUN):  # it is not given back by who lost it
            ours.release()
            assert held(state) == [RUN]


def test_nobody_takes_it_over_while_its_holder_publishes(settings: Settings, tmp_path: Path) -> None:
    """Even after its time, the other waits for the end of the block that publishes."""
    order: list[str] = []

    def take() -> None:
        with lease(settings, tmp_path, RUN):
            order.append("taken over")

    with open_state(settings, tmp_path) as state, lease(settings, tmp_path, RUN) as ours:
        elsewhere(state)
        past = {"expires_at": leases._Clock(-1)}
        state.write(lambda connection: connection.execute(sa.update(leases.leases).values(past)))
        with ours.hold():
            other = threading.Thread(target=take)
            other.start()
            time.sleep(0.5)
            order.append("published")
        other.join()
    assert order == ["published", "taken over"]


def test_the_worker_s_own_clock_does_not_matter(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A worker whose clock is an hour ahead takes nothing over: all times are the database's."""
    with lease_holder(tmp_path, RUN, settings), open_state(settings, tmp_path) as state:
        elsewhere(state)
        real = time.time
        monkeypatch.setattr(time, "time", lambda: real() + 3600)
        with pytest.raises(StoreUnusable, match="on far since"), lease(settings, tmp_path, RUN):
            pass


def test_a_database_that_is_away_for_a_while_costs_nobody_the_lease(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A renewal that fails is tried again; the lease is lost only where another took it."""
    short = with_state(load_settings(), lease_seconds=1.0)
    whole = leases.Lease.renew
    failed = threading.Event()

    def away(self: leases.Lease, seconds: float) -> bool:
        if not failed.is_set():
            failed.set()
            raise StoreUnusable("connection refused")
        return whole(self, seconds)

    monkeypatch.setattr(leases.Lease, "renew", away)
    with lease(short, tmp_path, RUN) as ours:
        assert failed.wait(5)
        time.sleep(1.2)
        ours.check()
        with open_state(short, tmp_path) as state:
            elsewhere(state)
        with pytest.raises(StoreUnusable, match="another run holds"), lease(short, tmp_path, RUN):
            pass
