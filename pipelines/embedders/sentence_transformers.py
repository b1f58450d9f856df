"""Any other model by name or folder, run by sentence-transformers (the extra of that name, which brings torch)."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from lacuna.data_contracts.errors import SettingsInvalid
from lacuna.models.arrays import F32
from lacuna.models.text.vectors import unit
from lacuna.pipelines.embedders.encoder import Progress

TEXTS_A_STEP = 1024  # between two signs of progress


class SentenceTransformers:
    """A model that sentence-transformers loads: from its cache, from a folder, or from the hub it is set up for.

    It pads texts to the longest of their batch, so that a vector's last digits depend on what else is embedded with it.

    Raises
    ------
    SettingsInvalid
        It can't be loaded.
    """

    def __init__(self, name: str) -> None:
        from sentence_transformers import SentenceTransformer

        try:
            self._model: Any = SentenceTransformer(str(Path(name).expanduser()))
        except Exception as error:
            reason = (str(error).strip() or repr(error)).splitlines()[0]
            raise SettingsInvalid(
                f"sentence-transformers can't load the model {name!r}: {reason}",
                "check [embedder] name; where there is no network, name a folder with the model",
            ) from error
        self.name = Path(name).expanduser().resolve().name if Path(name).expanduser().exists() else name
        self.version = _version(self._model)

    def embed(self, texts: Sequence[str], progress: Progress | None = None) -> F32:
        """See :class:`pipelines.embedders.registry.Embedder`."""
        if not len(texts):
            return self.embed([""])[:0]
        parts = []
        for first in range(0, len(texts), TEXTS_A_STEP):
            some = list(texts[first : first + TEXTS_A_STEP])
            parts.append(np.asarray(self._model.encode(some, show_progress_bar=False), dtype=np.float32))
            if progress:
                progress(first + len(some), len(texts))
        return unit(np.concatenate(parts))


def _version(model: Any) -> str:
    """A hash of weights, tokenizer and pooling: 12 hexadecimal digits."""
    digest = hashlib.sha256(repr(model).encode())
    for key, value in sorted(model.state_dict().items()):
        # A pooler takes no part in a text's vector, and where the files have none, it is drawn anew at each loading.
        if ".pooler." not in key:
            digest.update(key.encode() + value.detach().cpu().float().numpy().tobytes())
    fast = getattr(model.tokenizer, "backend_tokenizer", None)
    digest.update(fast.to_str().encode() if fast else repr(model.tokenizer).encode())
    return digest.hexdigest()[:12]
