"""What every page of the board needs: the store, its state, the latest run, the people and the templates."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from jinja2 import Environment, PackageLoader, PrefixLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response

from lacuna.data_contracts.errors import (
    DecidedMeanwhile,
    DecisionInvalid,
    LacunaError,
    NoSuchGap,
    NoSuchTopic,
    NotAllowed,
    Refused,
    RunUnreadable,
    StoreUnusable,
    TagInvalid,
)
from lacuna.data_contracts.sent import whole_number
from lacuna.models.backlog.actions import ACTIONS
from lacuna.models.backlog.lifecycle import allowed
from lacuna.pipelines.board.filters import Query, counted
from lacuna.pipelines.board.roles import People, Person, may
from lacuna.pipelines.board.snapshot import GapNow, Snapshot
from lacuna.pipelines.board.view import gap_path
from lacuna.pipelines.io.addresses import StorePath
from lacuna.pipelines.presentation.format import period, plural, quoted, record
from lacuna.pipelines.presentation.kind_styles import kind_styles
from lacuna.pipelines.presentation.links import conversation_link, conversation_url
from lacuna.pipelines.report.gap_figures import sets_explanation
from lacuna.pipelines.report.view import STATUSES
from lacuna.pipelines.settings import Settings
from lacuna.pipelines.state.repository import State
from lacuna.pipelines.state.sessions import Sessions

__all__ = ["ASSETS", "ERROR_CODES", "BoardContext", "asset", "context_of", "local", "person_of"]

ERROR_CODES: dict[type[LacunaError], int] = {
    DecidedMeanwhile: 409, DecisionInvalid: 422, NoSuchGap: 404, NoSuchTopic: 404, NotAllowed: 409, Refused: 403,
    RunUnreadable: 503, StoreUnusable: 503, TagInvalid: 422,
}  # fmt: skip
ASSETS = {
    "report.css": ("lacuna.pipelines.report", "text/css"),
    "board.css": ("lacuna.pipelines.board", "text/css"),
    "board.js": ("lacuna.pipelines.board", "text/javascript"),
    "meeting.css": ("lacuna.pipelines.board", "text/css"),
    "meeting.js": ("lacuna.pipelines.board", "text/javascript"),
    "tree.js": ("lacuna.pipelines.report", "text/javascript"),
    "htmx.min.js": ("lacuna.pipelines.board", "text/javascript"),
    "htmx-LICENSE.txt": ("lacuna.pipelines.board", "text/plain"),
}
NAV = (
    ("backlog", "/", "Backlog"),
    ("meeting", "/meeting", "Meeting"),
    ("drafts", "/drafts", "Drafts"),
    ("week", "/week", "This week"),
    ("owners", "/owners", "Owners"),
    ("impact", "/impact", "What worked"),
    ("kpis", "/kpis", "Figures"),
    ("topics", "/topics", "Topics"),
    ("ask", "/ask", "Ask"),
    ("tags", "/tags", "Tag next"),
)


@cache
def asset(name: str) -> bytes:
    """The content of a static file, by its name in ``ASSETS``."""
    package = ASSETS[name][0]
    folder = resources.files(package)
    content = (folder / name if package == "lacuna.pipelines.report" else folder / "static" / name).read_bytes()
    return content + kind_styles().encode() if name == "report.css" else content


@cache
def _version(name: str) -> str:
    return hashlib.sha256(asset(name)).hexdigest()[:12]


@cache  # to compile the templates takes longer than to show a page
def _templates() -> Environment:
    loader = PrefixLoader(
        {"board": PackageLoader("lacuna.pipelines.board"), "report": PackageLoader("lacuna.pipelines.report", "")},
        delimiter=":",
    )
    environment = Environment(
        loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.globals |= {
        "static": lambda name: f"/static/{name}?v={_version(name)}",
        "statuses": STATUSES,
        "sets": sets_explanation(),
        "actions": ACTIONS,
        "gap_path": gap_path,
        "plural": plural,
        "may": may,
        "conversation_link": conversation_link,
    }
    return environment


@dataclass(frozen=True, eq=False)
class BoardContext:
    """The board's parts, created once and shared by all requests."""

    store: StorePath
    settings: Settings
    state: State
    snapshot: Snapshot
    people: People
    sessions: Sessions
    templates: Environment

    @classmethod
    def at(cls, store: StorePath, settings: Settings, state: State, people: People) -> BoardContext:
        """Create the context for a store."""
        sessions = Sessions(state, settings.board.session_hours)
        return cls(store, settings, state, Snapshot(store, state, settings), people, sessions, _templates())

    def page(self, request: Request, name: str, code: int = 200, **context: Any) -> Response:
        """Render a page, or only its inner part if a dialog requested it."""
        person = person_of(request, or_none=True)
        now = self.snapshot.now()
        run = now.run
        shared = {
            "person": person,
            "nav": NAV,
            "here": "",
            "signs_out": self.people.by_token and person is not None and not person.login,
            "run_id": run.run_id if run else "",
            "window": period(
                record(run.run_json.get("window")).get("start"), record(run.run_json.get("window")).get("end")
            )
            if run
            else "",
            "company": self.settings.report.company,
            "conversation_url": conversation_url(run.run_json) if run else "",
            "todo": counted(now)["todo"],
            "toast": self.toast(request, person),
            "inside": request.headers.get("hx-target") == "dialog-body",
            "address": request.url.path + (f"?{request.url.query}" if request.url.query else ""),
        }
        text = self.templates.get_template(f"board:{name}.html.jinja").render(shared | context)
        return HTMLResponse(text, code)

    def message_page(self, request: Request, code: int, heading: str, words: str) -> Response:
        """A page with a message; plain text if the store is unusable, so that no page can be rendered."""
        try:
            return self.page(request, "message", code, heading=heading, words=words)
        except StoreUnusable as error:
            return PlainTextResponse(f"{heading}. {words}\n{error}\n", 503)

    def actions_for(self, person: Person, gap: GapNow) -> list[str]:
        """The actions that a person may take on a gap now, in display order."""
        allowed_actions = [action for action in allowed(gap.status) if may(person, action, gap.owner_id)]
        ordered = sorted(allowed_actions, key=list(ACTIONS).index)
        if gap.life.undoable and may(person, "undo", gap.owner_id, decided_by=gap.life.who):
            ordered.append("undo")
        return ordered

    def toast(self, request: Request, person: Person | None) -> dict[str, Any] | None:
        """The confirmation of decisions just made (their ids are in the address), with what undo needs."""
        numbers = [
            number
            for part in request.query_params.get("done", "").split(",", 500)[:500]
            if (number := whole_number(part)) is not None
        ]
        if not numbers or person is None:
            return None
        now = self.snapshot.now()
        decisions = [decision for decision in self.snapshot.decisions(numbers[:500]) if decision.who == person.name]
        if not decisions:
            return None
        past_tense = ACTIONS[decisions[0].verb].past
        titles = [
            now.by_id[decision.gap_id].shown["title"] if decision.gap_id in now.by_id else decision.gap_id
            for decision in decisions
        ]
        undoable = [
            f"{decision.gap_id}:{decision.id}"
            for decision in decisions
            if decision.verb != "undo"
            and decision.gap_id in now.by_id
            and now.by_id[decision.gap_id].life.last == decision.id
        ]
        subject = quoted(titles[0]) if len(decisions) == 1 else plural(len(decisions), "gap")
        query = Query.of(request.query_params).text(page=1)
        sentence = f"{past_tense[0].upper()}{past_tense[1:]} {subject}."
        return {
            "words": sentence,
            "back": undoable,
            "to": gap_path(decisions[0].gap_id, query) if len(decisions) == 1 else f"/{query}",
        }


def context_of(request: Request) -> BoardContext:
    """The context of the board that received a request."""
    return request.app.state.board


def person_of(request: Request, or_none: bool = False) -> Person:
    """The person behind a request; ``Guard`` lets only signed-in people through."""
    person = request.scope.get("state", {}).get("person")
    if person is None and not or_none:
        raise LookupError("the guard lets nobody through without a person")
    return person


def local(path: str, done: Sequence[int] = (), other: str = "/") -> str:
    """An address on this board to go back to, with the decisions just made; ``other`` if it leads to another site."""
    parts = urlsplit(path)
    if parts.scheme or parts.netloc or not path.startswith("/") or path.startswith("//") or _odd(path):
        parts = urlsplit(other)
    query = [(key, value) for key, value in parse_qsl(parts.query) if key != "done"]
    if done:
        query.append(("done", ",".join(map(str, done))))
    address = parts.path + (f"?{urlencode(query, safe=',')}" if query else "")
    return address + (f"#{parts.fragment}" if parts.fragment else "")


def _odd(path: str) -> bool:
    return "\\" in path or any(ord(character) < 33 or ord(character) == 127 for character in path)


def forms(gaps: Iterable[GapNow]) -> list[str]:
    """Gaps as forms send them: ``gap_id:last_decision``, the last decision being the one that was displayed."""
    return [f"{gap.id}:{gap.life.last}" for gap in gaps]


def first(values: Mapping[str, Any], name: str) -> str:
    """A form field as text without surrounding blanks."""
    return str(values.get(name) or "").strip()
