"""The people of the board, their roles and rights, and how they are identified: token, proxy header, or neither."""

from __future__ import annotations

import hashlib
import os
import secrets
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from lacuna.data_contracts.errors import SettingsInvalid
from lacuna.pipelines.settings import Board

__all__ = ["PEOPLE_ENV", "ROLES", "People", "Person", "hashed", "may", "new_token"]

Role = Literal["viewer", "writer", "manager"]
ROLES: tuple[Role, ...] = ("viewer", "writer", "manager")
PEOPLE_ENV = "LACUNA_BOARD_PEOPLE"
_WRITER_MAY = frozenset({"accept", "draft", "publish", "note", "rename"})
_KEYS = {"name", "role", "owner", "login", "token_sha256"}


@dataclass(frozen=True)
class Person:
    """A person: the name recorded with decisions, the role, and the owner_id of their own gaps."""

    name: str
    role: Role
    owner_id: str | None = None
    login: str = ""
    token_sha256: str = ""

    @property
    def writes(self) -> bool:
        """Whether they may change anything."""
        return self.role != "viewer"

    @property
    def manages(self) -> bool:
        """Whether they may change everything."""
        return self.role == "manager"


def may(person: Person, action: str, owner_id: str | None = None, *, decided_by: str | None = None) -> bool:
    """Whether a person may do something.

    Parameters
    ----------
    action
        A decision's action, ``undo``, ``tag``, or what only a manager may: ``edit_topic``, as topics are everybody's,
        and ``meeting``, to begin and end one.
    owner_id
        The owner of the gap.
    decided_by
        The person whose decision an ``undo`` takes back.

    Examples
    --------
    >>> may(Person("Ana", "writer", "o-ana"), "accept", "o-ana")
    True
    >>> may(Person("Ana", "writer", "o-ana"), "dismiss", "o-ana")
    False
    """
    if person.manages:
        return True
    if not person.writes:
        return False
    if action == "tag":
        return True
    is_own = person.owner_id is not None and person.owner_id == owner_id
    if action == "undo":
        return is_own and decided_by == person.name
    return is_own and action in _WRITER_MAY


def new_token() -> str:
    """A random token of 256 bits, so that a plain hash protects it."""
    return secrets.token_urlsafe(32)


def hashed(token: str) -> str:
    """The SHA-256 of a token, in hex, which is stored instead of it."""
    return hashlib.sha256(token.strip().encode()).hexdigest()


class People:
    """The people of the board, from a file or the environment; changes of the file take effect at once.

    Parameters
    ----------
    settings
        ``[board]``: ``people`` names the file, ``proxy_header`` and ``proxy_addresses`` the trusted proxy.
    alone
        The person that everybody is if there is no sign-in.

    Raises
    ------
    SettingsInvalid
        The file can't be read, or an entry of it is wrong.
    """

    def __init__(self, settings: Board, alone: Person) -> None:
        self._settings = settings
        self._alone = alone
        self._text = "" if settings.people else os.environ.get(PEOPLE_ENV, "")
        self._stamp: tuple[int, int] | None = None
        self._loaded: tuple[Person, ...] = ()
        self.check()

    @property
    def by_token(self) -> bool:
        """Whether people sign in with a token."""
        return bool(self._settings.people or self._text)

    @property
    def by_proxy(self) -> bool:
        """Whether a proxy signs people in."""
        return bool(self._settings.proxy_header)

    @property
    def proxy_header(self) -> str:
        """The header in which the proxy names the person; empty without a proxy."""
        return self._settings.proxy_header

    @property
    def signs_in(self) -> bool:
        """Whether there is any sign-in."""
        return self.by_token or self.by_proxy

    def check(self) -> None:
        """Read the list again if it has changed.

        Raises
        ------
        SettingsInvalid
            It can't be read, or an entry of it is wrong.
        """
        if self.by_token:
            self._read()

    def alone(self) -> Person:
        """The person who uses a board without sign-in."""
        return self._alone

    def with_token(self, token_sha256: str) -> Person | None:
        """The person whose token has this hash."""
        match = None
        for person in self._read():  # compares all, so that the duration reveals nothing
            if person.token_sha256 and secrets.compare_digest(person.token_sha256, token_sha256):
                match = person
        return match

    def with_login(self, login: str) -> Person | None:
        """The person whom the proxy names; an unlisted login is a viewer of that name."""
        login = login.strip()
        if not login:
            return None
        listed = self._read() if self.by_token else ()
        return next((p for p in listed if p.login and p.login == login), Person(login, "viewer", login=login))

    def trusts(self, address: str) -> bool:
        """Whether a header from this address may name a person."""
        return address in self._settings.proxy_addresses

    def _read(self) -> tuple[Person, ...]:
        if not self._settings.people:
            if not self._loaded:
                self._loaded = _people(self._text, f"${PEOPLE_ENV}")
            return self._loaded
        path = Path(self._settings.people)
        try:
            stat = path.stat()
            if (stat.st_mtime_ns, stat.st_ino) != self._stamp:
                self._loaded = _people(path.read_text(encoding="utf-8-sig"), str(path))
                self._stamp = (stat.st_mtime_ns, stat.st_ino)
        except (OSError, UnicodeDecodeError) as error:
            raise SettingsInvalid(
                f"the board's people can't be read from {path}: {error}",
                "check 'board.people'; `lacuna token --help` shows what an entry looks like",
            ) from None
        return self._loaded


def _people(text: str, source: str) -> tuple[Person, ...]:
    try:
        entries = tomllib.loads(text).get("people", [])
    except tomllib.TOMLDecodeError as error:
        raise SettingsInvalid(f"{source} is not valid TOML: {error}", "start each person with [[people]]") from None
    if not isinstance(entries, list) or not entries:
        raise SettingsInvalid(f"{source} lists nobody", "add one with `lacuna token --name NAME --role manager`")
    people = tuple(_person(entry, source) for entry in entries)
    for key, values in (("token_sha256", [p.token_sha256 for p in people]), ("login", [p.login for p in people])):
        repeated = _repeated(value for value in values if value)
        if repeated:
            raise SettingsInvalid(f"{source}: two people have the same {key}", "give each one of their own")
    return people


def _person(entry: Any, source: str) -> Person:
    if not isinstance(entry, Mapping) or not str(entry.get("name", "")).strip():
        raise SettingsInvalid(f"{source}: a person has no name", 'write name = "…" below [[people]]')
    name = str(entry["name"]).strip()
    unknown = sorted(set(entry) - _KEYS)
    if unknown:
        raise SettingsInvalid(f"{source}: {name} has an unknown key '{unknown[0]}'", f"known: {', '.join(_KEYS)}")
    role = entry.get("role")
    if role not in ROLES:
        raise SettingsInvalid(f"{source}: {name} has the role {role!r}", f"write one of {', '.join(ROLES)}")
    digest = str(entry.get("token_sha256", "")).lower()
    if digest and (len(digest) != 64 or set(digest) - set("0123456789abcdef")):
        raise SettingsInvalid(
            f"{source}: the token_sha256 of {name} is not one", "`lacuna token` prints token and hash"
        )
    if not digest and not entry.get("login"):
        raise SettingsInvalid(f"{source}: {name} has neither token_sha256 nor login", "give one, or nobody can be them")
    return Person(name, role, str(entry.get("owner") or "") or None, str(entry.get("login") or ""), digest)


def _repeated(values: Iterable[str]) -> bool:
    listed = list(values)
    return len(listed) != len(set(listed))
