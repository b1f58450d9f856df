"""Do topics keep their ids? Run after run over the demo and the replay, as far as topics go.

For each series of runs: *kept*, the share of questions in topics of two runs in a row whose topic has kept its id;
*could be*, the largest such share that any one-to-one naming of the same topics reaches, so that the difference of the
two is the matching's doing and the rest the grouping's; the share of questions in topics of both runs whose theme has
kept its name; and what happened to topics, a run on average. In the demo
the planted topics tell which births and deaths are spurious: a birth of a topic whose planted topic had a topic in the
run before, and a death of one whose planted topic has a topic still. Where it is known what questions are about,
topics and subtopics of the last run are scored against that, as `score_topics.py` does.
"""

from __future__ import annotations

import json
import shutil
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from pathlib import Path
from statistics import mean
from typing import Any

import numpy as np
import pandas as pd
from scipy.optimize import linear_sum_assignment

from lacuna.pipelines.demo import load_truth, write_demo
from lacuna.pipelines.presentation import progress
from lacuna.pipelines.run import run
from lacuna.pipelines.runtime.job import Job
from lacuna.pipelines.steps.load.step import load
from lacuna.pipelines.steps.publish.step import remember
from lacuna.pipelines.steps.redact.step import redact
from lacuna.pipelines.steps.understand.step import understand
from tests.bench.topics_child import score

Window = tuple[Path, str | None, str]
END = date(2024, 6, 30)
EVENTS = ("continue", "return", "split", "birth", "merge", "death")


def stability(folder: Path, replay: Path) -> int:
    """Print the figures of every series."""
    progress.configure(quiet=True)
    report("demo, 12 weekly runs of 28 days, history kept", folder / "weeks", demo_weeks(folder / "demo"))
    report("demo, 4 windows of 28 days that do not overlap", folder / "apart", demo_apart(folder / "draws"))
    if replay.is_dir():
        months = pd.period_range("2023-01", "2024-06", freq="M")
        windows: list[Window] = [(replay, str(m.start_time.date()), str(m.end_time.date())) for m in months]
        true_articles = json.loads((replay.parent / "truth.json").read_text(encoding="utf-8"))["conversation_article"]
        report("replay, 18 monthly windows, history kept", folder / "months", (iter(windows), {}), true_articles)
        rolling = (part(replay, m - 2, m, folder / "rolling") for m in months[2:])
        report("replay, 16 windows of 3 months, a month apart, no history", folder / "quarters", (rolling, {}))
    return 0


def demo_weeks(folder: Path) -> tuple[Iterator[Window], dict[str, str]]:
    """Twelve weekly runs over the demo's twelve weeks, and the planted topic of each conversation."""
    write_demo(folder)
    days = [END - timedelta(weeks=back) for back in range(11, -1, -1)]
    return iter([(folder / "bundle", None, day.isoformat()) for day in days]), planted(folder)


def demo_apart(folder: Path) -> tuple[Iterator[Window], dict[str, str]]:
    """Four draws of the demo's company, four weeks each, one after the other: the same subjects, other questions."""
    windows, truth = [], {}
    for draw in range(4):
        day = END - timedelta(weeks=4 * (3 - draw))
        write_demo(folder / str(draw), seed=7 + draw, weeks=4, end=day)
        windows.append((folder / str(draw) / "bundle", None, day.isoformat()))
        truth |= {f"{day}:{c}": topic for c, topic in planted(folder / str(draw)).items()}
    return iter(windows), truth


def planted(folder: Path) -> dict[str, str]:
    """The planted topic of each conversation."""
    topics = load_truth(folder / "truth.json").topics
    return {c: name for name, topic in topics.items() for c in topic.conversation_ids}


def part(bundle: Path, first: pd.Period, last: pd.Period, folder: Path) -> Window:
    """A bundle with the conversations of some months alone, in place of the one before."""
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(bundle, folder)
    conversations = pd.read_parquet(bundle / "conversations.parquet")
    month = conversations["started_at"].dt.strftime("%Y-%m")
    conversations = conversations[(month >= str(first)) & (month <= str(last))]
    conversations.to_parquet(folder / "conversations.parquet")
    for name in ("messages.parquet", "outcomes.csv"):
        read = pd.read_parquet if name.endswith("parquet") else pd.read_csv
        rows = read(bundle / name)
        rows = rows[rows["conversation_id"].isin(conversations["conversation_id"])]
        rows.to_parquet(folder / name) if name.endswith("parquet") else rows.to_csv(folder / name, index=False)
    return folder, str(first.start_time.date()), str(last.end_time.date())


def report(
    title: str,
    store: Path,
    series: tuple[Iterator[Window], Mapping[str, str]],
    true_topics: Mapping[str, str] | None = None,
) -> None:
    """Run a series and print its figures; ``true_topics`` is what questions are about, where no topics are planted."""
    windows, truth = series
    rows, before, subjects, themes = [], pd.Series(dtype=str), {}, pd.Series(dtype=str)
    for bundle, start, end in windows:
        topic, theme, events, whole = topics_of(bundle, store, start, end)
        # Draws of the demo use the same conversation ids, and are told apart by their days.
        topic.index = [f"{end}:{c}" if f"{end}:{c}" in truth else c for c in topic.index]
        theme.index = topic.index
        planted_in = pd.Series([truth.get(c, "") for c in topic.index])
        about = {t: Counter(part).most_common(1)[0][0] for t, part in planted_in.groupby(topic.to_numpy())}
        happened = Counter(events["event"])
        there, earlier = set(about.values()) - {""}, set(subjects.values())
        births = events.loc[events["event"].isin(["birth", "split"]), "topic_id"]
        deaths = events.loc[events["event"] == "death", "topic_id"]
        row = {"questions": len(topic), "topics": topic.nunique()} | {kind: happened[kind] for kind in EVENTS}
        row |= {
            "spurious births": sum(about[t] in earlier - {""} for t in births),
            "spurious deaths": sum(subjects.get(t, "") in there for t in deaths),
            "same subject": sum(subjects.get(t) == s for t, s in about.items() if t in subjects),
            "other subject": sum(subjects.get(t) != s for t, s in about.items() if t in subjects),
        }
        row |= dict(zip(("kept", "could be"), kept(before, topic), strict=True)) | {"themes": unchanged(themes, theme)}
        rows.append(row)
        before, subjects, themes = topic, about, theme
    table = pd.DataFrame(rows)
    n_questions, topics = table["questions"].iloc[-1], table["topics"].iloc[-1]
    print(f"\n{title}\n  questions in topics at the end: {n_questions:,} in {topics}")
    shares = table[["kept", "could be"]].dropna()
    if len(shares):
        least = shares["kept"].min()
        print(f"  kept {shares['kept'].mean():.1%} (least {least:.1%}); could be {shares['could be'].mean():.1%}")
        print(f"  theme kept {table['themes'].mean():.1%} (least {table['themes'].min():.1%})")
    for level in ("topic_id", "subtopic_id"):
        groups = whole.set_index("conversation_id")[level]
        print(f"  {level.removesuffix('_id')}s: {against(groups, true_topics or truth)}")
    later = table.iloc[1:]
    print("  a run: " + ", ".join(f"{mean(later[kind]):.1f} {kind}" for kind in EVENTS))
    if truth:
        same, other = later["same subject"].sum(), later["other subject"].sum()
        births, deaths = mean(later["spurious births"]), mean(later["spurious deaths"])
        print(f"  spurious a run: {births:.1f} births, {deaths:.1f} deaths")
        print(f"  {other} of {same + other} ids went over to another planted topic", flush=True)


def against(groups: pd.Series, truth: Mapping[str, str]) -> str:
    """How well groups agree with what is known of their questions; in none counts as wrong."""
    with_truth = groups[groups.index.isin(list(truth))]
    if not len(with_truth):
        return f"{groups.nunique()}"
    figures = score(np.array([truth[c] for c in with_truth.index]), pd.factorize(with_truth)[0])
    return (
        f"{groups.nunique()}; against {len(with_truth):,} questions about {figures['K_true']} problems:"
        f" ACC {figures['ACC']:.1f}, NMI {figures['NMI']:.1f}, ARI {figures['ARI']:.1f},"
        f" {figures['outside']:.0%} in none"
    )


def topics_of(
    bundle: Path, store: Path, start: str | None, end: str
) -> tuple[pd.Series, pd.Series, pd.DataFrame, pd.DataFrame]:
    """Run as far as topics; topic and theme of each question that is core to one, what happened, and all questions."""
    tables: dict[str, Any] = {}

    def publish(job: Job) -> None:
        assigned = job.read("understand/assignments")
        tables["core"] = (
            assigned[assigned["state"].eq("core") & assigned["question_number"].eq(1)]
            .set_index("conversation_id")["topic_id"]
            .astype(str)
        )
        named = job.read("understand/topics").set_index("topic_id")["theme"]
        tables["theme"] = tables["core"].map(named)
        tables["events"] = job.read("understand/events")
        tables["all"] = assigned[assigned["question_number"] == 1]
        remember(job, pd.DataFrame(), job.read_json("run")["input_hash"])
        job.folder.mkdir(parents=True, exist_ok=True)
        (job.folder / "run.json").write_text(json.dumps({"run_id": job.run_id}), encoding="utf-8")

    run(str(bundle), store, start, end, steps=(load, redact, understand, publish))
    return tables["core"], tables["theme"], tables["events"], tables["all"]


def unchanged(before: pd.Series, now: pd.Series) -> float:
    """The share of what is in a theme of both runs whose theme has the same name."""
    both = before.dropna().index.intersection(now.dropna().index)
    return float((before[both] == now[both]).mean()) if len(both) else float("nan")


def kept(before: pd.Series, now: pd.Series) -> tuple[float, float]:
    """The share of questions in topics of both runs whose topic kept its id, and the most that ids could have kept."""
    both = before.index.intersection(now.index)
    if not len(both):
        return float("nan"), float("nan")
    crossed = pd.crosstab(before[both].to_numpy(), now[both].to_numpy()).to_numpy()
    best = crossed[linear_sum_assignment(-crossed)].sum() / len(both)
    return float((before[both] == now[both]).mean()), float(best)
