"""Trials of what is left after a kill or on a full disk: a run, the board, the digest; each followed by a restart."""

from __future__ import annotations

import hashlib
import http.client
import json
import os
import random
import re
import resource
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import time
import urllib.parse
from collections.abc import Callable, Container, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd
import uvicorn
from aiosmtpd.controller import Controller

from lacuna.data_contracts.errors import NotDelivered
from lacuna.models.text.languages import language_of
from lacuna.pipelines.board import make_app
from lacuna.pipelines.delivery.weekly import send_digest
from lacuna.pipelines.gaps.decisions import decide
from lacuna.pipelines.run import run
from lacuna.pipelines.runtime.job import Job
from lacuna.pipelines.settings import load_settings
from lacuna.pipelines.state.dead_runs import open_store
from lacuna.pipelines.state.deliveries import remember_contacts
from lacuna.pipelines.state.repository import open_state
from lacuna.pipelines.steps import STEPS, step_named
from tests.bench.fault_events import KILLED, Events, die, forked, import_all, imported, started, waited
from tests.support.board_store import make_store
from tests.support.sample_run import OWNERS
from tests.support.standins import make_bundle, small_publish

__all__ = ["BoardTrials", "DigestTrials", "Outcome", "Point", "RunTrials", "full_disk"]

RUN_ID, BEFORE = "2024-06-30", "2024-06-23"
CANARIES = ("quokka@example.org", "Quokkason")
CONFIG = '[embedder]\nname = "lexical"\n'
_NOT_THE_SAME = {"at", "published_at", "tagged_at", "began_at", "ended_at", "first_published_at", "seen_at"}
_SEEN_AT = re.compile(r'"seen_at": "[^"]*"')
_BOUNDARIES = ("step", "part", "mark of", "plan", "end of the run", "swap", "message")
Action = tuple[str, str, dict[str, Any]]  # table, address, what is sent
_FULL = ("disk is full", "database or disk is full", "is larger than this system allows", "disk I/O error")


@dataclass(frozen=True)
class Point:
    """Where a trial interrupts: at an event, by its number, or after so many seconds."""

    name: str
    event: int | None = None
    seconds: float | None = None

    @property
    def sort(self) -> str:
        """A boundary, another event, or a moment."""
        if self.event is None:
            return "random moment"
        what = self.name.split(": ", 1)[1]
        return "boundary" if what.startswith(_BOUNDARIES) else "write or commit"


@dataclass
class Outcome:
    """What became of a trial: whether it was interrupted at all, what was wrong, and what else to count."""

    interrupted: bool = True
    wrong: list[str] = field(default_factory=list)
    counted: list[str] = field(default_factory=list)


@contextmanager
def full_disk(folder: Path) -> Iterator[tuple[str, Callable[[], None], Callable[[], None]]]:
    """A file system of 64 MiB in the folder: its description, what fills it, and what makes room again.

    Where none may be mounted, a limit on the size of the files of a process stands in.
    """
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=64m", "tmpfs", str(folder)], capture_output=True, check=False
    )
    if mounted.returncode:
        hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
        yield "a limit on files (EFBIG)", lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (0, hard)), lambda: None
        return
    ballast = folder / "ballast"

    def fill() -> None:
        with ballast.open("ab", buffering=0) as file:
            for size in (1 << 20, 1 << 12, 1):
                try:
                    while True:
                        file.write(b"\0" * size)
                except OSError:
                    continue

    try:
        yield "a file system of 64 MiB (ENOSPC)", fill, lambda: ballast.unlink(missing_ok=True)
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


class Trials:
    """What the trials of one kind share: what an undisturbed one gives, and where it can be interrupted."""

    kind = ""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / self.kind
        self.folder.mkdir(parents=True)
        self.events: list[str] = []
        self.seconds = 0.0

    def points(self, number: int, seed: int) -> list[Point]:
        """So many points: half of them boundaries, one after the other; then other events and moments by lot.

        Portions of different seeds go on with the boundaries where the one before has ended.
        """
        draw = random.Random(f"{self.kind} {seed}")
        every = [Point(name, event) for event, name in enumerate(self.events)]
        writes = [point for point in every if point.sort != "boundary"]
        boundaries = [point for point in every if point.sort == "boundary"]
        first, chosen = (seed - 1) * (number // 2), []
        for place in range(number):
            if place % 2 == 0 and boundaries:
                chosen.append(boundaries[(first + place // 2) % len(boundaries)])
            elif place % 4 == 1:
                chosen.append(draw.choice(writes))
            else:
                moment = draw.uniform(0, self.seconds)
                chosen.append(Point(f"after {moment:.3f} s", seconds=moment))
        return chosen

    def places(self, number: int) -> list[Point]:
        """So many events at which a disk can be full, spread over the work."""
        there = [Point(name, event) for event, name in enumerate(self.events) if name.startswith("before")]
        return [there[(2 * place + 1) * len(there) // (2 * number)] for place in range(number)]

    def measured(self, work: Callable[[Events], None], log: Path) -> None:
        """Do the work undisturbed, and learn its events and how long it takes."""
        told = log.with_suffix(".events")

        def telling() -> None:
            events = Events()
            events.watch()
            work(events)
            told.write_text(json.dumps(events.names), encoding="utf-8")

        began = time.monotonic()
        if forked(telling, log) != 0:
            raise SystemExit(f"it does not work even undisturbed:\n{log.read_text(encoding='utf-8')}")
        self.seconds, self.events = time.monotonic() - began, json.loads(told.read_text(encoding="utf-8"))


class RunTrials(Trials):
    """A run killed and run again: a new one, and one that replaces a run of other input.

    Parameters
    ----------
    folder
        Where stores lie meanwhile.
    light
        Three steps that write a document, another, and one gap: what stands around the steps, and nothing else.
    """

    kind = "run"

    def __init__(self, folder: Path, light: bool = False) -> None:
        super().__init__(folder)
        self.light = light
        self.old, self.new = (_bundle(self.folder / name, extra) for name, extra in (("old", False), ("new", True)))
        (self.folder / "ours.toml").write_text(CONFIG, encoding="utf-8")
        self.bases = [self.folder / "fresh", self.folder / "replaced"]
        self.references: list[Path] = []
        log = self.folder / "log"

        def fresh() -> None:
            self._run(self.old, self.bases[0], BEFORE)

        def replaced() -> None:
            self._run(self.old, self.bases[1], RUN_ID)
            _accept_first(self.bases[1])

        imported(fresh, log)
        if not light:
            language_of("It takes a second to be able to tell a language.")
        shutil.copytree(self.bases[0], self.bases[1])
        shutil.rmtree(self.bases[0] / "cache", ignore_errors=True)  # so that every part is performed
        if forked(replaced, log) != 0:
            raise SystemExit(log.read_text(encoding="utf-8"))
        for base in reversed(self.bases):
            reference = base.with_suffix(".reference")
            shutil.copytree(base, reference)
            self.measured(lambda _, store=reference: self._run(self.new, store, RUN_ID), log)
            self.references.insert(0, reference)
        self.allowed = [
            [_digests(base / "runs"), _digests(of / "runs")]
            for base, of in zip(self.bases, self.references, strict=True)
        ]
        told = _told_raw(self.references[0]) + _told_raw(self.references[1])
        assert not told, f"texts as they came in lie in {told}"

    def trial(
        self, number: int, point: Point, deed: Callable[[], None] = die, where: Path | None = None,
        relieve: Callable[[], None] = lambda: None,
    ) -> Outcome:  # fmt: skip
        """Interrupt a run there, look at the store, run it again, and compare."""
        place = where or self.folder / f"trial-{number}"
        place.mkdir(exist_ok=True)
        store, log = place / "store", self.folder / f"log-{number}" / "log"
        log.parent.mkdir()
        base = number % len(self.bases)
        shutil.copytree(self.bases[base], store)

        def interrupted() -> None:
            Events(point.event, deed).watch()
            self._run(self.new, store, RUN_ID)

        code = forked(interrupted, log, point.seconds)
        relieve()
        outcome = Outcome(interrupted=code != 0)
        if deed is not die and code != 0:
            outcome.wrong += _unclear(code, log)
        outcome.wrong += self._unpublished(store, base) + _unsound(store, place)
        code = forked(lambda: self._run(self.new, store, RUN_ID), log)
        if code != 0:
            outcome.wrong.append(f"the restart ended with {code}: {_last_line(log)}")
        else:
            outcome.wrong += self._differences(store, base, log.parent / "tmp") + _unsound(store, place)
        _tidy(place, log, outcome)
        return outcome

    def _run(self, bundle: Path, store: Path, end: str) -> None:
        steps = [_first, _second, small_publish] if self.light else [step_named(name) for name in STEPS]
        run(str(bundle), store, end=end, config=str(self.folder / "ours.toml"), steps=steps)

    def _unpublished(self, store: Path, base: int) -> list[str]:
        """Runs that a reader would find now, and that are neither the old one nor the new one, whole."""
        return [
            f"a run that is neither old nor new can be read: {run.name}"
            for run in sorted((store / "runs").glob("[0-9]*"))
            if not any(_within(_digests(run), allowed, run.name) for allowed in self.allowed[base])
        ]

    def _differences(self, store: Path, base: int, scratch: Path) -> list[str]:
        reference = self.references[base]
        wrong = []
        if _digests(store / "runs") != self.allowed[base][1]:
            now, then = _digests(store / "runs"), self.allowed[base][1]
            differ = sorted(name for name in now.keys() | then.keys() if now.get(name) != then.get(name))
            wrong.append(f"other bytes than undisturbed: {', '.join(differ[:5])}")
        now_rows, then_rows = _rows(store), _rows(reference)
        for table, rows in then_rows.items():
            others = [row for row in now_rows.get(table, []) if row not in rows]
            if others or len(now_rows.get(table, [])) != len(rows):
                wrong.append(f"other rows than undisturbed: {table}, {str(others)[:300]}")
        left = [*(store / ".work").glob("*"), *store.rglob(".tmp-*"), *store.rglob(".old-*"), *store.rglob(".scratch*")]
        wrong += [f"left behind: {path.relative_to(store)}" for path in left]
        wrong += [f"left behind among temporary files: {path.name}" for path in scratch.iterdir()]
        known = set(_digests(reference).values())
        others = [store / name for name, digest in _digests(store).items() if digest not in known]
        wrong += [f"texts as they came in: {path.relative_to(store)}" for path in others if _tells(path)]
        return wrong


class BoardTrials(Trials):
    """A board killed while people decide; whoever got no answer sends the same again."""

    kind = "board"

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.base = self.folder / "base"
        log = self.folder / "log"
        self.actions: list[Action] = []

        def make() -> None:
            make_store(self.base)
            with closing(sqlite3.connect(self.base / "state.db")) as state:
                gaps = [row[0] for row in state.execute("SELECT gap_id FROM gaps WHERE run_id = ? ORDER BY rank",
                                                        (RUN_ID,))]  # fmt: skip
                topics = [row[0] for row in state.execute("SELECT DISTINCT topic_id FROM topics ORDER BY topic_id")]
            (self.folder / "ids").write_text(json.dumps([gaps, topics]), encoding="utf-8")

        imported(make, log)
        gaps, topics = json.loads((self.folder / "ids").read_text(encoding="utf-8"))
        self.actions = _actions(gaps, topics)
        port, listening = _listening()
        store = self._copy("reference")
        told = self.folder / "served"

        def served() -> None:
            events = Events()
            events.watch()
            try:
                self._serve(store, listening)
            finally:
                told.write_text(json.dumps([events.names, list(sys.modules)]), encoding="utf-8")

        began = time.monotonic()
        child = started(served, log)
        listening.close()
        for action in self.actions:
            answer = _sent(port, action)
            if answer not in _TAKEN:
                raise SystemExit(f"{action} was answered by {answer}:\n{log.read_text(encoding='utf-8')}")
        self.seconds = time.monotonic() - began
        os.kill(child, signal.SIGTERM)
        waited(child)
        self.events, modules = json.loads(told.read_text(encoding="utf-8"))
        import_all(modules)

    def trial(
        self, number: int, point: Point, deed: Callable[[], None] = die, where: Path | None = None,
        relieve: Callable[[], None] = lambda: None,
    ) -> Outcome:  # fmt: skip
        """Interrupt a board there, start it again, go on, and count what was decided."""
        place = where or self.folder / f"trial-{number}"
        place.mkdir(exist_ok=True)
        log = self.folder / f"log-{number}" / "log"
        log.parent.mkdir()
        store = self._copy(f"trial-{number}", place / "store")
        port, listening = _listening()

        def interrupted() -> None:
            Events(point.event, deed).watch()
            self._serve(store, listening)

        child = started(interrupted, log)
        listening.close()
        killer = _killing(child, point.seconds) if point.seconds is not None else 0
        answers = _send_all(port, self.actions, _TAKEN)
        outcome = Outcome()
        if deed is die:
            if len(answers) == len(self.actions):  # the moment never came
                os.kill(child, signal.SIGKILL)
            outcome.interrupted = waited(child) == KILLED and len(answers) < len(self.actions)
        else:
            relieve()
            os.kill(child, signal.SIGTERM)
            waited(child)
            failed = [answer for answer in answers if answer not in _TAKEN]
            outcome.interrupted = bool(failed)
            outcome.wrong += [f"answered by {answer}" for answer in failed if answer not in (500, 503)]
        if killer:
            waited(killer)
        sure = [action for action, answer in zip(self.actions, answers, strict=False) if answer in _TAKEN]
        outcome.wrong += _unsound(store, place) + [f"acknowledged and lost: {what}" for what in _missing(store, sure)]
        port, listening = _listening()
        child = started(lambda: self._serve(store, listening), log)
        listening.close()
        if _asked(port) != 200:
            outcome.wrong.append(f"the restart does not answer: {_last_line(log)}")
        again = [action for action in self.actions if action not in sure]
        for action, answer in zip(again, _send_all(port, again, range(600)), strict=True):
            if answer not in (*_TAKEN, 409):
                outcome.wrong.append(f"sent again, {action[0]} was answered by {answer}")
        os.kill(child, signal.SIGTERM)
        waited(child)
        outcome.wrong += [f"decided and not there: {what}" for what in _missing(store, self.actions)]
        outcome.wrong += [f"there {times} times: {what}" for what, times in _repeated(store)]
        outcome.wrong += _unsound(store, place)
        _tidy(place, log, outcome)
        return outcome

    def _copy(self, name: str, to: Path | None = None) -> Path:
        store = to or self.folder / name
        shutil.copytree(self.base, store)
        return store

    def _serve(self, store: Path, listening: socket.socket) -> None:
        settings = load_settings()
        signal.signal(signal.SIGTERM, signal.SIG_IGN)  # the server handles it, and then raises it again
        with open_store(settings, store) as state:
            app = make_app(store, settings, state, "Rita")
            server = uvicorn.Server(uvicorn.Config(app, log_level="error", lifespan="auto", proxy_headers=False))
            server.run(sockets=[listening])


class DigestTrials(Trials):
    """A digest killed while it is sent; the next one sends what was not sent yet."""

    kind = "digest"

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.base, self.box = self.folder / "base", self.folder / "mails"
        log = self.folder / "log"
        self.box.touch()
        free, taken = _listening()
        taken.close()
        self.port = free

        def make() -> None:
            make_store(self.base)
            with open_state(load_settings(), self.base) as state:
                people = [{"owner_id": one[0], "name": one[1], "email": f"{one[0]}@shop.example"} for one in OWNERS]
                remember_contacts(state, pd.DataFrame(people))

        imported(make, log)
        self.server = started(self._take_mail, log)
        _reached(self.port)
        store = self.folder / "reference"
        shutil.copytree(self.base, store)
        imported(lambda: self._send(store), log)
        shutil.rmtree(store)
        shutil.copytree(self.base, store)
        at = self.box.stat().st_size
        self.measured(lambda _: self._send(store), log)
        self.expected = sorted(self._mails(at))
        assert len(self.expected) == len(set(self.expected)) > 4

    def close(self) -> None:
        """End the mail server."""
        os.kill(self.server, signal.SIGKILL)
        waited(self.server)

    def trial(
        self, number: int, point: Point, deed: Callable[[], None] = die, where: Path | None = None,
        relieve: Callable[[], None] = lambda: None,
    ) -> Outcome:  # fmt: skip
        """Interrupt a digest there, send it again, and count who has got it how often."""
        place = where or self.folder / f"trial-{number}"
        place.mkdir(exist_ok=True)
        log = self.folder / f"log-{number}" / "log"
        log.parent.mkdir()
        store = place / "store"
        shutil.copytree(self.base, store)
        at = self.box.stat().st_size

        def interrupted() -> None:
            Events(point.event, deed).watch()
            self._send(store)

        code = forked(interrupted, log, point.seconds)
        relieve()
        outcome = Outcome(interrupted=code != 0)
        if deed is not die and code != 0:
            outcome.wrong += _unclear(code, log)
        outcome.wrong += _unsound(store, place)
        if (code := forked(lambda: self._send(store), log)) != 0:
            outcome.wrong.append(f"the second digest ended with {code}: {_last_line(log)}")
        got = self._mails(at)
        outcome.wrong += [f"lost: {who}" for who in self.expected if who not in got]
        twice = sorted({who for who in got if got.count(who) > 1})
        outcome.counted += ["digest sent twice" for _ in twice]
        if len(twice) > 1 or any(got.count(who) > 2 for who in twice):
            outcome.wrong.append(f"sent again to {', '.join(twice)}")
        outcome.wrong += _unsound(store, place)
        _tidy(place, log, outcome)
        return outcome

    def _send(self, store: Path) -> None:
        settings = load_settings()
        post = {
            "smtp_host": "127.0.0.1", "smtp_port": self.port, "smtp_security": "none",
            "sender": "Lacuna <lacuna@shop.example>", "managers": ["rita@shop.example", "tom@shop.example"],
        }  # fmt: skip
        settings = settings.model_copy(update={"delivery": settings.delivery.model_copy(update=post)})
        outcomes = send_digest(store, settings, send=True)
        if failed := [outcome.line for outcome in outcomes if outcome.state == "failed"]:
            raise NotDelivered("; ".join(failed), "see the mail server")

    def _take_mail(self) -> None:
        box = self.box

        class Handler:
            async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802
                with box.open("a", encoding="utf-8") as file:
                    file.write(f"{envelope.rcpt_tos[0]}\n")
                return "250 OK"

        Controller(Handler(), hostname="127.0.0.1", port=self.port).start()
        signal.pause()

    def _mails(self, since: int) -> list[str]:
        with self.box.open(encoding="utf-8") as file:
            file.seek(since)
            return file.read().split()


# -- bundles and stores -----------------------------------------------------------------------------------------------


def _bundle(folder: Path, extra: bool) -> Path:
    """The small bundle three times over, with personal data in its texts; with one conversation more where asked."""
    bundle = make_bundle(folder)
    for name in ("messages", "conversations"):
        file = bundle / f"{name}.jsonl"
        rows = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
        rows = [_again(row, copy) for copy in range(3) for row in rows]
        rows += [_again(row, 3) for row in rows if row["conversation_id"] == "c02a" and extra]
        file.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return bundle


def _first(job: Job) -> None:
    job.write_json("first/table", [1, 2])


def _second(job: Job) -> None:
    job.write_json("second/table", [2 * number for number in job.read_json("first/table")])


def _again(row: dict[str, Any], copy: int) -> dict[str, Any]:
    """A row of another conversation like this one, with another customer."""
    row = row | {name: f"{row[name]}{'abcd'[copy]}" for name in ("conversation_id", "customer_id") if name in row}
    if "escalated" in row:  # one of the three questions fails
        row["escalated"] = int(row["conversation_id"][1:3]) % 3 == 2
    if row.get("role") == "bot":
        row["text"] += f" My name is Ottilie {CANARIES[1]}, write to {CANARIES[0]}"
    return row


def _accept_first(store: Path) -> None:

    with open_state(load_settings(), store) as state:
        decide(state, str(state.gaps_of(RUN_ID)["gap_id"].iloc[0]), "accept", "Rita", why="ours")


def _digests(folder: Path) -> dict[str, str]:
    """SHA-256 of each file by its path in the folder, the database and hidden files left out."""
    found = {}
    for place, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in names:
            if not name.startswith((".", "state.db")):
                path = Path(place, name)
                found[path.relative_to(folder).as_posix()] = hashlib.sha256(path.read_bytes()).hexdigest()
    return found


def _within(run: dict[str, str], runs: dict[str, str], run_id: str) -> bool:
    """Whether these are a run's files, all of them and no others."""
    return run == {name.partition("/")[2]: digest for name, digest in runs.items() if name.startswith(f"{run_id}/")}


def _rows(store: Path) -> dict[str, list[tuple[Any, ...]]]:
    """All rows of the state database by table, without the time of day at which they were written."""
    rows = {}
    with closing(sqlite3.connect(store / "state.db")) as state:
        tables = [row[0] for row in state.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")]
        for table in tables:
            columns = [row[1] for row in state.execute(f"PRAGMA table_info({table})") if row[1] not in _NOT_THE_SAME]
            found = state.execute(f"SELECT {', '.join(columns)} FROM {table}")
            rows[table] = sorted((tuple(map(_timeless, row)) for row in found), key=repr)
    return rows


def _timeless(value: Any) -> Any:
    return _SEEN_AT.sub("", value) if isinstance(value, str) else value


def _unsound(store: Path, place: Path) -> list[str]:
    """What SQLite says is wrong with the state database as it lies there; looked at in a copy."""
    copy = place / "looked-at.db"
    for ending in ("", "-wal"):
        if (file := store / f"state.db{ending}").exists():
            shutil.copyfile(file, f"{copy}{ending}")
    if not copy.exists():
        return []
    with closing(sqlite3.connect(copy)) as state:
        said = [row[0] for row in state.execute("PRAGMA integrity_check")]
    for ending in ("", "-wal", "-shm"):
        Path(f"{copy}{ending}").unlink(missing_ok=True)
    return [] if said == ["ok"] else [f"state.db: {'; '.join(said[:3])}"]


def _told_raw(store: Path) -> list[str]:
    return [path.as_posix() for path in store.rglob("*") if path.is_file() and _tells(path)]


def _tells(path: Path) -> bool:
    """Whether a file holds a text as it came in; in a child, because reading Parquet starts threads."""

    def look() -> None:
        import pyarrow.parquet as pq

        told = (
            str(pq.read_table(path).to_pydict()) if path.suffix == ".parquet" else path.read_bytes().decode("latin-1")
        )
        os._exit(1 if any(canary.lower() in told.lower() for canary in CANARIES) else 0)

    log = path.parent / ".log-of-a-look"
    try:
        return forked(look, log) == 1
    finally:
        log.unlink(missing_ok=True)
        shutil.rmtree(path.parent / "tmp", ignore_errors=True)


def _unclear(code: int, log: Path) -> list[str]:
    """What is wrong with how a process ended whose disk was full: it has to say so, in one message."""
    told = log.read_text(encoding="utf-8", errors="replace")
    if code == 2 and "Traceback" not in told and any(words in told for words in _FULL):
        return []
    return [f"a full disk ended it with {code}: {_last_line(log)}"]


def _last_line(log: Path) -> str:
    lines = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    return lines[-1][:300] if lines else "not a word"


def _tidy(place: Path, log: Path, outcome: Outcome) -> None:
    """Remove what a trial left; where something was wrong, it stays to be looked at."""
    if not outcome.wrong:
        shutil.rmtree(place / "store", ignore_errors=True)
        shutil.rmtree(log.parent, ignore_errors=True)


# -- people at a board ------------------------------------------------------------------------------------------------

_TAKEN = (200, 201, 303)
_FORM = {"Content-Type": "application/x-www-form-urlencoded", "Sec-Fetch-Site": "same-origin"}


def _actions(gaps: Sequence[str], topics: Sequence[str]) -> list[Action]:
    """What people do, in order: table, address, what is sent. Each has a note of its own, by which it is found."""

    def decision(number: int, verb: str) -> Action:
        body = {"verb": verb, "why": f"decision {number}", "after": 0}
        return "decisions", f"/api/gaps/{gaps[number]}/decisions", body

    def rename(number: int) -> Action:
        body = {"deed": "rename", "why": f"edit {number}", "payload": {"label": f"Topic {number}"}, "after": 0}
        return "topic_edits", f"/api/topics/{topics[number]}/edits", body

    def tag(conversation: str) -> Action:
        body = {"conversation_id": conversation, "outcome": "wrong", "note": f"tag of {conversation}"}
        return "tags", "/api/tags", body

    meeting = ("meetings", "/meeting", {"gaps": "5", "minutes": "30"})
    return [
        decision(0, "accept"), decision(1, "note"), rename(0), tag("c-010003"), decision(5, "note"), meeting,
        decision(2, "note"), decision(3, "note"), rename(1), decision(4, "note"), tag("c-020001"),
        ("meetings", "/meeting/1/end", {}), decision(6, "note"),
    ]  # fmt: skip


def _send_all(port: int, actions: Sequence[Action], wanted: Container[int]) -> list[int]:
    """The answers to actions, up to the first that gets none, or one that is not wanted."""
    answers: list[int] = []
    for action in actions:
        answer = _sent(port, action)
        if answer is None:
            break
        answers.append(answer)
        if answer not in wanted:
            break
    return answers


def _sent(port: int, action: Action) -> int | None:
    """The status that an action is answered by; None where nobody answers."""
    table, address, body = action
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=120)) as connection:
        try:
            if table == "meetings":
                connection.request("POST", address, urllib.parse.urlencode(body), _FORM)
            else:
                connection.request("POST", address, json.dumps(body), {"Content-Type": "application/json"})
            answer = connection.getresponse()
            answer.read()
        except (OSError, http.client.HTTPException):
            return None
        return answer.status


def _asked(port: int) -> int | None:
    """The status that a board answers by when it is looked at; None where nobody answers."""
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=120)) as connection:
        try:
            connection.request("GET", "/api/me")
            return connection.getresponse().status
        except (OSError, http.client.HTTPException):
            return None


def _missing(store: Path, actions: Sequence[Action]) -> list[str]:
    """The actions that are not in the state database."""
    missing = []
    with closing(sqlite3.connect(store / "state.db")) as state:
        for table, address, body in actions:
            if table == "meetings":
                where, value = (
                    ("ended_at IS NOT NULL", ()) if address.endswith("/end") else ("began_at IS NOT NULL", ())
                )
            else:
                where, value = f"{'note' if table == 'tags' else 'why'} = ?", (body.get("why") or body["note"],)
            if not state.execute(f"SELECT count(*) FROM {table} WHERE {where}", value).fetchone()[0]:
                missing.append(f"{table} {body}")
    return missing


def _repeated(store: Path) -> list[tuple[str, int]]:
    """What was decided, edited or tagged once and stands there more than once."""
    found = []
    with closing(sqlite3.connect(store / "state.db")) as state:
        for table, name in (("decisions", "why"), ("topic_edits", "why"), ("tags", "note")):
            query = f"SELECT {name}, count(*) FROM {table} GROUP BY {name} HAVING count(*) > 1"
            found += [(f"{table} {what}", int(times)) for what, times in state.execute(query)]
    return found


def _listening() -> tuple[int, socket.socket]:
    """A port of this machine, and a socket that listens there: who connects waits until it is served."""
    listening = socket.socket()
    listening.bind(("127.0.0.1", 0))
    listening.listen(16)
    return listening.getsockname()[1], listening


def _reached(port: int) -> None:
    """Wait until somebody answers on a port."""
    for _ in range(600):
        try:
            socket.create_connection(("127.0.0.1", port)).close()
            return
        except OSError:
            time.sleep(0.05)
    raise SystemExit(f"nobody answers on port {port}")


def _killing(child: int, seconds: float) -> int:
    """A process that kills another one after so many seconds."""
    killer = os.fork()
    if not killer:
        time.sleep(seconds)
        try:
            os.kill(child, signal.SIGKILL)
        finally:
            os._exit(0)
    return killer
