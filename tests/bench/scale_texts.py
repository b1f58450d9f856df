"""What a bundle of any size is worded with: real questions, their sentences by subject, and articles made of them.

A *subject* is a slice of a topic: questions of one forum topic that k-means of their TF-IDF vectors puts together. All
sentences lie in one Arrow array, ordered by subject within topic, so that a sentence of a subject, or of a topic, is an
index between two bounds, and a hundred thousand texts are put together without a loop over them.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from sklearn.cluster import MiniBatchKMeans
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import TfidfVectorizer

Rng = np.random.Generator
Ints = NDArray[np.int64]

SMALL_TOPIC = 100  # topics of the forum with fewer questions than this count as "other"
OF_SUBJECT = 0.8  # share of a made-up question's sentences that are its subject's; the others are its topic's
BODY_SENTENCES = 14  # of an article, at most
STEPS = 5  # of an article
SEARCHED = 6  # articles that the bot's search lists for a subject
SENTENCE = re.compile(r"(?<=[.!?])\s+|\n+")
DO = ("Open", "Choose", "Click", "Select", "Go to", "Turn off", "Turn on", "Clear", "Check", "Restart")
WHERE = (
    "the menu and then Settings", "Privacy & Security", "the add-ons page", "Help and then Troubleshoot Mode",
    "about:preferences", "the library", "the toolbar with the right mouse button", "Manage Data", "the profile folder",
    "Sync in the account menu", "the downloads panel", "the permissions of the site", "hardware acceleration",
    "the cache and the cookies of the site", "the entry in about:config", "the update history",
)  # fmt: skip


@dataclass(frozen=True)
class Ragged:
    """Strings that lie one after another by owner: those of ``i`` are ``strings[bounds[i] : bounds[i + 1]]``."""

    strings: pa.StringArray
    bounds: Ints

    def drawn(self, owners: Ints, rng: Rng) -> Ints:
        """The place of one string for each of these owners; one that has none gets a neighbour's."""
        low, high = self.bounds[owners], self.bounds[owners + 1]
        places = low + (rng.random(len(owners)) * (high - low)).astype(np.int64)
        return np.minimum(places, len(self.strings) - 1)


@dataclass(frozen=True)
class Corpus:
    """All that the texts of a bundle are made of.

    Attributes
    ----------
    questions
        The real ones, ordered by subject: ``text``, ``customer_id``, ``subject``, ``sentences`` (how many after the
        title).
    topics
        Names of the topics.
    topic
        Topic of each subject, by its place in ``topics``.
    titles, sentences
        Of the questions, by subject.
    topic_bounds
        Where the sentences of each topic begin and end.
    steps
        What the article of each subject says to do.
    articles
        One row a subject: ``title``, ``body``, ``opening`` (what a bot quotes of it).
    nearest
        int (subjects, SEARCHED), the subjects whose articles a plain word search lists for the questions of each one,
        itself left out, best first.
    """

    questions: pd.DataFrame
    topics: tuple[str, ...]
    topic: Ints
    titles: Ragged
    sentences: Ragged
    topic_bounds: Ints
    steps: Ragged
    articles: pd.DataFrame
    nearest: Ints

    def made_up(self, n: int, rng: Rng) -> tuple[Ints, pa.StringArray]:
        """Subjects and texts of ``n`` questions that nobody asked, made of sentences of questions of the same topic.

        A text has as many sentences as a real question of its subject, which is drawn as often as people asked of it.
        """
        model = rng.integers(0, len(self.questions), n)
        subject = self.questions["subject"].to_numpy()[model]
        counts = self.questions["sentences"].to_numpy()[model]
        row = np.repeat(np.arange(n), counts)
        owner = subject[row]
        places = self.sentences.drawn(owner, rng)
        other = rng.random(len(places)) >= OF_SUBJECT
        places[other] = Ragged(self.sentences.strings, self.topic_bounds).drawn(self.topic[owner[other]], rng)
        titles = self.titles.strings.take(pa.array(self.titles.drawn(subject, rng)))
        bodies = joined(self.sentences.strings.take(pa.array(places)), counts, " ")
        return subject, pc.binary_join_element_wise(titles, bodies, pa.scalar("\n", pa.string()))


def joined(strings: pa.StringArray, counts: Ints, by: str) -> pa.StringArray:
    """The first ``counts[0]`` strings as one, the next ``counts[1]`` as one, and so on."""
    offsets = np.concatenate([[0], np.cumsum(counts)]).astype(np.int32)
    return pc.binary_join(pa.ListArray.from_arrays(pa.array(offsets), strings), by)


def read_corpus(path: Path, subjects: int, seed: int) -> Corpus:
    """Read the real questions, cut their topics into so many subjects, and write an article on each.

    Raises
    ------
    ValueError
        There are fewer questions than subjects.
    """
    asked = pd.read_parquet(path)
    return corpus_of(asked, subjects, seed)


def corpus_of(asked: pd.DataFrame, subjects: int, seed: int) -> Corpus:
    """As :func:`read_corpus`, from a frame with ``id``, ``text``, ``topic`` and ``customer_id``."""
    if len(asked) < 2 * subjects:
        raise ValueError(f"{len(asked):,} questions are too few for {subjects:,} subjects: choose fewer articles")
    asked = asked.sort_values("id", ignore_index=True)
    sizes = asked["topic"].value_counts()
    asked["topic"] = asked["topic"].where(asked["topic"].map(sizes).ge(SMALL_TOPIC), "other")
    terms = TfidfVectorizer(sublinear_tf=True, stop_words="english", min_df=2, max_features=30_000, dtype=np.float32)
    vectors = terms.fit_transform(asked["text"])
    asked["subject"], topics, topic = _subjects(asked["topic"], vectors, subjects, seed)
    order = np.argsort(asked["subject"].to_numpy(), kind="stable")
    asked, vectors = asked.iloc[order].reset_index(drop=True), vectors[order]

    parts = [_parts(text) for text in asked["text"]]
    asked["sentences"] = [len(part) - 1 for part in parts]
    subject, counts = asked["subject"].to_numpy(), asked["sentences"].to_numpy()
    titles = Ragged(pa.array([part[0] for part in parts], pa.string()), _bounds(np.bincount(subject)))
    of_subject = np.bincount(subject, weights=counts, minlength=len(topic)).astype(np.int64)
    of_topic = np.bincount(topic, weights=of_subject, minlength=len(topics)).astype(np.int64)
    strings = pa.array([sentence for part in parts for sentence in part[1:]], pa.string())
    sentences = Ragged(strings, _bounds(of_subject))
    articles, steps = _articles(parts, subject, vectors, len(topic), seed)
    nearest = _nearest(terms.transform(articles["title"] + " " + articles["body"]), vectors, subject, topic)
    columns = ["text", "customer_id", "subject", "sentences"]
    return Corpus(asked[columns], topics, topic, titles, sentences, _bounds(of_topic), steps, articles, nearest)


def _bounds(counts: NDArray[np.int64]) -> Ints:
    return np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)


def _parts(text: str) -> list[str]:
    """The title of a question and its sentences; a question of one line is its own title and its own sentence."""
    parts = [part.strip() for part in SENTENCE.split(text) if part.strip()] or ["Question"]
    return parts if len(parts) > 1 else parts * 2


def _subjects(topic: pd.Series, vectors: csr_matrix, subjects: int, seed: int) -> tuple[Ints, tuple[str, ...], Ints]:
    """Subject of each question, names of the topics, and topic of each subject; in each topic by its size."""
    near = TruncatedSVD(min(64, vectors.shape[1] - 1), random_state=seed).fit_transform(vectors)
    sizes = topic.value_counts().sort_index()
    names = tuple(sizes.index)
    # So that the numbers add up: the remainder goes to the largest topics.
    shares = np.maximum(1, np.floor(subjects * sizes.to_numpy() / len(topic))).astype(int)
    for place in np.argsort(-sizes.to_numpy(), kind="stable").tolist() * subjects:
        if shares.sum() == subjects or subjects < len(names):
            break
        shares[place] += 1 if shares.sum() < subjects else -(shares[place] > 1)
    out = np.zeros(len(topic), dtype=np.int64)
    of_topic: list[int] = []
    for number, (name, share) in enumerate(zip(names, shares.tolist(), strict=True)):
        rows = np.flatnonzero(topic.eq(name).to_numpy())
        means = MiniBatchKMeans(min(share, len(rows)), random_state=seed, n_init=1, batch_size=2048, max_iter=20)
        # Groups that came out empty are left out.
        _, group = np.unique(means.fit_predict(near[rows]), return_inverse=True)
        out[rows] = len(of_topic) + group
        of_topic += [number] * (int(group.max()) + 1)
    return out, names, np.array(of_topic, dtype=np.int64)


def _articles(
    parts: Sequence[list[str]], subject: Ints, vectors: csr_matrix, subjects: int, seed: int
) -> tuple[pd.DataFrame, Ragged]:
    """An article on each subject: the title and sentences of the questions nearest to its middle, and steps."""
    rng = np.random.default_rng([seed, 1])
    rows: list[tuple[str, str, str]] = []
    steps: list[str] = []
    for number in range(subjects):
        own = np.flatnonzero(subject == number)
        middle = np.asarray(vectors[own].mean(axis=0)).ravel()
        best = own[np.argsort(-(vectors[own] @ middle), kind="stable")]
        title = parts[best[0]][0]
        quoted = [sentence for row in best[:8] for sentence in parts[row][1:4]][:BODY_SENTENCES]
        does, places = rng.integers(0, len(DO), STEPS), rng.choice(len(WHERE), STEPS, replace=False)
        about = " ".join(title.rstrip(".?!").split()[:6])
        todo = [f"{DO[do]} {WHERE[place]} for “{about}”." for do, place in zip(does, places, strict=True)]
        steps += todo
        half = len(quoted) // 2
        listed = "\n".join(f"{i}. {step}" for i, step in enumerate(todo, 1))
        before, after = " ".join(quoted[:half]), " ".join(quoted[half:])
        body = f"# {title}\n\n{before}\n\n## What to do\n\n{listed}\n\n## See also\n\n{after}\n"
        rows.append((title, body, " ".join([*quoted[:1], *todo[:2]])))
    made = Ragged(pa.array(steps, pa.string()), np.arange(subjects + 1, dtype=np.int64) * STEPS)
    return pd.DataFrame(rows, columns=["title", "body", "opening"]), made


def _nearest(articles: csr_matrix, questions: csr_matrix, subject: Ints, topic: Ints) -> Ints:
    """For each subject, what a word search over the articles of its topic lists for its mean question, best first."""
    subjects = len(topic)
    mean = csr_matrix((np.ones(len(subject), np.float32), (subject, np.arange(len(subject))))) @ questions
    out = np.zeros((subjects, SEARCHED), dtype=np.int64)
    for number in np.unique(topic):
        own = np.flatnonzero(topic == number)
        likeness = (mean[own] @ articles[own].T).toarray()
        np.fill_diagonal(likeness, -1.0)
        listed = own[np.argsort(-likeness, axis=1, kind="stable")[:, :SEARCHED]]
        if len(own) > 1:  # the last in the order is the subject itself
            listed = listed[:, : len(own) - 1]
        out[own] = listed[:, np.arange(SEARCHED) % listed.shape[1]]
    return out
