"""A text is embedded once in the life of a store, and a warm cache gives the same bytes as a cold one."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from threading import Event

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from lacuna.data_contracts.errors import StoreUnusable
from lacuna.pipelines.embedders.encoder import Progress
from lacuna.pipelines.embedders.registry import embedder
from lacuna.pipelines.io import content_cache
from lacuna.pipelines.io import vector_cache as vectors


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
    assert folders == [f"counting-1-{vectors.MADE}", f"counting-2-{vectors.MADE}"]


def test_workers_that_add_the_same_texts_leave_one_file(model: Counting, tmp_path: Path) -> None:
    """A file is named after its texts, so that the same work twice is no second file, and other work is."""
    first = vectors.embed(["a", "b"], "counting", tmp_path, "")
    (file,) = tmp_path.rglob("*.parquet")
    file.unlink()
    assert np.array_equal(vectors.embed(["b", "a"], "counting", tmp_path, "")[::-1], first)
    assert [found.name for found in tmp_path.rglob("*.parquet")] == [file.name]
    vectors.embed(["c"], "counting", tmp_path, "")
    assert len(list(tmp_path.rglob("*.parquet"))) == 2


@settings(max_examples=25)
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


def test_a_model_s_name_may_be_any(model: Counting, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A name with slashes, dots and blanks makes one folder inside the cache, and no two names make the same."""
    names = ["org/model", "org%2Fmodel", "org model", "../up", "ü"]
    for name in names:
        monkeypatch.setattr(model, "name", name)
        vectors.embed(["a"], "counting", tmp_path, "")
    assert model.asked == ["a"] * len(names)
    inside = [path for path in (tmp_path / "cache" / "vectors").iterdir() if list(path.glob("*.parquet"))]
    assert len(inside) == len(names)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["cache"]


@pytest.mark.parametrize("harm", ["cut", "one byte", "another file", "no vectors", "not numbers"])
def test_a_damaged_file_is_set_aside_and_its_texts_embedded_anew(
    model: Counting, tmp_path: Path, harm: str, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever befell a file, the vectors are right again, the other files stand, and the warning names the file."""
    monkeypatch.setattr(vectors.progress.log, "propagate", True)
    texts = [f"text {i}" for i in range(50)]
    whole = vectors.embed(texts, "counting", tmp_path, "")
    (file,) = tmp_path.rglob("*.parquet")
    vectors.embed(["other"], "counting", tmp_path, "")
    content = bytearray(file.read_bytes())
    if harm == "cut":
        file.write_bytes(content[: len(content) // 2])
    elif harm == "one byte":
        content[len(content) // 3] ^= 1
        file.write_bytes(content)
    elif harm == "another file":
        file.write_bytes(b"\0" * 100)
    elif harm == "no vectors":
        pq.write_table(pa.table({"key": ["a"]}), file)
    else:
        table = pq.read_table(file)
        bad = pa.array(np.full((len(texts), model.dim), np.nan, dtype=np.float16).ravel())
        pq.write_table(pa.table({"key": table["key"], "vector": pa.FixedSizeListArray.from_arrays(bad, 8)}), file)
    model.asked.clear()
    again = vectors.embed([*texts, "other"], "counting", tmp_path, "")
    assert again[:50].tobytes() == whole.tobytes()
    assert sorted(model.asked) == sorted(texts)
    assert file.name in caplog.text
    assert file.with_suffix(".damaged").exists()
    vectors.embed(texts, "counting", tmp_path, "")
    assert len(model.asked) == len(texts)


def test_a_file_that_may_not_be_read_is_not_taken_for_damaged(
    model: Counting, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Missing rights are the store's trouble, and nothing is set aside."""
    vectors.embed(["a"], "counting", tmp_path, "")
    (file,) = tmp_path.rglob("*.parquet")

    def refused(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(content_cache.pq, "ParquetFile", refused)
    with pytest.raises(StoreUnusable, match="Permission denied"):
        vectors.embed(["a"], "counting", tmp_path, "")
    assert file.exists()


def test_the_first_of_two_workers_at_one_text_wins(model: Counting, tmp_path: Path) -> None:
    """Where another worker was quicker, its vector is adopted, and the text is kept once."""
    plain = model.embed

    def overtaken(texts: Sequence[str], progress: Progress | None = None) -> NDArray[np.float32]:
        model.embed = plain  # type: ignore[method-assign]
        vectors.embed(["b"], "counting", tmp_path, "")
        return -plain(texts, progress)

    model.embed = overtaken  # type: ignore[method-assign]
    first = vectors.embed(["a", "b"], "counting", tmp_path, "")
    assert first.tobytes() == vectors.embed(["a", "b"], "counting", tmp_path, "").tobytes()
    assert first[1] == pytest.approx(plain(["b"])[0], abs=2e-3)
    assert kept(tmp_path) == 2


def kept(store: Path) -> int:
    """Rows in the cache; an assertion that no text has two."""
    keys = [key for file in store.rglob("*.parquet") for key in pq.read_table(file)["key"].to_pylist()]
    assert len(keys) == len(set(keys))
    return len(keys)


MANY = [f"text number {i % 900}" for i in range(1000)]
SHARES = {"disjoint": (slice(0, 450), slice(450, 900)), "overlapping": (slice(0, 1000), slice(300, 900))}


def work(store: str, share: slice, start: Event) -> None:
    """What a worker does: its share, once all are ready."""
    start.wait(60)
    vectors.embed(MANY[share], "lexical", Path(store), "")


@pytest.mark.slow
@pytest.mark.parametrize("shares", SHARES.values(), ids=SHARES)
def test_processes_that_embed_at_once_keep_each_text_once(
    shares: tuple[slice, slice], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Workers that start together leave a whole cache, and a run after them embeds nothing."""
    spawn = get_context("spawn")
    with spawn.Manager() as manager, ProcessPoolExecutor(len(shares), mp_context=spawn) as pool:
        start = manager.Event()
        futures = [pool.submit(work, str(tmp_path), share, start) for share in shares]
        start.set()
        for future in futures:
            future.result(timeout=120)
    assert kept(tmp_path) == 900
    model = embedder("lexical")
    expected = model.embed(MANY)
    monkeypatch.setattr(model, "embed", None)
    assert vectors.embed(MANY, "lexical", tmp_path, "") == pytest.approx(expected, abs=2e-3)
