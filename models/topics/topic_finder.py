"""Topics of texts without outcomes: found on a sample; the other texts are assigned shard by shard."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from threadpoolctl import threadpool_limits

from lacuna.models.arrays import F32, Ints
from lacuna.models.text.languages import common_languages, languages_of
from lacuna.models.topics.describe import find_topics
from lacuna.models.topics.nearest import assign_nearest
from lacuna.models.topics.neighbour_tree import NeighbourTree, centroids
from lacuna.models.topics.text_space import TextSpace, sentences

# Round 1 weighs sentences by their rarity, round 2 by the topics of round 1; more rounds change little.
ROUNDS = 2
LOOSEST = 5  # percentile of the sample's cosines to their topics from which on another text joins a topic


@dataclass(frozen=True)
class Groups:
    """Topics found on a sample, to which any other texts can be assigned; it pickles, so that workers can share it.

    Parameters
    ----------
    text_space
        The space that the topics lie in.
    middles
        float32 (topics, dim), rows of length 1.
    enough
        The least cosine to the nearest centroid at which a text joins its topic.
    phrases
        For each topic, phrases that describe it, best first.
    labels
        Topic of each text of the sample: int (n,), -1 for none.
    languages
        The common languages of the sample.
    """

    text_space: TextSpace
    middles: F32
    enough: float
    phrases: list[list[str]]
    labels: Ints
    languages: tuple[str, ...]

    def join(self, vectors: F32, texts: Sequence[str]) -> tuple[Ints, F32]:
        """Topic (-1 for none) of texts outside the sample, and the cosine to its centroid.

        Each text is assigned by itself, so that shards and their order make no difference.
        """
        placed = self.text_space.place(vectors, texts, languages_of(texts, self.languages))
        nearest = assign_nearest(placed, self.middles, self.enough)
        return nearest.topic, nearest.strength

    def sample(self) -> tuple[Ints, F32]:
        """The same for the texts of the sample; those that were in no cluster join a topic that is near enough."""
        nearest = assign_nearest(self.text_space.space_, self.middles, self.enough, self.labels)
        strength, core = nearest.strength.copy(), np.flatnonzero(self.labels >= 0)
        # Row by row: in a product of matrices, equal rows may differ in their last digits.
        strength[core] = np.einsum("ij,ij->i", self.text_space.space_[core], self.middles[self.labels[core]])
        return nearest.topic, strength


def fit_space(
    texts: Sequence[str],
    vectors: F32,
    owner: Ints,
    sentence_texts: Sequence[str],
    sentence_vectors: F32,
    tick: Callable[[int, int], None] | None = None,
) -> tuple[TextSpace, tuple[str, ...]]:
    """The space of the last round, in which topics are cut, and the common languages of the texts.

    Parameters
    ----------
    texts, vectors
        The sample, and float32 (n, dim), rows of length 1.
    owner, sentence_texts, sentence_vectors
        As :meth:`TextSpace.fit` takes them.
    tick
        Called with (rounds done, rounds).
    """
    common = common_languages(texts)
    text_space = TextSpace().fit(vectors, owner, sentence_texts, sentence_vectors, languages_of(texts, common))
    clusters = NeighbourTree(judged_by=text_space.meaning_dim)
    for rounds_done in range(1, ROUNDS):
        rough_labels = clusters.fit_predict(text_space.space_)
        if tick:
            tick(rounds_done, ROUNDS)
        text_space.weigh(np.where(rough_labels < 0, rough_labels.max() + 1, rough_labels))
    return text_space, common


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
        The sample: distinct texts, in an order that does not depend on the input's.
    embed
        Called with texts and a name for them; returns float32 rows of length 1.
    stop_words
        Words that describe no topic.
    tick
        Called with (rounds done, rounds).
    """
    parts = [(i, part) for i, text in enumerate(texts) for part in sentences(text)]
    owner, sentence_texts = np.array([i for i, _ in parts]), [part for _, part in parts]
    vectors = embed([*texts, *sentence_texts], "texts and sentences")
    text_space, common = fit_space(texts, vectors[: len(texts)], owner, sentence_texts, vectors[len(texts) :], tick)
    clusters = NeighbourTree(judged_by=text_space.meaning_dim)
    labels, words = find_topics(texts, text_space.space_, clusters, stop_words)
    if tick:
        tick(ROUNDS, ROUNDS)
    middles = centroids(text_space.space_, labels)
    core = np.flatnonzero(labels >= 0)
    strength = np.einsum("ij,ij->i", text_space.space_[core], middles[labels[core]])
    enough = float(np.percentile(strength, LOOSEST)) if len(core) else 1.0
    phrases = [[word for word, _ in words.get(k, [])[:10]] for k in range(len(middles))]
    return Groups(text_space, middles, enough, phrases, labels, common)
