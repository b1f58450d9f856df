"""Google's multilingual Universal Sentence Encoder, run by numpy: 16 languages, a question near its translation.

Its network is small: the vectors of a text's tokens, and of each token's neighbours by three convolutions, are summed
over the text and go through a few dense layers (Yang et al. 2020, the variant with convolutions). The word table is
kept in 8 bits, as the files hold it, and only the rows of a batch are widened.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lacuna.models.arrays import F32
from lacuna.pipelines.embedders.encoder import LONGEST, Encoder, Network, Progress, Recipe

N_CHUNKS = 17  # of the word table; token i lies in chunk i % 17, in row i // 17
CONVOLUTIONS = ((2, 0), (3, 1), (5, 2))  # width in tokens, and how many of them stand before the token itself
BEGIN, END, UNKNOWN = 1, 2, 0  # ids of tokens


class Use(Encoder):
    """The encoder of a folder with ``weights.npz`` and ``sp.model``.

    Parameters
    ----------
    folder
        Where both lie.
    version
        What its vectors are known by.
    """

    def __init__(self, folder: Path, version: str) -> None:
        super().__init__(folder, partial(load, folder / "weights.npz"), "use", version)

    @cached_property
    def _recipe(self) -> Recipe:
        return Recipe("mean", LONGEST, lower=False, prompt="", prompt_counts=True)

    @cached_property
    def _tokenizer(self) -> Any:
        tokenizer = read_tokenizer((self._folder / "sp.model").read_bytes())
        tokenizer.enable_truncation(LONGEST)
        return tokenizer

    def embed(self, texts: Sequence[str], progress: Progress | None = None) -> F32:
        """See :class:`pipelines.embedders.encoder.Encoder`."""
        from threadpoolctl import threadpool_limits

        # Several threads for one of these small products wait for each other more than they compute.
        with threadpool_limits(1, user_api="blas"):
            return super().embed(texts, progress)


def load(path: Path) -> Network:
    """The network of the weights at ``path``; each batch is computed by one thread, as many at a time as cores."""
    import joblib

    with np.load(path, allow_pickle=False) as file:
        weights = {name: file[name] for name in file.files}
    rows = len(weights["q1"])
    table = np.empty((N_CHUNKS * rows, weights["q1"].shape[1]), dtype=np.uint8)
    for chunk in range(N_CHUNKS):
        table[chunk::N_CHUNKS] = weights.pop(f"q{chunk + 1}")
    return Network(partial(_forward, table, weights), joblib.cpu_count())


def _forward(table: NDArray[np.uint8], w: dict[str, NDArray[Any]], ids: list[list[int]]) -> F32:
    """Vectors of texts of equally many tokens: float32 (n, dim)."""
    tokens = np.array(ids, dtype=np.int64)
    chunk = tokens % N_CHUNKS
    embedded = table[tokens] * w["scale"][chunk][..., None] + w["lo"][chunk][..., None]
    parts, eps = [embedded], float(w["eps"])
    for width, before in CONVOLUTIONS:
        projected = embedded @ w[f"proj{width}"] + w[f"proj_b{width}"]
        x = _norm(projected, w[f"ln_g{width}"], w[f"ln_b{width}"], eps)
        for layer in "12":
            near = _neighbours(x, width, before)
            x = np.maximum(near @ w[f"w{layer}_{width}"] + w[f"b{layer}_{width}"], 0) + x
        parts.append(x)
    normed = _norm(np.concatenate(parts, axis=2), w["ln_g"], w["ln_b"], eps)
    n_tokens = np.float32(tokens.shape[1])
    # A product for each text by itself: where a row stands in a larger one decides its last digits.
    text = (normed.sum(axis=1, keepdims=True) @ w["cnn_W"] + n_tokens * w["cnn_b"]) / np.sqrt(n_tokens)
    hidden = np.maximum(text @ w["p1"] + np.maximum(text @ w["d0"], 0) @ w["d1"], 0)
    out = np.tanh(hidden @ w["p3"] + np.maximum(hidden @ w["d2"], 0) @ w["d3"])
    return np.asarray(out[:, 0], dtype=np.float32)


def _norm(x: F32, scale: F32, shift: F32, eps: float) -> F32:
    x = x - x.mean(axis=-1, keepdims=True)
    return x / np.sqrt(np.square(x).mean(axis=-1, keepdims=True) + np.float32(eps)) * scale + shift


def _neighbours(x: F32, width: int, before: int) -> F32:
    """Each token's vector beside those around it: (n, length, width * dim); zeros beyond a text's ends."""
    padded = np.pad(x, ((0, 0), (before, width - 1 - before), (0, 0)))
    return np.concatenate([padded[:, i : i + x.shape[1]] for i in range(width)], axis=2)


def read_tokenizer(model: bytes) -> Any:
    """The tokenizer of a SentencePiece model (unigram), in the shape of the library ``tokenizers``.

    The model is of an old layout that its own readers still take: pieces, what trained it, how text is normalised.
    """
    from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers, processors

    pieces: list[tuple[str, float]] = []
    characters = b""
    for number, value in _fields(model):
        if number == 1:
            piece = dict(_fields(value))
            score = struct.unpack("<f", piece[2])[0] if 2 in piece else 0.0
            # Those that stand for no text get names that no text has: a text's own "<s>" is four letters.
            name = piece[1].decode() if len(pieces) > END else f"\n{len(pieces)}"
            pieces.append((name, score))
        elif number == 3:
            characters = dict(_fields(value))[2]
    tokenizer = Tokenizer(models.Unigram(pieces, unk_id=UNKNOWN, byte_fallback=False))
    tokenizer.normalizer = normalizers.Sequence(
        [normalizers.Precompiled(characters), normalizers.Replace(Regex(" {2,}"), " "), normalizers.Strip()]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="always")
    begin, end = (pieces[i][0] for i in (BEGIN, END))
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{begin} $A {end}", special_tokens=[(begin, BEGIN), (end, END)]
    )
    return tokenizer


def _fields(message: bytes) -> Iterator[tuple[int, bytes]]:
    """The fields of a message of protocol buffers, as they follow: number and bytes (of numbers: none)."""
    at = 0
    while at < len(message):
        key, at = _varint(message, at)
        kind = key & 7
        if kind == 0:
            length, at = 0, _varint(message, at)[1]
        elif kind == 2:
            length, at = _varint(message, at)
        else:
            length = {1: 8, 5: 4}[kind]
        yield key >> 3, message[at : at + length]
        at += length


def _varint(message: bytes, at: int) -> tuple[int, int]:
    """A number of variable length at ``at``, and where it ends."""
    value = shift = 0
    while True:
        byte = message[at]
        at += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value, at
        shift += 7
