"""The topic registry: which topics of this run are known, under which ids and labels, and what became of the rest."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
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
    """What earlier runs know of topics, or of subtopics, whose ids stand in ``topic_id`` here.

    Attributes
    ----------
    level : "topics" or "subtopics"
    known : the latest row of each (:meth:`pipelines.state.repository.State.topics_before`)
    previous : the run before, None for a first run
    """

    level: str
    known: pd.DataFrame
    previous: str | None

    def held(self, keys: pd.Series) -> Ints:
        """Which one of the run before held each question key, as a number from 0; -1 for none."""
        members = self.known.loc[self.known["run_id"] == self.previous, "members"]
        held = {key: number for number, own in enumerate(members) for key in own}
        return keys.map(held).fillna(-1).to_numpy(dtype=np.int64)


def read_before(job: Job) -> tuple[Before, Before]:
    """What is known of topics and of subtopics; only earlier runs are read."""
    with open_state(job.settings, job.store) as state:
        topics, subtopics = (state.topics_before(job.run_id, level) for level in ("topics", "subtopics"))
        previous = state.previous_run(job.run_id)
    subtopics = subtopics.drop(columns="topic_id").rename(columns={"subtopic_id": "topic_id"})
    return Before("topics", topics, previous), Before("subtopics", subtopics, previous)


def identify(
    job: Job, asked: pd.DataFrame, groups: list[Ints], vectors: F32, before: Before
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Give each topic the id of the known topic that it is, or a new one, and tell what happened to each.

    Subtopics have a registry of their own; what is said of topics here holds for either.

    Parameters
    ----------
    job
        Its run.
    asked
        Every question of the run, with its content key in ``key``.
    groups
        Row numbers in ``asked`` of each topic's questions.
    vectors
        float32 (len(asked), dim), by the run's embedder.
    before
        What is known of the topics, or of the subtopics.

    Returns
    -------
    registry : topic_id, embedder, centroid (bytes of float32), members, size, first_seen, lineage, known_label,
        known_centroid, fits and known_theme (the label so far, the centroid when it was given and whether the topic is
        still near it, and the name of the theme, or null); one row a group, in their order
    events : as :func:`models.topics.lineage.trace`

    Raises
    ------
    SettingsInvalid
        The topics of the run before were made with another embedder, and the settings do not say to take them over.
    """
    model = embedder(job.settings.embedder.name)
    kind = f"{model.name}-{model.version}"
    known = _comparable(job, before, kind, asked["key"].to_numpy(), vectors)
    centroids = unit(np.array([vectors[g].mean(axis=0) for g in groups]).reshape(len(groups), vectors.shape[1]))
    members = [sorted(set(asked["key"].iloc[g])) for g in groups]
    chosen = job.settings.topics
    common = likeness.common_to(centroids, _languages(asked, groups))
    apart, known_apart = common.taken_out(centroids), common.taken_out(_stacked(known["centroid"], centroids.shape[1]))
    enough = common.enough(centroids, chosen.same_at_least)
    now = pd.DataFrame({"centroid": list(apart), "members": members})
    named, events = lineage.trace(
        job.run_id, before.previous, now, known.assign(centroid=list(known_apart)), set(asked["key"]), enough,
        chosen.min_questions, before.level[0],
    )  # fmt: skip
    registry = named[["topic_id", "first_seen", "lineage"]].assign(
        embedder=kind,
        centroid=[c.astype(np.float32).tobytes() for c in centroids],
        members=pd.Series(members, index=named.index, dtype=object),
        size=[len(g) for g in groups],
    )
    same = known.set_index("topic_id").reindex(named["same"], columns=["label", "label_centroid", "theme"])
    registry["known_label"] = same["label"].astype("str").array
    registry["known_centroid"] = same["label_centroid"].astype(object).to_numpy()
    drift = _drift(apart, registry["known_centroid"], common)
    registry["fits"] = ~(drift < enough)
    registry["known_theme"] = same["theme"].astype("str").array
    return registry, events


def _languages(asked: pd.DataFrame, groups: list[Ints]) -> list[str]:
    """The language that most of each topic's questions are in."""
    code = asked["language"].fillna("").astype(str).str[:2].to_numpy()
    return [Counter(sorted(code[rows])).most_common(1)[0][0] for rows in groups]


def name(registry: pd.DataFrame, labels: pd.Series) -> pd.DataFrame:
    """The registry with its labels: a topic keeps its label for as long as it is what was labelled.

    Drift from week to week is measured from where the label was given, not from last week: many small steps make a
    long way. A topic of another embedder has no such measure, and keeps its label.
    """
    kept = [
        label if isinstance(label, str) and fits else None
        for label, fits in zip(registry["known_label"], registry["fits"], strict=True)
    ]
    chosen = lineage.keep_labels(list(labels), kept)
    held = [label == old for label, old in zip(chosen, kept, strict=True)]
    named = registry.drop(columns=["known_label", "known_centroid", "known_theme", "fits"])
    named["label"] = pd.array(chosen, dtype="str")
    named["label_centroid"] = [
        there if unchanged and isinstance(there, bytes) else here
        for unchanged, there, here in zip(held, registry["known_centroid"], registry["centroid"], strict=True)
    ]
    return named


def _drift(apart: F32, labelled: pd.Series, common: likeness.Common) -> F32:
    """The cosine of each topic's centroid to the one that its label was given for, nan where there is none."""
    nowhere = np.full(apart.shape[1], np.nan, dtype=np.float32)
    there = [np.frombuffer(c, dtype=np.float32) if isinstance(c, bytes) else nowhere for c in labelled]
    return np.einsum("ij,ij->i", apart, common.taken_out(_stacked(there, apart.shape[1])))


def _stacked(rows: Iterable[F32], dim: int) -> F32:
    """Centroids one below the other; those of another embedder, in a run that has no vectors, as if there were none."""
    found = [row if len(row) == dim else np.full(dim, np.nan, dtype=np.float32) for row in rows]
    return np.array(found, dtype=np.float32).reshape(len(found), dim)


def _comparable(job: Job, before: Before, kind: str, keys: NDArray[np.object_], vectors: F32) -> pd.DataFrame:
    """The known topics with centroids that compare with this run's; label_centroid is null where it does not.

    Topics of another embedder get the centroid of those of their questions that this run asks again, in this run's
    vectors; a topic none of whose questions is asked again has none.
    """
    known, previous = before.known, before.previous
    others = sorted(set(known.loc[known["run_id"] == previous, "embedder"]) - {kind})
    for other in others:
        if other != job.settings.topics.migrate_from:
            raise SettingsInvalid(
                f"the topics of run {previous} were made with the embedder {other}, and this run's is {kind}:"
                " their centroids do not compare, and every topic would get a new id",
                f'to take the topics over, set [topics] migrate_from = "{other}" and run on a bundle that still holds'
                f" the questions of run {previous}; to go on as before, set [embedder] name back",
            )
    rows: dict[str, list[int]] = {}
    foreign = (known["embedder"] != kind).to_numpy(dtype=bool)
    if foreign.any():
        for row, key in enumerate(keys):
            rows.setdefault(str(key), []).append(row)
    centroids, lost = [], 0
    for strange, centroid, members in zip(foreign, known["centroid"], known["members"], strict=True):
        again = [row for key in members for row in rows.get(key, ())] if strange else []
        if not strange:
            centroids.append(np.frombuffer(centroid, dtype=np.float32))
        elif again:
            centroids.append(unit(vectors[sorted(again)].mean(axis=0, keepdims=True))[0])
        else:
            centroids.append(np.full(vectors.shape[1], np.nan, dtype=np.float32))
            lost += 1
    if others:
        progress.say(
            f"  {before.level} of {', '.join(others)} are taken over to {kind}: {int(foreign.sum()) - lost} of"
            f" {int(foreign.sum())} by their questions, the others have none in this bundle"
        )
    fits = [None if strange else label for strange, label in zip(foreign, known["label_centroid"], strict=True)]
    return known.assign(
        centroid=pd.Series(centroids, index=known.index, dtype=object),
        label_centroid=pd.Series(fits, index=known.index, dtype=object),
    )
