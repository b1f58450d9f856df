"""Values on their way through a mapping: times of any clock, words, lists, transcripts."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lacuna.pipelines.io.raw import Raw
from lacuna.pipelines.sources.files_mapping import map_rows
from lacuna.pipelines.sources.files_settings import entry_of
from lacuna.pipelines.sources.files_times import read_times
from lacuna.pipelines.sources.files_transcripts import cut_transcript

WORD = st.text(st.characters(categories=["L", "N"]), min_size=1, max_size=8)
INSTANT = st.datetimes(datetime(1990, 1, 1), datetime(2090, 1, 1)).map(lambda at: at.replace(microsecond=0, tzinfo=UTC))


def is_unclear(at: datetime, zone: ZoneInfo) -> bool:
    clock = at.astimezone(zone)
    return clock.replace(fold=1).utcoffset() != clock.replace(fold=0).utcoffset()


@given(st.lists(INSTANT, min_size=1, max_size=5), st.sampled_from(["Europe/Berlin", "America/Lima", "UTC"]))
def test_times_on_a_wall_come_back_as_instants(instants: list[datetime], zone: str) -> None:
    """Written by the clock of a zone in any order of day and month; the hour that comes twice aside."""
    there = [at for at in instants if not is_unclear(at, ZoneInfo(zone))]
    for how in ("%d.%m.%Y %H:%M:%S", "%Y-%m-%d %H:%M:%S"):
        written = pd.Series([at.astimezone(ZoneInfo(zone)).strftime(how) for at in there], dtype="object")
        read = read_times(written, how if how[1] == "d" else "", zone)
        assert pd.to_datetime(read, utc=True, format="ISO8601").tolist() == [pd.Timestamp(at) for at in there]


@pytest.mark.parametrize("text", ["2024-06-03T10:00:00+02:00", "2024-06-03 08:00:00Z", "2024-06-03 08:00 UTC"])
def test_time_that_says_its_zone_keeps_it(text: str) -> None:
    """The settings' zone is for those that say none."""
    (read,) = read_times(pd.Series([text]), "", "America/Lima")
    assert read == text


def test_day_alone_begins_at_midnight_of_the_zone() -> None:
    """Its last two figures are no offset."""
    (read,) = read_times(pd.Series(["2024-06-03"]), "", "Europe/Berlin")
    assert read == pd.Timestamp("2024-06-02T22:00Z")


@pytest.mark.parametrize(
    ("unit", "number"), [("epoch_s", 1717401600), ("epoch_ms", "1717401600000"), ("excel_days", 45446.375)]
)
def test_numbers_that_are_times(unit: str, number: object) -> None:
    """Days of a sheet are by the clock on the wall, seconds since 1970 are not."""
    zone = "Asia/Tokyo" if unit == "excel_days" else "UTC"
    (read,) = read_times(pd.Series([number], dtype="object"), unit, zone)
    assert pd.Timestamp(read) == pd.Timestamp("2024-06-03T08:00Z") - pd.Timedelta(
        hours=8 if unit == "excel_days" else 0
    )


@given(st.lists(st.tuples(st.sampled_from(["Ann Lee", "Bot"]), WORD, WORD), min_size=1, max_size=6))
def test_transcript_comes_back_as_it_was_written(said: list[tuple[str, str, str]]) -> None:
    """Speakers and lines, whichever way a line begins."""
    text = "\n".join(f"{speaker}: {first}\n{second}" for speaker, first, second in said)
    assert [(m["speaker"], m["text"]) for m in cut_transcript(text)] == [(who, f"{a}\n{b}") for who, a, b in said]


@pytest.mark.parametrize(
    "line", ["[2024-06-03 10:02] Ann: Hi", "10:02 Ann: Hi", "Ann (10:02 AM): Hi", "(10:02) Ann: Hi"]
)
def test_times_of_a_transcript(line: str) -> None:
    """Before the name or behind it."""
    (message,) = cut_transcript(line)
    assert (message["speaker"], message["text"]) == ("Ann", "Hi")
    assert "10:02" in str(message["time"])


def test_transcript_without_a_speaker_is_one_message() -> None:
    """Nothing of it is lost."""
    assert cut_transcript("just words") == [{"speaker": None, "time": None, "text": "just words"}]
    assert [m["text"] for m in cut_transcript("Started by Ann\nAnn: Hi", speakers=["Ann"])] == ["Started by Ann", "Hi"]


def test_pattern_of_ones_own() -> None:
    """Where lines begin in a way that no other tool knows."""
    cut = cut_transcript("<<ann>> Hi: you\n<<bot>> Yes", r"^<<(?P<speaker>\w+)>>")
    assert [(m["speaker"], m["text"]) for m in cut] == [("ann", "Hi: you"), ("bot", "Yes")]


def test_any_other_word_and_lists_of_their_own_separator() -> None:
    """`*` is every word that is not listed."""
    entry = entry_of(
        {
            "path": "x.csv",
            "separator": "|",
            "columns": {"messages": {"conversation_id": "a", "role": "b", "text": "c", "article_ids": "d"}},
            "values": {"messages": {"role": {"Visitor": "customer", "*": "agent"}}},
        }
    )
    frame = pd.DataFrame({"a": ["1", "1"], "b": ["Visitor ", "Jim"], "c": ["x", "y"], "d": ["k1|k2", None]})
    mapped = map_rows(entry, Raw(frame, np.array([2, 3])))["messages"].frame
    assert mapped["role"].tolist() == ["customer", "agent"]
    assert mapped["article_ids"].tolist()[0] == ["k1", "k2"]
