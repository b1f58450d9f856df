"""How well the number of topics is found on sets that it was not chosen on.

Each public set is drawn from many times: some of its intents, many texts of some and few of others, so that a few sets
give sets of many sizes and shapes. Then the one figure that was chosen, the usual height of the tree's cut, is chosen
anew without each family of sets in turn, and scored on that family.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from lacuna.models.topics.neighbour_tree import USUAL_HEIGHT, NeighbourTree
from lacuna.models.topics.text_space import sentences
from lacuna.models.topics.topic_finder import fit_space
from lacuna.pipelines.io.vector_cache import embed
from lacuna.pipelines.settings import load_settings
from lacuna.pipelines.topic_finder import distinct_texts
from tests.bench.topics_child import score

FAMILY = "clinc"  # the four sets whose names begin so are one family; every other set is one of its own
HEIGHTS = (0.5, 0.55, 0.6, 0.65, 0.7)
DRAWS = 12
FEWEST, LARGEST = 8, (25, 300)  # intents of a draw at least, and texts of its largest intent


@dataclass(frozen=True)
class Labelled:
    """Distinct texts with their vectors, sentences and true intents."""

    texts: list[str]
    truth: np.ndarray
    vectors: np.ndarray
    owner: np.ndarray
    parts: list[str]
    part_vectors: np.ndarray

    def take(self, rows: np.ndarray) -> Labelled:
        """Some of the texts."""
        at = np.full(len(self.texts), -1)
        at[rows] = np.arange(len(rows))
        kept = np.flatnonzero(at[self.owner] >= 0)
        kept = kept[np.argsort(at[self.owner[kept]], kind="stable")]
        return Labelled(
            [self.texts[i] for i in rows], self.truth[rows], self.vectors[rows], at[self.owner[kept]],
            [self.parts[i] for i in kept], self.part_vectors[kept],
        )  # fmt: skip


def prepared(texts: pd.DataFrame, cache: Path, embedder: str) -> Labelled:
    """A set (id, text, truth) as `lacuna topics` takes it: redacted, each text once."""
    distinct, of = distinct_texts(texts["text"].tolist(), cache, load_settings(None))
    truth = np.empty(len(distinct), dtype=object)
    truth[of[of >= 0]] = texts["truth"].to_numpy()[of >= 0]
    parts = [(i, part) for i, text in enumerate(distinct) for part in sentences(text)]
    vectors = embed([*distinct, *(part for _, part in parts)], embedder, cache, "embedding")
    return Labelled(
        distinct, truth, vectors[: len(distinct)], np.array([i for i, _ in parts]), [part for _, part in parts],
        vectors[len(distinct) :],
    )  # fmt: skip


def draws(labelled: Labelled, seed: int) -> Iterator[Labelled]:
    """The whole set, and draws of it: some of the intents, their sizes falling by a power law."""
    yield labelled
    intents = np.unique(labelled.truth.astype(str))
    for draw in range(DRAWS):
        rng = np.random.default_rng([seed, draw])
        count = int(np.exp(rng.uniform(np.log(min(FEWEST, len(intents))), np.log(len(intents)))))
        largest, power = rng.integers(*LARGEST), rng.uniform(0, 1.3)
        rows = [
            rng.permutation(np.flatnonzero(labelled.truth == intent))[: max(6, int(largest / (1 + place) ** power))]
            for place, intent in enumerate(rng.permutation(intents)[:count])
        ]
        yield labelled.take(np.sort(np.concatenate(rows)))


def leave_one_family_out(sets: dict[str, Labelled]) -> None:
    """Print, for each family of sets, the height that the others choose, and ACC and K with it on the family."""
    rows = []
    for number, (name, labelled) in enumerate(sets.items()):
        if name == "demo":  # one problem in two languages is two topics to an embedder of English
            continue
        for draw, drawn in enumerate(draws(labelled, number)):
            space, _ = fit_space(drawn.texts, drawn.vectors, drawn.owner, drawn.parts, drawn.part_vectors)
            for height in HEIGHTS:
                tree = NeighbourTree(judged_by=space.meaning_dim, usual_height=height).fit(space.space_)
                figures = score(drawn.truth, tree.labels_)
                ratio = figures["K"] / figures["K_true"]
                rows.append(
                    (FAMILY if name.startswith(FAMILY) else name, f"{name}-{draw}", height, figures["ACC"], ratio)
                )
    table = pd.DataFrame(rows, columns=["family", "draw", "height", "ACC", "ratio"])
    table["off"] = np.abs(np.log(table["ratio"].clip(lower=0.05)))
    by_family = table.groupby(["family", "height"])["ACC"].mean().unstack()
    print(f"mean ACC over the whole sets and {DRAWS} draws of each, by the usual height of the cut")
    print(by_family.round(1).to_string())
    print("\nthe height chosen without a family, and how it does there (within: K within 1.4 of the truth)")
    for family in by_family.index:
        chosen = by_family.drop(index=family).mean().idxmax()
        own = table[(table["family"] == family) & (table["height"] == chosen)]
        ever, times = by_family.loc[family].max(), np.exp(np.log(own["ratio"]).mean())
        print(
            f"{family:18} {chosen:.2f}  ACC {own['ACC'].mean():.1f} (best there {ever:.1f})"
            f"  within {(own['off'] < np.log(1.4)).mean():.0%}, K {times:.2f} times the truth"
        )
    print(f"as it is set: {USUAL_HEIGHT}\n")
