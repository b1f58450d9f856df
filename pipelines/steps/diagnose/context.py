"""The world that a diagnosis looks at: conversations, articles, and how they match, in arrays that share their rows."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lacuna.models.accuracy.priors import has_healthy_rest
from lacuna.models.backlog.precision import Precision, stricter_by
from lacuna.models.backlog.verification import last_checked
from lacuna.models.conversations.questions import asks_something
from lacuna.models.diagnosis import agreement as agreeing
from lacuna.models.diagnosis import citation_mixture as citations
from lacuna.models.diagnosis import citations as evidence
from lacuna.models.diagnosis import findability as reaching
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
from lacuna.models.retrieval.article_match import centred
from lacuna.models.topics.names import STOP_WORDS
from lacuna.pipelines.runtime.job import Job
from lacuna.pipelines.steps.understand.step import MATCHES, live_articles

Floats = NDArray[np.float32]
Rows = NDArray[np.int64]

MIN_FAILED = 4  # fewer failed conversations than this are not yet a pattern
FAILED = 0.4  # an answer that failed with a greater chance counts among a gap's


@dataclass(frozen=True)
class World:
    """All that the diagnosis looks at; arrays have one row a conversation with a question, in the facts' order."""

    facts: pd.DataFrame
    articles: pd.DataFrame
    subtopics: pd.DataFrame
    meanings: Floats
    score: Floats
    meaning: Floats
    agents: Floats
    cited: NDArray[np.int64]
    weight: NDArray[np.float64]
    off_topic: float
    answers: Floats
    choice: Floats
    near_enough: float
    changes: dict[int, tuple[Change, NDArray[np.int64]]]
    limits: Limits
    answered: NDArray[np.float64]
    checked: pd.Series
    releases: pd.DataFrame
    asked: Floats
    replied: Floats
    comparable: bool

    def title(self, number: int) -> str:
        """Title of the article with this number."""
        return str(self.articles["title"].iloc[number])

    def existed(self, number: int, rows: Rows) -> NDArray[np.bool_]:
        """Whether the article was there when each of the conversations began; True where nobody knows."""
        created = self.articles["created_at"].iloc[number]
        if pd.isna(created):
            return np.ones(len(rows), dtype=bool)
        return (self.facts["started_at"].iloc[rows] >= created).to_numpy(dtype=bool)

    def number(self, article_id: str) -> int | None:
        """Number of the live article with this id, if there is one."""
        return self.numbers.get(article_id)

    @cached_property
    def in_demand(self) -> dict[str, Rows]:
        """The failed conversations of each subtopic that has enough of them to be a pattern, by id."""
        own = self.facts["mined"] & self.facts["failed"].gt(FAILED) & self.facts["subtopic_id"].notna()
        groups = {str(s): np.flatnonzero(own & self.facts["subtopic_id"].eq(s)) for s in self.subtopics["subtopic_id"]}
        return {subtopic: rows for subtopic, rows in sorted(groups.items()) if len(rows) >= MIN_FAILED}

    @cached_property
    def usual(self) -> float:
        """Failed conversations of the middle subtopic of those in demand; 0 without any."""
        return float(np.median([len(rows) for rows in self.in_demand.values()])) if self.in_demand else 0.0

    @cached_property
    def answers_from(self) -> float:
        """From which nearness on an article answers a group, rather than being the nearest that there is."""
        found = [agreeing.agreement(self.asked, self.replied, rows) for rows in self.in_demand.values()]
        return agreeing.near_enough([one for one in found if one], len(self.articles))

    @cached_property
    def numbers(self) -> dict[str, int]:
        """Number of each live article, by id."""
        return {str(article): i for i, article in enumerate(self.articles["article_id"])}

    def article_id(self, number: int) -> str:
        """Id of the article with this number."""
        return str(self.articles["article_id"].iloc[number])


def read_world(job: Job, precision: Sequence[Precision]) -> World:
    """Put the world together from what the steps before have written; ``precision`` is how right reviewers found it."""
    match = job.read("understand/match")
    facts = match[["conversation_id"]].merge(job.read("measure/facts"), on="conversation_id", how="left")
    facts = facts.merge(
        job.read("understand/questions")[["conversation_id", "question"]], on="conversation_id", how="left"
    )
    articles = live_articles(job)
    empty = np.zeros((len(match), 0), dtype=np.float32)
    arrays: dict[str, Floats] = {
        name: _stacked(match[name]) if len(match) and len(articles) else empty for name in MATCHES
    }
    number = {article: i for i, article in enumerate(articles["article_id"])}
    cited = facts["cited_first"].map(number).fillna(-1).to_numpy(dtype=np.int64)
    vectors = _stacked(job.read("understand/vectors")["vector"])
    failed = facts["failed"].to_numpy(dtype=float)
    success = 1 - failed
    n = len(articles)
    before = evidence.answered_before(vectors, cited, success, n)
    scores = {"meaning": arrays["meaning"], "words": arrays["words"], "before": before}
    weight, off_topic = evidence.citation_weights(cited, success, scores) if n else (np.zeros(len(facts)), 0.7)
    ways = [arrays[name] for name in ("meaning", "words", "passage_words")]
    choice = reaching.bot_choice(ways, cited, failed)
    sure, stray = citations.on_topic([*ways, arrays["plain_words"]], cited, failed, weight, off_topic)
    changes = evidence.changes(facts["started_at"], cited, failed, sure, stray)
    answers = reaching.usual_answers_out(arrays["agents"])
    near_enough = reaching.near_enough(answers, cited, weight)
    languages = [str(code) for code in facts["language"].fillna("").str[:2]]
    answered = np.bincount(cited[cited >= 0], weights=(weight * success)[cited >= 0], minlength=n).astype(float)
    asked = {kind.kind: stricter_by(kind.judged, kind.right) for kind in precision}
    limits = stricter(Limits(**job.settings.diagnosis.model_dump()), asked)
    return World(
        facts, articles, job.read("understand/subtopics"), centred(vectors, languages), arrays["score"],
        arrays["meaning"], arrays["agents"], cited, weight, off_topic, answers, choice, near_enough,
        changes, limits, answered, last_checked(articles, job.read("load/article_revisions")),
        job.read("load/releases"), agreeing.standing(arrays["score"]), agreeing.standing(arrays["agents"]),
        has_healthy_rest(facts[facts["in_window"]]),
    )  # fmt: skip


def _stacked(rows: pd.Series) -> Floats:
    return np.stack(list(rows)).astype(np.float32) if len(rows) else np.zeros((0, 1), dtype=np.float32)


def look(world: World, subtopics: list[str], rows: Rows, known: dict[str, Verdict]) -> Evidence:
    """What is known of a group of failed conversations, which are the ``rows`` of ``subtopics``."""
    facts = world.facts.iloc[rows]
    n = max(1, len(rows))
    tags = facts["outcome"].dropna()
    wrong = facts[facts["outcome"].eq("misclassified") & facts["true_intent"].notna()]
    cited = [_cited(world, article, count / n) for article, count in _top(facts["cited"], world)]
    by_agents = [_cited(world, article, count / n) for article, count in _top(facts["agent_cited"], world)]
    return Evidence(
        failed=float(len(rows)),
        asks=sum(map(asks_something, facts["question"].astype(str))) >= len(rows) / 2,
        tags=len(tags),
        policy_share=float(facts["policy_handover"].mean()) if len(rows) else 0.0,
        account_share=float(facts["account_action"].mean()) if len(rows) else 0.0,
        request_share=float((facts["handoff_request"] & facts["cited_first"].isna()).mean()) if len(rows) else 0.0,
        misrouted_tags=int(tags.eq("misclassified").sum()),
        misrouted_share=float(tags.eq("misclassified").mean()) if len(tags) else 0.0,
        true_intent=most_common(wrong["true_intent"]),
        predicted_intent=most_common(wrong["predicted_intent"]),
        cited=cited,
        by_agents=by_agents,
        nearest=_nearest(world, rows),
        passed_over=_passed_over(world, subtopics, rows),
        agreed=_agreed(world, rows),
        by_people=float(facts["by_people"].mean()) if len(rows) else 0.0,
        usual=world.usual,
        known=known,
        conflict=_conflict(world, cited, rows),
        complaints=int(facts["complaint"].sum()) if "complaint" in facts else 0,
    )


def _passed_over(world: World, subtopics: list[str], rows: Rows) -> PassedOver | None:
    facts = world.facts
    did = np.flatnonzero(facts["subtopic_id"].isin(subtopics) & facts["in_window"] & facts["failed"].le(0.5))
    found = reaching.reach(world.answers, world.choice, world.cited, rows, did, world.off_topic)
    if found is None:
        return None
    a = found.article
    failed, did = (some[world.existed(a, some)] for some in (rows, did))
    if len(failed) < len(rows):  # nobody passes over what is not there yet
        found = reaching.reach(world.answers, world.choice, world.cited, failed, did, world.off_topic)
        if found is None or found.article != a:
            return None
    return PassedOver(world.article_id(a), world.title(a), found, world.near_enough, float(world.answered[a]))


def _agreed(world: World, rows: Rows) -> Agreed | None:
    """The article that questions and agents' answers come nearest to; asked for where nothing failing stands out."""
    found = None if world.comparable else agreeing.agreement(world.asked, world.replied, rows)
    if found is None:
        return None
    return Agreed(world.article_id(found.article), world.title(found.article), found, world.answers_from)


def _top(lists: pd.Series, world: World) -> list[tuple[int, int]]:
    counts: dict[int, int] = {}
    for ids in lists:
        for article in set(ids):
            number = world.number(article)
            if number is not None:
                counts[number] = counts.get(number, 0) + 1
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:5]


def _cited(world: World, number: int, share: float) -> Cited:
    return Cited(world.article_id(number), world.title(number), float(share))


def _nearest(world: World, rows: Rows, count: int = 5) -> list[Match]:
    if not len(rows) or not world.score.shape[1]:
        return []
    match = (world.score[rows] + world.agents[rows]).mean(axis=0)
    return [
        Match(
            world.article_id(a), world.title(a), float(match[a]), float(world.meaning[rows, a].mean()),
            float(world.answered[a]), _since(world, rows, a),
        )
        for a in np.argsort(-match, kind="stable")[:count]
    ]  # fmt: skip


def _since(world: World, rows: Rows, number: int) -> str | None:
    """The day on which an article came, where most of the conversations were before it."""
    there = world.existed(number, rows)
    return str(world.articles["created_at"].iloc[number].date()) if there.mean() < 0.5 else None


def _conflict(world: World, cited: list[Cited], rows: Rows) -> Conflict | None:
    if len(cited) < 2 or cited[1].share < world.limits.conflict_share:
        return None
    pair = world.articles[world.articles["article_id"].isin([c.article_id for c in cited[:3]])]
    words = {w.lower() for q in world.facts["question"].iloc[rows] for w in str(q).split()} - STOP_WORDS
    return evidence.conflict(pair, words)


def most_common(values: pd.Series) -> str | None:
    """The value that occurs most often, the first in order among equals."""
    counts = values.dropna().value_counts()
    return str(sorted(counts[counts == counts.max()].index)[0]) if len(counts) else None


def failed_rows(world: World, subtopics: Collection[str]) -> Rows:
    """The mined conversations of some subtopics whose answers failed."""
    facts = world.facts
    return np.flatnonzero(facts["subtopic_id"].isin(list(subtopics)) & facts["mined"] & facts["failed"].gt(FAILED))


def main_subtopic(world: World, rows: Rows) -> list[str]:
    """The subtopic that most of these conversations are of, or else the largest of their topic, or of all."""
    most = most_common(world.facts["subtopic_id"].iloc[rows])
    if most:
        return [most]
    largest = world.subtopics.sort_values(["conversations", "subtopic_id"], ascending=[False, True], kind="stable")
    near = largest[largest["topic_id"] == most_common(world.facts["topic_id"].iloc[rows])]
    return [str(one) for one in (near if len(near) else largest)["subtopic_id"].iloc[:1]]


def day_of(world: World, row: int) -> str:
    """The day on which a conversation began."""
    return str(world.facts["started_at"].iloc[row].date())
