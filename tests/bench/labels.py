"""The names of topics in the docs, to be read line by line: the replay's, and a hundred with a verdict."""

from __future__ import annotations

import csv
import html
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from lacuna.models.text.words import shortened
from lacuna.pipelines.settings import load_settings
from lacuna.pipelines.topic_finder import read_texts, topics_of
from tests.bench.common import REPLAY, RUN_ID, SHARED, WINDOW, demo_runs, run
from tests.support.paths import REPO

CALLS = SHARED / "data" / "intents" / "dstc11-insurance.jsonl"
# A reader's verdict on each name that was read: name, keep or change, why.
VERDICTS = Path(__file__).with_name("name_verdicts.csv")
READ = {"replay": 35, "demo": 35, "calls": 30}  # names of each set that are read
QUESTIONS = 2  # shown beside each
HOW = """
## How names are made

Each topic is named in the main language of its questions, by the lists of that language alone
(`models/text/vocabulary/`, a file a language: English, German, French, Spanish). Fillers and words said twice are
taken out. Then come the candidates: the action behind a lead-in ("how do I …", "je voudrais …"), the customer's
question where it is in good form, a statement of what is wrong, and names of things behind a "the" or "for". What does
not stand by itself is refused: a small word at the end, a verb without its object, two thoughts, chatter. Of the rest,
that is taken which many of the topic's questions and few others hold, and which is nearest the middle of the topic in
meaning. Where no phrase is whole, the two things that the questions mention most make the name: "Branch hours and
locations". A topic in a language without a file is named by its most frequent sentence.

## Beside BERTopic's representations

`python -m tests.bench names` prints these names beside what BERTopic's own models call the same topics. On the calls,
"Remove a dependent from my plan" is "remove, remove dependent, dependent" by c-TF-IDF, "remove dependent, dependent
plan, removing dependant" by KeyBERTInspired, and "remove dependent, dependent, dependent plan" by
MaximalMarginalRelevance (diversity 0.3). KeyBERTInspired reads best of the three: its first word pair mostly names the
topic. All of them are lists that repeat themselves, keep misspellings, and leave open what the customer wants; none
gives a name that could stand in a backlog. PartOfSpeech needs spaCy and its English model, which are no part of
Lacuna's environments; the command runs it where they are installed. It was not compared here.
""".rstrip().splitlines()


@dataclass(frozen=True)
class Named:
    """A topic as a reader sees it."""

    name: str
    size: int
    questions: list[str]


def labels(folder: Path) -> int:
    """Write every topic of the replay into docs/replay-topics.md, and a hundred names into docs/topic-names.md."""
    run(REPLAY / "bundle", folder / "store")
    topics = pd.read_parquet(folder / "store" / "runs" / RUN_ID / "topics.parquet")
    page = REPO / "docs" / "replay-topics.md"
    page.write_text(label_table(topics), encoding="utf-8")
    print(f"{page}: {len(topics)} topics in {topics['theme'].nunique()} themes")
    sets = {
        "replay": of_run(topics),
        "demo": of_run(pd.read_parquet(demo_runs(folder) / "topics.parquet")),
        "calls": of_calls(folder / "cache"),
    }
    chosen = {name: spread(sets[name], count) for name, count in READ.items()}
    page = REPO / "docs" / "topic-names.md"
    page.write_text(name_table(chosen, verdicts()), encoding="utf-8")
    unread = [topic.name for some in chosen.values() for topic in some if topic.name not in verdicts()]
    print(f"{page}: {sum(map(len, chosen.values()))} names, {len(unread)} without a verdict in {VERDICTS.name}")
    for name in unread:
        print(f"  {name}")
    return 0


def of_run(topics: pd.DataFrame) -> list[Named]:
    """The topics of a run, largest first."""
    topics = topics.sort_values(["conversations", "topic_id"], ascending=[False, True])
    return [Named(str(t.label), int(t.conversations), list(t.examples)) for t in topics.itertuples()]


def of_calls(cache: Path) -> list[Named]:
    """The topics that ``lacuna topics`` finds in what callers of an insurance say, largest first."""
    rows, _ = read_texts(CALLS, "utterance", "turn_id")
    cache.mkdir(parents=True, exist_ok=True)
    assigned, topics, _ = topics_of(rows, cache, load_settings(None))
    assigned = assigned.merge(rows, on="id").sort_values(["strength", "id"], ascending=[False, True])
    own = {number: list(group["text"]) for number, group in assigned.groupby("topic_id")}
    return [Named(str(t.label), len(own[t.topic_id]), own[t.topic_id][:QUESTIONS]) for t in topics.itertuples()]


def spread(topics: list[Named], count: int) -> list[Named]:
    """Some topics, evenly from the largest to the smallest."""
    at = np.unique(np.linspace(0, len(topics) - 1, min(count, len(topics))).round().astype(int))
    return [topics[i] for i in at]


def verdicts() -> dict[str, tuple[str, str]]:
    """Of each name that was read, whether a reader keeps or would change it, and why."""
    with VERDICTS.open(encoding="utf-8", newline="") as file:
        return {row["name"]: (row["verdict"], row["why"]) for row in csv.DictReader(file)}


def name_table(sets: dict[str, list[Named]], read: dict[str, tuple[str, str]]) -> str:
    """A page with a section a set, and in it a row a topic with its verdict."""
    all_names = [topic.name for topics in sets.values() for topic in topics]
    changed = sum(read.get(name, ("", ""))[0] == "change" for name in all_names)
    unread = sum(name not in read for name in all_names)
    lines = [
        "# A hundred names of topics, read line by line",
        "",
        f"{len(all_names)} names that Lacuna gives without a language model, evenly from the largest topic to the",
        "smallest of three sets, each with two of its questions and the verdict of a reader: is it the name that a",
        "knowledge manager would write? `change` says what is wrong. "
        f"**{changed} of {len(all_names)} would be changed**" + (f", {unread} are unread." if unread else "."),
        f"Written by `python -m tests.bench labels`; verdicts are kept in `tests/bench/{VERDICTS.name}` by name, so",
        "that after a change only new names want reading.",
        *HOW,
    ]
    titles = {
        "replay": "A public support forum (the replay)",
        "demo": "The demo's shop, in English and German",
        "calls": "Calls to an insurance (DSTC11, by `lacuna topics`)",
    }
    for key, topics in sets.items():
        lines += ["", f"## {titles[key]}", "", "| name | questions | two of them | verdict |", "|---|---|---|---|"]
        for topic in topics:
            verdict, why = read.get(topic.name, ("unread", ""))
            some = "<br>".join(cell(question) for question in topic.questions[:QUESTIONS])
            why = f": {cell(why)}" if why else ""
            lines.append(f"| **{cell(topic.name)}** | {topic.size} | {some} | {verdict}{why} |")
    return "\n".join(lines) + "\n"


def label_table(topics: pd.DataFrame) -> str:
    """A page with a section a theme, largest first, and in it a row a topic."""
    command = f"lacuna run ../shared/data/{REPLAY.name}/bundle --store STORE {' '.join(WINDOW)}"
    lines = [
        "# The topics of the replay",
        "",
        f"All {len(topics)} topics that Lacuna finds in 18 months of a public support forum, with the labels that it",
        "gives them without a language model, and three questions each, redacted and cut. Written by",
        f"`python -m tests.bench labels`, which does `{command}`.",
    ]
    order = topics.groupby("theme")["conversations"].sum().sort_values(ascending=False, kind="stable").index
    for theme in order:
        own = topics[topics["theme"] == theme].sort_values(["conversations", "topic_id"], ascending=[False, True])
        lines += ["", f"## {theme}", "", "| topic | conversations | three questions |", "|---|---|---|"]
        for topic in own.itertuples():
            examples = "<br>".join(cell(question) for question in topic.examples)
            lines.append(f"| **{cell(topic.label)}** | {topic.conversations} | {examples} |")
    return "\n".join(lines) + "\n"


def cell(text: str) -> str:
    """A text as it may stand in a table of Markdown."""
    escaped = html.escape(shortened(str(text), 150), quote=False)
    return re.sub(r"([\\|*_`\[\]])", r"\\\1", escaped)
