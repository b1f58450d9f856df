"""The kinds of gaps: all that differs from kind to kind but the rule that finds it and what its draft shows.

To add a kind: an entry here, its name among those that `data_contracts/tables/…/backlog.toml` allows, a rule in
:mod:`models.diagnosis.rules`, and, where its draft needs a chapter of its own, that in `pipelines/drafts/text.py`.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["GAP_KINDS", "GapKind", "kind_label", "kind_meaning"]


@dataclass(frozen=True)
class GapKind:
    """What people are told of a kind, and how often an article mends it.

    Parameters
    ----------
    name
        As in the contract, for example ``missing``.
    label
        As people read it.
    meaning
        What is wrong, as a sentence.
    fixable
        Share of such gaps that an article closes, 0 to 1, before reviewers' verdicts are known.
    headline
        The gap's title, of ``{topic}`` and ``{article}`` (titles), and ``{other}``, which only contradictory gaps have.
    task
        What the writer has to do, as a heading.
    questions
        What the writer asks somebody who knows; ``{topic}`` is what it is about.
    light, dark
        Colours of text and ground on a light and on a dark page; each pair reaches a contrast of 4.5:1.
    """

    name: str
    label: str
    meaning: str
    fixable: float
    headline: str
    task: str
    questions: tuple[str, ...]
    light: tuple[str, str]
    dark: tuple[str, str]


# In the order in which people read them.
_KINDS = (
    GapKind(
        name="missing",
        label="Missing",
        meaning="No article answers it.",
        fixable=0.7,
        headline="{topic}",
        task="Write the article",
        questions=("What should a customer do about “{topic}”, step by step?",),
        light=("#9f1239", "#fde8ec"),
        dark=("#ffb1bf", "#45202a"),
    ),
    GapKind(
        name="stale",
        label="Stale",
        meaning="An article answered it, and no longer does.",
        fixable=0.8,
        headline="Update “{article}”",
        task="Bring the article up to date",
        questions=("What changed, and since when?", "Which sentence of the article is wrong now, and what is right?"),
        light=("#7c4a03", "#fcefcf"),
        dark=("#f2cf80", "#3d3110"),
    ),
    GapKind(
        name="incomplete",
        label="Incomplete",
        meaning="An article answers part of it.",
        fixable=0.6,
        headline="Extend “{article}”: {topic}",
        task="Add what the article leaves out",
        questions=("Which of the questions below does the article leave open?",),
        light=("#1d4f9e", "#e4edfb"),
        dark=("#aecdff", "#1e3353"),
    ),
    GapKind(
        name="contradictory",
        label="Contradictory",
        meaning="Articles or agents disagree.",
        fixable=0.7,
        headline="Settle “{article}” against “{other}”",
        task="Settle what is right, and say it once",
        questions=("Which of the answers is right?", "Who decides, and where is it written down?"),
        light=("#6b21a8", "#f3e8fd"),
        dark=("#debdff", "#392550"),
    ),
    GapKind(
        name="unfindable",
        label="Unfindable",
        meaning="An article answers it, and the bot or search does not reach it.",
        fixable=0.6,
        headline="Make “{article}” findable: {topic}",
        task="Make the article reachable in customers' words",
        questions=("What do customers call this?", "Which other articles should lead here?"),
        light=("#0f5c55", "#daf1ed"),
        dark=("#8de2d4", "#153a36"),
    ),
)
GAP_KINDS: dict[str, GapKind] = {kind.name: kind for kind in _KINDS}


def kind_label(name: str) -> str:
    """A kind as people read it; one that is not known is shown by its name.

    Examples
    --------
    >>> kind_label("missing"), kind_label("broken"), kind_label("")
    ('Missing', 'Broken', 'Unknown')
    """
    return GAP_KINDS[name].label if name in GAP_KINDS else name.capitalize() or "Unknown"


def kind_meaning(name: str) -> str:
    """What is wrong in a gap of a kind, as a sentence; empty where the kind is not known."""
    return GAP_KINDS[name].meaning if name in GAP_KINDS else ""
