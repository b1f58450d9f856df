"""The topic registry: the topics that this run has again, under which ids and labels, and what became of the others."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lacuna.data_contracts.errors import SettingsInvalid
from lacuna.models.arrays import F32, Ints
from lacuna.models.text.vectors import unit
from lacuna.models.topics import likeness, lineage
from lacuna.pipelines.embedders.registry import embedder
from lacuna.pipelines.presentation import progress
from lacuna.pipelines.runtime.job import Job
from lacuna.pipelines.state.repository import open_state

__all__ = ["Before", "identify", "name", "read_before"]


@dataclass(frozen=True)
class Before:
    """The topics of earlier runs, or their subtopics, whose ids stand in ``topic_id`` here.

    Attributes
    ----------
    level : "topics" or "subtopics"
    topics : the latest row of each (:meth:`pipelines.state.repository.State.topics_before`)
    previous : the run before, None for a first run
    """

    level: str
    topics: pd.DataFrame
    previous: str | None

    def number_of(self, keys: pd.Series) -> Ints:
        """The topic of the run before that had each question key, as a number from 0; -1 for none."""
        members = self.topics.loc[self.topics["run_id"] == self.previous, "members"]
        numbers = {key: number for number, keys_of_topic in enumerate(members) for key in keys_of_topic}
        return keys.map(numbers).fillna(-1).to_numpy(dtype=np.int64)


def read_before(job: Job) -> tuple[Before, Before]:
    """The topics and the subtopics of earlier runs."""
    with open_state(job.settings, job.store) as state:
        topics, subtopics = (state.topics_before(job.run_id, level) for level in ("topics", "subtopics"))
        previous = state.previous_run(job.run_id)
    subtopics = subtopics.drop(columns="topic_id").rename(columns={"subtopic_id": "topic_id"})
    return Before("topics", topics, previous), Before("subtopics", subtopics, previous)


def identify(
    job: Job,
    questions: pd.DataFrame,
    groups: list[Ints],
    vectors: F32,
    before: Before,
    asked: Collection[str],
    given_ids: Mapping[int, str] | None = None,
    retired_ids: Collection[str] = (),
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Give each topic the id of the earlier topic that it continues, or a new id, and record what happened to each.

    Subtopics have a registry of their own, and are treated in the same way.

    Parameters
    ----------
    job
        The run.
    questions
        The questions that topics were found on, with their content keys in ``key``.
    groups
        Row numbers in ``questions`` of each topic's.
    vectors
        float32 (len(questions), dim), by the run's embedder.
    before
        The topics, or the subtopics, of earlier runs.
    asked
        The content keys of all questions of the run.
    given_ids, retired_ids
        What people have decided, by the place in ``groups`` (:func:`models.topics.lineage.trace`).

    Returns
    -------
    registry : topic_id, embedder, centroid (bytes of float32), members, size, first_seen, lineage, known_label,
        known_centroid, fits and known_theme (the label so far, the centroid for which it was given, whether the topic
        is still near that, and the name of the theme, or null); one row per group, in their order
    events : as :func:`models.topics.lineage.trace`

    Raises
    ------
    SettingsInvalid
        The topics of the run before were made with another embedder, and the settings do not say to take them over.
    """
    model = embedder(job.embedder)
    kind = f"{model.name}-{model.version}"
    known_topics = _comparable(job, before, kind, questions["key"].to_numpy(), vectors)
    centroids = unit(np.array([vectors[g].mean(axis=0) for g in groups]).reshape(len(groups), vectors.shape[1]))
    members = [sorted(set(questions["key"].iloc[g])) for g in groups]
    settings = job.settings.topics
    common = likeness.common_to(centroids, _languages(questions, groups))
    distinctive = common.taken_out(centroids)
    known_distinctive = common.taken_out(_stacked(known_topics["centroid"], centroids.shape[1]))
    needed = common.enough(centroids, settings.same_at_least)
    topics = pd.DataFrame({"centroid": list(distinctive), "members": members})
    traced, events = lineage.trace(
        job.run_id, before.previous, topics, known_topics.assign(centroid=list(known_distinctive)),
        set(asked), needed, settings.min_questions, before.level[0],
        given_ids, retired_ids,
    )  # fmt: skip
    registry = traced[["topic_id", "first_seen", "lineage"]].assign(
        embedder=kind,
        centroid=[c.astype(np.float32).tobytes() for c in centroids],
        members=pd.Series(members, index=traced.index, dtype=object),
        size=[len(g) for g in groups],
    )
    known_of_topic = known_topics.set_index("topic_id").reindex(
        traced["same"], columns=["label", "label_centroid", "theme"]
    )
    registry["known_label"] = known_of_topic["label"].astype("str").array
    registry["known_centroid"] = known_of_topic["label_centroid"].astype(object).to_numpy()
    drift = _drift(distinctive, registry["known_centroid"], common)
    registry["fits"] = ~(drift < needed)
    registry["known_theme"] = known_of_topic["theme"].astype("str").array
    return registry, events


def _languages(questions: pd.DataFrame, groups: list[Ints]) -> list[str]:
    """The language that most of each topic's questions are in."""
    code = questions["language"].fillna("").astype(str).str[:2].to_numpy()
    return [Counter(sorted(code[rows])).most_common(1)[0][0] for rows in groups]


def name(registry: pd.DataFrame, labels: pd.Series) -> pd.DataFrame:
    """The registry with its labels: a topic keeps its label while it stays near the centroid that was labelled.

    Drift is measured from that centroid, not from last week's, since many small steps add up. A topic of another
    embedder has no such centroid, and keeps its label.
    """
    labels_before = [
        label if isinstance(label, str) and fits else None
        for label, fits in zip(registry["known_label"], registry["fits"], strict=True)
    ]
    final_labels = lineage.keep_labels(list(labels), labels_before)
    kept = [label == old for label, old in zip(final_labels, labels_before, strict=True)]
    named = registry.drop(columns=["known_label", "known_centroid", "known_theme", "fits"])
    named["label"] = pd.array(final_labels, dtype="str")
    named["label_centroid"] = [
        labelled if unchanged and isinstance(labelled, bytes) else current
        for unchanged, labelled, current in zip(kept, registry["known_centroid"], registry["centroid"], strict=True)
    ]
    return named


def _drift(distinctive: F32, labelled: pd.Series, common: likeness.Common) -> F32:
    """The cosine of each topic's centroid to the one that its label was given for; nan where there is none."""
    nowhere = np.full(distinctive.shape[1], np.nan, dtype=np.float32)
    centroids = [np.frombuffer(c, dtype=np.float32) if isinstance(c, bytes) else nowhere for c in labelled]
    return np.einsum("ij,ij->i", distinctive, common.taken_out(_stacked(centroids, distinctive.shape[1])))


def _stacked(rows: Iterable[F32], dim: int) -> F32:
    """Centroids as an array with ``dim`` columns; nan for those of another dimension, which can't be compared."""
    padded = [row if len(row) == dim else np.full(dim, np.nan, dtype=np.float32) for row in rows]
    return np.array(padded, dtype=np.float32).reshape(len(padded), dim)


def _comparable(job: Job, before: Before, kind: str, keys: NDArray[np.object_], vectors: F32) -> pd.DataFrame:
    """The topics of earlier runs with centroids that can be compared with this run's; else label_centroid is null.

    A topic of another embedder gets the centroid of those of its questions that this run has too, by this run's
    vectors; nan where this run has none of them.
    """
    topics, previous = before.topics, before.previous
    other_embedders = sorted(set(topics.loc[topics["run_id"] == previous, "embedder"]) - {kind})
    for other in other_embedders:
        if other != job.settings.topics.migrate_from:
            raise SettingsInvalid(
                f"the topics of run {previous} were made with the embedder {other}, and this run's is {kind}:"
                " their centroids do not compare, and every topic would get a new id",
                f'to take the topics over, set [topics] migrate_from = "{other}" and run on a bundle that still holds'
                f" the questions of run {previous}; to go on as before, set [embedder] name back",
            )
    rows: dict[str, list[int]] = {}
    foreign = (topics["embedder"] != kind).to_numpy(dtype=bool)
    if foreign.any():
        for row, key in enumerate(keys):
            rows.setdefault(str(key), []).append(row)
    centroids, n_lost = [], 0
    for is_foreign, centroid, members in zip(foreign, topics["centroid"], topics["members"], strict=True):
        asked_again = [row for key in members for row in rows.get(key, ())] if is_foreign else []
        if not is_foreign:
            centroids.append(np.frombuffer(centroid, dtype=np.float32))
        elif asked_again:
            centroids.append(unit(vectors[sorted(asked_again)].mean(axis=0, keepdims=True))[0])
        else:
            centroids.append(np.full(vectors.shape[1], np.nan, dtype=np.float32))
            n_lost += 1
    if other_embedders:
        progress.say(
            f"  {before.level} of {', '.join(other_embedders)} are taken over to {kind}:"
            f" {int(foreign.sum()) - n_lost} of {int(foreign.sum())} by their questions, the others have none in this"
            " bundle"
        )
    fits = [None if is_foreign else label for is_foreign, label in zip(foreign, topics["label_centroid"], strict=True)]
    return topics.assign(
        centroid=pd.Series(centroids, index=topics.index, dtype=object),
        label_centroid=pd.Series(fits, index=topics.index, dtype=object),
    )
