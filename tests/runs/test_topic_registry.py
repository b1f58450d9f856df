"""The topic registry in real runs: ids and labels from week to week, another embedder, and its command."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from lacuna.data_contracts.errors import SettingsInvalid
from lacuna.pipelines.demo import write_demo
from lacuna.pipelines.run import RunResult, run
from lacuna.pipelines.settings import load_settings
from lacuna.pipelines.state.repository import State, open_state
from lacuna.pipelines.steps.understand.topic_registry import name
from tests.bench.stability import kept
from tests.support.standins import Lacuna

WEEKS = ("2024-06-23", "2024-06-30")
LEXICAL = '[embedder]\nname = "lexical"\n'
pytestmark = pytest.mark.slow


@dataclass(frozen=True)
class Moved:
    """A store whose first week was made with minilm and the second with lexical, as the settings consent to."""

    store: Path
    bundle: str
    consent: str
    refused: SettingsInvalid
    runs: list[RunResult]


@pytest.fixture(scope="module")
def moved(tmp_path_factory: pytest.TempPathFactory) -> Moved:
    folder = tmp_path_factory.mktemp("registry")
    write_demo(folder, weeks=3)
    bundle, store = str(folder / "bundle"), folder / "store"
    runs = [run(bundle, store, end=WEEKS[0])]
    (folder / "silent.toml").write_text(LEXICAL)
    with pytest.raises(SettingsInvalid) as caught:
        run(bundle, store, end=WEEKS[1], config=str(folder / "silent.toml"))
    consent = folder / "consent.toml"
    consent.write_text(f'{LEXICAL}\n[topics]\nmigrate_from = "minilm-1110a243"\n')
    runs.append(run(bundle, store, end=WEEKS[1], config=str(consent)))
    return Moved(store, bundle, str(consent), caught.value, runs)


@pytest.fixture
def state(moved: Moved) -> Iterator[State]:
    opened = open_state(load_settings(), moved.store)
    yield opened
    opened.close()


def assigned(result: RunResult) -> pd.Series:
    """The topic of each conversation that is core to one."""
    rows = pd.read_parquet(result.folder / "assignments.parquet")
    return rows[rows["state"] == "core"].set_index("conversation_id")["topic_id"]


def test_another_embedder_is_refused_with_a_way_out(moved: Moved) -> None:
    """A run with another embedder than the registry's stops before it renumbers topics, and says what to set."""
    assert "minilm-1110a243" in moved.refused.problem
    assert "lexical-1" in moved.refused.problem
    assert 'migrate_from = "minilm-1110a243"' in moved.refused.remedy


def test_ids_survive_another_embedder(moved: Moved, state: State) -> None:
    """With consent topics are taken over by their questions: most questions that could keep a topic's id do."""
    before, after = (assigned(result) for result in moved.runs)
    # The other embedder groups otherwise: no naming keeps every id, and a topic less than half the same is another.
    same, could_be = kept(before, after)
    assert len(before.index.intersection(after.index)) > 200
    assert same > 0.8 * could_be
    assert set(state.topics_before("2024-07-01").query("run_id == @WEEKS[1]")["embedder"]) == {"lexical-1"}


def test_a_run_done_again_says_the_same(moved: Moved, state: State) -> None:
    """A week that is run again gives the same ids, labels and events, and reads nothing of its first time."""
    rows, bytes_before = state.topic_events(), (moved.runs[1].folder / "topics.parquet").read_bytes()
    again = run(moved.bundle, moved.store, end=WEEKS[1], config=moved.consent, force=True)
    assert (again.folder / "topics.parquet").read_bytes() == bytes_before
    pd.testing.assert_frame_equal(state.topic_events(), rows)


def test_topics_say_what_happened_to_them(moved: Moved, state: State) -> None:
    """Every topic of a run has an event and a lineage in plain words; labels are unique within the run."""
    topics = pd.read_parquet(moved.runs[1].folder / "topics.parquet")
    events = state.topic_events().query("run_id == @WEEKS[1]")
    assert set(topics["topic_id"]) <= set(events["topic_id"])
    assert topics["lineage"].str.match("continues|split from|merged from|back after|new").all()
    assert topics["label"].str.casefold().is_unique
    assert set(pd.read_parquet(moved.runs[0].folder / "topics.parquet")["lineage"]) == {"new"}


def test_a_continuing_topic_keeps_its_label(moved: Moved) -> None:
    """Most topics that go on are called as they were, though every label would be made anew."""
    first, second = (pd.read_parquet(r.folder / "topics.parquet").set_index("topic_id")["label"] for r in moved.runs)
    both = first.index.intersection(second.index)
    assert (first[both] == second[both]).mean() > 0.85


def test_subtopics_lie_in_topics_and_live_on_their_own(moved: Moved, state: State) -> None:
    """Every subtopic of a conversation lies in its topic; each has an event, and many ids of the week before go on."""
    subtopics = state.topics_before("2024-07-01", "subtopics").set_index("subtopic_id")
    for result in moved.runs:
        rows = pd.read_parquet(result.folder / "assignments.parquet")
        rows = rows[rows["subtopic_id"].notna()]
        assert rows.groupby("subtopic_id")["topic_id"].nunique().eq(1).all()
        assert rows["subtopic_id"].str.startswith("s-").all()
    now = subtopics[subtopics["run_id"] == WEEKS[1]]
    assert (now["topic_id"].reindex(rows["subtopic_id"]).to_numpy() == rows["topic_id"].to_numpy()).all()
    events = state.subtopic_events().query("run_id == @WEEKS[1]")
    assert set(now.index) <= set(events["subtopic_id"])
    assert events["event"].eq("continue").sum() > 0.3 * len(now)  # by another embedder, which cuts otherwise
    assert state.topic_events()["topic_id"].str.startswith("t-").all()


def test_a_subtopic_is_told_by_its_topic(moved: Moved, state: State, lacuna: Lacuna) -> None:
    """Ids of subtopics stand in the backlog: who asks for one learns where it lies."""
    subtopic = state.topics_before("2024-07-01", "subtopics").iloc[0]
    code, _, printed = lacuna("topic", subtopic["subtopic_id"], "--store", str(moved.store))
    assert code == 2
    assert f"'{subtopic['subtopic_id']}' is a subtopic" in " ".join(printed.split())
    assert subtopic["topic_id"] in printed


def test_what_to_tag_next_leads_to_topics(moved: Moved) -> None:
    """Each conversation to tag has its topic's name, and the report leads to that topic."""
    page = (moved.runs[1].folder / "report.html").read_text(encoding="utf-8")
    topics = set(pd.read_parquet(moved.runs[1].folder / "topics.parquet")["topic_id"])
    led = set(re.findall(r'href="#topic=([^"]*)"', page))
    assert led
    assert led <= topics


def registry(known_label: str | None, known_centroid: list[float] | None) -> pd.DataFrame:
    """One topic that points along the first axis."""
    there = None if known_centroid is None else np.array(known_centroid, dtype=np.float32).tobytes()
    return pd.DataFrame(
        {
            "topic_id": ["t1"],
            "centroid": [np.array([1, 0], dtype=np.float32).tobytes()],
            "known_label": pd.array([known_label], dtype="str"),
            "known_centroid": pd.Series([there], dtype=object),
            "known_theme": pd.array([None], dtype="str"),
            "fits": [known_centroid is None or known_centroid[0] >= 0.8],
        }
    )


@pytest.mark.parametrize(
    ("known_id", "at", "label", "measured_from"),
    [
        ("Late refund", [0.9, 0.436], "Late refund", [0.9, 0.436]),  # it has drifted a little, and keeps its measure
        ("Late refund", [0.6, 0.8], "Lost parcel", [1, 0]),  # it has become something else
        ("Late refund", None, "Late refund", [1, 0]),  # of another embedder
        (None, None, "Lost parcel", [1, 0]),
    ],
)
def test_a_label_stays_while_the_topic_is_what_was_labelled(
    known_id: str | None, at: list[float] | None, label: str, measured_from: list[float]
) -> None:
    """A label is kept while the topic is near where it was when it was named, and given anew after that."""
    named = name(registry(known_id, at), pd.Series(["Lost parcel"])).iloc[0]
    assert named["label"] == label
    assert np.frombuffer(named["label_centroid"], dtype=np.float32).tolist() == pytest.approx(measured_from)


def test_the_command_lists_topics_and_tells_a_life(moved: Moved, state: State, lacuna: Lacuna) -> None:
    """``lacuna topic`` lists every topic with when it was seen; with an id it tells what happened, run by run."""
    code, printed, _ = lacuna("topic", "--store", str(moved.store))
    rows = state.topics()
    assert code == 0
    assert all(topic in printed for topic in set(rows["topic_id"]))
    assert "in the last run (2024-06-30)" in printed
    continued = state.topic_events().query("run_id == @WEEKS[1] and event == 'continue'")["topic_id"].iloc[0]
    code, printed, _ = lacuna("topic", continued, "--store", str(moved.store))
    assert code == 0
    assert "new" in printed
    assert f"continues {continued}" in " ".join(printed.split())
    assert all(week in printed for week in WEEKS)
    gaps = state.gaps_of(WEEKS[1])
    about = gaps[gaps["topic_id"].notna()].iloc[0]
    assert about["gap_id"] in lacuna("topic", about["topic_id"], "--store", str(moved.store))[1]


def test_a_topic_that_ended_says_how(moved: Moved, state: State, lacuna: Lacuna) -> None:
    """The list and the life of a topic that is no more name the run and, where it was merged, into what."""
    ended = state.topic_events().query("event in ['merge', 'death']").iloc[0]
    word = "merged into" if ended["event"] == "merge" else "gone"
    assert word in lacuna("topic", "--store", str(moved.store))[1]
    assert word in lacuna("topic", ended["topic_id"], "--store", str(moved.store))[1]


def test_an_unknown_topic_names_the_nearest(moved: Moved, state: State, lacuna: Lacuna) -> None:
    """A slip of the pen in a topic's id is an error with what was likely meant."""
    topic_id = state.topics()["topic_id"].iloc[0]
    code, _, printed = lacuna("topic", topic_id[:-1], "--store", str(moved.store))
    assert code == 2
    assert topic_id in printed
