"""The seven steps of a run, in order: a folder each, with its functions in ``step.py``; and the parts of each step.

Importing this imports no step: a DAG file needs the names alone.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lacuna.pipelines.runtime.job import Job

__all__ = ["PARTS", "STEPS", "Kept", "Part", "Step", "part_named", "parts_of", "step_named"]

Step = Callable[["Job"], None]
STEPS = ("load", "redact", "understand", "measure", "diagnose", "rank", "publish")


@dataclass(frozen=True)
class Kept:
    """What a part makes of a shard, and all that this depends on.

    Where nothing of it has changed since an earlier run, what was made then is used again
    (:mod:`pipelines.runtime.kept_results`).

    Attributes
    ----------
    results
        The tables that the part writes, a shard each.
    tables
        The tables of which it reads the shard's own rows, each with the columns that it reads; none for all of them.
    documents
        The JSON documents that it reads.
    also
        Functions in the step's ``step.py`` that take job and shard and give, as a frame, what else it reads.
    settings
        The sections of settings that it reads; with ``embedder``, the embedder's version counts too.
    documents_written
        The JSON documents that it writes, one a shard each.
    holds
        A function in ``step.py`` that takes the job and these documents, as an earlier run wrote them, and says
        whether its results hold for this run too; they do wherever this is empty.
    """

    results: tuple[str, ...]
    tables: tuple[tuple[str, tuple[str, ...]], ...]
    documents: tuple[str, ...] = ()
    also: tuple[str, ...] = ()
    settings: tuple[str, ...] = ()
    documents_written: tuple[str, ...] = ()
    holds: str = ""


@dataclass(frozen=True)
class Part:
    """A part of a step: a function that is performed once, or once for each shard of a table, in any order.

    Attributes
    ----------
    step
        The step.
    name
        The function's name in the step's ``step.py``. It takes the job; and the name of a shard too, where
        ``by_shards_of`` is given.
    by_shards_of
        The table whose shards it works on; None for a part that is performed once.
    kept
        What is kept for later runs; None for a part that is performed in every run.
    """

    step: str
    name: str
    by_shards_of: str | None = None
    kept: Kept | None = None

    @property
    def function(self) -> Callable[..., None]:
        """The function itself."""
        function: Callable[..., None] = self.beside(self.name)
        return function

    def beside(self, name: str) -> Callable[..., Any]:
        """A function in the step's ``step.py``."""
        function: Callable[..., Any] = getattr(import_module(f"lacuna.pipelines.steps.{self.step}.step"), name)
        return function


MESSAGES_REDACTED = Kept(
    results=("redact/messages",),
    tables=(("load/messages", ()),),
    documents=("redact/phone_regions",),
    also=("names_to_redact", "product_words"),
    settings=("privacy",),
    documents_written=("redact/counts/messages", "redact/words_used"),
    holds="same_words",
)
MESSAGES_READ = Kept(
    results=("understand/questions", "understand/message_facts", "understand/follow_ups"),
    tables=(("load/conversations", ("conversation_id", "language")), ("redact/messages", ())),
    documents=("understand/stock_text",),
)
ARTICLES_MATCHED = Kept(
    results=("understand/vectors", "understand/match"),
    tables=(
        ("understand/questions", ()),
        ("understand/message_facts", ("conversation_id", "cited", "agent_cited")),
        ("redact/messages", ("conversation_id", "position", "role", "text")),
    ),
    documents=("understand/usual_scores",),
    also=("matched_articles",),
    settings=("embedder",),
)
PARTS = (
    Part("load", "load"),
    Part("redact", "hash_texts", "load/messages"),
    Part("redact", "choose_texts"),
    Part("redact", "count_words", "load/messages"),
    Part("redact", "learn_lexicon"),
    Part("redact", "show_names", "load/messages"),
    Part("redact", "share_names"),
    Part("redact", "redact_messages", "load/messages", MESSAGES_REDACTED),
    Part("redact", "redact_others"),
    Part("understand", "learn_stock_text"),
    Part("understand", "read_messages", "redact/messages", MESSAGES_READ),
    Part("understand", "write_facts"),
    Part("understand", "match_articles", "understand/questions", ARTICLES_MATCHED),
    Part("understand", "find_topics"),
    Part("understand", "assign_topics", "understand/questions"),
    Part("understand", "check_assignments"),
    Part("measure", "measure"),
    Part("diagnose", "diagnose"),
    Part("rank", "rank"),
    Part("publish", "publish"),
)


def parts_of(step: str) -> tuple[Part, ...]:
    """The parts of a step, in order."""
    return tuple(part for part in PARTS if part.step == step)


def part_named(step: str, name: str) -> Part:
    """A part by its step and its name."""
    return next(part for part in parts_of(step) if part.name == name)


def step_named(name: str) -> Step:
    """The function of a whole step, by its name in :data:`STEPS`."""
    function: Step = getattr(import_module(f"lacuna.pipelines.steps.{name}.step"), name)
    return function
