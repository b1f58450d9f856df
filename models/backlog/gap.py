"""A gap of the knowledge base: the one definition of its fields.

To add a field: write it here, with its type, meaning and unit, and where it goes; compute it in
`pipelines/steps/rank/step.py`; run ``make docs``, which writes the contract's columns
(`data_contracts/tables/outputs/backlog.toml`) and the catalogue anew. JSON lines, Parquet, CSV and the API have it
then, and the workbook and the state database where it says so.

A field without a default is required: the contract lets no run publish a gap without it. Give a new one a default, so
that runs of earlier versions can be read. A field that is renamed keeps its old name as ``alias`` for one version.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from lacuna.data_contracts.errors import StoreUnusable
from lacuna.models.backlog.gap_fields import Sheet, column, gap_fields
from lacuna.models.backlog.gap_records import (
    AgentStep,
    Answered,
    Carried,
    ChangePoint,
    Example,
    FoundAs,
    NearestArticle,
    Passage,
    PlannedSentence,
    Query,
    Quote,
    SimilarGap,
    Surge,
    Trend,
    Week,
)
from lacuna.models.backlog.small_gaps import is_folded

__all__ = ["Gap"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """One knowledge gap: a subject that customers ask about and that the articles do not answer well enough.

    The fields say what they hold; :func:`models.backlog.gap_fields.column` says what each tells of itself. Two sets of
    conversations are told apart: those *in the gap*, whose answer probably failed, and all those *about it*.
    """

    gap_id: str = field(
        metadata=column("the same gap keeps it from run to run", sheet=Sheet(33, "Gap id", 14), remembered=True)
    )
    rank: int = field(metadata=column("from 1", sheet=Sheet(1, "Rank", 6, "whole"), remembered=True))
    kind: str = field(
        metadata=column(
            "missing, stale, incomplete, contradictory or unfindable", sheet=Sheet(4, "Kind", 14), remembered=True
        )
    )
    status: str = field(
        metadata=column("where the gap stands in its life", sheet=Sheet(5, "Status", 11), remembered=True)
    )
    title: str = field(
        metadata=column("a title that a writer could use", sheet=Sheet(6, "Title", 46, "strong"), remembered=True)
    )
    topic_id: str = field(
        metadata=column("the topic that it came from", sheet=Sheet(34, "Topic id", 14), remembered=True)
    )
    topic_label: str = field(metadata=column("the topic's label", sheet=Sheet(23, "Topic", 30)))
    article_id: str | None = field(
        default=None,
        metadata=column("the article to change; null for missing", sheet=Sheet(24, "Article", 16), remembered=True),
    )
    nearest_articles: list[NearestArticle] = field(
        metadata=column("list of {article_id, title, similarity}", sheet=Sheet(26, "Nearest articles", 40))
    )
    owner_id: str | None = field(default=None, metadata=column("who should write it; null = unowned", remembered=True))
    owner_reason: str = field(
        metadata=column("why this owner, or why none", sheet=Sheet(27, "Why this owner", 40, "wrap"))
    )
    conversations: int = field(
        metadata=column("in the gap", unit="conversations", sheet=Sheet(12, "In the gap", 13, "whole"), remembered=True)
    )
    customers: int = field(
        metadata=column(
            "distinct ones in the gap", unit="customers", sheet=Sheet(14, "Customers in the gap", 11, "whole")
        )
    )
    weekly_rate: float = field(
        metadata=column("in the gap", unit="conversations a week", sheet=Sheet(13, "In the gap, a week", 11, "rate"))
    )
    trend: Trend = field(metadata=column("{direction, ratio, p_value}", sheet=Sheet(18, "Demand is", 26)))
    failure_rate: float = field(
        metadata=column(
            "of answers about it that failed", unit="share", sheet=Sheet(19, "Failed, of all about it", 11, "share")
        )
    )
    failure_low: float = field(
        metadata=column("lower end of its 95% interval", unit="share", sheet=Sheet(20, "Failed from", 11, "share"))
    )
    failure_high: float = field(
        metadata=column("upper end of its 95% interval", unit="share", sheet=Sheet(21, "Failed to", 11, "share"))
    )
    n_tagged: int = field(
        metadata=column(
            "tagged ones in the gap", unit="answers", alias="labels", sheet=Sheet(15, "Tagged in the gap", 13, "whole")
        )
    )
    score: float = field(
        metadata=column(
            "human-handled ones that closing the gap is expected to avoid",
            unit="conversations a week",
            sheet=Sheet(8, "Score", 10, "rate"),
            remembered=True,
        )
    )
    score_low: float = field(
        metadata=column(
            "lower end of its 95% interval", unit="conversations a week", sheet=Sheet(9, "Score from", 9, "rate")
        )
    )
    score_high: float = field(
        metadata=column(
            "upper end of its 95% interval", unit="conversations a week", sheet=Sheet(10, "Score to", 9, "rate")
        )
    )
    rank_low: int = field(
        metadata=column("best that the evidence allows", unit="rank", sheet=Sheet(2, "From", 6, "whole"))
    )
    rank_high: int = field(
        metadata=column("worst that the evidence allows", unit="rank", sheet=Sheet(3, "To", 6, "whole"))
    )
    cost_avoidable: float = field(
        metadata=column(
            "that closing the gap is expected to save, in the configured currency",
            unit="currency a week",
            sheet=Sheet(11, "Cost a week", 12, "money"),
        )
    )
    reasons: list[str] = field(
        metadata=column(
            "why this kind, in plain words, each with its figure", sheet=Sheet(22, "Why this kind", 70, "wrap")
        )
    )
    examples: list[Example] = field(metadata=column("list of {conversation_id, quote}, redacted"))
    conversation_ids: list[str] = field(metadata=column("every conversation in the gap", in_lists=False))
    draft: str | None = field(
        default=None,
        metadata=column("path of the draft, relative to the run; null = none", sheet=Sheet(30, "Draft", 36)),
    )
    first_seen: str = field(
        metadata=column("run_id of the first run that had it", sheet=Sheet(31, "First seen", 12), remembered=True)
    )
    last_seen: str = field(
        metadata=column("run_id of the last run that had it", sheet=Sheet(32, "Last seen", 12), remembered=True)
    )

    # What follows is not in the fixed part of the contract: a run of an earlier version may lack it.
    probability: float | None = field(default=None, metadata=column("that the kind is right", unit="chance"))
    reached: int | None = field(
        default=None,
        metadata=column(
            "of the window, about it: that asked the same, or were answered from its article, failed or not",
            unit="conversations",
            sheet=Sheet(16, "About it", 9, "whole"),
        ),
    )
    by_people: float | None = field(
        default=None, metadata=column("of the gap's conversations that people answered and no bot", unit="share")
    )
    demand: float | None = field(
        default=None,
        metadata=column("about it", unit="conversations a week", sheet=Sheet(17, "About it, a week", 9, "rate")),
    )
    p_fail: float | None = field(default=None, metadata=column("that an answer about it fails", unit="chance"))
    p_fixable: float | None = field(default=None, metadata=column("that an article mends it", unit="chance"))
    weekly: list[Week] = field(
        default_factory=list,
        metadata=column("week, conversations, failed: every week of history and window", in_lists=False),
    )
    theme: str | None = field(default=None, metadata=column("the theme of its topic"))
    products: list[str] = field(
        default_factory=list, metadata=column("most asked first", sheet=Sheet(28, "Products", 16))
    )
    languages: list[str] = field(
        default_factory=list, metadata=column("most asked first", sheet=Sheet(29, "Languages", 11))
    )
    intents: list[str] = field(default_factory=list, metadata=column("most asked first"))
    customer_words: list[str] = field(
        default_factory=list, metadata=column("words of customers that the article lacks")
    )
    searches: int = field(default=0, metadata=column("that found nothing or ended in a ticket", unit="searches"))
    queries: list[Query] = field(default_factory=list, metadata=column("query, count"))
    agent_answers: list[Quote] = field(default_factory=list, metadata=column("conversation_id, quote: redacted"))
    passages: list[Passage] = field(
        default_factory=list,
        metadata=column(
            "article_id, section, passage, evidence, count, replacement, replacement_ids, comment: what of the "
            "article is wrong"
        ),
    )
    steps: list[AgentStep] = field(
        default_factory=list, metadata=column("text, count, worked, way, conversation_ids: what agents told alike")
    )
    plan: list[PlannedSentence] = field(
        default_factory=list,
        metadata=column(
            "language, part, group, condition, condition_by, text, count, worked, conversation_ids: the sentences of "
            "the article that it needs, in order",
            in_lists=False,
        ),
    )
    answered: Answered | None = field(
        default=None, metadata=column("conversations, well, badly: how those ended that agents answered")
    )
    change_point: ChangePoint | None = field(
        default=None,
        metadata=column("week, low, high, before, after: since when a stale article fails", remembered=True),
    )
    carried: Carried | None = field(
        default=None,
        metadata=column(
            "weeks_open, previous_rank, previous_score, change, previous_run, previous_status, came_back",
            remembered=True,
        ),
    )
    status_note: str = field(
        default="", metadata=column("why the status is what it is, where a run made it so", remembered=True)
    )
    status_since: str | None = field(default=None, metadata=column("run_id", remembered=True))
    due: str | None = field(default=None, metadata=column("day until when it is due, as people set it"))
    until: str | None = field(default=None, metadata=column("day on which a snooze ends"))
    merged_into: str | None = field(default=None, metadata=column("gap_id of the gap that it is part of"))
    effect: str | None = field(default=None, metadata=column("what the published fix did", remembered=True))
    decided: int = field(
        default=0, metadata=column("id of the decision that gave the status; 0 where none did", remembered=True)
    )
    topics: list[str] = field(default_factory=list, metadata=column("topics of its subtopics", remembered=True))
    subtopics: list[str] = field(default_factory=list, metadata=column("the largest first", remembered=True))
    subtopic_label: str | None = field(default=None, metadata=column("what its largest subtopic is called"))
    article_title: str | None = field(
        default=None, metadata=column("title of the article to change", sheet=Sheet(25, "Article title", 30))
    )
    other_article_id: str | None = field(
        default=None, metadata=column("the article that a contradictory one is against", remembered=True)
    )
    owner_name: str | None = field(default=None, metadata=column("the owner's name", sheet=Sheet(7, "Owner", 18)))
    owner_left: str | None = field(default=None, metadata=column("who was chosen as owner and has left"))
    surge: Surge | None = field(
        default=None,
        metadata=column("started (day), ratio, p_value, recent, usual: of all conversations about it; null where none"),
    )
    similar: list[SimilarGap] = field(
        default_factory=list,
        metadata=column("gap_id, title, likeness, why: other gaps that may be the same work, the most alike first"),
    )
    too_small: bool = field(
        default=False,
        metadata=column(
            "whether it would avoid less than `[review] least_effect_a_month`: too small to act on",
            sheet=Sheet(35, "Too small to act on", 11),
        ),
    )

    found_as: FoundAs | None = field(
        default=None,
        metadata=column(
            "title, kind, article_id, article_title, edited_by: what was found, where people changed title or kind; "
            "null where nobody did",
            remembered=True,
        ),
    )

    @classmethod
    def from_row(cls, row: Mapping[str, Any]) -> Self:
        """Read a row of a backlog, of this version or of an earlier one, as plain values.

        Parameters
        ----------
        row
            By field name. What a field's type can't hold reads as its default, and other names are passed over.

        Raises
        ------
        StoreUnusable
            A required field is missing, or is of another type.
        """
        values = {}
        for one in gap_fields(cls):
            given = row.get(one.name)
            value = one.read(row.get(one.alias) if given is None and one.alias else given)
            if value is not None:
                values[one.name] = value
            elif one.required:
                raise StoreUnusable(
                    f"gap {row.get('gap_id')} has no {one.name} (it holds {given!r})",
                    "the run was made by another version or damaged: run that week again",
                )
        return cls(**values)

    def as_row(self) -> dict[str, Any]:
        """The gap as a row of the files: every column of the contract by name, in order."""
        row = {}
        for one in gap_fields(type(self)):
            row[one.name] = getattr(self, one.name)
            if one.alias:
                row[one.alias] = row[one.name]
        return row

    @property
    def folded(self) -> bool:
        """Whether it is too small to act on, and nobody has taken it up."""
        return is_folded(self.too_small, self.status, self.due)

    @property
    def edited(self) -> str:
        """What was found where people changed title or kind, as a sentence; empty where nobody did."""
        found = self.found_as
        return f"Found as “{found['title']}”, {found['kind']}; changed by {found['edited_by']}." if found else ""

    @property
    def owner(self) -> str:
        """The owner's name, else their id; empty where nobody owns the gap."""
        return self.owner_name or self.owner_id or ""
