"""A text is embedded once in the life of a store, and a warm cache gives the same bytes as a cold one."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from pipelines import vectors
from pipelines.encoders import Progress


class Counting:
    """An embedder that remembers what it was asked for; a text's vector comes from its letters."""

    name, version, dim = "counting", "1", 8

    def __init__(self) -> None:
        self.asked: list[str] = []

    def embed(self, texts: Sequence[str], progress: Progress | None = None) -> NDArray[np.float32]:
        """Vectors of length 1 by a hash of each text."""
        self.asked += texts
        out = np.array([np.random.default_rng([*t.encode(), 1]).normal(size=self.dim) for t in texts])
        return (out / np.linalg.norm(out, axis=1, keepdims=True)).astype(np.float32)


@pytest.fixture
def model(monkeypatch: pytest.MonkeyPatch) -> Counting:
    """The counting embedder in place of all others."""
    found = Counting()
    monkeypatch.setattr(vectors, "embedder", lambda name: found)
    return found


def test_only_what_is_new_is_embedded(model: Counting, tmp_path: Path) -> None:
    """The second week embeds its new texts alone, and doubles once."""
    vectors.embed(["a", "b", "a"], "counting", tmp_path, "")
    assert sorted(model.asked) == ["a", "b"]
    vectors.embed(["b", "c", "a"], "counting", tmp_path, "")
    assert sorted(model.asked) == ["a", "b", "c"]


def test_a_warm_cache_gives_the_same_bytes_as_a_cold_one(model: Counting, tmp_path: Path) -> None:
    """What is new and what is known are of the same precision, to the bit."""
    texts = [f"text {i}" for i in range(20)]
    cold = vectors.embed(texts, "counting", tmp_path, "")
    warm = vectors.embed(texts[::-1], "counting", tmp_path, "")[::-1]
    mixed = vectors.embed([*texts[:5], "new"], "counting", tmp_path / "other", "")[:5]
    assert cold.tobytes() == warm.copy().tobytes()
    assert cold[:5].tobytes() == mixed.tobytes()


def test_an_interruption_keeps_what_was_embedded(
    model: Counting, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Texts embedded before a crash are not embedded again, and none is lost."""
    monkeypatch.setattr(vectors, "KEEP_EVERY", 4)
    whole = model.embed
    calls = iter([whole, whole])

    def crash(texts: Sequence[str], progress: Progress | None = None) -> NDArray[np.float32]:
        part = next(calls, None)
        if part is None:
            raise KeyboardInterrupt
        return part(texts, progress)

    texts = [f"text {i}" for i in range(20)]
    monkeypatch.setattr(model, "embed", crash)
    with pytest.raises(KeyboardInterrupt):
        vectors.embed(texts, "counting", tmp_path, "")
    monkeypatch.setattr(model, "embed", whole)
    vectors.embed(texts, "counting", tmp_path, "")
    assert sorted(model.asked) == sorted(texts)


def test_rows_follow_the_texts_and_have_length_one(model: Counting, tmp_path: Path) -> None:
    """Each text has its own row, near the embedder's, whatever was cached in between."""
    vectors.embed(["c", "z"], "counting", tmp_path, "")
    found = vectors.embed(["a", "b", "c", "a"], "counting", tmp_path, "")
    assert found.dtype == np.float32
    assert found == pytest.approx(model.embed(["a", "b", "c", "a"]), abs=2e-3)
    assert np.linalg.norm(found, axis=1) == pytest.approx(np.ones(4), abs=1e-6)


def test_no_text_needs_no_model_and_leaves_no_file(model: Counting, tmp_path: Path) -> None:
    """An empty week has no vectors, and writes nothing."""
    assert vectors.embed([], "counting", tmp_path, "").shape[0] == 0
    assert model.asked == []
    assert not list(tmp_path.rglob("*.parquet"))


def test_another_version_starts_afresh(model: Counting, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Vectors of two versions never meet."""
    vectors.embed(["a"], "counting", tmp_path, "")
    monkeypatch.setattr(model, "version", "2")
    vectors.embed(["a"], "counting", tmp_path, "")
    assert model.asked == ["a", "a"]
    folders = [path.name for path in sorted((tmp_path / "cache" / "vectors").iterdir())]
    assert folders == ["counting-1", "counting-2"]


def test_workers_that_add_the_same_texts_leave_one_file(model: Counting, tmp_path: Path) -> None:
    """A file is named after its texts, so that the same work twice is no second file, and other work is."""
    first = vectors.embed(["a", "b"], "counting", tmp_path, "")
    (file,) = tmp_path.rglob("*.parquet")
    file.unlink()
    assert np.array_equal(vectors.embed(["b", "a"], "counting", tmp_path, "")[::-1], first)
    assert [found.name for found in tmp_path.rglob("*.parquet")] == [file.name]
    vectors.embed(["c"], "counting", tmp_path, "")
    assert len(list(tmp_path.rglob("*.parquet"))) == 2


@settings(max_examples=25, deadline=None)
@given(weeks=st.lists(st.lists(st.text(max_size=6), max_size=6), min_size=1, max_size=4))
def test_any_sequence_of_weeks_embeds_each_text_once(
    weeks: list[list[str]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    """However texts come back over the weeks, each is embedded once, and its vector never changes."""
    model, store = Counting(), tmp_path_factory.mktemp("store")
    seen: dict[str, bytes] = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(vectors, "embedder", lambda name: model)
        for texts in weeks:
            for text, row in zip(texts, vectors.embed(texts, "counting", store, ""), strict=True):
                assert seen.setdefault(text, row.tobytes()) == row.tobytes()
    assert sorted(model.asked) == sorted({text for texts in weeks for text in texts})
