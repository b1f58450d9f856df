"""Texts to topics with nothing else known of them: found on some, joined by the others, shard by shard."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from threadpoolctl import threadpool_limits

from lacuna.models.arrays import F32, Ints
from lacuna.models.text.languages import common_languages, languages_of
from lacuna.models.topics.describe import find_topics
from lacuna.models.topics.graph_clusters import RESOLUTIONS, GraphClusters, centroids
from lacuna.models.topics.nearest import assign_nearest
from lacuna.models.topics.text_space import TextSpace, sentences

# The first weighs sentences by how rare they are, the next by the topics of the one before; then little changes.
ROUNDS = 2
NEARBY = 3  # steps of resolution around the one before that later rounds look at
LOOSEST = 5  # percent of the core that a text may be farther from its topic than, and still join it


@dataclass(frozen=True)
class Groups:
    """Topics found on a sample, ready for any number of other texts; it pickles, so that workers can share it.

    Parameters
    ----------
    gist
        The space that the topics lie in.
    middles
        float32 (topics, dim), rows of length 1.
    enough
        Cosine to the nearest middle from which a text joins it.
    phrases
        For each topic, phrases that describe it, best first.
    labels
        Topic of each text of the sample: int (n,), -1 for none.
    languages
        What the texts of the sample are in.
    """

    gist: TextSpace
    middles: F32
    enough: float
    phrases: list[list[str]]
    labels: Ints
    languages: tuple[str, ...]

    def join(self, vectors: F32, texts: Sequence[str]) -> tuple[Ints, F32]:
        """Topic (-1 for none) of texts outside the sample, and the cosine to its middle; each text by itself.

        However texts are cut into shards, and in whatever order the shards come, a text gets the same.
        """
        space = self.gist.place(vectors, texts, languages_of(texts, self.languages))
        nearest = assign_nearest(space, self.middles, self.enough)
        return nearest.topic, nearest.strength

    def sample(self) -> tuple[Ints, F32]:
        """The same for the texts of the sample; those that no topic was found in join one where they are near."""
        nearest = assign_nearest(self.gist.space_, self.middles, self.enough, self.labels)
        strength, core = nearest.strength.copy(), np.flatnonzero(self.labels >= 0)
        # Row by row: in a product of matrices, equal rows may differ in their last digits.
        strength[core] = np.einsum("ij,ij->i", self.gist.space_[core], self.middles[self.labels[core]])
        return nearest.topic, strength


@threadpool_limits.wrap(limits=1, user_api="blas")  # the matrices are small: more threads would wait for each other
def find_groups(
    texts: Sequence[str],
    embed: Callable[[Sequence[str], str], F32],
    stop_words: Sequence[str],
    tick: Callable[[int, int], None] | None = None,
) -> Groups:
    """Find the topics of ``texts``, as many as there are.

    Parameters
    ----------
    texts
        Distinct, in an order of their own: the sample.
    embed
        Texts, and what they are to be called, to float32 rows of length 1.
    stop_words
        Words that describe no topic.
    tick
        Called with (rounds done, rounds).
    """
    parts = [(i, part) for i, text in enumerate(texts) for part in sentences(text)]
    owner, said = np.array([i for i, _ in parts]), [part for _, part in parts]
    common = common_languages(texts)
    vectors = embed([*texts, *said], "texts and sentences")
    gist = TextSpace().fit(vectors[: len(texts)], owner, said, vectors[len(texts) :], languages_of(texts, common))
    clusters = GraphClusters(judged_by=gist.meaning_dim)
    for done in range(1, ROUNDS):
        found = clusters.fit_predict(gist.space_)
        at = RESOLUTIONS.index(clusters.resolution_)
        clusters.set_params(resolutions=RESOLUTIONS[max(0, at - NEARBY) : at + NEARBY + 1])
        if tick:
            tick(done, ROUNDS)
        gist.weigh(np.where(found < 0, found.max() + 1, found))
    labels, words = find_topics(texts, gist.space_, clusters, stop_words)
    if tick:
        tick(ROUNDS, ROUNDS)
    middles = centroids(gist.space_, labels)
    core = np.flatnonzero(labels >= 0)
    strength = np.einsum("ij,ij->i", gist.space_[core], middles[labels[core]])
    enough = float(np.percentile(strength, LOOSEST)) if len(core) else 1.0
    phrases = [[word for word, _ in words.get(k, [])[:10]] for k in range(len(middles))]
    return Groups(gist, middles, enough, phrases, labels, common)
