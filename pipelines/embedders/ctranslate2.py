"""BERT, RoBERTa and MPNet networks from ``model.safetensors``, run by CTranslate2 without torch."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lacuna.models.arrays import F32
from lacuna.pipelines.embedders.encoder import Network, modules, read_recipe
from lacuna.pipelines.io.processes import temporary_folder

Weights = dict[str, NDArray[Any]]

# Names of a layer's parts: query, key and value; what follows them; the norm after that.
_BERT = (
    tuple(f"attention.self.{part}" for part in ("query", "key", "value")),
    "attention.output.dense",
    "attention.output.LayerNorm",
)
_MPNET = (tuple(f"attention.attn.{part}" for part in "qkv"), "attention.attn.o", "attention.LayerNorm")
PARTS = {"bert": _BERT, "roberta": _BERT, "xlm-roberta": _BERT, "mpnet": _MPNET}
MPNET_FAR = np.dtype("int32").type(128)  # tokens; beyond, relative positions are all one


def unfit(folder: Path) -> str:
    """Why the model in ``folder`` can't be run here, or nothing where it can."""
    missing = [name for name in ("config.json", "model.safetensors", "tokenizer.json") if not (folder / name).exists()]
    if missing:
        return f"it has no {missing[0]}"
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    if config.get("model_type") not in PARTS:
        return f"its architecture is {config.get('model_type')!r}, not one of: {', '.join(sorted(PARTS))}"
    if config.get("hidden_act", "gelu") != "gelu" or config.get("position_embedding_type", "absolute") != "absolute":
        return "its activation or its positions are of an unusual kind"
    more = set(modules(folder)) - {"Transformer", "Pooling", "Normalize"}
    if more:
        return f"it has a further module: {', '.join(sorted(more))}"
    recipe = read_recipe(folder)
    if recipe.prompt and not recipe.prompt_counts:
        return "its pooling leaves out what stands before a text"
    return "" if recipe.pooling in ("mean", "cls") else f"its pooling is {recipe.pooling!r}"


def load(folder: Path) -> Network:
    """The network of a folder that is not :func:`unfit`.

    Each batch is computed by one thread and as many batches at a time as there are cores: that scales better than
    sharing a batch, and its result does not depend on the number of cores.
    """
    import ctranslate2
    import joblib

    workers = joblib.cpu_count()
    with temporary_folder("model") as scratch:
        first_position = convert(folder, scratch)
        encoder = ctranslate2.Encoder(
            str(scratch), device="cpu", compute_type="float32", inter_threads=workers, intra_threads=1
        )

    def forward(ids: list[list[int]]) -> F32:
        positions = [list(range(first_position, first_position + len(one))) for one in ids] if first_position else None
        return np.array(encoder.forward_batch(ids, token_type_ids=positions).last_hidden_state)

    return Network(forward, workers)


def convert(folder: Path, to: Path) -> int:
    """Write the weights of ``folder`` as a CTranslate2 encoder into the folder ``to``.

    CTranslate2 has either positions or relative positions, and MPNet has both: its positions are fed as what BERT
    calls token types.

    Returns
    -------
    int
        The first of the positions that have to be fed as token types; 0 where none have to be.
    """
    from ctranslate2.specs import common_spec, transformer_spec

    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    kind = config["model_type"]
    w = _weights(folder / "model.safetensors")
    spec = transformer_spec.TransformerEncoderModelSpec(
        transformer_spec.TransformerEncoderSpec(
            config["num_hidden_layers"],
            config["num_attention_heads"],
            pre_norm=False,
            activation=common_spec.Activation.GELU,
            layernorm_embedding=True,
            num_source_embeddings=2,
            embeddings_merge=common_spec.EmbeddingsMerge.ADD,
            relative_attention_bias=kind == "mpnet",
        )
    )
    encoder = spec.encoder
    encoder.scale_embeddings = False
    encoder.embeddings[0].weight = w["embeddings.word_embeddings.weight"]
    positions = w["embeddings.position_embeddings.weight"]
    # All but BERT leave the places up to the padding token's id unused.
    first = 0 if kind == "bert" else config.get("pad_token_id", 1) + 1
    if kind == "mpnet":
        encoder.embeddings[1].weight = positions
    else:
        encoder.embeddings[1].weight = w["embeddings.token_type_embeddings.weight"]
        encoder.position_encodings.encodings = positions[first:]
    _norm(encoder.layernorm_embedding, w, "embeddings.LayerNorm")
    query_key_value, out, norm = PARTS[kind]
    for i, layer in enumerate(encoder.layer):
        at = f"encoder.layer.{i}"
        _linear(layer.self_attention.linear[0], w, *(f"{at}.{part}" for part in query_key_value))
        _linear(layer.self_attention.linear[1], w, f"{at}.{out}")
        _norm(layer.self_attention.layer_norm, w, f"{at}.{norm}")
        if kind == "mpnet":
            layer.self_attention.relative_attention_bias = w["encoder.relative_attention_bias.weight"]
            layer.self_attention.relative_attention_max_distance = MPNET_FAR
        _linear(layer.ffn.linear_0, w, f"{at}.intermediate.dense")
        _linear(layer.ffn.linear_1, w, f"{at}.output.dense")
        _norm(layer.ffn.layer_norm, w, f"{at}.output.LayerNorm")
    # Ids go in and vectors come out: the words are never looked up, only counted.
    spec.register_vocabulary([str(i) for i in range(len(w["embeddings.word_embeddings.weight"]))])
    spec.config.unk_token = "0"
    spec.config.layer_norm_epsilon = config["layer_norm_eps"]
    spec.validate()
    spec.optimize()
    spec.save(str(to))
    return first if kind == "mpnet" else 0


def _weights(path: Path) -> Weights:
    """The weights in single precision, without what stands before their names in some files (``bert.``)."""
    from safetensors.numpy import load_file

    tensors = load_file(path)
    before = next(name for name in tensors if name.endswith("embeddings.word_embeddings.weight"))
    before = before.removesuffix("embeddings.word_embeddings.weight")
    return {name.removeprefix(before): value.astype(np.float32, copy=False) for name, value in tensors.items()}


def _linear(to: Any, w: Weights, *names: str) -> None:
    to.weight = np.concatenate([w[f"{name}.weight"] for name in names])
    to.bias = np.concatenate([w[f"{name}.bias"] for name in names])


def _norm(to: Any, w: Weights, name: str) -> None:
    to.gamma, to.beta = w[f"{name}.weight"], w[f"{name}.bias"]
