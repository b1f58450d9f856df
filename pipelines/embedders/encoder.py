"""Sentence encoders from a folder: tokens in, one vector a text out, whatever runs the network in between.

A folder in the format of sentence-transformers says how texts become vectors: ``tokenizer.json``, the pooling in
``1_Pooling/config.json``, the longest text in ``sentence_bert_config.json``, and in
``config_sentence_transformers.json`` what stands before each text, such as E5's "query: ". The network is run by
CTranslate2 (:mod:`pipelines.embedders.ctranslate2`) or ONNX Runtime (:mod:`pipelines.embedders.onnx`), and this module
does the rest.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from lacuna.models.arrays import F32
from lacuna.models.text.vectors import unit

Progress = Callable[[int, int], None]

# A text's last digits depend on the shape of its batch. A small one wastes little where few texts are new; a fifth of
# the speed is the price of vectors that do not depend on what else is embedded.
TOKENS_A_BATCH = 128
LONGEST = 512  # tokens, where the folder names no limit
RECIPE = ("config.json", "modules.json", "sentence_bert_config.json", "1_Pooling/config.json", "tokenizer.json")


@dataclass(frozen=True)
class Network:
    """What turns batches of token ids into hidden states.

    Parameters
    ----------
    forward
        Takes n lists of ids; gives float32 (n, longest, dim), or (n, dim) where the network pools by itself.
    workers
        How many batches it takes at a time.
    mixes
        Whether a text's result depends on the other texts of its batch, so that each needs one of its own.
    """

    forward: Callable[[list[list[int]]], F32]
    workers: int
    mixes: bool = False


class Encoder:
    """An embedder made of a tokenizer, a network and a way to pool, all from one folder.

    Nothing heavy is loaded before the first text: a run whose texts are all cached needs no more than the version.

    Parameters
    ----------
    folder
        Where tokenizer and recipe lie.
    load
        Loads the network.
    name, version
        What vectors are known by; see :func:`version_of`.
    """

    def __init__(self, folder: Path, load: Callable[[], Network], name: str, version: str) -> None:
        self.name, self.version = name, version
        self._folder, self._load = folder, load

    @cached_property
    def _network(self) -> Network:
        return self._load()

    @cached_property
    def _recipe(self) -> Recipe:
        return read_recipe(self._folder)

    @cached_property
    def _tokenizer(self) -> Any:
        from tokenizers import Tokenizer

        tokenizer = Tokenizer.from_file(str(self._folder / "tokenizer.json"))
        tokenizer.enable_truncation(self._recipe.longest)
        tokenizer.no_padding()
        return tokenizer

    def embed(self, texts: Sequence[str], progress: Progress | None = None) -> F32:
        """Vectors of ``texts``: float32 (len(texts), dim), each row of length 1; an empty text has one too.

        A vector depends on its text alone, to the last bit: texts of equally many tokens share batches of one shape.
        """
        if not len(texts):
            return self.embed([""])[:0]
        prompted = [self._recipe.prompt + text for text in texts]
        prompted = [text.lower() for text in prompted] if self._recipe.lower else prompted
        ids = [encoded.ids or [0] for encoded in self._tokenizer.encode_batch(prompted)]
        order = sorted(range(len(ids)), key=lambda i: (len(ids[i]), i))
        vectors: list[F32] = [np.zeros(0, dtype=np.float32)] * len(ids)
        most = 1 if self._network.mixes else TOKENS_A_BATCH
        groups, n_done = batches(order, ids, most), 0

        def pooled(group: list[int]) -> F32:
            # Filled up to the shape that every batch of such texts has.
            fill = rows_of(len(ids[group[0]]), most) - len(group)
            return self._pooled([ids[i] for i in (*group, *group[:1] * fill)])[: len(group)]

        with ThreadPoolExecutor(self._network.workers) as pool:
            for group, rows in zip(groups, pool.map(pooled, groups), strict=True):
                for i, row in zip(group, rows, strict=True):
                    vectors[i] = row
                n_done += len(group)
                if progress:
                    progress(n_done, len(ids))
        return unit(np.stack(vectors))

    def _pooled(self, ids: list[list[int]]) -> F32:
        hidden = self._network.forward(ids)
        if hidden.ndim == 2:
            return hidden
        if self._recipe.pooling == "cls":
            return hidden[:, 0]
        return np.stack([hidden[row, : len(one)].mean(axis=0) for row, one in enumerate(ids)])


@dataclass(frozen=True)
class Recipe:
    """What a folder says besides its weights: the pooling, the longest text in tokens, whether text is lowered.

    ``prompt`` is put before each text; ``prompt_counts`` says whether the pooling takes its tokens in.
    """

    pooling: str
    longest: int
    lower: bool
    prompt: str
    prompt_counts: bool


def read_recipe(folder: Path) -> Recipe:
    """The recipe of ``folder``; its defaults are those of sentence-transformers, such as the mean of all tokens."""
    pooling_json = _json(folder / "1_Pooling" / "config.json")
    modes = (
        [pooling_json["pooling_mode"]]
        if "pooling_mode" in pooling_json
        else [key[13:] for key, on in pooling_json.items() if _mode(key, on)]
    )
    pooling = {"mean_tokens": "mean", "cls_token": "cls"}.get(mode := "+".join(modes) or "mean", mode)
    bert = _json(folder / "sentence_bert_config.json")
    # RoBERTa and MPNet count positions from behind the padding token's; tokenizer_config.json allows for that.
    limits = (bert.get("max_seq_length"), _json(folder / "tokenizer_config.json").get("model_max_length"), LONGEST)
    longest = next(limit for limit in limits if limit and limit < 10**6)
    counts = pooling_json.get("include_prompt", True) is True
    return Recipe(pooling, int(longest), bool(bert.get("do_lower_case")), _prompt(folder), counts)


def _prompt(folder: Path) -> str:
    """The folder's default prompt: what is put before each text."""
    config = _json(folder / "config_sentence_transformers.json")
    return str((config.get("prompts") or {}).get(config.get("default_prompt_name"), ""))


def modules(folder: Path) -> list[str]:
    """The kinds of the modules that the folder's texts pass through, in order."""
    path = folder / "modules.json"
    listed = json.loads(path.read_text(encoding="utf-8")) if path.exists() else []
    return [str(module["type"]).rpartition(".")[2] for module in listed] or ["Transformer", "Pooling"]


def version_of(folder: Path, weights: Iterable[Path]) -> str:
    """A hash of all that decides a vector (weights, tokenizer, recipe), so that a changed model shares none.

    Returns
    -------
    str
        12 hexadecimal digits.
    """
    digest = hashlib.sha256()
    for path in [*sorted(weights), *(folder / name for name in RECIPE)]:
        if path.exists():
            with path.open("rb") as file:
                digest.update(path.name.encode() + hashlib.file_digest(file, "sha256").digest())
    digest.update(_prompt(folder).encode())  # the rest of that file decides no vector
    return digest.hexdigest()[:12]


def rows_of(length: int, most: int = TOKENS_A_BATCH) -> int:
    """How many texts of ``length`` tokens a batch holds: as many as fit into ``most`` tokens, one at least."""
    return max(1, most // length)


def batches(order: list[int], ids: list[list[int]], most: int = TOKENS_A_BATCH) -> list[list[int]]:
    """Groups of equal length, each of at most :func:`rows_of` texts: none is padded, and so none depends on another."""
    groups: list[list[int]] = []
    for i in order:
        length = len(ids[i])
        if groups and len(ids[groups[-1][0]]) == length and len(groups[-1]) < rows_of(length, most):
            groups[-1].append(i)
        else:
            groups.append([i])
    return groups


def _mode(key: str, on: object) -> bool:
    return key.startswith("pooling_mode_") and on is True


def _json(path: Path) -> dict[str, Any]:
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
