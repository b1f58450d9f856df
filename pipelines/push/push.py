"""Push drafts to a target, and read back which of them people have published.

A gap has one draft in a target. A second push changes nothing; a draft that has changed replaces the one there, unless
a person has edited that since: what somebody wrote is never overwritten unasked.
"""

from __future__ import annotations

import difflib
import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from lacuna.data_contracts.errors import NotAllowed
from lacuna.models.backlog.lifecycle import WAITING
from lacuna.pipelines.drafts.copies import listed
from lacuna.pipelines.drafts.front_matter import values
from lacuna.pipelines.gaps.decisions import decide, standing
from lacuna.pipelines.push.target import Draft, Remote, Target
from lacuna.pipelines.state.pushes import Push, pushed, remember_push
from lacuna.pipelines.state.repository import State

__all__ = ["Planned", "plan_push", "push_drafts", "read_published"]

WHO = "push"
_HEAD = re.compile(r"\A---\n.*?\n---\n", re.DOTALL)
_HEADING = re.compile(r"\A\s*#[^\n]*\n")


@dataclass(frozen=True)
class Planned:
    """What becomes of a gap's draft.

    Attributes
    ----------
    draft
        The draft.
    state
        ``new``, ``changed``, ``unchanged``, ``edited`` (a person changed it in the target), ``published``, or ``gone``
        (somebody deleted it there).
    diff
        The lines that differ from what is in the target; empty where there is nothing to compare with.
    url
        Where it is in the target; empty where it is not there, or has no address.
    remote_id
        Its id in the target; empty where it is not there.
    """

    draft: Draft
    state: str
    diff: str = ""
    url: str = ""
    remote_id: str = ""


def plan_push(
    target: Target, state: State, run: Path, backlog: Sequence[Mapping[str, Any]], gap_id: str | None = None
) -> list[Planned]:
    """What a push would do; nothing is sent.

    Parameters
    ----------
    target
        Where to.
    state
        The state database, which knows what was pushed before.
    run, backlog
        The run's folder, and its rows as they stand now.
    gap_id
        This gap alone; by default all that wait for a writer.
    """
    before = pushed(state, target.name)
    copies = [copy for copy in listed(run, backlog) if copy.path and gap_id in (None, copy.gap_id)]
    articles = {str(row["gap_id"]): row.get("article_id") for row in backlog}
    texts = [(copy, copy.path.read_text(encoding="utf-8")) for copy in copies if copy.path]
    drafts = [
        Draft(copy.gap_id, _title(copy.title, text), _body(text), articles.get(copy.gap_id)) for copy, text in texts
    ]
    return [_planned(target, draft, before.get(draft.gap_id)) for draft in drafts]


def push_drafts(target: Target, state: State, planned: Sequence[Planned], overwrite: bool = False) -> list[Planned]:
    """Send what is new and what has changed; with ``overwrite``, what people edited in the target too.

    Gives what was sent. Each draft is remembered as soon as it is there, so that a push that was interrupted goes on.
    """
    before, sent = pushed(state, target.name), []
    for seen in planned:
        earlier = before.get(seen.draft.gap_id)
        # Looked at again: somebody may have edited or published it since it was planned.
        one = seen if seen.state == "new" and earlier is None else _planned(target, seen.draft, earlier)
        if one.state not in (("new", "changed", "edited") if overwrite else ("new", "changed")):
            continue
        gap_id, draft_hash = one.draft.gap_id, _hash(f"{one.draft.title}\n{one.draft.text}")
        if one.remote_id:
            remote_id = one.remote_id
            target.update(remote_id, one.draft)
        else:
            remote_id = target.create(one.draft)
            remember_push(state, Push(gap_id, target.name, remote_id, "", draft_hash, ""))
        remote = target.read(remote_id) or Remote(remote_id, "", "", False)
        remember_push(state, Push(gap_id, target.name, remote_id, remote.url, draft_hash, _hash(remote.text)))
        if earlier is None:
            decide(state, gap_id, "note", WHO, why=f"The draft is in {target.name}: {remote.url or remote_id}")
        sent.append(Planned(one.draft, one.state, one.diff, remote.url, remote_id))
    return sent


def read_published(target: Target, state: State, only: str | None = None) -> list[str]:
    """Close the gaps whose draft people have published in the target, all or one; gives their ids."""
    closed = []
    for gap_id, push in sorted(pushed(state, target.name).items()):
        if only not in (None, gap_id):
            continue
        remote = target.read(push.remote_id)
        if remote is None or not remote.is_published or standing(state, gap_id)[0] not in WAITING:
            continue
        why = f"published in {target.name}: {remote.url or push.remote_id}"
        try:
            decide(state, gap_id, "publish", WHO, why=why, payload={"on": datetime.now(UTC).date().isoformat()})
        except NotAllowed:  # somebody has decided otherwise meanwhile
            continue
        closed.append(gap_id)
    return closed


def _planned(target: Target, draft: Draft, before: Push | None) -> Planned:
    remote = target.existing(draft) if before is None else target.read(before.remote_id)
    if remote is None:
        return Planned(draft, "new") if before is None else Planned(draft, "gone", url=before.url)
    if remote.is_published:
        return Planned(draft, "published", url=remote.url)
    diff = _diff(remote.text, f"{draft.title}\n{draft.text}")
    # What is there and not remembered may be a person's. An empty hash is of a draft that was made and not read back.
    if before is None or before.remote_hash not in ("", _hash(remote.text)):
        return Planned(draft, "edited", diff, remote.url, remote.remote_id)
    is_changed = _hash(f"{draft.title}\n{draft.text}") != before.draft_hash or not before.remote_hash
    state = "changed" if is_changed else "unchanged"
    return Planned(draft, state, diff if is_changed else "", remote.url, remote.remote_id)


def _title(title: str, text: str) -> str:
    """The question that a draft answers, as its article's title, unless somebody has given the gap another title."""
    head = values(text)
    return str(head["question"]) if head.get("question") and head.get("title") == title else title


def _body(text: str) -> str:
    """A draft's text without its front matter and its heading, which is the title."""
    return _HEADING.sub("", _HEAD.sub("", text)).strip()


def _diff(there: str, here: str) -> str:
    from lacuna.pipelines.sources.fields import text_and_links

    there = _HEAD.sub("", there)
    lines = text_and_links(there)[0].splitlines() if "<" in there and "</" in there else there.splitlines()
    compared = difflib.unified_diff(lines, here.splitlines(), "in the target", "the draft", n=1, lineterm="")
    return "\n".join(compared)


def _hash(text: str) -> str:
    return hashlib.sha256(text.strip().encode("utf-8", "surrogatepass")).hexdigest()[:16]
