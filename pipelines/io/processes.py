"""Which process something belongs to, so that what it leaves behind when it is killed can be told from what is in use.

Names of temporary files and folders hold a mark of the process that makes them. Once that process has ended, whoever
comes next on the same machine removes them.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import socket
import stat
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path

__all__ = [
    "TEMPORARY", "machine", "own_mark", "process_exists", "remove_abandoned_files", "remove_abandoned_folders",
    "temporary_folder", "temporary_place",
]  # fmt: skip

TEMPORARY = ".tmp-"  # what the names of files begin with that are being written
_FOLDERS = "lacuna-"  # and those of temporary folders outside of a store
_MARK = re.compile(r"([0-9a-f]{8})-(\d+)-[0-9a-f]{12}-")
_DAY = 86_400.0  # after which what another machine left counts as abandoned


def machine() -> str:
    """What tells this machine from others as far as process numbers go: containers have numbers of their own."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        return f"{boot} {os.readlink('/proc/self/ns/pid')}"
    except OSError:
        return f"{socket.gethostname()} {uuid.getnode():x}"


def own_mark() -> str:
    """A mark of this process, different each time: machine, process number and a random part, with a hyphen behind."""
    return f"{_short(machine())}-{os.getpid()}-{uuid.uuid4().hex[:12]}-"


@contextmanager
def temporary_folder(name: str) -> Iterator[Path]:
    """An empty temporary folder of this machine that nobody else can look into; it is gone when the block is left.

    Those that killed processes have left are removed first: texts may lie in them as they came in.
    """
    place = temporary_place(name)
    try:
        yield place
    finally:
        shutil.rmtree(place, ignore_errors=True)


def temporary_place(name: str) -> Path:
    """Make a folder as of :func:`temporary_folder`, which the caller deletes."""
    remove_abandoned_folders()
    place = Path(tempfile.gettempdir()) / f"{_FOLDERS}{own_mark()}{name}"
    place.mkdir(mode=0o700)
    return place


def remove_abandoned_folders() -> None:
    """Remove the temporary folders of this user's processes that have ended."""
    with suppress(OSError):
        for place in Path(tempfile.gettempdir()).glob(f"{_FOLDERS}*"):
            if _ended(place.name.removeprefix(_FOLDERS)) and _is_own_folder(place):
                shutil.rmtree(place, ignore_errors=True)


def remove_abandoned_files(folder: Path) -> None:
    """Remove, at any depth, the files that killed processes were writing; those of other machines after a day."""
    for place, _, names in os.walk(folder):
        for name in names:
            if name.startswith(TEMPORARY) and _is_abandoned(Path(place, name)):
                with suppress(OSError):
                    os.unlink(os.path.join(place, name))


def _is_abandoned(file: Path) -> bool:
    ended = _ended(file.name.removeprefix(TEMPORARY))
    if ended is not None:
        return ended
    try:
        return time.time() - file.stat().st_mtime > _DAY
    except OSError:
        return False


def _ended(marked: str) -> bool | None:
    """Whether the process that a name begins with has ended; None where it is of another machine, or none is named."""
    mark = _MARK.match(marked)
    if not mark or mark[1] != _short(machine()):
        return None
    return not process_exists(int(mark[2]))


def _is_own_folder(place: Path) -> bool:
    told = place.lstat()
    return stat.S_ISDIR(told.st_mode) and (sys.platform == "win32" or told.st_uid == os.geteuid())


@cache
def _short(named: str) -> str:
    return hashlib.blake2b(named.encode(), digest_size=4).hexdigest()


if sys.platform == "win32":
    import ctypes

    def process_exists(pid: int) -> bool:
        """Whether a process of this number runs on this machine."""
        # os.kill would end the process, whatever the signal.
        query_limited_information = 0x1000
        handle = ctypes.windll.kernel32.OpenProcess(query_limited_information, False, pid)
        if handle:
            ctypes.windll.kernel32.CloseHandle(handle)
        return bool(handle)

else:

    def process_exists(pid: int) -> bool:
        """Whether a process of this number runs on this machine."""
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return False
        except PermissionError:
            return True
        except OverflowError:
            return False
        return True
