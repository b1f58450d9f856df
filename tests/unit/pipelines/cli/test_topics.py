"""Topics of a file of texts: what the clusters promise, and what a person reads from the command."""

from __future__ import annotations

import json
import pickle
import subprocess
import sys
import tracemalloc
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import adjusted_rand_score
from threadpoolctl import threadpool_info, threadpool_limits

from lacuna.models.text.vectors import unit
from lacuna.models.topics.describe import unassigned_alarm
from lacuna.models.topics.neighbour_tree import NeighbourTree, nearest, sayings, silhouette
from lacuna.models.topics.text_space import Sentences, TextSpace
from lacuna.models.topics.topic_finder import find_groups
from lacuna.pipelines.embedders.registry import embedder
from lacuna.pipelines.settings import load_settings
from lacuna.pipelines.topic_finder import topics_of
from tests.support.standins import Lacuna

SUBJECTS = {
    "card": [
        "my bank card was stolen on the train",
        "somebody stole my card from my bag",
        "the card was stolen abroad",
    ],
    "tent": ["the tent pole snapped in the wind", "a pole of my tent is broken", "my tent pole broke in a storm"],
    "invoice": ["i need an invoice with vat number", "the invoice lacks our vat number", "please send a vat invoice"],
}
CHATTER = ["I am a regular customer.", "I asked in the shop first.", "I write from my phone.", "It is not urgent."]


def planted(sizes: list[int], noise: float = 0.2, dim: int = 30) -> tuple[np.ndarray, np.ndarray]:
    """Points around as many axes as there are sizes, and the axis of each."""
    rng = np.random.default_rng(7)
    truth = np.repeat(np.arange(len(sizes)), sizes)
    return (np.eye(dim)[truth] + noise * rng.normal(size=(len(truth), dim))).astype(np.float32), truth


@pytest.fixture(scope="module")
def questions() -> pd.DataFrame:
    """120 texts about three things, each with a sentence that says nothing, some of them written twice."""
    rows = [
        (f"{subject}-{i:02}", f"{CHATTER[i % 4]} {sentences_[i % 3]} {'again' * (i % 2)} {i // 12}")
        for subject, sentences_ in SUBJECTS.items()
        for i in range(40)
    ]
    return pd.DataFrame(rows, columns=["id", "text"])


@pytest.mark.parametrize("sizes", [[30, 30], [200, 40, 12], [25] * 12])
def test_clusters_find_how_many_there_are(sizes: list[int]) -> None:
    """Planted groups, even or of very different size, come back whole and without being counted beforehand."""
    points, truth = planted(sizes, 0.1)
    clusters = NeighbourTree().fit(points)
    assert adjusted_rand_score(truth, clusters.labels_) > 0.95
    assert clusters.centroids_.shape == (clusters.labels_.max() + 1, 30)


@pytest.mark.parametrize(("problems", "phrasings", "copies"), [(8, 4, 40), (12, 12, 20)])
def test_copies_of_a_template_make_no_topic(problems: int, phrasings: int, copies: int) -> None:
    """A problem told in several templates, each of them sent many times over with small changes, is one topic."""
    rng = np.random.default_rng(1)
    problem, phrasing = rng.normal(size=(problems, 100)), rng.normal(size=(problems * phrasings, 100))
    template = np.repeat(problem, phrasings, axis=0) + 0.65 * phrasing
    sent = np.repeat(template, copies, axis=0) + 0.2 * rng.normal(size=(len(template) * copies, 100))
    points = unit((sent - sent.mean(axis=0)).astype(np.float32))
    assert len(np.unique(sayings(points))) == len(template)
    truth = np.repeat(np.arange(problems), phrasings * copies)
    assert adjusted_rand_score(truth, NeighbourTree().fit_predict(points)) > 0.95


@pytest.mark.parametrize("seed", [0, 2, 3])
def test_a_cloud_in_two_halves_is_no_two_topics(seed: int) -> None:
    """Twelve loose topics, of which six lie on either side, are found, though the halves are a little more apart."""
    rng = np.random.default_rng(seed)
    middles, halves = rng.normal(size=(12, 60)) / 60**0.5, np.repeat([[0.6], [-0.6]], 6, axis=0)
    loose = np.repeat(middles, 20, axis=0) + 2 * rng.normal(size=(240, 60)) / 60**0.5
    points = np.hstack([loose, np.repeat(halves, 20, axis=0)]).astype(np.float32)
    labels = NeighbourTree().fit_predict(points)
    assert 9 <= labels.max() <= 13
    assert adjusted_rand_score(np.repeat(np.arange(12), 20), labels) > 0.7


def test_two_topics_that_are_clearly_two_are_two() -> None:
    """Few topics are no fault where there are few."""
    points = np.repeat(np.eye(2, 20), 30, axis=0) + 0.1 * np.random.default_rng(1).normal(size=(60, 20))
    assert np.bincount(NeighbourTree().fit_predict(points.astype(np.float32))).tolist() == [30, 30]


@settings(max_examples=15)
@given(order=st.permutations(range(60)), repeated=st.integers(0, 59))
def test_clusters_do_not_care_about_row_order_and_repeats(order: list[int], repeated: int) -> None:
    """Any order of rows, and a row that is there again, give every row the label it had."""
    points, _ = planted([25, 20, 15], 0.25)
    labels = NeighbourTree().fit_predict(points)
    shuffled = NeighbourTree().fit_predict(np.vstack([points[order], points[[repeated] * 9]]))
    assert shuffled[:60].tolist() == labels[order].tolist() or adjusted_rand_score(shuffled[:60], labels[order]) == 1
    assert set(shuffled[60:]) == {shuffled[order.index(repeated)]}


def test_clusters_are_the_same_every_time() -> None:
    """Nothing is drawn by chance: points without any structure, where chance would show, give the same again."""
    points = np.random.default_rng(3).normal(size=(400, 20)).astype(np.float32)
    distinct_labels = {NeighbourTree(min_size=1).fit_predict(points).tobytes() for _ in range(8)}
    assert len(distinct_labels) == 1


@pytest.mark.parametrize("n", [1, 2, 4, 5, 11])
def test_clusters_of_few_or_equal_rows(n: int) -> None:
    """Few rows, and rows that are all equal, make no fuss."""
    points, _ = planted([n])
    assert len(NeighbourTree().fit_predict(points)) == n
    assert set(NeighbourTree().fit_predict(np.ones((n, 3), dtype=np.float32))) == {-1}


@pytest.mark.parametrize("directions", [1, 2, 3])
def test_clusters_of_few_sayings(directions: int) -> None:
    """Where all there is are copies of one text, or of a few, they are one topic, or a few."""
    points, truth = planted([40] * directions, 0.01)
    assert len(np.unique(sayings(unit(points)))) == directions
    assert adjusted_rand_score(truth, NeighbourTree().fit_predict(points)) == 1


def test_silhouette_and_neighbours_are_those_of_the_textbook() -> None:
    """Both give what a direct computation gives."""
    from sklearn.metrics import silhouette_score

    points, truth = planted([20, 15, 9], 0.4)
    points = unit(points)
    assert silhouette(points, truth) == pytest.approx(silhouette_score(points, truth, metric="cosine"), abs=1e-5)
    columns, cosines = nearest(points, points, 3)
    alike = points @ points.T - 2 * np.eye(len(points))
    assert np.allclose(np.sort(cosines, axis=1), np.sort(alike, axis=1)[:, -3:], atol=1e-6)
    assert all(row not in neighbours for row, neighbours in enumerate(columns))


def test_a_sentence_said_about_everything_tells_little() -> None:
    """Sentences that go with every topic weigh less than those that go with one."""
    subject, chatter = np.eye(6)[:3], np.eye(6)[3:4]
    labels = np.repeat(np.arange(3), 20)
    vectors = np.vstack([np.vstack([subject[k], chatter[0]]) for k in labels]).astype(np.float32)
    weights = Sentences(np.repeat(np.arange(60), 2), vectors).telling(labels)
    assert weights[0::2].min() > 5 * weights[1::2].max()


def test_languages_are_no_topics() -> None:
    """Where a model sees the language before the subject, subjects are found all the same, in each language."""
    rng = np.random.default_rng(5)
    subject, language = np.repeat(np.arange(8) % 4, 25), np.repeat([0, 0, 0, 0, 1, 1, 1, 1], 25)
    there = 2.5 * np.eye(16)[8 + language] + np.eye(16)[subject] + 0.15 * rng.normal(size=(200, 16))
    vectors = unit(there.astype(np.float32))
    sentences_ = [f"text {n}" for n in range(200)]
    text_space = TextSpace().fit(
        vectors, np.arange(200), sentences_, vectors, [("en", "de")[code] for code in language]
    )
    clusters = NeighbourTree(judged_by=text_space.meaning_dim).fit_predict(text_space.space_)
    assert adjusted_rand_score(subject, clusters) > 0.95
    other = text_space.place(vectors[:4] + 0.01, sentences_[:4], ["en"] * 4)
    assert np.allclose(np.linalg.norm(other, axis=1), 1, atol=1e-4)


def test_planted_subjects_are_told_apart(questions: pd.DataFrame, tmp_path: Path) -> None:
    """Each topic is about one subject, the chatter around it makes none, and nothing is lost."""
    assigned, topics, _ = topics_of(questions, tmp_path, load_settings(None))
    subject = assigned["id"].str.split("-").str[0]
    assert len(assigned) == len(questions)
    assert assigned["topic_id"].notna().mean() > 0.95
    assert subject.groupby(assigned["topic_id"]).agg(lambda s: s.value_counts(normalize=True).max()).min() > 0.9
    assert topics["label"].is_unique
    assert (topics["core"] + topics["nearest"]).sum() == assigned["topic_id"].notna().sum()


def test_equal_texts_share_a_topic_and_count_once(questions: pd.DataFrame, tmp_path: Path) -> None:
    """A text sent a hundred times is one text: topics stay as they are, and all copies get the same."""
    again = pd.DataFrame({"id": [f"x-{i}" for i in range(100)], "text": [f" {questions['text'][0].upper()} "] * 100})
    alone, topics, distinct = topics_of(questions, tmp_path, load_settings(None))
    both, more, still = topics_of(pd.concat([questions, again]), tmp_path, load_settings(None))
    assert still == distinct
    assert len(more) == len(topics)
    assert both[both["id"].str.startswith("x-")]["topic_id"].nunique() == 1
    assert adjusted_rand_score(both[~both["id"].str.startswith("x-")]["topic_id"], alone["topic_id"]) == 1


def test_a_bounded_sample_carries_the_rest(questions: pd.DataFrame, tmp_path: Path) -> None:
    """Beyond the bound, topics come from the sample and the others join the nearest, or none."""
    config = tmp_path / "ours.toml"
    config.write_text("[topics]\nfit_at_most = 100\n")
    more = questions.assign(id=questions["id"] + "b", text=questions["text"] + " today")
    assigned, _, distinct = topics_of(pd.concat([questions, more]), tmp_path, load_settings(str(config)))
    assert distinct > 100
    assert set(assigned["state"]) >= {"core", "nearest"}
    joined = assigned[assigned["state"] == "nearest"]
    home = assigned[assigned["state"] == "core"].groupby("topic_id")["id"].agg(lambda s: s.str[:4].mode()[0])
    assert (joined["topic_id"].map(home) == joined["id"].str[:4]).mean() > 0.9


def test_shards_are_independent(questions: pd.DataFrame) -> None:
    """However the texts outside the sample are cut and ordered, and after a trip to a worker, each gets the same."""
    model = embedder("lexical")
    texts = questions["text"].sample(frac=1, random_state=1).tolist()
    groups = find_groups(texts[:80], lambda some, _: model.embed(some), [])
    rest = texts[80:]
    vectors = model.embed(rest)
    topic, strength = groups.join(vectors, rest)
    assert len(set(topic)) > 1
    there = pickle.loads(pickle.dumps(groups))
    order = np.random.default_rng(5).permutation(len(rest))
    for shard in np.array_split(order, 7):
        again, how_near = there.join(vectors[shard], [rest[i] for i in shard])
        assert again.tolist() == topic[shard].tolist()
        assert how_near == pytest.approx(strength[shard], abs=1e-4)


def test_neighbours_hold_no_more_than_they_give() -> None:
    """The similarities of a block are let go once its nearest are known: memory grows with rows, not with pairs."""
    points = unit(np.random.default_rng(1).normal(size=(3000, 8)).astype(np.float32))
    tracemalloc.start()
    nearest(points, points, 4)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2 * 1024 * 3000 * (4 + 8)  # two blocks of cosines and indices; all of them would be three


@pytest.mark.parametrize(("outside", "alarmed"), [(0, False), (30, False), (31, True), (100, True)])
def test_many_unassigned_raise_an_alarm(outside: int, alarmed: bool) -> None:
    """The alarm comes above the limit, not at it, and says both shares."""
    alarm = unassigned_alarm([True] * outside + [False] * (100 - outside), 0.3)
    assert (alarm is not None) == alarmed
    if alarm:
        assert f"{outside}%" in alarm
        assert "30%" in alarm
    assert unassigned_alarm([], 0.3) is None


def test_the_command_warns_of_many_unassigned(lacuna: Lacuna, tmp_path: Path) -> None:
    """Texts that no topic holds are told on the terminal, with the setting that says how many are too many."""
    file, config = tmp_path / "in.csv", tmp_path / "ours.toml"
    pd.DataFrame({"q": ["where is my parcel", "a", "b"]}).to_csv(file, index=False)
    arguments = ("topics", str(file), "--text", "q", "--store", str(tmp_path / "s"))
    assert "unassigned_at_most" in lacuna(*arguments)[2]
    config.write_text("[topics]\nunassigned_at_most = 1.0\n")
    assert "unassigned_at_most" not in lacuna(*arguments, "--config", str(config))[2]


@pytest.mark.parametrize("n", [0, 1, 2, 5])
def test_few_rows_end_with_an_answer(lacuna: Lacuna, tmp_path: Path, n: int) -> None:
    """From no row on, the command says what it found, writes every row, and is no success where there is no topic."""
    file, out = tmp_path / "few.csv", tmp_path / "out.csv"
    pd.DataFrame({"q": [f"why is my card number {i} blocked" for i in range(n)]}).to_csv(file, index=False)
    code, printed, errors = lacuna(
        "topics", str(file), "--text", "q", "--out", str(out), "--store", str(tmp_path / "s")
    )
    assert (code, "in 0 topics" in printed, f"no topic was found in {n} distinct texts" in errors) == (2, True, True)
    assert f"{n} texts" in printed
    assert len(pd.read_csv(out)) == n


@pytest.mark.parametrize("texts", [[f"{i} {i * i}" for i in range(40)], ["ok " * i for i in range(30)], ["Wort"] * 9])
def test_texts_without_words_make_no_fuss(tmp_path: Path, texts: list[str]) -> None:
    """Digits, one word again and again: every row is answered."""
    rows = pd.DataFrame({"id": [str(i) for i in range(len(texts))], "text": texts}, dtype="str")
    assigned, _, _ = topics_of(rows, tmp_path, load_settings(None))
    assert len(assigned) == len(texts)


@pytest.mark.parametrize("ending", ["csv", "jsonl", "parquet"])
def test_every_format_gives_the_same(lacuna: Lacuna, questions: pd.DataFrame, tmp_path: Path, ending: str) -> None:
    """The same texts as CSV, JSONL and Parquet, to CSV and Parquet, give the same rows."""
    file = tmp_path / f"in.{ending}"
    write = {
        "csv": lambda: questions.to_csv(file, index=False),
        "jsonl": lambda: questions.to_json(file, orient="records", lines=True),
        "parquet": lambda: questions.to_parquet(file),
    }
    write[ending]()
    common = ("topics", str(file), "--text", "text", "--id", "id", "--store", str(tmp_path / "s"), "-q")
    assert lacuna(*common, "--out", str(tmp_path / "o.parquet"))[0] == 0
    code, printed, _ = lacuna(*common, "--out", str(tmp_path / "o.csv"))
    assert code == 0
    assert "label" in printed
    assert str(tmp_path / "o.csv") in printed
    flat, stored = pd.read_csv(tmp_path / "o.csv"), pd.read_parquet(tmp_path / "o.parquet")
    assert list(flat.columns) == ["id", "topic_id", "state", "strength"]
    expected, _, _ = topics_of(questions, tmp_path / "s", load_settings(None))
    for assigned in (flat, stored):
        assert assigned["id"].tolist() == expected["id"].tolist()
        assert assigned["topic_id"].fillna(-1).tolist() == expected["topic_id"].fillna(-1).tolist()


@pytest.mark.slow
def test_same_bytes_in_another_order_and_process(questions: pd.DataFrame, lacuna: Lacuna, tmp_path: Path) -> None:
    """Shuffled rows, in another process and with an empty cache, give the same bytes."""
    commands, written = [], [tmp_path / "1.csv", tmp_path / "2.csv"]
    for seed, out in enumerate(written, 1):
        file = tmp_path / f"{seed}.jsonl"
        questions.sample(frac=1, random_state=seed).to_json(file, orient="records", lines=True)
        command = ["topics", str(file), "--text", "text", "--id", "id", "--out", str(out)]
        commands.append([*command, "--store", str(tmp_path / f"store{seed}")])
    script = "import sys; from lacuna.pipelines.cli.main import main; main()"
    result = subprocess.run([sys.executable, "-c", script, *commands[0]], capture_output=True, check=False)
    assert result.returncode == 0, result.stderr
    assert lacuna(*commands[1])[0] == 0
    assert written[0].read_bytes() == written[1].read_bytes()


BAD = {
    "no such file": (["quesions.csv", "--text", "question"], ["quesions.csv does not exist", "'questions.csv'"]),
    "no such column": (
        ["questions.csv", "--text", "qestion"],
        ["no column 'qestion' (--text)", "'question'", "ticket"],
    ),
    "no such id": (
        ["questions.csv", "--text", "question", "--id", "tiket"],
        ["'tiket' (--id)", "did you mean 'ticket'"],
    ),
    "id twice": (["questions.csv", "--text", "question", "--id", "ticket"], ["'7' more than once", "leave --id out"]),
    "id empty": (["questions.csv", "--text", "question", "--id", "note"], ["'note' (--id) is empty in row 1"]),
    "other ending": (["questions.txt", "--text", "question"], ["no known format", ".jsonl"]),
    "other out": (["questions.csv", "--text", "question", "--out", "o.xlsx"], ["o.xlsx is of no known format", ".csv"]),
    "out is input": (["questions.csv", "--text", "question", "--out", "questions.csv"], ["is the input itself"]),
    "a folder": (["folder.csv", "--text", "question"], ["folder.csv can't be read"]),
    "not parquet": (["wrong.parquet", "--text", "question"], ["wrong.parquet"]),
    "no json": (["wrong.jsonl", "--text", "question"], ["wrong.jsonl has no readable row"]),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_told_with_a_remedy(
    lacuna: Lacuna, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, case: str
) -> None:
    """Each mistake ends with exit code 2, names the file or column, and says what to do."""
    monkeypatch.chdir(tmp_path)
    Path("questions.csv").write_text("ticket,question,note\n7,where is it,\n7,why is it,\n")
    Path("questions.txt").write_text("where is it\n")
    Path("wrong.parquet").write_text("PAR1 no")
    Path("wrong.jsonl").write_text("where is it\n")
    Path("folder.csv").mkdir()
    arguments, expected = BAD[case]
    code, _, errors = lacuna("topics", *arguments, "--store", "store")
    assert code == 2
    assert "→" in errors
    for part in expected:
        assert part in errors


def test_rows_that_cannot_be_read_are_named(lacuna: Lacuna, tmp_path: Path) -> None:
    """A broken line is told and left out; null and blank texts are unassigned, and kept."""
    file, out = tmp_path / "in.jsonl", tmp_path / "out.csv"
    rows = [
        json.dumps({"k": 1, "q": None}),
        "{broken",
        json.dumps({"k": 2, "q": "  "}),
        json.dumps({"k": 3, "q": "why"}),
    ]
    file.write_text("\n".join(rows))
    code, _, errors = lacuna(
        "topics", str(file), "--text", "q", "--id", "k", "--out", str(out), "--store", str(tmp_path / "s")
    )
    assert (code, "no topic was found in 1 distinct texts" in errors, "→ give a few hundred" in errors) == (
        2,
        True,
        True,
    )
    assert "row 2 was left out" in errors
    assert pd.read_csv(out)["state"].tolist() == ["unassigned"] * 3


def test_what_is_shown_and_kept_has_no_personal_data(lacuna: Lacuna, questions: pd.DataFrame, tmp_path: Path) -> None:
    """An address that many texts share does not become a topic's name."""
    file = tmp_path / "in.csv"
    questions.assign(text=questions["text"] + " write to anna.meier@example.org").to_csv(file, index=False)
    code, printed, _ = lacuna("topics", str(file), "--text", "text", "--store", str(tmp_path / "s"))
    assert code == 0
    assert "meier" not in printed.lower()


def test_the_number_of_cores_changes_no_topic(questions: pd.DataFrame) -> None:
    """Sums are made by one thread, since several would round otherwise on another machine."""
    threads: list[int] = []

    def embed(some: Sequence[str], _: str) -> np.ndarray:
        threads.extend(pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas")
        return embedder("lexical").embed(some)

    with threadpool_limits(2, user_api="blas"):
        find_groups(sorted(questions["text"]), embed, [])
    assert set(threads) == {1}
