"""What reviewers' decisions say about the backlog: of the gaps they judged, how many were right."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import log

from lacuna.models.backlog.lifecycle import Decision, in_force
from lacuna.models.metrics.intervals import wilson

__all__ = ["WRONG", "Precision", "by_kind", "overall", "stricter_by", "verdict_of"]

WRONG = ("not_a_gap", "not_content")  # reasons to dismiss that say that the verdict was wrong; others say nothing
_RIGHT = ("accept", "draft", "publish", "verify")

EXPECTED, EXPECTED_WEIGHT = 0.8, 10.0  # share of right gaps that the thresholds were set for, and its weight in gaps


@dataclass(frozen=True)
class Precision:
    """Of ``judged`` gaps of a kind, ``right`` were right: the share, with its interval (Wilson 1927)."""

    kind: str
    judged: int
    right: int
    rate: float
    low: float
    high: float

    def in_words(self) -> str:
        """In words, for example "of 23 judged missing gaps 19 were right: 83 % (95 % interval 63–93 %)"."""
        kind = f"{self.kind} " if self.kind else ""
        gaps, were = ("gap", "gaps")[self.judged != 1], ("was", "were")[self.right != 1]
        rate, low, high = (f"{share * 100:.0f}" for share in (self.rate, self.low, self.high))
        return (
            f"of {self.judged:,} judged {kind}{gaps} {self.right:,} {were} right:"
            f" {rate} % (95 % interval {low}–{high} %)"
        )


def verdict_of(decisions: Sequence[Decision]) -> tuple[str, bool] | None:
    """The kind that was judged of one gap, and whether it was right; None where nothing in force judges it.

    Accepting, drafting and publishing say that it was right, dismissing it for a reason of :data:`WRONG` that it was
    not; the last word counts. Reopening what was dismissed takes that word back.

    Examples
    --------
    >>> from datetime import datetime
    >>> said = Decision(1, "g-1", datetime(2024, 7, 1), "ada", "accept", kind="missing")
    >>> verdict_of([said])
    ('missing', True)
    """
    found = None
    for said in in_force(decisions):
        if said.verb in _RIGHT:
            found = said.kind, True
        elif said.verb == "dismiss" and said.payload.get("reason") in WRONG:
            found = said.kind, False
        elif said.verb == "reopen" and found is not None and not found[1]:
            found = None
    return None if found is None or found[0] is None else (found[0], found[1])


def by_kind(decisions: Mapping[str, Sequence[Decision]], confidence: float = 0.95) -> list[Precision]:
    """The precision of each kind of which gaps were judged, by kind; ``decisions`` are those of each gap, by its id."""
    counts: dict[str, list[int]] = {}
    for said in decisions.values():
        verdict = verdict_of(said)
        if verdict is not None:
            of = counts.setdefault(verdict[0], [0, 0])
            of[0] += 1
            of[1] += verdict[1]
    return [_precision(kind, judged, right, confidence) for kind, (judged, right) in sorted(counts.items())]


def overall(kinds: Iterable[Precision], confidence: float = 0.95) -> Precision | None:
    """The precision over all kinds; None where no gap was judged."""
    found = list(kinds)
    judged = sum(kind.judged for kind in found)
    return _precision("", judged, sum(kind.right for kind in found), confidence) if judged else None


def stricter_by(judged: int, right: int) -> float:
    """How much more log-likelihood a kind's evidence must have, where reviewers found fewer of its gaps right.

    Posterior odds are prior odds times the likelihood ratio (Bayes), so what the prior odds lack against
    :data:`EXPECTED` the evidence has to make up for. A kind that was right more often than that keeps its thresholds:
    what lies below them was never shown to anybody.

    Examples
    --------
    >>> stricter_by(0, 0), round(stricter_by(10, 4), 2), stricter_by(10, 10)
    (0.0, 0.98, 0.0)
    """
    share = (right + EXPECTED * EXPECTED_WEIGHT) / (judged + EXPECTED_WEIGHT)
    return max(0.0, log(EXPECTED / (1 - EXPECTED)) - log(share / (1 - share)))


def _precision(kind: str, judged: int, right: int, confidence: float) -> Precision:
    low, high = wilson(right, judged, confidence)
    return Precision(kind, judged, right, right / judged, float(low), float(high))
