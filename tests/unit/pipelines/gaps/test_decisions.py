"""Deciding on gaps: the rules, two people at once, and the backlog as of now; on SQLite and on a real Postgres."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pandas as pd
import pytest
import sqlalchemy as sa

from lacuna.data_contracts.errors import DecidedMeanwhile, DecisionInvalid, NoSuchGap, NotAllowed, StoreUnusable
from lacuna.pipelines.gaps.decisions import decide, history, lives, standing, undo
from lacuna.pipelines.settings import Settings
from lacuna.pipelines.state import decision_log
from lacuna.pipelines.state.repository import State, open_state
from tests.support.databases import gaps, topics

WEEK = "2024-06-16"


@pytest.fixture
def known(state: State) -> State:
    """A state with one run and three gaps."""
    found = gaps("g-1", "g-2", "g-3").assign(conversations=[12, 8, 5])
    state.record_run(WEEK, "h", topics("t1"), found)
    return state


def test_a_decision_is_remembered_with_who_when_and_why(known: State) -> None:
    """What was decided comes back in order, each naming the one before it, and the life follows."""
    first = decide(known, "g-1", "accept", "ada", why="ours")
    second = decide(known, "g-1", "assign", "bob", payload={"owner_id": "o2", "due": "2024-07-01"})
    told = history(known, "g-1")
    assert [(d.id, d.who, d.verb, d.why, d.run_id) for d in told] == [
        (first, "ada", "accept", "ours", WEEK),
        (second, "bob", "assign", "", WEEK),
    ]
    assert told[0].at.utcoffset() is not None
    life = lives(known)["g-1"]
    assert (life.status, life.owner_id, life.due, life.last) == ("accepted", "o2", "2024-07-01", second)
    assert lives(known).keys() == {"g-1"}


def test_the_second_of_two_who_saw_the_same_is_told(known: State) -> None:
    """Who decides on what another has changed meanwhile hears who, what, when and why, and changes nothing."""
    decide(known, "g-1", "dismiss", "ada", why="a bot fault", payload={"reason": "not_content"}, after=0)
    with pytest.raises(
        DecidedMeanwhile, match=r"ada decided meanwhile on gap g-1: dismiss at .* UTC \(“a bot fault”\)"
    ):
        decide(known, "g-1", "accept", "bob", after=0)
    assert [d.who for d in history(known, "g-1")] == ["ada"]


def test_the_database_itself_takes_one_decision_after_another(known: State) -> None:
    """Two rows that follow the same decision of a gap are refused, whoever writes them."""
    gap = {"gap_id": "g-1", "kind": "missing"}
    known.write(lambda c: decision_log.append(c, gap, "accept", "ada", "", {}, 0))
    with pytest.raises(StoreUnusable, match=r"(?i)unique"):
        known.write(lambda c: decision_log.append(c, gap, "accept", "bob", "", {}, 0))


def test_undo_goes_back_step_by_step(known: State) -> None:
    """Each undo takes back one more decision, an undo can be undone, and with nothing left it is refused."""
    decide(known, "g-1", "accept", "ada")
    decide(known, "g-1", "draft", "ada")
    last = undo(known, "g-1", "bob")
    assert standing(known, "g-1")[0] == "accepted"
    decide(known, "g-1", "undo", "ada", payload={"of": last})
    assert standing(known, "g-1")[0] == "drafting"
    undo(known, "g-1", "bob")
    undo(known, "g-1", "bob")
    assert standing(known, "g-1")[0] == "new"
    with pytest.raises(NotAllowed, match="no decision on gap g-1 to take back"):
        undo(known, "g-1", "bob")
    with pytest.raises(NotAllowed, match="has been taken back already"):
        decide(known, "g-1", "undo", "bob", payload={"of": history(known, "g-1")[0].id})
    assert len(history(known, "g-1")) == 6


def test_a_status_takes_only_its_verbs(known: State) -> None:
    """What is not possible names the status and what is possible."""
    with pytest.raises(NotAllowed, match="gap g-1 is new: verify is not possible") as caught:
        decide(known, "g-1", "verify", "ada")
    possible = "accept, draft, publish, snooze, dismiss, merge, assign, note, rename, reclassify, exclude, include"
    assert caught.value.remedy == f"possible are: {possible}"


@pytest.mark.parametrize(
    ("verb", "payload", "problem", "remedy"),
    [
        ("acept", {}, "no decision 'acept'", "did you mean accept?"),
        ("dismiss", {}, "dismiss needs 'reason'", "not_a_gap"),
        ("dismiss", {"reason": "not content"}, "no reason 'not content'", "did you mean not_content?"),
        ("snooze", {}, "snooze needs 'until'", "the day"),
        ("snooze", {"until": "15.07.2024"}, "'until' is no day: '15.07.2024'", "2024-06-30: year, month, day"),
        ("snooze", {"until": "2024-07-15 or so"}, "'until' is no day: '2024-07-15 or so'", "2024-06-30"),
        ("snooze", {"until": WEEK}, "before it began", "after that of the latest run, 2024-06-16"),
        ("publish", {"on": "2150-01-01"}, "2150-01-01 has not come yet", "on that day"),
        ("publish", {"on": "2999-01-01"}, "'on' is out of range: 2999-01-01", "to 2199-12-31"),
        ("merge", {}, "merge needs 'into'", "which gap"),
        ("note", {}, "the note is empty", "write what"),
        ("dismiss", {"reason": "wont_fix", "conversations": -5}, "'conversations' is no such number: -5", "digits"),
        ("assign", {}, "'owner_id' or 'due'", "whose"),
        ("accept", {"until": "2024-07-15"}, "accept knows no 'until'", "takes nothing"),
    ],
)
def test_what_can_not_be_read_is_named(
    known: State, verb: str, payload: dict[str, str], problem: str, remedy: str
) -> None:
    """A wrong verb, reason, day or field is an error with its remedy, and nothing is written."""
    with pytest.raises(DecisionInvalid) as caught:
        decide(known, "g-1", verb, "ada", payload=payload)
    assert problem in caught.value.problem
    assert remedy in caught.value.remedy
    assert history(known, "g-1") == []


def test_an_unknown_gap_gets_a_suggestion(known: State) -> None:
    """A mistyped id is answered with the nearest, and a nameless person with how to say who."""
    with pytest.raises(NoSuchGap, match="did you mean g-1"):
        decide(known, "g1", "accept", "ada")
    with pytest.raises(DecisionInvalid, match="nobody is named"):
        decide(known, "g-1", "accept", " ")


def test_a_gap_merges_only_into_a_living_one(known: State) -> None:
    """Neither into itself, nor an unknown, dismissed or merged gap, nor in a circle by way of an undo."""
    decide(known, "g-1", "merge", "ada", payload={"into": "g-2"})
    assert lives(known)["g-1"].merged_into == "g-2"
    for into, error in (("g-3", NotAllowed), ("g-9", NoSuchGap), ("g-1", NotAllowed)):
        with pytest.raises(error):
            decide(known, "g-3", "merge", "ada", payload={"into": into})
    undo(known, "g-1", "ada")
    decide(known, "g-2", "merge", "ada", payload={"into": "g-1"})
    with pytest.raises(NotAllowed, match="merge into g-1"):
        decide(known, "g-1", "undo", "ada", payload={"of": history(known, "g-1")[-1].id})
    decide(known, "g-1", "merge", "ada", payload={"into": "g-3"})
    assert {gap: life.merged_into for gap, life in lives(known).items()} == {"g-1": "g-3", "g-2": "g-3"}


def test_text_of_any_kind_is_kept_in_a_decision(known: State) -> None:
    """Quotes, emoji and right-to-left text come back as written; NUL, which Postgres can't hold, is dropped."""
    odd = "שלום 🙂 '; DROP TABLE decisions; -- 100 % \\"
    decide(known, "g-1", "note", odd, why=odd + "\0")
    told = history(known, "g-1")[0]
    assert (told.who, told.why) == (odd, odd)


def test_a_dismissal_remembers_how_large_the_gap_was(known: State) -> None:
    """So that a later run can tell whether it has grown."""
    decide(known, "g-1", "dismiss", "ada", payload={"reason": "wont_fix"})
    assert lives(known)["g-1"].dismissed_at_conversations == 12


def test_an_old_week_does_not_hear_of_later_decisions(known: State) -> None:
    """A run reads decisions made on its own view or an earlier one, so that an old week can be run again."""
    decide(known, "g-1", "accept", "ada")
    before = known.fingerprint(WEEK)
    known.record_run("2024-06-23", "h", pd.DataFrame(), gaps("g-1", status="accepted"))
    decide(known, "g-1", "draft", "ada")
    assert known.fingerprint(WEEK) == before
    assert lives(known, up_to=WEEK)["g-1"].status == "accepted"
    assert lives(known)["g-1"].status == "drafting"
    with known.reading() as connection:
        assert connection.execute(sa.text("SELECT count(*) FROM decisions")).scalar() == 2


PEOPLE = 20


def at_once(settings: Settings, folder: Path, work: Callable[[State, int], None]) -> None:
    """Let 20 people, each with a connection of their own, do ``work`` while a run is recorded again and again."""
    start = Barrier(PEOPLE + 1)

    def person(number: int) -> None:
        state = open_state(settings, folder)
        start.wait(60)
        try:
            work(state, number)
        finally:
            state.close()

    def publish() -> None:
        state = open_state(settings, folder)
        start.wait(60)
        for again in range(5):
            found = gaps("g-1", *(f"own-{n}" for n in range(PEOPLE)), status="open")
            state.record_run("2024-06-23", f"again {again}", topics(*(f"t{n}" for n in range(30))), found)
        state.close()

    with ThreadPoolExecutor(PEOPLE + 1) as pool:
        for done in [pool.submit(publish), *(pool.submit(person, n) for n in range(PEOPLE))]:
            done.result()


@pytest.fixture
def shared(state: State) -> State:
    """A run with one gap that everybody looks at, and one of each person's own."""
    state.record_run(WEEK, "h", topics("t1"), gaps("g-1", *(f"own-{n}" for n in range(PEOPLE))))
    return state


def test_of_twenty_who_decide_from_the_same_view_one_does(shared: State, settings: Settings, tmp_path: Path) -> None:
    """While a run publishes, one decision on the shared gap is kept and 19 people are told whose; none is lost."""
    told: dict[int, str] = {}

    def work(state: State, number: int) -> None:
        try:
            decide(state, "g-1", "accept", f"p{number}", after=0)
        except DecidedMeanwhile as error:
            told[number] = error.problem
        decide(state, f"own-{number}", "accept", f"p{number}", after=0)

    at_once(settings, tmp_path, work)
    (kept,) = history(shared, "g-1")
    assert len(told) == PEOPLE - 1
    assert {problem.split(" decided meanwhile")[0] for problem in told.values()} == {kept.who}
    assert f"p{(set(range(PEOPLE)) - set(told)).pop()}" == kept.who
    assert [history(shared, f"own-{n}")[0].who for n in range(PEOPLE)] == [f"p{n}" for n in range(PEOPLE)]
    assert shared.input_hash("2024-06-23") == "again 4"
    assert set(shared.gaps_of("2024-06-23")["status"]) == {"open"}


def test_who_is_told_and_looks_again_gets_through(shared: State, settings: Settings, tmp_path: Path) -> None:
    """All 20 get their word in on one gap by looking again, and each word follows the one that was seen."""

    def work(state: State, number: int) -> None:
        for _ in range(500):
            seen = lives(state)["g-1"].last if "g-1" in lives(state) else 0
            try:
                decide(state, "g-1", "note", f"p{number}", why="seen", after=seen)
                return
            except DecidedMeanwhile:
                continue
        raise AssertionError(f"p{number} never got through")

    at_once(settings, tmp_path, work)
    said = shared.decisions()
    assert sorted(said["who"]) == sorted(f"p{n}" for n in range(PEOPLE))
    assert said["after"].tolist() == [0, *said["id"].tolist()[:-1]]


def test_two_gaps_that_merge_into_each_other_at_once_make_no_circle(
    shared: State, settings: Settings, tmp_path: Path
) -> None:
    """Of pairs that are merged both ways in the same moment, one way is kept and the other refused."""
    refused: list[int] = []

    def work(state: State, number: int) -> None:
        try:
            decide(state, f"own-{number}", "merge", f"p{number}", payload={"into": f"own-{number ^ 1}"})
        except NotAllowed:
            refused.append(number)

    at_once(settings, tmp_path, work)
    assert len(refused) == PEOPLE // 2
    assert {number // 2 for number in refused} == set(range(PEOPLE // 2))
    assert len(lives(shared)) == PEOPLE // 2
