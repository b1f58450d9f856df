"""How well embedders tell intents apart in English, and how well they find a question's translation.

Precision: of the ten nearest questions, the share with the same label, mean over the questions, after the mean of the
set is taken out. Translations: the share of German, French and Spanish questions whose nearest English one, among their
sisters and all questions of one English set, is their sister.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from lacuna.models.arrays import F32
from lacuna.models.text.vectors import unit
from lacuna.pipelines.io.vector_cache import embed

TRANSLATIONS = Path(__file__).with_name("translations.csv")
NEAREST = 10
BANKING77 = 1_500  # texts of its test set
BACKGROUND = 2_000  # texts whose cosines to each other show the scale of an embedder


def quality(names: list[str], data: Path, store: Path) -> pd.DataFrame:
    """A row for each embedder: precision by set, translations found, mean and spread of unrelated cosines."""
    sets = english_sets(data)
    rows = []
    for name in names:
        vectors = {what: embed(list(texts["text"]), name, store, what) for what, texts in sets.items()}
        precision = {what: round(100 * _precision(vectors[what], texts["truth"]), 1) for what, texts in sets.items()}
        of_all = np.concatenate(list(vectors.values()))
        some = of_all[np.random.default_rng(0).permutation(len(of_all))[:BACKGROUND]]
        cosines = {"raw": _between(some), "centred": _between(unit(some - some.mean(axis=0)))}
        scale = {f"{what} {which}": round(float(f(c)), 2) for what, c in cosines.items() for which, f in MEASURES}
        row = {"embedder": Path(name).name, "mean": round(float(np.mean(list(precision.values()))), 1)}
        rows.append(row | precision | _translations(name, vectors["dstc11-insurance"], store) | scale)
    return pd.DataFrame(rows).set_index("embedder").T


MEASURES = (("mean", np.mean), ("spread", np.std))


def english_sets(data: Path) -> dict[str, pd.DataFrame]:
    """The English sets with an intent a question: text, truth."""
    sets = {}
    for file in [*sorted((data / "intents").glob("*.jsonl")), data / "dstc11-banking" / "utterances.jsonl"]:
        name = file.stem if file.stem != "utterances" else file.parent.name
        sets[name] = pd.read_json(file, lines=True, dtype=False)[["utterance", "reference_label"]]
    banking77 = pd.read_csv(data / "banking77" / "test.csv")[["text", "category"]]
    sets["banking77"] = banking77.iloc[np.random.default_rng(0).permutation(len(banking77))[:BANKING77]]
    return {name: texts.set_axis(["text", "truth"], axis=1) for name, texts in sets.items()}


def _precision(vectors: F32, truth: pd.Series) -> float:
    vectors = unit(vectors - vectors.mean(axis=0))
    cosines = vectors @ vectors.T
    np.fill_diagonal(cosines, -1)
    near = np.argpartition(-cosines, NEAREST, axis=1)[:, :NEAREST]
    labels = truth.to_numpy()
    return float((labels[near] == labels[:, None]).mean())


def _translations(name: str, others: F32, store: Path) -> dict[str, str]:
    sisters = pd.read_csv(TRANSLATIONS)
    english = np.concatenate([embed(list(sisters["en"]), name, store, "en"), others])
    right = 0
    for language in ("de", "fr", "es"):
        nearest = (embed(list(sisters[language]), name, store, language) @ english.T).argmax(axis=1)
        right += int((nearest == np.arange(len(sisters))).sum())
    return {"translations": f"{right}/{3 * len(sisters)}"}


def _between(vectors: F32) -> F32:
    return (vectors @ vectors.T)[np.triu_indices(len(vectors), 1)]
