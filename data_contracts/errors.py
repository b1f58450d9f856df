"""The errors that Lacuna raises on purpose: one base, one class a situation, each with what to do about it."""

# ruff: noqa: N818 - each error is named after its situation
from __future__ import annotations

__all__ = [
    "BundleUnreadable",
    "ContractBroken",
    "DecidedMeanwhile",
    "DecisionInvalid",
    "LacunaError",
    "NoSuchGap",
    "NoSuchTopic",
    "NotAllowed",
    "NotDelivered",
    "NothingToMine",
    "Refused",
    "RunUnreadable",
    "SettingsInvalid",
    "SourceUnreadable",
    "StoreUnusable",
    "TableUndeclared",
    "TableWrong",
    "TagInvalid",
    "WorkerUnfit",
]


class LacunaError(Exception):
    """A problem that a user can act on.

    Parameters
    ----------
    problem
        What is wrong, naming the thing (table, column, file, setting).
    remedy
        What to do about it; may be empty.

    Examples
    --------
    >>> print(LacunaError("no table 'articles' in the bundle", "add articles.csv"))
    no table 'articles' in the bundle
      → add articles.csv
    """

    exit_code: int = 2

    def __init__(self, problem: str, remedy: str = "") -> None:
        super().__init__(problem, remedy)
        self.problem = problem
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.problem}\n  → {self.remedy}" if self.remedy else self.problem


class ContractBroken(LacunaError):
    """The input misses a table or column, or too many of a table's rows break its contract."""


class BundleUnreadable(LacunaError):
    """The bundle, or a file in it, can't be opened or is not what its name says."""


class NothingToMine(LacunaError):
    """Nothing is left to mine: no conversations at all, or none in the window."""


class SettingsInvalid(LacunaError):
    """A setting is unknown, of the wrong type or out of range."""


class SourceUnreadable(LacunaError):
    """A source of conversations can't be reached, refuses, or answers otherwise than it is documented to.

    ``is_lasting`` says that asking again later does not help.
    """

    is_lasting = False


class StoreUnusable(LacunaError):
    """The store can't be read or written: missing rights, a full disk, a path that is not a folder."""


class RunUnreadable(StoreUnusable):
    """A file of a published run is missing or damaged."""


class WorkerUnfit(LacunaError):
    """A worker has another version of Lacuna, or of the embedding model, than the run was planned with."""


class DecisionInvalid(LacunaError):
    """A decision can't be read: an unknown verb or reason, a day that is none, a field that is missing.

    ``field`` says which field of the decision it is about.
    """

    def __init__(self, problem: str, remedy: str = "", field: str = "decision") -> None:
        super().__init__(problem, remedy)
        self.field = field


class NotAllowed(LacunaError):
    """A gap of this status does not take this verb; a topic does not take this edit."""


class NoSuchGap(LacunaError):
    """No run has recorded a gap of this id or rank."""


class NoSuchTopic(LacunaError):
    """No run has seen a topic of this id."""


class DecidedMeanwhile(LacunaError):
    """Another person has decided on the gap, or edited the topic, since it was shown: nothing was changed."""


class NotDelivered(LacunaError):
    """A message of the digest did not reach whom it was for."""


class TagInvalid(LacunaError):
    """A tag on a bot's answer can't be read: an unknown outcome, or no conversation."""


class Refused(LacunaError):
    """A person's role does not allow what they asked for."""


class TableWrong(LacunaError):
    """A step wrote a table that is not as it is declared: a fault of the code, found before another step reads it."""

    exit_code = 70


class TableUndeclared(TableWrong):
    """A step wrote, or asked for, a table that no file declares."""
