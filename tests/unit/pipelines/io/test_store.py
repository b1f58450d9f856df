"""The store: files and run folders appear whole or not at all, and what is in the way is said."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import textwrap
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lacuna.data_contracts.errors import StoreUnusable
from lacuna.pipelines.io import publishing as under_test
from lacuna.pipelines.io.publishing import clean_leftovers, leftovers, publishing
from lacuna.pipelines.io.store import (
    add_columns,
    check_writable,
    read_array_blocks,
    read_arrays,
    read_parquet,
    read_rows,
    write_bytes,
    write_parquet,
)
from tests.support.standins import without_rights


def test_a_frame_comes_back_as_it_was(tmp_path: Path) -> None:
    """Text, times, nullable numbers and booleans, lists and dicts keep their dtype and their nulls."""
    frame = pd.DataFrame(
        {
            "text": pd.Series(["a", None, "é🙂"], dtype="str"),
            "at": pd.to_datetime(["2024-06-30", None, "2024-07-01"], utc=True).astype("datetime64[us, UTC]"),
            "n": pd.Series([1, None, 3], dtype="Int64"),
            "yes": pd.Series([True, None, False], dtype="boolean"),
            "share": [0.5, None, 1.0],
            "tags": [["x", "y"], None, []],
            "near": [[{"article_id": "a", "similarity": 0.5}], [], None],
        }
    )
    write_parquet(tmp_path / "t.parquet", frame)
    back = read_parquet(tmp_path / "t.parquet")
    pd.testing.assert_frame_equal(back, frame)
    assert isinstance(back["tags"][0], list)


def test_arrays_come_in_blocks_with_the_same_rows(tmp_path: Path) -> None:
    """Blocks one after the other are what is read at once; a table without rows is one empty block."""
    frame = pd.DataFrame({"n": range(7), "list": [[float(i), float(-i)] for i in range(7)]})
    write_parquet(tmp_path / "t.parquet", frame)
    whole = read_arrays(tmp_path / "t.parquet", ["n", "list"])
    blocks = list(read_array_blocks(tmp_path / "t.parquet", ["n", "list"], 3))
    assert [len(block["n"]) for block in blocks] == [3, 3, 1]
    for name in ("n", "list"):
        np.testing.assert_array_equal(np.concatenate([block[name] for block in blocks]), whole[name])
    write_parquet(tmp_path / "none.parquet", frame.head(0))
    assert [len(block["n"]) for block in read_array_blocks(tmp_path / "none.parquet", ["n"], 3)] == [0]


def test_rows_of_some_ids_come_in_order_from_all_files(tmp_path: Path) -> None:
    """Rows are found by id whatever the order in which ids are asked for; ids that are not there bring nothing."""
    for number, ids in enumerate((["a", "b"], ["c", "d"])):
        frame = pd.DataFrame({"id": ids, "list": [[each] for each in ids], "other": 1})
        write_parquet(tmp_path / f"{number}.parquet", frame)
    files = [tmp_path / "0.parquet", tmp_path / "1.parquet"]
    rows = read_rows(files, "id", ["d", "nowhere", "b"], ["id", "list"])
    assert rows.to_dict("list") == {"id": ["b", "d"], "list": [["b"], ["d"]]}
    assert read_rows(files, "id", [], ["id"]).dtypes.astype(str).to_dict() == {"id": "str"}


def test_columns_are_added_row_by_row(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both read as if they had been written together, nulls and lists too; an old column makes way for a new one."""
    monkeypatch.setattr("lacuna.pipelines.io.store._ROW_GROUP", 2)
    base = pd.DataFrame({"id": list("abcde"), "n": "old", "list": [["x"], None, [], ["y", "z"], None]})
    added = pd.DataFrame({"n": [1.0, None, 3.0, 4.0, 5.0], "text": pd.Series(["p", None, "q", None, "r"], dtype="str")})
    write_parquet(tmp_path / "base.parquet", base)
    add_columns(tmp_path / "both.parquet", tmp_path / "base.parquet", added)
    pd.testing.assert_frame_equal(
        read_parquet(tmp_path / "both.parquet"), pd.concat([base.drop(columns="n"), added], axis=1)
    )


@given(st.lists(st.tuples(st.text(), st.lists(st.text(), max_size=3)), max_size=8))
def test_writing_again_gives_the_same_bytes(rows: list[tuple[str, list[str]]]) -> None:
    """The same frame, also one that was read back, gives the same bytes."""
    import tempfile

    frame = pd.DataFrame({"text": pd.Series([a for a, _ in rows], dtype="str"), "list": [b for _, b in rows]})
    with tempfile.TemporaryDirectory() as folder:
        one, two = Path(folder) / "one.parquet", Path(folder) / "two.parquet"
        write_parquet(one, frame)
        write_parquet(two, frame.copy())
        assert one.read_bytes() == two.read_bytes()


def test_a_failed_write_leaves_the_old_file_and_no_rubbish(tmp_path: Path) -> None:
    """A frame that can't be written leaves the former file as it was, and nothing beside it."""
    write_parquet(tmp_path / "t.parquet", pd.DataFrame({"n": [1]}))
    with pytest.raises(Exception, match="mix"):
        write_parquet(tmp_path / "t.parquet", pd.DataFrame({"n": [[1], {"mix": 1}]}))
    assert read_parquet(tmp_path / "t.parquet")["n"].tolist() == [1]
    assert [path.name for path in tmp_path.iterdir()] == ["t.parquet"]


def test_pipes_and_devices_are_written_to_and_never_replaced(tmp_path: Path) -> None:
    """An output such as ``/dev/null`` or a pipe stays what it is; a link stays a link."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    write_bytes(pipe, b"a backlog")
    assert (pipe.is_fifo(), os.read(reader, 100)) == (True, b"a backlog")
    os.close(reader)
    (tmp_path / "link").symlink_to(tmp_path / "file")
    write_bytes(tmp_path / "link", b"new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "file").read_bytes() == b"new"


def test_publishing_replaces_the_whole_folder(tmp_path: Path) -> None:
    """A run that is published again has the new files only."""
    for name in ("one", "two"):
        with publishing(tmp_path, "2024-06-30") as folder:
            (folder / name).write_text(name)
    assert [path.name for path in (tmp_path / "runs/2024-06-30").iterdir()] == ["two"]
    assert [path.name for path in (tmp_path / "runs").iterdir()] == ["2024-06-30"]


def test_a_publish_that_fails_changes_nothing(tmp_path: Path) -> None:
    """An error while a run is built leaves the published one, and no half-built folder."""
    with publishing(tmp_path, "2024-06-30") as folder:
        (folder / "one").write_text("one")

    def fail() -> None:
        with publishing(tmp_path, "2024-06-30") as folder:
            (folder / "two").write_text("two")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert [path.name for path in (tmp_path / "runs").rglob("*")] == ["2024-06-30", "one"]


@pytest.mark.parametrize("exchange", ["one step", "two steps"])
def test_publishing_works_with_and_without_an_atomic_exchange(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, exchange: str
) -> None:
    """Where the system can't swap two folders in one step, the old one is set aside and then removed."""
    if exchange == "two steps":
        monkeypatch.setattr(under_test, "_exchange", lambda one, other: False)
    for name in ("one", "two"):
        with publishing(tmp_path, "r") as folder:
            (folder / name).write_text(name)
    assert sorted(str(path.relative_to(tmp_path / "runs")) for path in (tmp_path / "runs").rglob("*")) == ["r", "r/two"]


def test_a_reader_always_finds_a_run(tmp_path: Path) -> None:
    """While a run is replaced a hundred times, there is no moment at which it is not there."""
    for name in ("one", "other"):
        (tmp_path / name).mkdir()
    if not under_test._exchange(tmp_path / "one", tmp_path / "other"):
        pytest.skip("this system can't exchange two folders in one step")
    script = """
        import sys
        from pathlib import Path
        from lacuna.pipelines.io.publishing import publishing
        for i in range(100):
            with publishing(Path(sys.argv[1]), "r") as folder:
                (folder / "run.json").write_text(str(i))
    """
    with publishing(tmp_path, "r") as folder:
        (folder / "run.json").write_text("start")
    writer = subprocess.Popen([sys.executable, "-c", textwrap.dedent(script), str(tmp_path)])
    while writer.poll() is None:
        assert (tmp_path / "runs/r/run.json").is_file()
    assert writer.returncode == 0
    assert (tmp_path / "runs/r/run.json").read_text() == "99"


def test_what_a_crash_left_of_a_run_is_put_right(tmp_path: Path) -> None:
    """Half-built folders of the run go, one that was set aside comes back; other runs' stay with who holds them."""
    runs = tmp_path / "runs"
    for name in (".tmp-a-1", ".tmp-b-1", ".old-c", ".old-d", "d"):
        (runs / name).mkdir(parents=True)
        (runs / name / "file").write_text(name)
    assert leftovers(tmp_path) == {"a", "b", "c", "d"}
    for run_id in ("a", "c", "d"):
        clean_leftovers(tmp_path, run_id)
    assert sorted(path.name for path in runs.iterdir()) == [".tmp-b-1", "c", "d"]
    assert (runs / "d/file").read_text() == "d"


def test_a_store_without_rights_says_what_to_do(tmp_path: Path) -> None:
    """A folder that may not be written is found before any work, and the message names --store."""
    tmp_path.chmod(0o555)
    try:
        with without_rights(), pytest.raises(StoreUnusable) as caught:
            check_writable(tmp_path / "store")
    finally:
        tmp_path.chmod(0o755)
    assert "--store" in caught.value.remedy


def test_a_store_that_is_a_file_says_what_to_do(tmp_path: Path) -> None:
    """A file where the store should be is named as what it is."""
    (tmp_path / "store").write_text("")
    with pytest.raises(StoreUnusable, match="can't be written") as caught:
        check_writable(tmp_path / "store")
    assert "a file is in the way" in caught.value.remedy


@pytest.mark.parametrize("how", ["bytes", "parquet", "publish"])
def test_a_disk_that_takes_no_more_leaves_nothing_half(tmp_path: Path, how: str) -> None:
    """Where the system refuses to write on, the error says so and names a remedy, and nothing half-written stays."""
    import numpy as np

    def publish(path: Path) -> None:
        with publishing(path.parent, path.name) as folder:
            (folder / "big").write_bytes(b"x" * 1_000_000)

    noise = pd.DataFrame({"n": np.random.default_rng(0).random(200_000)})
    write: dict[str, Callable[[Path], None]] = {
        "bytes": lambda path: write_bytes(path, b"x" * 1_000_000),
        "parquet": lambda path: write_parquet(path, noise),
        "publish": publish,
    }
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, hard))
    try:
        with pytest.raises(StoreUnusable, match="can't be written") as caught:
            write[how](tmp_path / "big")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert "ulimit" in caught.value.remedy
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_a_link_stays_one_and_a_pipe_is_written_to(tmp_path: Path) -> None:
    """What is written where a link or a pipe is does not take its place; no file is what a device would become."""
    target, link, pipe = tmp_path / "target", tmp_path / "link", tmp_path / "pipe"
    target.write_bytes(b"before")
    link.symlink_to(target)
    write_bytes(link, b"after")
    assert link.is_symlink()
    assert target.read_bytes() == b"after"
    os.mkfifo(pipe)
    with ThreadPoolExecutor() as reader:
        read = reader.submit(pipe.read_bytes)
        write_bytes(pipe, b"through")
        assert read.result() == b"through"
    assert pipe.is_fifo()
    with pytest.raises(StoreUnusable, match="names no file"):
        write_bytes(Path("."), b"")
