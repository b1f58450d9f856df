"""Tables that should join: what does, what is told where nothing does, and lists that hold several names."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from lacuna.pipelines.steps.load.step import check_bundle
from tests.support.bundles import CONVERSATIONS, MESSAGES, loaded, write_bundle

MANY = [{**CONVERSATIONS[0], "conversation_id": f"c-{n:04d}"} for n in range(200)]


def said(first: int, last: int) -> list[dict[str, Any]]:
    return [{**MESSAGES[0], "conversation_id": f"c-{n:04d}"} for n in range(first, last)]


@pytest.mark.parametrize(
    ("first", "last", "joins"),
    [(0, 200, True), (0, 10, True), (150, 2150, True), (195, 395, False), (300, 500, False)],
    ids=["all", "few messages", "a month of all messages", "hardly any", "none"],
)
def test_messages_must_join_conversations(tmp_path: Path, first: int, last: int, joins: bool) -> None:
    """Either table may reach further than the other; where less than a tenth of the smaller one joins, check fails."""
    result = check_bundle(write_bundle(tmp_path / "b", conversations=MANY, messages=said(first, last)))
    assert result.runnable == result.ok == joins
    assert len(result.problems) == (not joins)


def test_citations_of_which_none_is_known_stop_the_run(tmp_path: Path) -> None:
    """Ten articles cited and none of them there is another kind of id; a few may have been deleted."""
    cited = [{**m, "article_ids": [f"https://kb.example/{n}"]} for n, m in enumerate(MESSAGES * 3)]
    for n, row in enumerate(cited):
        row["position"] = n
    few = check_bundle(write_bundle(tmp_path / "few", messages=cited[:9]))
    assert few.runnable
    result = check_bundle(write_bundle(tmp_path / "many", messages=cited))
    assert not result.runnable
    assert "messages and articles don't join: 0 of 12 ids in messages.article_ids are in articles" in result.problems[0]
    assert "holds addresses, such as 'https://kb.example/0' (messages.jsonl row 1)" in result.problems[0]
    assert "or leave messages.article_ids out" in result.problems[0]


@pytest.mark.parametrize("written", ["a1,a2", "a1, a2", "a1|a2", "a1 a2", "['a1,a2']"])
def test_one_item_that_holds_several_known_names_is_taken_apart(tmp_path: Path, written: str) -> None:
    """Commas, bars and blanks part names of articles where one of the pieces is an article."""
    job = loaded(tmp_path, messages=[*MESSAGES[:1], {**MESSAGES[1], "article_ids": written}, *MESSAGES[2:]])
    assert list(job.read("load/messages")["article_ids"].iloc[1]) == ["a1", "a2"]


def test_a_comma_that_belongs_to_an_id_stays(tmp_path: Path) -> None:
    """An id with a comma in it that is an article's, and one of which no piece is known, are left as they are."""
    articles = [
        {"article_id": "a1,a2", "title": "Both", "body": "b"},
        {"article_id": "a1", "title": "One", "body": "b"},
    ]
    messages = [{**m, "article_ids": ids} for m, ids in zip(MESSAGES, (["a1,a2"], ["x,y"], None, ["a1"]), strict=True)]
    job = loaded(tmp_path, articles=articles, messages=messages)
    cited = [None if v is None else list(v) for v in job.read("load/messages")["article_ids"]]
    assert cited == [["a1,a2"], ["x,y"], None, ["a1"]]


def test_ids_of_two_forms_join(tmp_path: Path) -> None:
    """Floats with a hole on one side, whole numbers on the other: the same conversations."""
    csv = "conversation_id,started_at,escalated,customer_id\n" + "".join(
        f"{n}.0,2024-06-03,no,{who}\n" for n, who in ((1001, "nan"), (1002, "nan"), (1003, "77.0"))
    )
    job = loaded(tmp_path, conversations_csv=csv, messages=[{**MESSAGES[0], "conversation_id": 1001}])
    conversations = job.read("load/conversations")
    assert conversations["conversation_id"].tolist() == ["1001", "1002", "1003"]
    assert conversations["customer_id"].isna().tolist() == [True, True, False]
    assert job.read("load/messages")["conversation_id"].tolist() == ["1001"]


def test_one_row_is_spoken_of_in_the_singular(tmp_path: Path) -> None:
    """One row names, two rows name."""
    job = loaded(tmp_path, messages=[*MESSAGES, {**MESSAGES[0], "conversation_id": "c9"}])
    warnings = [w["message"] for w in job.read_json("load/warnings")]
    assert "1 row names conversations that the bundle does not have, or that are in quarantine" in warnings
