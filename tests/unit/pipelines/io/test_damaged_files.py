"""Files of a bundle damaged by chance: they are read, or refused with a message, and are never a traceback."""

from __future__ import annotations

import gzip
import json
import shutil
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from lacuna.data_contracts.errors import LacunaError
from lacuna.pipelines.io.bundle import read_bundle
from lacuna.pipelines.steps.load.shard_writer import messages_spool
from tests.support.bundles import ARTICLES, CONVERSATIONS, MESSAGES, jsonl

ENDINGS = ("csv", "csv.gz", "jsonl", "jsonl.gz", "json", "parquet")
# Tables are read whole, messages in chunks: two ways to read each kind of file.
TABLES: dict[str, list[dict[str, Any]]] = {"conversations": CONVERSATIONS, "messages": MESSAGES}
BYTES = st.one_of(st.binary(max_size=12), st.sampled_from((b'"', b"\n", b"{")))
# One change: bytes in place of others at a place of 0 to 1 of the file, of which so many go.
CHANGES = st.lists(
    st.tuples(st.floats(0, 1), st.integers(0, 40), BYTES),
    min_size=1,
    max_size=4,
)  # fmt: skip


def written(rows: list[dict[str, Any]], ending: str, folder: Path) -> bytes:
    """A table's rows as a file of a kind."""
    frame = pd.DataFrame(rows)
    if ending == "parquet":
        frame.to_parquet(folder / "rows.parquet")
        return (folder / "rows.parquet").read_bytes()
    text = frame.to_csv(index=False) if "csv" in ending else jsonl(rows) if "jsonl" in ending else json.dumps(rows)
    return gzip.compress(text.encode(), mtime=0) if ending.endswith(".gz") else text.encode()


def damaged(content: bytes, changes: list[tuple[float, int, bytes]], kept: float) -> bytes:
    """The content after the changes, cut off behind a share of it."""
    for place, gone, new in changes:
        at = int(place * len(content))
        content = content[:at] + new + content[at + gone :]
    return content[: int(kept * len(content))]


def refused(bundle: Path, scratch: Path) -> LacunaError | None:
    """Why a bundle can't be read; None where it can."""
    try:
        read_bundle(str(bundle), spool=messages_spool(scratch))
    except LacunaError as refusal:
        return refusal
    return None


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("ending", ENDINGS)
def test_a_damaged_file_is_read_or_refused(tmp_path: Path, ending: str, table: str) -> None:
    """Whatever was changed or lost, packed or not; what is refused names the file and what to do."""
    content = written(TABLES[table], ending, tmp_path)
    bundle, scratch = tmp_path / "bundle", tmp_path / "scratch"
    bundle.mkdir()
    for name, rows in {**TABLES, "articles": ARTICLES}.items():
        (bundle / f"{name}.{ending if name == table else 'jsonl'}").write_bytes(jsonl(rows).encode())

    @settings(
        max_examples=25, derandomize=True, database=None, phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(CHANGES, st.one_of(st.just(1.0), st.floats(0, 1)))
    def holds(changes: list[tuple[float, int, bytes]], kept: float) -> None:
        (bundle / f"{table}.{ending}").write_bytes(damaged(content, changes, kept))
        shutil.rmtree(scratch, ignore_errors=True)
        refusal = refused(bundle, scratch)
        assert refusal is None or (f"{table}.{ending}" in refusal.problem and refusal.remedy), refusal

    holds()
