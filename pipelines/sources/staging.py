"""What was pulled and is not in the bundle yet: loads of dlt in a hidden folder of the bundle, with its state.

A load is kept whole or not at all, together with the cursors of its streams, so that a pull that was killed goes on
behind the last load that is whole.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from lacuna.data_contracts.errors import LacunaError, SourceUnreadable
from lacuna.pipelines.io.addresses import StorePath
from lacuna.pipelines.io.processes import temporary_folder
from lacuna.pipelines.io.store import files_in, usable
from lacuna.pipelines.sources.redaction import redacted
from lacuna.pipelines.sources.source import PULL, Batch, Stream
from lacuna.pipelines.sources.tables import arrow_table
from lacuna.pipelines.state.forgotten import Forgotten

__all__ = ["GONE", "Slice", "Staging"]

GONE = "gone"  # the table of conversations that no longer exist
_STATES, _LOADS = "_dlt_pipeline_state", "_dlt_loads"
# Nothing is reported to anybody, and settings of dlt's own are not read for it.
_QUIET = {
    "RUNTIME__DLTHUB_TELEMETRY": "false",
    "RUNTIME__LOG_LEVEL": "CRITICAL",
    "PROVIDERS__ENABLE_AIRFLOW_SECRETS": "false",  # looking for them alone imports Airflow, which takes seconds
}


@dataclass
class Slice:
    """How much of a stream one load took.

    Attributes
    ----------
    rows
        Rows by table.
    finished
        Whether the stream has nothing more.
    forgotten
        Conversations that were passed over because they are forgotten.
    """

    rows: dict[str, int]
    finished: bool = False
    forgotten: int = 0


class Staging:
    """The staged loads of one source.

    Parameters
    ----------
    bundle
        The bundle's folder.
    name
        The source's name.
    phone_regions
        As of the settings; None to stage texts as they are.
    forgotten
        Conversations of which nothing is staged.
    """

    def __init__(
        self, bundle: StorePath, name: str, phone_regions: list[str] | None, forgotten: Forgotten | None = None
    ) -> None:
        self._bundle = bundle / PULL
        self._name = name
        self._folder = self._bundle / name
        self._regions = phone_regions
        self._forgotten = forgotten or Forgotten()

    def stage(self, stream: Stream, at_most: int, stop: float | None = None, sample: bool = False) -> Slice:
        """Read a slice of a stream into a load.

        Parameters
        ----------
        stream
            What to read. One that is read whole is read to its end, but for a sample.
        at_most
            About how many rows to read.
        stop
            The time of the monotonic clock after which no further batch is asked for.
        sample
            Whether a part of a stream is enough, one that is read whole included.

        Raises
        ------
        LacunaError
            What the source raises.
        """
        import dlt

        os.environ.update(_QUIET)
        done = Slice({})

        @dlt.resource(name=stream.name)
        def read() -> Iterator[Any]:
            state = dlt.current.resource_state()
            begin = None if stream.whole else state.get("cursor")
            if stream.version is not None and state.get("version") == stream.version:
                done.finished = True
                return
            for came in _as_documented(stream, self._name, begin):
                batch = self._remembered(came)
                done.forgotten += len(came.conversations) - len(batch.conversations)
                for table, rows in self._tables(batch).items():
                    done.rows[table] = done.rows.get(table, 0) + len(rows)
                    yield dlt.mark.with_table_name(rows, table)
                state["cursor"] = batch.cursor
                enough = sum(done.rows.values()) >= at_most or (stop is not None and time.monotonic() > stop)
                # Where the cursor has not moved, the next slice would be this one again.
                if enough and (sample or (not stream.whole and batch.cursor != begin)):
                    return
            if stream.whole:
                state["version"] = stream.version
            done.finished = True

        self._drop_incomplete()
        with temporary_folder("pull") as folder, _own_errors():
            pipeline = dlt.pipeline(
                self._name, pipelines_dir=str(folder), destination=_destination(self._bundle), dataset_name=self._name
            )
            pipeline.run(read(), loader_file_format="parquet")
        return done

    def loads(self) -> dict[str, list[StorePath]]:
        """The files of loads that are whole, by table, in order; those of others are deleted."""
        self._drop_incomplete()
        return {table: paths for table, paths in self._files().items() if paths}

    def clear(self, files: Mapping[str, list[StorePath]]) -> None:
        """Delete files whose rows are in the bundle."""
        for paths in files.values():
            for path in paths:
                with usable(path):
                    path.unlink(missing_ok=True)

    def _remembered(self, batch: Batch) -> Batch:
        """A batch without the conversations that are forgotten, and without rows about them."""
        if not self._forgotten:
            return batch
        rows = {
            table: [row for row in of if not self._forgotten.holds(str(row.get("conversation_id") or ""))]
            for table, of in batch.rows.items()
        }
        conversations = [
            one for one in batch.conversations if not self._forgotten.holds(str(one.row["conversation_id"]))
        ]
        return replace(batch, conversations=conversations, rows=rows)

    def _tables(self, batch: Batch) -> dict[str, Any]:
        number = time.time_ns()
        rows = batch.tables() if self._regions is None else redacted(batch, self._regions)
        tables = {name: arrow_table(name, of, number) for name, of in rows.items() if of}
        if batch.gone:
            import pyarrow as pa

            tables[GONE] = pa.table({"conversation_id": list(batch.gone), "batch": [number] * len(batch.gone)})
        return tables

    def _files(self) -> dict[str, list[StorePath]]:
        with usable(self._folder):
            if not self._folder.exists():
                return {}
            tables = [one for one in self._folder.iterdir() if one.is_dir() and not one.name.startswith("_")]
        return {table.name: sorted(files_in(table, "*.parquet")) for table in tables}

    def _drop_incomplete(self) -> None:
        """Delete files of loads that did not come to their end: their cursor was not kept, so they are read again."""
        if not self._folder.exists():
            return
        complete = {path.name.split("__")[1].removesuffix(".jsonl") for path in files_in(self._folder / _LOADS, "*")}
        for path in files_in(self._folder / _STATES, "*.jsonl"):
            if _is_json(path):
                complete.add(path.name.split("__")[1])
            else:  # the process ended while it was written
                path.unlink(missing_ok=True)
        torn = {
            table: [path for path in paths if path.name.rsplit(".", 2)[0] not in complete]
            for table, paths in self._files().items()
        }
        self.clear(torn)


def _destination(folder: StorePath) -> Any:
    import dlt

    if isinstance(folder, Path):
        return dlt.destinations.filesystem(bucket_url=folder.absolute().as_uri())
    # The credentials are found as all drivers find them, in the environment and in their own files.
    return dlt.destinations.filesystem(bucket_url=str(folder))


def _as_documented(stream: Stream, name: str, cursor: Any) -> Iterator[Batch]:
    """A stream's batches; a record that lacks what it is documented to have is the vendor's, and no fault of ours."""
    try:
        yield from stream.read(cursor)
    except (AttributeError, LookupError, TypeError, ValueError) as error:
        unlike = SourceUnreadable(
            f"{name}: a record of {stream.name} is not as it is documented: {type(error).__name__}: {error}",
            "the source's schema has changed; what was pulled before is kept. See whether a newer Lacuna reads it",
        )
        unlike.is_lasting = True
        raise unlike from error


@contextmanager
def _own_errors() -> Iterator[None]:
    """Raise what a source raised: dlt wraps it, once for each of its layers."""
    try:
        yield
    except LacunaError:
        raise
    except Exception as error:
        cause: BaseException | None = error
        while cause is not None:
            if isinstance(cause, LacunaError):
                raise cause from None
            cause = cause.__cause__ or cause.__context__
        raise


def _is_json(path: StorePath) -> bool:
    try:
        json.loads(path.read_text(encoding="utf-8"))
    except ValueError:
        return False
    return True
