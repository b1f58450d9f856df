"""Tiny models with random weights in the folders that real ones come in, and the same networks in plain numpy."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import save_file
from scipy.special import erf
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.normalizers import Lowercase
from tokenizers.pre_tokenizers import Whitespace
from tokenizers.processors import TemplateProcessing

Weights = dict[str, NDArray[np.float32]]

SPECIAL = ["<s>", "<pad>", "</s>", "[UNK]"]
WORDS = [
    "the",
    "a",
    "tent",
    "pole",
    "snapped",
    "in",
    "wind",
    "how",
    "do",
    "i",
    "reset",
    "my",
    "password",
    "refund",
    "card",
]
HIDDEN, HEADS, LAYERS, INNER, PLACES = 16, 4, 2, 32, 200


def write_tokenizer(folder: Path) -> Tokenizer:
    """One token a word, wrapped in <s> and </s>."""
    vocabulary = {word: i for i, word in enumerate([*SPECIAL, *WORDS])}
    tokenizer = Tokenizer(WordLevel(vocabulary, unk_token="[UNK]"))
    tokenizer.normalizer, tokenizer.pre_tokenizer = Lowercase(), Whitespace()
    tokenizer.post_processor = TemplateProcessing(single="<s> $A </s>", special_tokens=[("<s>", 0), ("</s>", 2)])
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer.save(str(folder / "tokenizer.json"))
    return tokenizer


def write_model(folder: Path, kind: str, pooling: str = "mean_tokens", seed: int = 0, before: str = "") -> Weights:
    """Write a model of the architecture ``kind``; ``before`` stands before the weights' names."""
    write_tokenizer(folder)
    w = random_weights(kind, seed)
    save_file({before + name: value for name, value in w.items()}, folder / "model.safetensors")
    kinds = ["Transformer", "Pooling", "Normalize"]
    write_json(folder / "modules.json", [{"type": f"sentence_transformers.models.{k}"} for k in kinds])
    write_json(
        folder / "1_Pooling" / "config.json", {"pooling_mode_" + pooling: True, "pooling_mode_max_tokens": False}
    )
    write_json(folder / "sentence_bert_config.json", {"max_seq_length": 150, "do_lower_case": False})
    config = {"model_type": kind, "num_hidden_layers": LAYERS, "num_attention_heads": HEADS, "hidden_act": "gelu"}
    write_json(folder / "config.json", config | {"layer_norm_eps": 1e-5, "pad_token_id": 0 if kind == "bert" else 1})
    return w


def write_json(path: Path, content: Any) -> None:
    """Write a file, its folder included."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content), encoding="utf-8")


def random_weights(kind: str, seed: int) -> Weights:
    """Weights large enough that positions, heads and norms all tell."""
    rng = np.random.default_rng(seed)
    w: Weights = {}

    def put(name: str, *shape: int) -> None:
        w[name] = (0.5 * rng.standard_normal(shape)).astype(np.float32)

    def norm(name: str) -> None:
        put(f"{name}.weight", HIDDEN)
        w[f"{name}.weight"] += 1
        put(f"{name}.bias", HIDDEN)
        w[f"{name}.bias"] *= 0.2  # what all tokens share would hide what each says

    def linear(name: str, rows: int, columns: int) -> None:
        put(f"{name}.weight", rows, columns)
        put(f"{name}.bias", rows)

    put("embeddings.word_embeddings.weight", len(SPECIAL) + len(WORDS), HIDDEN)
    put("embeddings.position_embeddings.weight", PLACES, HIDDEN)
    if kind == "mpnet":
        put("encoder.relative_attention_bias.weight", 32, HEADS)
    else:
        put("embeddings.token_type_embeddings.weight", 2, HIDDEN)
    norm("embeddings.LayerNorm")
    query, out, after = names(kind)
    for i in range(LAYERS):
        at = f"encoder.layer.{i}."
        for part in (*query, out):
            linear(at + part, HIDDEN, HIDDEN)
        norm(at + after)
        linear(at + "intermediate.dense", INNER, HIDDEN)
        linear(at + "output.dense", HIDDEN, INNER)
        norm(at + "output.LayerNorm")
    return w


def names(kind: str) -> tuple[list[str], str, str]:
    """Where an architecture keeps query, key and value, their output and its norm."""
    if kind == "mpnet":
        return [f"attention.attn.{p}" for p in "qkv"], "attention.attn.o", "attention.LayerNorm"
    own = [f"attention.self.{p}" for p in ("query", "key", "value")]
    return own, "attention.output.dense", "attention.output.LayerNorm"


def hidden_states(kind: str, w: Weights, ids: list[int]) -> NDArray[np.float64]:
    """The last hidden state of one text by the published formulas, float64 (tokens, HIDDEN)."""
    n, first = len(ids), 0 if kind == "bert" else 2
    x = w["embeddings.word_embeddings.weight"][ids].astype(np.float64)
    x = x + w["embeddings.position_embeddings.weight"][first : first + n]
    bias = np.zeros((HEADS, n, n))
    if kind == "mpnet":
        bias = w["encoder.relative_attention_bias.weight"][_buckets(n)].transpose(2, 0, 1)
    else:
        x = x + w["embeddings.token_type_embeddings.weight"][0]
    x = _normed(x, w, "embeddings.LayerNorm")
    query, out, after = names(kind)
    for i in range(LAYERS):
        at = f"encoder.layer.{i}."
        q, k, v = (_linear(x, w, at + p).reshape(n, HEADS, -1).transpose(1, 0, 2) for p in query)
        score = np.exp(q @ k.transpose(0, 2, 1) / np.sqrt(HIDDEN / HEADS) + bias)
        mixed = (score / score.sum(-1, keepdims=True) @ v).transpose(1, 0, 2).reshape(n, HIDDEN)
        x = _normed(x + _linear(mixed, w, at + out), w, at + after)
        y = _linear(x, w, at + "intermediate.dense")
        y = _linear(y * (1 + erf(y / np.sqrt(2))) / 2, w, at + "output.dense")
        x = _normed(x + y, w, at + "output.LayerNorm")
    return x


def _buckets(n: int) -> NDArray[np.int64]:
    """Raffel et al. 2020: 16 buckets each way, one a distance up to 7, logarithmic up to 128."""
    away = np.arange(n)[None] - np.arange(n)[:, None]
    far = np.abs(away)
    late = 8 + (np.log(np.maximum(far, 1) / 8) / np.log(128 / 8) * 8).astype(int)
    return (away > 0) * 16 + np.where(far < 8, far, np.minimum(late, 15))


def _linear(x: NDArray[np.float64], w: Weights, name: str) -> NDArray[np.float64]:
    return x @ w[f"{name}.weight"].T + w[f"{name}.bias"]


def _normed(x: NDArray[np.float64], w: Weights, name: str) -> NDArray[np.float64]:
    spread = np.sqrt(x.var(-1, keepdims=True) + 1e-5)
    return (x - x.mean(-1, keepdims=True)) / spread * w[f"{name}.weight"] + w[f"{name}.bias"]
