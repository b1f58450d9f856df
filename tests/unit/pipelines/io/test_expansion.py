"""A small file that expands to far more than it is worth is refused before its rows are read, with the way out."""

from __future__ import annotations

import gzip
import shutil
import zipfile
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import xlsxwriter

from lacuna.data_contracts.errors import BundleUnreadable
from lacuna.pipelines.io.bundle import read_bundle
from lacuna.pipelines.io.chunks import read_chunks
from lacuna.pipelines.io.formats import parse
from lacuna.pipelines.io.mapping import NOTHING_MAPPED
from lacuna.pipelines.settings import load_settings
from lacuna.pipelines.sources.registry import make_source
from tests.support.exports import flat_entry, given, source_of
from tests.support.standins import Lacuna

MOST = 1 << 20


@pytest.fixture(scope="module")
def bombs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Files of some kB: 60 MB of zeros, one text of 20 kB 30,000 times, many rows without a value."""
    folder = tmp_path_factory.mktemp("bombs")
    zeros = folder / "messages.csv.gz"
    zeros.write_bytes(gzip.compress(b"0" * (60 << 20)))
    repeated = folder / "messages.parquet"
    column = pa.DictionaryArray.from_arrays(pa.array([0] * 30_000, pa.int32()), pa.array(["x" * 20_000]))
    pq.write_table(
        pa.table({"body": column}).cast(pa.schema({"body": pa.large_string()})), repeated, compression="zstd"
    )
    nothing = folder / "conversations.parquet"
    pq.write_table(pa.table({"customer_id": pa.nulls(100_000_000, pa.int8())}), nothing, compression="zstd")
    return {path.name: path for path in (zeros, repeated, nothing)}


def test_what_expands_too_far_is_refused_however_it_is_read(bombs: dict[str, Path]) -> None:
    """Whole or in chunks, with the file's name and the setting."""
    for name, path in bombs.items():
        assert path.stat().st_size < MOST
        with pytest.raises(BundleUnreadable, match=f"{name}.*expands to more than") as whole:
            parse(name, path.read_bytes(), ["body"], MOST)
        assert "expands_to_megabytes" in whole.value.remedy
        with pytest.raises(BundleUnreadable, match=f"{name}.*expands to more than"):
            list(read_chunks(name, path, ["body"], expanded=MOST))


def test_the_setting_reaches_the_bundle(bombs: dict[str, Path], tmp_path: Path) -> None:
    """What is set for a bundle holds for its files."""
    shutil.copy(bombs["messages.parquet"], tmp_path)
    low = NOTHING_MAPPED.model_copy(update={"expands_to_megabytes": 1.0})
    with pytest.raises(BundleUnreadable, match=r"messages.parquet"):
        read_bundle(str(tmp_path), ["messages"], low)


@pytest.mark.parametrize("command", ["topics", "redact"])
def test_the_setting_reaches_a_file_of_its_own(
    bombs: dict[str, Path], tmp_path: Path, lacuna: Lacuna, command: str
) -> None:
    """`lacuna topics` and `lacuna redact` refuse such a file as a run does, and read it where the setting allows it."""
    low = tmp_path / "low.toml"
    low.write_text("[input]\nexpands_to_megabytes = 1.0\n", encoding="utf-8")
    for name in ("messages.csv.gz", "messages.parquet"):
        into = ("--text", "body", "--out", str(low.with_name("out.csv")))
        code, _, told = lacuna(command, str(bombs[name]), *into, "--config", str(low))
        assert code == 2
        assert f"{name} is" in told
        assert "expands_to_megabytes" in told


def test_the_setting_reaches_files_that_are_pulled(bombs: dict[str, Path], tmp_path: Path) -> None:
    """Packed tables and workbooks, be it their archive that expands or one text that a million cells share."""
    archive, shared = tmp_path / "archive.xlsx", tmp_path / "shared.xlsx"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("xl/worksheets/sheet1.xml", b"0" * (60 << 20))
    with xlsxwriter.Workbook(shared) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, ["Ticket #", "Author type", "Comment"])
        for row in range(1, 3_000):
            sheet.write_row(row, 0, [f"t{row}", "Support", "x" * 30_000])
    for path in (bombs["messages.csv.gz"], bombs["messages.parquet"], archive, shared):
        assert path.stat().st_size < MOST
        source = source_of(flat_entry(path))
        source.expanded = MOST
        with pytest.raises(BundleUnreadable, match=f"{path.name}.*expands to more than"):
            given(source)
    low = load_settings().model_copy(update={"sources": {"files": {"type": "files", "files": [flat_entry(archive)]}}})
    low = low.model_copy(update={"input": NOTHING_MAPPED.model_copy(update={"expands_to_megabytes": 1.0})})
    assert make_source(low, "files").expanded == MOST


def test_a_text_that_repeats_is_read_where_it_may_expand(bombs: dict[str, Path]) -> None:
    """In chunks of about the size that is asked for, by what its rows hold and not by what they are packed to."""
    path = bombs["messages.parquet"]
    sizes = [len(raw.rows) for raw in read_chunks(path.name, path, ["body"], 32 << 20, 1 << 30)]
    assert sum(sizes) == 30_000
    assert max(sizes) <= (32 << 20) // 20_000


def test_usual_files_are_read_as_before(tmp_path: Path) -> None:
    """A packed file of varied text is read, though larger than the setting, and a dictionary column is text."""
    lines = "body\n" + "".join(f"order {n * 7919 % 100_003} is late {n * 31 % 977} more\n" for n in range(40_000))
    data = gzip.compress(lines.encode())
    assert len(lines) > MOST
    assert len(parse("messages.csv.gz", data, ["body"], MOST).frame) == 40_000
    table = pa.table({"body": pa.array(["a", None, "b", "a"]).dictionary_encode(), "n": [1, 2, 3, 4]})
    pq.write_table(table, tmp_path / "messages.parquet")
    frame = parse("messages.parquet", (tmp_path / "messages.parquet").read_bytes(), ["body"]).frame
    assert frame["body"].dtype == "str"
    assert frame["body"].fillna("-").tolist() == ["a", "-", "b", "a"]
