"""What anybody would try first: clusters by size, missing where the nearest article is far, else not found."""

from __future__ import annotations

from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy.cluster.hierarchy import fcluster, linkage

from lacuna.models.retrieval.article_match import passages
from lacuna.pipelines.io.vector_cache import embed

SMALLEST = 6
APART = (0.4, 0.5, 0.6)  # mean cosine distance at which clusters part
NEAR = (0.5, 0.55, 0.6, 0.65)  # cosine of the middle question to its nearest passage from which on an article answers


def plain_backlogs(bundle: Path, cache: Path) -> dict[str, list[dict[str, Any]]]:
    """Backlogs of a bundle by the setting that gives them: rows with rank, kind, article_id and conversation_ids."""
    messages = pd.read_parquet(bundle / "messages.parquet").sort_values(["conversation_id", "position"])
    first = messages[messages["role"].eq("customer")].drop_duplicates("conversation_id")
    cut = passages(pd.read_parquet(bundle / "articles.parquet"))
    question_vectors = embed([str(text) for text in first["text"]], "minilm", cache.parent, "embedding questions")
    near = question_vectors @ embed(list(cut["passage"]), "minilm", cache.parent, "embedding articles").T
    articles, ids = cut["article_id"].to_numpy(), first["conversation_id"].to_numpy()
    tree = linkage(question_vectors, "average", "cosine")
    backlogs = {}
    for apart, at_least in product(APART, NEAR):
        labels = fcluster(tree, apart, "distance")
        groups = [np.flatnonzero(labels == label) for label in np.unique(labels)]
        rows = [
            _row(rows, near, articles, ids, at_least)
            for rows in sorted(groups, key=lambda rows: -len(rows))
            if len(rows) >= SMALLEST
        ]
        backlogs[f"cut at {apart}, near from {at_least}"] = [row | {"rank": i} for i, row in enumerate(rows, 1)]
    return backlogs


def _row(rows: np.ndarray, near: np.ndarray, articles: np.ndarray, ids: np.ndarray, at_least: float) -> dict[str, Any]:
    mean = near[rows].mean(axis=0)
    answered = float(np.median(near[rows].max(axis=1))) >= at_least
    return {
        "kind": "unfindable" if answered else "missing",
        "article_id": str(articles[mean.argmax()]) if answered else None,
        "conversation_ids": [str(one) for one in ids[rows]],
    }
