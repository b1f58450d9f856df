"""What a diagnosis reads: conversations, articles and how they match, in arrays that share their rows."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from lacuna.models.accuracy.priors import has_healthy_rest
from lacuna.models.arrays import F64, Flags, Ints
from lacuna.models.backlog.article_care import last_checked
from lacuna.models.backlog.precision import Precision, stricter_by
from lacuna.models.conversations.questions import asks_something
from lacuna.models.diagnosis import agreement, citations, findability
from lacuna.models.diagnosis.change_point import Change
from lacuna.models.diagnosis.evidence import (
    Agreed,
    Cited,
    Conflict,
    Evidence,
    Limits,
    Match,
    PassedOver,
    Verdict,
    stricter,
)
from lacuna.models.text.languages import script_of
from lacuna.models.text.lexicon import STOP_WORDS
from lacuna.models.text.vectors import ENOUGH_OF_A_LANGUAGE
from lacuna.pipelines.runtime.job import Job
from lacuna.pipelines.steps.diagnose.matches import FailedScores, read_matches
from lacuna.pipelines.steps.understand.matching import live_articles

MIN_FAILED = 4  # fewer failed conversations than this are not yet a pattern
# What is needed of each conversation, of measure/facts; what is long of those that failed alone.
_FACTS = [
    "conversation_id", "started_at", "escalated", "product", "region", "customer_id", "predicted_intent", "cited_first",
    "handoff_request", "account_action", "policy_handoff", "outcome", "true_intent", "answered", "by_people",
    "in_window", "p_failed", "in_scope", "topic_id", "subtopic_id",
]  # fmt: skip
FAILED = 0.4  # an answer that failed with a greater chance counts among a gap's


@dataclass(frozen=True)
class DiagnosisContext:
    """All data of a diagnosis; arrays have one row per conversation with a question, in the order of ``facts``.

    What is long is known of those that failed alone: how they match articles (:attr:`scores`), and in the same order
    their question and the articles that bot and agents cited (:attr:`texts`). Articles have numbers: their rows in
    ``articles``.
    """

    facts: pd.DataFrame
    texts: pd.DataFrame
    articles: pd.DataFrame
    subtopics: pd.DataFrame
    cited: Ints
    weight: F64
    off_topic: float
    near_enough: float
    scores: FailedScores
    changes: dict[int, tuple[Change, Ints]]
    limits: Limits
    answered: F64
    checked: pd.Series
    releases: pd.DataFrame
    comparable: bool
    min_customers: int

    def place(self, rows: Ints) -> Ints:
        """The rows of conversations that failed in the arrays of :attr:`scores`."""
        place = self.scores.place[rows]
        assert (place >= 0).all()
        return place

    def texts_of(self, rows: Ints) -> pd.DataFrame:
        """Question, cited and agent_cited of conversations that failed."""
        return self.texts.iloc[self.place(rows)]

    def title(self, number: int) -> str:
        """Title of the article with this number."""
        return str(self.articles["title"].iloc[number])

    def existed(self, number: int, rows: Ints) -> Flags:
        """Whether the article existed when each of the conversations began; True where its date is missing."""
        created = self.articles["created_at"].iloc[number]
        if pd.isna(created):
            return np.ones(len(rows), dtype=bool)
        return (self.facts["started_at"].iloc[rows] >= created).to_numpy(dtype=bool)

    def number(self, article_id: str) -> int | None:
        """Number of the live article with this id, if there is one."""
        return self.numbers.get(article_id)

    @cached_property
    def failed_of(self) -> dict[str, Ints]:
        """The row numbers of each subtopic's failed conversations in scope, ascending, by id, where it has any."""
        failed = self.facts["in_scope"] & self.facts["p_failed"].gt(FAILED) & self.facts["subtopic_id"].notna()
        rows = np.flatnonzero(failed)
        groups = pd.Series(rows).groupby(self.facts["subtopic_id"].iloc[rows].astype(str).to_numpy())
        return {str(subtopic): own.to_numpy(dtype=np.int64) for subtopic, own in groups}

    @cached_property
    def in_demand(self) -> dict[str, Ints]:
        """The failed conversations of each subtopic that has enough of them to be a pattern, by id."""
        known = set(self.subtopics["subtopic_id"].astype(str))
        return {s: rows for s, rows in sorted(self.failed_of.items()) if s in known and len(rows) >= MIN_FAILED}

    @cached_property
    def usual(self) -> float:
        """Failed conversations of the middle subtopic of those in demand; 0 without any."""
        return float(np.median([len(rows) for rows in self.in_demand.values()])) if self.in_demand else 0.0

    @cached_property
    def answers_from(self) -> float:
        """The least nearness at which an article answers a group, rather than merely being the nearest article."""
        agreements = [_agreement(self, rows) for rows in self.in_demand.values()]
        return agreement.near_enough([each for each in agreements if each], len(self.articles))

    @cached_property
    def tongues(self) -> pd.Series:
        """The language of each question that failed, as the data say, and its script where that is another one."""
        texts = self.texts.set_index("conversation_id")["question"]
        scripts = self.facts["conversation_id"].map({c: script_of(str(text)) for c, text in texts.items()})
        main_script = most_common(scripts) or ""
        codes = self.facts["language"].fillna("").str[:2]
        return codes.where(scripts.isna() | scripts.isin(["", main_script]), scripts)

    @cached_property
    def main_tongue(self) -> str:
        """The language of most questions."""
        return most_common(self.tongues) or ""

    @cached_property
    def numbers(self) -> dict[str, int]:
        """Number of each live article, by id."""
        return {str(article): i for i, article in enumerate(self.articles["article_id"])}

    def article_id(self, number: int) -> str:
        """Id of the article with this number."""
        return str(self.articles["article_id"].iloc[number])


def read_context(job: Job, precision: Sequence[Precision]) -> DiagnosisContext:
    """Build the context from the tables of earlier steps.

    ``precision`` is how often reviewers accepted each kind of gap; kinds that they often refuse need more evidence.
    """
    questions = job.read("understand/questions", ["conversation_id", "language", "key"])
    facts = questions.merge(job.read("measure/facts", _FACTS), on="conversation_id", how="left")
    del questions
    articles = live_articles(job)
    number = {article: i for i, article in enumerate(articles["article_id"])}
    cited = facts["cited_first"].map(number).fillna(-1).to_numpy(dtype=np.int64)
    failed, n = facts["p_failed"].to_numpy(dtype=float), len(articles)
    failed_rows = np.flatnonzero(facts["in_scope"] & facts["p_failed"].gt(FAILED))
    matches = read_matches(job, facts, n, cited, failed_rows)
    weight = matches.weight
    changes = citations.changes(facts["started_at"], cited, failed, matches.sure, matches.stray)
    success = (weight * (1 - failed))[cited >= 0]
    answered = np.bincount(cited[cited >= 0], weights=success, minlength=n).astype(float)
    stricter_kinds = {kind.kind: stricter_by(kind.judged, kind.right) for kind in precision}
    limits = stricter(Limits(**job.settings.diagnosis.model_dump()), stricter_kinds)
    return DiagnosisContext(
        facts, _texts(job, facts["conversation_id"].iloc[failed_rows]), articles, job.read("understand/subtopics"),
        cited, weight, matches.off_topic, matches.near_enough, matches.failed, changes, limits, answered,
        last_checked(articles, job.read("load/article_revisions")), job.read("load/releases"),
        has_healthy_rest(facts[facts["in_window"]]), job.settings.topics.min_customers,
    )  # fmt: skip


def _texts(job: Job, conversations: pd.Series) -> pd.DataFrame:
    """Question, cited and agent_cited of some conversations, in their order."""
    questions = job.read_rows("understand/questions", conversations, ["conversation_id", "question"])
    cited = job.read_rows("measure/facts", conversations, ["conversation_id", "cited", "agent_cited"])
    return conversations.to_frame().merge(questions.merge(cited, on="conversation_id"), on="conversation_id")


def collect_evidence(
    context: DiagnosisContext, subtopics: list[str], rows: Ints, article_verdicts: dict[str, Verdict]
) -> Evidence:
    """The evidence on a group of failed conversations.

    Parameters
    ----------
    subtopics, rows
        The group's subtopics, and the row numbers of its failed conversations.
    article_verdicts
        Verdicts reached already, by article id.
    """
    facts, texts = context.facts.iloc[rows], context.texts_of(rows)
    n = max(1, len(rows))
    tags = facts["outcome"].dropna()
    wrong = facts[facts["outcome"].eq("misclassified") & facts["true_intent"].notna()]
    cited = [_cited(context, article, count / n) for article, count in _top(texts["cited"], context)]
    by_agents = [_cited(context, article, count / n) for article, count in _top(texts["agent_cited"], context)]
    return Evidence(
        failed=float(len(rows)),
        asks=sum(map(asks_something, texts["question"].astype(str))) >= len(rows) / 2,
        tags=len(tags),
        policy_share=float(facts["policy_handoff"].mean()) if len(rows) else 0.0,
        account_share=float(facts["account_action"].mean()) if len(rows) else 0.0,
        request_share=float((facts["handoff_request"] & facts["cited_first"].isna()).mean()) if len(rows) else 0.0,
        misrouted_tags=int(tags.eq("misclassified").sum()),
        misrouted_share=float(tags.eq("misclassified").mean()) if len(tags) else 0.0,
        true_intent=most_common(wrong["true_intent"]),
        predicted_intent=most_common(wrong["predicted_intent"]),
        cited=cited,
        by_agents=by_agents,
        nearest=_nearest(context, rows),
        passed_over=_passed_over(context, subtopics, rows),
        agreed=_agreed(context, rows),
        by_people=float(facts["by_people"].mean()) if len(rows) else 0.0,
        usual=context.usual,
        article_verdicts=article_verdicts,
        conflict=_conflict(context, cited, rows),
    )


def _passed_over(context: DiagnosisContext, subtopics: list[str], rows: Ints) -> PassedOver | None:
    facts = context.facts
    answered = np.flatnonzero(facts["subtopic_id"].isin(subtopics) & facts["in_window"] & facts["p_failed"].le(0.5))
    reach = _findability(context, rows, answered)
    if reach is None:
        return None
    article = reach.article
    failed, answered = (some[context.existed(article, some)] for some in (rows, answered))
    if len(failed) < len(rows):  # an article that did not exist yet was not overlooked
        reach = _findability(context, failed, answered)
        if reach is None or reach.article != article:
            return None
    return PassedOver(
        context.article_id(article),
        context.title(article),
        reach,
        context.near_enough,
        float(context.answered[article]),
    )


def _findability(context: DiagnosisContext, failed: Ints, answered: Ints) -> findability.Findability | None:
    place, scores, cited = context.place(failed), context.scores, context.cited
    return findability.measure(
        scores.answers.take(place), scores.has_answer[place], scores.choice.take(place), cited[failed], cited[answered],
        context.off_topic,
    )  # fmt: skip


def _agreement(context: DiagnosisContext, rows: Ints) -> agreement.Agreement | None:
    place, scores = context.place(rows), context.scores
    return agreement.agreement(scores.question_standing(place), scores.answer_standing(place), scores.has_answer[place])


def _agreed(context: DiagnosisContext, rows: Ints) -> Agreed | None:
    """The article nearest to both questions and agents' answers; only where all conversations failed alike."""
    agreed = None if context.comparable else _agreement(context, rows)
    if agreed is None:
        return None
    return Agreed(context.article_id(agreed.article), context.title(agreed.article), agreed, context.answers_from)


def _top(lists: pd.Series, context: DiagnosisContext) -> list[tuple[int, int]]:
    counts: dict[int, int] = {}
    for ids in lists:
        for article in set(ids):
            number = context.number(article)
            if number is not None:
                counts[number] = counts.get(number, 0) + 1
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:5]


def _cited(context: DiagnosisContext, number: int, share: float) -> Cited:
    return Cited(context.article_id(number), context.title(number), float(share))


def _nearest(context: DiagnosisContext, rows: Ints, count: int = 5) -> list[Match]:
    if not len(rows) or not len(context.articles):
        return []
    place = context.place(rows)
    score, agents, meaning = (
        each.take(place) for each in (context.scores.score, context.scores.agents, context.scores.meaning)
    )
    match = score.mean() + agents.mean()
    return [
        Match(
            context.article_id(a), context.title(a), float(match[a]), float(meaning.at(int(a)).mean()),
            float(context.answered[a]), _since(context, rows, a),
        )
        for a in np.argsort(-match, kind="stable")[:count]
    ]  # fmt: skip


def _since(context: DiagnosisContext, rows: Ints, number: int) -> str | None:
    """The day on which the article was created, where most of the conversations began before it."""
    existed = context.existed(number, rows)
    return str(context.articles["created_at"].iloc[number].date()) if existed.mean() < 0.5 else None


def _conflict(context: DiagnosisContext, cited: list[Cited], rows: Ints) -> Conflict | None:
    if len(cited) < 2 or cited[1].share < context.limits.conflict_share:
        return None
    pair = context.articles[context.articles["article_id"].isin([c.article_id for c in cited[:3]])]
    words = {w.lower() for q in context.texts_of(rows)["question"] for w in str(q).split()} - STOP_WORDS
    return citations.conflict(pair, words)


def most_common(values: pd.Series) -> str | None:
    """The value that occurs most often, the first in order among equals."""
    counts = values.dropna().value_counts()
    return str(sorted(counts[counts == counts.max()].index)[0]) if len(counts) else None


def failed_rows(context: DiagnosisContext, subtopics: Collection[str]) -> Ints:
    """Row numbers of the conversations in scope of these subtopics whose answers failed."""
    return joined_rows([context.failed_of[s] for s in subtopics if s in context.failed_of])


def joined_rows(groups: Iterable[Ints]) -> Ints:
    """The rows of several groups, each once, ascending."""
    return np.unique(np.concatenate([np.zeros(0, dtype=np.int64), *groups]))


def evenly(rows: Ints, most: int) -> Ints:
    """At most so many of these rows, every k-th."""
    return rows if len(rows) <= most else rows[np.linspace(0, len(rows) - 1, most).astype(int)]


def main_language(context: DiagnosisContext, rows: Ints) -> str:
    """The language of most of these conversations, "" where none is known."""
    return most_common(context.facts["language"].iloc[rows].fillna("").str[:2]) or ""


def main_subtopic(context: DiagnosisContext, rows: Ints) -> list[str]:
    """The subtopic of most of these conversations, as a list; else the largest of their topic, else of all.

    Of one customer's conversations in a subtopic, the first counts.
    """
    facts = context.facts[["subtopic_id", "customer_id"]].iloc[rows]
    most = most_common(facts["subtopic_id"][facts["customer_id"].isna() | ~facts.duplicated()])
    if most:
        return [most]
    largest = context.subtopics.sort_values(["conversations", "subtopic_id"], ascending=[False, True], kind="stable")
    of_topic = largest[largest["topic_id"] == most_common(context.facts["topic_id"].iloc[rows])]
    return [str(each) for each in (of_topic if len(of_topic) else largest)["subtopic_id"].iloc[:1]]


def is_pattern(context: DiagnosisContext, rows: Ints) -> bool:
    """Whether failed conversations are enough, and of enough customers, and share more than their language.

    One loud customer is no pattern; each conversation without a known customer counts as another's.
    """
    customers = context.facts["customer_id"].iloc[rows]
    enough = len(rows) >= MIN_FAILED and int(customers.nunique() + customers.isna().sum()) >= context.min_customers
    return enough and not bound_by_language(context, rows)


def bound_by_language(context: DiagnosisContext, rows: Ints) -> bool:
    """Whether a group may have nothing in common but its language, or its script.

    A model that knows a language badly finds all of its questions alike. A group that holds half or more of what is
    asked in a language other than the main one shows no more than that, unless that language has enough questions for
    what they share to be taken out.
    """
    tongues = context.tongues
    own = most_common(tongues.iloc[rows]) or ""
    of_own = int(tongues.eq(own).sum())
    if own == context.main_tongue or of_own >= ENOUGH_OF_A_LANGUAGE:
        return False
    return 2 * int(tongues.iloc[rows].eq(own).sum()) >= of_own


def day_of(context: DiagnosisContext, row: int) -> str:
    """The day on which a conversation began."""
    return str(context.facts["started_at"].iloc[row].date())
