"""Files without the traces of forgotten conversations: their records go, all else keeps its form."""

from __future__ import annotations

import csv
import gzip
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lacuna.data_contracts.ids import without_address
from lacuna.models.forgetting.words import MARK
from lacuna.pipelines.drafts.front_matter import edited, seal
from lacuna.pipelines.forgetting.files import rewritten
from lacuna.pipelines.forgetting.traces import GONE, Traces, ids_as_known

pytestmark = pytest.mark.filterwarnings("ignore:.*extension is not supported:UserWarning")

THEIRS = "my parrot Zeno ate the charger"


def traces(*ids: str, text: str = THEIRS) -> Traces:
    found = Traces(ids_as_known(ids or ("c-4711",)), {"0123456789abcdef"})
    found.words.add(text)
    return found


def parquet(rows: list[dict[str, Any]], **types: pa.DataType) -> bytes:
    table = pa.Table.from_pylist(rows)
    for name, kind in types.items():
        place = table.column_names.index(name)
        table = table.set_column(place, name, table[name].cast(kind))
    sink = io.BytesIO()
    pq.write_table(table, sink)
    return sink.getvalue()


def rows_of(content: bytes | None) -> list[dict[str, Any]]:
    assert content is not None
    return pq.read_table(io.BytesIO(content)).to_pylist()


def test_rows_and_records_of_theirs_go() -> None:
    """A row of a table, an element of a list, an id in a list of ids, a record that nobody else stands for."""
    quotes = [{"conversation_id": "c-4711", "quote": "a"}, {"conversation_id": "c-1", "quote": THEIRS}]
    steps = [
        {"text": "only theirs", "conversation_ids": ["c-4711"]},
        {"text": f"{THEIRS}, others'", "conversation_ids": ["c-4711", "c-2"]},
    ]
    row = {"gap_id": "g-1", "title": "Parrot Zeno", "examples": quotes, "steps": steps, "article_id": "c-4711"}
    after = traces().without(row)
    assert after == {
        "gap_id": "g-1",
        "title": MARK,
        "examples": [quotes[1]],
        "steps": [{"text": f"{MARK}, others'", "conversation_ids": ["c-2"]}],
        "article_id": "c-4711",
    }
    assert traces().without({"conversation_id": "c-4711", "text": "x"}) is GONE
    same = {"conversation_id": "c-1", "text": THEIRS}
    assert traces().without(same) is same, "another conversation says it"


def test_a_table_keeps_its_types() -> None:
    """Rows go, lists and records are changed, columns keep their types, and what holds no trace keeps its bytes."""
    rows = [
        {"conversation_id": "c-1", "n": 1, "kind": "chat", "ids": ["c-1"]},
        {"conversation_id": "c-4711", "n": 2, "kind": "chat", "ids": ["c-4711"]},
        {"conversation_id": None, "n": 3, "kind": THEIRS, "ids": ["c-4711", "c-2"]},
    ]
    content = parquet(rows, kind=pa.dictionary(pa.int32(), pa.string()), n=pa.int16())
    after = rewritten("a.parquet", content, traces())
    assert rows_of(after) == [rows[0], {**rows[2], "kind": MARK, "ids": ["c-2"]}]
    assert pq.read_schema(io.BytesIO(after or b"")) == pq.read_schema(io.BytesIO(content))
    assert rewritten("a.parquet", content, traces("c-0000", text="zzzz")) is None


def test_what_a_lost_database_is_made_of_keeps_its_form() -> None:
    """Of a topic the keys go, and its mean where nobody else has asked it; of an edit, fields of examples stay."""
    rows = [
        {"topic_id": "t-1", "members": ["0123456789abcdef", "ffff"], "centroid": b"\1\2"},
        {"topic_id": "t-2", "members": ["0123456789abcdef"], "centroid": b"\1\2"},
    ]
    registry = rows_of(rewritten("topic_registry.parquet", parquet(rows), traces()))
    assert [(row["members"], row["centroid"]) for row in registry] == [(["ffff"], b"\1\2"), ([], b"\0\0")]
    examples = [{"conversation_id": one, "key": key, "question": "x"} for one, key in (("c-4711", "k"), ("c-1", "l"))]
    edits = [{"id": 1, "payload": json.dumps({"examples": examples, "label": "Zeno"})}]
    (edit,) = rows_of(rewritten("topic_edits.parquet", parquet(edits), traces()))
    blank = {"conversation_id": "", "key": "", "question": ""}
    assert json.loads(edit["payload"]) == {"examples": [examples[1], blank], "label": MARK}


def test_a_vector_goes_with_its_text() -> None:
    """The vector of a text tells of it: where the text is changed, the row goes."""
    rows = [{"kind": "topic", "id": "t-1", "text": one, "vector": [0.5, 0.5]} for one in ("Zeno", "bike")]
    rows.append({"kind": "question", "id": "c-4711", "text": "bike", "vector": [0.5, 0.5]})
    content = parquet(rows, vector=pa.list_(pa.float16()))
    assert [row["text"] for row in rows_of(rewritten("search_texts.parquet", content, traces()))] == ["bike"]


def test_lines_and_sheets() -> None:
    """JSON lines, compressed ones too; CSV with its mark, its ends of lines and its figures."""
    lines = [{"conversation_id": "c-4711", "a": 1}, {"a": f"“{THEIRS}”", "b": ["c-4711", "c-1"], "c": "€"}]
    text = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
    after = rewritten("a.jsonl.gz", gzip.compress(text.encode()), traces())
    assert json.loads(gzip.decompress(after or b"")) == {"a": f"“{MARK}”", "b": ["c-1"], "c": "€"}
    sheet = '\ufefftitle,conversation_ids,n\r\n"a, b",c-1; 48213,48213\r\nZeno,c-2,5\r\n'
    found = traces("48213")
    changed = (rewritten("a.csv", sheet.encode(), found) or b"").decode()
    assert changed == f'\ufefftitle,conversation_ids,n\r\n"a, b",c-1,48213\r\n{MARK},c-2,5\r\n'


def test_a_page_keeps_its_script() -> None:
    """Texts, attributes and the script's data are changed; tags and the script itself are not, whatever they hold."""
    data = json.dumps({"quotes": [{"id": "c-4711", "text": THEIRS}, {"id": "c-1", "text": "x \u003c y"}]})
    page = (
        '<p class="parrot" title="my parrot Zeno ate">it&#39;s: my parrot Zeno ate &amp; the charger (c-4711)</p>'
        f'<script>var parrot = "charger";</script><script type="application/json">{data}</script>'
        '<a href="https://desk.example/c-4711">read</a>'
    )
    after = (rewritten("report.html", page.encode(), traces()) or b"").decode()
    assert '<p class="parrot" title="&lt;FORGOTTEN&gt;">it&#x27;s: &lt;FORGOTTEN&gt; (&lt;FORGOTTEN&gt;)</p>' in after
    assert '<script>var parrot = "charger";</script>' in after
    assert '{"quotes":[{"id":"c-1","text":"x \\u003c y"}]}' in after
    assert "c-4711" not in after
    assert rewritten("report.html", b"<p>x &amp; y&#39;s</p>", traces()) is None


def test_a_workbook(tmp_path: Path) -> None:
    """Cells of text are changed, and figures are not."""
    book = openpyxl.Workbook()
    book.active.append(["id", 48213, THEIRS, "conversation 48213", "R&D"])  # type: ignore[union-attr]
    book.save(tmp_path / "a.xlsx")
    after = rewritten("a.xlsx", (tmp_path / "a.xlsx").read_bytes(), traces("48213"))
    (tmp_path / "b.xlsx").write_bytes(after or b"")
    (row,) = openpyxl.load_workbook(tmp_path / "b.xlsx").active.iter_rows(values_only=True)  # type: ignore[union-attr]
    assert row == ("id", 48213, MARK, f"conversation {MARK}", "R&D")


def test_a_draft_is_sealed_anew_unless_somebody_edited_it() -> None:
    """Else every draft with their words would look as if a writer had changed it."""
    draft = seal(f"---\ngap_id: g-1\n---\n\n# Title\n\n> {THEIRS}\n")
    after = (rewritten("g.md", draft.encode(), traces()) or b"").decode()
    assert (MARK in after, edited(after), edited(draft)) == (True, False, False)
    by_hand = draft.replace("# Title", "# My title")
    assert edited((rewritten("g.md", by_hand.encode(), traces()) or b"").decode())


def test_the_path_of_a_draft_can_be_a_path() -> None:
    """It bears the gap's title; what marks words elsewhere can't stand in a path."""
    assert traces().without("drafts/o-1/g-1-zeno-and-the-charger.md") == "drafts/o-1/g-1-forgotten.md"


@pytest.mark.parametrize("named", ["jo@example.org", " jo@example.org "])
def test_an_address_is_known_by_its_hash(named: str) -> None:
    """A conversation that is named by an address is known by a hash in runs, and as it is in a bundle."""
    found = traces(named.strip())
    assert found.owns(named)
    assert found.owns(without_address("jo@example.org"))
    assert not found.owns("joe@example.org")
    assert found.without("see jo@example.org.") == f"see {MARK}."


@pytest.mark.parametrize(("key", "text"), [("17", "17 of 30 failed"), ("ab", "an ab test")])
def test_short_ids_count_where_ids_stand_alone(key: str, text: str) -> None:
    """An id that could be any figure or word is taken out of fields of ids, and of no text."""
    found = traces(key)
    assert found.without(text) == text
    assert found.without({"conversation_ids": [key, "18"], "n": 17}) == {"conversation_ids": ["18"], "n": 17}


def test_what_is_no_text_stays() -> None:
    """Bytes of other kinds are left alone, and an empty file is one without traces."""
    assert rewritten("a.bin", b"\0" + THEIRS.encode(), traces()) is None
    assert rewritten("a.parquet", b"", traces()) is None
    with pytest.raises((ValueError, OSError)):
        rewritten("a.parquet", b"no table", traces())


VALUES = st.recursive(
    st.sampled_from(["c-4711", "c-1", "bike", "my parrot Zeno ate the charger", "0123456789abcdef", "", None, 17, 0.5]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["conversation_id", "conversation_ids", "quote", "ids", "key"]), inner)
    ),
    max_leaves=12,
)


@given(VALUES)
def test_any_value_is_without_traces_afterwards(value: Any) -> None:
    """Whatever its form: no id, no key and no words are left but those that another conversation says."""
    found = traces()
    after = found.without(value)
    if after is GONE:
        return
    assert "c-4711" not in json.dumps(after)
    again = found.without(after)
    assert again is after or again == after


def test_the_csv_reader_reads_back_what_is_written() -> None:
    """Quotes, line breaks and delimiters in cells are as before."""
    out = io.StringIO(newline="")
    csv.writer(out).writerows([["conversation_id", "note"], ["c-4711", "x"], ["c-1", 'a "b",\nc']])
    after = (rewritten("a.csv", out.getvalue().encode(), traces()) or b"").decode()
    assert list(csv.reader(io.StringIO(after, newline=""))) == [["conversation_id", "note"], ["c-1", 'a "b",\nc']]


def test_rejected_rows_go_by_their_record() -> None:
    """A rejected row names its conversation inside of the row as it was."""
    rows = [
        {"rule": "required", "value": "x", "record": json.dumps({"conversation_id": one})} for one in ("c-4711", "c-1")
    ]
    assert len(rows_of(rewritten("messages.parquet", parquet(rows), traces()))) == 1


def test_numbers_in_frames_are_left_alone() -> None:
    """Figures of a table have nothing to do with ids, however they look."""
    frame = pd.DataFrame({"n": np.arange(3), "label": ["Zeno", "b", "c"]})
    sink = io.BytesIO()
    frame.to_parquet(sink)
    after = pd.read_parquet(io.BytesIO(rewritten("a.parquet", sink.getvalue(), traces("00002")) or b""))
    assert (after["n"].tolist(), after["label"].tolist()) == ([0, 1, 2], [MARK, "b", "c"])
