"""The traces of forgotten conversations: ids, question keys and words; found in any value and taken out of it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from lacuna.data_contracts.ids import without_address
from lacuna.models.forgetting.words import MARK, OwnWords

__all__ = ["GONE", "Traces", "holds_ids", "ids_as_known", "keeping_form", "known_as", "owner_of", "texts_with_owner"]

_TOKEN = re.compile(r"[\w-]+")
_DRAFT = re.compile(r"drafts/\S+\.md")
_OF_OTHERS = re.compile(r"(article|author|cluster|customer|gap|owner|run|subtopic|topic)_ids?$")
JOINED = "; "  # as sheets join lists
_SHORT = 4  # letters; an id below that may be any word, and one of digits below _SHORT_NUMBER any figure
_SHORT_NUMBER = 5


class _Gone:
    """What stands in place of a record that is a conversation's own."""


GONE = _Gone()


def known_as(conversation_id: object) -> str:
    """The id by which runs know a conversation: one that is an e-mail address is replaced by a hash."""
    return without_address(str(conversation_id).strip())


@dataclass
class Traces:
    """What is looked for.

    Attributes
    ----------
    ids
        Of the conversations, as runs know them, and as they were named.
    keys
        Keys of their questions, in the registry of topics, that no other conversation has.
    words
        Their own words.
    removed
        How many records and texts :meth:`without` has removed or changed so far.
    """

    ids: frozenset[str]
    keys: set[str] = field(default_factory=set)
    words: OwnWords = field(default_factory=OwnWords)
    removed: int = 0

    def __post_init__(self) -> None:
        told = self._telling = frozenset(one for one in self.ids if is_telling(one))
        self._tokens = frozenset(one for one in told if _TOKEN.fullmatch(one))
        others = sorted({form for one in told - self._tokens for form in (one, quote(one, safe=""))}, key=len)
        pattern = "|".join(re.escape(one) for one in reversed(others))
        self._others = re.compile(rf"(?<![\w-])(?:{pattern})(?![\w-])") if others else None

    def owns(self, conversation_id: object) -> bool:
        """Whether this is the id of one of the conversations."""
        return conversation_id is not None and known_as(conversation_id) in self.ids

    def names_one(self, text: str) -> bool:
        """Whether a text names one of the conversations by an id that can't be anything else."""
        if self._tokens and any(token.group() in self._tokens for token in _TOKEN.finditer(text)):
            return True
        return self._others is not None and self._others.search(text) is not None

    def held_by(self, text: str) -> bool:
        """Whether a text holds an id or words of theirs."""
        return self.names_one(text) or self.words.found(text)

    def without(self, value: Any, name: str = "", others: bool = False) -> Any:
        """A value of JSON without their records, ids and words; the same object where nothing of it goes.

        Parameters
        ----------
        value
            Any value.
        name
            The name of the field that holds it: where it is one of ids, short ids count too.
        others
            Whether another conversation says it: then its words stay.

        Returns
        -------
        object
            :data:`GONE` for a record that is theirs as a whole.
        """
        if isinstance(value, str):
            after = self._text(value, name, others)
            self.removed += after != value
            return value if after == value else after
        if isinstance(value, Mapping):
            after = self._record(value, others)
            self.removed += after is GONE
            return after
        if isinstance(value, list | tuple):
            return self._list(list(value), value, name, others)
        return value

    def _text(self, text: str, name: str, others: bool) -> str:
        if name == "payload" and text.startswith("{"):  # of a decision or an edit, as a run publishes it
            payload = json.loads(text)
            after = keeping_form(payload, self.without(payload))
            return text if after == payload else json.dumps(after, ensure_ascii=False, sort_keys=True)
        if _DRAFT.fullmatch(text):  # a path: what marks words elsewhere can't stand in it
            return self.words.without(text).replace(MARK, "forgotten")
        if self.keys and text in self.keys:
            return ""
        if holds_ids(name):  # one, or several that a sheet has joined
            kept = [one for one in text.split(JOINED) if not self.owns(one)]
            return JOINED.join(kept)
        if _OF_OTHERS.search(name):
            return text
        without_words = text if others else self.words.without(text)
        return self._without_ids(without_words)

    def _without_ids(self, text: str) -> str:
        if self._tokens:
            text = _TOKEN.sub(lambda token: MARK if token.group() in self._tokens else token.group(), text)
        return self._others.sub(MARK, text) if self._others else text

    def _record(self, record: Mapping[Any, Any], others: bool) -> Any:
        owner = owner_of(record)
        if (owner is not None and self.owns(owner)) or self._is_id(record.get("id")):
            return GONE
        changed: dict[Any, Any] = {}
        for key, value in record.items():
            if self._is_id(key):
                changed[key] = GONE
                continue
            after = self.without(value, str(key), others or owner is not None)
            if after is GONE:  # a record in a record: its fields stay, empty
                after = dict.fromkeys(value, "")
            if after is not value and after != value:
                changed[key] = after
            if holds_ids(str(key)) and isinstance(value, list | tuple) and len(value) and not len(after):
                return GONE  # nobody else says it
        if not changed:
            return record
        return {key: changed.get(key, value) for key, value in record.items() if changed.get(key) is not GONE}

    def _list(self, values: list[Any], given: Any, name: str, others: bool) -> Any:
        after = []
        for one in values:
            if isinstance(one, str) and (self.owns(one) if holds_ids(name) else self._goes(one, name)):
                continue
            without = self.without(one, name, others)
            if without is not GONE:
                after.append(without)
        return given if len(after) == len(values) and all(a is b for a, b in zip(after, values, strict=True)) else after

    def _is_id(self, value: object) -> bool:
        return isinstance(value, str) and value in self._telling

    def _goes(self, value: str, name: str) -> bool:
        """Whether an element of a list is a question's key, or an id though the list's name doesn't say so."""
        return value in self.keys or (self._is_id(value) and not _OF_OTHERS.search(name))


def keeping_form(before: Any, after: Any) -> Any:
    """A value whose readers rely on its form: of a record that is gone, the fields stay, empty."""
    if after is GONE:
        return dict.fromkeys(before, "")
    if isinstance(before, dict) and isinstance(after, dict):
        return {
            name: _padded(value, after.get(name)) if name == "examples" else after.get(name, "")
            for name, value in before.items()
        }
    return after


def _padded(before: Any, after: Any) -> Any:
    if not isinstance(before, list) or not isinstance(after, list):
        return after
    return [*after, *(dict.fromkeys(one, "") for one in before[len(after) :])]


def is_telling(conversation_id: str) -> bool:
    """Whether an id, met in the middle of a text, can't well be anything else."""
    if conversation_id.isdecimal():
        return len(conversation_id) >= _SHORT_NUMBER
    return len(conversation_id) >= _SHORT


def owner_of(record: Mapping[Any, Any]) -> str | None:
    """The conversation that a record is of; None for what is of none, or of many."""
    owner = record.get("conversation_id")
    if owner is None and record.get("kind") == "question":  # of the texts that are searched
        owner = record.get("id")
    if owner is None and isinstance(record.get("record"), str):  # a row that was rejected
        owner = _owner_in(record["record"])
    return None if owner is None or owner == "" or owner != owner else known_as(owner)


def _owner_in(text: str) -> str | None:
    if not text.startswith("{"):
        return None
    try:
        record = json.loads(text)
    except ValueError:
        return None
    return owner_of(record) if isinstance(record, dict) else None


def texts_with_owner(value: Any, owner: str | None = None, name: str = "") -> Iterator[tuple[str | None, str, str]]:
    """Every text in a value of JSON with the conversation that says it, None where nothing tells, and its field."""
    if isinstance(value, str):
        yield owner, name, value
    elif isinstance(value, Mapping):
        inner = owner_of(value) or owner
        for key, one in value.items():
            yield from texts_with_owner(one, inner, str(key))
    elif isinstance(value, list | tuple):
        for one in value:
            yield from texts_with_owner(one, owner, name)


def holds_ids(name: str) -> bool:
    """Whether a field of this name holds ids of conversations."""
    return name.endswith(("conversation_id", "conversation_ids", "replacement_ids"))


def ids_as_known(ids: Iterable[str]) -> frozenset[str]:
    """The ids, and those by which runs know the same conversations."""
    named = set(ids)
    return frozenset(named | {known_as(one) for one in named})
