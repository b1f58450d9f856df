"""Filtering, searching, sorting and paging of the backlog by the parameters of an address."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from functools import lru_cache
from itertools import chain
from typing import Any
from urllib.parse import urlencode

from lacuna.data_contracts.sent import whole_number
from lacuna.models.backlog.gap_kinds import GAP_KINDS, kind_label
from lacuna.models.backlog.lifecycle import UNDECIDED
from lacuna.pipelines.board.snapshot import GapNow, Now
from lacuna.pipelines.presentation.format import line
from lacuna.pipelines.report.view import STATUSES

__all__ = ["PAGE", "SORTS", "VIEWS", "Query", "choices", "counted", "matching_gaps", "neighbours"]

PAGE = 50
# Views group statuses by what is to be done about them.
VIEWS = {
    "todo": ("To decide", UNDECIDED),
    "work": ("In work", ("accepted", "drafting")),
    "published": ("Published", ("published", "verified")),
    "late": ("Overdue", (*UNDECIDED, "accepted", "drafting")),
    "small": ("Too small to act on", UNDECIDED),
    "closed": ("Put away", ("snoozed", "dismissed")),
    "all": ("All", tuple(STATUSES)),
}
SORTS = {
    "rank": "Rank",
    "-score": "Score",
    "-conversations": "Conversations",
    "-rate": "Conversations a week",
    "-fails": "Failures",
    "-cost": "Cost",
    "due": "Due",
    "title": "Title",
    "kind": "Kind",
    "status": "Status",
    "ownerName": "Owner",
}
_FILTERS = ("kind", "status", "owner", "product", "language", "topic")


@dataclass(frozen=True)
class Query:
    """The parameters of a backlog address as text; unknown values match no gap."""

    view: str = "todo"
    q: str = ""
    kind: str = ""
    status: str = ""
    owner: str = ""
    product: str = ""
    language: str = ""
    topic: str = ""
    sort: str = "rank"
    page: int = 1

    @classmethod
    def of(cls, parameters: Mapping[str, str]) -> Query:
        """Read the parameters of an address; unknown ones are ignored."""
        values: dict[str, Any] = {f.name: parameters[f.name][:200] for f in fields(cls) if parameters.get(f.name)}
        page = values.pop("page", "1")
        query = cls(**values, page=max(1, whole_number(page, 999_999) or 1))
        view = query.view if query.view in VIEWS else "todo"
        return replace(query, view=view, sort=query.sort if query.sort in SORTS else "rank")

    def text(self, **changes: Any) -> str:
        """The query string with changes and without default values: empty or ``?…``."""
        query = replace(self, **changes)
        defaults = Query()
        values = {f.name: getattr(query, f.name) for f in fields(Query)}
        encoded = urlencode({name: value for name, value in values.items() if value != getattr(defaults, name)})
        return f"?{encoded}" if encoded else ""

    @property
    def filtered(self) -> bool:
        """Whether a filter other than the view is set."""
        return any(getattr(self, name) for name in ("q", *_FILTERS))


def matching_gaps(gaps: Sequence[GapNow], query: Query) -> list[GapNow]:
    """The gaps that match a query, sorted; gaps without the sort value come last in both directions."""
    passing = [gap for gap in gaps if _passes(gap, query)]
    if query.sort == "rank":
        return passing  # as they come
    name = query.sort.removeprefix("-")
    with_value = [gap for gap in passing if gap.keys.get(name) is not None]
    with_value.sort(key=lambda gap: gap.keys[name], reverse=query.sort.startswith("-"))
    return with_value + [gap for gap in passing if gap.keys.get(name) is None]


def _passes(gap: GapNow, query: Query) -> bool:
    keys = gap.shown["keys"]
    # A status, a topic or a search asked for by name is looked for in all views.
    if not (query.status or query.q or query.topic) and not _in_view(keys, query.view):
        return False
    return (
        (not query.kind or keys["kind"] == query.kind)
        and (not query.status or keys["status"] == query.status)
        and (not query.owner or (keys["owner"] or "-") == query.owner)
        and (not query.product or query.product in keys["product"])
        and (not query.language or query.language in keys["language"])
        and (not query.topic or keys["topic"] == query.topic)
        and all(word in keys["find"] for word in query.q.lower().split())
    )


def _in_view(keys: Mapping[str, Any], view: str) -> bool:
    if keys["status"] not in VIEWS[view][1] or (keys["small"] and view in ("todo", "late")):
        return False
    return {"late": keys["overdue"] > 0, "small": keys["small"]}.get(view, True)


# Cached per state of the backlog, because every page needs it.
@lru_cache(maxsize=2)
def counted(now: Now) -> Mapping[str, int]:
    """The number of gaps in each view."""
    names = ("status", "overdue", "small")
    by_standing = Counter((gap.keys["status"], gap.due_date.overdue > 0, gap.keys["small"]) for gap in now.gaps)
    return {
        view: sum(
            count for values, count in by_standing.items() if _in_view(dict(zip(names, values, strict=True)), view)
        )
        for view in VIEWS
    }


@lru_cache(maxsize=2)
def choices(now: Now) -> Mapping[str, list[tuple[str, str]]]:
    """The choices of each filter as (value, label with its count)."""
    keys = [gap.shown["keys"] for gap in now.gaps]
    counts: dict[str, Counter[str]] = {
        "kind": Counter(key["kind"] for key in keys),
        "status": Counter(key["status"] for key in keys),
        "owner": Counter(key["owner"] or "-" for key in keys),
        "product": Counter(chain.from_iterable(key["product"] for key in keys)),
        "language": Counter(chain.from_iterable(key["language"] for key in keys)),
    }
    names = {"-": "No owner", **now.owner_names}
    label: dict[str, Callable[[str], str]] = {
        "kind": kind_label,
        "status": lambda value: STATUSES.get(value, value),
        "owner": lambda value: names.get(value, value),
        "language": str.upper,
    }
    order: dict[str, Callable[[str], Any]] = {
        "kind": lambda value: (list(GAP_KINDS).index(value) if value in GAP_KINDS else 99, value),
        "status": lambda value: (list(STATUSES).index(value) if value in STATUSES else 99, value),
        "owner": lambda value: (value != "-", names.get(value, value).lower(), value),
    }
    return {
        name: [
            (value, f"{line(label.get(name, str)(value), 60)} ({count:,})")
            for value, count in sorted(values.items(), key=lambda item: order.get(name, str.lower)(item[0]))
        ]
        for name, values in counts.items()
    }


def neighbours(listed: Sequence[GapNow], gap: GapNow) -> tuple[int | None, GapNow | None, GapNow | None]:
    """A gap's position in a list, from 1, and its neighbours; for a gap outside the list, None and those near it."""
    at = next((place for place, other in enumerate(listed) if other.id == gap.id), None)
    if at is None:
        rank = gap.keys["rank"] or 0
        after = next((place for place, other in enumerate(listed) if (other.keys["rank"] or 0) > rank), len(listed))
        return None, listed[after - 1] if after else None, listed[after] if after < len(listed) else None
    return at + 1, listed[at - 1] if at else None, listed[at + 1] if at + 1 < len(listed) else None
