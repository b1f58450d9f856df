"""Topics from run to run, in planted worlds: what continues, splits, merges, dies, is born and comes back."""

from __future__ import annotations

import os
import subprocess
import sys
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lacuna.models.text.vectors import unit
from lacuna.models.topics.likeness import common_to
from lacuna.models.topics.lineage import keep_labels, trace
from tests.support.paths import REPO

DIM = 40
Groups = dict[str, list[str]]


class WeeklyRuns:
    """A registry in memory; each question's vector is its subject's axis and a little of its own."""

    def __init__(self, same_at_least: float = 0.8) -> None:
        self.registry: dict[str, dict[str, object]] = {}
        self.previous: str | None = None
        self.same_at_least = same_at_least

    def run(self, run_id: str, groups: Groups, unassigned: tuple[str, ...] = (), seed: int = 0) -> dict[str, str]:
        """Trace one run of named groups; gives each group's topic id."""
        names = sorted(groups, key=lambda name: np.random.default_rng([seed, len(name), ord(name[0])]).random())
        topics = pd.DataFrame({"centroid": [centroid(groups[n]) for n in names], "members": [groups[n] for n in names]})
        question_keys = {key for keys in groups.values() for key in keys} | set(unassigned)
        registry = pd.DataFrame(
            list(self.registry.values()), columns=["topic_id", "run_id", "first_seen", "centroid", "members"]
        ).sample(frac=1, random_state=seed)
        self.topics, self.events = trace(run_id, self.previous, topics, registry, question_keys, self.same_at_least)
        for name, row, there in zip(names, self.topics.to_dict("records"), topics.to_dict("records"), strict=True):
            self.registry[row["topic_id"]] = {**row, **there, "run_id": run_id}
            self.lineage = getattr(self, "lineage", {}) | {name: row["lineage"]}
        self.previous = run_id
        return dict(zip(names, self.topics["topic_id"], strict=True))

    def event(self, topic_id: str) -> tuple[str, list[str]]:
        """What happened to a topic in the last run, and which topics had to do with it."""
        events = self.events[self.events["topic_id"] == topic_id]
        assert len(events) == 1
        return events["event"].iloc[0], list(events["related"].iloc[0])


def vector(key: str) -> np.ndarray:
    """A question ``subject number``: axis of the subject, a little of its own."""
    subject, _, number = key.partition(" ")
    own = np.random.default_rng([ord(subject[0]), int(number)]).normal(size=DIM) * 0.05
    own[ord(subject[0]) - ord("a")] += 1
    return own


def centroid(keys: list[str]) -> np.ndarray:
    middle = np.mean([vector(key) for key in keys], axis=0)
    return (middle / np.linalg.norm(middle)).astype(np.float32)


def asks(subject: str, first: int, last: int) -> list[str]:
    """Questions about a subject, numbered from ``first`` up to but without ``last``."""
    return [f"{subject} {i}" for i in range(first, last)]


def test_a_first_run_is_all_births() -> None:
    """With nothing known every topic is new, and has an id of its own."""
    weeks_run = WeeklyRuns()
    ids = weeks_run.run("2024-06-02", {"a": asks("a", 0, 9), "b": asks("b", 0, 9)})
    assert len(set(ids.values())) == 2
    assert weeks_run.events["event"].tolist() == ["birth", "birth"]
    assert set(weeks_run.lineage.values()) == {"new"}


@pytest.mark.parametrize("step", [5, 20, 100])
def test_topics_continue(step: int) -> None:
    """Topics keep their ids where windows overlap much, little, and not at all."""
    weeks_run = WeeklyRuns()
    first = weeks_run.run("2024-06-02", {s: asks(s, 0, 20) for s in "abc"})
    for week, day in enumerate(("2024-06-09", "2024-06-16", "2024-06-23"), 1):
        ids = weeks_run.run(day, {s: asks(s, week * step, week * step + 20) for s in "abc"}, seed=week)
        assert ids == first
        assert set(weeks_run.events["event"]) == {"continue"}
        assert weeks_run.lineage["a"] == f"continues {first['a']}"
    assert set(weeks_run.topics["first_seen"]) == {"2024-06-02"}


def test_figures_of_an_event_are_those_of_the_pair() -> None:
    """An event says how many questions the two topics share, and their centroids' cosine."""
    weeks_run = WeeklyRuns()
    weeks_run.run("2024-06-02", {"a": asks("a", 0, 20)})
    weeks_run.run("2024-06-09", {"a": asks("a", 5, 25)})
    event = weeks_run.events.iloc[0]
    assert event["shared"] == 15
    assert event["cosine"] == pytest.approx(centroid(asks("a", 0, 20)) @ centroid(asks("a", 5, 25)), abs=1e-4)


@pytest.mark.parametrize("parts", [2, 3, 4])
def test_a_split_keeps_the_id_with_the_largest_part(parts: int) -> None:
    """The largest part goes on as the topic, every other part is split from it; nothing dies."""
    weeks_run = WeeklyRuns()
    old = weeks_run.run("2024-06-02", {"a": asks("a", 0, 60), "b": asks("b", 0, 10)})
    size = 60 // parts
    cuts = [0] + [size * i + 2 for i in range(1, parts)] + [60]
    pieces = {f"a{i}": asks("a", *cut) for i, cut in enumerate(pairwise(cuts))}
    largest = max(sorted(pieces), key=lambda name: len(pieces[name]))
    ids = weeks_run.run("2024-06-09", {**pieces, "b": asks("b", 0, 10)})
    assert ids[largest] == old["a"]
    for name in set(pieces) - {largest}:
        assert weeks_run.event(ids[name]) == ("split", [old["a"]])
        assert weeks_run.lineage[name] == f"split from {old['a']}"
    assert "death" not in set(weeks_run.events["event"])


def test_a_split_is_told_where_windows_do_not_overlap() -> None:
    """With no question in common the nearness of centroids tells which new topic came out of which."""
    weeks_run = WeeklyRuns()
    old = weeks_run.run("2024-05-31", {"a": asks("a", 0, 30), "b": asks("b", 0, 30)})
    part = asks("a", 130, 140) + asks("c", 100, 104)
    ids = weeks_run.run("2024-06-30", {"a": asks("a", 100, 130), "other": part, "b": asks("b", 100, 130)})
    assert ids["a"] == old["a"]
    assert weeks_run.event(ids["other"]) == ("split", [old["a"]])


def test_a_merger_keeps_the_larger_topic_s_id() -> None:
    """Where two topics become one, it goes on as the larger, and the smaller is merged into it."""
    weeks_run = WeeklyRuns()
    old = weeks_run.run("2024-06-02", {"a": asks("a", 0, 30), "b": asks("b", 0, 20)})
    ids = weeks_run.run("2024-06-09", {"both": asks("a", 5, 35) + asks("b", 5, 25)})
    assert ids["both"] == old["a"]
    assert weeks_run.event(old["b"]) == ("merge", [old["a"]])
    assert weeks_run.lineage["both"] == f"merged from {old['a']} and {old['b']}"


def test_a_topic_that_goes_two_ways_is_merged_into_both() -> None:
    """A topic that is shared out between two others is merged into the two, and has not died."""
    weeks_run = WeeklyRuns()
    old = weeks_run.run("2024-06-02", {"a": asks("a", 0, 20), "b": asks("b", 0, 40), "c": asks("c", 0, 40)})
    weeks_run.run("2024-06-09", {"b": asks("b", 0, 40) + asks("a", 0, 11), "c": asks("c", 0, 40) + asks("a", 11, 20)})
    assert weeks_run.event(old["a"]) == ("merge", [old["b"], old["c"]])


def test_a_topic_nobody_asks_about_any_more_dies_once() -> None:
    """A topic with nothing left of it has died; later runs do not say so again."""
    weeks_run = WeeklyRuns()
    old = weeks_run.run("2024-06-02", {"a": asks("a", 0, 20), "b": asks("b", 0, 20)})
    weeks_run.run("2024-06-09", {"a": asks("a", 5, 25)})
    assert weeks_run.event(old["b"]) == ("death", [])
    weeks_run.run("2024-06-16", {"a": asks("a", 10, 30)})
    assert old["b"] not in set(weeks_run.events["topic_id"])


def test_a_topic_whose_questions_are_in_no_topic_any_more_dies() -> None:
    """Questions that are still asked and belong to no topic do not keep a topic alive, nor go to a neighbour."""
    weeks_run = WeeklyRuns()
    old = weeks_run.run("2024-06-02", {"a": asks("a", 0, 20), "b": asks("b", 0, 20)})
    weeks_run.run("2024-06-09", {"a": asks("a", 0, 20) + asks("b", 0, 3)}, tuple(asks("b", 3, 20)))
    assert weeks_run.event(old["b"]) == ("death", [])


@pytest.mark.parametrize("weeks", [2, 4, 9])
@pytest.mark.parametrize("overlap", [True, False])
def test_an_absent_topic_comes_back_as_itself(weeks: int, overlap: bool) -> None:
    """After weeks away a topic has its id again, by its old questions or by its centroid."""
    weeks_run = WeeklyRuns()
    days = pd.date_range("2024-01-07", periods=weeks + 1, freq="7D").strftime("%Y-%m-%d")
    old = weeks_run.run(days[0], {s: asks(s, 0, 20) for s in "abc"})
    for day in days[1:-1]:
        weeks_run.run(day, {s: asks(s, 0, 20) for s in "ac"})
    back = asks("b", 0, 12) if overlap else asks("b", 100, 120)
    ids = weeks_run.run(days[-1], {"a": asks("a", 0, 20), "b": back, "c": asks("c", 0, 20)})
    assert ids == old
    assert weeks_run.event(old["b"])[0] == "return"
    assert weeks_run.lineage["b"] == f"back after {weeks} weeks"


def test_a_merged_topic_that_comes_out_again_is_itself() -> None:
    """A topic that was swallowed for two weeks and stands apart again gets its own id back, not a new one."""
    weeks_run = WeeklyRuns()
    apart = {"a": asks("a", 0, 30), "b": asks("b", 0, 20)}
    old = weeks_run.run("2024-06-02", apart)
    for day in ("2024-06-09", "2024-06-16"):
        weeks_run.run(day, {"both": apart["a"] + apart["b"]})
    assert weeks_run.run("2024-06-23", apart) == old
    assert weeks_run.event(old["b"])[0] == "return"


def test_a_new_subject_is_born_and_takes_no_old_id() -> None:
    """A subject never seen is new even in the week when another dies, whatever their sizes."""
    weeks_run = WeeklyRuns()
    old = weeks_run.run("2024-06-02", {"a": asks("a", 0, 20), "b": asks("b", 0, 20)})
    ids = weeks_run.run("2024-06-09", {"a": asks("a", 5, 25), "d": asks("d", 0, 20)})
    assert ids["d"] not in old.values()
    assert weeks_run.event(ids["d"]) == ("birth", [])
    assert weeks_run.event(old["b"]) == ("death", [])


def test_a_few_old_questions_do_not_make_a_new_subject_a_split() -> None:
    """A topic of new questions that caught three of an old topic's is a birth."""
    weeks_run = WeeklyRuns()
    weeks_run.run("2024-06-02", {"a": asks("a", 0, 40), "b": asks("b", 0, 40)})
    ids = weeks_run.run(
        "2024-06-09", {"a": asks("a", 3, 40), "b": asks("b", 0, 40), "d": asks("d", 0, 40) + asks("a", 0, 3)}
    )
    assert weeks_run.event(ids["d"])[0] == "birth"


def test_a_topic_that_drifts_keeps_its_id() -> None:
    """A topic whose questions change a little each week is the same topic after all of them have changed."""
    weeks_run = WeeklyRuns()
    first = weeks_run.run("2024-01-07", {"a": asks("a", 0, 20), "b": asks("b", 0, 20)})
    for week in range(1, 13):
        day = (pd.Timestamp("2024-01-07") + pd.Timedelta(weeks=week)).strftime("%Y-%m-%d")
        drifted = (asks("a", 0, 20) + asks("e", 0, 20))[min(20, 2 * week) :][:20]
        ids = weeks_run.run(day, {"a": drifted, "b": asks("b", 0, 20)}, seed=week)
        assert ids == first


def test_near_siblings_are_told_apart_by_their_questions() -> None:
    """Two topics with nearly the same centroid do not swap ids, and one's death does not give its id to the other."""
    weeks_run = WeeklyRuns()
    old = weeks_run.run("2024-06-02", {"x": asks("a", 0, 20), "y": asks("a", 20, 40)})
    assert weeks_run.run("2024-06-09", {"x": asks("a", 2, 20), "y": asks("a", 22, 42)}) == old
    ids = weeks_run.run("2024-06-16", {"y": asks("a", 24, 44)}, tuple(asks("a", 0, 20)))
    assert ids["y"] == old["y"]
    assert weeks_run.event(old["x"]) == ("death", [])


def test_what_does_not_compare_is_known_by_its_questions() -> None:
    """A known topic without a centroid that compares is found by its questions alone, and not without them."""
    weeks_run = WeeklyRuns()
    old = weeks_run.run("2024-06-02", {"a": asks("a", 0, 20), "b": asks("b", 0, 20)})
    for row in weeks_run.registry.values():
        row["centroid"] = np.full(DIM, np.nan, dtype=np.float32)
    ids = weeks_run.run("2024-06-09", {"a": asks("a", 5, 25), "b": asks("b", 100, 120)})
    assert ids["a"] == old["a"]
    assert ids["b"] != old["b"]


def test_equal_topics_have_ids_of_their_own() -> None:
    """Two topics of the very same questions, told apart by something else, do not share an id."""
    ids = WeeklyRuns().run("2024-06-02", {"x": asks("a", 0, 9), "y": asks("a", 0, 9)})
    assert ids["x"] != ids["y"]


def test_no_topic_at_all_is_a_run_too() -> None:
    """A run without topics ends those of the run before; they come back in the next."""
    weeks_run = WeeklyRuns()
    old = weeks_run.run("2024-06-02", {"a": asks("a", 0, 20)})
    assert weeks_run.run("2024-06-09", {}) == {}
    assert weeks_run.event(old["a"]) == ("death", [])
    assert weeks_run.run("2024-06-16", {"a": asks("a", 0, 20)}) == old
    assert weeks_run.lineage["a"] == "back after 2 weeks"


partitions = st.lists(st.integers(-1, 6), min_size=30, max_size=60)


def groups_of(partition: list[int], shift: int) -> tuple[Groups, tuple[str, ...]]:
    keys = [f"{'abcdefg'[(i + shift) % 7]} {(i + shift) // 7}" for i in range(len(partition))]
    groups: Groups = {}
    for key, group in zip(keys, partition, strict=True):
        if group >= 0:
            groups.setdefault("pqrstuv"[group], []).append(key)
    return groups, tuple(k for k, g in zip(keys, partition, strict=True) if g < 0)


@settings(max_examples=60)
@given(st.lists(st.tuples(partitions, st.integers(0, 40)), min_size=2, max_size=4))
def test_whatever_the_topics_every_one_is_accounted_for(runs: list[tuple[list[int], int]]) -> None:
    """Ids are unique and one to one, every topic and every ended one has one event, and row order plays no part."""
    one, other = WeeklyRuns(), WeeklyRuns()
    before: set[str] = set()
    for week, (partition, shift) in enumerate(runs):
        groups, rest = groups_of(partition, shift)
        day = f"2024-06-{2 + week:02}"
        ids = one.run(day, groups, rest, seed=1)
        again = other.run(day, {k: groups[k][::-1] for k in reversed(groups)}, rest[::-1], seed=2)
        assert ids == again
        assert one.events.to_json() == other.events.to_json()
        assert len(set(ids.values())) == len(ids)
        assert set(one.events["event"]) <= {"continue", "return", "split", "birth", "merge", "death"}
        assert not one.events["topic_id"].duplicated().any()
        assert set(one.events["topic_id"]) == set(ids.values()) | before
        before = set(ids.values())


def company(seed: int, german: int) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """Centroids of the same topics in two runs that ask no question twice; those of a language have much in common."""
    rng = np.random.default_rng(seed)
    languages = ["de"] * german + ["en"] * 12
    shared = rng.normal(size=(2, 60))[[0] * german + [1] * 12]
    own = rng.normal(size=(len(languages), 60))
    first, second = (shared * 3 + own + 0.4 * rng.normal(size=own.shape) for _ in range(2))
    return unit(first.astype(np.float32)), unit(second.astype(np.float32)), languages


@given(seed=st.integers(0, 99), german=st.sampled_from([12, 6, 1]))
def test_topics_of_one_company_are_told_apart(seed: int, german: int) -> None:
    """What all topics of a language share says nothing of which is which; a language of few topics is left whole."""
    first, second, languages = company(seed, german)
    common = common_to(second, languages)
    alike = common.taken_out(second) @ common.taken_out(first).T
    one = alike >= common.enough(second, 0.7)[:, None]
    right = np.eye(len(second), dtype=bool)
    english = np.array(languages) == "en"
    assert (one[english] == right[english]).mean() > 0.98
    assert not one[~english][:, english].any()
    if german < 12:
        assert common.enough(second, 0.7)[~english] == pytest.approx(0.8)
        assert common.taken_out(second)[~english] == pytest.approx(second[~english])
    else:
        assert (one == right).mean() > 0.99
    assert (
        (first @ second.T)[np.ix_(english, english)] >= 0.7
    ).sum() > 100  # whole, each is as one with all the others


def test_no_topics_have_nothing_in_common() -> None:
    """An empty run compares with what is known, and with nothing."""
    common = common_to(np.zeros((0, 4), dtype=np.float32), [])
    centroids = np.eye(3, 4, dtype=np.float32)
    assert common.taken_out(centroids) is centroids
    assert common.enough(np.zeros((0, 4), dtype=np.float32), 0.7).shape == (0,)


@given(st.lists(st.tuples(st.sampled_from("ABCDE"), st.none() | st.sampled_from("ABCDEabc")), unique_by=lambda t: t[0]))
def test_labels_stay_different(pairs: list[tuple[str, str | None]]) -> None:
    """However labels are kept, no two topics of a run have the same one, and a kept one gives way only to another."""
    labels, before = [new for new, _ in pairs], [old for _, old in pairs]
    kept = keep_labels(labels, before)
    assert len({c.casefold() for c in kept}) == len(kept)
    assert all(c in (new, old) for c, new, old in zip(kept, labels, before, strict=True))
    undisputed = [
        o for o in before if o and [x for x in (*before, *labels) if x and x.casefold() == o.casefold()] == [o]
    ]
    assert set(undisputed) <= set(kept)


def two_weeks() -> str:
    """Ids and events of two weeks, in which a topic is split and another goes on."""
    weeks_run = WeeklyRuns()
    weeks_run.run("2024-06-02", {"a": asks("a", 0, 60), "b": asks("b", 0, 10)})
    weeks_run.run("2024-06-09", {"x": asks("a", 0, 30), "y": asks("a", 30, 60), "z": asks("b", 5, 15)})
    return weeks_run.topics.to_json() + weeks_run.events.to_json()


def test_another_process_says_the_same() -> None:
    """Ids and events do not depend on the process: neither on its hash seed nor on anything else of it."""
    script = "from tests.unit.models.topics.test_lineage import two_weeks; print(two_weeks())"
    seed = "2" if os.environ.get("PYTHONHASHSEED") == "1" else "1"
    other = subprocess.run(
        [sys.executable, "-c", script], cwd=REPO, check=True,
        capture_output=True, text=True, env={"PYTHONHASHSEED": seed, "PATH": "/usr/bin:/bin"},
    ).stdout  # fmt: skip
    assert other.strip() == two_weeks()


def test_what_people_decided_goes_before_what_is_most_alike() -> None:
    """A topic has the id that it was given, also one that no earlier run knew, and none continues a retired topic."""
    keys = [[f"{name}{i}" for i in range(10)] for name in "abc"]
    axes = list(np.eye(3, dtype=np.float32))
    known = pd.DataFrame(
        {"topic_id": ["t-a", "t-b", "t-c"], "run_id": "2024-06-23", "first_seen": "2024-06-16", "centroid": axes,
         "members": keys}
    )  # fmt: skip
    both = unit((axes[0] * 3 + axes[1])[None])[0]
    topics = pd.DataFrame({"centroid": [both, axes[2]], "members": [keys[0] + keys[1], keys[2]]})
    asked = {key for members in keys for key in members}
    named, events = trace(
        "2024-06-30", "2024-06-23", topics, known, asked, given_ids={0: "t-b"}, retired_ids=["t-a", "t-c"]
    )
    assert named["topic_id"][0] == "t-b"
    assert named["topic_id"][1] not in set(known["topic_id"])
    assert named["lineage"][0] == "merged from t-b and t-a"
    assert events.set_index("topic_id").loc["t-a", ["event", "related"]].tolist() == ["merge", ["t-b"]]
    first, _ = trace("2024-06-30", "2024-06-23", topics, known, asked, given_ids={1: "t-new"})
    assert first["topic_id"].tolist() == ["t-a", "t-new"]
