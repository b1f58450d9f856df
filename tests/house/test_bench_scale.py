"""The bundles of any size that growth is measured on, and how growth is read off the figures."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from lacuna.pipelines.cli.main import app
from tests.bench.__main__ import parse
from tests.bench.scale import PARTS, Cost, cost_table, growth, growth_lines
from tests.bench.scale_bundle import CITES_RIGHT, START, WEEK, Plan, article_ids, subjects_for, write_bundle, write_week
from tests.bench.scale_texts import Corpus, corpus_of

ARTICLES = 40
WEEKS = 4


@pytest.fixture(scope="module")
def corpus() -> Corpus:
    """Cut 600 questions of three topics into subjects, each question of words of its own and of its topic."""
    rng = np.random.default_rng(0)
    words = [f"word{i}" for i in range(60)]
    rows = []
    for i in range(600):
        topic = i % 3
        sentences = [
            " ".join(words[20 * topic + j] for j in rng.integers(0, 20, 6)) + f" case{i} part{k}." for k in range(4)
        ]
        title = f"Question {i}: {words[20 * topic]}"
        rows.append((f"q{i:04}", f"{title}\n{' '.join(sentences)}", f"topic-{topic}", f"customer-{i // 2}"))
    asked = pd.DataFrame(rows, columns=["id", "text", "topic", "customer_id"])
    return corpus_of(asked, subjects_for(ARTICLES), seed=7)


def tables_in(folder: Path) -> dict[str, pd.DataFrame]:
    """Every table of a bundle, read without Lacuna."""
    names = ["conversations", "messages", "outcomes", "articles", "article_revisions", "owners"]
    return {name: pd.read_parquet(next(folder.glob(f"{name}*"))) for name in names}


def checked(folder: Path) -> str:
    """What `lacuna check` prints, in lines that don't break."""
    return " ".join(CliRunner().invoke(app, ["check", str(folder)]).output.split())


@pytest.fixture(scope="module")
def bundle(corpus: Corpus, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle of 2,000 conversations, 600 of them real."""
    folder = tmp_path_factory.mktemp("scale")
    assert write_bundle(Plan(corpus, 2_000, WEEKS), folder) == 600
    return folder


def test_sizes_are_chosen_on_the_command_line() -> None:
    """Any size can be measured."""
    chosen = parse(["scale", "--conversations", "1000,20_000", "--articles", "70"])
    assert (chosen.conversations, chosen.articles, chosen.weeks) == ([1_000, 20_000], 70, 26)


def test_the_bundle_has_what_is_asked_for(bundle: Path) -> None:
    """As many conversations and articles, over the whole window, some tagged, and every conversation a question."""
    tables = tables_in(bundle)
    conversations, messages = tables["conversations"], tables["messages"]
    assert conversations["conversation_id"].nunique() == len(conversations) == 2_000
    assert tables["articles"]["article_id"].nunique() == len(tables["articles"]) == ARTICLES
    started = conversations["started_at"]
    assert started.between(START, START + WEEKS * WEEK, inclusive="left").all()
    assert started.dt.isocalendar().week.nunique() == WEEKS
    firsts = messages[messages["position"].eq(0)]
    assert firsts["role"].eq("customer").all()
    assert set(firsts["conversation_id"]) == set(conversations["conversation_id"])
    assert conversations["escalated"].mean() == pytest.approx(0.35, abs=0.1)
    assert len(tables["outcomes"]) == pytest.approx(0.08 * 2_000, rel=0.4)
    agents = set(messages.loc[messages["role"].eq("agent"), "conversation_id"])
    assert agents == set(conversations.loc[conversations["escalated"], "conversation_id"])


def test_every_rule_of_the_contract_is_kept(bundle: Path) -> None:
    """Nothing goes to the quarantine, nothing is a warning."""
    assert "keeps the contract (0 warnings)" in checked(bundle)


def test_real_questions_come_first_and_each_once(corpus: Corpus, bundle: Path) -> None:
    """Up to their number the texts are the real ones; those beyond are sentences of questions of one topic."""
    real = set(corpus.questions["text"])
    tables = tables_in(bundle)
    texts = (
        tables["messages"].loc[lambda m: m["position"].eq(0), "text"].str.replace(r" My e-mail is .*$", "", regex=True)
    )
    counts = texts[texts.isin(real)].value_counts()
    assert (len(counts), counts.max()) == (600, 1)
    made = texts[~texts.isin(real)]
    assert made.nunique() > 0.99 * len(made)
    topics = {
        sentence: corpus.topic[row.subject] for row in corpus.questions.itertuples() for sentence in body(row.text)
    }
    for text in made.head(200):
        assert len({topics[sentence] for sentence in body(text)}) == 1


def body(text: str) -> list[str]:
    """The sentences after a question's title."""
    return text.split("\n")[1].replace(". ", ".|").split("|")


def test_the_same_seed_gives_the_same_bytes(corpus: Corpus, bundle: Path, tmp_path: Path) -> None:
    """And another seed others."""
    write_bundle(Plan(corpus, 2_000, WEEKS), tmp_path / "same")
    write_bundle(Plan(corpus, 2_000, WEEKS, seed=8), tmp_path / "other")
    for file in sorted(path.relative_to(bundle) for path in bundle.rglob("*.parquet")):
        assert (tmp_path / "same" / file).read_bytes() == (bundle / file).read_bytes()
    file = next(path.relative_to(bundle) for path in (bundle / "messages").iterdir())
    assert (tmp_path / "other" / file).read_bytes() != (bundle / file).read_bytes()


def test_a_week_that_is_added_leaves_the_files_as_they_are(corpus: Corpus, tmp_path: Path) -> None:
    """The new conversations lie in the week after, in files of their own, with ids of their own."""
    plan = Plan(corpus, 1_000, WEEKS)
    write_bundle(plan, tmp_path)
    before = {path: path.read_bytes() for path in tmp_path.rglob("*.parquet")}
    assert write_week(plan, tmp_path, 20) == 0
    assert all(path.read_bytes() == content for path, content in before.items())
    conversations = tables_in(tmp_path)["conversations"]
    assert conversations["conversation_id"].nunique() == 1_020
    assert conversations["started_at"].between(plan.end, plan.end + WEEK, inclusive="left").sum() == 20
    assert "keeps the contract (0 warnings)" in checked(tmp_path)


def test_what_is_planted_shows(corpus: Corpus, bundle: Path) -> None:
    """Subjects without an article have none, and the bot reaches the others as often as planted."""
    plan, tables = Plan(corpus, 2_000, WEEKS), tables_in(bundle)
    missing = article_ids(np.flatnonzero(plan.kind == "missing"))
    assert len(missing) == round(0.1 * len(corpus.topic))
    assert not set(missing) & set(tables["articles"]["article_id"])
    messages = tables["messages"]
    assert not set(missing) & set(messages["article_ids"].explode().dropna())
    subject_of = dict(zip(corpus.questions["text"], corpus.questions["subject"], strict=True))
    texts = messages[messages["position"].eq(0)].set_index("conversation_id")["text"]
    subject = texts.map(subject_of).dropna().astype(int)
    bot = messages[messages["role"].eq("bot")].set_index("conversation_id")
    cited = bot["article_ids"].map(lambda ids: ids[0] if len(ids) else None)[subject.index]
    assert bot["is_fallback"][subject.index].eq(cited.isna()).all()
    right = cited.to_numpy() == article_ids(subject.to_numpy())
    healthy = plan.kind[subject.to_numpy()] == "healthy"
    assert right[healthy].mean() == pytest.approx(CITES_RIGHT["healthy"], abs=0.05)


def test_too_many_articles_for_the_questions_are_refused(corpus: Corpus) -> None:
    """The message says what to change."""
    with pytest.raises(ValueError, match="choose fewer articles"):
        corpus_of(corpus.questions.assign(id="q", topic="one"), 500, seed=7)


def test_growth_is_the_slope_from_ten_thousand_on() -> None:
    """What smaller sizes take is fixed costs."""
    assert growth({1_000: 9.0, 10_000: 1.0, 40_000: 4.0, 160_000: 16.0}) == pytest.approx(1.0)
    assert growth({10_000: 1.0, 100_000: 100.0}) == pytest.approx(2.0)
    assert math.isnan(growth({1_000: 1.0, 10_000: 2.0}))


def test_a_step_that_failed_is_shown_and_counts_for_no_growth() -> None:
    """The steps after it are shown as not run."""
    costs = {10_000: {"plan": Cost(1, 1, 100), "load": Cost(5, 5, math.nan, "MemoryError")}}
    table = cost_table(costs)
    assert "failed" in table
    assert "not run" in table
    assert growth_lines(costs).startswith("No growth exponent")


def test_growth_is_given_for_every_step_and_the_whole() -> None:
    """By the clock and of the processor, which a busy machine leaves as it is."""
    costs = {n: {part: Cost(n / 1_000, 2 * (n / 1_000) ** 2, 100) for part in PARTS} for n in (10_000, 20_000)}
    lines = [line.split() for line in growth_lines(costs).splitlines()[2:]]
    assert lines == [[name, "1.0", "2.0"] for name in (*PARTS, "total")]
