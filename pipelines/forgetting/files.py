"""Files of any kind that a store holds, written again without the traces of forgotten conversations.

Rows and records of these conversations go; elsewhere their ids leave lists, and their words give way to a mark. What
holds no trace keeps its bytes.
"""

from __future__ import annotations

import csv
import gzip
import html
import io
import json
import re
import zipfile
from collections.abc import Callable, Iterator
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from lacuna.pipelines.drafts.front_matter import edited, resealed
from lacuna.pipelines.forgetting.traces import GONE, Traces, holds_ids, texts_with_owner
from lacuna.pipelines.presentation.format import json_block

__all__ = ["is_compressed", "owned_texts", "rewritten"]

Told = Iterator[tuple[str | None, str, str]]
_PIECES = re.compile(r"(<script\b.*?</script>|<style\b.*?</style>|<!--.*?-->|<[^>]*>)", re.DOTALL | re.IGNORECASE)
_DATA = re.compile(r"(<script\b[^>]*json[^>]*>)(.*)(</script>)", re.DOTALL | re.IGNORECASE)
_ATTRIBUTE = re.compile(r'(\s(?:title|alt|href|content|value|aria-label|data-[\w-]+)=")([^"]*)(")')


def rewritten(name: str, content: bytes, traces: Traces) -> bytes | None:
    """A file's bytes without the traces; None where it holds none, or is of a kind that holds no text.

    Parameters
    ----------
    name
        Its name, for its ending.
    content
        Its bytes.
    traces
        What has to go.

    Raises
    ------
    ValueError
        It is not what its ending says.
    """
    if not content:
        return None
    if name.endswith(".gz"):
        after = rewritten(name.removesuffix(".gz"), gzip.decompress(content), traces)
        return None if after is None else gzip.compress(after, mtime=0)
    if name.endswith(".parquet"):
        return _parquet(content, traces)
    if name.endswith(".xlsx"):
        return _workbook(content, traces)
    text = _decoded(content)
    if text is None:
        return None
    after_text = _rewriter(name)(text, traces)
    return None if after_text == text else after_text.encode("utf-8", "surrogateescape")


def owned_texts(name: str, content: bytes) -> Told:
    """Every text of a file with the conversation that says it, None where nothing tells, and the name of its field."""
    if not content:
        return
    if name.endswith(".gz"):
        yield from owned_texts(name.removesuffix(".gz"), gzip.decompress(content))
    elif name.endswith(".parquet"):
        table = _text_columns(pq.ParquetFile(io.BytesIO(content)).read())
        for row in table.to_pylist():
            yield from texts_with_owner(row)
    elif name.endswith((".jsonl", ".json", ".csv")):
        text = _decoded(content)
        for row in _records(name, text) if text is not None else ():
            yield from texts_with_owner(row)


def is_compressed(name: str) -> bool:
    """Whether a file's bytes tell nothing of its texts."""
    return name.endswith((".gz", ".parquet", ".xlsx"))


def _decoded(content: bytes) -> str | None:
    """The text of a file; None where it is none."""
    if b"\0" in content[:4096]:
        return None
    return content.decode("utf-8", "surrogateescape")


def _rewriter(name: str) -> Callable[[str, Traces], str]:
    ending = name.rpartition(".")[2].lower()
    return {"jsonl": _lines, "json": _json, "csv": _csv, "html": _markup, "xml": _markup, "md": _draft}.get(
        ending, _plain
    )


def _plain(text: str, traces: Traces) -> str:
    return str(traces.without(text))


def _draft(text: str, traces: Traces) -> str:
    """A draft; one that nobody has edited is sealed anew, so that it doesn't look as if somebody had."""
    after = _plain(text, traces)
    return after if after == text or edited(text) else resealed(after)


def _lines(text: str, traces: Traces) -> str:
    lines = []
    for line in text.split("\n"):
        after = _json_line(line, traces)
        if after is not None:
            lines.append(after)
    return "\n".join(lines)


def _json_line(line: str, traces: Traces, dumped: Callable[[Any], str] | None = None) -> str | None:
    """A line of JSON; None where it is theirs as a whole."""
    if not line.strip():
        return line
    try:
        value = json.loads(line)
    except ValueError:
        return _plain(line, traces)
    after = traces.without(value)
    if after is GONE:
        return None
    return line if after is value else (dumped or _dumped)(after)


def _dumped(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _json(text: str, traces: Traces) -> str:
    try:
        value = json.loads(text)
    except ValueError:
        return _lines(text, traces)
    after = traces.without(value)
    if after is value:
        return text
    indent = 2 if "\n" in text.strip() else None
    return json.dumps({} if after is GONE else after, ensure_ascii=False, indent=indent) + text[len(text.rstrip()) :]


def _records(name: str, text: str) -> Iterator[Any]:
    if name.endswith(".csv"):
        header, rows, _ = _read_csv(text)
        yield from (dict(zip(header, row, strict=False)) for row in rows)
        return
    try:
        yield json.loads(text)
    except ValueError:
        for line in text.split("\n"):
            try:
                yield json.loads(line)
            except ValueError:
                yield line


def _read_csv(text: str) -> tuple[list[str], list[list[str]], dict[str, Any]]:
    mark = "\ufeff" if text.startswith("\ufeff") else ""
    first = text.removeprefix(mark).partition("\n")[0]
    delimiter = max(",;\t|", key=first.count)
    rows = list(csv.reader(io.StringIO(text.removeprefix(mark), newline=""), delimiter=delimiter))
    kind = {"mark": mark, "delimiter": delimiter, "lineterminator": "\r\n" if first.endswith("\r") else "\n"}
    return (rows[0] if rows else []), rows[1:], kind


def _csv(text: str, traces: Traces) -> str:
    header, rows, kind = _read_csv(text)
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter=kind["delimiter"], lineterminator=kind["lineterminator"])
    writer.writerow(header)
    changed = False
    for row in rows:
        record = {**dict(zip(header, row, strict=False)), "": row[len(header) :]}
        after = traces.without(record)
        if after is not GONE and after is not record:  # a cell that is a number is a figure, and no id in a text
            figures = {name: cell for name, cell in record.items() if isinstance(cell, str) and cell.isdecimal()}
            after = {**after, **{name: cell for name, cell in figures.items() if not holds_ids(name)}}
        changed |= after is not record
        if after is not GONE:
            writer.writerow([*(after[name] for name in header[: len(row)]), *after[""]])
    return kind["mark"] + out.getvalue() if changed else text


def _markup(text: str, traces: Traces, has_figures: bool = False) -> str:
    """A page: what can be read of it, and the data that its script reads; never the script itself.

    With ``has_figures``, as in a workbook, a text that is a number is one.
    """
    pieces = []
    for piece in _PIECES.split(text):
        if not piece.startswith("<"):
            pieces.append(piece if has_figures and piece.isdecimal() else _escaped(piece, traces))
        elif (data := _DATA.fullmatch(piece)) is not None:
            lines = (_json_line(line, traces, json_block) or "{}" for line in data[2].split("\n"))
            pieces.append(data[1] + "\n".join(lines if data[2] else [""]) + data[3])
        elif piece[:7].lower().startswith(("<script", "<style")):
            pieces.append(piece)
        else:
            pieces.append(_ATTRIBUTE.sub(lambda found: found[1] + _escaped(found[2], traces) + found[3], piece))
    return "".join(pieces)


def _escaped(text: str, traces: Traces) -> str:
    plain = html.unescape(text)
    after = _plain(plain, traces)
    return text if after == plain else html.escape(after)


def _workbook(content: bytes, traces: Traces) -> bytes | None:
    out, changed = io.BytesIO(), False
    with zipfile.ZipFile(io.BytesIO(content)) as book, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as after:
        for member in book.infolist():
            part = book.read(member)
            if member.filename.endswith((".xml", ".rels")):
                text = part.decode("utf-8")
                without = _markup(text, traces, has_figures=True)
                changed |= without != text
                part = without.encode()
            after.writestr(member, part)
    return out.getvalue() if changed else None


def _text_columns(table: pa.Table) -> pa.Table:
    return table.select([field.name for field in table.schema if _holds_text(field.type)])


def _holds_text(kind: pa.DataType) -> bool:
    if pa.types.is_dictionary(kind):
        return _holds_text(kind.value_type)
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        return _holds_text(kind.value_type)
    if pa.types.is_struct(kind):
        return any(_holds_text(field.type) for field in kind)
    return pa.types.is_string(kind) or pa.types.is_large_string(kind)


def _parquet(content: bytes, traces: Traces) -> bytes | None:
    with pq.ParquetFile(io.BytesIO(content)) as file:
        table = file.read()
    texts = _text_columns(table)
    before = texts.to_pylist()
    after = [traces.without(row) for row in before]
    if all(one is row for one, row in zip(after, before, strict=True)):
        return None
    # A vector is one of the text beside it: where that has changed, the row has lost its meaning.
    has_vector = "vector" in table.column_names
    keep = [one is not GONE and not (has_vector and one is not row) for one, row in zip(after, before, strict=True)]
    kept = table.filter(pa.array(keep))
    rows = [one for one, stays in zip(after, keep, strict=True) if stays]
    for name in texts.column_names:
        place, kind = kept.column_names.index(name), kept.schema.field(name)
        values = [row.get(name) for row in rows]
        kept = kept.set_column(place, kind, pa.array(values, type=_plain_type(kind.type)).cast(kind.type))
    kept = _without_means(kept, rows)
    sink = pa.BufferOutputStream()
    pq.write_table(kept, sink, compression="zstd")
    return sink.getvalue().to_pybytes()


def _without_means(table: pa.Table, rows: list[Any]) -> pa.Table:
    """A table in which the mean of what topics hold is nothing where nobody else has asked it."""
    for name in ("centroid", "label_centroid"):
        if name in table.column_names and "members" in table.column_names:
            means = table[name].to_pylist()
            means = [
                mean if mean is None or row["members"] else bytes(len(mean))
                for mean, row in zip(means, rows, strict=True)
            ]
            place, kind = table.column_names.index(name), table.schema.field(name)
            table = table.set_column(place, kind, pa.array(means, type=kind.type))
    return table


def _plain_type(kind: pa.DataType) -> pa.DataType:
    return kind.value_type if pa.types.is_dictionary(kind) else kind
