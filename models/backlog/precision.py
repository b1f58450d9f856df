"""The precision of the backlog: of the gaps that reviewers judged, how many were right."""

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
    """The kind of one gap when it was judged, and whether it was right; None where no decision in force judges it.

    Accepting, drafting, publishing and verifying count as right, dismissing for a reason of :data:`WRONG` as wrong; the
    last judgement counts. Reopening a gap that was judged wrong takes that judgement back.

    Examples
    --------
    >>> from datetime import datetime
    >>> accepted = Decision(1, "g-1", datetime(2024, 7, 1), "ada", "accept", kind="missing")
    >>> verdict_of([accepted])
    ('missing', True)
    """
    verdict = None
    for decision in in_force(decisions):
        if decision.verb in _RIGHT:
            verdict = decision.kind, True
        elif decision.verb == "dismiss" and decision.payload.get("reason") in WRONG:
            verdict = decision.kind, False
        elif decision.verb == "reopen" and verdict is not None and not verdict[1]:
            verdict = None
    return None if verdict is None or verdict[0] is None else (verdict[0], verdict[1])


def by_kind(decisions: Mapping[str, Sequence[Decision]], confidence: float = 0.95) -> list[Precision]:
    """The precision of each kind that has judged gaps, ordered by kind; ``decisions`` are listed by gap id."""
    counts: dict[str, list[int]] = {}
    for of_gap in decisions.values():
        verdict = verdict_of(of_gap)
        if verdict is not None:
            of = counts.setdefault(verdict[0], [0, 0])
            of[0] += 1
            of[1] += verdict[1]
    return [_precision(kind, judged, right, confidence) for kind, (judged, right) in sorted(counts.items())]


def overall(kinds: Iterable[Precision], confidence: float = 0.95) -> Precision | None:
    """The precision over all kinds; None where no gap was judged."""
    of_kinds = list(kinds)
    judged = sum(kind.judged for kind in of_kinds)
    return _precision("", judged, sum(kind.right for kind in of_kinds), confidence) if judged else None


def stricter_by(judged: int, right: int) -> float:
    """The extra log-likelihood that a kind's evidence must have where its gaps were right less often than expected.

    Posterior odds are prior odds times the likelihood ratio (Bayes), so evidence must make up for prior odds below
    those of :data:`EXPECTED`. A kind that was right more often keeps its thresholds, because gaps below them were never
    shown to reviewers.

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
