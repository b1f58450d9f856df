"""Two readers of CSV files, one fast and one exact: whatever the fast one accepts, the exact one reads alike."""

from __future__ import annotations

import pandas as pd
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from lacuna.data_contracts.errors import BundleUnreadable
from lacuna.pipelines.io.csv_files import exact, regular

HEADER = "article_id,title,body\n"

plain = st.sampled_from(
    ["", "a", " a ", "NULL", '""', '"a"', '"a,b"', '"a""b"', '""" """', '"a\nb"', '"\n\n"', '"a ""b"" ""c"" "']
)
odd = st.one_of(
    st.sampled_from(['"" "a"', ' "a"', '"a" ', 'a"b', 'a""b', '"a"b', '"']),
    st.text(alphabet='ab ,;"\n\r\té\x00\x1a😀', max_size=6),
)
sound = st.lists(plain, min_size=3, max_size=3)
rows = st.one_of(*[sound] * 7, st.lists(plain | odd, min_size=1, max_size=4)).map(",".join)
ends = st.sampled_from([*["\n"] * 18, "\n\n", "\r"])
bodies = st.lists(st.tuples(rows, ends), max_size=4).map(lambda rows: "".join(row + end for row, end in rows))
files = st.tuples(bodies, st.booleans(), st.booleans()).map(
    lambda file: (file[0].rstrip("\n") if file[1] else file[0]).replace("\n", "\r\n" if file[2] else "\n")
)


@settings(max_examples=200, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(files)
@example('a1,T,"one\ntwo"\na2,"Say ""hi""",\n')
@example('a1, "T",B\n')
@example("a1,T,B\n\na2,T,B\n")
@example('"" "a",,\na2,T,B\n')
@example('a1,T,a"b\na2,T,a""b\n')
def test_what_the_fast_reader_accepts_the_exact_one_reads_alike(body: str) -> None:
    """The same values on the same lines, and nothing that the exact reader would have told of."""
    text = HEADER + body
    fast = regular("articles.csv", text.encode(), ["article_id", "title", "body"])
    if fast is not None:
        slow = exact("articles.csv", text, ["article_id", "title", "body"])
        assert not slow.broken
        assert fast.rows.tolist() == slow.rows.tolist()
        assert fast.notes == slow.notes
        pd.testing.assert_frame_equal(fast.frame, slow.frame)


@pytest.mark.parametrize(
    ("text", "rows", "values"),
    [
        (HEADER + "a1,T,B\na2,T,B", [2, 3], ["B", "B"]),
        ("\ufeff" + HEADER + 'a1,T,"one\n\ntwo"\na2,T,\n', [2, 5], ["one\n\ntwo", ""]),
        (HEADER + 'a1,T,"Say ""hi"" ""you"", then "\na2,T,NULL\n', [2, 3], ['Say "hi" "you", then ', "NULL"]),
        ((HEADER + 'a1,T,"one\ntwo"\na2,T,B\n').replace("\n", "\r\n"), [2, 4], ["one\r\ntwo", "B"]),
        ("article_id;title;body\na1;T;a,b\n", [2], ["a,b"]),
        (HEADER, [], []),
    ],
    ids=["no last line end", "byte order mark, text over lines", "quotes", "Windows", "semicolons", "no rows"],
)
def test_the_fast_reader_reads_what_tools_write(text: str, rows: list[int], values: list[str]) -> None:
    """Each row is on the line that it begins on, whatever its texts hold."""
    read = regular("articles.csv", text.encode(), ["article_id", "title", "body"])
    assert read is not None
    assert read.rows.tolist() == rows
    assert read.frame["body"].tolist() == values
    assert list(read.frame.columns) == ["article_id", "title", "body"]


@pytest.mark.parametrize(
    "body",
    [
        "a1,T\n",
        "a1,T,B,C\n",
        'a1,T,"B\na2,T,B\n',
        "a1,T,B\n\na2,T,B\n",
        'a1, "T",B\n',
        'a1,"T"x,B\n',
        "a1,T,B\ra2,T,B\n",
    ],
)
def test_the_fast_reader_leaves_what_is_odd_to_the_exact_one(body: str) -> None:
    """It never says what is wrong: it knows no lines."""
    assert regular("articles.csv", (HEADER + body).encode(), ["article_id"]) is None
    assert regular("articles.csv", (HEADER + body).encode("utf-16"), ["article_id"]) is None
    assert regular("articles.csv", (HEADER + "a1,é,B\n").encode("cp1252"), ["article_id"]) is None


def test_a_header_that_cannot_be_read_is_refused_with_its_line() -> None:
    """A quote that is lost among the names of columns leaves no names to go by."""
    with pytest.raises(BundleUnreadable, match=r"messages\.csv, line 2: the names of its columns can't be read"):
        exact("messages.csv", '\nconversation_id,"role,text\nc1,bot,Hi\nc2,bot,Hello\n', ["conversation_id"])
