"""What the report says of what is too thin to judge."""

from __future__ import annotations

import pandas as pd

from lacuna.pipelines.report.not_yet_known import open_questions

RUN = {"window": {"start": "2024-06-03", "end": "2024-06-30"}}


def test_fixes_stand_first_and_what_waiting_does_not_settle_is_counted() -> None:
    """Each row has what is missing and its day; what a longer window holds already could be told now."""
    rows = [
        ("topic", "s-1", "Customs", "3 of 3 failed; a gap needs 4", 3, 1, "conversations", 0.75, "2024-06-30", 35),
        ("fix", "g-1", "Update “Poles”", "Only 9 days", 6, 8, "conversations", 4.7, "2024-07-12", None),
        ("topic", "s-2", "Kayaks", "2 of 4 failed", 4, None, "conversations", 1.0, None, None),
        ("metric", "resolved", "resolved", "14 random tags", 14, 6, "random tags", 3.5, "2024-07-12", None),
    ]
    names = ["what", "id", "name", "why", "seen", "more", "of", "a_week", "by", "window_days"]
    frame = pd.DataFrame(rows, columns=names).astype({"more": "Int64", "window_days": "Int64", "by": "str"})
    view = open_questions(frame, RUN)
    assert [row["name"] for row in view["rows"]] == ["Update “Poles”", "Resolved by the bot", "Customs"]
    assert [row["more"] for row in view["rows"]] == ["8 conversations", "6 random tags", "1 conversation"]
    assert [row["by"] for row in view["rows"]] == ["12 Jul 2024", "12 Jul 2024", "now"]
    assert view["rows"][2]["window"] == "in a window of 35 days"
    assert view["never"].startswith("1 other question would not be settled")
    assert open_questions(None, RUN) == {
        "rows": [],
        "left": 0,
        "shown": "0 questions that time will settle",
        "never": "",
    }
