"""Networks from an ONNX file, run by ONNX Runtime (the extra ``onnx``)."""

from __future__ import annotations

from pathlib import Path

import joblib
import numpy as np

from lacuna.data_contracts.errors import SettingsInvalid
from lacuna.models.arrays import F32
from lacuna.pipelines.embedders.encoder import Network

PLACES = ("model.onnx", "onnx/model.onnx")


def find(path: Path) -> tuple[Path, Path] | None:
    """The model's folder and its ONNX file, where ``path`` is the one or the other; else None.

    Raises
    ------
    SettingsInvalid
        The ONNX file has no ``tokenizer.json`` beside or above it.
    """
    if path.is_dir():
        files = [path / place for place in PLACES if (path / place).exists()]
        if not files:
            return None
        path = files[0]
    if path.suffix != ".onnx":
        return None
    for folder in (path.parent, path.parent.parent):
        if (folder / "tokenizer.json").exists():
            return folder, path
    raise SettingsInvalid(
        f"{path} has no tokenizer.json beside it", "put the model's tokenizer.json into the folder of the ONNX file"
    )


def load(path: Path) -> Network:
    """The network in the ONNX file ``path``: ids and mask in, hidden states or pooled vectors out.

    An output called ``sentence_embedding`` is taken before any other, else the first is.

    Raises
    ------
    SettingsInvalid
        ONNX Runtime is not installed, or can't read the file.
    """
    try:
        import onnxruntime
    except ImportError:
        raise SettingsInvalid(
            f"{path} needs ONNX Runtime, which is not installed", "install the extra: lacuna-kb[onnx]"
        ) from None
    try:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1  # a text a core: sums do not depend on how many cores there are
        session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception as error:
        raise SettingsInvalid(f"{path} can't be loaded: {error}", "export the model again, or name another") from error
    takes = {node.name for node in session.get_inputs()}
    gives = [node.name for node in session.get_outputs()]
    output = "sentence_embedding" if "sentence_embedding" in gives else gives[0]

    def forward(ids: list[list[int]]) -> F32:
        shape = len(ids), max(map(len, ids))
        inputs = {name: np.zeros(shape, dtype=np.int64) for name in ("input_ids", "attention_mask", "token_type_ids")}
        for row, one in enumerate(ids):
            inputs["input_ids"][row, : len(one)] = one
            inputs["attention_mask"][row, : len(one)] = 1
        vectors = session.run([output], {name: inputs[name] for name in inputs if name in takes})[0]
        return np.asarray(vectors, dtype=np.float32)

    # Numbers of eight bits are scaled by what is largest in the batch, whoever's it is.
    return Network(forward, joblib.cpu_count(), mixes=True)
