"""The review on the command line: decide, assign, undo, backlog, and the backlog as a spreadsheet out and in."""

from __future__ import annotations

import csv
import json
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from lacuna.pipelines.gaps.decisions import backlog_now, decide, history, lives
from lacuna.pipelines.settings import load_settings
from lacuna.pipelines.state.deliveries import remember_contacts
from lacuna.pipelines.state.repository import State, open_state
from tests.support import sample_run
from tests.support.databases import publish_gaps
from tests.support.small_store import publish
from tests.support.standins import Lacuna

RUN = "2024-06-30"


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A store with a run of four gaps, and a person at the keyboard."""
    monkeypatch.setenv("LACUNA_USER", "ada")
    rows: list[dict[str, Any]] = [{"gap_id": f"g-{n}", "title": f"Gap number {n}"} for n in "abc"]
    rows.append({"gap_id": "g-d", "title": "=1+1", "owner_id": "@amara", "kind": "stale", "article_id": "a1"})
    publish_gaps(tmp_path / "store", RUN, rows)
    return tmp_path / "store"


@pytest.fixture
def store_state(store: Path) -> Any:
    state = open_state(load_settings(), store)
    yield state
    state.close()


def sheet(lacuna: Lacuna, store: Path) -> list[dict[str, str]]:
    """The backlog as written for a spreadsheet."""
    path = store.parent / "backlog.csv"
    assert lacuna("backlog", "--store", str(store), "--csv", str(path))[0] == 0
    return list(csv.DictReader(path.read_text(encoding="utf-8-sig").splitlines()))


def filled(store: Path, rows: list[dict[str, str]], delimiter: str = ",") -> str:
    path = store.parent / "filled.csv"
    with path.open("w", encoding="utf-8-sig", newline="") as out:
        writer = csv.DictWriter(out, list(rows[0]), delimiter=delimiter)
        writer.writeheader()
        writer.writerows(rows)
    return str(path)


def test_a_gap_is_decided_on_by_its_rank(lacuna: Lacuna, store: Path) -> None:
    """A rank names the gap of the latest run; the answer says its title and where it stands; the list follows."""
    code, printed, _ = lacuna("decide", "2", "accept", "--why", "asked every day", "--store", str(store))
    assert (code, printed.strip()) == (0, "g-b “Gap number b” is accepted.")
    _, printed, _ = lacuna("assign", "g-b", "o-ben", "--due", "2024-07-12", "--store", str(store))
    assert printed.strip() == "g-b “Gap number b” is accepted, owner o-ben, due 2024-07-12."
    _, printed, _ = lacuna("backlog", "--store", str(store))
    line = next(line for line in printed.splitlines() if "g-b" in line)
    assert "accepted" in line
    assert "o-ben" in line
    assert "2024-07-12" in line
    assert "Of 1 judged missing gap 1 was right: 100 %" in printed


def test_an_empty_backlog_says_why_it_is_empty(lacuna: Lacuna, store: Path) -> None:
    """Where the latest run found nothing, its reason and the next step stand in place of the list."""
    reason = {"rule": "too few", "why": "Too few [failed]: 3 of 90.", "step": "Mine a longer window."}
    run = publish(store, pd.DataFrame(columns=sample_run.sample_run().backlog.columns), "2024-07-28")
    run_json = json.loads((run / "run.json").read_text(encoding="utf-8")) | {"no_gap_reason": reason}
    (run / "run.json").write_text(json.dumps(run_json), encoding="utf-8")
    code, printed, _ = lacuna("backlog", "--store", str(store))
    assert code == 0
    assert printed.strip() == "No gap was found in the latest run. Too few [failed]: 3 of 90. Mine a longer window."


def test_an_undo_shows_in_the_history(lacuna: Lacuna, store: Path) -> None:
    """What was taken back stays in the list of decisions, marked; the gap stands where it stood."""
    lacuna("decide", "1", "dismiss", "--reason", "not_content", "--store", str(store), "--who", "bob")
    code, printed, _ = lacuna("undo", "1", "--store", str(store))
    assert (code, printed.strip()) == (0, "g-a “Gap number a” is new.")
    _, printed, _ = lacuna("backlog", "1", "--store", str(store))
    assert "dismiss reason=not_content conversations=40 (taken back)" in printed
    assert "bob" in printed
    assert "undo of=1" in printed


def test_closed_gaps_are_counted_and_shown_on_request(lacuna: Lacuna, store: Path) -> None:
    """A dismissed or snoozed gap leaves the list, which says so."""
    lacuna("decide", "1", "snooze", "--until", "2024-07-15", "--store", str(store))
    lacuna("decide", "2", "merge", "--into", "3", "--store", str(store))
    _, printed, _ = lacuna("backlog", "--store", str(store))
    assert "g-a" not in printed
    assert "2 gaps, 2 verified, snoozed or dismissed (--all)" in printed
    _, printed, _ = lacuna("backlog", "--all", "--store", str(store))
    assert "snoozed until 2024-07-15" in printed


def test_gaps_too_small_to_act_on_are_counted_and_shown_on_request(lacuna: Lacuna, tmp_path: Path) -> None:
    """The list leaves them out, and says how many; those in work stay."""
    small = {"too_small": True}
    rows = [{"gap_id": "g-a"}, {"gap_id": "g-b", **small}, {"gap_id": "g-c", "status": "drafting", **small}]
    publish_gaps(tmp_path, "2024-06-30", [{"too_small": False, **row} for row in rows])
    _, printed, _ = lacuna("backlog", "--store", str(tmp_path))
    assert ("g-b" in printed, "g-c" in printed, "2 gaps, 1 too small to act on (--all)" in printed) == (
        False,
        True,
        True,
    )
    _, printed, _ = lacuna("backlog", "--all", "--store", str(tmp_path))
    assert ("g-b" in printed, "too small" in printed) == (True, False)


def test_gaps_fall_due_by_the_settings_and_by_what_people_say(lacuna: Lacuna, store: Path, tmp_path: Path) -> None:
    """`[review]` gives each gap its day; a day that somebody sets wins; what is late is counted; a sheet has all."""
    today = date.today()
    lacuna("assign", "2", "o1", "--due", (today - timedelta(days=10)).isoformat(), "--store", str(store))
    config = tmp_path / "ours.toml"
    config.write_text("[review]\nurgent_ranks = 0\nescalate_after_days = 7\ndue_days = {new = 10}\n", encoding="utf-8")
    _, printed, _ = lacuna("backlog", "--store", str(store), "--config", str(config))
    assert "10 d over" in printed
    assert "escalated" in printed
    assert "4 gaps, 1 overdue" in printed
    path = tmp_path / "sheet.csv"
    lacuna("backlog", "--store", str(store), "--config", str(config), "--csv", str(path))
    rows = list(csv.DictReader(path.read_text(encoding="utf-8-sig").splitlines()))
    days = [(today + timedelta(days=n)).isoformat() for n in (10, -10)]
    assert [row["falls_due"] for row in rows] == [days[0], days[1], days[0], days[0]]
    assert [row["due"] + row["assign_to"] for row in rows] == [""] * 4
    assert [row["overdue"] for row in rows] == ["0", "10", "0", "0"]


def test_nobody_unknown_becomes_an_owner(lacuna: Lacuna, store: Path, store_state: State) -> None:
    """An owner_id that the run doesn't know is refused, with the likely one; a sheet's row of it is left out."""
    people = [{"owner_id": "o-amara", "name": "Amara", "email": None}, {"owner_id": "o-ben", "name": "Ben"}]
    remember_contacts(store_state, pd.DataFrame(people))
    code, _, error = lacuna("assign", "1", "o-amra", "--store", str(store))
    assert code == 2
    assert "there is no owner 'o-amra'" in error
    assert "did you mean o-amara?" in error
    rows = sheet(lacuna, store)
    rows[0] |= {"decision": "assign", "assign_to": "zoe"}
    code, printed, error = lacuna("decide", "--from", filled(store, rows), "--store", str(store))
    assert (code, printed.strip()) == (2, "0 recorded, 1 left out.")
    assert "row 2, column assign_to: 'zoe'" in error
    assert "there are: o-amara, o-ben" in error
    assert lacuna("assign", "1", "nobody", "--store", str(store))[0] == 0


def test_a_mistake_costs_nothing(lacuna: Lacuna, store: Path) -> None:
    """Wrong usage, an unknown rank and an unknown id are errors with a remedy, exit code 2."""
    for arguments, problem in (
        (["decide", "--store", str(store)], "give GAP and DECISION, or --from FILE alone"),
        (["decide", "9", "accept", "--store", str(store)], "ranks go from 1 to 4"),
        (["decide", "g-z", "accept", "--store", str(store)], "did you mean"),
        (["decide", "1", "acept", "--store", str(store)], "did you mean accept?"),
        (["decide", "--from", "nowhere.csv", "--store", str(store)], "check the path given with --from"),
    ):
        code, _, error = lacuna(*arguments)
        assert code == 2
        assert problem in error


def test_the_backlog_goes_out_as_a_sheet_and_comes_back(lacuna: Lacuna, store: Path, store_state: State) -> None:
    """Filled-in rows become decisions, in any case and with semicolons too; untouched rows say nothing."""
    rows = sheet(lacuna, store)
    assert [row["gap_id"] for row in rows] == ["g-a", "g-b", "g-c", "g-d"]
    assert rows[3]["title"] == "'=1+1"
    rows[0] |= {"decision": "Accept", "why": "asked every day"}
    rows[1] |= {"decision": "dismiss", "reason": "wont_fix"}
    rows[3] |= {"decision": "assign", "due": "2024-07-12"}
    code, printed, _ = lacuna("decide", "--from", filled(store, rows, ";"), "--store", str(store))
    assert (code, printed.strip()) == (0, "3 recorded.")
    now = backlog_now(store, store_state, load_settings()).set_index("gap_id")
    assert now["status"].tolist() == ["accepted", "dismissed", "new", "new"]
    assert now.loc["g-a", "why"] == "asked every day"
    assert now.loc["g-d", ["owner_id", "due"]].tolist() == ["@amara", "2024-07-12"]
    assert now["last_decision"].tolist() == [1, 2, 0, 3]


def test_bad_rows_are_named_and_good_ones_recorded(lacuna: Lacuna, store: Path, store_state: State) -> None:
    """Each bad row is told with file, row, column, value and remedy; put right, the same file records the rest only."""
    rows = sheet(lacuna, store)
    rows[0] |= {"decision": "snooze", "until": "15.07.2024"}
    rows[1] |= {"decision": "accept"}
    rows[2] |= {"decision": "merge", "into": "g-q"}
    rows[3] |= {"decision": "dismiss", "reason": "bug"}
    path = filled(store, [*rows, rows[1] | {"gap_id": "g-zz"}, rows[1] | {"last_decision": "last"}])
    code, printed, error = lacuna("decide", "--from", path, "--store", str(store))
    assert code == 2
    assert printed.strip() == "1 recorded, 5 left out."
    for line in (
        f"{path}, row 2, column until: '15.07.2024'",
        "write it as 2024-06-30",
        f"{path}, row 4, column into: 'g-q'",
        f"{path}, row 5, column reason: 'bug'",
        "not_a_gap, duplicate, already_fixed, not_content, wont_fix",
        f"{path}, row 6, column gap_id: 'g-zz'",
        f"{path}, row 7, column last_decision: 'last'",
    ):
        assert line in error
    rows[0]["until"], rows[2]["into"], rows[3]["reason"] = "2024-07-15", "g-b", "duplicate"
    code, printed, _ = lacuna("decide", "--from", filled(store, rows), "--store", str(store))
    assert (code, printed.strip()) == (0, "3 recorded, 1 there already.")
    assert [len(history(store_state, f"g-{n}")) for n in "abcd"] == [1, 1, 1, 1]


def test_a_row_decided_meanwhile_is_told(lacuna: Lacuna, store: Path, store_state: State) -> None:
    """Who wrote the sheet before another decided hears of it, and the other's decision stands."""
    rows = sheet(lacuna, store)
    decide(store_state, "g-a", "dismiss", "bob", payload={"reason": "wont_fix"})
    rows[0] |= {"decision": "accept"}
    code, _, error = lacuna("decide", "--from", filled(store, rows), "--store", str(store))
    assert code == 2
    assert "column last_decision: '0'" in error
    assert "bob decided meanwhile on gap g-a: dismiss" in error
    assert [decision.who for decision in history(store_state, "g-a")] == ["bob"]


def test_a_gap_may_stand_in_two_rows(lacuna: Lacuna, store: Path, store_state: State) -> None:
    """Accepting and assigning in one file are two rows of one gap, and neither takes the other for a stranger's."""
    row = sheet(lacuna, store)[0]
    rows = [row | {"decision": "accept"}, row | {"decision": "assign", "assign_to": "o-ben"}]
    for summary in ("2 recorded.", "0 recorded, 2 there already."):
        assert lacuna("decide", "--from", filled(store, rows), "--store", str(store))[1].strip() == summary
    assert [decision.verb for decision in history(store_state, "g-a")] == ["accept", "assign"]


@pytest.mark.parametrize("with_last_decision", [True, False])
def test_the_same_file_again_records_nothing_twice(
    lacuna: Lacuna, store: Path, store_state: State, with_last_decision: bool
) -> None:
    """Every kind of decision is known again, with or without the last decision seen; one in other words is not."""
    rows = sheet(lacuna, store)
    rows[0] |= {"decision": "dismiss", "reason": "not_content"}
    rows[1] |= {"decision": "snooze", "until": "2024-07-20"}
    rows[2] |= {"decision": "note", "why": "ask the shop"}
    rows[3] |= {"decision": "publish", "on": "2024-07-01"}
    for row in rows if not with_last_decision else ():
        del row["last_decision"]
    for code, summary in ((0, "4 recorded."), (0, "0 recorded, 4 there already.")):
        answer = lacuna("decide", "--from", filled(store, rows), "--store", str(store))
        assert (answer[0], answer[1].strip()) == (code, summary), answer
    assert [len(history(store_state, f"g-{n}")) for n in "abcd"] == [1, 1, 1, 1]
    rows[2]["why"] = "ask the other shop"
    summary = lacuna("decide", "--from", filled(store, rows), "--store", str(store))[1].strip()
    assert summary == (
        "0 recorded, 3 there already, 1 left out." if with_last_decision else "1 recorded, 3 there already."
    )


@pytest.mark.parametrize("with_last_decision", [True, False])
def test_a_row_decides_and_assigns(lacuna: Lacuna, store: Path, store_state: State, with_last_decision: bool) -> None:
    """Who and by when stand beside the decision or alone: a decision more, after the row's own and with its words."""
    rows = sheet(lacuna, store)
    rows[0] |= {"decision": "accept", "assign_to": "o-ben", "due": "2024-07-20 00:00:00", "why": "asked every day"}
    rows[1] |= {"due": "2024-07-20T00:00:00"}
    rows[2] |= {"assign_to": "o-ben"}
    rows[3] |= {"decision": "assign", "assign_to": "Nobody"}
    for row in rows if not with_last_decision else ():
        del row["last_decision"]
    for summary in ("5 recorded.", "0 recorded, 5 there already."):
        code, printed, error = lacuna("decide", "--from", filled(store, rows), "--store", str(store))
        assert (code, printed.strip()) == (0, summary), error
    recorded = [
        [(decision.verb, decision.why, dict(decision.payload)) for decision in history(store_state, f"g-{n}")]
        for n in "abcd"
    ]
    words = "asked every day"
    assert recorded == [
        [("accept", words, {}), ("assign", words, {"owner_id": "o-ben", "due": "2024-07-20"})],
        [("assign", "", {"due": "2024-07-20"})],
        [("assign", "", {"owner_id": "o-ben"})],
        [("assign", "", {"owner_id": None})],
    ]
    assert not lives(store_state)["g-b"].assigned


def test_what_can_t_be_read_leaves_the_whole_row_out(lacuna: Lacuna, store: Path, store_state: State) -> None:
    """A wrong day or owner is told with its column; what the mended file adds comes after what was recorded."""
    remember_contacts(store_state, pd.DataFrame([{"owner_id": "o-ben", "name": "Ben"}]))
    rows = sheet(lacuna, store)
    rows[0] |= {"decision": "accept", "due": "31.12.2024"}
    rows[1] |= {"decision": "accept", "assign_to": "o-bne"}
    rows[2] |= {"decision": "verify", "assign_to": "o-ben"}
    rows[3] |= {"decision": "assign", "owner_id": "o-ben"}
    code, printed, error = lacuna("decide", "--from", filled(store, rows), "--store", str(store))
    assert (code, printed.strip()) == (2, "1 recorded, 4 left out."), error
    for words in (
        "row 2, column due: '31.12.2024'", "write it as 2024-06-30: year, month, day",
        "row 3, column assign_to: 'o-bne'", "did you mean o-ben?",
        "row 4, column decision: 'verify'", "row 5, column assign_to: ''",
    ):  # fmt: skip
        assert words in error
    rows[0]["due"], rows[1]["assign_to"], rows[2]["decision"], rows[3]["assign_to"] = "", "o-ben", "note", "o-ben"
    rows[2]["why"] = "ask the shop"
    code, printed, _ = lacuna("decide", "--from", filled(store, rows), "--store", str(store))
    assert (code, printed.strip()) == (0, "5 recorded, 1 there already.")
    recorded = [[decision.verb for decision in history(store_state, f"g-{n}")] for n in "abcd"]
    assert recorded == [["accept"], ["accept", "assign"], ["note", "assign"], ["assign"]]


def test_an_earlier_sheet_keeps_its_meaning(lacuna: Lacuna, store: Path, store_state: State) -> None:
    """Without the column assign_to, owner_id and due count where the decision is to assign, and nowhere else."""
    shown = {"decision": "", "owner_id": "", "due": "2024-07-12", "last_decision": "0"}
    rows = [{"gap_id": f"g-{n}"} | shown for n in "abcd"]
    rows[0] |= {"decision": "accept", "owner_id": "o-ben"}
    rows[1] |= {"decision": "assign", "owner_id": "o-ben"}
    rows[2] |= {"decision": "assign", "due": ""}
    for summary in ("3 recorded.", "0 recorded, 3 there already."):
        assert lacuna("decide", "--from", filled(store, rows), "--store", str(store))[1].strip() == summary
    recorded = [
        [(decision.verb, dict(decision.payload)) for decision in history(store_state, f"g-{n}")] for n in "abcd"
    ]
    payload = {"owner_id": "o-ben", "due": "2024-07-12"}
    assert recorded == [[("accept", {})], [("assign", payload)], [("assign", {"owner_id": None})], []]


def test_a_sheet_without_its_columns_says_so(lacuna: Lacuna, store: Path) -> None:
    """A file that is not the sheet is an error that names the column and the way to a right one."""
    code, _, error = lacuna(
        "decide", "--from", filled(store, [{"gap": "g-a", "decision": "accept"}]), "--store", str(store)
    )
    assert code == 2
    assert "has no column 'gap_id' (found: gap, decision)" in error
    assert "lacuna backlog --csv" in error
