"""Why something is a gap or none, answered from a published run and what people have decided since."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from lacuna.models.arrays import F64
from lacuna.models.backlog.actions import ACTIONS
from lacuna.models.backlog.gap import Gap
from lacuna.models.backlog.lifecycle import Decision, gap_state, in_force
from lacuna.models.diagnosis.why_not import why_not
from lacuna.pipelines.ask.search import Hit, Index
from lacuna.pipelines.io.published import read_published
from lacuna.pipelines.io.runs import read_run
from lacuna.pipelines.presentation.format import line, period, plural, record, short_day, whole
from lacuna.pipelines.presentation.spreadsheet import records
from lacuna.pipelines.report.story import story

__all__ = ["Answer", "AskedRun", "Found", "GapNote", "Subject"]

NEAR = 0.5  # a text that is less near than this is about something else
ALSO = 0.75  # and what is named besides is at least so near, as a share of the nearest
BY_TOPIC = 0.9  # a topic's name says a little less of a subtopic than the subtopic's own
LIKE_IT = 3  # questions of a subtopic that show how near it is
OTHERS, QUOTES = 4, 3
# "Why is … not a gap?"
_FORM = re.compile(
    r"\s*why(?:\s+(?:is|are|isn['’]t|aren['’]t|was))?\s+(.+?)(?:\s+(?:not|no|never))?(?:\s+an?)?\s+gaps?\s*\?*\s*$",
    re.I,
)


@dataclass(frozen=True)
class GapNote:
    """A gap that an answer names: what it is, where it stands, and who decided so."""

    gap_id: str
    rank: int
    title: str
    kind: str
    status: str
    story: str
    standing: str


@dataclass(frozen=True)
class Subject:
    """A subtopic that a question is about, with the verdict on it.

    Attributes
    ----------
    score
        How near it is to the question, 0 to 1.
    rule
        ``gap``, or the first rule that did not hold (``models.diagnosis.why_not.RULES``).
    verdict
        That in a few words.
    sentences
        The answer in full; empty for what is only named besides.
    figures
        The row of ``subtopics_judged``.
    gaps, quotes
        The gaps that it is in, and questions of customers, where enough different customers asked.
    """

    subtopic_id: str
    label: str
    topic_id: str
    topic_label: str
    score: float
    rule: str
    verdict: str
    sentences: list[str] = field(default_factory=list)
    figures: dict[str, Any] = field(default_factory=dict)
    gaps: list[GapNote] = field(default_factory=list)
    quotes: list[dict[str, str]] = field(default_factory=list)


@dataclass(frozen=True)
class Answer:
    """The answer to a question: found is ``gap``, ``no gap``, ``no topic`` or ``nothing``."""

    question: str
    run_id: str
    window: str
    found: str
    headline: str
    subject: Subject | None
    others: list[Subject]

    def as_dict(self) -> dict[str, Any]:
        """The answer as plain values."""
        return asdict(self)


@dataclass(frozen=True)
class Found:
    """What a search found, the nearest first; each row has id, text, score, and the topic and gaps that it is in."""

    question: str
    run_id: str
    gaps: list[dict[str, Any]]
    topics: list[dict[str, Any]]
    questions: list[dict[str, Any]]


class AskedRun:
    """A published run that can be asked.

    Parameters
    ----------
    folder
        The run's folder.

    Raises
    ------
    LacunaError
        It was made by a version that published nothing to search.
    """

    def __init__(self, folder: Path) -> None:
        self.run_id = folder.name
        self.index = Index.of(folder)
        self.judged = {row["subtopic_id"]: row for row in records(read_published(folder, "subtopics_judged"))}
        run = read_run(folder)
        window, topics = record(run.get("window")), record(record(run.get("settings")).get("topics"))
        self.window = period(window.get("start"), window.get("end"))
        self._min_customers = whole(topics.get("min_customers")) or 1
        self._min_questions = whole(topics.get("min_questions")) or 1

    def why(
        self, question: str, gaps: Sequence[Gap], decided: Mapping[str, Sequence[Decision]] | None = None
    ) -> Answer:
        """Say whether what somebody asks about is a gap, and why or why not.

        Parameters
        ----------
        question
            Words, a question, or an id; "why is … not a gap?" around them is passed over.
        gaps
            The run's gaps as they stand now.
        decided
            The decisions on each gap, by gap_id.
        """
        asked = line(match[1] if (match := _FORM.match(question)) else question, 200)
        scores = self.index.scores(asked)
        ranked = self._ranked(scores)
        by_id = {gap.gap_id: gap for gap in gaps}
        if not ranked or ranked[0][1] < NEAR:
            return self._not_found(asked, scores, ranked, by_id)
        others = [
            self._subject(subtopic, score, by_id)
            for subtopic, score in ranked[1 : OTHERS + 1] if score >= max(NEAR, ALSO * ranked[0][1])
        ]  # fmt: skip
        subject = self._subject(*ranked[0], by_id, decided or {}, scores)
        named = next(iter(self.index.hits(scores, "gap", 1, NEAR)), None)
        named_gap = named is not None and named.id in by_id and named.score >= ranked[0][1]
        if named and named_gap:
            # A gap about an article may hold little of each subtopic: whoever names the gap asks about the gap.
            note = _note(by_id[named.id], (decided or {}).get(named.id, ()))
            others_of_it = [gap for gap in subject.gaps if gap.gap_id != named.id]
            subject = replace(
                subject, rule="gap", verdict=f"gap {note.rank}, {note.kind}", gaps=[note, *others_of_it],
                sentences=[note.story, note.standing],
            )  # fmt: skip
        if subject.gaps and subject.rule == "gap":
            first = subject.gaps[0]
            part = "" if subject.label == first.title or named_gap else f": “{first.title}”"
            title = first.title if named_gap else subject.label
            headline = f"“{title}” is a gap{part}: {first.kind}, rank {first.rank} ({first.gap_id})."
        else:
            headline = f"“{subject.label}” is no gap: {subject.verdict.removeprefix('no gap: ')}."
        return self._answer(asked, "gap" if subject.rule == "gap" else "no gap", headline, subject, others)

    def _answer(self, asked: str, found: str, headline: str, subject: Subject | None, others: list[Subject]) -> Answer:
        return Answer(asked, self.run_id, self.window, found, headline, subject, others)

    def search(self, question: str, gaps: Sequence[Gap], most: int = 5) -> Found:
        """The gaps, topics and customers' questions that are nearest to some words, at most so many of each."""
        asked = line(question, 200)
        scores = self.index.scores(asked)
        by_id = {gap.gap_id: gap for gap in gaps}
        found_gaps = [
            {
                "id": hit.id, "text": line(gap.title, 200), "score": round(hit.score, 3), "rank": gap.rank,
                "kind": gap.kind, "status": gap.status,
            }
            for hit in self.index.hits(scores, "gap", most, NEAR) if (gap := by_id.get(hit.id))
        ]  # fmt: skip
        topics = [self._row(hit) for hit in self.index.hits(scores, "topic", most, NEAR)]
        shown = [hit for hit in self.index.hits(scores, "question", 4 * most, NEAR) if self._may_show(hit.subtopic_id)]
        return Found(asked, self.run_id, found_gaps, topics, [self._row(hit) for hit in shown[:most]])

    def _row(self, hit: Hit) -> dict[str, Any]:
        key, wanted = ("subtopic_id", hit.subtopic_id) if hit.subtopic_id else ("topic_id", hit.topic_id)
        parts = [row for row in self.judged.values() if row[key] == wanted]
        gap_ids = list(dict.fromkeys(gap for part in parts for gap in part["gap_ids"]))
        return {
            "id": hit.id, "text": line(hit.text, 300), "score": round(hit.score, 3), "topic_id": hit.topic_id,
            "topic_label": parts[0]["topic_label"] if parts else "", "gap_ids": gap_ids,
        }  # fmt: skip

    def _may_show(self, subtopic: str | None) -> bool:
        """Whether customers' words of a subtopic may be shown: enough different customers asked in the window."""
        row = self.judged.get(subtopic or "")
        return row is not None and row["customers"] >= self._min_customers

    def _ranked(self, scores: F64) -> list[tuple[str, float]]:
        """The subtopics that were judged, the nearest first, each with how near it is."""
        nearness: dict[str, list[float]] = {}
        best: dict[str, float] = {}
        of_gap: dict[str, float] = {}
        topic: dict[str, float] = {}
        for (kind, name, subtopic), score in zip(self._keys, scores.tolist(), strict=True):
            if kind == "topic":
                topic[name] = max(score, topic.get(name, 0.0))
            elif kind == "question":
                nearness.setdefault(subtopic, []).append(score)
            elif kind == "subtopic":
                best[subtopic] = max(score, best.get(subtopic, 0.0))
            else:
                of_gap[subtopic] = max(score, of_gap.get(subtopic, 0.0))
        result = []
        for subtopic, row in self.judged.items():
            like = sorted(nearness.get(subtopic, ()), reverse=True)[:LIKE_IT]
            by_questions = (like[0] + float(np.mean(like))) / 2 if len(like) == LIKE_IT else 0.0
            by_topic = BY_TOPIC * topic.get(row["topic_id"], 0.0)
            result.append((subtopic, max(by_questions, best.get(subtopic, 0.0), of_gap.get(subtopic, 0.0), by_topic)))
        return sorted(result, key=lambda pair: (-round(pair[1], 6), -self.judged[pair[0]]["conversations"], pair[0]))

    @cached_property
    def _keys(self) -> list[tuple[str, str, str]]:
        texts = self.index.texts
        return list(zip(texts["kind"], texts["id"], texts["subtopic_id"].fillna(""), strict=True))

    def _subject(
        self, subtopic: str, score: float, gaps: Mapping[str, Gap],
        decided: Mapping[str, Sequence[Decision]] | None = None, scores: F64 | None = None,
    ) -> Subject:  # fmt: skip
        """A subtopic with the verdict on it; in full where ``scores`` are given."""
        row = self.judged[subtopic]
        held_by = [gaps[gap] for gap in row["gap_ids"] if gap in gaps]
        rule = row["rule"] if row["rule"] != "gap" or held_by else "elsewhere"
        verdict = (
            f"gap {held_by[0].rank}, {held_by[0].kind}"
            if rule == "gap"
            else f"no gap: {why_not({**row, 'rule': rule}).verdict}"
        )
        head = (
            subtopic,
            line(row["label"], 120),
            row["topic_id"],
            line(row["topic_label"], 120),
            round(score, 3),
            rule,
            verdict,
        )
        if scores is None:
            return Subject(*head)
        notes = [_note(gap, (decided or {}).get(gap.gap_id, ())) for gap in held_by]
        if rule == "gap":
            sentences = [part for note in notes[:1] for part in (note.story, note.standing) if part]
        else:
            sentences = why_not({**row, "rule": rule}).sentences
            if notes:
                held = plural(row["in_gaps"], "failed conversation")
                named = ", ".join(f"{note.rank} (“{note.title}”, {note.kind})" for note in notes)
                sentences.append(f"{held} of it {'is' if row['in_gaps'] == 1 else 'are'} in gap {named}.")
        return Subject(*head, sentences, row, notes, self._quotes(subtopic, scores))

    def _quotes(self, subtopic: str, scores: F64) -> list[dict[str, str]]:
        if not self._may_show(subtopic):
            return []
        own = np.where(self.index.texts["subtopic_id"].eq(subtopic).to_numpy(), scores, -1.0)
        hits = self.index.hits(own, "question", QUOTES)
        return [{"conversation_id": hit.id, "text": line(hit.text, 200)} for hit in hits]

    def _not_found(
        self, asked: str, scores: F64, ranked: Sequence[tuple[str, float]], gaps: Mapping[str, Gap]
    ) -> Answer:
        nearest = [self._subject(subtopic, score, gaps) for subtopic, score in ranked[:OTHERS]]
        none = self.index.texts["kind"].eq("question") & self.index.texts["topic_id"].isna()
        like = int((none.to_numpy() & (scores >= NEAR)).sum())
        if like:
            headline = (
                f"It is no gap: no topic is about “{asked}”. {plural(like, 'question')} like it "
                f"{'is' if like == 1 else 'are'} in no topic, which needs {self._min_questions:,} alike by "
                f"{plural(self._min_customers, 'customer')}."
            )
            return self._answer(asked, "no topic", headline, None, nearest)
        unknown = "nobody asked about it in this window, or in quite other words"
        headline = f"No gap and no topic comes near “{asked}”: {unknown}."
        return self._answer(asked, "nothing", headline, None, nearest)


def _note(gap: Gap, decisions: Sequence[Decision]) -> GapNote:
    return GapNote(
        gap.gap_id, gap.rank, line(gap.title, 200), gap.kind, gap.status, story(gap), _standing(gap, decisions)
    )


def _standing(gap: Gap, decisions: Sequence[Decision]) -> str:
    """Where a gap stands in its life, and who put it there."""
    decided_by = gap_state(decisions).decided
    decision = next((each for each in in_force(decisions) if each.id == decided_by), None)
    parts = []
    if decision is None:
        parts.append(f"It is {gap.status}: nobody has decided on it yet.")
    else:
        details = [str(decision.payload.get("reason") or "").replace("_", " "), line(decision.why, 300)]
        if decision.payload.get("until"):
            details.insert(0, f"until {short_day(decision.payload['until'], year=True)}")
        if gap.merged_into:
            details.insert(0, f"into {gap.merged_into}")
        told = "; ".join(part for part in details if part)
        deed = ACTIONS[decision.verb].past if decision.verb in ACTIONS else decision.verb
        day = short_day(decision.at.date(), year=True)
        parts.append(f"It is {gap.status}: {decision.who} {deed} it on {day}{f' ({told})' if told else ''}.")
    if gap.folded:
        parts.append("It is folded away as too small to act on.")
    return " ".join(parts)
