"""A source's streams read from a fake, without a bundle: for what needs no merging."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

from fastapi import FastAPI

from lacuna.pipelines.sources.registry import make_source
from lacuna.pipelines.sources.source import Batch, Source
from tests.support.servers import serving
from tests.support.vendors.server import Faults, with_faults
from tests.support.vendors.vendor import Vendor


@contextmanager
def source_of(
    vendor: Vendor, app: FastAPI, folder: Path, since: date | None = None, faults: Faults | None = None, **more: Any
) -> Iterator[Source]:
    """The vendor's source, over its fake."""
    with serving(with_faults(app, faults or Faults())) as address:
        yield make_source(vendor.settings(folder, address, **more), "desk", since)


def read(source: Source, stream: str, cursor: Any = None) -> list[Batch]:
    """All batches of a stream."""
    (of,) = [one for one in source.streams() if one.name == stream]
    return list(of.read(cursor))


def conversations(batches: list[Batch]) -> list[str]:
    """Ids of the conversations, in the order in which they came."""
    return [one.row["conversation_id"] for batch in batches for one in batch.conversations]


def gone(batches: list[Batch]) -> set[str]:
    """Ids of what is gone."""
    return {one for batch in batches for one in batch.gone}
